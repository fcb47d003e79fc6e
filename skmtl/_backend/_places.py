"""Where arrays live: namespaces, devices and transfers.

A `Place` is a (namespace, device) pair; `NUMPY` is the default one.
"""

import multiprocessing
from functools import cache
from typing import Any, NamedTuple

import array_api_compat
import numpy as np
from array_api_compat import numpy as numpy_namespace
from scipy.sparse import issparse

DEVICES = ("auto", "cpu", "cuda")
GPU_WORK = 1e10  # flops from which "auto" thinks a transfer to the GPU worth while


class Place(NamedTuple):
    """An array-API namespace and a device of it."""

    xp: Any
    device: Any


NUMPY = Place(numpy_namespace, "cpu")


def is_foreign(x):
    """Whether `x` is an array of an array-API library other than NumPy."""
    return array_api_compat.is_array_api_obj(x) and not array_api_compat.is_numpy_array(x)


def is_sparse(x):
    """Whether `x` is a sparse table, as it is or as if it were centred."""
    return hasattr(x, "toarray")


def namespace_of(*arrays):
    """Array-API namespace of the arrays."""
    if isinstance(arrays[0], np.ndarray):
        return numpy_namespace
    return array_api_compat.array_namespace(*arrays)


def place_of(x):
    """Place of an array; NUMPY for everything that is not a foreign array."""
    if isinstance(x, np.ndarray) or not is_foreign(x):
        return NUMPY
    return Place(array_api_compat.array_namespace(x), array_api_compat.device(x))


def resolve_device(device, X, work=0.0):
    """Place where a fit on `X` is computed.

    Foreign arrays stay where they lie.  For NumPy input "cpu" is NumPy, "cuda" is cupy, and
    "auto" is cupy if a GPU is there, `work` (flops) is worth the transfer and this is no worker
    process.

    Raises
    ------
    ValueError
        If `device` is unknown, or is "cuda" where no GPU can be used.
    """
    if device not in DEVICES:
        raise ValueError(f"device must be one of {list(DEVICES)}, got {device!r}.")
    if is_foreign(X):
        return place_of(X)
    if device == "cuda":
        if issparse(X):
            raise ValueError('device="cuda" takes no sparse X; make it dense, or use device="cpu".')
        if not cuda_is_available():
            raise ValueError(
                'device="cuda" needs cupy and a CUDA GPU, and none was found; install '
                'skmtl[cuda12] or skmtl[cuda13], or use device="cpu".'
            )
        return _cupy_place()
    if issparse(X):
        return NUMPY
    in_worker = multiprocessing.parent_process() is not None
    if device == "auto" and work >= GPU_WORK and not in_worker and cuda_is_available():
        return _cupy_place()
    return NUMPY


@cache
def cuda_is_available():
    """Whether cupy imports and sees a GPU."""
    try:
        import cupy
    except ImportError:
        return False
    return bool(cupy.cuda.is_available())


def _cupy_place():
    import cupy
    from array_api_compat import cupy as cupy_namespace

    return Place(cupy_namespace, cupy.cuda.Device())


def to_place(x, place, dtype=None):
    """Copy or view of `x` as an array at `place`, floating `dtype` by name if given."""
    dtype = None if dtype is None else getattr(place.xp, dtype)
    if is_sparse(x):
        return x if dtype is None else x.astype(dtype, copy=False)
    if place.xp is numpy_namespace:
        return np.asarray(to_numpy(x), dtype=dtype)
    if is_foreign(x) and place_of(x) == place:
        return x if dtype is None else place.xp.astype(x, dtype, copy=False)
    return place.xp.asarray(to_numpy(x), dtype=dtype, device=place.device)


def to_numpy(x):
    """`x` as a NumPy array on the CPU."""
    if isinstance(x, np.ndarray):
        return x
    if not is_foreign(x):
        return np.asarray(x)
    try:
        return np.from_dlpack(x, device="cpu")
    except (AttributeError, TypeError, NotImplementedError, BufferError, ValueError):
        pass  # numpy < 2.1, or a library that does not copy across devices by DLPack
    try:
        return np.asarray(array_api_compat.to_device(x, "cpu"))
    except ValueError:  # its CPU has another name
        return np.from_dlpack(x)


def take(X, index, axis=0):
    """Rows or columns of an array at its own place; `index` is a NumPy index array."""
    if isinstance(X, np.ndarray) and axis == 0 and X.ndim == 2:
        return _take_rows(X, index)
    if isinstance(X, np.ndarray) or is_sparse(X):
        return X[index] if axis == 0 else X[:, index]
    place = place_of(X)
    return place.xp.take(X, place.xp.asarray(index, device=place.device), axis=axis)


def _take_rows(X, index):
    """X[index] by numpy.take, which copies whole rows, of X or of the table it is columns of."""
    table, first = X, 0
    if _is_column_slice(X):
        table = X.base
        first = (X.ctypes.data - table.ctypes.data) // X.itemsize
    if not table.flags.c_contiguous:
        return X[index]
    return table.take(index, axis=0)[:, first : first + X.shape[1]]


def _is_column_slice(X):
    table = X.base
    return (
        isinstance(table, np.ndarray)
        and table.dtype == X.dtype
        and table.ndim == 2
        and table.strides == X.strides
        and len(table) == len(X)
        and 0 < X.shape[1] < table.shape[1] < 2 * X.shape[1] + 8  # a row is mostly of X
    )


def widest_float(place):
    """Name of the widest floating type that the place offers."""
    if place.xp is numpy_namespace:
        return "float64"
    info = place.xp.__array_namespace_info__()
    return "float64" if "float64" in info.dtypes(device=place.device) else "float32"
