"""What the automaton adds, against a search for the words; searches with it against naive ones; streams, files."""

import unicodedata
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import uniasr
from uniasr import Final, Partial
from uniasr.decoding.beam import EOS, Scorers, start_search
from uniasr.decoding.hotwords import MARGIN, HotwordScorer, Occurrence, Spelling
from uniasr.types import DecodingOptions

VOCABULARY = 7
WORDS = ["りびんぐ", "レンショ", "シャベッテ", "していない 2", "カイシ -3"]

LEVEL = np.zeros((2, VOCABULARY), np.float32)

ids = st.integers(3, VOCABULARY - 1)
weights = st.sampled_from([0.5, 1.0, 2.0, 0.0, -1.0])
spellings = st.lists(
    st.builds(Spelling, st.lists(ids, min_size=1, max_size=5).map(tuple), st.integers(0, 9), weights), max_size=12
)
texts = st.lists(st.integers(0, VOCABULARY - 1), max_size=30)


def scorer_of(spelled):
    return HotwordScorer([str(number) for number in range(10)], spelled, VOCABULARY)


def places(spelled, text):
    return {
        Occurrence(spelling.word, begin, begin + len(spelling.ids))
        for spelling in spelled
        for begin in range(len(text))
        if tuple(text[begin : begin + len(spelling.ids)]) == spelling.ids
    }


def value(spelled, text):
    """Sum of the bonuses of the words in a text; words of one spelling count once."""
    best = {}
    for spelling in spelled:
        best[spelling.ids] = max(best.get(spelling.ids, -np.inf), spelling.bonus)
    return sum(
        bonus
        for word, bonus in best.items()
        for begin in range(len(text))
        if tuple(text[begin : begin + len(word)]) == word
    )


def additions(scorer, text):
    """What each token adds, and the end; asked for beside other candidates and hypotheses."""
    state, added = scorer.start(2), []
    for token in text:
        scored = scorer.score(state, LEVEL, np.tile(np.arange(VOCABULARY), (2, 1)))
        added.append(scored.additions[1, token])
        state = scorer.follow(scored, np.array([0, 1]), np.array([0, token]))
    return [*added, scorer.refund(state)[1]]


@settings(max_examples=300, deadline=None)
@given(spelled=spellings, text=texts)
def test_a_text_earns_its_words_and_nothing_else(spelled, text):
    scorer = scorer_of(spelled)
    assert sum(additions(scorer, text)) == pytest.approx(value(spelled, text), abs=1e-9)
    found = scorer.occurrences(text)
    assert set(found) == places(spelled, text)
    assert len(found) == len(set(found))
    assert [match.end for match in found] == sorted(match.end for match in found)


@given(spelled=spellings, text=texts)
def test_no_more_is_lent_than_can_still_be_earned(spelled, text):
    scorer = scorer_of(spelled)
    lent = sum(additions(scorer, text)[:-1]) - value(spelled, text)
    assert -1e-9 <= lent <= max([0.0, *(spelling.bonus for spelling in spelled)]) + 1e-9


def test_what_is_not_heard_earns_nothing():
    scorer = scorer_of([Spelling((3, 4), 0)])
    ids = np.tile(np.arange(VOCABULARY), (1, 1))
    near = np.full((1, VOCABULARY), -MARGIN - 1.0, np.float32)
    near[0, [3, 5]] = 1 - MARGIN, 0.0
    first = scorer.score(scorer.start(1), near, ids)
    assert first.additions[0, 3] > 0.0
    second = scorer.score(scorer.follow(first, np.array([0]), np.array([3])), near, ids)
    assert second.additions[0, 4] == -first.additions[0, 3]
    assert scorer.follow(second, np.array([0]), np.array([4])) == 0


def model_of(seed):
    def model(prefix):
        logits = 1.5 * np.random.default_rng([seed, *prefix]).standard_normal(VOCABULARY)
        return (logits - np.log(np.exp(logits).sum())).astype(np.float32)

    return model


def decode(options, model, spelled, fired):
    """Results of a search over all candidates."""
    search = start_search(options, Scorers(hotwords=scorer_of(spelled)) if spelled else None)
    prefixes = [()] * options.beam_size
    while search.ready(fired, 0.5, ended=True):
        table = np.stack([model(prefix) for prefix in prefixes])
        order = np.argsort(-table, axis=1, kind="stable")
        parents = search.step(np.take_along_axis(table, order, axis=1), order, table[:, EOS])
        prefixes = [
            (*prefixes[p], int(t)) for p, t in zip(parents.tolist(), search.last_tokens().tolist(), strict=True)
        ]
    return [(tuple(end.ids.tolist()), end.score) for end in search.results(options.nbest)]


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32), spelled=spellings, fired=st.integers(1, 8), rule=st.sampled_from(["gated", "reference"])
)
def test_scores_are_those_of_the_model_and_the_words(seed, spelled, fired, rule):
    model = model_of(seed)
    options = DecodingOptions(beam_size=6, nbest=6, search=rule)
    for tokens, score in decode(options, model, spelled, fired):
        own = sum(float(model(tokens[:i])[token]) for i, token in enumerate(tokens))
        ends = {own, own + float(model(tokens)[EOS])} if rule == "reference" else {own + float(model(tokens)[EOS])}
        rest = score - value(spelled, tokens)
        assert min(abs(rest - end) for end in ends) < 1e-5


@pytest.mark.parametrize("rule", ["gated", "reference"])
@pytest.mark.parametrize("seed", range(3))
def test_a_wide_beam_finds_the_best_of_all_with_words(rule, seed):
    model, spelled = model_of(seed), [Spelling((4, 5), 0, 3.0), Spelling((5,), 1, 1.0)]
    options = DecodingOptions(beam_size=400, search=rule, token_num_relax=1)
    ((_, score),) = decode(options, model, spelled, 2)

    def total(text):
        return sum(float(model(text[:i])[t]) for i, t in enumerate(text)) + value(spelled, text)

    rivals = [(a, b) for a in range(VOCABULARY) for b in range(VOCABULARY) if EOS not in (a, b)]
    assert score >= max(total(text) + float(model(text)[EOS]) for text in rivals) - 1e-6


@pytest.mark.parametrize("rule", ["gated", "reference"])
def test_words_that_are_only_begun_push_nothing_out(rule):
    def model(prefix):  # two words are begun and not gone on with; what is likeliest is no word
        rows = {(): [-9, -9, -9, -0.1, -3, -3, -9], (3,): [-9, -9, -9, -9, -9, -9, -0.1]}
        return np.array(rows.get(prefix, [-99, -99, -0.1, -99, -99, -99, -99]), np.float32)

    begun = [Spelling((4, 3, 3, 3, 3), 0, 5.0), Spelling((5, 3, 3, 3, 3), 1, 5.0)]
    ((tokens, _),) = decode(DecodingOptions(beam_size=2, search=rule), model, begun, 3)
    assert tokens[:2] == (3, 6)


def test_a_scorer_without_words_changes_no_bit():
    model = model_of(7)
    for rule in ("gated", "reference"):
        options = DecodingOptions(nbest=5, search=rule)
        assert decode(options, model, [], 9) == decode(options, model, [Spelling((3, 4), 0, 0.0)], 9)


def test_other_words_from_a_step_on_take_back_what_was_lent():
    scorer = scorer_of([Spelling((3, 4, 5), 0, 4.0)])
    for rule in ("gated", "reference"):
        search = start_search(DecodingOptions(beam_size=1, search=rule), Scorers(hotwords=scorer))
        table = np.full((1, VOCABULARY), -5.0, np.float32)
        table[0, 3] = -1.0
        order = np.argsort(-table, axis=1, kind="stable")
        for _ in range(3):
            assert search.ready(3, 0.5, ended=True)
            search.step(np.take_along_axis(table, order, axis=1), order, table[:, EOS])
            search.set_hotwords(None)
        while search.ready(3, 0.5, ended=True):
            search.step(np.take_along_axis(table, order, axis=1), order, table[:, EOS])
        assert search.results(1)[0].score < 0.0
        assert (search.results(1)[0].score + 5.0) % 1.0 == pytest.approx(0.0, abs=1e-6)


@pytest.fixture(scope="module")
def model(packaged_model):
    return packaged_model


@pytest.fixture(scope="module")
def speech(sample):
    return soundfile.read(sample, dtype="int16")[0]


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    mode=st.sampled_from(["fast", "normal", "offline"]),
    rule=st.sampled_from(["gated", "reference"]),
    words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=5),
    sizes=st.lists(st.integers(1, 20_000), max_size=12),
    segment_s=st.sampled_from([0.8, 20.0]),
)
def test_streams_with_hotwords_are_files_with_hotwords(model, speech, mode, rule, words, sizes, segment_s):
    options = {"hotwords": words, "search": rule, "segment_s": segment_s, "nbest": 3}
    with model.stream(mode, **options) as stream:
        ends = np.minimum(np.cumsum([0, *sizes]), len(speech))
        packets = [speech[a:b] for a, b in zip(ends, [*ends[1:], len(speech)], strict=True)]
        events = [event for packet in packets for event in stream.accept(packet)] + stream.finish()
    transcript = model.transcribe(speech, 16_000, mode, **options)
    assert tuple(event.result for event in events if isinstance(event, Final)) == transcript.segments
    company, _ = model.transcribe_batch([speech, speech[:20_000]], 16_000, mode, **options)
    assert company == transcript
    for match in transcript.hotwords:
        segment = transcript.segments[match.segment]
        assert segment.start_ms <= match.start_ms <= match.end_ms <= segment.end_ms


def other_word(model, plain):
    """Four tokens of the best hypothesis that is not the text, from just before where it differs."""
    best = plain.nbest[0].token_ids
    for hypothesis in plain.nbest[1:]:
        ids = hypothesis.token_ids
        differs = next((i for i, pair in enumerate(zip(best, ids, strict=False)) if pair[0] != pair[1]), len(ids))
        word = "".join(model.vocabulary.tokens[i] for i in ids[max(0, differs - 1) : differs + 3])
        if len(word) > 2 and word not in plain.text:
            return word
    raise AssertionError("no hypothesis differs from the text")


@pytest.mark.parametrize("mode", ["fast", "normal", "offline"])
def test_words_are_heard_where_the_model_alone_hears_others(model, speech, mode):
    # the search alone: a converter would judge its hypotheses anew, with the words
    hear = partial(model.transcribe, speech, 16_000, mode, converter="none")
    plain = hear(nbest=5)
    word = other_word(model, plain)
    weighted = (hear(hotwords={word: weight}) for weight in (1.0, 2.0, 3.0, 4.0, 6.0))
    biased = next(found for found in weighted if word in found.text)
    assert plain.hotwords == ()
    assert word not in plain.text
    assert {match.word for match in biased.hotwords} == {word}
    found = hear(hotwords=[plain.text[:4]])
    assert found.text == plain.text
    (match,) = found.hotwords
    assert (match.word, match.segment, match.start_ms) == (plain.text[:4], 0, plain.tokens[0].start_ms)


def test_words_change_in_mid_stream(model, speech):
    text = model.transcribe(speech, 16_000, "fast", output="kana").text
    first, last = text[:4], text[-4:]
    half = len(speech) // 2
    runs = {}
    for sizes in ([half], [half // 3, half - half // 3], [160] * (half // 160) + [half % 160]):
        with model.stream("fast", hotwords=[first, last], output="kana") as stream:
            at, events = 0, []
            for size in sizes:
                events += stream.accept(speech[at : at + size])
                at += size
            stream.set_hotwords([last])
            events += stream.accept(speech[at:]) + stream.finish()
        runs[tuple(sizes)] = [event for event in events if isinstance(event, Final)]
    finals = list(runs.values())
    assert all(found == finals[0] for found in finals)
    assert [match.word for match in finals[0][0].result.hotwords] == [first, last]
    with model.stream("fast", hotwords=[first], output="kana") as stream:
        stream.set_hotwords(None)
        events = stream.accept(speech) + stream.finish()
    assert all(isinstance(event, Partial) for event in events)
    assert events[-1].result.hotwords == ()
    with model.stream("fast") as stream, pytest.raises(uniasr.UniasrError, match="readings in kana"):
        stream.set_hotwords(["龘"])


def test_a_segment_that_is_heard_again_is_heard_with_the_words_of_that_time(model, speech):
    words = ["居間 リビング 2"]
    half = len(speech) // 2
    with model.stream("normal") as stream:
        events = stream.accept(speech[:half])
        stream.set_hotwords(words)
        events += stream.accept(speech[half:]) + stream.finish()
    finals = tuple(event.result for event in events if isinstance(event, Final))
    assert finals == model.transcribe(speech, 16_000, "normal", hotwords=words).segments
    assert [match.word for match in finals[0].hotwords] == ["居間"]


@pytest.mark.parametrize("weight", [1, 2, 5, 10])
@pytest.mark.parametrize("mode", ["fast", "normal", "offline"])
def test_words_come_up_where_they_are_said_and_nowhere_else_however_strongly_wished_for(model, speech, mode, weight):
    plain = model.transcribe(speech, 16_000, mode, output="kana").text
    word = plain[7:11]
    found = model.transcribe(speech, 16_000, mode, output="kana", hotwords={word: weight, "サガエ": weight}).text
    assert (found.count(word), found.find(word), found.count("サガエ")) == (1, 7, 0)
    assert len(found) == len(plain)


@pytest.mark.parametrize("form", ["NFC", "NFD", "half"])
def test_a_word_is_reported_in_any_form_of_its_kana(model, form):
    word = "ﾘﾋﾞﾝｸﾞ" if form == "half" else unicodedata.normalize(form, "リビング")
    sample = Path(uniasr.__file__).parent / "packaged" / "samples" / "ja.wav"
    for output in ("kana", "written"):
        matches = model.transcribe(sample, hotwords=[word, word], output=output).hotwords
        assert [match.word for match in matches] == [word]
