"""Recordings that tests can afford: every letter is a tone of a fifth of a second."""

import numpy as np
import soundfile

from uniasr.text.vocabulary import Vocabulary

RATE_HZ = 16_000
LETTERS = "abcde"
TOKENS = Vocabulary(("<blank>", "<s>", "</s>", *LETTERS, "<unk>"))


def tones(text, seed=0):
    """The sound of a text, with a little noise."""
    time = np.arange(RATE_HZ // 5) / RATE_HZ
    letters = [
        np.sin(2 * np.pi * 250 * 1.7 ** ((ord(char) - ord("a")) % 6) * time) * np.hanning(len(time)) for char in text
    ]
    samples = np.concatenate([np.zeros(800), *letters, np.zeros(800)]) * 0.3
    return (samples + np.random.default_rng(seed).normal(0, 1e-3, len(samples))).astype(np.float32)


def texts(count, seed=0):
    random = np.random.default_rng(seed)
    return ["".join(random.choice(list(LETTERS), random.integers(2, 5))) for _ in range(count)]


def write_split(folder, lines, suffix="wav"):
    """One set in the published form, with relative paths."""
    (folder / "audio").mkdir(parents=True)
    scp, text = [], []
    for number, line in enumerate(lines):
        soundfile.write(folder / "audio" / f"u{number}.{suffix}", tones(line.replace(" ", ""), number), RATE_HZ)
        scp.append(f"u{number} audio/u{number}.{suffix}\n")
        text.append(f"u{number} {line}\n")
    (folder / "wav.scp").write_text("".join(scp), encoding="utf-8")
    (folder / "text").write_text("".join(text), encoding="utf-8")
    return folder


def write_folder(folder, train=12, dev=3):
    """A training and a development set."""
    write_split(folder / "train", texts(train) if isinstance(train, int) else train)
    write_split(folder / "dev", texts(dev, seed=1) if isinstance(dev, int) else dev)
    return folder
