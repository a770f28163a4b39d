"""Transcripts of a whole set as token ids, and the account of what has no token or does not fit its audio."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from uniasr.configs.uniasr import UniasrConfig
from uniasr.training.data.check import Report
from uniasr.training.data.clips import Clip, row_count
from uniasr.training.data.labels import Cut, Cutter, Unknown, unspoken
from uniasr.training.data.manifest import Entry, Problem
from uniasr.types import I64


class Labeller:
    """Token ids of transcripts, and what is wrong with them.

    Unknown characters are problems, or with "drop" left out in a way that the notes count: punctuation from its
    transcript, an utterance with other unknown characters as a whole. With "extend" the cutter has the extended
    vocabulary already; what is unknown all the same (characters that only the development set shows) is dropped.
    """

    def __init__(self, cutter: Cutter, unknown: Unknown | None, config: UniasrConfig, report: Report) -> None:
        self.cutter, self.unknown, self.config, self.report = cutter, unknown, config, report
        self._missing, self._dropped = Counter[str](), 0
        self._first: dict[str, str] = {}

    def __call__(self, key: str, text: str, num_rows: int, where: str) -> I64 | None:
        """Ids of a transcript for so many rows of audio; None leaves the utterance out."""
        cut = self.cutter(text)
        self._missing.update(cut.unknown)
        for char in cut.unknown:
            self._first.setdefault(char, where)
        if not cut.punctuation_only:
            self._dropped += 1
            return None
        if what := misfit(cut, num_rows, self.config):
            self.report.problems.append(Problem(where, what, key))
            return None
        return np.array(cut.ids, dtype=np.int64)

    def again(self, text: str, num_rows: int) -> I64 | None:
        """The same for a transcript that has been looked at: nothing is counted."""
        cut = self.cutter(text)
        usable = cut.punctuation_only and not misfit(cut, num_rows, self.config)
        return np.array(cut.ids, dtype=np.int64) if usable else None

    @property
    def undecided(self) -> bool:
        """Whether somebody must say what happens to unknown characters."""
        return self.unknown is None and bool(self._missing)

    def finish(self) -> None:
        """Put what was unknown into the report."""
        if self.unknown is None:
            what = "character {!r} has no token; it occurs {} times; training asks for --unknown extend or drop"
            self.report.problems.extend(
                Problem(self._first[char], what.format(char, count)) for char, count in self._missing.most_common()
            )
        elif self._missing:
            self.report.notes.extend(dropping(self._missing, self._dropped))


def labelled(usable: Sequence[tuple[Entry, float]], labeller: Labeller) -> list[tuple[Clip, I64]]:
    """Clips with their token ids."""
    found = []
    for entry, seconds in usable:
        rows = row_count(seconds, labeller.config.frontend)
        tokens = labeller(entry.key, entry.text, rows, entry.where)
        if tokens is not None:
            found.append((Clip(entry.key, 0, rows, entry.text, entry.audio), tokens))
    return found


def misfit(cut: Cut, num_rows: int, config: UniasrConfig) -> str:
    """What is wrong with a transcript for this much audio, or nothing; every token needs a row of the slower pass."""
    if not cut.ids:
        return "the transcript has no tokens"
    rows = num_rows // config.bridge.stride
    if len(cut.ids) + 1 > max(rows, 1):
        return f"the transcript has {len(cut.ids)} tokens, too many for {rows} rows of audio; does it belong to it?"
    return ""


def dropping(missing: Counter[str], utterances: int) -> list[str]:
    """Lines that say which characters are not learned, and what that costs."""
    signs = {char: count for char, count in missing.items() if unspoken(char)}
    others = {char: count for char, count in missing.items() if not unspoken(char)}
    lines = []
    if signs:
        lines.append(f"left out of transcripts, as the model does not write them: {_listed(signs)}")
    if others:
        lines.append(f"{utterances} utterances left out because of unknown characters: {_listed(others)}")
    return lines


def _listed(counts: dict[str, int], most: int = 40) -> str:
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    shown = ", ".join(f"{'blank' if char == ' ' else char} x {count}" for char, count in ordered[:most])
    return shown + (f" and {len(ordered) - most} more characters" if len(ordered) > most else "")
