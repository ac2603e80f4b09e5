"""Layers over named parameters. They take their tensors from a Weights: one that reads a file, or one that draws them."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class Weights:
    """The parameters of one network by the names of its state dict; each is taken once, with the shape that the network expects."""

    def __init__(self, device, dtype, tensors=None, seed=1):
        """dtype gives a name's type. Without tensors they are drawn, and kept in `drawn` as float16."""
        self.device, self.dtype, self.tensors = torch.device(device), dtype, tensors
        self.drawn = {}
        self._generator = torch.Generator(self.device).manual_seed(seed)

    def take(self, name, *shape):
        if self.tensors is None:
            tensor = self._draw(name, shape).to(torch.float16)
            self.drawn[name] = tensor
        elif name in self.tensors:
            tensor = self.tensors.pop(name)
        else:
            raise ValueError(f"The weights have no '{name}'.")
        if tuple(tensor.shape) != shape:
            raise ValueError(f"'{name}' is {tuple(tensor.shape)}, and {shape} is expected.")
        return nn.Parameter(tensor.to(self.device, self.dtype(name)), requires_grad=False)

    def finish(self):
        if self.tensors:
            raise ValueError(f"The weights have more than the network: {sorted(self.tensors)[:3]}.")

    def _draw(self, name, shape):
        """As a trained network's could be: variance 1/fan-in, scales of norms about one, small biases."""
        values = torch.randn(shape, generator=self._generator, device=self.device)
        if len(shape) > 1:
            return values / math.sqrt(math.prod(shape[1:]))
        return 1 + 0.1 * values if name.endswith(".weight") else 0.05 * values


class Linear(nn.Module):
    def __init__(self, weights, name, inputs, outputs, bias=True):
        super().__init__()
        self.weight = weights.take(f"{name}.weight", outputs, inputs)
        self.bias = weights.take(f"{name}.bias", outputs) if bias else None

    def forward(self, x):
        return F.linear(x, self.weight, self.bias)


class Conv(nn.Module):
    """flat: a kernel of one pixel that is stored with one axis, as guided-diffusion has it in attention."""

    def __init__(self, weights, name, inputs, outputs, kernel=3, stride=1, padding=None, flat=False):
        super().__init__()
        self.weight = weights.take(f"{name}.weight", outputs, inputs, *([1] if flat else [kernel, kernel]))
        if flat:
            self.weight = nn.Parameter(self.weight.unsqueeze(-1), requires_grad=False)
        self.bias = weights.take(f"{name}.bias", outputs)
        self.stride, self.padding = stride, kernel // 2 if padding is None else padding

    def forward(self, x):
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding)


class Norm(nn.Module):
    """Over groups of channels, in the type of its parameters."""

    def __init__(self, weights, name, channels, groups=32, eps=1e-5):
        super().__init__()
        self.weight, self.bias = weights.take(f"{name}.weight", channels), weights.take(f"{name}.bias", channels)
        self.groups, self.eps = groups, eps

    def forward(self, x):
        return F.group_norm(x.to(self.weight.dtype), self.groups, self.weight, self.bias, self.eps).to(x.dtype)


def sinusoids(timesteps, width, cosine_first=True, shift=0.0):
    """[B] to [B,width]: the vector that stands for a timestep, float32."""
    half = width // 2
    places = torch.arange(half, dtype=torch.float32, device=timesteps.device)
    angles = timesteps.float()[:, None] * torch.exp(places * -math.log(10000) / (half - shift))[None]
    parts = [angles.cos(), angles.sin()]
    return torch.cat(parts if cosine_first else parts[::-1], 1)


def attention(query, key, value):
    """[B,heads,T,d] each: by the fused kernels of torch 2, else as written."""
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(query, key, value)
    scores = query.float() @ key.float().transpose(2, 3) / math.sqrt(query.shape[-1])
    return scores.softmax(-1).to(value.dtype) @ value


def in_heads(x, heads):
    """[B,T,C] to [B,heads,T,C/heads]."""
    return x.unflatten(2, (heads, x.shape[2] // heads)).transpose(1, 2)


def doubled(x):
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def halved(x):
    return F.avg_pool2d(x, 2)
