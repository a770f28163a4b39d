"""The FSMN-VAD against segments, events and scores recorded from the reference (funasr 1.4.16 and 0.2.0)."""

import json

import numpy as np
import pytest
import soundfile

from uniasr.features.level import levels, start_levels

pytestmark = pytest.mark.torch

SMALL = ("fsmn_vad", "fsmn_vad_8k")
BACKENDS = ("onnxruntime", "torch")


def call(recorded_options):
    """The reference's options as ours; without any it runs what we call the dynamic profile."""
    options = {key: value for key, value in recorded_options.items() if key not in ("chunk_size", "is_streaming_input")}
    silence = options.pop("max_end_silence_time", None)
    dynamic = options.pop("dynamic_silence", silence is None)
    return {**options, "max_end_silence_ms": silence, "profile": "dynamic" if dynamic else "classic"}


def events(vad, samples, rate, packet_ms, profile):
    """[packet, events] where there are any; the last packet carries what the end brings."""
    size = rate * packet_ms // 1000
    packets = [samples[start : start + size] for start in range(0, len(samples), size)]
    found = []
    with vad.stream(rate, profile=profile) as stream:
        for index, packet in enumerate(packets):
            new = stream.accept(packet)
            if index == len(packets) - 1:
                new += stream.finish()
            if new:
                found.append([index, new])
    return found


def check_events(vad, samples, rate, recorded):
    assert recorded
    for name, expected in recorded.items():
        packet_ms, _, profile = name.partition("ms_")
        if vad.engine.name == "torch" and int(packet_ms) < 60:
            continue  # a call for every row takes long there and shows nothing new
        profile = "dynamic" if profile == "dynamic" else "classic"
        assert events(vad, samples, rate, int(packet_ms), profile) == expected["events"], name


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SMALL)
def test_segments_and_events_of_the_small_models(recorded, load_exported_vad, name, backend):
    folder = recorded(name)
    vad, clips = load_exported_vad(folder, backend), np.load(folder / "inputs.npz")
    manifest = json.loads((folder / "manifest.json").read_text())
    rate = manifest["sample_rate"]
    for clip, case in manifest["cases"].items():
        for what, answer in case["offline"].items():
            if "segments" in answer:  # elsewhere the reference fails
                found = vad.segments(clips[clip], rate, **call(answer["options"]))
                assert [list(segment) for segment in found] == answer["segments"], (clip, what)
        if clip != "zeros":  # the reference's streams fail on the way
            check_events(vad, clips[clip], rate, case["stream"])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SMALL)
def test_rows_scores_and_levels_of_the_small_models(recorded, load_exported_vad, name, backend):
    folder = recorded(name)
    vad, clips, arrays = (
        load_exported_vad(folder, backend),
        np.load(folder / "inputs.npz"),
        np.load(folder / "arrays.npz"),
    )
    for clip in clips:
        samples = clips[clip] / np.float32(32768)
        front_end, encoder = vad._front_end, vad.config.encoder
        rows = front_end.step(front_end.start(), samples, last=True)[1]
        head, tail = arrays[f"{clip}.feats_head"], arrays[f"{clip}.feats_tail"]
        np.testing.assert_allclose(rows[: len(head)], head, atol=2e-3)
        np.testing.assert_allclose(rows[-len(tail) :], tail, atol=2e-3)
        cache = np.zeros((1, encoder.fsmn_layers, encoder.cache_rows, encoder.proj_dim), np.float32)
        fed = {"rows": rows[None], "counts": np.array([len(rows)]), "cache": cache}
        scores = vad.engine.run("fsmn_vad", fed, ["scores"])["scores"][0]
        head = arrays[f"{clip}.scores_head"]
        np.testing.assert_allclose(scores[: len(head)], head, atol=1e-4)
        np.testing.assert_allclose(scores[:, 0], arrays[f"{clip}.p_sil"], atol=1e-4)
        rate = vad.config.frontend.sample_rate_hz
        np.testing.assert_allclose(1 - vad.speech_probabilities(samples, rate), arrays[f"{clip}.p_sil"], atol=1e-4)
        _, found = levels(vad.config.frontend, start_levels(), samples)
        np.testing.assert_allclose(found, arrays[f"{clip}.decibel"], atol=1e-3)


@pytest.mark.parametrize("backend", BACKENDS)
def test_segments_and_events_of_the_published_weights(shared_dir, load_exported_vad, backend):
    folder = shared_dir / "real" / "fsmn_vad"
    if not folder.is_dir():
        pytest.skip("no published weights beside the checkout")
    vad, answers = load_exported_vad(folder, backend), json.loads((folder / "segments.json").read_text())
    arrays = np.load(folder / "arrays.npz")
    for clip, case in answers["cases"].items():
        recording = folder / f"{clip}.flac"
        samples = soundfile.read(recording, dtype="float32")[0] if recording.exists() else np.zeros(case["samples"])
        np.testing.assert_allclose(1 - vad.speech_probabilities(samples), arrays[f"{clip}.p_sil"], atol=1e-3)
        for what, expected in case["offline"].items():
            options = {"max_end_silence_ms": int(what[6:])} if what.startswith("fixed") else {}
            profile = "dynamic" if what == "default" else "classic"
            found = vad.segments(samples, 16_000, profile=profile, **options)
            assert [list(segment) for segment in found] == expected, (clip, what)
        check_events(vad, samples, 16_000, case["stream"])
