"""The onnxruntime engine: one session per graph file, all opened at once so that a damaged one is found early."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy.typing as npt
import onnxruntime

from uniasr.engines.base import Arrays
from uniasr.errors import ModelError, OptionError, first_line
from uniasr.graph_files import PACKED, graph_files, unpacked

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
Provider: TypeAlias = str | tuple[str, dict[str, Any]]
"""The name of an execution provider of onnxruntime, with its options where it needs some."""


class OnnxEngine:
    """Runs the graphs of a directory. Raises ModelError naming one that is missing or damaged."""

    name = "onnxruntime"

    def __init__(self, directory: Path, graphs: Sequence[str], device: str = "cpu", threads: int | None = None) -> None:
        kind, _, number = device.partition(":")
        if kind not in PROVIDERS or not (number.isdecimal() or device == kind):
            raise OptionError(f"device is {device!r:.80}; onnxruntime runs on 'cpu', 'cuda' or 'cuda:1'")
        if PROVIDERS[kind] not in onnxruntime.get_available_providers():
            raise OptionError(f"device is {device!r:.80} but this onnxruntime has no {kind} support; use device='cpu'")
        self.device, self.threads, self._directory = device, threads, directory
        providers: list[Provider] = [PROVIDERS["cpu"]]
        if kind == "cuda":
            providers.insert(0, (PROVIDERS[kind], {"device_id": int(number or 0)}))
        self._sessions = {graph: _open(directory, graph, providers, threads) for graph in graphs}

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


def _open(directory: Path, graph: str, providers: list[Provider], threads: int | None) -> onnxruntime.InferenceSession:
    found = graph_files(directory, graph)
    if not found:
        raise ModelError(f"{directory / graph}.onnx is missing; export the model again or fetch the whole directory")
    path = found[0]
    source = unpacked(path) if path.name.endswith(PACKED) else str(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Each graph has its own pool: waiting threads must sleep, or the pools fight for the cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Where weights in files of their own may lie: for a graph that comes as bytes, anywhere else.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(directory))
    try:
        return onnxruntime.InferenceSession(source, options, providers=providers)
    except Exception as error:  # onnxruntime raises many kinds, all from its own C++ layer
        raise ModelError(
            f"{path} is no graph that onnxruntime can load; export the model or fetch it again: {first_line(error)}"
        ) from error
