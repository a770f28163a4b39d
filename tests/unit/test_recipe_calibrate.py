"""The measures of recipes/ja/calibrate.py, on numbers whose answers are known."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from uniasr.types import Segment, Token, Transcript

pytest.importorskip("rapidfuzz")
pytest.importorskip("scipy")
RECIPE = Path(__file__).parents[2] / "recipes" / "ja"


@pytest.fixture(scope="module")
def recipe():
    known = set(sys.modules)
    sys.path.insert(0, str(RECIPE))
    yield importlib.import_module("calibrate")
    sys.path.remove(str(RECIPE))
    for name in set(sys.modules) & {path.stem for path in RECIPE.glob("*.py")} - known:
        del sys.modules[name]


def test_the_map_that_made_the_numbers_is_found_and_makes_them_true(recipe):
    random = np.random.default_rng(3)
    odds = random.normal(1, 2, 20_000)
    right = (random.random(20_000) < 1 / (1 + np.exp(-(1.5 * odds + 1)))).astype(float)
    found = recipe.Judged(1 / (1 + np.exp(-odds)), right)
    assert recipe.fit(right, recipe.odds(found)) == pytest.approx((1.5, 1.0), abs=0.1)
    true = recipe.Judged(1 / (1 + np.exp(-(1.5 * odds + 1))), right)
    assert recipe.ece(found) > 0.1 > 0.02 > recipe.ece(true) == pytest.approx(recipe.by_chance(true), abs=0.01)
    assert recipe.auroc(found) == recipe.auroc(true)


def test_two_inputs_have_a_weight_each(recipe):
    random = np.random.default_rng(4)
    odds, misfit = random.normal(1, 2, 20_000), random.exponential(1, 20_000)
    right = (random.random(20_000) < 1 / (1 + np.exp(-(0.5 * odds - 2 * misfit + 3)))).astype(float)
    assert recipe.fit(right, odds, -misfit) == pytest.approx((0.5, 2.0, 3.0), abs=0.15)


def test_the_misfit_of_a_segment_is_told_by_two_confidences(recipe):
    def transcripts(*segments):
        parts = [
            Segment(i, 0, 1, "", tuple(Token("a", 3, 0, 1, sure) for sure in sures), ())
            for i, sures in enumerate(segments)
        ]
        return [Transcript("", tuple(parts), 1)]

    plain = transcripts([0.5, 1.0, 0.9], [], [1.0])
    less = transcripts([1 / (1 + np.e), 1.0, 0.7], [], [0.5])
    found = recipe.misfits(plain, less)[0].segments
    assert [[token.confidence for token in one.tokens] for one in found] == [pytest.approx([1.0] * 3), [], [0.0]]


def test_errors_and_areas_of_few_numbers(recipe):
    found = recipe.Judged(np.array([0.2, 0.4, 0.4, 0.9]), np.array([0.0, 0.0, 1.0, 1.0]))
    assert recipe.auroc(found) == 3.5 / 4
    assert recipe.ece(found) == pytest.approx((0.2 + 0.4 + 0.6 + 0.1) / 4)
    assert recipe.ece(found, equal_width=True) == pytest.approx((0.2 + 2 * 0.1 + 0.1) / 4)
    assert np.isnan(recipe.auroc(recipe.Judged(np.array([0.5]), np.array([1.0]))))


def test_a_token_is_right_where_all_its_characters_are(recipe):
    tokens = [Token(text, 3, 0, 1, sure) for text, sure in (("今日", 0.9), ("は", 0.8), ("。", 0.1), ("張れ", 0.5))]
    assert recipe.judged("今日は、晴れ。", tokens) == [(0.9, 1.0), (0.8, 1.0), (0.5, 0.0)]
