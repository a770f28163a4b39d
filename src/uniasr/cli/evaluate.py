"""`uniasr evaluate`: error rates, delays and speed of a model on a set with transcripts."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from uniasr.cli.options import model_options
from uniasr.cli.training import put, say

if TYPE_CHECKING:
    from uniasr.training.data.manifest import Entry, Listing
    from uniasr.training.evaluation.measure import Outcome


@click.command()
@click.option(
    "--data",
    required=True,
    metavar="DIR",
    help="A set {wav.scp,text}, or a folder with test or dev; development sets of known corpora.",
)
@click.option("--modes", default="fast,normal,offline", show_default=True, metavar="M,M", help="Modes to measure.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="The first N utterances only.")
@click.option("--no-delays", is_flag=True, help="Do not measure delays, for which everything runs as a stream again.")
@click.option(
    "--readings/--no-readings",
    default=None,
    help="Also count katakana of the readings.  [default: for Japanese where it is possible]",
)
@click.option("--report", metavar="FILE.html", help="Write every alignment as a page to read.")
@click.option("--json", "json_file", metavar="FILE", help="Write the numbers.")
@click.option("--skip-bad", is_flag=True, help="Leave out utterances that cannot be used instead of stopping.")
@click.option("--beam-size", type=int, metavar="N", help="1 is greedy search.  [default: the model's]")
@click.option(
    "--latency", metavar="all|INDEX,INDEX", help="Indexes of trained latencies, or all.  [default: the modes' own]"
)
@model_options("the packaged Japanese model")
def evaluate(  # noqa: PLR0913 - one parameter per option
    data: str,
    modes: str,
    limit: int | None,
    no_delays: bool,
    readings: bool | None,
    report: str | None,
    json_file: str | None,
    skip_bad: bool,
    beam_size: int | None,
    latency: str | None,
    model: str | None,
    device: str,
    backend: str,
    threads: int | None,
) -> None:
    """Measure a model: error rates with 95 % intervals, real-time factor, delays.

    CER counts characters, WER words where the transcripts have them, kCER katakana of Japanese readings. `first ms` is
    how long after a speaker begins the first text comes, `final ms` how long after the last word it never changes
    again: median and, in brackets, 90th percentile, in ms of audio.
    """
    from uniasr.formats.files import check_writable, write_text
    from uniasr.recognizers import load_model
    from uniasr.training.data.layouts import read_test
    from uniasr.training.evaluation.errors import edit_finder
    from uniasr.training.evaluation.measure import measure, plan, units_for
    from uniasr.training.evaluation.report import as_text, page, table
    from uniasr.training.evaluation.units import kana_only

    edit_finder()  # what is missing is told before the work
    for file in (report, json_file):
        if file is not None:
            check_writable(Path(file))
    entries = _usable(read_test(Path(data)), skip_bad, limit)
    recogniser = load_model(model, device, backend, threads)
    units = units_for([entry.text for entry in entries], readings=readings)
    script = "kana" if all(kana_only(entry.text) for entry in entries) else None
    options: dict[str, Any] = {"output": script} | ({} if beam_size is None else {"beam_size": beam_size})
    outcomes: list[Outcome] = []
    for mode, index in plan(recogniser, modes.split(","), latency):
        say(f"{mode}, latency {index} ...")
        outcome = measure(
            recogniser, entries, mode, index, units=units, delays=not no_delays, known=outcomes, **options
        )
        outcomes.append(outcome)
    put(as_text(table(outcomes)))
    if report is not None:
        write_text(Path(report), page(f"{recogniser.directory} on {data}", outcomes))
    if json_file is not None:
        write_text(Path(json_file), json.dumps([outcome.to_dict() for outcome in outcomes], indent=1))


def _usable(listing: Listing, skip_bad: bool, limit: int | None) -> list[Entry]:
    """The first `limit` entries whose audio can be read, whatever its length."""
    from uniasr.errors import DataError
    from uniasr.training.data.check import Limits, Report, measured

    report = Report(list(listing.problems))
    found = measured(listing.entries, Limits(min_s=0.0, max_s=float("inf")), report)
    entries = [entry for entry, _ in islice(found, limit)]
    report.settle(skip_bad=skip_bad)
    for note in report.notes:
        say(note)
    if not entries:
        raise DataError("no utterance is left to measure on; give a set whose recordings can be read")
    return entries
