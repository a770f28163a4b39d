"""Commas from a second look: whole sentences, with a word behind each that tells its end.

Whether a comma stands in a sentence depends on how it goes on and ends. The first look has to find the ends itself and
is sure of nearly all of them; told where they are, the same network is better at commas. Pure functions over one
window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from uniasr.configs.ct_transformer import FULL_STOPS, NO_MARK, CtTransformerConfig
from uniasr.recognizers.punctuation.render import with_end
from uniasr.types import F32, I64


@dataclass(frozen=True, slots=True)
class Told:
    """What the second look reads: word ids with ends among them, and the places [N] of the N words themselves."""

    ids: I64
    places: I64


def told(ids: I64, labels: Sequence[int], ended: bool, ends: Mapping[int, int], config: CtTransformerConfig) -> Told:
    """The sentences that a window has settled, each with its end; words behind the last end are left out.

    Args:
        ids: of the window's words; further ones than have labels do not count.
        labels: of the first look, for the words that are settled.
        ended: whether the text ends with them, so that the last one is an end whatever its label.
        ends: id of the word that tells an end, by label.
        config: the marks.
    """
    known = with_end(labels, config) if ended else list(labels)
    out: list[int] = []
    places: list[int] = []
    done = 0
    for place, (word, label) in enumerate(zip(ids.tolist(), known, strict=False), start=1):
        places.append(len(out))
        out.append(word)
        if label in ends:
            out.append(ends[label])
            done = place
    whole = places[done] if done < len(places) else len(out)
    return Told(np.array(out[:whole], np.int64), np.array(places[:done], np.int64))


def commas_told(labels: Sequence[int], look: Told, scores: F32, config: CtTransformerConfig) -> list[int]:
    """The labels of the first look with the commas of the second, whose scores are [words and ends, marks]."""
    assert config.comma is not None
    none, comma = config.marks.index(NO_MARK), config.marks.index(config.comma)
    own = scores[look.places]
    found = np.where(own[:, comma] > own[:, none], comma, none).tolist()
    seen = [label if config.marks[label] in FULL_STOPS else new for label, new in zip(labels, found, strict=False)]
    return [*seen, *labels[len(seen) :]]
