"""Speed and memory at the published size, against the reference and against the matrix rate of this machine.

    python benchmarks/uniasr_cpu.py --work DIR [--reference] [--seconds 5 20 60 600] [--repeats 5]

Prints one row per engine, length, mode and beam: real-time factor (median), ratio to the floor of the useful work
(the rate of numpy's or torch's matrix products is measured before and after every run), ratio to the reference, and
peak memory. `--reference` makes a virtual environment in DIR with FunASR 1.4.16 and runs it on the same weights and
audio, up to 60 s of audio.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import venv
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).parent
MODES = ("fast", "normal", "offline")
USEFUL_GFLOP = {"fast": 3.0, "normal": 3.7, "offline": 3.0}
"""Useful work per second of audio at 5 tokens a second and beam 1: encoders, predictors, decoder steps."""
STEP_GFLOP = {"fast": 0.017, "normal": 0.026, "offline": 0.026}
"""Work of one decoder step and hypothesis."""
REFERENCE_LIMIT_S = 60
HEADINGS = (
    *("engine", "audio", "mode", "beam", "RTF", "x floor", "reference RTF", "x faster"),
    *("tokens", "peak MiB", "above load"),
)


@dataclass(frozen=True)
class Job:
    """One measurement, run in a process of its own so that its peak memory is its own."""

    engine: str
    model: str
    seconds: float
    mode: str
    beam: int
    repeats: int
    threads: int
    matrix: str


@dataclass(frozen=True)
class Measured:
    """Seconds of each run, the matrix rate beside each, tokens, resident memory before and at the peak."""

    times: list[float]
    gflops: list[float]
    tokens: int
    before_mib: float
    peak_mib: float


def measure(job: Job, python: str) -> Measured:
    """Run one job in its own process."""
    command = [python, str(HERE / "measure.py"), json.dumps(asdict(job))]
    # Set before numpy is imported, or the matrix rate is that of all cores.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(job.threads))
    out = subprocess.run(command, check=True, capture_output=True, text=True, cwd=HERE, env=os.environ | threads).stdout
    return Measured(**json.loads(out.splitlines()[-1]))


def reference_python(work: Path) -> str:
    """Python of a virtual environment with the reference."""
    directory = work / "reference-venv"
    python = directory / "bin" / "python"
    if not python.exists():
        venv.create(directory, with_pip=True)
    packages = ["torch==2.13.0", "funasr==1.4.16", "kaldi-native-fbank", "soundfile", "PyYAML"]
    subprocess.run([str(python), "-m", "pip", "install", "-q", *packages], check=True)
    return str(python)


def floor_s(job: Job, measured: Measured) -> float:
    """Seconds that the useful work of a job takes at the matrix rate."""
    extra = STEP_GFLOP[job.mode] * (job.beam - 1) * measured.tokens
    return (USEFUL_GFLOP[job.mode] * job.seconds + extra) / statistics.median(measured.gflops)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for models and the reference's environment")
    parser.add_argument("--reference", action="store_true")
    parser.add_argument("--seconds", type=float, nargs="+", default=[5, 20, 60, 600])
    parser.add_argument("--modes", nargs="+", default=list(MODES))
    parser.add_argument("--beams", type=int, nargs="+", default=[1, 5])
    parser.add_argument("--engines", nargs="+", default=["onnxruntime", "torch"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--matrix", choices=("numpy", "torch"), default="numpy", help="whose product sets the floor")
    options = parser.parse_args()
    subprocess.run([sys.executable, str(HERE / "template.py"), str(options.work)], check=True)
    models = {"torch": options.work / "template", "onnxruntime": options.work / "template-onnx"}
    reference = reference_python(options.work) if options.reference else None
    print("| " + " | ".join(HEADINGS) + " |")
    print("|---" * len(HEADINGS) + "|")
    for seconds in options.seconds:
        for mode in options.modes:
            for beam in options.beams:
                theirs = None
                if reference and seconds <= REFERENCE_LIMIT_S:
                    job = Job(
                        "reference", str(models["torch"]), seconds, mode, beam, 1, options.threads, options.matrix
                    )
                    theirs = measure(job, reference)
                for engine in options.engines:
                    job = Job(
                        engine,
                        str(models[engine]),
                        seconds,
                        mode,
                        beam,
                        options.repeats,
                        options.threads,
                        options.matrix,
                    )
                    report(job, measure(job, sys.executable), theirs)


def report(job: Job, ours: Measured, theirs: Measured | None) -> None:
    """One row of the table."""
    time = statistics.median(ours.times)
    reference = f"{theirs.times[0] / job.seconds:.3f}" if theirs else "-"
    faster = f"{theirs.times[0] / time:.1f}" if theirs else "-"
    cells = [
        job.engine, f"{job.seconds:g} s", job.mode, job.beam, f"{time / job.seconds:.4f}",
        f"{time / floor_s(job, ours):.2f}", reference, faster, ours.tokens, f"{ours.peak_mib:.0f}",
        f"{ours.peak_mib - ours.before_mib:.0f}",
    ]  # fmt: skip
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


if __name__ == "__main__":
    main()
