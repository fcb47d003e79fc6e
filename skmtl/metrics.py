"""Regression metrics by task: labels not observed (NaN) are left out, then tasks are averaged.

Each metric is a function of `Labels`, the flat list of observed labels: one pass of weighted sums
by task serves any number of tasks.  On a complete Y the values are scikit-learn's.
"""

import inspect
import warnings
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils import check_array
from sklearn.utils.metadata_routing import UNUSED

from ._backend import is_foreign, to_numpy
from ._checks import check_option
from ._data import encode_tasks, take_task_column
from ._registry import resolve

__all__ = [
    "average_relative_rmse",
    "delta_m",
    "make_multitask_scorer",
    "multitask_explained_variance_score",
    "multitask_mean_absolute_error",
    "multitask_mean_squared_error",
    "multitask_r2_score",
    "multitask_root_mean_squared_error",
]

_SHARED_DOC = {
    "labels": """
        y_true : array-like of shape (n_samples, n_tasks) or (n_samples,)
            True labels. NaN = not observed: such labels are left out.
        y_pred : array-like of the shape of `y_true`
            Predictions; finite wherever a label is observed.""",
    "options": """
        task : array-like of shape (n_samples,), default=None
            Task id of each row of long data, of any hashable type; `y_true` is 1-D then. None: each
            column of `y_true` is a task.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), default=None
            Frequencies >= 0: weight 2 equals a repeated row, 0 a dropped one.
        multioutput : {"uniform_average", "raw_values"} or array-like of shape (n_tasks,)
            Mean over tasks, one value a task, or weights >= 0 for a weighted mean. Tasks are in the
            order of the columns, those of long data in sorted order of their ids.""",
    "returns": """
        float or ndarray of shape (n_tasks,)
            NaN in "raw_values" marks a task that the mean skips. If no task is left, the mean is
            NaN, with an UndefinedMetricWarning.""",
    "raises": """
        ValueError
            If shapes differ, a weight is negative, a value is infinite, or a prediction is missing
            at an observed label.""",
}


def _shared_doc(function):
    """Fill the parts that all metrics' docstrings have in common."""
    function.__doc__ = inspect.cleandoc(function.__doc__)
    for name, text in _SHARED_DOC.items():
        function.__doc__ = function.__doc__.replace(f"<{name}>", inspect.cleandoc(text))
    return function


@_shared_doc
def multitask_r2_score(
    y_true, y_pred, *, task=None, sample_weight=None, multioutput="uniform_average"
):
    """Coefficient of determination R2, averaged over tasks.

    As in scikit-learn a task with constant truth scores 1.0 if its predictions are perfect and 0.0
    otherwise. Tasks with fewer than two observed labels are skipped.

    Parameters
    ----------
    <labels>
    <options>

    Returns
    -------
    <returns>

    Raises
    ------
    <raises>

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.metrics import multitask_r2_score
    >>> Y = [[1.0, 10.0], [2.0, np.nan], [3.0, 30.0]]
    >>> multitask_r2_score(Y, [[1.0, 10.0], [2.0, 0.0], [3.0, 20.0]])
    0.75
    >>> multitask_r2_score([1, 2, 10, 30], [1, 2, 10, 20], task=["a", "a", "b", "b"])
    0.75
    """
    labels = _observed_labels(y_true, y_pred, task, sample_weight)
    return _average(_r2(labels), multioutput)


@_shared_doc
def multitask_explained_variance_score(
    y_true, y_pred, *, task=None, sample_weight=None, multioutput="uniform_average"
):
    """Explained variance 1 - var(y - y_pred) / var(y), averaged over tasks.

    Constant truth scores 1.0 if the errors are constant too and 0.0 otherwise, as in scikit-learn.
    Tasks with fewer than two observed labels are skipped.

    Parameters
    ----------
    <labels>
    <options>

    Returns
    -------
    <returns>

    Raises
    ------
    <raises>

    Examples
    --------
    >>> from skmtl.metrics import multitask_explained_variance_score
    >>> multitask_explained_variance_score([[1, 10], [3, 30]], [[2, 10], [4, 20]])
    0.875
    """
    labels = _observed_labels(y_true, y_pred, task, sample_weight)
    return _average(_explained_variance(labels), multioutput)


@_shared_doc
def multitask_mean_squared_error(
    y_true, y_pred, *, task=None, sample_weight=None, multioutput="uniform_average"
):
    """Mean squared error, averaged over tasks. Tasks with no observed label are skipped.

    Parameters
    ----------
    <labels>
    <options>

    Returns
    -------
    <returns>

    Raises
    ------
    <raises>

    Examples
    --------
    >>> from skmtl.metrics import multitask_mean_squared_error
    >>> multitask_mean_squared_error([1, 2, 5], [1, 4, 4], task=["a", "a", "b"])
    1.5
    """
    labels = _observed_labels(y_true, y_pred, task, sample_weight)
    return _average(_mean_squared_error(labels), multioutput)


@_shared_doc
def multitask_root_mean_squared_error(
    y_true, y_pred, *, task=None, sample_weight=None, multioutput="uniform_average"
):
    """Square root of each task's mean squared error, averaged over tasks.

    Tasks with no observed label are skipped.

    Parameters
    ----------
    <labels>
    <options>

    Returns
    -------
    <returns>

    Raises
    ------
    <raises>

    Examples
    --------
    >>> from skmtl.metrics import multitask_root_mean_squared_error
    >>> multitask_root_mean_squared_error([1, 2, 5], [3, 0, 4], task=["a", "a", "b"])
    1.5
    """
    labels = _observed_labels(y_true, y_pred, task, sample_weight)
    return _average(np.sqrt(_mean_squared_error(labels)), multioutput)


@_shared_doc
def multitask_mean_absolute_error(
    y_true, y_pred, *, task=None, sample_weight=None, multioutput="uniform_average"
):
    """Mean absolute error, averaged over tasks. Tasks with no observed label are skipped.

    Parameters
    ----------
    <labels>
    <options>

    Returns
    -------
    <returns>

    Raises
    ------
    <raises>

    Examples
    --------
    >>> from skmtl.metrics import multitask_mean_absolute_error
    >>> multitask_mean_absolute_error([1, 2, 5], [1, 4, 4], task=["a", "a", "b"])
    1.0
    """
    labels = _observed_labels(y_true, y_pred, task, sample_weight)
    return _average(labels.mean(abs(labels.y - labels.z)), multioutput)


@_shared_doc
def average_relative_rmse(
    y_true,
    y_pred,
    *,
    y_train_mean=None,
    task=None,
    sample_weight=None,
    multioutput="uniform_average",
):
    """Error relative to predicting the mean (aRRMSE): sqrt(SSE_t / SST_t), averaged over tasks.

    SSE_t is the sum of squared errors of task t and SST_t the sum of squares of its labels around
    the task's mean; 0 is perfect, 1 no better than the mean. Constant labels at the mean give 0.0
    if the predictions are perfect and 1.0 otherwise.

    Parameters
    ----------
    <labels>
    y_train_mean : float or array-like of shape (n_tasks,), default=None
        Each task's mean label in the training data. None: the mean of the labels given here; then
        sqrt(1 - R2), and tasks with fewer than two observed labels are skipped.
    <options>

    Returns
    -------
    <returns>

    Raises
    ------
    <raises>

    References
    ----------
    E. Spyromitros-Xioufis, G. Tsoumakas, W. Groves, I. Vlahavas, "Multi-target regression via input
    space expansion: treating targets as inputs", Machine Learning 104 (2016), 55-98.

    Examples
    --------
    >>> from skmtl.metrics import average_relative_rmse
    >>> Y, Y_pred = [[0.0, 0.0], [4.0, 8.0]], [[1.0, 2.0], [3.0, 6.0]]
    >>> average_relative_rmse(Y, Y_pred)
    0.5
    >>> average_relative_rmse(Y, Y_pred, y_train_mean=[2.0, 4.0], multioutput="raw_values")
    array([0.5, 0.5])
    """
    labels = _observed_labels(y_true, y_pred, task, sample_weight)
    return _average(_relative_rmse(labels, y_train_mean), multioutput)


def delta_m(scores, baseline_scores, *, greater_is_better=True):
    """Mean relative gain over single-task learning, mean of +-(score_t - base_t) / abs(base_t).

    Positive = better than the baseline whichever way the scores point; 0.1 is a gain of ten per
    cent.

    Parameters
    ----------
    scores : array-like of shape (n_tasks,)
        One score a task; a task with NaN here or in `baseline_scores` is skipped.
    baseline_scores : array-like of shape (n_tasks,)
        Scores of single-task models, not zero.
    greater_is_better : bool or array-like of bool of shape (n_tasks,), default=True
        Whether a larger score is better, for each task if they differ.

    Returns
    -------
    float
        NaN, with an UndefinedMetricWarning, if no task is left.

    Raises
    ------
    ValueError
        If shapes differ or a baseline score is zero.

    References
    ----------
    K.-K. Maninis, I. Radosavovic, I. Kokkinos, "Attentive single-tasking of multiple tasks", CVPR
    2019 (there in per cent).

    Examples
    --------
    >>> from skmtl.metrics import delta_m
    >>> delta_m([0.5, 3.0], [1.0, 4.0], greater_is_better=False)
    0.375
    """
    scores, baseline = np.asarray(scores, dtype=float), np.asarray(baseline_scores, dtype=float)
    better = np.asarray(greater_is_better)
    if scores.ndim != 1 or scores.shape != baseline.shape:
        raise ValueError(
            "scores and baseline_scores must both be of shape (n_tasks,), got shapes "
            f"{scores.shape} and {baseline.shape}."
        )
    if better.dtype != bool or better.shape not in ((), scores.shape):
        raise ValueError(
            "greater_is_better must be True, False or a boolean array of shape "
            f"{scores.shape}, got {greater_is_better!r}."
        )
    if (baseline == 0).any():
        t = np.flatnonzero(baseline == 0)[0]
        raise ValueError(f"baseline_scores is 0 for task {t}: no gain relative to it exists.")
    gain = np.where(better, 1.0, -1.0) * (scores - baseline) / abs(baseline)
    return _average(gain, "uniform_average")


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


def _mean_squared_error(labels):
    return labels.mean((labels.y - labels.z) ** 2)


def _r2(labels):
    residual = labels.sum((labels.y - labels.z) ** 2)
    return _defined(1 - _share(residual, labels.sum(labels.centred(labels.y) ** 2)), labels)


def _explained_variance(labels):
    residual = labels.sum(labels.centred(labels.y - labels.z) ** 2)
    return _defined(1 - _share(residual, labels.sum(labels.centred(labels.y) ** 2)), labels)


def _relative_rmse(labels, y_train_mean):
    residual = labels.sum((labels.y - labels.z) ** 2)
    if y_train_mean is None:
        total = labels.sum(labels.centred(labels.y) ** 2)
        return _defined(np.sqrt(_share(residual, total)), labels)
    centre = np.asarray(y_train_mean, dtype=float)
    if centre.shape not in ((), (labels.n_tasks,)):
        raise ValueError(
            f"y_train_mean must be a number or of shape ({labels.n_tasks},), one mean a task, got "
            f"shape {centre.shape}."
        )
    centre = np.broadcast_to(centre, labels.n_tasks)
    total = labels.sum((labels.y - centre[labels.task]) ** 2)
    return _defined(np.sqrt(_share(residual, total)), labels, least=1)


def _share(residual, total):
    """residual / total, where x / 0 is 1 and 0 / 0 is 0 (scikit-learn's force_finite)."""
    share = residual / np.where(total > 0, total, 1.0)
    return np.where((total > 0) | (residual == 0), share, 1.0)


def _defined(raw, labels, least=2):
    """Values by task, NaN for a task with fewer than `least` labels."""
    return np.where(labels.count >= least, raw, np.nan)


def _average(raw, multioutput):
    """Values by task as `multioutput` asks for them."""
    if isinstance(multioutput, str):
        check_option("multioutput", multioutput, ("uniform_average", "raw_values"))
        if multioutput == "raw_values":
            return raw
        multioutput = np.ones(len(raw))
    weights = np.asarray(multioutput, dtype=float)
    if weights.shape != raw.shape or not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError(
            f"multioutput must hold one finite weight >= 0 for each of the {len(raw)} tasks, got "
            f"{multioutput!r}."
        )
    used = ~np.isnan(raw) & (weights > 0)
    if not used.any():
        message = "No task has enough observed labels of positive weight: the mean is NaN."
        warnings.warn(message, UndefinedMetricWarning, stacklevel=3)
        return float("nan")
    return float(np.average(raw[used], weights=weights[used]))


def _observed_labels(y_true, y_pred, task, sample_weight):
    """Labels that are observed and have positive weight."""
    y, z = _table(y_true, "y_true", finite="allow-nan"), _table(y_pred, "y_pred", finite=False)
    if y.shape != z.shape:
        raise ValueError(f"y_pred must have the shape of y_true, {y.shape}, got {z.shape}.")
    n_tasks, code = _task_codes(task, y)
    S, code = np.broadcast_to(_weights(sample_weight, y), y.shape), np.broadcast_to(code, y.shape)
    seen = ~np.isnan(y) & (S > 0)
    labels = Labels(y[seen], z[seen], S[seen], code[seen], n_tasks)
    if not np.isfinite(labels.z).all():
        row, column = np.argwhere(seen & ~np.isfinite(z))[0]
        raise ValueError(
            "y_pred must be finite wherever a label is observed, got "
            f"{z[row, column]} in row {row}, column {column}."
        )
    return labels


def _table(y, name, finite):
    y = to_numpy(y) if is_foreign(y) else y
    y = check_array(y, dtype=np.float64, ensure_2d=False, ensure_all_finite=finite, input_name=name)
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
    return len(tasks), codes[:, None]


def _weights(sample_weight, y):
    if sample_weight is None:
        return np.ones((len(y), 1))
    sample_weight = to_numpy(sample_weight) if is_foreign(sample_weight) else sample_weight
    S = np.asarray(sample_weight, dtype=float)
    if S.shape not in ((len(y),), y.shape):
        raise ValueError(
            f"sample_weight must be of shape ({len(y)},) or {y.shape}, got shape {S.shape}."
        )
    bad = S[~(np.isfinite(S) & (S >= 0))]
    if bad.size:
        raise ValueError(f"sample_weight must be finite and >= 0, got {bad[0]}.")
    return S.reshape(len(y), -1)


def id_array(ids, name, n_rows):
    """Task ids, of any hashable type, as an array of shape (n_rows,)."""
    ids = to_numpy(ids) if is_foreign(ids) else ids
    cells = ids.tolist() if hasattr(ids, "tolist") else list(ids)
    if getattr(ids, "ndim", 1) != 1 or len(cells) != n_rows:
        shape = getattr(ids, "shape", (len(cells),))
        raise ValueError(f"{name} must hold one task id a row, of shape ({n_rows},), got {shape}.")
    missing = [row for row, cell in enumerate(cells) if cell is None or cell != cell]
    if missing:
        raise ValueError(
            f"the task id in row {missing[0]} of {name} is missing; drop such rows or give them an "
            "id of their own."
        )
    kinds = set(map(type, cells))
    if kinds == {str} or (kinds and kinds <= {int, float}):
        return np.array(cells)
    return np.fromiter(cells, dtype=object, count=n_rows)
