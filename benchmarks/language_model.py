"""What an n-gram brings: kana error rate of a development set by the weight of the language model.

    python benchmarks/language_model.py --text train.tsv.xz --dev DIR --work DIR [--order 5] [--weights 0 0.1 0.2 0.3]

Counts the `kana` column of the text into an n-gram of the model's tokens with absolute discounting (interpolated) and
writes it as `kana-N.arpa` into DIR of `--work`. DIR of `--dev` holds shards that the synthesis script made.
"""

from __future__ import annotations

import argparse
import csv
import io
import lzma
import math
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from rapidfuzz.distance import Levenshtein

import uniasr
from uniasr.text.kana import katakana_only
from uniasr.text.units import cut, token_index

RATE, DISCOUNT, LOWEST = 16_000, 0.75, -99.0


def table(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def count(text: Path, tokens: tuple[str, ...], order: int) -> list[dict[tuple[str, ...], Counter[str]]]:
    """For each length of context, how often each token follows each context."""
    index = token_index(tokens)
    longest = max(map(len, index))
    counts = [defaultdict(Counter) for _ in range(order)]
    with lzma.open(text, "rt", encoding="utf-8") as lines:
        for row in table(lines):
            ids = cut(katakana_only(row["kana"]), index, longest)
            if not ids:
                continue
            words = ["<s>", *(tokens[i] for i in ids), "</s>"]
            for end in range(1, len(words)):
                for length in range(min(order, end + 1)):
                    counts[length][tuple(words[end - length : end])][words[end]] += 1
    return counts


def write_arpa(path: Path, counts: list[dict[tuple[str, ...], Counter[str]]]) -> None:
    """The n-gram with absolute discounting."""
    seen = counts[0][()]
    total = sum(seen.values()) + 1
    probabilities = [{(): {**{word: n / total for word, n in seen.items()}, "<unk>": 1 / total}}]
    spread = {}
    for contexts in counts[1:]:
        found = {}
        for context, follow in contexts.items():
            times = sum(follow.values())
            spread[context] = DISCOUNT * len(follow) / times
            shorter = probabilities[-1].get(context[1:], {})
            found[context] = {
                word: (n - DISCOUNT) / times + spread[context] * shorter[word] for word, n in follow.items()
            }
        probabilities.append(found)
    with path.open("w", encoding="utf-8") as out:
        sizes = [sum(map(len, found.values())) + (not length) for length, found in enumerate(probabilities)]
        out.write("\\data\\\n" + "".join(f"ngram {n}={size}\n" for n, size in enumerate(sizes, 1)))
        for length, found in enumerate(probabilities):
            out.write(f"\n\\{length + 1}-grams:\n")
            if not length:
                out.write(f"{LOWEST}\t<s>\t{math.log10(spread[('<s>',)]):.6f}\n")
            for context, follow in found.items():
                for word, p in follow.items():
                    more = spread.get((*context, word))
                    back = f"\t{math.log10(more):.6f}" if more else ""
                    out.write(f"{math.log10(p):.6f}\t{' '.join((*context, word))}{back}\n")
        out.write("\n\\end\\\n")


def speech(folder: Path) -> list[tuple[str, np.ndarray]]:
    """Kana and recordings of all shards, with silence on both sides."""
    found, silence = [], np.zeros(int(0.3 * RATE), np.float32)
    for shard in sorted(folder.glob("*.tsv")):
        with zipfile.ZipFile(shard.with_suffix(".zip")) as archive, shard.open(encoding="utf-8") as lines:
            for row in table(lines):
                samples, _ = soundfile.read(io.BytesIO(archive.read(row["file"])), dtype="float32")
                found.append((katakana_only(row["kana"]), np.concatenate([silence, samples, silence])))
    return found


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--dev", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--model")
    parser.add_argument("--order", type=int, default=5)
    parser.add_argument("--modes", nargs="+", default=["fast", "normal", "offline"])
    parser.add_argument("--weights", type=float, nargs="+", default=[0.0, 0.1, 0.2, 0.3, 0.5])
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    model = uniasr.load_model(options.model, threads=1)
    arpa = options.work / f"kana-{options.order}.arpa"
    if not arpa.exists():
        write_arpa(arpa, count(options.text, model.vocabulary.tokens, options.order))
    recordings = speech(options.dev)[: options.limit]
    print("mode     weight  CER %")
    for mode in options.modes:
        for weight in options.weights:
            audio = [samples for _, samples in recordings]
            transcripts = model.transcribe_batch(audio, RATE, mode, lm=arpa, lm_weight=weight, output="kana")
            pairs = [(kana, katakana_only(t.text)) for (kana, _), t in zip(recordings, transcripts, strict=True)]
            errors = sum(Levenshtein.distance(*pair) for pair in pairs)
            print(f"{mode:8} {weight:6.2f}  {100 * errors / sum(len(kana) for kana, _ in pairs):5.2f}", flush=True)


if __name__ == "__main__":
    main()
