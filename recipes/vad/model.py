"""The shape of the packaged voice activity detector: an FSMN a third of the published one's size."""

from __future__ import annotations

from uniasr.configs.frontend import FrontendConfig
from uniasr.configs.fsmn_vad import FsmnConfig, FsmnVadConfig, VadOptions

SILENCE, SPEECH = 0, 1


def config() -> FsmnVadConfig:
    """2.4 s of past under the memories, in steps of 40 ms; outputs silence and speech."""
    encoder = FsmnConfig(
        input_dim=400,
        input_affine_dim=64,
        fsmn_layers=4,
        linear_dim=128,
        proj_dim=96,
        lorder=16,
        lstride=4,
        output_affine_dim=48,
        output_dim=2,
    )
    # Frames are speech from a probability of 0.5 on. Times are the published ones, but a start goes back by 100 ms
    # less: it still lies about 160 ms before the first frame of speech.
    options = VadOptions(speech_noise_thres=0.0, lookback_time_start_point=100)
    return FsmnVadConfig(frontend=FrontendConfig(lfr_m=5, lfr_n=1), encoder=encoder, options=options)
