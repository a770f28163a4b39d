"""Writing a result file: whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from uniasr.errors import OutputError


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file, replacing what was there only when all of it is written.

    A device or a pipe is written to directly. Raises OutputError when the place cannot be written.
    """
    with _output_errors(path):
        content, target = text.encode("utf-8"), path.resolve()
        if _is_device(target):
            target.write_bytes(content)
            return
        with _file_beside(target) as temporary:
            temporary.write_bytes(content)
            temporary.replace(target)


def check_writable(path: Path) -> None:
    """Raise the OutputError of `write_text` for what is known beforehand: ahead of minutes of work, not behind them."""
    with _output_errors(path):
        target = path.resolve()
        if not _is_device(target):
            with _file_beside(target):
                pass


@contextmanager
def _file_beside(target: Path) -> Iterator[Path]:
    """An empty file that takes the place of `target` in the block, or is removed."""
    # A name has at most 255 bytes, and a character up to 4.
    temporary = target.with_name(f".{target.name[:40]}.{uuid4().hex}")
    try:
        temporary.touch()
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _is_device(target: Path) -> bool:
    """Whether something is there that no file can take the place of; raises OutputError for a directory."""
    if target.is_dir():
        raise OutputError(f"{target} is a directory; give the name of a file")
    return target.exists() and not target.is_file()


@contextmanager
def _output_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OutputError:
        raise
    except UnicodeEncodeError as error:
        raise OutputError(
            f"{path} cannot be written: the text holds {error.object[error.start]!r}, no character"
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"{path} cannot be written: {reason}") from error
