import io
import os
import struct
import threading
from fractions import Fraction
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import example, given, settings
from hypothesis import strategies as st

from uniasr.audio import sources
from uniasr.audio.decode import decoded
from uniasr.audio.headers import demuxer, sniff
from uniasr.audio.load import Waveform, blocks, check_many, load
from uniasr.errors import AudioError, AudioNotFoundError, MissingExtraError, OptionError, UniasrError

FORMATS = [
    *(("WAV", subtype) for subtype in ("PCM_16", "PCM_24", "PCM_32", "PCM_U8", "FLOAT", "DOUBLE", "ULAW", "IMA_ADPCM")),
    *(("WAVEX", "PCM_16"), ("RF64", "PCM_16"), ("W64", "PCM_16"), ("AIFF", "PCM_16"), ("AU", "PCM_16")),
    *(("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")),
]


def tone(count=16_000, channels=1):
    time = np.arange(count)[:, np.newaxis]
    return (0.3 * np.sin(0.05 * time * (1 + np.arange(channels)))).astype(np.float32)


def encode(frames, rate=16_000, kind="WAV", subtype=None):
    file = io.BytesIO()
    soundfile.write(file, frames, rate, format=kind, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize(("kind", "subtype"), FORMATS)
def test_every_format_comes_out_as_libsndfile_reads_it(kind, subtype, tmp_path):
    data = encode(tone(20_000, 2), 48_000, kind, subtype)
    theirs, rate = soundfile.read(io.BytesIO(data), dtype="float32")
    path = tmp_path / "a.bin"
    path.write_bytes(data)
    for source in (data, bytearray(data), memoryview(data), path, str(path), io.BytesIO(data), path.as_uri()):
        audio = load(source)
        assert audio.sample_rate_hz == rate == 48_000
        assert audio.samples.dtype == np.float32
        np.testing.assert_allclose(audio.samples, theirs.mean(axis=1), atol=1e-6)
    np.testing.assert_allclose(load(data, channel=1).samples, theirs[:, 1], atol=1e-6)
    with pytest.raises(AudioError, match="no channel 2; it has 2"):
        load(data, channel=2)


@pytest.mark.parametrize(("kind", "subtype"), FORMATS)
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_cut_file_is_an_error_and_not_a_short_recording(kind, subtype, part):
    data = encode(tone(200_000), 16_000, kind, subtype)
    with pytest.raises(AudioError, match="truncated"):
        load(data[: int(len(data) * part)])


@pytest.mark.parametrize(
    ("kind", "subtype"), [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("AIFF", "PCM_16"), ("OGG", "VORBIS")]
)
def test_a_file_without_samples_is_an_empty_waveform(kind, subtype):
    audio = load(encode(tone(0, 2), 8000, kind, subtype))
    assert audio.samples.shape == (0,)
    assert audio.sample_rate_hz == 8000


def wav_with_sizes(riff, data):
    wav = bytearray(encode(tone(1000)))
    wav[4:8], wav[40:44] = struct.pack("<I", riff), struct.pack("<I", data)
    return bytes(wav)


@pytest.mark.parametrize(
    ("riff", "data"),
    [
        (0, 0),
        (36, 0),
        (2**32 - 1, 0),
        (2**32 - 1, 2**32 - 1),
        (0x7FFFF024, 0x7FFFF000),
        (0x80000024, 0x80000000),
        (0x7FFFF013, 0x7FFFEFEF),
    ],
)
def test_a_wav_written_to_a_pipe_is_read_to_its_end(riff, data):
    np.testing.assert_array_equal(load(wav_with_sizes(riff, data)).samples, load(encode(tone(1000))).samples)


def test_a_wav_without_samples_but_with_notes_after_them_is_empty():
    notes = b"LIST\x04\0\0\0INFO"
    wav = bytearray(encode(tone(0))) + notes
    wav[4:8] = struct.pack("<I", len(wav) - 8)
    assert load(bytes(wav)).samples.size == 0


@pytest.mark.parametrize("size", [1, 11, 12, 20, 36, 43, 44, 45, 2043])
def test_a_wav_cut_anywhere_is_an_error(size):
    with pytest.raises(AudioError):
        load(encode(tone(1000))[:size])


def test_flac_of_unknown_length_is_read_to_its_end():
    data = bytearray(encode(tone(50_000), kind="FLAC"))
    whole = load(bytes(data)).samples
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    np.testing.assert_array_equal(load(bytes(data)).samples, whole)


def test_files_glued_together_are_not_read_in_part():
    for kind in ("MP3", "OGG"):
        data = encode(np.random.default_rng(0).uniform(-0.5, 0.5, (100_000, 1)), kind=kind)
        with pytest.raises(AudioError, match=r"more than its first part|joined files"):
            load(data + data)


def test_a_corrupt_file_prints_no_traceback(monkeypatch):
    """libsndfile steps back before the start of this one, which Python files do not allow."""
    data = bytearray(encode(tone(600), kind="AIFF"))
    data[data.index(b"SSND") + 2] = 0xFF
    printed = []
    monkeypatch.setattr("sys.unraisablehook", printed.append)
    for size in (30, 200, 700, 1254):
        data[4:8] = struct.pack(">I", size - 8)
        loads_or_refuses(bytes(data[:size]))
    assert not printed


def test_tags_behind_an_mp3_are_no_audio():
    data = encode(tone(30_000), kind="MP3")
    np.testing.assert_array_equal(load(data + b"TAG" + bytes(125)).samples, load(data).samples)
    tag = b"ID3\x04\0\0\0\0\x02\0" + bytes(256)
    np.testing.assert_array_equal(load(tag + data).samples, load(data).samples)


def test_blocks_join_to_the_whole(tmp_path):
    for kind, subtype in (("WAV", "PCM_16"), ("MP3", None), ("OGG", "OPUS"), ("FLAC", None)):
        data = encode(tone(16_000 * 25, 3 if kind != "MP3" else 2), kind=kind, subtype=subtype)
        parts = list(blocks(data))
        assert [len(part.samples) for part in parts[:2]] == [160_000, 160_000]
        np.testing.assert_array_equal(np.concatenate([part.samples for part in parts]), load(data).samples)
        expected = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)[0].mean(axis=1)
        np.testing.assert_allclose(load(data).samples, expected, atol=2e-6)
    frames = tone(16_000 * 25, 2)
    np.testing.assert_array_equal(np.concatenate([part.samples for part in blocks(frames)]), load(frames).samples)


# --- arrays


def test_arrays_of_integers_are_scaled_by_the_range_of_their_type():
    for dtype, low, high in (
        (np.int16, -1.0, 32767 / 32768),
        (np.int32, -1.0, 1.0),
        (np.int8, -1.0, 127 / 128),
        (np.uint8, -1.0, 127 / 128),
        (np.uint16, -1.0, 32767 / 32768),
    ):
        limits = np.iinfo(dtype)
        audio = load(np.array([limits.min, limits.max], dtype))
        np.testing.assert_array_equal(audio.samples, np.array([low, high], np.float32))
        assert audio.sample_rate_hz == 16_000
    np.testing.assert_array_equal(load(np.array([128], np.uint8)).samples, [0.0])
    np.testing.assert_array_equal(load(np.array([-256], ">i2")).samples, [-1 / 128])


def test_a_file_and_its_samples_as_an_array_are_equal_to_the_bit():
    pcm = np.random.default_rng(0).integers(-32768, 32768, (5000, 3), np.int16)
    np.testing.assert_array_equal(load(encode(pcm)).samples, load(pcm).samples)


def test_floats_are_taken_as_they_are():
    for dtype in (np.float16, np.float32, np.float64, ">f4"):
        np.testing.assert_array_equal(load(np.array([-1, 0.5, 1.25], dtype)).samples, [-1, 0.5, 1.25])


def test_the_short_axis_is_channels():
    two = np.array([[0.0, 0.5]] * 20)
    for array in (two, two.T):
        np.testing.assert_array_equal(load(array).samples, np.full(20, 0.25))
        np.testing.assert_array_equal(load(array, channel=1).samples, np.full(20, 0.5))
    assert load(np.zeros((3, 5))).samples.shape == (5,)
    assert load(np.zeros((5, 3))).samples.shape == (5,)
    np.testing.assert_array_equal(load(np.array([[0.0, 0.5], [0.25, 0.75]])).samples, [0.25, 0.5])
    for shape in ((0,), (0, 2), (2, 0), (0, 0), (100, 0)):
        assert load(np.zeros(shape)).samples.shape == (0,)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array(0.5), "shape"),
        (np.zeros((2, 2, 2)), "shape"),
        (np.zeros((20, 30)), "8 channels or fewer"),
        (np.array([0.0, np.nan]), "NaN or infinite"),
        (np.array([0.0, -np.inf]), "NaN or infinite"),
        (np.array([1e300]), "NaN or infinite"),
        (np.array([20_000.0]), "divide 16-bit values by 32768"),
        (np.array([1, 2, 3]), "int64"),
        (np.array([0, -20_000, 15_000], np.int32), "convert 16-bit samples to int16"),
        (np.array([0, 32_768], np.int32), "convert 16-bit samples to int16"),
        (np.array([True]), "bool"),
        (np.array([1j]), "complex"),
        (np.array(["a"]), "type"),
        (np.array([None]), "object"),
    ],
)
def test_unfit_arrays_are_refused(array, message):
    with pytest.raises(AudioError, match=message):
        load(array)


@pytest.mark.parametrize("rate", [0, -16_000, 16_000.5, "16000", True, 10**9, float("nan")])
def test_unfit_rates_are_refused(rate):
    with pytest.raises(AudioError, match="sample rate"):
        load(np.zeros(10), sample_rate=rate)


@pytest.mark.parametrize("channel", [-1, 1, 0.0, "0", True])
def test_a_channel_that_is_not_there_is_refused(channel):
    for source in (np.zeros(10), np.zeros((20, 1)), encode(tone(10))):
        with pytest.raises(AudioError, match="no channel"):
            load(source, channel=channel)


def test_nan_in_a_float_file_is_refused():
    with pytest.raises(AudioError, match="NaN or infinite"):
        load(encode(np.array([0.0, np.nan]), subtype="FLOAT"))


class Tensor:
    """What of a torch tensor is used, for machines without torch."""

    dtype = "torch.bfloat16"

    def __init__(self, array):
        self.array = array

    def detach(self):
        return self

    cpu = detach

    def numpy(self):
        if self.array is None:
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self.array


def test_tensors_are_arrays():
    np.testing.assert_array_equal(load(Tensor(np.array([0.5]))).samples, [0.5])
    with pytest.raises(AudioError, match="bfloat16"):
        load(Tensor(None))


@pytest.mark.torch
def test_torch_tensors_that_need_gradients_can_be_read():
    torch = pytest.importorskip("torch")
    tensor = torch.full((2, 20), 0.5, requires_grad=True)
    np.testing.assert_array_equal(load(tensor).samples, np.full(20, 0.5))
    with pytest.raises(AudioError, match="bfloat16"):
        load(tensor.bfloat16())


# --- sources


def test_missing_empty_and_impossible_paths(tmp_path):
    (tmp_path / "empty.wav").touch()
    with pytest.raises(AudioNotFoundError, match=r"none\.wav.*does not exist"):
        load(tmp_path / "none.wav")
    with pytest.raises(AudioError, match=r"empty\.wav is empty"):
        load(tmp_path / "empty.wav")
    with pytest.raises(AudioError, match="is a directory"):
        load(tmp_path)
    for odd in ("", "a\0b", "x" * 5000):
        with pytest.raises(AudioError):
            load(odd)
    if os.geteuid():
        (tmp_path / "empty.wav").chmod(0)
        with pytest.raises(AudioError, match="cannot be opened"):
            load(tmp_path / "empty.wav")


@pytest.mark.parametrize("source", [None, 5, 1.0, [0.0, 0.1], object(), {"a": 1}])
def test_things_that_hold_no_audio(source):
    with pytest.raises(AudioError, match="cannot read audio from a"):
        load(source)


def test_raw_samples_in_bytes_are_refused_with_advice():
    with pytest.raises(AudioError, match="array with sample_rate or as packets"):
        load(np.full(1000, -1, "<i2").tobytes())
    with pytest.raises(AudioError, match="is empty"):
        load(b"")


def test_file_objects_are_read_from_where_they_stand_and_stay_open(tmp_path):
    wav = encode(tone(1000))
    expected = load(wav).samples
    file = io.BytesIO(b"prefix" + wav)
    file.seek(6)
    np.testing.assert_array_equal(load(file).samples, expected)
    assert not file.closed
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as pipe:
        pipe.write(wav)
    with os.fdopen(reader, "rb") as pipe:
        np.testing.assert_array_equal(load(pipe).samples, expected)
    file.close()
    with pytest.raises(AudioError, match="cannot be read"):
        load(file)
    with pytest.raises(AudioError, match="binary mode"):
        load(io.StringIO("text"))


def test_mp4_and_webm_need_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    for head in (b"\0\0\0\x20ftypM4A ", b"\x1a\x45\xdf\xa3\x01\0\0\0", b"\xff\xf1\x50\x80"):
        with pytest.raises(MissingExtraError, match=r'pip install "uniasr\[av\]"'):
            load(head + bytes(100))


def test_mp4_and_webm_through_ffmpeg(tmp_path):
    av = pytest.importorskip("av")
    frames = np.concatenate([tone(4 * 48_000), np.zeros((4 * 48_000, 1), np.float32)], axis=1)
    for name, codec in (("a.m4a", "aac"), ("a.webm", "libopus"), ("a.mkv", "pcm_s16le")):
        with av.open(tmp_path / name, "w") as container:
            stream = container.add_stream(codec, rate=48_000, layout="stereo")
            context = stream.codec_context
            resampler = av.AudioResampler(context.format.name, "stereo", 48_000, frame_size=context.frame_size or 1024)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(frames.T), format="fltp", layout="stereo")
            frame.sample_rate = 48_000
            for piece in (*resampler.resample(frame), *resampler.resample(None), None):
                container.mux(stream.encode(piece))
        left, right = (load(tmp_path / name, channel=channel) for channel in (0, 1))
        assert left.sample_rate_hz == 48_000
        assert abs(left.samples.size - 4 * 48_000) <= 2048
        assert left.samples.std() == pytest.approx(0.3 / np.sqrt(2), abs=0.01)
        assert np.abs(right.samples).max() < 1e-3
        np.testing.assert_allclose(load(tmp_path / name).samples, left.samples / 2, atol=1e-3)
        content = (tmp_path / name).read_bytes()
        for part in (60, len(content) // 3, len(content) * 2 // 3):
            with pytest.raises(AudioError):
                load(content[:part])


def test_audio_that_begins_late_or_pauses_keeps_its_times(tmp_path):
    av = pytest.importorskip("av")
    rate, size = 16_000, 1024
    with av.open(tmp_path / "a.mkv", "w") as container:
        pictures = container.add_stream("mpeg4", rate=10)
        pictures.width, pictures.height = 32, 32
        stream = container.add_stream("pcm_s16le", rate=rate, layout="mono")
        for _ in range(100):
            container.mux(pictures.encode(av.VideoFrame(32, 32, "yuv420p")))
        for number in range(64):
            frame = av.AudioFrame.from_ndarray(np.full((1, size), 8192, np.int16), format="s16", layout="mono")
            late = 5 * rate if number < 32 else 6 * rate
            frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), late + number * size
            container.mux(stream.encode(frame))
        container.mux(pictures.encode(None))
        container.mux(stream.encode(None))
    content = (tmp_path / "a.mkv").read_bytes()
    heard = load(content).samples != 0
    changes = np.flatnonzero(np.diff(heard)) / rate
    np.testing.assert_allclose(changes, [5, 5 + 32 * size / rate, 6 + 32 * size / rate], atol=0.01)
    with pytest.raises(AudioError, match="truncated"):
        load(content[: len(content) * 2 // 3])


def test_what_the_system_cannot_read_is_an_error_of_that_input():
    with pytest.raises(AudioError, match="cannot be read"):
        load("/proc/self/mem")


@pytest.fixture
def server(tmp_path):
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            if not self.path.startswith("/short"):
                return super().do_GET()
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"RIFF")
            return None

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path)) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


def test_urls(server, tmp_path, monkeypatch):
    for name in [key for key in os.environ if key.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    (tmp_path / "a b.wav").write_bytes(encode(tone(1000)))
    np.testing.assert_array_equal(load(f"{server}/a%20b.wav").samples, load(tmp_path / "a b.wav").samples)
    with pytest.raises(AudioNotFoundError, match=r"none\.wav cannot be fetched: the server answers 404") as caught:
        load(f"{server}/none.wav?signature=secret")
    assert "secret" not in str(caught.value)
    with pytest.raises(AudioError, match=r"broke off|cannot be fetched"):
        load(f"{server}/short.wav")
    with pytest.raises(AudioError, match="cannot be fetched"):
        load("http://127.0.0.1:9/a.wav")
    with pytest.raises(AudioError, match="scheme 's3'"):
        load("s3://bucket/a.wav")
    with pytest.raises(AudioNotFoundError):
        load((tmp_path / "none.wav").as_uri())
    with pytest.raises(AudioError):
        load("http://[broken/a.wav")
    monkeypatch.setattr(sources, "URL_MAX_BYTES", 1000)
    with pytest.raises(AudioError, match="larger than"):
        load(f"{server}/a%20b.wav")


# --- fuzz


def loads_or_refuses(data):
    try:
        audio = load(data)
    except UniasrError:
        return
    assert isinstance(audio, Waveform)
    assert np.isfinite(audio.samples).all()


MAGIC = [
    b"RIFF\xff\xff\0\0WAVE",
    b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0",
    b"RF64",
    b"fLaC",
    b"OggS\0",
    b"ID3\x04\0\0",
    b"\xff\xfb\x90",
]
MAGIC += [
    b"FORM\0\0\0\0AIFF",
    b".snd",
    b"caff\0\1",
    b"NIST_1A\n   1024\n",
    b"riff\x2e\x91\xcf\x11",
    b"\0\0\0\x18ftypisom",
    b"",
]


@settings(max_examples=150, deadline=None)
@given(magic=st.sampled_from(MAGIC), body=st.binary(max_size=300))
def test_random_bytes_give_samples_or_one_of_our_errors(magic, body):
    loads_or_refuses(magic + body)


SMALL = [encode(tone(600), kind=kind, subtype=subtype) for kind, subtype in FORMATS]


@settings(max_examples=200, deadline=None)
@given(
    data=st.sampled_from(SMALL),
    cut=st.integers(0, 5000),
    changes=st.lists(st.tuples(st.integers(0, 120), st.integers(0, 255)), max_size=4),
)
@example(data=SMALL[0], cut=5000, changes=[(24, 0), (25, 0), (26, 0), (27, 0)])
@example(data=SMALL[0], cut=5000, changes=[(22, 255), (23, 3)])
def test_damaged_files_give_samples_or_one_of_our_errors(data, cut, changes):
    damaged = bytearray(data[:cut])
    for place, value in changes:
        if place < len(damaged):
            damaged[place] = value
    loads_or_refuses(bytes(damaged))


def test_every_block_of_a_file_with_very_many_channels_is_bounded():
    data = encode(np.zeros((30_000, 600), np.int16))
    assert max(block.size for _, block in decoded(io.BytesIO(data), "a")) <= 1 << 22


def test_names_in_messages_are_the_ones_given(tmp_path):
    path = Path(tmp_path) / "会議.wav"
    path.write_bytes(b"hello world")
    with pytest.raises(AudioError, match=r"会議\.wav does not start like any known audio file"):
        load(path)


@pytest.mark.parametrize("one", ["a.wav", Path("a.wav"), b"RIFF", io.BytesIO(), np.zeros(5), np.zeros(5, np.int16)])
def test_one_source_is_not_many(one):
    with pytest.raises(OptionError, match=r"list of inputs.*\[audio\]"):
        check_many(one)


def test_many_sources_come_in_any_collection():
    for many in ([], ["a.wav"], ("a.wav",), iter(["a.wav"]), np.zeros((2, 5)), np.array(["a.wav"])):
        check_many(many)


def test_ffmpeg_takes_no_text_that_names_an_address_for_audio():
    pytest.importorskip("av")
    script = b"\xff\xf1AAAAAAAAAAAAAA\nv=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n"
    with pytest.raises(AudioError):
        load(script)


@pytest.mark.parametrize(
    "head", [b"\0\0\0\x20ftypM4A ", b"\x1a\x45\xdf\xa3", b"\xff\xf1", b"\x30\x26\xb2\x75", b"#!AMR"]
)
def test_every_format_that_only_ffmpeg_reads_has_its_name(head):
    assert sniff(head) == "container"
    assert demuxer(head)
