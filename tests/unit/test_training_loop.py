"""The loop: rates, precision, accumulation, evaluation, and what stops it. Kills and several processes are tested
with processes, in tests/integration."""

import json
import math
import sys
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tiny_training import tiny_batches, tiny_network, train  # noqa: E402
from uniasr.errors import DataError, ModelError, OptionError  # noqa: E402
from uniasr.training import run_log  # noqa: E402
from uniasr.training.dev import dev_loss  # noqa: E402
from uniasr.training.loop import Trainer  # noqa: E402
from uniasr.training.objective import ObjectiveOptions  # noqa: E402
from uniasr.training.options import TrainOptions, learning_rate  # noqa: E402
from uniasr.training.processes import own_share  # noqa: E402
from uniasr.training.snapshots import average, best_weights, newest_weights  # noqa: E402

pytestmark = pytest.mark.torch


def trainer(directory, **options):
    options = {"steps": 3, "spec_augment": None, "lr": 1e-2, "warmup_steps": 1} | options
    return Trainer(tiny_network(dropout=0.0), directory, TrainOptions(**options))


def records(directory):
    return [json.loads(line) for line in (directory / "log.jsonl").read_text().splitlines()]


def rates(**options):
    options = TrainOptions(**{"steps": 100, "lr": 1.0, "warmup_steps": 10} | options)
    return [learning_rate(step, options) for step in range(100)]


@pytest.mark.parametrize("schedule", ["constant", "inverse_sqrt", "cosine"])
def test_every_schedule_warms_up_linearly_to_its_peak(schedule):
    found = rates(schedule=schedule)
    assert found[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert max(found) == found[9] == 1.0


def test_rates_after_the_warm_up():
    assert set(rates()[9:]) == {1.0}
    decaying = rates(decay_steps=20)
    assert decaying[80] == 1.0
    assert decaying[90] == pytest.approx(0.5)
    assert decaying[99] == pytest.approx(0.05)
    assert rates(schedule="inverse_sqrt")[39] == pytest.approx(0.5)
    cosine = rates(schedule="cosine")
    assert cosine[54] == pytest.approx((1 + 0.05) / 2)
    assert cosine[99] == pytest.approx(0.05)


@pytest.mark.parametrize("options", [{}, {"epochs": 1, "schedule": "cosine"}, {"steps": 1, "accumulate": 0}])
def test_options_that_make_no_sense(options):
    with pytest.raises(OptionError):
        TrainOptions(**options)


def test_half_precision_needs_a_gpu(tmp_path):
    with pytest.raises(OptionError, match="needs a GPU"):
        trainer(tmp_path, precision="float16")


@pytest.mark.parametrize("options", [{}, {"precision": "bfloat16"}, {"optimizer": "adam"}])
def test_a_run_learns(tmp_path, options):
    run = trainer(tmp_path, steps=60, **options)
    before = dev_loss(run.network.eval(), tiny_batches(), ObjectiveOptions())
    run.run(tiny_batches())
    after = dev_loss(run.network.eval(), tiny_batches(), ObjectiveOptions())
    assert after["loss"] < 0.75 * before["loss"]


def test_accumulated_batches_are_one_large_batch(tmp_path):
    batches = list(tiny_batches(40).epoch(0))[:3]
    options = {"objective": ObjectiveOptions(end_fires=1.0)}  # nothing random, as the draws differ by batch
    several, joined = trainer(tmp_path / "a", **options), trainer(tmp_path / "b", **options)
    record = several.train_step(batches)
    length = max(batch.rows.shape[1] for batch in batches)
    labels = max(batch.tokens.shape[1] for batch in batches)
    large = replace(
        batches[0],
        rows=np.concatenate([np.pad(b.rows, ((0, 0), (0, length - b.rows.shape[1]), (0, 0))) for b in batches]),
        row_counts=np.concatenate([b.row_counts for b in batches]),
        tokens=np.concatenate(
            [np.pad(b.tokens, ((0, 0), (0, labels - b.tokens.shape[1])), constant_values=-1) for b in batches]
        ),
        token_counts=np.concatenate([b.token_counts for b in batches]),
    )
    expected = joined.train_step([large])
    for name in ("loss", "norm", "attention1", "quantity2", "accuracy2"):
        assert record[name] == pytest.approx(expected[name], abs=2e-3), name


def test_an_epoch_may_end_with_a_smaller_step(tmp_path):
    count = len(list(tiny_batches().epoch(0)))
    assert count % 4
    run = trainer(tmp_path, steps=0, epochs=2, accumulate=4, save_every=0)
    run.run(tiny_batches())
    assert run.step == 2 * math.ceil(count / 4)
    assert (run.place.epoch, run.place.batch) == (2, 0)
    assert [path.name for path in newest_weights(tmp_path)] == [
        f"weights-{n:07d}.pt" for n in (run.step // 2, run.step)
    ]


def test_a_loss_that_is_no_number_stops_with_the_keys(tmp_path):
    run = trainer(tmp_path)
    before = {name: value.clone() for name, value in run.network.state_dict().items()}
    good, bad = list(tiny_batches().epoch(0))[:2]
    bad.rows[0, 0, 0] = np.nan
    with pytest.raises(ModelError, match=f"the loss is nan at step 0; .* {', '.join(bad.keys)}$"):
        run.train_step([good, bad])
    for name, value in run.network.state_dict().items():
        assert torch.equal(value, before[name])


def test_a_gradient_that_is_no_number_changes_nothing(tmp_path):
    run = trainer(tmp_path)
    run.network.encoder.after_norm.bias.register_hook(lambda gradient: gradient * math.inf)
    before = {name: value.clone() for name, value in run.network.state_dict().items()}
    record = run.train_step(list(tiny_batches().epoch(0))[:1])
    assert record["skipped"]
    for name, value in run.network.state_dict().items():
        assert torch.equal(value, before[name])


def test_no_data(tmp_path):
    class Nothing:
        def epoch(self, number, skip=0):
            return iter(())

    with pytest.raises(DataError, match="nothing to train on"):
        trainer(tmp_path).run(Nothing())


class Given:
    """An evaluation whose numbers are known beforehand."""

    def __init__(self, *numbers):
        self.numbers = iter(numbers)

    def __call__(self, network):
        assert not network.training
        return {"cer": next(self.numbers)}


def test_the_best_snapshots_stay_and_a_run_stops_early(tmp_path):
    options = {"steps": 50, "save_every": 1, "metric": "cer", "keep": 2, "keep_best": 2, "patience": 4}
    run = trainer(tmp_path, **options)
    run.run(tiny_batches(), Given(0.9, 0.5, 0.7, math.nan, 0.6, 0.8))
    assert run.step == 6
    assert [path.name for path in best_weights(tmp_path, 2)] == ["weights-0000002.pt", "weights-0000005.pt"]
    steps = [int(path.stem[-7:]) for path in newest_weights(tmp_path)]
    assert steps == [2, 5, 6]
    assert [record["dev/cer"] for record in records(tmp_path) if "dev/cer" in record] == [0.9, 0.5, 0.7, None, 0.6, 0.8]
    again = trainer(tmp_path, **options)
    assert again.resume()
    again.run(tiny_batches(), Given())  # it has ended
    mean = average(best_weights(tmp_path, 2))
    parts = [torch.load(path, weights_only=True) for path in best_weights(tmp_path, 2)]
    for name, value in mean.items():
        torch.testing.assert_close(value, (parts[0][name] + parts[1][name]) / 2)


def test_a_metric_that_the_evaluation_does_not_give(tmp_path):
    with pytest.raises(OptionError, match="metric is loss, but an evaluation gives cer"):
        trainer(tmp_path).run(tiny_batches(), Given(0.1))


def test_a_resumed_run_goes_on_bit_for_bit(tmp_path):
    whole = train(tmp_path / "whole", steps=7, accumulate=2)
    train(tmp_path / "parts", steps=3, accumulate=2)
    with (tmp_path / "parts" / "log.jsonl").open("a") as log:
        log.write('{"step": 4, "loss": 1.0}\n{"step": 5, "lo')  # what a kill left
    parts = train(tmp_path / "parts", steps=7, accumulate=2)
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, parts.network.state_dict()[name]), name
    assert [record["step"] for record in records(tmp_path / "parts")] == [1, 2, 3, 4, 5, 6, 7]


def test_a_snapshot_of_the_first_layout_resumes(tmp_path):
    """Before there were evaluations and scalers."""
    run = trainer(tmp_path)
    state = {"network": run.network.state_dict(), "optimizer": run.optimizer.state_dict()}
    torch.save({**state, "step": 2, "epoch": 1, "batch": 3}, tmp_path / "last.pt")
    again = trainer(tmp_path)
    assert again.resume()
    assert (again.step, again.place.epoch, again.place.batch) == (2, 1, 3)
    again.run(tiny_batches())
    assert again.step == 3


def test_a_snapshot_of_another_network_is_refused(tmp_path):
    trainer(tmp_path).save()
    other = Trainer(tiny_network(vocab_size=11), tmp_path, TrainOptions(steps=1))
    with pytest.raises(ModelError, match="of another network"):
        other.resume()


def test_batches_read_ahead_are_the_same(tmp_path):
    plain, ahead = list(tiny_batches(workers=0).epoch(1)), list(tiny_batches(workers=3).epoch(1))
    assert [batch.keys for batch in ahead] == [batch.keys for batch in plain]
    rest = [batch.keys for batch in tiny_batches(workers=2).epoch(1, skip=2)]
    assert rest == [batch.keys for batch in plain[2:]]


def test_processes_share_every_batch():
    shares = [list(tiny_batches(40, rank=rank, world=3).epoch(0)) for rank in range(3)]
    whole = list(tiny_batches(120).epoch(0))
    assert len({len(share) for share in [*shares, whole]}) == 1
    for parts, batch in zip(zip(*shares, strict=True), whole, strict=True):
        if len(batch.keys) >= 3:
            assert sorted(key for part in parts for key in part.keys) == sorted(batch.keys)
        assert all(part.keys for part in parts)
    assert own_share(["a"], 2, 3) == ["a"]


def test_records_go_to_tensorboard_where_it_is_installed(tmp_path, monkeypatch):
    seen = []

    class Writer:
        def __init__(self, directory, purge_step):
            seen.append((directory, purge_step))

        def add_scalar(self, name, value, step):
            seen.append((name, value, step))

        def close(self):
            seen.append("closed")

    module = type(sys)("torch.utils.tensorboard")
    module.SummaryWriter = Writer
    monkeypatch.setattr(run_log, "find_spec", lambda name: True)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    with run_log.RunLog(tmp_path, step=3, steps=9) as book:
        book.write({"step": 4, "loss": 0.5, "note": "x"})
    assert seen == [(tmp_path / "tensorboard", 4), ("loss", 0.5, 4), "closed"]


def test_a_terminal_shows_progress(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with run_log.RunLog(tmp_path, step=3, steps=9) as book:
        book.advance(4, 0.25)
    assert "4/9" in capsys.readouterr().err
