"""Hotwords through the command and the ModelScope-style call, as processes and callers use them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import uniasr
from uniasr.compat.modelscope import pipeline
from uniasr.errors import OptionError

SAMPLE = Path(uniasr.__file__).parent / "packaged" / "samples" / "ja.wav"

pytestmark = pytest.mark.skipif(not SAMPLE.is_file(), reason="no packaged model in this checkout")


def command(*words):
    return subprocess.run([sys.executable, "-m", "uniasr", *words], capture_output=True, text=True, timeout=120)


@pytest.fixture
def words(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("居間\tりびんぐ\n寒河江 さがえ 0.5\n", encoding="utf-8")
    return path


def test_transcribe_reports_the_words_of_a_file(words):
    done = command("transcribe", str(SAMPLE), "--format", "json", "--output-script", "kana", "--hotwords", str(words))
    assert done.returncode == 0, done.stderr
    (match,) = json.loads(done.stdout)["segments"][0]["hotwords"]
    assert match["word"] == "居間"
    assert 0 <= match["start_ms"] < match["end_ms"]


def test_stream_takes_words():
    done = command("stream", str(SAMPLE), "--hotwords", "居間 りびんぐ,さがえ")
    assert done.returncode == 0, done.stderr
    assert "リビング" in done.stdout


@pytest.mark.parametrize("name", ["transcribe", "stream"])
def test_words_that_make_no_sense_are_one_line(name, tmp_path):
    # no dictionary reads 龘, so it makes no difference whether one is installed
    for given, complaint in (("龘", "readings in kana"), (str(tmp_path / "lost.txt"), "cannot be read")):
        done = command(name, str(SAMPLE), "--hotwords", given)
        assert done.returncode == 2
        assert complaint in done.stderr
        assert done.stderr.count("\n") == 1
        assert not done.stdout


def test_the_published_spellings(words, tmp_path):
    plain = pipeline(threads=1)
    text = plain(audio_in=str(SAMPLE))["text"]
    said, *others = plain.model.transcribe(SAMPLE, mode="normal", nbest=5, search="reference").nbest
    differs, ids = next(
        (i, other.token_ids)
        for other in others
        for i, pair in enumerate(zip(said.token_ids, other.token_ids, strict=False))
        if pair[0] != pair[1]
    )
    tokens = plain.model.vocabulary.tokens
    almost = "".join(tokens[i] for i in ids[max(0, differs - 1) : differs + 3]) + " 8"
    (list_of := tmp_path / "strong.txt").write_text(almost, encoding="utf-8")
    for call in (
        lambda: plain(audio_in=str(SAMPLE), hotword=str(list_of)),
        lambda: plain(audio_in=str(SAMPLE), param_dict={"hotword": [almost]}),
        lambda: pipeline(threads=1, hotword=[almost])(audio_in=str(SAMPLE)),
        lambda: pipeline(threads=1, param_dict={"hotword": str(list_of)})(audio_in=str(SAMPLE)),
    ):
        assert call()["text"] != text
    assert plain(audio_in=str(SAMPLE), hotword=str(words))["text"] == text
    assert plain(audio_in=str(SAMPLE), hotword="サガエ リビング")["text"] == text
    assert plain(audio_in=str(SAMPLE))["text"] == text
    for wrong in ("https://example.org/words.txt", "lost.txt", "サガエ 龘"):
        with pytest.raises(OptionError):
            plain(audio_in=str(SAMPLE), hotword=wrong)
        with pytest.raises(OptionError):
            pipeline(threads=1, hotword=wrong)


def finals(events):
    return [event.result for event in events if isinstance(event, uniasr.Final)]


def test_a_pipeline_reads_the_words_of_a_call_once(tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("リビング\n", encoding="utf-8")
    pipeline = uniasr.Pipeline(vad="vad")
    said = pipeline.transcribe(SAMPLE, hotwords=words).hotwords
    assert [match.word for match in said] == ["リビング"]
    assert pipeline.transcribe(SAMPLE, hotwords=iter(["リビング"])).hotwords == said
    samples, rate = soundfile.read(SAMPLE, dtype="int16")
    with pipeline.stream("offline", sample_rate=rate, hotwords=words) as stream:
        words.unlink()  # a stretch of speech that begins later needs it no more
        found = finals(stream.accept(samples) + stream.finish())
    assert tuple(match for segment in found for match in segment.hotwords) == said


def test_words_changed_while_nobody_speaks():
    pipeline = uniasr.Pipeline(vad="vad")
    samples, rate = soundfile.read(SAMPLE, dtype="int16")
    with pipeline.stream("offline", sample_rate=rate) as stream:
        assert stream.accept(np.zeros(rate, np.int16)) == []
        stream.set_hotwords(iter(["リビング"]))
        with pytest.raises(OptionError, match="foo"):
            stream.set_hotwords(["foo"])
        pause = np.zeros(3 * rate, np.int16)
        found = finals(stream.accept(np.concatenate([samples, pause, samples])) + stream.finish())
    assert [match.word for segment in found for match in segment.hotwords] == ["リビング", "リビング"]
