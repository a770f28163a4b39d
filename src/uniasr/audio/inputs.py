"""From what a user names (files, directories, patterns, scp lists, stdin) to single sources, each with a unique key.

Nothing is decoded here. A plain path is not even looked at: whoever loads it reports what is wrong with it.
"""

from __future__ import annotations

import glob
import sys
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

from uniasr.audio.sources import is_url, split_url
from uniasr.errors import AudioError, AudioNotFoundError, OptionError

AUDIO_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("wav", "w64", "aif", "aiff", "au", "caf", "sph", "flac", "mp3", "ogg", "oga", "opus"),
        *("m4a", "mp4", "mov", "aac", "webm", "mkv", "mka", "wma", "amr", "3gp"),
    )
)
"""What a directory is searched for."""


_BLANKS = "\u00a0\u3000"
"""Blanks of Japanese and other file names; other marks that cannot be printed have no place in a key."""


@dataclass(frozen=True, slots=True)
class ScpEntry:
    """One line of an scp list."""

    key: str
    source: str
    """Path or URL."""
    line: int
    """Counted from 1."""


@dataclass(frozen=True, slots=True)
class NamedInput:
    """One audio source and the name of its results."""

    key: str
    source: str | bytes
    """Path, URL, or the bytes of an audio file."""
    alone: bool = field(default=True, compare=False)
    """Whether no input before it has a name that would make the same key."""


def read_scp(path: str | Path) -> list[ScpEntry]:
    """Entries of a Kaldi style list: a key, white space, a path that may contain blanks.

    A relative path is relative to the current directory, or to the list's directory if the file exists only there.
    Keys name output files, so path separators are refused in them. Blank lines are skipped.

    Raises AudioNotFoundError or AudioError if the list cannot be read, is empty or not UTF-8; OptionError naming the
    line for a missing path, a key that is repeated or unfit, or a command (`... |`), which is not run.
    """
    if not isinstance(path, str | PathLike):
        raise OptionError(f"a list is named by {path!r:.60}; give its path")
    path = Path(path)
    entries: list[ScpEntry] = []
    lines: dict[str, int] = {}
    for number, line in enumerate(_read_text(path).split("\n"), start=1):
        key, source = [*line.split(maxsplit=1), "", ""][:2]
        source = source.rstrip()
        if not key:
            continue
        where = f"{path}, line {number}"
        if not source:
            raise OptionError(f"{where} has no path after the key {key!r}; write 'key path'")
        if source.endswith("|"):
            raise OptionError(f"{where} is a command; commands are not run, write its output to a file")
        if not _fits_file_name(key):
            raise OptionError(f"{where} has the key {key!r}; keys name output files and cannot contain '/' or '\\'")
        if key in lines:
            raise OptionError(f"{where} repeats the key {key!r} of line {lines[key]}; keys must differ")
        lines[key] = number
        entries.append(ScpEntry(key, resolve_entry(source, path.parent), number))
    if not entries:
        raise AudioError(f"{path} lists no audio; write lines of the form 'key path'")
    return entries


def expand(inputs: Sequence[str], *, files: bool = True) -> list[NamedInput]:
    """Every audio source that the words of a command line mean, in order, with keys that differ.

    A word is a file, a URL, a directory (all files in it, at any depth, that look like audio by their suffix, sorted),
    a pattern with *, ? or [ (sorted), an .scp list, or `-` (the bytes of standard input). A key is the file's name
    without suffix, or the list's key; the second `x` becomes `x-2`, and so on. Where keys become names of
    `files`, upper and lower case count as equal, as some file systems take them so.

    Raises AudioNotFoundError or AudioError if a directory or pattern yields nothing, OptionError for an empty word, and
    what `read_scp` raises.
    """
    alike = str.casefold if files else str
    used: set[str] = set()
    counts: dict[str, int] = {}
    """Of each key, how many were tried."""
    found = []
    for word in inputs:
        for key, source in _expand_one(word):
            unique, folded = key, alike(key)
            while alike(unique) in used:
                counts[folded] = counts.get(folded, 1) + 1
                unique = f"{key}-{counts[folded]}"
            used.add(alike(unique))
            found.append(NamedInput(unique, source, alone=unique == key))
    return found


def several(words: Sequence[str], named: Sequence[NamedInput]) -> bool:
    """Whether results need keys: what a directory, pattern or list gives must not depend on how much is in it."""
    return len(words) > 1 or (words[0] != "-" and words[0] != named[0].source)


def _expand_one(word: str) -> Iterator[tuple[str, str | bytes]]:
    if not word:  # as a path it would mean the current directory, and all that lies in it
        raise OptionError("an input is empty; give a file, a URL, a directory, a pattern, a list FILE.scp, or -")
    if word == "-":
        yield "stdin", sys.stdin.buffer.read()
    elif is_url(word):
        parts = split_url(word)
        yield _key(urllib.parse.unquote(parts.path) or parts.hostname or "audio"), word
    elif word.endswith(".scp"):
        yield from ((entry.key, entry.source) for entry in read_scp(word))
    elif _is(Path(word).is_dir):
        yield from ((_key(path), path) for path in _audio_in(Path(word)))
    elif glob.has_magic(word) and not _is(Path(word).exists):
        paths = sorted(path for path in glob.glob(word, recursive=True) if Path(path).is_file())  # noqa: PTH207
        if not paths:
            raise AudioNotFoundError(f"no file matches {word!r}; check the pattern (it is taken from {Path.cwd()})")
        yield from ((_key(path), path) for path in paths)
    else:
        yield _key(word), word


def _is(asked: Callable[[], bool]) -> bool:
    """The answer about a path; no for what no path can be (too long, a null byte)."""
    try:
        return asked()
    except (OSError, ValueError):
        return False


def _audio_in(directory: Path) -> list[str]:
    """Audio files by suffix; hidden ones are left out, as some systems keep their own notes in them."""
    paths = sorted(
        str(path)
        for path in directory.rglob("*")
        if path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )
    if not paths:
        raise AudioError(f"directory {str(directory)!r} holds no audio files ({' '.join(sorted(AUDIO_SUFFIXES))})")
    return paths


def _key(path: str) -> str:
    stem = "".join(mark if _fits_file_name(mark) or mark == "." else "_" for mark in Path(path).stem)
    return stem if _fits_file_name(stem) else "audio"


def _fits_file_name(key: str) -> bool:
    return key not in ("", ".", "..") and not any(
        mark in "/\\" or (mark not in _BLANKS and not mark.isprintable()) for mark in key
    )


def _read_text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise AudioNotFoundError(f"list {str(path)!r} does not exist; check the path") from error
    except (OSError, ValueError) as error:
        raise AudioError(f"list {str(path)!r} cannot be read: {error}") from error
    if not data:
        raise AudioError(f"list {str(path)!r} is empty (0 bytes); write lines of the form 'key path'")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise AudioError(f"list {str(path)!r} is not UTF-8 in line {line}; convert it to UTF-8") from error


def resolve_entry(source: str, directory: Path) -> str:
    """What a list in `directory` means by a path: relative to where we are, or to the list if it exists only there."""
    if is_url(source) or _is(Path(source).exists) or not _is((directory / source).exists):
        return source
    return str(directory / source)
