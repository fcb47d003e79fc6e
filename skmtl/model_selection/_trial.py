"""One split of a comparison: every contender fitted on the same rows and scored on the same labels.

Features are transformed as the training rows say, and so are the labels of a wide Y, target by
target, as targets may have different units.  Labels of a task without training labels do not count.
"""

from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.preprocessing import StandardScaler
from sklearn.utils import _safe_indexing, check_array


class Trial(NamedTuple):
    """Outcome of one split.

    Attributes
    ----------
    scores, seconds : dict of str to float
        Test score and time to fit of each contender.
    errors : dict of str to ndarray of shape (n_tasks,)
        Sum of squared test errors of each contender in each task.
    total : ndarray of shape (n_tasks,)
        Sum of squares of the same test labels around each task's mean over all data.
    """

    scores: dict
    seconds: dict
    errors: dict
    total: np.ndarray


class Problem(NamedTuple):
    """Training and test part of a split as contenders see it; y_test is in its own units."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    task_test: np.ndarray | None  # task number of each test row of long data
    to_units: Any  # predictions of a model -> predictions in the units of y_test


class LongTable(NamedTuple):
    """Rows with one label each: features X, labels y (n,), task numbers codes (n,), ids tasks."""

    X: Any
    y: np.ndarray
    codes: np.ndarray
    tasks: list

    @property
    def n_labels(self):
        """Number of labels of each task."""
        return np.bincount(self.codes, minlength=len(self.tasks))

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
        X, X_test = _transformed(self.X, train, test, transformer)
        return Problem(
            np.column_stack([self.codes[train], X]),
            self.y[train],
            np.column_stack([self.codes[test], X_test]),
            self.y[test],
            self.codes[test],
            lambda prediction: prediction,
        )


class WideTable(NamedTuple):
    """Rows with labels y (n, n_tasks), NaN where not observed."""

    X: Any
    y: np.ndarray
    tasks: list

    @property
    def n_labels(self):
        """Number of labels of each task."""
        return (~np.isnan(self.y)).sum(axis=0)

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
        X, X_test = _transformed(self.X, train, test, transformer)
        scaler = StandardScaler().fit(self.y[train][:, seen])

        def to_units(prediction):
            restored = np.full(y_test.shape, np.nan)
            restored[:, seen] = scaler.inverse_transform(prediction.reshape(len(prediction), -1))
            return restored

        return Problem(X, scaler.transform(self.y[train][:, seen]), X_test, y_test, None, to_units)


class Predicted(RegressorMixin, BaseEstimator):
    """Predictions already made, in the shape of an estimator: what scorers are given."""

    def __init__(self, prediction, task_column):
        self.prediction = prediction
        self.task_column = task_column

    def predict(self, X):
        """The predictions, whatever X is."""
        return self.prediction

    def __sklearn_is_fitted__(self):
        return True


def run_trial(table, number, train, test, models, scorer, transformer):
    """Fit every model on the rows `train` and score it on the rows `test`: a Trial."""
    train = np.asarray(train)
    test = table.scored(train, np.asarray(test))
    if len(test) == 0:
        raise ValueError(
            f"split {number} of cv tests no label of a task that it trains on: {_untested(table)}."
        )
    problem = table.problem(train, test, transformer)
    scores, seconds, errors = {}, {}, {}
    for name, model in models.items():
        try:
            prediction, seconds[name] = _fit_predict(model, problem)
            scores[name] = _score(scorer, prediction, problem)
        except Exception as error:
            raise ValueError(f"contender {name!r} failed on split {number}: {error}") from error
        errors[name] = table.sums((problem.y_test - prediction) ** 2, problem.task_test)
    return Trial(scores, seconds, errors, table.spread(problem.y_test, problem.task_test))


def _untested(table):
    """Why a split has nothing to test."""
    if max(table.n_labels) < 2:
        return "each task has one label only, and needs another for testing"
    return "the tasks of its test rows have no label among its training rows, or never vary"


def _transformed(X, train, test, transformer):
    transformer = clone(transformer)
    X_train = transformer.fit_transform(_safe_indexing(X, train))
    X_test = transformer.transform(_safe_indexing(X, test))
    return check_array(X_train), check_array(X_test)


def _fit_predict(model, problem):
    """Predictions in the labels' units and the seconds that the fit took."""
    model = clone(model)
    # a ridge on a task's only row divides 0 by 0 in its leave-one-out error, and then is right
    with np.errstate(divide="ignore", invalid="ignore"):
        start = perf_counter()
        model.fit(problem.X, problem.y)
        seconds = perf_counter() - start
    prediction = problem.to_units(np.asarray(model.predict(problem.X_test)))
    if prediction.shape != problem.y_test.shape:
        raise ValueError(
            f"it predicts an array of shape {prediction.shape} for labels of shape "
            f"{problem.y_test.shape}."
        )
    return prediction, seconds


def _score(scorer, prediction, problem):
    column = None if problem.task_test is None else 0
    score = float(scorer(Predicted(prediction, column), problem.X_test, problem.y_test))
    if not np.isfinite(score):
        raise ValueError(f"its score is {score}; {_unscorable(prediction, problem)}.")
    return score


def _unscorable(prediction, problem):
    """Why a score is not finite."""
    observed = ~np.isnan(problem.y_test)
    with np.errstate(over="ignore"):
        squares = np.stack([problem.y_test, problem.y_test - prediction])[:, observed] ** 2
    if not np.isfinite(prediction[observed]).all():
        return "its predictions are not finite"
    if not np.isfinite(squares.sum(axis=1)).all():
        return "the squares of the labels or of the errors are too large, so rescale the labels"
    task = problem.task_test
    if np.max(observed.sum(axis=0) if task is None else np.bincount(task)) < 2:
        return "there are too few test labels, at most one of each task"
    return "the scoring function does not suit these labels"
