"""One end-to-end run of each family among the fixtures, as flags of `taba sample`."""

import json
import os

import tensors

CASES = {"adm": "adm/sample_T10", "ldm": "ldm/sample_T10", "dit": "dit/sample_T10", "if": "if_hobbit_gs1/sample_T10"}


def arguments(fixtures, family, case, work):
    """All flags but those of the device and the folder; what the case reads is written below `work`."""
    folder = os.path.join(fixtures, "e2e", case)
    with open(os.path.join(folder, "case.json"), encoding="utf-8") as file:
        flags = json.load(file)["cli"]
    with open(os.path.join(fixtures, "e2e", case.split("/")[0], "model.json"), encoding="utf-8") as file:
        model = os.path.join(fixtures, json.load(file)["model"])
    if family == "adm":
        with open(os.path.join(model, "case.json"), encoding="utf-8") as file:
            described = json.load(file)
        weights = os.path.abspath(os.path.join(model, described["weights"][0]))
        model = os.path.join(work, "parity-adm.json")
        with open(model, "w", encoding="utf-8") as file:
            json.dump({**described["args"], "family": "adm", "weights": weights}, file)
    given = ["--model", model, "--dtype", "float32", "--state_dtype", "float32", "--noise_dtype", "float32"]
    for flag, value in flags.items():
        if value is None or flag == "model_name":
            continue
        if flag == "input_noise_path":
            value = os.path.join(work, f"noise-{family}.safetensors")
            tensors.write_numbers(value, {"noise": tensors.numbers(os.path.join(folder, "tensors.safetensors"), "noise")})
        given += [f"--{flag}", str(value)]
    return given
