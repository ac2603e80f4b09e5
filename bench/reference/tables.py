"""What a session found, as gpu.json and gpu.md."""

import json
import os


def write(out, result):
    with open(os.path.join(out, "gpu.json"), "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
    with open(os.path.join(out, "gpu.md"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines(result)) + "\n")


def lines(result):
    yield f"# Measured on {result['device']}{' (dry run: the figures mean nothing)' if result['dry_run'] else ''}"
    yield ""
    yield from (f"* {note}" for note in result["notes"])
    yield from ["", "| parity | arithmetic | largest difference of max(1, std) | tolerance | |", "|---|---|---|---|---|"]
    for row in result["parity"]:
        found = ", ".join(f"{name} {value:.2g}" for name, value in row["differences"].items())
        yield f"| {row['family']} | {row['arithmetic']} | {found} | {row['tolerance']:g} | {'holds' if row['passed'] else 'FAILS'} |"
    yield from ["", "| network | type | batch | ours, evaluations/s | torch, eager | ours to it | torch.compile | ours to it |"]
    yield "|---|---|---|---|---|---|---|---|"
    rows = {}
    for speed in result["speeds"]:
        rows.setdefault((speed["model"], speed["dtype"], speed["batch_size"]), {})[speed["who"]] = speed["evaluations_per_second"]
    for (model, dtype, batch), found in rows.items():
        ours, eager, compiled = (found.get(who) for who in ("ours", "eager", "compiled"))
        yield (
            f"| {model} | {dtype} | {batch} | {number(ours)} | {number(eager)} | {ratio(ours, eager)} | {number(compiled)} "
            f"| {ratio(ours, compiled)} |")
    yield ""
    yield "| sweep | status | wall, s | evaluations of finished runs | their device seconds | network | overhead | idle | GPU busy |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for sweep in result["sweeps"]:
        shares = [share(sweep["shares"].get(key)) for key in ("network", "overhead", "idle")]
        counts = f"{sweep['wall_seconds']:.1f} | {sweep['evaluations']} | {sweep['device_seconds']:.1f}"
        yield (
            f"| {sweep['sweep']} | {sweep['status']} | {counts} "
            f"| {' | '.join(shares)} | {share(sweep['gpu_utilization'])} |")
    yield from ["", "Network, overhead and idle are means of what the device said of its last time; GPU busy is nvidia-smi's."]


def number(value):
    return "" if value is None else f"{value:.1f}"


def ratio(ours, theirs):
    return "" if ours is None or theirs is None else f"{ours / theirs:.2f}"


def share(value):
    return "" if value is None else f"{value:.0%}"
