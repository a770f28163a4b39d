"""What a pipeline tells of a part that does not do what it owes."""

import numpy as np
import pytest
import soundfile

import uniasr
from uniasr.errors import OptionError
from uniasr.types import Transcript


class Idle:
    """A recogniser that gives up after some results."""

    def __init__(self, results):
        self.results = results

    def attempt(self, audios, *shape, **options):
        for _, _ in zip(audios, range(self.results), strict=False):
            yield Transcript("", (), 1000)


@pytest.mark.parametrize("vad", ["vad", None])
@pytest.mark.parametrize("results", [0, 2])
def test_a_recogniser_that_owes_results_is_named(sample, results, vad):
    pipeline = uniasr.Pipeline(Idle(results), vad=vad)
    with pytest.raises(OptionError, match=r"asr gave \d results for 3 inputs"):
        pipeline.transcribe_batch([sample] * 3)


class Listener:
    """A recogniser that remembers how much it was given."""

    def __init__(self):
        self.heard_ms = []

    def attempt(self, audios, *shape, sample_rate=None, **options):
        for audio in audios:
            self.heard_ms.append(1000 * len(audio) // sample_rate)
            yield Transcript("", (), self.heard_ms[-1])


def test_a_recogniser_hears_more_than_the_detector_is_sure_of(sample):
    speech, rate = soundfile.read(sample, dtype="float32")
    pause = np.random.default_rng(0).normal(0, 1e-4, 2 * rate).astype(np.float32)
    audio = np.concatenate([pause, speech, pause, 0.1 * speech, pause])
    vad, listener = uniasr.load_vad(), Listener()
    uniasr.Pipeline(listener, vad=vad).transcribe(audio, rate)
    sure = [end - start for start, end in vad.segments(audio, rate)]
    assert len(listener.heard_ms) == len(sure)
    more = vad.config.recognition.lookback_time_start_point - vad.config.options.lookback_time_start_point
    assert all(heard >= own + more for heard, own in zip(sorted(listener.heard_ms), sorted(sure), strict=True))
    assert sum(listener.heard_ms) < 1000 * len(audio) // rate - 3000  # the pauses are left out
