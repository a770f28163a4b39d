"""Punctuation: from a text without marks, or a recogniser's tokens, to one with marks.

windows  which words are seen at once     network  labels for many texts at once
render   words and labels as text         stream   the same while text comes
tokens   marks on a recogniser's tokens   model    the public class
second_look  commas when the ends of sentences are known
"""

from uniasr.recognizers.punctuation.model import Punctuator
from uniasr.recognizers.punctuation.network import GRAPHS
from uniasr.recognizers.punctuation.stream import StreamCarry

__all__ = ["GRAPHS", "Punctuator", "StreamCarry"]
