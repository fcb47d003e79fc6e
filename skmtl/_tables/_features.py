"""Columns of a file as features: numbers, and text that is turned into indicators."""

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ._numbers import LARGEST
from ._survey import MOST_LEVELS
from ._words import counted, listed, option, summed_up


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


def read_features(reader, names, kept):
    """Columns as floats or text, of the rows to keep; plain numbers are read at one stroke."""
    import pandas as pd

    X = reader.frame.loc[kept, names]
    numbers = reader.plain[np.ix_(kept, reader.frame.columns.get_indexer(names))]
    odd = _are_odd(X, numbers)
    odd[~odd] = reader.are_in_doubt(names[~odd])
    text = []
    for k in np.flatnonzero(odd):
        at_once = reader.with_comma(names[k])
        if at_once is not None:
            numbers[:, k] = at_once[kept]
            reader.remember_how(names[k], ["decimal mark ','"])
            continue
        survey = reader.survey(names[k], kept)
        if _is_text(reader, survey):
            text.append(names[k])
        else:
            numbers[:, k] = reader.numbers(survey)
    read = pd.DataFrame(numbers, columns=names, index=X.index)
    for name in text:
        read[name] = X[name]
    reader.empty = list(names[read.isna().all()])
    if len(reader.empty) == len(names):
        raise ValueError(
            f"{reader.path} has no value in any feature ({summed_up(reader.empty)}) in the "
            f"{counted(len(X), 'row')} with a target; fill one in."
        )
    return read.drop(columns=reader.empty) if reader.empty else read


def _are_odd(X, numbers):
    """Which columns hold more than plain numbers and empty cells."""
    odd = ~(np.abs(numbers) <= LARGEST).all(axis=0)
    small = np.abs(numbers[:, odd]) <= LARGEST
    odd[odd] = ~(small | (X.to_numpy()[:, odd] == "")).all(axis=0)
    return odd


def _is_text(reader, survey):
    """Whether a column is of text; dates and names, which are no categories, are refused."""
    drop = f"leave it out with {option('--drop', survey.name)}"
    reader.refuse_dates(survey, f", or {drop}")
    if survey.kind == "text" and len(survey.counts) > MOST_LEVELS:
        raise ValueError(
            f"{reader.path}: text column {survey.name!r} has {len(survey.counts)} distinct values, "
            f"too many for categories; {drop}."
        )
    return survey.kind == "text"


def _levels(column):
    """Number of rows of each value of a text column; an empty cell is no value."""
    return column[column != ""].value_counts()


def _kinds(X):
    """Names of the columns of numbers and of those of text."""
    are_numbers = (X.dtypes == np.float64).to_numpy()
    return list(X.columns[are_numbers]), list(X.columns[~are_numbers])


def feature_notes(X):
    """Notes on text that became indicators, and on gaps that were filled."""
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
