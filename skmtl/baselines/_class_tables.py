"""Answers of classifiers as tables, a row for each sample and a column for each class of any task.

In these the classifiers of tasks with different class sets can be averaged, and each task's own
classes be taken out.
"""

import numpy as np

from .._input import lookup_tasks


def class_table(estimator, X, classes, method):
    """What a fitted classifier's method says of X, as an ndarray of shape (n_samples, n_classes).

    Parameters
    ----------
    estimator : object
    X : ndarray of shape (n_samples, n_features)
    classes : TaskClasses
    method : {"predict", "predict_proba", "decision_function"}
        A predicted label is a one among zeros. A class that the classifier lacks has probability
        zero, or a decision function of minus infinity.
    """
    answers, values = np.asarray(getattr(estimator, method)(X)), classes.values.tolist()
    if method == "predict":
        return np.eye(len(values))[_numbers(answers.ravel(), values)]
    columns = _numbers(np.asarray(estimator.classes_), values)
    if answers.shape != (len(X), len(columns)):  # a score for each pair of classes
        return class_table(estimator, X, classes, "predict")
    table = np.full((len(X), len(values)), 0.0 if method == "predict_proba" else -np.inf)
    table[:, columns] = answers
    return table


def chosen(table, classes, task):
    """Number (n_samples,) of the best of the own classes of each row's task.

    Parameters
    ----------
    table : ndarray of shape (n_samples, n_classes)
    classes : TaskClasses
    task : int or ndarray of shape (n_samples,)
        -1 is an unknown task.
    """
    best = np.argmax(np.where(_own(classes, task), table, -np.inf), axis=1)
    only = np.append(classes.only, -1)[task]
    return np.where(only >= 0, only, best)


def restricted(P, classes, task):
    """Probabilities within the own classes of each row's task, as `chosen` takes them.

    Rows that lose some are divided by the rest, and have equal probabilities where nothing is left.
    """
    own = _own(classes, task)
    inside = np.where(own, P, 0.0)
    rest = inside.sum(axis=1, keepdims=True)
    equal = np.broadcast_to(own / own.sum(axis=1, keepdims=True), P.shape)
    shares = np.divide(inside, rest, out=equal.copy(), where=rest > 0)
    whole = (inside == P).all(axis=1, keepdims=True) & (rest > 0)
    return np.where(whole, P, shares)


def _own(classes, task):
    """Whether each class is one of the task's, of shape (n_samples or 1, n_classes)."""
    tasks, row = np.unique(np.atleast_1d(task), return_inverse=True)
    table = np.zeros((len(tasks), len(classes.values)), dtype=bool)
    for k, t in enumerate(tasks):
        table[k, classes.of_task(t)] = True
    return table[row]


def _numbers(labels, values):
    numbers = lookup_tasks(labels, values)
    if (numbers < 0).any():
        unknown = labels.tolist()[np.argmin(numbers)]
        raise ValueError(
            f"estimator predicts {unknown!r}, which is none of the labels that it was fitted to."
        )
    return numbers
