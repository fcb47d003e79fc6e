"""Blocks of tasks for smooth losses: rows X, one table for all tasks or a stack of theirs.

Scores z have shape (n_tasks, n_units, n): with units W (n_tasks n_units, m) they are W X', and the
gradient in W is G X for G of that shape.  Tasks with few rows are stacked, padded with rows of
weight zero; others stand alone, without a copy.  The last column of X is the intercept's, of ones.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_array, hstack, issparse

from .._backend import (
    centred,
    centred_with_ones,
    column_squares,
    namespace_of,
    place_of,
    take,
    to_place,
    widest_float,
)
from ._design import rows_of

PADDING = 1.3  # sizes of the tasks of a stack differ by at most this factor
LARGE = 200_000  # numbers in the rows of a task from which it stands alone


@dataclass(frozen=True, eq=False)
class Block:
    """Tasks with the same number of units.

    Attributes
    ----------
    X : array of shape (n, m) or (n_tasks, n, m), csr_array or CentredSparse
    Y : array of shape (n_tasks, n_units, n)
        1 where a label is of the unit's class, else 0; or the labels themselves.
    S : array of shape (n_tasks, 1, n)
        Weights, 0 where there is no label.
    tasks : ndarray of shape (n_tasks,)
    channels : ndarray of shape (n_tasks, n_units)
    centre : array of shape (p,) or (n_tasks, p)
        What was taken from the features.
    rows : ndarray of shape (n_tasks, n)
        Label number of each entry, -1 where there is none.
    """

    X: Any
    Y: Any
    S: Any
    tasks: np.ndarray
    channels: np.ndarray
    centre: Any
    rows: np.ndarray

    @property
    def n_units(self):
        """Number of coefficient vectors."""
        return self.channels.size

    def scores(self, W):
        """z of coefficients W (n_units, m)."""
        if self._is_stack:
            xp = namespace_of(W)
            W = xp.reshape(W, (*self.channels.shape, W.shape[1]))
            return W @ xp.matrix_transpose(self.X)
        z = W @ self.X.T if hasattr(self.X, "ndim") else (self.X @ W.T).T
        return namespace_of(W).reshape(z, self.Y.shape)

    def pull_back(self, G):
        """Gradient (n_units, m) in the coefficients from that in the scores."""
        xp = namespace_of(G)
        if self._is_stack:
            g = G @ self.X
            return xp.reshape(g, (self.n_units, g.shape[2]))
        return xp.reshape(G, (self.n_units, G.shape[2])) @ self.X

    def squares(self, D):
        """Sums (n_units, m) of the squares of the columns of X, weighted by D."""
        xp = namespace_of(D)
        if self._is_stack:
            sums = D @ self.X**2
            return xp.reshape(sums, (self.n_units, sums.shape[2]))
        D = xp.reshape(D, (self.n_units, D.shape[2]))
        if hasattr(self.X, "ndim"):
            return D @ self.X**2
        return np.stack([column_squares(self.X, d) for d in D])

    @cached_property
    def dense(self):
        """X as an array."""
        return self.X.toarray() if hasattr(self.X, "toarray") else self.X

    @property
    def _is_stack(self):
        return getattr(self.X, "ndim", 2) == 3


def make_blocks(data, omega, layout, *, fit_intercept, centre):
    """Blocks of TaskData whose labels are class numbers, or amounts if `positive` is None.

    Parameters
    ----------
    data : TaskData
    omega : ndarray of shape (n_tasks,)
    layout : object with `channels` and `positive`, for each task
    fit_intercept : bool
    centre : array of shape (p,), "tasks" or None
        What is taken from the features: a point, or where possible the mean of each task.
    """
    counts = np.array([len(c) for c in layout.channels])
    place = place_of(data.X)
    blocks = []
    for n_units in np.unique(counts):
        tasks = np.flatnonzero(counts == n_units)
        for rows, members in _tables(data, tasks):
            blocks.append(_block(data, omega, layout, members, rows, fit_intercept, centre, place))
    return blocks


def _tables(data, tasks):
    """(rows of X or None for all of them, tasks) of each block."""
    labels = data.labels
    if not data.one_label_per_row:
        return [(None, tasks)]
    sizes, p = np.diff(labels.indptr), data.X.shape[1]
    alone = (sizes[tasks] * p >= LARGE) | issparse(data.X)
    tables = [(_span(labels, t)[None, :], np.array([t])) for t in tasks[alone]]
    rest = tasks[~alone]
    rest = rest[np.argsort(sizes[rest], kind="stable")]
    while rest.size:
        n_fit = np.searchsorted(sizes[rest], PADDING * sizes[rest[0]] + 2, side="right")
        members, rest = rest[:n_fit], rest[n_fit:]
        rows = np.full((len(members), sizes[members].max()), -1)
        for i, t in enumerate(members):
            rows[i, : sizes[t]] = _span(labels, t)
        tables.append((rows, members))
    return tables


def _span(labels, t):
    return np.arange(labels.indptr[t], labels.indptr[t + 1])


def _block(data, omega, layout, tasks, rows, fit_intercept, centre, place):
    dtype = widest_float(place)
    number = _label_table(data, tasks) if rows is None else rows
    y, S = _observed(data.labels, number, omega[tasks])
    Y = y[:, None, :]
    if layout.positive is not None:
        positive = np.stack([layout.positive[t] for t in tasks])
        Y = (Y == positive[:, :, None]).astype(float)
    X = _features(data, rows, place, dtype)
    S = to_place(S[:, None, :], place, dtype)
    if isinstance(centre, str):
        centre = _means(X, S)
    X = _centre(X, centre, fit_intercept)
    channels = np.stack([layout.channels[t] for t in tasks])
    return Block(X, to_place(Y, place, dtype), S, tasks, channels, centre, number)


def _label_table(data, tasks):
    """Numbers (n_tasks, n_rows) of the labels of each row of a common X, -1 for none."""
    labels = data.labels
    table = np.full((len(tasks), data.X.shape[0]), -1)
    for i, t in enumerate(tasks):
        span = _span(labels, t)
        table[i, labels.row[span]] = span
    return table


def _observed(labels, number, omega):
    """Class numbers and weights (n_tasks, n), -1 and 0 where there is no label."""
    seen = number >= 0
    y = np.where(seen, labels.y[number], -1.0)
    return y, np.where(seen, labels.s[number], 0.0) * omega[:, None]


def _features(data, rows, place, dtype):
    """X, the rows of one task, or a stack of the rows of several, where padding repeats rows."""
    if rows is None:
        return to_place(data.X, place, dtype)
    if len(rows) == 1:
        span = slice(int(rows[0, 0]), int(rows[0, -1]) + 1)
        return to_place(rows_of(data, data.X, span), place, dtype)
    if data.rows_sorted and (np.diff(rows.reshape(-1)) == 1).all():  # a view
        X = to_place(data.X[int(rows[0, 0]) : int(rows[-1, -1]) + 1, :], place, dtype)
        return place.xp.reshape(X, (*rows.shape, X.shape[1]))
    row = data.labels.row[np.where(rows < 0, rows[:, :1], rows)]
    X = to_place(take(data.X, row.reshape(-1)), place, dtype)
    return place.xp.reshape(X, (*rows.shape, X.shape[1]))


def _means(X, S):
    """Weighted mean of the features of each task of a stack, or of the table."""
    xp = namespace_of(S)
    if X.ndim == 3:
        means = (S @ X) / xp.sum(S, axis=2, keepdims=True)
        return means[:, 0, :]
    s = xp.sum(S, axis=(0, 1))
    return (s @ X) / xp.sum(s)


def _centre(X, centre, fit_intercept):
    """X less the centre, with a column of ones if there are intercepts."""
    if not fit_intercept:
        return X
    if issparse(X):
        ones = csr_array(np.ones((X.shape[0], 1)))
        return centred(hstack([X, ones], format="csr"), np.append(centre, 0.0))
    return centred_with_ones(X, centre[:, None, :] if centre.ndim == 2 else centre)
