"""Which rows and labels tasks have: numbers of each task, the labels, and those hidden."""

from numbers import Real

import numpy as np
from sklearn.utils import check_scalar

from .._checks import check_count


def check_sizes(n_samples, n_tasks, common_design):
    """The number of rows of each task."""
    if np.ndim(n_samples) and common_design:
        raise ValueError(
            "n_samples must be an int where the tasks share their rows; "
            "pass common_design=False to give each task a size of its own."
        )
    return check_counts(n_samples, "n_samples", n_tasks)


def check_counts(counts, name, n_tasks, least=1):
    """The count of each task, from one for all or an array of them."""
    if np.ndim(counts) == 0:
        return np.full(n_tasks, check_count(name, counts, least=least))
    values = np.asarray(counts)
    if values.shape != (n_tasks,) or values.dtype.kind not in "iu" or values.min() < least:
        raise ValueError(
            f"{name} must be an int or {n_tasks} ints (n_tasks), each at least {least}, "
            f"got {counts!r}."
        )
    return values


def check_scale(scale, name, n_tasks, highest=np.inf):
    """The number in [0, highest] of each task, from one for all or an array of them."""
    values = np.asarray(scale)
    if (
        values.shape not in ((), (n_tasks,))
        or values.dtype.kind not in "fiu"
        or not np.all((values >= 0) & (values <= highest) & np.isfinite(values))
    ):
        interval = "[0, inf)" if highest == np.inf else f"[0, {highest}]"
        raise ValueError(
            f"{name} must be a number or {n_tasks} numbers (n_tasks) in {interval}, got {scale!r}."
        )
    return np.broadcast_to(values, n_tasks)


def check_missing(missing, n_samples, n_tasks, common_design):
    """The number of labels to hide."""
    check_scalar(missing, "missing", Real)
    if not 0 <= missing < 1:
        raise ValueError(f"missing must be in [0, 1), got {missing!r}.")
    if missing == 0:
        return 0
    if not common_design:
        raise ValueError(
            f"missing={missing!r} needs common_design=True: long data simply lack the row, "
            "so choose the sizes of the tasks by n_samples."
        )
    n_hidden = round(missing * n_samples * n_tasks)
    if n_hidden > (n_samples - 1) * n_tasks:
        raise ValueError(
            f"missing={missing!r} of {n_samples} rows would leave a task without a label; "
            f"pass at most {1 - 1 / n_samples:.4g} or more rows."
        )
    return n_hidden


def draw_linear(coef, intercept, noise, sizes, n_hidden, common_design, rng, features=None):
    """(X, Y), or (X, y, task) of long data, of linear tasks with normal errors.

    `features` draws X of a shape; None: standard normal numbers.
    """
    features = rng.standard_normal if features is None else features
    n_tasks, n_features = coef.shape
    if common_design:
        X = features((sizes[0], n_features))
        Y = X @ coef.T + intercept + noise * rng.standard_normal((len(X), n_tasks))
        Y[draw_hidden(*Y.shape, n_hidden, rng)] = np.nan
        return X, Y
    task = np.repeat(np.arange(n_tasks), sizes)
    X = features((len(task), n_features))
    error = noise[task] * rng.standard_normal(len(task))
    return X, np.sum(X * coef[task], axis=1) + intercept[task] + error, task


def draw_hidden(n_samples, n_tasks, n_hidden, rng, classes=None):
    """Rows and columns of the hidden labels: those with the least reason to stay.

    A diagonal wrapped around the shuffled table meets every row and every task.  Its labels are
    hidden last, and the `n_tasks` of them that meet every task are never hidden.  Where `classes`
    of shape (n_samples, n_tasks) are given, one label of each class of each task comes between.
    """
    reason = np.zeros((n_samples, n_tasks))
    steps = np.arange(max(n_samples, n_tasks))
    rows = rng.permutation(n_samples)[steps % n_samples]
    columns = rng.permutation(n_tasks)[steps % n_tasks]
    reason[rows, columns] = 1.0
    reason[rows[:n_tasks], columns[:n_tasks]] = 3.0
    reason += rng.random_sample(reason.shape)
    if classes is not None:
        own = _one_of_each_class(classes, reason)
        reason[own] = np.maximum(reason[own], 2.0 + reason[own] % 1)
    order = np.argsort(reason.ravel())
    return np.unravel_index(order[:n_hidden], reason.shape)


def _one_of_each_class(classes, reason):
    """Rows and columns of the label of each class of each task that has most reason to stay."""
    found = []
    for t, (labels, reasons) in enumerate(zip(classes.T, reason.T, strict=True)):
        order = np.argsort(-reasons)
        _, first = np.unique(labels[order], return_index=True)
        found += [(row, t) for row in order[first]]
    return tuple(np.transpose(found))
