"""Transcripts as files: plain text, JSON, subtitles, tables, TextGrid, and the published system's result directory."""

from uniasr.formats.cues import Cue, make_cues
from uniasr.formats.files import write_text
from uniasr.formats.recognition import Recognised, RecognitionWriter
from uniasr.formats.render import FORMATS, render
from uniasr.formats.rules import CueRules
from uniasr.formats.subtitles import SUBTITLES, SubtitleWriter

__all__ = [
    "FORMATS",
    "SUBTITLES",
    "Cue",
    "CueRules",
    "Recognised",
    "RecognitionWriter",
    "SubtitleWriter",
    "make_cues",
    "render",
    "write_text",
]
