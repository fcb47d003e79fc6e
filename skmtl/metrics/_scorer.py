"""Scorers for scikit-learn's searches, which find the task ids of long data in X by themselves."""

from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, is_regressor
from sklearn.utils.metadata_routing import UNUSED

from .._input import take_task_column
from .._registry import resolve
from ._accuracy import multitask_accuracy_score, multitask_balanced_accuracy_score
from ._probability import multitask_brier_score, multitask_log_loss
from ._ranking import multitask_average_precision_score, multitask_roc_auc_score
from ._regression import (
    multitask_explained_variance_score,
    multitask_mean_absolute_error,
    multitask_mean_squared_error,
    multitask_r2_score,
    multitask_root_mean_squared_error,
)


class _Scoring(NamedTuple):
    """What a scorer computes, of what.

    Attributes
    ----------
    metric : callable
        Called as metric(y_true, response, *, task, sample_weight).
    sign : int
        1 or -1, what makes larger better.
    reads : tuple of str
        Methods of the estimator, of which the first that it has gives the response.
    options : tuple of str
        Keys of OPTIONS, which `metric` is given too.
    """

    metric: Any
    sign: int = 1
    reads: tuple = ("predict",)
    options: tuple = ()

    @property
    def of_classes(self):
        """Whether the metric is for classes: those of continuous labels need no options."""
        return bool(self.options)


LABELS = {"options": ("missing_label",)}
PROBABILITIES = {"reads": ("predict_proba",), "options": ("missing_label", "classes")}
RANKS = PROBABILITIES | {"reads": ("predict_proba", "decision_function")}

METRICS = {
    "r2": _Scoring(multitask_r2_score),
    "explained_variance": _Scoring(multitask_explained_variance_score),
    "neg_mean_squared_error": _Scoring(multitask_mean_squared_error, -1),
    "neg_root_mean_squared_error": _Scoring(multitask_root_mean_squared_error, -1),
    "neg_mean_absolute_error": _Scoring(multitask_mean_absolute_error, -1),
    "accuracy": _Scoring(multitask_accuracy_score, **LABELS),
    "balanced_accuracy": _Scoring(multitask_balanced_accuracy_score, **LABELS),
    "roc_auc": _Scoring(multitask_roc_auc_score, **RANKS),
    "average_precision": _Scoring(multitask_average_precision_score, **RANKS),
    "neg_log_loss": _Scoring(multitask_log_loss, -1, **PROBABILITIES),
    "neg_brier_score": _Scoring(multitask_brier_score, -1, **PROBABILITIES),
}


def make_multitask_scorer(metric, *, greater_is_better=True):
    """Scorer for `scoring=` of scikit-learn's searches and cross-validation; larger is better.

    It masks labels that are not observed and averages over tasks. For long data it reads the task
    ids of X through the estimator's `task_column`, inside pipelines and searches too.

    Parameters
    ----------
    metric : str or callable
        "r2", "explained_variance", "neg_mean_squared_error", "neg_root_mean_squared_error",
        "neg_mean_absolute_error"; of classifiers "accuracy", "balanced_accuracy", "roc_auc",
        "average_precision", "neg_log_loss", "neg_brier_score"; or a metric called as
        `metric(y_true, y_pred)` with `task=` (for long data) and `sample_weight=` (if given).
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
        scoring = self._scoring()
        response = _response(estimator, X, scoring)
        options = {"task": task_ids_for(estimator, X), "sample_weight": sample_weight}
        options |= {name: OPTIONS[name](estimator, y) for name in scoring.options}
        given = {name: value for name, value in options.items() if value is not None}
        return scoring.sign * scoring.metric(y, response, **given)

    __call__ = score

    @property
    def of_classes(self):
        """Whether labels must be classes."""
        return self._scoring().of_classes

    def _scoring(self):
        if isinstance(self.metric, str):
            return resolve(self.metric, METRICS, "metric")
        sign = 1 if self.greater_is_better else -1
        plain = getattr(self.metric, "func", self.metric)  # of a functools.partial
        ours = next((entry for entry in METRICS.values() if entry.metric is plain), _Scoring(plain))
        return ours._replace(metric=self.metric, sign=sign)

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
    inner = _inner(estimator)
    if inner is None:
        return None
    if len(getattr(estimator, "steps", ())) > 1:
        X = estimator[:-1].transform(X)
    return task_ids_for(inner, X)


def _inner(estimator):
    """A pipeline's last step, or what a search or another meta-estimator has fitted, or None."""
    if hasattr(estimator, "steps"):
        return estimator.steps[-1][1]
    fitted = (
        getattr(estimator, name, None) for name in ("best_estimator_", "regressor_", "estimator_")
    )
    return next((inner for inner in fitted if inner is not None), None)


def _response(estimator, X, scoring):
    """What the first method of the estimator that the metric can read says of X."""
    name = next((name for name in scoring.reads if hasattr(estimator, name)), None)
    tagged = hasattr(estimator, "__sklearn_tags__")
    is_continuous = scoring.of_classes and tagged and is_regressor(estimator)
    if name is None or is_continuous:
        metric = getattr(scoring.metric, "__name__", repr(scoring.metric))
        reads, wrong = " or ".join(scoring.reads), "is a regressor" if is_continuous else "has none"
        raise ValueError(f"{metric} reads {reads} of a classifier, but {estimator!r} {wrong}.")
    return getattr(estimator, name)(X)


def _missing_label(estimator, y):
    """The estimator's missing_label, or that of the model inside it; None if there is none."""
    while estimator is not None and not hasattr(estimator, "missing_label"):
        estimator = _inner(estimator)
    return getattr(estimator, "missing_label", None)


def _classes(estimator, y):
    """What the columns of the response mean."""
    classes = getattr(estimator, "classes_", None)
    several = len(np.shape(y)) == 2 and np.shape(y)[1] > 1
    if several and classes is not None and not isinstance(classes, (list, tuple)):
        return [0, 1]  # multilabel indicators, whose classes_ number the columns
    return classes


OPTIONS = {"missing_label": _missing_label, "classes": _classes}
