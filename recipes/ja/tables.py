"""Writes the tables of the model card and of the documents from the results of evaluate.py and compare.py.

python tables.py [--results results] FILE.md...

In each file, what stands between <!-- table: NAME --> and <!-- /table --> becomes the table of that name. Without
files: the card, its packaged copy, the page about the model, the recipe's page, RESULTS.md and README.md.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from measured import MODES, SETS, Row, by_mode, by_pass, find, rate, read

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CARD = HERE / "card" / "README.md"
FILES = (CARD, ROOT / "docs" / "japanese-model.md", HERE / "README.md", ROOT / "RESULTS.md", ROOT / "README.md")
PACKAGED = ROOT / "src" / "uniasr" / "packaged" / "ja" / "README.md"
REGION = re.compile(r"(<!-- table: (\w+) -->\n).*?(?=<!-- /table -->)", re.DOTALL)

Results = dict[str, Any]
Cells = Sequence[str]


def sets(results: dict[str, Results]) -> Iterator[Cells]:
    """Every set in every mode: kana and written."""
    yield "set", "recordings", "text", *MODES
    for name, what in SETS.items():
        for text in ("kana", "written"):
            rows = [by_mode(results["ja"], mode, set=name) for mode in MODES]
            if all(rows):
                number = str(rows[0]["recordings"]) if rows[0] else ""
                first = (what, number) if text == "kana" else ("", "")
                yield *first, text, *(str(rate(row, text)) for row in rows if row)


def judged(results: dict[str, Results]) -> Iterator[Cells]:
    """Kana of the recogniser alone and with the converter's judgement."""
    yield "set", *(f"alone: {mode}" for mode in MODES), *(f"judged: {mode}" for mode in MODES)
    for name in SETS:
        rows = [by_mode(results["ja"], mode, set=name, converter=own) for own in (False, True) for mode in MODES]
        if any(rows):
            number = next(row for row in rows if row)["recordings"]
            yield f"{name} ({number})", *(f"{rate(row, 'kana').value:.1f}" if row else "-" for row in rows)


def uses(mode: str, settings: dict[str, Any], number: int, latency: int) -> Iterator[str]:
    """What a mode has a pass at a latency for."""
    if settings["pass_number"] == number:
        final = settings["final_latency"]
        if final == latency or (final is None and settings["latency"] == latency):
            yield mode
        elif settings["latency"] == latency:
            yield f"{mode}, before finals"


def latencies(results: dict[str, Results]) -> Iterator[Cells]:
    """Every trained configuration of both passes."""
    names = list(SETS)[:3]
    model = results["ja"]["model"]
    yield "pass", "latency", "new text every", "worst-case delay", "serves", *names
    for way in model["latencies"]:
        number, index = way["pass_number"], way["index"]
        chosen = [use for mode, own in model["modes"].items() for use in uses(mode, own, number, index)]
        rows = [by_pass(results["ja"], number, index, name) for name in names]
        times = f"{way['emit_interval_ms'] / 1000:.1f} s", f"{way['worst_case_delay_ms'] / 1000:.2f} s"
        yield (
            str(number),
            str(index),
            *times,
            ", ".join(chosen),
            *(str(rate(row, "kana")) if row else "-" for row in rows),
        )


def noise(results: dict[str, Results]) -> Iterator[Cells]:
    """Levels of noise, and babble."""
    rows = [row for row in results["ja"]["results"] if row["noise"] is not None]
    number = rows[0]["recordings"] if rows else 0
    yield f"{number} neural sentences", *MODES, *(f"written, {mode}" for mode in MODES)
    for kind, level in dict.fromkeys((row["noise"], row["snr_db"]) for row in rows):
        found = [find(rows, noise=kind, snr_db=level, mode=mode) for mode in MODES]
        kana = (str(rate(row, "kana")) for row in found if row)
        yield f"{kind}, {level} dB", *kana, *(f"{rate(row, 'written').value:.1f}" for row in found if row)


def speed(results: dict[str, Results]) -> Iterator[Cells]:
    """Processor time on one thread."""
    yield "", *MODES
    for text, own in (("with the converter's judgement", True), ("recogniser alone", False)):
        rows = [by_mode(results["ja"], mode, set="synthetic-kokoro", converter=own) for mode in MODES]
        if all(rows):
            yield f"real-time factor, {text}", *(f"{row['rtf']:.4f}" for row in rows if row)


def comparison(results: dict[str, Results], text: str) -> Iterator[Cells]:
    """Recognisers by set."""
    found = results["compare"]["recognisers"]
    yield "recogniser", *(f"{title(row)} ({row['recordings']})" for row in found[0]["results"])
    for one in found:
        rows = [find(one["results"], set=row["set"], noise=row["noise"]) for row in found[0]["results"]]
        yield one["name"], *(str(rate(row, text)) if row else "-" for row in rows)


def losses(results: dict[str, Results]) -> Iterator[Cells]:
    """Where another recogniser makes fewer errors than ja offline, and how many fewer."""
    yield "set", "text", "ja, offline", "other", "points behind"
    ours, others = [], []
    for one in results["compare"]["recognisers"]:
        (ours if one["name"] == "ja, offline" else others).append(one)
    for row in (row for one in ours for row in one["results"]):
        for other in (one for one in others if not one["name"].startswith("ja")):
            same = find(other["results"], set=row["set"], noise=row["noise"])
            for text in ("kana", "written") if same else ():
                own, best = rate(row, text), rate(same or row, text)
                if best.value < own.value:
                    behind = f"{own.value - best.value:.1f}"
                    yield title(row), text, str(own), f"{other['name']} {best}", behind


def recognisers(results: dict[str, Results]) -> Iterator[Cells]:
    """What was compared, how large it is, how long it takes."""
    yield "recogniser", "what", "MB", "RTF, sentences", "RTF, words"
    for one in results["compare"]["recognisers"]:
        times = [find(one["results"], set=name, noise=None) for name in ("synthetic-kokoro", "real-words")]
        cells = (f"{row['rtf']:.3f}" if row else "-" for row in times)
        yield one["name"], one["about"], f"{one['bytes'] / 1e6:.1f}", *cells


def title(row: Row) -> str:
    """A set in the head of a table."""
    return str(row["set"]) if row["noise"] is None else f"{row['noise']} {row['snr_db']} dB"


def calibration(results: dict[str, Results]) -> Iterator[Cells]:
    """Expected calibration errors, where they were measured."""
    yield "expected calibration error", *MODES
    for name, modes in results.get("calibration", {}).items():
        yield name, *(f"{modes[mode]['ece']:.3f}" if mode in modes else "-" for mode in MODES)


TABLES: dict[str, Callable[[dict[str, Results]], Iterator[Cells]]] = {
    "sets": sets,
    "judged": judged,
    "latencies": latencies,
    "noise": noise,
    "speed": speed,
    "calibration": calibration,
    "recognisers": recognisers,
    "compared_kana": lambda results: comparison(results, "kana"),
    "compared_written": lambda results: comparison(results, "written"),
    "losses": losses,
}


PICTURES = {"calibration": "![Share of right tokens against their mean confidence](images/calibration.svg)\n\n"}
"""What stands above a table; only docs/japanese-model.md has this one."""


def block(name: str, results: dict[str, Results]) -> str:
    """A table, or that there are no results for it."""
    rows = list(TABLES[name](results))
    return PICTURES.get(name, "") + markdown(rows) if len(rows) > 1 else "Not measured yet.\n"


def markdown(rows: Sequence[Cells]) -> str:
    """Cells as a table, the first row as its head."""
    lines = [f"| {' | '.join(cells)} |" for cells in rows]
    rule = "|" + " --- |" * (lines[0].count("|") - 1)
    return "\n".join([lines[0], rule, *lines[1:]]) + "\n"


def filled(text: str, results: dict[str, Results]) -> str:
    """A document with its tables made again. Raises KeyError for a table that is not known."""
    return REGION.sub(lambda match: match[1] + block(match[2], results), text)


def main() -> None:
    """Rewrite the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE.md")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    options = parser.parse_args()
    paths = {name: options.results / f"{name}.json" for name in ("ja", "compare", "calibration")}
    results = {name: read(path) for name, path in paths.items() if path.exists()}
    for file in options.files or FILES:
        file.write_text(filled(file.read_text(encoding="utf-8"), results), encoding="utf-8")
        print(file)
    if not options.files:
        PACKAGED.write_bytes(CARD.read_bytes())
        print(PACKAGED)


if __name__ == "__main__":
    main()
