"""Long rows with a task id, or one table per task, as one X with wide Y (NaN = not observed)."""

import numpy as np
from sklearn.utils import check_X_y

from .._task_ids import encode_tasks, id_array, occurrence
from .._validation import checked_array, to_host, warn_alike

FLOATS = (np.float64, np.float32)


def to_wide(X, y, task):
    """Wide labels from long rows: rows with identical X and different tasks become one row.

    A repeated pair of row and task gets a further row, so no label is lost.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Numbers, without the task ids. NaN equals nothing: such rows are not merged.
    y : array-like of shape (n_samples,)
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
        One pair a task: X of shape (n_t, n_features), y of shape (n_t,). n_t may be 0.
    tasks : sequence of hashable ids of length n_tasks, default=None
        What the tasks are called. None: 0, 1, ...

    Returns
    -------
    X : ndarray of shape (n_rows, n_features)
    Y : ndarray of shape (n_rows, n_tasks)
        NaN but for the column of each row's task.
    tasks : ndarray of shape (n_tasks,)
        The ids in the given order.

    Raises
    ------
    ValueError
        Names the task whose X or y has the wrong shape, length or values.

    Examples
    --------
    >>> from skmtl.model_selection import from_task_lists
    >>> X, Y, tasks = from_task_lists([([[0.0], [1.0]], [5.0, 6.0]), ([[2.0]], [7.0])])
    >>> X.ravel().tolist(), Y.tolist(), tasks.tolist()
    ([0.0, 1.0, 2.0], [[5.0, nan], [6.0, nan], [nan, 7.0]], [0, 1])
    """
    data = list(data)
    tasks = id_array(range(len(data)) if tasks is None else tasks, "tasks", len(data))
    names = tasks.tolist()
    if len(set(names)) < len(names):
        raise ValueError(f"tasks must be distinct ids, got {names}.")
    warn_alike(names, names, "tasks")
    tables = [_check_pair(pair, name) for pair, name in zip(data, names, strict=True)]
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
    return X, Y, tasks.copy()  # the ids may be the caller's own array


def _check_table(X, y, least):
    options = {"dtype": FLOATS, "ensure_2d": False, "ensure_min_samples": least}
    y = checked_array("y", to_host(y), None, **options)
    return check_X_y(
        to_host(X), y, dtype=FLOATS, ensure_all_finite="allow-nan", ensure_min_samples=least
    )


def _check_pair(pair, task):
    try:
        X, y = pair
        return _check_table(X, y, least=0)
    except (TypeError, ValueError) as error:
        raise ValueError(f"data of task {task!r} is no valid pair (X, y): {error}") from error
