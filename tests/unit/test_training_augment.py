"""What is drawn on feature rows while training."""

import pytest

torch = pytest.importorskip("torch")

from uniasr.training.augment import ChannelConfig, vary_channel  # noqa: E402

pytestmark = pytest.mark.torch
MELS, FRAMES = 20, 3


def varied(rows, **options):
    torch.manual_seed(3)
    return vary_channel(rows, MELS, ChannelConfig(**options))


def test_a_gain_is_smooth_and_the_same_in_all_frames_of_an_utterance():
    rows = torch.randn(4, 5, FRAMES * MELS)
    added = (varied(rows, share=1.0, warp=0.0, gain=0.5) - rows).reshape(4, 5 * FRAMES, MELS)
    assert torch.allclose(added, added[:, :1].expand_as(added), atol=1e-5)
    curves = added[:, 0]
    assert curves.std() > 0.1
    assert curves.diff(dim=1).abs().max() < 0.5 * curves.abs().max()
    assert not torch.allclose(curves[0], curves[1], atol=1e-2)


def test_stretching_moves_a_peak_by_less_than_the_limit():
    rows = torch.zeros(64, 2, FRAMES, MELS)
    rows[..., 10] = 1.0
    found = varied(rows.flatten(2), share=1.0, gain=0.0, warp=0.2).reshape(rows.shape)
    centres = (found[:, 0, 0] * torch.arange(MELS)).sum(1) / found[:, 0, 0].sum(1)
    assert 10 / 1.2 - 0.5 <= centres.min() < 9.5
    assert 10.5 < centres.max() <= 10 / 0.8 + 0.5
    assert torch.equal(found[:, 0, 0], found[:, 1, 2])


def test_the_share_of_utterances_that_change():
    rows = torch.randn(400, 1, FRAMES * MELS)
    assert torch.allclose(varied(rows, share=0.0), rows, atol=1e-6)
    changed = (varied(rows, share=0.25) - rows).abs().amax((1, 2)) > 1e-4
    assert changed.float().mean().item() == pytest.approx(0.25, abs=0.08)
