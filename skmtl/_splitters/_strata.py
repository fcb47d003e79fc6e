"""What a split must spread: the task and class of each row, or the labels that a row carries."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import check_array, indexable

from .._backend import is_foreign, to_numpy
from .._input import (
    as_numbers,
    check_collected,
    encode_tasks,
    id_array,
    is_missing,
    split_task_column,
    warn_alike,
)

CLASS_SIZE = 5  # whole numbers with fewer labels a value, on average, are amounts, not classes


class Rows(NamedTuple):
    """What a split must spread.

    task, label : ndarray of shape (n,)
        Task and class number of each row, zeros where rows are labelled alike.
    strata : ndarray of shape (n, m) or None
        Where rows of a wide Y differ, or stay together: the numbers of the strata that each row
        belongs to, which are all rows (0), the rows of each task (1, 2, ...), of each class of it,
        and of long data those of each class of all tasks; -1 for a label not observed.
    group : ndarray of shape (n,) or None
        Number of the group of rows that each row stays together with.
    n_tasks : int
    """

    task: np.ndarray
    label: np.ndarray
    strata: np.ndarray | None = None
    group: np.ndarray | None = None
    n_tasks: int = 1

    @property
    def has_cells(self):
        """Whether both tasks and classes are to be spread."""
        return self.n_tasks > 1 and self.label.max(initial=0) > 0

    @property
    def cells(self):
        """Number of rows of each task and class, a label not observed being one more class."""
        counts = np.bincount(self.cell, minlength=self.n_tasks * self._n_classes)
        return counts.reshape(self.n_tasks, self._n_classes)

    @property
    def cell(self):
        """Number of each row's cell in `cells`."""
        return self.task * self._n_classes + self.label + 1

    @property
    def _n_classes(self):
        return int(self.label.max(initial=0)) + 2

    @property
    def units(self):
        """Number of the unit that each row moves with, its group or itself."""
        return np.arange(len(self.task)) if self.group is None else self.group

    @property
    def n_units(self):
        """Number of groups, or of rows where none stay together."""
        return int(self.units.max(initial=-1)) + 1


def read_rows(X, y, groups, task_column):
    """Rows of the data that a splitter is given; tasks come in a column or wide."""
    check_collected("X", X)
    check_collected("y", y)
    X, y, groups = indexable(X, y, groups)
    n = X.shape[0] if hasattr(X, "shape") else len(X)
    rows = _read_tasks(X, y, task_column, n)
    if groups is None:
        return rows
    names, group = encode_tasks(id_array(groups, "groups", n, of="group"))
    warn_alike(names, names, "groups")
    if rows.strata is None:
        label = rows.label[:, None]
        strata = _stratum_numbers(label, rows.task[:, None], rows.n_tasks)
        rows = rows._replace(strata=strata)
    return rows._replace(group=group)


def _read_tasks(X, y, task_column, n):
    """Rows that do not stay together."""
    nothing = np.zeros(n, dtype=np.intp)
    ids = None if task_column is None else split_task_column(X, task_column)[1]
    tasks, task = ([0], nothing) if ids is None else encode_tasks(ids)
    warn_alike(tasks, tasks, f"column {task_column!r}")
    if y is None:
        return Rows(task, nothing, n_tasks=len(tasks))
    Y = _read_labels(y, n)
    observed = _is_observed(Y)
    label = _class_numbers(Y, observed)
    if Y.shape[1] > 1 and ids is not None:
        raise ValueError(f"y must be 1-D where task_column gives the tasks, got shape {Y.shape}.")
    if ids is not None or (Y.shape[1] == 1 and observed.all()):
        return Rows(task, label[:, 0], n_tasks=len(tasks))
    n_tasks = Y.shape[1]
    if (observed.sum(axis=1) == 1).all():  # long data in another form
        task = observed.argmax(axis=1)
        return Rows(task, _ranks(label)[np.arange(n), task], n_tasks=n_tasks)
    strata = _stratum_numbers(label, np.arange(n_tasks), n_tasks)
    if (strata == strata[0]).all():
        strata = None
    return Rows(task, nothing, strata, n_tasks=n_tasks)


def _read_labels(y, n):
    y = to_numpy(y) if is_foreign(y) else as_numbers("y", y)
    Y = check_array(y, dtype=None, ensure_2d=False, ensure_all_finite=False).reshape(n, -1)
    if Y.dtype == object and not any(isinstance(cell, str) for cell in Y.flat):
        return np.where(_is_observed(Y), Y, np.nan).astype(float)  # numbers beside None
    return Y


def _is_observed(Y):
    return ~np.reshape(np.asarray(is_missing(Y.ravel()), dtype=bool), Y.shape)


def _class_numbers(Y, observed):
    """Class number of each label, 0 where labels are continuous, -1 where they are not observed."""
    number = np.where(observed, 0, -1)
    classes, codes = encode_tasks(Y[observed])
    if len(classes) <= 2 or _are_classes(classes, len(codes)):
        number[observed] = codes
    return number


def _are_classes(values, n_labels):
    if not all(isinstance(value, (int, float)) for value in values):
        return True
    return len(values) * CLASS_SIZE <= n_labels and all(value == value // 1 for value in values)


def _ranks(label):
    """Rank of each class by how often its column has it, the most frequent one 0.

    The columns of a wide Y need not have classes in common: alike are those as rare as each other.
    """
    ranks = np.zeros_like(label)
    for column, rank in zip(label.T, ranks.T, strict=True):
        counts = np.bincount(column[column >= 0])
        order = np.argsort(-counts, kind="stable")
        rank[column >= 0] = np.argsort(order)[column[column >= 0]]
    return ranks


def _stratum_numbers(label, task, n_tasks):
    """Strata of each row (see Rows) from class and task numbers, of shape (n, n_columns).

    The task numbers of a wide Y are one row.
    """
    missing = label < 0
    columns = [np.zeros((len(label), 1), dtype=np.intp), np.where(missing, -1, 1 + task)]
    if label.max() > 0:
        n_classes = label.max() + 1
        columns.append(np.where(missing, -1, 1 + task + n_tasks * (label + 1)))
        if task.ndim > 1:  # the columns of a wide Y need not have classes in common
            columns.append(np.where(missing, -1, 1 + n_tasks * (n_classes + 1) + label))
    return np.hstack(columns)
