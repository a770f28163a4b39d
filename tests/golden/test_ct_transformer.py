"""Punctuation against texts, labels and scores recorded from the reference (funasr 1.4.16), on both engines.

Scores may differ by 2e-4, as float32 implementations do; texts, labels, windows and what a stream keeps are equal.
"""

import json
import warnings

import numpy as np
import pytest

import uniasr
from uniasr.recognizers.punctuation.network import run_windows
from uniasr.recognizers.punctuation.windows import LONGEST

SOURCES = ("{}", "compact/{}")
BACKENDS = ("torch", "onnxruntime")

pytestmark = pytest.mark.torch


class Recorder:
    """An engine that notes which words went into each call of another one."""

    def __init__(self, engine):
        self.engine = engine
        self.windows = []

    def run(self, graph, inputs, outputs):
        lengths = inputs["valid"].sum(axis=1).astype(int).tolist()
        self.windows += zip(lengths, inputs["cached"].tolist(), strict=True)
        return self.engine.run(graph, inputs, outputs)


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A recorder round a model by directory, backend and, for some cases, another bias; each is opened once."""
    torch = pytest.importorskip("torch")
    from uniasr.checkpoints.ct_transformer import read_punctuation, write_punctuation
    from uniasr.checkpoints.network import load_punctuation_network
    from uniasr.export.directory import export_punctuation

    models = {}

    def biased(folder, bias):
        files = read_punctuation(folder)
        state = load_punctuation_network(files).state_dict() | {"decoder.bias": torch.tensor(bias)}
        return write_punctuation(tmp_path_factory.mktemp("biased") / "model", files.config, files.words, state=state)

    def load(folder, backend, bias=None):
        key = (folder, backend, str(bias))
        if key not in models:
            directory = folder if bias is None else biased(folder, bias)
            if backend == "onnxruntime":
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # the exporter remarks on itself
                    to = tmp_path_factory.mktemp("exported") / "model"
                    directory = export_punctuation(read_punctuation(directory), to)
            models[key] = uniasr.load_punctuator(directory, backend=backend, threads=1)
            models[key].engine = Recorder(models[key].engine)
        models[key].engine.windows.clear()
        return models[key]

    return load


def found(source, name, golden, compact):
    where, _, plain = source.format(name).rpartition("/")
    folder = compact(plain) if where else golden(plain)
    return folder, json.loads((folder / "manifest.json").read_text())["cases"], np.load(folder / "arrays.npz")


def scores(model, ids, cached=0):
    width = -(-len(ids) // 32) * 32
    return run_windows(model.engine, model.config, [ids.astype(np.int64)], [cached], width)[0, : len(ids)]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("source", SOURCES)
def test_offline_texts_labels_windows_and_scores(source, backend, golden, compact, opened):
    folder, cases, arrays = found(source, "ct_transformer", golden, compact)
    for name, case in cases.items():
        model = opened(folder, backend, case.get("decoder.bias"))
        result = model.label(case["text"], split_size=case["split_size"])
        assert (result.text, list(result.labels)) == (case["output"], case["punc_array"]), name
        windows = [length for length, _ in model.engine.windows]
        longest = [i for i, length in enumerate(case["windows"]) if length > LONGEST + case["split_size"]]
        same = longest[0] if longest else len(windows)  # the reference's windows grow on without a mark
        assert windows[:same] == case["windows"][:same], name
        assert max(windows) <= LONGEST + case["split_size"]
        for window in range(3):
            if f"{name}.{window}.ids" in arrays:
                given = scores(model, arrays[f"{name}.{window}.ids"])
                np.testing.assert_allclose(given, arrays[f"{name}.{window}.logits"], atol=2e-4, rtol=0, err_msg=name)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("source", SOURCES)
def test_realtime_texts_memory_windows_and_scores(source, backend, golden, compact, opened):
    folder, cases, arrays = found(source, "ct_transformer_streaming", golden, compact)
    model = opened(folder, backend)
    for name, case in cases.items():
        stream = model.stream()
        for number, step in enumerate(case["steps"]):
            where = f"{name} {number}"
            model.engine.windows.clear()
            assert list(stream.carry.words) == step["pre_text_before"], where
            assert stream.accept(step["text"]) == step["output"], where
            assert list(stream.carry.words) == step["pre_text_after"], where
            assert model.engine.windows == [tuple(window) for window in step["windows"]], where
            last = len(step["windows"]) - 1
            for window, (_, cached) in enumerate(step["windows"]):
                key = f"{name}.{number}.{window}"
                if f"{key}.ids" in arrays:
                    given = scores(model, arrays[f"{key}.ids"], cached)
                    np.testing.assert_allclose(given, arrays[f"{key}.logits"], atol=2e-4, rtol=0, err_msg=where)
                    if window == last:
                        assert given.argmax(axis=1).tolist() == step["punc_array"], where
    for key in arrays.files:
        if key.startswith("mask.logits."):
            given = scores(model, arrays["mask.ids"], int(key.rpartition(".")[2]))
            np.testing.assert_allclose(given, arrays[key], atol=2e-4, rtol=0, err_msg=key)
