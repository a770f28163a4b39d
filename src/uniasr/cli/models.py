"""The models that can be loaded here, and those that are published."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from uniasr.cli.sinks import put
from uniasr.hub import DEFAULTS, available, published, resolve


def run() -> None:
    """Print both tables. Their lines are not wrapped, so that names can be copied and searched."""
    here = available()
    put("Models on this machine (for --model, or give any model directory):\n\n")
    rows = [
        (
            item.name + (" (default)" if item.name in DEFAULTS else ""),
            item.purpose,
            item.source,
            str(item.directory),
        )
        for item in here
    ]
    put(_table(("name", "for", "from", "directory"), rows) if rows else "  none\n")
    found = {item.name for item in here}
    put("\nPublished UniASR models (named by the hub; `uniasr models --download NAME` fetches one):\n\n")
    put(
        _table(
            ("name", "language", "tokens", "rate", "here"),
            (
                (
                    item.name,
                    item.language,
                    str(item.vocabulary),
                    f"{item.sample_rate_hz // 1000} kHz",
                    "yes" if item.name in found else "no",
                )
                for item in published()
            ),
        )
    )


def fetch(name: str) -> None:
    """Download a model that is not here yet, and print its directory.

    Raises ModelNotFoundError for a name of no hub and where downloads are forbidden, ModelError when the download
    fails, MissingExtraError without a client.
    """
    put(f"{resolve(name, download=True)}\n")


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "".join(
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n"
        for line in lines
    )
