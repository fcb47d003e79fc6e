"""BLAS threads: one for small matrices."""

import threading
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

PARALLEL_DIM = 2048  # below this matrix size a second BLAS thread costs more than it brings
_limiting = threading.Lock()


@contextmanager
def few_threads(dim):
    """Context in which BLAS runs one thread if matrices are of size `dim` < 2048.

    numpy and scipy bring a BLAS each; at small sizes two pools of threads spin against one
    another. The limit is the process's, so of fits that overlap one sets and lifts it, and the
    others leave it alone: each restoring what it found would leave the limit behind.
    """
    if dim >= PARALLEL_DIM or not _limiting.acquire(blocking=False):
        yield
        return
    try:
        with _controller().limit(limits=1, user_api="blas"):
            yield
    finally:
        _limiting.release()


@cache
def _controller():
    # kept: limiting takes 10 us, finding the libraries 50 times that
    return ThreadpoolController()
