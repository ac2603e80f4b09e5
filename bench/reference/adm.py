"""ADM's UNet by the flags of a model.json, with the layout of src/Taba.Diffusion/Models/Adm."""

import torch
import torch.nn.functional as F
from torch import nn

from layers import Conv, Linear, Norm, attention, doubled, halved, sinusoids

MULTIPLIERS = {512: [0.5, 1, 1, 2, 2, 4, 4], 256: [1, 1, 2, 2, 4, 4], 128: [1, 1, 2, 3, 4], 64: [1, 2, 3, 4], 32: [1, 2, 2, 2]}
RESAMPLE = {"up": doubled, "down": halved, None: lambda x: x}


def torso_dtype(torso):
    """The type of a parameter: convolutions between the first and the last layer have the torso's."""

    def of(name):
        inside = name.startswith(("input_blocks.", "middle_block.", "output_blocks."))
        plain = ".emb_layers." in name or "_layers.0." in name or ".norm." in name
        return torso if inside and not plain else torch.float32

    return of


class Residual(nn.Module):
    def __init__(self, weights, name, inputs, outputs, time, scale_shift, resample=None):
        super().__init__()
        self.scale_shift, self.resample = scale_shift, RESAMPLE[resample]
        self.norm1 = Norm(weights, f"{name}.in_layers.0", inputs)
        self.conv1 = Conv(weights, f"{name}.in_layers.2", inputs, outputs)
        self.time = Linear(weights, f"{name}.emb_layers.1", time, 2 * outputs if scale_shift else outputs)
        self.norm2 = Norm(weights, f"{name}.out_layers.0", outputs)
        self.conv2 = Conv(weights, f"{name}.out_layers.3", outputs, outputs)
        self.skip = Conv(weights, f"{name}.skip_connection", inputs, outputs, kernel=1) if inputs != outputs else nn.Identity()

    def forward(self, x, emb):
        h = self.conv1(self.resample(F.silu(self.norm1(x))))
        time = self.time(emb).to(h.dtype)[:, :, None, None]
        if self.scale_shift:
            scale, shift = time.chunk(2, 1)
            h = self.norm2(h) * (1 + scale) + shift
        else:
            h = self.norm2(h + time)
        return self.skip(self.resample(x)) + self.conv2(F.silu(h))


class Attention(nn.Module):
    def __init__(self, weights, name, channels, heads, new_order):
        super().__init__()
        self.heads, self.new_order = heads, new_order
        self.norm = Norm(weights, f"{name}.norm", channels)
        self.qkv = Conv(weights, f"{name}.qkv", channels, 3 * channels, kernel=1, flat=True)
        self.out = Conv(weights, f"{name}.proj_out", channels, channels, kernel=1, flat=True)

    def forward(self, x, emb):
        batch, channels, height, width = x.shape
        d = channels // self.heads
        qkv = self.qkv(self.norm(x)).flatten(2)
        if self.new_order:
            parts = qkv.view(batch, 3, self.heads, d, -1).unbind(1)
        else:
            parts = qkv.view(batch, self.heads, 3, d, -1).unbind(2)
        query, key, value = (part.transpose(2, 3) for part in parts)
        return x + self.out(attention(query, key, value).transpose(2, 3).reshape(batch, channels, height, width))


class Sampling(nn.Module):
    """A convolution that doubles or halves."""

    def __init__(self, weights, name, channels, up):
        super().__init__()
        self.up, self.conv = up, Conv(weights, name, channels, channels, stride=1 if up else 2)

    def forward(self, x, emb):
        return self.conv(doubled(x) if self.up else x)


class First(nn.Module):
    def __init__(self, weights, name, channels):
        super().__init__()
        self.conv = Conv(weights, name, 3, channels)

    def forward(self, x, emb):
        return self.conv(x)


class Adm(nn.Module):
    def __init__(self, config, weights, torso):
        super().__init__()
        self.torso, self.width = torso, config["num_channels"]
        size, depth = config["image_size"], config["num_res_blocks"]
        mult = [float(m) for m in config.get("channel_mult", "").split(",") if m] or MULTIPLIERS[size]
        levels = [int(m * self.width) for m in mult]
        attended = {size // int(r) for r in config["attention_resolutions"].split(",")}
        time, modern = 4 * self.width, config.get("resblock_updown", False)
        scale_shift = config.get("use_scale_shift_norm", True)
        self.learn_sigma = config.get("learn_sigma", False)

        def residual(name, inputs, outputs, resample=None):
            return Residual(weights, name, inputs, outputs, time, scale_shift, resample)

        def attend(name, channels, up=False):
            per_head, heads, upper = (config.get(key, -1) for key in ("num_head_channels", "num_heads", "num_heads_upsample"))
            count = channels // per_head if per_head != -1 else upper if up and upper != -1 else heads
            return Attention(weights, name, channels, count, config.get("use_new_attention_order", False))

        self.time1, self.time2 = Linear(weights, "time_embed.0", self.width, time), Linear(weights, "time_embed.2", time, time)
        self.classes = weights.take("label_emb.weight", config.get("num_classes", 1000), time) if config.get("class_cond") else None

        width, shrink = levels[0], 1
        skips, down = [width], [[First(weights, "input_blocks.0.0", width)]]
        for level, channels in enumerate(levels):
            for _ in range(depth):
                name = f"input_blocks.{len(down)}"
                block = [residual(f"{name}.0", width, channels)]
                width = channels
                if shrink in attended:
                    block.append(attend(f"{name}.1", width))
                down.append(block)
                skips.append(width)
            if level < len(levels) - 1:
                name = f"input_blocks.{len(down)}.0"
                down.append([residual(name, width, width, "down") if modern else Sampling(weights, f"{name}.op", width, up=False)])
                skips.append(width)
                shrink *= 2

        middle = [residual("middle_block.0", width, width), attend("middle_block.1", width), residual("middle_block.2", width, width)]
        up = []
        for level in reversed(range(len(levels))):
            for i in range(depth + 1):
                name = f"output_blocks.{len(up)}"
                block = [residual(f"{name}.0", width + skips.pop(), levels[level])]
                width = levels[level]
                if shrink in attended:
                    block.append(attend(f"{name}.1", width, up=True))
                if level > 0 and i == depth:
                    last = f"{name}.{len(block)}"
                    block.append(residual(last, width, width, "up") if modern else Sampling(weights, f"{last}.conv", width, up=True))
                    shrink //= 2
                up.append(block)

        self.down, self.up = (nn.ModuleList(nn.ModuleList(block) for block in way) for way in (down, up))
        self.middle = nn.ModuleList(middle)
        self.norm, self.out = Norm(weights, "out.0", width), Conv(weights, "out.2", width, 6 if self.learn_sigma else 3)
        weights.finish()

    def forward(self, x, timesteps, classes=None):
        """[B,3,S,S] float32 and [B] to the whole output [B,3 or 6,S,S], float32."""
        emb = self.time2(F.silu(self.time1(sinusoids(timesteps, self.width))))
        if self.classes is not None:
            emb = emb + self.classes[classes]
        emb = F.silu(emb)
        h, skips = x.to(self.torso), []
        for block in self.down:
            for layer in block:
                h = layer(h, emb)
            skips.append(h)
        for layer in self.middle:
            h = layer(h, emb)
        for block in self.up:
            h = torch.cat([h, skips.pop()], 1)
            for layer in block:
                h = layer(h, emb)
        return self.out(F.silu(self.norm(h.float())))
