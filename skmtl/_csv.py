"""A CSV file as features, labels and task ids: what the command line compares models on.

Every refusal names the file and the column, and the first row at fault, counted from 1 after the
header.
"""

import csv
import io
import re
from collections import Counter
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ._label_kind import are_classes
from ._task_ids import encode_tasks, objects

MOST_LEVELS = 100  # a text column with more distinct values is a name or a date, not a category
MOST_SHOWN = 8  # classes listed by name
LARGEST = 1e100  # squares of larger numbers, summed, come near the end of float64
PLAIN_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")  # one spelling for each, and within int64
BOOLEANS = {"true": 1.0, "false": 0.0}
# what pandas takes for a missing number; in text features and task ids these are words like others
MISSING = ["", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND"]
MISSING += ["1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"]


class Table(NamedTuple):
    """Data read from a file.

    Attributes
    ----------
    X : DataFrame of shape (n_rows, n_features)
        Numbers, NaN where missing, and text, "" where missing.
    y : Series of shape (n_rows,) or DataFrame of shape (n_rows, n_tasks)
        Numbers, or classes: numbers, text or truth values. NaN or None in a DataFrame where not
        observed.
    task : ndarray of shape (n_rows,) or None
        Task ids of long data: int64 if all are plain integers, else text as in the file.
    transformer : transformer
        Imputes the numbers of X, makes indicators of its text, and standardises both.
    notes : list of str
        What was left out or filled in.
    classes : list or None
        The distinct labels where these are classes.
    group : ndarray of shape (n_rows,) or None
        Ids of what rows belong to and stay together in.
    """

    X: Any
    y: Any
    task: Any
    transformer: Any
    notes: list
    classes: Any = None
    group: Any = None


def read_table(
    path, *, target=None, task_column=None, targets=(), group=None, drop=(), classification=None
):
    """Read a CSV file with a header as a Table.

    Parameters
    ----------
    path : str
    target, task_column : str
        Columns with the labels and the task ids of long data.
    targets : sequence of str
        Columns of wide data, each a task.
    group : str or None
        Column that names what rows belong to, no feature unless it is the task column.
    drop : sequence of str
        Columns that are no features.
    classification : bool or None
        Whether labels are classes; None: where all columns of them hold text, truth values or at
        most two distinct numbers.

    Raises
    ------
    ImportError
        If pandas is not installed.
    ValueError
        If the file or a column cannot be used.
    """
    frame, notes = _read_frame(path)
    wanted = [*targets] if targets else [target, task_column]
    grouping = [] if group is None else [group]
    for name in [*wanted, *grouping, *drop]:
        if name not in frame.columns:
            raise ValueError(
                f"{path} has no column {name!r}; its columns are {list(frame.columns)}."
                f"{_hint(frame.columns)}"
            )
    labels = frame[[*targets] if targets else [target]]
    labels, classes = _labels(path, labels, classification)
    unlabelled = labels.isna().all(axis=1)
    if unlabelled.all():
        raise ValueError(f"{path} has no value in {_names(labels.columns)}.")
    if unlabelled.any():
        notes.append(f"{counted(unlabelled.sum(), 'row')} without a target left out.")
    frame, labels = frame[~unlabelled], labels[~unlabelled]
    task = None if targets else _ids(path, frame[task_column], "task")
    group = None if group is None else _ids(path, frame[group], "group")
    X = frame.drop(columns=list({*wanted, *grouping, *drop}))
    if X.shape[1] == 0:
        raise ValueError(f"{path} has no column left for a feature beside {_names(wanted)}.")
    X = _features(path, X)
    notes += _feature_notes(X)
    if classes is not None:
        notes.append(_class_note(labels, classes))
    y = labels if targets else labels[target]
    return Table(X, y, task, tabular_transformer(X), notes, classes, group)


def counted(number, thing):
    """As "1 row" or "3 rows"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


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


def _read_frame(path):
    """The cells as text, without nameless columns, and a list with a note on those."""
    try:
        import pandas as pd
    except ImportError as error:
        message = 'reading a CSV file needs pandas; install it with `pip install "skmtl[cli]"`.'
        raise ImportError(message) from error
    header, *rows = _read_rows(path)
    names = [name.strip() for name in header]
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        raise ValueError(f"{path} has two columns named {twice[0]!r}; rename one.{_hint(names)}")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(names):
            raise ValueError(
                f"{path}: row {number} has {counted(len(row), 'cell')}, but the header has "
                f"{len(names)}.{_hint(names)}"
            )
    if not rows:
        raise ValueError(f"{path} has a header but no rows.")
    frame = pd.DataFrame(rows, columns=names, dtype=object)
    named = [name for name in names if name]
    nameless = counted(len(names) - len(named), "column")
    return frame[named], [f"{nameless} without a name left out."] * (len(named) < len(names))


def _read_rows(path):
    """The cells of each line that is not blank."""
    end = ["end of the file"]
    lines = io.StringIO(f"{_read_text(path).rstrip()}\n{end[0]}\n", newline=None)
    try:
        rows = [row for row in csv.reader(lines, skipinitialspace=True) if _is_filled(row)]
    except csv.Error as error:
        raise ValueError(
            f"{path} has a cell of more than {csv.field_size_limit()} characters; a quotation mark "
            "may lack its partner."
        ) from error
    # a quotation mark without partner makes the rest of the file one cell
    if rows.pop() != end:
        where = f"row {len(rows)}" if rows else "the header"
        raise ValueError(f"{path}: a quotation mark in {where} lacks its partner.")
    return rows


def _is_filled(row):
    return len(row) > 1 or any(cell.strip() for cell in row)


def _hint(names):
    """What to say more where the cells seem to be separated by something else."""
    other = len(names) == 1 or any(mark in name for name in names for mark in ";\t")
    return " Commas must separate its cells." if other else ""


def _read_text(path):
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a text file in UTF-8.") from error
    if "\0" in text:
        raise ValueError(f"{path} is not a text file.")
    if not text.strip():
        raise ValueError(f"{path} is empty.")
    return text


def _labels(path, labels, classification):
    """Columns of labels as numbers and None, or as classes and the list of them."""
    classes = labels.apply(partial(_class_labels, path))
    if classification is None:
        slip = any(_is_mixed(column) for _, column in labels.items())
        classification = are_classes(classes) and not slip
    if not classification:
        return labels.apply(partial(_numbers, path)), None
    for _, column in classes.items():
        _check_classes(path, column)
    if len({type(label) for label in _observed(classes)}) > 1:  # columns of different kinds
        classes = classes.map(label_text, na_action="ignore")
    return classes, encode_tasks(objects(_observed(classes)))[0]


def _check_classes(path, column):
    """Refuse amounts, and text that is a name."""
    if column.dtype == np.float64:
        amounts = column.notna() & (column % 1 != 0)
        if amounts.any():
            row = _first_row(amounts)
            raise ValueError(
                f"{path}: column {column.name!r} has {column[row - 1]} in row {row}, an amount and "
                "no class."
            )
    n_classes = column.nunique()
    if n_classes > min(MOST_LEVELS, max(2, column.count() / 2)):
        raise ValueError(
            f"{path}: column {column.name!r} has {n_classes} distinct values in "
            f"{counted(column.count(), 'row')}, too many for classes."
        )


def _is_mixed(column):
    """Whether words stand among numbers."""
    numbers, bad = _parse(column)
    return bad.any() and numbers.notna().any()


def _class_labels(path, column):
    """A column of truth values, of numbers, or else of text; None or NaN where missing."""
    numbers, bad = _parse(column)
    cells = column.str.strip()
    truth = cells.str.lower().map({word: bool(value) for word, value in BOOLEANS.items()})
    if bad.any():
        return cells.where(~cells.isin(MISSING), None)
    return truth if truth.notna().any() else _within_range(path, column, numbers)


def _numbers(path, column):
    """A column as floats, NaN where missing."""
    numbers, bad = _parse(column)
    if bad.any():
        hint = " Where its values are classes add --classification."
        raise ValueError(_not_a_number(path, column, bad) + hint)
    return _within_range(path, column, numbers)


def _features(path, X):
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
    numbers, bad = _parse(column)
    if not bad.any():
        return _within_range(path, column, numbers)
    if bad.sum() < (~column.isin(MISSING)).sum() / 2:
        raise ValueError(_not_a_number(path, column, bad))
    levels = len(_levels(column))
    if levels > MOST_LEVELS:
        raise ValueError(
            f"{path}: text column {column.name!r} has {levels} distinct values, too many for "
            f"categories; leave it out with --drop {column.name!r}."
        )
    return column


def _parse(column):
    """The column as floats, and where a value is no number."""
    import pandas as pd

    cells = column.str.strip()
    missing = cells.isin(MISSING)
    truth = cells.str.lower().map(BOOLEANS)
    if (missing | truth.notna()).all():
        return truth.astype(float), missing & False
    numbers = pd.to_numeric(cells.mask(missing), errors="coerce").astype(float)
    return numbers, numbers.isna() & ~missing


def _levels(column):
    """Number of rows of each value of a text column; an empty cell is no value."""
    return column[column != ""].value_counts()


def _observed(labels):
    """All labels that are not missing, column by column."""
    return [label for name in labels.columns for label in labels[name].dropna()]


def _class_note(labels, classes):
    counts = Counter(_observed(labels))
    shown = [f"{label_text(label)!r} ({counts[label]})" for label in classes[:MOST_SHOWN]]
    more = ", ..." if len(classes) > MOST_SHOWN else ""
    kinds = "class" if len(classes) == 1 else "classes"
    return f"classification: {len(classes)} {kinds} (how many labels): {', '.join(shown)}{more}."


def label_text(label):
    """A class as text: 1 for 1.0."""
    return repr(label).removesuffix(".0") if isinstance(label, float) else str(label)


def _not_a_number(path, column, bad):
    row = _first_row(bad)
    value = column[row - 1]
    return f"{path}: column {column.name!r} should hold numbers, but row {row} has {value!r}."


def _within_range(path, column, numbers):
    infinite, large = np.isinf(numbers), np.abs(numbers) > LARGEST
    if infinite.any():
        raise ValueError(
            f"{path}: column {column.name!r} is infinite in row {_first_row(infinite)}."
        )
    if large.any():
        row = _first_row(large)
        raise ValueError(
            f"{path}: column {column.name!r} has {column[row - 1]} in row {row}, beyond "
            f"{LARGEST:g} in size; rescale it."
        )
    return numbers


def _ids(path, column, of):
    """Ids as they stand in the file, so that 01 is not 1; integers only to sort them as such."""
    empty = column == ""
    if empty.any():
        raise ValueError(
            f"{path}: {of} column {column.name!r} is empty in row {_first_row(empty)}."
        )
    if all(map(PLAIN_INTEGER.fullmatch, column)):
        return column.astype(np.int64).to_numpy()
    return column.to_numpy()


def _first_row(bad):
    """Number in the file of the first row where it is true."""
    return int(bad.index[np.argmax(bad)]) + 1


def _kinds(X):
    """Names of the columns of numbers and of those of text."""
    are_numbers = (X.dtypes == np.float64).to_numpy()
    return list(X.columns[are_numbers]), list(X.columns[~are_numbers])


def _feature_notes(X):
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
            f"most values occur in one or two rows only of {_names(rare)}; a name or a date is no "
            "category: leave it out with --drop."
        )
    if holes:
        notes.append(f"missing numbers filled by the training rows' median: {_names(holes)}.")
    return notes


def _names(names):
    return ", ".join(repr(name) for name in names)
