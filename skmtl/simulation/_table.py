"""What the estimate reads of a data set: observed labels, centred rows and their spectrum."""

from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from .._input import occurrence
from ..base import MultiTaskMixin
from ._moments import spectrum_of

LEAST_LABELS = 3  # of a task
ROUNDING = 1e-12  # of a centred constant, relative
N_GROUPS = 20  # of rows, for the jackknife


class Table(NamedTuple):
    """Observed labels y of the rows `row` of X, and of tasks `task`.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_features)
        Centred: long data by task, as tasks may be measured about means of their own.
    row, task, y : ndarray of shape (n_labels,)
    n_tasks : int
    centre : ndarray of int of shape (n_rows,)
        About which mean each row was centred.
    eigenvalues : ndarray of shape (n_features,)
        Of the features' covariance.
    second_moment : float
        Unbiased mean of their squares.
    """

    X: np.ndarray
    row: np.ndarray
    task: np.ndarray
    y: np.ndarray
    n_tasks: int
    centre: np.ndarray
    eigenvalues: np.ndarray
    second_moment: float

    @property
    def n_labels(self):
        return np.bincount(self.task, minlength=self.n_tasks)

    @property
    def groups(self):
        """Group of each label for the jackknife: whole rows, those of a task in turn."""
        return (occurrence(self.centre) % N_GROUPS)[self.row]


class TableReader(MultiTaskMixin, RegressorMixin, BaseEstimator):
    """Reads wide and long data as every estimator does."""

    def __init__(self, task_column=None, unknown_task="error"):
        self.task_column = task_column
        self.unknown_task = unknown_task

    def read(self, X, y):
        fit_input = self._validate_fit(X, y)
        data, labels, tasks = fit_input.data, fit_input.data.labels, fit_input.tasks
        n_labels = np.diff(labels.indptr)
        _check_labels(n_labels, [tasks[t] for t in fit_input.labelled])
        task = np.repeat(np.arange(len(n_labels)), n_labels)
        X = np.asarray(data.X, dtype=np.float64)
        centre = np.zeros(len(X), dtype=int)
        if self.task_column is not None:
            centre[labels.row] = task
        sizes = np.bincount(centre)
        means = np.stack([np.bincount(centre, x) for x in X.T], axis=1) / sizes[:, None]
        X = X - means[centre]
        if np.abs(X).max() <= ROUNDING * np.abs(means).max():
            raise ValueError("X must vary (long data: within a task), got constant features.")
        _check_variation(labels.y, task)
        spectrum = spectrum_of(X, len(sizes))
        return Table(X, labels.row, task, labels.y, len(n_labels), centre, *spectrum)


def _check_variation(y, task):
    if not (y != y[np.searchsorted(task, task)]).any():  # the first label of the task
        raise ValueError("y must vary within a task: its labels are constant in all of them.")


def _check_labels(n_labels, tasks):
    if len(tasks) < 2:
        raise ValueError("y must have labels of at least two tasks: one has nobody to share with.")
    if n_labels.min() < LEAST_LABELS:
        t = int(n_labels.argmin())
        raise ValueError(
            f"every task needs at least {LEAST_LABELS} labels for the estimate, got {n_labels[t]} "
            f"for task {tasks[t]!r}; leave it out."
        )
