"""Outcomes as a table for the terminal and as one html page with every alignment."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from uniasr.training.evaluation.errors import Edit, count
from uniasr.training.evaluation.measure import AlignedTexts, Outcome
from uniasr.training.evaluation.units import NORMALISATION

STYLE = """
body { font: 15px/1.6 system-ui, sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: 1em 0 } td, th { padding: .2em .8em; text-align: right }
th { border-bottom: 1px solid #888; font-weight: 600 } td:first-child, th:first-child { text-align: left }
.pair { display: inline-flex; flex-direction: column; text-align: center; vertical-align: top; padding: 0 1px }
.pair span { min-height: 1.5em; min-width: .6em; white-space: pre }
.replace span { background: #ffe9b0 } .delete span:first-child { background: #cfe3ff }
.insert span:last-child { background: #ffc9c9 } .wide .pair { padding: 0 .3em }
details { margin: .4em 0 } summary { cursor: pointer; color: #555 } .key { font-family: monospace }
"""


def table(outcomes: Sequence[Outcome]) -> list[list[str]]:
    """Rows of cells, the header first."""
    names = [score.name for score in outcomes[0].scores] if outcomes else []
    header = ["mode", "latency"]
    for name in names:
        header += [f"{name} %", "95 %", "S", "I", "D", "of"]
    header += ["RTF", "first ms", "final ms"]
    return [header, *map(_row, outcomes)]


def _row(outcome: Outcome) -> list[str]:
    cells = [outcome.mode, str(outcome.latency)]
    for score in outcome.scores:
        counts = score.counts
        cells += [f"{100 * counts.rate:.2f}", f"{100 * score.low:.2f}-{100 * score.high:.2f}"]
        cells += [str(n) for n in (counts.substitutions, counts.insertions, counts.deletions, counts.length)]
    cells.append(f"{outcome.rtf:.3f}")
    for spread in () if outcome.delays is None else (outcome.delays.first_text, outcome.delays.final_text):
        cells.append(f"{spread[0]:.0f} ({spread[1]:.0f})")
    return cells + ["-", "-"] * (outcome.delays is None)


def as_text(rows: Sequence[Sequence[str]]) -> str:
    """Cells in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def page(title: str, outcomes: Sequence[Outcome]) -> str:
    """The html page: the table, then for each mode and latency the utterances, the worst first."""
    rows = table(outcomes)
    head = "".join(f"<th>{escape(cell)}</th>" for cell in rows[0])
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows[1:])
    sections = "".join(map(_section, outcomes))
    note = (
        f"Errors are counted after normalisation {NORMALISATION} (NFKC, lower case, no punctuation). 95 %: bootstrap "
        "over utterances. Delays in ms of audio: median (90th percentile). Upper line: what was said; lower line: what "
        "was recognised. Yellow: another unit, blue: missing, red: too much."
    )
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1><table><tr>{head}</tr>{body}</table><p>{note}</p>{sections}</body></html>\n"
    )


def _section(outcome: Outcome) -> str:
    ordered = sorted(outcome.utterances, key=lambda one: -count(one.edits).rate)
    wide = outcome.scores[0].name == "WER"
    inner = "".join(map(_utterance, ordered))
    return (
        f"<h2>{escape(outcome.mode)}, latency {outcome.latency}</h2><div{' class=wide' if wide else ''}>{inner}</div>"
    )


def _utterance(one: AlignedTexts) -> str:
    counts = count(one.edits)
    pairs = "".join(map(_pair, one.edits))
    return (
        f"<details{' open' if counts.errors else ''}><summary><span class=key>{escape(one.key)}</span> "
        f"{counts.errors} of {counts.length}</summary>{pairs}</details>"
    )


def _pair(edit: Edit) -> str:
    upper, lower = escape(edit.reference) or " ", escape(edit.hypothesis) or " "
    return f'<span class="pair {edit.kind}"><span>{upper}</span><span>{lower}</span></span>'
