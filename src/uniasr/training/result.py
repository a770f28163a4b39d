"""What a run leaves behind: a model directory that loads, streams, exports and can be trained on, beside the run."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from uniasr.checkpoints import read_model, write_native
from uniasr.checkpoints.own_layout import WEIGHTS
from uniasr.configs.uniasr import UniasrConfig
from uniasr.errors import MissingExtraError, OptionError, OutputError
from uniasr.features.cmvn import Cmvn
from uniasr.graph_files import graph_files, graph_name, remove_graphs
from uniasr.text.vocabulary import Vocabulary

DESCRIPTION, TOKENS, ORIGIN = "model.yaml", "tokens.txt", "origin"


def check_export() -> None:
    """Raise MissingExtraError now rather than at the end of a long run."""
    try:
        import onnx  # noqa: F401
        import safetensors  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(f"training needs the extra train ({error}): pip install 'uniasr[train]'") from error


def check_place(output: Path, run: Path, origin: str) -> None:
    """See that a run may begin or go on in `output`, ahead of all work; nothing is written.

    Args:
        output: where its result goes, which may hold other things.
        run: where it keeps what it needs to go on; its tokens are there once it has begun.
        origin: what it begins with. Another one in `run` makes it another run.

    Raises OutputError where files that no run has made would be written over, OptionError for another run.
    """
    if not (run / TOKENS).exists():
        taken = [output / name for name in (DESCRIPTION, TOKENS, "am.mvn", WEIGHTS)]
        if foreign := next((path for path in (*taken, *graph_files(output)) if path.exists()), None):
            raise OutputError(f"{foreign} is there and no run has made it; choose another output directory")
    elif (run / ORIGIN).exists() and (before := (run / ORIGIN).read_text(encoding="utf-8")) != origin:
        raise OptionError(f"{run} began from {before} and not from {origin}; choose another output directory")


def write_result(
    output: Path,
    config: UniasrConfig,
    vocabulary: Vocabulary,
    cmvn: Cmvn,
    state: Mapping[str, Tensor],
    *,
    card: Mapping[str, Any],
    weights: str = "float32",
    extra: Sequence[Path] = (),
) -> Path:
    """Put weights and runtime graphs into a directory that may hold other things, and an older result.

    Everything is made first and then moved, the description last: at any moment the directory holds a whole model or
    one that says it is none. Raises OutputError when that fails; an older result is still there unless moving failed.
    """
    from uniasr.export.directory import export_model

    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output, prefix=".result-") as scratch, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter remarks on itself
            whole = write_native(
                Path(scratch) / "weights", config, vocabulary, cmvn, state=state, files=extra, card=card
            )
            graphs = export_model(read_model(whole), Path(scratch) / "graphs", weights=weights)
            (output / DESCRIPTION).unlink(missing_ok=True)
            # In their other form, too, which could win over the new ones.
            remove_graphs(output, map(graph_name, graph_files(graphs)))
            files = [*graph_files(graphs), *(path for path in whole.iterdir() if path.name != DESCRIPTION)]
            for path in [*files, whole / DESCRIPTION]:
                path.replace(output / path.name)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"{output} cannot be written: {error.strerror or error}") from error
    return output
