"""Ranking metrics, task by task over the observed labels, one class against the rest.

Both read ranks only: the classes' scores need not be probabilities.
"""

import numpy as np
from sklearn import config_context
from sklearn.metrics import auc, average_precision_score, roc_curve

from ._by_task import average
from ._class_scores import task_scores


def multitask_roc_auc_score(
    y_true,
    y_prob,
    *,
    classes=None,
    task=None,
    sample_weight=None,
    missing_label=np.nan,
    multioutput="uniform_average",
):
    """Area under the ROC curve, averaged over tasks.

    A task with two columns ranks their second class against all other labels, one with more each
    class among its labels against the rest, of which it takes the mean. Tasks whose observed labels
    are of one class are skipped.

    Parameters
    ----------
    y_true : array-like of shape (n_samples, n_tasks) or (n_samples,)
        Class labels of any type; NaN, None and `missing_label` are not observed.
    y_prob : array-like or list of arrays
        Probabilities, or scores that rise with them; NaN is allowed where no label is observed.
        For `y_true` of shape
        (n_samples, n_tasks) a list of n_tasks arrays (n_samples, n_classes_t), or an array
        (n_samples, n_tasks) for the second class of each task; for 1-D `y_true` an array
        (n_samples, n_classes), or (n_samples,) for the second class.
    classes : array-like, or list of n_tasks array-likes, default=None
        What the columns of `y_prob` mean, as an estimator's `classes_`. None: the sorted distinct
        labels of the task, of long data those of all tasks; one label of 0, 1 or -1, 1 stands for
        both. A label that is not among the classes has the score 0 in every row.
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
        score is not finite where a label is observed.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.metrics import multitask_roc_auc_score
    >>> Y = [[0, 1], [1, np.nan], [0, 0], [1, 1]]
    >>> multitask_roc_auc_score(Y, [[0.1, 0.8], [0.4, 0.1], [0.5, 0.7], [0.9, 0.9]])
    0.875
    >>> score, site = [0.1, 0.4, 0.5, 0.9], ["s", "s", "t", "t"]
    >>> multitask_roc_auc_score(["no", "yes", "yes", "no"], score, task=site)
    0.5
    """
    scores = task_scores(
        y_true, y_prob, classes, task, sample_weight, missing_label, probabilities=False
    )
    return average(_by_task(_roc_auc, scores), multioutput)


def multitask_average_precision_score(
    y_true,
    y_prob,
    *,
    classes=None,
    task=None,
    sample_weight=None,
    missing_label=np.nan,
    multioutput="uniform_average",
):
    """Average precision, the area under the precision-recall curve by steps, averaged over tasks.

    A task with two columns ranks their second class against all other labels, one with more each
    class among its labels against the rest, of which it takes the mean. Tasks whose observed labels
    are of one class are skipped.

    Parameters
    ----------
    y_true : array-like of shape (n_samples, n_tasks) or (n_samples,)
        Class labels of any type; NaN, None and `missing_label` are not observed.
    y_prob : array-like or list of arrays
        Probabilities, or scores that rise with them; NaN is allowed where no label is observed.
        For `y_true` of shape
        (n_samples, n_tasks) a list of n_tasks arrays (n_samples, n_classes_t), or an array
        (n_samples, n_tasks) for the second class of each task; for 1-D `y_true` an array
        (n_samples, n_classes), or (n_samples,) for the second class.
    classes : array-like, or list of n_tasks array-likes, default=None
        What the columns of `y_prob` mean, as an estimator's `classes_`. None: the sorted distinct
        labels of the task, of long data those of all tasks; one label of 0, 1 or -1, 1 stands for
        both. A label that is not among the classes has the score 0 in every row.
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
        score is not finite where a label is observed.

    Examples
    --------
    >>> from skmtl.metrics import multitask_average_precision_score
    >>> Y, P = [[0, 1], [1, 1], [0, 0], [1, 1]], [[0.1, 0.8], [0.4, 0.5], [0.5, 0.3], [0.9, 0.9]]
    >>> multitask_average_precision_score(Y, P, multioutput="raw_values").round(3)
    array([0.833, 1.   ])
    """
    scores = task_scores(
        y_true, y_prob, classes, task, sample_weight, missing_label, probabilities=False
    )
    return average(_by_task(average_precision_score, scores), multioutput)


def _roc_auc(y, score, sample_weight):
    # what roc_auc_score computes of two classes, in half its time
    false_positive, true_positive, _ = roc_curve(y, score, sample_weight=sample_weight)
    return auc(false_positive, true_positive)


def _by_task(measure, scores):
    with config_context(assume_finite=True, skip_parameter_validation=True):  # checked already
        return np.array([_ranked(measure, of_task) for of_task in scores])


def _ranked(measure, of_task):
    """Mean of a measure of two classes over the classes that a task ranks, NaN without any."""
    present = np.unique(of_task.y)
    if len(present) < 2:
        return np.nan
    classes = present if of_task.positive is None else present[present == of_task.positive]
    values = [
        measure((of_task.y == c).astype(int), of_task.P[:, c], sample_weight=of_task.s)
        for c in classes
    ]
    return np.mean(values) if values else np.nan
