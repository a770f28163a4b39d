"""Tokens and text: the vocabulary of a model, how its tokens become a line to read, spoken and written forms."""

from uniasr.text.join import join_tokens, pieces, reference_text
from uniasr.text.normalization import Normalized, Span, align_tokens, itn, tn
from uniasr.text.vocabulary import Vocabulary, read_tokens

__all__ = [
    "Normalized",
    "Span",
    "Vocabulary",
    "align_tokens",
    "itn",
    "join_tokens",
    "pieces",
    "read_tokens",
    "reference_text",
    "tn",
]
