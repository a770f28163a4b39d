"""The words of a model: an immutable list of tokens whose positions are the ids.

The published order is kept: 0 blank, 1 start, 2 end, then the words, `<unk>` last.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from uniasr.bounded import read_bounded
from uniasr.errors import ModelError

START_MARKS = frozenset({"<s>", "<sos>", "<bos>", "<sos/eos>"})
END_MARKS = frozenset({"</s>", "<eos>", "<sos/eos>"})
UNKNOWN_MARKS = frozenset({"<unk>", "<oov>"})
BLANK_MARKS = frozenset({"<blank>", "<blk>", "<b>", "<pad>", "<eps>"})

_MARKS = BLANK_MARKS | START_MARKS | END_MARKS | UNKNOWN_MARKS
_MAX_BYTES = 16 * 2**20


def is_mark(token: str) -> bool:
    """Whether the token stands for no text, in whatever capitals: `<unk>`, `<s>`, `<blank>` and such."""
    return token.lower() in _MARKS


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Tokens by id; raises ModelError when the list cannot be one of a UniASR model."""

    tokens: tuple[str, ...]
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if complaint := _complaint(self.tokens):
            raise ModelError(f"the token list {complaint}")
        object.__setattr__(self, "_ids", {token: i for i, token in enumerate(self.tokens)})

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, token_id: int) -> str:
        return self.tokens[token_id]

    def __contains__(self, token: str) -> bool:
        return token in self._ids

    @property
    def unknown_id(self) -> int:
        """Id of everything that has no token of its own."""
        return len(self.tokens) - 1

    def id_of(self, token: str) -> int:
        """The id of a token, or `unknown_id`."""
        return self._ids.get(token, self.unknown_id)


def read_tokens(path: Path) -> Vocabulary:
    """The vocabulary in tokens.txt (one token a line) or tokens.json (a list of strings), both UTF-8.

    Raises ModelError naming the file when it is missing, unreadable or no vocabulary.
    """
    return vocabulary_from(read_token_list(path), str(path))


def read_token_list(path: Path) -> Any:
    """What stands in tokens.txt or tokens.json, not yet checked; raises ModelError when it cannot be read."""
    try:
        content = read_bounded(path, _MAX_BYTES).decode("utf-8-sig")
        return json.loads(content) if path.suffix == ".json" else _lines(content)
    except ModelError:
        raise
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); it should be the model's token list") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is no token list in UTF-8: {error}") from error


def vocabulary_from(tokens: Any, where: str) -> Vocabulary:
    """A vocabulary from a list that was found in a file; `where` names that place in the ModelError."""
    if not isinstance(tokens, list | tuple):
        raise ModelError(f"{where} is no list of tokens but a {type(tokens).__name__}")
    if complaint := _complaint(tokens):
        raise ModelError(f"{where} {complaint}")
    return Vocabulary(tuple(tokens))


def _lines(content: str) -> list[str]:
    # Not splitlines(): a token may be a character that Unicode calls a line separator.
    lines = content.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _complaint(tokens: Sequence[Any]) -> str | None:
    """What is wrong with a token list, or None."""
    if len(tokens) < 4:
        return f"has {len(tokens)} tokens; blank, start, end, at least one word and <unk> are needed"
    for i, token in enumerate(tokens):
        if not isinstance(token, str) or not token:
            return f"has {token!r:.80} as token {i}; every token must be a non-empty string"
    if repeated := [token for token, count in Counter(tokens).items() if count > 1]:
        return f"has duplicate tokens: {', '.join(map(repr, repeated[:5]))}"
    places = ((0, BLANK_MARKS, "the blank"), (1, START_MARKS, "the start"), (2, END_MARKS, "the end"))
    for i, marks, meaning in (*places, (len(tokens) - 1, UNKNOWN_MARKS, "the unknown word")):
        if tokens[i].lower() not in marks:
            return f"has {tokens[i]!r:.80} as token {i}, where {meaning} must stand ({', '.join(sorted(marks))})"
    return None
