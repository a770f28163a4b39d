"""Small copies of the folders of public corpora are recognised and read."""

import pytest
import soundfile

from tiny_data import RATE_HZ, tones
from uniasr.training.data.check import Limits, Report, measured
from uniasr.training.data.layouts import LAYOUTS, read_data


def put(path, content="a"):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in (".wav", ".flac", ".mp3"):
        soundfile.write(path, tones("a"), RATE_HZ)
    else:
        path.write_text(content, encoding="utf-8")


def jsut(root):
    keys = [f"BASIC5000_{number:04}" for number in range(1, 81)]
    put(root / "basic5000" / "transcript_utf8.txt", "".join(f"{key}:水をマレーシアから。\n" for key in keys))
    put(root / "loanword128" / "transcript_utf8.txt", "LOANWORD128_001:ガス、です。\nLOANWORD128_002:\n")
    for key in keys:
        put(root / "basic5000" / "wav" / f"{key}.wav")
    put(root / "loanword128" / "wav" / "LOANWORD128_001.wav")
    return 81, None, "水をマレーシアから。"


def jvs(root):
    for speaker in ("jvs001", "jvs002", "jvs020"):
        for style, key in (("parallel100", "VOICEACTRESS100_001"), ("nonpara30", "BASIC5000_1"), ("whisper10", "W")):
            put(root / speaker / style / "transcripts_utf8.txt", f"{key}:また、東寺のように。\n")
            put(root / speaker / style / "wav24kHz16bit" / f"{key}.wav")
    return 6, 2, "また、東寺のように。"


def common_voice(root):
    header = "client_id\tpath\tsentence_id\tsentence\tup_votes\n"
    for name, number in (("train", 3), ("dev", 2), ("test", 1)):
        rows = [f"c\tcommon_voice_ja_{name}{i}.mp3\ts\t“それ”は {i}\t2\n" for i in range(number)]
        put(root / "ja" / f"{name}.tsv", header + "".join(rows))
        for i in range(number):
            put(root / "ja" / "clips" / f"common_voice_ja_{name}{i}.mp3")
    return 5, 2, "“それ”は 0"


def fleurs(root):
    for name, number in (("train", 3), ("dev", 2), ("test", 1)):
        rows = [f"{i}\t{name}{i}.wav\t彼は、言った。\t彼は言った\t彼|は\t1000\tMALE\n" for i in range(number)]
        put(root / f"{name}.tsv", "".join(rows))
        for i in range(number):
            put(root / "audio" / name / f"{name}{i}.wav")
    return 5, 2, "彼は、言った。"


def reazonspeech(root):
    rows = [f"{i % 3:03}/{i:04}.flac\t今のうちに{i}\n" for i in range(120)]
    put(root / "small.tsv", "".join(rows))
    put(root / "tiny.tsv", "".join(rows[:2]))
    for i in range(120):
        put(root / "data" / f"{i % 3:03}" / f"{i:04}.flac")
    return 120, None, "今のうちに0"


@pytest.mark.parametrize("make", [jsut, jvs, common_voice, fleurs, reazonspeech])
def test_a_corpus_is_recognised_and_its_audio_found(make, tmp_path):
    total, dev, text = make(tmp_path)
    (layout,) = [layout for layout in LAYOUTS if layout.fits(tmp_path)]
    assert layout.name.replace(" ", "").lower() == make.__name__.replace("_", "")
    folder = read_data(tmp_path)
    entries = folder.train.entries + folder.dev.entries
    assert len(entries) == total
    assert len({entry.key for entry in entries}) == total
    assert text in {entry.text for entry in entries}
    assert folder.train.entries
    assert folder.dev.entries
    if dev is not None:
        assert len(folder.dev.entries) == dev
    report = Report()
    assert len(measured(entries, Limits(), report)) == total, report.problems[:3]


def test_blanks_in_a_transcript_are_single_spaces(tmp_path):
    jsut(tmp_path)
    for path in tmp_path.rglob("transcript_utf8.txt"):
        path.write_text(path.read_text(encoding="utf-8").replace(":", ":a\tb\u3000", 1), encoding="utf-8")
    assert any(entry.text.startswith("a b ") for entry in read_data(tmp_path).train.entries)


def test_a_line_without_transcript_is_a_problem(tmp_path):
    jsut(tmp_path)
    (problem,) = read_data(tmp_path).train.problems
    assert "loanword128/transcript_utf8.txt, line 2" in problem.where


def test_what_is_held_back_does_not_depend_on_the_rest(tmp_path):
    reazonspeech(tmp_path)
    first = {entry.key for entry in read_data(tmp_path).dev.entries}
    lines = (tmp_path / "small.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "small.tsv").write_text("".join(lines[:100]), encoding="utf-8")
    assert {entry.key for entry in read_data(tmp_path).dev.entries} == {key for key in first if int(key[-4:]) < 100}
