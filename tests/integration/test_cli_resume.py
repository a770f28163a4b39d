"""`uniasr transcribe --resume` after a kill: byte-equal results, and only what was missing is done."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

import uniasr
from uniasr.cli.app import cli
from uniasr.text.hotwords import read_hotwords
from uniasr.types import Segment, Transcript


@pytest.fixture
def long_recording(recorded, tmp_path):
    clip = np.load(recorded("fsmn_vad_8k") / "inputs.npz")["a"]
    soundfile.write(tmp_path / "long.flac", np.tile(clip, 50), 8000)
    return tmp_path / "long.flac"


def command(model, vad, recording, output, *words):
    parts = ("--model", model, "--vad", vad, "--punctuation", "none", "--beam-size", 1, "--threads", 1)
    call = (*parts, recording, "--format", "json", "--output-dir", output, *words)
    return [sys.executable, "-m", "uniasr", "transcribe", *map(str, call)]


@pytest.mark.torch  # the recorded models are exported first
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


def test_accounts_of_other_calls_are_not_used(tmp_path):
    from uniasr.cli.journal import Journal

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


def test_accounts_know_what_they_depend_on(tmp_path):
    from types import SimpleNamespace

    from uniasr.audio.inputs import NamedInput
    from uniasr.cli.transcribe import Accounts

    model, output = tmp_path / "model", tmp_path / "output"
    model.mkdir()
    output.mkdir()
    (model / "model.yaml").write_text("a")
    request = SimpleNamespace(output_dir=str(output), layout=False, backend="auto", resume=True)
    done = Transcript("ア", (Segment(0, 0, 100, "ア", (), ()),), 100)

    def remembered(source=b"RIFF", key="x", **call):
        """Whether the last run's account is used; then write one for the next."""
        pipeline = SimpleNamespace(vad=SimpleNamespace(directory=model))
        memory = Accounts(request, pipeline, SimpleNamespace(directory=model), call).open(NamedInput(key, source))
        known = memory.recall(0, 100) == done
        memory.keep(0, 100, done)
        memory.close(done=False)
        return known

    words = read_hotwords(["リビング"])
    assert not remembered(hotwords=words)
    assert remembered(hotwords=words)
    assert not remembered(hotwords=read_hotwords(["リビング 2"]))  # the same file may hold other words
    assert remembered(hotwords=read_hotwords(["リビング 2"]))
    assert not remembered()
    assert not remembered(b"RIFX")
    assert not remembered("https://host/x.wav")
    assert not remembered("https://other/x.wav")
    lm = tmp_path / "lm.arpa"
    lm.write_text("one")
    assert not remembered(lm=str(lm))
    assert remembered(lm=str(lm))
    lm.write_text("another one")
    assert not remembered(lm=str(lm))
    (model / "model.yaml").write_text("another")
    assert not remembered("https://other/x.wav")
    assert remembered("https://other/x.wav")
    for key in ("会" * 83, "会" * 82 + "x"):  # such names exist, and a dot before and a suffix behind must fit
        assert not remembered(key=key)
        assert remembered(key=key)


def test_an_account_stays_until_the_result_is_written(tmp_path):
    """What was recognised must not be lost to a full disk at the end."""
    sample = Path(uniasr.__file__).parent / "packaged" / "samples" / "ja.wav"
    if not sample.is_file():
        pytest.skip("no packaged model in this checkout")
    (tmp_path / "ja.txt").mkdir()  # nothing can be written there
    call = [sys.executable, "-m", "uniasr", "transcribe", str(sample), "--format", "txt", "--output-dir", str(tmp_path)]
    failed = subprocess.run(call, capture_output=True, text=True)
    assert failed.returncode == 1
    assert (tmp_path / ".ja.journal").read_text(encoding="utf-8").count("\n") > 1
    (tmp_path / "ja.txt").rmdir()
    subprocess.run([*call, "--resume"], check=True)
    assert (tmp_path / "ja.txt").is_file()
    assert not (tmp_path / ".ja.journal").exists()


def test_a_thousand_inputs_may_wait_for_one(tmp_path):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if not (packaged := Path(uniasr.__file__).parent / "packaged" / "samples" / "ja.wav").is_file():
        pytest.skip("no packaged recording in this checkout")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.wav").write_bytes(packaged.read_bytes())
    for i in range(90):
        soundfile.write(tmp_path / "in" / f"b{i}.wav", np.zeros(8000, np.float32), 16_000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (72, hard))
    try:
        call = ["transcribe", str(tmp_path / "in"), "--output-dir", str(tmp_path / "out"), "--threads", "1"]
        result = CliRunner().invoke(cli, call)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert result.exit_code == 0, result.output
    assert len(list((tmp_path / "out").iterdir())) == 91


def test_inputs_of_one_name_cannot_be_resumed(tmp_path):
    """The numbers of their results depend on what is there, so that one would pass for the other."""
    for name in ("a/x.wav", "b/x.wav"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"RIFF")
    call = [
        sys.executable,
        "-m",
        "uniasr",
        "transcribe",
        str(tmp_path),
        "--output-dir",
        str(tmp_path / "o"),
        "--resume",
    ]
    refused = subprocess.run(call, capture_output=True, text=True)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "has the name of another input" in refused.stderr


def test_a_result_that_is_older_than_its_input_is_made_anew(tmp_path):
    from types import SimpleNamespace

    from uniasr.audio.inputs import NamedInput
    from uniasr.cli.transcribe import Accounts

    request = SimpleNamespace(output_dir=str(tmp_path), layout=False, backend="auto", resume=True, fmt=None)
    accounts = Accounts(request, SimpleNamespace(vad=None), SimpleNamespace(directory=tmp_path), {})
    source, result = tmp_path / "x.wav", tmp_path / "x.txt"
    item = NamedInput("x", str(source))
    source.write_text("audio")
    assert not accounts.finished(item)
    result.write_text("text")
    os.utime(source, ns=(1, result.stat().st_mtime_ns - 1))
    assert accounts.finished(item)
    os.utime(source, ns=(1, result.stat().st_mtime_ns + 1))
    assert not accounts.finished(item)


def test_a_name_that_is_no_text_has_an_account(tmp_path):
    from uniasr.cli.journal import fingerprint, journal_name

    name = b"\x89\xef\x8bc.wav".decode("utf-8", "surrogateescape")
    assert fingerprint(name)
    assert journal_name(name).startswith(".")
