import time

import numpy as np
import pytest

from uniasr.configs.frontend import FrontendConfig
from uniasr.configs.uniasr import ChunkConfig
from uniasr.errors import ModelError, ModelNotFoundError
from uniasr.features.chunks import chunk_count, rows_needed, source_rows, valid_rows
from uniasr.features.cmvn import Cmvn, read_am_mvn
from uniasr.features.fbank import Fbank
from uniasr.features.frontend import FrontEnd
from uniasr.features.positions import position_codes

MVN = """<Nnet>

<Splice> 2 2
[ 0 ]
<AddShift> 2 2
<LearnRateCoef> 0 [ -8.5 1e+1 ]

<Rescale> 2 2
<LearnRateCoef> 0 [ 0.25 0.5 ]
</Nnet>
"""


def whole(front_end, samples):
    return front_end.step(front_end.start(), samples, True)[1]


# --- normalisation


def test_am_mvn_is_shift_then_scale(tmp_path):
    (tmp_path / "am.mvn").write_text(MVN)
    cmvn = read_am_mvn(tmp_path / "am.mvn")
    assert cmvn.shift.dtype == cmvn.scale.dtype == np.float32
    np.testing.assert_array_equal(cmvn.shift, [-8.5, 10])
    np.testing.assert_array_equal(cmvn.scale, [0.25, 0.5])
    np.testing.assert_array_equal(cmvn.apply(np.float32([[9.5, 0]])), [[0.25, 5]])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<AddShift>", "<Other>"),
        ("<Rescale>", "<Other>"),
        ("0.5 ]", "0.5"),
        ("0.25 0.5", "0.25"),
        ("0.25 0.5", "0.25 0.5 0.75"),
        ("<Rescale> 2 2\n<LearnRateCoef> 0 [ 0.25 0.5 ]", "<Rescale>\n<LearnRateCoef> 0 [ 0.25 ]"),
        ("<AddShift> 2 2\n<LearnRateCoef> 0 [ -8.5 1e+1 ]", "<AddShift> 0 0 [ ]"),
        ("-8.5", "nan"),
        ("0.25", "inf"),
        ("0.25", "1e60"),
        ("0.25", "x"),
        (MVN, ""),
    ],
)
def test_faulty_am_mvn_files_are_named(tmp_path, old, new):
    assert old in MVN
    (tmp_path / "am.mvn").write_text(MVN.replace(old, new))
    with pytest.raises(ModelError, match=r"am\.mvn"):
        read_am_mvn(tmp_path / "am.mvn")


def test_am_mvn_cut_anywhere_is_an_error(tmp_path):
    path = tmp_path / "am.mvn"
    for size in range(MVN.index("0.5 ]") + 4):
        path.write_text(MVN[:size])
        with pytest.raises(ModelError, match=r"am\.mvn"):
            read_am_mvn(path)


def test_am_mvn_that_cannot_be_read(tmp_path):
    with pytest.raises(ModelNotFoundError, match=r"none\.mvn"):
        read_am_mvn(tmp_path / "none.mvn")
    (tmp_path / "am.mvn").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="cannot be read"):
        read_am_mvn(tmp_path / "am.mvn")
    with pytest.raises(ModelError, match="cannot be read"):
        read_am_mvn(tmp_path)


# --- front end


def test_rows_for_silence_speech_length_and_no_samples():
    front_end = FrontEnd(FrontendConfig())
    assert whole(front_end, np.zeros(0, np.float32)).shape == (0, 560)
    for count, rows in ((1, 1), (2, 1), (399, 1), (400, 1), (1359, 1), (1360, 2), (16_000, 17)):
        got = whole(front_end, np.zeros(count, np.float32))
        assert got.shape == (rows, 560)
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, np.log(np.float32(2**-23)), rtol=1e-6)


def test_a_short_input_grows_smoothly_into_a_whole_window():
    """With 400 samples the shrunken window is the usual one."""
    bank = Fbank(FrontendConfig())
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 400).astype(np.float32)
    np.testing.assert_allclose(bank.short_frame(samples), bank.frames(samples), atol=1e-4)
    for window in ("hanning", "povey", "rectangular"):
        bank = Fbank(FrontendConfig(window=window))
        np.testing.assert_allclose(bank.short_frame(samples), bank.frames(samples), atol=1e-4)


def test_a_frame_is_the_same_in_every_block():
    bank = Fbank(FrontendConfig())
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 16_000).astype(np.float32)
    frames = bank.frames(samples)
    for index in (0, 1, 41, 97):
        np.testing.assert_array_equal(bank.frames(samples[index * 160 : index * 160 + 400])[0], frames[index])


def test_a_minute_in_one_step_equals_a_minute_in_packets_and_is_fast():
    front_end = FrontEnd(FrontendConfig())
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 60 * 16_000).astype(np.float32)
    carry, rows = front_end.start(), []
    for at in range(0, len(samples), 1600):
        carry, more = front_end.step(carry, samples[at : at + 1600], False)
        rows.append(more)
    rows.append(front_end.step(carry, samples[:0], True)[1])
    started = time.perf_counter()
    got = whole(front_end, samples)
    assert time.perf_counter() - started < 2  # measured 0.07 s; a quadratic cost would take minutes
    np.testing.assert_array_equal(np.concatenate(rows), got)


def test_the_carry_shares_no_memory_with_the_packet():
    front_end = FrontEnd(FrontendConfig())
    packet = np.random.default_rng(0).uniform(-0.5, 0.5, 3000).astype(np.float32)
    expected = whole(front_end, np.concatenate([packet, packet]))
    buffer = packet.copy()
    carry, first = front_end.step(front_end.start(), buffer, False)
    buffer[:] = 0
    np.testing.assert_array_equal(np.concatenate([first, front_end.step(carry, packet, True)[1]]), expected)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"window": "kaiser"}, "kaiser"),
        ({"n_mels": 400}, "n_mels 400"),
        ({"frame_shift_ms": 30.0}, "frame_shift_ms"),
        ({"frame_shift_ms": 0.01}, "frame_shift_ms"),
    ],
)
def test_front_ends_that_cannot_work(config, message):
    with pytest.raises(ModelError, match=message):
        FrontEnd(FrontendConfig(**config))


def test_normalisation_of_another_size_is_refused():
    with pytest.raises(ModelError, match="CMVN has 2 values and the front end makes 560"):
        FrontEnd(FrontendConfig(), Cmvn(np.zeros(2, np.float32), np.ones(2, np.float32)))


# --- positions


def test_position_codes_count_from_one_with_sines_first():
    codes = position_codes(0, 3, 4)
    assert codes.dtype == np.float64
    np.testing.assert_allclose(codes[1], [np.sin(2), np.sin(2e-4), np.cos(2), np.cos(2e-4)], rtol=1e-12)
    assert position_codes(5, 0, 8).shape == (0, 8)
    for size in (2, 7):
        with pytest.raises(ValueError, match="even"):
            position_codes(0, 1, size)


# --- chunks

PUBLISHED = ChunkConfig(size=20, stride=10, pad_left=5)


def test_published_chunks():
    assert [chunk_count(rows, PUBLISHED) for rows in (0, 1, 10, 11, 20, 21)] == [0, 1, 1, 2, 2, 3]
    np.testing.assert_array_equal(source_rows(0, 2, PUBLISHED), [np.arange(-5, 15), np.arange(5, 25)])
    np.testing.assert_array_equal(source_rows(3, 1, PUBLISHED), [np.arange(25, 45)])
    assert source_rows(3, 0, PUBLISHED).shape == (0, 20)
    assert [rows_needed(chunk, PUBLISHED) for chunk in (0, 1)] == [15, 25]


def test_only_the_very_last_chunk_ends_with_its_stride_part():
    assert valid_rows(0, 3, None, PUBLISHED).all()
    valid = valid_rows(0, 2, 13, PUBLISHED)
    assert valid[0].all()
    np.testing.assert_array_equal(valid[1], np.arange(20) < 5 + 3)
    np.testing.assert_array_equal(valid_rows(1, 1, 13, PUBLISHED), valid[1:])
    assert valid_rows(0, 1, 13, PUBLISHED).all()
    np.testing.assert_array_equal(valid_rows(0, 1, 10, PUBLISHED)[0], np.arange(20) < 15)
    assert valid_rows(0, 0, 13, PUBLISHED).shape == (0, 20)
