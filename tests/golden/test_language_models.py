"""The published language models against numbers recorded from the reference (FunASR 0.2.0), on both engines."""

import json
import shutil
import warnings

import numpy as np
import pytest
import yaml

from uniasr.checkpoints.language_model import is_language_model, read_language_model
from uniasr.decoding.beam import SOS
from uniasr.errors import ModelError, OptionError
from uniasr.recognizers.language_models import NetworkLm, _engine, lm_scorer
from uniasr.text import Vocabulary

NAMES = ("transformer", "transformer_sin", "seq_rnn", "seq_rnn_gru_tied")
TOKENS = ("<blank>", "<s>", "</s>", *(f"t{i}" for i in range(60)), "<unk>")

pytestmark = pytest.mark.torch


@pytest.fixture(params=["transformer_lm", "compact/transformer_lm"])
def folder(request, golden, compact):
    where, _, name = request.param.rpartition("/")
    return compact(name) if where else golden(name)


@pytest.fixture(params=NAMES)
def published(request, folder, tmp_path):
    """A 0.x directory with one of the recorded models, and its name."""
    pytest.importorskip("torch")
    if not (folder / f"{request.param}.pt").is_file():
        pytest.skip("the compact numbers have no such model")
    settings = json.loads((folder / "manifest.json").read_text())[request.param]["conf"]
    (tmp_path / "lm").mkdir()
    shutil.copyfile(folder / f"{request.param}.pt", tmp_path / "lm" / "lm.pb")
    entries = {
        "token_list": list(TOKENS),
        "lm": "seq_rnn" if request.param.startswith("seq") else "transformer",
        "lm_conf": {name: value for name, value in settings.items() if name != "vocab_size"},
        "optim": "adam",
    }
    (tmp_path / "lm" / "lm.yaml").write_text(yaml.safe_dump(entries))
    return tmp_path, request.param


def exported(directory, place):
    from uniasr.export.directory import export_language_model

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter remarks on itself
        return export_language_model(read_language_model(directory), place / "onnx")


@pytest.mark.parametrize("engine", ["torch", "onnxruntime"])
def test_log_probabilities_are_the_recorded_ones(published, folder, engine, tmp_path):
    directory, name = published
    if engine == "onnxruntime":
        pytest.importorskip("onnx")
        directory = exported(directory, tmp_path)
    files = read_language_model(directory)
    assert files.tokens == TOKENS
    model = NetworkLm(_engine(files), files.config)
    arrays = np.load(folder / "lm.npz")
    logits = arrays[f"{name}_logits"].astype(np.float64)
    expected = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    state = model.start(2)
    for place, tokens in enumerate(arrays["input"].astype(np.int64).T):
        found, state = model.predict(state, tokens)
        np.testing.assert_allclose(found, expected[:, place], atol=1e-5)
        if place < len(arrays[f"{name}_score"]):
            np.testing.assert_allclose(found[0], arrays[f"{name}_score"][place], atol=1e-5)
        if place < len(arrays[f"{name}_batch_score"]):
            np.testing.assert_allclose(found, arrays[f"{name}_batch_score"][place], atol=1e-5)


def test_hypotheses_that_change_places_keep_their_past(published):
    files = read_language_model(published[0])
    model = NetworkLm(_engine(files), files.config)
    state = model.start(3)
    _, state = model.predict(state, np.array([SOS, SOS, SOS]))
    _, state = model.predict(state, np.array([5, 6, 7]))
    crossed, _ = model.predict(model.select(state, np.array([2, 2, 0])), np.array([9, 8, 9]))
    for row, history in ((0, [SOS, 7, 9]), (1, [SOS, 7, 8]), (2, [SOS, 5, 9])):
        alone = model.start(1)
        for token in history:
            straight, alone = model.predict(alone, np.array([token]))
        np.testing.assert_allclose(crossed[row], straight[0], atol=1e-5)


def test_a_recogniser_names_its_language_model(published):
    directory, _ = published
    (directory / "lm").rename(directory / "elsewhere")
    names = {"lm_model_name": "elsewhere/lm.pb", "lm_model_config": "elsewhere/lm.yaml"}
    document = {"model": {"model_config": names}}
    (directory / "configuration.json").write_text(json.dumps(document))
    assert read_language_model(directory).weights == directory / "elsewhere" / "lm.pb"
    assert not is_language_model(directory)
    assert is_language_model(directory / "elsewhere")
    assert lm_scorer(directory, 0.5, Vocabulary(TOKENS)).model.vocab_size == 64
    names["lm_model_name"] = "../lm.pb"
    (directory / "configuration.json").write_text(json.dumps(document))
    with pytest.raises(ModelError, match="outside"):
        read_language_model(directory)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"lm": "rwkv"}, "only 'transformer' or 'seq_rnn'"),
        ({"lm_conf": 3}, "a mapping"),
        ({"lm_conf": {"unit": 0}}, "must lie in"),
        ({"lm_conf": {"adapter": 1}}, "unknown meaning: adapter"),
        ({"lm_conf": {"vocab_size": 9}}, "there are 64 tokens"),
        ({"token_list": "abc"}, "list of tokens"),
    ],
)
def test_damaged_descriptions_are_named(published, changes, complaint):
    path = published[0] / "lm" / "lm.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changes}))
    with pytest.raises(ModelError, match=complaint):
        read_language_model(published[0])


def test_weights_and_tokens_must_fit(published):
    directory, _ = published
    with pytest.raises(OptionError, match="same ones in the same order"):
        lm_scorer(directory, 0.5, Vocabulary((*TOKENS[:-1], "one more", "<unk>")))
    (directory / "lm" / "lm.pb").write_bytes(b"PK\x03\x04 no zip")
    with pytest.raises(ModelError, match="damaged"):
        lm_scorer(directory, 0.5, Vocabulary(TOKENS))
    (directory / "lm" / "lm.pb").unlink()
    with pytest.raises(ModelError, match="lacks the weights"):
        read_language_model(directory)
