"""Voice activity detection with an FSMN.

detector  the state machine over frame scores      session  one input; `advance` drives many
model     the public class
"""

from uniasr.recognizers.vad.model import Vad, VadStream
from uniasr.recognizers.vad.session import GRAPHS, Session, advance

__all__ = ["GRAPHS", "Session", "Vad", "VadStream", "advance"]
