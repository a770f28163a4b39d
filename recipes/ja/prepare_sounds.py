"""A fifth store: speech between seconds of loud sounds without words, so that a model tells one from the other.

    python prepare_sounds.py --data DATA --speech SYNTH/hts3 SYNTH/kokoro3 --out WORK5

`prepare_quiet.py` has noise around speech that is softer than it, and the noisy store teaches to hear speech in loud
noise; with these two alone the model also hears it where there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import prepare
from corpus import RATE, Recording, Samples, real_words, synthetic
from prepare import Plan, Worker, joined, pad, rows_of
from sounds import sound
from spoil import at_some_level, room

from uniasr.types import F32

ALONE_S = (0.5, 6.0)
"""How long a sound is heard alone."""
LEVEL_DB = (-25.0, 12.0)
"""A sound alone over the speech."""
BED_DB = (0.0, 25.0)
"""Speech over the sound that goes on beneath it."""
LONGEST_S = 19.0


def plans(data: Path, speech: list[Path]) -> Iterator[Plan]:
    """All neural speech and the given one once, words joined by 1 to 4, in random order."""
    random = np.random.default_rng(61)
    found: list[tuple[Recording, ...]] = [(recording,) for recording in synthetic(data / "ja_synth_kokoro")]
    found += [(recording,) for folder in speech for recording in synthetic(folder)]
    words = [recording for recording in real_words(data / "ja_real") if recording.split == "train"]
    found += joined(words, random, (1, 5))
    for seed, i in enumerate(random.permutation(len(found))):
        yield Plan(f"{found[i][0].key}-a{seed}", found[i], True, seed)


class SoundsWorker(Worker):
    """Puts a sound before, beneath or after each recording."""

    def drawn(self, random: np.random.Generator, count: int) -> Samples:
        """A recorded sound or one of a formula."""
        if random.random() < 0.5:
            noise = self.noises[random.integers(len(self.noises))]
            return np.resize(np.roll(noise, -random.integers(len(noise))), count)
        return sound(random, count)

    def rows(self, plan: Plan) -> F32:
        """Feature rows before CMVN."""
        random = self.random(67, plan)
        spoken = np.concatenate([pad(part.samples(), random, 0.05, 0.4) for part in plan.parts])
        if random.random() < 0.25:
            spoken = room(spoken, random)
        left = LONGEST_S - len(spoken) / RATE
        before, after = (int(RATE * min(random.uniform(*ALONE_S), max(left / 2, 0))) for _ in range(2))
        loudness = float(np.sqrt(np.mean(spoken**2))) + 1e-9
        samples = np.concatenate([np.zeros(before), spoken, np.zeros(after)])
        for place in (slice(0, before), slice(len(samples) - after, None)):
            count = len(samples[place])
            if count and random.random() < 0.7:
                made = self.drawn(random, count)
                level = loudness * 10 ** (random.uniform(*LEVEL_DB) / 20)
                samples[place] += made * (level / (float(np.sqrt(np.mean(made**2))) + 1e-9))
        if random.random() < 0.4:  # one that does not stop for the speech
            bed, over = self.drawn(random, len(samples)), random.uniform(*BED_DB)
            samples += bed * (loudness * 10 ** (-over / 20) / (float(np.sqrt(np.mean(bed**2))) + 1e-9))
        samples = samples + random.standard_normal(len(samples)) * 10 ** random.uniform(-5, -3.5)
        return rows_of(self.front_end, at_some_level(samples, random))


def main() -> None:
    """Write the store."""
    parser = prepare.command(__doc__)
    parser.add_argument("--speech", type=Path, nargs="+", required=True)
    options = parser.parse_args()
    prepare.write_train(options, plans(options.data, options.speech), SoundsWorker)


if __name__ == "__main__":
    main()
