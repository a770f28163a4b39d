"""Anything that names or holds a file, opened as a seekable binary file. Decoding is done elsewhere."""

from __future__ import annotations

import http.client
import io
import os
import re
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from uniasr.errors import AudioError, AudioNotFoundError, UniasrError

URL_TIMEOUT_S = 30.0
URL_MAX_BYTES = 2 << 30
_KEPT_IN_MEMORY = 32 << 20
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


def is_url(source: str) -> bool:
    """Whether the text is a URL of any scheme rather than a path."""
    return _URL.match(source) is not None


def split_url(url: str) -> urllib.parse.SplitResult:
    """Parts of a URL; AudioError if it is malformed."""
    try:
        return urllib.parse.urlsplit(url)
    except ValueError as error:
        raise AudioError(f"{url!r} is no URL: {error}; check it, or give a path") from error


@contextmanager
def open_source(source: Any) -> Iterator[tuple[BinaryIO, str]]:
    """File behind a path, URL, bytes or file object, at its start, and its name for messages.

    A file object is read from its present position and stays open. Raises AudioNotFoundError or AudioError if there
    is no such file, no way to read it, or not a single byte in it.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        file, name = _seekable(io.BytesIO(source), "the audio in memory")
    elif hasattr(source, "read"):
        file, name = _file_object(source)
    elif isinstance(source, str) and is_url(source):
        file, name = _open_url(source)
    elif isinstance(source, str | os.PathLike):
        file, name = _open_path(source)
    else:
        raise AudioError(
            f"cannot read audio from a {type(source).__name__}; give a path, a URL, bytes, a file object or an array"
        )
    try:
        if file.seek(0, io.SEEK_END) == 0:
            raise AudioError(f"{name} is empty (0 bytes); record or copy it again, or rewind what was read before")
        file.seek(0)
        yield file, name
    except UniasrError:
        raise
    except OSError as error:
        raise AudioError(f"{name} cannot be read ({error.strerror or error}); copy it again") from error
    finally:
        if file is not source:
            file.close()


def _open_path(path: str | os.PathLike[str]) -> tuple[BinaryIO, str]:
    name = os.fspath(path)
    if not name:
        raise AudioNotFoundError("the path of the audio is empty; give a file")
    try:
        return _seekable(Path(path).open("rb"), str(name))
    except FileNotFoundError as error:
        raise AudioNotFoundError(f"{name!r} does not exist; check the path (it is taken from {Path.cwd()})") from error
    except IsADirectoryError as error:
        raise AudioError(f"{name!r} is a directory; give a file in it") from error
    except (OSError, ValueError) as error:
        raise AudioError(f"{name!r} cannot be opened: {_reason(error)}") from error


def _file_object(file: Any) -> tuple[BinaryIO, str]:
    name = getattr(file, "name", None)
    name = name if isinstance(name, str) else "the file object"
    try:
        if not isinstance(file.read(0), bytes):
            raise AudioError(f"{name} is open as text; open it in binary mode ('rb')")
        return _seekable(file, name)
    except (OSError, ValueError) as error:
        if isinstance(error, AudioError):
            raise
        raise AudioError(f"{name} cannot be read: {_reason(error)}") from error


def _seekable(file: Any, name: str) -> tuple[BinaryIO, str]:
    """File itself if it starts where it stands and can be rewound; else the rest of it, in memory."""
    if hasattr(file, "seekable") and file.seekable() and file.tell() == 0:
        return file, name
    return io.BytesIO(file.read()), name


def _open_url(url: str) -> tuple[BinaryIO, str]:
    parts = split_url(url)
    if parts.scheme == "file":
        return _open_path(urllib.request.url2pathname(parts.path))
    # User names, passwords and signed queries have no place in a message.
    name = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    if parts.scheme not in ("http", "https"):
        raise AudioError(f"{name} has the scheme {parts.scheme!r}; http, https and file can be read")
    try:
        with urllib.request.urlopen(url, timeout=URL_TIMEOUT_S) as answer:
            return _download(answer, name), name
    except urllib.error.HTTPError as error:
        error.close()
        kind = AudioNotFoundError if error.code in (404, 410) else AudioError
        raise kind(f"{name} cannot be fetched: the server answers {error.code} {error.reason}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        if isinstance(error, AudioError):
            raise
        raise AudioError(f"{name} cannot be fetched: {_reason(error)}; download it and give the file") from error


def _download(answer: Any, name: str) -> BinaryIO:
    file = tempfile.SpooledTemporaryFile(max_size=_KEPT_IN_MEMORY)  # noqa: SIM115 - the caller closes it
    done = 0
    while block := answer.read(1 << 20):
        done += len(block)
        if done > URL_MAX_BYTES:
            file.close()
            raise AudioError(f"{name} is larger than {URL_MAX_BYTES >> 20} MiB; download it and give the file")
        file.write(block)
    promised = answer.headers.get("Content-Length", "")
    if promised.isdigit() and done < int(promised):
        file.close()
        raise AudioError(f"{name} broke off after {done} of {promised} bytes; try again")
    file.seek(0)
    return file  # type: ignore[return-value]


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or getattr(error, "reason", None) or error or type(error).__name__)
