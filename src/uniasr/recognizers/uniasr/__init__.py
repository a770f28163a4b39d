"""The UniASR recogniser.

rows      a buffer of recent rows               passes    chunks, encoder, CIF, decoder windows of one pass
steps     decoder steps of many searches        segments  when a segment closes, tokens with times
session   one input; `advance` drives many      latency   delays, and how users choose them
model     the public class
"""

from uniasr.recognizers.uniasr.model import GRAPHS, Stream, Uniasr

__all__ = ["GRAPHS", "Stream", "Uniasr"]
