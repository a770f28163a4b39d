"""The onnxruntime engine: one session per graph file, all opened at once so that a damaged one is found early."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt
import onnxruntime

from uniasr.engines.base import Arrays
from uniasr.errors import ModelError, OptionError, first_line

PROVIDERS = {"cpu": ["CPUExecutionProvider"], "cuda": ["CUDAExecutionProvider", "CPUExecutionProvider"]}


class OnnxEngine:
    """Runs `<graph>.onnx` files of a directory. Raises ModelError naming a graph that is missing or damaged."""

    name = "onnxruntime"

    def __init__(self, directory: Path, graphs: Sequence[str], device: str = "cpu", threads: int | None = None) -> None:
        kind = device.split(":")[0]
        if kind not in PROVIDERS:
            raise OptionError(f"device is {device!r:.80}; onnxruntime runs on 'cpu' or 'cuda'")
        if PROVIDERS[kind][0] not in onnxruntime.get_available_providers():
            raise OptionError(f"device is {device!r:.80} but this onnxruntime has no {kind} support; use device='cpu'")
        self.device, self.threads, self._directory = device, threads, directory
        self._sessions = {graph: _open(directory / f"{graph}.onnx", PROVIDERS[kind], threads) for graph in graphs}

    def run(self, graph: str, inputs: Arrays, outputs: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
        """The named outputs of one graph; inputs that the export dropped as unused are left out."""
        session = self._sessions[graph]
        try:
            fed = {node.name: inputs[node.name] for node in session.get_inputs()}
            results = session.run(list(outputs), fed)
        except Exception as error:  # of another model, or of another version of this one
            raise ModelError(
                f"{self._directory / graph}.onnx does not fit the model's description; fetch the whole directory "
                f"again: {first_line(error)}"
            ) from error
        return dict(zip(outputs, results, strict=True))


def _open(path: Path, providers: list[str], threads: int | None) -> onnxruntime.InferenceSession:
    if not path.is_file():
        raise ModelError(f"{path} is missing; export the model again or fetch the whole directory")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Each graph has its own pool: waiting threads must sleep, or the pools fight for the cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # onnxruntime raises many kinds, all from its own C++ layer
        raise ModelError(
            f"{path} is no graph that onnxruntime can load; export the model or fetch it again: {first_line(error)}"
        ) from error
