"""Whether labels are classes or continuous, where nobody says which.

Text is classes, also that of digits, "0" to "9", as in scikit-learn; only text that is numbers with
decimals, all of it, is continuous labels in a column that was not read as such.
"""

from numbers import Number

import numpy as np

from .._numerals import numeral, values
from ._classes import label_cells
from ._task_ids import compact, is_missing

PAIR = 2  # distinct numbers that are taken for classes


def are_classes(y):
    """Whether labels are text, truth values or, in every column, at most two whole numbers.

    Text such as "1.5" or "1,5" in all rows is continuous; that of whole numbers is not.

    Parameters
    ----------
    y : array-like or data frame of shape (n_samples,) or (n_samples, n_tasks)
        NaN and None, which are no labels, do not count.
    """
    columns = np.atleast_2d(label_cells(y).T)
    return len(columns) > 0 and all(map(_is_nominal, columns))


def _is_nominal(column):
    labels = compact(column[~np.asarray(is_missing(column), dtype=bool)])
    if labels.dtype.kind in "iuf":
        return _are_few(np.unique(labels).tolist())
    if labels.dtype.kind in "bS":
        return True
    if labels.dtype.kind not in "OU":
        return False
    labels = labels.tolist()
    if any(isinstance(label, (str, bytes)) for label in labels):
        return not _spell_amounts(labels)
    return all(isinstance(label, (Number, np.bool_)) for label in labels) and _are_few(labels)


def _are_few(numbers):
    distinct = set(numbers)
    return len(distinct) <= PAIR and all(number == number // 1 for number in distinct)


def _spell_amounts(labels):
    """Whether text is numbers, some of which are not whole whatever the decimal mark."""
    fractions = False
    for label in set(labels):
        number = numeral(label.strip()) if isinstance(label, str) else None
        if number is None:
            return False
        if len(number.decimals) == 1:
            fractions |= values([number], number.decimals)[0] % 1 != 0
    return fractions
