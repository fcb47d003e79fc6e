"""Class labels: values of any type become numbers, and every task has a set of classes of its own.

A task that shows one class only, or none, is given the most frequent set of the others where that
holds its class: what the others tell of a class serves a task that has not met it yet.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.multiclass import check_classification_targets

from .._backend import is_foreign, to_numpy
from ._frames import as_numbers
from ._task_ids import as_array, compact, encode_tasks, is_absent, is_missing, objects

TRUTHS = (bool, np.bool_)


class UnitLayout(NamedTuple):
    """Coefficient vectors of a linear classifier: one for a binary task, else one a class.

    Attributes
    ----------
    channels : list of ndarray
        For each task, which shared vector each of its units deviates from.
    positive : list of ndarray
        For each task, the class number that each of its units stands for.
    n_channels : int
    """

    channels: list
    positive: list
    n_channels: int


def one_unit_each(n_tasks):
    """UnitLayout of tasks with continuous labels, a coefficient vector each."""
    return UnitLayout([np.zeros(1, dtype=int)] * n_tasks, None, 1)


@dataclass(frozen=True, eq=False)
class TaskClasses:
    """Classes of each task.

    Attributes
    ----------
    values : ndarray of shape (n_classes,)
        Every class that has an observed label, sorted; a class's place in it is its number.
    own : list of ndarray
        Numbers of the classes of each task, ascending.
    only : ndarray of shape (n_tasks,)
        Number of the one class that a task has labels of, else -1.
    default : ndarray
        Numbers of the classes of a task of which nothing is known.
    models_only : bool
        Whether a task with labels of one class takes part in a fit, where it knows of another.
    """

    values: np.ndarray
    own: list
    only: np.ndarray
    default: np.ndarray
    models_only: bool

    @cached_property
    def is_binary(self):
        """Whether no task has more than two classes."""
        return max(map(len, self.own)) <= 2

    def array(self, numbers):
        """Class labels of these numbers as an array of their own type."""
        return compact(self.values[numbers])

    def of_task(self, t):
        """Class numbers of task t, of an unknown one where t is -1."""
        return self.default if t < 0 else self.own[t]

    def constant(self, t):
        """The class that task t always has, or -1; of an unknown task where t is -1."""
        if len(self.of_task(t)) == 1:
            return int(self.of_task(t)[0])
        return -1 if t < 0 or self.models_only else int(self.only[t])

    def units(self, tasks):
        """UnitLayout of these tasks, none of them constant."""
        own = [self.of_task(t) for t in tasks]
        if self.is_binary:
            return UnitLayout([np.zeros(1, dtype=int)] * len(own), [c[1:] for c in own], 1)
        return UnitLayout(own, own, len(self.values))

    def channels_of(self, t):
        """Shared vectors that task t deviates from; those of an unknown one where t is -1."""
        return np.zeros(1, dtype=int) if self.is_binary else self.of_task(t)


def task_classes(values, codes, task, n_tasks, *, models_only):
    """TaskClasses of observed labels.

    Parameters
    ----------
    values : ndarray
        Class labels by number, perhaps more than are observed.
    codes, task : ndarray of shape (n_labels,)
        Class number and task number of each observed label.
    n_tasks : int
    models_only : bool
        As in TaskClasses.
    """
    codes = codes.astype(np.intp)
    table = np.zeros((n_tasks, len(values)), dtype=bool)
    table[task, codes] = True
    table, values = table[:, table.any(axis=0)], values[table.any(axis=0)]
    sets = [np.flatnonzero(row) for row in table]
    counts = Counter(tuple(c.tolist()) for c in sets if len(c) > 1)
    counts = counts or Counter(tuple(c.tolist()) for c in sets if len(c))
    default = np.array(counts.most_common(1)[0][0])
    takes = [len(c) < 2 and set(c.tolist()) <= set(default.tolist()) for c in sets]
    own = [default if take else c for take, c in zip(takes, sets, strict=True)]
    only = np.array([c[0] if len(c) == 1 else -1 for c in sets])
    return TaskClasses(values, own, only, default, models_only)


def read_classes(y, missing_label, name="y"):
    """Class numbers as floats in the shape of y, NaN where missing, and the sorted class labels.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_tasks)
        Labels of any type; NaN, None and `missing_label` are missing.
    missing_label : object
    name : str
        What errors call y.

    Returns
    -------
    codes : ndarray of float64
    values : ndarray

    Raises
    ------
    TypeError
        If `missing_label` is no scalar, or y is sparse or holds dates.
    ValueError
        If y is neither 1-D nor 2-D, has two columns of one name, or holds continuous labels or
            infinity.
    """
    check_missing_label(missing_label)
    if not is_foreign(y):
        as_numbers(name, y)  # for what it refuses: dates, columns of one name, ragged lists
    cells = label_cells(y)
    flat = cells.reshape(-1)
    missing = np.asarray(is_missing(flat), dtype=bool) | _equals(flat, missing_label)
    observed = compact(flat[~missing])
    codes = np.full(flat.shape, np.nan)
    if observed.size == 0:
        return codes.reshape(cells.shape), observed
    values, codes[~missing] = _encode(observed)
    return codes.reshape(cells.shape), values


def check_missing_label(missing_label):
    """Refuse several labels where one is asked for."""
    if np.ndim(missing_label) or isinstance(missing_label, (dict, set)):
        raise TypeError(f"missing_label must be one label, got {missing_label!r}.")


def label_cells(y):
    """Labels of any type as a 1-D or 2-D array that keeps each of them apart."""
    if issparse(y):
        raise TypeError("y must be dense; call toarray() on the sparse y.")
    if is_foreign(y):
        y = to_numpy(y)
    elif not hasattr(y, "dtype") and not hasattr(y, "columns") and hasattr(y, "__array__"):
        y = np.asarray(y)
    if np.ndim(y) == 0 and not hasattr(y, "columns"):
        raise ValueError(f"y must be 1-D or 2-D, got the scalar {y!r}.")
    cells = _cells(y)
    if cells.dtype.kind == "c":
        raise ValueError("Complex data not supported: labels in y must be real, text or objects.")
    return cells


def _cells(y):
    """The same of a dense y in NumPy, in a frame or in lists."""
    if isinstance(y, np.ndarray) and not isinstance(y, np.ma.MaskedArray):
        cells = np.asarray(y)
    elif hasattr(y, "columns"):
        by_place = hasattr(y, "iloc")  # names may stand twice
        columns = [as_array(y.iloc[:, j] if by_place else y[c]) for j, c in enumerate(y.columns)]
        kinds = {column.dtype for column in columns}
        cells = np.stack([c if len(kinds) == 1 else c.astype(object) for c in columns], axis=1)
    elif hasattr(y, "dtype") and not isinstance(y, np.ma.MaskedArray):
        cells = as_array(y)
    else:
        rows = y.tolist() if isinstance(y, np.ma.MaskedArray) else list(y)
        nested = bool(rows) and isinstance(rows[0], (list, tuple, np.ndarray))
        cells = np.array(rows, dtype=object) if nested else objects(rows)
    if cells.ndim not in (1, 2):
        raise ValueError(f"y must be 1-D or 2-D, got shape {cells.shape}.")
    return cells


def _equals(cells, missing_label):
    """Whether each cell is the missing label, of which False and True are not 0 and 1."""
    nowhere, is_truth = np.zeros(cells.shape, dtype=bool), isinstance(missing_label, TRUTHS)
    if is_absent(missing_label):
        return nowhere
    if cells.dtype == object:
        same = [
            isinstance(cell, TRUTHS) == is_truth and not is_absent(cell) and cell == missing_label
            for cell in cells
        ]
        return np.array(same, dtype=bool)
    kind = cells.dtype.kind
    if isinstance(missing_label, str) != (kind in "US") or is_truth != (kind == "b"):
        return nowhere
    return cells == missing_label


def _encode(observed):
    """Sorted classes and the number of each label; where there are both, numbers before text."""
    if observed.dtype != object:
        _check_discrete(observed)
        values, codes = encode_tasks(observed)
        return np.array(values, dtype=observed.dtype), codes
    number = np.array([isinstance(cell, (Real, np.bool_)) for cell in observed.tolist()])
    if number.any() and not number.all():
        (low, low_codes), (high, high_codes) = (
            _encode(compact(observed[part])) for part in (number, ~number)
        )
        codes = np.empty(len(observed), dtype=np.intp)
        codes[number], codes[~number] = low_codes, high_codes + len(low)
        return objects([*low.tolist(), *high.tolist()]), codes
    if number.all():
        plain = np.array(observed.tolist())  # truth values beside numbers, which they equal, too
        if plain.dtype != object and plain.tolist() == observed.tolist():
            return _encode(plain)
    values, codes = encode_tasks(observed)
    return objects(values), codes


def _check_discrete(observed):
    """Refuse continuous labels and what is neither number nor text, in scikit-learn's words."""
    if observed.dtype.kind == "f" and not np.isfinite(observed).all():
        raise ValueError("Input y contains infinity, which is no class.")
    if observed.dtype.kind == "f" and (observed == np.floor(observed)).all():
        return  # scikit-learn's check takes longer than a small fit
    if observed.dtype.kind not in "Obiu":
        check_classification_targets(observed)
