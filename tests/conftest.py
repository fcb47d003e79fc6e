"""Places where numerical tests run, and a stand-in for a GPU."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # two workers share the cores
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["SCIPY_ARRAY_API"] = "1"  # read when scipy is imported, so before anything that does

import array_api_compat
import array_api_strict
import numpy as np
import pytest

from skmtl import _backend

# kernels get by with the standard's core: no mask as an index, no shape that depends on values
STRICT = {
    "boolean_indexing": False,
    "data_dependent_shapes": False,
    "enabled_extensions": ("linalg",),
}
DEVICE1 = array_api_strict.Device("device1")  # NumPy refuses its arrays, as it refuses a GPU's


class ArrayPlace:
    """Calling it makes an array there; `place` is its (namespace, device) in skmtl._backend."""

    def __init__(self, place, *, read_only=False):
        self.place, self.read_only = place, read_only
        self.xp = place.xp

    def __call__(self, x):
        array = self.xp.asarray(np.array(x), device=self.place.device)
        if self.read_only:
            array.flags.writeable = False
        return array


def _numpy():
    return ArrayPlace(_backend.NUMPY)


def _read_only_numpy():
    return ArrayPlace(_backend.NUMPY, read_only=True)


def _strict_device1():
    return ArrayPlace(strict_place())


def _cupy():
    if not _backend.cuda_is_available():
        pytest.skip("cupy is not installed or sees no GPU")
    return ArrayPlace(_backend.resolve_device("cuda", np.zeros((1, 1))))


def strict_place():
    return _backend.Place(array_api_compat.array_namespace(array_api_strict.asarray(0.0)), DEVICE1)


PLACES = {
    "numpy": _numpy,
    "numpy-readonly": _read_only_numpy,
    "strict-device1": _strict_device1,
    "cupy": _cupy,
}


@pytest.fixture(params=PLACES, ids=str)
def xp_place(request):
    """Each place where arrays may lie."""
    place = PLACES[request.param]()
    with array_api_strict.ArrayAPIStrictFlags(**STRICT):
        yield place


@pytest.fixture
def fake_gpu(monkeypatch):
    """Let fits with device="auto" on NumPy input compute where NumPy cannot read.

    The real resolver speaks first, so that a wrong `device` is still refused.
    """
    resolve = _backend.resolve_device
    there = strict_place()

    def resolve_device(device, X, work=0.0):
        place = resolve(device, X, work)
        return there if device == "auto" and place == _backend.NUMPY else place

    monkeypatch.setattr(_backend, "resolve_device", resolve_device)
    with array_api_strict.ArrayAPIStrictFlags(**STRICT):
        yield there


@pytest.fixture
def rng():
    return np.random.default_rng(0)
