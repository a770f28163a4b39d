"""The Japanese recipe's results and the documents that repeat them; one short measurement by its command."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "recipes" / "ja"
DATA = ROOT.parent / "shared" / "data"


@pytest.fixture
def tables(monkeypatch):
    monkeypatch.syspath_prepend(str(RECIPE))
    import tables

    return tables


def test_every_table_of_the_documents_is_made_from_the_committed_results(tables):
    results = {path.stem: json.loads(path.read_text()) for path in (RECIPE / "results").glob("*.json")}
    for file in tables.FILES:
        text = file.read_text(encoding="utf-8")
        assert "<!-- table: " in text, file
        assert tables.filled(text, results) == text, f"run recipes/ja/tables.py: {file} is not what it writes"


def test_the_packaged_card_is_the_recipes(tables):
    assert tables.PACKAGED.read_bytes() == tables.CARD.read_bytes()


def test_an_unknown_table_is_an_error_and_other_text_stays(tables):
    assert tables.filled("<!-- table: none -->", {}) == "<!-- table: none -->"
    with pytest.raises(KeyError, match="none"):
        tables.filled("<!-- table: none -->\n<!-- /table -->", {})


def test_evaluate_writes_every_set_mode_and_latency(tmp_path):
    for module in ("rapidfuzz", "scipy"):
        pytest.importorskip(module)
    if not DATA.is_dir():
        pytest.skip("the corpora are not beside this checkout")
    command = [
        sys.executable,
        str(RECIPE / "evaluate.py"),
        "--data",
        str(DATA),
        "--hts-dev",
        str(DATA / "ja_synth_dev"),
    ]
    options = ["--limit", "1", "--latencies", "all", "--json", str(tmp_path / "ja.json")]
    subprocess.run([*command, *options], check=True, capture_output=True)
    found = json.loads((tmp_path / "ja.json").read_text())["results"]
    assert len({(row["set"], row["mode"], row["latency"]) for row in found}) == 4 * 7
    assert all({"kana", "written", "numbers"} <= set(row) and row["rtf"] > 0 for row in found)
