"""Long rows with a task id, or one table per task, as one X with wide Y (NaN = not observed)."""

from collections import Counter

import numpy as np

from .._input import (
    check_same_rows,
    checked_array,
    encode_tasks,
    id_array,
    occurrence,
    to_host,
    warn_alike,
)

FLOATS = (np.float64, np.float32)


def to_wide(X, y, task):
    """Wide labels from long rows: rows with identical X and different tasks become one row.

    A repeated pair of row and task gets a further row, so no label is lost.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Numbers, without the task ids. NaN equals nothing: such rows are not merged.
    y : array-like of shape (n_samples,) or (n_samples, 1)
        One observed label a row.
    task : array-like of shape (n_samples,)
        Task id of each row, of any hashable type.

    Returns
    -------
    X : ndarray of shape (n_rows, n_features)
        In order of first appearance.
    Y : ndarray of shape (n_rows, n_tasks)
        NaN where a row has no label of the task.
    tasks : ndarray of shape (n_tasks,)
        The sorted ids.

    Raises
    ------
    ValueError
        If lengths differ, X is not a table of numbers, or a label or an id is missing.

    Examples
    --------
    >>> from skmtl.model_selection import to_wide
    >>> X, Y, tasks = to_wide([[0.0], [0.0], [1.0]], [5.0, 6.0, 7.0], ["b", "a", "b"])
    >>> X.tolist(), Y.tolist(), tasks.tolist()
    ([[0.0], [1.0]], [[6.0, 5.0], [nan, 7.0]], ['a', 'b'])
    """
    X, y = _check_table(X, y, least=1)
    tasks, code = encode_tasks(id_array(task, "task", len(y)))
    warn_alike(tasks, tasks, "task")
    same = np.unique(X, axis=0, return_inverse=True)[1].reshape(-1)
    pair = same * len(tasks) + code
    _, first, row = np.unique(
        same + len(y) * occurrence(pair), return_index=True, return_inverse=True
    )
    by_appearance = np.argsort(first)
    row = np.argsort(by_appearance)[row]
    Y = np.full((len(first), len(tasks)), np.nan, dtype=y.dtype)
    Y[row, code] = y
    return X[first[by_appearance]], Y, id_array(tasks, "task", len(tasks))


def from_task_lists(data, *, tasks=None):
    """Stack one table per task: X of all rows, Y with each row's label in the column of its task.

    Parameters
    ----------
    data : sequence of (X, y)
        One pair a task: X of shape (n_t, n_features), y of shape (n_t,) or (n_t, 1). n_t may be 0.
        X holds numbers, in a frame (pandas, polars) for every task or in an array for every task.
        Columns of frames are brought into the order of the first one by their names, those of
        arrays belong together by position. Row i of X has label i of y: an index is ignored.
    tasks : sequence of hashable ids of length n_tasks, default=None
        What the tasks are called. None: 0, 1, ...

    Returns
    -------
    X : ndarray of shape (n_rows, n_features), or frame
        Of frames one of the first one's type, with its names and a new index: an estimator has
        `feature_names_in_` then, and refuses later data whose columns are in another order.
    Y : ndarray of shape (n_rows, n_tasks)
        NaN but for the column of each row's task.
    tasks : ndarray of shape (n_tasks,)
        The ids in the given order.

    Raises
    ------
    ValueError
        Names the task whose X or y has the wrong shape, length or values, whose columns have other
        names than the first task's or one name twice, or whose X has names where others have none.

    Examples
    --------
    >>> from skmtl.model_selection import from_task_lists
    >>> X, Y, tasks = from_task_lists([([[0.0], [1.0]], [5.0, 6.0]), ([[2.0]], [7.0])])
    >>> X.ravel().tolist(), Y.tolist(), tasks.tolist()
    ([0.0, 1.0, 2.0], [[5.0, nan], [6.0, nan], [nan, 7.0]], [0, 1])

    Columns of frames are found by name:

    >>> import pandas as pd
    >>> north = pd.DataFrame({"age": [30, 40], "dose": [1, 2]}), [5.0, 6.0]
    >>> south = pd.DataFrame({"dose": [3], "age": [50]}), [7.0]
    >>> X, Y, tasks = from_task_lists([north, south], tasks=["north", "south"])
    >>> X
        age  dose
    0  30.0   1.0
    1  40.0   2.0
    2  50.0   3.0
    """
    data = list(data)
    tasks = id_array(range(len(data)) if tasks is None else tasks, "tasks", len(data))
    names = tasks.tolist()
    if len(set(names)) < len(names):
        raise ValueError(f"tasks must be distinct ids, got {names}.")
    warn_alike(names, names, "tasks")
    pairs = [_pair(pair, name) for pair, name in zip(data, names, strict=True)]
    columns = _common_columns([X for X, _ in pairs], names)
    tables = [_check_pair(*pair, columns, name) for pair, name in zip(pairs, names, strict=True)]
    if not any(len(y) for _, y in tables):
        raise ValueError(f"data must hold at least one row, got none in {len(data)} task(s).")
    n_features = tables[0][0].shape[1]
    for name, (X, _) in zip(names, tables, strict=True):
        if X.shape[1] != n_features:
            raise ValueError(
                f"X of task {name!r} has {X.shape[1]} feature(s), but X of task {names[0]!r} has "
                f"{n_features}; every task needs the same features."
            )
    X, y = (np.concatenate(parts) for parts in zip(*tables, strict=True))
    Y = np.full((len(y), len(tasks)), np.nan, dtype=y.dtype)
    Y[np.arange(len(y)), np.repeat(np.arange(len(tasks)), [len(y_t) for _, y_t in tables])] = y
    if columns is not None:
        X = type(pairs[0][0])(dict(zip(columns, X.T, strict=True)))
    return X, Y, tasks.copy()  # the ids may be the caller's own array


def _check_table(X, y, least):
    options = {"dtype": FLOATS, "ensure_min_samples": least}
    X = checked_array("X", to_host(X), None, ensure_all_finite="allow-nan", **options)
    y = checked_array("y", to_host(y), None, ensure_2d=False, **options)
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if y.ndim != 1:
        raise ValueError(f"y must be 1-D, one label a row, got shape {y.shape}.")
    check_same_rows(X, y)
    return X, y


def _pair(pair, task):
    try:
        X, y = pair
    except (TypeError, ValueError) as error:
        raise ValueError(f"data of task {task!r} is no valid pair (X, y): {error}.") from error
    return X, y


def _check_pair(X, y, columns, task):
    """Checked X and y of one task, X with these columns of a frame in their order."""
    try:
        return _check_table(X if columns is None else X[columns], y, least=0)
    except (TypeError, ValueError) as error:
        text = [] if columns is None else _columns_of_text(X, columns)
        told = f"columns {text} of X hold no numbers; encode or drop them." if text else error
        raise ValueError(f"data of task {task!r} is no valid pair (X, y): {told}") from error


def _columns_of_text(X, columns):
    """Names of the columns that hold text which does not read as numbers."""

    def is_text(column):
        try:
            np.asarray(column, dtype=np.float64)
        except (TypeError, ValueError) as error:
            return "convert string" in str(error)
        return False

    return [name for name in columns if is_text(X[name])]


def _common_columns(tables, tasks):
    """The names that the columns of every table have, in the order of the first; None of arrays."""
    framed = [hasattr(X, "shape") and hasattr(X, "columns") for X in tables]
    named = [list(X.columns) if known else None for X, known in zip(tables, framed, strict=True)]
    for task, columns in zip(tasks, named, strict=True):
        if (columns is None) != (named[0] is None):
            with_names, without = (task, tasks[0]) if named[0] is None else (tasks[0], task)
            raise ValueError(
                f"X of task {without!r} has no column names, but X of task {with_names!r} has; "
                "give a frame for every task, or an array for every task."
            )
        if columns is not None:
            _check_names(columns, task, named[0], tasks[0])
    return named[0] if named else None


def _check_names(columns, task, expected, first):
    """Refuse names that stand twice, or are other ones than the first task's."""
    own, others = Counter(columns), set(expected)
    name, times = own.most_common(1)[0] if own else (None, 0)
    if times > 1:
        raise ValueError(
            f"X of task {task!r} has {times} columns named {name!r}; rename them, or drop one."
        )
    lacking = [name for name in expected if name not in own]
    more = [name for name in columns if name not in others]
    if lacking or more:
        parts = [f"lacks {lacking}"] * bool(lacking) + [f"has also {more}"] * bool(more)
        raise ValueError(
            f"X of task {task!r} has other columns than X of task {first!r}: it "
            f"{' and '.join(parts)}; every task needs the same features."
        )
