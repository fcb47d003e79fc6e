"""Errors relative to a baseline: to predicting the mean, and to single-task models."""

import numpy as np

from ._by_task import average, defined, share
from ._labels import observed_labels


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
    y_true, y_pred : array-like of shape (n_samples, n_tasks) or (n_samples,)
        Labels, NaN where not observed, and predictions, which may be NaN there.
    y_train_mean : float or array-like of shape (n_tasks,), default=None
        Each task's mean label in the training data. None: the mean of the labels given here; then
        sqrt(1 - R2), and tasks with fewer than two observed labels are skipped.
    task : array-like of shape (n_samples,), default=None
        Task ids of long data, whose `y_true` is 1-D. None: each column is a task.
    sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), default=None
        Frequencies >= 0: weight 2 equals a repeated row, 0 a dropped one.
    multioutput : {"uniform_average", "raw_values"} or array-like of shape (n_tasks,)
        Mean over tasks, one value a task, or weights >= 0 for a weighted mean. Tasks are in the
        order of the columns, those of long data in the sorted order of their ids.

    Returns
    -------
    float or ndarray of shape (n_tasks,)
        NaN for a skipped task; the mean is NaN, with an UndefinedMetricWarning, if all are skipped.

    Raises
    ------
    ValueError
        If shapes differ, a weight is negative, a value is infinite, or a prediction is missing
        where a label is observed.

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
    labels = observed_labels(y_true, y_pred, task, sample_weight)
    return average(_relative_rmse(labels, y_train_mean), multioutput)


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
    return average(gain, "uniform_average")


def _relative_rmse(labels, y_train_mean):
    residual = labels.sum((labels.y - labels.z) ** 2)
    if y_train_mean is None:
        total = labels.sum(labels.centred(labels.y) ** 2)
        return defined(np.sqrt(share(residual, total)), labels)
    centre = np.asarray(y_train_mean, dtype=float)
    if centre.shape not in ((), (labels.n_tasks,)):
        raise ValueError(
            f"y_train_mean must be a number or of shape ({labels.n_tasks},), one mean a task, got "
            f"shape {centre.shape}."
        )
    centre = np.broadcast_to(centre, labels.n_tasks)
    total = labels.sum((labels.y - centre[labels.task]) ** 2)
    return defined(np.sqrt(share(residual, total)), labels, least=1)
