"""What a pipeline tells of a part that does not do what it owes."""

import pytest

import uniasr
from uniasr.errors import OptionError
from uniasr.types import Transcript


class Idle:
    """A recogniser that gives up after some results."""

    def __init__(self, results):
        self.results = results

    def attempt(self, audios, *shape, **options):
        for _ in range(self.results if audios else 0):
            yield Transcript("", (), 1000)


@pytest.mark.parametrize("results", [0, 2])
def test_a_recogniser_that_owes_results_is_named(sample, results):
    pipeline = uniasr.Pipeline(Idle(results), vad="vad")
    with pytest.raises(OptionError, match=f"asr gave {results} results for 3 stretches"):
        pipeline.transcribe_batch([sample] * 3)
