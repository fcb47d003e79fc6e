"""Columns of a file as features: numbers, and text that is turned into indicators."""

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ._numbers import LARGEST, MISSING, not_a_number, parse, within_range
from ._words import listed

MOST_LEVELS = 100  # a text column with more distinct values is a name or a date, not a category


def tabular_transformer(X):
    """Numbers: median where missing; text: an indicator of each value; then all standardised.

    Our models standardise indicators, as any feature; the simple ones are to have the same.
    """
    numbers, text = _kinds(X)
    if not text and not X.isna().any(axis=None):
        return StandardScaler()  # the same, of which 1e5 columns do not take minutes
    imputer = SimpleImputer(strategy="median", keep_empty_features=True)
    indicators = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer([("numbers", imputer, numbers), ("text", indicators, text)])
    return make_pipeline(columns, StandardScaler())


def read_features(path, X):
    """All columns as floats or text; those of numbers without a gap are read at one stroke."""
    import pandas as pd

    # a call a column takes minutes for 1e5 of them
    cells = pd.Series(X.to_numpy().ravel())
    numbers = pd.to_numeric(cells, errors="coerce").to_numpy(float).reshape(X.shape)
    plain = (np.abs(numbers) <= LARGEST).all(axis=0)
    read = pd.DataFrame(numbers, columns=X.columns, index=X.index)
    for name in X.columns[~plain]:
        read[name] = _feature(path, X[name])
    return read


def _feature(path, column):
    """A column as floats, or as text where it is text."""
    numbers, bad = parse(column)
    if not bad.any():
        return within_range(path, column, numbers)
    if bad.sum() < (~column.isin(MISSING)).sum() / 2:
        raise ValueError(not_a_number(path, column, bad))
    levels = len(_levels(column))
    if levels > MOST_LEVELS:
        raise ValueError(
            f"{path}: text column {column.name!r} has {levels} distinct values, too many for "
            f"categories; leave it out with --drop {column.name!r}."
        )
    return column


def _levels(column):
    """Number of rows of each value of a text column; an empty cell is no value."""
    return column[column != ""].value_counts()


def _kinds(X):
    """Names of the columns of numbers and of those of text."""
    are_numbers = (X.dtypes == np.float64).to_numpy()
    return list(X.columns[are_numbers]), list(X.columns[~are_numbers])


def feature_notes(X):
    numbers, text = _kinds(X)
    holes = list(X[numbers].columns[X[numbers].isna().any()])
    notes = []
    levels = {name: _levels(X[name]) for name in text}
    rare = [name for name, counts in levels.items() if (counts <= 2).mean() > 0.5]
    if text:
        said = ", ".join(f"{name!r} ({len(counts)})" for name, counts in levels.items())
        notes.append(f"text turned into indicators of its values (how many): {said}.")
    if rare:
        notes.append(
            f"most values occur in one or two rows only of {listed(rare)}; a name or a date is no "
            "category: leave it out with --drop."
        )
    if holes:
        notes.append(f"missing numbers filled by the training rows' median: {listed(holes)}.")
    return notes
