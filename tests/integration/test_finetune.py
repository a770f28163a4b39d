"""Fine-tuning and training from scratch with tiny models: what comes out loads, streams, exports and goes on."""

import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("rapidfuzz")

from click.testing import CliRunner  # noqa: E402

import uniasr  # noqa: E402
from tiny_data import LETTERS, RATE_HZ, TOKENS, tones, write_folder  # noqa: E402
from tiny_training import CMVN, tiny_config, tiny_network  # noqa: E402
from uniasr.checkpoints import read_model, write_native  # noqa: E402
from uniasr.checkpoints.network import load_network  # noqa: E402
from uniasr.checkpoints.weights import read_state  # noqa: E402
from uniasr.cli.app import cli  # noqa: E402
from uniasr.compat.modelscope import MsDataset, Tasks, Trainers, build_trainer, pipeline  # noqa: E402
from uniasr.errors import DataError, MissingExtraError, ModelError, ModelNotFoundError, OptionError, OutputError  # noqa: E402
from uniasr.export.directory import export_model  # noqa: E402
from uniasr.text.vocabulary import Vocabulary  # noqa: E402
from uniasr.training.data.prepare import DataOptions  # noqa: E402
from uniasr.training.extend import ROWS, with_tokens  # noqa: E402
from uniasr.training.finetune import finetune  # noqa: E402
from uniasr.training.fitting import RunOptions, batch_rows, train_options  # noqa: E402
from uniasr.training.result import check_place, write_result  # noqa: E402
from uniasr.training.scratch import read_plan, train  # noqa: E402
from uniasr.training.start import start_from  # noqa: E402

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]
QUICK = {"max_epoch": 4, "lr": 1e-2, "spec_augment": False, "average": 2, "workers": 0, "evaluate_every": 16}


@pytest.fixture(name="model", scope="module")
def _model(tmp_path_factory):
    place = tmp_path_factory.mktemp("models") / "base"
    card = {"language": "tones", "released": True}
    return write_native(place, tiny_config(dropout=0.0), TOKENS, CMVN, state=tiny_network().state_dict(), card=card)


@pytest.fixture(name="data", scope="module")
def _data(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("data") / "tones", train=16, dev=3)


@pytest.fixture(name="tuned", scope="module")
def _tuned(model, data, tmp_path_factory):
    lines = []
    output = tmp_path_factory.mktemp("tuned") / "model"
    assert finetune(model, [data], output, RunOptions(**QUICK), tell=lines.append) == output
    return SimpleNamespace(output=output, lines=lines)


def log(output, name):
    lines = (output / "run" / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [record[name] for record in map(json.loads, lines) if name in record]


def test_the_loss_falls(tuned):
    losses = log(tuned.output, "dev/loss")
    assert len(losses) >= 2
    assert losses[-1] < losses[0] < 10
    assert all(
        name in json.loads((tuned.output / "run" / "log.jsonl").read_text().splitlines()[-1])
        for name in ("dev/cer_fast", "dev/cer_normal", "dev/cer_offline")
    )


def test_the_result_loads_on_both_engines_and_says_where_it_comes_from(tuned, model):
    files = read_model(tuned.output)
    assert files.card["fine_tuned_from"] == "base"
    assert files.card["language"] == "tones"
    assert "released" not in files.card
    onnx, pytorch = (uniasr.load_model(tuned.output, backend=name) for name in ("onnxruntime", "torch"))
    samples = tones("abcde")
    assert onnx.transcribe(samples, RATE_HZ).text == pytorch.transcribe(samples, RATE_HZ).text
    before = uniasr.load_model(model, backend="torch").transcribe(samples, RATE_HZ, beam_size=1)
    after = onnx.transcribe(samples, RATE_HZ, beam_size=1)
    assert [t.id for t in before.tokens] != [t.id for t in after.tokens] or before.nbest != after.nbest


def test_the_result_streams_like_a_file(tuned):
    model = uniasr.load_model(tuned.output)
    samples = tones("abcdeab")
    with model.stream("normal", sample_rate=RATE_HZ) as stream:
        events = [
            event for start in range(0, len(samples), 777) for event in stream.accept(samples[start : start + 777])
        ]
        events += stream.finish()
    finals = [event.result for event in events if isinstance(event, uniasr.Final)]
    assert tuple(finals) == model.transcribe(samples, RATE_HZ, "normal").segments


def test_the_result_can_be_exported_and_tuned_again(tuned, data, tmp_path):
    packaged = export_model(read_model(tuned.output), tmp_path / "packaged", weights="packed")
    assert not (packaged / "model.safetensors").exists()
    again = finetune(packaged, [data], tmp_path / "again", RunOptions(**QUICK | {"max_epoch": 1, "weights": "int8"}))
    assert uniasr.load_model(again).transcribe(tones("ab"), RATE_HZ).duration_ms > 0
    first = next(json.loads(line) for line in (again / "run" / "log.jsonl").read_text().splitlines())
    assert first["dev/loss" if "dev/loss" in first else "loss"] < log(tuned.output, "loss")[0]


def test_a_result_takes_the_place_of_one_that_is_stored_otherwise(tuned, tmp_path):
    files = read_model(tuned.output)
    state = load_network(files).state_dict()
    (tmp_path / "mine.onnx").touch()
    for weights, suffix in (("int8", ".onnx"), ("packed", ".onnx.gz"), ("float32", ".onnx")):
        write_result(tmp_path, files.config, files.tokens, files.cmvn, state, card={}, weights=weights)
        graphs = {path.name for path in tmp_path.glob("encoder.*")} | {
            path.name for path in tmp_path.glob("decoder2.*")
        }
        assert graphs == {f"encoder{suffix}", f"decoder2{suffix}"}
    assert (tmp_path / "mine.onnx").exists()


def test_files_that_no_run_has_made_are_not_written_over(tuned, model, data, tmp_path):
    base = shutil.copytree(model, tmp_path / "base")
    before = {path.name: path.read_bytes() for path in base.iterdir() if path.is_file()}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "tokens.txt").write_text("mine")
    for output in (base, tmp_path / "mine"):
        with pytest.raises(OutputError, match="no run has made it"):
            finetune(base, [data], output, RunOptions(**QUICK))
    assert {path.name: path.read_bytes() for path in base.iterdir()} == before
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["tokens.txt"]
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "notes.txt").write_text("mine")
    check_place(tmp_path / "notes", tmp_path / "notes" / "run", "base")
    assert [path.name for path in (tmp_path / "notes").iterdir()] == ["notes.txt"]
    with pytest.raises(OptionError, match="began from base and not from model"):
        finetune(tuned.output, [data], tuned.output, RunOptions(**QUICK))


def test_it_goes_on_where_it_stopped(model, data, tmp_path):
    quick = QUICK | {"warmup_steps": 3}
    short, whole = quick | {"max_epoch": 2}, quick | {"max_epoch": 3}
    finetune(model, [data], tmp_path / "a", RunOptions(**short))
    lines = []
    finetune(model, [data], tmp_path / "a", RunOptions(**whole), tell=lines.append)
    assert any(line.startswith("going on after step") for line in lines)
    finetune(model, [data], tmp_path / "b", RunOptions(**whole))
    resumed, straight = (load_network(read_model(tmp_path / name)).state_dict() for name in "ab")
    newest = [max((tmp_path / name / "run").glob("weights-*.pt")) for name in "ab"]
    assert newest[0].name == newest[1].name
    states = [torch.load(path, weights_only=True) for path in newest]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert resumed.keys() == straight.keys()


def test_everything_wrong_is_told_before_training(model, tmp_path):
    write_folder(tmp_path / "data", train=["ab", "xy", "c"], dev=["d"])
    (tmp_path / "data" / "train" / "audio" / "u2.wav").unlink()
    with pytest.raises(DataError) as caught:
        finetune(model, [tmp_path / "data"], tmp_path / "out", RunOptions(**QUICK))
    assert len(caught.value.problems) == 3
    assert not list((tmp_path / "out" / "run").glob("*.pt"))


def test_new_characters_become_tokens(model, tmp_path):
    write_folder(tmp_path / "data", train=["ab", "xy", "c", "zx"] * 3, dev=["x"])
    reading = DataOptions(unknown="extend")
    run = RunOptions(**QUICK | {"max_epoch": 1})
    output = finetune(model, [tmp_path / "data"], tmp_path / "out", run, reading)
    files = read_model(output)
    assert files.tokens.tokens == (*TOKENS.tokens[:-1], "x", "y", "z", "<unk>")
    assert files.config.vocab_size == 12
    uniasr.load_model(output).transcribe(tones("ab"), RATE_HZ)
    write_folder(tmp_path / "other", train=["ab", "q"], dev=["a"])
    with pytest.raises(ModelError, match="another vocabulary"):
        finetune(model, [tmp_path / "other"], tmp_path / "out", run, reading)


def test_new_rows_leave_old_outputs_as_they_were():
    network = tiny_network(ctc=True)
    larger = with_tokens(network, 12)
    for name, value in network.state_dict().items():
        grown = larger.state_dict()[name]
        if name.endswith(
            ("embed.0.weight", "output_layer.weight", "output_layer.bias", "ctc_lo.weight", "ctc_lo.bias")
        ):
            assert torch.equal(grown[:8], value[:8]), name
            assert torch.equal(grown[-1], value[-1]), name
            words = value[3:-1]
            assert torch.all((grown[8:-1] - words.mean(0)).abs() <= 0.6 * words.std(0, unbiased=False) + 1e-7), name
            assert not torch.equal(grown[8], grown[9]), name
        else:
            assert torch.equal(grown, value), name
    assert larger.config.vocab_size == 12
    with pytest.raises(ValueError, match="fewer"):
        with_tokens(network, 4)


def test_without_a_development_set_the_newest_snapshots_count(model, tmp_path):
    write_folder(tmp_path / "data", train=6, dev=1)
    import shutil

    shutil.rmtree(tmp_path / "data" / "dev")
    lines = []
    finetune(model, [tmp_path / "data"], tmp_path / "out", RunOptions(**QUICK | {"max_epoch": 1}), tell=lines.append)
    assert any("no development set" in line for line in lines)


def test_small_sets_make_several_batches_and_runs_are_looked_at_ten_times():
    options = RunOptions(max_epoch=50)
    assert batch_rows(options, 4_000, 1) == 500
    assert batch_rows(options, 4_000, 2) == 250
    assert batch_rows(options, 10**7, 2) == 16_000
    found = train_options(options, 4_000, 1)
    assert (found.save_every, found.warmup_steps, found.epochs) == (40, 40, 50)
    assert train_options(options, 10**8, 1).save_every == 1000
    assert train_options(replace(options, evaluate_every=7), 4_000, 1).save_every == 7


def test_a_run_can_be_told_its_updates_and_how_the_rate_falls():
    options = RunOptions(max_epoch=50, max_steps=900, schedule="cosine", decay_steps=100)
    found = train_options(options, 4_000, 1)
    assert (found.steps, found.epochs, found.schedule, found.decay_steps) == (900, 0, "cosine", 100)
    assert (found.save_every, found.warmup_steps) == (90, 90)
    for wrong in ({"schedule": "cosine"}, {"decay_steps": 5}, {"schedule": "steep"}, {"max_steps": -1}):
        with pytest.raises(OptionError, match=r"max_steps|schedule"):
            RunOptions(**wrong)


# The command line


def run(*words):
    return CliRunner().invoke(cli, [str(word) for word in words])


def test_the_commands_work_together(model, data, tmp_path):
    checked = run("data", "check", "--data", data, "--model", model)
    assert (checked.exit_code, checked.stdout.splitlines()[0][:20]) == (0, "train: 16 utterances"), checked.output
    features = run(
        "data", "features", "--data", data, "--model", model, "--output", tmp_path / "store", "--augment", "none"
    )
    assert features.exit_code == 0, features.output
    usual = run("data", "features", "--data", data, "--output", tmp_path / "usual")
    assert usual.exit_code == 0, usual.output
    packed = run("data", "pack", "--data", data, "--output", tmp_path / "packed", "--per-shard", 8)
    assert "16 utterances in 2 shards" in packed.stdout
    for name, kind in (("store", "small"), ("packed", "large")):
        words = ("--max-epoch", 1, "--lr", "1e-2", "--average", 1, "--dataset-type", kind, "--batch-bins", 200)
        tuned = run(
            "finetune", "--model", model, "--data", tmp_path / name, "--output", tmp_path / f"{name}-out", *words
        )
        assert tuned.exit_code == 0, tuned.output
    evaluated = run(
        "evaluate",
        "--model",
        tmp_path / "packed-out",
        "--data",
        data,
        "--latency",
        "all",
        "--report",
        tmp_path / "page.html",
        "--json",
        tmp_path / "numbers.json",
        "--beam-size",
        2,
    )
    assert evaluated.exit_code == 0, evaluated.output
    assert len(evaluated.stdout.splitlines()) == 1 + 3 * 2
    assert len(json.loads((tmp_path / "numbers.json").read_text())) == 6
    assert "<details" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_the_command_lists_every_problem_and_ends_with_2(model, tmp_path):
    write_folder(tmp_path / "data", train=["ab", "xy"], dev=["d"])
    result = run("finetune", "--model", model, "--data", tmp_path / "data", "--output", tmp_path / "out")
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert len(lines) == 3
    assert lines[0].endswith(
        "character 'x' has no token; it occurs 1 times; training asks for --unknown extend or drop"
    )
    assert lines[-1].startswith("uniasr: 2 problems in the data")


# Training from scratch


def plan_for(data, output):
    return f"""
data: [{data}]
output: {output}
language: tones
shape: {{size: 8, heads: 2, units: 12, blocks: 1, blocks2: 1, kernel_size: 3, decoder_units: 12, decoder_blocks: 1,
  decoder_attending: 1, decoder_kernel_size: 3, dropout: 0.0, bridge_stride: 2,
  chunks: [{{size: 8, stride: 4, pad_left: 2}}], chunks2: [{{size: 8, stride: 4, pad_left: 2}}]}}
frontend: {{n_mels: 8, lfr_m: 2, lfr_n: 2}}
run: {{max_epoch: 3, lr: 0.01, ctc_weight: 0.3, average: 1, workers: 0, evaluate_every: 12}}
"""


def test_a_kill_while_the_normalisation_is_written_stops_no_later_run(data, tmp_path, monkeypatch):
    def killed(file, _):
        (file.write_bytes if isinstance(file, Path) else file.write)(b"\x93NUMPY")
        raise KeyboardInterrupt

    (tmp_path / "plan.yaml").write_text(plan_for(data, tmp_path / "made").replace("max_epoch: 3", "max_epoch: 1"))
    with monkeypatch.context() as patch:
        patch.setattr(np, "save", killed)
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "plan.yaml")
    assert read_model(train(tmp_path / "plan.yaml")).tokens


def test_training_from_scratch_by_a_yaml_file(data, tmp_path):
    config = plan_for(data, tmp_path / "made")
    (tmp_path / "plan.yaml").write_text(config, encoding="utf-8")
    output = train(tmp_path / "plan.yaml")
    files = read_model(output)
    assert files.tokens.tokens == ("<blank>", "<s>", "</s>", *LETTERS, "<unk>")
    assert files.card == {"language": "tones", "layout": "uniasr"}
    losses = log(output, "dev/loss")
    assert losses[-1] < losses[0]
    rows = np.concatenate(list(_normalised(files, data)))
    assert np.abs(rows.mean()) < 0.3
    assert 0.7 < rows.std() < 1.3
    uniasr.load_model(output).transcribe(tones("abc"), RATE_HZ)
    assert "ctc.ctc_lo.weight" not in load_network(files).state_dict()
    heads = load_network(files, ctc=True).state_dict()["ctc.ctc_lo.weight"]
    assert torch.equal(heads, read_state(files.weights)["ctc.ctc_lo.weight"])
    again = run("train", tmp_path / "plan.yaml")
    assert again.exit_code == 0, again.output
    more = config.replace(f"output: {output}", f"output: {tmp_path / 'more'}\ninit: {output}").replace(
        "max_epoch: 3", "max_epoch: 1"
    )
    more += "serving: {ctc_heads: true, ctc_rescoring: 0.3, beam_size: 4}\n"
    (tmp_path / "more.yaml").write_text(more, encoding="utf-8")
    begun = run("train", tmp_path / "more.yaml")
    assert "it knows 9 of the tokens" in begun.stderr
    assert log(tmp_path / "more", "dev/loss")[-1] < losses[0]
    served = uniasr.load_model(tmp_path / "more")
    assert (served.config.ctc_heads, served.config.ctc_rescoring, served.config.beam_size) == (True, 0.3, 4)
    assert served.engine.name == "onnxruntime"  # with the graphs of the heads
    served.transcribe(tones("abc"), RATE_HZ)


def test_a_network_begins_with_what_it_shares_with_a_model(model, tmp_path):
    files = read_model(model)
    vocabulary = Vocabulary(("<blank>", "<s>", "</s>", "new", "b", "<unk>"))
    network = tiny_network(seed=5, ctc=True, vocab_size=len(vocabulary))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert start_from(network, files, vocabulary) == 5
    given, places = load_network(files).state_dict(), [files.tokens.tokens.index(t) for t in ("<blank>", "b", "<unk>")]
    for name, value in network.state_dict().items():
        if name.endswith(ROWS):
            assert torch.equal(value[3], before[name][3]), name
            assert name.startswith("ctc") or torch.equal(value[[0, 4, 5]], given[name][places]), name
        else:
            assert torch.equal(value, given[name]), name
    with pytest.raises(ModelError, match="another shape"):
        start_from(tiny_network(encoder=replace(tiny_config().encoder, linear_units=8)), files, vocabulary)
    with pytest.raises(ModelError, match="front end"):
        start_from(tiny_network(frontend=replace(tiny_config().frontend, lfr_n=2)), files, vocabulary)


def test_the_ctc_loss_helps_a_model_without_heads(model, data, tmp_path):
    output = finetune(model, [data], tmp_path / "out", RunOptions(**QUICK | {"ctc_weight": 0.3}))
    losses = log(output, "ctc1")
    assert losses[-1] < losses[0]
    assert "ctc2.ctc_lo.bias" in read_state(read_model(output).weights)


def test_heads_that_serve_at_run_time_are_trained_or_serve_no_longer(data, tmp_path):
    config, state = tiny_config(dropout=0.0, ctc_heads=True), tiny_network(ctc_heads=True).state_dict()
    base = write_native(tmp_path / "base", config, TOKENS, CMVN, state=state)
    quick = QUICK | {"max_epoch": 1}
    tuned = finetune(base, [data], tmp_path / "tuned", RunOptions(**quick))
    heads = load_network(read_model(tuned)).state_dict()
    assert not torch.equal(heads["ctc2.ctc_lo.weight"], state["ctc2.ctc_lo.weight"])
    packaged = export_model(read_model(tuned), tmp_path / "packaged")
    given = load_network(read_model(packaged)).state_dict()
    assert given.keys() == heads.keys()
    assert all(torch.equal(given[name], value) for name, value in heads.items())
    without = finetune(packaged, [data], tmp_path / "without", RunOptions(**quick | {"ctc_weight": 0.0}))
    assert [read_model(one).config.ctc_heads for one in (tuned, without)] == [True, False]
    for result in (packaged, tuned, without):
        assert uniasr.load_model(result).transcribe(tones("ab"), RATE_HZ).duration_ms > 0


def test_a_model_whose_heads_serve_at_run_time_must_have_them(tmp_path):
    config = tiny_config(ctc_heads=True)
    write_native(tmp_path / "base", config, TOKENS, CMVN, state=tiny_network().state_dict())
    with pytest.raises(ModelError, match=r"ctc\.ctc_lo\.weight"):
        uniasr.load_model(tmp_path / "base")


def _normalised(files, data):
    from uniasr.audio.load import load
    from uniasr.features.frontend import FrontEnd

    front = FrontEnd(files.config.frontend, files.cmvn)
    for path in sorted((data / "train" / "audio").glob("*.wav")):
        yield front.step(front.start(), load(path).samples, True)[1]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("tokenizer: words", "characters, kana, bpe"),
        ("shape: {size: 9}", "heads"),
        ("run: {lr: 0.0}", "positive"),
        ("colour: red", "unknown entries colour"),
        ("reading: {unknown: guess}", "'extend' or 'drop'"),
        ("run: {ctc_weight: 0.0}\nserving: {ctc_heads: true}", "learn nothing"),
        ("serving: {ctc_rescoring: 1.0}", "nothing would judge"),
    ],
)
def test_wrong_plans_name_the_entry(entry, message, tmp_path):
    (tmp_path / "plan.yaml").write_text(f"data: [x]\noutput: y\n{entry}\n", encoding="utf-8")
    with pytest.raises(ModelError, match=message):
        read_plan(tmp_path / "plan.yaml")


def test_the_documented_plan_is_a_plan(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.S)
    (tmp_path / "plan.yaml").write_text(block, encoding="utf-8")
    plan = read_plan(tmp_path / "plan.yaml")
    assert plan.config(50).num_latencies == 2


# ModelScope's calls


def test_the_card_s_calls_fine_tune(model, data, tmp_path):
    kwargs = {
        "model": str(model),
        "data_dir": MsDataset.load(str(data)),
        "dataset_type": "small",
        "work_dir": str(tmp_path / "checkpoint"),
        "batch_bins": 16000,
        "max_epoch": 1,
        "lr": 0.00005,
        "distributed": False,
        "device": "cpu",
    }
    trainer = build_trainer(Trainers.speech_asr_trainer, default_args=kwargs)
    trainer.train()
    recognise = pipeline(task=Tasks.auto_speech_recognition, model=str(tmp_path / "checkpoint"))
    assert set(recognise(audio_in=tones("ab"))) == {"text"}


def test_wrong_calls_are_told(data, tmp_path):
    with pytest.raises(OptionError, match="speech-asr-trainer"):
        build_trainer("other", default_args={})
    with pytest.raises(OptionError, match="data_dir is missing"):
        build_trainer(default_args={"model": "m"})
    with pytest.raises(OptionError, match="unknown keywords batch_size"):
        build_trainer(default_args={"data_dir": str(data), "batch_size": 3})
    with pytest.raises(ModelNotFoundError, match="no folder"):
        MsDataset.load(str(tmp_path / "nowhere"))
    with pytest.raises(OptionError, match="either"):
        MsDataset.load()


def test_a_data_set_of_the_hub_needs_its_client(monkeypatch):
    monkeypatch.setitem(sys.modules, "modelscope.msdatasets", None)
    with pytest.raises(MissingExtraError, match=r"uniasr\[modelscope\]"):
        MsDataset.load(dataset_name="speech_asr_commonvoice_ja_trainsets", namespace="modelscope")


def test_a_data_set_of_the_hub_becomes_a_folder(data, tmp_path, monkeypatch):
    class Client:
        @staticmethod
        def load(name, namespace, split):
            assert (name, namespace) == ("words", "me")
            folder = data / {"train": "train", "validation": "dev"}[split]
            said = dict(line.split() for line in (folder / "text").read_text().splitlines())
            return [{"Audio:FILE": str(folder / "audio" / f"{key}.wav"), "Text:LABEL": said[key]} for key in said]

    module = ModuleType("modelscope.msdatasets")
    module.MsDataset = Client
    monkeypatch.setitem(sys.modules, "modelscope", ModuleType("modelscope"))
    monkeypatch.setitem(sys.modules, "modelscope.msdatasets", module)
    found = MsDataset.load(dataset_name="words", namespace="me")
    folder = found.write(tmp_path / "data")
    assert len((folder / "train" / "text").read_text().splitlines()) == 16
    assert len((folder / "dev" / "wav.scp").read_text().splitlines()) == 3
