"""Random weights for a model's network, as float16: python3 draw.py MODEL FILE.safetensors"""

import sys

import torch

import networks
import tensors

if __name__ == "__main__":
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tensors.write(sys.argv[2], networks.build(sys.argv[1], device, "float16", None)[1].drawn)
