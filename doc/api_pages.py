"""Sphinx extension: a page of the API reference for each public package, from its `__all__`.

A name is documented once, in the package that defines it; the page of `skmtl` itself links there.
"""

import importlib
import importlib.util
import inspect
import re
import shutil
from pathlib import Path

SUBPACKAGES = (
    "linear_model",
    "neural_network",
    "model_selection",
    "metrics",
    "baselines",
    "preprocessing",
    "datasets",
    "inspection",
    "losses",
    "penalties",
    "solvers",
    "balancing",
    "asymptotics",
    "simulation",
)
# scikit-learn's metadata routing: the same on every estimator, and its text links to their guide
ROUTING = re.compile(r"set_\w+_request|get_metadata_routing")


def setup(app):
    # config-inited comes before Sphinx looks for source files, builder-inited after
    app.connect("config-inited", write_pages)
    app.connect("autodoc-skip-member", skip_routing)
    return {"parallel_read_safe": True}


def write_pages(app, config):
    folder = Path(app.srcdir) / "api"
    shutil.rmtree(folder, ignore_errors=True)  # the page of a name that is gone breaks the build
    folder.mkdir()
    modules = [importlib.import_module(f"skmtl.{name}") for name in SUBPACKAGES if exists(name)]
    modules = [module for module in modules if public_names(module)]
    for module in modules:
        (folder / f"{module.__name__}.rst").write_text(module_page(module), encoding="utf-8")
    (folder / "index.rst").write_text(index_page(modules), encoding="utf-8")


def exists(name):
    spec = importlib.util.find_spec(f"skmtl.{name}")
    return spec is not None and spec.origin is not None  # a folder without __init__ has no origin


def public_names(module):
    names = getattr(module, "__all__", ())
    return sorted(name for name in names if callable(getattr(module, name)))


def module_page(module):
    return "\n".join(
        [
            title(module.__name__),
            inspect.getdoc(module) or "",
            "",
            f".. currentmodule:: {module.__name__}",
            "",
            ".. autosummary::",
            "   :toctree: generated",
            "   :nosignatures:",
            "",
            *(f"   {name}" for name in public_names(module)),
            "",
        ]
    )


def index_page(modules):
    import skmtl

    home = {
        name: f"~{module.__name__}.{name}" for module in modules for name in public_names(module)
    }
    return "\n".join(
        [
            title("API reference"),
            "These names can be imported from `skmtl` itself:",
            "",
            ".. autosummary::",
            "   :nosignatures:",
            "",
            *(f"   {home[name]}" for name in public_names(skmtl) if name in home),
            "",
            "All public names, by package:",
            "",
            ".. toctree::",
            "   :maxdepth: 2",
            "",
            *(f"   {module.__name__}" for module in modules),
            "",
        ]
    )


def title(text):
    return f"{text}\n{'=' * len(text)}\n"


def skip_routing(app, what, name, obj, skip, options):
    return True if ROUTING.fullmatch(name) else None
