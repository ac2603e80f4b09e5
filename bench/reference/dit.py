"""DiT by the config.json of its transformer, with the layout of src/Taba.Diffusion/Models/Dit."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from layers import Conv, Linear, attention, in_heads, sinusoids

SINUSOIDS = 256


def positions(side, width):
    """[1,side*side,width]: sines and cosines of a token's column, then of its row."""
    quarter = width // 4
    frequencies = torch.exp(torch.arange(quarter, dtype=torch.float64) * (-math.log(10000) / quarter))
    angles = torch.arange(side, dtype=torch.float64)[:, None] * frequencies
    axis = torch.cat([angles.sin(), angles.cos()], 1)
    columns, rows = axis[None].expand(side, side, -1), axis[:, None].expand(side, side, -1)
    return torch.cat([columns, rows], 2).reshape(1, side * side, width).float()


class Embedding(nn.Module):
    """Of timestep and class; each block has its own."""

    def __init__(self, weights, name, classes, width):
        super().__init__()
        self.time1 = Linear(weights, f"{name}.timestep_embedder.linear_1", SINUSOIDS, width)
        self.time2 = Linear(weights, f"{name}.timestep_embedder.linear_2", width, width)
        self.classes = weights.take(f"{name}.class_embedder.embedding_table.weight", classes + 1, width)

    def forward(self, angles, classes):
        return F.silu(self.time2(F.silu(self.time1(angles))) + self.classes[classes])


def modulated(x, eps, shift, scale):
    return F.layer_norm(x, x.shape[-1:], eps=eps) * (1 + scale) + shift


class Block(nn.Module):
    def __init__(self, weights, name, config):
        super().__init__()
        self.heads = config["num_attention_heads"]
        width, bias = self.heads * config["attention_head_dim"], config.get("attention_bias", False)
        self.eps = config.get("norm_eps", 1e-5)
        self.embedding = Embedding(weights, f"{name}.norm1.emb", config["num_embeds_ada_norm"], width)
        self.modulation = Linear(weights, f"{name}.norm1.linear", width, 6 * width)
        self.query, self.key, self.value = (
            Linear(weights, f"{name}.attn1.{part}", width, width, bias) for part in ("to_q", "to_k", "to_v"))
        self.out = Linear(weights, f"{name}.attn1.to_out.0", width, width)
        self.wide = Linear(weights, f"{name}.ff.net.0.proj", width, 4 * width)
        self.narrow = Linear(weights, f"{name}.ff.net.2", 4 * width, width)

    def forward(self, x, angles, classes):
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulation(self.embedding(angles, classes))[:, None].chunk(6, -1)
        h = modulated(x, 1e-6, shift1, scale1)
        heads = (in_heads(part(h), self.heads) for part in (self.query, self.key, self.value))
        x = x + gate1 * self.out(attention(*heads).transpose(1, 2).flatten(2))
        h = modulated(x, self.eps, shift2, scale2)
        return x + gate2 * self.narrow(F.gelu(self.wide(h), approximate="tanh"))


class Dit(nn.Module):
    def __init__(self, config, weights, dtype):
        super().__init__()
        self.dtype, self.patch, self.channels = dtype, config["patch_size"], config["out_channels"]
        width = config["num_attention_heads"] * config["attention_head_dim"]
        self.side = config["sample_size"] // self.patch
        self.patches = Conv(weights, "pos_embed.proj", config["in_channels"], width, kernel=self.patch, stride=self.patch, padding=0)
        self.register_buffer("positions", positions(self.side, width).to(weights.device))
        self.blocks = nn.ModuleList(Block(weights, f"transformer_blocks.{i}", config) for i in range(config["num_layers"]))
        self.modulation = Linear(weights, "proj_out_1", width, 2 * width)
        self.out = Linear(weights, "proj_out_2", width, self.patch * self.patch * self.channels)
        weights.finish()

    def forward(self, x, timesteps, classes):
        """[B,C,S,S] float32, [B] and [B] to the whole output [B,2C,S,S], float32."""
        angles = sinusoids(timesteps, SINUSOIDS, shift=1).to(self.dtype)
        h = (self.patches(x.to(self.dtype)).flatten(2).transpose(1, 2) + self.positions).to(self.dtype)
        for block in self.blocks:
            h = block(h, angles, classes)
        shift, scale = self.modulation(self.blocks[0].embedding(angles, classes))[:, None].chunk(2, -1)
        tokens = self.out(modulated(h, 1e-6, shift, scale))
        pixels = tokens.reshape(-1, self.side, self.side, self.patch, self.patch, self.channels).permute(0, 5, 1, 3, 2, 4)
        return pixels.reshape(-1, self.channels, self.side * self.patch, self.side * self.patch).float()
