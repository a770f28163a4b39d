"""The UniASR recogniser.

rows      a buffer of recent rows               passes    what one pass of one segment carries along
encoding  chunks through the encoders           firing    acoustic embeddings (CIF) of many passes
steps     decoder steps of many searches        ctc_head  whether anything was said, and which hypothesis it was
segments  when a segment closes                 closing   its tokens with times
views     doubtful segments heard once more     reports   events
session   one input                             driver    many sessions together
model     the public class                      latency   delays, and how users choose them
"""

from uniasr.recognizers.uniasr.model import Stream, Uniasr, graphs_of

__all__ = ["Stream", "Uniasr", "graphs_of"]
