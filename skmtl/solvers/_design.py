"""Centred and weighted rows of each task: the common ground of the quadratic solvers.

A row is sqrt(omega_t s_ti) (x - centre, y - centre, 1).  With penalised intercepts the centre is
the pooled weighted mean, so the penalty acts at the average x; with free intercepts it is the
task's own mean and no intercept is left.  Where there are fewer rows than features X may be
replaced by its coordinates in its row space.  Blocks are made when asked for: one pass over X,
small temporaries.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import issparse

from .._backend import (
    SMALL_OFFSET,
    centred,
    centred_grams,
    centred_table,
    column_squares,
    eigh_psd,
    kernel,
    namespace_of,
    place_of,
    require_memory,
    sparse_gram,
    take,
    to_numpy,
    to_place,
    widest_float,
)


@dataclass(frozen=True, eq=False)
class Frame:
    """Features as the solver sees them: rows X (n_rows, p), pooled mean, and x = basis @ row."""

    X: Any
    mean: Any
    origin: Any
    basis: Any = None

    def coefficients(self, W):
        """Coefficients of the features from those of the coordinates, along the last axis."""
        return W if self.basis is None else W @ self.basis.T


def make_frame(data, omega, *, fit_intercept, reduce):
    """Frame of the features, in coordinates of the row space if `reduce`."""
    place = place_of(data.X)
    xp, X = place.xp, data.X
    dtype = widest_float(place)
    origin = xp.zeros(X.shape[1], dtype=getattr(xp, dtype), device=place.device)
    if fit_intercept:
        origin = to_place(row_shares(data, omega), place, dtype) @ to_place(X, place, dtype)
    if not reduce:
        return Frame(X, origin, origin)
    n, p = X.shape
    require_memory(
        2 * n**2 + n * p, f"the row space of {n} rows of {p} features", "use fewer rows", place
    )
    X = centred(X, origin)
    s, P = eigh_psd(kernel(X))
    keep = np.flatnonzero(to_numpy(s) > 0)
    keep = keep if keep.size else np.array([0])  # a constant X keeps one direction, of length zero
    P, root = take(P, keep, axis=1), xp.sqrt(take(s, keep))
    basis = X.T @ (P / xp.where(root > 0, root, xp.ones_like(root)))
    return Frame(P * root, xp.zeros_like(root), origin, basis)


def row_shares(data, omega):
    """Share of each row of X in the pooled weight, summing to one."""
    if data.is_common_design:
        return data.row_weight / data.row_weight.sum()
    labels = data.labels
    weight = np.bincount(labels.row, labels.s * omega[labels.task], minlength=data.X.shape[0])
    return weight / weight.sum()


@dataclass(frozen=True, eq=False)
class Design:
    """Blocks of one task each; `kind` says how intercepts enter: "none", "free" or "shrunk"."""

    data: Any
    frame: Frame
    kind: str
    weight: np.ndarray
    y: np.ndarray
    y_mean: float
    x_means: Any = None
    y_means: Any = None

    @property
    def omega(self):
        """Weight of each task."""
        first = self.indptr[:-1]
        return self.weight[first] / self.data.labels.s[first]

    @cached_property
    def place(self):
        return place_of(self.frame.X)

    @property
    def indptr(self):
        return self.data.labels.indptr

    @property
    def sizes(self):
        """Number of labels of each task."""
        return np.diff(self.indptr)

    @property
    def n_tasks(self):
        return self.data.n_tasks

    @property
    def n_features(self):
        return self.frame.X.shape[1]

    @property
    def totals(self):
        """Sum of the weights of each task."""
        return np.add.reduceat(self.weight, self.indptr[:-1])

    def span(self, t):
        """Slice of the labels of task t."""
        return slice(int(self.indptr[t]), int(self.indptr[t + 1]))

    @property
    def is_nearly_complete(self):
        """Whether all tasks have most rows of one table, with equal weights."""
        labels, (n, p) = self.data.labels, self.frame.X.shape
        most = len(labels.row) > 0.6 * n * self.n_tasks
        unweighted = bool((labels.s == 1).all()) and not issparse(self.frame.X)
        return not self.data.rows_sorted and most and p >= 32 and unweighted

    @cached_property
    def columns(self):
        """Labels, and ones if intercepts are shrunk, of shape (n_labels, 1 or 2)."""
        columns = [self.y] if self.kind != "shrunk" else [self.y, np.ones_like(self.y)]
        return to_place(np.stack(columns, axis=1), self.place, widest_float(self.place))

    @cached_property
    def root(self):
        """Roots of the weights as a column, or None where all are one."""
        if (self.weight == 1).all():
            return None
        return to_place(np.sqrt(self.weight)[:, None], self.place, widest_float(self.place))

    def grams(self, tasks):
        """table' table of each of the tasks, as one stack."""
        if self.is_nearly_complete:
            return downdated_grams(self, tasks)
        if self.root is not None and issparse(self.frame.X):
            spans = map(self.span, tasks.tolist())
            roots = [self.root[span, 0] for span in spans]
            parts = map(self._parts, tasks.tolist())
            return np.stack([sparse_gram(*part, r) for part, r in zip(parts, roots, strict=True)])
        if self.root is not None:
            tables = map(self.table, tasks.tolist())
            return self.place.xp.stack([table.T @ table for table in tables])
        return centred_grams([self._parts(t) for t in tasks.tolist()])

    def table(self, t):
        """Rows (n_t, p + 1 or p + 2) of task t: features, label, and the constant if shrunk."""
        table = centred_table(*self._parts(t))
        return table if self.root is None else table * self.root[self.span(t), :]

    def _parts(self, t):
        span = self.span(t)
        centre = self.frame.mean if self.x_means is None else self.x_means[t, :]
        return rows_of(self.data, self.frame.X, span), centre, self.columns[span, :]

    def intercepts(self, W, b):
        """Intercepts (n_tasks,) at the pooled mean; `b` are the solver's shrunk ones, else None."""
        xp = namespace_of(W)
        if self.kind == "shrunk":
            return b + self.y_mean
        if self.kind == "none":
            return xp.zeros_like(W[:, 0])
        return self.y_means + xp.sum((self.frame.mean - self.x_means) * W, axis=1)


def make_design(data, omega, frame, *, fit_intercept, free):
    """Design of the labels in a Frame; `free`: unpenalised intercepts."""
    labels, kind = data.labels, "none"
    w = labels.s * omega[labels.task]
    if not fit_intercept:
        return Design(data, frame, kind, w, labels.y, 0.0)
    y_mean = float(w @ labels.y / w.sum())
    if not free:
        return Design(data, frame, "shrunk", w, labels.y - y_mean, y_mean)
    counts = np.diff(labels.indptr)
    share = w / np.repeat(np.add.reduceat(w, labels.indptr[:-1]), counts)
    y_means = np.add.reduceat(share * labels.y, labels.indptr[:-1])
    place = place_of(frame.X)
    dtype = widest_float(place)
    shares = to_place(share, place, dtype)
    spans = [
        slice(a, b)
        for a, b in zip(labels.indptr[:-1].tolist(), labels.indptr[1:].tolist(), strict=True)
    ]
    x_means = place.xp.stack(
        [shares[span] @ to_place(rows_of(data, frame.X, span), place, dtype) for span in spans]
    )
    y = labels.y - np.repeat(y_means, counts)
    return Design(data, frame, "free", w, y, y_mean, x_means, to_place(y_means, place, dtype))


def downdated_grams(design, tasks):
    """Grams of nearly complete tasks: that of all rows, less that of the missing ones."""
    place, labels = design.place, design.data.labels
    xp, dtype = place.xp, widest_float(place)
    X = to_place(design.frame.X, place, dtype) - design.frame.mean
    shape = X.shape[0], design.n_tasks
    Y, seen = np.zeros(shape), np.zeros(shape)
    Y[labels.row, labels.task], seen[labels.row, labels.task] = design.y, 1.0
    complete = X.T @ X
    sums = to_numpy(to_place(np.hstack([Y, seen]), place, dtype).T @ X)
    grams = []
    for t in tasks.tolist():
        missing = take(X, np.flatnonzero(seen[:, t] == 0))
        S = complete - missing.T @ missing
        n, xy, h, y = seen[:, t].sum(), sums[t], sums[design.n_tasks + t], Y[:, t]
        rows = np.vstack([xy, h])
        if design.kind == "free":
            offset = to_place(h, place, dtype)
            raw = xp.linalg.diagonal(S)
            S = S - offset[:, None] * (offset / n)
            if bool(xp.any(raw > SMALL_OFFSET * xp.linalg.diagonal(S))):
                table = design.table(t)  # the task's mean lies far off: centre before squaring
                grams.append(table.T @ table)
                continue
        if design.kind != "shrunk":
            rows = rows[:1]
        corner = np.array([[y @ y, y.sum()], [y.sum(), n]])[: len(rows), : len(rows)]
        rows = to_place(rows, place, dtype)
        below = xp.concat([rows, to_place(corner, place, dtype)], axis=1)
        grams.append(xp.concat([xp.concat([S, rows.T], axis=1), below], axis=0))
    omega = to_place(design.omega[tasks], place, dtype)
    return xp.stack(grams) * omega[:, None, None]


def rows_of(data, X, span):
    """Rows of X of the labels in `span`, a view where they lie together."""
    if data.is_common_design:
        return X
    if data.rows_sorted:
        return X[span, :]
    return take(X, data.labels.row[span])


def feature_variance(data):
    """Mean over features of their weighted variance, over the labels of all tasks.

    Parameters
    ----------
    data : TaskData

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl._data import wide_data
    >>> from skmtl.solvers import feature_variance
    >>> data, _ = wide_data(np.array([[0.0], [2.0]]), np.zeros((2, 3)))
    >>> feature_variance(data)
    1.0
    """
    frame = make_frame(data, np.ones(data.n_tasks), fit_intercept=True, reduce=False)
    place = place_of(frame.X)
    share = to_place(row_shares(data, np.ones(data.n_tasks)), place, widest_float(place))
    return float(place.xp.mean(column_squares(centred(frame.X, frame.mean), share)))
