"""Draws the pictures of docs/japanese-model.md from the results of evaluate.py, compare.py and calibrate.py.

pip install matplotlib
python plots.py [--log RUN/log.jsonl --event 10000=speech] [--results results] [--images ../../docs/images]

`results` holds ja.json, compare.json, calibration.json and curve.json; what is not there is not drawn. --log makes
curve.json from the log of a run.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes
from measured import MODES, SETS, Row, by_pass, find, rate, read

BLACK, ORANGE, BLUE, GREEN, RED, PURPLE = "#222222", "#e69f00", "#0072b2", "#009e73", "#d55e00", "#cc79a7"
"""Of Okabe and Ito, told apart by people who see fewer colours."""
PASS = {1: ORANGE, 2: BLUE}
MODE = {"fast": ORANGE, "normal": GREEN, "offline": BLUE}
SET = dict(zip(SETS, (BLUE, GREEN, ORANGE, PURPLE, BLACK, RED), strict=True))
OTHERS = (BLACK, PURPLE)
MARK = {1: "o", 2: "s"}
EVERY = 200
"""Steps that a point of the learning curve is the mean of."""
STYLE = {
    "svg.fonttype": "none",  # text stays text: small files, sharp at any size
    "svg.hashsalt": "uniasr",  # the same results, the same file
    "font.family": ["DejaVu Sans", "sans-serif"],
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "axes.axisbelow": True,
    "legend.frameon": False,
}


def thinned(log: Path, events: Sequence[str]) -> dict[str, Any]:
    """Means of a log over `EVERY` steps; a step that was run again after a stop counts once."""
    steps = {entry["step"]: entry for entry in map(json.loads, log.read_text(encoding="utf-8").splitlines())}
    bins: dict[int, list[Row]] = defaultdict(list)
    for step, entry in steps.items():
        bins[-(-step // EVERY) * EVERY].append(entry)
    names = ("attention1", "attention2", "accuracy1", "accuracy2")
    points = {name: [float(np.mean([one[name] for one in bins[step]])) for step in sorted(bins)] for name in names}
    marks = [{"step": int(event.split("=")[0]), "what": event.split("=")[1]} for event in events]
    return {"steps": sorted(bins), **{name: np.round(values, 4).tolist() for name, values in points.items()}} | {
        "events": marks
    }


def learning(curve: dict[str, Any], folder: Path) -> None:
    """Training loss and token errors of both passes."""
    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.6))
    for number, colour in PASS.items():
        wrong = 100 * (1 - np.array(curve[f"accuracy{number}"]))
        axes[0].plot(curve["steps"], curve[f"attention{number}"], color=colour, label=f"pass {number}")
        axes[1].plot(curve["steps"], wrong, color=colour, label=f"pass {number}")
    axes[0].set(title="Decoder loss", ylabel="nats per token", yscale="log")
    axes[1].set(title="Wrong tokens, given the right ones before", ylabel="%", yscale="log")
    for axis, ticks in zip(axes, ((0.2, 0.5, 1, 2, 4), (5, 10, 20, 50, 100)), strict=True):
        plain_ticks(axis, "y", ticks)
        plain_ticks(axis, "x", range(0, curve["steps"][-1] + 1, 4000))
        axis.set_xlabel("training step (about 180 s of audio each)")
        for event in curve["events"]:
            axis.axvline(event["step"], color="#999999", linewidth=0.8, linestyle=":")
            text = {"rotation": 90, "va": "top", "ha": "right", "fontsize": 8, "color": "#666666"}
            axis.text(event["step"], 0.98, event["what"], transform=axis.get_xaxis_transform(), **text)
    axes[0].legend(loc="lower left")
    save(figure, folder / "learning.svg")


def delay(results: dict[str, Any], folder: Path) -> None:
    """CER against worst-case delay: every configuration of both passes of the one model."""
    figure, axis = pyplot.subplots(figsize=(7.5, 4.2))
    for name in list(SETS)[:3]:
        for number in (1, 2):
            ways = [one for one in results["model"]["latencies"] if one["pass_number"] == number]
            points = [(one["worst_case_delay_ms"] / 1000, by_pass(results, number, one["index"], name)) for one in ways]
            rates = [(seconds, rate(row, "kana")) for seconds, row in points if row is not None]
            axis.errorbar(
                [seconds for seconds, _ in rates],
                [one.value for _, one in rates],
                np.hstack([one.around for _, one in rates]) if rates else None,
                marker=MARK[number],
                markerfacecolor=SET[name] if number == 2 else "white",
                color=SET[name],
                capsize=2,
                linewidth=1.2,
                elinewidth=0.8,
                label=f"{name}, pass {number}",
            )
    axis.set(title="Kana errors and delay: one model, six configurations", xscale="log", ylim=(0, None))
    axis.set(xlabel="worst-case delay of the text, s", ylabel="CER in kana, % (bars: 95 % intervals)")
    plain_ticks(axis, "x", [one["worst_case_delay_ms"] / 1000 for one in results["model"]["latencies"]], "{:.1f}")
    axis.legend(fontsize=8, loc="upper right", ncols=3)
    top = axis.get_ylim()[1]
    axis.set_ylim(0, 1.25 * top)
    save(figure, folder / "delay.svg")


def noise(results: dict[str, Any], folder: Path) -> None:
    """CER against the level of noise, and babble."""
    figure, axis = pyplot.subplots(figsize=(7.5, 4.2))
    rows = [row for row in results["results"] if row["noise"] == "noise"]
    if not rows:
        return
    levels = sorted({row["snr_db"] for row in rows}, reverse=True)
    for mode, colour in MODE.items():
        rates = [rate(found, "kana") for level in levels if (found := find(rows, mode=mode, snr_db=level))]
        bars = np.hstack([one.around for one in rates])
        shift = 0.25 * (MODES.index(mode) - 1)
        axis.errorbar(
            [level + shift for level in levels],
            [one.value for one in rates],
            bars,
            color=colour,
            marker="o",
            capsize=2,
            linewidth=1.2,
            elinewidth=0.8,
            label=f"{mode}, noise",
        )
        if babble := find(results["results"], noise="babble", mode=mode):
            one = rate(babble, "kana")
            place = [babble["snr_db"] + shift]
            style = {"marker": "X", "markersize": 8, "linestyle": "none", "elinewidth": 0.8}
            axis.errorbar(place, [one.value], one.around, color=colour, capsize=2, label=f"{mode}, babble", **style)
    number = rows[0]["recordings"]
    axis.set(
        title=f"Kana errors in noise ({number} synthetic sentences)", xlabel="speech over noise, dB", ylim=(0, None)
    )
    axis.set(ylabel="CER in kana, % (bars: 95 % intervals)", xticks=levels)
    axis.invert_xaxis()
    axis.legend(fontsize=8, loc="upper left")
    save(figure, folder / "noise.svg")


def comparison(results: dict[str, Any], folder: Path) -> None:
    """Real and synthetic sets, ours and others, in kana and written."""
    figure, axes = pyplot.subplots(1, 2, figsize=(10, 4.2))
    shown = [one for one in results["recognisers"] if one["name"] != "ja, normal"]
    colours = iter(OTHERS)
    ours = {f"ja, {mode}": colour for mode, colour in MODE.items()}
    groups = [(row["set"], row["noise"]) for row in shown[0]["results"]]
    width = 0.8 / len(shown)
    for i, recogniser in enumerate(shown):
        colour = ours.get(recogniser["name"]) or next(colours)
        for axis, name in zip(axes, ("kana", "written"), strict=True):
            rows = [find(recogniser["results"], set=group, noise=kind) for group, kind in groups]
            places = [j + (i - (len(shown) - 1) / 2) * width for j, row in enumerate(rows) if row]
            rates = [rate(row, name) for row in rows if row]
            heights, bars = [one.value for one in rates], np.hstack([one.around for one in rates])
            style = {"ecolor": "#555555", "capsize": 1.5, "error_kw": {"elinewidth": 0.8}}
            axis.bar(places, heights, width, yerr=bars, color=colour, label=recogniser["name"], **style)
    for axis, title in zip(axes, ("Kana", "Written"), strict=True):
        axis.set(title=title, ylabel="CER, % (bars: 95 % intervals)")
        axis.set_xticks(range(len(groups)), [label(*group) for group in groups], fontsize=8)
        axis.grid(visible=False, axis="x")
        axis.set_ylim(0, min(105, axis.get_ylim()[1]))
    axes[1].legend(loc="upper left", fontsize=9)
    save(figure, folder / "comparison.svg")


def label(name: str, kind: str | None) -> str:
    """A set on two lines."""
    if kind is not None:
        return f"kokoro,\n{kind}\n10 dB"
    return name.replace("-", "\n")


def calibration(results: dict[str, Any], folder: Path) -> None:
    """Share of right tokens against their mean confidence, per mode; of all sets together if the file has that."""
    names = [name for name in results if name.startswith("all")] or list(results)
    figure, axes = pyplot.subplots(1, len(names), figsize=(3.4 * len(names), 3.6), squeeze=False, sharey=True)
    for axis, name in zip(axes[0], names, strict=True):
        axis.plot([0, 1], [0, 1], color="#999999", linewidth=0.8, linestyle=":")
        for mode, found in results[name].items():
            bins = np.array([one for one in found["bins"] if one[2]])
            text = f"{mode}, ECE {found['ece']:.3f}"
            axis.plot(bins[:, 0], bins[:, 1], color=MODE.get(mode, BLACK), marker="o", markersize=4, label=text)
        axis.set(title=name, xlabel="mean confidence", xlim=(0, 1.02), ylim=(0, 1.02), aspect="equal")
        axis.legend(fontsize=7, loc="upper left")
    axes[0][0].set_ylabel("share of right tokens")
    save(figure, folder / "calibration.svg")


def plain_ticks(axis: Axes, which: str, ticks: Sequence[float], form: str = "{:g}") -> None:
    """These ticks alone, in plain numbers."""
    side = axis.xaxis if which == "x" else axis.yaxis
    side.set_major_locator(mpl.ticker.FixedLocator(list(ticks)))
    side.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: form.format(value)))
    side.set_minor_locator(mpl.ticker.NullLocator())


def save(figure: pyplot.Figure, path: Path) -> None:
    """The picture, without a date."""
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
    print(path, f"{path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Draw what there are results for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = Path(__file__).parent
    parser.add_argument("--results", type=Path, default=here / "results")
    parser.add_argument("--images", type=Path, default=here.parents[1] / "docs" / "images")
    parser.add_argument("--log", type=Path)
    parser.add_argument(
        "--event", action="append", default=[], metavar="STEP=WHAT", help="a line in the learning curve"
    )
    options = parser.parse_args()
    pyplot.rcParams.update(STYLE)
    options.images.mkdir(parents=True, exist_ok=True)
    if options.log:
        text = json.dumps(thinned(options.log, options.event))
        (options.results / "curve.json").write_text(text + "\n", encoding="utf-8")
    pictures: dict[str, Sequence[Callable[[dict[str, Any], Path], None]]] = {
        "curve": (learning,),
        "ja": (delay, noise),
        "compare": (comparison,),
        "calibration": (calibration,),
    }
    for name, draw in pictures.items():
        path = options.results / f"{name}.json"
        if not path.exists():
            print(f"{path}: not there, nothing drawn")
            continue
        for picture in draw:
            picture(read(path), options.images)


if __name__ == "__main__":
    main()
