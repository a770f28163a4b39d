"""The objective's options, and that a batch's loss is the sum of what its utterances contribute."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from tiny_training import VOCAB, tiny_batches, tiny_config, tiny_network  # noqa: E402
from uniasr.configs.uniasr import LossConfig  # noqa: E402
from uniasr.errors import OptionError  # noqa: E402
from uniasr.training.objective import (  # noqa: E402
    IGNORED,
    ObjectiveOptions,
    Scale,
    TensorBatch,
    freeze,
    joint_loss,
    smoothed_divergence,
)

pytestmark = pytest.mark.torch
PLAIN = ObjectiveOptions(end_fires=1.0)


@pytest.fixture
def batch():
    """Five utterances of different lengths."""
    return TensorBatch.of(next(tiny_batches(110).epoch(0)), torch.device("cpu"))


def alone(batch, i):
    rows, tokens = batch.row_counts[i], batch.token_counts[i]
    return TensorBatch(batch.rows[i : i + 1, :rows], rows[None], batch.tokens[i : i + 1, :tokens], tokens[None])


def gradients(network, loss):
    network.zero_grad()
    loss.total.backward()
    return {name: weight.grad.clone() for name, weight in network.named_parameters() if weight.grad is not None}


@pytest.mark.parametrize("by_length", [True, False])
@pytest.mark.parametrize("latency", [0, 1])
def test_a_batch_is_the_sum_of_its_utterances(batch, latency, by_length):
    network = tiny_network(dropout=0.0, loss=LossConfig(length_normalized=by_length), ctc=True)
    options, scale = ObjectiveOptions(ctc_weight=0.3, end_fires=1.0), Scale.of(batch.token_counts)
    together = gradients(network, joint_loss(network, batch, latency, options))
    sums = dict.fromkeys(together, 0.0)
    for i in range(len(batch.rows)):
        single = joint_loss(network, alone(batch, i), latency, options, scale=scale)
        for name, value in gradients(network, single).items():
            sums[name] = sums[name] + value
    assert len(batch.rows) > 3
    assert len(together) == len(list(network.parameters()))
    for name, value in together.items():
        torch.testing.assert_close(sums[name], value, rtol=1e-3, atol=1e-5)


def test_the_references_loss_depends_on_the_company(batch):
    network = tiny_network(dropout=0.0)
    options = ObjectiveOptions(reference_ends=True, end_fires=1.0)
    longest = int(batch.row_counts.argmax())
    for i in range(len(batch.rows)):
        losses = [joint_loss(network, alone(batch, i), 0, each).total for each in (options, PLAIN)]
        torch.testing.assert_close(*losses)
    together = [joint_loss(network, batch, 0, each).passes[1].quantity for each in (options, PLAIN)]
    assert batch.row_counts[longest] > batch.row_counts.min()
    assert abs(together[0] - together[1]) > 1e-4


def trained(network, options, batch):
    """Parts that get a gradient; all of their parameters must."""
    freeze(network, options)
    found = gradients(network, joint_loss(network, batch, 0, options))
    parts = {name.split(".")[0] for name in found}
    for name, weight in network.named_parameters():
        assert (name in found) == (name.split(".")[0] in parts) == weight.requires_grad, name
    return parts


FIRST, BRIDGE, SECOND = {"encoder", "predictor", "decoder"}, {"stride_conv"}, {"encoder2", "predictor2", "decoder2"}


@pytest.mark.parametrize(
    ("options", "joint", "parts"),
    [
        ({}, True, FIRST | BRIDGE | SECOND),
        ({"freeze_pass1": True}, True, BRIDGE | SECOND),
        ({"detach": True}, True, FIRST | BRIDGE | SECOND),
        ({"passes": (1,)}, True, FIRST),
        ({"passes": (2,)}, True, {"encoder"} | BRIDGE | SECOND),
        ({"passes": (2,), "detach": True}, True, BRIDGE | SECOND),
        ({}, False, FIRST | SECOND),
        ({"passes": (2,)}, False, SECOND),
        ({"ctc_weight": 0.5}, True, FIRST | BRIDGE | SECOND | {"ctc", "ctc2"}),
    ],
)
def test_what_is_trained(batch, options, joint, parts):
    network = tiny_network(dropout=0.0, ctc=True, joint_training=joint)
    assert trained(network, ObjectiveOptions(**options, end_fires=1.0), batch) == parts


def test_a_detached_second_pass_leaves_the_first_encoder_alone(batch):
    network = tiny_network(dropout=0.0)
    first = gradients(network, joint_loss(network, batch, 0, ObjectiveOptions(passes=(1,), end_fires=1.0)))
    both = gradients(network, joint_loss(network, batch, 0, ObjectiveOptions(detach=True, end_fires=1.0)))
    attached = gradients(network, joint_loss(network, batch, 0, PLAIN))
    name = "encoder.encoders0.0.feed_forward.w_1.weight"
    torch.testing.assert_close(both[name], first[name] / 2)  # pass 1 has half of the weight
    assert not torch.allclose(attached[name], both[name])


def test_the_total_is_weighted_as_configured(batch):
    config = tiny_config()
    loss = LossConfig(pass1_weight=0.2, predictor_weight=0.7, predictor_weight2=0.4)
    network = tiny_network(dropout=0.0, ctc=True, loss=loss)
    assert config.loss != loss
    found = joint_loss(network, batch, 1, ObjectiveOptions(ctc_weight=0.3, end_fires=1.0))
    parts = [0.7 * part.attention + 0.3 * part.ctc + weight * part.quantity
             for part, weight in zip(found.passes.values(), (0.7, 0.4), strict=True)]  # fmt: skip
    torch.testing.assert_close(found.total, 0.2 * parts[0] + 0.8 * parts[1])


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_label_smoothing_is_a_divergence(smoothing):
    log_probs = torch.log_softmax(torch.randn(2, 5, VOCAB, dtype=torch.float64), dim=-1)
    labels = torch.tensor([[3, 4, 2, IGNORED, IGNORED], [5, 3, 3, 8, 2]])
    target = torch.full_like(log_probs, smoothing / (VOCAB - 1))
    target.scatter_(-1, labels.clamp(min=0)[..., None], 1 - smoothing)
    divergence = torch.nn.functional.kl_div(log_probs, target, reduction="none").sum(-1)
    expected = divergence[labels != IGNORED].sum()
    torch.testing.assert_close(smoothed_divergence(log_probs, labels, smoothing), expected)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"passes": ()}, "name 1, 2 or both"),
        ({"passes": (3,)}, "name 1, 2 or both"),
        ({"passes": (1,), "freeze_pass1": True}, "nothing to train"),
        ({"ctc_weight": 1.5}, "between 0 and 1"),
    ],
)
def test_options_that_make_no_sense(options, says):
    with pytest.raises(OptionError, match=says):
        ObjectiveOptions(**options)


def test_a_ctc_loss_needs_heads():
    with pytest.raises(OptionError, match="no CTC heads"):
        freeze(tiny_network(), replace(PLAIN, ctc_weight=0.3))


def test_the_end_fires_in_a_share_of_the_utterances(batch):
    """Steps without an acoustic embedding are learned too; which utterances they are in is drawn anew."""
    network = tiny_network(dropout=0.0).train()

    def losses(share, count=6):
        torch.manual_seed(3)
        options = ObjectiveOptions(end_fires=share)
        return [float(joint_loss(network, batch, 0, options).passes[2].attention.detach()) for _ in range(count)]

    never, sometimes, always = losses(0.0), losses(0.5), losses(1.0)
    assert len(set(never)) == len(set(always)) == 1
    assert never[0] != always[0]
    assert len(set(sometimes)) > 1
    network.eval()
    assert losses(0.0, 1) == pytest.approx(always[:1])
