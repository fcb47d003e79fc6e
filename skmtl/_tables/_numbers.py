"""A column of text cells as numbers."""

import numpy as np

from ._words import first_row

LARGEST = 1e100  # squares of larger numbers, summed, come near the end of float64
BOOLEANS = {"true": 1.0, "false": 0.0}
# what pandas takes for a missing number; in text features and task ids these are words like others
MISSING = ["", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND"]
MISSING += ["1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"]


def numbers_of(path, column):
    """A column as floats, NaN where missing."""
    numbers, bad = parse(column)
    if bad.any():
        hint = " Where its values are classes add --classification."
        raise ValueError(not_a_number(path, column, bad) + hint)
    return within_range(path, column, numbers)


def parse(column):
    """The column as floats, and where a value is no number."""
    import pandas as pd

    cells = column.str.strip()
    missing = cells.isin(MISSING)
    truth = cells.str.lower().map(BOOLEANS)
    if (missing | truth.notna()).all():
        return truth.astype(float), missing & False
    numbers = pd.to_numeric(cells.mask(missing), errors="coerce").astype(float)
    return numbers, numbers.isna() & ~missing


def within_range(path, column, numbers):
    infinite, large = np.isinf(numbers), np.abs(numbers) > LARGEST
    if infinite.any():
        raise ValueError(
            f"{path}: column {column.name!r} is infinite in row {first_row(infinite)}."
        )
    if large.any():
        row = first_row(large)
        raise ValueError(
            f"{path}: column {column.name!r} has {column[row - 1]} in row {row}, beyond "
            f"{LARGEST:g} in size; rescale it."
        )
    return numbers


def not_a_number(path, column, bad):
    row = first_row(bad)
    value = column[row - 1]
    return f"{path}: column {column.name!r} should hold numbers, but row {row} has {value!r}."
