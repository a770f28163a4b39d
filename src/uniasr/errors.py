"""Every error that a user can cause.

UniasrError
├── AudioError (ValueError)            the input is no audio, or not usable audio
│   └── AudioNotFoundError (FileNotFoundError)
├── ModelError (ValueError)            a model directory is incomplete, corrupt or of an unknown kind
│   └── ModelNotFoundError (FileNotFoundError)
├── OptionError (ValueError)           a mode, latency or decoding option that does not exist or does not fit the model
├── DataError (ValueError)             recordings and transcripts cannot be trained or measured on; lists every problem
├── OutputError (OSError)              results cannot be written where they should go
└── MissingExtraError (ImportError)    a feature needs an optional package that is not installed

A message says what was given, where, what is allowed, and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence


def first_line(error: Exception) -> str:
    """What another library's error says, in one line."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason given")


class UniasrError(Exception):
    """Parent of all errors below; catch it to catch whatever a user can cause."""


class AudioError(UniasrError, ValueError):
    """The input cannot be read as audio, or holds values that no recording has."""


class AudioNotFoundError(AudioError, FileNotFoundError):
    """The audio file does not exist."""


class ModelError(UniasrError, ValueError):
    """A model directory is incomplete, corrupt, or not of a kind that is known."""


class ModelNotFoundError(ModelError, FileNotFoundError):
    """No model of that name lies on this machine."""


class OptionError(UniasrError, ValueError):
    """An option has a value that does not exist or that this model cannot serve."""


class DataError(UniasrError, ValueError):
    """Recordings and transcripts cannot be used as they are; `problems` are lines that say where and why."""

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class OutputError(UniasrError, OSError):
    """Results cannot be written to the chosen place."""


class MissingExtraError(UniasrError, ImportError):
    """An optional package is needed; the message names the extra that installs it."""
