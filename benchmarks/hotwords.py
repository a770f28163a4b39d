"""What hotwords bring and cost: recall of rare words, damage to other speech, speed with a thousand words.

    python benchmarks/hotwords.py --data DIR --write-text FILE     # the sentences to synthesise, one a line
    python benchmarks/hotwords.py --data DIR --speech DIR [--modes offline] [--half odd]
    python benchmarks/hotwords.py --data DIR --speech DIR --speed [--repeats 9]

DIR of `--data` holds `ja_hotword_sentences.tsv`, `ja_no_hotword_sentences.tsv` and `ja_hotword_list.tsv`; DIR of
`--speech` what the synthesis script made of FILE (shards of .tsv and .zip). The bias list is the whole list. Recall:
sentences whose word is in the text. False alarms: sentences without words whose text has a listed word that the
sentence does not sound like. Error rates are of kana in which long vowels are written out and ヲ, ヅ, ヂ are オ, ズ and
ジ. Strength and margin were chosen on the even half; `--half odd` is the other one.
"""

from __future__ import annotations

import argparse
import csv
import io
import random
import statistics
import time
import zipfile
from pathlib import Path

import numpy as np
import soundfile
from rapidfuzz.distance import Levenshtein

import uniasr
from uniasr.text.kana import katakana
from uniasr.text.spelling import pronunciations, vowel_of

RATE = 16_000
HALVES = {"even": slice(0, None, 2), "odd": slice(1, None, 2), "all": slice(None)}
SAME_SOUND = str.maketrans("ヲヅヂ", "オズジ")
LENGTHENS = {"ウ": "オ", "イ": "エ"}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def sentences(data: Path) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    return table(data / "ja_hotword_sentences.tsv"), table(data / "ja_no_hotword_sentences.tsv")


def spoken(row: dict[str, str]) -> str:
    """The sentence with the word in kana, so that the voice reads it as it should."""
    return row["sentence"].replace(row["hotword"], row["reading"]) if "hotword" in row else row["sentence"]


def speech(folder: Path) -> list[np.ndarray]:
    """Recordings in the order of the sentences, with silence on both sides."""
    found, silence = {}, np.zeros(int(0.3 * RATE), np.float32)
    for shard in sorted(folder.glob("*.tsv")):
        with zipfile.ZipFile(shard.with_suffix(".zip")) as archive:
            for row in table(shard):
                samples, _ = soundfile.read(io.BytesIO(archive.read(row["file"])), dtype="float32")
                found[int(row["key"])] = np.concatenate([silence, samples, silence])
    return [found[key] for key in sorted(found)]


def fold(kana: str) -> str:
    """Kana that sound the same, written the same."""
    out: list[str] = []
    for sound in katakana(kana).translate(SAME_SOUND):
        before = vowel_of(out[-1]) if out else ""
        if sound == "ー":
            out.append(before or sound)
        elif "ァ" <= sound <= "ヴ":
            out.append(LENGTHENS[sound] if LENGTHENS.get(sound) == before else sound)
    return "".join(out)


def error_rate(pairs: list[tuple[str, str]]) -> float:
    errors = sum(Levenshtein.distance(fold(said), fold(heard)) for said, heard in pairs)
    return 100 * errors / sum(len(fold(said)) for said, _ in pairs)


def holds(text: str, reading: str) -> bool:
    """Whether a word is in a text; its edges may be long with their neighbours, so both ways of writing count."""
    return fold(reading) in fold(text) or any(form in text for form in pronunciations(reading))


def accuracy(model: uniasr.Uniasr, options: argparse.Namespace, audio: list[np.ndarray]) -> None:
    """One row per mode, without the list and with it."""
    with_words, without = sentences(options.data)
    readings = [row["reading"] for row in table(options.data / "ja_hotword_list.tsv")]
    words = [f"{row['hotword']}\t{row['reading']}" for row in table(options.data / "ja_hotword_list.tsv")]
    half = HALVES[options.half]
    call = {"output": "kana"}  # rates are of what was heard
    print("mode     list  recall %  CER with words  CER without words  false alarms %")
    for mode in options.modes:
        for name, listed in (("no", None), ("yes", words)):
            heard = model.transcribe_batch(audio[: len(with_words)][half], RATE, mode, hotwords=listed, **call)
            other = model.transcribe_batch(audio[len(with_words) :][half], RATE, mode, hotwords=listed, **call)
            recall = np.mean([holds(t.text, row["reading"]) for t, row in zip(heard, with_words[half], strict=True)])
            alarms = np.mean(
                [
                    any(holds(t.text, word) and not holds(row["sentence_kana"], word) for word in readings)
                    for t, row in zip(other, without[half], strict=True)
                ]
            )
            rates = [
                error_rate([(row["sentence_kana"], t.text) for t, row in zip(found, rows[half], strict=True)])
                for found, rows in ((heard, with_words), (other, without))
            ]
            print(
                f"{mode:8} {name:4}  {100 * recall:8.1f}  {rates[0]:14.2f}  {rates[1]:17.2f}  {100 * alarms:14.1f}",
                flush=True,
            )


def many_words(data: Path, count: int) -> list[str]:
    """The listed readings, then words made of halves of two of them."""
    readings = [row["reading"] for row in table(data / "ja_hotword_list.tsv")]
    made, chance = dict.fromkeys(readings), random.Random(0)
    while len(made) < count:
        left, right = chance.choice(readings), chance.choice(readings)
        made[left[: (len(left) + 1) // 2] + right[len(right) // 2 :]] = None
    return list(made)[:count]


def speed(model: uniasr.Uniasr, options: argparse.Namespace, audio: list[np.ndarray]) -> None:
    """Time of some sentences with lists of several lengths, in turns, so that a busy machine slows all of them."""
    some = audio[:32]
    seconds = sum(map(len, some)) / RATE
    lists = {count: many_words(options.data, count) if count else None for count in (0, 10, 100, 1000)}
    print("mode     words  RTF     time  time of the first call")
    for mode in options.modes:
        first, times = {}, {count: [] for count in lists}
        for turn in range(options.repeats + 1):
            for count, words in lists.items():
                started = time.process_time()
                model.transcribe_batch(some, RATE, mode, hotwords=words)
                (times[count].append if turn else first.setdefault(count, []).append)(time.process_time() - started)
        for count, taken in times.items():
            ratios = [own / plain for own, plain in zip(taken, times[0], strict=True)]
            print(
                f"{mode:8} {count:5}  {statistics.median(taken) / seconds:.4f}  {statistics.median(ratios):.3f}  "
                f"{first[count][0] / statistics.median(times[0]):.3f}",
                flush=True,
            )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--write-text", type=Path)
    parser.add_argument("--speech", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--modes", nargs="+", default=["fast", "normal", "offline"])
    parser.add_argument("--half", choices=list(HALVES), default="odd")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    if options.write_text:
        with_words, without = sentences(options.data)
        options.write_text.write_text("".join(f"{spoken(row)}\n" for row in with_words + without), encoding="utf-8")
    if options.speech:
        model = uniasr.load_model(options.model, threads=1)
        (speed if options.speed else accuracy)(model, options, speech(options.speech))


if __name__ == "__main__":
    main()
