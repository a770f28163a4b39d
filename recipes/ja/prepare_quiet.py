"""A third store: speech with seconds of silence or noise before and after it, so that a model learns to write nothing.

python prepare_quiet.py --data DATA --hts SYNTH/hts SYNTH/hts2 --out WORK3
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import prepare
from corpus import RATE, real_words, synthetic
from prepare import Plan, Worker, rows_of, spoil

from uniasr.types import F32

QUIET_S = (0.5, 5.0)


def plans(data: Path, hts: list[Path]) -> Iterator[Plan]:
    """All neural speech, a sixth of the HTS speech and a quarter of the words, in random order; every eighth clean."""
    words = [recording for recording in real_words(data / "ja_real") if recording.split == "train"]
    synthesised = [recording for folder in hts for recording in synthetic(folder)]
    speech = [*synthetic(data / "ja_synth_kokoro"), *synthesised[::6], *words[::4]]
    for seed, i in enumerate(np.random.default_rng(8).permutation(len(speech))):
        yield Plan(f"{speech[i].key}-q", (speech[i],), seed % 8 != 0, seed)


class QuietWorker(Worker):
    """Puts silence around each part before the whole is spoiled."""

    def rows(self, plan: Plan) -> F32:
        """Feature rows before CMVN."""
        random = self.random(31, plan)
        quiet = [np.zeros(int(RATE * random.uniform(*QUIET_S)), np.float32) for _ in range(len(plan.parts) + 1)]
        pieces = [quiet[0]]
        for part, after in zip(plan.parts, quiet[1:], strict=True):
            pieces += [part.samples(), after]
        samples = np.concatenate(pieces)
        if plan.spoiled:
            samples = spoil(samples, self.noises, random)
        return rows_of(self.front_end, samples)


def main() -> None:
    """Write the store."""
    parser = prepare.command(__doc__)
    parser.add_argument("--hts", type=Path, nargs="+", required=True)
    options = parser.parse_args()
    prepare.write_train(options, plans(options.data, options.hts), QuietWorker)


if __name__ == "__main__":
    main()
