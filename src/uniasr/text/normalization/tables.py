"""Tables that lie as text files beside the code."""

from __future__ import annotations

from importlib import resources


def lines_of(package: str | None, name: str) -> list[str]:
    """Lines of a file of a package, without blank lines and comments."""
    assert package is not None
    text = resources.files(package).joinpath(name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]
