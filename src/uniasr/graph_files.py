"""Files of graphs: `NAME.onnx`, or `NAME.onnx.gz`, which is a tenth to a sixth smaller where weights are int8."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable
from pathlib import Path

from uniasr.errors import ModelError

PLAIN, PACKED = ".onnx", ".onnx.gz"
MOST_BYTES = 512 * 2**20
"""Of a packed graph once it is unpacked; larger ones are not packed."""


def graph_name(path: Path) -> str:
    """The name of the graph in a file."""
    return path.name.removesuffix(PACKED).removesuffix(PLAIN)


def graph_files(directory: Path, pattern: str = "*") -> tuple[Path, ...]:
    """The files of the graphs whose names match, sorted by name; of one that is there twice the plain file."""
    found = {graph_name(path): path for suffix in (PACKED, PLAIN) for path in directory.glob(pattern + suffix)}
    return tuple(path for _, path in sorted(found.items()) if path.is_file())


def remove_graphs(directory: Path, names: Iterable[str]) -> None:
    """Delete the files of graphs, in either form."""
    for name in names:
        for suffix in (PLAIN, PACKED):
            (directory / (name + suffix)).unlink(missing_ok=True)


def pack_graph(path: Path) -> Path:
    """Replace `NAME.onnx` by `NAME.onnx.gz`, always the same bytes, and return it; one too large stays as it is."""
    if path.stat().st_size > MOST_BYTES:
        return path
    packed = path.with_name(graph_name(path) + PACKED)
    packed.write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
    path.unlink()
    return packed


def unpacked(path: Path) -> bytes:
    """The graph in `NAME.onnx.gz`; raises ModelError where it is damaged or too large."""
    try:
        with gzip.open(path) as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ModelError(f"{path} cannot be unpacked ({error}); export the model or fetch it again") from error
    if len(content) > MOST_BYTES:
        raise ModelError(f"{path} unpacks to more than {MOST_BYTES} bytes; no packed graph is so large")
    return content
