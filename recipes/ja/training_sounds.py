"""Sounds without words to train among: effects, instruments and music of Debian's packages, beside the recorded ones.

    apt-get download chromium-bsu-data enigma-data hydrogen-drumkits lbreakout2-data oxygen-sounds pingus-data
    apt-get download simutrans-pak64 sonic-pi-samples supertux-data wesnoth-1.16-data wesnoth-1.16-music
    apt-get download xmoto-data
    for package in *.deb; do dpkg-deb -x $package unpacked/${package%%_*}; done
    python training_sounds.py unpacked SOUNDS

Writes noise.zip and noise.tsv into SOUNDS, for `--sounds` of the stores. None of these packages is one of
`heldout_sounds.py`. Of each at most a number of files is taken, of long pieces some parts; hits and other short sounds
follow one another until they fill some seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from corpus import RATE, Samples
from heldout_sounds import KINDS, folders, heard, write

MOST_FILES = 220
"""Of a package."""
PART_S, PARTS = 12.0, 6
"""Long pieces: so many parts of this length, evenly spread."""
SHORT_S, FILLED_S = 3.0, 6.0
"""Shorter sounds are joined, with pauses, until they fill the second."""
LEAST_S = 0.05
PAUSE_S = (0.0, 0.6)
LEFT_OUT = ("Vocals", "Oxygen-Im-Message-In")
"""Parts of the paths of voices, and of a sound that one of the other packages has, too."""


def files(package: Path, random: np.random.Generator) -> list[Path]:
    """The sound files of a package, some of them if there are many, in random order."""
    found = [
        path
        for path in sorted(package.rglob("*"))
        if path.suffix.lower() in KINDS and not any(part in str(path) for part in LEFT_OUT)
    ]
    return [found[i] for i in random.permutation(len(found))[:MOST_FILES]]


def sounds(package: Path, random: np.random.Generator) -> Iterator[Samples]:
    """What is heard of a package: parts of long pieces, sounds as they are, and short ones joined."""
    short: list[Samples] = []
    for path in files(package, random):
        samples = heard(path, least_s=LEAST_S)
        if len(samples) > 2 * PART_S * RATE:
            starts = np.linspace(0, len(samples) - PART_S * RATE, PARTS + 2)[1:-1]
            yield from (samples[int(start) :][: int(PART_S * RATE)] for start in starts)
        elif len(samples) > SHORT_S * RATE:
            yield samples
        elif len(samples):
            short += [samples, np.zeros(int(RATE * random.uniform(*PAUSE_S)), np.float32)]
            if sum(map(len, short)) > FILLED_S * RATE:
                yield np.concatenate(short)
                short = []
    if short:
        yield np.concatenate(short)


def main() -> None:
    """Write the set."""
    unpacked, folder = folders(__doc__)
    random = np.random.default_rng(3)
    packages = sorted(unpacked.iterdir())
    write(folder, "noise", ((package.name, samples) for package in packages for samples in sounds(package, random)))


if __name__ == "__main__":
    main()
