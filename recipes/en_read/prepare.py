"""Unpack the recordings into the folders that `uniasr train` and `uniasr evaluate` read.

python prepare.py --data DATA --out WORK

Writes WORK/real/{train,dev,test}/{wav.scp,text} (dev: every twelfth speaker of the training part) and WORK/noise, the
environment sounds that training may hear.
"""

from __future__ import annotations

import argparse
import csv
import zipfile
from collections.abc import Iterable
from pathlib import Path

DEV_EVERY = 12
LONG_NOISES_HELD_BACK = ("storm", "train", "waves")
"""As recipes/vad holds noises back: these, and every fourth kind of the short ones."""

Row = dict[str, str]


def table(path: Path) -> list[Row]:
    """Rows of a tab-separated file with a header."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def write_set(archive: Path, rows: Iterable[Row], folder: Path) -> None:
    """Recordings of an archive, and their transcripts in small letters."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = list(rows)
    with zipfile.ZipFile(archive) as files:
        for row in rows:
            files.extract(row["file"], folder)
    (folder / "wav.scp").write_text("".join(f"{row['key']} {row['file']}\n" for row in rows), encoding="utf-8")
    (folder / "text").write_text("".join(f"{row['key']} {row['text'].lower()}\n" for row in rows), encoding="utf-8")


def noises(folder: Path) -> list[str]:
    """Files of the environment sounds that training may hear."""
    rows = table(folder / "noise.tsv")
    short = sorted({row["type"] for row in rows if not row["key"].startswith("blanket")})
    held_back = {*short[::4], *LONG_NOISES_HELD_BACK}
    return [row["file"] for row in rows if row["type"] not in held_back]


def main() -> None:
    """Unpack."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with en_read and noise")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    english, real = options.data / "en_read", options.out / "real"
    rows = table(english / "train.tsv")
    dev = set(sorted({row["speaker"] for row in rows})[::DEV_EVERY])
    write_set(english / "train.zip", (row for row in rows if row["speaker"] not in dev), real / "train")
    write_set(english / "train.zip", (row for row in rows if row["speaker"] in dev), real / "dev")
    write_set(english / "test.zip", table(english / "test.tsv"), real / "test")
    with zipfile.ZipFile(options.data / "noise" / "noise.zip") as files:
        files.extractall(options.out / "noise", noises(options.data / "noise"))
    print(f"{options.out}: real recordings and noise, {len(dev)} speakers for dev")


if __name__ == "__main__":
    main()
