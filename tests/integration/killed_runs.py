"""Kill a tiny run at every point where something changes, resume it, and compare it with one that was left alone.

Prints one json object. A process of its own, because it forks: PyTorch is loaded once for a hundred short lives.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from tiny_training import die_at, train


def child(work):
    """Run `work` in a forked process; returns its id."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return process


def was_killed(process):
    status = os.waitpid(process, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, status
    return os.WIFSIGNALED(status)


def outcome(directory):
    """Everything of a finished run that must not depend on interruptions, as one comparable text."""
    state = torch.load(directory / "last.pt", weights_only=True)
    log = [json.loads(line) for line in (directory / "log.jsonl").read_text().splitlines()]
    for record in log:
        record.pop("rows_per_s", None)
        record.pop("data_share", None)
    weights = {path.name: torch.load(path, weights_only=True) for path in sorted(directory.glob("weights-*.pt"))}
    torch.set_printoptions(profile="full", precision=12)
    return repr(
        (state, log, weights, (directory / "best.json").read_text(), sorted(path.name for path in directory.iterdir()))
    )


def dying(directory, point):
    def work():
        die_at(point)
        train(directory, steps=4, evaluate=True)

    return work


def main():
    work = Path(sys.argv[1])
    torch.set_num_threads(1)

    def whole(directory):
        assert not was_killed(child(lambda: train(directory, steps=4, evaluate=True)))
        return outcome(directory)

    train(work / "first", steps=1)  # PyTorch imports half of itself when it first optimises
    expected = whole(work / "whole")
    points, different = 0, []
    for point in range(1, 1000):
        directory = work / f"point{point}"
        if not was_killed(child(dying(directory, point))):
            break
        points += 1
        if whole(directory) != expected:
            different.append(point)
    # Again and again from outside, whenever it happens to be.
    waits, kills, directory = random.Random(5), 0, work / "often"
    for _ in range(12):
        process = child(lambda: train(directory, steps=4, evaluate=True))
        time.sleep(waits.uniform(0.0, 0.3))
        os.kill(process, signal.SIGKILL)
        kills += was_killed(process)
    often = whole(directory) == expected
    sys.stdout.write(json.dumps({"points": points, "different": different, "kills": kills, "often": often}))


if __name__ == "__main__":
    main()
