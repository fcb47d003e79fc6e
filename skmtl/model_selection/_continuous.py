"""Continuous labels: what estimators are judged by, and what becomes of it over the splits.

R2 of a task is 1 - SSE/SST with both sums over the test labels of all splits.
"""

import contextlib

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import r2_score

from ..metrics import make_multitask_scorer
from ._judged import Judged, named_scorer, scores_of_halves, summary
from ._words import EXPLAINED_VARIANCE, MEAN_R2


class ContinuousJudge:
    """Scores predictions of continuous labels.

    Parameters
    ----------
    scoring : str, callable or None
        As in `compare`.
    wide : bool
    """

    def __init__(self, scoring, *, wide):
        if scoring is None and wide:
            self.scorer, self.scoring = make_multitask_scorer("r2"), MEAN_R2
        elif scoring is None:
            self.scorer, self.scoring = _explained_variance, EXPLAINED_VARIANCE
        else:
            self.scorer, self.scoring = named_scorer(scoring)
        # our scorers average over tasks; of others all that is known is what rows they are given
        self.by_task = wide or hasattr(self.scorer, "of_classes")
        if getattr(self.scorer, "of_classes", False):
            raise ValueError(
                f"scoring={scoring!r} is for classes, and y holds numbers; where these are classes "
                "give classification=True."
            )

    def quiet(self):
        """Context of the fits; no warning is kept back."""
        return contextlib.nullcontext()

    def notes(self, table, splits):
        """What a user should know of the splits: nothing."""
        return []

    def judge(self, table, problem, model):
        """The score, and by task the sums of squared errors and of squares about the mean."""
        prediction = _predict(model, problem)
        score = _score(self.scorer, prediction, problem)
        errors = table.sums((problem.y_test - prediction) ** 2, problem.task_test)
        by_task = np.stack([errors, table.spread(problem.y_test, problem.task_test)])
        halves = scores_of_halves(
            lambda rows: [_score(self.scorer, prediction[rows], problem.tested_on(rows))],
            problem,
            1,
        )
        return Judged((score,), by_task, halves)

    def summarise(self, table, trials, **options):
        """The Comparison."""
        return summary(table, trials, _explained, 0, scoring=self.scoring, **options)


class PrecomputedPredictions(RegressorMixin, BaseEstimator):
    """Predictions already made, in the shape of an estimator: what scorers are given."""

    def __init__(self, prediction, task_column):
        self.prediction = prediction
        self.task_column = task_column

    def predict(self, X):
        """The predictions, whatever X is."""
        return self.prediction

    def __sklearn_is_fitted__(self):
        return True


def _explained_variance(estimator, X, y):
    return r2_score(y, estimator.predict(X))


def _explained(by_task, _):
    """R2 of each task from the sums of each split."""
    errors, total = by_task.sum(axis=0)
    # a task whose labels never vary has no share of variance that a model could explain
    return 1 - errors / np.where(total > 0, total, np.nan)


def _predict(model, problem):
    """Predictions in the labels' units."""
    prediction = problem.to_units(np.asarray(model.predict(problem.X_test)))
    if prediction.shape != problem.y_test.shape:
        raise ValueError(
            f"it predicts an array of shape {prediction.shape} for labels of shape "
            f"{problem.y_test.shape}."
        )
    return prediction


def _score(scorer, prediction, problem):
    column = None if problem.task_test is None else 0
    score = float(
        scorer(PrecomputedPredictions(prediction, column), problem.X_test, problem.y_test)
    )
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
