"""A set of sounds without words that nothing was trained on: from Debian's packages of games and of a music program.

    apt-get download asc-music extremetuxracer-data frozen-bubble-data lmms-common minetest-data
    apt-get download scratch sound-theme-freedesktop tuxpaint-data
    for package in *.deb; do dpkg-deb -x $package unpacked; done
    python heldout_sounds.py unpacked SOUNDS

Writes sounds.zip and sounds.tsv into SOUNDS, for `benchmarks/long_audio.py --noise`. Each sound has the same peak;
short ones come three times, long ones end after 30 s. The sets of voices in these packages are left out. The sounds are
heard, not given away.
"""

from __future__ import annotations

import argparse
import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import soundfile
from corpus import RATE, Samples

from uniasr.audio.resample import resample

KINDS = {".wav", ".ogg", ".oga", ".mp3", ".flac"}
VOICES = ("Human", "Vocals", "audio-channel")
"""Parts of the paths of human voices."""
PEAK, LONGEST_S, SHORT_S, LEAST_S = 0.6, 30, 2, 0.1


def sounds(folder: Path) -> Iterator[tuple[str, Samples]]:
    """Names and samples of all sounds below a folder."""
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.suffix.lower() not in KINDS or any(part in name for part in VOICES):
            continue
        samples = heard(path, LONGEST_S)
        if len(samples):
            yield name, np.tile(samples, 3) if len(samples) < SHORT_S * RATE else samples


def heard(path: Path, longest_s: float = np.inf, least_s: float = LEAST_S) -> Samples:
    """The beginning of a file as one channel at 16 kHz with a fixed peak; nothing if it is silent or no sound."""
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError:  # an empty file or a format of its own
        return np.zeros(0, np.float32)
    mono = samples[: int(min(longest_s * rate, len(samples)))].mean(axis=1)
    peak = np.abs(mono).max(initial=0)
    if len(mono) < least_s * rate or peak < 1e-3:
        return np.zeros(0, np.float32)
    return resample(mono, rate, RATE) * (PEAK / peak)


def folders(about: str | None) -> tuple[Path, Path]:
    """Where the packages lie unpacked and where the set goes, from the command line."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("unpacked", type=Path)
    parser.add_argument("sounds", type=Path)
    options = parser.parse_args()
    return options.unpacked, options.sounds


def write(folder: Path, name: str, found: Iterable[tuple[str, Samples]]) -> None:
    """NAME.zip with the sounds and NAME.tsv with where each is from."""
    folder.mkdir(parents=True, exist_ok=True)
    count, seconds = 0, 0.0
    with (
        zipfile.ZipFile(folder / f"{name}.zip", "w") as archive,
        (folder / f"{name}.tsv").open("w", encoding="utf-8", newline="") as lines,
    ):
        rows = csv.writer(lines, delimiter="\t", lineterminator="\n")
        rows.writerow(("file", "source", "seconds"))
        for source, samples in found:
            file, length = io.BytesIO(), len(samples) / RATE
            soundfile.write(file, samples, RATE, format="FLAC", subtype="PCM_16")
            archive.writestr(f"{count:04}.flac", file.getvalue())
            rows.writerow((f"{count:04}.flac", source, f"{length:.2f}"))
            count, seconds = count + 1, seconds + length
    print(f"{count} sounds, {seconds:.0f} s")


def main() -> None:
    """Write the set, with half a second of silence behind each sound."""
    unpacked, folder = folders(__doc__)
    pause = np.zeros(RATE // 2, np.float32)
    write(folder, "sounds", ((name, np.concatenate([samples, pause])) for name, samples in sounds(unpacked)))


if __name__ == "__main__":
    main()
