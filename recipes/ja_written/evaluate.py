"""Character error rate of written Japanese: from the right kana, and from what the packaged recogniser hears.

python evaluate.py --data DATA [--converter DIRECTORY] [--held-back WORK]

Both sides are NFKC without marks, symbols and blanks. "numbers" also writes numbers with digits on both sides (ITN),
since the text has 5 where the converter writes 五.
"""

from __future__ import annotations

import argparse
import csv
import io
import lzma
import time
import unicodedata
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
from build import HELD_BACK, TEXTS, read_sentences
from rapidfuzz.distance import Levenshtein

import uniasr
from uniasr.text import itn
from uniasr.text.kana import katakana_only
from uniasr.text.kana_kanji import Converter

RATE = 16_000
PAD = np.zeros(int(0.3 * RATE), np.float32)
Pair = tuple[str, str]
"""What was written and what is right."""


def plain(text: str) -> str:
    """Letters and numbers alone."""
    normal = unicodedata.normalize("NFKC", text)
    return "".join(char for char in normal if char == "ー" or unicodedata.category(char)[0] not in "PSZ")


def rate(pairs: Iterable[Pair]) -> float:
    """Character error rate in percent."""
    pairs = list(pairs)
    return 100 * sum(Levenshtein.distance(*pair) for pair in pairs) / max(1, sum(len(right) for _, right in pairs))


def line(name: str, pairs: Sequence[Pair], kana: Sequence[Pair] = ()) -> str:
    """A row of a table: written CER, the same with numbers in digits, share of equal sentences, kana CER."""
    plains = [(plain(found), plain(right)) for found, right in pairs]
    numbers = [(plain(itn(found, "ja")), plain(itn(right, "ja"))) for found, right in pairs]
    equal = 100 * sum(found == right for found, right in numbers) / len(numbers)
    heard = f"{rate(kana):6.2f}" if kana else "     -"
    return f"{name:24} {len(pairs):5} {rate(plains):8.2f} {rate(numbers):8.2f} {equal:7.1f} {heard}"


def from_right_kana(converter: Converter, data: Path) -> None:
    """The development sentences, by source."""
    found: dict[str, list[Pair]] = defaultdict(list)
    seconds, kana = 0.0, 0
    with lzma.open(data / "ja_text" / "dev.tsv.xz", "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            reading = katakana_only(row["kana"])
            started = time.process_time()
            written = converter.convert(reading)
            seconds, kana = seconds + time.process_time() - started, kana + len(reading)
            found[row["source"]].append((written, row["text"]))
            found["all"].append((written, row["text"]))
    for source, pairs in found.items():
        print(line(source, pairs))
    print(f"{1000 * 30 * seconds / kana:.2f} ms of processor time for 30 kana")


def from_speech(converter: Converter, folder: Path) -> None:
    """Recordings of development sentences, in every mode, without and with the converter's judgement."""
    with (folder / "ja_synth_dev.tsv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    _, padded = recordings(folder)
    model = uniasr.load_model(threads=1)
    judges = {"alone": {"converter": "none"}, "judged": {}, "judged, beam 5": {"beam_size": 5}}
    for mode in ("offline", "normal", "fast"):
        for name, options in judges.items():
            call = {"converter": str(converter.directory), "output": "kana"} | options
            texts = [one.text for one in model.transcribe_batch(padded, RATE, mode, **call)]
            kana = [(katakana_only(text), katakana_only(row["kana"])) for text, row in zip(texts, rows, strict=True)]
            pairs = [(converter.convert(text), row["text"]) for text, row in zip(texts, rows, strict=True)]
            print(line(f"{mode}, {name}", pairs, kana))


def recordings(folder: Path) -> tuple[list[str], list[npt.NDArray[np.float32]]]:
    """Texts and padded samples of what ja_synth.py has made."""
    texts, audio = [], []
    for table in sorted(folder.glob("*.tsv")):
        with zipfile.ZipFile(table.with_suffix(".zip")) as archive, table.open(encoding="utf-8") as lines:
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                texts.append(row["text"])
                samples, _ = soundfile.read(io.BytesIO(archive.read(row["file"])), dtype="float32")
                audio.append(np.concatenate([PAD, samples, PAD]))
    return texts, audio


def from_held_back(converter: Converter, work: Path) -> None:
    """The training sentences that `build.py --held-back` leaves out."""
    sentences = [(name, sentence) for name in TEXTS for sentence in read_sentences(work / name)][::HELD_BACK]
    for name in TEXTS:
        chosen = [sentence for text, sentence in sentences if text == name]
        heard = ["".join(word[1] for word in sentence) for sentence in chosen]
        right = ["".join(word[0] for word in sentence) for sentence in chosen]
        print(line(name, [(converter.convert(kana), text) for kana, text in zip(heard, right, strict=True)]))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--converter", help="a directory  [default: the packaged converter]")
    parser.add_argument("--held-back", type=Path, metavar="WORK", help="only the held-back training sentences")
    options = parser.parse_args()
    converter = uniasr.load_converter(options.converter)
    print(f"{'':24} {'n':>5} {'written':>8} {'numbers':>8} {'equal %':>7} {'kana':>6}")
    if options.held_back:
        from_held_back(converter, options.held_back)
        return
    from_right_kana(converter, options.data)
    from_speech(converter, options.data / "ja_synth_dev")


if __name__ == "__main__":
    main()
