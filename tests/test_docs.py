"""Docstrings of every public name, their examples, and the code of the README."""

import doctest
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import skmtl

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
README = Path(__file__).parents[1] / "README.md"


def modules(*, private):
    """Every module of the package by name; without those whose name, or package's, is private."""
    names = ["skmtl", *(m.name for m in pkgutil.walk_packages(skmtl.__path__, "skmtl."))]
    names = [name for name in names if not name.endswith("__main__")]
    return [n for n in names if private or not any(p.startswith("_") for p in n.split("."))]


def public_names():
    """(id, object) of what each public module lists; classes and functions."""
    found = {}
    for module in map(importlib.import_module, modules(private=False)):
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                found[f"{module.__name__}.{name}"] = value
    return found


def sections(docstring):
    """Text below each underlined title of a numpydoc docstring, by title."""
    parts = re.split(r"^(\S.*)\n(-{3,})\n", inspect.cleandoc(docstring or ""), flags=re.MULTILINE)
    return {"Summary": parts[0]} | dict(zip(parts[1::3], parts[3::3], strict=True))


def documented_parameters(text):
    """Names at the margin of a Parameters section, several to a line or one."""
    heads = re.findall(r"^([\w*][\w*, ]*)(?: :.*)?$", text, flags=re.MULTILINE)
    return [name.strip(" *") for head in heads for name in head.split(",")]


def parameters(obj):
    return [name for name in inspect.signature(obj).parameters if name not in ("self", "cls")]


PUBLIC = public_names()
every_public_name = pytest.mark.parametrize("obj", PUBLIC.values(), ids=PUBLIC.keys())


@pytest.mark.parametrize("name", modules(private=False))
def test_public_modules_have_a_header_and_list_their_names(name):
    module = importlib.import_module(name)
    assert module.__doc__, name
    assert module.__all__, name
    assert sorted(set(module.__all__)) == sorted(module.__all__)
    for public in module.__all__:
        assert hasattr(module, public)


@pytest.mark.parametrize("name", modules(private=True))
def test_every_module_says_what_it_is(name):
    module = importlib.import_module(name)
    assert module.__doc__ and len(module.__doc__.splitlines()) <= 12


def is_record(obj):
    """Whether it is a named tuple: what a function returns, described by its Attributes."""
    return inspect.isclass(obj) and hasattr(obj, "_fields")


@every_public_name
def test_public_names_are_documented_with_an_example(obj):
    parts = sections(obj.__doc__)
    assert parts["Summary"].strip()
    assert is_record(obj) or ">>>" in parts.get("Examples", ""), "no example"


@every_public_name
def test_every_parameter_is_documented_and_no_other(obj):
    parts = sections(obj.__doc__)
    documented = documented_parameters(parts.get("Parameters", ""))
    if inspect.isclass(obj) and not documented:  # not made by users
        documented = documented_parameters(parts.get("Attributes", ""))
    else:
        assert set(documented) <= set(parameters(obj))
    assert set(parameters(obj)) <= set(documented)


@pytest.mark.parametrize("name", [n for n in skmtl.__all__ if inspect.isclass(getattr(skmtl, n))])
def test_estimators_list_their_attributes_and_objective(name):
    parts = sections(getattr(skmtl, name).__doc__)
    assert {"Parameters", "Attributes", "Notes", "Examples"} <= set(parts)
    for method in ("fit", "predict", "score"):
        text = sections(getattr(getattr(skmtl, name), method).__doc__)
        assert {"Parameters", "Returns"} <= set(text), method


@every_public_name
def test_public_methods_are_documented(obj):
    if not inspect.isclass(obj):
        return
    for name, method in inspect.getmembers(obj, inspect.isfunction):
        if not name.startswith("_") and method.__module__.startswith("skmtl"):
            assert inspect.getdoc(method), name


@pytest.mark.slow
@pytest.mark.parametrize("name", modules(private=True))
def test_examples_of_docstrings_run(name):
    module = importlib.import_module(name)
    result = doctest.testmod(module, optionflags=OPTIONS)
    assert result.failed == 0


def test_a_wrong_example_is_found():
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    assert doctest.DocTestRunner(verbose=False).run(wrong, out=lambda text: None).failed == 1


def python_blocks(text):
    return re.findall(r"^```(?:python|py)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(not README.exists(), reason="no README beside the tests")
def test_code_of_the_readme_runs():
    names = {"__name__": "readme"}
    for block in python_blocks(README.read_text(encoding="utf-8")):
        if ">>>" in block:
            example = doctest.DocTestParser().get_doctest(block, names, "README.md", None, 0)
            assert doctest.DocTestRunner(optionflags=OPTIONS).run(example).failed == 0
        else:
            exec(compile(block, "README.md", "exec"), names)
