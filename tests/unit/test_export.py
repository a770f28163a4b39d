"""Export: what would stop it at the end is told before it begins."""

from dataclasses import replace

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

from uniasr.checkpoints import read_model
from uniasr.errors import ModelError, OptionError, OutputError
from uniasr.export.directory import export_model

pytestmark = pytest.mark.torch


@pytest.fixture
def without_weights(recorded, tmp_path):
    """A model whose export fails as soon as its network is loaded."""
    return replace(read_model(recorded("uniasr_odd") / "model_1x"), weights=tmp_path / "missing.pt")


def test_a_place_that_cannot_be_written_is_told_before_the_work(without_weights, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("kept")
    with pytest.raises(OutputError, match="not empty and no model of uniasr"):
        export_model(without_weights, tmp_path / "notes")
    with pytest.raises(OutputError, match="cannot be written"):
        export_model(without_weights, tmp_path / "notes" / "mine.txt" / "below")
    assert [path.name for path in tmp_path.rglob("*")] == ["notes", "mine.txt"]
    with pytest.raises(ModelError, match=r"missing\.pt"):
        export_model(without_weights, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_storage_that_does_not_exist_is_told_before_the_work(without_weights, tmp_path):
    with pytest.raises(OptionError, match="'int4'; choose one of float32, int8, packed"):
        export_model(without_weights, tmp_path / "new", weights="int4")
