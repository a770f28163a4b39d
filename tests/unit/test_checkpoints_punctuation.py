"""Directories of punctuation models: both published layouts, our own, and damaged ones."""

import copy
import json
import shutil
import sys

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import uniasr
from uniasr.checkpoints.ct_transformer import is_punctuation, read_punctuation, write_punctuation
from uniasr.errors import MissingExtraError, ModelError, ModelNotFoundError, UniasrError
from uniasr.text.words import WordList

TEXT = "好 a 模 hello 后可型气有 b 现 like 再这然 hello 去 16k 问今下 world 你并 gpu 标语上去个有"


@pytest.fixture
def published(compact, tmp_path):
    """A copy of a published model, and its configuration as a mapping."""
    folder = tmp_path / "model"
    shutil.copytree(compact("ct_transformer"), folder)
    (folder / "manifest.json").unlink()
    return folder, yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))


def write_config(folder, entries):
    (folder / "config.yaml").write_text(yaml.safe_dump(entries, allow_unicode=True), encoding="utf-8")


def test_a_published_directory_is_known_by_its_class(published, compact, tmp_path):
    folder, _ = published
    assert is_punctuation(folder)
    assert not is_punctuation(compact("uniasr_odd") / "model_1x")
    assert not is_punctuation(tmp_path)
    with pytest.raises(ModelError, match="UniASR"):
        read_punctuation(compact("uniasr_odd") / "model_1x")
    with pytest.raises(ModelNotFoundError):
        read_punctuation(tmp_path / "nothing")
    with pytest.raises(ModelError, match=r"Looked for model\.yaml"):
        read_punctuation(tmp_path)


def test_ascii_marks_of_a_template_mean_the_full_width_ones(published):
    folder, entries = published
    entries["model_conf"]["punc_list"] = ["<unk>", "_", ",", "。", "?", "、"]
    write_config(folder, entries)
    assert read_punctuation(folder).config.marks == ("<unk>", "_", "，", "。", "？", "、")


@pytest.mark.parametrize(
    ("section", "name", "value", "said"),
    [
        ("encoder_conf", "kernel_size", 4.5, "kernel_size"),
        ("encoder_conf", "attention_heads", 5, "heads"),
        ("encoder_conf", "selfattention_layer_type", "rel", "selfattention_layer_type"),
        ("encoder_conf", "something_new", 1, "something_new"),
        ("encoder_conf", "input_size", 16, "input_size"),
        ("model_conf", "att_unit", 16, "att_unit"),
        ("model_conf", "punc_list", ["。"], "marks"),
        ("model_conf", "punc_list", "。", "punc_list"),
        ("model_conf", "sentence_end_id", 12, "sentence_end"),
        (None, "encoder", "SANMVadEncoder", "encoder"),
        (None, "model", "CTTransformerLarge", "CTTransformerLarge"),
    ],
)
def test_an_entry_that_would_change_results_is_refused_by_name(published, section, name, value, said):
    folder, entries = published
    (entries if section is None else entries[section])[name] = value
    write_config(folder, entries)
    with pytest.raises(ModelError, match=said):
        read_punctuation(folder)


def test_words_and_weights_must_fit(published):
    pytest.importorskip("torch")
    folder, _ = published
    words = json.loads((folder / "tokens.json").read_text(encoding="utf-8"))
    (folder / "tokens.json").write_text(json.dumps(words[:-1]), encoding="utf-8")
    with pytest.raises(ModelError, match=r"embed\.weight"):
        uniasr.load_punctuator(folder)
    (folder / "tokens.json").unlink()
    with pytest.raises(ModelError, match=r"tokens\.json"):
        uniasr.load_punctuator(folder)


@pytest.mark.torch
def test_a_model_of_funasr_0x_is_the_same_model(published, tmp_path):
    torch = pytest.importorskip("torch")
    folder, entries = published
    old = tmp_path / "old"
    old.mkdir()
    state = torch.load(folder / "model.pt", weights_only=True)
    torch.save({f"punc_model.{name}": value for name, value in state.items()}, old / "punc.pb")
    encoder = entries["encoder_conf"]
    description = {
        "model": "generic",
        "punctuation": "target_delay",
        "punctuation_conf": {
            "pos_enc": "sinusoidal",
            "embed_unit": encoder["input_size"],
            "att_unit": encoder["output_size"],
            "head": encoder["attention_heads"],
            "unit": encoder["linear_units"],
            "layer": encoder["num_blocks"],
            "dropout_rate": 0.1,
        },
        "token_list": json.loads((folder / "tokens.json").read_text(encoding="utf-8")),
        "punc_list": entries["model_conf"]["punc_list"],
    }
    (old / "punc.yaml").write_text(yaml.safe_dump(description, allow_unicode=True), encoding="utf-8")
    assert is_punctuation(old)
    assert uniasr.load_punctuator(old).label(TEXT) == uniasr.load_punctuator(folder).label(TEXT)


@pytest.mark.torch
def test_our_own_layout_keeps_everything(published, tmp_path):
    pytest.importorskip("torch")
    from uniasr.checkpoints.network import load_punctuation_network

    files = read_punctuation(published[0])
    state = load_punctuation_network(files).state_dict()
    again = read_punctuation(
        write_punctuation(tmp_path / "own", files.config, files.words, state=state, card={"language": "zh"})
    )
    assert (again.config, again.words, again.card["language"]) == (files.config, files.words, "zh")
    assert uniasr.load_punctuator(again.directory).label(TEXT) == uniasr.load_punctuator(files.directory).label(TEXT)
    with pytest.raises(ModelError, match="neither"):
        write_punctuation(tmp_path / "empty", files.config, files.words)
    assert not (tmp_path / "empty").exists()
    with pytest.raises(ModelError, match="line end"):
        write_punctuation(tmp_path / "bad", files.config, WordList(("<unk>", "a\n")), state=state)


def complaint(call):
    """What one of our errors says, or None if there is none; any other error goes through."""
    try:
        call()
    except UniasrError as error:
        return str(error)
    return None


def with_dictionary(folder):
    (folder / "jieba_usr_dict").write_text("上去个 900 n\n", encoding="utf-8")
    names = json.loads((folder / "configuration.json").read_text(encoding="utf-8"))
    names["file_path_metas"]["jieba_usr_dict"] = "jieba_usr_dict"
    (folder / "configuration.json").write_text(json.dumps(names), encoding="utf-8")
    return folder


def test_a_dictionary_needs_the_package_that_cuts_with_it(published, monkeypatch):
    folder = published[0]
    (folder / "jieba_usr_dict").touch()
    assert read_punctuation(folder).dictionary is None  # configuration.json does not name it
    with_dictionary(folder)
    monkeypatch.setitem(sys.modules, "jieba", None)
    with pytest.raises(MissingExtraError, match=r"uniasr\[zh\]"):
        uniasr.load_punctuator(folder)
    (folder / "jieba_usr_dict").unlink()
    with pytest.raises(ModelError, match="jieba_usr_dict"):
        read_punctuation(folder)


@pytest.mark.torch
def test_text_is_cut_with_the_dictionary(published):
    pytest.importorskip("jieba")
    pytest.importorskip("torch")
    model = uniasr.load_punctuator(with_dictionary(published[0]))
    assert model.label("你标语上去个有 hello it's 上去").words == (
        "你",
        "标语",
        "上去个",
        "有",
        "hello",
        "it's",
        "上去",
    )


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.filterwarnings("ignore:invalid escape sequence")  # hypothesis shows the source of what it has drawn
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_configuration_is_read_or_refused_with_one_of_our_errors(published, data):
    folder, entries = published
    entries = copy.deepcopy(entries)
    place = data.draw(st.sampled_from([entries, entries["model_conf"], entries["encoder_conf"]]))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(plain)
    write_config(folder, entries)
    said = complaint(lambda: read_punctuation(folder))
    assert said is None or ("\n" not in said and str(folder) in said)


@pytest.mark.torch
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_files_give_one_of_our_errors_or_load(published, data):
    pytest.importorskip("torch")
    folder, _ = published
    name = data.draw(st.sampled_from(["config.yaml", "tokens.json", "model.pt", "configuration.json"]))
    content = (folder / name).read_bytes()
    cut = data.draw(st.integers(0, len(content) - 1))
    damaged = bytearray(content[: cut + 1] if data.draw(st.booleans()) else content)
    damaged[cut] ^= data.draw(st.integers(1, 255))
    (folder / name).write_bytes(bytes(damaged))
    said = complaint(lambda: uniasr.load_punctuator(folder).punctuate(TEXT))
    (folder / name).write_bytes(content)
    assert said is None or str(folder) in said
