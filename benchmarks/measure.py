"""One measurement of `uniasr_cpu.py` in a process of its own: ours or the reference, on the template-size model."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable

import numpy as np
from template import RATE, speech_like


def main() -> None:
    """Measure the job in the first argument; the last line of the output is the result as JSON."""
    job = json.loads(sys.argv[1])
    run = reference(job) if job["engine"] == "reference" else ours(job)
    audio = speech_like(job["seconds"])
    run(audio[: 3 * RATE])
    before = peak_mib()
    times, gflops, tokens = [], [], 0
    for _ in range(job["repeats"]):
        rate = matrix_rate(job["matrix"])
        started = time.perf_counter()
        tokens = run(audio)
        times.append(time.perf_counter() - started)
        gflops.append((rate + matrix_rate(job["matrix"])) / 2)
    memory = {"before_mib": before, "peak_mib": peak_mib()}
    print(json.dumps({"times": times, "gflops": gflops, "tokens": tokens, **memory}))


def ours(job: dict[str, object]) -> Callable[[np.ndarray], int]:
    """A function that transcribes samples and returns the number of tokens."""
    import uniasr

    model = uniasr.load_model(job["model"], backend=job["engine"], threads=job["threads"])

    def run(audio: np.ndarray) -> int:
        return len(model.transcribe(audio, RATE, mode=job["mode"], beam_size=job["beam"]).tokens)

    return run


def reference(job: dict[str, object]) -> Callable[[np.ndarray], int]:
    """The same for FunASR."""
    import torch
    from funasr import AutoModel

    torch.set_num_threads(job["threads"])
    model = AutoModel(model=job["model"], device="cpu", disable_update=True, disable_pbar=True, log_level="ERROR")

    def run(audio: np.ndarray) -> int:
        result = model.generate(input=audio, fs=RATE, decoding_model=job["mode"], beam_size=job["beam"])
        return len(result[0]["text"].split())

    return run


def matrix_rate(library: str = "numpy") -> float:
    """GFLOP/s of a float32 matrix product of 1024 x 1024 in numpy or torch, with our thread count."""
    a, b = np.ones((1024, 1024), np.float32), np.ones((1024, 1024), np.float32)
    if library == "torch":
        import torch

        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
        a, b = torch.from_numpy(a), torch.from_numpy(b)
    a @ b
    started = time.perf_counter()
    for _ in range(3):
        a @ b
    return 3 * 2 * 1024**3 / (time.perf_counter() - started) / 1e9


def peak_mib() -> float:
    """Peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
