"""Columns of a file as labels: continuous, or classes."""

from collections import Counter

import numpy as np

from .._input import are_classes, encode_tasks, objects
from ._survey import MOST_LEVELS
from ._words import counted, first_row, summed_up

MOST_SHOWN = 8  # classes listed by name
FEW = 10  # whole numbers that may be classes
CURES = {
    None: "add --classification if its values are classes",
    False: "leave out --regression if its values are classes",
}


def read_labels(reader, names, classification):
    """Columns of labels as numbers and NaN, or as classes and the list of them.

    Without a word on it they are classes where all columns are of text, of truth values or of two
    whole numbers; where a few words stand among numbers they are not, and the words are refused.
    """
    import pandas as pd

    surveys = [reader.survey(name) for name in names]
    if not classification:
        for survey in surveys:
            reader.refuse_dates(survey)
    labels = pd.concat([_labels(reader, survey) for survey in surveys], axis=1)
    if classification is None:
        mixed = any(survey.n_numbers and not survey.is_clean for survey in surveys)
        classification = True if are_classes(labels) and not mixed else None
    if not classification:
        for survey in surveys:
            reader.refuse(survey, CURES[classification])
        return labels.astype(float), None
    for _, column in labels.items():
        _check_classes(reader.path, column)
    if len({type(label) for label in _observed(labels)}) > 1:  # columns of different kinds
        labels = labels.map(label_text, na_action="ignore")
    return labels, encode_tasks(objects(_observed(labels)))[0]


def _labels(reader, survey):
    """A column of numbers, of truth values, or else of text; None or NaN where missing.

    In text a mark for missing is missing, unless it is one of two values, as + and - are.
    """
    import pandas as pd

    column = survey.column
    if not survey.is_clean:
        marks = survey.cells["missing"] if len(survey.counts) != 2 else []
        reader.remember_marks(survey, marks)
        return column.where(~column.isin(["", *marks]), None)
    numbers = pd.Series(reader.numbers(survey), index=column.index, name=survey.name)
    return numbers.map({1.0: True, 0.0: False}) if survey.kind == "truth" else numbers


def _check_classes(path, column):
    """Refuse fractions, and text that is a name."""
    if column.dtype == np.float64:
        fractions = column.notna() & (column % 1 != 0)
        if fractions.any():
            raise ValueError(
                f"{path}: column {column.name!r} has {column[fractions].iloc[0]} in row "
                f"{first_row(column, fractions)}, an amount and no class."
            )
    n_classes = column.nunique()
    if n_classes > min(MOST_LEVELS, max(2, column.count() / 2)):
        raise ValueError(
            f"{path}: column {column.name!r} has {n_classes} distinct values in "
            f"{counted(column.count(), 'row')}, too many for classes."
        )


def _observed(labels):
    """All labels that are not missing, column by column."""
    return [label for name in labels.columns for label in labels[name].dropna()]


def class_note(labels, classes):
    """A note on the classes and how many labels each has."""
    counts = Counter(_observed(labels))
    shown = [f"{label_text(label)!r} ({counts[label]})" for label in classes[:MOST_SHOWN]]
    more = ", ..." if len(classes) > MOST_SHOWN else ""
    kinds = "class" if len(classes) == 1 else "classes"
    return f"classification: {len(classes)} {kinds} (how many labels): {', '.join(shown)}{more}."


def amount_note(labels):
    """A list with a note, where numbers may be classes: whole ones, and few of them."""
    distinct = set(_observed(labels))
    few = 2 < len(distinct) <= FEW and all(number % 1 == 0 for number in distinct)
    are = "is a number" if labels.shape[1] == 1 else "are numbers"
    said = f"regression: {summed_up(list(labels))} {are} with {len(distinct)} distinct values"
    return [f"{said}; --classification makes classes of them."] * few


def label_text(label):
    """A class as text: 1 for 1.0."""
    return repr(label).removesuffix(".0") if isinstance(label, float) else str(label)
