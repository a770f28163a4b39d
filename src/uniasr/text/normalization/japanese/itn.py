"""Japanese inverse text normalisation: numbers that were written as they are spoken get digits and symbols.

Candidates (numbers with units, expressions of several numbers, numbers in kana, addresses of the net, protected words)
form a lattice over the characters; the cheapest path is the result. Nothing else is changed.
"""

from __future__ import annotations

from uniasr.text.normalization.japanese.addresses import addresses
from uniasr.text.normalization.japanese.expressions import expressions
from uniasr.text.normalization.japanese.kana import kana_numbers
from uniasr.text.normalization.japanese.quantities import quantities
from uniasr.text.normalization.japanese.words import protected_words
from uniasr.text.normalization.lattice import cheapest
from uniasr.text.normalization.records import Piece

_RULES = (protected_words, expressions, quantities, kana_numbers, addresses)
"""Of equally cheap readings the rule that stands first wins."""


def itn_pieces(source: str) -> list[Piece]:
    """What changes in the source, in order."""
    candidates = [candidate for rule in _RULES for candidate in rule(source)]
    return [piece for candidate in cheapest(len(source), candidates) for piece in candidate.pieces]
