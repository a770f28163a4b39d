"""The reference's pipeline of a detector, a stand-in recogniser and punctuation: the same texts and times."""

import json

import numpy as np
import pytest

import uniasr
from uniasr.types import Segment, Token, Transcript

pytestmark = pytest.mark.torch  # the recorded models are raw checkpoints

CASES = ("vad_only_join", "vad_punc", "punc_only", "no_speech")


class StandIn:
    """The recogniser whose rule the fixture's manifest states."""

    def __init__(self, words):
        self.words = words
        self.heard = []

    def attempt(self, audios, mode="offline", latency=None, *, sample_rate=None, channel=None):
        for audio in audios:
            self.heard.append(len(audio))
            count = max(1, len(audio) // 3200)
            words = [self.words[(count + i) % len(self.words)] for i in range(count)]
            tokens = tuple(Token(word, 0, 200 * i, 200 * i + 180, 1.0) for i, word in enumerate(words))
            text, length_ms = " ".join(words), len(audio) // 16
            yield Transcript(text, (Segment(0, 0, length_ms, text, tokens, ()),), length_ms)


@pytest.mark.parametrize("name", CASES)
def test_texts_and_times_are_the_references(golden, name):
    manifest = json.loads((golden("pipeline") / "manifest.json").read_text(encoding="utf-8"))
    case, recogniser = manifest["cases"][name], StandIn(manifest["words"])
    pipeline = uniasr.Pipeline(
        recogniser,
        str(golden("fsmn_vad")) if "vad_model" in case["parts"] else None,
        str(golden("ct_transformer")) if "punc_model" in case["parts"] else None,
    )
    clip = np.load(golden("fsmn_vad") / "inputs.npz")[case["clip"]]
    found = pipeline.transcribe(clip, 16_000)
    (wanted,) = case["result"]
    assert [[token.start_ms, token.end_ms] for token in found.tokens] == wanted["timestamp"]
    if pipeline.punctuation is None:
        assert [token.text for token in found.tokens] == wanted["text"].split()
    else:
        assert found.text == wanted["text"]
    if pipeline.vad is not None:
        assert sorted(recogniser.heard) == sorted(size for call in case["recogniser_calls_samples"] for size in call)
