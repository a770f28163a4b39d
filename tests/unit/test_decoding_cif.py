"""CIF against literal examples and against the fired vectors, traces and alignments of the reference."""

import json
from pathlib import Path

import numpy as np
import pytest

from uniasr.decoding.cif import integrate, start_cif

GOLDEN = Path(__file__).parents[2].parent / "shared" / "golden"
FIXTURES = ("uniasr_ja_template", "uniasr_lookback", "uniasr_odd")


def f32(*values):
    return np.array(values, np.float32)


def test_firing_row_is_split_at_the_integer():
    rows = np.array([[1, 0], [0, 1], [2, 2]], np.float32)
    carry, firings = integrate(start_cif(2), f32(0.75, 0.5, 0.25), rows)
    assert firings.rows.tolist() == [1]
    assert firings.ends.tolist() == [1.5]
    np.testing.assert_array_equal(firings.embeddings, [[0.75, 0.25]])
    assert (carry.fired, carry.row, carry.weight) == (1, 3, 0.5)
    np.testing.assert_array_equal(carry.embedding, [0.5, 0.75])


def test_positions_count_from_the_first_call():
    rows = np.ones((2, 1), np.float32)
    carry, first = integrate(start_cif(1), f32(0.5, 0.25), rows)
    carry, second = integrate(carry, f32(0.125, 0.25), rows)
    assert first.rows.size == 0
    assert first.embeddings.shape == (0, 1)
    assert second.rows.tolist() == [1]
    assert second.ends.tolist() == [3.5]


def test_no_rows_change_nothing():
    carry, _ = integrate(start_cif(3), f32(0.5), np.ones((1, 3), np.float32))
    after, firings = integrate(carry, f32(), np.empty((0, 3), np.float32))
    assert firings.rows.size == 0
    assert (after.weight, after.fired, after.row) == (carry.weight, carry.fired, carry.row)
    np.testing.assert_array_equal(after.embedding, carry.embedding)


def test_weight_above_one_fires_once():
    carry, firings = integrate(start_cif(1), f32(0.875, 1.25, 0.875), np.ones((3, 1), np.float32))
    assert firings.rows.tolist() == [1, 2]
    assert firings.ends == pytest.approx([1 + 0.125 / 1.25, 3.0])
    assert firings.embeddings[:, 0].tolist() == [2.0, 1.0]
    assert (carry.fired, carry.weight) == (2, 0.0)


def kept_rows(length, size, stride, pad_left, kernel):
    """Layout positions of the kept rows, one list per chunk."""
    gap = (kernel - 1) // 2
    return [
        [(gap + size) * chunk + gap + pad_left + row for row in range(min(stride, length - first))]
        for chunk, first in enumerate(range(0, length, stride))
    ]


def golden_cases():
    for fixture in FIXTURES:
        path = GOLDEN / fixture / "manifest.json"
        if path.is_file():
            manifest = json.loads(path.read_text())
            for utterance in manifest["utterances"]:
                for ind in range(manifest["chunk_configurations"]):
                    yield from ((fixture, utterance, ind, number) for number in (1, 2))


@pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"no golden fixtures at {GOLDEN}")
@pytest.mark.parametrize(("fixture", "utterance", "ind", "number"), list(golden_cases()))
def test_reference_arrays(fixture, utterance, ind, number):
    config = json.loads((GOLDEN / fixture / "manifest.json").read_text())["config"]
    arrays = np.load(GOLDEN / fixture / f"{utterance}.npz")
    encoder = config["encoder" if number == 1 else "encoder2"]
    length = len(arrays["feats"])
    if number == 2:
        length = (length - 1) // config["stride_conv"]["stride"] + 1

    def get(name):
        return arrays[f"ind{ind}.{name}"]

    rows, alphas = get(f"enc{number}_out"), get(f"alphas{number}")
    carry, positions, embeddings = start_cif(rows.shape[1]), [], []
    sizes = (encoder[name][ind] for name in ("chunk_size", "stride", "pad_left"))
    chunks = kept_rows(length, *sizes, encoder["kernel_size"])
    for kept in chunks:
        carry, firings = integrate(carry, alphas[kept], rows[kept])
        positions.extend(kept[row] for row in firings.rows)
        embeddings.extend(firings.embeddings)

    assert np.count_nonzero(alphas) == sum(np.count_nonzero(alphas[kept]) for kept in chunks)
    assert carry.fired == len(positions) == int(get(f"token_num{number}")[0])
    assert carry.fired + carry.weight == pytest.approx(float(get(f"token_num{number}")[0]), abs=1e-5)
    assert positions == np.flatnonzero(get(f"fires{number}") >= 1).tolist()
    assert positions == np.flatnonzero(get(f"align{number}")).tolist()
    np.testing.assert_allclose(embeddings, get(f"embeds{number}")[: carry.fired], atol=1e-4)
