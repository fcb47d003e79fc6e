"""The splits of a comparison: rows of one group stay together, and tasks are in both parts."""

import warnings
from copy import copy
from numbers import Integral

import numpy as np

from .._input import encode_tasks
from .._splitters import MultiTaskKFold, MultiTaskShuffleSplit, splits_of

N_SPLITS, TEST_SIZE = 40, 0.25


def make_splits(cv, n_per_task, random_state, X, table, ids, groups):
    """List of (train, test); arguments as those of `compare`, `ids` the task ids or None."""
    if cv is None:
        size = {"test_size": TEST_SIZE} if n_per_task is None else {"n_per_task": n_per_task}
        cv = MultiTaskShuffleSplit(N_SPLITS, random_state=random_state, **size)
    elif n_per_task is not None:
        raise ValueError(f"n_per_task={n_per_task!r} is for cv=None; set it in the splitter.")
    elif isinstance(cv, Integral):
        cv = MultiTaskKFold(cv, random_state=random_state)
    splits = list(_split(cv, X, table, ids, groups) if hasattr(cv, "split") else cv)
    if len(splits) < 2:
        raise ValueError(f"cv must give at least 2 splits for a standard error, got {len(splits)}.")
    if groups is not None:
        _refuse_torn_groups(splits, groups)
    return splits


def halver(codes, groups):
    """A function of rows that tells two halves of them apart, as 0 and 1.

    The halves are alike in size and tasks; with `groups` rows of one group are in one half.
    """

    units = None if groups is None else encode_tasks(groups)[1]

    def halve(rows):
        if groups is not None:
            _, first, number = np.unique(units[rows], return_index=True, return_inverse=True)
            return (np.argsort(np.argsort(first)) % 2)[number]  # in turn, as they come
        order = np.arange(len(rows)) if codes is None else np.argsort(codes[rows], kind="stable")
        half = np.empty(len(rows), dtype=np.intp)
        half[order] = np.arange(len(rows)) % 2
        return half

    return halve


def _split(cv, X, table, ids, groups):
    """What a splitter makes of the data; our own are told the tasks, others get them as groups."""
    if ids is None:
        return splits_of(cv, X, table.y, groups)
    if not hasattr(cv, "task_column"):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The groups parameter is ignored")
            return splits_of(cv, X, table.y, ids if groups is None else groups)
    if cv.task_column is None:
        X, cv = np.column_stack([table.codes, table.codes]), copy(cv)  # tasks beside a feature
        cv.task_column = 0
    return splits_of(cv, X, table.y, groups)


def _refuse_torn_groups(splits, groups):
    """Refuse splits that train on some rows of a group and test others."""
    names, codes = encode_tasks(groups)
    for k, (train, test) in enumerate(splits):
        torn = np.intersect1d(codes[train], codes[test])
        if torn.size:
            raise ValueError(
                f"split {k} of cv trains on rows of group {names[torn[0]]!r} and tests others of "
                "it; choose a splitter that keeps groups together, as MultiTaskShuffleSplit does."
            )
