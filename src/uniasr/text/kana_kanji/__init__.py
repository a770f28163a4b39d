"""Pronunciation kana to written Japanese: a lattice over a dictionary, and an n-gram model of words and their classes.

hashing     tables by hash                      search        the best way through a lattice
tables      the arrays of a model               alternatives  further ways
lattice     the words that kana may hold        listed        hotwords as words of the lattice
windows     a run of any length              certainty     how sure the choice of a word is
words       the words of a run             converter     the public class

How the arrays are made is `recipes/ja_written`; how they are read, `checkpoints.kana_kanji`.
"""

from uniasr.text.kana_kanji.converter import Converter
from uniasr.text.kana_kanji.tables import Tables

__all__ = ["Converter", "Tables"]
