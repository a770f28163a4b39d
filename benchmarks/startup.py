"""What a user waits for and what it costs on disk: import, first result, size of the torch-free install.

    python benchmarks/startup.py [--install]

`--install` builds the wheel and installs it without extras into a new virtual environment, and measures there.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
IMPORT = "import time; t = time.perf_counter(); import uniasr; print(time.perf_counter() - t)"
FIRST = """
import resource, sys, numpy, uniasr
audio = numpy.zeros(5 * 16000, numpy.float32)
random = numpy.random.default_rng(1)
audio += 0.05 * random.standard_normal(len(audio)).astype(numpy.float32)
uniasr.load_model().transcribe(audio, 16000)
usage = resource.getrusage(resource.RUSAGE_SELF)
print(usage.ru_utime + usage.ru_stime)
"""


def seconds(python: str, code: str, runs: int = 5) -> float:
    """Median of what a snippet prints, each run in a new process."""
    outputs = [subprocess.run([python, "-c", code], check=True, capture_output=True, text=True) for _ in range(runs)]
    return statistics.median(float(out.stdout) for out in outputs)


def installed(scratch: Path) -> tuple[str, float]:
    """Python of a new environment with the plain install, and its size in MB without pip's own packages."""
    venv.create(scratch / "venv", with_pip=True)
    python = str(scratch / "venv" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", str(ROOT)], check=True)
    subprocess.run([python, "-m", "pip", "uninstall", "-q", "-y", "setuptools", "pip"], check=True)
    files = [path for path in (scratch / "venv").rglob("*") if path.is_file() and not path.is_symlink()]
    return python, sum(path.stat().st_size for path in files) / 1e6


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--install", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        python = sys.executable
        if options.install:
            python, size = installed(Path(scratch))
            print(f"plain install: {size:.0f} MB (to stay under 250)")
        print(f"import uniasr: {seconds(python, IMPORT):.3f} s (to stay under 0.2)")
        print(f"first result of 5 s of audio: {seconds(python, FIRST):.2f} s of process time (to stay under 2)")


if __name__ == "__main__":
    main()
