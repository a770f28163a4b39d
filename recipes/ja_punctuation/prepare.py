"""Make the word list and the training arrays.

python spoken.py --out WORK
python prepare.py --data DATA --out WORK
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import readings
import spoken
import teacher
import written
from corpus import COMMA, ENDS, RENDERINGS, Sentence, rows, sentences
from paragraphs import IGNORED, SURE
from syntax import Analyser, Morpheme, kana_ends, text_ends

LEAST = 3
"""Occurrences of a word that make it known."""
LEAST_TAG = 300
"""Occurrences of a part of speech that make it a class of its own."""
HELD_BACK = 40
"""One sentence in so many, of the corpus and of speech, is kept for calibration and for choosing among snapshots."""
WORD_ENDS = {"text": text_ends, "kana": kana_ends}
PARTS = ("train", "held", "held-spoken")
OPEN_NOUNS = ("名詞-普通名詞-一般//", "名詞-普通名詞-サ変", "名詞-普通名詞-形状詞", "名詞-固有名詞")
OPEN = (*OPEN_NOUNS, "動詞-一般//", "形容詞-一般//", "形状詞-一般//")
"""How the names of classes begin whose words are exchanged in training; verbs and adjectives by inflection."""


def chances(
    found: Sequence[Sentence | None], analysed: Sequence[list[Morpheme]], names: Sequence[str], count: int
) -> list[list[float]]:
    """For each sentence the chance of a comma behind each of its morphemes, by the teacher and the readings.

    The first `count` sentences are the corpus, the others were written for this, and commas of speech are taken half as
    they were written.
    """
    ids: list[int] = []
    starts, owner, places, sources, commas = [0], [], [], [], []
    for number, (sentence, morphemes) in enumerate(zip(found, analysed, strict=True)):
        if sentence is None:
            continue
        ends = text_ends(morphemes, sentence.words)
        for end, row in zip(ends[:-1], teacher.features(morphemes), strict=True):
            ids += teacher.hashed(row)
            starts.append(len(ids))
            owner.append(number)
            places.append(end)
            sources.append(names.index(sentence.source))
            commas.append(end > 0 and sentence.labels[end - 1] == COMMA)
    owners, kinds, marked = np.array(owner, np.int64), np.array(sources, np.int64), np.array(commas, np.bool_)
    corpus, speech = owners < count, kinds == names.index(spoken.SOURCE)
    features = teacher.Places(
        np.array(ids, np.int64), np.array(starts, np.int64), owners, kinds, marked.astype(np.float32)
    )
    alone = teacher.probabilities(features, corpus | speech).astype(np.float64)
    chance = readings.combined(readings.read(owner, places), alone, owners, kinds, marked)
    chance = np.where(corpus, chance, np.where(speech, (alone + marked) / 2, written.judged(alone, marked)))
    report(alone[corpus], chance[corpus], features.commas[corpus], owners[corpus])
    result: list[list[float]] = [[] for _ in found]
    for number, value in zip(owner, chance.tolist(), strict=True):
        result[number].append(value)
    return result


def report(alone: np.ndarray, chance: np.ndarray, commas: np.ndarray, owners: np.ndarray) -> None:
    """Print how good the targets are, on the sentences that are held back from training, too."""
    held = owners % HELD_BACK == 0
    for name, part in (("all sentences", slice(None)), ("held back", held)):
        scores = (teacher.best_f1(value[part].astype(np.float32), commas[part]) for value in (alone, chance))
        print(name, "best F1 of the teacher alone and with readings:", *(f"{score:.3f}" for score in scores))


def targets(sentence: Sentence, ends: Sequence[int], commas: Sequence[float], tags: Sequence[int]) -> list[list[int]]:
    """Rows [words, 3]: label, chance of a comma behind the word, its class: part of speech, whether it ends."""
    rows = [[label, 0, IGNORED] for label in sentence.labels]
    begin = 0
    for end, chance, tag in zip(ends, [*commas, 0.0], tags, strict=True):
        if end <= begin:  # not found here: what these words are is not learned
            if end < 0:
                begin = -1
            continue
        rows[end - 1][1] = round(chance * SURE)
        if begin >= 0:
            for row in rows[begin:end]:
                row[2] = 2 * tag
            rows[end - 1][2] += 1
        begin = end
    return rows


def part_of(number: int, count: int, sentence: Sentence) -> str:
    """What a sentence is for; the first `count` are the corpus."""
    spoken_one = sentence.source == spoken.SOURCE
    if number % HELD_BACK or not (number < count or spoken_one):
        return "train"
    return "held-spoken" if spoken_one else "held"


def classes(analysed: Sequence[list[Morpheme]]) -> tuple[dict[str, int], list[str]]:
    """Numbers of the parts of speech and the names by number; a rare one goes by its coarse name."""
    counts = Counter(morpheme.tag for found in analysed for morpheme in found)
    names = {m.tag: m.tag if counts[m.tag] >= LEAST_TAG else m.coarse for found in analysed for m in found}
    ordered = sorted(set(names.values()))
    numbers = {name: i for i, name in enumerate(ordered)}
    return {tag: numbers[name] for tag, name in names.items()}, ordered


def main() -> None:
    """Write tokens.txt and one .npz per rendering and part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds ja_text")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    table = options.data / "ja_text" / "train.tsv.xz"
    both = {
        rendering: [
            one for place in (table, written.TABLE, options.out / spoken.TABLE) for one in sentences(place, rendering)
        ]
        for rendering in RENDERINGS
    }
    count = sum(1 for _ in rows(table))
    counts = Counter(word for part in both.values() for found in part[:count] if found for word in found.words)
    words = ["<unk>", "<s>", "</s>", *sorted(word for word, count in counts.items() if count >= LEAST), *ENDS]
    (options.out / "tokens.txt").write_text("".join(f"{word}\n" for word in words), encoding="utf-8", newline="\n")
    index = {word: i for i, word in enumerate(words)}
    names = sorted({found.source for part in both.values() for found in part if found})
    analyser = Analyser()
    analysed = [analyser.morphemes("".join(found.words)) if found else [] for found in both["text"]]
    commas = chances(both["text"], analysed, names, count)
    tags, tag_names = classes(analysed)
    np.save(options.out / "open.npy", [name.startswith(OPEN) for name in tag_names])
    print(len(tag_names), "parts of speech")
    for rendering, part in both.items():
        learned = [
            targets(found, WORD_ENDS[rendering](morphemes, found.words), chance, [tags[m.tag] for m in morphemes])
            if found and morphemes
            else []
            for found, morphemes, chance in zip(part, analysed, commas, strict=True)
        ]
        usable = [i for i, found in enumerate(part) if found and learned[i]]
        for name in PARTS:
            kept = [i for i in usable if part_of(i, count, part[i]) == name]
            np.savez(
                options.out / f"{name}-{rendering}.npz",
                ids=np.array([index.get(word, 0) for i in kept for word in part[i].words], np.int32),
                targets=np.array([row for i in kept for row in learned[i]], np.int16),
                starts=np.cumsum([0, *(len(part[i].words) for i in kept)]),
                sources=np.array([names.index(part[i].source) for i in kept]),
            )
            print(name, rendering, len(kept), "sentences", sum(len(part[i].words) for i in kept), "words")
    print(len(words), "words known")


if __name__ == "__main__":
    main()
