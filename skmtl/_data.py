"""TaskData: one per-task view of wide labels (NaN = not observed) and of long rows with a task id.

Memory follows the number of observed labels.  X lies where the computation will happen; labels,
weights and indices are NumPy arrays.  Labels of weight zero are not observed.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ._backend import is_foreign, take, to_numpy


@dataclass(frozen=True, eq=False)
class TaskData:
    """Observed labels of the labelled tasks, sorted by task.

    Attributes
    ----------
    X : array of shape (n_rows, n_features)
        Every row has a label.
    labels : Labels
        Row, value and weight of each observed label, sorted by task.
    Y : ndarray of shape (n_rows, n_tasks) or None
        The labels as a table if it is complete with one weight a row, else None.
    row_weight : ndarray of shape (n_rows,) or None
        Those weights.
    """

    X: Any
    n_tasks: int
    Y: np.ndarray | None = None
    row_weight: np.ndarray | None = None
    _labels: Any = None

    @property
    def is_common_design(self):
        """Whether every task has every row, with weights that depend on the row alone."""
        return self.Y is not None

    @cached_property
    def labels(self):
        """Labels sorted by task."""
        if self._labels is not None:
            return self._labels
        n, T = self.Y.shape
        return Labels(
            row=np.tile(np.arange(n), T),
            y=self.Y.T.reshape(-1),
            s=np.tile(self.row_weight, T),
            indptr=np.arange(T + 1) * n,
        )

    @property
    def one_label_per_row(self):
        """Whether no row holds labels of two tasks (long data; its labels are left out singly)."""
        if self.Y is not None:
            return self.n_tasks == 1
        return len(self.labels.row) == self.X.shape[0]

    @cached_property
    def rows_sorted(self):
        """Whether label k lies in row k of X, so that the rows of a task lie together."""
        row = self.labels.row
        return len(row) == self.X.shape[0] and bool((row == np.arange(len(row))).all())

    @cached_property
    def weight_sums(self):
        """Sum of the weights of each task, of shape (n_tasks,)."""
        if self.Y is not None:
            return np.full(self.n_tasks, self.row_weight.sum())
        return np.add.reduceat(self.labels.s, self.labels.indptr[:-1])


@dataclass(frozen=True, eq=False)
class Labels:
    """Row (n_labels,), value y, weight s; labels of task t are indptr[t]:indptr[t + 1]."""

    row: np.ndarray
    y: np.ndarray
    s: np.ndarray
    indptr: np.ndarray

    @property
    def task(self):
        """Task number of each label."""
        return np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr))


def wide_data(X, Y, weight=None):
    """TaskData of a table of labels.

    Parameters
    ----------
    X : array of shape (n_samples, n_features)
    Y : ndarray of shape (n_samples, n_tasks)
        NaN where not observed.
    weight : ndarray of shape (n_samples,) or (n_samples, n_tasks), optional

    Returns
    -------
    data : TaskData
        Of the labelled tasks and the rows with a label.
    labelled : ndarray of shape (n_labelled,)
        Which columns of Y they are.
    """
    observed = ~np.isnan(Y)
    if weight is None and observed.all():
        return TaskData(X, Y.shape[1], Y, np.ones(len(Y))), np.arange(Y.shape[1])
    S = np.ones(len(Y)) if weight is None else weight
    S = np.broadcast_to(S[:, None] if S.ndim == 1 else S, Y.shape)
    observed &= S > 0
    rows, labelled = np.flatnonzero(observed.any(axis=1)), np.flatnonzero(observed.any(axis=0))
    if len(rows) < len(Y):
        X = take(X, rows)
    cells = np.ix_(rows, labelled)
    Y, S, observed = Y[cells], S[cells], observed[cells]
    if observed.size and observed.all() and (S == S[:, :1]).all():
        return TaskData(X, len(labelled), Y, S[:, 0].copy()), labelled
    task, row = np.nonzero(observed.T)
    y, s = Y[row, task], S[row, task]
    if len(row) == len(Y):  # one label a row: X in the order of the labels, as for long data
        X, row = take(X, row), np.arange(len(row))
    labels = Labels(row, y, s, _indptr(task, len(labelled)))
    return TaskData(X, len(labelled), _labels=labels), labelled


def long_data(X, y, codes, n_tasks, weight=None):
    """TaskData of rows that carry one label each; `codes` (n_samples,) number their tasks.

    Returns
    -------
    data : TaskData
    labelled : ndarray
        Codes of the tasks with a label of positive weight.
    """
    s = np.ones(len(y)) if weight is None else weight
    order = np.argsort(codes, kind="stable")
    order = order[s[order] > 0]
    labelled, task = np.unique(codes[order], return_inverse=True)
    labels = Labels(np.arange(len(order)), y[order], s[order], _indptr(task, len(labelled)))
    if len(order) < len(y) or (np.diff(order) < 0).any():
        X = take(X, order)
    return TaskData(X, len(labelled), _labels=labels), labelled


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
    if hasattr(X, "columns"):
        features, ids = _take_frame_column(X, task_column)
    else:
        features, ids = _take_array_column(X, task_column)
    if features.shape[1] == 0:
        raise ValueError(
            f"task_column={task_column!r} is the only column of X; at least one feature "
            "(0 feature(s) are left, a minimum of 1 is required) must stand beside it."
        )
    missing = np.flatnonzero(_is_missing(ids))
    if missing.size:
        raise ValueError(
            f"the task id in column {task_column!r} is missing in row {missing[0]}; drop such "
            "rows or give them an id of their own."
        )
    return features, ids


def _is_missing(ids):
    if ids.dtype.kind in "biuSU":
        return np.zeros(len(ids), dtype=bool)
    if ids.dtype.kind in "fcmM":
        return ids != ids  # NaN and NaT differ from themselves
    return [_is_absent(id_) for id_ in ids.tolist()]


def _is_absent(id_):
    try:
        return id_ is None or bool(id_ != id_)
    except TypeError:  # pandas.NA is neither equal to itself nor not
        return True


def _take_frame_column(X, task_column):
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
    ids = X[task_column]
    keep = [name for name in names if name != task_column]
    ids = ids.astype(object).to_numpy() if hasattr(ids, "astype") else ids.to_numpy()
    return X[keep], _compact(ids)


def _take_array_column(X, task_column):
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
    _check_position(task_column, X.shape[1])
    column, n_columns = int(task_column) % X.shape[1], X.shape[1]
    ids = X[:, column]
    if is_foreign(X):
        return take(X, np.delete(np.arange(n_columns), column), axis=1), to_numpy(ids)
    if column in (0, n_columns - 1):  # a view suffices
        return X[:, 1:] if column == 0 else X[:, :-1], _compact(ids)
    return np.delete(X, column, axis=1), _compact(ids)


def _as_table(X):
    table = np.asarray(X)
    # numbers beside text would become text: keep each cell as it is
    return np.asarray(X, dtype=object) if table.dtype.kind in "US" else table


def _check_position(task_column, n_columns):
    if not -n_columns <= task_column < n_columns:
        raise ValueError(
            f"task_column={task_column} is out of range for X with {n_columns} columns."
        )


def _compact(ids):
    """An object array of plain numbers or of plain strings as an array of that kind."""
    if ids.dtype != object:
        return ids
    kinds = {type(id_) for id_ in ids.tolist()}
    if kinds == {str} or (kinds and kinds <= {int, float}):
        compact = np.array(ids.tolist())
        # numpy drops a string's last NULs and the last digits of large integers beside floats
        return compact if compact.tolist() == ids.tolist() else ids
    return ids


def encode_tasks(ids):
    """Sorted distinct ids (a list) and the number of each id's task.

    Ids that do not compare, as of mixed types, are sorted by type and text.
    """
    if ids.dtype != object:
        tasks, codes = np.unique(ids, return_inverse=True)
        return tasks.tolist(), codes
    tasks = list(dict.fromkeys(ids.tolist()))
    try:
        tasks.sort()
    except TypeError:
        tasks.sort(key=lambda id_: (type(id_).__name__, str(id_)))
    return tasks, lookup_tasks(ids, tasks)


def lookup_tasks(ids, tasks):
    """Number of each id in the list `tasks`, -1 where it is not there."""
    number = {id_: t for t, id_ in enumerate(tasks)}
    return np.array([number.get(id_, -1) for id_ in ids.tolist()], dtype=np.intp)


def _indptr(task, n_tasks):
    return np.concatenate([[0], np.cumsum(np.bincount(task, minlength=n_tasks))])
