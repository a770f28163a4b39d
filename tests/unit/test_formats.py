import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uniasr.errors import OptionError, OutputError
from uniasr.formats import FORMATS, Recognised, RecognitionWriter, render, write_text
from uniasr.formats.files import check_writable
from uniasr.text import join_tokens
from uniasr.types import Hypothesis, Segment, Token, Transcript


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


def test_unknown_formats_are_option_errors():
    assert set(FORMATS) == {"txt", "json", "srt", "vtt", "ass", "tsv", "textgrid"}
    with pytest.raises(OptionError, match="txt, json"):
        render(transcript(), "docx")


def test_formats_of_a_short_transcript():
    short = transcript(evenly("みず"), evenly("のむ", start=5000))
    assert render(short, "txt") == "みず\nのむ\n"
    assert render(short, "srt") == (
        "1\n00:00:00,000 --> 00:00:00,833\nみず\n\n2\n00:00:05,000 --> 00:00:05,400\nのむ\n"
    )
    assert render(short, "vtt") == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:00.833\nみず\n\n00:00:05.000 --> 00:00:05.400\nのむ\n"
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


@given(st.text())
def test_tsv_escapes_can_be_undone(text):
    row = render(Transcript(text, (Segment(0, 5, 10, text, (), ()),), 10), "tsv").split("\n")
    assert len(row) == 3
    start, end, escaped = row[1].split("\t")
    undo = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}
    assert (start, end, re.sub(r"\\(.)", lambda m: undo[m[1]], escaped)) == ("5", "10", text)


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "水\n")
    write_text(path, "火\n")
    assert path.read_bytes() == "火\n".encode()
    with pytest.raises(OutputError, match="no character"):
        write_text(path, "\ud800")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]
    for bad in (tmp_path, tmp_path / "no" / "such", path / "below", tmp_path / ("x" * 300), tmp_path / "a\0b"):
        with pytest.raises(OutputError) as late:
            write_text(bad, "x")
        with pytest.raises(OutputError, match=re.escape(str(late.value))):
            check_writable(bad)
    for good in (path, Path("/dev/null"), tmp_path / "new.txt"):
        check_writable(good)
    write_text(Path("/dev/null"), "x")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_bytes() == "火\n".encode()


def test_names_may_be_as_long_as_file_systems_allow(tmp_path):
    longest = "会" * 83 + ".srt"  # 253 of 255 bytes
    write_text(tmp_path / longest, "水\n")
    assert [entry.name for entry in tmp_path.iterdir()] == [longest]


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


def test_results_of_an_earlier_run_stay_when_new_ones_cannot_be_opened(tmp_path, monkeypatch):
    with RecognitionWriter(tmp_path) as writer:
        writer.write("a", [Recognised(text="x", tokens=("x",), score=0.0)], rtf=1.0)

    def refuse(path, *arguments, own=Path.open, **options):
        if path.parent.name == "3best_recog":
            raise OSError(24, "Too many open files")
        return own(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(OutputError, match="Too many open files"):
        RecognitionWriter(tmp_path, nbest=3)
    assert [path.name for path in tmp_path.iterdir()] == ["1best_recog"]
    assert (tmp_path / "1best_recog" / "text").read_text() == "a x\n"
