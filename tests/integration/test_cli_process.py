"""What only a real process shows: exit codes, signals, pipes, what is imported."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import uniasr
from uniasr import __version__

SAMPLE = Path(uniasr.__file__).parent / "packaged" / "samples" / "ja.wav"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and named pipes as on Linux and macOS")


@pytest.fixture(scope="module")
def model(recorded, exported):
    return str(exported(recorded("uniasr_odd") / "model_1x"))


@pytest.fixture(scope="module")
def speech(recorded):
    return recorded("uniasr_odd") / "wav" / "u3.wav"


def start(*words, cwd, **settings):
    return subprocess.Popen(
        [sys.executable, "-m", "uniasr", *map(str, words)],
        cwd=cwd,
        # Whoever runs the tests in the background may have Ctrl-C ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **{"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **settings},
    )


def wait_until_read(pipe):
    """Wait until somebody reads the named pipe; returns our end.

    Python sees a signal only between its instructions or when it interrupts a system call. One that comes in the few
    microseconds between the last instruction and the call that reads waits for that call, which waits for us.
    """
    for _ in range(600):
        try:
            end = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            time.sleep(0.1)
        else:
            time.sleep(0.5)  # it has opened it; let it sleep in the call that reads
            return end
    raise AssertionError("nobody opened the pipe")


def test_the_module_is_the_command(model, speech, tmp_path):
    process = start("transcribe", "--model", model, speech, cwd=tmp_path)
    assert process.communicate(timeout=120) == ("TQES\n", "")
    assert process.returncode == 0


def test_version_and_help(tmp_path):
    assert start("--version", cwd=tmp_path).communicate()[0] == f"uniasr, version {__version__}\n"
    shown = start("transcribe", "--help", cwd=tmp_path).communicate()[0]
    assert all(
        word in shown for word in ("--nbest", "1best_recog", "key<TAB>text", "txt|json|srt|vtt|ass|tsv|textgrid")
    )


def test_help_imports_nothing_heavy(tmp_path):
    script = (
        "import sys; from uniasr.cli.app import cli; cli(['stream', '--help'], standalone_mode=False);"
        "print(sorted({'numpy', 'onnxruntime', 'torch', 'rich', 'soundfile', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_transcribing_with_graphs_imports_no_torch(model, speech, tmp_path):
    script = (
        "import sys; from uniasr.cli.app import cli;"
        f"cli(['transcribe', '--model', {model!r}, {str(speech)!r}], standalone_mode=False);"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "TQES\nFalse\n"


@pytest.mark.parametrize("layout", [True, False])
def test_ctrl_c_leaves_whole_results_and_one_line(model, speech, tmp_path, layout):
    os.mkfifo(tmp_path / "endless.wav")
    lines = [f"k{i} {speech}" for i in range(16)]  # one batch, done before the pipe is opened
    (tmp_path / "wav.scp").write_text("\n".join([*lines, f"pipe {tmp_path / 'endless.wav'}"]) + "\n")
    words = ["--output-dir", "out", *([] if layout else ["--format", "json"])]
    process = start("transcribe", "--model", model, "wav.scp", *words, cwd=tmp_path)
    pipe = wait_until_read(tmp_path / "endless.wav")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    os.close(pipe)
    assert (process.returncode, out, err) == (130, "", "uniasr: interrupted\n")
    keys = [f"k{i}" for i in range(16)]
    if layout:
        for path in (tmp_path / "out" / "1best_recog").iterdir():
            text = path.read_text()
            assert text.endswith("\n")
            assert [line.split()[0] for line in text.splitlines()] == keys
    else:
        assert {path.name for path in (tmp_path / "out").iterdir()} == {f"{key}.json" for key in keys}


def test_ctrl_c_before_the_first_result_leaves_no_result_files(model, tmp_path):
    os.mkfifo(tmp_path / "endless.wav")
    (tmp_path / "wav.scp").write_text("pipe endless.wav\n")
    process = start("transcribe", "--model", model, "wav.scp", "--output-dir", "out", cwd=tmp_path)
    pipe = wait_until_read(tmp_path / "endless.wav")
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[1] == "uniasr: interrupted\n"
    os.close(pipe)
    assert process.returncode == 130
    assert not list((tmp_path / "out").iterdir())


def test_ctrl_c_in_a_stream(model, tmp_path):
    process = start("stream", "--model", model, "-", cwd=tmp_path, stdin=subprocess.PIPE, text=False)
    process.stdin.write(bytes(96_000))
    process.stdin.flush()
    assert process.stdout.readline().startswith(b"partial\t")  # written while the input is still open
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
    assert out.splitlines()[-1].startswith(b"final\t")  # what was said before it counts


def test_a_reader_that_goes_away_is_no_error_message(model, speech, tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    process = start("transcribe", "--model", model, speech, speech, cwd=tmp_path, stdout=writing)
    os.close(writing)
    assert process.communicate(timeout=120)[1] == ""
    assert process.returncode != 0


def test_an_output_encoding_without_the_characters(model, speech, tmp_path):
    shutil.copy(speech, tmp_path / "みず.wav")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    process = start("transcribe", "--model", model, speech, "みず.wav", cwd=tmp_path, env=environment)
    assert process.communicate(timeout=120) == ("u3\tTQES\n??\tTQES\n", "")


def test_models_lists_published_names(tmp_path):
    environment = {**os.environ, "HOME": str(tmp_path)}
    out, _ = start("models", cwd=tmp_path, env=environment).communicate()
    assert "damo/speech_UniASR_asr_2pass-ja-16k-common-vocab93-tensorflow1-online" in out
    assert "this machine" in out


class TestExport:
    def test_a_directory_that_runs_without_torch(self, recorded, speech, tmp_path):
        pytest.importorskip("torch")
        process = start("export", recorded("uniasr_odd") / "model_1x", "--output", "made", cwd=tmp_path)
        out, err = process.communicate(timeout=300)
        assert (process.returncode, err) == (0, "")
        assert "graphs" in out
        process = start("transcribe", "--backend", "onnxruntime", "--model", "made", speech, cwd=tmp_path)
        assert process.communicate(timeout=120) == ("TQES\n", "")

    @pytest.mark.parametrize(("name", "sentence"), [("exported", "no PyTorch weights"), ("nowhere", "no model")])
    def test_nothing_to_export(self, model, tmp_path, name, sentence):
        word = model if name == "exported" else name
        process = start("export", word, "--output", "made", cwd=tmp_path)
        out, err = process.communicate(timeout=120)
        assert (process.returncode, out, err.count("\n")) == (2, "", 1)
        assert sentence in err
        assert not (tmp_path / "made").exists()

    def test_without_the_extra(self, recorded, tmp_path):
        source = str(recorded("uniasr_odd") / "model_1x")
        script = (
            "import sys; sys.modules['torch'] = None; from uniasr.cli.app import cli;"
            f"cli(['export', {source!r}, '--output', 'made'])"
        )
        done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "uniasr[export]" in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--foo"], "uniasr --help"),
        (["nothing"], "'nothing'"),
        (["transcribe"], "INPUT"),
        (["transcribe", "a.wav", "--merge", "x"], "'x' is not a valid float; see uniasr transcribe --help"),
        (["itn", "--language"], "uniasr itn --help"),
        (["data", "check"], "--data"),
    ],
)
def test_a_command_line_that_does_not_parse_is_one_sentence(words, said, tmp_path):
    process = start(*words, cwd=tmp_path)
    out, err = process.communicate()
    assert (process.returncode, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith("uniasr: ")
    assert said in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("words", [["models"], ["itn", "三百円"], ["transcribe", str(SAMPLE)]])
def test_a_full_disk_behind_standard_output_is_a_sentence(words):
    if words[0] == "transcribe" and not SAMPLE.is_file():
        pytest.skip("no packaged model in this checkout")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-m", "uniasr", *words], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode in (1, 2)
    assert done.stderr.count("\n") == 1
    assert "standard output cannot be written" in done.stderr
