"""Observed labels as one flat list, whatever shape they came in.

One pass of weighted sums by task over that list serves any number of tasks.
"""

from typing import NamedTuple

import numpy as np

from .._input import as_numbers, checked_array, encode_tasks, id_array, naming, to_host, warn_alike


class Labels(NamedTuple):
    """Observed labels, flat: truth y, prediction z, frequency s > 0 and task number of each."""

    y: np.ndarray
    z: np.ndarray
    s: np.ndarray
    task: np.ndarray
    n_tasks: int

    @property
    def count(self):
        """Number of labels of each task."""
        return np.bincount(self.task, minlength=self.n_tasks)

    def sum(self, v):
        """Weighted sum of v over each task's labels."""
        return np.bincount(self.task, weights=self.s * v, minlength=self.n_tasks)

    def mean(self, v):
        """Weighted mean of v over each task's labels, NaN for a task without."""
        weight = self.sum(np.ones_like(v))
        return self.sum(v) / np.where(weight > 0, weight, np.nan)

    def centred(self, v):
        """v minus its task's mean, exactly zero for a task whose values are all equal."""
        some = np.zeros(self.n_tasks)
        some[self.task] = v
        # any one value goes first: the rounded mean of equal values may differ from them
        v = v - some[self.task]
        return v - self.mean(v)[self.task]


def observed_labels(y_true, y_pred, task, sample_weight):
    """Labels that are observed and have positive weight."""
    y, z = number_table(y_true, "y_true", "allow-nan"), number_table(y_pred, "y_pred", False)
    if y.shape != z.shape:
        raise ValueError(f"y_pred must have the shape of y_true, {y.shape}, got {z.shape}.")
    seen, S, code, n_tasks = observed_cells(y, task, sample_weight)
    labels = Labels(y[seen], z[seen], S[seen], code[seen], n_tasks)
    if not np.isfinite(labels.z).all():
        row, column = np.argwhere(seen & ~np.isfinite(z))[0]
        raise ValueError(
            "y_pred must be finite wherever a label is observed, got "
            f"{z[row, column]} in row {row}, column {column}."
        )
    return labels


def observed_cells(y, task, sample_weight):
    """Which cells of y count, their weights and task numbers in y's shape, and how many tasks."""
    n_tasks, code = _task_codes(task, y)
    S = np.broadcast_to(_weights(sample_weight, y), y.shape)
    return ~np.isnan(y) & (S > 0), S, np.broadcast_to(code, y.shape), n_tasks


def number_table(y, name, finite):
    """y as float64 of shape (n_samples, n_columns); `finite` is check_array's ensure_all_finite."""
    options = {"dtype": np.float64, "ensure_2d": False, "ensure_all_finite": finite}
    y = checked_array(name, to_host(y), None, **options)
    return y.reshape(len(y), -1)


def _task_codes(task, y):
    """Number of tasks, and the task numbers in a shape that broadcasts with y."""
    if task is None:
        return y.shape[1], np.arange(y.shape[1])
    if y.shape[1] != 1:
        raise ValueError(
            f"y_true must be 1-D where task ids are given, got {y.shape[1]} columns; leave task "
            "out if each column is a task."
        )
    tasks, codes = encode_tasks(id_array(task, "task", len(y)))
    warn_alike(tasks, tasks, "task")
    return len(tasks), codes[:, None]


def _weights(sample_weight, y):
    if sample_weight is None:
        return np.ones((len(y), 1))
    with naming("sample_weight"):
        S = np.asarray(as_numbers("sample_weight", to_host(sample_weight)), dtype=float)
    if S.shape not in ((len(y),), y.shape):
        raise ValueError(
            f"sample_weight must be of shape ({len(y)},) or {y.shape}, got shape {S.shape}."
        )
    bad = S[~(np.isfinite(S) & (S >= 0))]
    if bad.size:
        raise ValueError(f"sample_weight must be finite and >= 0, got {bad[0]}.")
    return S.reshape(len(y), -1)
