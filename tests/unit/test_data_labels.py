"""Transcripts as token ids: blanks, kana, pieces of words, and characters without a token."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uniasr.errors import MissingExtraError, OptionError
from uniasr.text import Vocabulary, join_tokens, reference_text
from uniasr.training.data.labels import Cutter, build_vocabulary, extended, settled, to_katakana


def vocabulary(*tokens):
    return Vocabulary(("<blank>", "<s>", "</s>", *tokens, "<unk>"))


def shown(cutter, text):
    return [cutter.vocabulary[i] for i in cutter(text).ids]


@given(st.lists(st.text("abcdiouhnmks", min_size=1, max_size=6), min_size=1, max_size=4).map(" ".join))
def test_words_by_letters_come_back_with_their_blanks(text):
    cutter = Cutter(build_vocabulary("characters", ["halo dunia", "sudah makan bcd"]))
    cut = cutter(text)
    assert not cut.unknown
    tokens = [cutter.vocabulary[i] for i in cut.ids]
    assert join_tokens(tokens) == reference_text(tokens) == text


def test_blanks_are_tokens():
    cutter = Cutter(build_vocabulary("characters", ["halo dunia"]))
    assert shown(cutter, "ha lo") == ["▁", "h", "a", "▁", "l", "o"]
    published = Cutter(vocabulary("h", "a", "<space>"))
    assert shown(published, "ha a") == ["h", "a", "<space>", "a"]
    assert join_tokens(shown(published, "ha a")) == "ha a"


def test_a_blank_between_spelled_words_is_unknown_where_there_is_no_token_for_it():
    cutter = Cutter(vocabulary("h", "a", "み", "ず"))
    assert cutter("ha ah").unknown == Counter({" ": 1})
    assert not cutter("み ず").unknown, "nothing is written between kana"
    grown = Cutter(extended(cutter.vocabulary, {" "}))
    assert shown(grown, "ha ah") == ["▁", "h", "a", "▁", "a", "h"]
    assert shown(grown, "みず") == ["み", "ず"]


def test_pieces_of_words_follow_the_vocabulary():
    bpe = Cutter(vocabulary("hal@@", "o", "du@@", "nia", "dunia"))
    assert shown(bpe, "halo dunia") == ["hal@@", "o", "dunia"]
    assert not bpe("halo halo").unknown, "whole words and pieces say where words end"
    spm = Cutter(vocabulary("▁the", "▁", "n", "▁c", "at"))
    assert shown(spm, "then cat") == ["▁the", "n", "▁c", "at"]


def test_a_kana_vocabulary_reads_hiragana_and_leaves_signs_out():
    cutter = Cutter(vocabulary("キ", "キョ", "ウ", "ワ", "ー"))
    assert cutter.kana
    assert shown(cutter, "きょう、 わー。") == ["キョ", "ウ", "ワ", "ー"]
    assert cutter("きょう今日").unknown == Counter("今日")


def test_other_forms_of_a_character_are_found():
    cutter = Cutter(vocabulary("a", "B", "ガ", "1"))
    assert shown(cutter, "AbＡが1１") == ["a", "B", "a", "ガ", "1", "1"]


def test_unknown_characters_are_counted_and_never_unk():
    cut = Cutter(vocabulary("a", "b"))("abxx。")
    assert cut.ids == [3, 4]
    assert cut.unknown == Counter({"x": 2, "。": 1})
    assert not cut.punctuation_only


def test_extending_does_not_change_how_kana_are_cut():
    old = vocabulary("キョ", "ウ", "ハ")
    grown = settled(old, None, ["きょうは漢、"], "extend")
    assert grown.kana
    assert [grown.vocabulary[i] for i in grown("きょうは、漢").ids] == ["キョ", "ウ", "ハ", "漢"]
    assert not Cutter(vocabulary("キ", "き", "漢")).kana


def test_extending_keeps_every_old_id():
    old = vocabulary("a", "b")
    grown = settled(old, None, ["abz", "y"], "extend").vocabulary
    assert grown.tokens == ("<blank>", "<s>", "</s>", "a", "b", "y", "z", "<unk>")
    assert settled(old, None, ["abz"], "drop").vocabulary == old


def test_vocabularies_from_transcripts():
    assert build_vocabulary("characters", ["ba", "ab"]).tokens == ("<blank>", "<s>", "</s>", "a", "b", "<unk>")
    kana = build_vocabulary("kana", ["きょう"] * 30 + ["しゃ"])
    assert "キョ" in kana
    assert "シャ" not in kana, "a rare mora is written with its two kana"
    with pytest.raises(OptionError, match="characters, kana, bpe"):
        build_vocabulary("words", ["a"])


def test_bpe_by_sentencepiece(tmp_path):
    texts = ["the cat sat on the mat", "then the rat ran", "a cat and a rat"] * 5
    try:
        import sentencepiece  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtraError, match=r"uniasr\[bpe\]"):
            build_vocabulary("bpe", texts, size=30, directory=tmp_path)
        return
    found = build_vocabulary("bpe", texts, size=30, directory=tmp_path)
    cutter = Cutter(found, tmp_path / "bpe.model")
    assert join_tokens(shown(cutter, "the mat ran")) == "the mat ran"
    assert cutter("the ☃").unknown == Counter("☃")


def test_katakana():
    assert to_katakana("きょうはｶﾞｯｺｳー") == "キョウハガッコウー"
