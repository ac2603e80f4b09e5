"""
The runner's networks against the fixtures, which the reference implementation made, and against predictions of ours that a session's
parity left below OUT: python3 golden.py FIXTURES [OUT]
"""

import json
import os
import sys
import tempfile

import torch

import networks
import tensors

ATOL, RTOL = 2e-5, 1e-4

# Of predictions that ours made on a GPU without TF32, or on a processor.
OURS_ATOL = 1e-3


def adm_model(fixture, folder):
    """A model.json of a fixture's constructor arguments."""
    with open(os.path.join(fixture, "case.json"), encoding="utf-8") as file:
        case = json.load(file)
    path = os.path.join(folder, f"{os.path.basename(fixture)}.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({**case["args"], "family": "adm", "weights": os.path.abspath(os.path.join(fixture, case["weights"][0]))}, file)
    return path


def check(name, model, fixture, output):
    given = tensors.load(os.path.join(fixture, "inputs.safetensors"))
    expected = tensors.load(os.path.join(fixture, "outputs.safetensors"))[output]
    network = networks.load(model, "cpu", "float32")
    classes = given.get("y", given.get("class_labels"))
    with torch.no_grad():
        out = network(given["x"], given["timesteps"], classes)
    close = torch.allclose(out, expected, rtol=RTOL, atol=ATOL)
    print(f"{name}: largest difference {(out - expected).abs().max().item():.2g}{'' if close else ', which is too much'}")
    return close


def check_ours(family, model, work):
    """LDM's and DiT's predictions in every step of a parity run, from the states that ours had. ADM's are made anew from a clamped x0."""
    folder = next(os.path.join(work, name) for name in sorted(os.listdir(work)) if name.startswith(f"parity-{family}-"))
    read = {
        name: tensors.load(os.path.join(folder, f"{name}.safetensors"))[name] for name in ("noise", "all_t_samples", "all_t_eps_samples")
    }
    with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
        stage = next(stage for stage in json.load(file)["stages"] if stage["kind"] == "sample")
    states = torch.cat([read["noise"][None], read["all_t_samples"][:-1]])
    network = networks.load(model, "cpu", "float32")
    path = os.path.join(folder, "conds.safetensors")
    classes = tensors.load(path)["conds"] if os.path.exists(path) else None
    largest = 0.0
    with torch.no_grad():
        for x, eps, timestep in zip(states, read["all_t_eps_samples"], stage["timesteps"]):
            out = network(x, torch.full((len(x),), float(timestep)), classes)[:, :x.shape[1]]
            largest = max(largest, (out - eps).abs().max().item())
    close = largest <= OURS_ATOL
    print(f"{family}, ours: largest difference {largest:.2g}{'' if close else ', which is too much'}")
    return close


def main(fixtures, out=None):
    models = os.path.join(fixtures, "models")
    with tempfile.TemporaryDirectory() as folder:
        passed = []
        for case in sorted(os.listdir(os.path.join(models, "adm"))):
            fixture = os.path.join(models, "adm", case)
            passed.append(check(case, adm_model(fixture, folder), fixture, "out"))
        passed.append(check("dit_tiny", os.path.join(models, "dit_tiny"), os.path.join(models, "dit_tiny"), "transformer_out"))
        passed.append(check("ldm_tiny", os.path.join(models, "ldm_tiny"), os.path.join(models, "ldm_tiny"), "unet_out"))
    for family in ("ldm", "dit") if out else ():
        passed.append(check_ours(family, os.path.join(models, f"{family}_tiny"), os.path.join(out, "work")))
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
