"""Losses of probabilities, task by task over the observed labels, then averaged.

With p_c the probability of class c and y the label's class: -log p_y, and sum_c (1[y=c] - p_c)^2.
"""

import numpy as np

from ._by_task import average
from ._class_scores import task_scores


def multitask_log_loss(
    y_true,
    y_prob,
    *,
    classes=None,
    task=None,
    sample_weight=None,
    missing_label=np.nan,
    multioutput="uniform_average",
):
    """Log loss, mean of -log p of the observed class, averaged over tasks.

    As in scikit-learn p is kept off 0 and 1 by the rounding unit of its type, and probabilities
    that do not sum to one bring a warning. Tasks with no observed label are skipped.

    Parameters
    ----------
    y_true : array-like of shape (n_samples, n_tasks) or (n_samples,)
        Class labels of any type; NaN, None and `missing_label` are not observed.
    y_prob : array-like or list of arrays
        Probabilities; NaN is allowed where no label is observed. For `y_true` of shape
        (n_samples, n_tasks) a list of n_tasks arrays (n_samples, n_classes_t), or an array
        (n_samples, n_tasks) for the second class of each task; for 1-D `y_true` an array
        (n_samples, n_classes), or (n_samples,) for the second class.
    classes : array-like, or list of n_tasks array-likes, default=None
        What the columns of `y_prob` mean, as an estimator's `classes_`. None: the sorted distinct
        labels of the task, of long data those of all tasks; one label of 0, 1 or -1, 1 stands for
        both. A label that is not among the classes has probability zero.
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
        If shapes differ, a weight is negative, the columns are not as many as the classes, or a
        probability is missing or outside [0, 1] where a label is observed.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.metrics import multitask_log_loss
    >>> P = [np.array([[0.75, 0.25], [0.5, 0.5]]), np.array([[0.1, 0.4, 0.5], [0.2, 0.8, 0.0]])]
    >>> multitask_log_loss([[0, "b"], [1, None]], P, classes=[[0, 1], ["a", "b", "c"]])
    0.703...
    """
    scores = task_scores(
        y_true, y_prob, classes, task, sample_weight, missing_label, probabilities=True
    )
    return average(
        np.array([_mean(_log_losses(of_task), of_task) for of_task in scores]), multioutput
    )


def multitask_brier_score(
    y_true,
    y_prob,
    *,
    classes=None,
    task=None,
    sample_weight=None,
    missing_label=np.nan,
    multioutput="uniform_average",
):
    """Brier score loss, mean squared error of the probabilities, averaged over tasks.

    As scikit-learn's with `scale_by_half="auto"`: the sum of squares over all classes, from 0 to 2,
    and half of it, from 0 to 1, for a task with two columns. Probabilities that do not sum to one
    bring a warning. Tasks with no observed label are skipped.

    Parameters
    ----------
    y_true : array-like of shape (n_samples, n_tasks) or (n_samples,)
        Class labels of any type; NaN, None and `missing_label` are not observed.
    y_prob : array-like or list of arrays
        Probabilities; NaN is allowed where no label is observed. For `y_true` of shape
        (n_samples, n_tasks) a list of n_tasks arrays (n_samples, n_classes_t), or an array
        (n_samples, n_tasks) for the second class of each task; for 1-D `y_true` an array
        (n_samples, n_classes), or (n_samples,) for the second class.
    classes : array-like, or list of n_tasks array-likes, default=None
        What the columns of `y_prob` mean, as an estimator's `classes_`. None: the sorted distinct
        labels of the task, of long data those of all tasks; one label of 0, 1 or -1, 1 stands for
        both. A label that is not among the classes has probability zero.
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
        If shapes differ, a weight is negative, the columns are not as many as the classes, or a
        probability is missing or outside [0, 1] where a label is observed.

    Examples
    --------
    >>> from skmtl.metrics import multitask_brier_score
    >>> Y, P = [[0, 1], [1, 1]], [[0.5, 1.0], [0.5, 0.0]]
    >>> multitask_brier_score(Y, P, multioutput="raw_values")
    array([0.25, 0.5 ])
    """
    scores = task_scores(
        y_true, y_prob, classes, task, sample_weight, missing_label, probabilities=True
    )
    return average(np.array([_mean(_squares(of_task), of_task) for of_task in scores]), multioutput)


def _log_losses(of_task):
    p = of_task.P[np.arange(len(of_task.y)), of_task.y]
    return -np.log(np.clip(p, of_task.eps, 1 - of_task.eps))


def _squares(of_task):
    truth = np.eye(of_task.P.shape[1])[of_task.y]
    squares = np.sum((truth - of_task.P) ** 2, axis=1)
    return squares / 2 if of_task.n_columns <= 2 else squares


def _mean(losses, of_task):
    return np.average(losses, weights=of_task.s) if len(losses) else np.nan
