"""The runner's networks against the fixtures, which the reference implementation made: python3 golden.py FIXTURES"""

import json
import os
import sys
import tempfile

import torch

import networks
import tensors

ATOL, RTOL = 2e-5, 1e-4


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


def main(fixtures):
    models = os.path.join(fixtures, "models")
    with tempfile.TemporaryDirectory() as folder:
        passed = []
        for case in sorted(os.listdir(os.path.join(models, "adm"))):
            fixture = os.path.join(models, "adm", case)
            passed.append(check(case, adm_model(fixture, folder), fixture, "out"))
        passed.append(check("dit_tiny", os.path.join(models, "dit_tiny"), os.path.join(models, "dit_tiny"), "transformer_out"))
        passed.append(check("ldm_tiny", os.path.join(models, "ldm_tiny"), os.path.join(models, "ldm_tiny"), "unet_out"))
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
