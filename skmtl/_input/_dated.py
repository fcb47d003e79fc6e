"""Dates on their way through a user's transformers: who is the first to read them?

scikit-learn's transformers and models of numbers would count dates in the unit in which they are
stored, and a missing one as the smallest integer.  A user's own function or class, and encoders, to
which a date is a category, know what they are given.
"""

from itertools import takewhile

import numpy as np
from sklearn.base import clone
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, TargetEncoder
from sklearn.utils import _safe_indexing

from ._frames import as_numbers, is_frame

ENCODERS = OneHotEncoder, OrdinalEncoder, TargetEncoder


def has_dates(X):
    """Whether a dense table has a column of dates, times or durations."""
    try:
        as_numbers("X", X)
    except TypeError:
        return True
    return False


def check_dates(X, *steps):
    """Refuse dates in X that one of the steps, which read it one after the other, would count.

    Parameters
    ----------
    X : ndarray or data frame
    *steps : object
        Transformers and estimators, also pipelines, searches and what else holds others. What is
        left behind the last step is not looked at.

    Raises
    ------
    TypeError
        Naming the column.
    """
    if not steps or not has_dates(X):
        return
    step, *rest = steps
    inner = getattr(step, "estimator", getattr(step, "regressor", None))
    if step is None or isinstance(step, str):  # "passthrough" and "drop"
        check_dates(X, *([] if step == "drop" else rest))
    elif hasattr(step, "steps"):
        check_dates(X, *(part for _, part in step.steps), *rest)
    elif hasattr(step, "transformers"):
        # a function behind is the user's, who knows what the columns are when joined
        joined = list(takewhile(lambda s: not isinstance(s, FunctionTransformer), rest))
        for transformer, columns in _column_parts(step, X):
            check_dates(columns, transformer, *joined)
    elif hasattr(step, "transformer_list"):
        for _, transformer in step.transformer_list:
            check_dates(X, transformer)
    elif isinstance(step, FunctionTransformer):
        check_dates(clone(step).fit_transform(X), *rest)
    elif inner is not None:
        check_dates(X, inner, *rest)
    elif type(step).__module__.startswith("sklearn.") and not isinstance(step, ENCODERS):
        as_numbers("X", X)


def _column_parts(step, X):
    """(transformer, its columns of X) of a ColumnTransformer, the remainder's last."""
    at = X if is_frame(X) else np.arange(X.shape[1])[None, :]
    parts, taken = [], set()
    for _, transformer, columns in step.transformers:
        columns = columns(X) if callable(columns) else columns
        columns = [columns] if isinstance(columns, str | int) else columns
        taken.update(_names(_safe_indexing(at, columns, axis=1)))
        parts.append((transformer, _safe_indexing(X, columns, axis=1)))
    left = [j for j, name in enumerate(_names(at)) if name not in taken]
    return [*parts, (step.remainder, _safe_indexing(X, left, axis=1))]


def _names(X):
    return list(X.columns) if is_frame(X) else X[0].tolist()
