"""Evidence of the observed cells themselves: V = sum_g K^g_st x_i^g.x_j^g + R_st [i = j], N x N.

P = V^-1 - V^-1 H (H'V^-1 H)^-1 H'V^-1 for the columns H of the unpenalised intercepts.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from .._backend import inverse_pd
from ._evaluation import LOG_2PI, Evaluation
from ._kernel_posterior import KernelPosterior, by_task


class Solved(NamedTuple):
    """V^-1, H'V^-1, (H'V^-1 H)^-1 and log|V| + log|H'V^-1 H|."""

    inverse: np.ndarray
    HV: np.ndarray
    D_inverse: np.ndarray
    logdet: float


class KernelRoute:
    """Any components, intercepts and R; rows with several labels have one weight if R is full.

    Parameters
    ----------
    cells : Cells
    """

    separable, takes_factors = True, False

    def __init__(self, cells):
        self.cells = cells
        self.root = np.sqrt(cells.s)
        self.y = cells.y * self.root
        self.tables = [cells.Z[cells.row][:, block] * self.root[:, None] for block in cells.blocks]
        if cells.intercept == "shrunk":
            self.tables.append(self.root[:, None])
        self.grams = [table @ table.T for table in self.tables]
        self.counts = np.diff(cells.indptr)

    @staticmethod
    def flops(cells):
        """Work of an evaluation."""
        N = cells.n_cells
        return N**3 + 10 * N**2 * len(cells.blocks)

    def value_grad(self, K, R):
        """Log evidence and its gradients at K (n_components, T, T) and R (T, T)."""
        state = self.solve(K, R)
        P = state.inverse - state.HV.T @ (state.D_inverse @ state.HV)
        a = P @ self.y
        value = state.logdet + self.y @ a + self.cells.degrees * LOG_2PI
        sums = [table.T @ by_task(a, self.cells) for table in self.tables]
        G_K = np.stack(
            [s.T @ s - self._blocks(P * G) for s, G in zip(sums, self.grams, strict=True)]
        )
        i, j = self.pairs
        T = self.cells.n_tasks
        where = self.cells.task[i] * T + self.cells.task[j]
        G_R = np.bincount(where, a[i] * a[j] - P[i, j], T * T).reshape(T, T)
        more, G_more = self.cells.excess_value_grad(R)
        return Evaluation(more - value / 2, G_K / 2, G_R / 2 + G_more)

    def solve(self, K, R):
        """V^-1, what is left of it beside H, and the log-determinants at one (K, R)."""
        V = sum(G * self._spread(k) for k, G in zip(K, self.grams, strict=True))
        i, j = self.pairs
        V[i, j] += R[self.cells.task[i], self.cells.task[j]]
        inverse, logdet = inverse_pd(V)
        HV = self.fixed.T @ inverse
        if not len(HV):
            return Solved(inverse, HV, np.zeros((0, 0)), logdet)
        D_inverse, logdet_D = inverse_pd(HV @ self.fixed)
        return Solved(inverse, HV, D_inverse, logdet + logdet_D)

    @cached_property
    def pairs(self):
        """Pairs of cells of one row, each cell with itself included."""
        order = np.argsort(self.cells.row, kind="stable")
        rows = self.cells.row[order]
        size = np.bincount(rows)
        first = np.concatenate([[0], np.cumsum(size)])[:-1]
        left = np.repeat(order, size[rows])
        offset = np.arange(len(left)) - np.repeat(np.cumsum(size[rows]) - size[rows], size[rows])
        return left, order[np.repeat(first[rows], size[rows]) + offset]

    def _spread(self, K):
        return np.repeat(np.repeat(K, self.counts, axis=0), self.counts, axis=1)

    def _blocks(self, M):
        """Sums over the blocks of cells of two tasks."""
        start = self.cells.indptr[:-1]
        return np.add.reduceat(np.add.reduceat(M, start, axis=0), start, axis=1)

    @cached_property
    def fixed(self):
        """H, (N, n_fixed)."""
        if self.cells.intercept == "free":
            return by_task(self.root, self.cells)
        return self.root[:, None][:, : self.cells.n_fixed]

    def posterior(self, K, R):
        """Posterior of the coefficients in the frame."""
        return KernelPosterior(self, K, R)
