"""Folders of utterances in the published form: `train/{wav.scp,text}` and `dev/{wav.scp,text}`.

Both files have lines `key value`. Reading lists what is wrong instead of stopping at the first fault; whether the audio
can be read is another module's question (`check`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from uniasr.audio.inputs import resolve_entry
from uniasr.errors import DataError

DEV_NAMES = ("dev", "validation")


@dataclass(frozen=True, slots=True)
class Entry:
    """One utterance: where its audio lies and what is said in it."""

    key: str
    audio: str
    """Path or URL."""
    text: str
    where: str
    """File and line of the audio, for messages."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with one line; `key` is that of the utterance it makes unusable."""

    where: str
    what: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(slots=True)
class Listing:
    """Utterances of one set and what is wrong with the others."""

    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(slots=True)
class Folder:
    """A training set and, if there is one, a development set."""

    train: Listing
    dev: Listing


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    key: str
    value: str


def is_split(directory: Path) -> bool:
    """Whether a directory holds one set in the published form."""
    return (directory / "wav.scp").is_file() or (directory / "text").is_file()


def dev_directory(directory: Path) -> Path | None:
    """The development set in a folder: `dev`, else `validation`."""
    return next((directory / name for name in DEV_NAMES if (directory / name).is_dir()), None)


def read_folder(directory: Path) -> Folder:
    """Both sets of a folder; raises DataError when there is no `train` in it."""
    if not (directory / "train").is_dir():
        raise DataError(
            f"{directory} has no folder train; a data folder holds train/wav.scp, train/text, dev/wav.scp and dev/text"
        )
    dev = dev_directory(directory)
    return Folder(read_split(directory / "train"), Listing() if dev is None else read_split(dev))


def read_split(directory: Path) -> Listing:
    """One set: the utterances that both files name once, and every line that is not like that."""
    listing = Listing()
    audio = _table(directory / "wav.scp", "path", listing)
    texts = _table(directory / "text", "transcript", listing)
    if not audio or not texts:
        return listing
    for line in audio.values():
        where = f"{directory / 'wav.scp'}, line {line.number}"
        if line.key not in texts:
            listing.problems.append(Problem(where, f"key {line.key!r} has no line in text", line.key))
        elif line.value.endswith("|"):
            what = "this is a command; commands are not run, write its output to a file"
            listing.problems.append(Problem(where, what, line.key))
        elif line.value and texts[line.key].value:
            source = resolve_entry(line.value, directory)
            listing.entries.append(Entry(line.key, source, texts[line.key].value, where))
    for line in texts.values():
        if line.key not in audio:
            where = f"{directory / 'text'}, line {line.number}"
            listing.problems.append(Problem(where, f"key {line.key!r} has no line in wav.scp", line.key))
    return listing


def _table(path: Path, meaning: str, listing: Listing) -> dict[str, _Line]:
    """Lines by key; one without a value, or with a key that another has, is a problem. The first of equals counts."""
    found: dict[str, _Line] = {}
    before = len(listing.problems)
    for number, line in enumerate(_read(path, listing).split("\n"), start=1):
        if not (words := line.split(maxsplit=1)):
            continue
        key, value = words[0], " ".join(words[1].split()) if meaning == "transcript" and words[1:] else words[-1]
        where = f"{path}, line {number}"
        if key in found:
            listing.problems.append(Problem(where, f"key {key!r} is already on line {found[key].number}", key))
            continue
        if len(words) == 1:
            listing.problems.append(Problem(where, f"no {meaning} after the key {key!r}", key))
            value = ""
        found[key] = _Line(number, key, value.rstrip())
    if not found and len(listing.problems) == before:
        listing.problems.append(Problem(str(path), "this file has no lines"))
    return found


def _read(path: Path, listing: Listing) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        listing.problems.append(Problem(str(path), "this file is missing"))
    except UnicodeDecodeError as error:
        number = error.object.count(b"\n", 0, error.start) + 1
        listing.problems.append(Problem(f"{path}, line {number}", "not UTF-8; convert the file"))
    except OSError as error:
        listing.problems.append(Problem(str(path), f"cannot be read: {error.strerror}"))
    return ""
