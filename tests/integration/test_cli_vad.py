"""`uniasr vad` as a process."""

import subprocess
import sys

import numpy as np
import pytest
import soundfile

pytestmark = pytest.mark.torch  # the recorded model is exported first


@pytest.fixture
def uniasr(tmp_path):
    def run(*words, data=None):
        command = [sys.executable, "-m", "uniasr", *map(str, words)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, input=data, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return run


@pytest.fixture
def model(recorded, exported_vad):
    return exported_vad(recorded("fsmn_vad_8k"))


@pytest.fixture
def speech(recorded, tmp_path):
    clip = np.load(recorded("fsmn_vad_8k") / "inputs.npz")["a"]
    soundfile.write(tmp_path / "speech.wav", clip, 8000, subtype="PCM_16")
    return tmp_path / "speech.wav"


def test_segments_are_printed(uniasr, model, speech):
    lines = "880\t2410\n10240\t11430\n12380\t13260\n"
    assert uniasr("vad", "--model", model, speech) == (0, lines, "")
    assert uniasr("vad", "--model", model, "-", data=speech.read_bytes()) == (0, lines, "")
    code, out, _ = uniasr("vad", "--model", model, "--max-end-silence", 300, "--threads", 1, speech)
    assert (code, len(out.splitlines())) == (0, 5)
    assert uniasr("vad", "--model", model, "--profile", "dynamic", speech)[1] == "880\t3320\n10240\t13260\n"


def test_several_inputs_have_keys_and_do_not_stop_each_other(uniasr, model, speech, tmp_path):
    code, out, err = uniasr("vad", "--model", model, tmp_path / "missing.wav", speech)
    assert code == 1
    assert out.splitlines()[0] == "speech\t880\t2410"
    assert err.startswith("missing: ")
    assert len(err.splitlines()) == 1


def test_wrong_options_and_models(uniasr, model, speech, tmp_path):
    for words, said in (
        (("--profile", "fast"), "profile is 'fast'"),
        (("--profile", "dynamic", "--max-end-silence", 300), "give one of them"),
        (("--max-end-silence", -1), "max_end_silence_ms is -1"),
        (("--max-end-silence", 10**11), "max_end_silence_ms is 100000000000; give whole milliseconds from 0 to"),
        (("--device", "tpu"), "device is 'tpu'"),
    ):
        code, out, err = uniasr("vad", "--model", model, *words, speech)
        assert (code, out, len(err.splitlines())) == (2, "", 1)
        assert said in err
    (tmp_path / "empty").mkdir()
    assert uniasr("vad", "--model", tmp_path / "empty", speech)[0] == 2


def test_a_published_directory_is_exported(uniasr, recorded, speech, tmp_path):
    code, out, _ = uniasr("export", recorded("fsmn_vad_8k"), "--output", tmp_path / "onnx")
    assert (code, "1 graphs" in out) == (0, True)
    assert uniasr("vad", "--model", tmp_path / "onnx", speech)[1].startswith("880\t2410\n")
