"""Read English text aloud with flite and espeak-ng, as a corpus for `uniasr train`.

python synthesize.py --text WORK/real/train/text --wordnet /usr/share/wordnet --hours 11 --out WORK/synth

Half of the sentences are prompts of the real training part, half are example sentences of WordNet. Every utterance has
a voice, a rate, a pitch and a length of the vocal tract of its own; all draws come from the seed. Needs the Debian
packages flite, espeak-ng and wordnet-base.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

RATE = 16_000
FLITE = {"kal16": (105, 1.0), "awb": (130, 1.3), "rms": (105, 1.35), "slt": (180, 1.25)}
"""Voices with their mean pitch in Hz, and how much slower than the first one they speak."""
ACCENTS = ("en-us", "en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland")
VARIANTS = (
    *("f1", "f2", "f3", "f4", "f5", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8"),
    *("Alicia", "Andrea", "Annie", "belinda", "boris", "caleb", "david", "edward", "linda", "steph", "victor", "paul"),
)
FLITE_SHARE, PROMPT_SHARE = 0.7, 0.4
Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Manner:
    """How an utterance is spoken."""

    voice: str
    """A flite voice, or an accent and a variant of espeak-ng, like en-us+f3."""
    slowness: float
    """Times as long as the voice's own speed."""
    pitch: float
    """Times as high as the voice's own pitch."""
    tract: float
    """Formants times as high as the voice's own."""


def prompts(path: Path) -> list[str]:
    """Transcripts of a set."""
    return [line.split(maxsplit=1)[1].strip() for line in path.read_text(encoding="utf-8").splitlines()]


def wordnet(directory: Path) -> list[str]:
    """Example sentences of 3 to 12 plain words."""
    found: dict[str, None] = {}
    for part in ("noun", "verb", "adj", "adv"):
        for line in (directory / f"data.{part}").read_text(encoding="utf-8", errors="replace").splitlines():
            for sentence in re.findall(r'"([^"]+)"', line.partition("|")[2]):
                plain = re.sub(r"[,.;:!?]+(?=\s|$)", "", sentence).lower().strip()
                if re.fullmatch(r"[a-z']+( [a-z']+){2,11}", plain):
                    found[plain] = None
    return list(found)


def draw(random: np.random.Generator) -> Manner:
    """A manner of speaking; short tracts, as of children, speak higher too."""
    tract = float(random.choice([random.uniform(0.9, 1.1), random.uniform(1.1, 1.35)]))
    pitch = tract * random.uniform(0.85, 1.2)
    slowness = random.uniform(0.85, 1.7)
    if random.random() < FLITE_SHARE:
        return Manner(str(random.choice(list(FLITE))), slowness, pitch, tract)
    return Manner(f"{random.choice(ACCENTS)}+{random.choice(VARIANTS)}", slowness, pitch, tract)


def speak(text: str, manner: Manner, path: Path) -> Samples:
    """Speech [S] at 16 kHz; formants are moved by resampling, for which rate and pitch make up. Writes to `path`."""
    if manner.voice in FLITE:
        mean, own = FLITE[manner.voice]
        settings = {
            "duration_stretch": manner.slowness * manner.tract / own * FLITE["kal16"][1],
            "int_f0_target_mean": mean * manner.pitch / manner.tract,
        }
        options = [word for name, value in settings.items() for word in ("--setf", f"{name}={value:.3f}")]
        command = ["flite", "-voice", manner.voice, *options, "-t", text, "-o", str(path)]
    else:
        words_per_minute = round(160 / manner.slowness / manner.tract)
        height = round(min(99, max(0, 50 + 60 * np.log2(manner.pitch / manner.tract))))
        command = ["espeak-ng", "-z", "-v", manner.voice, "-s", str(max(80, words_per_minute)), "-p", str(height)]
        command += ["-w", str(path), text]
    subprocess.run(command, check=True, capture_output=True)
    samples, rate = soundfile.read(path, dtype="float32")
    return soxr.resample(samples, round(rate * manner.tract), RATE)  # type: ignore[no-any-return]


def framed(samples: Samples, random: np.random.Generator) -> Samples:
    """With 0.1 to 0.7 s around, a faint noise floor and a usual level."""
    before, after = (random.uniform(0.1, 0.7, size=2) * RATE).astype(int)
    whole = np.pad(samples / max(float(np.abs(samples).max()), 1e-6) * random.uniform(0.2, 0.8), (before, after))
    floor = random.standard_normal(len(whole)) * 10 ** random.uniform(-4.0, -2.5)
    return np.clip(whole + floor, -1, 1).astype(np.float32)


def texts(spoken: list[str], examples: list[str], random: np.random.Generator) -> Iterator[str]:
    """Sentences without end; each source is used up before it is repeated."""
    queues: dict[bool, list[str]] = {True: [], False: []}
    sources = {True: spoken, False: examples}
    while True:
        kind = bool(random.random() < PROMPT_SHARE)
        if not queues[kind]:
            queues[kind] = [sources[kind][i] for i in random.permutation(len(sources[kind]))]
        yield queues[kind].pop()


def main() -> None:
    """Write a corpus."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, required=True, help="transcripts of the real training part")
    parser.add_argument("--wordnet", type=Path, required=True, help="folder with data.noun and so on")
    parser.add_argument("--hours", type=float, default=11.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    examples = wordnet(options.wordnet)
    folder = options.out / "train"
    folder.mkdir(parents=True, exist_ok=True)
    seconds, number = 0.0, 0
    with (
        tempfile.TemporaryDirectory() as scratch,
        (folder / "wav.scp").open("w", encoding="utf-8") as audio,
        (folder / "text").open("w", encoding="utf-8") as transcripts,
    ):
        for text in texts(prompts(options.text), examples, random):
            samples = framed(speak(text, draw(random), Path(scratch) / "spoken.wav"), random)
            name = f"s{number:05}"
            soundfile.write(folder / f"{name}.flac", samples, RATE)
            audio.write(f"{name} {name}.flac\n")
            transcripts.write(f"{name} {text}\n")
            seconds, number = seconds + len(samples) / RATE, number + 1
            if seconds >= options.hours * 3600:
                break
    print(f"{folder}: {number} utterances, {seconds / 3600:.2f} h, from {len(examples)} example sentences")


if __name__ == "__main__":
    main()
