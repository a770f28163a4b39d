"""The front end and the chunk geometry against numbers recorded from the reference (funasr 1.4.16).

Tolerance: 2e-3 on log energies above 0; below that energies are compared (1e-3 relative + 1e-4 absolute), because the
logarithm magnifies float32 noise of the Fourier transform near its floor.
"""

import re

import numpy as np
import pytest
import soundfile
import yaml

from uniasr.audio.load import load
from uniasr.configs.frontend import FrontendConfig
from uniasr.configs.uniasr import ChunkConfig
from uniasr.features.chunks import chunk_count, source_rows, valid_rows
from uniasr.features.cmvn import read_am_mvn
from uniasr.features.fbank import Fbank
from uniasr.features.frontend import FrontEnd
from uniasr.features.positions import position_codes

LAYOUTS = {
    "fbank80": FrontendConfig(lfr_m=1, lfr_n=1),
    "m7n6": FrontendConfig(),
    "m5n3": FrontendConfig(n_mels=40, lfr_m=5, lfr_n=3),
    "m1n1": FrontendConfig(lfr_m=1, lfr_n=1),
    "m4n3_8k": FrontendConfig(sample_rate_hz=8000, lfr_m=4, lfr_n=3),
}
MODELS = ("uniasr_ja_template", "uniasr_lookback", "uniasr_odd")


def assert_log_energies(ours, theirs):
    near = np.abs(ours - theirs) <= 2e-3
    same_energy = np.abs(np.exp(ours) - np.exp(theirs)) <= 1e-4 + 1e-3 * np.exp(theirs)
    good = np.where(theirs > 0, near, same_energy)
    assert good.all(), f"{(~good).sum()} of {good.size} values differ, by up to {np.abs(ours - theirs)[~good].max()}"


def whole(front_end, samples):
    return front_end.step(front_end.start(), samples, True)[1]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_rows_of_the_frontend_fixture(golden, layout):
    folder = golden("uniasr_frontend")
    pcm, arrays = np.load(folder / "pcm.npz"), np.load(folder / "arrays.npz")
    cmvn = None if layout == "fbank80" else read_am_mvn(folder / f"am_{layout}.mvn")
    front_end = FrontEnd(LAYOUTS[layout], cmvn)
    keys = [key for key in arrays if key.endswith("." + layout)]
    assert keys
    for key in keys:
        samples = load(pcm[key.rpartition(".")[0]], sample_rate=LAYOUTS[layout].sample_rate_hz).samples
        rows, theirs = whole(front_end, samples), arrays[key]
        frames = len(theirs) if samples.size < 400 else Fbank(LAYOUTS[layout]).count(samples.size)
        assert len(rows) == -(-frames // LAYOUTS[layout].lfr_n), key
        rows = rows[: len(theirs)]
        if cmvn is not None:
            rows, theirs = rows / cmvn.scale - cmvn.shift, theirs / cmvn.scale - cmvn.shift
        assert_log_energies(rows, theirs)


def model(golden, name):
    folder = golden(name)
    return folder, yaml.safe_load((folder / "model_1x/config.yaml").read_text())


def front_end_of(folder, config):
    conf = config["frontend_conf"]
    layout = FrontendConfig(
        sample_rate_hz=conf["fs"],
        window=conf["window"],
        n_mels=conf["n_mels"],
        frame_length_ms=conf["frame_length"],
        frame_shift_ms=conf["frame_shift"],
        lfr_m=conf["lfr_m"],
        lfr_n=conf["lfr_n"],
    )
    return FrontEnd(layout, read_am_mvn(folder / "model_1x/am.mvn"))


def chunks_of(config):
    conf = config["encoder_conf"]
    return [
        ChunkConfig(size=size, stride=stride, pad_left=pad)
        for size, stride, pad in zip(conf["chunk_size"], conf["stride"], conf["pad_left"], strict=True)
    ]


@pytest.mark.parametrize("name", MODELS)
def test_features_of_the_model_fixtures_from_their_wavs(golden, name):
    folder, config = model(golden, name)
    front_end = front_end_of(folder, config)
    cmvn = read_am_mvn(folder / "model_1x/am.mvn")
    wavs = sorted((folder / "wav").glob("*.wav"))
    assert wavs
    for wav in wavs:
        theirs = np.load(folder / f"{wav.stem}.npz")["feats"]
        audio = load(wav)
        assert audio.sample_rate_hz == front_end.config.sample_rate_hz
        rows = whole(front_end, audio.samples)
        assert rows.shape == theirs.shape
        assert_log_energies(rows / cmvn.scale - cmvn.shift, theirs / cmvn.scale - cmvn.shift)


@pytest.mark.parametrize("name", MODELS)
def test_chunks_have_the_layout_of_the_reference(golden, name):
    """`add` is the reference's 0/1 matrix [places with gaps, pad_left zero rows + rows]."""
    folder, config = model(golden, name)
    gap = (config["encoder_conf"]["kernel_size"] - 1) // 2
    masks = np.load(folder / "masks.npz")
    keys = [key for key in masks if re.fullmatch(r"enc1\.ind\d+\.L\d+\.add", key)]
    assert keys
    for key in keys:
        index, length = map(int, re.findall(r"ind(\d+)\.L(\d+)", key)[0])
        chunk = chunks_of(config)[index]
        count = chunk_count(length, chunk)
        rows, valid = source_rows(0, count, chunk), valid_rows(0, count, length, chunk)
        ours = np.zeros_like(masks[key])
        for c, r in np.argwhere(valid):
            # Only the rows that exist: the zero rows after the end have no column in the matrix.
            if rows[c, r] < length:
                ours[c * (gap + chunk.size) + gap + r, rows[c, r] + chunk.pad_left] = 1
        np.testing.assert_array_equal(ours, masks[key], key)
        assert (count - 1) * (gap + chunk.size) + gap + valid[-1].sum() == len(masks[key])


@pytest.mark.parametrize("name", MODELS)
def test_encoder_input_of_the_reference(golden, name):
    """Rows times sqrt(width) plus position codes, cut into chunks; the reference leaves gaps between them."""
    folder, config = model(golden, name)
    arrays = np.load(folder / f"{sorted((folder / 'wav').glob('*1.wav'))[0].stem}.npz")
    feats, theirs, chunk = arrays["feats"], arrays["ind0.enc1_in"], chunks_of(config)[0]
    gap = (config["encoder_conf"]["kernel_size"] - 1) // 2
    rows = feats * np.sqrt(config["encoder_conf"]["output_size"]) + position_codes(0, *feats.shape)
    count = chunk_count(len(feats), chunk)
    source, valid = source_rows(0, count, chunk), valid_rows(0, count, len(feats), chunk)
    real = valid & (source >= 0) & (source < len(feats))
    layout = np.zeros((count, gap + chunk.size, feats.shape[1]))
    layout[:, gap:][real] = rows[source[real]]
    flat = layout.reshape(-1, feats.shape[1])[: len(theirs)]
    np.testing.assert_allclose(flat, theirs, atol=1e-4 * max(1.0, np.abs(theirs).max() / 10))


def test_fixture_wavs_are_what_the_reference_read(golden):
    wav = golden("uniasr_ja_template") / "wav/ja1.wav"
    raw, rate = soundfile.read(wav, dtype="int16")
    audio = load(wav)
    assert audio.sample_rate_hz == rate
    np.testing.assert_array_equal(audio.samples, raw / np.float32(32768))
