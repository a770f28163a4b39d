"""The direction of imports, the lightness of `import uniasr`, and the public names."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import uniasr

ROOT = Path(uniasr.__file__).parent

LAYERS = (
    {"errors"},
    {"types", "bounded", "graph_files"},
    {"configs"},
    {"audio", "features", "text"},
    {"formats", "engines", "decoding", "networks"},
    {"checkpoints"},
    {"hub", "export"},
    {"recognizers"},
    {"training"},
    {"pipeline"},
    {"cli", "serve", "compat"},
    {"__main__"},
)
"""From the bottom up; a module imports from its own package and from lower lines. The root resolves names lazily."""

REACH_DOWN_TO_NETWORKS = {"networks", "engines.torch", "checkpoints.network", "recognizers", "training", "export"}
"""`recognizers` makes the graphs for the torch engine, in a function, where there is PyTorch."""

ENTRY_POINTS = {"cli", "serve", "compat", "__main__"}
HEAVY = {
    "torch",
    "onnxruntime",
    "onnx",
    "safetensors",
    "soundfile",
    "soxr",
    "click",
    "rich",
    "av",
    "yaml",
    "modelscope",
    "huggingface_hub",
    "budoux",
}


def modules():
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), ast.parse(path.read_text(encoding="utf-8"))


def imports(name, tree):
    """Modules of ours that a module imports, without `uniasr.`, and whether only for type checkers."""
    for_types = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for_types.update(id(inner) for statement in node.body for inner in ast.walk(statement))
    for node in ast.walk(tree):
        found = []
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = ["uniasr", *name.split(".")][: -node.level or None]
                base = ".".join([*package, base]).rstrip(".")
            found = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        for target in found:
            if target.startswith("uniasr."):
                yield target.removeprefix("uniasr."), id(node) in for_types


def layer_of(module):
    top = module.split(".")[0]
    for number, names in enumerate(LAYERS):
        if top in names:
            return number
    pytest.fail(f"{module} stands in no layer; add it where it belongs")


def exists(module):
    return (ROOT / module.replace(".", "/")).is_dir() or (ROOT / f"{module.replace('.', '/')}.py").is_file()


def edges():
    for name, tree in modules():
        if name:
            for target, for_types in imports(name, tree):
                if exists(target):
                    yield name, target, for_types


def test_imports_point_down():
    wrong = [
        f"{name} imports {target}"
        for name, target, for_types in edges()
        if name.split(".")[0] != target.split(".")[0] and layer_of(target) >= layer_of(name) and not for_types
    ]
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_only_a_few_places_know_the_networks():
    wrong = [
        f"{name} imports {target}"
        for name, target, for_types in edges()
        if target.split(".")[0] == "networks"
        and not for_types
        and not any(name == place or name.startswith(f"{place}.") for place in REACH_DOWN_TO_NETWORKS)
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_imports_training_or_an_entry_point():
    for name, target, _ in edges():
        top, own = target.split(".")[0], name.split(".")[0]
        assert top != "training" or own in {"training", "cli", "compat"}, f"{name} imports {target}"
        assert top not in ENTRY_POINTS or own in ENTRY_POINTS, f"{name} imports {target}"


def test_the_lowest_modules_import_nothing_of_ours_but_what_is_below_them():
    for name, target, _ in edges():
        if name in ("errors", "types"):
            assert (name, target.split(".")[0]) == ("types", "errors")
        if name.startswith("configs"):
            assert target.split(".")[0] in ("configs", "types", "errors"), f"{name} imports {target}"
        if name.startswith("decoding"):
            assert target.split(".")[0] in ("decoding", "types", "errors"), f"{name} imports {target}"


def test_engines_know_nothing_about_speech():
    for name, target, for_types in edges():
        if name.startswith("engines") and not for_types:
            assert target.split(".")[0] in ("engines", "graph_files", "types", "errors"), f"{name} imports {target}"


def test_torch_is_imported_at_the_top_only_where_networks_are_at_home():
    for name, tree in modules():
        at_top = {
            module.split(".")[0]
            for node in tree.body
            for module in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        if "torch" in at_top:
            home = name.split(".")[0] in {"networks", "training", "export"} or name in {
                "engines.torch",
                "checkpoints.network",
            }
            assert home, f"{name} imports torch at its top"


def test_no_module_imports_itself_in_a_circle():
    graph = {}
    for name, tree in modules():
        at_top = ast.Module([node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)], [])
        graph[name] = {target for target, _ in imports(name, at_top) if exists(target) and target != name}
    done, path = set(), []

    def visit(name):
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name in done or name not in graph:
            return
        path.append(name)
        for target in graph[name]:
            visit(target)
        path.pop()
        done.add(name)

    for name in graph:
        visit(name)


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, uniasr; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not HEAVY & set(loaded)
    assert "numpy" not in loaded


def test_public_names_are_those_that_can_be_imported():
    assert sorted(uniasr.__all__) == sorted(set(uniasr.__all__))
    assert dir(uniasr) == sorted(uniasr.__all__)
    for name in uniasr.__all__:
        home = re.sub(r"(recognizers\.\w+)$", r"\1.model", uniasr._HOMES[name])
        assert name == "Event" or getattr(uniasr, name).__module__ == home
    assert set(uniasr._HOMES) == set(uniasr.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        uniasr.nothing  # noqa: B018 - the access is the test


def test_names_for_type_checkers_are_the_public_names():
    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    for_types = {
        alias.name: node.module
        for branch in tree.body
        if isinstance(branch, ast.If)
        for node in branch.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert for_types == uniasr._HOMES


def test_every_package_states_what_it_is_for():
    for name, tree in modules():
        assert ast.get_docstring(tree), f"uniasr.{name} has no docstring"


def test_names_that_packages_offer_exist():
    for name, tree in modules():
        offers = any(isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__" for node in tree.body)
        if not offers or not name:
            continue
        if name.split(".")[0] in {"networks", "training", "export"}:
            pytest.importorskip("torch")
        module = importlib.import_module(f"uniasr.{name}")
        assert not [public for public in module.__all__ if not hasattr(module, public)]
