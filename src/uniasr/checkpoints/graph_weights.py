"""The weights inside exported graphs, back as a state dict: what a packaged model is fine-tuned from.

Needs the extra `export` (onnx). Graphs keep parameter names (`uniasr.export.onnx`); int8 weights come back expanded.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from uniasr.errors import MissingExtraError, ModelError, first_line
from uniasr.graph_files import PACKED, graph_name, unpacked
from uniasr.types import F32

if TYPE_CHECKING:
    import torch

PARTS = {
    "encoder": ("encoder.", "predictor."),
    "memory": ("decoder.",),
    "decoder": ("decoder.",),
    "encoder2": ("encoder.", "predictor."),
    "memory2": ("decoder.",),
    "decoder2": ("decoder.",),
    "ctc": ("ctc.",),
    "ctc2": ("ctc.",),
    "bridge": ("conv.",),
    "fsmn_vad": ("encoder.",),
    "punctuation": ("embed.", "runs.", "encoder.", "decoder."),
}
"""The first words of the parameter names in each graph."""


def read_graph_state(graphs: tuple[Path, ...]) -> dict[str, torch.Tensor]:
    """State dict of the network that the graphs were exported from; raises ModelError for a file that is no graph."""
    import torch

    state = {}
    for path in graphs:
        graph = graph_name(path)
        for name, value in _initializers(path).items():
            if name.startswith(PARTS.get(graph, ())):
                state[_parameter(graph, name)] = torch.from_numpy(np.array(value))
    return state


def _parameter(graph: str, name: str) -> str:
    """The network's name of a parameter: graphs of the second pass leave out the 2."""
    if graph == "bridge":
        return f"stride_conv.{name}"
    part, _, rest = name.partition(".")
    return f"{part}2.{rest}" if graph.endswith("2") else name


def _initializers(path: Path) -> dict[str, F32]:
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as error:
        raise MissingExtraError(f"reading weights from {path} needs onnx: pip install 'uniasr[export]'") from error
    try:
        packed = path.name.endswith(PACKED)
        model = onnx.load_model_from_string(unpacked(path)) if packed else onnx.load(str(path))
        found = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        for name in [name for name in found if name.endswith(".int8")]:
            weight = name.removesuffix(".int8")
            found[weight] = found[name].astype(np.float32) * found[f"{weight}.scale"]
    except ModelError:
        raise
    except Exception as error:  # protobuf raises many kinds for damaged files
        raise ModelError(f"{path} is no ONNX graph of ours: {first_line(error)}") from error
    return {name: value for name, value in found.items() if not name.endswith((".int8", ".scale"))}
