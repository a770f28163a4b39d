import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

import uniasr
from uniasr.cli.app import cli
from uniasr.cli.sinks import LayoutSink
from uniasr.formats import FORMATS
from uniasr.types import MODES

TEXT = "TQES"
"""What the reference hears in the recording."""


@pytest.fixture(scope="module")
def model(recorded, exported):
    return str(exported(recorded("uniasr_odd") / "model_1x"))


@pytest.fixture(scope="module")
def speech(recorded):
    return recorded("uniasr_odd") / "wav" / "u3.wav"


@pytest.fixture
def transcribe(model, tmp_path, monkeypatch):
    """Run the command in an empty directory; exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*words, model=model, stdin=None):
        result = CliRunner().invoke(cli, ["transcribe", "--model", str(model), *map(str, words)], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return run


def parse_subtitles(text, mark):
    """Times in ms and text of each cue."""
    clock = rf"(\d\d):(\d\d):(\d\d){re.escape(mark)}(\d\d\d)"
    cues = []
    for match in re.finditer(rf"^{clock} --> {clock}\n((?:.+\n)+)", text, re.MULTILINE):
        h, m, s, ms, h2, m2, s2, ms2 = (int(number) for number in match.groups()[:8])
        cues.append((((h * 60 + m) * 60 + s) * 1000 + ms, ((h2 * 60 + m2) * 60 + s2) * 1000 + ms2, match[9].strip()))
    return cues


class TestStandardOutput:
    def test_one_input_gives_its_text_alone(self, transcribe, speech):
        assert transcribe(speech) == (0, f"{TEXT}\n", "")

    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize("search", ["gated", "reference"])
    def test_modes_and_searches(self, transcribe, speech, mode, search):
        assert transcribe(speech, "--mode", mode, "--search", search, "--beam-size", 1)[:2] == (0, f"{TEXT}\n")

    def test_standard_input_is_a_file_to_read(self, transcribe, speech):
        assert transcribe("-", stdin=speech.read_bytes()) == (0, f"{TEXT}\n", "")

    def test_a_url(self, transcribe, speech):
        assert transcribe(speech.as_uri())[1] == f"{TEXT}\n"

    def test_several_inputs_have_keys(self, transcribe, speech, tmp_path):
        shutil.copy(speech, tmp_path / "other.wav")
        assert transcribe(speech, "other.wav")[1] == f"u3\t{TEXT}\nother\t{TEXT}\n"

    @pytest.mark.parametrize("word", ["folder", "folder/*.wav", "list.scp"])
    def test_a_collection_has_keys_even_with_one_input(self, transcribe, speech, tmp_path, word):
        (tmp_path / "folder").mkdir()
        shutil.copy(speech, tmp_path / "folder" / "one.wav")
        (tmp_path / "list.scp").write_text(f"one {speech}\n")
        assert transcribe(word)[1] == f"one\t{TEXT}\n"

    def test_json_lines_of_several_inputs(self, transcribe, speech):
        lines = transcribe(speech, speech, "--format", "json", "--nbest", 3)[1].splitlines()
        first, second = (json.loads(line) for line in lines)
        assert (first.pop("key"), second.pop("key")) == ("u3", "u3-2")
        assert first == second
        assert first["text"] == TEXT
        assert len(first["segments"][0]["nbest"]) == 3

    def test_tables_and_subtitles_of_several_inputs_can_be_taken_apart(self, transcribe, speech):
        table = [line.split("\t") for line in transcribe(speech, speech, "--format", "tsv")[1].splitlines()]
        assert table[0] == ["key", "start_ms", "end_ms", "text"]
        assert [row[0] for row in table[1:]] == ["u3", "u3-2"]
        headings = re.findall(r"^==> (.+) <==$", transcribe(speech, speech, "--format", "vtt")[1], re.MULTILINE)
        assert headings == ["u3.vtt", "u3-2.vtt"]

    def test_a_channel_can_be_chosen(self, transcribe, speech, tmp_path):
        samples, rate = soundfile.read(speech)
        soundfile.write(tmp_path / "two.wav", np.stack([np.zeros_like(samples), samples], axis=1), rate)
        assert transcribe("two.wav", "--channel", 1)[1] == f"{TEXT}\n"
        code, out, err = transcribe("two.wav", "--channel", 2)
        assert (code, out) == (1, "")
        assert "two.wav" in err
        assert "no channel 2" in err


class TestOutputDirectory:
    @pytest.mark.parametrize("fmt", list(FORMATS))
    def test_every_format_can_be_read_back(self, transcribe, speech, tmp_path, fmt):
        assert transcribe(speech, "--format", fmt, "--output-dir", "out") == (0, "", "")
        (written,) = (tmp_path / "out").iterdir()
        assert written.name == f"u3.{fmt}"
        text = written.read_text(encoding="utf-8")
        if fmt == "txt":
            assert text == f"{TEXT}\n"
        elif fmt == "json":
            document = json.loads(text)
            assert document["text"] == TEXT
            assert [token["text"].upper() for token in document["segments"][0]["tokens"]] == list(TEXT)
        elif fmt == "tsv":
            header, row = (line.split("\t") for line in text.splitlines())
            assert dict(zip(header, row, strict=True)) == {"start_ms": "0", "end_ms": row[1], "text": TEXT}
        elif fmt == "textgrid":
            assert text.startswith('File type = "ooTextFile"\n')
            assert re.findall(r'text = "(.+)"', text) == [TEXT, *TEXT]
        elif fmt == "ass":
            (line,) = re.findall(r"^Dialogue: (.*)$", text, re.MULTILINE)
            assert line.split(",", 9)[9] == TEXT
        else:
            assert fmt != "vtt" or text.startswith("WEBVTT\n\n")
            ((start, end, spoken),) = parse_subtitles(text, "," if fmt == "srt" else ".")
            assert 0 <= start < end
            assert spoken == TEXT

    def test_limits_of_subtitles(self, transcribe, speech):
        limited = transcribe(speech, "--format", "srt", "--max-cue-s", 1, "--max-line-chars", 5, "--max-cps", 3)[1]
        cues = parse_subtitles(limited, ",")
        assert [spoken for _, _, spoken in cues] == [TEXT]
        assert all(end - start <= 1000 for start, end, _ in cues)

    def test_the_recognition_layout_of_a_list(self, transcribe, speech, tmp_path):
        (tmp_path / "wav.scp").write_text(f"a {speech}\nb {speech}\n")
        assert transcribe("wav.scp", "--output-dir", "out", "--nbest", 2) == (0, "", "")
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["1best_recog", "2best_recog"]
        files = {
            path.name: dict(line.split(" ", 1) for line in path.read_text().splitlines())
            for path in (tmp_path / "out" / "1best_recog").iterdir()
        }
        assert set(files) == {"text", "score", "time_stamp", "rtf", "token"}
        assert all(list(lines) == ["a", "b"] for lines in files.values())
        assert files["text"]["a"] == TEXT
        assert float(files["score"]["a"]) < 0
        assert float(files["rtf"]["b"]) > 0
        times, words = json.loads(files["time_stamp"]["a"]), files["token"]["a"].split()
        assert len(times) == len(words) == len(TEXT)
        assert all(isinstance(ms, int) for pair in times for ms in pair)
        assert all(start <= end for start, end in times)
        second = [(tmp_path / "out" / f"{n}best_recog" / "score").read_text().split()[1] for n in (1, 2)]
        assert float(second[0]) >= float(second[1])

    def test_a_format_makes_a_list_ordinary(self, transcribe, speech, tmp_path):
        (tmp_path / "wav.scp").write_text(f"a {speech}\n")
        transcribe("wav.scp", "--output-dir", "out", "--format", "txt")
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.txt"]


class TestWrongCalls:
    """Exit code 2, one sentence, nothing written."""

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (["--mode", "slow"], "mode is 'slow'; choose one of fast, normal, offline"),
            (["--latency", "9"], "latency is 9; this model has 0 to 2"),
            (["--latency", "900"], "a delay has a unit, like '900ms'"),
            (["--max-segment", "inf"], "--max-segment is inf; give seconds from 2"),
            (["--max-segment", "0.5"], "--max-segment is 0.5; give seconds from 2"),
            (["--itn", "auto"], "itn is 'auto'"),
            (["--output-dir", ""], "--output-dir is empty"),
            (["--beam-size", "1000000000"], "beam_size is 1000000000"),
            (["--latency", "soon"], "latency is 'soon'"),
            (["--latency", "1ms"], "its fastest needs"),
            (["--format", "docx"], "choose one of txt, json, srt, vtt, ass, tsv, textgrid"),
            (["--max-cps", "7"], "limits of subtitles"),
            (["--format", "srt", "--max-line-chars", "2"], "max_line_chars is 2"),
            (["--format", "srt", "--max-cue-s", "0.1"], "--max-cue-s is 0.1"),
            (["--beam-size", "0"], "beam_size is 0"),
            (["--nbest", "0"], "nbest is 0"),
            (["--search", "wide"], "search is 'wide'"),
            (["--device", "abacus"], "device is 'abacus'"),
            (["--backend", "jax"], "backend is 'jax'"),
            (["--threads", "0"], "threads is 0"),
            (["--output-dir", "file"], "cannot be written to file"),
            (["--output-dir", "file/below"], "cannot be written to file/below"),
            (["--output-dir", "/proc/nowhere"], "cannot be written to /proc/nowhere"),
        ],
    )
    def test_options(self, transcribe, speech, tmp_path, words, sentence):
        (tmp_path / "file").write_text("kept")
        code, out, err = transcribe(speech, "--output-dir", "out", *words)
        assert (code, out) == (2, "")
        assert err.startswith("uniasr: ")
        assert err.count("\n") == 1
        assert sentence in err
        assert [path.name for path in tmp_path.iterdir()] == ["file"]

    def test_a_refused_result_directory_is_left_alone(self, transcribe, speech, tmp_path):
        (tmp_path / "wav.scp").write_text(f"a {speech}\n")
        (tmp_path / "out" / "1best_recog").mkdir(parents=True)
        (tmp_path / "out" / "1best_recog" / "thesis.tex").write_text("kept")
        code, _, err = transcribe("wav.scp", "--output-dir", "out")
        assert code == 2
        assert "holds more than recognition results" in err
        assert (tmp_path / "out" / "1best_recog" / "thesis.tex").read_text() == "kept"

    def test_models(self, transcribe, speech, model, tmp_path):
        (tmp_path / "empty").mkdir()
        (tmp_path / "file").touch()
        for wrong, sentence in (
            ("empty", "is no model directory"),
            ("nowhere", "there is no model 'nowhere'"),
            ("file", "is a file"),
            ("damo/speech_nothing", "uniasr models --download damo/speech_nothing"),
        ):
            code, out, err = transcribe(speech, model=wrong)
            assert (code, out, err.count("\n")) == (2, "", 1)
            assert sentence in err

    @pytest.mark.parametrize("name", ["am.mvn", "tokens.txt", "encoder.onnx"])
    def test_a_model_with_a_missing_file(self, transcribe, speech, model, tmp_path, name):
        broken = shutil.copytree(model, tmp_path / "broken")
        (broken / name).unlink()
        code, out, err = transcribe(speech, model=broken)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert name in err

    @pytest.mark.parametrize("name", ["model.yaml", "am.mvn", "encoder.onnx", "decoder.onnx", "decoder2.onnx"])
    def test_a_model_with_a_corrupt_file_leaves_no_results(self, transcribe, speech, model, tmp_path, name):
        broken = shutil.copytree(model, tmp_path / "broken")
        if not (broken / name).exists():
            pytest.skip(f"the export has no {name}")
        data = (broken / name).read_bytes()
        (broken / name).write_bytes(data[: len(data) // 2])
        (tmp_path / "wav.scp").write_text(f"a {speech}\n")
        mode = "fast" if name == "decoder.onnx" else "offline"
        code, out, err = transcribe("wav.scp", "--output-dir", "out", "--mode", mode, model=broken)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert name in err
        assert not list(tmp_path.glob("out/*"))

    def test_a_checkpoint_with_corrupt_weights(self, transcribe, speech, recorded, tmp_path):
        pytest.importorskip("torch")
        broken = shutil.copytree(recorded("uniasr_odd") / "model_1x", tmp_path / "broken")
        (broken / "model.pt").write_bytes((broken / "model.pt").read_bytes()[:5000])
        code, out, err = transcribe(speech, model=broken)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "model.pt" in err


class TestBadAudio:
    """Exit code 1, one line that names the input, the others done."""

    def write_bad(self, folder, speech):
        data = speech.read_bytes()
        samples, rate = soundfile.read(speech)
        samples[100] = np.nan
        soundfile.write(folder / "nan.wav", samples, rate, subtype="FLOAT")
        (folder / "zero.wav").touch()
        (folder / "cut.wav").write_bytes(data[: len(data) // 2])
        (folder / "head.wav").write_bytes(data[:30])
        (folder / "text.wav").write_text("these are words, not sounds\n" * 9)
        return {
            "nan": "NaN",
            "zero": "empty (0 bytes)",
            "cut": "truncated",
            "head": "truncated",
            "text": "does not start like any known audio file",
            "missing": "does not exist",
        }

    def test_each_failure_is_named_and_the_rest_is_done(self, transcribe, speech, tmp_path):
        reasons = self.write_bad(tmp_path, speech)
        code, out, err = transcribe(*(f"{name}.wav" for name in reasons), speech)
        assert (code, out) == (1, f"u3\t{TEXT}\n")
        for line, (name, reason) in zip(err.splitlines(), reasons.items(), strict=True):
            assert line.startswith(f"{name}: ")
            assert reason in line

    def test_a_failure_leaves_no_file(self, transcribe, speech, tmp_path):
        reasons = self.write_bad(tmp_path, speech)
        assert transcribe(*(f"{name}.wav" for name in reasons), speech, "--output-dir", "out")[0] == 1
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["u3.txt"]

    def test_a_list_with_a_missing_file(self, transcribe, speech, tmp_path):
        (tmp_path / "wav.scp").write_text(f"a {speech}\nb nowhere.wav\nc {speech}\n")
        code, out, err = transcribe("wav.scp", "--output-dir", "out")
        assert (code, out) == (1, "")
        assert re.fullmatch(r"b: .*nowhere\.wav.*does not exist.*\n", err)
        for name in ("text", "score", "time_stamp", "rtf", "token"):
            lines = (tmp_path / "out" / "1best_recog" / name).read_text().splitlines()
            assert [line.split()[0] for line in lines] == ["a", "c"]

    def test_a_run_without_results_leaves_those_of_an_earlier_one(self, transcribe, speech, tmp_path, monkeypatch):
        (tmp_path / "good.scp").write_text(f"a {speech}\n")
        (tmp_path / "bad.scp").write_text("a nowhere.wav\n")
        text = tmp_path / "out" / "1best_recog" / "text"
        assert transcribe("bad.scp", "--output-dir", "out")[0] == 1
        assert not text.parent.exists()
        assert transcribe("good.scp", "--output-dir", "out")[0] == 0
        assert transcribe("bad.scp", "--output-dir", "out")[0] == 1
        assert text.read_text() == f"a {TEXT}\n"

        def interrupt(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(LayoutSink, "write", interrupt)
        assert transcribe("good.scp", "--output-dir", "out")[0] == 130
        assert text.read_text() == f"a {TEXT}\n"

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            ("a x.wav\na y.wav\n", "line 2 repeats the key 'a' of line 1"),
            ("../a x.wav\n", "line 1 has the key '../a'"),
            ("a/b x.wav\n", "keys name output files"),
            ("a\n", "has no path after the key"),
            ("a cat x.wav |\n", "is a command"),
        ],
    )
    def test_a_list_with_a_wrong_line(self, transcribe, tmp_path, content, sentence):
        (tmp_path / "wav.scp").write_text(content)
        code, out, err = transcribe("wav.scp", "--output-dir", "out")
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert sentence in err
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("words", [["nowhere.scp"], ["*.nothing"], ["empty"], ["empty.scp"], ["-"]])
    def test_inputs_that_yield_nothing(self, transcribe, tmp_path, words):
        (tmp_path / "empty").mkdir()
        (tmp_path / "empty.scp").touch()
        code, out, err = transcribe(*words, stdin=b"")
        assert (code, out, err.count("\n")) == (1, "", 1)

    @pytest.mark.parametrize("kind", ["no samples", "three samples", "silence", "noise"])
    def test_audio_without_speech_is_no_error(self, transcribe, tmp_path, kind):
        noise = np.random.default_rng(3).normal(0, 0.01, 16_000)
        samples = {
            "no samples": np.zeros(0),
            "three samples": noise[:3],
            "silence": np.zeros(32_000),
            "noise": noise,
        }[kind]
        soundfile.write(tmp_path / "quiet.wav", samples, 16_000)
        (tmp_path / "wav.scp").write_text("q quiet.wav\n")
        code, out, err = transcribe("quiet.wav")
        assert (code, err) == (0, "")
        assert len(out) < 20
        assert transcribe("wav.scp", "--output-dir", "out")[0] == 0
        lines = (tmp_path / "out" / "1best_recog" / "time_stamp").read_text().splitlines()
        assert len(lines) == 1
        assert lines[0].startswith("q [")
        for fmt in FORMATS:
            assert transcribe("quiet.wav", "--output-dir", "out", "--format", fmt)[0] == 0


def test_folders_here_hide_no_part_that_the_packaged_model_names(tmp_path, monkeypatch):
    for name in ("ja", "vad", "ja-punctuation", "ja-written"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    sample = Path(uniasr.__file__).parent / "packaged" / "samples" / "ja.wav"
    result = CliRunner().invoke(cli, ["transcribe", str(sample), "--model", "ja", "--mode", "fast"])
    assert (result.exit_code, result.stderr) == (0, "")
