"""Folders of recordings and transcripts: every fault is listed at once, with its file and line."""

import numpy as np
import pytest
import soundfile

from tiny_data import RATE_HZ, tones, write_folder, write_split
from uniasr.errors import DataError
from uniasr.training.data.check import Limits, Measurements, Report, measured
from uniasr.training.data.layouts import read_data, read_test
from uniasr.training.data.manifest import read_folder, read_split


def test_a_good_folder_is_read(tmp_path):
    write_folder(tmp_path, train=["ab c", "d"], dev=["e"])
    folder = read_folder(tmp_path)
    assert [(entry.key, entry.text) for entry in folder.train.entries] == [("u0", "ab c"), ("u1", "d")]
    assert folder.train.entries[1].audio == str(tmp_path / "train" / "audio" / "u1.wav")
    assert folder.train.problems == folder.dev.problems == []


def test_validation_is_a_development_set_too(tmp_path):
    write_folder(tmp_path, train=1, dev=2)
    (tmp_path / "dev").rename(tmp_path / "validation")
    assert len(read_folder(tmp_path).dev.entries) == 2


def test_every_faulty_line_is_listed_with_its_place(tmp_path):
    place = write_split(tmp_path / "train", ["a", "b", "c"])
    (place / "wav.scp").write_text(
        "u0 audio/u0.wav\nu0 audio/u1.wav\n\nu1 sox u.wav - |\nu2\nx audio/u2.wav\n", "utf-8"
    )
    (place / "text").write_text("u0 a\nu1 b\nu2 c\ny d\nu1 e\nz\n", "utf-8")
    listing = read_split(place)
    assert [entry.key for entry in listing.entries] == ["u0"]
    lines = sorted(str(problem).removeprefix(str(place)) for problem in listing.problems)
    assert lines == [
        "/text, line 4: key 'y' has no line in wav.scp",
        "/text, line 5: key 'u1' is already on line 2",
        "/text, line 6: key 'z' has no line in wav.scp",
        "/text, line 6: no transcript after the key 'z'",
        "/wav.scp, line 2: key 'u0' is already on line 1",
        "/wav.scp, line 4: this is a command; commands are not run, write its output to a file",
        "/wav.scp, line 5: no path after the key 'u2'",
        "/wav.scp, line 6: key 'x' has no line in text",
    ]


@pytest.mark.parametrize("missing", ["wav.scp", "text"])
def test_a_missing_file_is_one_problem(tmp_path, missing):
    place = write_split(tmp_path / "train", ["a", "b"])
    (place / missing).unlink()
    assert [str(problem) for problem in read_split(place).problems] == [f"{place / missing}: this file is missing"]


def test_a_file_that_is_not_utf8_is_a_problem(tmp_path):
    place = write_split(tmp_path / "train", ["a", "b"])
    (place / "text").write_bytes(b"u0 a\nu1 \xff\n")
    assert [str(problem) for problem in read_split(place).problems] == [
        f"{place / 'text'}, line 2: not UTF-8; convert the file"
    ]


def test_audio_that_cannot_be_used_is_listed(tmp_path):
    place = write_split(tmp_path / "train", ["ab"] * 7)
    audio = place / "audio"
    (audio / "u1.wav").unlink()
    (audio / "u2.wav").write_bytes(b"no audio at all")
    soundfile.write(audio / "u3.wav", np.zeros(0), RATE_HZ)
    soundfile.write(audio / "u4.wav", tones("a")[:400], RATE_HZ)
    soundfile.write(audio / "u5.wav", np.zeros(RATE_HZ), RATE_HZ)
    soundfile.write(audio / "u6.wav", np.tile(tones("ab"), 9), RATE_HZ)
    report = Report()
    usable = measured(read_split(place).entries, Limits(max_s=4.0), report)
    assert [entry.key for entry, _ in usable] == ["u0"]
    whats = [problem.what for problem in report.problems]
    for what, words in zip(
        whats,
        ["does not exist", "audio", "no samples", "at least 0.1 s", "digital silence", "at most 4 s"],
        strict=True,
    ):
        assert words in what
    assert all(f"line {number}" in p.where for number, p in enumerate(report.problems, start=2))
    with pytest.raises(DataError, match="6 problems") as caught:
        report.settle(skip_bad=False)
    assert len(caught.value.problems) == 6
    report.settle(skip_bad=True)
    assert report.notes == ["6 utterances left out"]


def test_a_file_that_is_cut_is_found_before_training(tmp_path):
    place = write_split(tmp_path / "train", ["abc"])
    path = place / "audio" / "u0.wav"
    path.write_bytes(path.read_bytes()[:2000])
    report = Report()
    assert measured(read_split(place).entries, Limits(), report) == []
    assert len(report.problems) == 1


def test_stereo_is_taken(tmp_path):
    place = write_split(tmp_path / "train", ["ab"])
    samples = tones("ab")
    soundfile.write(place / "audio" / "u0.wav", np.stack([samples, samples], axis=1), RATE_HZ)
    report = Report()
    ((_, seconds),) = measured(read_split(place).entries, Limits(), report)
    assert seconds == pytest.approx(len(samples) / RATE_HZ)
    assert not report.problems


def test_lengths_are_remembered_until_a_file_changes(tmp_path, monkeypatch):
    place = write_split(tmp_path / "train", ["ab", "c"])
    entries = read_split(place).entries
    first = measured(entries, Limits(), Report(), Measurements(tmp_path / "known.json"))
    calls = []
    from uniasr.training.data import check

    decode = check._decode
    monkeypatch.setattr(check, "_decode", lambda audio: calls.append(audio) or decode(audio))
    assert measured(entries, Limits(), Report(), Measurements(tmp_path / "known.json")) == first
    assert calls == []
    soundfile.write(entries[0].audio, tones("abc"), RATE_HZ)
    measured(entries, Limits(), Report(), Measurements(tmp_path / "known.json"))
    assert calls == [entries[0].audio]


def test_a_folder_of_another_kind_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(DataError, match="JSUT"):
        read_data(tmp_path)
    with pytest.raises(DataError, match="no directory"):
        read_data(tmp_path / "nowhere")


def test_a_test_set_is_the_folder_itself_or_its_test_or_dev(tmp_path):
    write_folder(tmp_path / "a", train=1, dev=["e"])
    assert [entry.text for entry in read_test(tmp_path / "a").entries] == ["e"]
    write_split(tmp_path / "a" / "test", ["d"])
    assert [entry.text for entry in read_test(tmp_path / "a").entries] == ["d"]
    assert [entry.text for entry in read_test(tmp_path / "a" / "dev").entries] == ["e"]
