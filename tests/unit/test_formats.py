import html
import json
import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uniasr.errors import OptionError, OutputError
from uniasr.formats import FORMATS, Recognised, RecognitionWriter, make_cues, render, write_text
from uniasr.formats.cues import MAX_COLUMNS, MAX_LINES, MAX_MS, columns, one_line, wrap
from uniasr.text import join_tokens
from uniasr.types import Hypothesis, Segment, Token, Transcript

TIME = re.compile(r"(\d\d):(\d\d):(\d\d)[,.](\d{3})")


def transcript(*segments):
    """Segments of (text, start, end) tokens."""
    made = []
    for i, words in enumerate(segments):
        tokens = tuple(Token(text, 3, start, end, 0.9) for text, start, end in words)
        text = join_tokens([token.text for token in tokens])
        start, end = (tokens[0].start_ms, tokens[-1].end_ms) if tokens else (0, 0)
        made.append(Segment(i, start, end, text, tokens, (Hypothesis((3,) * len(tokens), -1.5, text),)))
    return Transcript("".join(segment.text for segment in made), tuple(made), made[-1].end_ms if made else 0)


def evenly(text, step=200, start=0):
    return [(char, start + i * step, start + (i + 1) * step) for i, char in enumerate(text)]


def parse_time(text):
    hours, minutes, seconds, ms = map(int, TIME.fullmatch(text).groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms


def parse_srt(text):
    blocks = [block.splitlines() for block in text.strip().split("\n\n")] if text.strip() else []
    assert [int(block[0]) for block in blocks] == list(range(1, len(blocks) + 1))
    return [(*map(parse_time, block[1].split(" --> ")), block[2:]) for block in blocks]


def parse_vtt(text):
    header, *blocks = text.strip().split("\n\n")
    assert header == "WEBVTT"
    return [(*map(parse_time, block.split("\n")[0].split(" --> ")), block.split("\n")[1:]) for block in blocks]


words = st.text(
    st.one_of(st.sampled_from("あカ漢ー。、A<&>-→'1 \t\n\\（"), st.characters(exclude_categories=["Cs"])),
    min_size=1,
    max_size=6,
)
timed_words = st.lists(st.tuples(words, st.integers(0, 3000), st.integers(0, 900)), max_size=30)


def running(items, start=0):
    made = []
    for text, gap, length in items:
        made.append((text, start + gap, start + gap + length))
        start += gap + length
    return made


transcripts = st.lists(timed_words.filter(len), max_size=3).map(
    lambda segments: transcript(*(running(words, start=100_000 * i) for i, words in enumerate(segments)))
)


def test_unknown_formats_are_option_errors():
    assert set(FORMATS) == {"txt", "json", "srt", "vtt", "tsv"}
    with pytest.raises(OptionError, match="txt, json"):
        render(transcript(), "docx")


def test_formats_of_a_short_transcript():
    short = transcript(evenly("みず"), evenly("のむ", start=5000))
    assert render(short, "txt") == "みず\nのむ\n"
    assert render(short, "srt") == (
        "1\n00:00:00,000 --> 00:00:00,833\nみず\n\n2\n00:00:05,000 --> 00:00:05,833\nのむ\n"
    )
    assert render(short, "vtt") == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:00.833\nみず\n\n00:00:05.000 --> 00:00:05.833\nのむ\n"
    )
    assert render(short, "tsv") == "start_ms\tend_ms\ttext\n0\t400\tみず\n5000\t5400\tのむ\n"
    assert json.loads(render(short, "json"))["segments"][1]["tokens"][0]["text"] == "の"
    assert "みず" in render(short, "json")


def test_formats_of_an_empty_transcript():
    empty = transcript()
    assert render(empty, "txt") == "\n"
    assert render(empty, "srt") == ""
    assert render(empty, "vtt") == "WEBVTT\n"
    assert render(empty, "tsv") == "start_ms\tend_ms\ttext\n"


def test_json_has_no_infinity():
    segment = Segment(0, 0, 1, "", (), (Hypothesis((), float("-inf")),))
    content = render(Transcript("", (segment,), 1), "json")
    assert json.loads(content)["segments"][0]["nbest"][0]["score"] is None
    assert "Infinity" not in content


@given(transcripts)
def test_cues_are_in_order_and_hold_all_text(value):
    cues = make_cues(value)
    reached = 0
    for cue in cues:
        assert reached <= cue.start_ms < cue.end_ms
        assert cue.lines
        assert all(line == one_line(line) and line for line in cue.lines)
        assert all(columns(line) <= MAX_COLUMNS for line in cue.lines)
        reached = cue.end_ms
    shown = "".join("".join(cue.lines) for cue in cues)
    spoken = "".join(one_line(segment.text) for segment in value.segments)
    assert re.sub(r"\s", "", shown) == re.sub(r"\s", "", spoken)


@given(transcripts)
def test_srt_and_vtt_parse_back(value):
    cues = make_cues(value)
    vtt = [
        (start, end, [html.unescape(line) for line in lines]) for start, end, lines in parse_vtt(render(value, "vtt"))
    ]
    assert vtt == [(cue.start_ms, cue.end_ms, list(cue.lines)) for cue in cues]
    assert render(value, "vtt").count("-->") == render(value, "srt").count("-->") == len(cues)
    srt = [(start, end) for start, end, _ in parse_srt(render(value, "srt"))]
    assert srt == [(cue.start_ms, cue.end_ms) for cue in cues]


@given(st.text())
def test_tsv_escapes_can_be_undone(text):
    row = render(Transcript(text, (Segment(0, 5, 10, text, (), ()),), 10), "tsv").split("\n")
    assert len(row) == 3
    start, end, escaped = row[1].split("\t")
    undo = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}
    assert (start, end, re.sub(r"\\(.)", lambda m: undo[m[1]], escaped)) == ("5", "10", text)


@given(st.text(), st.integers(2, 50))
def test_wrapped_lines_fit_and_lose_only_blanks(text, width):
    lines = wrap(text, width)
    assert all(columns(line) <= width for line in lines)
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", one_line(text))


def test_lines_begin_and_end_where_they_may():
    text = "きょうはいいてんきですねとかれはいったのだっ。" + "A" * 10
    assert wrap(text)[1].startswith("だっ。")
    assert wrap("あ" * 20 + "（あ）")[0] == "あ" * 20
    assert wrap("some words of a line that is somewhat longer than it may be") == [
        "some words of a line that is somewhat",
        "longer than it may be",
    ]


def test_cues_end_at_pauses_sentences_and_limits():
    paused = transcript([*evenly("みず"), *evenly("のむ", start=1200)])
    assert [cue.lines for cue in make_cues(paused)] == [("みず",), ("のむ",)]
    close = transcript([*evenly("みず"), *evenly("のむ", start=1000)])
    assert [cue.lines for cue in make_cues(close)] == [("みずのむ",)]
    sentences = transcript(evenly("みず。のむ。"))
    assert [cue.lines for cue in make_cues(sentences)] == [("みず。",), ("のむ。",)]
    fast = make_cues(transcript(evenly("あ" * 100, step=50)))
    assert [len("".join(cue.lines)) for cue in fast] == [42, 42, 16]
    assert all(len(cue.lines) <= MAX_LINES for cue in fast)
    slow = make_cues(transcript(evenly("あ" * 40, step=500)))
    assert all(cue.end_ms - cue.start_ms <= MAX_MS for cue in slow)
    words = transcript([("hel@@", 0, 6500), ("lo", 6500, 7500), ("you", 7500, 8000)])
    assert [cue.lines for cue in make_cues(words)] == [("hello",), ("you",)]


def test_a_short_cue_stays_while_there_is_room():
    cues = make_cues(transcript(evenly("あ", step=100), evenly("い", step=100, start=500)))
    assert [(cue.start_ms, cue.end_ms) for cue in cues] == [(0, 500), (500, 1333)]


def test_a_rewritten_segment_shares_its_time_by_width():
    tokens = tuple(Token(text, 3, start, end, 0.9) for text, start, end in evenly("みずをのむ"))
    segment = Segment(0, 0, 10_000, "水を飲む" * 20, tokens, ())
    cues = make_cues(Transcript("", (segment,), 10_000))
    assert "".join(line for cue in cues for line in cue.lines) == segment.text
    assert cues[0].start_ms == 0
    assert cues[0].end_ms == cues[1].start_ms == 10_000 * 42 // 80
    assert cues[-1].end_ms == 10_000


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "水\n")
    write_text(path, "火\n")
    assert path.read_bytes() == "火\n".encode()
    with pytest.raises(OutputError, match="no character"):
        write_text(path, "\ud800")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]
    for bad in (tmp_path, tmp_path / "no" / "such", path / "below", tmp_path / ("x" * 300), tmp_path / "a\0b"):
        with pytest.raises(OutputError):
            write_text(bad, "x")
    write_text(tmp_path / "/dev/null", "x")


def test_a_link_keeps_pointing_to_the_written_file(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_text(tmp_path / "link", "x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "x"


def test_recognition_directory_has_the_published_layout(tmp_path):
    result = Recognised.best_of(transcript(evenly("みず", step=60)))
    with RecognitionWriter(tmp_path / "out") as writer:
        writer.write("utt1", [result], rtf=0.0312345)
        assert (tmp_path / "out" / "1best_recog" / "text").read_text() == "utt1 み ず\n"  # already on disk
        writer.write("utt2", [Recognised(text="", tokens=(), score=0.0)], rtf=0.5)
    files = {path.name: path.read_text() for path in (tmp_path / "out" / "1best_recog").iterdir()}
    assert files == {
        "text": "utt1 み ず\nutt2\n",
        "token": "utt1 み ず\nutt2\n",
        "score": "utt1 -1.5\nutt2 0.0\n",
        "time_stamp": "utt1 [[0, 60], [60, 120]]\nutt2 []\n",
        "rtf": "utt1 0.0312345\nutt2 0.5\n",
    }
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["1best_recog"]


def test_further_hypotheses_get_their_own_directories(tmp_path):
    with RecognitionWriter(tmp_path, nbest=2) as writer:
        writer.write("a", [Recognised(text=t, tokens=(t,), score=-i) for i, t in enumerate("xyz")], rtf=1.0)
    assert (tmp_path / "2best_recog" / "text").read_text() == "a y\n"
    assert not (tmp_path / "3best_recog").exists()
    RecognitionWriter(tmp_path).close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1best_recog"]
    assert (tmp_path / "1best_recog" / "text").read_text() == ""


def test_what_is_not_ours_is_kept(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "1best_recog").mkdir()
    (tmp_path / "1best_recog" / "text").write_text("old")
    (tmp_path / "1best_recog" / "precious").write_text("mine")
    with pytest.raises(OutputError, match="1best_recog"):
        RecognitionWriter(tmp_path)
    assert (tmp_path / "1best_recog" / "text").read_text() == "old"
    (tmp_path / "1best_recog" / "precious").unlink()
    RecognitionWriter(tmp_path).close()
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("key", ["", "a/b", "a\\b", "a b", "a\n", "\x00"])
def test_keys_that_break_the_lines_are_refused(tmp_path, key):
    with RecognitionWriter(tmp_path) as writer, pytest.raises(OutputError, match="key"):
        writer.write(key, [], rtf=0.0)


def test_a_directory_that_cannot_be_written_is_an_output_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        RecognitionWriter(tmp_path / "file")
    writer = RecognitionWriter(tmp_path / "out")
    writer.close()
    with pytest.raises(OutputError):
        writer.write("a", [Recognised(text="x", tokens=(), score=0.0)], rtf=0.0)
    if os.geteuid() != 0:
        (tmp_path / "closed").mkdir(mode=0o500)
        with pytest.raises(OutputError):
            RecognitionWriter(tmp_path / "closed" / "out")
