"""What a long phrase as a hotword does: where it was said, and where something was said that it half sounds like.

    python benchmarks/hotword_phrases.py --data DIR --speech DIR [--modes offline] [--count 100]

Sentences and recordings are those of benchmarks/hotwords.py, of the odd half. Each is heard without hotwords, with a
phrase of its own (9 morae or more around its rare word), and with the phrase of 8, 10 or 12 morae among 60 other
sentences that is nearest to it but has 30 to 50 % of its morae wrong. No sentence has such a phrase, so that each one
written is false.
"""

from __future__ import annotations

import argparse
import random
import re
from pathlib import Path

from hotwords import RATE, fold, sentences, speech
from rapidfuzz.distance import Levenshtein

import uniasr
from uniasr.text.kana import katakana

LENGTHS = (8, 10, 12)
NEAR, FAR = 0.3, 0.5
"""Share of wrong morae: nearer phrases sound the same to anyone, farther ones like nothing."""


def morae(kana: str) -> list[str]:
    return re.findall(r"[ァ-ヴー][ァィゥェォャュョ]?", katakana(kana))


def half_alike(said: list[str], others: list[list[str]]) -> str | None:
    """The nearest phrase of other sentences, if there is any between NEAR and FAR."""
    best: tuple[float, int, str] | None = None
    for other in others:
        for length in LENGTHS:
            for start in range(0, len(other) - length, 2):
                phrase = other[start : start + length]
                parts = (said[at : at + length + more] for at in range(len(said) - length) for more in (-1, 0, 1, 2))
                distance = min((Levenshtein.distance(phrase, part) for part in parts), default=length) / length
                if NEAR <= distance <= FAR and (best is None or (distance, -length) < best[:2]):
                    best = distance, -length, "".join(phrase)
    return None if best is None else best[2]


def own(said: list[str], word: list[str], chance: random.Random) -> str | None:
    """A phrase around the word of a sentence."""
    places = (at for at in range(len(said)) if said[at : at + len(word)] == word)
    if (at := next(places, None)) is None:
        return None
    start = max(0, at - chance.randint(2, 4))
    return "".join(said[start : start + max(9, len(word) + 3)])


def main() -> None:
    """Print one row per mode and phrase."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--model")
    parser.add_argument("--modes", nargs="+", default=["fast", "offline"])
    parser.add_argument("--count", type=int, default=100)
    options = parser.parse_args()
    rows, chance, audio = sentences(options.data)[0], random.Random(5), speech(options.speech)
    said = [morae(row["sentence_kana"]) for row in rows]
    numbers = list(range(1, len(rows), 2))
    chance.shuffle(numbers)
    trials = []
    for number in numbers[: options.count]:
        others = [said[other] for other in chance.sample(range(len(rows)), 60) if other != number]
        near, true = half_alike(said[number], others), own(said[number], morae(rows[number]["reading"]), chance)
        if near and true:
            trials.append((number, {"none": None, "half alike": [near], "its own": [true]}))
    model = uniasr.load_model(options.model, threads=1)
    total = sum(len(fold("".join(said[number]))) for number, _ in trials)
    print(f"{len(trials)} sentences, {total} kana\nmode     phrase      written  wrong kana")
    for mode in options.modes:
        for name in ("none", "half alike", "its own"):
            found = [
                model.transcribe(audio[number], RATE, mode, hotwords=lists[name], output="kana")
                for number, lists in trials
            ]
            wrong = sum(
                Levenshtein.distance(fold("".join(said[number])), fold(one.text))
                for one, (number, _) in zip(found, trials, strict=True)
            )
            print(f"{mode:8} {name:10}  {sum(bool(one.hotwords) for one in found):7}  {wrong:10}", flush=True)


if __name__ == "__main__":
    main()
