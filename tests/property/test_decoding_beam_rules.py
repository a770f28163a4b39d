"""Both search rules against naive ones written from their text, and what must hold whatever the model says.

The models here give each prefix log-probabilities of its own, so a wrong parent or a wrong cache order shows.
"""

import itertools
import math
from functools import cache
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uniasr.decoding import gated
from uniasr.decoding.beam import EOS, SOS, start_search
from uniasr.types import DecodingOptions


def make_model(seed, vocabulary, sharpness):
    """A function from a prefix (tuple of ids) to float32 log-probabilities [V]; sharpness 0 makes many ties."""

    @cache
    def model(prefix):
        rng = np.random.default_rng([seed, *prefix])
        if sharpness == 0:
            return (-rng.integers(1, 7, vocabulary) / 4).astype(np.float32)
        logits = sharpness * rng.standard_normal(vocabulary)
        return (logits - np.log(np.exp(logits).sum())).astype(np.float32)

    return model


class Decoder:
    """Plays the recogniser: feeds a search from a model and keeps prefixes in the place of caches."""

    def __init__(self, options, model):
        self.search = start_search(options)
        self.model = model
        self.prefixes = [()] * options.beam_size
        self.trace = []

    def advance(self, fired, weight, ended):
        while self.search.ready(fired, weight, ended):
            self.step()

    def step(self):
        table = np.stack([self.model(prefix) for prefix in self.prefixes])
        order = np.argsort(-table, axis=1, kind="stable")[:, : len(self.prefixes) + 1]
        parents = self.search.step(np.take_along_axis(table, order, axis=1), order, table[:, EOS])
        tokens = self.search.last_tokens()
        self.prefixes = [(*self.prefixes[p], int(t)) for p, t in zip(parents, tokens, strict=True)]
        best = self.search.running()
        self.trace.append((tuple(best.ids.tolist()), self.search.committed()))

    def results(self, nbest):
        return [(tuple(end.ids.tolist()), end.score) for end in self.search.results(nbest)]


def decode(options, model, fired, weight=0.5):
    decoder = Decoder(options, model)
    decoder.advance(fired, weight, ended=True)
    return decoder


def rank(ended, length_norm):
    return sorted(ended, key=lambda end: -end[1] / (len(end[0]) + 1) ** length_norm)


def shared_prefix(paths):
    columns = zip(*paths, strict=False)
    return list(itertools.takewhile(lambda column: len(set(column)) == 1, columns))


def naive_gated(model, options, fired, limit):
    """Results, and (best ids so far, committed tokens) after each step."""
    beam, penalty = options.beam_size, options.penalty
    running, aside, trace = [((), 0.0)], [], []
    for step in range(fired + 3 if fired else 0):
        aside += [(ids, score + model(ids)[EOS].item() + penalty) for ids, score in running]
        candidates = [
            (-(score + model(ids)[token].item() + penalty), place, token)
            for place, (ids, score) in enumerate(running)
            for token in range(len(model(ids)))
            if token != EOS
        ]
        running = [((*running[place][0], token), -cost) for cost, place, token in sorted(candidates)[:beam]]
        aside = [end for end in aside if len(end[0]) >= min(step + 1, fired) - 3]
        best = running[0][0]
        done = len(shared_prefix([ids for ids, _ in running + aside]))
        if len(best) - done > limit:
            running = [h for h in running if h[0][done] == best[done]]
            aside = [h for h in aside if h[0][done] == best[done]]
            done = len(shared_prefix([ids for ids, _ in running + aside]))
        # the best so far may be one that was set aside in this very step: its last firing is that of </s>
        ended = max((h for h in aside if len(h[0]) == step), key=lambda h: h[1], default=((), -math.inf))
        trace.append((ended[0] if ended[1] > running[0][1] else best, done))
    return rank(aside, options.length_norm), trace


def naive_reference(model, options, fired, weight):
    """The loop of the published search over lists of ids; results without `<s>` and the last `</s>`."""
    beam, running, ended = options.beam_size, [([SOS], 0.0)], []
    last = int(fired + weight + options.token_num_relax) - 1
    for i in range(last + 1 if fired else 0):
        candidates = []
        for ids, score in running:
            totals = [score + value.item() + options.penalty for value in model(tuple(ids[1:]))]
            top = sorted(range(len(totals)), key=lambda token: -totals[token])[:beam]
            candidates += [([*ids, token], totals[token]) for token in top]
            candidates = sorted(candidates, key=lambda h: -h[1])[:beam]
        if i == last:
            candidates = [([*ids, EOS], score) for ids, score in candidates]
        ended += [h for h in candidates if h[0][-1] == EOS]
        running = [h for h in candidates if h[0][-1] != EOS]
        best = max((score for _, score in ended), default=0.0)
        behind = 0
        for length in (i, i - 1, i - 2):
            same = [score for ids, score in ended if len(ids) == length]
            behind += bool(same) and max(same) - best < -10
        if behind == 3 or not running:
            break
    return rank([(tuple(ids[1:-1]), score) for ids, score in ended], options.length_norm)


models = st.builds(
    make_model, seed=st.integers(0, 2**32), vocabulary=st.integers(4, 7), sharpness=st.sampled_from([0, 0.5, 2.0, 8.0])
)
settings_of = {
    "beam_size": st.integers(1, 6),
    "nbest": st.integers(1, 8),
    "penalty": st.sampled_from([0.0, 0.75, -0.5]),
    "length_norm": st.sampled_from([0.0, 1.0, 0.5]),
}
gated_options = st.builds(DecodingOptions, **settings_of)
reference_options = st.builds(
    DecodingOptions, search=st.just("reference"), token_num_relax=st.integers(-3, 6), **settings_of
)


def same_list(ours, expected):
    assert [ids for ids, _ in ours] == [ids for ids, _ in expected]
    assert [score for _, score in ours] == pytest.approx([score for _, score in expected], abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(model=models, options=gated_options, fired=st.integers(0, 30), limit=st.sampled_from([7, 9, 32]))
def test_gated_equals_its_rule(model, options, fired, limit):
    with mock.patch.object(gated, "MAX_UNCOMMITTED", limit):
        decoder = decode(options, model, fired)
    expected, trace = naive_gated(model, options, fired, limit)
    assert decoder.trace == trace
    same_list(decoder.results(options.nbest), expected[: min(options.nbest, options.beam_size)])


@settings(max_examples=60, deadline=None)
@given(model=models, options=reference_options, fired=st.integers(0, 12), weight=st.sampled_from([0.0, 0.25, 0.75]))
def test_reference_equals_its_rule(model, options, fired, weight):
    decoder = decode(options, model, fired, weight)
    same_list(decoder.results(options.nbest), naive_reference(model, options, fired, weight)[: options.nbest])
    if decoder.search.steps:
        best = decoder.results(1)[0][0]
        assert decoder.search.committed() == len(best)
        assert tuple(decoder.search.running().ids) == best


def test_reference_stops_when_ends_are_hopeless():
    options = DecodingOptions(search="reference", beam_size=6, nbest=50, token_num_relax=12)
    stopped = 0
    for seed in range(40):
        model = make_model(seed, 4, 8.0)
        decoder = decode(options, model, 2)
        same_list(decoder.results(50), naive_reference(model, options, 2, 0.5)[:50])
        stopped += decoder.search.steps < 14 and any(prefix[-1] != SOS for prefix in decoder.prefixes)
    assert stopped


def test_forced_end_may_follow_a_natural_one():
    def model(prefix):
        return np.log(np.array([0.01, 0.01, 0.9, 0.08], np.float32))

    options = DecodingOptions(search="reference", beam_size=2, nbest=9, token_num_relax=0)
    ((ids, score), *_) = decode(options, model, 1, 0.0).results(9)
    assert ids == (EOS,)
    assert score == pytest.approx(np.log(0.9), abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("fired", [1, 2])
def test_wide_beam_finds_the_best_of_all_sequences(seed, fired):
    model = make_model(seed, 4, 1.0)

    def total(ids):
        return sum(model(ids[:i])[token].item() for i, token in enumerate(ids))

    def everything(lengths):
        return [ids for length in lengths for ids in itertools.product((0, SOS, 3), repeat=length)]

    options = DecodingOptions(beam_size=81, nbest=20)
    ended = [(ids, total((*ids, EOS))) for ids in everything(range(max(0, fired - 3), fired + 3))]
    same_list(decode(options, model, fired).results(20), rank(ended, 0)[:20])

    options = options.with_changes({"search": "reference", "token_num_relax": 1})
    ended = [(ids, total((*ids, EOS))) for ids in everything(range(fired))]
    ended += [(ids, total(ids)) for ids in everything([fired + 1])]
    ended += [((*ids, EOS), total((*ids, EOS))) for ids in everything([fired])]
    same_list(decode(options, model, fired).results(20), rank(ended, 0)[:20])


@settings(max_examples=40, deadline=None)
@given(
    model=models,
    options=gated_options | reference_options,
    arrivals=st.lists(st.tuples(st.integers(0, 4), st.floats(0, 0.9), st.integers(0, 2)), max_size=8),
    weight=st.floats(0, 0.99),
)
def test_polling_has_no_influence(model, options, arrivals, weight):
    fired = sum(count for count, _, _ in arrivals)
    streamed = Decoder(options, model)
    so_far = 0
    for count, share, polls in arrivals:
        so_far += count
        now = min(share, weight) if so_far == fired else share
        for _ in range(polls):
            streamed.search.ready(so_far, now, ended=False)
        streamed.advance(so_far, now, ended=False)
    streamed.advance(fired, weight, ended=True)
    at_once = decode(options, model, fired, weight)
    assert streamed.trace == at_once.trace
    assert streamed.results(9) == at_once.results(9)


def check_committed(decoder):
    """What was committed once stays at the front of everything that follows."""
    final = decoder.results(9)
    done = 0
    for i, (ids, committed) in enumerate(decoder.trace):
        assert done <= committed <= len(ids)
        done = committed
        later = [best for best, _ in decoder.trace[i:]] if committed else []
        assert all(best[:committed] == ids[:committed] for best in [*later, *(best for best, _ in final)])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), options=gated_options, fired=st.integers(1, 80), flat=st.booleans())
def test_committed_tokens_never_change(seed, options, fired, flat):
    rng = np.random.default_rng(seed)
    tables = rng.standard_normal((fired + 3, 6)) * (0.01 if flat else 2.0)

    def model(prefix):  # the same for all prefixes of a length: hypotheses stay different for long
        return tables[len(prefix)].astype(np.float32)

    decoder = decode(options, model, fired)
    check_committed(decoder)
    ranked = [score / (len(ids) + 1) ** options.length_norm for ids, score in decoder.results(9)]
    assert ranked == sorted(ranked, reverse=True)
    assert all(len(ids) - committed <= gated.MAX_UNCOMMITTED for ids, committed in decoder.trace)


def test_overdue_decision_drops_those_who_disagree():
    def model(prefix):  # the two first tokens are nearly as good, and nothing later tells them apart
        certain = [-20.0, -20.0, -20.0, -20.0, -20.0, -0.01]
        return np.array(certain if prefix else [-9.0, -9.0, -9.0, -0.7, -0.6, -9.0], np.float32)

    decoder = Decoder(DecodingOptions(beam_size=2), model)
    decoder.advance(gated.MAX_UNCOMMITTED, 0.0, ended=False)
    assert decoder.search.committed() == 0
    decoder.advance(gated.MAX_UNCOMMITTED + 1, 0.0, ended=False)
    assert decoder.search.committed() > 0
    decoder.advance(gated.MAX_UNCOMMITTED + 1, 0.0, ended=True)
    assert {ids[0] for ids, _ in decoder.results(9)} == {4}


def test_log_probs_belong_to_their_tokens():
    model = make_model(5, 6, 1.0)
    for search in ("gated", "reference"):
        decoder = decode(DecodingOptions(beam_size=4, search=search, penalty=0.5), model, 40)
        for path in (decoder.search.running(), *decoder.search.results(4)):
            ids = path.ids.tolist()
            np.testing.assert_array_equal(path.log_probs, [model(tuple(ids[:i]))[t] for i, t in enumerate(ids)])
            assert (path.ids.dtype, path.log_probs.dtype) == (np.int64, np.float32)


def test_nothing_fired_gives_nothing():
    for search in ("gated", "reference"):
        decoder = decode(DecodingOptions(search=search), make_model(0, 5, 1.0), 0)
        assert decoder.search.results(1) == []
        assert decoder.search.running().ids.size == decoder.search.committed() == 0
        assert decoder.search.last_tokens().tolist() == [SOS] * 5


def test_long_segment_costs_no_more_per_step():
    beam, vocabulary, steps = 5, 8, 5000
    rng = np.random.default_rng(0)
    search = start_search(DecodingOptions(beam_size=beam))
    sizes = []
    for step in range(steps):
        assert search.ready(step + 1, 0.0, ended=False)
        # nothing tells the hypotheses apart but their past
        table = np.tile(-rng.random(vocabulary).astype(np.float32) / 100, (beam, 1))
        ids = np.argsort(-table, axis=1, kind="stable")[:, : beam + 1]
        search.step(np.take_along_axis(table, ids, axis=1), ids, table[:, EOS])
        if step % 10 == 0:
            search.running()
        sizes.append(sum(value.size for value in vars(search).values() if isinstance(value, np.ndarray)))
        assert step + 1 - search.committed() <= gated.MAX_UNCOMMITTED
    assert len(search.running().ids) == steps
    assert max(sizes) <= 4 * beam * (2 * gated.MAX_UNCOMMITTED + 2) + beam
