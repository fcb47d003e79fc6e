"""`info`: versions, backend and device."""

import platform
import re
import sys
from importlib import metadata

import numpy as np

from .. import __version__
from .._backend import cuda_is_available, resolve_device

PACKAGES = ("numpy", "scipy", "scikit-learn", "joblib", "pandas", "matplotlib")


def run_info(options):
    """Print them."""
    place = resolve_device("cuda" if cuda_is_available() else "cpu", np.empty((1, 1)))
    rows = versions() | {
        "backend": place.xp.__name__.rpartition(".")[2],
        "device": str(place.device),
    }
    sys.stdout.write("".join(f"{name:<{max(map(len, rows))}}  {rows[name]}\n" for name in rows))


def versions():
    """Versions of Python, of this package and of those that it uses; None where not installed."""
    found = {"skmtl": __version__, "python": platform.python_version()}
    found |= {name: _version(name) for name in PACKAGES}
    return found | {name: _version(name) for name in _gpu_packages() if _version(name)}


def _gpu_packages():
    """What the extras for GPUs install."""
    try:
        requirements = metadata.requires("skmtl") or []
    except metadata.PackageNotFoundError:
        return []
    return [re.match(r"[\w.-]+", line)[0] for line in requirements if 'extra == "cuda' in line]


def _version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
