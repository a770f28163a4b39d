"""`recipes/ja_written`: numbers read digit by digit, Latin letters, and what is left out of the model."""

import importlib
import lzma
import math
import sys
from pathlib import Path

import numpy as np
import pytest

RECIPE = Path(__file__).parents[2] / "recipes" / "ja_written"


@pytest.fixture
def recipe(monkeypatch):
    """Imports a module of the recipe; those of other recipes have the same names."""
    monkeypatch.syspath_prepend(str(RECIPE))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and RECIPE in Path(sys.modules[name].__file__).parents:
            del sys.modules[name]


@pytest.fixture
def digits(recipe):
    return recipe("digits")


@pytest.fixture
def spoken(recipe):
    return recipe("spoken")


def analysed(text):
    """Every character as a word; 三 as the analysis has it."""
    return " ".join("三/サン/名詞-数" if char == "三" else f"{char}/ア/記号" for char in text)


def test_each_holder_becomes_as_many_digits_as_its_group_has(digits):
    words = digits.filled(analysed("番号は三の三、三。"), (3, 4), np.random.default_rng(0)).split(" ")
    surfaces = "".join(word.split("/")[0] for word in words)
    head, _, rest = surfaces.removeprefix("番号は").partition("の")
    tail, _, last = rest.partition("、")
    assert [len(head), len(tail), len(last.removesuffix("。"))] == [3, 4, 1]
    assert set(head + tail) <= set(digits.READINGS)


def test_the_sentences_are_the_same_each_time_and_hold_numbers_of_all_kinds(digits):
    first, again = (list(digits.sentences(analysed)) for _ in range(2))
    assert first == again
    assert len(first) == digits.COUNT
    runs = {sentence.count("名詞-数") for sentence in first}
    assert {3, 4, 10, 11} <= runs


def cut(text):
    """Every character as a word; バナナ and 机 as the analysis has them, but バナナ among katakana."""
    out = []
    while text:
        if text.startswith("バナナアンド"):
            word, reading = "バナナアンドバナナ", "バナナアンドバナナ"
        elif text.startswith("バナナ"):
            word, reading = "バナナ", "バナナ/名詞-一般"
        else:
            word, reading = text[0], "ツクエ/名詞-一般" if text[0] == "机" else "ア/記号"
        out.append(f"{word}/{reading}" if "/" in reading else f"{word}/{reading}/記号")
        text = text[len(word) :]
    return " ".join(out)


def surfaces(words):
    return [word.split("/")[0] for word in words.split(" ")]


def test_letters_stand_where_they_were_written(spoken, tmp_path, monkeypatch):
    lines = ["CD〔シーディー〕とT〔ティー〕", "Q〔キュー〕アンドA〔エー〕だ", "3D〔スリーディー〕", "本"]
    (tmp_path / "s.xz").write_bytes(lzma.compress("\n".join(lines).encode()))
    monkeypatch.setattr(spoken, "SENTENCES", tmp_path / "s.xz")
    monkeypatch.setattr(spoken, "SPELLED", 0.0)
    assert [surfaces(words) for words in spoken.sentences(cut)] == [
        ["CD", "と", "T"],
        ["Q", "ア", "ン", "ド", "A", "だ"],  # the first carrier becomes part of another word there
        ["3D"],
        ["本"],
    ]
    monkeypatch.setattr(spoken, "SPELLED", 1.0)
    again = [surfaces(words) for words in spoken.sentences(cut)][1::2]
    assert [len(words) for words in again[:1]] == [4]  # two letters by chance, と, and another one
    assert ["3D"] in [surfaces(words) for words in spoken.sentences(cut)][4:]  # not read by the names of its letters


@pytest.mark.parametrize("threshold", [0.0, 1e-3, 1e-2, 1.0])
def test_what_is_left_out_of_the_model_leaves_probabilities_that_sum_to_one(recipe, threshold):
    model, pruning = recipe("model"), recipe("pruning")
    rng = np.random.default_rng(3)
    words = [(f"w{i}", f"w{i}") for i in range(30)]
    classes = {word: f"c{i % 5}" for i, word in enumerate(words)} | {model.START: "<s>", model.END: "</s>"}
    weights = 1 / np.arange(1, 31)
    text = [[words[i] for i in rng.choice(30, rng.integers(1, 8), p=weights / weights.sum())] for _ in range(400)]
    whole = model.estimate(text, classes, dict.fromkeys(classes, 1.0), model.Settings())
    pruned = pruning.pruned(whole, text, classes, threshold)

    def chance(one, u, v, w):
        if (u, v, w) in one.triple:
            return math.exp(one.triple[u, v, w])
        lower = one.classes[classes[v], classes[w]] + one.word[w]
        if (v, w) in one.pair:
            lower = one.pair[v, w]
        else:
            lower += one.pair_left.get(v, 0.0)
        return math.exp(lower + one.triple_left.get((u, v), 0.0))

    everything = list(classes)
    for u, v in [(words[0], words[1]), (words[3], words[0]), (words[20], words[29]), (model.START, words[2])]:
        sums = [sum(chance(one, u, v, w) for w in everything) for one in (whole, pruned)]
        assert sums[1] == pytest.approx(sums[0], abs=1e-6)
    assert {triple[:2] for triple in pruned.triple} - {(model.START, model.START)} <= set(pruned.pair)
    assert len(pruned.triple) <= len(whole.triple)
    if threshold == 1.0:
        assert not pruned.triple
        assert not pruned.pair
