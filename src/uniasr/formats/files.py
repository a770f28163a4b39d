"""Writing a result file: whole or not at all."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from uniasr.errors import OutputError


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file, replacing what was there only when all of it is written.

    A device or a pipe is written to directly. Raises OutputError when the place cannot be written.
    """
    try:
        content = text.encode("utf-8")
        target = path.resolve()
        if target.exists() and not target.is_file():
            if target.is_dir():
                raise OutputError(f"{path} is a directory; give the name of a file")
            target.write_bytes(content)
            return
        # A name has at most 255 bytes, and a character up to 4.
        temporary = target.with_name(f".{target.name[:40]}.{uuid4().hex}")
        try:
            temporary.write_bytes(content)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OutputError:
        raise
    except UnicodeEncodeError as error:
        raise OutputError(
            f"{path} cannot be written: the text holds {error.object[error.start]!r}, no character"
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"{path} cannot be written: {reason}") from error
