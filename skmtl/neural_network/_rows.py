"""Rows of training data with their labels, wide or long, and how heads meet them.

V are the weights omega_t s_ti, zero where a label is missing; the s_ti are frequencies.  Both kinds
answer the same questions, so that a network does not see which one it trains on.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .._backend import namespace_of, place_of, take, to_numpy, to_place
from .._input import float_name
from ._network import column_sums, product

ONE_HOT_TASKS = 64  # up to which a product with indicators beats summing segments


class Batches:
    """What wide and long rows have in common."""

    def batches(self, order, size):
        """Yield the rows in this order, `size` at a time; all of them as they lie if that many."""
        if size >= len(self):
            yield self
            return
        for start in range(0, len(order), size):
            yield self.take(order[start : start + size])

    def __len__(self):
        return self.X.shape[0]

    @cached_property
    def total(self):
        """Sum of all weights, a float."""
        return float(self.row_weights.sum())

    @cached_property
    def frequencies(self):
        """The s of the labels, of the shape of V, 1 where a label is missing."""
        xp, V = namespace_of(self.V), self.V
        s = self.weighted(V, to_place(1 / self.omega, place_of(V), float_name(V)))
        return xp.where(s > 0, s, xp.ones_like(s))

    def to_host(self):
        """(labels, weights) on the host."""
        return to_numpy(self.labels), to_numpy(self.V)


@dataclass(frozen=True, eq=False)
class WideRows(Batches):
    """Rows that may have a label of every task.

    Attributes
    ----------
    X : array of shape (n, n_features)
    labels : array of shape (n, n_tasks)
        Zero where missing.
    V : array of shape (n, n_tasks)
    row_weights : ndarray of shape (n,)
        Sums of V over tasks, on the host.
    omega : ndarray of shape (n_tasks,) or None
        On the host; None: all s are 1.
    """

    X: Any
    labels: Any
    V: Any
    row_weights: np.ndarray
    omega: Any = None
    one_label_per_row = False

    def task_totals(self):
        """Sum of the weights of each task, of shape (n_tasks,)."""
        return column_sums(self.V)

    def take(self, rows):
        """Some of the rows."""
        parts = (take(array, rows) for array in (self.X, self.labels, self.V))
        return WideRows(*parts, self.row_weights[rows], self.omega)

    def of_single_tasks(self):
        """Yield (task, slice of the rows, the rows) of rows among which are all of the task's."""
        for t in range(self.V.shape[1]):
            yield t, slice(None), self

    def for_splitter(self):
        """What a splitter reads: features, which do not matter, labels, and no column of tasks."""
        Y, V = self.to_host()
        return np.empty((len(Y), 0)), np.where(V > 0, Y, np.nan), None

    def counts(self):
        """Number of labels of each task, on the host."""
        return (to_numpy(self.V) > 0).sum(axis=0)

    def scores(self, A, H, b):
        """Heads applied to a representation A (n, width), of shape (n, n_units)."""
        Z = A @ H.T
        Z += b
        return Z

    def head_gradients(self, R, A):
        """Gradients in heads (n_units, width) and intercepts from the derivatives R in scores."""
        return R.T @ A, namespace_of(R).sum(R, axis=0)

    def pull(self, R, H, out=None):
        """Derivative in the representation, (n, width), in the NumPy array `out` if given."""
        return product(R, H, out)

    def pull_task(self, R, H, units):
        """The same from some of the units, given by a slice."""
        return R[:, units] @ H[units, :]

    def pull_tasks(self, R, H, units):
        """The same from the units of each task, of shape (n_tasks, n, width)."""
        if len(units) == R.shape[1]:
            return R.T[:, :, None] * H[:, None, :]
        return namespace_of(R).stack([self.pull_task(R, H, of_task) for of_task in units])

    def by_task(self, E):
        """Sums of values of labels over each task."""
        return column_sums(E)

    def weighted(self, R, c):
        """Derivatives in scores times a number for each unit."""
        return R * c

    def residual_gramian(self, R, unit_tasks):
        """R'R on the host, (n_units, n_units), as if a label of weight s stood there s times."""
        if self.omega is not None:
            s = self.frequencies
            s = s if R.shape == s.shape else take(s, unit_tasks, axis=1)
            R = R / namespace_of(R).sqrt(s)
        return to_numpy(R.T @ R).astype(np.float64)


@dataclass(frozen=True, eq=False)
class LongRows(Batches):
    """Rows with a label of one task each, sorted by task.

    Attributes
    ----------
    X : array of shape (n, n_features)
    labels, V : array of shape (n,)
    task : ndarray of shape (n,)
    n_tasks : int
    omega : ndarray of shape (n_tasks,) or None
        On the host; None: all s are 1.
    """

    X: Any
    labels: Any
    V: Any
    row_weights: np.ndarray
    task: np.ndarray
    n_tasks: int
    omega: Any = None
    one_label_per_row = True

    def task_totals(self):
        """Sum of the weights of each task, of shape (n_tasks,)."""
        return self.by_task(self.V)

    def take(self, rows):
        """Some of the rows, in the order of their tasks."""
        rows = np.sort(rows)
        parts = (take(array, rows) for array in (self.X, self.labels, self.V))
        rest = self.row_weights[rows], self.task[rows], self.n_tasks, self.omega
        return LongRows(*parts, *rest)

    def of_single_tasks(self):
        """Yield (task, slice of the rows, the rows) of each task that occurs."""
        for t, start, stop in self.segments:
            yield t, slice(start, stop), self.take(np.arange(start, stop))

    def for_splitter(self):
        """What a splitter reads: tasks beside a feature, labels, and the column of the tasks."""
        return np.column_stack([self.task, self.task]), to_numpy(self.labels), 0

    def counts(self):
        """Number of labels of each task, on the host."""
        return np.bincount(self.task, minlength=self.n_tasks)

    def scores(self, A, H, b):
        """Each row's own head applied to its representation, of shape (n,)."""
        return namespace_of(A).vecdot(A, take(H, self.task)) + take(b, self.task)

    def head_gradients(self, R, A):
        """Gradients in heads (n_tasks, width) and intercepts from the derivatives R in scores."""
        return self._sum_rows(R[:, None] * A), self.by_task(R)

    def pull(self, R, H, out=None):
        """Derivative in the representation, (n, width), in the NumPy array `out` if given."""
        if out is None:
            return R[:, None] * take(H, self.task)
        return np.multiply(R[:, None], take(H, self.task), out=out)

    def by_task(self, E):
        """Sums of values of labels over each task."""
        if isinstance(E, np.ndarray):
            return np.bincount(self.task, E, self.n_tasks).astype(E.dtype, copy=False)
        return self.indicators @ E

    def weighted(self, R, c):
        """Derivatives in scores times a number for each task."""
        return R * take(c, self.task)

    def residual_gramian(self, R, unit_tasks):
        """R'R of the scores of all tasks, as that of wide rows: no row has two."""
        squares = R * R
        if self.omega is not None:
            squares = squares / self.frequencies
        return np.diag(to_numpy(self.by_task(squares)).astype(np.float64))

    @cached_property
    def firsts(self):
        """First row of each task that occurs."""
        return np.flatnonzero(np.diff(self.task, prepend=-1))

    @property
    def segments(self):
        """(task, first row, last row + 1) of each task that occurs."""
        stops = [*self.firsts[1:].tolist(), len(self)]
        return zip(self.task[self.firsts].tolist(), self.firsts.tolist(), stops, strict=True)

    def _sum_rows(self, M):
        """Sums of the rows of M (n, k) over each task, of shape (n_tasks, k)."""
        if self.n_tasks <= ONE_HOT_TASKS or not isinstance(M, np.ndarray):
            return self.indicators @ M
        sums = np.zeros((self.n_tasks, M.shape[1]), dtype=M.dtype)
        sums[self.task[self.firsts]] = np.add.reduceat(M, self.firsts, axis=0)
        return sums

    @cached_property
    def indicators(self):
        """Ones (n_tasks, n) where a row is of a task."""
        table = np.equal.outer(np.arange(self.n_tasks), self.task)
        return to_place(table, place_of(self.V), float_name(self.V))


def training_rows(data, omega, *, dtype, n_tasks, number, wide=False):
    """Rows of a TaskData, at the place of its X.

    Parameters
    ----------
    data : TaskData
    omega : ndarray of shape (data.n_tasks,)
    dtype : str
        Name of the floating type.
    n_tasks : int
        Tasks that the network knows.
    number : ndarray of shape (data.n_tasks,)
        Their numbers of the tasks in `data`, ascending.
    wide : bool, default=False
        WideRows also where each row has one label.
    """
    place, of_network = place_of(data.X), _of_network(data, omega, n_tasks, number)
    X = to_place(data.X, place, dtype)
    if data.one_label_per_row and n_tasks > 1 and not wide:
        labels, task = data.labels, number[data.labels.task]
        V = omega[data.labels.task] * labels.s
        X = X if data.rows_sorted else take(X, labels.row)
        there = (to_place(array, place, dtype) for array in (labels.y, V))
        return LongRows(X, *there, V, task, n_tasks, of_network)
    Y, V = np.zeros((2, X.shape[0], n_tasks))
    if data.is_common_design:
        Y[:, number], V[:, number] = data.Y, np.outer(data.row_weight, omega)
    else:
        labels = data.labels
        cells = labels.row, number[labels.task]
        Y[cells], V[cells] = labels.y, omega[labels.task] * labels.s
    there = (to_place(array, place, dtype) for array in (Y, V))
    return WideRows(X, *there, V.sum(axis=1), of_network)


def _of_network(data, omega, n_tasks, number):
    """The omega of the network's tasks, None where every label has the weight 1."""
    if ((data.row_weight if data.is_common_design else data.labels.s) == 1).all():
        return None
    of_network = np.ones(n_tasks)
    of_network[number] = omega
    return of_network
