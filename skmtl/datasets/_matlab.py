"""Real matrices and cells of a MATLAB 5 file (what `save -v6` and `save -v7` write).

An element is a tag (type, size) and its data, padded to 8 bytes; a variable is an element made of
elements: flags, dimensions, name, content.  SciPy's loadmat reads more kinds of file, but a
damaged tag can crash the interpreter.  These files come from the network: every tag is checked.
"""

import math
import struct
import zlib

import numpy as np

HEADER = 128  # text, version, byte order
MATRIX, COMPRESSED = 14, 15  # types of elements
INT8, INT32, UINT32, UTF8 = 1, 5, 6, 16
NUMBERS = dict(zip((1, 2, 3, 4, 5, 6, 7, 9, 12, 13), "b B h H i I f d q Q".split(), strict=True))
CELL, NUMERIC, COMPLEX = 1, range(6, 16), 0x800  # classes of variables, and a flag
LARGEST = 2**28  # bytes of a variable; a compressed one may claim any size
DAMAGED = "it is cut off or damaged"


def read_mat(content, names):
    """Read variables of a MATLAB 5 file.

    Parameters
    ----------
    content : bytes
        The whole file.
    names : iterable of str
        The variables wanted.  Others are skipped.

    Returns
    -------
    variables : list
        In the order of `names`: an ndarray of float64 for a real matrix, and a list of those for a
        cell, column by column.

    Raises
    ------
    ValueError
        If the content is no such file, is cut off or damaged, lacks a variable, or if one is
        anything else (text, a struct, complex or sparse, a cell within a cell).
    """
    order = _byte_order(content)
    found = {}
    for kind, data in _elements(memoryview(content)[HEADER:], order):
        if kind == COMPRESSED:
            kind, data = _decompress(data, order)
        name, flags, shape, rest = _variable(kind, data, order)
        if name in names:
            found[name] = _value(flags, shape, rest, order)
    missing = [name for name in names if name not in found]
    if missing:
        raise ValueError(f"it has no variable {missing[0]!r}, only {sorted(found)}")
    return [found[name] for name in names]


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


def _byte_order(content):
    if content.lstrip()[:1] == b"<":
        raise ValueError("it is a web page, not a MATLAB file")
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    if order is None or content[124:126] not in (b"\x00\x01", b"\x01\x00"):
        raise ValueError(f"it is no MATLAB 5 file, it starts with {content[:20]!r}")
    return order


def _elements(data, order):
    """Yield (type, data) of each element in a row of them."""
    start = 0
    while start < len(data):
        if start + 8 > len(data):
            raise ValueError(DAMAGED)
        kind, size = struct.unpack_from(order + "II", data, start)
        small = kind >> 16  # then the tag is one word: size and type, with the data behind it
        if small:
            kind, size = kind & 0xFFFF, small
        begin = start + (4 if small else 8)
        end = begin + size
        if end > len(data):
            raise ValueError(DAMAGED)
        yield kind, data[begin:end]
        start = end if kind == COMPRESSED else end + (-end % 8)


def _decompress(data, order):
    stream = zlib.decompressobj()
    try:
        content = stream.decompress(data, LARGEST)
    except zlib.error:
        raise ValueError(DAMAGED) from None
    if not stream.eof:
        raise ValueError(DAMAGED)
    elements = list(_elements(memoryview(content), order))
    if len(elements) != 1:
        raise ValueError(DAMAGED)
    return elements[0]


def _variable(kind, data, order):
    """Name, flags and shape of a variable, and the elements that hold its content."""
    if kind != MATRIX:
        raise ValueError(DAMAGED)
    elements = _elements(data, order)
    head = [next(elements, (0, b"")) for _ in range(3)]
    (flags_kind, flags), (shape_kind, shape), (name_kind, name) = head
    # other writers than MATLAB also use the second types
    known = flags_kind == UINT32 and shape_kind in (INT32, UINT32) and name_kind in (INT8, UTF8)
    if not known or len(flags) != 8 or len(shape) < 8 or len(shape) % 4:
        raise ValueError(DAMAGED)
    shape = struct.unpack(f"{order}{len(shape) // 4}i", shape)
    if min(shape) < 0:
        raise ValueError(DAMAGED)
    return bytes(name).decode("utf-8", "replace"), flags, shape, elements


def _value(flags, shape, rest, order, *, nested=False):
    (word,) = struct.unpack_from(order + "I", flags)
    kind, rest = word & 0xFF, list(rest)
    if kind in NUMERIC and not word & COMPLEX:
        return _matrix(shape, rest, order)
    if kind != CELL or nested:
        raise ValueError("it holds something other than real matrices and cells of them")
    if len(rest) != math.prod(shape):
        raise ValueError(DAMAGED)
    cells = [_variable(*element, order) for element in rest]
    return [_value(*cell, order, nested=True) for _, *cell in cells]


def _matrix(shape, rest, order):
    # integers are stored in the smallest type that holds them, whatever the class
    if len(rest) != 1 or rest[0][0] not in NUMBERS:
        raise ValueError(DAMAGED)
    kind, data = rest[0]
    dtype = np.dtype(order + NUMBERS[kind])
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise ValueError(DAMAGED)
    return np.frombuffer(data, dtype).astype(np.float64).reshape(shape, order="F")
