"""Accuracy and balanced accuracy, task by task over the observed labels, then averaged."""

import numpy as np

from ._by_task import average
from ._classes import observed_classes


def multitask_accuracy_score(
    y_true,
    y_pred,
    *,
    task=None,
    sample_weight=None,
    missing_label=np.nan,
    multioutput="uniform_average",
):
    """Share of labels that are predicted, averaged over tasks.

    Each label counts by itself, unlike in scikit-learn's accuracy of several columns, which counts
    rows that are right in all of them. Tasks with no observed label are skipped.

    Parameters
    ----------
    y_true : array-like of shape (n_samples, n_tasks) or (n_samples,)
        Class labels of any type; NaN, None and `missing_label` are not observed.
    y_pred : array-like of the shape of `y_true`
        Predicted class labels, which may be missing where none is observed.
    task : array-like of shape (n_samples,), default=None
        Task ids of long data, whose `y_true` is 1-D. None: each column is a task.
    sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), default=None
        Frequencies >= 0: weight 2 equals a repeated row, 0 a dropped one.
    missing_label : object, default=np.nan
        What else marks a label as not observed.
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
        If shapes differ, a weight is negative, labels are no classes (numbers with a fraction, or
        text on one side only), or a prediction is missing where a label is observed.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.metrics import multitask_accuracy_score
    >>> Y = [["a", "x"], ["b", None], ["b", "y"], ["a", None]]
    >>> multitask_accuracy_score(Y, [["a", "x"], ["b", "x"], ["a", "x"], ["a", "y"]])
    0.625
    >>> multitask_accuracy_score([0, 1, 1, 5], [0, 0, 1, 5], task=["s", "s", "t", "t"])
    0.75
    """
    labels, _ = observed_classes(y_true, y_pred, task, sample_weight, missing_label)
    return average(labels.mean(labels.y == labels.z), multioutput)


def multitask_balanced_accuracy_score(
    y_true,
    y_pred,
    *,
    task=None,
    sample_weight=None,
    missing_label=np.nan,
    multioutput="uniform_average",
):
    """Mean over a task's classes of the share that is predicted, averaged over tasks.

    The classes of a task are those among its observed labels, as in scikit-learn. Tasks with no
    observed label are skipped.

    Parameters
    ----------
    y_true : array-like of shape (n_samples, n_tasks) or (n_samples,)
        Class labels of any type; NaN, None and `missing_label` are not observed.
    y_pred : array-like of the shape of `y_true`
        Predicted class labels, which may be missing where none is observed.
    task : array-like of shape (n_samples,), default=None
        Task ids of long data, whose `y_true` is 1-D. None: each column is a task.
    sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), default=None
        Frequencies >= 0: weight 2 equals a repeated row, 0 a dropped one.
    missing_label : object, default=np.nan
        What else marks a label as not observed.
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
        If shapes differ, a weight is negative, labels are no classes (numbers with a fraction, or
        text on one side only), or a prediction is missing where a label is observed.

    Examples
    --------
    >>> from skmtl.metrics import multitask_balanced_accuracy_score
    >>> Y, Y_pred = [[0, 1], [0, 1], [0, 2], [1, 2]], [[0, 1], [0, 1], [0, 1], [0, 2]]
    >>> multitask_balanced_accuracy_score(Y, Y_pred, multioutput="raw_values")
    array([0.5 , 0.75])
    """
    labels, n_classes = observed_classes(y_true, y_pred, task, sample_weight, missing_label)
    cell = labels.task * n_classes + labels.y.astype(np.intp)
    by_class = labels._replace(task=cell, n_tasks=labels.n_tasks * n_classes)
    recall = by_class.mean(labels.y == labels.z).reshape(labels.n_tasks, n_classes)
    present = np.isfinite(recall)
    total = np.sum(recall, axis=1, where=present)
    return average(total / np.where(present.any(axis=1), present.sum(axis=1), np.nan), multioutput)
