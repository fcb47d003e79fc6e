"""Folds of multi-task data: rows that have a label to use, dealt to folds, and their FitInput."""

from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.base import clone
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing

from .. import _backend
from .._splitters import MultiTaskKFold
from .._validation import as_table, check_weight, number_tasks, split_task_column

FOLDS = 5


class FoldData(NamedTuple):
    """Validated data of which rows can be taken.

    Attributes
    ----------
    X : table
    y : ndarray of shape (n_samples,) or (n_samples, n_tasks)
        NaN where a label has no weight.
    weight : ndarray or None
    tasks : list
        Ids of long data, else 0, 1, ...
    rows : ndarray
        Numbers of the rows with a label.
    """

    X: Any
    y: np.ndarray
    weight: np.ndarray | None
    tasks: list
    rows: np.ndarray


class FoldsMixin:
    """Splits and parts of the data of estimators with `cv`, `task_column` and `task_weight`."""

    def _fold_data(self, X, y, sample_weight, tasks):
        """FoldData of what `_validate_fit` has accepted."""
        X = csr_array(X) if issparse(X) else as_table(X)
        labels, wide = self._read_labels(y)[0], self.task_column is None
        weight = check_weight(sample_weight, labels, wide=wide)
        heard = np.ones(len(tasks), dtype=bool)
        if self._has_own_task_weight:
            heard = np.asarray(self.task_weight, dtype=float) > 0
        if wide:
            used = np.broadcast_to(heard if labels.ndim == 2 else heard[0], labels.shape)
            tasks = list(range(len(tasks)))
        else:
            labels = labels.reshape(-1)
            used = heard[number_tasks(self._ids(X), self.task_column, tasks)]
        if weight is not None:
            used = used & ((weight if weight.ndim == labels.ndim else weight[:, None]) > 0)
        used = used & ~np.isnan(labels)
        if wide and labels.ndim == 2:
            labels = np.where(used, labels, np.nan)
        rows = np.flatnonzero(used.reshape(len(used), -1).any(axis=1))
        return FoldData(X, labels, weight, tasks, rows)

    def _splits(self, data):
        """List of (train, test) row numbers, without the rows that have no label to use."""
        X, y, rows = data.X, data.y, data.rows
        if self.cv is None or isinstance(self.cv, Integral):
            n_splits = min(FOLDS, len(rows)) if self.cv is None else self.cv
            cv = MultiTaskKFold(n_splits, random_state=0, task_column=self.task_column)
            pairs = cv.split(take_rows(X, rows), y[rows])
            return [(rows[train], rows[test]) for train, test in pairs]
        pairs = [[_within(part, rows) for part in pair] for pair in check_cv(self.cv).split(X, y)]
        pairs = [(train, test) for train, test in pairs if train.size and test.size]
        if not pairs:
            raise ValueError("cv has no fold with labels to train and test on; use larger folds.")
        return pairs

    def _part(self, data, rows):
        """FitInput of some rows, which may lack tasks of long data."""
        X, model = take_rows(data.X, rows), self
        if self.task_column is not None and self._has_own_task_weight:
            own = number_tasks(self._ids(X), self.task_column)[0]
            kept = [data.tasks.index(task) for task in own]
            model = clone(self).set_params(task_weight=np.asarray(self.task_weight)[kept])
        weight = None if data.weight is None else data.weight[rows]
        return model._validate_fit(X, data.y[rows], weight)

    @property
    def _has_own_task_weight(self):
        return not (self.task_weight is None or isinstance(self.task_weight, str))

    def _ids(self, X):
        return split_task_column(X, self.task_column)[1]


def take_rows(x, rows):
    """Rows of a table, frame or array of any library."""
    return _backend.take(x, rows) if _backend.is_foreign(x) else _safe_indexing(x, rows)


def _within(part, rows):
    part = np.asarray(part)
    part = np.flatnonzero(part) if part.dtype == bool else part
    return part[np.isin(part, rows)]
