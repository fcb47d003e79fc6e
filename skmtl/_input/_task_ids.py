"""Task ids of long data, of any hashable type: one a row, in a column of X or beside it.

Ids become an array of plain numbers or of plain strings where that keeps every one of them apart,
else of objects. Tasks are numbered in the sorted order of their ids.

An id is what Python's equality says: 1, 1.0 and np.int64(1) are one task, "1" and "1 " two others.
Ids that people may take for one are told to them, as they are never merged: their readings are
equal, the value of a number however it is written, or a text as the eye sees it: without outer
blanks and invisible characters, with one kind of hyphen.
"""

import re
from decimal import Decimal
from numbers import Real
from unicodedata import category, normalize

import numpy as np

from .._backend import is_foreign, take, to_numpy
from .._numerals import MINUS


def take_task_column(X, task_column):
    """Split a table into its features and its task ids.

    Parameters
    ----------
    X : array-like or data frame of shape (n_samples, n_columns)
    task_column : str or int
        Name (data frames) or position of the column that holds the ids.

    Returns
    -------
    features : same kind as X, without the column
    ids : ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        If there is no such column, if it is the only one, or if an id is missing (NaN or None).
    """
    split = _split_frame if hasattr(X, "columns") else _split_array
    features, column = split(X, task_column)
    if features.shape[1] == 0:
        raise ValueError(
            f"task_column={task_column!r} is the only column of X; at least one feature "
            "(0 feature(s) are left, a minimum of 1 is required) must stand beside it."
        )
    return features, _complete(column, f"column {task_column!r}")


def id_array(ids, name, n_rows, of="task"):
    """Ids that stand beside X as an array of shape (n_rows,); `name` is the parameter.

    Raises
    ------
    ValueError
        If the number of ids is another, or one is missing (NaN or None).
    """
    ids = ids if hasattr(ids, "shape") else objects(ids)
    if tuple(ids.shape) != (n_rows,):
        raise ValueError(
            f"{name} must hold one {of} id a row, of shape ({n_rows},), got {tuple(ids.shape)}."
        )
    return _complete(ids, name, of)


def encode_tasks(ids):
    """Sorted distinct ids (a list) and the number of each id's task.

    Ids that do not compare, as of mixed types, are sorted by type and text.
    """
    if ids.dtype != object:
        return _encode_close_integers(ids) or _encode_sortable(ids)
    tasks = list(dict.fromkeys(ids.tolist()))
    try:
        tasks.sort()
    except TypeError:
        tasks.sort(key=lambda id_: (type(id_).__name__, str(id_)))
    return tasks, lookup_tasks(ids, tasks)


def _encode_sortable(ids):
    tasks, codes = np.unique(ids, return_inverse=True)
    return tasks.tolist(), codes


def _encode_close_integers(ids):
    """The same by counting, without a sort; None where ids are no integers or far apart."""
    if ids.dtype.kind not in "iuf" or ids.size == 0:
        return None
    low, high = float(ids.min()), float(ids.max())
    if not (abs(low) < 2**53 and high - low < ids.size + 1024 and low == int(low)):
        return None
    offsets = (ids - ids.dtype.type(low)).astype(np.intp)
    if not (offsets + low == ids).all():
        return None
    present = np.bincount(offsets) > 0
    tasks = (np.flatnonzero(present) + int(low)).astype(ids.dtype)
    return tasks.tolist(), (np.cumsum(present) - 1)[offsets]


def lookup_tasks(ids, tasks):
    """Number of each id in the list `tasks`, -1 where it is not there."""
    number = {id_: t for t, id_ in enumerate(tasks)}
    return np.array([number.get(id_, -1) for id_ in ids.tolist()], dtype=np.intp)


def same_reading(ids, tasks):
    """The first of the ids that reads as another one in `tasks` does, and that one; or None."""
    if {type(id_) for some in (ids, tasks) for id_ in some} <= {int, float}:
        return None  # numbers that read alike are equal
    read_as = {reading(task): task for task in reversed(tasks)}
    pairs = ((id_, read_as.get(reading(id_), id_)) for id_ in ids)
    return next((pair for pair in pairs if pair[0] != pair[1]), None)


def are_alien(ids, tasks):
    """Whether ids, of which none is in `tasks`, look like a mistake rather than like new tasks.

    They do if they are several, or of another kind: numbers beside text.
    """
    kinds = [{isinstance(id_, Real) for id_ in some} for some in (ids, tasks)]
    return len(ids) > 1 or not kinds[0] <= kinds[1]


_HYPHENS = dict.fromkeys(map(ord, MINUS), "-")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")


def reading(id_):
    """What an id is for the eye: the value of a number or of its spelling, or text as seen."""
    text = id_.decode(errors="replace") if isinstance(id_, bytes) else str(id_)
    if not text.isascii():  # accents apart, wide letters, soft hyphens, marks of direction
        text = normalize("NFKC", text).translate(_HYPHENS)
        text = "".join(letter for letter in text if category(letter) != "Cf")
    text = " ".join(text.split())
    # exact: floats would take two long numbers for one
    return Decimal(text) if _NUMBER.fullmatch(text) else text


def join_tasks(*lists):
    """Sorted distinct ids of several lists, and for each list the numbers of its ids."""
    union, codes = encode_tasks(objects([id_ for ids in lists for id_ in ids]))
    return union, np.split(codes, np.cumsum([len(ids) for ids in lists])[:-1])


def occurrence(codes):
    """How many equal codes stand before each one."""
    order = np.argsort(codes, kind="stable")
    number = np.empty(len(codes), dtype=np.intp)
    number[order] = np.arange(len(codes)) - np.searchsorted(codes[order], codes[order])
    return number


def rows_by_task(codes):
    """(task number, rows) of each task that occurs, -1 among them."""
    order = np.argsort(codes, kind="stable")
    pieces = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
    return [(int(codes[rows[0]]), rows) for rows in pieces if rows.size]


def _split_frame(X, task_column):
    """Features and column of ids of a data frame."""
    names = list(X.columns)
    if isinstance(task_column, (int, np.integer)) and task_column not in names:
        _check_position(task_column, len(names))
        task_column = names[task_column]
    if task_column not in names:
        raise ValueError(f"task_column={task_column!r} is not a column of X, which has {names}.")
    if names.count(task_column) > 1:
        raise ValueError(
            f"task_column={task_column!r} names more than one column of X; rename them."
        )
    return X[[name for name in names if name != task_column]], X[task_column]


def _split_array(X, task_column):
    """Features and column of ids of an array, or of nested lists."""
    X = X if hasattr(X, "shape") else _as_table(X)
    if len(X.shape) != 2:
        raise ValueError(
            f"Expected 2D array, got {len(X.shape)}D array instead: X must be a table."
        )
    if not isinstance(task_column, (int, np.integer)):
        raise ValueError(
            f"task_column={task_column!r} is a name, but X has no column names; give the position "
            "of the column or pass a data frame."
        )
    n_columns = X.shape[1]
    _check_position(task_column, n_columns)
    column = int(task_column) % n_columns
    if is_foreign(X):
        features = take(X, np.delete(np.arange(n_columns), column), axis=1)
    elif column in (0, n_columns - 1):  # a view suffices
        features = X[:, 1:] if column == 0 else X[:, :-1]
    else:
        features = np.delete(X, column, axis=1)
    return features, X[:, column]


def _as_table(X):
    table = np.asarray(X)
    # numbers beside text would become text: keep each cell as it is
    return np.asarray(X, dtype=object) if table.dtype.kind in "US" else table


def _check_position(task_column, n_columns):
    if not -n_columns <= task_column < n_columns:
        raise ValueError(
            f"task_column={task_column} is out of range for X with {n_columns} columns."
        )


def _complete(column, name, of="task"):
    """Array of the ids in a column, of which none may be missing; `name` says where they stand."""
    ids = compact(as_array(column))
    missing = np.flatnonzero(is_missing(ids))
    if missing.size:
        raise ValueError(
            f"the {of} id in {name} is missing in row {missing[0]}; drop such rows or give them "
            "an id of their own."
        )
    return ids


def as_array(column):
    """A 1-D array of any library, or a column of a frame, as a NumPy array."""
    if is_foreign(column):
        return to_numpy(column)
    if isinstance(column, np.ma.MaskedArray):
        return objects(column.tolist())  # None where masked
    if isinstance(column, np.ndarray):
        return column
    # through objects: NumPy would make text of categories and floats of nullable integers
    return np.asarray(column.astype(object) if hasattr(column, "astype") else objects(column))


def objects(ids):
    """An object array of ids as they are."""
    ids = list(ids)
    return np.fromiter(ids, dtype=object, count=len(ids))  # np.array would unpack tuples


def compact(ids):
    """An object array of plain numbers, strings or truth values as an array of that kind."""
    if ids.dtype != object:
        return ids
    cells = ids.tolist()
    kinds = set(map(type, cells))
    if kinds in ({str}, {bool}) or (kinds and kinds <= {int, float}):
        plain = np.array(cells)
        # numpy drops a string's last NULs and the last digits of large integers beside floats
        return plain if plain.tolist() == cells else ids
    return ids


def is_missing(ids):
    """Whether each id is None, NaN or NaT."""
    if ids.dtype.kind in "biuSU":
        return np.zeros(len(ids), dtype=bool)
    if ids.dtype.kind in "fcmM":
        return ids != ids  # NaN and NaT differ from themselves
    return [is_absent(id_) for id_ in ids.tolist()]


def is_absent(id_):
    """Whether one id is None, NaN, NaT or pandas.NA."""
    try:
        return id_ is None or bool(id_ != id_)
    except TypeError:  # pandas.NA is neither equal to itself nor not
        return True
