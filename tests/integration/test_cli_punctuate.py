"""`uniasr punctuate` as people run it: arguments, standard input, pieces, and what goes wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

import uniasr

PACKAGED = Path(uniasr.__file__).parent / "packaged" / "ja-punctuation"
SPOKEN = "今日はいい天気ですね明日は雨が降るそうです"

pytestmark = pytest.mark.skipif(not PACKAGED.is_dir(), reason="no packaged punctuation model in this checkout")


def punctuate(*arguments, given=""):
    return subprocess.run(
        [sys.executable, "-m", "uniasr", "punctuate", "--threads", "1", *arguments],
        input=given.encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_each_argument_gives_a_line():
    done = punctuate(SPOKEN, "あれは何ですか")
    assert (done.returncode, done.stderr) == (0, b"")
    first, second = done.stdout.decode().splitlines()
    assert [first.replace("。", "").replace("、", ""), first[-1]] == [SPOKEN, "。"]
    assert second.rstrip("。？") == "あれは何ですか"


def test_lines_of_standard_input_keep_their_number():
    lines = [SPOKEN, "", "キョーワイイテンキデスネ", "  "]
    done = punctuate(given="\n".join(lines) + "\n")
    found = done.stdout.decode().split("\n")
    assert [bool(line) for line in found] == [True, False, True, False, False]


def test_pieces_that_come_live_are_one_text():
    done = punctuate("--live", given=f"{SPOKEN}\nそれは困ります\n")
    text = done.stdout.decode().replace("\n", "")
    assert "".join(char for char in text if char not in "、。？") == SPOKEN + "それは困ります"
    assert text[-1] in "。？"


def test_bytes_that_are_no_text_are_named_with_their_line():
    done = subprocess.run(
        [sys.executable, "-m", "uniasr", "punctuate", "--threads", "1"],
        input=SPOKEN.encode() + b"\n\xff\xfe\x00\n",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == "uniasr: standard input, line 2 is not UTF-8 text\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--style", "loud", "a"], "style"),
        (["--model", "ja", "a"], "punctuation"),
        (["--model", "no/where", "a"], "no/where"),
        (["--live", "--style", "plain", "a"], "--live"),
        (["--threads", "0", "a"], "threads"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments, said):
    done = punctuate(*arguments)
    assert done.returncode == 2
    assert done.stdout == b""
    (line,) = done.stderr.decode().splitlines()
    assert said in line
