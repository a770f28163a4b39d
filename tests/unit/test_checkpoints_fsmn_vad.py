"""Directories of voice activity detectors: published layouts, our own, and damaged ones."""

import contextlib
import random
import shutil
from dataclasses import replace

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import uniasr
from uniasr.checkpoints.fsmn_vad import is_fsmn_vad, read_fsmn_vad, write_fsmn_vad
from uniasr.configs.frontend import FrontendConfig
from uniasr.configs.fsmn_vad import FsmnConfig, FsmnVadConfig, RecognitionOptions, VadOptions
from uniasr.errors import ModelError, ModelNotFoundError, OptionError, OutputError, UniasrError


@pytest.fixture
def published(recorded, tmp_path):
    """A copy of a published directory that a test may spoil."""
    folder = tmp_path / "published"
    folder.mkdir()
    for name in ("config.yaml", "configuration.json", "am.mvn", "model.pt"):
        shutil.copyfile(recorded("fsmn_vad_8k") / name, folder / name)
    return folder


def edit(folder, change, name="config.yaml"):
    entries = yaml.safe_load((folder / name).read_text())
    change(entries)
    (folder / name).write_text(yaml.safe_dump(entries))


def test_the_published_options_are_read(published):
    files = read_fsmn_vad(published)
    assert is_fsmn_vad(published)
    assert files.config.options == VadOptions()
    assert files.config.encoder.fsmn_layers == 4
    assert files.config.frontend.sample_rate_hz == 8000
    edit(published, lambda e: e["model_conf"].update(max_end_silence_time=500, speech_noise_thres=0.5, do_extend=0))
    options = read_fsmn_vad(published).config.options
    assert options == VadOptions(max_end_silence_time=500, speech_noise_thres=0.5, do_extend=False)


def test_the_older_layout_means_the_same(published, tmp_path):
    """0.x: vad.yaml, vad.mvn, vad.pb; also beside the files of a recogniser."""
    older = tmp_path / "older"
    older.mkdir()
    entries = yaml.safe_load((published / "config.yaml").read_text())
    entries["vad_post_conf"] = entries.pop("model_conf")
    entries.update(model="e2evad", encoder="fsmn", frontend="wav_frontend")
    del entries["frontend_conf"]["dither"]
    (older / "vad.yaml").write_text(yaml.safe_dump(entries))
    shutil.copyfile(published / "am.mvn", older / "vad.mvn")
    shutil.copyfile(published / "model.pt", older / "vad.pb")
    assert is_fsmn_vad(older)
    assert read_fsmn_vad(older).config == read_fsmn_vad(published).config
    (older / "config.yaml").write_text("model: paraformer\n")
    assert read_fsmn_vad(older).config == read_fsmn_vad(published).config


@pytest.mark.parametrize(
    ("section", "entry", "value", "said"),
    [
        ("encoder_conf", "rorder", 2, "rorder"),
        ("encoder_conf", "lorder", 1, "lorder"),
        ("encoder_conf", "input_dim", 80, "input_dim"),
        ("encoder_conf", "depth", 3, "depth"),
        ("model_conf", "sil_pdf_ids", [99], "sil_pdf_ids"),
        ("model_conf", "silence_pdf_num", 2, "silence_pdf_num"),
        ("model_conf", "sample_rate", 16000, "sample_rate"),
        ("model_conf", "frame_in_ms", 20, "frame_in_ms"),
        ("model_conf", "max_end_silence_time", "long", "max_end_silence_time"),
        ("model_conf", "max_end_silence_time", -1, "max_end_silence_time"),
        ("model_conf", "do_extend", 3, "do_extend"),
        ("model_conf", "new_rule", True, "new_rule"),
        ("frontend_conf", "dither", 1.0, "dither"),
        ("frontend_conf", "lfr_n", 2, "20.0 ms"),
        (None, "model", "UniASR", "model is 'UniASR'"),
        (None, "encoder", "conformer", "encoder is 'conformer'"),
    ],
)
def test_what_would_change_the_results_is_refused(published, section, entry, value, said):
    edit(published, lambda entries: (entries[section] if section else entries).update({entry: value}))
    with pytest.raises(ModelError, match=said):
        read_fsmn_vad(published)


def test_missing_and_mismatched_files(published):
    with pytest.raises(ModelNotFoundError):
        read_fsmn_vad(published / "nowhere")
    text = (published / "am.mvn").read_text().replace("400", "399")
    (published / "am.mvn").write_text(text)
    with pytest.raises(ModelError, match=r"am\.mvn"):
        read_fsmn_vad(published)
    (published / "am.mvn").unlink()
    with pytest.raises(ModelError, match=r"am\.mvn is missing"):
        read_fsmn_vad(published)
    (published / "model.pt").unlink()
    with pytest.raises(ModelError, match=r"model\.pt is missing"):
        read_fsmn_vad(published)


@pytest.mark.torch
def test_weights_must_fit(published):
    torch = pytest.importorskip("torch")
    edit(published, lambda entries: entries["encoder_conf"].update(fsmn_layers=3))
    with pytest.raises(ModelError, match=r"unexpected: encoder\.fsmn\.3"):
        uniasr.load_vad(published, backend="torch")
    with pytest.raises(OptionError, match=r"no \.onnx graphs"):
        uniasr.load_vad(published, backend="onnxruntime")
    edit(published, lambda entries: entries["encoder_conf"].update(fsmn_layers=4))
    state = torch.load(published / "model.pt", weights_only=True)
    state["encoder.out_linear2.linear.bias"][0] = float("nan")
    torch.save(state, published / "model.pt")
    with pytest.raises(ModelError, match="not finite"):
        uniasr.load_vad(published, backend="torch")


def test_rows_of_our_own_may_be_longer_and_need_not_all_be_heard():
    encoder = FsmnConfig(input_dim=40)
    frontend = FrontendConfig(n_mels=40, frame_shift_ms=20.0, lfr_m=1, lfr_n=1)
    assert FsmnVadConfig(frontend=frontend, encoder=encoder, quiet_db=-40.0).frames_per_row == 2
    with pytest.raises(ValueError, match="quiet_db"):
        FsmnVadConfig(frontend=frontend, encoder=encoder, quiet_db=float("nan"))
    assert FsmnVadConfig(frontend=frontend, encoder=encoder).for_recognition == {}
    wrong = RecognitionOptions(speech_noise_thres=0, lookback_time_start_point=-1, lookahead_time_end_point=0)
    with pytest.raises(OptionError, match="lookback_time_start_point"):
        FsmnVadConfig(frontend=frontend, encoder=encoder, recognition=wrong)
    with pytest.raises(ValueError, match=r"15\.0 ms"):
        FsmnVadConfig(frontend=replace(frontend, frame_shift_ms=15.0), encoder=encoder)


@pytest.mark.torch
def test_our_own_layout_is_read_back(published, exported_vad, recorded, tmp_path):
    directory = exported_vad(recorded("fsmn_vad_8k"))
    files = read_fsmn_vad(directory)
    original = read_fsmn_vad(published)
    assert files.config == original.config
    assert np.array_equal(files.cmvn.scale, original.cmvn.scale)
    assert files.graphs
    assert files.weights is None
    assert {path.name for path in directory.iterdir()} == {"model.yaml", "am.mvn", "fsmn_vad.onnx"}
    with pytest.raises(ModelError, match="family is 'fsmn_vad'"):
        uniasr.load_model(directory)
    with pytest.raises(OutputError, match="not empty"):
        write_fsmn_vad(published, files.config, files.cmvn, files=files.graphs)
    edit(directory, lambda entries: None, "model.yaml")  # yaml of any style
    assert read_fsmn_vad(directory).config == original.config
    with pytest.raises(ModelError, match="neither"):
        write_fsmn_vad(tmp_path / "empty", files.config, files.cmvn)
    assert not (tmp_path / "empty").exists()


@pytest.mark.torch
def test_weights_come_back_from_the_graph(exported_vad, recorded):
    torch = pytest.importorskip("torch")
    from uniasr.checkpoints.network import load_fsmn_vad_network

    there = load_fsmn_vad_network(read_fsmn_vad(recorded("fsmn_vad_8k"))).state_dict()
    back = load_fsmn_vad_network(read_fsmn_vad(exported_vad(recorded("fsmn_vad_8k")))).state_dict()
    assert all(torch.equal(there[name], back[name]) for name in there)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**6), name=st.sampled_from(["config.yaml", "configuration.json", "am.mvn"]))
def test_damaged_files_give_our_errors(published, recorded, seed, name):
    chance = random.Random(seed)
    data = bytearray((recorded("fsmn_vad_8k") / name).read_bytes())
    for _ in range(chance.randrange(1, 4)):
        start = chance.randrange(len(data))
        data[start : start + chance.randrange(1, 40)] = chance.randbytes(chance.randrange(0, 8))
    (published / name).write_bytes(bytes(data))
    with contextlib.suppress(UniasrError):  # another error, or a value of another kind, would fail
        assert read_fsmn_vad(published).config.frontend.row_ms == 10
    shutil.copyfile(recorded("fsmn_vad_8k") / name, published / name)
