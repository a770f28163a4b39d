"""`uniasr itn` and `uniasr tn` as processes."""

import json
import subprocess
import sys


def run(*words, text=None):
    command = [sys.executable, "-m", "uniasr", *map(str, words)]
    done = subprocess.run(
        command, input=None if text is None else text, capture_output=True, check=False, env=None, timeout=60
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_arguments_and_standard_input():
    assert run("itn", "三百円", "五反田") == (0, "300円\n五反田\n", "")
    assert run("tn", text="300円\r\n\n7月".encode()) == (0, "三百円\n\n七月\n", "")


def test_spans_and_whitelist(tmp_path):
    (tmp_path / "list").write_text("三百円\tさんびゃく\n", encoding="utf-8")
    code, out, _ = run("itn", "三百円と五円", "--spans", "--whitelist", tmp_path / "list")
    result = json.loads(out)
    assert (code, result["text"]) == (0, "さんびゃくと5円")
    assert result["spans"][0] == {"source_start": 0, "source_end": 3, "start": 0, "end": 5, "kind": "whitelist"}


def test_errors_are_one_line():
    for words, text, part in (
        (("itn", "--language", "xx"), b"", "'xx'"),
        (("tn", "--whitelist", "nowhere", "a"), b"", "nowhere"),
        (("itn",), b"\xff\n", "line 1"),
    ):
        code, out, err = run(*words, text=text)
        assert (code, out) == (2, "")
        assert part in err
        assert err.startswith("uniasr: ")
        assert err.count("\n") == 1
