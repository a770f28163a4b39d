"""The network, CIF, the decoder's windows and the n-best lists against numbers recorded from the reference.

The reference (funasr 1.4.16) runs one long layout of chunks with gaps between them; rows are compared where it has
content rows. Tolerances are those of float32 implementations that read the same features: encoder rows and fired
embeddings 1e-4, alphas 2e-6, log-probabilities 2e-4, scores 1e-3; masks, alignment and token ids are equal, but
hypotheses whose recorded scores differ by less than 1e-3 may stand in another order.
"""

import json
from dataclasses import dataclass

import numpy as np
import pytest

import uniasr
from uniasr.decoding.beam import SOS
from uniasr.recognizers.uniasr.encoding import encode
from uniasr.recognizers.uniasr.firing import fire, kept_count
from uniasr.recognizers.uniasr.passes import plan_pass, start_pass
from uniasr.recognizers.uniasr.rows import RowBuffer
from uniasr.types import DecodingOptions

SOURCES = (
    "uniasr_ja_template",
    "uniasr_lookback",
    "uniasr_odd",
    "compact/uniasr_lookback",
    "compact/uniasr_odd",
)
BACKENDS = ("torch", "onnxruntime")
PASS_OF = {"model1": "fast", "model2": "normal"}

pytestmark = pytest.mark.torch


@pytest.fixture(params=SOURCES)
def folder(request, golden, compact):
    where, _, name = request.param.rpartition("/")
    return compact(name) if where else golden(name)


@pytest.fixture(params=BACKENDS)
def model(request, folder, exported):
    return load(folder / "model_1x", request.param, exported)


def load(checkpoint, backend, exported):
    pytest.importorskip("torch")
    return uniasr.load_model(checkpoint if backend == "torch" else exported(checkpoint), backend=backend, threads=1)


class Recorder:
    """An engine that remembers what goes through another one."""

    def __init__(self, engine):
        self.engine, self.seen = engine, {}

    def run(self, graph, inputs, outputs):
        out = self.engine.run(graph, inputs, outputs)
        self.seen[graph] = {**inputs, **out}
        return out


@dataclass
class Run:
    """A pass over one utterance: its chunks, and the place of every content row and kept row in the layout."""

    carry: object
    chunks: list
    seen: dict
    content: np.ndarray
    kept: np.ndarray

    @property
    def valid(self):
        return np.stack([chunk.valid for chunk in self.chunks]) > 0

    @property
    def rows(self):
        return np.stack([chunk.rows for chunk in self.chunks])[self.valid]

    def keep(self, attribute):
        """Rows or alphas of the kept rows, in the order of the audio."""
        pad = self.carry.plan.chunk.pad_left
        return np.concatenate(
            [getattr(chunk, attribute)[pad : pad + kept_count(self.carry, chunk)] for chunk in self.chunks]
        )


def run_pass(engine, config, number, index, inputs, *, decode=True):
    """Encode all chunks of an utterance in one call and integrate them."""
    plan = plan_pass(config, number, index)
    buffer = RowBuffer(inputs.shape[1])
    buffer.append(inputs)
    carry = start_pass(plan, buffer, 0, DecodingOptions(), decode=decode, final=True)
    carry.num_frames = len(inputs)
    recorder = Recorder(engine)
    (chunks,) = encode(recorder, [(carry, carry.ready_chunks(10_000))])
    for chunk in chunks:
        fire(engine, [(carry, chunk, kept_count(carry, chunk))])
    size, pad, gap = plan.chunk.size, plan.chunk.pad_left, (plan.encoder.kernel_size - 1) // 2
    places = np.arange(len(chunks))[:, None] * (gap + size) + gap + np.arange(size)
    kept = np.concatenate([places[c, pad : pad + kept_count(carry, chunk)] for c, chunk in enumerate(chunks)])
    return Run(carry, chunks, recorder.seen, places[np.stack([chunk.valid for chunk in chunks]) > 0], kept)


def run_both(model, index, features):
    """Both passes over the recorded features."""
    first = run_pass(model.engine, model.config, 1, index, features)
    joined = np.concatenate([features, first.keep("rows")], axis=1)
    return first, run_pass(model.engine, model.config, 2, index, joined)


def utterances(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, entry in manifest["utterances"].items():
        yield name, np.load(folder / f"{name}.npz"), entry["label_ids"]


def cases(folder, model):
    """Every utterance at every latency: its recorded arrays without the prefix `indN.`, labels, and our two passes."""
    for name, arrays, labels in utterances(folder):
        for index in range(model.config.num_latencies):
            prefix = f"ind{index}."
            recorded = {key.removeprefix(prefix): arrays[key] for key in arrays if key.startswith(prefix)}
            yield f"{name} {prefix}", recorded, labels, run_both(model, index, arrays["feats"])


def close(ours, theirs, tolerance, where):
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance, err_msg=where)


def test_encoder_rows_and_alphas(folder, model):
    compared = 0
    for where, recorded, _, runs in cases(folder, model):
        for number, run in enumerate(runs, start=1):
            out, alphas = recorded[f"enc{number}_out"], recorded[f"alphas{number}"]
            assert run.content[-1] + 1 == len(out), where
            close(run.rows, out[run.content], 1e-4, f"{where} rows of pass {number}")
            close(run.keep("alphas"), alphas[run.kept], 2e-6, f"{where} alphas of pass {number}")
            assert not np.delete(alphas, run.kept).any(), where
            compared += 1
    assert compared == 2 * model.config.num_latencies * len(list(utterances(folder)))


def test_encoder_input_and_what_lies_between_the_passes(folder, model):
    compared = set()
    for where, recorded, _, (first, second) in cases(folder, model):
        compared |= recorded.keys() & {"enc1_in", "bridge", "stride_out"}
        if "enc1_in" in recorded:
            ours, theirs = first.seen["encoder"]["chunks"][first.valid], recorded["enc1_in"][first.content]
            close(ours, theirs, 1e-4 * max(1.0, np.abs(theirs).max() / 10), where)
        if "bridge" in recorded:
            close(first.keep("rows"), recorded["bridge"], 1e-4, where)
            pad, out = second.carry.plan.chunk.pad_left, second.seen["bridge"]["out"]
            counts = [kept_count(second.carry, chunk) for chunk in second.chunks]
            ours = np.concatenate([rows[pad : pad + count] for rows, count in zip(out, counts, strict=True)])
            close(ours, recorded["stride_out"], 1e-4 * max(1.0, np.abs(recorded["stride_out"]).max() / 10), where)
    assert compared >= {"bridge", "stride_out"}  # the compact numbers have no encoder input


def test_output_of_every_encoder_layer(folder):
    """On torch only: the runtime graphs have no such outputs."""
    pytest.importorskip("torch")
    model = uniasr.load_model(folder / "model_1x", backend="torch", threads=1)
    encoder = model.engine._graphs["encoder"].module.encoder
    outputs = {}
    for layer, block in enumerate([*encoder.encoders0, *encoder.encoders]):
        block.register_forward_hook(lambda _, __, out, layer=layer: outputs.update({layer: out[0].numpy()}))
    with_layers = [(name, arrays) for name, arrays, _ in utterances(folder) if "ind0.enc1_layer0" in arrays]
    if not with_layers:
        pytest.skip("the compact numbers have no such arrays")
    for name, arrays in with_layers:
        run = run_pass(model.engine, model.config, 1, 0, arrays["feats"])
        assert len(outputs) == model.config.encoder.num_blocks == sum("ind0.enc1_layer" in key for key in arrays)
        for layer, rows in outputs.items():
            theirs = arrays[f"ind0.enc1_layer{layer}"][run.content]
            close(rows[run.valid], theirs, 1e-4 * max(1.0, np.abs(theirs).max() / 10), f"{name} layer {layer}")


def test_fired_tokens_and_their_embeddings(folder, model):
    for where, recorded, _, runs in cases(folder, model):
        for number, run in enumerate(runs, start=1):
            rows = np.ceil(run.carry.ends).astype(int) - 1
            fired = np.zeros(len(recorded[f"align{number}"]), int)
            np.add.at(fired, run.kept[rows], 1)
            np.testing.assert_array_equal(fired, recorded[f"align{number}"], where)
            total = run.carry.cif.fired + run.carry.cif.weight
            close(total, recorded[f"token_num{number}"][0], 1e-4, where)
            theirs, ours = recorded[f"embeds{number}"], [embedding for embedding, _ in run.carry.pending]
            close(np.stack(ours), theirs[: len(ours)], 1e-4, where)
            assert not theirs[len(ours) :].any(), where


def test_a_step_sees_the_rows_of_the_scama_mask(folder, model):
    for where, recorded, _, runs in cases(folder, model):
        for number, run in enumerate(runs, start=1):
            mask = recorded[f"scama{number}"] > 0
            rows = np.stack([chunk.rows for chunk in run.chunks])
            suffix = run.carry.plan.suffix
            memory = model.engine.run(f"memory{suffix}", {"rows": rows}, ["keys", "values"])
            keys, values = np.moveaxis(memory["keys"], -1, 1)[run.valid], np.moveaxis(memory["values"], 3, 1)[run.valid]
            assert len(run.carry.pending) == len(mask), where
            for seen, (_, window) in zip(mask, run.carry.pending, strict=True):
                assert not np.delete(seen, run.content).any(), where
                counts, wanted = window.mask > 0, seen[run.content]
                assert window.mask.shape == (run.carry.plan.window_rows,)
                close(np.moveaxis(window.keys, -1, 0)[counts], keys[wanted], 1e-5, where)
                close(np.moveaxis(window.values, 2, 0)[counts], values[wanted], 1e-5, where)


def test_log_probabilities_of_the_labels(folder, model):
    for where, recorded, labels, runs in cases(folder, model):
        for number, run in enumerate(runs, start=1):
            ours, theirs = teacher_forced(model, run.carry, labels), recorded[f"logp{number}"]
            close(ours, theirs, 2e-4, f"{where} pass {number}")


def teacher_forced(model, carry, labels):
    """Log-probabilities [L + 1, V] after `<s>` and the labels so far, one step of the decoder graph after another."""
    decoder = carry.plan.decoder
    cache = np.zeros((1, 1, decoder.num_blocks, decoder.kernel_size - 1, decoder.attention_dim), np.float32)
    silence = np.zeros(carry.plan.encoder.output_size, np.float32)
    log_probs = []
    for step, token in enumerate([SOS, *labels]):
        embedding, window = carry.pending[step] if step < len(carry.pending) else (silence, carry.window)
        feeds = {
            "tokens": np.array([[token]]),
            "acoustic": embedding[None],
            "keys": window.keys[None],
            "values": window.values[None],
            "window": window.mask[None],
            "cache": cache,
        }
        names = ["log_probs", "next_cache", "top_log_probs", "top_ids", "end_log_probs"]
        out = model.engine.run(f"decoder{carry.plan.suffix}", feeds, names)
        cache, row = out["next_cache"], out["log_probs"][0, 0]
        log_probs.append(row)
        np.testing.assert_array_equal(out["top_log_probs"][0, 0], np.sort(row)[::-1][:32])
        np.testing.assert_array_equal(row[out["top_ids"][0, 0]], out["top_log_probs"][0, 0])
        assert out["end_log_probs"][0, 0] == row[2]
    return np.stack(log_probs)


def assert_same_hypotheses(ours, theirs, where):
    """The leading hypotheses are the recorded ones; near ties may stand in another order."""
    assert len(ours) >= len(theirs), where
    for place, (own, (ids, score)) in enumerate(zip(ours, theirs, strict=False)):
        near = [other for other, other_score in theirs if abs(other_score - score) < 1e-3]
        assert own.token_ids in near, f"{where} hypothesis {place}: {own.token_ids} instead of {ids}"
        assert own.score == pytest.approx(score, abs=1e-3), f"{where} hypothesis {place}"
    assert sorted(own.token_ids for own in ours[: len(theirs)]) == sorted(ids for ids, _ in theirs), where


def test_nbest_lists_of_every_pass_latency_and_beam(folder, model):
    lists = json.loads((folder / "nbest.json").read_text())["nbest"]
    for name, entries in lists.items():
        for case, entry in entries.items():
            decoder, index, beam = case.split(".")
            transcript = model.transcribe(
                folder / "wav" / f"{name}.wav",
                mode=PASS_OF[decoder],
                latency=int(index.removeprefix("ind")),
                beam_size=int(beam.removeprefix("beam")),
                search="reference",
                nbest=1000,
            )
            theirs = [(tuple(i for i in hyp["ids"] if i > 2), hyp["score"]) for hyp in entry["hyps"]]
            # theirs may differ in blanks and marks alone
            assert len(transcript.nbest) <= entry["ended"], f"{name} {case}"
            assert_same_hypotheses(transcript.nbest, theirs, f"{name} {case}")


def test_texts_of_the_three_modes(folder, model):
    """The reference's own call writes blanks between kana; we do not."""
    texts = json.loads((folder / "nbest.json").read_text())["auto_text"]
    for name, entries in texts.items():
        for case, text in entries.items():
            mode, beam = case.split(".")
            transcript = model.transcribe(
                folder / "wav" / f"{name}.wav", mode=mode, beam_size=int(beam.removeprefix("beam")), search="reference"
            )
            assert transcript.text == text.replace(" ", ""), f"{name} {case}"


@pytest.mark.parametrize("name", SOURCES[:3])
def test_both_published_layouts_are_one_model(golden, exported, name):
    folder = golden(name)
    old, new = (load(folder / layout, "torch", exported) for layout in ("model_0x", "model_1x"))
    assert old.config == new.config
    assert old.vocabulary.tokens == new.vocabulary.tokens
    parameters = [model.engine._graphs["encoder2"].module.state_dict() for model in (old, new)]
    assert parameters[0].keys() == parameters[1].keys()
    assert all(bool((parameters[0][key] == parameters[1][key]).all()) for key in parameters[0])
    graphs = [exported(folder / layout) for layout in ("model_0x", "model_1x")]
    old, new = (uniasr.load_model(directory, threads=1) for directory in graphs)
    for wav in sorted((folder / "wav").glob("*.wav")):
        for mode in ("fast", "normal", "offline"):
            assert old.transcribe(wav, mode=mode) == new.transcribe(wav, mode=mode)


@pytest.mark.parametrize("name", SOURCES[:3])
def test_chunks_attend_to_the_rows_of_the_reference_mask(golden, name):
    """Every recorded self-attention mask against what the bias and the predecessors of our chunks let through."""
    pytest.importorskip("torch")
    folder = golden(name)
    model = uniasr.load_model(folder / "model_1x", backend="torch")
    masks = np.load(folder / "masks.npz")
    compared = 0
    for key in masks:
        part, index, length, kind = key.split(".")
        if kind != "att":
            continue
        number = int(part.removeprefix("enc"))
        seen = visible(model.config, number, int(index.removeprefix("ind")), int(length.removeprefix("L")))
        np.testing.assert_array_equal(seen, masks[key], key)
        compared += 1
    assert compared


def visible(config, number, index, length):
    """[T, T] which layout rows attend to which."""
    import torch

    from uniasr.networks.layers.sanm import LookBack, chunk_bias

    plan = plan_pass(config, number, index)
    run = run_pass(Blind(plan), config, number, index, inputs_of_length(plan, length), decode=False)
    fed = run.seen[f"encoder{plan.suffix}"]
    back, pool = None, 0
    if plan.encoder.look_back:
        pool = len(fed["past_keys"])
        back = LookBack(*(torch.from_numpy(fed[name]) for name in ("past_keys", "past_values", "predecessors")))
    size, stride, count = plan.chunk.size, plan.chunk.stride, len(run.chunks)
    bias = chunk_bias(torch.from_numpy(fed["valid"]), back).expand(count, 1, size, -1)[:, 0].numpy()
    gap = (plan.encoder.kernel_size - 1) // 2
    starts = np.arange(count) * (gap + size) + gap
    seen = np.zeros((starts[-1] + size, starts[-1] + size), bool)
    for c, start in enumerate(starts):
        own = slice(start, start + size)
        seen[own, own] = bias[c, :, :size] == 0
        for place, chunk in enumerate(fed["predecessors"][c] if back else []):
            earlier = bias[c, :, size + place * stride :][:, :stride] == 0
            if chunk == 0:
                assert not earlier.any()
            else:
                assert chunk >= pool  # the call holds all chunks: none lies in the past
                seen[own, starts[chunk - pool] :][:, :stride] = earlier
    end = run.content[-1] + 1
    outside = np.setdiff1d(np.arange(end), run.content)  # queries after the cut are padding
    assert not seen[:, outside].any()
    return seen[:end, :end] & np.isin(np.arange(end), run.content)[:, None]


def inputs_of_length(plan, length):
    frames = length if plan.bridge is None else (length - 1) * plan.bridge.stride + 1
    return np.zeros((frames, plan.encoder.input_size), np.float32)


class Blind:
    """An engine without weights: zeros of the right shapes."""

    def __init__(self, plan):
        self.plan = plan

    def run(self, graph, inputs, outputs):
        if graph == "bridge":
            return {"out": inputs["windows"][..., : self.plan.encoder.input_size]}
        count, size, _ = inputs["chunks"].shape
        width, encoder = self.plan.encoder.output_size, self.plan.encoder
        back = np.zeros((count, encoder.num_blocks, self.plan.chunk.stride, width), np.float32)
        zeros = {"rows": np.zeros((count, size, width), np.float32), "alphas": np.zeros((count, size), np.float32)}
        return {**zeros, "keys": back, "values": back}
