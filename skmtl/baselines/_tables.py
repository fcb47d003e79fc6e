"""Tables that an inner estimator reads for itself: a pipeline whose steps make numbers of text.

Such a table is handed on in rows, with its column names; its row numbers stand for it meanwhile.
"""

import numpy as np
from sklearn.utils import _safe_indexing

from .._frames import is_frame


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
    clash = set(names) & set(added)
    if clash:
        raise ValueError(f"X has a column {min(clash)!r}, as the dummies are called; rename it.")
    if hasattr(X, "with_columns"):  # polars
        return X.with_columns(**dict(zip(added, table.T, strict=True)))
    return X.reset_index(drop=True).join(type(X)(table, columns=added))


def drops(model, design):
    """Whether a pipeline's ColumnTransformer makes the same of all rows of a design."""
    pipeline = getattr(model, "best_estimator_", model)
    first = pipeline.steps[0][1] if hasattr(pipeline, "steps") else None
    if getattr(first, "remainder", None) != "drop":
        return False
    seen = first.transform(design)
    seen = seen.toarray() if hasattr(seen, "toarray") else np.asarray(seen)
    return bool((seen == seen[:1]).all())
