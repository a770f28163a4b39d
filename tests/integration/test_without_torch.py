"""An exported directory is all that recognition needs: everything works where `import torch` fails."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.torch  # for the export that comes before

PRELUDE = """
import json, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "torchaudio", "safetensors", "onnx", "funasr", "modelscope"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
import numpy as np
import uniasr

directory, wav = sys.argv[1:3]
"""


def run(script, *arguments):
    """What the script prints as JSON, in a process without PyTorch."""
    command = [sys.executable, "-c", PRELUDE + script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def folder(recorded):
    return recorded("uniasr_lookback")


@pytest.fixture(scope="module")
def directory(folder, exported):
    return exported(folder / "model_1x")


@pytest.fixture(scope="module")
def wav(folder):
    return sorted((folder / "wav").glob("*.wav"))[-1]


def test_files_batches_and_streams(directory, wav, load_exported):
    script = """
import soundfile
model = uniasr.load_model(directory, threads=1)
samples, rate = soundfile.read(wav, dtype="int16")
results = {}
for mode in ("fast", "normal", "offline"):
    one = model.transcribe(wav, mode=mode, nbest=3)
    assert model.transcribe_batch([wav, samples], rate, mode, nbest=3) == [one, one]
    with model.stream(mode, sample_rate=rate, nbest=3) as stream:
        events = [e for at in range(0, len(samples), 500) for e in stream.accept(samples[at:at + 500])]
        events += stream.finish()
    assert tuple(e.result for e in events if isinstance(e, uniasr.Final)) == one.segments
    results[mode] = one.to_dict()
assert not {"torch", "onnx", "safetensors"} & {name.split(".")[0] for name in sys.modules}
assert model.engine.name == "onnxruntime" and len(model.latencies) == 8
print(json.dumps(results))
"""
    found = run(script, directory, wav)
    model = load_exported("uniasr_lookback")
    for mode, transcript in found.items():
        assert transcript == json.loads(json.dumps(model.transcribe(wav, mode=mode, nbest=3).to_dict()))
        assert transcript["text"]


def test_a_raw_checkpoint_says_what_to_install(folder, wav):
    script = """
found = {}
for backend in ("auto", "torch", "onnxruntime"):
    try:
        uniasr.load_model(directory, backend=backend)
    except uniasr.UniasrError as error:
        found[backend] = [type(error).__name__, str(error)]
print(json.dumps(found))
"""
    found = run(script, folder / "model_1x", wav)
    for backend in ("auto", "torch"):
        kind, message = found[backend]
        assert kind == "MissingExtraError"
        assert "uniasr[torch]" in message
        assert "uniasr export" in message
    assert found["onnxruntime"][0] == "OptionError"


def test_the_torch_backend_of_an_exported_directory_is_refused(directory, wav):
    script = """
try:
    uniasr.load_model(directory, backend="torch")
except uniasr.UniasrError as error:
    print(json.dumps(type(error).__name__))
"""
    assert run(script, directory, wav) in ("MissingExtraError", "ModelError")
