"""Transcripts as files: plain text, JSON, subtitles, tables, and the published system's result directory."""

from uniasr.formats.cues import Cue, make_cues
from uniasr.formats.files import write_text
from uniasr.formats.recognition import Recognised, RecognitionWriter
from uniasr.formats.render import FORMATS, render

__all__ = ["FORMATS", "Cue", "Recognised", "RecognitionWriter", "make_cues", "render", "write_text"]
