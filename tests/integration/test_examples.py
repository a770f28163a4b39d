"""The programs in examples/ run with the packaged model."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
PACKAGED = ROOT / "src" / "uniasr" / "packaged"
SAMPLE = PACKAGED / "samples" / "ja.wav"


@pytest.fixture(name="run")
def _run():
    if not PACKAGED.is_dir() or not any(PACKAGED.iterdir()):
        pytest.skip("no packaged model in this checkout")
    assert SAMPLE.is_file(), f"{SAMPLE} is missing"

    def run(name, *arguments):
        command = [sys.executable, str(ROOT / "examples" / name), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)

    return run


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_short(example):
    assert len(example.read_text(encoding="utf-8").splitlines()) < 40


def test_transcribe_file_prints_text_and_tokens_and_reports_what_fails(run):
    done = run("transcribe_file.py", SAMPLE, "missing.wav")
    assert done.returncode == 1
    assert "missing.wav" in done.stderr
    assert "Traceback" not in done.stderr
    head, *tokens = done.stdout.splitlines()
    path, text = head.rsplit(" ", 1)
    assert path == str(SAMPLE)
    assert "".join(line.split()[-1] for line in tokens) == text


@pytest.mark.parametrize("mode", ["fast", "normal"])
def test_live_captions_end_with_a_final_that_is_all_settled(run, mode):
    done = run("live_captions.py", SAMPLE, mode)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Partial")
    assert lines[-1].startswith("Final")
    assert lines[-1].endswith("|")
