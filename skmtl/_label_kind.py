"""Whether labels are classes or amounts, where nobody says which."""

from numbers import Number

import numpy as np

from ._task_ids import as_array, compact, is_missing

PAIR = 2  # distinct numbers that are taken for classes


def are_classes(y):
    """Whether labels are text, truth values or, in every column, at most two whole numbers.

    Parameters
    ----------
    y : array-like or data frame of shape (n_samples,) or (n_samples, n_tasks)
        NaN and None, which are no labels, do not count.
    """
    columns = _columns(y)
    return bool(columns) and all(map(_is_nominal, columns))


def _columns(y):
    if hasattr(y, "columns"):
        # a name that two columns share gives both
        return [column for name in y.columns for column in np.atleast_2d(as_array(y[name]).T)]
    table = as_array(y) if hasattr(y, "shape") else np.array(y, dtype=object)
    return list(np.atleast_2d(table.T)) if table.ndim in (1, 2) else []


def _is_nominal(column):
    labels = compact(column[~np.asarray(is_missing(column), dtype=bool)])
    if labels.dtype.kind in "iuf":
        return _are_few(np.unique(labels).tolist())
    if labels.dtype != object:
        return labels.dtype.kind in "bUS"
    labels = labels.tolist()
    return not all(isinstance(label, Number) for label in labels) or _are_few(labels)


def _are_few(numbers):
    distinct = set(numbers)
    return len(distinct) <= PAIR and all(number == number // 1 for number in distinct)
