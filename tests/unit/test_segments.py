"""When a segment closes, and what a session costs however long it goes on. Alphas are fabricated: no weights."""

import dataclasses
from collections import Counter, deque

import numpy as np
import pytest
from fabricated import RATE_HZ, ROW_MS, SECOND_PASS, UNIT, fabricated_model, samples_of
from hypothesis import given, settings
from hypothesis import strategies as st

from uniasr import Final, Partial, Refresh
from uniasr.configs.uniasr import ChunkConfig

PAUSE_MS = 600
PACKET = 5000
HALF_SECOND = [UNIT // 4] * 8
"""Two tokens in 8 rows."""


def closing_rows(alphas, row_ms, segment_s, max_segment_s):
    """The rule as a loop: rows at which segments end, for weights in units of 1 / UNIT."""
    ends, start, pause = [], 0, int(np.ceil(PAUSE_MS / row_ms))
    while start < len(alphas):
        weight = quiet = 0
        for row in range(start, len(alphas)):
            length = row + 1 - start
            fired = (weight + alphas[row]) // UNIT > weight // UNIT
            weight, quiet = weight + alphas[row], 0 if fired else quiet + 1
            if length * row_ms >= segment_s * 1000 and quiet >= pause:
                end = row + 1 - pause // 2
                break
            if length * row_ms >= max_segment_s * 1000:
                end = row + 1
                break
        else:
            end = len(alphas)
        ends.append(end)
        start = end
    return ends


def in_rows_of_pass_2(alphas):
    padded = [*alphas, *[0] * (len(alphas) % 2)]
    return [a + b for a, b in zip(padded[::2], padded[1::2], strict=True)]


def expected_ends_ms(alphas, mode, segment_s, max_segment_s):
    """Segments of pass 2 begin at even rows of pass 1, counted from the start of the audio."""
    if mode == "fast":
        return [end * ROW_MS for end in closing_rows(alphas, ROW_MS, segment_s, max_segment_s)]
    ends = closing_rows(in_rows_of_pass_2(alphas), 2 * ROW_MS, segment_s, max_segment_s)
    return [min(end * 2, len(alphas)) * ROW_MS for end in ends]


def events_of(model, samples, mode, packet, **options):
    with model.stream(mode, sample_rate=RATE_HZ, **options) as stream:
        parts = range(0, max(1, len(samples)), packet)
        return [event for at in parts for event in stream.accept(samples[at : at + packet])] + stream.finish()


stretches = st.lists(st.tuples(st.sampled_from([0, 1, 8, 16, 32]), st.integers(1, 40)), min_size=1, max_size=12)


@pytest.mark.parametrize("mode", ["fast", "normal", "offline"])
@settings(max_examples=30, deadline=None)
@given(
    stretches=stretches,
    segment_s=st.sampled_from([0.06, 0.5, 1.0, 3.33, 20.0]),
    longer=st.sampled_from([0.0, 0.07, 1.0, 2.5, 40.0]),
    packet=st.sampled_from([1000, 97, 13, 10_000_000]),
)
def test_segments_close_where_the_rule_says_in_streams_files_and_batches(mode, stretches, segment_s, longer, packet):
    alphas = [alpha for alpha, count in stretches for _ in range(count)]
    limits = {"segment_s": segment_s, "max_segment_s": segment_s + longer}
    samples, model = samples_of(alphas), fabricated_model()
    file = model.transcribe(samples, RATE_HZ, mode, **limits)
    assert [segment.end_ms for segment in file.segments] == expected_ends_ms(alphas, mode, *limits.values())
    assert [segment.index for segment in file.segments] == list(range(len(file.segments)))
    finals = [event for event in events_of(model, samples, mode, packet, **limits) if isinstance(event, Final)]
    assert tuple(event.result for event in finals) == file.segments
    batch = model.transcribe_batch([samples[: len(samples) // 2], samples, samples], RATE_HZ, mode, **limits)
    assert batch[1:] == [file, file]


@pytest.mark.parametrize("mode", ["fast", "normal"])
def test_a_long_segment_closes_in_the_middle_of_its_first_pause(mode):
    speech = HALF_SECOND * 45  # 21.6 s without a pause
    alphas = [*speech, *[0] * 20, *HALF_SECOND * 4]
    transcript = fabricated_model().transcribe(samples_of(alphas), RATE_HZ, mode)
    first, second = transcript.segments
    speech_ms, pause_ms = len(speech) * ROW_MS, 20 * ROW_MS
    assert speech_ms < first.end_ms < speech_ms + pause_ms
    # the pause counts from the last firing, and the rule does not wait for its end
    assert first.end_ms == pytest.approx(speech_ms + PAUSE_MS / 2, abs=2 * ROW_MS)
    assert (second.start_ms, second.end_ms) == (first.end_ms, transcript.duration_ms)
    assert len(first.tokens) == pytest.approx(90, abs=3)  # the search may end up to three steps early
    assert all(token.end_ms <= speech_ms for token in first.tokens)


def test_speech_without_a_pause_closes_after_a_minute():
    alphas = HALF_SECOND * 300  # 144 s
    for mode in ("fast", "normal"):
        ends = [segment.end_ms for segment in fabricated_model().transcribe(samples_of(alphas), RATE_HZ, mode).segments]
        assert ends == [60_000, 120_000, len(alphas) * ROW_MS]


def test_silence_closes_every_twenty_seconds_with_empty_texts():
    transcript = fabricated_model().transcribe(samples_of([0] * 1000), RATE_HZ, "fast")
    assert [segment.end_ms for segment in transcript.segments] == [19_740, 39_480, 59_220, 60_000]
    assert (transcript.text, transcript.tokens) == ("", ())


def test_a_short_pause_or_an_early_one_closes_nothing():
    nine_rows = HALF_SECOND * 50 + [0] * 6 + HALF_SECOND * 10  # the next firing is the fourth row of speech
    early = HALF_SECOND * 20 + [0] * 100 + HALF_SECOND * 15
    for alphas in (nine_rows, early):
        assert len(fabricated_model().transcribe(samples_of(alphas), RATE_HZ, "fast").segments) == 1


@pytest.mark.parametrize("mode", ["fast", "normal"])
def test_the_reference_search_never_cuts(mode):
    alphas = (HALF_SECOND * 100 + [0] * 50) * 4
    model = fabricated_model()
    transcript = model.transcribe(samples_of(alphas), RATE_HZ, mode, search="reference", beam_size=2)
    (segment,) = transcript.segments
    assert (segment.start_ms, segment.end_ms) == (0, len(alphas) * ROW_MS)
    events = events_of(model, samples_of(alphas), mode, 5000, search="reference", beam_size=2)
    assert [event.result for event in events if isinstance(event, Final)] == [segment]


def test_a_segment_that_closes_with_the_audio_leaves_no_empty_one_behind():
    limits = {"segment_s": 0.6, "max_segment_s": 1.2}
    transcript = fabricated_model().transcribe(samples_of([UNIT // 4] * 40), RATE_HZ, "fast", **limits)
    assert [segment.end_ms for segment in transcript.segments] == [1200, 2400]


@pytest.mark.parametrize(
    ("chunk", "alphas", "shift_ms"),
    [
        (ChunkConfig(size=7, stride=7), HALF_SECOND * 5, 0),
        (ChunkConfig(size=1, stride=1), HALF_SECOND * 5, 0),
        (ChunkConfig(size=1, stride=1), HALF_SECOND * 5, 100),
        (ChunkConfig(size=7, stride=5), [UNIT] * 40, 500),
        (ChunkConfig(size=7, stride=5), [UNIT] * 40, -200),
    ],
)
def test_what_is_stable_keeps_its_times_which_end_with_the_audio(chunk, alphas, shift_ms):
    """With little look-ahead or with times that are shifted, a segment may close before the end of a token."""
    model = fabricated_model(chunk=chunk, chunk2=chunk, shift_ms=shift_ms)
    for mode in ("fast", "normal"):
        for cut_off in (0, 1, 4, 5, 6, ROW_MS - 1):
            samples = samples_of(alphas)[: len(alphas) * ROW_MS - cut_off]
            events = events_of(model, samples, mode, 100, segment_s=0.5, max_segment_s=1.0)
            held, segment = (), 0
            for event in events:
                assert event.tokens[: len(held)] == held
                assert all(token.end_ms <= event.audio_ms <= len(samples) for token in event.tokens)
                held = () if isinstance(event, Final) else event.tokens[: event.stable]
                segment += isinstance(event, Final)


# What events show


@settings(max_examples=30, deadline=None)
@given(stretches=stretches, packet=st.sampled_from([97, 1000, 10_000_000]))
def test_second_pass_tokens_come_first_and_newer_first_pass_tokens_behind_them(stretches, packet):
    """Both passes fire at the same places here, and their ids tell which pass a token comes from."""
    alphas = [alpha for alpha, count in stretches for _ in range(count)]
    fired = np.cumsum([0, *alphas]) // UNIT
    model = fabricated_model()
    stride, chunks = model.config.encoder2.chunks[0].stride * 2, 0
    for event in events_of(model, samples_of(alphas), "normal", packet, segment_s=60.0):
        if isinstance(event, Final):
            assert all(token.id in SECOND_PASS for token in event.tokens)
            continue
        chunks += isinstance(event, Refresh)
        assert isinstance(event, Partial)
        passes = [2 if token.id in SECOND_PASS else 1 for token in event.tokens]
        second, both = fired[chunks * stride], fired[event.audio_ms // ROW_MS]
        assert passes == [2] * second + [1] * (both - second)
        assert event.stable <= second


# A stream of two hours


def state_size(thing, seen=None):
    """Bytes of arrays and numbers of items of containers that can be reached from a session, its plans left out."""
    seen = set() if seen is None else seen
    if id(thing) in seen or thing is None or isinstance(thing, str | bytes | int | float | bool | type):
        return 0
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        owner = thing if thing.base is None else thing.base
        if owner is not thing:
            return state_size(owner, seen) if isinstance(owner, np.ndarray) else thing.nbytes
        return thing.nbytes
    if isinstance(thing, dict):
        return sum(state_size(item, seen) for item in thing.values())
    if isinstance(thing, list | tuple | deque):
        return 8 * len(thing) + sum(state_size(item, seen) for item in thing)
    fields = [field.name for field in dataclasses.fields(thing)] if dataclasses.is_dataclass(thing) else vars(thing)
    return sum(state_size(getattr(thing, name), seen) for name in fields if name not in ("plans", "_front_end"))


def talk(seed, minutes):
    """Speech with short and long pauses, a stretch without a pause, a stretch of silence; one minute at a time."""
    rng = np.random.default_rng(seed)
    for minute in range(minutes):
        kind = minute % 5
        rows = 1000
        if kind == 3:
            yield [UNIT // 4] * rows
        elif kind == 4:
            yield [0] * rows
        else:
            alphas = []
            while len(alphas) < rows:
                alphas += [int(rng.integers(4, 32))] * int(rng.integers(5, 60)) + [0] * int(rng.integers(0, 15))
            yield alphas[:rows]


@pytest.mark.parametrize("mode", ["fast", "normal"])
def test_two_hours_of_stream_grow_in_nothing(mode):
    model = fabricated_model()
    sizes, calls, events, last = [], [], Counter(), Counter()
    with model.stream(mode, sample_rate=RATE_HZ, beam_size=2) as stream:
        for minute in talk(1, 120):
            samples, biggest = samples_of(minute), 0
            for at in range(0, len(samples), PACKET):
                for event in stream.accept(samples[at : at + PACKET]):
                    events[type(event).__name__] += 1
                    assert event.audio_ms <= len(sizes) * 60_000 + at + PACKET
                    assert len(event.tokens) < 400
                biggest = max(biggest, state_size(stream.session))
            sizes.append(biggest)
            calls.append(model.engine.calls - last)
            last = Counter(model.engine.calls)
    assert events["Final"] > 120
    first, later = sizes[5:30], sizes[30:]
    assert max(later) <= 1.15 * max(first), f"{max(first)} bytes in the first half hour, {max(later)} later"
    assert 1_000 < max(sizes) < 200_000
    for graph in model.engine.calls:
        first, later = (sum(minute[graph] for minute in part) for part in (calls[20:70], calls[70:120]))
        assert later == pytest.approx(first, rel=0.05), graph


def test_work_per_packet_is_bounded():
    """A packet of 2 s never makes more calls than the audio of a few chunks can ask for, at segment ends either."""
    model = fabricated_model()
    most = Counter()
    with model.stream("normal", sample_rate=RATE_HZ, beam_size=2) as stream:
        for minute in talk(2, 10):
            samples = samples_of(minute)
            for at in range(0, len(samples), 2000):
                before = Counter(model.engine.calls)
                stream.accept(samples[at : at + 2000])
                for graph, count in (model.engine.calls - before).items():
                    most[graph] = max(most[graph], count)
    assert most["encoder"] <= 12
    assert most["encoder2"] <= 6
    assert most["decoder"] <= 60
    assert most["decoder2"] <= 60


def test_an_n_best_list_has_each_hypothesis_once():
    """Hypotheses may differ in blanks and marks alone, which nobody sees."""
    alphas = [*HALF_SECOND, *HALF_SECOND, 0, 0]
    (segment,) = fabricated_model().transcribe(samples_of(alphas), RATE_HZ, "fast", beam_size=1000, nbest=1000).segments
    assert len({one.token_ids for one in segment.nbest}) == len(segment.nbest) > 900
    assert [one.score for one in segment.nbest] == sorted((one.score for one in segment.nbest), reverse=True)
    assert segment.nbest[0].text == segment.text
