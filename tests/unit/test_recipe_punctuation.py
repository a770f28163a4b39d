"""The training data of `recipes/ja_punctuation`: ends that are told, readings that count as they deserve."""

import lzma
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy")
RECIPE = Path(__file__).parents[2] / "recipes" / "ja_punctuation"
VOCABULARY = 20
NONE, COMMA, STOP, QUESTION = 1, 2, 3, 4


@pytest.fixture(scope="module", autouse=True)
def recipe():
    """Its modules, found as when they are run there."""
    names = ("corpus", "exchange", "paragraphs", "readings", "written")
    sys.path.insert(0, str(RECIPE))
    yield
    sys.path.remove(str(RECIPE))
    for name in names:
        sys.modules.pop(name, None)


def window(labels):
    targets = np.array([[label, 0, -100, 7] for label in labels])
    return np.arange(1, len(labels) + 1), targets


def test_ends_become_words_and_are_not_learned():
    import paragraphs

    ids, targets = window([NONE, STOP, COMMA, NONE, QUESTION])
    told, wanted = paragraphs.with_ends(ids, targets, targets[:, 0] >= STOP, VOCABULARY)
    assert told.tolist() == [1, 2, VOCABULARY - 2, 3, 4, 5, VOCABULARY - 1]
    assert wanted[:, 0].tolist() == [NONE, -100, -100, COMMA, NONE, -100, -100]
    assert set(wanted[:, 3].tolist()) == {7}
    assert targets[:, 0].tolist() == [NONE, STOP, COMMA, NONE, QUESTION]  # what was given stays


@pytest.mark.parametrize("size", [1, 3, 5, 100])
def test_whole_sentences_come_in_pieces_that_lose_none(size):
    import paragraphs

    labels = [NONE, NONE, STOP, STOP, NONE, QUESTION, NONE, COMMA]  # the last one has no end
    pieces = list(paragraphs._whole(*window(labels), size))
    assert [word for ids, _ in pieces for word in ids] == [1, 2, 3, 4, 5, 6]
    assert all(targets[-1, 0] >= STOP for _, targets in pieces)
    assert all(len(ids) <= size or (targets[:-1, 0] < STOP).all() for ids, targets in pieces)


def test_readers_count_by_how_often_they_are_right(tmp_path):
    import readings

    random = np.random.default_rng(0)
    count = 4000
    commas = random.random(count) < 0.3
    good, bad = np.where(commas, 8, 1), random.integers(0, 10, count)
    with lzma.open(tmp_path / "t.xz", "wt") as file:
        file.write("line\treader\tplaces\n")
        for reader, digits in enumerate((good, bad)):
            file.writelines(f"{i}\t{reader}\t3:{digit}\n" for i, digit in enumerate(digits[:-1]))
    sentences = list(range(count))
    found = readings.read(sentences, [3] * count, tmp_path / "t.xz")
    assert found.digits[5].tolist() == [good[5], bad[5]]
    assert found.digits[-1].tolist() == [-1, -1]
    chances = np.full(count, 0.3)
    sources = np.zeros(count, np.int64)
    result = readings.combined(found, chances, np.array(sentences), sources, commas)
    assert result[:-1][commas[:-1]].min() > 0.9
    assert result[:-1][~commas[:-1]].max() < 0.1
    assert result[-1] == 0.3  # nobody read it


def test_a_written_comma_is_likelier_than_none_and_none_is_certain():
    import written

    chances = np.array([0.01, 0.01, 0.6, 0.6])
    commas = np.array([True, False, True, False])
    judged = written.judged(chances, commas)
    assert judged[0] > judged[1]
    assert judged[2] > judged[3]
    assert 0 < judged.min() < judged.max() < 1
