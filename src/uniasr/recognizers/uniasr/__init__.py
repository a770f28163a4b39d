"""The UniASR recogniser.

rows      a buffer of recent rows               passes    chunks, encoder, CIF, decoder windows of one pass
steps     decoder steps of many searches        segments  when a segment closes, tokens with times
session   one input; `advance` drives many      evidence  whether anything was said at all
model     the public class                      latency   delays, and how users choose them
"""

from uniasr.recognizers.uniasr.model import Stream, Uniasr, graphs_of

__all__ = ["Stream", "Uniasr", "graphs_of"]
