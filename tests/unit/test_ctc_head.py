"""What CTC heads say: the sum over all alignments, segments in which nothing was said, and which hypothesis it was."""

from itertools import groupby, product

import numpy as np
import pytest
from fabricated import FIRST_PASS, RATE_HZ, SECOND_PASS, UNIT, FormulaEngine, fabricated_model, samples_of
from hypothesis import given, settings
from hypothesis import strategies as st

from uniasr.configs.decoding import ClosedConfidenceConfig, ConfidenceConfig
from uniasr.configs.uniasr import ChunkConfig
from uniasr.decoding import ctc
from uniasr.decoding.confidence import log_odds
from uniasr.decoding.ctc import IMPOSSIBLE, evidence, log_probabilities
from uniasr.types import Final

FAINT, BETWEEN, LOUD = 6, 14, 16
"""A row of pass 2 weighs twice as much: even so, a faint one lies below what lies between."""
LONG = {"segment_s": 60.0}


def text_of(alignment):
    return tuple(token for token, _ in groupby(alignment) if token)


@settings(deadline=None)
@given(rows=st.integers(1, 5), seed=st.integers(0, 2**32 - 1))
def test_the_sum_is_that_over_all_alignments(rows, seed):
    random = np.random.default_rng(seed)
    log_probs = np.log(random.dirichlet([0.5] * 3, rows) + 1e-9).astype(np.float32)
    sums = {}
    for alignment in product(range(3), repeat=rows):
        probability = np.exp(log_probs[range(rows), alignment].sum(dtype=np.float64))
        sums[text_of(alignment)] = sums.get(text_of(alignment), 0.0) + probability
    possible = [np.array(text, np.int64) for text in sums]
    found = log_probabilities(log_probs, possible)
    assert found == pytest.approx(np.log(list(sums.values())), abs=1e-5)
    for text, own in zip(possible, found, strict=True):
        assert log_probabilities(log_probs, [text]) == [own]  # not only nearly
        assert evidence(log_probs, text) == pytest.approx(own - np.log(sums[()]), abs=1e-5)
    for text in product((1, 2), repeat=rows):
        if text not in sums:  # equal tokens need a blank between them
            assert log_probabilities(log_probs, [np.array(text), np.array([1])])[0] <= IMPOSSIBLE / 2


@settings(deadline=None)
@given(
    rows=st.integers(1, 6),
    reach=st.integers(0, 3),
    near=st.lists(st.integers(-2, 14).map(lambda half: half / 2), max_size=4),
    seed=st.integers(0, 2**32 - 1),
)
def test_alignments_far_from_the_firings_do_not_count(rows, reach, near, seed):
    log_probs = np.log(np.random.default_rng(seed).dirichlet([0.5] * 3, rows) + 1e-9).astype(np.float32)
    near = sorted(near)
    expected = [*(min(row, rows - 1) for row in near), *[rows - 1] * 6]
    sums = {text: 0.0 for count in range(4) for text in product((1, 2), repeat=count)}
    for alignment in product(range(3), repeat=rows):
        text = text_of(alignment)
        begins = [row for row, token in enumerate(alignment) if token and (row == 0 or alignment[row - 1] != token)]
        places = [sum(begin <= row for begin in begins) - 1 for row in range(rows)]
        close = [abs(expected[places[row]] - row) <= reach for row, token in enumerate(alignment) if token]
        if text in sums and all(close):
            sums[text] += np.exp(log_probs[range(rows), alignment].sum(dtype=np.float64))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ctc, "REACH", reach)
        found = log_probabilities(log_probs, [np.array(text, np.int64) for text in sums], np.array(near))
        alone = [log_probabilities(log_probs, [np.array(text, np.int64)], np.array(near))[0] for text in sums]
    assert np.exp(found) == pytest.approx(list(sums.values()), rel=1e-4, abs=1e-300)
    assert found.tolist() == alone


class WithHeads(FormulaEngine):
    """Decodes whatever has weight; its heads hear tokens in loud rows only, some more than others."""

    liking = np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5]) / 44

    def _ctc(self, inputs):
        loud = inputs["rows"][..., :1] * UNIT > BETWEEN
        blank = np.where(loud, 0.01, 0.99)
        return {"log_probs": np.log(np.concatenate([blank, (1 - blank) * self.liking], axis=-1)).astype(np.float32)}


class Deaf(WithHeads):
    """Its heads never hear the tokens that pass 1 and pass 2 like best at first."""

    liking = np.array([1e-9 if token in (FIRST_PASS[2], SECOND_PASS[2]) else 1 / 9 for token in range(1, 12)])


def model_of(**changes):
    return fabricated_model(engine=WithHeads, ctc_heads=True, **changes)


@pytest.mark.parametrize("mode", ["fast", "normal", "offline"])
def test_what_the_heads_do_not_hear_is_not_written(mode):
    faint, loud = samples_of([FAINT] * 100), samples_of([LOUD] * 60)
    without = fabricated_model(engine=WithHeads)
    assert len(without.transcribe(faint, RATE_HZ, mode, **LONG).tokens) > 5
    silent = model_of().transcribe(faint, RATE_HZ, mode, **LONG)
    assert (silent.text, silent.segments[0].nbest) == ("", ())
    assert model_of().transcribe(loud, RATE_HZ, mode, **LONG) == without.transcribe(loud, RATE_HZ, mode, **LONG)


def test_a_segment_in_which_something_was_said_keeps_all_of_its_text():
    samples = samples_of([*[LOUD] * 30, *[FAINT] * 30])
    heard = model_of().transcribe(samples, RATE_HZ, **LONG)
    assert heard == fabricated_model(engine=WithHeads).transcribe(samples, RATE_HZ, **LONG)


@pytest.mark.parametrize("mode", ["fast", "normal"])
def test_text_without_evidence_is_never_shown(mode):
    with model_of().stream(mode, sample_rate=RATE_HZ, **LONG) as stream:
        events = stream.accept(samples_of([FAINT] * 100)) + stream.finish()
    assert len(events) > 2
    assert {(event.text, event.stable) for event in events} == {("", 0)}


def test_the_heads_listen_only_while_there_is_doubt():
    model = model_of()
    model.transcribe(samples_of([LOUD] * 400), RATE_HZ, "fast", **LONG)
    assert 1 <= model.engine.calls["ctc"] < model.engine.calls["memory"] / 4


@pytest.mark.parametrize("mode", ["fast", "normal", "offline"])
def test_the_misfit_of_a_closed_segment_lowers_confidences_that_nobody_was_promised(mode):
    samples = samples_of(([LOUD] * 20 + [0] * 12) * 3)
    options = {"segment_s": 0.6}

    def heard(*numbers):
        closed = ClosedConfidenceConfig(**dict(zip(("slope", "offset", "misfit"), numbers, strict=True)))
        maps = (ConfidenceConfig(slope=0.5), ConfidenceConfig(slope=0.5, closed=closed))
        return model_of(ctc_rescoring=0.1, confidence=maps)

    plain, lower = heard(1.0, 0.0, 0.0), heard(2.0, 0.25, 1.0)
    before, after = (model.transcribe(samples, RATE_HZ, mode, **options) for model in (plain, lower))
    assert len(before.segments) > 2
    assert len(before.tokens) > 5
    for one, other in zip(before.segments, after.segments, strict=True):
        pairs = zip(one.tokens, other.tokens, strict=True)
        drops = [2 * log_odds(a.confidence) + 0.25 - log_odds(b.confidence) for a, b in pairs]
        if mode == "offline":  # the misfit is that of the segment
            assert drops == pytest.approx(drops[:1] * len(drops))
            assert all(drop > 0.5 for drop in drops)
        else:
            assert other == one
    with lower.stream(mode, sample_rate=RATE_HZ, **options) as stream:
        events = [event for at in range(0, len(samples), 97) for event in stream.accept(samples[at : at + 97])]
        events += stream.finish()
    assert tuple(event.result for event in events if isinstance(event, Final)) == after.segments


@pytest.mark.parametrize("mode", ["fast", "normal", "offline"])
def test_the_heads_choose_among_the_hypotheses(mode):
    samples = samples_of([LOUD] * 20)
    silent = fabricated_model(engine=Deaf).transcribe(samples, RATE_HZ, mode, nbest=5, **LONG).segments[0]
    judged = fabricated_model(engine=Deaf, ctc_heads=True, ctc_rescoring=10.0)
    segment = judged.transcribe(samples, RATE_HZ, mode, nbest=5, **LONG).segments[0]
    first = silent.tokens[0].id
    assert segment.tokens[0].id != first
    assert {one.token_ids for one in segment.nbest} == {one.token_ids for one in silent.nbest}
    assert [one.token_ids[0] == first for one in segment.nbest] == sorted(
        one.token_ids[0] == first for one in segment.nbest
    )
    assert segment.text == judged.transcribe(samples, RATE_HZ, mode, nbest=1, **LONG).segments[0].text


stretches = st.lists(st.tuples(st.sampled_from([0, FAINT, LOUD]), st.integers(1, 40)), min_size=1, max_size=10)


@pytest.mark.parametrize("mode", ["fast", "normal", "offline"])
@settings(max_examples=20, deadline=None)
@given(
    stretches=stretches,
    packet=st.sampled_from([1000, 97, 13, 10_000_000]),
    segment_s=st.sampled_from([0.5, 60.0]),
    look_ahead=st.sampled_from([0, 5]),
    rescoring=st.sampled_from([0.0, 0.3, 10.0]),
)
def test_streams_files_and_batches_agree(mode, stretches, packet, segment_s, look_ahead, rescoring):
    samples = samples_of([alpha for alpha, count in stretches for _ in range(count)])
    chunk2 = ChunkConfig(size=25 + look_ahead, stride=20, pad_left=5)
    model, limits = model_of(chunk2=chunk2, ctc_rescoring=rescoring), {"segment_s": segment_s}
    file = model.transcribe(samples, RATE_HZ, mode, **limits)
    with model.stream(mode, sample_rate=RATE_HZ, **limits) as stream:
        events = [event for at in range(0, len(samples), packet) for event in stream.accept(samples[at : at + packet])]
        events += stream.finish()
    assert tuple(event.result for event in events if isinstance(event, Final)) == file.segments
    assert model.transcribe_batch([samples[: len(samples) // 2], samples], RATE_HZ, mode, **limits)[1] == file
    for event in events:  # what is called stable stays
        final = next(one for one in events if isinstance(one, Final) and one.segment == event.segment)
        assert event.tokens[: event.stable] == final.tokens[: event.stable]
