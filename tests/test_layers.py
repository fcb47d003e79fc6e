"""Which module may import which: the layers of the package, read from its imports."""

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import skmtl

ROOT = Path(skmtl.__file__).parent
BOUNDARY = {"_backend", "_registry", "_checks"}
DATA = {
    "_classifier",
    "_data",
    "_input",
    "_numerals",
    "base",
    "metrics",
    "datasets",
    "_moments",
    "_splitters",
}
MATHS = {"losses", "penalties", "balancing", "asymptotics"}
SOLVERS = {"solvers", "clustering", "covariance"}
LAYERS = (BOUNDARY, DATA, MATHS, SOLVERS)  # what is in none of them is at the top
FRIENDS = {"asymptotics": {"losses", "penalties"}}  # imports within the layer of maths
ENTRY = {"_cli", "__main__"}  # may import the package itself, for its version
HARDWARE = {"cupy", "cupyx", "torch", "jax", "array_api_compat", "array_api_strict", "lapack"}


def read_package(root=ROOT):
    """Syntax tree of each module, by its dotted name without the package's."""
    trees = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        trees[name] = (ast.parse(path.read_text(encoding="utf-8")), path.name == "__init__.py")
    return trees


def imports_of(module, tree, is_package, *, nested=True):
    """(target, name) of each import: target relative to the package if inside it, else absolute."""
    for node in ast.walk(tree) if nested else tree.body:
        if isinstance(node, ast.Import):
            yield from (_inside(alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                home = module.split(".") if module else []
                home = home[: len(home) - node.level + is_package]
                base = ".".join(["skmtl", *home, *filter(None, [base])])
            yield from (_inside(base, alias.name) for alias in node.names)


def _inside(target, name):
    if target == "skmtl":
        return (f"skmtl:{name}" if name else "skmtl:"), None
    if target.startswith("skmtl."):
        return "skmtl:" + target.removeprefix("skmtl."), name
    return target, name


def violations(trees):
    """One sentence for each import that the layers forbid."""
    found = []
    for module, (tree, is_package) in trees.items():
        for target, name in imports_of(module, tree, is_package):
            reason = _refuse(module, target, name)
            if reason:
                found.append(f"{module or 'skmtl'} imports {target}, {name}: {reason}")
    return found


def _refuse(module, target, name):
    if target.split(".")[0] in ("tests", "conftest", "_samplers", "_properties"):
        return "tests import the package, not the other way round"
    if not target.startswith("skmtl:"):
        words = {*target.split("."), name}
        return (
            "only _backend knows hardware"
            if words & HARDWARE and module.split(".")[0] != "_backend"
            else None
        )
    target = target.removeprefix("skmtl:")
    room, other = module.split(".")[0], target.split(".")[0]
    if module == "" or room == other:
        return None
    if other not in rooms():
        return None if room in ENTRY else "the package itself is above all of its modules"
    mine, theirs = _layer(room), _layer(other)
    if theirs > mine:
        return "imports go downwards"
    if mine == 2 and theirs in (1, 2) and other not in FRIENDS.get(room, ()):
        return "maths takes arrays and knows neither data nor its neighbours"
    if mine == 3 and theirs == 2 and name and name[0].isupper():
        return "solvers take objects and name no class"
    if mine == 4 and theirs in (2, 3, 4) and any(p.startswith("_") for p in _path(target, name)):
        return "only public names of other packages"
    return None


def _path(target, name):
    return [*target.split(".")[1:], *([name] if name else [])]


def _layer(room):
    return next((k for k, layer in enumerate(LAYERS) if room in layer), len(LAYERS))


@cache
def rooms():
    """Packages and modules at the first level, those of the plan included."""
    return {path.stem for path in ROOT.iterdir()} | set().union(*LAYERS)


def test_imports_go_down_the_layers_and_meet_public_names_only():
    assert violations(read_package()) == []


@pytest.mark.parametrize(
    "module, line, reason",
    [
        ("_backend", "from ._data import TaskData", "downwards"),
        ("base", "from .linear_model import MultiTaskRidge", "downwards"),
        ("losses._own", "from .._data import TaskData", "maths"),
        ("penalties._own", "from ..losses import SquaredError", "maths"),
        ("losses._own", "from ..solvers import solve", "downwards"),
        ("solvers._own", "from ..penalties import SharedSpecific", "no class"),
        ("solvers._own", "def f():\n    from ..linear_model import MultiTaskRidge", "downwards"),
        ("linear_model._own", "from ..solvers._arrow import solve_arrow", "public"),
        ("model_selection._own", "from ..linear_model._base import LinearRegressorMixin", "public"),
        ("linear_model._own", "from skmtl.model_selection import _split", "public"),
        ("linear_model._own", "import skmtl", "above"),
        ("datasets._own", "from .. import MultiTaskRidge", "above"),
        ("linear_model._own", "import cupy as cp", "hardware"),
        ("solvers._own", "from scipy.linalg import lapack", "hardware"),
        ("metrics", "from tests import _samplers", "tests"),
    ],
)
def test_a_forbidden_import_is_found(module, line, reason):
    found = violations({module: (ast.parse(line), False)})
    assert len(found) == 1
    assert reason in found[0]


@pytest.mark.parametrize(
    "module, line",
    [
        ("linear_model._own", "from ..model_selection import MultiTaskKFold"),
        ("linear_model._own", "from ._base import LinearRegressorMixin"),
        ("linear_model._own", "from .._data import TaskData"),
        ("solvers._own", "from .._backend import take"),
        ("asymptotics._own", "from ..losses import LOSSES"),
        ("_cli", "from . import __version__"),
        ("base", "from . import _backend"),
    ],
)
def test_an_allowed_import_is_not_found(module, line):
    assert violations({module: (ast.parse(line), False)}) == []


def import_graph(trees):
    """Modules that each module needs to be imported first, from its imports at module level."""
    graph = {module: set() for module in trees}
    for module, (tree, is_package) in trees.items():
        for target, name in imports_of(module, tree, is_package, nested=False):
            target = target.removeprefix("skmtl:") if target.startswith("skmtl:") else None
            if target is None:
                continue
            deeper = f"{target}.{name}" if target and name else target
            needed = deeper if deeper in trees else target
            if needed in trees and needed != module and needed:
                graph[module].add(needed)
    return graph


def test_no_module_needs_itself():
    list(TopologicalSorter(import_graph(read_package())).static_order())


def test_a_cycle_is_found():
    trees = {
        "base": (ast.parse("from .metrics import f"), False),
        "metrics": (ast.parse("from . import base"), False),
    }
    with pytest.raises(CycleError):
        list(TopologicalSorter(import_graph(trees)).static_order())


def docstrings(tree):
    """Nodes that are docstrings."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, kinds) and node.body and isinstance(node.body[0], ast.Expr):
            yield node.body[0].value


def hardware_names(tree):
    """Names, attributes and strings, docstrings aside, that speak of hardware."""
    said = set(docstrings(tree))
    words = ("cupy", "lapack", "dposv", "device1")
    for node in ast.walk(tree):
        text = getattr(node, "id", None) or getattr(node, "attr", None)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in said:
            text = node.value
        if isinstance(text, str) and any(word in text.lower() for word in words):
            yield text


def test_only_the_backend_names_hardware():
    trees = read_package()
    found = {m: list(hardware_names(tree)) for m, (tree, _) in trees.items()}
    assert {m.split(".")[0] for m, names in found.items() if names} == {"_backend"}
