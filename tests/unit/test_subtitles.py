"""Cues of any tokens: order, limits, nothing lost, and files that read back as what was laid out."""

import re
from itertools import pairwise, zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st
from subtitled import evenly, parse_ass, parse_srt, parse_textgrid, parse_vtt, transcript, transcripts, words

from uniasr.errors import OptionError
from uniasr.formats import SUBTITLES, CueRules, SubtitleWriter, make_cues, render
from uniasr.formats.lines import columns, one_line
from uniasr.formats.rules import LINGER_MS, STEP_MS
from uniasr.formats.timed import glyphs
from uniasr.types import Segment, Token, Transcript

rules_of_all_kinds = st.builds(
    CueRules,
    max_line_chars=st.integers(4, 40),
    max_lines=st.sampled_from([1, 2]),
    max_cps=st.floats(1, 50),
    max_ms=st.integers(1000, 9000),
    min_ms=st.integers(100, 1000),
    gap_ms=st.integers(0, 99),
)


def bare(text):
    return re.sub(r"\s", "", one_line(text))


@given(transcripts, rules_of_all_kinds)
def test_cues_keep_order_limits_and_every_character(value, rules):
    cues = make_cues(value, rules)
    shown = "".join("".join(cue.lines) for cue in cues)
    assert bare(shown) == "".join(bare(segment.text) for segment in value.segments)
    assert [cue.number for cue in cues] == list(range(1, len(cues) + 1))
    room = value.duration_ms >= STEP_MS * len(cues)
    for cue, following in zip_longest(cues, cues[1:]):
        assert 1 <= len(cue.lines) <= rules.max_lines
        assert all(line == one_line(line) and line for line in cue.lines)
        assert all(columns(line) <= 2 * rules.max_line_chars or len(glyph_list(line)) == 1 for line in cue.lines)
        length = cue.end_ms - cue.start_ms
        assert STEP_MS <= length <= rules.max_ms
        limit = value.duration_ms if following is None else following.start_ms
        if room and len(value.segments) == 1:
            assert cue.end_ms <= limit
        elif following is not None:
            assert cue.end_ms <= following.start_ms
        # Shorter than the least time, faster than can be read: only where the next cue or the end of the audio is near.
        near = limit - cue.end_ms <= rules.gap_ms
        reading_ms = sum(map(columns, cue.lines)) / 2 / rules.max_cps * 1000
        assert near or length >= min(max(rules.min_ms, reading_ms), LINGER_MS, rules.max_ms)
        if following is not None:
            assert following.start_ms - cue.end_ms >= rules.gap_ms or length <= max(rules.min_ms, STEP_MS)


def glyph_list(line):
    return glyphs(Segment(0, 0, 1, line, (), ()))


@given(transcripts)
def test_files_read_back_as_the_cues(value):
    cues = make_cues(value)
    expected = [(cue.start_ms, cue.end_ms, [line.replace("\u2060", "") for line in cue.lines]) for cue in cues]
    assert parse_srt(render(value, "srt")) == expected
    assert parse_vtt(render(value, "vtt")) == [(cue.start_ms, cue.end_ms, list(cue.lines)) for cue in cues]
    assert parse_ass(render(value, "ass")) == [(cue.start_ms // 10, cue.end_ms // 10, list(cue.lines)) for cue in cues]
    assert all(start < end for start, end, _ in parse_ass(render(value, "ass")))


@given(transcripts)
def test_textgrid_reads_back(value):
    end, tiers = parse_textgrid(render(value, "textgrid"))
    assert end >= value.duration_ms / 1000
    spoken = "".join(bare(segment.text) for segment in value.segments)
    assert [bare("".join(text for _, _, text in tiers[name])) for name in ("segments", "tokens")] == [spoken, spoken]


@given(transcripts, st.sampled_from(sorted(SUBTITLES)))
def test_pieces_of_a_file_are_the_file(value, fmt):
    writer = SubtitleWriter(fmt)
    pieces = [writer.add(segment) for segment in value.segments]
    assert "".join([*pieces, writer.finish(value.duration_ms)]) == render(value, fmt)


@given(
    st.lists(st.tuples(words, st.integers(0, 5000), st.integers(0, 5000)), max_size=20),
    st.text(max_size=60),
    st.integers(0, 9000),
    st.integers(0, 9000),
)
def test_any_times_and_any_rewriting_lose_nothing(items, text, start, end):
    """Tokens out of order, segments that end before they start, texts that no token spells."""
    text = text.encode("utf-8", "ignore").decode()
    tokens = tuple(Token(word, 3, first, last, 0.5) for word, first, last in items)
    cues = make_cues(Transcript(text, (Segment(0, start, end, text, tokens, ()),), end))
    assert bare("".join("".join(cue.lines) for cue in cues)) == bare(text)
    for cue, following in pairwise(cues):
        assert cue.start_ms < cue.end_ms <= following.start_ms


def lines_of(value, **rules):
    return [cue.lines for cue in make_cues(value, CueRules(**rules))]


def test_lines_break_at_phrases():
    text = "この資料は小林さんが作ってくれたものです。明日の会議までに読んでおいてください。"
    assert lines_of(transcript(evenly(text))) == [
        ("この資料は小林さんが", "作ってくれたものです。"),
        ("明日の会議までに読んで", "おいてください。"),
    ]


def test_lines_begin_and_end_where_they_may():
    assert lines_of(transcript(evenly("ア" * 16 + "ッ" + "ア" * 12))) == [("ア" * 15, "アッ" + "ア" * 12)]
    assert lines_of(transcript(evenly("ア" * 14 + "「イ」" + "ア" * 12))) == [("ア" * 14, "「イ」" + "ア" * 12)]
    assert lines_of(transcript(evenly("全部で１２３４個の箱があった")), max_line_chars=6) == [
        ("全部で", "１２３４個の"),
        ("箱があった",),
    ]
    assert lines_of(transcript(evenly("か\u3099" * 8)), max_line_chars=4) == [("か\u3099" * 4,) * 2]


def test_words_of_other_scripts_stay_whole_unless_they_fit_nowhere():
    names = ["several", "words", "that", "nobody", "cuts", "in", "pieces"]
    words = [(word, 250 * i, 250 * (i + 1)) for i, word in enumerate(names)]
    assert lines_of(transcript(words), max_line_chars=8) == [("several words", "that nobody"), ("cuts in pieces",)]
    torn = [line for lines in lines_of(transcript([("x" * 20, 0, 2000)]), max_line_chars=4) for line in lines]
    assert "".join(torn) == "x" * 20
    assert max(map(len, torn)) <= 8


def test_kana_alone_break_at_pauses():
    """Two pauses of 300 ms; BudouX knows nothing about katakana."""
    kana = "キョウワイイテンキデスネトカレワイッタノダケレドモ"
    tokens = [
        (char, 150 * i + 300 * (i >= 11) + 300 * (i >= 16), 150 * (i + 1) + 300 * (i >= 11) + 300 * (i >= 16))
        for i, char in enumerate(kana)
    ]
    assert lines_of(transcript(tokens)) == [(kana[:11], kana[11:])]


def test_a_cue_ends_at_a_long_pause_and_short_sentences_share_one():
    paused = transcript([*evenly("みずを"), *evenly("のむひと", start=1400)])
    assert lines_of(paused) == [("みずを",), ("のむひと",)]
    close = transcript([*evenly("みずを"), *evenly("のむひと", start=1000)])
    assert lines_of(close) == [("みずをのむひと",)]
    assert lines_of(transcript(evenly("はい。そうです。"))) == [("はい。そうです。",)]
    long = "わたしはみずをのみます。あなたはなにをのみますか。"
    assert lines_of(transcript(evenly(long))) == [(long[:12],), (long[12:],)]


def test_times_of_cues():
    """Long enough to read where there is room, a short gap where cues follow each other, never beyond the audio."""
    alone = make_cues(transcript(evenly("ア" * 14, step=100), duration_ms=9000))
    assert [(cue.start_ms, cue.end_ms) for cue in alone] == [(0, 2000)]
    brief = make_cues(transcript(evenly("ア"), duration_ms=9000))
    assert [(cue.start_ms, cue.end_ms) for cue in brief] == [(0, 833)]
    cut = make_cues(transcript(evenly("ア"), duration_ms=500))
    assert [(cue.start_ms, cue.end_ms) for cue in cut] == [(0, 500)]
    chained = make_cues(transcript([*evenly("アアア。", step=500), *evenly("イイイ", step=500, start=1900)]))
    assert [(cue.start_ms, cue.end_ms) for cue in chained] == [(0, 1817), (1900, 3400)]
    slow = make_cues(transcript([("ア", 0, 20_000)]))
    assert [(cue.start_ms, cue.end_ms) for cue in slow] == [(0, 7000)]


def test_the_last_cue_of_a_segment_waits_for_the_next_segment():
    value = transcript(evenly("アアア"), evenly("イイイ", start=1000), duration_ms=5000)
    writer = SubtitleWriter("srt")
    assert writer.add(value.segments[0]) == ""
    assert writer.add(value.segments[1]) == "1\n00:00:00,000 --> 00:00:00,917\nアアア\n"
    assert writer.finish(5000) == "\n2\n00:00:01,000 --> 00:00:01,833\nイイイ\n"


def test_characters_of_a_rewritten_text_take_the_time_of_what_they_replace():
    tokens = evenly("ミズヲノムソシテ", step=100)
    found = glyphs(transcript(tokens, text="水を飲む。そして").segments[0])
    assert [(glyph.text, glyph.start_ms, glyph.end_ms) for glyph in found] == [
        ("水", 0, 200), ("を", 200, 300), ("飲", 300, 400), ("む", 400, 500), ("。", 500, 500),
        ("そ", 500, 600), ("し", 600, 700), ("て", 700, 800),
    ]  # fmt: skip


def test_a_very_long_segment():
    """A search that never cuts, and a text that was rewritten as well."""
    tokens = [(char, 150 * i, 150 * (i + 1)) for i, char in enumerate("アイウエオ" * 1000)]
    cues = make_cues(transcript(tokens, text="アイウエオ、" * 1000))
    assert sum(len(line) for cue in cues for line in cue.lines) == 6000


def test_what_other_programs_would_take_for_markup_is_escaped():
    odd = transcript([("a-->b", 0, 500), ("<i>", 500, 900), ("{\\an8}", 900, 1300), ('"&\\N', 1300, 2000)])
    assert "a-->b" not in render(odd, "srt")
    assert "&lt;i&gt;" in render(odd, "vtt")
    assert "\\{\\\u2060an8\\}" in render(odd, "ass")
    assert 'text = """&\\N"' in render(odd, "textgrid")


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_line_chars": 3},
        {"max_lines": 3},
        {"max_cps": 0},
        {"max_cps": float("nan")},
        {"max_ms": 500},
        {"max_ms": 9, "min_ms": 9, "gap_ms": 0},
    ],
)
def test_limits_that_no_cue_can_meet_are_option_errors(wrong):
    with pytest.raises(OptionError, match=next(iter(wrong))):
        CueRules(**wrong)


def test_what_cannot_be_rendered_is_told_in_a_sentence():
    value = transcript(evenly("アア"))
    calls = [
        (lambda: render(value, ["srt"]), "format .* is unknown; choose one of txt"),
        (lambda: SubtitleWriter(["srt"]), "format .* is unknown; choose one of srt"),
        (lambda: render(value.segments[0], "srt"), "transcript is a Segment; give what transcribe returns"),
        *(
            (call, "rules is .*; give CueRules")
            for call in (
                lambda: render(value, "srt", {"max_ms": 1}),
                lambda: SubtitleWriter("srt", 7),
                lambda: make_cues(value, "srt"),
            )
        ),
    ]
    for call, said in calls:
        with pytest.raises(OptionError, match=said):
            call()


def test_kana_without_pauses_break_neither_behind_a_sokuon_nor_before_n():
    assert lines_of(transcript(evenly("アアアアッアアア")), max_line_chars=5) == [("アアア", "アッアアア")]
    assert lines_of(transcript(evenly("アアアアンアアア")), max_line_chars=5)[0][0] != "アアアア"


@pytest.mark.parametrize(("text", "wide"), [("あ…", 4), ("25℃→", 6), ("éαя", 3), ("ｱ", 1), ("か\u3099", 2)])
def test_columns(text, wide):
    assert columns(text) == wide
