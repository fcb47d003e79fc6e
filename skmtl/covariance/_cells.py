"""Cells: the observed labels in the frame, sorted by task, and how their weights count.

Weights are frequencies: a cell of weight s is sqrt(s) times its row and label, one cell with noise
R, and s - 1 further cells of residual zero, which add (s - 1) log|R| to -2 log evidence.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ._matrices import inverse_of


@dataclass(frozen=True, eq=False)
class Cells:
    """Labels of the labelled tasks.

    Attributes
    ----------
    Z : ndarray of shape (n_rows, q)
        Rows in the frame.
    blocks : list of slice
        Columns of Z of each group of features.
    row, task, y, s : ndarrays of shape (n_labels,)
        Sorted by task; s are the weights.
    n_tasks : int
    intercept : {"free", "shrunk", "none"}
    row_weight : ndarray of shape (n_rows,) or None
        The weights where all labels of a row have one, else None.
    """

    Z: np.ndarray
    blocks: list
    row: np.ndarray
    task: np.ndarray
    y: np.ndarray
    s: np.ndarray
    n_tasks: int
    intercept: str
    row_weight: np.ndarray | None

    @cached_property
    def indptr(self):
        return np.searchsorted(self.task, np.arange(self.n_tasks + 1))

    @cached_property
    def totals(self):
        """Sum of the weights of each task."""
        return np.add.reduceat(self.s, self.indptr[:-1])

    @property
    def n_fixed(self):
        """Number of unpenalised intercepts."""
        return {"free": self.n_tasks, "shrunk": 1, "none": 0}[self.intercept]

    @property
    def degrees(self):
        """Weight of all labels less the unpenalised intercepts."""
        return self.totals.sum() - self.n_fixed

    @property
    def n_cells(self):
        return len(self.row)

    @cached_property
    def is_complete(self):
        return self.n_cells == len(self.Z) * self.n_tasks

    @cached_property
    def seen(self):
        """Mask of the observed labels, (n_rows, n_tasks)."""
        mask = np.zeros((len(self.Z), self.n_tasks), dtype=bool)
        mask[self.row, self.task] = True
        return mask

    @cached_property
    def patterns(self):
        """(tasks, rows) of the rows that have labels of the same tasks."""
        masks, which = np.unique(self.seen, axis=0, return_inverse=True)
        which = which.reshape(-1)
        return [(np.flatnonzero(mask), np.flatnonzero(which == k)) for k, mask in enumerate(masks)]

    @cached_property
    def excess(self):
        """(tasks, weight): blocks of R whose log-determinants count beyond one a cell."""
        if (self.s == 1).all():
            return []
        if self.row_weight is None or self.n_cells == len(self.Z):
            extra = self.totals - np.diff(self.indptr)
            return [(np.array([t]), extra[t]) for t in range(self.n_tasks)]
        return [(tasks, (self.row_weight[rows] - 1).sum()) for tasks, rows in self.patterns]

    def excess_value_grad(self, R):
        """What those blocks add to the log evidence, and its gradient."""
        value, gradient = 0.0, np.zeros_like(R)
        for tasks, weight in self.excess:
            inverse, logdet = inverse_of(R[np.ix_(tasks, tasks)])
            value -= weight * logdet / 2
            gradient[np.ix_(tasks, tasks)] -= weight * inverse / 2
        return value, gradient

    def residual_squares(self, W, b):
        """Weighted squares of y - z.w_t - b_t, summed by task."""
        pairs = zip(self.indptr[:-1], self.indptr[1:], strict=True)
        return np.array(
            [
                self.s[i:j] @ (self.y[i:j] - self.Z[self.row[i:j]] @ W[t] - b[t]) ** 2
                for t, (i, j) in enumerate(pairs)
            ]
        )

    def table(self, values):
        """Values of the cells as (n_rows, n_tasks), zero where there is none."""
        table = np.zeros((len(self.Z), self.n_tasks))
        table[self.row, self.task] = values
        return table
