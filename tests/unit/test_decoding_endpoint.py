"""Endpoint rules against a loop, for any way of cutting the rows into calls."""

from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uniasr.decoding.endpoint import EndpointCarry, find_endpoint
from uniasr.errors import OptionError
from uniasr.types import ENDPOINT_RULES, EndpointRule

AFTER, BEFORE, LENGTH = ENDPOINT_RULES


def by_loop(speech, row_ms, rules):
    """Rows and names of all endpoints."""
    found, length, silence, spoken = [], 0, 0, False
    for row, active in enumerate(speech):
        length, silence, spoken = length + 1, 0 if active else silence + 1, spoken or active
        for rule in rules:
            enough = silence >= ceil(rule.silence_ms / row_ms) and length >= ceil(rule.length_ms / row_ms)
            if enough and (spoken or not rule.after_speech):
                found.append((row, rule.name, silence))
                length, silence, spoken = 0, 0, False
                break
    return found


def by_steps(speech, row_ms, rules, cuts):
    found, carry, start = [], EndpointCarry(), 0
    for end in [*sorted(cuts), len(speech)]:
        while start < end:
            carry, endpoint = find_endpoint(carry, np.array(speech[start:end], bool), row_ms, rules)
            if endpoint is None:
                start = end
            else:
                found.append((start + endpoint.row, endpoint.rule.name, endpoint.silence))
                start += endpoint.row + 1
    return found


rules = st.lists(
    st.builds(
        EndpointRule,
        name=st.sampled_from("abc"),
        silence_ms=st.integers(0, 600),
        length_ms=st.integers(1, 2000),
        after_speech=st.booleans(),
    ),
    max_size=4,
)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 12)), max_size=12),
    st.sampled_from([10.0, 60.0, 120.0]),
    rules,
    st.lists(st.integers(0, 144), max_size=4),
)
def test_endpoints_are_those_of_a_loop(stretches, row_ms, rules, cuts):
    speech = [active for active, count in stretches for _ in range(count)]
    cuts = [min(cut, len(speech)) for cut in cuts]
    assert by_steps(speech, row_ms, rules, cuts) == by_loop(speech, row_ms, rules)


def test_the_three_rules():
    """Rows of 100 ms."""
    talk, quiet = [True] * 10, [False] * 60
    carry, endpoint = find_endpoint(EndpointCarry(), np.array(quiet), 100.0, ENDPOINT_RULES)
    assert (endpoint.row, endpoint.rule, carry) == (49, BEFORE, EndpointCarry())
    _, endpoint = find_endpoint(EndpointCarry(), np.array(quiet[:30] + talk + quiet), 100.0, ENDPOINT_RULES)
    assert (endpoint.row, endpoint.rule, endpoint.silence) == (51, AFTER, 12)
    _, endpoint = find_endpoint(EndpointCarry(), np.array(talk * 30), 100.0, ENDPOINT_RULES)
    assert (endpoint.row, endpoint.rule) == (199, LENGTH)
    assert find_endpoint(EndpointCarry(), np.array(talk), 100.0, ()) == (EndpointCarry(10, 0, True), None)
    assert find_endpoint(EndpointCarry(3, 1, True), np.zeros(0, bool), 100.0, ENDPOINT_RULES) == (
        EndpointCarry(3, 1, True),
        None,
    )


@pytest.mark.parametrize("wrong", [{}, {"silence_ms": -1.0}, {"length_ms": float("nan")}])
def test_rules_that_mean_nothing_are_option_errors(wrong):
    with pytest.raises(OptionError, match="'mine'"):
        EndpointRule(name="mine", **wrong)
