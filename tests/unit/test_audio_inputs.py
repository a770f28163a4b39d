import io
from pathlib import Path

import pytest

from uniasr.audio.inputs import NamedInput, ScpEntry, expand, read_scp
from uniasr.errors import AudioError, AudioNotFoundError, OptionError


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def pairs(*words):
    return [(item.key, item.source) for item in expand(words)]


def test_an_scp_list_gives_keys_paths_and_lines(here):
    (here / "a.scp").write_bytes("﻿u1 a.wav\r\n\nu2\t/data/my file.wav \n会議　 http://h/x.wav\n".encode())
    assert read_scp("a.scp") == [
        ScpEntry("u1", "a.wav", 1),
        ScpEntry("u2", "/data/my file.wav", 3),
        ScpEntry("会議", "http://h/x.wav", 4),
    ]


def test_relative_paths_in_a_list_mean_here_first_then_beside_the_list(here):
    touch(here, "lists/both.wav", "lists/beside.wav", "both.wav")
    (here / "lists/a.scp").write_text("a both.wav\nb beside.wav\nc nowhere.wav\n")
    sources = [entry.source for entry in read_scp("lists/a.scp")]
    assert sources == ["both.wav", str(Path("lists/beside.wav")), "nowhere.wav"]


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"a x.wav\nb y.wav\na z.wav\n", OptionError, r"a\.scp, line 3 repeats the key 'a' of line 1"),
        (b"a x.wav\nlonely\n", OptionError, r"a\.scp, line 2 has no path after the key 'lonely'"),
        (b"../a x.wav\n", OptionError, r"line 1 has the key '../a'"),
        (b"a/b x.wav\n", OptionError, "line 1"),
        (b"a\\b x.wav\n", OptionError, "line 1"),
        (b".. x.wav\n", OptionError, "line 1"),
        (b"a\0 x.wav\n", OptionError, "line 1"),
        (b"a sph2pipe x.sph |\n", OptionError, "commands are not run"),
        (b"", AudioError, r"a\.scp' is empty"),
        (b"\n \n", AudioError, "lists no audio"),
        (b"a x.wav\nb \xff.wav\n", AudioError, "not UTF-8 in line 2"),
    ],
)
def test_faulty_lists_name_file_and_line(here, content, error, message):
    (here / "a.scp").write_bytes(content)
    with pytest.raises(error, match=message):
        read_scp("a.scp")


def test_lists_that_cannot_be_opened(here):
    with pytest.raises(AudioNotFoundError, match=r"none\.scp"):
        read_scp("none.scp")
    (here / "dir.scp").mkdir()
    with pytest.raises(AudioError, match="cannot be read"):
        read_scp("dir.scp")


def test_files_and_urls_keep_their_order_and_need_not_exist(here):
    assert pairs("b.wav", "no/a.flac", "https://h/d/%E4%BC%9A%E8%AD%B0.mp3?x=1") == [
        ("b", "b.wav"),
        ("a", "no/a.flac"),
        ("会議", "https://h/d/%E4%BC%9A%E8%AD%B0.mp3?x=1"),
    ]
    assert pairs("https://host") == [("host", "https://host")]
    with pytest.raises(AudioError, match="is no URL"):
        expand(["http://[h/a.wav"])
    assert pairs("https://h/..%2F..%2Fetc.wav")[0][0] == "etc"


def test_a_directory_gives_its_audio_files_sorted_at_any_depth(here):
    touch(here, "d/b.wav", "d/a/z.FLAC", "d/notes.txt", "d/._b.wav", "d/.hidden.wav")
    assert pairs("d") == [("z", str(Path("d/a/z.FLAC"))), ("b", str(Path("d/b.wav")))]
    (here / "none").mkdir()
    with pytest.raises(AudioError, match="holds no audio files"):
        expand(["none"])


def test_a_pattern_gives_files_sorted(here):
    touch(here, "d/2.wav", "d/1.wav", "d/e/3.wav", "odd[1].wav")
    assert pairs("d/*.wav") == [("1", "d/1.wav"), ("2", "d/2.wav")]
    assert [key for key, _ in pairs("d/**/*.wav")] == ["1", "2", "3"]
    assert pairs("odd[1].wav") == [("odd[1]", "odd[1].wav")]
    with pytest.raises(AudioNotFoundError, match="no file matches"):
        expand(["d/*.mp3"])


def test_keys_differ_even_where_file_systems_ignore_case(here):
    (here / "l.scp").write_text("a-2 q.wav\nA q.wav\n")
    words = ["a.wav", "x/a.wav", "l.scp", "a.mp3"]
    assert [item.key for item in expand(words)] == ["a", "a-2", "a-2-2", "A-3", "a-4"]
    assert expand(words) == expand(words)
    assert [item.key for item in expand(words, files=False)] == ["a", "a-2", "a-2-2", "A", "a-3"]


def test_an_empty_word_is_not_the_current_directory(here):
    (here / "a.wav").touch()
    with pytest.raises(OptionError, match="an input is empty"):
        expand(["a.wav", ""])


def test_standard_input_comes_as_bytes(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"RIFF")))
    assert expand(["-"]) == [NamedInput("stdin", b"RIFF")]


def test_what_no_path_can_be_is_one_input(here):
    for word in ("x" * 300, "a\0b"):
        assert [item.source for item in expand([word])] == [word]
    with pytest.raises(AudioNotFoundError, match="no file matches"):
        expand(["x" * 300 + "*"])


def test_keys_of_one_stem_are_counted_on(here):
    touch(here, *(f"{i}/a.wav" for i in range(12)), "a-3.wav")
    keys = [item.key for item in expand(["a-3.wav", *(f"{i}/a.wav" for i in range(12))])]
    assert keys[:4] == ["a-3", "a", "a-2", "a-4"]
    assert len(set(keys)) == 13


def test_a_key_is_the_name_of_the_file_blanks_and_dots_included(here):
    touch(here, "会議　四月.wav", "talk..v2.wav", "a\u00a0b.wav", "x\x07y.wav", "line\nend\tx.wav")
    assert sorted(item.key for item in expand(["."])) == ["a\u00a0b", "line_end_x", "talk..v2", "x_y", "会議　四月"]


def test_inputs_know_whether_their_name_is_their_own(here):
    touch(here, "a/x.wav", "b/x.wav", "b/y.wav")
    assert [item.alone for item in expand(["a", "b"])] == [True, False, True]
