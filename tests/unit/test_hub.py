import importlib.resources
import sys
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from uniasr.cli.app import cli
from uniasr.errors import MissingExtraError, ModelError, ModelNotFoundError
from uniasr.hub import available, published, resolve, resolve_part

JA = "speech_UniASR_asr_2pass-ja-16k-common-vocab93-tensorflow1-online"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty home and no hub variables, so that nothing of this machine is seen."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in (
        "MODELSCOPE_CACHE",
        "HF_HUB_CACHE",
        "HUGGINGFACE_HUB_CACHE",
        "HF_HOME",
        "XDG_CACHE_HOME",
        "UNIASR_OFFLINE",
        "HF_HUB_OFFLINE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    for client in ("modelscope", "huggingface_hub"):
        monkeypatch.setitem(sys.modules, client, None)
    return home


def model_at(path):
    path.mkdir(parents=True)
    (path / "config.yaml").touch()
    return path


def test_a_local_directory_is_itself(tmp_path):
    assert resolve(tmp_path) == tmp_path
    model_at(tmp_path / "damo" / "x")
    assert resolve("damo/x").samefile(tmp_path / "damo" / "x")
    assert resolve("~") == tmp_path / "home"


def test_a_file_is_no_model(tmp_path):
    (tmp_path / "model.pt").touch()
    with pytest.raises(ModelError, match="directory"):
        resolve(tmp_path / "model.pt")


@pytest.mark.parametrize(
    "name", ["nothing", "a/b/c", "../x/y", "", "a b/c", "/no/where", "x" * 5000, "~nobody-here/x", "a\0b"]
)
def test_a_name_that_means_nothing_is_a_model_error(name):
    with pytest.raises(ModelError):
        resolve(name)


@pytest.mark.parametrize("place", ["", "hub", "models", "hub/models"])
@pytest.mark.parametrize("owner", ["damo", "iic"])
def test_modelscope_caches_of_all_ages_are_searched_under_both_owners(home, tmp_path, monkeypatch, place, owner):
    there = model_at(home / ".cache" / "modelscope" / place / owner / JA)
    assert resolve(f"damo/{JA}").samefile(there)
    assert resolve(f"iic/{JA}").samefile(there)
    chosen = model_at(tmp_path / "cache" / place / owner / JA)
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "cache"))
    assert resolve(f"damo/{JA}").samefile(chosen)


def test_dots_in_names_are_spelled_as_modelscope_does(home):
    there = model_at(home / ".cache" / "modelscope" / "hub" / "someone" / "model-1___5b")
    assert resolve("someone/model-1.5b").samefile(there)


def test_an_unfinished_download_is_no_model(home):
    (home / ".cache" / "modelscope" / "hub" / "damo" / JA).mkdir(parents=True)
    with pytest.raises(ModelNotFoundError):
        resolve(f"damo/{JA}")


@pytest.mark.parametrize("variable", [None, "HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"])
def test_hugging_face_snapshots_are_found_by_reference(home, tmp_path, monkeypatch, variable):
    root = home / ".cache" / "huggingface" / "hub"
    if variable is not None:
        monkeypatch.setenv(variable, str(tmp_path / "hf"))
        below = {"HF_HUB_CACHE": "", "HF_HOME": "hub", "XDG_CACHE_HOME": "huggingface/hub"}[variable]
        root = tmp_path / "hf" / below
    model = root / "models--someone--model"
    first = model_at(model / "snapshots" / "aaa")
    assert resolve("someone/model").samefile(first)  # the only one
    second = model_at(model / "snapshots" / "bbb")
    with pytest.raises(ModelNotFoundError):
        resolve("someone/model")
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text("bbb\n")
    assert resolve("someone/model").samefile(second)
    (model / "refs" / "main").write_text("../../..")
    with pytest.raises(ModelNotFoundError):
        resolve("someone/model")


def test_the_error_says_what_to_do(home):
    with pytest.raises(ModelNotFoundError) as caught:
        resolve(f"damo/{JA}")
    assert "pip install modelscope" in str(caught.value)
    assert str(home / ".cache" / "modelscope") in str(caught.value)
    with pytest.raises(ModelNotFoundError, match="huggingface_hub && uniasr models --download someone/model"):
        resolve("someone/model")


def test_the_place_that_the_error_names_is_searched(home):
    with pytest.raises(ModelNotFoundError) as caught:
        resolve(f"damo/{JA}")
    place = home / ".cache" / "modelscope" / "hub" / "models" / "damo" / JA
    assert str(place) in str(caught.value)
    model_at(place)
    assert resolve(f"damo/{JA}") == place


def client(monkeypatch, name, directory):
    module = ModuleType(name)
    asked = []

    def snapshot_download(model_id):
        asked.append(model_id)
        if directory is None:
            raise ConnectionError("no network")
        return str(directory)

    module.snapshot_download = snapshot_download
    monkeypatch.setitem(sys.modules, name, module)
    return asked


def test_a_download_happens_only_when_asked(tmp_path, monkeypatch):
    target = model_at(tmp_path / "fetched")
    asked = client(monkeypatch, "modelscope", target)
    with pytest.raises(ModelNotFoundError):
        resolve(f"damo/{JA}")
    assert asked == []
    assert resolve(f"damo/{JA}", download=True) == target
    assert asked == [f"damo/{JA}"]


def test_a_failed_download_is_a_model_error(monkeypatch):
    client(monkeypatch, "huggingface_hub", None)
    with pytest.raises(ModelError, match="no network"):
        resolve("someone/model", download=True)


def test_the_command_downloads_when_asked_and_prints_the_directory(tmp_path, monkeypatch):
    target = model_at(tmp_path / "fetched")
    asked = client(monkeypatch, "modelscope", target)
    call = ["models", "--download", f"damo/{JA}"]
    result = CliRunner().invoke(cli, call)
    assert (result.exit_code, result.stdout, asked) == (0, f"{target}\n", [f"damo/{JA}"])
    monkeypatch.setenv("UNIASR_OFFLINE", "1")
    result = CliRunner().invoke(cli, call)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "UNIASR_OFFLINE forbids" in result.stderr
    assert CliRunner().invoke(cli, ["models"]).exit_code == 0
    assert len(asked) == 1


@pytest.mark.parametrize("variable", ["UNIASR_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_forbids_downloads(tmp_path, monkeypatch, variable):
    asked = client(monkeypatch, "huggingface_hub", tmp_path)
    monkeypatch.setenv(variable, "1")
    with pytest.raises(ModelNotFoundError, match=variable):
        resolve("someone/model", download=True)
    assert asked == []
    monkeypatch.setenv(variable, "0")
    assert resolve("someone/model", download=True) == tmp_path


def test_a_download_without_client_names_it():
    with pytest.raises(MissingExtraError, match="pip install modelscope"):
        resolve(f"damo/{JA}", download=True)


def test_packaged_models_are_found_by_name_and_by_default(tmp_path, monkeypatch):
    inner = tmp_path / "package"
    monkeypatch.setattr(importlib.resources, "files", lambda _: inner)
    with pytest.raises(ModelNotFoundError, match="'ja'"):
        resolve()
    there = model_at(inner / "packaged" / "ja")
    (inner / "packaged" / "__pycache__").mkdir()
    assert resolve() == resolve("ja") == there
    assert [(model.name, model.source) for model in available()] == [("ja", "packaged")]


def test_a_directory_here_hides_no_packaged_model(tmp_path, monkeypatch):
    inner, working = tmp_path / "package", tmp_path / "working"
    monkeypatch.setattr(importlib.resources, "files", lambda _: inner)
    packaged, own = model_at(inner / "packaged" / "vad"), model_at(working / "vad")
    monkeypatch.chdir(working)
    assert resolve("vad") == resolve_part("vad", tmp_path) == packaged
    assert resolve("./vad").samefile(own)
    assert resolve(Path("vad")).samefile(own)
    own.rename(working / "mine")
    assert resolve(Path("vad")) == packaged


def test_a_part_is_packaged_or_lies_in_its_model(tmp_path, monkeypatch):
    model = model_at(tmp_path / "model")
    part = model_at(model / "parts" / "mine")
    model_at(tmp_path / "outside")
    assert resolve_part("parts/mine", model) == part
    for name in ("outside", "../outside", str(tmp_path / "outside"), "damo/x", "", 3, None):
        with pytest.raises(ModelError, match="model"):
            resolve_part(name, model)
    with pytest.raises(ModelNotFoundError, match="parts/mine"):
        resolve_part("parts/mine", None)


def test_the_catalogue_lists_published_models(home):
    models = {model.name: model for model in published()}
    assert len(models) == len(published())
    assert models[f"damo/{JA}"].vocabulary == 93
    assert models["damo/speech_UniASR_asr_2pass-minnan-16k-common-vocab3825"].language == "Min Nan"
    assert models["damo/speech_UniASR_asr_2pass-zh-cn-8k-common-vocab3445-pytorch-online"].sample_rate_hz == 8000
    assert "damo/speech_UniASR_asr_2pass-cn-dialect-16k-vocab8358-tensorflow1-offline" in models
    model_at(home / ".cache" / "modelscope" / "hub" / "iic" / JA)
    assert [model.name for model in available() if model.source == "cache"] == [f"damo/{JA}"]
