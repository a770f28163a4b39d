"""Where the reference's recorded numbers lie; tests that need them are skipped on machines that do not have them."""

from pathlib import Path

import pytest


def shared_dir() -> Path:
    """The folder of recorded material beside the checkout; skips the test if there is none."""
    path = Path(__file__).parents[2] / "shared"
    if not path.is_dir():
        pytest.skip("no folder of recorded reference material beside the checkout")
    return path


def golden(name: str) -> Path:
    """One file or folder of recorded reference numbers; skips the test if it is not there."""
    path = shared_dir() / "golden" / name
    if not path.exists():
        pytest.skip(f"no recorded reference numbers {name}")
    return path


@pytest.fixture(name="shared_dir")
def _shared_dir():
    return shared_dir()


@pytest.fixture(name="golden")
def _golden():
    return golden
