"""What `compare` is given as a table: features, continuous labels or classes, and tasks."""

import numpy as np
from sklearn.utils import check_consistent_length

from .._checks import check_flag
from .._input import (
    are_classes,
    check_dates,
    check_frame,
    check_two_dimensional,
    checked_array,
    encode_tasks,
    id_array,
    read_classes,
    take_task_column,
    to_host,
    warn_alike,
)
from ._class_trial import WideClasses
from ._trial import LongTable, WideTable


def read_table(X, y, task, task_column, *, classification, transformer):
    """The data as a table of long rows and their task ids, or as one of wide rows and None.

    `classification` and `transformer` are as in `compare`; the table's `classes` are None
    for continuous labels.
    """
    X = to_host(X)
    check_frame("X", X)
    check_two_dimensional(X)
    if task_column is not None:
        if task is not None:
            raise ValueError(f"give task or task_column={task_column!r}, not both.")
        X, task = take_task_column(X, task_column)
    if transformer is None or not hasattr(X, "shape"):
        X = _check_features(X)
    check_dates(X, transformer)
    y_read = to_host(y)
    check_frame("y", y_read)
    if classification is None:
        classification = are_classes(y_read)
    check_flag("classification", classification)
    if classification:
        Y, classes = read_classes(y_read, np.nan)
    else:
        Y, classes = _check_continuous(y_read), None
    if classes is not None:
        warn_alike(classes.tolist(), classes.tolist(), "y", "label")
    check_consistent_length(X, Y)
    if (np.nanmax(Y, axis=0, initial=-np.inf) <= np.nanmin(Y, axis=0, initial=np.inf)).all():
        raise ValueError("the labels in y never vary: there is nothing to explain.")
    if task is None:
        return _wide_table(X, Y, getattr(y, "columns", None), classes), None
    return _long_table(X, Y, id_array(task, "task", len(Y)), classes)


def _check_features(X):
    try:
        return checked_array("X", X, None, dtype=np.float64)
    except ValueError as error:
        raise ValueError(
            f"X must be a table of finite numbers unless a transformer makes one of it: {error}"
        ) from error


def _check_continuous(y):
    try:
        options = {"dtype": np.float64, "ensure_2d": False, "ensure_all_finite": "allow-nan"}
        return checked_array("y", y, None, **options)
    except ValueError as error:
        if "could not convert" not in str(error):
            raise
        raise ValueError(
            f"y must hold numbers, or classes with classification=True: {error}"
        ) from error


def _wide_table(X, Y, names, classes):
    if Y.ndim != 2 or Y.shape[1] < 2:
        raise ValueError(
            f"compare needs at least two tasks, got y of shape {Y.shape}; give task, an id for "
            "each row, or y with a column for each task."
        )
    names = list(range(Y.shape[1]) if names is None else names)
    empty = np.isnan(Y).all(axis=0)
    if empty.any():
        raise ValueError(f"task {names[np.argmax(empty)]!r} has no observed label in y; drop it.")
    if classes is None:
        return WideTable(X, Y, names)
    return WideClasses(X, _labels(Y, classes), Y, names, classes)


def _long_table(X, y, ids, classes):
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if y.ndim != 1:
        raise ValueError(f"y must be 1-D where task ids are given, got shape {y.shape}.")
    if np.isnan(y).any():
        raise ValueError(f"y is NaN in row {np.argmax(np.isnan(y))}; drop rows without a label.")
    tasks, codes = encode_tasks(ids)
    warn_alike(tasks, tasks, "the column of tasks")
    if len(tasks) < 2:
        raise ValueError(f"compare needs at least two tasks, got the one id {tasks[0]!r}.")
    if classes is None:
        return LongTable(X, y, codes, tasks), ids
    return LongTable(X, _labels(y, classes), codes, tasks, y, classes), ids


def _labels(numbers, classes):
    """Labels of the user's own type from class numbers; NaN, or None beside text, where missing."""
    missing = np.isnan(numbers)
    labels = classes[np.where(missing, 0, numbers).astype(np.intp)]
    if missing.any():
        is_number = labels.dtype.kind in "iuf"
        labels = labels.astype(np.float64 if is_number else object)
        labels[missing] = np.nan if is_number else None
    return labels
