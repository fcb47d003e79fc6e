"""Peak memory of a call: what NumPy and Python allocate, by tracemalloc, to which NumPy reports."""

import tracemalloc


def peak_bytes(function):
    """Most bytes allocated at a time during a call, beyond those before it.

    After a warm-up.  The buffers of BLAS, of constant size, are not seen.
    """
    function()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        function()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
