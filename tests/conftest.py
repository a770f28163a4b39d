"""Where the reference's recorded numbers lie, and the recorded models exported for onnxruntime.

Tests that need what a machine does not have are skipped there. A compact part of the numbers is committed
(tests/golden/data, and tests/recorded for what stands around the recogniser), so that parity is checked everywhere.
"""

import warnings
from functools import cache
from pathlib import Path

import pytest

MODELS = ("uniasr_ja_template", "uniasr_lookback", "uniasr_odd")


def shared_dir() -> Path:
    """The folder of recorded material beside the checkout; skips the test if there is none."""
    path = Path(__file__).parents[2] / "shared"
    if not path.is_dir():
        pytest.skip("no folder of recorded reference material beside the checkout")
    return path


def golden(name: str) -> Path:
    """One file or folder of recorded reference numbers; skips the test if it is not there."""
    path = shared_dir() / "golden" / name
    if not path.exists():
        pytest.skip(f"no recorded reference numbers {name}")
    return path


def compact(name: str) -> Path:
    """The committed part of a folder of recorded reference numbers; skips the test if it is not committed."""
    here = Path(__file__).parent
    for path in (here / "golden" / "data" / name, here / "recorded" / name):
        if path.exists():
            return path
    pytest.skip(f"no recorded reference numbers {name} in this checkout")


@pytest.fixture(name="shared_dir")
def _shared_dir():
    return shared_dir()


@pytest.fixture(name="golden")
def _golden():
    return golden


@pytest.fixture(name="compact")
def _compact():
    return compact


@pytest.fixture(scope="session")
def recorded():
    """Folder of a recorded model, by its name: all of it where it is there, else the committed part."""

    def find(name):
        full = Path(__file__).parents[2] / "shared" / "golden" / name
        return full if full.is_dir() else compact(name)

    return find


def _quietly(export, files, directory):
    """Export without the exporter's remarks on itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return export(files, directory)


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """The onnxruntime directory of a published model directory; each is exported once per run."""

    @cache
    def export(checkpoint):
        pytest.importorskip("torch")
        from uniasr.checkpoints import read_model
        from uniasr.export.directory import export_model

        return _quietly(export_model, read_model(checkpoint), tmp_path_factory.mktemp("exported") / "model")

    return export


@pytest.fixture(scope="session")
def load_exported(recorded, exported):
    """A recorded model on onnxruntime, by name and threads; opened once per run."""
    import uniasr

    @cache
    def load(name, threads=1):
        directory = exported(recorded(name) / "model_1x")
        return uniasr.load_model(directory, backend="onnxruntime", threads=threads)

    return load


@pytest.fixture(scope="session")
def exported_vad(tmp_path_factory):
    """The onnxruntime directory of a published voice activity detector; each is exported once per run."""

    @cache
    def export(directory):
        pytest.importorskip("torch")
        from uniasr.checkpoints.fsmn_vad import read_fsmn_vad
        from uniasr.export.directory import export_fsmn_vad

        return _quietly(export_fsmn_vad, read_fsmn_vad(directory), tmp_path_factory.mktemp("vad") / "model")

    return export


@pytest.fixture(scope="session")
def load_exported_vad(exported_vad):
    """A voice activity detector from a published directory on one of the engines; opened once per run."""
    import uniasr

    @cache
    def load(directory, backend="onnxruntime"):
        where = directory if backend == "torch" else exported_vad(directory)
        return uniasr.load_vad(where, backend=backend, threads=1)

    return load


@pytest.fixture(scope="session")
def sample():
    """The packaged recording of a sentence; skips the test where the packaged models are not there."""
    import uniasr

    path = Path(uniasr.__file__).parent / "packaged" / "samples" / "ja.wav"
    if not path.is_file():
        pytest.skip("no packaged model in this checkout")
    return path


@pytest.fixture(scope="session")
def packaged_model(sample):
    """The packaged recogniser on one thread; opened once per run."""
    import uniasr

    return uniasr.load_model(threads=1)
