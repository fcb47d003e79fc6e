"""Moments, all that squared-loss models need of data: weights, means, centred Grams by task.

Two sets of rows merge by the update of Chan, Golub and LeVeque (1983): with weights a and b and
means that differ by d, S = S_a + S_b + a b/(a + b) d d'.  Tasks that share all rows, as those of a
complete wide Y, share one Gram.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse

from ._backend import (
    centred_grams,
    place_of,
    require_memory,
    shift_full_columns,
    sparse_gram,
    take,
    to_numpy,
    to_place,
    widest_float,
)

BLOCK = 2**18  # rows read at a time


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over the rows of each task, about their own means.

    Attributes
    ----------
    n : ndarray of shape (n_tasks,)
        Sums of weights.
    x_mean : ndarray of shape (1 or n_tasks, n_features)
    S : ndarray of shape (1 or n_tasks, n_features, n_features)
        Centred Grams; one where all tasks have the same rows and weights.
    y_mean, yy : ndarrays of shape (n_tasks,)
    xy : ndarray of shape (n_tasks, n_features)
    """

    n: Any
    x_mean: Any
    S: Any
    y_mean: Any
    xy: Any
    yy: Any

    @property
    def n_tasks(self):
        return len(self.n)

    @property
    def n_features(self):
        return self.S.shape[-1]

    @property
    def is_common(self):
        """Whether one Gram serves all tasks."""
        return len(self.S) == 1

    def spread(self, n_tasks, position):
        """The same moments among `n_tasks` tasks, those of this object at `position`."""
        if n_tasks == self.n_tasks and (position == np.arange(n_tasks)).all():
            return self
        return Moments(*(_place_rows(a, n_tasks, position) for a in self._by_task()))

    def select(self, tasks):
        """Moments of some of the tasks."""
        shared = (self.x_mean, self.S)
        x_mean, S = shared if self.is_common else (a[tasks] for a in shared)
        return Moments(self.n[tasks], x_mean, S, self.y_mean[tasks], self.xy[tasks], self.yy[tasks])

    def _by_task(self):
        T = self.n_tasks
        x_mean = np.broadcast_to(self.x_mean, (T, self.n_features))
        S = np.broadcast_to(self.S, (T, self.n_features, self.n_features))
        return self.n, x_mean, S, self.y_mean, self.xy, self.yy

    def __add__(self, other):
        """Moments of the rows of both, for the same tasks in the same order."""
        if self.is_common and other.is_common:
            a, b, rows = self, other, slice(1)
        else:
            a, b, rows = Moments(*self._by_task()), Moments(*other._by_task()), slice(None)
        total, dx, dy = a.n + b.n, b.x_mean - a.x_mean, b.y_mean - a.y_mean
        share = np.divide(b.n, total, out=np.zeros_like(total), where=total > 0)
        weight = a.n * share
        step = weight[rows, None] * dx
        return Moments(
            total,
            a.x_mean + share[rows, None] * dx,
            a.S + b.S + step[:, :, None] * dx[:, None, :],
            a.y_mean + share * dy,
            a.xy + b.xy + step * dy[:, None],
            a.yy + b.yy + weight * dy**2,
        )


def _place_rows(a, n_tasks, position):
    if len(position) == n_tasks and (position == np.arange(n_tasks)).all():
        return a
    placed = np.zeros((n_tasks, *a.shape[1:]))
    placed[position] = a
    return placed


def no_moments(n_tasks, n_features):
    """Moments of tasks without labels."""
    T, p = n_tasks, n_features
    return Moments(*(np.zeros(shape) for shape in (T, (T, p), (T, p, p), T, (T, p), T)))


def _require_memory(n_tasks, n_features):
    require_memory(
        2 * n_tasks * n_features**2,
        f"the sums of {n_tasks} tasks with a Gram of {n_features} features each",
        "use fewer features, or complete labels, for which tasks share a Gram",
    )


def long_moments(X, y, codes, n_tasks, weight=None):
    """Moments of rows with one label each, read in blocks; `codes` number their tasks."""
    _require_memory(n_tasks, X.shape[1])
    total = None
    for start in range(0, max(len(y), 1), BLOCK):
        rows = slice(start, start + BLOCK)
        w = None if weight is None else weight[rows]
        block = _block_moments(X[rows], y[rows], codes[rows], n_tasks, w)
        total = block if total is None else total + block
    return total


def _block_moments(X, y, codes, n_tasks, weight):
    # small integers sort by radix, in linear time
    small = np.uint8 if n_tasks <= 2**8 else np.uint16 if n_tasks <= 2**16 else np.intp
    order = np.argsort(codes.astype(small), kind="stable")
    if weight is not None:
        order = order[weight[order] > 0]
        codes = codes[order]
    counts = np.bincount(codes, minlength=n_tasks)
    present = np.flatnonzero(counts)
    if present.size == 0:
        return no_moments(n_tasks, X.shape[1])
    stops = np.cumsum(counts[present])
    parts = [
        _task_moments(take(X, rows), y[rows, None], None if weight is None else weight[rows])
        for rows in np.split(order, stops[:-1])
    ]
    stacked = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Moments(*(_place_rows(a, n_tasks, present) for a in stacked))


def wide_moments(X, Y, weight=None):
    """Moments of a table of labels, NaN where not observed."""
    observed = ~np.isnan(Y)
    if weight is not None:
        weight = np.broadcast_to(weight[:, None] if weight.ndim == 1 else weight, Y.shape)
        observed &= weight > 0
    same = observed.all() and (weight is None or (weight == weight[:, :1]).all())
    _require_memory(1 if same else Y.shape[1], X.shape[1])
    if same:
        total = None
        for start in range(0, len(Y), BLOCK):
            rows = slice(start, start + BLOCK)
            w = None if weight is None else weight[rows, 0]
            block = Moments(*_task_moments(X[rows], Y[rows], w))
            total = block if total is None else total + block
        return total
    T = Y.shape[1]
    total = no_moments(T, X.shape[1])
    for t in range(T):
        rows = np.flatnonzero(observed[:, t])
        w = None if weight is None else weight[rows, t]
        part = long_moments(take(X, rows), Y[rows, t], np.zeros(len(rows), dtype=int), 1, w)
        total = total + part.spread(T, np.array([t]))
    return total


def _task_moments(X, Y, weight):
    """Fields of the Moments of rows that all tasks of Y share, on the CPU."""
    place = place_of(X)
    dtype = widest_float(place)
    w = np.ones(len(Y)) if weight is None else weight
    n = w.sum()
    share = to_place(w / n, place, dtype)
    X = to_place(X, place, dtype)
    x_mean, y_mean = share @ X, (w / n) @ Y
    D = Y - y_mean
    if issparse(X):
        X, shift = shift_full_columns(X)
        G = sparse_gram(X, x_mean - shift, D, None if weight is None else np.sqrt(w))
    elif weight is None:
        G = centred_grams([(X, x_mean, to_place(D, place, dtype))], about_means=True)[0, ...]
    else:
        Z = (X - x_mean) * to_place(np.sqrt(w)[:, None], place, dtype)
        Z = place.xp.concat([Z, to_place(D * np.sqrt(w)[:, None], place, dtype)], axis=1)
        G = Z.T @ Z
    G, p = to_numpy(G), X.shape[1]
    return (
        np.full(Y.shape[1], n),
        to_numpy(x_mean)[None],
        G[None, :p, :p],
        y_mean,
        G[p:, :p],
        G.diagonal()[p:].copy(),
    )
