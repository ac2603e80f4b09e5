"""How fast torch evaluates a network, as `taba bench` measures ours: two passes first, then the median of at least three."""

import argparse
import json
import statistics
import time

import torch

import networks

WARM_UP, LEAST_PASSES = 2, 3


def measure(network, given, seconds, device):
    def once():
        began = time.perf_counter()
        network(*given)
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - began

    for _ in range(WARM_UP):
        once()
    times, began = [], time.perf_counter()
    while len(times) < LEAST_PASSES or time.perf_counter() - began < seconds:
        times.append(once())
    return statistics.median(times), len(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--weights")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--dtype", choices=networks.DTYPES, default="float32")
    parser.add_argument("--batch_sizes", required=True)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--threads", type=int)
    asked = parser.parse_args()
    if asked.threads:
        torch.set_num_threads(asked.threads)
    networks.as_upstream()
    network = networks.load(asked.model, asked.device, asked.dtype, asked.weights)
    side = 64 if networks.describe(asked.model)[0] == "ldm" else None
    if asked.compile:
        network = torch.compile(network, dynamic=False)
    for batch in (int(part) for part in asked.batch_sizes.split(",")):
        try:
            with torch.no_grad():
                median, passes = measure(network, networks.inputs(asked.model, batch, asked.device, side), asked.seconds, asked.device)
        except RuntimeError as error:
            if "out of memory" not in str(error):
                raise
            print(json.dumps({"event": "out of memory", "batch_size": batch}), flush=True)
            break
        print(json.dumps({
            "event": "batch", "batch_size": batch, "seconds_per_pass": median, "evaluations_per_second": batch / median, "passes": passes,
        }), flush=True)


if __name__ == "__main__":
    main()
