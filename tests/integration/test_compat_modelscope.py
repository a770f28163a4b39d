import io
import shutil

import numpy as np
import pytest
import soundfile

import uniasr
from uniasr.compat.audio_bytes import holds_a_file
from uniasr.compat.modelscope import Tasks, pipeline
from uniasr.errors import AudioError, AudioNotFoundError, ModelNotFoundError, OptionError, OutputError

TEXT = "TQES"


@pytest.fixture(scope="module")
def model(recorded, exported):
    return exported(recorded("uniasr_odd") / "model_1x")


@pytest.fixture(scope="module")
def speech(recorded):
    return recorded("uniasr_odd") / "wav" / "u3.wav"


@pytest.fixture(scope="module")
def recognise(model):
    return pipeline(task=Tasks.auto_speech_recognition, model=str(model))


class TestTheCallsOfTheCard:
    def test_paths_and_urls(self, recognise, speech):
        for audio in (str(speech), speech, speech.as_uri()):
            assert recognise(audio_in=audio) == {"text": TEXT}

    @pytest.mark.parametrize("mode", ["fast", "normal", "offline"])
    def test_a_mode_for_one_call(self, recognise, speech, mode):
        assert recognise(audio_in=str(speech), param_dict={"decoding_model": mode}) == {"text": TEXT}
        assert recognise.mode == "normal"

    def test_arrays(self, recognise, speech):
        waveform, rate = soundfile.read(speech)
        assert recognise(audio_in=waveform) == {"text": TEXT}
        assert recognise(waveform.astype(np.float32)[np.newaxis], audio_fs=rate) == {"text": TEXT}
        assert recognise(np.repeat(waveform, 2), audio_fs=2 * rate) == {"text": TEXT}

    def test_tensors(self, recognise, speech):
        torch = pytest.importorskip("torch")
        waveform = torch.from_numpy(soundfile.read(speech, dtype="float32")[0])[None]  # [1, n], as torchaudio gives it
        assert recognise(audio_in=waveform) == {"text": TEXT}

    def test_bytes(self, recognise, speech):
        pcm = soundfile.read(speech, dtype="int16")[0].astype("<i2")
        assert recognise(audio_in=speech.read_bytes()) == {"text": TEXT}
        assert recognise(audio_in=pcm.tobytes()) == {"text": TEXT}
        assert recognise(audio_in=pcm.tobytes() + b"\0", audio_fs=16_000, audio_format="pcm") == {"text": TEXT}
        assert recognise(np.repeat(pcm, 3).tobytes(), 48_000) == {"text": TEXT}

    def test_a_list_with_an_output_directory(self, model, speech, tmp_path):
        (tmp_path / "wav.scp").write_text(f"example1  {speech}\nexample2  {speech}\n")
        recognise = pipeline(Tasks.auto_speech_recognition, str(model), output_dir=str(tmp_path / "out"))
        results = recognise(str(tmp_path / "wav.scp"))
        assert results == [{"key": "example1", "value": TEXT}, {"key": "example2", "value": TEXT}]
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["1best_recog"]
        for name in ("text", "score", "time_stamp", "rtf"):
            lines = (tmp_path / "out" / "1best_recog" / name).read_text().splitlines()
            assert [line.split()[0] for line in lines] == ["example1", "example2"]

    def test_an_output_directory_for_one_call(self, recognise, speech, tmp_path):
        shutil.copy(speech, tmp_path / "with blanks.wav")
        recognise(str(tmp_path / "with blanks.wav"), output_dir=tmp_path / "out")
        assert (tmp_path / "out" / "1best_recog" / "text").read_text() == f"with_blanks {TEXT}\n"
        recognise(speech.read_bytes(), output_dir=tmp_path / "bytes")
        assert (tmp_path / "bytes" / "1best_recog" / "text").read_text() == f"utt {TEXT}\n"
        assert recognise.output_dir is None

    def test_where_nothing_is_said_the_text_is_empty(self, recognise):
        assert recognise(np.zeros(0, np.int16)) == {"text": ""}


def test_texts_and_scores_are_those_of_the_published_system(golden):
    import json

    pytest.importorskip("torch")
    root = golden("uniasr_ja_template")
    expected = json.loads((root / "nbest.json").read_text())
    passes = {"fast": "model1.ind0", "normal": "model2.ind0", "offline": "model2.ind1"}
    recognise = pipeline(task=Tasks.auto_speech_recognition, model=str(root / "model_0x"))
    for utterance in ("ja1", "ja3"):
        for mode, name in passes.items():
            audio = str(root / "wav" / f"{utterance}.wav")
            text = recognise(audio_in=audio, param_dict={"decoding_model": mode})["text"]
            assert text == expected["auto_text"][utterance][f"{mode}.beam5"]
            best = recognise.model.transcribe(audio, mode=mode, search="reference", **recognise.options).nbest[0]
            score = expected["nbest"][utterance][f"{name}.beam5"]["hyps"][0]["score"]
            assert best.score == pytest.approx(score, abs=2e-3)


class TestDefaults:
    @pytest.fixture
    def published(self, golden, tmp_path):
        """A published directory whose decoding.yaml can be changed."""
        pytest.importorskip("torch")
        return shutil.copytree(golden("uniasr_odd") / "model_0x", tmp_path / "model")

    def test_decoding_yaml_is_honoured(self, published):
        text = (published / "decoding.yaml").read_text()
        changed = text.replace("beam_size: 5", "beam_size: 3").replace("decoding_ind: 0", "decoding_ind: 1")
        assert changed != text
        (published / "decoding.yaml").write_text(changed)
        recognise = pipeline(model=published)
        assert recognise.mode == "offline"
        assert recognise.options["beam_size"] == 3
        assert recognise.options["token_num_relax"] == 5
        assert pipeline(model=published, beam_size=7).options["beam_size"] == 7
        assert pipeline(model=published, param_dict={"decoding_model": "fast"}).mode == "fast"

    @pytest.mark.parametrize(
        ("keywords", "mode"),
        [
            ({"decoding_mode": "model1"}, "fast"),
            ({"decoding_mode": "model2", "decoding_ind": 0}, "normal"),
            ({"decoding_ind": 1}, "offline"),
            (
                {
                    "ngpu": 1,
                    "batch_size": 4,
                    "model_revision": "v1.0.1",
                    "vad_model": None,
                    "punc_model": "",
                    "ctc_weight": 0.0,
                },
                "normal",
            ),
        ],
    )
    def test_keywords(self, model, keywords, mode):
        assert pipeline(model=model, **keywords).mode == mode

    def test_audio_over_a_minute_is_cut_at_pauses(self, recognise, speech, monkeypatch):
        seen = []
        monkeypatch.setattr(
            type(recognise.pipeline),
            "transcribe",
            lambda self, *_, search, **__: seen.append(search) or _nothing(),
        )
        recognise(np.zeros(61 * 16_000, np.float32))
        recognise(np.zeros(59 * 16_000, np.float32))
        assert seen == ["gated", "reference"]


def test_models_that_are_not_published_are_searched_as_they_are_elsewhere(sample, packaged_model):
    recognise = pipeline(model="ja")
    assert recognise.search == "gated"
    assert recognise(str(sample))["text"] == packaged_model.transcribe(sample, mode="normal").text
    assert pipeline(model="ja", vad_model="vad").search == "gated"


def _nothing():
    from uniasr import Transcript

    return Transcript("", (), 0)


class TestParts:
    def test_a_detector_and_marks_are_those_of_a_pipeline(self, model, golden, tmp_path):
        vad, punctuation = str(golden("fsmn_vad")), str(golden("ct_transformer"))
        clip = np.load(golden("fsmn_vad") / "inputs.npz")["a"]
        recognise = pipeline(model=str(model), vad_model=vad, punc_model=punctuation, output_dir=tmp_path)
        parts = uniasr.Pipeline(str(model), vad, punctuation)
        wanted = parts.transcribe(clip, 16_000, "normal", search="reference")
        assert recognise(clip) == {"text": wanted.text}
        assert len(wanted.segments) == 4
        assert (tmp_path / "1best_recog" / "text").read_text(encoding="utf-8") == f"utt {wanted.text}\n"
        bare = pipeline(model=str(model), vad_model=vad)
        assert len(bare(clip)["text"]) < len(wanted.text)
        with pytest.raises(ModelNotFoundError):
            pipeline(model=str(model), vad_model="damo/speech_fsmn_vad_zh-cn-16k-common-pytorch")


class TestWrongCalls:
    @pytest.mark.parametrize(
        "keywords",
        [
            {"task": "text-to-speech"},
            {"vad_model_file": "vad.pb"},
            {"ctc_weight": 0.5},
            {"hotword": "☃"},
            {"beam_size": 0},
            {"param_dict": {"decoding_model": "slow"}},
            {"param_dict": {"hotword": "☃"}},
            {"decoding_mode": "model1", "decoding_ind": 1},
            {"device": "tpu"},
        ],
    )
    def test_of_the_pipeline(self, model, keywords):
        with pytest.raises(OptionError):
            pipeline(**{"model": model, **keywords})

    def test_of_the_result(self, recognise, speech, tmp_path):
        with pytest.raises(OptionError, match="choose one of fast, normal, offline"):
            recognise(str(speech), param_dict={"decoding_model": "best"})
        with pytest.raises(AudioNotFoundError):
            recognise("nowhere.wav")
        with pytest.raises(AudioError, match="empty"):
            recognise(b"")
        (tmp_path / "file").touch()
        with pytest.raises(OutputError):
            recognise(str(speech), output_dir=tmp_path / "file")

    def test_a_model_that_is_not_here(self, monkeypatch, tmp_path):
        monkeypatch.setenv("HOME", str(tmp_path))
        with pytest.raises(ModelNotFoundError, match="uniasr models --download"):
            pipeline(model="damo/speech_UniASR_asr_2pass-ja-16k-common-vocab93-tensorflow1-online")


class TestBytes:
    @pytest.mark.parametrize("fmt", ["WAV", "FLAC", "OGG", "MP3", "AIFF"])
    @pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
    def test_files_are_files(self, fmt, rate):
        samples = np.sin(np.arange(rate) * 0.05) * np.linspace(0, 0.9, rate)
        buffer = io.BytesIO()
        soundfile.write(buffer, samples, rate, format=fmt)
        assert holds_a_file(buffer.getvalue())

    @pytest.mark.parametrize("start", [b"\xff\xff\x01\x00", b"\xff\xfb\x90\x00", b"\xff\xf1\x00\x00", b"\x00\x00"])
    def test_samples_are_samples(self, start):
        noise = np.random.default_rng(5).integers(-3, 4, 4000).astype("<i2").tobytes()
        assert not holds_a_file(start + noise)
        assert not holds_a_file(start * 500)

    @pytest.mark.parametrize("data", [b"", b"\xff", b"\xff\xfb"])
    def test_a_few_bytes(self, data):
        assert not holds_a_file(data)
