"""Classes as labels: wide tables of them, and what estimators are judged by.

Unless a scorer is given there are two measures of the same fits, each a mean over tasks: the area
under the ROC curve, which tasks with test labels of one class lack, and the log loss.  A split in
which all tasks lack it has no AUC, and counts for the log loss alone.
"""

import contextlib
import warnings
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, is_regressor
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils.metaestimators import available_if

from .._input import is_missing
from ..metrics import make_multitask_scorer, multitask_log_loss, multitask_roc_auc_score
from ._judged import FEWEST_SCORED, Judged, named_scorer, scored_by, scores_of_halves, summary
from ._trial import Problem, transformed
from ._words import MEAN_AUC, MEAN_LOG_LOSS

AUC, LOG_LOSS = (
    make_multitask_scorer(partial(metric, multioutput="raw_values"))
    for metric in (multitask_roc_auc_score, multitask_log_loss)
)
# what fits would say on every split: `notes` says the first once, our own grids cause the second
REPEATED = ("has labels of one class only", "is at the edge of its grid", "which read alike")


class WideClasses(NamedTuple):
    """Rows with a class label for each task, or none.

    Attributes
    ----------
    X : array-like or data frame of shape (n_samples, n_features)
    y : ndarray of shape (n_samples, n_tasks)
        Labels of any type; NaN or None where not observed.
    numbers : ndarray of shape (n_samples, n_tasks)
        Class numbers, NaN where not observed.
    tasks : list
    classes : ndarray
    """

    X: Any
    y: np.ndarray
    numbers: np.ndarray
    tasks: list
    classes: np.ndarray

    codes = None  # a row has labels of several tasks

    def count(self, rows=slice(None)):
        """Number of labels of each task in some rows."""
        return self._observed(rows).sum(axis=0)

    n_labels = property(count)

    def scored(self, train, test):
        """Those test rows with a label of a task that has training labels."""
        seen = self._observed(train).any(axis=0)
        return test[self._observed(test)[:, seen].any(axis=1)]

    def _observed(self, rows):
        return ~np.isnan(self.numbers[rows])

    def problem(self, train, test, transformer):
        """Columns without a training label are left out."""
        tasks = np.flatnonzero(self._observed(train).any(axis=0))
        X, X_test = transformed(self.X, train, test, transformer)
        y, y_test = (self.y[rows][:, tasks] for rows in (train, test))
        return Problem(X, y, X_test, y_test, None, tasks, lambda prediction: prediction)

    def classes_seen(self, train):
        """Number of classes of each task among the training rows."""
        columns = self.numbers[train].T
        return np.array([len(np.unique(column[~np.isnan(column)])) for column in columns])


class ClassJudge:
    """Scores predicted classes or their probabilities.

    Parameters
    ----------
    scoring : str, callable or None
        As in `compare`.
    """

    def __init__(self, scoring):
        self.scorer, self.scoring = (None, None) if scoring is None else named_scorer(scoring)
        self.by_task = True

    @contextlib.contextmanager
    def quiet(self):
        """Context of the fits, which keeps back what they would say on every split."""
        with warnings.catch_warnings():
            for message in REPEATED:
                warnings.filterwarnings("ignore", message=f".*{message}", category=UserWarning)
            warnings.simplefilter("ignore", UndefinedMetricWarning)  # an error says it
            yield

    def notes(self, table, splits):
        """What a user should know of the splits."""
        return [*self._unranked_note(table, splits), *self._lone_note(table, splits)]

    def _unranked_note(self, table, splits):
        """On splits without an AUC, which is what a scorer of the user's may do without."""
        number = sum(not _can_rank(table, *map(np.asarray, split)) for split in splits)
        if number == 0 or self.scorer is not None:
            return []
        what = "no task has test labels of two classes"
        if len(splits) - number < FEWEST_SCORED:
            return [f"{what} in {number} of {len(splits)} splits: models are compared by log loss."]
        return [f"{what} in {number} of {len(splits)} splits, which have a log loss and no AUC."]

    def _lone_note(self, table, splits):
        lone = np.array([table.classes_seen(np.asarray(train)) == 1 for train, _ in splits])
        found = np.flatnonzero(lone.any(axis=0))
        if found.size == 0:
            return []
        others = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        return [
            f"task {table.tasks[found[0]]!r}{others} has training labels of one class only in some "
            f"splits ({lone.any(axis=1).sum()} of {len(splits)}): models predict that class there, "
            "and those that learn from the task alone are certain of it."
        ]

    def judge(self, table, problem, model):
        """The score and by task the AUC; without a scorer, AUC and log loss."""
        if hasattr(model, "__sklearn_tags__") and is_regressor(model):
            raise ValueError("it is a regressor, and y holds classes.")
        scores, by_task = self._judge(table, problem, model)
        halves = scores_of_halves(
            lambda rows: self._judge(table, problem.tested_on(rows), model)[0], problem, len(scores)
        )
        return Judged(scores, by_task, halves)

    def _judge(self, table, problem, model):
        answers = CachedPredictions(model, None if problem.task_test is None else 0)
        if self.scorer is not None:
            by_task = _by_task((AUC,), answers, problem, len(table.tasks))
            return (self._score(answers, problem),), by_task
        if not hasattr(answers, "predict_proba"):
            raise ValueError(
                "it has no predict_proba, which AUC and log loss read; choose a scoring that does "
                "without, as 'accuracy'."
            )
        by_task = _by_task((AUC, LOG_LOSS), answers, problem, len(table.tasks))
        return tuple(_nanmean(by_task, axis=1).tolist()), by_task

    def _score(self, answers, problem):
        """The user's score; NaN where it has none for want of a second class."""
        try:
            score = float(self.scorer(answers, problem.X_test, problem.y_test))
        except ValueError:
            if _has_pair(problem):
                raise
            return np.nan
        if not np.isfinite(score) and _has_pair(problem):
            raise ValueError(
                f"its score is {score}; the scoring function does not suit these labels."
            )
        return score

    def summarise(self, table, trials, **options):
        """The Comparison; without a scorer that of the AUC, which holds that of the log loss."""
        says = partial(summary, table, trials, _mean, **options)
        if self.scorer is not None:
            return says(0, scoring=self.scoring, task_scoring="AUC")
        log_loss = says(1, scoring=MEAN_LOG_LOSS, task_scoring="log loss", greater_is_better=False)
        if len(scored_by(trials, 0)) < FEWEST_SCORED:
            return log_loss
        return says(0, scoring=MEAN_AUC, task_scoring="AUC", log_loss=log_loss)


class CachedPredictions(ClassifierMixin, BaseEstimator):
    """What a fitted classifier says of the test rows, asked once: what scorers are given."""

    def __init__(self, model, task_column):
        self.model = model
        self.task_column = task_column
        self._said = {}

    @property
    def classes_(self):
        """Those of the model, None if it does not tell."""
        return getattr(self.model, "classes_", None)

    def predict(self, X):
        """PrecomputedPredictions labels."""
        return self._say("predict", X)

    @available_if(lambda self: hasattr(self.model, "predict_proba"))
    def predict_proba(self, X):
        """Probabilities of classes."""
        return self._say("predict_proba", X)

    @available_if(lambda self: hasattr(self.model, "decision_function"))
    def decision_function(self, X):
        """Scores of classes."""
        return self._say("decision_function", X)

    def _say(self, method, X):
        if method not in self._said:
            self._said[method] = getattr(self.model, method)(X)
        return self._said[method]

    def __sklearn_is_fitted__(self):
        return True

    def __repr__(self, N_CHAR_MAX=700):
        return repr(self.model)


def _by_task(metrics, answers, problem, n_tasks):
    """Each metric of each task, of shape (n_metrics, n_tasks), NaN where there is none."""
    values = np.full((len(metrics), n_tasks), np.nan)
    if hasattr(answers, "predict_proba"):
        of_test = [metric(answers, problem.X_test, problem.y_test) for metric in metrics]
        values[:, problem.tasks] = of_test
    return values


def _has_pair(problem):
    """Whether some task has test labels of two classes."""
    y, task = problem.y_test, problem.task_test
    columns = y.T if task is None else [y[task == t] for t in problem.tasks]
    observed = (column[~np.asarray(is_missing(column), dtype=bool)] for column in columns)
    return any(len(set(labels.tolist())) > 1 for labels in observed)


def _can_rank(table, train, test):
    """Whether a split tests two classes of some task that it trains on."""
    pairs = table.classes_seen(table.scored(train, test)) > 1
    return bool((pairs & (table.count(train) > 0)).any())


def _mean(by_task, measure):
    """Mean over the splits on which a task has a value, NaN if there are none."""
    return _nanmean(by_task[:, measure], axis=0)


def _nanmean(values, axis):
    count = (~np.isnan(values)).sum(axis=axis)
    return np.nansum(values, axis=axis) / np.where(count > 0, count, np.nan)
