"""Tokens and text: the vocabulary of a model, and how its tokens become a line to read."""

from uniasr.text.join import join_tokens, pieces, reference_text
from uniasr.text.vocabulary import Vocabulary, read_tokens

__all__ = ["Vocabulary", "join_tokens", "pieces", "read_tokens", "reference_text"]
