"""Real matrices and cells of a MATLAB 5 file: SciPy's loadmat, checked before and after.

Only what is named is read, and only numbers leave: text, structs and objects are refused.  A file
is a header and elements (kind, size, content), of which compressed ones may be small and unpack to
anything, so that they are measured first.
"""

import io
import struct
import zlib

import numpy as np
from scipy.io import loadmat

HEADER = 128  # bytes before the first element, the last two of which tell the order of bytes
COMPRESSED = 15  # kind of an element
LARGEST = 2**26  # bytes of all unpacked elements, several times those of the largest data set here
CHUNK = 2**20  # bytes unpacked at a time


def read_mat(content, names):
    """Read variables of a MATLAB 5 file.

    Parameters
    ----------
    content : bytes
        The whole file.
    names : list of str
        The variables wanted.  Others are skipped.

    Returns
    -------
    variables : list
        In the order of `names`: an ndarray of float64 for a real matrix, and a list of those for a
        cell, column by column.

    Raises
    ------
    ValueError
        If the content is no such file, is cut off or damaged, unpacks to more than `LARGEST` bytes,
        lacks a variable, or if one is anything else (text, a struct, complex or sparse, a cell
        within a cell).
    """
    _check_header(content)
    _check_unpacked_size(content)
    try:
        found = loadmat(io.BytesIO(content), variable_names=names)
    except Exception as error:  # loadmat documents none of the many kinds it raises
        raise ValueError("it is cut off or damaged") from error
    missing = [name for name in names if name not in found]
    if missing:
        raise ValueError(
            f"it has no variable {missing[0]!r}, only {sorted(found.keys() & set(names))}"
        )
    return [_numbers(found[name]) for name in names]


def read_tasks(content, features, labels, *, n_tasks, n_features):
    """Read a multi-task data set kept as a cell of matrices and a cell of columns of labels.

    Parameters
    ----------
    content : bytes
        The whole file.
    features, labels : str
        The names of the two cells, which hold one matrix for each task.
    n_tasks, n_features : int
        What the file should hold.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        The rows of all tasks, one task after the other.
    y : ndarray of shape (n_samples,)
        Their labels.
    task : ndarray of shape (n_samples,), int64
        The place of the task in the cell, from 0.

    Raises
    ------
    ValueError
        As `read_mat`, and if the cells do not fit together or hold a number that is not finite.
    """
    X, y = read_mat(content, [features, labels])
    for name, cell in ((features, X), (labels, y)):
        if not isinstance(cell, list) or len(cell) != n_tasks:
            raise ValueError(f"its {name!r} should be a cell of {n_tasks} matrices, one for a task")
    for t, (block, column) in enumerate(zip(X, y, strict=True)):
        if block.ndim != 2 or block.shape[1] != n_features or block.size == 0:
            raise ValueError(
                f"its {features!r} has shape {block.shape} in task {t}, not (n, {n_features})"
            )
        if column.shape not in ((len(block), 1), (1, len(block))):
            raise ValueError(
                f"its {labels!r} has shape {column.shape} in task {t}, not ({len(block)}, 1)"
            )
        if not (np.isfinite(block).all() and np.isfinite(column).all()):
            raise ValueError(f"it holds NaN or infinity in task {t}")
    sizes = [len(block) for block in X]
    return (
        np.concatenate(X),
        np.concatenate([column.ravel() for column in y]),
        np.repeat(np.arange(n_tasks, dtype=np.int64), sizes),
    )


def _check_header(content):
    if content.lstrip()[:1] == b"<":
        raise ValueError("it is a web page, not a MATLAB file")
    if not content.startswith(b"MATLAB 5"):
        raise ValueError(f"it is no MATLAB 5 file, it starts with {content[:20]!r}")


def _check_unpacked_size(content):
    """Refuse what is too large when unpacked, before any of it is kept."""
    order = "<" if content[HEADER - 2 : HEADER] == b"IM" else ">"
    start, total = HEADER, 0
    while start + 8 <= len(content):
        kind, size = struct.unpack_from(f"{order}2I", content, start)
        start += 8
        if kind == COMPRESSED:
            total += _unpacked_size(content[start : start + size], LARGEST - total)
        if total > LARGEST:
            raise ValueError(f"it unpacks to more than {LARGEST} bytes, and these data have less")
        start += size


def _unpacked_size(packed, most):
    """Bytes that a compressed element unpacks to, counted no further than about `most`."""
    unpacker, size = zlib.decompressobj(), 0
    while packed and size <= most:
        try:
            size += len(unpacker.decompress(packed, CHUNK))
        except zlib.error:
            break  # loadmat reads no further, and says so
        packed = unpacker.unconsumed_tail
    return size


def _numbers(value, *, nested=False):
    """A matrix as float64, a cell as a list of those."""
    value = np.asarray(value)
    if value.dtype == object and not nested:
        return [_numbers(part, nested=True) for part in value.ravel(order="F")]
    if value.dtype.kind not in "biuf":
        raise ValueError("it holds something other than real matrices and cells of them")
    return value.astype(np.float64)
