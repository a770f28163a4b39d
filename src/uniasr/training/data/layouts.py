"""Public corpora in the folders that they are unpacked into: JSUT, JVS, Common Voice, FLEURS, ReazonSpeech.

A corpus with sets of its own keeps them (`test` is left alone); of the others a small part is held back.
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from uniasr.errors import DataError
from uniasr.training.data.manifest import DEV_NAMES, Entry, Folder, Listing, Problem, is_split, read_folder, read_split

HELD_BACK = 50
"""One utterance in so many, by a hash of its key, where a corpus has no development set."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A corpus: how its folder is recognised and read."""

    name: str
    fits: Callable[[Path], bool]
    read: Callable[[Path], Folder]


def read_data(directory: Path) -> Folder:
    """Both sets of a folder in the published form or of a known corpus; raises DataError for any other."""
    if not directory.is_dir():
        raise DataError(f"{directory} is no directory; give a folder with recordings and transcripts")
    for layout in LAYOUTS:
        if layout.fits(directory):
            return layout.read(directory)
    raise DataError(
        f"{directory} is in no known form. Known are train/wav.scp with train/text, and the folders of "
        f"{', '.join(layout.name for layout in LAYOUTS[1:])}"
    )


def read_test(directory: Path) -> Listing:
    """The set to measure a model on: the folder itself if it holds one, else its `test`, else its development set."""
    for place in (directory, directory / "test", *(directory / name for name in DEV_NAMES)):
        if is_split(place):
            return read_split(place)
    return read_data(directory).dev


def _transcripts(path: Path, listing: Listing) -> Iterator[tuple[str, str, str]]:
    """Key, text and place of lines `key:text`, as JSUT and JVS have them."""
    for number, line in enumerate(_lines(path), start=1):
        key, colon, text = line.partition(":")
        where = f"{path}, line {number}"
        if colon and text.strip():
            yield key.strip(), " ".join(text.split()), where
        elif line.strip():
            listing.problems.append(Problem(where, "no transcript after the key", key.strip()))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def _divided(listing: Listing, held_back: Callable[[Entry], bool]) -> Folder:
    folder = Folder(Listing(problems=listing.problems), Listing())
    for entry in listing.entries:
        (folder.dev if held_back(entry) else folder.train).entries.append(entry)
    return folder


def _by_hash(entry: Entry) -> bool:
    return zlib.crc32(entry.key.encode()) % HELD_BACK == 0


def _read_jsut(directory: Path) -> Folder:
    listing = Listing()
    for path in sorted(directory.glob("*/transcript_utf8.txt")):
        for key, text, where in _transcripts(path, listing):
            listing.entries.append(Entry(key, str(path.parent / "wav" / f"{key}.wav"), text, where))
    return _divided(listing, _by_hash)


def _read_jvs(directory: Path) -> Folder:
    """Normal voices; whispered and falsetto ones are left out. Every twentieth speaker is held back."""
    listing = Listing()
    for style in ("parallel100", "nonpara30"):
        for path in sorted(directory.glob(f"jvs*/{style}/transcripts_utf8.txt")):
            speaker = path.parent.parent.name
            for key, text, where in _transcripts(path, listing):
                audio = path.parent / "wav24kHz16bit" / f"{key}.wav"
                listing.entries.append(Entry(f"{speaker}-{style}-{key}", str(audio), text, where))
    return _divided(listing, lambda entry: int(entry.key[3:6]) % 20 == 0)


def _read_common_voice(directory: Path) -> Folder:
    return Folder(*(_common_voice_set(_localised(directory) / f"{name}.tsv") for name in ("train", "dev")))


def _common_voice_set(path: Path) -> Listing:
    listing = Listing()
    rows = csv.DictReader(_lines(path), delimiter="\t", quoting=csv.QUOTE_NONE)
    for number, row in enumerate(rows, start=2):
        where, name = f"{path}, line {number}", row.get("path") or ""
        _add(listing, Path(name).stem, path.parent / "clips" / name, row.get("sentence") or "", where)
    return listing


def _localised(directory: Path) -> Path:
    """The folder of the language, which people name or the one above it."""
    inner = directory / "ja"
    return inner if (inner / "train.tsv").is_file() else directory


def _is_common_voice(directory: Path) -> bool:
    place = _localised(directory)
    return (place / "clips").is_dir() and (place / "train.tsv").is_file()


def _read_fleurs(directory: Path) -> Folder:
    return Folder(*(_fleurs_set(directory, name) for name in ("train", "dev")))


def _fleurs_set(directory: Path, name: str) -> Listing:
    """Lines `id, file, transcript, normalised transcript, ...` without a header."""
    listing, path = Listing(), directory / f"{name}.tsv"
    audio = next((folder for folder in (directory / "audio" / name, directory / name) if folder.is_dir()), directory)
    for number, line in enumerate(_lines(path), start=1):
        fields = line.split("\t")
        if len(fields) >= 3:
            _add(listing, f"{fields[0]}-{Path(fields[1]).stem}", audio / fields[1], fields[2], f"{path}, line {number}")
        elif line.strip():
            listing.problems.append(Problem(f"{path}, line {number}", "fewer than three columns"))
    return listing


def _is_fleurs(directory: Path) -> bool:
    has_audio = any((directory / name).is_dir() for name in ("audio/train", "train"))
    return has_audio and (directory / "train.tsv").is_file() and (directory / "dev.tsv").is_file()


def _read_reazonspeech(directory: Path) -> Folder:
    """Lines `path, transcript`; the largest list that is there counts."""
    path = max(_reazonspeech_lists(directory), key=lambda found: found.stat().st_size)
    listing = Listing()
    for number, line in enumerate(_lines(path), start=1):
        name, _, text = line.partition("\t")
        if name.strip():
            audio = directory / "data" / name
            audio = audio if audio.exists() else directory / name
            _add(listing, Path(name).with_suffix("").as_posix(), audio, text, f"{path}, line {number}")
    return _divided(listing, _by_hash)


def _reazonspeech_lists(directory: Path) -> list[Path]:
    return [path for path in sorted(directory.glob("*.tsv")) if _first_line(path).partition("\t")[0].endswith(".flac")]


def _first_line(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as lines:
        return lines.readline(4096)


def _add(listing: Listing, key: str, audio: Path, text: str, where: str) -> None:
    if text.strip():
        listing.entries.append(Entry(key, str(audio), " ".join(text.split()), where))
    else:
        listing.problems.append(Problem(where, "the transcript is empty", key))


def _any(found: Iterable[Path]) -> bool:
    return next(iter(found), None) is not None


LAYOUTS = (
    Layout("the published form", lambda place: (place / "train" / "wav.scp").is_file(), read_folder),
    Layout("JSUT", lambda place: _any(place.glob("*/transcript_utf8.txt")), _read_jsut),
    Layout("JVS", lambda place: _any(place.glob("jvs*/parallel100/transcripts_utf8.txt")), _read_jvs),
    Layout("Common Voice", _is_common_voice, _read_common_voice),
    Layout("FLEURS", _is_fleurs, _read_fleurs),
    Layout("ReazonSpeech", lambda place: bool(_reazonspeech_lists(place)), _read_reazonspeech),
)
"""Known forms; the first that fits is taken."""
