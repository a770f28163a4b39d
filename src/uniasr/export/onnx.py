"""ONNX files of a network's graphs, one per graph."""

from __future__ import annotations

from pathlib import Path

import torch

from uniasr.networks.graphs import Graph

OPSET = 17


def export_graph(graph: Graph, path: Path) -> None:
    """Write one graph; every axis named in `graph.axes` stays dynamic.

    Nothing is folded, so that weights keep their parameter names and shapes (`checkpoints.graph_weights` reads them
    back); the runtime folds when it opens the file.
    """
    torch.onnx.export(
        graph.module.eval(),
        graph.example(),
        str(path),
        dynamo=False,
        opset_version=OPSET,
        do_constant_folding=False,
        input_names=list(graph.inputs),
        output_names=list(graph.outputs),
        dynamic_axes=graph.axes,
    )
