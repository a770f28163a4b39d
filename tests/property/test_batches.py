"""Each result of a batch is the one of its input alone, to the bit, whatever the company, the order and the threads."""

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import MODELS
from uniasr import Transcript
from uniasr.audio.resample import resample
from uniasr.errors import AudioError, AudioNotFoundError, OptionError
from uniasr.recognizers.uniasr.model import BATCH

pytestmark = pytest.mark.torch  # the recorded models are exported first

relaxed = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
SHORT_SEGMENTS = {"segment_s": 1.0, "max_segment_s": 3.0}


@pytest.fixture(params=MODELS)
def name(request):
    return request.param


@pytest.fixture
def model(name, load_exported):
    return load_exported(name)


@pytest.fixture
def clips(name, model, recorded):
    """int16 inputs of many lengths at the model's rate: empty, hardly any samples, short, long, noise, silence."""
    rate = model.config.frontend.sample_rate_hz
    speech = [soundfile.read(wav, dtype="int16")[0] for wav in sorted((recorded(name) / "wav").glob("*.wav"))]
    noise = np.random.default_rng(1).normal(0, 900, 2 * rate).astype(np.int16)
    cuts = [speech[0][: int(rate * seconds)] for seconds in (0.03, 0.1, 0.4, 0.71, 1.3)]
    return [
        np.zeros(0, np.int16),
        np.ones(5, np.int16),
        np.zeros(2 * rate, np.int16),
        noise,
        *cuts,
        *speech,
        np.concatenate([*speech, noise, *speech]),
    ]


def alone(model, clips, **arguments):
    return [model.transcribe(clip, model.config.frontend.sample_rate_hz, **arguments) for clip in clips]


@relaxed
@given(data=st.data())
def test_company_and_order_change_nothing(model, clips, load_exported, name, data):
    chosen = data.draw(st.lists(st.integers(0, len(clips) - 1), max_size=BATCH + 5))
    arguments = {
        "mode": data.draw(st.sampled_from(["fast", "normal", "offline"])),
        "latency": data.draw(st.integers(0, model.config.num_latencies - 1)),
        "search": data.draw(st.sampled_from(["gated", "reference"])),
        "beam_size": data.draw(st.sampled_from([1, 5, 40])),
        "nbest": 3,
        **data.draw(st.sampled_from([SHORT_SEGMENTS, {}])),
    }
    singles = alone(model, clips, **arguments)
    other = load_exported(name, threads=data.draw(st.sampled_from([1, 2])))
    rate = model.config.frontend.sample_rate_hz
    batch = other.transcribe_batch([clips[i] for i in chosen], rate, **arguments)
    assert batch == [singles[i] for i in chosen]


def test_more_inputs_than_are_worked_on_together(model, clips):
    rate = model.config.frontend.sample_rate_hz
    singles = alone(model, clips, mode="fast")
    batch = model.transcribe_batch([clips[i % len(clips)] for i in range(3 * BATCH)], rate, mode="fast")
    assert batch == [singles[i % len(clips)] for i in range(3 * BATCH)]


def test_no_input_gives_no_result(model):
    assert model.transcribe_batch([]) == []


@pytest.fixture
def scp(tmp_path, model, clips):
    """A list of recordings at different rates, and what each gives alone."""
    rate = model.config.frontend.sample_rate_hz
    lines, transcripts = [], []
    for number, clip in enumerate(clips):
        path, own_rate = tmp_path / f"{number}.wav", (8000, 16000, 44100)[number % 3]
        samples = resample(clip / np.float32(32768), rate, own_rate)
        soundfile.write(path, samples, own_rate, subtype="PCM_16")
        lines.append(f"utt{number} {path}\n")
        transcripts.append((f"utt{number}", model.transcribe(path, mode="normal")))
    listing = tmp_path / "wav.scp"
    listing.write_text("".join(lines))
    return listing, transcripts


def test_lists_come_in_order_with_the_results_of_each_alone(model, scp):
    listing, transcripts = scp
    assert list(model.transcribe_scp(listing, mode="normal")) == transcripts


def test_a_broken_input_stops_no_other(model, clips, tmp_path):
    rate = model.config.frontend.sample_rate_hz
    good = clips[-2]
    broken = {
        "missing": (tmp_path / "nothing.wav", AudioNotFoundError),
        "no audio": (b"this is no audio file", AudioError),
        "NaN": (np.where(np.arange(5000) == 4000, np.nan, 0.1).astype(np.float32), AudioError),
        "late NaN": (np.where(np.arange(20 * rate) == 15 * rate, np.nan, 0.1).astype(np.float32), AudioError),
        "no input": (None, AudioError),
    }
    alone_ = model.transcribe(good, rate)
    inputs = [good]
    for bad, _ in broken.values():
        inputs += [bad, good]
    outcomes = list(model.attempt(inputs, sample_rate=rate))
    assert outcomes[::2] == [alone_] * (len(broken) + 1)
    for outcome, (what, (_, kind)) in zip(outcomes[1::2], broken.items(), strict=True):
        assert isinstance(outcome, kind), what
    with pytest.raises(AudioError):
        model.transcribe_batch(inputs, rate)


def test_wrong_options_raise_before_any_input_is_read(model):
    def untouched():
        pytest.fail("an input was read")
        yield

    for options in ({"mode": "quick"}, {"latency": 17}, {"beam_size": 0}, {"beams": 2}, {"search": "best"}):
        with pytest.raises(OptionError):
            list(model.attempt(untouched(), **options))


def test_inputs_are_read_when_their_turn_comes(model, clips):
    """Results come while later inputs are still unread, so that an endless list needs no memory."""
    read = 0

    def endless():
        nonlocal read
        while True:
            read += 1
            yield clips[5]

    outcomes = model.attempt(endless(), sample_rate=model.config.frontend.sample_rate_hz)
    first = [next(outcomes) for _ in range(5)]
    assert read <= 2 * BATCH
    assert all(isinstance(outcome, Transcript) and outcome == first[0] for outcome in first)


def test_silence_and_empty_inputs_give_empty_texts(model, clips):
    for clip in clips[:2]:
        transcript = model.transcribe(clip, model.config.frontend.sample_rate_hz)
        assert (transcript.text, transcript.tokens) == ("", ())
    assert model.transcribe(clips[0]).segments == ()


def test_the_array_form_of_the_same_samples_changes_nothing(model, clips):
    rate, clip = model.config.frontend.sample_rate_hz, clips[-2]
    whole = model.transcribe(clip, rate)
    for same in (clip[:, None], clip[None], clip / np.float32(32768), (clip / 32768), clip.astype(np.int32) << 16):
        assert model.transcribe(same, rate) == whole
    stereo = np.stack([clip, clip], axis=1)
    assert model.transcribe(stereo, rate) == model.transcribe(stereo.T, rate) == whole
    assert model.transcribe(np.stack([clip * 0, clip]), rate, channel=1) == whole
