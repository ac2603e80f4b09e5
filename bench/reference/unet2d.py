"""LDM's UNet by the config.json of a UNet2DModel, with the layout of src/Taba.Diffusion/Models/Ldm."""

import torch
import torch.nn.functional as F
from torch import nn

from layers import Conv, Linear, Norm, attention, doubled, in_heads, sinusoids


class Residual(nn.Module):
    def __init__(self, weights, name, inputs, outputs, config):
        super().__init__()
        groups, eps = config.get("norm_num_groups", 32), config.get("norm_eps", 1e-5)
        self.norm1 = Norm(weights, f"{name}.norm1", inputs, groups, eps)
        self.conv1 = Conv(weights, f"{name}.conv1", inputs, outputs)
        self.time = Linear(weights, f"{name}.time_emb_proj", 4 * config["block_out_channels"][0], outputs)
        self.norm2 = Norm(weights, f"{name}.norm2", outputs, groups, eps)
        self.conv2 = Conv(weights, f"{name}.conv2", outputs, outputs)
        self.skip = Conv(weights, f"{name}.conv_shortcut", inputs, outputs, kernel=1) if inputs != outputs else nn.Identity()

    def forward(self, x, emb):
        h = self.conv1(F.silu(self.norm1(x))) + self.time(emb)[:, :, None, None]
        return self.skip(x) + self.conv2(F.silu(self.norm2(h)))


class Attention(nn.Module):
    def __init__(self, weights, name, channels, config):
        super().__init__()
        width = config.get("attention_head_dim", 8)
        self.heads = channels // width if width else 1
        self.norm = Norm(weights, f"{name}.group_norm", channels, config.get("norm_num_groups", 32), config.get("norm_eps", 1e-5))
        self.query, self.key, self.value, self.out = (
            Linear(weights, f"{name}.{part}", channels, channels) for part in ("to_q", "to_k", "to_v", "to_out.0"))

    def forward(self, x):
        tokens = self.norm(x).flatten(2).transpose(1, 2)
        heads = (in_heads(part(tokens), self.heads) for part in (self.query, self.key, self.value))
        return x + self.out(attention(*heads).transpose(1, 2).flatten(2)).transpose(1, 2).reshape(x.shape)


class Block(nn.Module):
    """Residual blocks, each with attention after it or none, and a convolution that changes the resolution or none."""

    def __init__(self, weights, name, inputs, width, config, attends, resample=None):
        super().__init__()
        self.attentions = nn.ModuleList(
            Attention(weights, f"{name}.attentions.{i}", width, config) for i in range(len(inputs) if attends else 0))
        self.resnets = nn.ModuleList(Residual(weights, f"{name}.resnets.{i}", n, width, config) for i, n in enumerate(inputs))
        self.up = resample == "upsamplers"
        self.padding = config.get("downsample_padding", 1)
        self.resample = resample and Conv(
            weights, f"{name}.{resample}.0.conv", width, width, stride=1 if self.up else 2, padding=1 if self.up else self.padding)

    def layers(self, x, emb, i):
        h = self.resnets[i](x, emb)
        return self.attentions[i](h) if len(self.attentions) > 0 else h

    def resampled(self, h):
        if self.up:
            return self.resample(doubled(h))
        return self.resample(F.pad(h, (0, 1, 0, 1)) if self.padding == 0 else h)


class UNet2D(nn.Module):
    def __init__(self, config, weights, dtype):
        super().__init__()
        unlike = {
            "act_fn": "silu", "resnet_time_scale_shift": "default", "mid_block_scale_factor": 1, "add_attention": True,
            "attn_norm_num_groups": None,
        }
        for field, value in unlike.items():
            if config.get(field, value) != value:
                raise ValueError(f"The field {field} is {config[field]}: only {value} is built here.")
        self.config, self.dtype = config, dtype
        widths, depth = config["block_out_channels"], config.get("layers_per_block", 2)
        last, time = len(widths) - 1, 4 * widths[0]
        self.first = Conv(weights, "conv_in", config["in_channels"], widths[0])
        self.time1, self.time2 = (
            Linear(weights, "time_embedding.linear_1", widths[0], time), Linear(weights, "time_embedding.linear_2", time, time))
        self.down = nn.ModuleList(
            Block(
                weights, f"down_blocks.{i}", [widths[max(i - 1, 0)]] + [width] * (depth - 1), width, config,
                config["down_block_types"][i].startswith("Attn"), "downsamplers" if i < last else None)
            for i, width in enumerate(widths))
        self.up = nn.ModuleList(
            Block(
                weights, f"up_blocks.{last - i}",
                [(widths[min(i + 1, last)] if n == 0 else widths[i]) + (widths[max(i - 1, 0)] if n == depth else widths[i])
                 for n in range(depth + 1)],
                widths[i], config, config["up_block_types"][last - i].startswith("Attn"), "upsamplers" if i > 0 else None)
            for i in reversed(range(len(widths))))
        self.mid_attention = Attention(weights, "mid_block.attentions.0", widths[-1], config)
        self.mid1, self.mid2 = (Residual(weights, f"mid_block.resnets.{i}", widths[-1], widths[-1], config) for i in range(2))
        self.norm = Norm(weights, "conv_norm_out", widths[0], config.get("norm_num_groups", 32), config.get("norm_eps", 1e-5))
        self.out = Conv(weights, "conv_out", widths[0], config["out_channels"])
        weights.finish()

    def forward(self, x, timesteps, classes=None):
        """[B,C,H,W] float32 and [B] to [B,C,H,W], float32."""
        angles = sinusoids(
            timesteps, self.config["block_out_channels"][0], self.config.get("flip_sin_to_cos", True), self.config.get("freq_shift", 0))
        emb = F.silu(self.time2(F.silu(self.time1(angles.to(self.dtype)))))
        h = self.first(x.to(self.dtype))
        skips = [h]
        for block in self.down:
            for i in range(len(block.resnets)):
                h = block.layers(h, emb, i)
                skips.append(h)
            if block.resample is not None:
                h = block.resampled(h)
                skips.append(h)
        h = self.mid2(self.mid_attention(self.mid1(h, emb)), emb)
        for block in self.up:
            for i in range(len(block.resnets)):
                h = block.layers(torch.cat([h, skips.pop()], 1), emb, i)
            if block.resample is not None:
                h = block.resampled(h)
        return self.out(F.silu(self.norm(h))).float()
