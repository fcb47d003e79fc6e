"""scikit-learn's metrics of regression, task by task over the observed labels, then averaged."""

import numpy as np

from ._by_task import average, defined, share
from ._labels import observed_labels


def multitask_r2_score(
    y_true, y_pred, *, task=None, sample_weight=None, multioutput="uniform_average"
):
    """Coefficient of determination R2, averaged over tasks.

    As in scikit-learn a task with constant truth scores 1.0 if its predictions are perfect and 0.0
    otherwise. Tasks with fewer than two observed labels are skipped.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples, n_tasks) or (n_samples,)
        Labels, NaN where not observed, and predictions, which may be NaN there.
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
    labels = observed_labels(y_true, y_pred, task, sample_weight)
    residual = labels.sum((labels.y - labels.z) ** 2)
    total = labels.sum(labels.centred(labels.y) ** 2)
    return average(defined(1 - share(residual, total), labels), multioutput)


def multitask_explained_variance_score(
    y_true, y_pred, *, task=None, sample_weight=None, multioutput="uniform_average"
):
    """Explained variance 1 - var(y - y_pred) / var(y), averaged over tasks.

    Constant truth scores 1.0 if the errors are constant too and 0.0 otherwise, as in scikit-learn.
    Tasks with fewer than two observed labels are skipped.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples, n_tasks) or (n_samples,)
        Labels, NaN where not observed, and predictions, which may be NaN there.
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

    Examples
    --------
    >>> from skmtl.metrics import multitask_explained_variance_score
    >>> multitask_explained_variance_score([[1, 10], [3, 30]], [[2, 10], [4, 20]])
    0.875
    """
    labels = observed_labels(y_true, y_pred, task, sample_weight)
    residual = labels.sum(labels.centred(labels.y - labels.z) ** 2)
    total = labels.sum(labels.centred(labels.y) ** 2)
    return average(defined(1 - share(residual, total), labels), multioutput)


def multitask_mean_squared_error(
    y_true, y_pred, *, task=None, sample_weight=None, multioutput="uniform_average"
):
    """Mean squared error, averaged over tasks. Tasks with no observed label are skipped.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples, n_tasks) or (n_samples,)
        Labels, NaN where not observed, and predictions, which may be NaN there.
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

    Examples
    --------
    >>> from skmtl.metrics import multitask_mean_squared_error
    >>> multitask_mean_squared_error([1, 2, 5], [1, 4, 4], task=["a", "a", "b"])
    1.5
    """
    labels = observed_labels(y_true, y_pred, task, sample_weight)
    return average(labels.mean((labels.y - labels.z) ** 2), multioutput)


def multitask_root_mean_squared_error(
    y_true, y_pred, *, task=None, sample_weight=None, multioutput="uniform_average"
):
    """Square root of each task's mean squared error, averaged over tasks.

    Tasks with no observed label are skipped.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples, n_tasks) or (n_samples,)
        Labels, NaN where not observed, and predictions, which may be NaN there.
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

    Examples
    --------
    >>> from skmtl.metrics import multitask_root_mean_squared_error
    >>> multitask_root_mean_squared_error([1, 2, 5], [3, 0, 4], task=["a", "a", "b"])
    1.5
    """
    labels = observed_labels(y_true, y_pred, task, sample_weight)
    return average(np.sqrt(labels.mean((labels.y - labels.z) ** 2)), multioutput)


def multitask_mean_absolute_error(
    y_true, y_pred, *, task=None, sample_weight=None, multioutput="uniform_average"
):
    """Mean absolute error, averaged over tasks. Tasks with no observed label are skipped.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples, n_tasks) or (n_samples,)
        Labels, NaN where not observed, and predictions, which may be NaN there.
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

    Examples
    --------
    >>> from skmtl.metrics import multitask_mean_absolute_error
    >>> multitask_mean_absolute_error([1, 2, 5], [1, 4, 4], task=["a", "a", "b"])
    1.0
    """
    labels = observed_labels(y_true, y_pred, task, sample_weight)
    return average(labels.mean(abs(labels.y - labels.z)), multioutput)
