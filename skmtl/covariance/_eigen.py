"""Evidence of a common design in the eigenbasis of its rows: no products of size n per evaluation.

With XX' = U diag(s) U', R = L L', L^-1 K L^-T = E diag(d) E' and A = E'L^-1 the rows of U'Y are
independent with V_j^-1 = A' diag(1/(1 + s_j d)) A.  What U does not span is noise alone, pooled in
one scatter matrix.  Missing cells m are integrated out: with Q = V^-1 on all cells they are
N(-Q_mm^-1 Q_mo y_o, Q_mm^-1), and log|Q_mm| is added to log|V| (Schur complement).
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import cholesky, eigh, solve_triangular

from ._eigen_posterior import EigenPosterior
from ._evaluation import LOG_2PI, Evaluation
from ._missing import MissingCells
from ._spectrum import completed, spectrum_of

EQUAL = 1e-8  # relative spread of eigenvalues that tells nothing


class Whitened(NamedTuple):
    """A with A R A' = I and A K A' = diag(d), its inverse, and v = 1/(1 + s_j d_k), (rank, T)."""

    A: np.ndarray
    inverse: np.ndarray
    d: np.ndarray
    v: np.ndarray
    logdet_R: float


class EigenRoute:
    """One component of coefficients, free or no intercepts, one weight a row, any R.

    Parameters
    ----------
    cells : Cells
    """

    takes_factors = False

    def __init__(self, cells):
        self.cells, w = cells, cells.row_weight
        self.root, self.total = np.sqrt(w)[:, None], w.sum()
        self.free = cells.intercept == "free"
        self.centre = w @ cells.Z / self.total if self.free else np.zeros(cells.Z.shape[1])
        self.spectrum = spectrum_of(self.root * (cells.Z - self.centre))
        self.missing = np.nonzero(~cells.seen)
        if not cells.is_complete:
            self.spectrum = completed(self.spectrum, self.root if self.free else None)
        self.Y = cells.table(cells.y)

    @staticmethod
    def flops(cells):
        """Work of an evaluation, with a share of that of the set-up."""
        (n, q), T = cells.Z.shape, cells.n_tasks
        M = n * T - cells.n_cells
        setup = n * min(n, q) ** 2 if M == 0 else n**3
        return n * T**2 + T**3 + 2 * n * T * M**2 + M**3 + setup / 2

    @property
    def separable(self):
        """Whether rows of different length tell K from R."""
        s = self.spectrum.s
        spans_all = len(s) == len(self.cells.Z) - self.free
        return not (spans_all and len(s) > 0 and np.ptp(s) < EQUAL * s.max())

    def value_grad(self, K, R):
        """Log evidence and its gradients at K (1, T, T) and R (T, T)."""
        white = self.whiten(K[0], R)
        missing = None if self.cells.is_complete else MissingCells(self, white)
        rows, scatter, weight = self.rotate(self.Y if missing is None else missing.filled)
        A, v, s = white.A, white.v, self.spectrum.s[:, None]
        B = rows @ A.T
        Bv, R_inverse = B * v, A.T @ A
        quadratic = (B * Bv).sum() + (R_inverse * scatter).sum()
        volume = -np.log(v).sum() + (len(v) + weight) * white.logdet_R
        inner_K = Bv.T @ (s * Bv) - np.diag((s * v).sum(axis=0))
        inner_R = Bv.T @ Bv - np.diag(v.sum(axis=0))
        excess, G_excess = 0.0, 0.0  # weights beyond one a row: in that of the scatter if complete
        if missing is not None:
            more_K, more_R = missing.gradients()
            inner_K, inner_R = inner_K + more_K, inner_R + more_R
            volume += missing.logdet
            excess, G_excess = self.cells.excess_value_grad(R)
        value = -(volume + quadratic + self.cells.degrees * LOG_2PI) / 2
        if self.free:
            value -= self.cells.n_tasks / 2 * np.log(self.total)
        G_R = A.T @ inner_R @ A + R_inverse @ scatter @ R_inverse - weight * R_inverse
        return Evaluation(value + excess, (A.T @ inner_K @ A / 2)[None], G_R / 2 + G_excess)

    def whiten(self, K, R):
        """The common basis of K and R."""
        L = cholesky(R, lower=True)
        half = solve_triangular(L, K, lower=True)
        d, E = eigh(solve_triangular(L, half.T, lower=True))
        d = np.maximum(d, 0)
        A = solve_triangular(L, E, lower=True, trans="T").T
        v = 1 / (1 + self.spectrum.s[:, None] * d)
        return Whitened(A, L @ E, d, v, 2 * float(np.log(L.diagonal()).sum()))

    def rotate(self, Y):
        """U'Y, the scatter matrix of the rows outside U, and their weight."""
        Y = self.root * (Y - self.means(Y))
        U = self.spectrum.U
        rows, directions = U.T @ Y, len(U) - self.free
        weight = self.total - self.free if self.cells.is_complete else directions
        if U.shape[1] == directions:  # nothing is left but rounding
            return rows, np.zeros((Y.shape[1], Y.shape[1])), weight - directions
        rest = Y - U @ rows
        return rows, rest.T @ rest, weight - U.shape[1]

    def means(self, Y):
        """Weighted means of the labels, zero without intercepts."""
        return self.cells.row_weight @ Y / self.total if self.free else np.zeros(Y.shape[1])

    def posterior(self, K, R):
        """Posterior of the coefficients in the frame."""
        return EigenPosterior(self, K, R)
