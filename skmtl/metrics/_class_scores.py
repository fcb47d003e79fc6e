"""Scores of classes beside the observed labels of each task, whatever shape they came in."""

import warnings
from typing import Any, NamedTuple

import numpy as np

from .._input import as_numbers, encode_tasks, lookup_tasks, naming, objects, to_host
from ._classes import check_kinds, class_lists, read_labels
from ._labels import number_table, observed_cells


class TaskScores(NamedTuple):
    """Observed labels of one task and the scores of its classes.

    Attributes
    ----------
    y : ndarray of shape (n_labels,)
        Number of each label's class.
    P : ndarray of shape (n_labels, n_classes)
        Zero for a class that had no column.
    s : ndarray of shape (n_labels,)
        Frequencies > 0.
    n_columns : int
        Number of classes that had a column.
    positive : int or None
        Of a binary task, the class that scores rank.
    eps : float
        Rounding unit of the scores' type.
    """

    y: np.ndarray
    P: np.ndarray
    s: np.ndarray
    n_columns: int = 1
    positive: Any = None
    eps: float = 0.0

    def rows(self, at):
        """The labels in these rows."""
        return self._replace(y=self.y[at], P=self.P[at], s=self.s[at])


def task_scores(y_true, y_prob, classes, task, sample_weight, missing_label, *, probabilities):
    """TaskScores of each task; `probabilities`: scores lie in [0, 1], and a label's sum to one."""
    codes, values = read_labels(y_true, "y_true", missing_label)
    Y = number_table(codes, "y_true", "allow-nan")
    seen, S, code, n_tasks = observed_cells(Y, task, sample_weight)
    tables = _tables(y_prob, codes.shape)
    columns = []
    for k, known in enumerate(class_lists(classes, len(tables))):
        rows, where = np.flatnonzero(seen[:, k]), f" of task {k}" if task is None else ""
        scores = tables[k][rows]
        _check_scores(scores, rows, where, probabilities)
        present, y = np.unique(Y[rows, k].astype(np.intp), return_inverse=True)
        labelled = TaskScores(y, scores, S[rows, k])
        columns.append(_by_class(labelled, values[present].tolist(), known, where, probabilities))
    if probabilities and any(_off_one(column) for column in columns):
        message = "y_prob does not sum to one over the classes; pass probabilities."
        warnings.warn(message, UserWarning, stacklevel=3)  # said of the metric's caller
    if task is None:
        return columns
    code = code[seen[:, 0], 0]
    ends = np.cumsum(np.bincount(code, minlength=n_tasks))[:-1]
    return [columns[0].rows(at) for at in np.split(np.argsort(code, kind="stable"), ends)]


def _by_class(labelled, observed, known, where, probabilities):
    """Labels and scores by the number of the class, where known classes are those of columns."""
    y, scores, s = labelled[:3]
    if known is None:
        if len(observed) < (1 if probabilities else 2):  # no value, whatever the columns mean
            return TaskScores(y, np.ones((len(y), 1)), s)
        known = _guess(observed, scores)
    elif scores.ndim == 1 and len(known) == 1:
        scores = scores[:, None]
    eps = np.finfo(scores.dtype).eps
    P = scores.astype(np.float64)
    if P.ndim == 1:
        P = np.column_stack([1 - P, P])
    if P.shape[1] != len(known):
        raise ValueError(
            f"y_prob scores {P.shape[1]} classes{where}, but its classes are {known}; pass the "
            "meaning of the columns as classes."
        )
    check_kinds("y_true", observed, "classes", known)
    unseen = [c for c in observed if c not in set(known)]
    every = encode_tasks(objects(known + unseen))[0] if unseen else known
    pair = known if len(known) == 2 else every
    positive = every.index(pair[1]) if len(pair) == 2 else None
    full = np.zeros((len(P), len(every)))
    full[:, lookup_tasks(objects(known), every)] = P
    y = lookup_tasks(objects(observed), every)[y]
    return TaskScores(y, full, s, len(known), positive, float(eps))


def _guess(observed, scores):
    """Classes of the columns, from the labels: one label of a pair 0, 1 or -1, 1 tells of both."""
    if len(observed) == 1 and (scores.ndim == 1 or scores.shape[1] == 2):
        if observed[0] in (0, 1):
            return [0, 1]
        if observed[0] == -1:
            return [-1, 1]
    return observed


def _tables(y_prob, shape):
    """Scores of each column of y_true: of its classes (n, K), or of its second class (n,)."""
    n_rows, n_tables = shape[0], (*shape, 1)[1]
    if isinstance(y_prob, (list, tuple)) and len(y_prob) and np.ndim(y_prob[0]) == 2:
        tables = [_floats(table) for table in y_prob]
        seen = f"{len(tables)} arrays of shapes {[table.shape for table in tables]}"
    else:
        P = _floats(y_prob)
        seen = f"shape {P.shape}"
        one_each = len(shape) == 2 and P.shape == shape
        tables = list(P.T) if one_each else [P]
    if len(tables) != n_tables or any(
        table.ndim not in (1, 2) or len(table) != n_rows for table in tables
    ):
        forms = f"of shape ({n_rows},) or ({n_rows}, n_classes)"
        if len(shape) == 2:
            forms = f"of shape {shape}, or a list of {n_tables} arrays ({n_rows}, n_classes)"
        raise ValueError(f"y_prob must be {forms}, got {seen}.")
    return tables


def _floats(y_prob):
    with naming("y_prob"):
        P = to_host(y_prob)
        P = np.asarray(P if isinstance(P, (list, tuple)) else as_numbers("y_prob", P))
        return P if P.dtype.kind == "f" else P.astype(np.float64)


def _check_scores(scores, rows, where, probabilities):
    """Refuse what is not finite, of probabilities also what lies outside [0, 1]."""
    bad, wish = ~np.isfinite(scores), "finite wherever a label is observed"
    if probabilities and not bad.any():
        bad, wish = (scores < 0) | (scores > 1), "in [0, 1] wherever a label is observed"
    if bad.any():
        at = tuple(np.argwhere(bad)[0])
        raise ValueError(f"y_prob must be {wish}, got {scores[at]} in row {rows[at[0]]}{where}.")


def _off_one(column):
    """Whether some label's probabilities do not sum to one, up to half the digits."""
    return (abs(column.P.sum(axis=1) - 1) > np.sqrt(column.eps)).any()
