"""Evidence from the mixed-model equations, one unknown for each coefficient: (T q) x (T q).

With w = (L kron I) u, K = L L', and Gram matrices S of the rows that have labels of the same tasks
o:   C^-1 = I + (L' kron I) [sum_o R_oo^-1 kron S] (L kron I),  bordered by the free intercepts,
log|V| + log|H'V^-1 H| = sum_i log|R_oo| + log|C^-1|.  K may be singular: L is a symmetric root.
"""

from typing import NamedTuple

import numpy as np

from ._evaluation import LOG_2PI, Evaluation
from ._primal_state import PrimalPosterior, PrimalState


class Term(NamedTuple):
    """Rows with labels of these tasks: weight, X'X, X'Y and Y'Y; the last column of X is 1."""

    tasks: np.ndarray
    weight: float
    S: np.ndarray
    XY: np.ndarray
    YY: np.ndarray


class PrimalRoute:
    """Any components and intercepts; R of any kind, or diagonal with `by_task`.

    Parameters
    ----------
    cells : Cells
    by_task : bool
        One term a task, for diagonal R; else one for each pattern of observed labels.
    """

    separable, takes_factors = True, False

    def __init__(self, cells, *, by_task):
        self.cells, self.by_task = cells, by_task
        self.has_level = cells.intercept != "none"
        self.terms = list(self._task_terms() if by_task else self._pattern_terms())
        self.blocks = list(cells.blocks)
        q = cells.Z.shape[1]
        if cells.intercept == "shrunk":
            self.blocks.append(slice(q, q + 1))
        self.n_random = self.blocks[-1].stop
        self.grams = np.stack([term.S for term in self.terms])

    @staticmethod
    def flops(cells, *, by_task):
        """Work of an evaluation."""
        D = cells.n_tasks * cells.Z.shape[1]
        terms = 1 if by_task else len(cells.patterns)
        return D**3 + 2 * cells.n_tasks * D**2 + 2 * terms * D**2

    def _columns(self, rows):
        Z = self.cells.Z[rows]
        return np.column_stack([Z, np.ones(len(Z))]) if self.has_level else Z

    def _task_terms(self):
        cells = self.cells
        for t in range(cells.n_tasks):
            own = slice(cells.indptr[t], cells.indptr[t + 1])
            X, y, s = self._columns(cells.row[own]), cells.y[own, None], cells.s[own, None]
            yield Term(np.array([t]), cells.totals[t], (s * X).T @ X, (s * X).T @ y, (s * y).T @ y)

    def _pattern_terms(self):
        cells = self.cells
        table = cells.table(cells.y)
        for tasks, rows in cells.patterns:
            X, Y, w = self._columns(rows), table[np.ix_(rows, tasks)], cells.row_weight[rows, None]
            yield Term(tasks, w.sum(), (w * X).T @ X, (w * X).T @ Y, (w * Y).T @ Y)

    def value_grad(self, K, R):
        """Log evidence and its gradients at K (n_components, T, T) and R (T, T)."""
        state = PrimalState(self, K, R)
        value = state.logdet + state.quadratic + self.cells.degrees * LOG_2PI
        G_K = []
        T = self.cells.n_tasks
        inverse = state.inverse[: T * self.n_random, : T * self.n_random]
        inverse = inverse.reshape(T, self.n_random, T, self.n_random)
        for (_, back), block in zip(state.roots, self.blocks, strict=True):
            u = state.u[:, block]
            trace = np.einsum("ajbj->ab", inverse[:, block, :, block])
            G_K.append(back @ (u @ u.T + trace - u.shape[1] * np.eye(T)) @ back)
        return Evaluation(-value / 2, np.stack(G_K) / 2, self._noise_gradient(state) / 2)

    def _noise_gradient(self, state):
        """Of each term R_oo^-1 (E + tr(S C) - weight R_oo) R_oo^-1, E the scatter of residuals."""
        T, G = self.cells.n_tasks, np.zeros((self.cells.n_tasks,) * 2)
        C = state.coefficient_covariance().transpose(0, 2, 1, 3).reshape(T * T, -1)
        traces = (C @ self.grams.reshape(len(self.terms), -1).T).T.reshape(-1, T, T)
        for term, trace, inner, E in zip(
            self.terms, traces, state.inner, state.scatters, strict=True
        ):
            o = np.ix_(term.tasks, term.tasks)
            G[o] += inner @ (E + trace[o]) @ inner - term.weight * inner
        return G

    def posterior(self, K, R):
        """Posterior of the coefficients in the frame."""
        return PrimalPosterior(self, K, R)
