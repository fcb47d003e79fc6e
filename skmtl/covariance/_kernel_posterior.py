"""Posterior of the coefficients from the kernel of the observed cells.

With k the covariances of the cells with a latent value f, H its flat part and u = h - H'V^-1 k:
    var f = prior - k'V^-1 k + u'(H'V^-1 H)^-1 u,   a = V^-1 (y - H b),   W = K a'X.
"""

import numpy as np

from ._matrices import root_of


class KernelPosterior:
    """Coefficients given the labels at fixed K and R; see `EigenPosterior`.

    Parameters
    ----------
    route : KernelRoute
        Its Gram matrices are not kept.
    K, R : ndarrays of shape (n_components, T, T) and (T, T)
    """

    def __init__(self, route, K, R):
        self.cells, self.tables, self._y = route.cells, route.tables, route.y
        self.K, self.R, self._fixed = K, R, route.fixed
        self._inverse, self._HV, self._D_inverse, _ = route.solve(K, R)
        self.W, self.b = self._coefficients(route.y)
        if self.cells.intercept == "shrunk":
            self.common_level = float((self._D_inverse @ (self._HV @ route.y))[0])

    def _coefficients(self, y):
        """Posterior means were these the labels, times the roots of their weights."""
        cells, fixed = self.cells, self._D_inverse @ (self._HV @ y)
        a = by_task(self._inverse @ (y - self._fixed @ fixed), cells)
        parts = [k @ (a.T @ table) for k, table in zip(self.K, self.tables, strict=True)]
        b = np.zeros(cells.n_tasks) + (fixed if cells.n_fixed else 0.0)
        if cells.intercept == "shrunk":
            b = b + parts.pop()[:, 0]
        return np.hstack(parts), b

    def covariance(self, Z):
        """Covariance of the values x.w_t + b_t over the tasks at rows in the frame, (n, T, T)."""
        return np.stack([self._covariance(z) for z in Z])

    def variances(self, Z):
        """Their diagonals, (n, T)."""
        return np.stack([self._covariance(z).diagonal() for z in Z])

    def variance(self, Z, task):
        """Those of one task, (n,)."""
        return np.array([self._covariance(z, [task])[0, 0] for z in Z])

    def _covariance(self, z, tasks=slice(None)):
        cells = self.cells
        parts = [z[block] for block in cells.blocks]
        if cells.intercept == "shrunk":
            parts.append(np.ones(1))
        pairs = list(zip(self.K, parts, self.tables, strict=True))
        prior = sum(k[tasks][:, tasks] * (x @ x) for k, x, _ in pairs)
        cross = sum((table @ x)[:, None] * k[cells.task][:, tasks] for k, x, table in pairs)
        C = prior - cross.T @ self._inverse @ cross
        if not cells.n_fixed:
            return C
        h = np.eye(cells.n_tasks) if cells.intercept == "free" else np.ones((1, cells.n_tasks))
        u = h[:, tasks] - self._HV @ cross
        return C + u.T @ self._D_inverse @ u

    def draw(self, rng):
        """A draw of (W, b): a draw of the prior, moved by what the labels say against it."""
        cells, T = self.cells, self.cells.n_tasks
        prior = [
            root_of(k)[0] @ rng.standard_normal((T, table.shape[1]))
            for k, table in zip(self.K, self.tables, strict=True)
        ]
        y = (rng.standard_normal((len(cells.Z), T)) @ root_of(self.R)[0])[cells.row, cells.task]
        for table, W in zip(self.tables, prior, strict=True):
            y = y + (table * W[cells.task]).sum(axis=1)
        W, b = self._coefficients(self._y - y)
        if cells.intercept == "shrunk":
            b = b + prior.pop()[:, 0]
        return W + np.hstack(prior), b


def by_task(a, cells):
    """Values of the cells (N,) as columns of their tasks, (N, T)."""
    columns = np.zeros((len(a), cells.n_tasks))
    columns[np.arange(len(a)), cells.task] = a
    return columns
