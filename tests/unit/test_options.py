"""Options of a call: whatever makes no sense is refused with a sentence before any work."""

import pytest

from uniasr.errors import OptionError
from uniasr.types import ENDPOINT_RULES, DecodingOptions

INFINITE, NOT_A_NUMBER = float("inf"), float("nan")


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("beam_size", (0, 2.0, True, "5", 10**9), "whole number from 1 to 1000"),
        ("nbest", (0, True, 10**9), "whole number from 1 to 1000"),
        *((name, (0, -1, True, "3", None, INFINITE, NOT_A_NUMBER), "seconds") for name in ("segment_s", "pause_s")),
        ("max_segment_s", (0, True, "3", INFINITE, NOT_A_NUMBER, 2e6), "positive number of seconds, at most 1e.06"),
        ("pause_s", (1e7,), "positive number of seconds, at most 1e.06"),
        ("refresh_ms", (0, -5, True, "3", INFINITE, NOT_A_NUMBER), "positive number of milliseconds"),
        ("endpoint", (ENDPOINT_RULES[0], (), 5, True, "default", ("a",)), "tuple of EndpointRule"),
        ("penalty", (True, "1", INFINITE, 1e308, 10**400), "number of at most"),
        ("lm_weight", (True, None, NOT_A_NUMBER), "number of at most"),
    ],
)
def test_values_that_make_no_sense(name, values, said):
    for value in values:
        with pytest.raises(OptionError, match=f"{name} is .*{said}"):
            DecodingOptions(**{name: value})


def test_values_that_make_sense():
    DecodingOptions(beam_size=1000, nbest=1000, segment_s=1, refresh_ms=3000, endpoint=ENDPOINT_RULES, penalty=-1)
