"""How much a comparison on the command line asks for, told before it begins.

A dense ridge of n rows and q columns takes some n q min(n, q) operations and a few copies of its
table; a task of its own costs a model, however few rows it has.  Rates are of the order of those of
one core, so that minutes and gigabytes are right to a factor of a few.
"""

import numpy as np

from ._backend import free_memory, in_words

OPERATIONS_A_SECOND = 1e9
SECONDS_A_TASK = {"independent": 2e-3, "independent, one alpha": 4e-4, "MultiTaskRidgeCV": 1e-3}
PASSES = {"MultiTaskRidgeCV": 3.0, "MultiTaskBayesianRidge": 2.0}  # over a table, of one by default
DUMMIES, LEARNED = "pooled + dummies", "MultiTaskBayesianRidge"
OF_TASKS = {DUMMIES, LEARNED}  # their tables have a column for each task
COPIES = 4  # of the table of features that a fit holds at a time
LONG = 30.0  # seconds


def check_work(n_rows, n_features, sizes, *, wide, n_splits, without=()):
    """Refuse a comparison that does not fit into memory; a sentence if it takes long, or None.

    Parameters
    ----------
    n_rows, n_features : int
    sizes : ndarray of shape (n_tasks,)
        Labels of each task.
    wide : bool
        Whether a row has labels of several tasks.
    n_splits : int
    without : collection of str
        Models that are left out.

    Raises
    ------
    MemoryError
        With the bytes and what to do.
    """
    tables = [t for t in _tables(n_rows, n_features, sizes, wide=wide) if t[0] not in without]
    _check_memory(tables)
    return long_work_note(
        {name: n_splits * _seconds(len(sizes), name, *shape) for name, *shape in tables}
    )


def _check_memory(tables):
    memory = free_memory()
    need = {name: 8.0 * COPIES * rows * columns for name, columns, rows, _ in tables}
    shape = {name: (rows, columns) for name, columns, rows, _ in tables}
    large = [name for name in need if memory is not None and need[name] > memory]
    if not large:
        return
    worst = max(large, key=need.get)
    way = ""
    if set(large) <= OF_TASKS:  # the others can do without so many columns
        way = f"add {' '.join(f'--without {name!r}' for name in large)}, or "
    raise MemoryError(
        f"{worst!r} makes tables of {shape[worst][0]} rows and {shape[worst][1]} columns, some "
        f"{in_words(need[worst])} in all, and {in_words(memory)} of memory are free; {way}take "
        "fewer columns (--drop), rows or tasks."
    )


def _seconds(n_tasks, name, columns, rows, deepest):
    """Of one fit."""
    operations = PASSES.get(name, 1.0) * float(rows) * columns * min(deepest, columns)
    return operations / OPERATIONS_A_SECOND + n_tasks * SECONDS_A_TASK.get(name, 0.0)


def long_work_note(seconds):
    """A sentence where the work takes minutes, with the way out; None where it does not."""
    total = sum(seconds.values())
    if total < LONG:
        return None
    heavy = [name for name in seconds if seconds[name] > LONG] or [max(seconds, key=seconds.get)]
    time = time_text(total)
    note = f"this takes {time} or so: fewer splits (--repeats) or columns (--drop) shorten it"
    if len(heavy) == len(seconds):
        return f"{note}."
    left = time_text(total - sum(seconds[name] for name in heavy))
    return f"{note}, and {' '.join(f'--without {name!r}' for name in heavy)} leaves {left}."


def time_text(seconds):
    """Seconds in words, as "40 minutes"."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 1.5 * length:
            return f"{round(seconds / length)} {unit}s"
    return f"{max(round(seconds), 1)} seconds"


def _tables(n_rows, n_features, sizes, *, wide):
    """(name, columns, rows, most rows of one fit) of the table that each default model fits."""
    n_labels, n_tasks = int(np.sum(sizes)), len(sizes)
    rows = n_rows if wide else n_labels
    return [
        ("pooled", n_features, n_labels, n_labels),
        (DUMMIES, n_features + n_tasks, n_labels, n_labels),
        ("independent", n_features, n_labels, int(np.max(sizes))),
        ("independent, one alpha", n_features, rows, int(np.max(sizes))),
        (LEARNED, n_features + n_tasks, rows, rows),
        ("MultiTaskRidgeCV", n_features, rows, rows),
    ]
