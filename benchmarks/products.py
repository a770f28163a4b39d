"""How near matrix products alone come to the floor: what onnxruntime itself says that it spends in them.

    python benchmarks/products.py MODEL [--seconds 60] [--beams 1 5]

MODEL is the exported template of `uniasr_cpu.py` (`template-onnx` in its working folder). Per mode and beam: the time
of products with weights (MatMul, Gemm) in the encoders and in the decoder steps, of everything else in the graphs, and
of the rest of the program, each as a multiple of the floor (`uniasr_cpu.py`). One thread. Profiling slows the small
nodes down, so "other nodes" and the sum are upper bounds here; the products are not slowed.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import ClassVar

import numpy as np
import onnxruntime
from measure import matrix_rate
from template import RATE, speech_like
from uniasr_cpu import MODES, STEP_GFLOP, USEFUL_GFLOP

import uniasr

PRODUCTS = ("MatMul", "Gemm", "FusedMatMul", "FusedGemm")
HEADINGS = ("mode", "beam", "encoders' products", "decoder's products", "other nodes", "program", "in all, profiled")


class Profiled(onnxruntime.InferenceSession):
    """A session that keeps a profile; all of them are listed here."""

    opened: ClassVar[list[Profiled]] = []
    folder = ""

    def __init__(self, path: str, options: onnxruntime.SessionOptions, **rest: object) -> None:
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(self.folder) / Path(path).stem)
        super().__init__(path, options, **rest)
        self.graph = Path(path).stem
        self.opened.append(self)


def node_seconds() -> dict[str, Counter[str]]:
    """Seconds per graph and kind of node since the sessions were opened; ends their profiles."""
    found: dict[str, Counter[str]] = {}
    for session in Profiled.opened:
        events = json.loads(Path(session.end_profiling()).read_text())
        counter = found.setdefault(session.graph, Counter())
        for event in events:
            if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
                product = event["args"]["op_name"] in PRODUCTS
                counter["products" if product else "others"] += event["dur"] / 1e6
    return found


def measured(model: str, seconds: float, mode: str, beam: int) -> tuple[str, ...]:
    """One row of the table."""
    Profiled.opened.clear()
    loaded = uniasr.load_model(model, threads=1, backend="onnxruntime")
    audio = speech_like(seconds)
    rate = matrix_rate()
    started = time.perf_counter()
    tokens = len(loaded.transcribe(audio, RATE, mode=mode, beam_size=beam).tokens)
    spent = time.perf_counter() - started
    rate = (rate + matrix_rate()) / 2
    floor = (USEFUL_GFLOP[mode] * seconds + STEP_GFLOP[mode] * (beam - 1) * tokens) / rate
    found = node_seconds()
    decoder = sum(counter["products"] for graph, counter in found.items() if graph.startswith("decoder"))
    encoders = sum(counter["products"] for counter in found.values()) - decoder
    others = sum(counter["others"] for counter in found.values())
    parts = (encoders, decoder, others, spent - encoders - decoder - others, spent)
    return mode, str(beam), *(f"{part / floor:.2f}" for part in parts)


def main() -> None:
    """Print the median row of five, per mode and beam."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--beams", type=int, nargs="+", default=[1, 5])
    options = parser.parse_args()
    onnxruntime.InferenceSession = Profiled
    print("| " + " | ".join(HEADINGS) + " |")
    print("|---" * len(HEADINGS) + "|")
    with tempfile.TemporaryDirectory() as Profiled.folder:
        for mode in MODES:
            for beam in options.beams:
                rows = [measured(options.model, options.seconds, mode, beam) for _ in range(5)]
                columns = zip(*(map(float, row[2:]) for row in rows), strict=True)
                print(
                    "| " + " | ".join((mode, str(beam), *(f"{np.median(c):.2f}" for c in columns))) + " |", flush=True
                )


if __name__ == "__main__":
    main()
