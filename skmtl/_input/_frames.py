"""Tables as people have them: cells of any type become what NumPy reads as numbers.

A missing cell (None, NaN, NaT, pandas.NA) is NaN.  Dates, times and durations are refused, as NumPy
would count them in a unit that nobody chose, and NaT as the smallest integer.
"""

from datetime import date, time, timedelta
from numbers import Number

import numpy as np

from ._task_ids import as_array, is_absent, is_missing

DURATION = "durations", "as a number of hours"
TIME = "times of day", "as hours since midnight"
DATE = "dates", "as days since a start"
TEMPORAL_CELLS = (  # the first that fits counts
    ((timedelta, np.timedelta64), DURATION),
    (time, TIME),
    ((date, np.datetime64), DATE),
)
PLAIN_CELLS = (Number, np.generic, str, bytes, type(None))  # NumPy reads them, or says no


def is_frame(X):
    """Whether X has columns of types of their own."""
    return hasattr(X, "columns") and hasattr(X, "dtypes")


def check_collected(name, X):
    """Refuse a table whose rows are not there yet, or are those of no array or frame."""
    if isinstance(X, dict) and not hasattr(X, "shape"):  # as sparse ones by keys have
        raise TypeError(f"{name} is a dict, but must be a table; pass pandas.DataFrame({name}).")
    if hasattr(X, "collect") and not hasattr(X, "shape"):
        raise TypeError(f"{name} is a LazyFrame, which holds no rows yet; pass {name}.collect().")
    if hasattr(X, "to_pandas") and not hasattr(X, "dtypes") and hasattr(X, "columns"):  # Arrow's
        kind = type(X).__name__
        raise TypeError(f"{name} is a {kind} of Arrow, which is not read; pass {name}.to_pandas().")


def check_frame(name, X):
    """Refuse such a frame, or one of which two columns have one name."""
    check_collected(name, X)
    if not is_frame(X):
        return
    names = list(X.columns)
    if len(set(names)) < len(names):
        twice = next(label for label in names if names.count(label) > 1)
        raise ValueError(
            f"{name} has {names.count(twice)} columns named {twice!r}; give each column a name of "
            "its own, or drop one."
        )


def as_numbers(name, X):
    """X, or an array in its place, with NaN for every missing cell that NumPy would stumble over.

    Parameters
    ----------
    name : str
        What errors call it.
    X : array-like or data frame, 1-D or 2-D

    Raises
    ------
    TypeError
        If X holds dates, times or durations, or is a lazy frame, a dict or a table of Arrow's.
    ValueError
        If two columns have one name, or X is a list whose items differ in shape.
    """
    if isinstance(X, np.ma.MaskedArray):
        _refuse_dates(X.dtype, f"{name} holds")
        return X.astype(np.float64).filled(np.nan)
    if isinstance(X, (list, tuple)):
        X = array_of_list(name, X)
    if isinstance(X, np.ndarray):
        return X if X.dtype.kind in "biufcUS" else _array_numbers(name, X)
    check_frame(name, X)
    if is_frame(X):
        return _frame_numbers(name, X)
    return _column_numbers(X, f"{name} holds") if hasattr(X, "dtype") and _ndim(X) == 1 else X


def unreadable(name, X):
    """(where, what) the first cell is that NumPy reads as no number, or None."""
    if is_frame(X):
        columns = {f"column {c!r} of {name}": as_array(X[c]) for c in X.columns}
    else:
        cells = np.asarray(X, dtype=object)
        columns = {name: cells}
        if cells.ndim == 2 and cells.shape[1] > 1:
            columns = {f"column {j} of {name}": column for j, column in enumerate(cells.T)}
    for where, cells in columns.items():
        cell = next((cell for cell in cells.ravel().tolist() if not _is_readable(cell)), None)
        if cell is not None:
            text = isinstance(cell, (str, bytes))
            return where, "text" if text else f"{type(cell).__name__} objects"
    return None


def _is_readable(cell):
    try:
        float(cell)
    except (TypeError, ValueError):
        return not hasattr(cell, "__len__") and is_absent(cell)
    return True


def array_of_list(name, X):
    """A list, or a tuple, as an array where NumPy makes one of it and no text of its numbers."""
    if X and _is_table(X[0]):
        raise ValueError(
            f"{name} is a list of {len(X)} tables, but must be one array or frame; a table for "
            "each task becomes one X and y by skmtl.model_selection.from_task_lists."
        )
    try:
        array = np.asarray(X)
    except TypeError:  # dates beside numbers
        array = np.asarray(X, dtype=object)
    except ValueError:
        raise ValueError(
            f"{name} is a list of {len(X)} items that differ in length, but must be one array; a "
            "list for each task becomes one X and y by skmtl.model_selection.from_task_lists."
        ) from None
    return X if array.dtype.kind in "USV" else array


def check_two_dimensional(X):
    """Refuse one row or one column of a frame in place of the frame."""
    if hasattr(X, "name") and _ndim(X) == 1:
        one_row = "as X.iloc[[0]]" if hasattr(X, "iloc") else "as X[:1]"
        raise ValueError(
            f"Expected 2D array, got 1D array instead: a {type(X).__name__} is no table; one row "
            f"of a frame X must be selected {one_row}, one column as X[['name']]."
        )


def _ndim(X):
    return len(getattr(X, "shape", ()))


def _is_table(item):
    if isinstance(item, (list, tuple)):
        return bool(item) and (isinstance(item[0], (list, tuple)) or _ndim(item[0]) > 0)
    return _ndim(item) > 1


def _frame_numbers(name, X):
    by_place = hasattr(X, "iloc")
    read = {}
    for j, (label, dtype) in enumerate(zip(X.columns, X.dtypes, strict=True)):
        if not _is_plain(dtype):
            column = X.iloc[:, j] if by_place else X[label]
            cells = _column_numbers(column, f"column {label!r} of {name} holds")
            if cells is not column:
                read[j] = cells
    if not read:
        return X
    columns = [X.iloc[:, j] if by_place else X[label] for j, label in enumerate(X.columns)]
    return np.stack([read[j] if j in read else as_array(c) for j, c in enumerate(columns)], axis=1)


def _column_numbers(column, where):
    """The column itself where NumPy reads it, else an array of its cells."""
    dtype = column.dtype
    if _is_plain(dtype):
        return column
    _refuse_dates(dtype, where)
    if getattr(dtype, "kind", "O") in "biuf":  # numbers of pandas' or Arrow's own
        complete = not column.isna().any()
        return column if complete else column.to_numpy(dtype=np.float64, na_value=np.nan)
    cells = as_array(column)
    filled = _object_numbers(cells, where)
    return column if filled is cells else filled


def _array_numbers(name, X):
    """The same of an array of dates or of objects."""
    _refuse_dates(X.dtype, f"{name} holds")
    if X.dtype != object or X.ndim != 2:
        return _object_numbers(X, f"{name} holds")
    columns = [_object_numbers(X[:, j], f"column {j} of {name} holds") for j in range(X.shape[1])]
    same = all(column.base is X for column in columns)
    return X if same else np.stack(columns, axis=1)


def _object_numbers(cells, where):
    """Cells with NaN in place of what is missing; themselves where NumPy knows what is."""
    if cells.dtype != object:
        return cells
    flat = cells.reshape(-1)
    kinds = [kind for kind in set(map(type, flat.tolist())) if not _is_number_like(kind)]
    if not kinds:
        return cells
    missing = np.asarray(is_missing(flat), dtype=bool)
    for kind in set(map(type, flat[~missing].tolist())):
        for classes, words in TEMPORAL_CELLS:
            if issubclass(kind, classes):
                _refuse(where, words, kind.__name__)
        if kind.__name__ == "Period":
            _refuse(where, DATE, kind.__name__)
    return np.where(missing, np.nan, flat).reshape(cells.shape) if missing.any() else cells


def _is_number_like(kind):
    temporal = np.timedelta64, np.datetime64
    return issubclass(kind, PLAIN_CELLS) and not issubclass(kind, temporal)


def _is_plain(dtype):
    """Whether a column of this type is one of numbers that NumPy reads by itself."""
    if isinstance(dtype, np.dtype):
        return dtype.kind in "biufc"
    return hasattr(dtype, "is_numeric") and (
        dtype.is_numeric() or str(dtype) == "Boolean"
    )  # polars


def _refuse_dates(dtype, where):
    kind, text = getattr(dtype, "kind", ""), str(dtype).lower()
    if kind == "m" or text.startswith("duration"):
        _refuse(where, DURATION, dtype)
    if kind == "M" or text.startswith(("date", "period")):
        _refuse(where, DATE, dtype)
    if text == "time" or text.startswith(("time32", "time64")):
        _refuse(where, TIME, dtype)


def _refuse(where, words, dtype):
    what, cure = words
    drop = ", or drop the column" if where.startswith("column") else ""
    raise TypeError(f"{where} {what} ({dtype}); turn them into numbers, {cure}{drop}.")
