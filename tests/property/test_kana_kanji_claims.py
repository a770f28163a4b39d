"""What writing kana claims for all inputs: nothing is lost, settled words stay, streams equal files."""

from copy import copy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import soundfile
from hypothesis import example, given, settings
from hypothesis import strategies as st

import uniasr
from uniasr.errors import OptionError
from uniasr.recognizers.uniasr.reports import Reports
from uniasr.recognizers.uniasr.segments import Clock
from uniasr.recognizers.written import Writing
from uniasr.text.kana_kanji import words
from uniasr.text.kana_kanji.listed import word_list
from uniasr.text.kana_kanji.windows import SIZE, searched
from uniasr.types import Final, HotwordMatch, Hypothesis, Segment, Token

PACKAGED = Path(uniasr.__file__).parent / "packaged"
SAMPLE = PACKAGED / "samples" / "ja.wav"
KANA = "アイウエオキクケコサシスセソタチツテトナニノハヒフヘホマミムメモラリルレロワヲンャュョッーガギゴジズダデバブパ"
PHRASES = [
    "ワタシワ",
    "カレワ",
    "ガッコーニ",
    "イッタ",
    "トオモウ",
    "コトガアル",
    "キレーナ",
    "ハナヲ",
    "ミマシタ",
    "ヨー",
]

pytestmark = pytest.mark.skipif(not (PACKAGED / "ja-written").is_dir(), reason="no packaged converter in this checkout")

kana_texts = st.one_of(
    st.text(st.sampled_from(KANA), max_size=40), st.lists(st.sampled_from(PHRASES), max_size=8).map("".join)
)
mixed = st.lists(st.one_of(kana_texts, st.text(max_size=4)), max_size=4).map("".join)
OPTIONS = {"output": "written", "converter": "ja-written"}


@pytest.fixture(scope="module")
def converter():
    return uniasr.load_converter()


@pytest.fixture(scope="module")
def model(packaged_model):
    return packaged_model


def written(result, until):
    return [(s.source_end, result.text[s.start : s.end], s.certainty) for s in result.spans if s.source_end <= until]


@settings(deadline=None, max_examples=60)
@given(mixed)
def test_spans_partition_both_texts(converter, text):
    result = converter.convert(text, spans=True)
    assert result.source == text
    at = place = 0
    for span in result.spans:
        assert (span.source_start, span.start) == (at, place)
        assert span.source_end > at
        assert (result.text[span.start : span.end] == text[at : span.source_end]) == (span.kind == "literal")
        assert 0.0 <= span.certainty <= 1.0
        at, place = span.source_end, span.end
    assert (at, place) == (len(text), len(result.text))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.one_of(mixed, kana_texts), max_size=6), st.booleans(), st.sampled_from([0, 0, 25]))
def test_texts_are_judged_together_as_alone(converter, texts, listed, repeats):
    words = ["学校似 がっこうに", "和多氏 わたし"] if listed else None
    texts += ["".join(PHRASES) * repeats]  # of several windows
    alone = [converter.log_probability(text, words) for text in texts]
    assert converter.log_probabilities(texts, words) == alone
    assert all(value <= 0 for value in alone)


@settings(deadline=None, max_examples=60)
@given(mixed, kana_texts, st.booleans())
def test_settled_words_stay_whatever_follows(converter, text, more, listed):
    words = ["学校似 がっこうに", "和多氏 わたし"] if listed else None
    settled = converter.settled(text, words)
    assert 0 <= settled <= len(text)
    before, after = (converter.convert(one, words, spans=True) for one in (text, text + more))
    assert written(before, settled) == written(after, settled)


@settings(deadline=None, max_examples=60)
@given(mixed, st.integers(0, 100), st.booleans(), st.sampled_from([0, 0, 0, 25]))
def test_a_running_text_is_converted_and_settled_at_once(converter, text, share, listed, repeats):
    words = ["学校似 がっこうに", "和多氏 わたし"] if listed else None
    text += "".join(PHRASES) * repeats
    stable = len(text) * share // 100
    wanted = converter.convert(text, words, spans=True), converter.settled(text[:stable], words)
    assert converter.running(text, stable, words) == wanted


def test_words_settle_soon(converter):
    text = "ワタシワガッコーニイッタトオモウコトガアル"
    assert sum(end - converter.settled(text[:end]) for end in range(len(text))) < 9 * len(text)


def test_settled_words_stay_at_the_edges_of_windows(converter):
    text = "".join(PHRASES) * 12
    whole = converter.convert(text, spans=True)
    for end in range(SIZE - 3, SIZE + 40):
        part = converter.convert(text[:end], spans=True)
        settled = converter.settled(text[:end])
        assert settled > end - 64
        assert written(part, settled) == written(whole, settled)


@pytest.fixture
def searches(monkeypatch):
    """Sizes of the windows that are searched, of which none is known yet."""
    sizes = []

    def counted(excerpts, *rest):
        sizes.extend(len(one.kana) for one in excerpts)
        return searched(excerpts, *rest)

    monkeypatch.setattr(words, "searched", counted)
    words._full.cache_clear()
    return sizes


def test_no_window_grows_with_the_text(converter, searches):
    converter.convert("".join(PHRASES) * 60)
    assert max(searches) == SIZE
    assert len(searches) <= len(PHRASES) * 60 * 4 // (SIZE - 64) + 1


def test_a_text_that_goes_on_is_searched_at_its_end_alone(converter, searches):
    text, most = "".join(PHRASES) * 40, 0
    for end in range(0, len(text), 9):
        searches.clear()
        found = converter.running(text[:end], max(0, end - 20))
        most = max(most, sum(searches))
    assert most <= 3 * SIZE
    words._full.cache_clear()
    assert converter.running(text[:end], end - 20) == found


class Hearing(Reports):
    """The reports of a segment of which one kana more is certain each time."""

    def __init__(self, writing):
        self.said, first = "", SimpleNamespace(frames_done=0)
        super().__init__(SimpleNamespace(index=0, first=first, second=None), (), writing, None)

    def _tokens(self, carry, clock):
        return [Token(kana, i, 10 * i, 10 * i + 10, 0.5) for i, kana in enumerate(self.said)], len(self.said)


@settings(deadline=None, max_examples=30)
@given(kana_texts, st.booleans())
@example("サクネンワユキガオーカッタ", False)
def test_what_was_stable_stays_stable(converter, text, listed):
    """How many words are settled may fall with a further kana; what was promised holds all the same."""
    reports = Hearing(Writing(converter, word_list(["学校似 がっこうに", "和多氏 わたし"] if listed else None)))
    promised = ()
    for end in range(1, len(text) + 1):
        reports.said = text[:end]
        event = reports.after(None, Clock(10.0, 0.0, None))
        assert event.stable >= len(promised)
        assert event.tokens[: len(promised)] == promised
        promised = event.tokens[: event.stable]


@settings(deadline=None, max_examples=8)
@given(st.lists(st.integers(800, 20_000), min_size=1, max_size=4), st.sampled_from(["fast", "normal"]))
def test_a_written_stream_is_the_file_and_stable_tokens_stay(model, sizes, mode):
    samples, rate = soundfile.read(SAMPLE, dtype="float32")
    stream, events, at, turn = model.stream(mode, sample_rate=rate, **OPTIONS), [], 0, 0
    while at < len(samples):
        events += stream.accept(samples[at : at + sizes[turn % len(sizes)]])
        at, turn = at + sizes[turn % len(sizes)], turn + 1
    events += stream.finish()
    kept = {}
    for event in events:
        known = kept.get(event.segment, ())
        assert event.tokens[: len(known)] == known
        kept[event.segment] = event.tokens[: event.stable]
    finals = tuple(event.result for event in events if isinstance(event, Final))
    assert finals == model.transcribe(samples, rate, mode, **OPTIONS).segments


def test_written_tokens_have_the_times_and_kana_of_their_sources(model):
    kana = model.transcribe(SAMPLE, converter="ja-written", output="kana").segments[0]
    segment = model.transcribe(SAMPLE, **OPTIONS).segments[0]
    assert "".join(token.reading or token.text for token in segment.tokens) == kana.text
    assert segment.text == "".join(token.text for token in segment.tokens) != kana.text
    left = list(kana.tokens)
    spans = uniasr.load_converter().convert(kana.text, spans=True).spans
    certain = [span.certainty for span in spans for _ in range(span.source_start, span.source_end)]
    for token in segment.tokens:
        sources, spelled = [], ""
        while spelled != (token.reading or token.text):
            sources.append(left.pop(0))
            spelled += sources[-1].text
        assert (token.start_ms, token.end_ms) == (sources[0].start_ms, sources[-1].end_ms)
        assert token.confidence == min(source.confidence for source in sources) * min(certain[: len(spelled)])
        del certain[: len(spelled)]
    assert not left
    assert segment.nbest[0].token_ids == kana.nbest[0].token_ids


def test_what_is_written_alike_is_one_hypothesis(converter):
    heard = ["サクネンワユキガオーカッタ", "サクネンワユキガオオカッタ", "サクネンワユキガ"]
    nbest = tuple(Hypothesis((i,), -float(i), kana) for i, kana in enumerate(heard))
    tokens = tuple(Token(kana, i, 10 * i, 10 * i + 10, 0.5) for i, kana in enumerate(heard[0]))
    segment = Writing(converter, word_list(None)).segment(Segment(0, 0, 200, heard[0], tokens, nbest))
    written = [(one.token_ids, one.score, one.text) for one in segment.nbest]
    assert written == [((0,), 0.0, segment.text), ((2,), -2.0, "昨年は雪が")]


@pytest.mark.parametrize(
    ("kana", "heard", "word", "text", "held"),
    [
        ("ケーカイシテイナイ", "カイ", "カイ", "警戒していない", False),
        ("レンチューワ", "チュー", "チュー", "連中は", False),
        ("リビングデ", "リビング", "りびんぐ", "リビングで", True),
        ("リビングデ", "リビング", "ﾘﾋﾞﾝｸﾞ", "リビングで", True),
        ("コーヒーヲノム", "コーヒー", "こおひい", "コーヒーを飲む", True),
        ("コンニチワミナサン", "コンニチワ", "コンニチハ", "こんにちはみなさん", True),
        ("コンニチワミナサン", "コンニチワ", "コンニチワ", "こんにちはみなさん", True),
        ("ケーカイシテイナイ", "ケーカイ", "警戒", "警戒していない", True),
        ("コンニチワミナサン", "ミナサン", "南さん", "こんにちはみなさん", False),
    ],
)
def test_a_hotword_is_reported_where_the_text_holds_it(converter, kana, heard, word, text, held):
    start = 10 * kana.index(heard)
    tokens = tuple(Token(char, i, 10 * i, 10 * i + 10, 0.5) for i, char in enumerate(kana))
    match = HotwordMatch(word, start, start + 10 * len(heard), 0)
    segment = Writing(converter, word_list(None)).segment(Segment(0, 0, 200, kana, tokens, (), (match,)))
    assert (segment.text, segment.hotwords) == (text, (match,) if held else ())


def test_katakana_for_want_of_a_word_are_sure_only_if_they_sound_foreign(converter):
    for kana, foreign in (("ネンプ", False), ("ギョレメ", False), ("ツォルン", True), ("ヴェクソ", True)):
        (span,) = converter.convert(kana, spans=True).spans
        assert span.kind == "literal"
        assert (span.certainty > 0.65) == foreign


def test_hotwords_are_written_and_a_list_that_is_read_once_will_do(model):
    words = ["居間 りびんぐ 2"]
    segment = model.transcribe(SAMPLE, hotwords=(word for word in words), **OPTIONS).segments[0]
    assert "居間" in segment.text
    assert [match.word for match in segment.hotwords] == ["居間"]
    segment = model.transcribe(SAMPLE, hotwords=["居間 りびんぐ 0.1", "リビング"], **OPTIONS).segments[0]
    assert "リビング" in segment.text
    assert [match.word for match in segment.hotwords] == ["リビング"]


@pytest.fixture
def trusting(model):
    """The model without doubt: it hears every segment in one way."""
    changed = copy(model)
    changed.config = replace(model.config, doubt=None)
    return changed


def test_a_closed_segment_is_judged_by_sense(trusting):
    model = trusting
    options = {"nbest": 5, "beam_size": 5, "output": "kana"}
    plain = model.transcribe(SAMPLE, converter="none", **options).segments[0].nbest
    judged = model.transcribe(SAMPLE, **options).segments[0].nbest
    assert {one.token_ids for one in plain} == {one.token_ids for one in judged}
    scores = {one.token_ids: one.score for one in plain}
    converter = uniasr.load_converter()
    for one in judged:
        wanted = scores[one.token_ids] + model.config.converter_weight * converter.log_probability(one.text)
        assert one.score == pytest.approx(wanted, abs=1e-3)
    assert [one.score for one in judged] == sorted((one.score for one in judged), reverse=True)
    same = model.transcribe(SAMPLE, converter_weight=0, **options).segments[0].nbest
    assert same == plain


def test_a_mode_keeps_as_many_hypotheses_as_the_model_says(trusting):
    model = trusting
    for mode in ("fast", "normal", "offline"):
        segment = model.transcribe(SAMPLE, mode=mode, nbest=100, output="kana").segments[0]
        assert len(segment.nbest) == model.config.beam_of(mode)
        assert len(model.transcribe(SAMPLE, mode=mode, nbest=100, beam_size=3, output="kana").segments[0].nbest) == 3


def test_options_that_make_no_sense_are_refused(model):
    for options, complaint in (
        ({"output": "kanji"}, "output"),
        ({"output": "written", "converter": "none"}, "converter"),
        ({"converter": "nothing-like-it"}, "nothing-like-it"),
        ({"converter_weight": float("nan")}, "converter_weight"),
    ):
        with pytest.raises((OptionError, uniasr.UniasrError), match=complaint):
            model.transcribe(SAMPLE, **options)
