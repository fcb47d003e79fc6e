"""Folds of multi-task data: rows that have a label to use, dealt to folds, fitted and scored."""

import warnings
from copy import copy
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from scipy.sparse import csr_array, issparse
from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing, indexable

from .. import _backend
from .._checks import check_count, check_jobs
from .._input import (
    as_table,
    check_weight,
    naming,
    number_tasks,
    split_task_column,
    zero_task_weights,
)
from .._splitters import MultiTaskKFold, splits_of

FOLDS = 5
PER_TASK = ("task_weight", "class_weight")  # parameters that may have an entry for each task


class FoldData(NamedTuple):
    """Validated data of which rows can be taken.

    Attributes
    ----------
    X, y : table, labels
        As `fit` was given them.
    labels : ndarray of shape (n_samples,) or (n_samples, n_tasks)
        What own folds spread: continuous labels, or classes as text; missing where a label has
        no weight.
    weight : ndarray or None
    tasks : list
        Ids of long data, else 0, 1, ...
    rows : ndarray
        Numbers of the rows with a label.
    """

    X: Any
    y: Any
    labels: np.ndarray
    weight: np.ndarray | None
    tasks: list
    rows: np.ndarray

    def part(self, rows):
        """(X, y, weight) of some rows."""
        weight = None if self.weight is None else self.weight[rows]
        return take_rows(self.X, rows), take_rows(self.y, rows), weight


class FoldsMixin:
    """Splits and parts of the data of estimators with `cv`, `scoring`, `n_jobs`, `task_column`."""

    def _check_folds(self):
        """Check `n_jobs`, and `cv` where it is a number."""
        check_jobs("n_jobs", self.n_jobs)
        if isinstance(self.cv, Integral):
            check_count("cv", self.cv, least=2)

    def _check_two_samples(self, fit_input):
        n_samples = fit_input.data.X.shape[0]
        if n_samples < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least 2 samples with a label to hold one out, "
                f"got n_samples = {n_samples}."
            )

    def _fold_data(self, X, y, sample_weight):
        """FoldData of what `_validate_fit` has accepted."""
        X = csr_array(X) if issparse(X) else as_table(X)
        (labels, values), (y,) = self._read_labels(y), indexable(y)
        wide = self.task_column is None
        weight, codes = check_weight(sample_weight, labels, wide=wide), None
        if wide:
            tasks = list(range(labels.shape[1] if labels.ndim == 2 else 1))
        else:
            labels = labels.reshape(-1)
            tasks, codes = number_tasks(self._ids(X), self.task_column)
        positive = np.ones(len(tasks), dtype=bool)
        if self.task_weight is not None and not isinstance(self.task_weight, str):
            positive = np.asarray(self.task_weight, dtype=float) > 0
        used = ~np.isnan(labels)
        used_weight = zero_task_weights(weight, positive, codes, labels.shape)
        if used_weight is not None:
            positive = used_weight > 0
            used &= positive if positive.ndim == labels.ndim else positive[:, None]
        labels = np.where(used, labels, np.nan)
        rows = np.flatnonzero(used.reshape(len(used), -1).any(axis=1))
        labels = labels if values is None else _class_names(labels, len(values))
        return FoldData(X, y, labels, weight, tasks, rows)

    def _splits(self, data):
        """List of (train, test) row numbers, without the rows that have no label to use."""
        X, rows = data.X, data.rows
        if self.cv is None or isinstance(self.cv, Integral):
            n_splits = min(FOLDS, len(rows)) if self.cv is None else self.cv
            cv = MultiTaskKFold(n_splits, random_state=0, task_column=self.task_column)
            pairs = cv.split(take_rows(X, rows), data.labels[rows])
            return [(rows[train], rows[test]) for train, test in pairs]
        pairs = splits_of(check_cv(self.cv), X, data.y)
        pairs = [[_within(part, rows) for part in pair] for pair in pairs]
        pairs = [(train, test) for train, test in pairs if train.size and test.size]
        if not pairs:
            raise ValueError("cv has no fold with labels to train and test on; use larger folds.")
        return pairs

    def _run_folds(self, fold, data, *args):
        """What a function of (data, train, test, *args) returns for each split."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tasks that lack labels or classes in a fold
            return Parallel(n_jobs=self.n_jobs, prefer="threads")(
                delayed(fold)(data, train, test, *args) for train, test in self._splits(data)
            )

    def _part(self, data, rows, units=None):
        """(self with the weights of the tasks that some rows have, FitInput of these rows).

        `units`: those of the training rows, for those held out.
        """
        X, y, weight = data.part(rows)
        model = self._with_tasks_of(X, data.tasks)
        fit_input = model._validate_fit(X, y, weight, units)
        if self.task_column is None:
            fit_input = fit_input._replace(tasks=data.tasks)  # columns may share a name
        return model, fit_input

    def _with_tasks_of(self, X, tasks, model=None):
        """A copy of a model (self) with the weights of those of the tasks that X has."""
        model = copy(self if model is None else model)
        if self.task_column is None:
            return model
        kept = [tasks.index(task) for task in number_tasks(self._ids(X), self.task_column)[0]]
        for name in PER_TASK:
            values = getattr(model, name, None)
            if values is not None and not isinstance(values, (str, dict)):
                values = list(values)
                setattr(model, name, [values[t] for t in kept])
        return model

    def _refit_scores(self, model, data, points):
        """Scores (n_folds, n_points) of a model refitted to each fold at each point."""
        model = clone(model).set_params(unknown_task="shared")  # a fold may lack a task
        return self._run_folds(self._refit_fold, data, model, self._scorer(model), points)

    def _refit_fold(self, data, train, test, model, score, points):
        X, y, weight = data.part(train)
        model = self._with_tasks_of(X, data.tasks, model)
        fits = (clone(model).set_params(**point).fit(X, y, weight) for point in points)
        return [score(fit, *data.part(test)[:2]) for fit in fits]

    def _scorer(self, model):
        """Function of (model, X, y) by `scoring`, whose errors name it."""
        with naming("scoring"):
            scorer = check_scoring(model, self.scoring)

        def score(*args):
            with naming("scoring"):
                return float(scorer(*args))

        return score

    def _mean_scores(self, scores):
        """Means and standard deviations (n_points,) of scores (n_folds, n_points)."""
        means, stds = np.mean(scores, axis=0), np.std(scores, axis=0)
        if not np.isfinite(means).any():
            raise ValueError(
                f"no point of the grid has a finite mean score over the folds of cv={self.cv!r} "
                f"with scoring={self.scoring!r}: use larger folds, or a scorer that leaves missing "
                "labels out, such as one of make_multitask_scorer."
            )
        return means, stds

    def _plain(self, kind):
        """The model whose strengths are searched for, with the other parameters of the search."""
        names = [name for name in kind().get_params() if hasattr(self, name)]
        return kind(**{name: getattr(self, name) for name in names})

    def _ids(self, X):
        return split_task_column(X, self.task_column)[1]


def take_rows(x, rows):
    """Rows of a table, frame or array of any library."""
    return _backend.take(x, rows) if _backend.is_foreign(x) else _safe_indexing(x, rows)


def _within(part, rows):
    part = np.asarray(part)
    part = np.flatnonzero(part) if part.dtype == bool else part
    return part[np.isin(part, rows)]


def _class_names(codes, n_classes):
    """Class numbers as text, which splitters take for classes however many; None where missing."""
    names = np.array([*map(str, range(n_classes)), None], dtype=object)
    return names[np.where(np.isnan(codes), -1, codes).astype(np.intp)]
