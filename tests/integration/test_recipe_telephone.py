"""The fine-tuning of recipes/telephone, shortened: the command that its page gives, on a part of its recordings."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("rapidfuzz")

RECIPE = Path(__file__).parents[2] / "recipes" / "telephone"
pytestmark = pytest.mark.torch


def first_lines(part, count, folder):
    (folder / part / "audio").mkdir(parents=True)
    for name in ("wav.scp", "text"):
        lines = (RECIPE / part / name).read_text(encoding="utf-8").splitlines()[:count]
        (folder / part / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        if name == "wav.scp":
            for line in lines:
                shutil.copy(RECIPE / part / line.split()[1], folder / part / "audio")


def test_a_few_steps_on_calls_help_with_other_calls(tmp_path):
    first_lines("train", 16, tmp_path / "calls")
    first_lines("dev", 6, tmp_path / "calls")
    command = "finetune --data calls --output line --lr 4e-4 --max-epoch 4 --evaluate-every 10 --average 1 --threads 1"
    run = [sys.executable, "-m", "uniasr", *command.split()]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in (tmp_path / "line" / "run" / "log.jsonl").read_text().splitlines()]
    losses = [record["dev/loss"] for record in records if "dev/loss" in record]
    assert min(losses[1:]) < losses[0]
    evaluate = [*run[:3], "evaluate", "--data", "calls", "--model", "line", "--modes", "normal"]
    done = subprocess.run(evaluate, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "normal" in done.stdout
