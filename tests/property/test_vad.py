"""A stream of the voice activity detector is the file: packets, company and blocks change no event and no bit."""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import uniasr
from uniasr import load_vad
from uniasr.audio.load import Waveform, blocks
from uniasr.audio.resample import resample
from uniasr.checkpoints.fsmn_vad import read_fsmn_vad, write_fsmn_vad
from uniasr.configs.frontend import FrontendConfig
from uniasr.configs.fsmn_vad import FsmnConfig, FsmnVadConfig
from uniasr.errors import AudioError, OptionError
from uniasr.features.cmvn import Cmvn
from uniasr.recognizers.vad import advance

pytestmark = pytest.mark.torch  # the recorded models are exported first

relaxed = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
packets = st.lists(st.one_of(st.integers(1, 3), st.integers(0, 700), st.integers(0, 20_000)), max_size=30)


@pytest.fixture
def vad(recorded, load_exported_vad):
    return load_exported_vad(recorded("fsmn_vad_8k"))


@pytest.fixture
def clip(recorded):
    return np.load(recorded("fsmn_vad_8k") / "inputs.npz")["a"]


def cut(samples, sizes):
    ends = np.minimum(np.cumsum([0, *sizes]), len(samples))
    return [samples[a:b] for a, b in zip(ends, [*ends[1:], len(samples)], strict=True)]


def joined(events):
    """Segments of the events of any packets."""
    flat = [time for event in events for time in event if time != -1]
    assert len(flat) % 2 == 0
    return list(zip(flat[::2], flat[1::2], strict=True))


def streamed(vad, samples, rate, sizes, **options):
    with vad.stream(rate, **options) as stream:
        events = [event for packet in cut(samples, sizes) for event in stream.accept(packet)]
        return joined(events + stream.finish())


@relaxed
@given(data=st.data())
def test_segments_do_not_depend_on_the_packets(vad, clip, data):
    begin = data.draw(st.integers(0, len(clip) - 1))
    samples = clip[begin:][: data.draw(st.integers(0, 80_000))]
    rate = data.draw(st.sampled_from([8000, 11025, 16000, 44100]))
    if rate != 8000:
        samples = resample(samples / np.float32(32768), 8000, rate)
    options = {
        "profile": data.draw(st.sampled_from(["classic", "dynamic"])),
        "max_single_segment_time": data.draw(st.sampled_from([60_000, 1500])),
        "snr_thres": data.draw(st.sampled_from([-100.0, 3.0])),
    }
    whole = vad.segments(samples, rate, **options)
    assert streamed(vad, samples, rate, data.draw(packets), **options) == whole
    part = max(1, data.draw(st.integers(1, 30_000)))
    parts = [Waveform(np.float32(p / (1 if p.dtype == np.float32 else 32768)), rate) for p in cut(samples, [part] * 9)]
    assert list(vad.iterate(parts, **options)) == whole


@relaxed
@given(sizes=packets, other=packets)
def test_scores_have_the_same_bits_in_any_company(vad, clip, sizes, other):
    samples = clip / np.float32(32768)
    alone = []
    for company in (0, 5):
        seen = []
        session = vad.session(8000)
        session.detector = Listener(session.detector, seen)
        rest = [vad.session(8000) for _ in range(company)]
        for index, packet in enumerate(cut(samples[:40_000], sizes if company else other)):
            session.feed(packet)
            for number, one in enumerate(rest):
                one.feed(samples[1000 * index * number :][: 500 * number])
            advance(vad.engine, [*rest, session])
        session.end()
        advance(vad.engine, [*rest, session])
        alone.append(seen)
    assert alone[0] == alone[1]


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A network with random weights and the published widths, where runtimes use blocked and threaded code."""
    torch = pytest.importorskip("torch")
    from uniasr.export.directory import export_fsmn_vad
    from uniasr.networks.fsmn_vad import FsmnVadNetwork

    torch.manual_seed(3)
    config = FsmnVadConfig(frontend=FrontendConfig(lfr_m=5, lfr_n=1), encoder=FsmnConfig())
    cmvn = Cmvn(np.full(400, -10, np.float32), np.full(400, 0.2, np.float32))
    folder = tmp_path_factory.mktemp("wide")
    write_fsmn_vad(folder / "weights", config, cmvn, state=FsmnVadNetwork(config.encoder).state_dict())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter remarks on itself
        return export_fsmn_vad(read_fsmn_vad(folder / "weights"), folder / "graph")


@pytest.mark.parametrize("which", ["wide", "packaged"])
def test_the_graph_gives_every_stream_its_bits(which, request):
    directory = request.getfixturevalue("wide") if which == "wide" else None
    random, first = np.random.default_rng(1), None
    for threads in (1, 2):
        vad = load_vad(directory, threads=threads)
        encoder = vad.config.encoder
        rows = random.standard_normal((40, 100, encoder.input_dim)).astype(np.float32) if first is None else first[0]
        cache = np.zeros((40, encoder.fsmn_layers, encoder.cache_rows, encoder.proj_dim), np.float32)
        for streams in (1, 2, 7, 40):
            for count in (1, 2, 3, 17, 99, 100):
                fed = {
                    "rows": rows[:streams, : max(2, count)],
                    "counts": np.full(streams, count),
                    "cache": cache[:streams],
                }
                scores = vad.engine.run("fsmn_vad", fed, ["scores"])["scores"]
                first = first or (rows, {})
                for stream in range(min(streams, 2)):
                    whole = first[1].setdefault(stream, np.full((100, encoder.output_dim), np.nan, np.float32))
                    seen, kept = scores[stream, :count], whole[:count]
                    assert np.array_equal(seen[~np.isnan(kept)], kept[~np.isnan(kept)]), (threads, streams, count)
                    whole[:count] = seen


class Listener:
    """A detector that writes down what it is told."""

    def __init__(self, detector, seen):
        self._detector, self._seen = detector, seen

    def step(self, state, silence, level_db):
        self._seen.append((silence, level_db))
        return self._detector.step(state, silence, level_db)

    def finish(self, state):
        return self._detector.finish(state)

    def quiet(self, state, count):
        self._seen.extend([None] * count)
        return self._detector.quiet(state, count)


@pytest.fixture(scope="module")
def packaged():
    return load_vad(threads=1)


@pytest.fixture(scope="module")
def speech():
    path = Path(uniasr.__file__).parent / "packaged" / "samples" / "ja.wav"
    return soundfile.read(path, dtype="float32")[0]


def watched(vad, seen):
    session = vad.session(16_000)
    session.detector = Listener(session.detector, seen)
    return session


@relaxed
@given(
    parts=st.lists(st.tuples(st.integers(0, 30_000), st.sampled_from([0.0, 0.0, 0.002, 0.1, 1.0])), max_size=8),
    sizes=packets,
    company=st.integers(0, 3),
)
def test_what_the_network_need_not_hear_does_not_depend_on_packets_and_company(packaged, speech, parts, sizes, company):
    """Speech at any level between stretches that are too quiet for the network, which then forgets what was before."""
    samples = np.concatenate([np.float32(gain) * np.resize(speech, length) for length, gain in parts] or [speech[:0]])
    whole, cut_up = [], []
    session = watched(packaged, whole)
    session.feed(samples)
    session.end()
    advance(packaged.engine, [session])
    assert len(whole) == max(0, (len(samples) - 240) // 160)
    session, rest = watched(packaged, cut_up), [packaged.session(16_000) for _ in range(company)]
    for packet in cut(samples, sizes):
        session.feed(packet)
        for one in rest:
            one.feed(speech[: len(packet) // 2])
        advance(packaged.engine, [*rest, session])
    session.end()
    advance(packaged.engine, [*rest, session])
    assert whole == cut_up


def test_silence_costs_no_network_and_soft_speech_is_heard(packaged, speech, monkeypatch):
    calls = []
    run = packaged.engine.run
    monkeypatch.setattr(packaged.engine, "run", lambda *given: calls.append(given) or run(*given))
    faint = np.random.default_rng(0).standard_normal(60 * 16_000).astype(np.float32) * np.float32(0.0003)
    for silence in (np.zeros_like(faint), faint):
        assert packaged.segments(silence, 16_000) == []
        assert (packaged.speech_probabilities(silence, 16_000) == 0).all()
    assert not calls
    soft = speech * np.float32(10 ** (-45 / 20) / np.abs(speech).max())
    within = packaged.segments(np.concatenate([faint, soft, faint]), 16_000)
    assert len(within) == len(packaged.segments(speech, 16_000))
    assert all(59_000 < start < end < 61_000 + len(speech) / 16 for start, end in within)


def test_segments_of_the_published_weights_for_packets_of_any_size(shared_dir, load_exported_vad):
    folder = shared_dir / "real" / "fsmn_vad"
    if not folder.is_dir():
        pytest.skip("no published weights beside the checkout")
    vad, cases = load_exported_vad(folder), json.loads((folder / "segments.json").read_text())["cases"]

    @settings(max_examples=8, deadline=None)
    @given(clip=st.sampled_from(["jfk", "librivox_joined", "zh_welcome"]), sizes=packets)
    def check(clip, sizes):
        samples = soundfile.read(folder / f"{clip}.flac", dtype="int16")[0]
        assert [list(s) for s in streamed(vad, samples, 16_000, sizes)] == cases[clip]["offline"]["fixed_800"]

    check()


def test_a_batch_gives_what_single_calls_give_and_errors_in_their_place(vad, clip, tmp_path):
    inputs = [clip, clip[:50_000], np.zeros(0, np.int16), tmp_path / "missing.wav", clip[20_000:]]
    found = list(vad.attempt(inputs, sample_rate=8000))
    assert isinstance(found[3], AudioError)
    singles = [vad.segments(audio, 8000) for index, audio in enumerate(inputs) if index != 3]
    assert [outcome for index, outcome in enumerate(found) if index != 3] == singles
    assert singles[0]


@pytest.mark.parametrize("count", [0, 1, 199, 200, 279, 280, 360, 400])
def test_hardly_any_audio(vad, count):
    assert vad.segments(np.zeros(count, np.float32), 8000) == []
    with vad.stream(8000) as stream:
        assert stream.accept(np.zeros(count, np.float32)) + stream.finish() + stream.finish() == []


def test_an_empty_last_packet_still_ends_the_segment(vad, clip):
    samples = clip[: 8 * 1500]
    with vad.stream(8000) as stream:
        events = stream.accept(samples)
        assert events == [[880, -1]]
        assert stream.accept(b"") == []
        assert stream.settled_ms == 880
        assert stream.finish() == [[-1, 1480]]


def test_a_call_leaves_the_next_one_alone(vad, clip):
    before = vad.segments(clip, 8000)
    assert vad.segments(clip, 8000, max_end_silence_ms=300) != before
    assert vad.segments(clip, 8000) == before


def test_options_that_do_not_go_together(vad):
    for options in (
        {"profile": "slow"},
        {"profile": "dynamic", "max_end_silence_ms": 300},
        {"max_end_silence_ms": 300, "max_end_silence_time": 300},
        {"max_end_silence_ms": -5},
        {"sil_pdf_ids": (1,)},
        {"window": 3},
    ):
        with pytest.raises(OptionError):
            vad.stream(8000, **options)


def test_a_session_does_not_grow(vad, clip):
    """Ten minutes in one packet, and what is left of them; segments come out as the audio goes in."""
    samples = np.tile(clip / np.float32(32768), 45)
    with vad.stream(8000) as stream:
        first = stream.accept(samples[: 8000 * 60])
        size = held(stream.session)
        events = stream.accept(samples[8000 * 60 :])
        assert held(stream.session) <= size + 4000
        assert len(first) > 5
        assert len(events) > 50
    closed = vad.iterate(Waveform(part.samples, 8000) for part in blocks(samples, sample_rate=8000))
    assert next(closed)[0] == 880


def held(session):
    """Bytes of all arrays of a session."""
    values = [getattr(session, name) for name in vars(session)]
    values += [getattr(session._front, "samples", None), session._front.lfr.frames, session._level.samples]
    return sum(value.nbytes for value in values if isinstance(value, np.ndarray)) + sys.getsizeof(session._events)


def test_the_packaged_detector_hears_speech_and_nothing_else(packaged, speech):
    vad, random, rate = packaged, np.random.default_rng(2), 16_000
    found = vad.segments(speech, rate)
    assert sum(end - start for start, end in found) > 500 * len(speech) / rate
    assert found == streamed(vad, speech, rate, [160] * 500)
    time = np.arange(5 * 16_000) / 16_000
    for silent in (0 * time, 0.1 * np.sin(880 * np.pi * time), 0.05 * random.standard_normal(len(time))):
        assert vad.segments(silent.astype(np.float32), 16_000) == []
