"""ONNX files of a network's graphs, one per graph."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from uniasr.export.compress import compress_weights
from uniasr.graph_files import pack_graph
from uniasr.networks.graphs import Graph

OPSET = 17
STORAGES = ("float32", "int8", "packed")
"""How weights may be stored: int8 is a quarter of the size, packed is int8 in gzip files. Arithmetic is float32."""


def export_graphs(graphs: Mapping[str, Graph], directory: Path, storage: str) -> list[Path]:
    """Write the graphs under their names and return their files; `storage` is one of STORAGES."""
    paths = []
    for name, graph in graphs.items():
        path = directory / f"{name}.onnx"
        export_graph(graph, path)
        if storage != "float32":
            compress_weights(path)
        paths.append(pack_graph(path) if storage == "packed" else path)
    return paths


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
