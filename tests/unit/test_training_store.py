"""Stores of features: what is damaged, or cannot be written, is said in one sentence."""

import json
from pathlib import Path

import numpy as np
import pytest

from uniasr.errors import ModelError, OutputError
from uniasr.training.store import FeatureStore, StoreWriter


@pytest.fixture
def store(tmp_path):
    with StoreWriter(tmp_path, 2, {"made": "here"}) as writer:
        writer.add("a", np.ones((3, 2), np.float32), "text")
    return tmp_path


def test_a_store_comes_back_as_it_was_written(store):
    found = FeatureStore(store)
    assert found.about["made"] == "here"
    (only,) = found.utterances
    assert (only.key, only.num_rows, only.text) == ("a", 3, "text")
    assert found.rows(only).tolist() == [[1.0, 1.0]] * 3


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("store.json", "{}"),
        ("store.json", '{"num_rows": 3'),
        ("store.json", json.dumps({"num_rows": "x", "feature_size": 2})),
        ("store.json", json.dumps({"num_rows": 3000, "feature_size": 2})),
        ("rows.f32", "short"),
        ("index.tsv", "a\tb\n"),
    ],
)
def test_a_damaged_store_is_a_model_error(store, name, content):
    (store / name).write_text(content)
    with pytest.raises(ModelError, match="damaged"):
        FeatureStore(store)


def test_a_store_that_was_not_finished_is_none(tmp_path):
    with pytest.raises(ZeroDivisionError), StoreWriter(tmp_path, 2, {}) as writer:
        writer.add("a", np.ones((1, 2), np.float32), str(1 // 0))
    with pytest.raises(ModelError, match="no finished feature store"):
        FeatureStore(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_an_output_error(tmp_path):
    (tmp_path / "rows.f32").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="No space left"), StoreWriter(tmp_path, 2, {}) as writer:
        writer.add("a", np.ones((10_000, 2), np.float32), "text")
