"""Whether labels are classes or amounts, where nobody says which."""

from numbers import Number

import numpy as np

from ._classes import label_cells
from ._task_ids import compact, is_missing

PAIR = 2  # distinct numbers that are taken for classes


def are_classes(y):
    """Whether labels are text, truth values or, in every column, at most two whole numbers.

    Parameters
    ----------
    y : array-like or data frame of shape (n_samples,) or (n_samples, n_tasks)
        NaN and None, which are no labels, do not count.
    """
    columns = np.atleast_2d(label_cells(y).T)
    return len(columns) > 0 and all(map(_is_nominal, columns))


def _is_nominal(column):
    labels = compact(column[~np.asarray(is_missing(column), dtype=bool)])
    if labels.dtype.kind in "iuf":
        return _are_few(np.unique(labels).tolist())
    if labels.dtype != object:
        return labels.dtype.kind in "bUS"
    labels = labels.tolist()
    if any(isinstance(label, (str, bytes)) for label in labels):
        return True
    return all(isinstance(label, (Number, np.bool_)) for label in labels) and _are_few(labels)


def _are_few(numbers):
    distinct = set(numbers)
    return len(distinct) <= PAIR and all(number == number // 1 for number in distinct)
