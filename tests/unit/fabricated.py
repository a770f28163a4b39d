"""A recogniser without weights: the samples of a row are its alpha, and the decoder follows a formula.

For tests of what surrounds the network: when segments close, what a session keeps, how often it calls the engine.
"""

from collections import Counter

import numpy as np

from small_config import small_config
from uniasr.configs.decoding import ConfidenceConfig
from uniasr.configs.frontend import FrontendConfig
from uniasr.configs.uniasr import ChunkConfig
from uniasr.features.cmvn import Cmvn
from uniasr.recognizers.uniasr import Uniasr
from uniasr.text import Vocabulary

RATE_HZ = 1000
ROW_MS = 60
GAIN = 1000.0
"""Makes alphas larger than the position codes that are added to them."""
FIRST_PASS, SECOND_PASS = range(3, 7), range(7, 11)
UNIT = 64
"""Alphas are multiples of 1 / UNIT, so that no sum is rounded."""


def fabricated_config(chunk=None, chunk2=None, shift_ms=0.0, confidence=None, ctc_heads=False, ctc_rescoring=0.0):
    return small_config(
        FrontendConfig(sample_rate_hz=RATE_HZ, n_mels=4, frame_length_ms=25, frame_shift_ms=10, lfr_m=7, lfr_n=6),
        (chunk or ChunkConfig(size=20, stride=10, pad_left=5),),
        (chunk2 or ChunkConfig(size=30, stride=20, pad_left=5),),
        vocab_size=12,
        encoder_sizes={"output_size": 4, "attention_heads": 1, "linear_units": 4},
        decoder_sizes={"attention_dim": 4, "attention_heads": 1, "linear_units": 4, "num_blocks": 1},
        time_shift_ms=(shift_ms, shift_ms),
        confidence=confidence or (ConfidenceConfig(), ConfidenceConfig()),
        ctc_heads=ctc_heads,
        ctc_rescoring=ctc_rescoring,
    )


def fabricated_model(engine=None, **changes):
    """The engine is a class, FormulaEngine by default."""
    config = fabricated_config(**changes)
    tokens = Vocabulary(("<blank>", "<s>", "</s>", *"あいうえおかきく", "<unk>"))
    cmvn = Cmvn(np.zeros(28, np.float32), np.ones(28, np.float32))
    model = Uniasr((engine or FormulaEngine)(config), config, tokens, cmvn)
    model._front_end = PlainFrontEnd(config.frontend)
    return model


def samples_of(alphas):
    """Audio of rows with these alphas, in units of 1 / UNIT."""
    return np.repeat(np.asarray(alphas, np.float32) / UNIT, ROW_MS)


class PlainFrontEnd:
    """Every 60 samples are a row of their first one, times GAIN.

    As with the real front end a row is complete a little before its time is over: its last samples may never come.
    """

    early = 5

    def __init__(self, config):
        assert (config.sample_rate_hz, config.row_ms) == (RATE_HZ, ROW_MS)
        self.config = config

    def start(self):
        """Samples to come that belong to a row that is out, and samples that wait."""
        return 0, np.zeros(0, np.float32)

    def step(self, carry, samples, last):
        skip, waiting = carry
        waiting = np.concatenate([waiting, samples[skip:]])
        skip = max(0, skip - len(samples))
        count = (len(waiting) + self.early) // ROW_MS
        rows = np.repeat(waiting[: count * ROW_MS : ROW_MS, None] * GAIN, self.config.feature_size, axis=1)
        return (skip + max(0, count * ROW_MS - len(waiting)), waiting[count * ROW_MS :]), rows.astype(np.float32)


class FormulaEngine:
    """Counts its calls. A row of pass 2 weighs as much as the rows of pass 1 that it stands for.

    Pass 1 decodes to the ids of FIRST_PASS, pass 2 to those of SECOND_PASS.
    """

    name, device, threads = "formula", "cpu", None

    def __init__(self, config):
        self.config = config
        self.calls = Counter()

    def run(self, graph, inputs, outputs):
        self.calls[graph] += 1
        if graph.startswith("decoder"):
            return self._decoder(inputs, SECOND_PASS if graph == "decoder2" else FIRST_PASS)
        return getattr(self, f"_{graph.rstrip('2')}")(inputs)

    def _encoder(self, inputs):
        chunks = inputs["chunks"]
        alphas = np.round(chunks.mean(axis=-1) / (GAIN * 2) * UNIT) / UNIT * inputs["valid"]
        return {"rows": np.repeat(alphas[..., None], 4, axis=2).astype(np.float32), "alphas": alphas.astype(np.float32)}

    def _bridge(self, inputs):
        windows = inputs["windows"]
        features = windows.reshape(*windows.shape[:2], 2, 32)[..., 0].sum(axis=2)
        return {"out": np.repeat(features[..., None], 32, axis=2)}

    def _memory(self, inputs):
        count, size, _ = inputs["rows"].shape
        return {
            "keys": np.zeros((count, 1, 1, 4, size), np.float32),
            "values": np.zeros((count, 1, 1, size, 4), np.float32),
        }

    def _decoder(self, inputs, ids):
        tokens = inputs["tokens"]
        likely = ids[0] + (tokens + 1) % len(ids)
        log_probs = -0.01 - ((np.arange(12) - likely[..., None]) % 12).astype(np.float32)
        order = np.argsort(-log_probs, axis=-1, kind="stable")
        return {
            "log_probs": log_probs,
            "top_ids": order,
            "top_log_probs": np.take_along_axis(log_probs, order, axis=-1),
            "end_log_probs": log_probs[..., 2],
            "next_cache": inputs["cache"],
        }
