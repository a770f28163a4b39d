"""Directories of n-gram models: probabilities by definition, other vocabularies, damaged files, who uses one."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import uniasr
from uniasr.checkpoints.ngram import STEP, NgramOrder, read_ngram, write_ngram
from uniasr.errors import ModelError, OptionError
from uniasr.recognizers.language_models import lm_of_call, lm_scorer
from uniasr.text import Vocabulary
from uniasr.types import DecodingOptions

WORDS = ("<blank>", "<s>", "</s>", "ア", "ン", "カ", "<unk>")
SOS, EOS = 1, 2


def random_model(seed):
    """n-grams with costs, and back-offs, both in steps."""
    rng = random.Random(seed)
    levels = [[(token,) for token in range(len(WORDS))]]
    for _ in range(rng.randint(1, 3)):
        longer = [(*gram, token) for gram in levels[-1] for token in range(2, len(WORDS)) if rng.random() < 0.3]
        levels.append(sorted(longer))
    costs = {gram: rng.randint(0, 200) for level in levels for gram in level}
    backoffs = {gram: rng.randint(-40, 10) for level in levels[:-1] for gram in level}
    return levels, costs, backoffs


def orders_of(levels, costs, backoffs):
    for level, longer in zip(levels, [*levels[1:], None], strict=True):
        inner = level if longer is not None else []
        followers = [sum(gram[:-1] == prefix for gram in longer or ()) for prefix in inner]
        yield NgramOrder(
            np.array([gram[-1] for gram in level], np.uint8),
            np.array([costs[gram] for gram in level], np.uint8),
            np.array(followers, np.uint8),
            np.array([backoffs[gram] for gram in inner], np.int8),
        )


@pytest.fixture
def directory(tmp_path):
    def write(seed, words=WORDS):
        return write_ngram(tmp_path / f"lm{seed}", words, list(orders_of(*random_model(seed))))

    return write


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), text=st.lists(st.integers(3, 6), max_size=8))
def test_rows_are_those_of_the_recursion(tmp_path_factory, seed, text):
    levels, costs, backoffs = random_model(seed)
    folder = write_ngram(tmp_path_factory.mktemp("lm") / "x", WORDS, list(orders_of(levels, costs, backoffs)))

    def log_prob(context, token):
        if (*context, token) in costs:
            return -STEP * costs[*context, token]
        return STEP * backoffs.get(context, 0) + log_prob(context[1:], token)

    model = lm_scorer(folder, 1.0, Vocabulary(WORDS)).model
    state, history = model.start(1), [SOS, *text]
    for i, token in enumerate(history):
        rows, state = model.predict(state, np.array([token]))
        context = tuple(history[max(0, i + 2 - len(levels)) : i + 1]) if len(levels) > 1 else ()
        expected = [log_prob(context, follower) for follower in range(len(WORDS))]
        np.testing.assert_allclose(rows[0], expected, atol=1e-4)


def test_a_recogniser_with_more_tokens_takes_the_others_as_unknown(directory):
    more = Vocabulary((*WORDS[:4], "キャ", *WORDS[4:]))
    folder = directory(3)
    model, wider = (lm_scorer(folder, 1.0, vocabulary).model for vocabulary in (Vocabulary(WORDS), more))
    (row,), _ = model.predict(model.start(1), np.array([3]))
    (wide,), _ = wider.predict(wider.start(1), np.array([3]))
    assert dict(zip(more.tokens, wide, strict=True)) == {
        **dict(zip(WORDS, row, strict=True)),
        "キャ": row[WORDS.index("<unk>")],
    }


def test_a_recogniser_of_other_tokens_goes_without_unless_asked(directory, tmp_path):
    folder, other = directory(4), Vocabulary(("<blank>", "<s>", "</s>", "ア", "<unk>"))
    named = {"parts": {"lm": folder.name}}
    assert lm_of_call(DecodingOptions(), other, named, tmp_path) is None
    assert lm_of_call(DecodingOptions(), Vocabulary(WORDS), named, tmp_path) is not None
    assert lm_of_call(DecodingOptions(lm="none"), Vocabulary(WORDS), named, tmp_path) is None
    with pytest.raises(OptionError, match="tokens that this recogniser lacks"):
        lm_of_call(DecodingOptions(lm=folder), other, {}, tmp_path)


@pytest.mark.parametrize("seed", range(60))
def test_damaged_files_give_our_errors(directory, seed):
    folder = directory(5)
    rng = random.Random(seed)
    path = folder / rng.choice(["tables.npz", "tokens.txt", "model.yaml"])
    data = bytearray(path.read_bytes())
    if seed % 3:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    else:
        del data[rng.randrange(len(data)) :]
    path.write_bytes(data)
    try:
        scorer = lm_scorer(folder, 1.0, Vocabulary(WORDS))
    except (ModelError, OptionError):
        return
    rows, _ = scorer.model.predict(scorer.model.start(2), np.array([SOS, 3]))
    assert np.isfinite(rows).all()


@pytest.mark.parametrize("what", ["unsorted", "too many", "no such token"])
def test_what_is_no_trie_is_refused(directory, tmp_path, what):
    orders = list(orders_of(*random_model(6)))
    last = orders[1]
    if what == "unsorted":
        last.tokens[:2] = last.tokens[:2][::-1]
        orders[0].followers[:] = 0
        orders[0].followers[0] = len(last.tokens)
    elif what == "too many":
        orders[0].followers[0] += 1
    else:
        last.tokens[-1] = len(WORDS)
    with pytest.raises(ModelError, match="not sorted or not all begun"):
        write_ngram(tmp_path / "bad", WORDS, orders)
    assert not (tmp_path / "bad").exists()


def test_the_packaged_model_has_one_and_goes_without_when_told(packaged_model, sample):
    plain, own, named = (
        packaged_model.transcribe(sample, lm=lm, nbest=1).segments[0].nbest[0].score
        for lm in ("none", None, packaged_model.card["parts"]["lm"])
    )
    assert own == named != plain


def test_the_tokens_of_the_packaged_one_are_those_of_the_recogniser(packaged_model):
    files = read_ngram(uniasr.hub.resolve(packaged_model.card["parts"]["lm"]))
    assert files.vocabulary == packaged_model.vocabulary
