"""What a split must spread: the task and class of each row, or the labels that a row carries."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import check_array, indexable

from .._backend import is_foreign, to_numpy
from .._task_ids import encode_tasks, id_array, is_missing
from .._validation import split_task_column

CLASS_SIZE = 5  # whole numbers with fewer labels a value, on average, are amounts, not classes


class Rows(NamedTuple):
    """What a split must spread.

    task, label : ndarray of shape (n,)
        Task and class number of each row, zeros where rows are labelled alike.
    groups : ndarray of shape (n, m) or None
        Where rows of a wide Y differ: the numbers of the groups that each row belongs to, which are
        all rows (0), the rows of each task and of each class of it; -1 for a label not observed.
    observed : ndarray of shape (n, n_tasks) or None
    """

    task: np.ndarray
    label: np.ndarray
    groups: np.ndarray | None = None
    observed: np.ndarray | None = None


def read_rows(X, y, groups, task_column):
    """Rows of the data that a splitter is given; tasks come in a column, as groups or wide."""
    X, y, groups = indexable(X, y, groups)
    n = X.shape[0] if hasattr(X, "shape") else len(X)
    nothing = np.zeros(n, dtype=np.intp)
    ids = _read_ids(X, groups, task_column, n)
    task = nothing if ids is None else encode_tasks(ids)[1]
    if y is None:
        return Rows(task, nothing)
    Y = _read_labels(y, n)
    observed = _is_observed(Y)
    label = _class_numbers(Y, observed)
    if Y.shape[1] > 1 and ids is not None:
        raise ValueError(
            f"y must be 1-D where task_column or groups give the tasks, got shape {Y.shape}."
        )
    if ids is not None or (Y.shape[1] == 1 and observed.all()):
        return Rows(task, label[:, 0])
    groups = _group_numbers(label)
    if (groups == groups[0]).all():
        return Rows(task, nothing)
    return Rows(task, nothing, groups, observed)


def _read_ids(X, groups, task_column, n):
    if task_column is not None:
        return split_task_column(X, task_column)[1]
    return None if groups is None else id_array(groups, "groups", n)


def _read_labels(y, n):
    y = to_numpy(y) if is_foreign(y) else y
    Y = check_array(y, dtype=None, ensure_2d=False, ensure_all_finite=False).reshape(n, -1)
    if Y.dtype == object and not any(isinstance(cell, str) for cell in Y.flat):
        return np.where(_is_observed(Y), Y, np.nan).astype(float)  # numbers beside None
    return Y


def _is_observed(Y):
    return ~np.reshape(np.asarray(is_missing(Y.ravel()), dtype=bool), Y.shape)


def _class_numbers(Y, observed):
    """Class number of each label, 0 where labels are amounts, -1 where they are not observed."""
    number = np.where(observed, 0, -1)
    classes, codes = encode_tasks(Y[observed])
    if len(classes) <= 2 or _are_classes(classes, len(codes)):
        number[observed] = codes
    return number


def _are_classes(values, n_labels):
    if not all(isinstance(value, (int, float)) for value in values):
        return True
    return len(values) * CLASS_SIZE <= n_labels and all(value == value // 1 for value in values)


def _group_numbers(label):
    """Groups of each row (see Rows) from the class numbers (n, n_tasks)."""
    n, T = label.shape
    task, missing = np.arange(1, T + 1), label < 0
    columns = [np.zeros((n, 1), dtype=np.intp), np.where(missing, -1, task)]
    if label.max() > 0:
        columns.append(np.where(missing, -1, task + T * (label + 1)))
    return np.hstack(columns)
