"""`uniasr transcribe --resume` after a kill: byte-equal results, and only what was missing is done."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

pytestmark = pytest.mark.torch  # the recorded models are exported first


@pytest.fixture
def long_recording(recorded, tmp_path):
    clip = np.load(recorded("fsmn_vad_8k") / "inputs.npz")["a"]
    soundfile.write(tmp_path / "long.flac", np.tile(clip, 50), 8000)
    return tmp_path / "long.flac"


def command(model, vad, recording, output, *words):
    parts = ("--model", model, "--vad", vad, "--punctuation", "none", "--beam-size", 1, "--threads", 1)
    call = (*parts, recording, "--format", "json", "--output-dir", output, *words)
    return [sys.executable, "-m", "uniasr", "transcribe", *map(str, call)]


def test_a_killed_run_goes_on(recorded, exported, exported_vad, long_recording, tmp_path):
    model, vad = exported(recorded("uniasr_odd") / "model_1x"), exported_vad(recorded("fsmn_vad_8k"))
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    subprocess.run(command(model, vad, long_recording, whole), check=True)
    assert [path.name for path in whole.iterdir()] == ["long.json"]

    journal = parts / ".long.journal"
    running = subprocess.Popen(command(model, vad, long_recording, parts))
    deadline = time.monotonic() + 60
    while running.poll() is None and time.monotonic() < deadline:
        if journal.exists() and journal.read_bytes().count(b"\n") > 40:
            break
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not (parts / "long.json").exists()
    with journal.open("ab") as file:
        file.write(b'{"start_ms": 880, "end')  # a line that the kill has cut
    before = journal.read_text(encoding="utf-8").count("\n")
    assert before > 40

    subprocess.run(command(model, vad, long_recording, parts, "--resume"), check=True)
    assert (parts / "long.json").read_bytes() == (whole / "long.json").read_bytes()
    assert not journal.exists()
    written = (parts / "long.json").stat().st_mtime_ns
    subprocess.run(command(model, vad, long_recording, parts, "--resume"), check=True)
    assert (parts / "long.json").stat().st_mtime_ns == written


def test_accounts_of_other_calls_are_not_used(recorded, exported, exported_vad, long_recording, tmp_path):
    from uniasr.cli.journal import Journal
    from uniasr.types import Segment, Transcript

    done = Transcript("ア", (Segment(0, 0, 100, "ア", (), ()),), 100)
    path = tmp_path / "one.journal"
    first = Journal(path, "a call", resume=False)
    first.keep(10, 110, done)
    first.close(done=False)
    again = Journal(path, "a call", resume=True)
    assert again.recall(10, 110) == done
    assert again.recall(10, 120) is None
    again.close(done=False)
    assert Journal(path, "another call", resume=True).recall(10, 110) is None
    for garbage in (b"", b"\xff\xfe\n", b"[]\n", json.dumps({"about": "a call"}).encode() + b"\n{}\n"):
        path.write_bytes(garbage)
        assert Journal(path, "a call", resume=True).recall(10, 110) is None
