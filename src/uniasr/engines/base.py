"""The boundary between recognisers and runtimes: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import numpy.typing as npt

Arrays: TypeAlias = Mapping[str, npt.NDArray[Any]]


class Engine(Protocol):
    """Runs the graphs of one model. Safe to use from many threads."""

    name: str
    device: str
    threads: int | None
    """Threads per call; None leaves it to the runtime."""

    def run(self, graph: str, inputs: Arrays, outputs: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
        """The named outputs of one graph."""
        ...
