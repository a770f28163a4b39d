"""Weights of a graph as int8 with one scale per output channel, expanded to float32 when the graph is opened.

Only the file becomes smaller (a quarter): arithmetic stays in float32, so a result cannot depend on the other items
of a call, as it would with activations quantised per tensor.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from uniasr.types import F32

LEAST = 4_096
"""Smaller weights are kept as they are."""
TALL = 100
"""A table with so many times more rows than columns has a scale per column: those of rows would be a tenth of it."""


def compress_weights(path: Path) -> None:
    """Rewrite an ONNX file in place with int8 weights; biases, norms and other vectors stay float32."""
    model = onnx.load(str(path))
    expansions = []
    for tensor in list(model.graph.initializer):
        weight = numpy_helper.to_array(tensor)
        if weight.dtype == np.float32 and weight.ndim >= 2 and weight.size >= LEAST:
            model.graph.initializer.remove(tensor)
            expansions.extend(_expansion(model.graph, tensor.name, weight))
    nodes = [*expansions, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _expansion(graph: onnx.GraphProto, name: str, weight: F32) -> list[onnx.NodeProto]:
    """Nodes that make a weight [out, ...] from its int8 form; the runtime folds them into a constant."""
    tall = weight.ndim == 2 and weight.shape[0] > TALL * weight.shape[1]
    within = (0,) if tall else tuple(range(1, weight.ndim))
    scale = np.maximum(np.abs(weight).max(axis=within, keepdims=True), 1e-12) / 127
    small = np.round(weight / scale).astype(np.int8)
    graph.initializer.append(numpy_helper.from_array(small, f"{name}.int8"))
    graph.initializer.append(numpy_helper.from_array(scale.astype(np.float32), f"{name}.scale"))
    return [
        helper.make_node("Cast", [f"{name}.int8"], [f"{name}.float"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}.float", f"{name}.scale"], [name]),
    ]
