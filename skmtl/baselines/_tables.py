"""Tables that an inner estimator reads for itself: a pipeline whose steps make numbers of text.

Such a table is handed on in rows, with its column names; its row numbers stand for it meanwhile.
"""

from collections import Counter

import numpy as np
from sklearn.utils import _safe_indexing

from .._input import is_frame, is_missing


def begins_with_transformer(estimator):
    """Whether a pipeline of several steps, in a search or another wrapper too, sees X first."""
    while estimator is not None:
        steps = [step for _, step in getattr(estimator, "steps", ()) if step != "passthrough"]
        if len(steps) > 1:
            return True
        inner = getattr(estimator, "estimator", getattr(estimator, "regressor", None))
        estimator = steps[0] if steps else inner
    return False


def is_for_transformer(X):
    """Whether X is more than numbers: columns of a frame have names, and may be of any type."""
    return is_frame(X) or getattr(getattr(X, "dtype", None), "kind", "") in ("O", "U", "S")


def rows_of(X, rows):
    """A copy of some rows of an array or of a frame."""
    return X[rows] if isinstance(X, np.ndarray) else _safe_indexing(X, rows)


def float_type(X):
    """Type in which answers to the rows of X are given."""
    dtype = getattr(X, "dtype", None)
    return dtype if getattr(dtype, "kind", "") == "f" else np.dtype(np.float64)


def with_columns(X, table, tasks):
    """X with the columns of an array beside it, which a frame calls by the tasks."""
    if not is_frame(X):
        return np.concatenate([X, table.astype(X.dtype)], axis=1)
    names = list(X.columns)
    text = all(isinstance(name, str) for name in names)
    added = [f"task {task}" if text else len(names) + t for t, task in enumerate(tasks)]
    twice = next((name for name, count in Counter(added).items() if count > 1), None)
    if twice is not None:
        one, other, *_ = (task for task in tasks if f"task {task}" == twice)
        raise ValueError(
            f"tasks {one!r} and {other!r} would both have the column {twice!r}, as the dummies are "
            "called; write each id in one way, or set task_dummies=False."
        )
    clash = set(names) & set(added)
    if clash:
        raise ValueError(f"X has a column {min(clash)!r}, as the dummies are called; rename it.")
    if hasattr(X, "with_columns"):  # polars
        return X.with_columns(**dict(zip(added, table.T, strict=True)))
    return X.reset_index(drop=True).join(type(X)(table, columns=added))


def drops(model, design):
    """Whether a ColumnTransformer in a fitted pipeline makes the same of rows that differ.

    It is looked for in searches and in pipelines inside pipelines.
    """
    *steps, _ = _steps(model)
    for step in steps:
        made = step.transform(design)
        if getattr(step, "remainder", None) == "drop" and _alike(made) and not _alike(design):
            return True
        design = made
    return False


def _steps(model):
    """Fitted steps of a pipeline, and of pipelines in it, in their order; else the model."""
    for attribute in ("best_estimator_", "regressor_"):
        model = getattr(model, attribute, model)
    if not hasattr(model, "steps"):
        return [model]
    return [
        inner
        for _, step in model.steps
        if step is not None and step != "passthrough"
        for inner in _steps(step)
    ]


def _alike(table):
    """Whether all rows are the same, what is missing being equal to itself."""
    table = table.toarray() if hasattr(table, "toarray") else np.asarray(table)
    missing = np.reshape(is_missing(table.ravel()), table.shape)
    table = np.where(missing, 0, table)
    return bool((table == table[:1]).all() and (missing == missing[:1]).all())
