"""The documentation says what the code does: commands, options, tables, links; its Python blocks run."""

import ast
import dataclasses
import json
import os
import re
import shutil
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PACKAGED = ROOT / "src" / "uniasr" / "packaged"
MODEL, SAMPLE = PACKAGED / "ja", PACKAGED / "samples" / "ja.wav"
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "recipes/**/*.md", "src/**/*.md", "tests/**/*.md")
    for path in ROOT.glob(pattern)
)
EXECUTED = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]


def name_of(path):
    return str(path.relative_to(ROOT))


def blocks(path, language):
    """Fenced blocks whose info string is exactly `language`."""
    found = re.findall(rf"^```{re.escape(language)}\n(.*?)^```$", path.read_text(encoding="utf-8"), re.M | re.S)
    return [block.rstrip("\n") for block in found]


def without_code(text):
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))


def table_rows(text):
    """Cells of all table rows, header and separator lines included."""
    return [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]


@pytest.fixture(scope="session")
def packaged():
    """The packaged model and its sample: may be absent altogether, but not in part."""
    if not PACKAGED.is_dir() or not any(PACKAGED.iterdir()):
        pytest.skip("no packaged model in this checkout")
    assert (MODEL / "model.yaml").is_file(), f"{MODEL} is missing or incomplete"
    assert SAMPLE.is_file(), f"{SAMPLE} is missing"
    return MODEL


# README and CI


def test_readme_opens_with_a_sentence_and_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    opening = text.split("\n## ")[0]
    assert re.match(r"# uniasr\n\n`uniasr` [^.]*\.\n\n", opening)
    install_and_use, install_and_test = re.findall(r"^```sh\n(.*)\n```$", opening, re.M)
    assert re.fullmatch(rf"pip install \. && uniasr transcribe {re.escape(name_of(SAMPLE))}", install_and_use)
    assert re.fullmatch(r"pip install torch==[\d.]+ '\.\[test\]' && python -m pytest", install_and_test)


def test_ci_runs_the_two_commands_of_the_readme_and_the_tests_last():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    steps = re.findall(r'^step "(.*)"$', script.read_text(encoding="utf-8"), re.M)
    first, second = blocks(ROOT / "README.md", "sh")[:2]
    assert steps[0] == first
    assert steps[-1] == second


def test_pending_numbers_are_filled_in_before_a_release(packaged):
    card = yaml.safe_load((packaged / "model.yaml").read_text(encoding="utf-8")).get("card") or {}
    if not card.get("released"):
        pytest.skip("the packaged model's card does not say `released: true`")
    pending = [name_of(path) for path in PAGES if "PENDING" in path.read_text(encoding="utf-8")]
    assert pending == [], "pages with PENDING numbers"


# Links


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            assert target.startswith("https://"), target
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(linked), target


def anchors(page):
    """Anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_of_the_documentation_is_linked_from_its_index():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    linked = {(ROOT / "docs" / target).resolve() for target in re.findall(r"\]\(([^)#\s]+)\)", index)}
    assert set((ROOT / "docs").glob("**/*.md")) - linked == {ROOT / "docs" / "index.md"}


# Code blocks


@pytest.mark.parametrize("page", [page for page in EXECUTED if blocks(page, "python")], ids=name_of)
def test_python_blocks_run(page, packaged, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("speech.wav", "a.wav", "b.wav"):
        shutil.copyfile(SAMPLE, name)
    Path("wav.scp").write_text("first a.wav\nsecond b.wav\n", encoding="utf-8")
    namespace = {}
    for number, block in enumerate(blocks(page, "python"), start=1):
        exec(compile(block, f"{name_of(page)}, block {number}", "exec"), namespace)


@pytest.mark.parametrize("page", EXECUTED, ids=name_of)
def test_blocks_that_are_not_run_are_python_all_the_same(page):
    assert not re.search(r"^```(py|python)\b(?! no-run$|$)", page.read_text(encoding="utf-8"), re.M)
    for block in blocks(page, "python no-run"):
        ast.parse(block)


# What the code knows better


def test_every_command_and_option_is_documented():
    click = pytest.importorskip("click")
    cli = pytest.importorskip("uniasr.cli.app").cli
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    commands = dict(cli.commands)
    for group in [command for command in cli.commands.values() if isinstance(command, click.Group)]:
        commands |= {f"{group.name} {name}": command for name, command in group.commands.items()}
    for name, command in commands.items():
        assert all(word in text for word in f"uniasr {name}".split())
        assert command.help, f"{name} has no help"
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{name} {option.opts[0]} has no help"
                assert f"`{option.opts[0]}`" in text, f"docs/cli.md says nothing about {name} {option.opts[0]}"
    known = {opt for command in commands.values() for option in command.params for opt in option.opts}
    mentioned = {row[0].strip("`") for row in table_rows(text) if row[0].startswith("`--")}
    assert mentioned <= known, "options that no command has"


def test_imports_are_those_of_the_architecture_table():
    rows = table_rows((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
    allowed = {
        re.match(r"`(\w+)`", row[0])[1]: set(re.findall(r"`(\w+)`(?!\))", re.sub(r"\([^)]*\)", "", row[1])))
        for row in rows
        if re.fullmatch(r"`\w+`", row[0])
    }
    package = ROOT / "src" / "uniasr"
    parts = {path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert set(allowed) == parts - {"__init__", "__main__"}
    for path in package.rglob("*.py"):
        own = Path(path.relative_to(package).parts[0]).stem
        if own in allowed:
            assert imported_parts(path, parts) - {own} <= allowed[own], name_of(path)


def imported_parts(path, parts):
    """The parts of the package that a module imports, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "uniasr":
            names = [node.module] if "." in node.module else [f"uniasr.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("uniasr.")}
    return found & parts


def test_the_latencies_of_the_packaged_model_are_the_documented_ones(packaged):
    import uniasr

    rows = table_rows((ROOT / "docs" / "streaming.md").read_text(encoding="utf-8"))
    documented = [tuple(int(cell.removesuffix(" ms")) for cell in row) for row in rows if row[0].isdigit()]
    assert documented == [
        (one.index, one.pass_number, one.emit_interval_ms, one.look_ahead_ms, one.worst_case_delay_ms)
        for one in uniasr.load_model(packaged).latencies
    ]


def test_every_published_model_is_in_the_table_of_its_family():
    from uniasr.hub import published

    text = (ROOT / "docs" / "families" / "uniasr.md").read_text(encoding="utf-8")
    lines = [" ".join(row[:2]) for row in table_rows(text)]
    for model in published():
        assert any(model.language in line and str(model.vocabulary) in line for line in lines), model.name


# Files


def test_the_schema_of_transcripts_is_that_of_the_types():
    """A field more or less in one of them is a fault; so is a document that the schema refuses."""
    from uniasr.types import Hypothesis, Segment, Token, Transcript

    schema = json.loads((ROOT / "docs" / "transcript.schema.json").read_text(encoding="utf-8"))
    for kind, part in (
        (Transcript, schema),
        *((kind, schema["$defs"][kind.__name__.lower()]) for kind in (Segment, Token, Hypothesis)),
    ):
        names = [field.name for field in dataclasses.fields(kind)]
        names += ["confidence"] * (kind in (Transcript, Segment))
        assert [name for name in part["properties"] if name != "key"] == part["required"] == names
    jsonschema = pytest.importorskip("jsonschema")
    from uniasr.formats import render

    token, hypothesis = Token("ミ", 3, 0, 60, float("nan")), Hypothesis((3,), float("-inf"), "ミ")
    transcript = Transcript("ミ", (Segment(0, 0, 60, "ミ", (token,), (hypothesis,)),), 60)
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    validator.validate(json.loads(render(transcript, "json")))
    assert not validator.is_valid({"text": "ミ", "segments": [], "duration_ms": -1})


# Graphs


def documented_graphs():
    """For each graph of docs/graphs.md its lines: name, direction, letters of the shape."""
    text = (ROOT / "docs" / "graphs.md").read_text(encoding="utf-8")
    graphs = {}
    for section in text.split("\n## ")[1:]:
        heading = section.splitlines()[0]
        rows = [row for row in table_rows(section) if len(row) == 4 and row[1].startswith(("in", "out"))]
        for graph in re.findall(r"`(\w+)`", heading):
            graphs[graph] = [(row[0].strip("`"), row[1], row[2], row[3].strip("`[]").split(", ")) for row in rows]
    return graphs


def documented_shape(look_back):
    from small_config import small_config
    from uniasr.configs.frontend import FrontendConfig
    from uniasr.configs.uniasr import ChunkConfig

    chunk = ChunkConfig(size=4, stride=2, pad_left=1, look_back=look_back)
    return small_config(
        FrontendConfig(n_mels=4, lfr_m=3, lfr_n=2),
        (chunk,),
        vocab_size=40,
        encoder_sizes={"num_blocks": 2},
        ctc_heads=True,
    )


@pytest.mark.torch
@pytest.mark.parametrize("look_back", [0, 2])
def test_graphs_are_the_documented_ones(look_back):
    pytest.importorskip("torch")
    from uniasr.configs.fsmn_vad import FsmnConfig
    from uniasr.networks.fsmn_vad import FsmnVadNetwork
    from uniasr.networks.graphs import fsmn_vad_graphs, uniasr_graphs
    from uniasr.networks.uniasr import UniasrNetwork

    graphs = {
        **uniasr_graphs(UniasrNetwork(documented_shape(look_back)).eval()),
        **fsmn_vad_graphs(FsmnVadNetwork(FsmnConfig(fsmn_layers=2)).eval()),
    }
    documented = documented_graphs()
    assert set(graphs) == set(documented)
    for name, graph in graphs.items():
        lines = [line for line in documented[name] if look_back or "look-back" not in line[1]]
        assert [line[0] for line in lines if line[1].startswith("in")] == list(graph.inputs), name
        assert [line[0] for line in lines if line[1].startswith("out")] == list(graph.outputs), name
        arguments = graph.example()
        results = graph.module(*arguments)
        results = results if isinstance(results, tuple) else (results,)
        for (tensor, _, kind, letters), value in zip(lines, [*arguments, *results], strict=True):
            where = f"{name}: {tensor}"
            assert str(value.dtype) == f"torch.{kind}", where
            assert len(letters) == value.ndim, where
            varying = {axis: letter for axis, letter in enumerate(letters) if letter in "CKPSUBW"}
            assert varying == graph.axes.get(tensor, {}), where
