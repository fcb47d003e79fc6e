"""A file as features, labels and task ids.

Every refusal names the file and the column, and the first row at fault, counted from 1 after the
header.
"""

import re
from collections import Counter
from typing import Any, NamedTuple

from ._cells import read_cells
from ._features import feature_notes, read_features, tabular_transformer
from ._ids import id_notes, read_ids
from ._labels import amount_note, class_note, read_labels
from ._lines import check_headers, check_totals, total_notes
from ._numbers import Reader
from ._source import shown
from ._words import counted, listed, summed_up

DECIMAL_ZEROS = re.compile(r"(?<=[0-9])[.,]0*$")


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
    path,
    *,
    target=None,
    task_column=None,
    targets=(),
    group=None,
    drop=(),
    classification=None,
    decimal=None,
    thousands=None,
    na_values=(),
    sep=None,
    encoding=None,
    sheet=None,
):
    """Read a file with a header as a Table.

    Parameters
    ----------
    path : str
        Text, a workbook, Parquet or Feather; "-" is standard input.
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
        most two distinct whole numbers.
    decimal, thousands : {".", ","} or None
        The mark before decimals, or between thousands, of columns that do not show it themselves;
        None: what the other columns show.
    na_values : sequence of str
        Texts of cells that are missing, in every column; of a number also with zeros as decimals,
        except among ids. Rows without an id are left out then.
    sep, encoding, sheet : str or None
        How the file is read, as by `read_cells`.

    Raises
    ------
    ImportError
        If pandas is not installed, or what it needs for such a file.
    ValueError
        If the file or a column cannot be used.
    """
    frame, notes = read_cells(path, sep=sep, encoding=encoding, sheet=sheet)
    path = shown(path)
    _check_distinct(targets)
    labelled = [*targets] if targets else [target]
    grouping = [] if group is None else [group]
    wanted = [*targets] if targets else [target, task_column]
    _check_names(path, frame, [*wanted, *grouping, *drop], notes)
    separator = frame.attrs["separator"]
    features = frame.columns.drop(list({*wanted, *grouping, *drop}))
    ids = list(dict.fromkeys([*([] if targets else [task_column]), *grouping]))
    lacking = (frame[ids] == "").any(axis=1)
    frame = _emptied(frame, na_values, [*labelled, *features], notes)
    check_headers(path, frame)
    unnamed = (frame[ids] == "").any(axis=1) & ~lacking  # refused where a cell is empty itself
    decimal = decimal or {",": ".", ".": ","}.get(thousands)
    reader = Reader(path, frame, decimal, separator)
    labels, classes = read_labels(reader, labelled, classification)
    kept = _kept_rows(path, labels, unnamed, notes)
    labels = labels[kept]
    task = None if targets else read_ids(path, frame.loc[kept, task_column], "task")
    group = None if group is None else read_ids(path, frame.loc[kept, group], "group")
    for name in ids:
        notes += id_notes(frame.loc[kept, name])
    notes += total_notes(frame) if targets else check_totals(path, frame.loc[kept, task_column])
    if len(features) == 0:
        raise ValueError(f"{path} has no column left for a feature beside {listed(wanted)}.")
    X = read_features(reader, features, kept)
    notes += reader.notes() + feature_notes(X)
    if classes is not None:
        notes.append(class_note(labels, classes))
    elif classification is None:
        notes += amount_note(labels)
    y = labels if targets else labels[target]
    return Table(X, y, task, tabular_transformer(X), notes, classes, group)


def _check_names(path, frame, names, notes):
    for name in names:
        if name not in frame.columns:
            read = "".join(f" ({note.rstrip('.')})" for note in notes)
            raise ValueError(
                f"{path} has no column {name!r}; its columns are {list(frame.columns)}{read}."
            )


def _check_distinct(targets):
    twice = [name for name, count in Counter(targets).items() if count > 1]
    if twice:
        raise ValueError(f"targets names {twice[0]!r} more than once; name each column once.")


def _kept_rows(path, labels, unnamed, notes):
    """Which rows have a label and ids; notes on the others."""
    labelled = labels.notna().any(axis=1)
    if not labelled.any():
        raise ValueError(f"{path} has no value in {listed(labels.columns)}.")
    if not labelled.all():
        notes.append(f"{counted((~labelled).sum(), 'row')} without a target left out.")
    unnamed = unnamed & labelled
    if unnamed.any():
        notes.append(f"{counted(unnamed.sum(), 'row')} without an id left out.")
    if (kept := labelled & ~unnamed).any():
        return kept
    raise ValueError(f"{path} has no row left with an id; name other marks with --na-values.")


def _emptied(frame, na_values, measured, notes):
    """The cells, without those that are named as missing; a note on their number.

    In columns that may hold numbers 99 names 99.00 too.
    """
    if not na_values:
        return frame
    named = frame.isin(list(na_values))
    spelt = {DECIMAL_ZEROS.sub("", value) for value in na_values}
    alike = {
        c for c in set(frame[measured].to_numpy().ravel()) if DECIMAL_ZEROS.sub("", c) in spelt
    }
    named[measured] |= frame[measured].isin(alike)
    counts = [f"{name} ({counted(n, 'row')})" for name, n in named.sum().items() if n]
    found = f"read as missing: {summed_up(counts)}" if counts else "no cell reads so"
    notes.append(f"--na-values {listed(na_values)}: {found}.")
    return frame.mask(named, "")
