"""The sentences of `recipes/ja_written` with numbers that are read digit by digit."""

import sys
from pathlib import Path

import numpy as np
import pytest

RECIPE = Path(__file__).parents[2] / "recipes" / "ja_written"


@pytest.fixture
def digits():
    sys.path.insert(0, str(RECIPE))
    import digits

    yield digits
    sys.path.remove(str(RECIPE))
    sys.modules.pop("digits")


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
