"""Columns of a file as labels: amounts, or classes."""

from collections import Counter
from functools import partial

import numpy as np

from .._label_kind import are_classes
from .._task_ids import encode_tasks, objects
from ._numbers import BOOLEANS, MISSING, numbers_of, parse, within_range
from ._words import counted, first_row

MOST_LEVELS = 100  # of more classes than this none is learned
MOST_SHOWN = 8  # classes listed by name


def read_labels(path, labels, classification):
    """Columns of labels as numbers and None, or as classes and the list of them."""
    classes = labels.apply(partial(_class_labels, path))
    if classification is None:
        slip = any(_is_mixed(column) for _, column in labels.items())
        classification = are_classes(classes) and not slip
    if not classification:
        return labels.apply(partial(numbers_of, path)), None
    for _, column in classes.items():
        _check_classes(path, column)
    if len({type(label) for label in _observed(classes)}) > 1:  # columns of different kinds
        classes = classes.map(label_text, na_action="ignore")
    return classes, encode_tasks(objects(_observed(classes)))[0]


def _check_classes(path, column):
    """Refuse amounts, and text that is a name."""
    if column.dtype == np.float64:
        amounts = column.notna() & (column % 1 != 0)
        if amounts.any():
            row = first_row(amounts)
            raise ValueError(
                f"{path}: column {column.name!r} has {column[row - 1]} in row {row}, an amount and "
                "no class."
            )
    n_classes = column.nunique()
    if n_classes > min(MOST_LEVELS, max(2, column.count() / 2)):
        raise ValueError(
            f"{path}: column {column.name!r} has {n_classes} distinct values in "
            f"{counted(column.count(), 'row')}, too many for classes."
        )


def _is_mixed(column):
    """Whether words stand among numbers."""
    numbers, bad = parse(column)
    return bad.any() and numbers.notna().any()


def _class_labels(path, column):
    """A column of truth values, of numbers, or else of text; None or NaN where missing."""
    numbers, bad = parse(column)
    cells = column.str.strip()
    truth = cells.str.lower().map({word: bool(value) for word, value in BOOLEANS.items()})
    if bad.any():
        return cells.where(~cells.isin(MISSING), None)
    return truth if truth.notna().any() else within_range(path, column, numbers)


def _observed(labels):
    """All labels that are not missing, column by column."""
    return [label for name in labels.columns for label in labels[name].dropna()]


def class_note(labels, classes):
    counts = Counter(_observed(labels))
    shown = [f"{label_text(label)!r} ({counts[label]})" for label in classes[:MOST_SHOWN]]
    more = ", ..." if len(classes) > MOST_SHOWN else ""
    kinds = "class" if len(classes) == 1 else "classes"
    return f"classification: {len(classes)} {kinds} (how many labels): {', '.join(shown)}{more}."


def label_text(label):
    """A class as text: 1 for 1.0."""
    return repr(label).removesuffix(".0") if isinstance(label, float) else str(label)
