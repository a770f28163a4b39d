"""The training objective against the reference's: losses and the gradient norm of every parameter.

The recorded batch holds all utterances of a fixture, without dropout and SpecAugment, at every latency. How many tokens
fire is taken from the record, because float noise decides that for the last one. All numbers agree to 1e-4 relative.
"""

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from uniasr.checkpoints import read_model  # noqa: E402
from uniasr.checkpoints.network import load_network  # noqa: E402
from uniasr.networks.uniasr import UniasrNetwork  # noqa: E402
from uniasr.training.objective import ObjectiveOptions, Scale, TensorBatch, joint_loss  # noqa: E402

LATENCIES = {"uniasr_ja_template": 2, "uniasr_lookback": 4, "uniasr_odd": 3}
LATENCIES |= {f"compact/{name}": LATENCIES[name] for name in ("uniasr_lookback", "uniasr_odd")}
CASES = [(name, latency) for name, count in LATENCIES.items() for latency in range(count)]
AS_REFERENCE = ObjectiveOptions(reference_ends=True)
CLOSE = 1e-4

pytestmark = pytest.mark.torch


@dataclass
class Recorded:
    network: UniasrNetwork
    batch: TensorBatch
    record: dict
    gradients: dict


def without_dropout(config):
    encoder = {"dropout": 0.0, "attention_dropout": 0.0}
    decoder = {"dropout": 0.0, "self_attention_dropout": 0.0, "src_attention_dropout": 0.0}
    parts = {
        name: replace(getattr(config, name), **changes)
        for names, changes in ((("encoder", "encoder2"), encoder), (("decoder", "decoder2"), decoder))
        for name in names
    }
    return replace(config, **parts)


def padded(arrays, fill):
    return torch.nn.utils.rnn.pad_sequence([torch.from_numpy(x) for x in arrays], True, fill)


def features(folder, utterances):
    """Committed in one file; beside it they are part of each utterance's record."""
    if (folder / "train_feats.npz").exists():
        kept = np.load(folder / "train_feats.npz")
        return [kept[name] for name in utterances]
    return [np.load(folder / f"{name}.npz")["feats"] for name in utterances]


@pytest.fixture(name="case", params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def _case(request, golden, compact):
    name, latency = request.param
    where, _, name = name.rpartition("/")
    folder = compact(name) if where else golden(name)
    record = compact(f"training/{name}") if where else folder
    files = read_model(folder / "model_1x")
    network = UniasrNetwork(without_dropout(files.config)).train()
    network.load_state_dict(load_network(files).state_dict())
    about = json.loads((record / "train.json").read_text(encoding="utf-8"))
    labels = about.get("labels") or {
        key: entry["label_ids"]
        for key, entry in json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["utterances"].items()
    }
    feats = features(record, labels)
    tokens = [np.array(ids) for ids in labels.values()]
    counts = [torch.tensor([len(x) for x in arrays]) for arrays in (feats, tokens)]
    batch = TensorBatch(padded(feats, 0.0), counts[0], padded(tokens, -1), counts[1])
    gradients = {}
    if (folder / "train.npz").exists():
        every = np.load(folder / "train.npz")
        prefix = f"ind{latency}."
        gradients = {name.removeprefix(prefix): every[name] for name in every.files if name.startswith(prefix)}
    return latency, Recorded(network, batch, about["batch"][f"ind{latency}"], gradients)


def fired(record):
    return torch.tensor(record["fired1"]), torch.tensor(record["fired2"])


def test_losses_and_every_gradient_norm(case):
    latency, case = case
    loss = joint_loss(case.network, case.batch, latency, AS_REFERENCE, fired=fired(case.record))
    loss.total.backward()
    expected = {
        "total": (loss.total, "loss"),
        **{f"attention{n}": (part.attention, "loss_att" + "2" * (n == 2)) for n, part in loss.passes.items()},
        **{f"quantity{n}": (part.quantity, "loss_pre" + "2" * (n == 2)) for n, part in loss.passes.items()},
        **{f"accuracy{n}": (part.accuracy, "acc" + "2" * (n == 2)) for n, part in loss.passes.items()},
    }
    for name, (value, key) in expected.items():
        assert value.item() == pytest.approx(case.record[key], rel=CLOSE), name
    norms = {name: float(weight.grad.norm()) for name, weight in case.network.named_parameters()}
    assert norms.keys() == case.record["grad_norm"].keys()
    wrong = {
        name: (norm, case.record["grad_norm"][name])
        for name, norm in norms.items()
        if norm != pytest.approx(case.record["grad_norm"][name], rel=CLOSE)
    }
    assert not wrong
    for name, gradient in case.gradients.items():
        mine = case.network.get_parameter(name).grad.numpy()
        assert np.abs(mine - gradient).max() <= CLOSE * np.abs(gradient).max(), name
    norm = Scale.of(case.batch.token_counts)
    weight = norm.tokens if case.network.config.loss.length_normalized else norm.utterances
    assert weight == case.record["weight"]
