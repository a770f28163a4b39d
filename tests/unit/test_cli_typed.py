"""Lines from standard input: any bytes, in any pieces."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uniasr.cli import typed
from uniasr.errors import OptionError


def lines_of(data, longest=typed.LONGEST):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typed, "LONGEST", longest)
        patch.setattr(typed.sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        return list(typed.typed_lines())


@given(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), st.integers(1, 9))
def test_a_long_line_comes_in_parts_that_break_no_character(text, longest):
    parts = lines_of(text.encode() + b"\n", longest)
    assert "".join(parts) == text


@given(st.binary())
def test_any_bytes_are_lines_or_one_clear_error(data):
    try:
        expected = [line.removesuffix("\n").rstrip("\r") for line in io.StringIO(data.decode(), newline="\n")]
    except UnicodeDecodeError as error:
        number = data[: error.start].count(b"\n") + 1
        with pytest.raises(OptionError, match=f"line {number} is not UTF-8"):
            lines_of(data)
    else:
        assert lines_of(data) == expected
