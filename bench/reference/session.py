"""What bench/gpu.sh runs: parity, speeds of networks beside torch, sweeps with the device's busy share. Keeps what is done."""

import argparse
import json
import math
import os
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

import golden_cases
import tables
import tensors

HERE = os.path.dirname(os.path.abspath(__file__))

# The fixtures' own tolerance, of max(1, std), where TF32 is off; with it products have ten bits of mantissa.
TOLERANCE, TF32_TOLERANCE = 1e-3, 0.1

# Name, family, upstream's type; in the order of their value to a reader.
REAL = {"adm-32": "float32", "dit-xl-2-256": "float16", "adm-64": "float32", "ldm-celebahq-256": "float32", "adm-256": "float16"}


class Session:
    def __init__(self, asked):
        self.asked, self.end = asked, time.monotonic() + 60 * asked.minutes
        self.out = os.path.abspath(asked.out)
        self.work = os.path.join(self.out, "work")
        os.makedirs(self.work, exist_ok=True)
        self.device = "cpu" if asked.dry else "cuda"
        self.result = {"device": self.device, "dry_run": asked.dry, "notes": [], "parity": [], "speeds": [], "sweeps": []}

    def left(self):
        return self.end - time.monotonic()

    def note(self, text):
        print(text, flush=True)
        self.result["notes"].append(text)
        self.keep()

    def keep(self):
        tables.write(self.out, self.result)

    def run(self, command, limit, env=None, tick=None):
        """Runs a command of ours: exit status (None past its time), standard output, the end of standard error."""
        limit = max(1, min(limit, self.left()))
        with open(os.path.join(self.work, "stdout"), "w+b") as out, open(os.path.join(self.work, "stderr"), "w+b") as err:
            process = subprocess.Popen(command, stdout=out, stderr=err, env={**os.environ, **(env or {})})
            status, began, asked_to_end = None, time.monotonic(), False
            while status is None:
                try:
                    status = process.wait(timeout=1)
                except subprocess.TimeoutExpired:
                    if tick is not None:
                        err.flush()
                        tick(os.path.join(self.work, "stderr"))
                    if time.monotonic() - began > limit + 20:
                        process.kill()
                        process.wait()
                        break
                    if time.monotonic() - began > limit and not asked_to_end:
                        process.send_signal(signal.SIGINT)
                        asked_to_end = True
            out.seek(0), err.seek(0)
            said, complaint = out.read().decode(errors="replace"), err.read().decode(errors="replace")
        return None if asked_to_end else status, said, complaint

    # Parity

    def parity(self):
        cases = golden_cases.CASES
        for family, case in cases.items():
            self.family(family, case, "strict", TOLERANCE, {"NVIDIA_TF32_OVERRIDE": "0"})
        self.gaussian()
        if self.device == "cuda":
            for family, case in cases.items():
                self.family(family, case, "TF32 as upstream", TF32_TOLERANCE, {})
        failed = [row for row in self.result["parity"] if not row["passed"]]
        if failed:
            said = "; ".join(f"{row['family']} ({row['arithmetic']}): {row['why']}" for row in failed)
            self.note(f"PARITY FAILED, so nothing is measured: {said}")
            sys.exit(1)
        self.note(f"Parity holds: {len(self.result['parity'])} cases.")

    def family(self, family, case, arithmetic, tolerance, env):
        folder = os.path.join(self.work, f"parity-{family}-{len(self.result['parity'])}")
        arguments = golden_cases.arguments(self.asked.fixtures, family, case, self.work)
        status, _, complaint = self.run(
            [self.asked.taba, "sample", family, *arguments, "--save_dir", folder, "--device", self.device, "--format", "safetensors",
             "--out", os.path.join(folder, "store")], 90, env)
        row = {"family": family, "arithmetic": arithmetic, "tolerance": tolerance, "differences": {}, "passed": False, "why": ""}
        self.result["parity"].append(row)
        if status != 0:
            row["why"] = f"taba sample ended with status {status}: {complaint.strip()[-400:]}"
            return self.keep()
        expected = os.path.join(self.asked.fixtures, "e2e", case, "tensors.safetensors")
        for name in ("noise", "samples", "latents", "samples2"):
            ours = tensors.numbers(os.path.join(folder, f"{name}.safetensors"), name)[0]
            theirs = tensors.numbers(expected, name)[0]
            row["differences"][name] = difference(ours, theirs)
        worst = max(row["differences"], key=row["differences"].get)
        row["passed"] = row["differences"][worst] <= tolerance
        row["why"] = "" if row["passed"] else f"{worst} differs by {row['differences'][worst]:.3g} of max(1, std), more than {tolerance}"
        self.keep()

    def gaussian(self):
        """A model without network: the engine alone, on the device and on the processor."""
        model = os.path.join(self.work, "gaussian.json")
        with open(model, "w", encoding="utf-8") as file:
            json.dump({"family": "gaussian", "image_size": 16, "channels": 3, "mean": 0.1, "deviation": 0.5}, file)
        read, why = {}, ""
        for device in ("cpu", self.device):
            folder = os.path.join(self.work, f"parity-gaussian-{device}-{len(read)}")
            status, _, complaint = self.run(
                [self.asked.taba, "sample", "gaussian", "--model", model, "--n_samples", "8", "--num_inference_steps", "10", "--batch_size",
                 "4", "--with_inversion", "--save_dir", folder, "--device", device, "--format", "safetensors", "--out",
                 os.path.join(folder, "store")], 60)
            if status != 0:
                why = f"taba sample on {device} ended with status {status}: {complaint.strip()[-400:]}"
                break
            read[len(read)] = [tensors.numbers(os.path.join(folder, f"{name}.safetensors"), name)[0] for name in ("samples", "latents")]
        found = {} if why else {
            name: difference(ours, theirs) for name, ours, theirs in zip(("samples", "latents"), read[1], read[0])}
        passed = not why and max(found.values()) <= TOLERANCE
        self.result["parity"].append({
            "family": "gaussian", "arithmetic": f"{self.device} beside cpu", "tolerance": TOLERANCE, "differences": found,
            "passed": passed, "why": why or ("" if passed else f"differs by {max(found.values()):.3g}")})
        self.keep()

    # Speeds

    def speeds(self, name, model, weights, dtype, batches, seconds, with_bf16=True):
        for kind in dict.fromkeys([dtype, "bfloat16"] if with_bf16 else [dtype]):
            if self.left() < 20:
                return self.note(f"No time was left for {name} in {kind}.")
            given = ["--weights", weights] if weights else []
            asked = [model, *given, "--device", self.device, "--dtype", kind, "--seconds", str(seconds)]
            speed = [sys.executable, os.path.join(HERE, "speed.py"), *asked, "--batch_sizes"]
            self.measured(name, kind, "ours", [self.asked.taba, "bench", *asked, "--batch_sizes", batches, "--json"])
            if self.asked.torch:
                self.measured(name, kind, "eager", [*speed, batches])
                if self.asked.compile and kind == dtype:
                    self.measured(name, kind, "compiled", [*speed, self.asked.compile_batches, "--compile"], limit=120)
        return None

    def measured(self, name, kind, who, command, limit=90):
        status, said, complaint = self.run(command, limit)
        for line in said.splitlines():
            if line.startswith("{"):
                event = json.loads(line)
                if event.get("event") == "batch":
                    self.result["speeds"].append({"model": name, "dtype": kind, "who": who, **event})
        if status != 0:
            why = "its time was over" if status is None else f"status {status}: {complaint.strip()[-300:]}"
            self.note(f"{name}, {kind}, {who}: stopped early ({why}).")
        self.keep()

    def model(self, name, batches, seconds):
        """The shipped description of a model with weights that torch draws."""
        if self.left() < 30:
            return self.note(f"No time was left for {name}.")
        source = os.path.join(self.asked.models, name)
        folder = os.path.join(self.work, name)
        shutil.copytree(source, folder, dirs_exist_ok=True)
        adm = os.path.exists(os.path.join(folder, "model.json"))
        model = os.path.join(folder, "model.json") if adm else folder
        component = "" if adm else "transformer" if os.path.isdir(os.path.join(folder, "transformer")) else "unet"
        weights = os.path.join(folder, component, "diffusion_pytorch_model.safetensors")
        status, _, complaint = self.run([sys.executable, os.path.join(HERE, "draw.py"), model, weights], 90)
        if status != 0:
            return self.note(f"{name}: its weights could not be drawn: {complaint.strip()[-300:]}")
        self.speeds(name, model, weights if adm else None, REAL[name], batches, seconds)
        os.remove(weights)
        return None

    # Sweeps

    def sweep(self, title, file, overrides, limit):
        if self.left() < 30:
            return self.note(f"No time was left for the {title}.")
        folder, looks, address = os.path.join(self.work, title.replace(" ", "-")), [], []
        used = []
        sampler = threading.Thread(target=watch, args=(used, stop := threading.Event()), daemon=True)
        if self.device == "cuda":
            sampler.start()

        def look(stderr):
            if not address:
                with open(stderr, encoding="utf-8", errors="replace") as text:
                    for line in text:
                        if '"dashboard"' in line:
                            address.append(json.loads(line)["address"].rstrip("/"))
            if address:
                try:
                    with urllib.request.urlopen(address[0] + "/api/silos", timeout=2) as answer:
                        devices = [d for silo in json.load(answer)["entries"] for d in silo["devices"]]
                    looks.append([{**d["share"], "per_second": d["evaluations_per_second"]} for d in devices])
                except (OSError, ValueError, KeyError) as error:
                    looks.append(str(error))

        began = time.monotonic()
        status, _, complaint = self.run(
            [self.asked.taba, "run", file, *overrides, f"device={self.device}", "--out", folder, "--dashboard", "--json"], limit, tick=look)
        stop.set()
        wall, told = time.monotonic() - began, [look[0] for look in looks if isinstance(look, list) and look]
        shares = {key: statistics.mean(look[key] for look in told) for key in told[0]} if told else {}
        manifests, computed, evaluations = stages(folder)
        self.result["sweeps"].append({
            "sweep": title, "status": "ended when its time was over" if status is None else status, "wall_seconds": wall,
            "device_seconds": computed, "evaluations": evaluations, "runs": manifests, "shares": shares,
            "gpu_utilization": statistics.mean(used) if used else None})
        if status not in (0, None):
            self.note(f"The {title} ended with status {status}: {complaint.strip()[-300:]}")
        self.keep()
        return None


def stages(folder):
    """Run folders, and seconds and evaluations of their stages, each counted once."""
    found, seen = 0, {}
    for root, _, files in os.walk(folder):
        if "manifest.json" in files and "metrics.json" in files:
            found += 1
            with open(os.path.join(root, "manifest.json"), encoding="utf-8") as file:
                for number, stage in enumerate(json.load(file).get("stages", [])):
                    seen[stage.get("key", f"{root} {number}")] = (stage.get("seconds") or 0, stage.get("evaluations") or 0)
    return found, sum(seconds for seconds, _ in seen.values()), sum(count for _, count in seen.values())


def watch(used, stop):
    """The share of time with a kernel running, by nvidia-smi, a second apart."""
    while not stop.wait(1):
        try:
            text = subprocess.run(
                ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"], capture_output=True, text=True, timeout=5,
                check=True).stdout
            used.append(float(text.splitlines()[0]) / 100)
        except (OSError, ValueError, IndexError, subprocess.SubprocessError):
            return


def difference(ours, theirs):
    """The largest over max(1, std of theirs); infinite for other lengths and for what is no number."""
    if len(ours) != len(theirs):
        return math.inf
    mean = sum(theirs) / len(theirs)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in theirs) / len(theirs))
    largest = max(abs(a - b) for a, b in zip(ours, theirs))
    return largest / max(1, deviation) if all(map(math.isfinite, ours)) else math.inf


def main():
    parser = argparse.ArgumentParser()
    for name in ("out", "taba", "fixtures", "models", "configs"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--minutes", type=float, default=13)
    parser.add_argument("--batch_sizes", default="1,4,16,64,128,256,512")
    parser.add_argument("--compile_batches", default="64")
    parser.add_argument("--seconds", type=float, default=0.7)
    parser.add_argument("--torch", action="store_true", help="Python has torch: it is measured too.")
    parser.add_argument("--compile", action="store_true", help="torch.compile as well.")
    parser.add_argument("--dry", action="store_true")
    session = Session(parser.parse_args())
    asked = session.asked
    if not asked.torch:
        session.note("Python has no torch here: the columns of the reference stay empty.")
    session.parity()
    if asked.torch:
        status, said, complaint = session.run([sys.executable, os.path.join(HERE, "golden.py"), asked.fixtures, asked.out], 120)
        if status != 0:
            session.note(f"THE REFERENCE RUNNER DISAGREES, so nothing is measured beside it: {(said + complaint).strip()[-600:]}")
            sys.exit(1)
        session.note(f"The reference runner agrees with the fixtures and with ours: {len(said.splitlines())} networks, on the processor.")
    demo, mixed = (os.path.join(asked.configs, name) for name in ("demo.yaml", "mixed.yaml"))
    if asked.dry:
        models = os.path.join(asked.fixtures, "models")
        shipped = os.path.join(asked.models, "demo")
        session.speeds(
            "demo (ADM)", os.path.join(shipped, "model.json"), os.path.join(shipped, "demo.safetensors"), "float32", "1,4", 0.3)
        session.speeds("dit_tiny", os.path.join(models, "dit_tiny"), None, "float32", "1,4", 0.3)
        session.speeds("ldm_tiny", os.path.join(models, "ldm_tiny"), None, "float32", "1,4", 0.3)
        session.sweep("demo sweep", demo, ["samples=16", "num_inference_steps=10"], 120)
        session.sweep("mixed sweep", mixed, ["samples=8", "num_inference_steps=[5,6]", "seed=[1]"], 120)
        if any(sweep["status"] != 0 or not sweep["shares"] for sweep in session.result["sweeps"]):
            session.note("A SWEEP FAILED, or nobody said what its device did.")
            sys.exit(1)
    else:
        for name in ("adm-32", "dit-xl-2-256", "adm-64"):
            session.model(name, asked.batch_sizes, asked.seconds)
        session.sweep("demo sweep", demo, ["batch_size=128"], 120)
        for name in ("ldm-celebahq-256", "adm-256"):
            session.model(name, asked.batch_sizes, asked.seconds)
        session.sweep("mixed sweep", mixed, [], min(480, session.left() - 30))
    session.note(f"Done with {max(0, session.left()):.0f} of {60 * asked.minutes:.0f} s left.")
    print(open(os.path.join(session.out, "gpu.md"), encoding="utf-8").read())


if __name__ == "__main__":
    main()
