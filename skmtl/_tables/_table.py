"""A file as features, labels and task ids.

Every refusal names the file and the column, and the first row at fault, counted from 1 after the
header.
"""

from typing import Any, NamedTuple

from ._cells import read_cells
from ._features import feature_notes, read_features, tabular_transformer
from ._ids import read_ids
from ._labels import class_note, read_labels
from ._source import shown
from ._words import counted, listed


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
        most two distinct numbers.
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
    wanted = [*targets] if targets else [target, task_column]
    grouping = [] if group is None else [group]
    for name in [*wanted, *grouping, *drop]:
        if name not in frame.columns:
            read = "".join(f" ({note.rstrip('.')})" for note in notes)
            raise ValueError(
                f"{path} has no column {name!r}; its columns are {list(frame.columns)}{read}."
            )
    labels = frame[[*targets] if targets else [target]]
    labels, classes = read_labels(path, labels, classification)
    unlabelled = labels.isna().all(axis=1)
    if unlabelled.all():
        raise ValueError(f"{path} has no value in {listed(labels.columns)}.")
    if unlabelled.any():
        notes.append(f"{counted(unlabelled.sum(), 'row')} without a target left out.")
        frame, labels = frame[~unlabelled], labels[~unlabelled]
    task = None if targets else read_ids(path, frame[task_column], "task")
    group = None if group is None else read_ids(path, frame[group], "group")
    X = frame.drop(columns=list({*wanted, *grouping, *drop}))
    if X.shape[1] == 0:
        raise ValueError(f"{path} has no column left for a feature beside {listed(wanted)}.")
    X = read_features(path, X)
    notes += feature_notes(X)
    if classes is not None:
        notes.append(class_note(labels, classes))
    y = labels if targets else labels[target]
    return Table(X, y, task, tabular_transformer(X), notes, classes, group)
