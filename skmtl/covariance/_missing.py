"""Missing cells of a common design integrated out: their precision Q_mm and conditional means.

Q_mm = H H' with H[(i,t), (j,k)] = U_ij A_kt (1 + s_j d_k)^-1/2.  With Z = chol(Q_mm)^-1 times the
same rows with exponent -1, sum s_j z z' and sum z z' are what they add to the gradients.
"""

import numpy as np
from scipy.linalg import cholesky, solve_triangular


class MissingCells:
    """The missing cells at one (K, R).

    Attributes
    ----------
    filled : ndarray of shape (n_rows, n_tasks)
        Labels with the missing ones at their conditional means.
    logdet : float
        log|Q_mm| of the cells times the roots of their weights, as log|V| is.
    """

    def __init__(self, route, white):
        self.route, self.white = route, white
        rows, tasks = route.missing
        self.U = route.spectrum.U[rows] * route.root[rows]
        self.Am = white.A[:, tasks]
        H = self._rows_times(np.sqrt(white.v))
        self._factor = cholesky(H @ H.T, lower=True, overwrite_a=True, check_finite=False)
        self.logdet = 2 * float((np.log(self._factor.diagonal() / route.root[rows, 0])).sum())
        self.filled = route.Y.copy()
        half = self.whiten(self._product(route.Y)[rows, tasks])
        self.filled[rows, tasks] -= self.unwhiten(half)

    def whiten(self, b):
        """chol(Q_mm)^-1 b."""
        return solve_triangular(self._factor, b, lower=True, check_finite=False)

    def unwhiten(self, b):
        """chol(Q_mm)^-T b, of covariance Q_mm^-1 for white b."""
        return solve_triangular(self._factor, b, lower=True, trans="T", check_finite=False)

    def gradients(self):
        """What the missing cells add to the gradients in the basis of A, by K and by R."""
        T, n = len(self.Am), self.U.shape[1]
        Z = self.whiten(self._rows_times(self.white.v)).reshape(-1, T, n)
        squares = np.empty((T, T, n))
        for k in range(T):
            for other in range(k + 1):
                squares[k, other] = np.einsum("cj,cj->j", Z[:, k], Z[:, other])
                squares[other, k] = squares[k, other]
        return squares @ self.route.spectrum.s, squares.sum(axis=2)

    def _rows_times(self, v):
        """U_ij A_kt v_jk of each missing cell, (M, T n)."""
        parts = [self.U * v[:, k] * a[:, None] for k, a in enumerate(self.Am)]
        return np.concatenate(parts, axis=1)

    def _product(self, Y):
        """Q Y: the inverse covariance of all cells times a table of labels, (n, T)."""
        U, root, white = self.route.spectrum.U, self.route.root, self.white
        return root * (U @ (U.T @ (root * Y) @ white.A.T * white.v)) @ white.A
