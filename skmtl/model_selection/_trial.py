"""One split of a comparison: every estimator fitted on the same rows and scored on the same labels.

Features are transformed as the training rows say, and so are the continuous labels of a wide Y,
target by target, as targets may have different units.  Labels of a task without training labels do
not count.
"""

from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler
from sklearn.utils import _safe_indexing

from .._input import checked_array


class Trial(NamedTuple):
    """Outcome of one split: what the judge says of each estimator, and the seconds it took to fit.

    Attributes
    ----------
    judged : dict of str to Judged
    seconds : dict of str to float
    failed : dict of str to str
        Why estimators failed that may.
    """

    judged: dict
    seconds: dict
    failed: dict


class Problem(NamedTuple):
    """Training and test part of a split as estimators see it; y_test is in its own units."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    task_test: np.ndarray | None  # task number of each test row of long data
    tasks: np.ndarray  # numbers of the tasks that y_test holds
    to_units: Any  # predictions of a model -> predictions in the units of y_test
    half_test: np.ndarray | None = None  # 0 or 1: which half of the test rows each belongs to

    def tested_on(self, rows):
        """The same with some of the test rows."""
        task, tasks = self.task_test, self.tasks
        if task is not None:
            task = task[rows]
            tasks = np.unique(task)
        X, y = self.X_test[rows], self.y_test[rows]
        return self._replace(X_test=X, y_test=y, task_test=task, tasks=tasks, half_test=None)


class LongTable(NamedTuple):
    """Rows with one label each.

    Attributes
    ----------
    X : array-like or data frame of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
        Amounts, or class labels of any type.
    codes : ndarray of shape (n_samples,)
        Task numbers.
    tasks : list
        Their ids.
    numbers : ndarray of shape (n_samples,) or None
        Class numbers.
    classes : ndarray or None
        The classes.
    """

    X: Any
    y: np.ndarray
    codes: np.ndarray
    tasks: list
    numbers: Any = None
    classes: Any = None

    def count(self, rows=slice(None)):
        """Number of labels of each task in some rows."""
        return np.bincount(self.codes[rows], minlength=len(self.tasks))

    n_labels = property(count)

    def sums(self, values, codes):
        """Sums of `values` (n,) by task."""
        return np.bincount(codes, weights=values, minlength=len(self.tasks))

    def spread(self, y, codes):
        """Sum of squares of labels around the mean over all data, by task."""
        mean = self.sums(self.y, self.codes) / np.maximum(self.n_labels, 1)
        return self.sums((y - mean[codes]) ** 2, codes)

    def scored(self, train, test):
        """Those test rows whose task has a training row."""
        return test[np.isin(self.codes[test], self.codes[train])]

    def problem(self, train, test, transformer):
        """The task number becomes the first column of X."""
        X, X_test = transformed(self.X, train, test, transformer)
        return Problem(
            np.column_stack([self.codes[train], X]),
            self.y[train],
            np.column_stack([self.codes[test], X_test]),
            self.y[test],
            self.codes[test],
            np.unique(self.codes[test]),
            lambda prediction: prediction,
        )

    def classes_seen(self, train):
        """Number of classes of each task among the training rows."""
        n_classes = len(self.classes)
        pairs = np.unique(n_classes * self.codes[train] + self.numbers[train].astype(np.intp))
        return np.bincount(pairs // n_classes, minlength=len(self.tasks))


class WideTable(NamedTuple):
    """Rows with continuous labels y (n, n_tasks), NaN where not observed."""

    X: Any
    y: np.ndarray
    tasks: list

    classes = None  # labels are continuous
    codes = None  # a row has labels of several tasks

    def count(self, rows=slice(None)):
        """Number of labels of each task in some rows."""
        return (~np.isnan(self.y[rows])).sum(axis=0)

    n_labels = property(count)

    def sums(self, values, _):
        """Sums of `values` (n, n_tasks) by task."""
        return np.nansum(values, axis=0)

    def spread(self, y, _):
        """Sum of squares of labels around the mean over all data, by task."""
        mean = np.nansum(self.y, axis=0) / np.maximum(self.n_labels, 1)
        return np.nansum((y - mean) ** 2, axis=0)

    def scored(self, train, test):
        """Those test rows with a label to score."""
        return test[~np.isnan(self._labels(train, test)).all(axis=1)]

    def _labels(self, train, test):
        """Test labels, NaN for tasks without a training label and for constant ones: no R2."""
        varies = np.nanmin(self.y, axis=0) < np.nanmax(self.y, axis=0)
        return np.where(self._seen(train) & varies, self.y[test], np.nan)

    def _seen(self, train):
        return ~np.isnan(self.y[train]).all(axis=0)

    def problem(self, train, test, transformer):
        """Labels are standardised, columns without a training label left out."""
        seen, y_test = self._seen(train), self._labels(train, test)
        X, X_test = transformed(self.X, train, test, transformer)
        scaler = StandardScaler().fit(self.y[train][:, seen])

        def to_units(prediction):
            restored = np.full(y_test.shape, np.nan)
            restored[:, seen] = scaler.inverse_transform(prediction.reshape(len(prediction), -1))
            return restored

        y_train, tasks = scaler.transform(self.y[train][:, seen]), np.arange(len(self.tasks))
        return Problem(X, y_train, X_test, y_test, None, tasks, to_units)


def run_trial(table, number, train, test, models, judge, transformer, spare=(), halve=None):
    """Fit every model on the rows `train` and judge it on the rows `test`: a Trial.

    Those named in `spare` may fail. `halve(rows)` tells two halves of them apart, or is None.
    """
    train = np.asarray(train)
    test = table.scored(train, np.asarray(test))
    if len(test) == 0:
        raise ValueError(
            f"split {number} of cv tests no label of a task that it trains on: {_untested(table)}."
        )
    problem = table.problem(train, test, transformer)
    problem = problem._replace(half_test=None if halve is None else halve(test))
    judged, seconds, failed = {}, {}, {}
    for name, model in models.items():
        try:
            fitted, seconds[name] = _fit(model, problem)
            judged[name] = judge.judge(table, problem, fitted)
        except Exception as error:
            if name not in spare:
                raise ValueError(f"estimator {name!r} failed on split {number}: {error}") from error
            failed[name] = f"it failed on split {number}: {error}"
    return Trial(judged, seconds, failed)


def without_failed(trials):
    """The trials without the estimators that failed on any, and by name why those first did."""
    failed = {}
    for trial in trials:
        failed = trial.failed | failed
    kept = [
        trial._replace(judged={name: j for name, j in trial.judged.items() if name not in failed})
        for trial in trials
    ]
    return kept, failed


def transformed(X, train, test, transformer):
    """Features of the training and of the test rows."""
    transformer = clone(transformer)
    X_train = transformer.fit_transform(_safe_indexing(X, train))
    X_test = transformer.transform(_safe_indexing(X, test))
    return tuple(checked_array("transformed X", part, None) for part in (X_train, X_test))


def _untested(table):
    """Why a split has nothing to test."""
    if max(table.n_labels) < 2:
        return "each task has one label only, and needs another for testing"
    return "the tasks of its test rows have no label among its training rows, or never vary"


def _fit(model, problem):
    """A fitted clone and the seconds that the fit took."""
    model = clone(model)
    # a ridge on a task's only row divides 0 by 0 in its leave-one-out error, and then is right
    with np.errstate(divide="ignore", invalid="ignore"):
        start = perf_counter()
        model.fit(problem.X, problem.y)
        return model, perf_counter() - start
