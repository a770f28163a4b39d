"""A second store: further HTS sentences, and the neural speech at other speeds, spoiled anew.

    python prepare_more.py --data DATA --hts SYNTH/hts2 --kokoro SYNTH/kokoro2 --out WORK2

Speed changes pitch and formants with it: other timbres out of few.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import prepare
from corpus import RATE, synthetic
from prepare import Plan, Worker, pad, rows_of, spoil

from uniasr.audio.resample import resample
from uniasr.types import F32

SPEEDS = (0.86, 0.92, 1.08, 1.15)


def plans(data: Path, hts: Path, kokoro: Path) -> Iterator[Plan]:
    """HTS once spoiled; all neural speech at another speed clean and spoiled twice; the new part of it as it is."""
    old, new = list(synthetic(data / "ja_synth_kokoro")), list(synthetic(kokoro))
    seed = 0
    for name, recordings in (
        ("h0", list(synthetic(hts))),
        *((f"s{copy}", old + new) for copy in range(3)),
        *((f"n{copy}", new) for copy in range(2)),
    ):
        for recording in recordings:
            seed += 1
            yield Plan(f"{recording.key}-{name}", (recording,), name not in ("s0", "n0"), seed)


class SpeedWorker(Worker):
    """Plays the plans whose key says so at another speed."""

    def rows(self, plan: Plan) -> F32:
        """Feature rows before CMVN."""
        random = self.random(23, plan)
        samples = np.concatenate([pad(part.samples(), random, 0.0, 0.4) for part in plan.parts])
        if plan.key.rsplit("-", 1)[1].startswith("s"):
            speed = SPEEDS[int(random.integers(len(SPEEDS)))]
            samples = resample(samples.astype(np.float32), round(RATE * speed), RATE)
        if plan.spoiled:
            samples = spoil(samples, self.noises, random)
        return rows_of(self.front_end, samples)


def main() -> None:
    """Write the store."""
    parser = prepare.command(__doc__)
    parser.add_argument("--hts", type=Path, required=True)
    parser.add_argument("--kokoro", type=Path, required=True)
    options = parser.parse_args()
    prepare.write_train(options, plans(options.data, options.hts, options.kokoro), SpeedWorker)


if __name__ == "__main__":
    main()
