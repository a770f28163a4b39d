"""Language models through the command and the ModelScope-style call."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import uniasr
from uniasr.checkpoints.language_model import read_language_model
from uniasr.compat.modelscope import pipeline
from uniasr.errors import ModelNotFoundError, OptionError

SAMPLE = Path(uniasr.__file__).parent / "packaged" / "samples" / "ja.wav"
ARPA = "\\data\\\nngram 1=3\n\n\\1-grams:\n-0.3\t</s>\n-0.1\tア\n-9\t<unk>\n\n\\end\\\n"

pytestmark = pytest.mark.skipif(not SAMPLE.is_file(), reason="no packaged model in this checkout")


def command(*words):
    return subprocess.run([sys.executable, "-m", "uniasr", *words], capture_output=True, text=True, timeout=120)


@pytest.fixture
def arpa(tmp_path):
    """A model to which everything is ア."""
    (tmp_path / "lm.arpa").write_text(ARPA, encoding="utf-8")
    return str(tmp_path / "lm.arpa")


def test_the_command_takes_a_language_model(arpa):
    model = uniasr.load_model()
    plain, guided = (
        {mode: model.transcribe(SAMPLE, mode=mode, output="kana", **lm).text for mode in ("offline", "fast")}
        for lm in ({}, {"lm": arpa, "lm_weight": 0.3})
    )
    assert all(plain[mode] != guided[mode] for mode in plain)
    told = ("--lm", arpa, "--lm-weight", "0.3", "--output-script", "kana")
    done = command("transcribe", str(SAMPLE), "--punctuation", "none", "--vad", "none", *told)
    assert (done.returncode, done.stdout.strip()) == (0, guided["offline"]), done.stderr
    done = command("stream", str(SAMPLE), "--mode", "fast", "--punctuation", "none", "--vad", "none", *told)
    assert "final" in done.stdout.splitlines()[-1]
    assert done.stdout.rstrip().endswith(guided["fast"])


def test_a_language_model_that_drowns_the_audio_leaves_no_text(arpa):
    assert uniasr.load_model().transcribe(SAMPLE, lm=arpa, lm_weight=3, output="kana").text == ""


def test_what_is_no_language_model_is_one_line(tmp_path):
    for given in ("lost.arpa", str(tmp_path), str(SAMPLE)):
        done = command("transcribe", str(SAMPLE), "--lm", given)
        assert (done.returncode, done.stderr.count("\n"), done.stdout) == (2, 1, "")
    with pytest.raises(OptionError, match="lm is 5"):
        uniasr.load_model().transcribe(SAMPLE, lm=5)


def test_the_published_call_takes_one_by_name_or_from_the_directory(arpa):
    plain = pipeline(threads=1)(audio_in=str(SAMPLE))["text"]
    assert pipeline(threads=1, lm_model=arpa, lm_weight=3.0)(audio_in=str(SAMPLE))["text"] != plain
    assert pipeline(threads=1, lm_file=arpa, lm_weight=0)(audio_in=str(SAMPLE))["text"] == plain
    with pytest.raises(OptionError, match="carries no language model"):
        pipeline(threads=1, lm_weight=0.5)
    with pytest.raises(ModelNotFoundError):
        pipeline(threads=1, lm_model="no/such-model")


@pytest.mark.torch
def test_a_published_language_model_is_exported(tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from uniasr.configs.language_model import RecurrentLmConfig
    from uniasr.networks.language_model import build_language_model

    tokens = list(uniasr.load_model(threads=1).vocabulary.tokens)
    published = tmp_path / "lm"
    published.mkdir()
    torch.save(build_language_model(RecurrentLmConfig(len(tokens), 8, None, 1)).state_dict(), published / "lm.pb")
    description = {"lm": "seq_rnn", "lm_conf": {"unit": 8, "nlayers": 1}, "token_list": tokens}
    (published / "lm.yaml").write_text(yaml.safe_dump(description, allow_unicode=True), encoding="utf-8")
    done = command("export", str(published), "--output", str(tmp_path / "out"), "--weights", "int8")
    assert done.returncode == 0, done.stderr
    assert read_language_model(tmp_path / "out").tokens == tuple(tokens)
    done = command("transcribe", str(SAMPLE), "--lm", str(tmp_path / "out"), "--format", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["text"]
    done = command("export", str(tmp_path / "out"), "--output", str(tmp_path / "again"))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
