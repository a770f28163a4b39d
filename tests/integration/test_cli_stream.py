import os
import struct
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from uniasr.cli.app import cli
from uniasr.types import MODES


@pytest.fixture(scope="module")
def model(recorded, exported):
    return str(exported(recorded("uniasr_odd") / "model_1x"))


@pytest.fixture(scope="module")
def samples(recorded):
    """The recording four times, so that the second pass gets to refresh: int16 at 16 kHz."""
    once, rate = soundfile.read(recorded("uniasr_odd") / "wav" / "u3.wav", dtype="int16")
    assert rate == 16_000
    return np.tile(once, 4)


@pytest.fixture
def speech(samples, tmp_path):
    soundfile.write(tmp_path / "speech.wav", samples, 16_000)
    return tmp_path / "speech.wav"


@pytest.fixture
def stream(model):
    """Run the command; exit code, events as (kind, ms, text), standard error."""

    def run(*words, stdin=None, command="stream"):
        result = CliRunner().invoke(cli, [command, "--model", model, *map(str, words)], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        events = [tuple(line.split("\t")) for line in result.stdout.splitlines()]
        return result.exit_code, [(kind, int(ms), text) for kind, ms, text in events], result.stderr

    return run


def wav(fmt, bits, channels, data, *, size=None, behind=b""):
    """Bytes of a wav of 16 kHz with a chunk before the format, as some recorders write it."""
    frame = channels * bits // 8
    form = struct.pack("<HHIIHH", fmt, channels, 16_000, 16_000 * frame, frame, bits)
    chunks = b"JUNK" + struct.pack("<I", 3) + b"abc\0" + b"fmt " + struct.pack("<I", 16) + form
    chunks += b"data" + struct.pack("<I", len(data) if size is None else size) + data + behind
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks


@pytest.mark.parametrize("mode", MODES)
def test_events_come_in_order_and_the_final_is_the_transcript(stream, model, speech, mode):
    code, events, err = stream(speech, "--mode", mode)
    assert (code, err) == (0, "")
    kinds = [kind for kind, _, _ in events]
    assert kinds[-1] == "final"
    assert kinds.count("final") == 1
    assert set(kinds) == {"fast": {"partial", "final"}, "normal": {"partial", "refresh", "final"}}.get(mode, {"final"})
    times = [ms for _, ms, _ in events]
    assert times == sorted(times)
    assert times[-1] == round(len(soundfile.read(speech)[0]) / 16)
    whole = CliRunner().invoke(cli, ["transcribe", "--model", model, "--mode", mode, str(speech)])
    assert events[-1][2] == whole.stdout.strip() != ""


@pytest.mark.parametrize("packet_ms", [1, 37, 5000])
def test_the_packet_size_changes_nothing(stream, speech, packet_ms):
    assert stream(speech, "--packet-ms", packet_ms) == stream(speech)


class TestStandardInput:
    def test_raw_samples(self, stream, speech, samples):
        assert stream("-", stdin=samples.tobytes()) == stream(speech)

    def test_raw_samples_of_two_channels_with_half_a_sample_behind(self, stream, speech, samples):
        stereo = np.repeat(samples, 2).tobytes() + b"\x01"
        assert stream("-", "--channels", 2, stdin=stereo) == stream(speech)

    def test_raw_samples_of_another_rate(self, stream, speech, samples):
        double = np.repeat(samples, 2).tobytes()
        _, events, _ = stream("-", "--sample-rate", 32_000, stdin=double)
        assert events[-1][1] == stream(speech)[1][-1][1]

    @pytest.mark.parametrize(("fmt", "bits", "kind", "scale"), [(1, 16, "<i2", 1), (1, 32, "<i4", 65_536)])
    def test_a_wav_says_what_it_holds(self, stream, speech, samples, fmt, bits, kind, scale):
        data = (np.repeat(samples, 2).astype(np.int64) * scale).astype(kind).tobytes()
        note = b"LIST" + struct.pack("<I", 4) + b"INFO"
        assert stream("-", stdin=wav(fmt, bits, 2, data, behind=note)) == stream(speech)

    def test_a_float_wav(self, stream, speech, samples):
        data = (samples / 32768).astype("<f4").tobytes()
        assert stream("-", stdin=wav(3, 32, 1, data)) == stream(speech)

    @pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0xFFFFFFFF])
    def test_a_wav_whose_length_was_never_filled_in(self, stream, speech, samples, size):
        assert stream("-", stdin=wav(1, 16, 1, samples.tobytes(), size=size)) == stream(speech)

    def test_quiet_samples_are_not_taken_for_an_mp3(self, stream):
        assert stream("-", stdin=b"\xff\xff\x01\x00" * 4000)[0] == 0

    @pytest.mark.parametrize(
        "frame",
        [
            b"\xff\xfb\x90\x00".ljust(417, b"\0"),  # MPEG 1 layer 3, 128 kbit/s at 44.1 kHz
            b"\xff\xf3\x64\x00".ljust(144, b"\0"),  # MPEG 2 layer 3, 48 kbit/s at 24 kHz
            b"\xff\xfd\x84\x00".ljust(384, b"\0"),  # MPEG 1 layer 2, 128 kbit/s at 48 kHz
            b"\xff\xf1\x50\x80\x02\x1f\xfc".ljust(16, b"\0"),  # ADTS
        ],
    )
    def test_raw_mp3_and_aac_are_told_from_samples(self, stream, frame):
        code, events, err = stream("-", stdin=frame * 20)
        assert (code, events) == (1, [])
        assert "an audio file that is no plain wav" in err
        assert stream("-", stdin=frame + bytes(30_000))[0] == 0  # no second frame: samples

    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            (b"", "standard input is empty (0 bytes)"),
            (b"fLaC" + bytes(100), "an audio file that is no plain wav"),
            (b"OggS" + bytes(100), "an audio file that is no plain wav"),
            (wav(1, 16, 1, b"")[:40], "the wav ends before its samples"),
            (wav(1, 24, 1, bytes(300)), "format 1 with 24 bits; convert it to 16-bit PCM"),
            (wav(3, 32, 1, np.full(9000, np.nan, "<f4").tobytes()), "NaN"),
        ],
    )
    def test_bad_input(self, stream, data, sentence):
        code, events, err = stream("-", stdin=data)
        assert (code, events, err.count("\n")) == (1, [], 1)
        assert sentence in err

    def test_a_cut_wav_is_an_error_after_what_has_come(self, stream, samples):
        code, _, err = stream("-", stdin=wav(1, 16, 1, samples.tobytes(), size=2 * len(samples) + 500))
        assert code == 1
        assert "500 of them did not come" in err


def test_corrections_keep_the_distance_that_is_asked_for(stream, speech):
    corrections = [time for kind, time, _ in stream(speech)[1] if kind == "refresh"]
    assert len(corrections) > 1
    code, events, _ = stream(speech, "--refresh-ms", 60_000)
    assert code == 0
    segments = sum(kind == "final" for kind, _, _ in events)
    assert [kind for kind, _, _ in events].count("refresh") <= segments < len(corrections)


def test_rules_take_the_place_of_the_detector_that_nobody_named(sample, tmp_path):
    once, rate = soundfile.read(sample, dtype="int16")
    soundfile.write(tmp_path / "twice.wav", np.concatenate([once, np.zeros(rate, np.int16), once]), rate)

    def finals(*words):
        call = ["stream", str(tmp_path / "twice.wav"), "--mode", "fast", "--punctuation", "none", *words]
        lines = CliRunner().invoke(cli, call).stdout.splitlines()
        return [line for line in lines if line.startswith("final")]

    assert finals("--endpoint") == finals("--endpoint", "--vad", "none")
    assert len(finals("--endpoint", "--vad", "vad")) > 1


class TestWrongCalls:
    @pytest.mark.parametrize(
        ("words", "code", "sentence"),
        [
            (["nowhere.wav"], 1, "'nowhere.wav' does not exist"),
            (["-", "--mode", "slow"], 2, "mode is 'slow'"),
            (["-", "--latency", "9"], 2, "latency is 9"),
            (["-", "--packet-ms", "0"], 2, "--packet-ms is 0"),
            (["-", "--packet-ms", "99999999999"], 2, "give at most 60000"),
            (["-", "--refresh-ms", "0"], 2, "refresh_ms is 0"),
            (["-", "--channels", "0"], 2, "--channels is 0"),
        ],
    )
    def test_one_sentence(self, stream, words, code, sentence):
        result, events, err = stream(*words, stdin=bytes(3200))
        assert (result, events, err.count("\n")) == (code, [], 1)
        assert sentence in err

    def test_the_microphone_without_its_extra(self, stream, monkeypatch):
        monkeypatch.setitem(sys.modules, "sounddevice", None)
        code, _, err = stream()
        assert code == 2
        assert "uniasr[mic]" in err


class FakeSoundDevice:
    """The part of sounddevice that is used: hears one packet, then Ctrl-C."""

    PortAudioError = OSError

    def __init__(self, samples):
        self.samples = samples

    def RawInputStream(self, *, callback, **_settings):  # noqa: N802 - sounddevice's name
        callback(memoryview(self.samples.tobytes()), len(self.samples), None, None)
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_ctrl_c_ends_the_microphone_and_completes_the_text(stream, speech, samples, monkeypatch):
    import queue

    class Heard(queue.SimpleQueue):
        def get(self):
            if self.empty():
                raise KeyboardInterrupt
            return super().get()

    monkeypatch.setattr(queue, "SimpleQueue", Heard)
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSoundDevice(samples))
    code, events, err = stream()
    assert (code, err) == (0, "listening; Ctrl-C ends\n")
    assert events == stream(speech)[1]


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo terminal")
def test_a_terminal_sees_one_line_redrawn_and_the_final_with_its_times(model, speech):
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "uniasr", "stream", "--model", model, str(speech)],
        stdout=theirs,
        stderr=theirs,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
    )
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:  # what Linux says when the other side is closed
        pass
    os.close(ours)
    assert process.wait(60) == 0
    assert shown.count(b"\x1b[2K") > 3  # lines erased to be drawn again
    assert b"\x1b[2m" in shown  # dim: what may still change
    assert b"[00:00.00 - 00:0" in shown
    assert b"partial" not in shown
