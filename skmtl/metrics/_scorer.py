"""Scorers for scikit-learn's searches, which find the task ids of long data in X by themselves."""

from typing import Any, ClassVar, NamedTuple

from sklearn.base import BaseEstimator
from sklearn.utils.metadata_routing import UNUSED

from .._registry import resolve
from .._task_ids import take_task_column
from ._regression import (
    multitask_explained_variance_score,
    multitask_mean_absolute_error,
    multitask_mean_squared_error,
    multitask_r2_score,
    multitask_root_mean_squared_error,
)


class _Scoring(NamedTuple):
    """metric(y_true, y_pred, *, task, sample_weight), and the sign that makes larger better."""

    metric: Any
    sign: int = 1


METRICS = {
    "r2": _Scoring(multitask_r2_score),
    "explained_variance": _Scoring(multitask_explained_variance_score),
    "neg_mean_squared_error": _Scoring(multitask_mean_squared_error, -1),
    "neg_root_mean_squared_error": _Scoring(multitask_root_mean_squared_error, -1),
    "neg_mean_absolute_error": _Scoring(multitask_mean_absolute_error, -1),
}


def make_multitask_scorer(metric, *, greater_is_better=True):
    """Scorer for `scoring=` of scikit-learn's searches and cross-validation; larger is better.

    It masks labels that are not observed and averages over tasks. For long data it reads the task
    ids of X through the estimator's `task_column`, inside pipelines and searches too.

    Parameters
    ----------
    metric : str or callable
        "r2", "explained_variance", "neg_mean_squared_error", "neg_root_mean_squared_error",
        "neg_mean_absolute_error", or a metric called as `metric(y_true, y_pred)` with `task=` (for
        long data) and `sample_weight=` (if given).
    greater_is_better : bool, default=True
        False turns the sign of a callable `metric`. Names have their sign built in.

    Returns
    -------
    callable
        `scorer(estimator, X, y, sample_weight=None) -> float`. `sample_weight` can be routed to it:
        `scorer.set_score_request(sample_weight=True)`.

    Raises
    ------
    ValueError
        If the name is unknown, or `greater_is_better=False` comes with a name.
    TypeError
        If `metric` is neither a string nor callable.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.model_selection import cross_val_score
    >>> from skmtl.metrics import make_multitask_scorer
    >>> X, Y = np.arange(12.0).reshape(12, 1), np.arange(24.0).reshape(12, 2)
    >>> scorer = make_multitask_scorer("neg_mean_absolute_error")
    >>> cross_val_score(Ridge(alpha=0), X, Y, scoring=scorer, cv=2).round(6)
    array([-0., -0.])
    """
    if isinstance(metric, str) and not greater_is_better:
        raise ValueError(
            f"greater_is_better=False is for a callable metric; the name {metric!r} has its sign "
            "built in."
        )
    resolve(metric, METRICS, "metric")
    if not isinstance(metric, str) and not callable(metric):
        raise TypeError(f"metric must be a name or a callable, got {metric!r}.")
    return _MultiTaskScorer(metric, greater_is_better=greater_is_better)


class _MultiTaskScorer(BaseEstimator):
    """What `make_multitask_scorer` returns; BaseEstimator brings clone and metadata routing."""

    __metadata_request__score: ClassVar[dict] = {"estimator": UNUSED}

    def __init__(self, metric, *, greater_is_better=True):
        self.metric = metric
        self.greater_is_better = greater_is_better

    def score(self, estimator, X, y, sample_weight=None):
        """Score of the fitted `estimator`; scikit-learn routes weights to methods of this name."""
        if isinstance(self.metric, str):
            metric, sign = resolve(self.metric, METRICS, "metric")
        else:
            metric, sign = self.metric, 1 if self.greater_is_better else -1
        options = {"task": task_ids_for(estimator, X), "sample_weight": sample_weight}
        given = {name: value for name, value in options.items() if value is not None}
        return sign * metric(y, estimator.predict(X), **given)

    __call__ = score

    def __repr__(self, N_CHAR_MAX=700):
        name = getattr(self.metric, "__name__", repr(self.metric))
        sign = "" if self.greater_is_better else ", greater_is_better=False"
        return f"make_multitask_scorer({name}{sign})"


def task_ids_for(estimator, X):
    """Task ids of the rows of X as the fitted `estimator` reads them, None if it reads none.

    A pipeline's last step sees X transformed by the others; searches and other meta-estimators are
    looked into.
    """
    task_column = getattr(estimator, "task_column", None)
    if task_column is not None:
        return take_task_column(X, task_column)[1]
    if hasattr(estimator, "steps"):
        X = estimator[:-1].transform(X) if len(estimator.steps) > 1 else X
        return task_ids_for(estimator.steps[-1][1], X)
    for inner in ("best_estimator_", "regressor_", "estimator_"):
        if hasattr(estimator, inner):
            return task_ids_for(getattr(estimator, inner), X)
    return None
