"""Networks of a model: a model.json of family adm, or a folder as the hub has it."""

import json
import os

import torch

import tensors
from adm import Adm, torso_dtype
from dit import Dit
from layers import Weights
from unet2d import UNet2D

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
COMPONENTS = {"dit": "transformer", "ldm": "unet"}


def describe(model):
    """The family and the config of a model.json, or of a folder with a transformer or a unet."""
    if os.path.isfile(model):
        with open(model, encoding="utf-8") as file:
            return "adm", json.load(file)
    for family, component in COMPONENTS.items():
        path = os.path.join(model, component, "config.json")
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                return family, json.load(file)
    raise ValueError(f"{model} is neither a model.json nor a folder with a transformer or a unet.")


def weights_path(model):
    """Where a folder has its network's weights; a model.json says it."""
    family, config = describe(model)
    if family == "adm":
        return os.path.join(os.path.dirname(model), config["weights"])
    folder = os.path.join(model, COMPONENTS[family])
    names = ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin")
    return next(path for path in (os.path.join(folder, name) for name in names) if os.path.exists(path))


def build(model, device, dtype, loaded):
    """The network over loaded tensors; drawn ones where they are None. Also the weights, which have what was drawn."""
    family, config = describe(model)
    torso = DTYPES[dtype]
    weights = Weights(device, torso_dtype(torso) if family == "adm" else lambda name: torso, loaded)
    made = {"adm": Adm, "ldm": UNet2D, "dit": Dit}[family](config, weights, torso)
    return made.eval(), weights


def load(model, device, dtype, path=None):
    loaded = tensors.load(path or weights_path(model))
    # Tables that follow from the config, and the older names of attention, as docs/guide/models.md has them.
    loaded.pop("pos_embed.pos_embed", None)
    older = {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."}
    for name in list(loaded):
        for old, new in older.items():
            if ".attentions." in name and old in name:
                loaded[name.replace(old, new)] = loaded.pop(name)
    return build(model, device, dtype, loaded)[0]


def inputs(model, batch, device, side=None):
    """State, timesteps and classes of a batch; the values are any."""
    family, config = describe(model)
    channels, side = (3, config["image_size"]) if family == "adm" else (config["in_channels"], side or config["sample_size"])
    x = torch.randn(batch, channels, side, side, device=device)
    classes = torch.zeros(batch, dtype=torch.int64, device=device)
    return x, torch.full((batch,), 500.0, device=device), classes if family == "dit" or config.get("class_cond") else None


def as_upstream():
    """The arithmetic that upstream's scripts allow on a GPU."""
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
