"""Hotwords as users give them, and how they are spelled with a vocabulary."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import uniasr
from uniasr.errors import OptionError
from uniasr.recognizers import biasing
from uniasr.recognizers.biasing import hotword_scorer
from uniasr.text import Vocabulary, spelling
from uniasr.text.hotwords import Hotword, read_hotwords
from uniasr.text.readings import reading_of
from uniasr.text.spelling import Speller, pronunciations

KATAKANA = Vocabulary(("<blank>", "<s>", "</s>", *"アイウエオカガキコサシズテョー", "ショ", "<unk>"))
HIRAGANA = Vocabulary(("<blank>", "<s>", "</s>", *"あいうえおかきくけこー", "<unk>"))
PIECES = Vocabulary(("<blank>", "<s>", "</s>", "new", "yo@@", "rk", "y@@", "o@@", "r@@", "k", "<unk>"))
SENTENCE_PIECES = Vocabulary(("<blank>", "<s>", "</s>", "▁new", "▁y", "ork", "<unk>"))


def spelled(word, vocabulary):
    return ["".join(vocabulary[i] for i in ids) for ids in Speller(vocabulary).spellings(word)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("寒河江", Hotword("寒河江")),
        ("寒河江 さがえ", Hotword("寒河江", "さがえ")),
        ("寒河江　サガエ", Hotword("寒河江", "サガエ")),
        ("寒河江 2.5", Hotword("寒河江", None, 2.5)),
        ("寒河江\tさがえ\t-1", Hotword("寒河江", "さがえ", -1.0)),
        ("リビング 2", Hotword("リビング", None, 2.0)),
        ("寒河江 3", Hotword("寒河江", None, 3.0)),
        ("寒河江 さがえ 2", Hotword("寒河江", "さがえ", 2.0)),
        ("寒河江 -1", Hotword("寒河江", None, -1.0)),
        ("machine learning\t2", Hotword("machine learning", None, 2.0)),
        ("Windows 10", Hotword("Windows 10")),
        ("iPhone 15", Hotword("iPhone 15")),
        ("iPhone 15 アイフォンフィフティーン 1.5", Hotword("iPhone 15", "アイフォンフィフティーン", 1.5)),
        ("Windows 10 1.5", Hotword("Windows 10", None, 1.5)),
        ("Python 3.11\t1", Hotword("Python 3.11")),
        ("machine learning\tましんらーにんぐ", Hotword("machine learning", "ましんらーにんぐ")),
        ("5", Hotword("5")),
    ],
)
def test_a_line_is_a_word_a_reading_a_weight(line, expected, tmp_path):
    assert read_hotwords([line]) == (expected,)
    path = tmp_path / "words.txt"
    path.write_text(f"\ufeff# names\r\n\r\n{line}\r\n", encoding="utf-8")
    assert read_hotwords(path) == read_hotwords(str(path)) == (expected,)


def test_words_in_one_string_and_with_weights():
    assert read_hotwords("寒河江 さがえ、設楽 したら,匝瑳") == (
        Hotword("寒河江", "さがえ"),
        Hotword("設楽", "したら"),
        Hotword("匝瑳"),
    )
    assert read_hotwords({"寒河江 さがえ": 2, "設楽": 0.5}) == (
        Hotword("寒河江", "さがえ", 2.0),
        Hotword("設楽", None, 0.5),
    )
    assert read_hotwords([]) == read_hotwords({}) == read_hotwords("") == ()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("no/such/file", "cannot be read"),
        ("lost.txt", "cannot be read"),
        ("寒河江,AC/DC", "words, put those with a '/'"),
        (["寒河江 さがえ 20"], "1 is the usual strength"),
        ({"寒河江": float("nan")}, "1 is the usual strength"),
        ({"寒河江": "2"}, "1 is the usual strength"),
        (["寒河江\tさがえ\tperson"], "no line 'word'"),
        ([7], "every word is a string"),
        (7, "give a list"),
        (b"abc", "give a list"),
        (["ア" * 101], "more than 100"),
        ([f"{n} ア" for n in range(100_001)], "too many"),
    ],
)
def test_what_makes_no_sense_is_refused(words, complaint):
    with pytest.raises(OptionError, match=complaint):
        read_hotwords(words)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "words.txt").write_bytes("リビング\r\n寒河江 さがえ\r\n".encode("shift_jis"))
    with pytest.raises(OptionError, match="not UTF-8 in line 1; save it as UTF-8"):
        read_hotwords(tmp_path / "words.txt")
    (tmp_path / "words.txt").write_bytes("リビング\r\n".encode() + b"\xff")
    with pytest.raises(OptionError, match="not UTF-8 in line 2"):
        read_hotwords(tmp_path / "words.txt")


@settings(deadline=None)  # the first reading loads a dictionary
@given(lines=st.lists(st.text() | st.text("アかー・5. -\t　#", max_size=9), max_size=4))
def test_any_lines_are_words_or_one_error(lines):
    try:
        words = read_hotwords(lines)
    except OptionError:
        return
    assert all(word.word.strip() and abs(word.weight) <= 10 for word in words)
    for word in words:
        for ids in Speller(KATAKANA).spellings(word):
            assert ids
            assert min(ids) > 2


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        ("さがえ", ["サガエ"]),
        ("しょうじ", ["ショージ", "ショウジ"]),
        ("おおさか", ["オーサカ", "オオサカ"]),
        ("けいさつ", ["ケーサツ", "ケイサツ"]),
        ("コンピューター", ["コンピューター"]),
        ("つづく", ["ツズク"]),
        ("レオナルド・ダ", ["レオナルドダ"]),
        ("ゔぃら", ["ヴィラ"]),
        ("こうきゅうこうこう", [f"コ{a}キュ{b}コ{c}コー" for a in "ーウ" for b in "ーウ" for c in "ーウ"]),
    ],
)
def test_readings_become_pronunciations(reading, expected):
    assert pronunciations(reading) == expected


def test_words_are_spelled_as_the_model_writes():
    assert Speller(KATAKANA).spellings(Hotword("書誌", "しょし")) == ((len(KATAKANA) - 2, KATAKANA.id_of("シ")),)
    assert spelled(Hotword("コイ", None), KATAKANA) == ["コイ"]
    assert spelled(Hotword("高知", "コウチ"), KATAKANA) == []
    assert spelled(Hotword("愛子", "アイコ"), HIRAGANA) == ["あいこ"]
    assert Speller(PIECES).spellings(Hotword("New York")) == ((3, 4, 5),)
    assert Speller(SENTENCE_PIECES).spellings(Hotword("ＮＥＷ york")) == ((3, 4, 5),)
    assert Speller(PIECES).spellings(Hotword("new yard")) == ()


def test_a_reading_given_for_a_word_in_kana_is_what_is_listened_for():
    assert spelled(Hotword("ショシ", "さかい"), KATAKANA) == ["サカイ"]
    assert spelled(Hotword("コイ", "めめめ"), KATAKANA) == ["コイ"]  # the reading cannot be written
    assert spelled(Hotword("アイ", "カイ"), HIRAGANA) == ["かい"]
    both = Vocabulary((*KATAKANA.tokens[:-1], *HIRAGANA.tokens[3:-2], "<unk>"))
    assert spelled(Hotword("アイ", "かい"), both) == ["アイ"]  # who writes both scripts writes the word


def test_a_dictionary_reads_what_has_no_reading(monkeypatch):
    monkeypatch.setattr(spelling, "reading_of", {"書誌": "ショシ", "寒河江": "寒ガコウ"}.get)
    expected = Speller(KATAKANA).spellings(Hotword("書誌", "しょし"))
    assert Speller(KATAKANA).spellings(Hotword("書誌")) == expected
    assert Speller(KATAKANA).spellings(Hotword("書誌", "かい")) == Speller(KATAKANA).spellings(Hotword("カイ"))
    assert Speller(KATAKANA).spellings(Hotword("寒河江")) == Speller(KATAKANA).spellings(Hotword("匝瑳")) == ()


def test_readings_of_the_real_dictionary():
    pytest.importorskip("sudachipy")
    assert reading_of("居間") in (None, "イマ")


def test_words_that_cannot_be_written_are_named(monkeypatch):
    monkeypatch.setattr(spelling, "reading_of", lambda word: None)
    advice = {True: "the dictionary does not read them; .* a line.*, or leave", False: "install a dictionary"}
    for installed, said in advice.items():
        monkeypatch.setattr(biasing, "has_dictionary", lambda installed=installed: installed)
        with pytest.raises(OptionError, match=rf"寒河江, 設楽 .*{said}") as caught:
            hotword_scorer(["寒河江", "設楽", "カイ"], KATAKANA)
        assert "readings in kana" in str(caught.value)
    with pytest.raises(OptionError, match=r"寒河江 .*nor their readings"):
        hotword_scorer(["寒河江 めめめ"], KATAKANA)
    assert hotword_scorer(None, KATAKANA) is hotword_scorer([], KATAKANA) is None


def test_the_options_hold_hotwords():
    assert uniasr.DecodingOptions().hotwords is None
    assert uniasr.DecodingOptions(hotwords=["寒河江 さがえ"]).hotwords == ["寒河江 さがえ"]


def test_readings_come_from_many_threads():
    pytest.importorskip("sudachipy")
    from uniasr.text.readings import reading_of

    if reading_of("東京") is None:
        pytest.skip("no dictionary is installed")
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(reading_of, ["東京都"] * 2000)) == {"トウキョウト"}


def test_words_that_stand_twice_count_once_whatever_their_number():
    assert read_hotwords(["アイ"] * 50_000) == (Hotword("アイ"),)
    scorer = hotword_scorer([f"名{n} アイ" for n in range(20_000)], KATAKANA)
    assert len(scorer.occurrences([3, 4])) == 20_000
