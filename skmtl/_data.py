"""TaskData: one per-task view of wide labels (NaN = not observed) and of long rows with a task id.

Memory follows the number of observed labels.  X lies where the computation will happen; labels,
weights and indices are NumPy arrays.  Labels of weight zero are not observed.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ._backend import take


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


def _indptr(task, n_tasks):
    return np.concatenate([[0], np.cumsum(np.bincount(task, minlength=n_tasks))])


def of_tasks(data, tasks):
    """TaskData of some of the tasks; `tasks` are their numbers, ascending."""
    if len(tasks) == data.n_tasks:
        return data
    if data.is_common_design:
        return replace(data, n_tasks=len(tasks), Y=data.Y[:, tasks])
    return of_labels(data, np.isin(data.labels.task, tasks))[0]


def of_labels(data, kept):
    """TaskData of some of the labels, and the numbers of the tasks that have one.

    Parameters
    ----------
    data : TaskData
    kept : ndarray of bool of shape (n_labels,)
        In the order of ``data.labels``.
    """
    labels, kept = data.labels, np.flatnonzero(kept)
    rows, row = np.unique(labels.row[kept], return_inverse=True)
    tasks, task = np.unique(labels.task[kept], return_inverse=True)
    X = data.X if len(rows) == data.X.shape[0] else take(data.X, rows)
    chosen = Labels(row, labels.y[kept], labels.s[kept], _indptr(task, len(tasks)))
    return TaskData(X, len(tasks), _labels=chosen), tasks


def relabelled(data, y):
    """TaskData with other labels: `y` is a function of an array of labels."""
    return relabelled_by_task(data, lambda labels, task: y(labels))


def relabelled_by_task(data, y):
    """The same where `y` is a function of labels and of their tasks' numbers, which broadcast."""
    if data.is_common_design:
        return replace(data, Y=y(data.Y, np.arange(data.n_tasks)))
    labels = data.labels
    return replace(data, _labels=replace(labels, y=y(labels.y, labels.task)))


def label_levels(data, fit_intercept, *, own):
    """Mean label of each task, or that of all labels; zeros without intercepts.

    A large one would round small labels, and is taken out before a fit.
    """
    if not fit_intercept:
        return np.zeros(data.n_tasks)
    moments = label_moments(data)  # equal labels are their mean to the last bit
    return moments.mean if own else np.full(data.n_tasks, moments.pooled_mean)


def without_levels(data, level):
    """TaskData with labels about the level of their task."""
    return relabelled_by_task(data, lambda y, task: y - level[task])


class LabelMoments(NamedTuple):
    """Means and standard deviations of the labels of each task, and of those of all together.

    `pooled_std` is about the tasks' own means.
    """

    mean: np.ndarray
    std: np.ndarray
    pooled_mean: float
    pooled_std: float

    @property
    def unit(self):
        """Size in which a task is measured that has no deviation of its own.

        It is the pooled deviation; where that is zero the range of the tasks' means, or the size of
        the one value that all labels have (1 if that is 0): in proportion to the labels always.
        """
        return self.pooled_std or float(np.ptp(self.mean) or abs(self.mean[0])) or 1.0


def label_moments(data):
    """Weighted LabelMoments of a TaskData; deviations are exactly 0 where all labels are equal."""
    labels, first, total = data.labels, data.labels.indptr[:-1], data.weight_sums
    origin = labels.y[first]  # a rounded mean of equal labels may differ from them
    deviation = labels.y - origin[labels.task]
    offset = np.add.reduceat(labels.s * deviation, first) / total
    deviation = deviation - offset[labels.task]
    # in units of the largest one squares neither overflow nor vanish
    unit = np.maximum.reduceat(abs(deviation), first)
    unit = np.where(unit > 0, unit, 1.0)
    squares = labels.s * (deviation / unit[labels.task]) ** 2
    mean, std = origin + offset, unit * np.sqrt(np.add.reduceat(squares, first) / total)
    largest = std.max() or 1.0
    pooled_std = largest * np.sqrt(np.average((std / largest) ** 2, weights=total))
    return LabelMoments(mean, std, float(np.average(mean, weights=total)), float(pooled_std))
