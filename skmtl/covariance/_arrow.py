"""Evidence of many tasks with rows of their own, K_g = Lam_g Lam_g' + diag(k_g), R diagonal.

What tasks share are few effects z ~ N(0, I) at the tip, with design X_t L_t in task t; the rest is
eliminated by task through V_t = X_t diag(k_t) X_t' + s2_t I.  In arrays stacked over tasks:
    B_t = X_t'V_t^-1 X_t, g_t = X_t'V_t^-1 y_t, C = I + sum_t L_t'B_t L_t, f = C^-1 sum_t L_t'g_t,
    log|V| = sum_t log|V_t| + log|C|,   X_t'a_t = g_t - B_t L_t f.
A root F_t of the Gram X_t'X_t = F'F keeps it positive: B_t = F'(s2 I + F k F')^-1 F.  It is X_t
itself, filled up with zero rows, where the tasks have fewer rows than columns.
Free intercepts: rows are centred by task.  Shrunk ones: the constant is a feature with variance kb,
and the common level an effect at the tip without the I.
"""

import numpy as np

from .._backend import eigh_psd
from ._arrow_posterior import ArrowPosterior
from ._arrow_state import ArrowState
from ._evaluation import LOG_2PI, FactorEvaluation


class ArrowRoute:
    """Diagonal R, and K given by its factors.

    Parameters
    ----------
    cells : Cells
    """

    separable, takes_factors = True, True

    def __init__(self, cells):
        self.cells = cells
        self.shrunk, self.free = cells.intercept == "shrunk", cells.intercept == "free"
        q, T = cells.Z.shape[1], cells.n_tasks
        self.means, self.y_means = np.zeros((T, q)), np.zeros(T)
        tables = [self._centred(t) for t in range(T)]
        self.S = np.stack([X.T @ X for X, _ in tables])
        self.F, self.h, self.outside = _roots(tables, self.S)
        self.weights = cells.totals - self.free
        blocks = [*cells.blocks, slice(q, q + 1)] if self.shrunk else cells.blocks
        self.component = np.concatenate(
            [np.full(block.stop - block.start, g) for g, block in enumerate(blocks)]
        )
        self.columns = [np.arange(block.start, block.stop) for block in blocks]
        self.constant = np.log(cells.totals).sum() / 2 if self.free else 0.0

    def _centred(self, t):
        """Rows and labels of a task times the roots of their weights, as the model sees them."""
        cells = self.cells
        own = slice(cells.indptr[t], cells.indptr[t + 1])
        X, y, s = cells.Z[cells.row[own]], cells.y[own], cells.s[own]
        if self.free:
            self.means[t], self.y_means[t] = s @ X / s.sum(), s @ y / s.sum()
            X, y = X - self.means[t], y - self.y_means[t]
        if self.shrunk:
            X = np.column_stack([X, np.ones(len(X))])
        root = np.sqrt(s)
        return root[:, None] * X, root * y

    @staticmethod
    def flops(cells, ranks):
        """Work of an evaluation where the components of K have loadings of these ranks."""
        T, q = cells.n_tasks, cells.Z.shape[1] + 1
        sizes = [block.stop - block.start for block in cells.blocks]
        tip = sum(rank * size for rank, size in zip(ranks, sizes, strict=False))  # a level has none
        r = min(q, int(np.diff(cells.indptr).max()))
        own = 3 * r**3 + 3 * r**2 * q + 6 * r * q**2
        return T * own + 3 * T * tip**2 + 2 * T * q * q * tip + tip**3

    def value_grad(self, factors, R):
        """Log evidence and gradients.

        Parameters
        ----------
        factors : list of (loadings (T, rank), diagonal (T,)), one a component
        R : ndarray of shape (T, T)
            Diagonal.
        """
        state = ArrowState(self, factors, R)
        tip, s2, g, B = state.tip, state.s2, state.residual_products, state.B
        quadratic = (state.squares / s2).sum() + (state.k * g**2).sum() + state.tip_squares
        volume = self.weights @ np.log(s2) + state.logdet
        value = -(volume + quadratic + self.cells.degrees * LOG_2PI) / 2 - self.constant
        diagonal = g**2 - np.einsum("tjj->tj", B)
        traces = self.weights - state.inner.shape[1] + np.einsum("tjj->t", state.inner)
        loadings = [np.zeros_like(lam) for lam, _ in factors]
        if tip.size:
            D, F, half, scale = tip.scatter(state.C_inverse), self.F, state.half, s2[:, None]
            middle = F @ D @ F.transpose(0, 2, 1)
            diagonal = diagonal + ((middle @ half) * half).sum(axis=1) / scale**2  # of B D B
            traces = traces - ((half @ D) * half).sum(axis=(1, 2)) / s2  # of s2 X'V^-2 X D
            for block in tip.random:
                slopes = (B[:, block.columns] * tip.half(state.C_inverse, block)).sum(axis=(1, 2))
                slopes = g[:, block.columns] @ state.f[block.effects] - slopes
                loadings[block.component][:, block.factor] = slopes
        sums = np.stack([diagonal[:, own].sum(axis=1) for own in self.columns])
        G_s2 = (state.squares / s2 - traces) / s2
        return FactorEvaluation(value, loadings, sums / 2, np.diag(G_s2) / 2)

    def posterior(self, factors, R):
        """Posterior of the coefficients in the frame."""
        return ArrowPosterior(self, factors, R)


def _roots(tables, S):
    """F (T, r, c) with F'F = S, the labels in the directions of its rows, and their squares left.

    Parameters
    ----------
    tables : list of (ndarray of shape (n_t, c), ndarray of shape (n_t,))
        Rows and labels.
    S : ndarray of shape (T, c, c)
        Gram matrices of the rows.
    """
    T, c, _ = S.shape
    most = max(len(y) for _, y in tables)
    if most < c:
        F, h = np.zeros((T, most, c)), np.zeros((T, most))
        for t, (X, y) in enumerate(tables):
            F[t, : len(y)], h[t, : len(y)] = X, y
        return F, h, np.zeros(T)
    size, V = eigh_psd(S)
    root = np.sqrt(size)
    h = np.stack([y @ X @ v for (X, y), v in zip(tables, V, strict=True)])
    h = np.where(root > 0, h / np.where(root > 0, root, 1.0), 0.0)
    squares = np.array([y @ y for _, y in tables])
    F = root[:, :, None] * V.transpose(0, 2, 1)
    return F, h, np.maximum(squares - (h**2).sum(axis=1), 0)
