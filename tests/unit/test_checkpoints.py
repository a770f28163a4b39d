import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uniasr.checkpoints import read_model, read_native, staged_directory, write_native
from uniasr.checkpoints.documents import inside, read_json, read_yaml
from uniasr.checkpoints.stamps import stamp_of
from uniasr.configs.records import from_plain, to_plain
from uniasr.configs.uniasr import UniasrConfig
from uniasr.errors import ModelError, ModelNotFoundError, OutputError, UniasrError
from uniasr.text import Vocabulary

FIXTURES = ("uniasr_ja_template", "uniasr_lookback", "uniasr_odd")


def encoder_conf(**changes):
    return {
        "output_size": 8,
        "attention_heads": 2,
        "linear_units": 8,
        "num_blocks": 2,
        "input_layer": "pe",
        "kernel_size": 5,
        "chunk_size": [6, 8],
        "stride": [4, 4],
        "pad_left": [1, 2],
        "encoder_att_look_back_factor": [0, 0],
        "decoder_att_look_back_factor": [0, 0],
        **changes,
    }


def decoder_conf(**changes):
    small = {"attention_dim": 4, "attention_heads": 2, "linear_units": 8, "num_blocks": 2, "att_layer_num": 1}
    return {**small, "kernel_size": 3, "concat_embeds": True, **changes}


def predictor_conf(**changes):
    return {"idim": 8, "l_order": 1, "r_order": 1, "threshold": 1.0, **changes}


def published_config():
    return {
        "model": "UniASR",
        "encoder": "SANMEncoderChunkOpt",
        "encoder2": "SANMEncoderChunkOpt",
        "decoder": "FsmnDecoderSCAMAOpt",
        "decoder2": "FsmnDecoderSCAMAOpt",
        "predictor": "CifPredictorV2",
        "predictor2": "CifPredictorV2",
        "stride_conv": "stride_conv1d",
        "frontend": "WavFrontend",
        "normalize": None,
        "optim": "adam",
        "encoder_conf": encoder_conf(),
        "encoder2_conf": encoder_conf(),
        "decoder_conf": decoder_conf(),
        "decoder2_conf": decoder_conf(),
        "predictor_conf": predictor_conf(),
        "predictor2_conf": predictor_conf(),
        "stride_conv_conf": {"kernel_size": 2, "stride": 2, "pad": [0, 1]},
        "model_conf": {"lsm_weight": 0.1, "predictor_weight": 1.0, "predictor_weight2": 0.5, "ctc_weight": 0.0},
        "frontend_conf": {"fs": 16000, "n_mels": 4, "lfr_m": 2, "lfr_n": 2, "dither": 0.0},
    }


TOKENS = ["<blank>", "<s>", "</s>", "あ", "い", "<unk>"]


def write_am_mvn(path, size=8):
    values = " ".join(str(i / 7) for i in range(1, size + 1))
    line = f"<LearnRateCoef> 0 [ {values} ]"
    path.write_text(
        f"<Nnet>\n<Splice> {size} {size}\n[ 0 ]\n"
        f"<AddShift> {size} {size}\n{line}\n<Rescale> {size} {size}\n{line}\n</Nnet>\n"
    )


@pytest.fixture
def published(tmp_path):
    """A small directory in the 1.x layout, found by name."""
    directory = tmp_path / "published"
    directory.mkdir()
    (directory / "config.yaml").write_text(yaml.safe_dump(published_config()))
    (directory / "tokens.json").write_text(json.dumps(TOKENS))
    (directory / "model.pt").write_bytes(b"PK")
    write_am_mvn(directory / "am.mvn")
    return directory


def change(directory, section, **changes):
    config = published_config()
    (config if section is None else config[section]).update(changes)
    (directory / "config.yaml").write_text(yaml.safe_dump(config))


def drop(directory, section, name):
    config = published_config()
    del (config if section is None else config[section])[name]
    (directory / "config.yaml").write_text(yaml.safe_dump(config))


@pytest.mark.parametrize("fixture", FIXTURES)
def test_both_published_layouts_of_a_fixture_give_equal_configs(fixture, golden):
    old, new = (read_model(golden(fixture) / name) for name in ("model_0x", "model_1x"))
    assert old.config == new.config
    assert old.tokens == new.tokens
    np.testing.assert_array_equal(old.cmvn.shift, new.cmvn.shift)
    np.testing.assert_array_equal(old.cmvn.scale, new.cmvn.scale)
    assert old.weights.name == "model.pb"
    assert new.weights.name == "model.pt"
    assert old.card["decoding"] == {"beam_size": 5, "token_num_relax": 5, "penalty": 0.0, "mode": "normal"}
    assert not old.graphs


def test_fixture_values_arrive(golden):
    config = read_model(golden("uniasr_odd") / "model_0x").config
    assert [chunk.size for chunk in config.encoder2.chunks] == [7, 9, 11]
    assert config.predictor.smooth_factor == 1.2
    assert config.predictor2.l_order == 2
    assert config.bridge.pad == (1, 1)
    assert not config.decoder.concat_embeds
    assert config.loss.predictor_weight2 == 0.4
    assert not config.loss.length_normalized
    assert config.modes["offline"].latency == 1


def test_a_directory_without_configuration_json_is_found_by_names(published):
    model = read_model(published)
    assert model.weights == published / "model.pt"
    assert model.config.frontend.feature_size == 8
    assert model.config.loss.predictor_weight2 == 0.5


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        (None, "model", "Paraformer"),
        (None, "encoder", "SANMEncoder"),
        (None, "predictor2", "CifPredictor"),
        (None, "normalize", "global_mvn"),
        (None, "input_size", 9),
        ("encoder_conf", "input_layer", "conv2d"),
        ("encoder_conf", "normalize_before", False),
        ("encoder2_conf", "selfattention_layer_type", "selfattn"),
        ("encoder_conf", "sanm_shfit", 2),
        ("encoder_conf", "kernel_size", 4),
        ("encoder_conf", "attention_heads", 0),
        ("encoder_conf", "chunk_size", [6, True]),
        ("encoder_conf", "chunk_size", []),
        ("encoder_conf", "stride", [4]),
        ("encoder_conf", "pad_left", [9]),
        ("encoder_conf", "unheard_of", 1),
        ("decoder_conf", "concat_after", True),
        ("decoder2_conf", "sanm_shfit", 0),
        ("decoder_conf", "input_layer", "linear"),
        ("predictor_conf", "tail_threshold", 0.45),
        ("predictor_conf", "threshold", 0.9),
        ("predictor2_conf", "idim", 9),
        ("predictor2_conf", "smooth_factor", float("nan")),
        ("stride_conv_conf", "pad", [0, 1, 2]),
        ("model_conf", "decoder_attention_chunk_type", "full"),
        ("model_conf", "sos", 2),
        ("model_conf", "predictor2_weight", 0.25),
        ("frontend_conf", "window", "povey"),
        ("frontend_conf", "snip_edges", False),
        ("frontend_conf", "upsacle_samples", False),
        ("frontend_conf", "dither", 1.0),
        ("frontend_conf", "fs", "16k"),
    ],
)
def test_an_entry_that_would_change_the_numbers_is_refused_by_name(published, section, name, value):
    change(published, section, **{name: value})
    with pytest.raises(ModelError, match=name) as caught:
        read_model(published)
    assert str(published / "config.yaml") in str(caught.value)


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        (None, "normalize", "None"),
        (None, "input_size", 8),
        (None, "token_type", "char"),
        ("encoder_conf", "tf2torch_tensor_name_prefix_torch", "encoder"),
        ("encoder_conf", "positional_dropout_rate", 0.3),
        ("decoder_conf", "sanm_shfit", 1),
        ("decoder_conf", "embed_tensor_name_prefix_tf", "dec"),
        ("predictor_conf", "tail_threshold", 0.0),
        ("model_conf", "ctc_weight2", 0.3),
        ("model_conf", "predictor2_weight", 0.5),
        ("frontend_conf", "cmvn_file", "/somewhere/else/am.mvn"),
    ],
)
def test_an_entry_that_changes_nothing_is_passed_over(published, section, name, value):
    before = read_model(published).config
    change(published, section, **{name: value})
    assert read_model(published).config == before


@pytest.mark.parametrize(
    ("section", "name"),
    [
        (None, "frontend_conf"),
        ("encoder_conf", "input_layer"),
        ("predictor_conf", "l_order"),
        ("stride_conv_conf", "pad"),
    ],
)
def test_a_missing_entry_without_a_harmless_default_is_named(published, section, name):
    drop(published, section, name)
    with pytest.raises(ModelError, match=name):
        read_model(published)


def test_short_lists_are_filled_with_their_first_element(published):
    change(published, "encoder_conf", pad_left=[1], decoder_att_look_back_factor=[1])
    chunks = read_model(published).config.encoder.chunks
    assert [(chunk.pad_left, chunk.decoder_look_back) for chunk in chunks] == [(1, 1), (1, 1)]


def test_a_missing_dither_means_none(published):
    before = read_model(published).config
    drop(published, "frontend_conf", "dither")
    assert read_model(published).config == before


@pytest.mark.parametrize("name", ["config.yaml", "tokens.json", "am.mvn", "model.pt"])
def test_a_missing_file_is_named(published, name):
    (published / name).unlink()
    (published / "configuration.json").write_text("{}")
    with pytest.raises(ModelError, match=name):
        read_model(published)


def test_sizes_that_do_not_fit_are_refused(published):
    write_am_mvn(published / "am.mvn", size=9)
    with pytest.raises(ModelError, match=r"8 \(n_mels"):
        read_model(published)


@pytest.mark.parametrize("name", ["../model.pt", "/etc/passwd", "a/../../b", "C:\\x", "..\\model.pt", "", 3, "a\0b"])
def test_names_in_configuration_json_stay_inside_the_directory(published, name):
    (published / "configuration.json").write_text(json.dumps({"file_path_metas": {"init_param": name or [""]}}))
    with pytest.raises(ModelError, match="init_param"):
        read_model(published)
    assert inside(published, "sub/model.pt", "x") == published / "sub" / "model.pt"


def test_old_layout_names_its_weights_and_refuses_other_searches(published):
    config = published_config()
    names = {"model": "uniasr", "frontend": "wav_frontend"}
    for number in ("", "2"):
        names |= {f"encoder{number}": "sanm_chunk_opt", f"decoder{number}": "fsmn_scama_opt"}
        names[f"predictor{number}"] = "cif_predictor_v2"
    (published / "config.yaml").write_text(yaml.safe_dump({**config, **names, "token_list": TOKENS}))
    (published / "20epoch.pb").write_bytes(b"PK")
    settings_json = {"model": {"am_model_name": "20epoch.pb", "model_config": {"lang": "ja"}}}
    (published / "configuration.json").write_text(json.dumps(settings_json))
    model = read_model(published)
    assert model.weights.name == "20epoch.pb"
    assert model.card["language"] == "ja"
    (published / "decoding.yaml").write_text("beam_size: 3\ndecoding_mode: model2\ndecoding_ind: 1\n")
    assert read_model(published).card["decoding"] == {"beam_size": 3, "mode": "offline"}
    (published / "decoding.yaml").write_text("lm_weight: 0.3\n")
    with pytest.raises(ModelError, match="lm_weight"):
        read_model(published)
    (published / "decoding.yaml").unlink()
    (published / "20epoch.pb").rename(published / "20epoch.bin")
    settings_json["model"]["am_model_name"] = "20epoch.bin"
    (published / "configuration.json").write_text(json.dumps(settings_json))
    assert read_model(published).weights.name == "20epoch.bin"
    (published / "20epoch.pb").write_bytes(b"PK")
    assert read_model(published).weights.name == "20epoch.pb"  # what a first conversion leaves behind


def test_a_foreign_directory_says_what_was_looked_for(tmp_path):
    with pytest.raises(ModelError, match=r"model.yaml.*config.yaml.*configuration.json"):
        read_model(tmp_path)
    with pytest.raises(ModelNotFoundError):
        read_model(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        + "".join(f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in pairwise("abcdefghij")),
        "a: &a {b: 1}\nc: {<<: *a}",
        "a: &a {b: 1}\nc: {!!merge x: *a}",
        "a: " + "1:" * 100_000 + "1",
        "[" * 5000,
        "a: !!python/object/apply:os.system [ls]",
        "a: 2020-99-99",
        "- 1",
        "a: [",
        "",
        "a: !!int ''",
        "\x00",
    ],
)
def test_strange_yaml_is_a_model_error(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ModelError, match=r"config\.yaml"):
        read_yaml(path)


def test_strange_json_is_a_model_error(tmp_path):
    path = tmp_path / "configuration.json"
    for text in ("[" * 100_000, "{", "[]", '{"a": ' + "9" * 5000 + "}"):
        path.write_text(text)
        with pytest.raises(ModelError, match=r"configuration.json"):
            read_json(path)
    path.write_bytes(b" " * (9 * 2**20))
    with pytest.raises(ModelError, match="at most"):
        read_json(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_only_our_errors_escape_from_damaged_files(published, data):
    name = data.draw(st.sampled_from(["config.yaml", "tokens.json", "am.mvn", "configuration.json"]))
    path = published / name
    if not path.exists():
        path.write_text('{"file_path_metas": {"init_param": "model.pt"}}')
    whole = path.read_bytes()
    path.write_bytes(damaged(data, whole))
    try:
        read_model(published)
    except UniasrError:
        pass
    finally:
        path.write_bytes(whole)


def damaged(data, whole):
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    return bytes(content[: data.draw(st.sampled_from([len(content), len(content) // 2, 1, 0]))])


def test_native_directory_round_trip(published, tmp_path):
    model = read_model(published)
    graph = tmp_path / "encoder.onnx"
    graph.write_bytes(b"graph")
    rng = np.random.default_rng(0)
    cmvn = type(model.cmvn)(*(rng.standard_normal(8).astype(np.float32) * 1e-3 for _ in range(2)))
    target = tmp_path / "native"
    card = {"language": "ja", "decoding": {"beam_size": 3}}
    assert write_native(target, model.config, model.tokens, cmvn, files=[graph], card=card) == target
    back = read_model(target)
    assert back.config == model.config
    assert back.tokens == model.tokens
    assert back.graphs
    assert back.weights is None
    assert back.card == {"layout": "uniasr", **card}
    assert back.cmvn.shift.tobytes() == cmvn.shift.tobytes()
    assert back.cmvn.scale.tobytes() == cmvn.scale.tobytes()
    write_native(target, model.config, model.tokens, cmvn, files=[graph])  # replaces our own
    assert sorted(path.name for path in tmp_path.iterdir()) == ["encoder.onnx", "native", "published"]


def test_writing_leaves_nothing_half_done(published, tmp_path):
    model = read_model(published)
    target = tmp_path / "native"
    with pytest.raises(ModelError, match="neither"):
        write_native(target, model.config, model.tokens, model.cmvn)
    with pytest.raises(OutputError):
        write_native(target, model.config, model.tokens, model.cmvn, files=[tmp_path / "missing.onnx"])
    with pytest.raises(ModelError):
        write_native(target, model.config, Vocabulary((*TOKENS[:-1], "う", "<unk>")), model.cmvn, files=[])
    assert [path.name for path in tmp_path.iterdir()] == ["published"]


@pytest.mark.parametrize("name", ["run/last.pt", "notes.txt", ".git/config", "backup.tar.gz"])
def test_a_model_with_other_things_beside_it_is_not_replaced(tmp_path, name):
    target = tmp_path / "mine"
    with pytest.raises(OutputError, match="no part of a model"), staged_directory(target_with(target, name)):
        pass
    assert (target / name).exists()


def target_with(directory, name):
    (directory / name).parent.mkdir(parents=True, exist_ok=True)
    (directory / "model.yaml").write_text("kind: keras\n")
    (directory / name).write_text("mine")
    return directory


def test_a_foreign_directory_is_not_replaced(published, tmp_path):
    with pytest.raises(OutputError, match="not empty"), staged_directory(published):
        pass
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError), staged_directory(tmp_path / "file"):
        pass
    with pytest.raises(OutputError), staged_directory(tmp_path / "file" / "below"):
        pass
    with pytest.raises(ZeroDivisionError), staged_directory(tmp_path / "new") as staging:
        (staging / "a").write_text(str(1 // 0))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "published"]


@pytest.mark.parametrize(
    ("change_to", "complaint"),
    [
        ({"format": 2}, "format"),
        ({"family": "other"}, "family"),
        ({"extra": 1}, "extra"),
        ({"config": None}, "config"),
        ({"card": 3}, "card"),
    ],
)
def test_a_native_description_is_read_strictly(published, tmp_path, change_to, complaint):
    model = read_model(published)
    graph = tmp_path / "encoder.onnx"
    graph.touch()
    directory = write_native(tmp_path / "native", model.config, model.tokens, model.cmvn, files=[graph])
    path = directory / "model.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **change_to}))
    with pytest.raises(ModelError, match=complaint):
        read_native(directory)


def test_zero_heads_in_a_native_description_are_a_model_error(published, tmp_path):
    model = read_model(published)
    graph = tmp_path / "encoder.onnx"
    graph.touch()
    directory = write_native(tmp_path / "native", model.config, model.tokens, model.cmvn, files=[graph])
    path = directory / "model.yaml"
    path.write_text(path.read_text().replace("attention_heads: 2", "attention_heads: 0"))
    with pytest.raises(ModelError, match=r"model.yaml"):
        read_native(directory)


def test_numbers_that_no_float_holds_are_named(published):
    plain = to_plain(read_model(published).config)
    for section, name in (("frontend", "frame_shift_ms"), ("encoder", "dropout"), ("predictor", "smooth_factor")):
        broken = {**plain, section: {**plain[section], name: 10**400}}
        with pytest.raises(ModelError, match=rf"x: {section}: {name} is 1000"):
            from_plain(UniasrConfig, broken, "x")
    with pytest.raises(ModelError, match="frontend"):
        from_plain(UniasrConfig, {**plain, "frontend": {**plain["frontend"], "sample_rate_hz": 10**400}}, "x")
    change(published, "encoder_conf", dropout_rate=10**400)
    with pytest.raises(ModelError, match="dropout_rate is 1000"):
        read_model(published)


def test_a_stamp_sees_what_changes_below_a_directory_and_nothing_outside(tmp_path):
    model, outside = tmp_path / "model", tmp_path / "outside"
    for place in (model / "lm", outside):
        place.mkdir(parents=True)
    (model / "lm" / "lm.pb").write_text("1")
    (model / "link").symlink_to(outside)
    before = stamp_of(model)
    assert stamp_of(model) == before
    (outside / "lm.pb").write_text("1")
    assert stamp_of(model / "lm" / "lm.pb") == stamp_of(model / "lm" / "lm.pb") != ()
    assert [name for name, *_ in before] == [name for name, *_ in stamp_of(model)] == ["link", "lm", "lm/lm.pb"]
    (model / "lm" / "lm.pb").write_text("22")
    assert stamp_of(model) != before
    assert stamp_of(tmp_path / "nothing") == ()


def test_an_interrupted_exchange_leaves_the_old_model(tmp_path, monkeypatch):
    target = tmp_path / "model"
    target.mkdir()
    (target / "model.yaml").write_text("family: uniasr")
    renames = []

    def rename(path, other, own=Path.rename):
        renames.append(path)
        if len(renames) == 2:
            raise KeyboardInterrupt
        return own(path, other)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(KeyboardInterrupt), staged_directory(target) as staging:
        (staging / "model.yaml").write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert (target / "model.yaml").read_text() == "family: uniasr"
