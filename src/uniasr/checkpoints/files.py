"""What a model directory holds once it has been read and checked, whatever its layout."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uniasr.checkpoints.front_end import check_cmvn
from uniasr.configs.uniasr import UniasrConfig
from uniasr.errors import ModelError
from uniasr.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from uniasr.features.cmvn import Cmvn


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFiles:
    """A model without its weights in memory.

    Raises ModelError when its parts do not fit each other.
    """

    directory: Path
    config: UniasrConfig
    tokens: Vocabulary
    cmvn: Cmvn
    weights: Path | None
    """State dict for the torch network; None when there are only graphs."""
    graphs: tuple[Path, ...] = ()
    """The `.onnx` files, sorted by name; none where the directory cannot run on onnxruntime as it stands."""
    card: dict[str, Any] = field(default_factory=dict)
    """What else the directory says: `layout`, `language`, and `decoding` with defaults by option name."""

    def __post_init__(self) -> None:
        if self.config.vocab_size != len(self.tokens):
            raise ModelError(
                f"{self.directory}: the configuration is for {self.config.vocab_size} tokens, "
                f"but the token list has {len(self.tokens)}"
            )
        check_cmvn(self.directory, self.cmvn, self.config.frontend)


def read_cmvn(path: Path) -> Cmvn:
    """The CMVN values of an am.mvn file; raises ModelError naming it."""
    from uniasr.features.cmvn import read_am_mvn

    if not path.is_file():
        raise ModelError(f"{path} is missing; it should hold the CMVN values of the features (Kaldi text format)")
    return read_am_mvn(path)
