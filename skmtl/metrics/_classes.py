"""Class labels of any type as numbers, NaN where not observed."""

import numpy as np

from .._input import as_array, lookup_tasks, naming, read_classes
from ._labels import observed_labels


def observed_classes(y_true, y_pred, task, sample_weight, missing_label):
    """Labels of `observed_labels` by number, and how many classes the truth has.

    A predicted class that the truth does not hold has the number -1.
    """
    y, classes = read_labels(y_true, "y_true", missing_label)
    z, predicted = read_labels(y_pred, "y_pred", np.nan)
    check_kinds("y_true", classes.tolist(), "y_pred", predicted.tolist())
    number = np.append(lookup_tasks(predicted, classes.tolist()), np.nan)
    z = number[np.where(np.isnan(z), len(predicted), z).astype(np.intp)]
    return observed_labels(y, z, task, sample_weight), len(classes)


def read_labels(y, name, missing_label):
    """Class numbers in the shape of y, NaN where not observed, and the classes."""
    with naming(name):
        return read_classes(y, missing_label, name)


def check_kinds(name, classes, other_name, others):
    """Refuse text on one side where the other has none: no label would ever agree."""
    text, other_text = ({isinstance(c, str) for c in side} for side in (classes, others))
    if {*text, *other_text} == {True, False} and len(text) == len(other_text) == 1:
        raise ValueError(
            f"{name} and {other_name} must hold labels of one kind, got {classes[0]!r} in {name} "
            f"and {others[0]!r} in {other_name}."
        )


def class_lists(classes, n_tables):
    """Classes of the columns of each table of scores as lists, None where they are not given."""
    if classes is None:
        return [None] * n_tables
    if not np.iterable(classes) or isinstance(classes, str):
        raise TypeError(
            f"classes must be labels, or a list of them for each task, got {classes!r}."
        )
    if np.ndim(next(iter(classes), None)) == 0:
        classes = [classes] * n_tables
    if len(classes) != n_tables:
        raise ValueError(
            f"classes must be one array, or a list of {n_tables} arrays, one a task; got "
            f"{len(classes)} of them."
        )
    lists = [as_array(known).tolist() for known in classes]
    for known in lists:
        if not known or len(set(known)) < len(known):
            raise ValueError(f"classes must be distinct and at least one, got {known}.")
    return lists
