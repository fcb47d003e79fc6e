"""The boundary to hardware: the only package that names cupy, a device or LAPACK."""

from ._inverse import inverse_pd
from ._kernels import (
    SMALL_OFFSET,
    centred_grams,
    centred_table,
    centred_with_ones,
    eigh_psd,
    segment_sum,
    shrink_psd,
    solve_psd,
    sparse_gram,
    whiten_psd,
)
from ._memory import free_memory, require_memory
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
from ._sparse import centred, column_squares, gram, kernel, shift_full_columns
from ._threads import PARALLEL_DIM, few_threads

__all__ = [
    "DEVICES",
    "GPU_WORK",
    "NUMPY",
    "PARALLEL_DIM",
    "SMALL_OFFSET",
    "Place",
    "centred",
    "centred_grams",
    "centred_table",
    "centred_with_ones",
    "column_squares",
    "cuda_is_available",
    "eigh_psd",
    "few_threads",
    "free_memory",
    "gram",
    "inverse_pd",
    "is_foreign",
    "kernel",
    "namespace_of",
    "place_of",
    "require_memory",
    "resolve_device",
    "segment_sum",
    "shift_full_columns",
    "shrink_psd",
    "solve_psd",
    "sparse_gram",
    "take",
    "to_numpy",
    "to_place",
    "whiten_psd",
    "widest_float",
]
