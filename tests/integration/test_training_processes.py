"""Runs that are killed, and runs of two processes: both end where an undisturbed run of one process ends."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from tiny_training import train  # noqa: E402

HERE = Path(__file__).parent
pytestmark = [pytest.mark.torch, pytest.mark.slow]
distributed = pytest.mark.skipif(
    not torch.distributed.is_available(), reason="PyTorch was built without torch.distributed"
)


def run(script, *arguments, **variables):
    environment = os.environ | {"OMP_NUM_THREADS": "1"} | {name: str(value) for name, value in variables.items()}
    return subprocess.Popen(
        [sys.executable, str(script), *map(str, arguments)], env=environment, stdout=subprocess.PIPE, text=True
    )


def finish(*processes):
    outputs = [process.communicate(timeout=300)[0] for process in processes]
    assert not any(process.returncode for process in processes)
    return outputs


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
def test_a_run_killed_anywhere_resumes_bit_for_bit(tmp_path):
    found = json.loads(finish(run(HERE / "killed_runs.py", tmp_path))[0])
    assert found["points"] > 20
    assert found["different"] == []
    assert found["often"]


def free_port():
    with socket.socket() as waiting:
        waiting.bind(("127.0.0.1", 0))
        return waiting.getsockname()[1]


def losses(directory):
    records = map(json.loads, (directory / "log.jsonl").read_text().splitlines())
    return {record["step"]: record["loss"] for record in records if "loss" in record}


def two(directory, *options):
    """A run of two processes, each with half of a batch of 120 rows; returns what they print."""
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port(), "WORLD_SIZE": 2}
    script = HERE.parent / "tiny_training.py"
    words = (script, directory, "--batch-rows", 60, "--dropout", 0, *options)
    return finish(*(run(*words, **place, RANK=number) for number in range(2)))


def snapshot(directory):
    return torch.load(directory / "last.pt", weights_only=True)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A run of one process with twice the batch."""
    directory = tmp_path_factory.mktemp("alone")
    train(directory, batch_rows=120, dropout=0, steps=12)
    return directory


@pytest.fixture(scope="module")
def divided(tmp_path_factory):
    """The same by two processes that hold half of the network each."""
    directory = tmp_path_factory.mktemp("divided")
    assert all(float(share) < 0.6 for share in two(directory, "--steps", 12, "--shard", "--evaluate"))
    return directory


def compare(directory, alone):
    assert len(losses(alone)) == 12
    assert losses(directory) == pytest.approx(losses(alone), abs=2e-5)
    weights = snapshot(directory)["network"]
    for name, value in snapshot(alone)["network"].items():
        # Loose, because Adam makes steps of the rounding error where a gradient is 0 (biases of attention keys).
        assert (value - weights[name]).norm() <= 1e-2 * value.norm(), name


@distributed
def test_two_processes_equal_one_with_twice_the_batch(alone, tmp_path):
    two(tmp_path, "--steps", 12)
    compare(tmp_path, alone)


@distributed
def test_a_divided_network_learns_what_a_whole_one_does(alone, divided):
    compare(divided, alone)


@distributed
def test_a_divided_run_resumes_bit_for_bit_or_undivided(alone, divided, tmp_path):
    two(tmp_path / "stopped", "--steps", 6, "--shard", "--evaluate")
    shutil.copytree(tmp_path / "stopped", tmp_path / "moved")
    two(tmp_path / "stopped", "--steps", 12, "--shard", "--evaluate")
    assert losses(tmp_path / "stopped") == losses(divided)
    found, expected = snapshot(tmp_path / "stopped"), snapshot(divided)
    assert found["best"] == expected["best"]
    assert same(found["network"], expected["network"])
    assert found["optimizer"]["state"].keys() == expected["optimizer"]["state"].keys()
    assert all(same(moments, expected["optimizer"]["state"][n]) for n, moments in found["optimizer"]["state"].items())
    train(tmp_path / "moved", batch_rows=120, dropout=0, steps=12)
    compare(tmp_path / "moved", alone)


def same(tensors, others):
    return tensors.keys() == others.keys() and all(torch.equal(tensors[name], others[name]) for name in tensors)
