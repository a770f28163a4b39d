"""Accuracy and speed of ITN and TN on tab-separated test sentences.

    python benchmarks/itn.py DIR

DIR holds `ja_dev.tsv`, `ja_dev_negative.tsv`, `ja_tn_dev.tsv` and `LANGUAGE_dev.tsv` files with the columns `spoken`,
`written` and, where there are several right answers, `alternatives` (separated by ` | `). Strict: equal to the expected
text; lenient: equal to it or to an alternative (after 〜 ~ ～ are made one, and without blanks in Japanese). Japanese
files are also scored in two halves by a hash of their ids: the rules were tuned looking at the first half only.
Languages whose package is missing are left out.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from uniasr.errors import MissingExtraError
from uniasr.text import itn, tn

Row = dict[str, str]
LOAD = """
import sys, time
import uniasr.text
start = time.perf_counter()
getattr(uniasr.text, sys.argv[1])(sys.argv[2], sys.argv[3])
print(time.perf_counter() - start)
"""


def read(path: Path) -> list[Row]:
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    names = header.split("\t")
    return [dict(zip(names, [*line.split("\t"), *[""] * len(names)], strict=False)) for line in lines]


def comparable(text: str, language: str) -> str:
    text = text.replace("〜", "~").replace("～", "~").strip()
    return text.replace(" ", "").replace("\u3000", "") if language == "ja" else text


def score(rows: list[Row], language: str, source: str, target: str, convert: Callable[..., str]) -> tuple[int, int]:
    """Rows that are strictly right, and rows that are right."""
    strict = lenient = 0
    for row in rows:
        got = comparable(convert(row[source], language), language)
        right = got == comparable(row[target], language)
        others = [comparable(one, language) for one in row.get("alternatives", "").split(" | ") if one]
        strict += right
        lenient += right or got in others
    return strict, lenient


def load_seconds(direction: str, language: str) -> float:
    """First conversion in a new process, without the import of Python's own modules and of uniasr."""
    command = [sys.executable, "-c", LOAD, direction, "1 a", language]
    runs = [float(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(3)]
    return sorted(runs)[1]


def report(path: Path, language: str, direction: str) -> None:
    convert = itn if direction == "itn" else tn
    source, target = ("spoken", "written") if direction == "itn" else ("written", "spoken")
    rows = read(path)
    try:
        convert("", language)
    except MissingExtraError as error:
        print(f"| {path.stem} | {direction} | - | {error} |")
        return
    convert(rows[0][source], language)
    start = time.perf_counter()
    strict, lenient = score(rows, language, source, target, convert)
    ms = 1000 * (time.perf_counter() - start) / len(rows)
    halves = ""
    if language == "ja":
        for half in (0, 1):
            part = [row for row in rows if hashlib.sha256(row["id"].encode()).digest()[0] % 2 == half]
            right = score(part, language, source, target, convert)[1]
            halves += f" {right}/{len(part)} = {100 * right / len(part):.1f} %"
    share = f"{lenient}/{len(rows)} = {100 * lenient / len(rows):.1f} %"
    seconds = load_seconds(direction, language)
    print(
        f"| {path.stem} | {direction} | {strict}/{len(rows)} | {share} |{halves} | {ms:.2f} | {seconds:.2f} |",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    directory = parser.parse_args().directory
    print(
        "| set | | strict | lenient | tuned half, other half | ms a sentence | load s |\n|---|---|---|---|---|---|---|"
    )
    for name in ("ja_dev", "ja_dev_negative"):
        report(directory / f"{name}.tsv", "ja", "itn")
    report(directory / "ja_tn_dev.tsv", "ja", "tn")
    for language in ("zh", "en", "ko", "de", "fr", "es", "pt", "ru", "vi", "id"):
        for path in (directory / f"{language}_dev.tsv", directory / f"{language}_funasr_tests.tsv"):
            if path.is_file():
                report(path, language, "itn")


if __name__ == "__main__":
    main()
