"""Lines of text that a command reads from standard input as they come."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterator

from uniasr.errors import OptionError

LONGEST = 2**20
"""Bytes of a line; a longer one is taken in parts."""


def typed_lines() -> Iterator[str]:
    """Lines without their ends; raises OptionError at the first that is not UTF-8."""
    decoder, number = codecs.getincrementaldecoder("utf-8")(), 1
    while piece := sys.stdin.buffer.readline(LONGEST):
        ended = piece.endswith(b"\n")
        try:
            text = decoder.decode(piece, final=ended)
        except UnicodeDecodeError as error:
            raise OptionError(f"standard input, line {number} is not UTF-8 text") from error
        yield text.rstrip("\r\n")
        number += ended
    if decoder.getstate()[0]:
        raise OptionError(f"standard input, line {number} is not UTF-8 text")
