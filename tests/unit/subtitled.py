"""Transcripts with given times, and strict readers of what is written from them."""

import html
import re

from hypothesis import strategies as st

from uniasr.text import join_tokens
from uniasr.types import Segment, Token, Transcript


def transcript(*segments, text=None, duration_ms=None):
    """Segments of (text, start, end) tokens; `text` is what the only segment was rewritten to."""
    made = []
    for i, words in enumerate(segments):
        tokens = tuple(Token(word, 3, start, end, 0.9) for word, start, end in words)
        own = join_tokens([token.text for token in tokens]) if text is None else text
        start, end = (tokens[0].start_ms, tokens[-1].end_ms) if tokens else (0, 0)
        made.append(Segment(i, start, end, own, tokens, ()))
    end = made[-1].end_ms if made else 0
    return Transcript("".join(one.text for one in made), tuple(made), end if duration_ms is None else duration_ms)


def evenly(text, step=200, start=0):
    """A token per character; marks take no time."""
    made = []
    for char in text:
        end = start + (0 if char in "、。？" else step)
        made.append((char, start, end))
        start = end
    return made


words = st.text(
    st.one_of(
        st.sampled_from("あカ漢ー。、っ（）A９0<&>-→'\"{}1 \t\n\\N\u3099\u200d"),
        st.characters(exclude_categories=["Cs"]),
    ),
    min_size=1,
    max_size=6,
)
timed_words = st.lists(
    st.tuples(words, st.one_of(st.just(0), st.integers(0, 3000)), st.one_of(st.just(0), st.integers(0, 900))),
    max_size=40,
)


def running(items, start):
    """Tokens one after another, from (text, gap before, length)."""
    made = []
    for text, gap, length in items:
        made.append((text, start + gap, start + gap + length))
        start += gap + length
    return made


transcripts = st.builds(
    lambda segments, tail: transcript(
        *(own := [running(items, 200_000 * i) for i, items in enumerate(segments)]),
        duration_ms=(own[-1][-1][2] if own else 0) + tail,
    ),
    st.lists(timed_words.filter(len), max_size=3),
    st.integers(0, 3000),
)


def parse_srt(text):
    """Start, end and lines of each cue; numbers must count from 1."""
    blocks = [block.split("\n") for block in text.removesuffix("\n").split("\n\n")] if text else []
    assert [block[0] for block in blocks] == [str(n) for n in range(1, len(blocks) + 1)]
    return [
        (*times(block[1], r"(\d{2,}):(\d\d):(\d\d),(\d{3})"), [line.replace("\u2060", "") for line in block[2:]])
        for block in blocks
    ]


def parse_vtt(text):
    """The same for WebVTT; nothing that looks like markup may be left."""
    header, *blocks = text.removesuffix("\n").split("\n\n")
    assert header == "WEBVTT"
    for block in blocks:
        assert "<" not in block
        assert block.count("-->") == 1
    return [
        (
            *times(block.split("\n")[0], r"(\d{2,}):(\d\d):(\d\d)\.(\d{3})"),
            [html.unescape(line) for line in block.split("\n")[1:]],
        )
        for block in blocks
    ]


def times(line, clock):
    match = re.fullmatch(rf"{clock} --> {clock}", line)
    h, m, s, ms, h2, m2, s2, ms2 = map(int, match.groups())
    return ((h * 60 + m) * 60 + s) * 1000 + ms, ((h2 * 60 + m2) * 60 + s2) * 1000 + ms2


def parse_ass(text):
    """The same for the events of ASS, in hundredths; escapes undone, no override block may be open."""
    cues = []
    for line in text.split("[Events]\n")[1].split("\n")[1:-1]:
        kind, rest = line.split(": ", 1)
        layer, start, end, style, name, left, right, vertical, effect, shown = rest.split(",", 9)
        assert (kind, layer, style, name, left, right, vertical, effect) == (
            "Dialogue", "0", "Default", "", "0", "0", "0", "",
        )  # fmt: skip
        assert not re.search(r"(?<!\\)[{}]", shown)
        lines = shown.split(r"\N")
        assert all(not re.search(r"\\(?![{}\u2060])", one) for one in lines)
        plain = [re.sub(r"\\([{}])", r"\1", one).replace("\\\u2060", "\\") for one in lines]
        cues.append((hundredths(start), hundredths(end), plain))
    return cues


def hundredths(clock):
    h, m, s, rest = map(int, re.fullmatch(r"(\d+):(\d\d):(\d\d)\.(\d\d)", clock).groups())
    return ((h * 60 + m) * 60 + s) * 100 + rest


def parse_textgrid(text):
    """End and tiers of (start, end, text); as strict as Praat: tiers without holes, of intervals with length."""
    tokens = re.findall(r'"(?:[^"]|"")*"|<exists>|(?<=[\s:]) ?-?\d+(?:\.\d+)?(?=\s)', re.sub(r"\[\d+\]", "[]", text))
    values = iter(token.strip() for token in tokens)
    string = lambda: next(values)[1:-1].replace('""', '"')  # noqa: E731
    assert (string(), string()) == ("ooTextFile", "TextGrid")
    assert float(next(values)) == 0
    end = float(next(values))
    assert next(values) == "<exists>"
    tiers = {}
    for _ in range(int(next(values))):
        assert string() == "IntervalTier"
        name = string()
        assert (float(next(values)), float(next(values))) == (0, end)
        reached, tier = 0.0, []
        for _ in range(int(next(values))):
            start, stop = float(next(values)), float(next(values))
            assert start == reached < stop
            reached = stop
            tier.append((start, stop, string()))
        assert reached == end
        tiers[name] = tier
    assert next(values, None) is None
    return end, tiers
