"""Kana to written Japanese: what the packaged converter writes, and directories that are damaged."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

import uniasr
from uniasr.checkpoints.kana_kanji import is_kana_kanji, read_kana_kanji, write_kana_kanji
from uniasr.errors import ModelError, ModelNotFoundError, OptionError
from uniasr.text.kana_kanji.respelling import respelled

PACKAGED = Path(uniasr.__file__).parent / "packaged" / "ja-written"

pytestmark = pytest.mark.skipif(not PACKAGED.is_dir(), reason="no packaged converter in this checkout")


@pytest.fixture(scope="module")
def converter():
    return uniasr.load_converter()


@pytest.mark.parametrize(
    ("kana", "written"),
    [
        ("キョーワイイテンキデスネ", "今日はいい天気ですね"),
        ("ガッコーエイキマス", "学校へ行きます"),  # particles as they are written
        ("エーゴヲベンキョーシヨートオモウ", "英語を勉強しようと思う"),  # long vowels of three spellings
        ("カレワテレビヲミマス", "彼はテレビを見ます"),  # loan words stay katakana
        ("サンジュップンマッテクダサイ", "三十分待ってください"),  # numbers as they are spoken
        ("ジューイチガツニキマス", "十一月に来ます"),
        ("シモヨンケタワニーゴーゼロキューデス", "下四桁は二五〇九です"),  # digit by digit
        ("ゼロキューゼロノニーサンナナゴーノハチヨンロクイチ", "〇九〇の二三七五の八四六一"),
        ("ニーサンガキタ", "兄さんが来た"),
        ("コノピーディーエフヲユーエスビーメモリーニイレテ", "このPDFをUSBメモリーに入れて"),  # letter by letter
        ("シロイティーシャツデエスサイズ", "白いTシャツでSサイズ"),
        ("ジーエイチケーエフシーノカイチョー", "GHKFCの会長"),  # of no sentence: spelled
        ("ヴラーンゲリッツァデス", "ヴラーンゲリッツァです"),  # what no dictionary has
        ("きょーわいいてんきですね", "今日はいい天気ですね"),  # hiragana are kana too
        ("キョーワ、イイテンキデスネ。", "今日は、いい天気ですね。"),
        ("abc 12", "abc 12"),
        ("", ""),
    ],
)
def test_kana_are_written_as_people_do(converter, kana, written):
    assert converter.convert(kana) == written


def test_every_word_knows_its_kana(converter):
    result = converter.convert("キョーワ、テレビ", spans=True)
    found = [(result.source[s.source_start : s.source_end], result.text[s.start : s.end], s.kind) for s in result.spans]
    assert found == [
        ("キョー", "今日", "word"),
        ("ワ", "は", "word"),
        ("、", "、", "literal"),
        ("テレビ", "テレビ", "literal"),
    ]


def test_a_listed_word_is_written_where_it_sounds(converter):
    kana = "アシタコクリサントアイマス"
    assert "国栖" not in converter.convert(kana)
    assert "小栗栖" not in converter.convert(kana)
    assert "古久里さん" in converter.convert(kana, ["古久里 こくり"])
    assert converter.convert(kana, []) == converter.convert(kana)
    assert converter.convert(kana, {"古久里 こくり": -1}) == converter.convert(kana)
    assert converter.convert("オオサカシ", {"大坂師 おおさかし": 3}) == converter.convert(
        "オーサカシ", {"大坂師 おおさかし": 3}
    )


def test_alternatives_differ_and_get_worse(converter):
    found = converter.alternatives("カレノショーメーガヒツヨーデス", 10)
    texts, scores = zip(*found, strict=True)
    assert len(set(texts)) == 10
    assert list(scores) == sorted(scores, reverse=True)
    assert converter.convert("カレノショーメーガヒツヨーデス") in texts[:2]  # the stored costs know ties
    assert {"彼の証明が必要です", "彼の照明が必要です"} <= set(texts)
    assert scores[0] == pytest.approx(converter.log_probability("カレノショーメーガヒツヨーデス"), abs=1e-3)


@pytest.mark.parametrize(("kana", "count"), [("", 5), ("ア。", 5), ("ア" * 257, 5), ("ア", 0), ("ア", 101)])
def test_alternatives_of_what_is_no_run_of_kana_are_refused(converter, kana, count):
    with pytest.raises(OptionError, match="give"):
        converter.alternatives(kana, count)


def test_one_text_for_many_and_more_stable_kana_than_there_are_are_refused(converter):
    with pytest.raises(OptionError, match="give a list"):
        converter.log_probabilities("カキ")
    for stable in (-1, 4):
        with pytest.raises(OptionError, match="from 0 to 3"):
            converter.running("キョー", stable)


def test_a_word_alone_is_less_sure_than_in_a_sentence(converter):
    alone, first = (converter.convert(kana, spans=True).spans[0] for kana in ("キシャ", "キシャガキタ"))
    assert first.source_end == alone.source_end == 3
    assert 0.5 < alone.certainty < first.certainty
    for kana in ("キシャ", "トーキョー", "アリガトー", "ソレデワ"):
        assert converter.settled(kana) == 0  # its certainty is not final


def test_long_vowels_are_found_however_they_are_spelled(converter):
    assert respelled("ソーユーイイコ") == ("ソオユウイイコ", "ソウユウイイコ", "ソーユーイーコ")
    assert converter.convert("カワイーイヌ") == converter.convert("カワイイイヌ") == "かわいい犬"


def test_sense_is_more_probable_than_nonsense(converter):
    assert converter.log_probability("コーエンノイケ") > converter.log_probability("コーエンノイゲ")
    assert converter.log_probability("。") == 0


def copied(tmp_path):
    return Path(shutil.copytree(PACKAGED, tmp_path / "copy"))


def test_a_directory_is_known_and_written_back(tmp_path):
    assert is_kana_kanji(PACKAGED)
    assert not is_kana_kanji(PACKAGED.parent / "ja")
    files = read_kana_kanji(PACKAGED)
    again = read_kana_kanji(write_kana_kanji(tmp_path / "again", files.tables, card=files.card))
    assert np.array_equal(again.tables.surfaces, files.tables.surfaces)
    assert np.array_equal(again.tables.ngrams.slots, files.tables.ngrams.slots)
    with pytest.raises(ModelNotFoundError):
        uniasr.load_converter(tmp_path / "nothing")
    with pytest.raises(ModelError, match="family"):
        uniasr.load_converter(PACKAGED.parent / "ja")


def damaged(arrays, name):
    if name == "missing array":
        arrays.pop("word_cost")
    elif name == "wrong type":
        arrays["word_cost"] = arrays["word_cost"].astype(np.float32)
    elif name == "wrong length":
        arrays["surface_lengths"] = arrays["surface_lengths"][:-1]
    elif name == "class that does not exist":
        arrays["word_class"] = arrays["word_class"] + np.uint16(5000)
    elif name == "readings in disorder":
        arrays["reading_high"] = arrays["reading_high"][::-1]
    elif name == "objects":
        arrays["word_cost"] = np.array([{}], object)
    return arrays


@pytest.mark.parametrize(
    "name",
    ["missing array", "wrong type", "wrong length", "class that does not exist", "readings in disorder", "objects"],
)
def test_damaged_tables_are_one_clear_error(tmp_path, name):
    folder = copied(tmp_path)
    with np.load(folder / "tables.npz") as stored:
        arrays = damaged(dict(stored), name)
    np.savez(folder / "tables.npz", **arrays)
    with pytest.raises(ModelError, match=r"tables\.npz"):
        read_kana_kanji(folder)


def test_damaged_files_are_one_clear_error(tmp_path):
    folder = copied(tmp_path)
    content = (folder / "tables.npz").read_bytes()
    for broken in (b"", content[:1000], content[: len(content) // 2], content.replace(b"PK\x01\x02", b"PK\x01\x03")):
        (folder / "tables.npz").write_bytes(broken)
        with pytest.raises(ModelError, match=r"tables\.npz"):
            read_kana_kanji(folder)
    (folder / "tables.npz").unlink()
    with pytest.raises(ModelError, match="missing"):
        read_kana_kanji(folder)


def test_a_file_that_would_fill_the_memory_is_refused(tmp_path):
    folder = copied(tmp_path)
    with (
        zipfile.ZipFile(folder / "tables.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("word_cost.npy", "w", force_zip64=True) as entry,
    ):
        for _ in range(300):
            entry.write(bytes(2**20))
    with pytest.raises(ModelError, match="bytes"):
        read_kana_kanji(folder)


@pytest.mark.parametrize("longest", ["0", "1000", "many", "true"])
def test_an_impossible_configuration_is_refused(tmp_path, longest):
    folder = copied(tmp_path)
    text = (folder / "model.yaml").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if "longest_reading" in line)
    (folder / "model.yaml").write_text(text.replace(line, f"  longest_reading: {longest}"), encoding="utf-8")
    with pytest.raises(ModelError, match="longest_reading"):
        read_kana_kanji(folder)
