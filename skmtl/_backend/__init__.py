"""The boundary to hardware: the only package that names cupy, a device or LAPACK."""

from ._kernels import (
    SMALL_OFFSET,
    centred_grams,
    centred_table,
    eigh_psd,
    segment_sum,
    shrink_psd,
    solve_psd,
    whiten_psd,
)
from ._places import (
    DEVICES,
    GPU_WORK,
    NUMPY,
    Place,
    cuda_is_available,
    is_foreign,
    namespace_of,
    place_of,
    resolve_device,
    take,
    to_numpy,
    to_place,
    widest_float,
)
from ._threads import PARALLEL_DIM, few_threads

__all__ = [
    "DEVICES",
    "GPU_WORK",
    "NUMPY",
    "PARALLEL_DIM",
    "SMALL_OFFSET",
    "Place",
    "centred_grams",
    "centred_table",
    "cuda_is_available",
    "eigh_psd",
    "few_threads",
    "is_foreign",
    "namespace_of",
    "place_of",
    "resolve_device",
    "segment_sum",
    "shrink_psd",
    "solve_psd",
    "take",
    "to_numpy",
    "to_place",
    "whiten_psd",
    "widest_float",
]
