"""A long text whose tokens come in groups: each group is given back with marks as soon as nothing can change them.

The windows are those of the whole text at once (`windows`), so the marks are too; only the words of the open window
are remembered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from uniasr.configs.ct_transformer import CtTransformerConfig
from uniasr.recognizers.punctuation.render import plain_marks, with_end
from uniasr.recognizers.punctuation.tokens import TokenWords, attach, words_of
from uniasr.recognizers.punctuation.windows import Closed, Window
from uniasr.text.words import Splitter
from uniasr.types import Token


@dataclass(slots=True)
class _Group:
    tokens: tuple[Token, ...]
    words: TokenWords
    marks: list[str] = field(default_factory=list)
    """Of its first words, as far as they are certain."""


class LongText:
    """Groups of tokens in, the same groups with marks out, in order."""

    def __init__(
        self, split: Splitter, settle: Callable[[Window, Sequence[str]], Closed], config: CtTransformerConfig
    ) -> None:
        """`split` cuts text into words, `settle` says what a window with these words settles."""
        self._split, self._settled, self._config = split, settle, config
        self._groups: deque[_Group] = deque()
        self._words: list[str] = []
        self._size = config.split_size

    def add(self, tokens: Sequence[Token]) -> list[tuple[Token, ...]]:
        """The next group; returns those whose marks are certain now."""
        words = words_of(tokens, self._split)
        self._groups.append(_Group(tuple(tokens), words))
        self._words.extend(words.words)
        while len(self._words) > self._size:  # more words follow, so this window is not the last
            self._run(self._size + 1)
        return self._ready()

    def finish(self) -> list[tuple[Token, ...]]:
        """The text ends here, in a full stop; returns the remaining groups. The next text may begin."""
        while self._words:
            self._run(len(self._words))
        self._size = self._config.split_size
        return self._ready()

    def _run(self, total: int) -> None:
        window = Window(0, min(self._size, total), total)
        labels = self._settled(window, self._words[: window.end]).labels
        if window.last:
            labels = with_end(labels, self._config)
        self._settle(plain_marks(self._words[: len(labels)], labels, self._config))
        self._words = self._words[len(labels) :]
        self._size = window.end - len(labels) + self._config.split_size

    def _settle(self, marks: list[str]) -> None:
        for group in self._groups:
            missing = len(group.words.words) - len(group.marks)
            group.marks += marks[:missing]
            marks = marks[missing:]

    def _ready(self) -> list[tuple[Token, ...]]:
        ready = []
        while self._groups and len(self._groups[0].marks) == len(self._groups[0].words.words):
            group = self._groups.popleft()
            ready.append(tuple(attach(group.tokens, group.words, group.marks)))
        return ready
