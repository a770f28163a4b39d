"""The shape of the packaged voice activity detector: an FSMN a third of the published one's size, at half its rate."""

from __future__ import annotations

from uniasr.configs.frontend import FrontendConfig
from uniasr.configs.fsmn_vad import FsmnConfig, FsmnVadConfig, RecognitionOptions, VadOptions

SILENCE, SPEECH = 0, 1
FRONTEND = FrontendConfig(n_mels=40, frame_shift_ms=20.0, lfr_m=9, lfr_n=1)
"""A row per 20 ms that sees 80 ms to either side."""


def config() -> FsmnVadConfig:
    """4.4 s of past under the memories, in steps of 80 ms; outputs silence and speech."""
    encoder = FsmnConfig(
        input_dim=FRONTEND.feature_size,
        input_affine_dim=64,
        fsmn_layers=5,
        linear_dim=128,
        proj_dim=96,
        lorder=12,
        lstride=4,
        output_affine_dim=48,
        output_dim=2,
    )
    # Frames are speech from a probability of 0.5 on; all else is as published.
    options = VadOptions(speech_noise_thres=0.0)
    # What a recogniser is to hear begins at 0.3, with more around it: a word that is left out is lost.
    recognition = RecognitionOptions(
        speech_noise_thres=-0.4, lookback_time_start_point=400, lookahead_time_end_point=400
    )
    # The softest speech that is trained on peaks 49 dB below full scale; windows whose samples have -64 dB are nothing.
    return FsmnVadConfig(frontend=FRONTEND, encoder=encoder, options=options, quiet_db=-38.0, recognition=recognition)
