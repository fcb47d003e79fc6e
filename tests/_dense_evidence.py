"""Dense references for learned covariances, a row for each cell: contrasts, and all unknowns."""

import numpy as np
from scipy.linalg import block_diag, null_space
from scipy.stats import multivariate_normal

from skmtl.covariance._cells import Cells


def covariance_matrix(n_tasks, rng, size=1.0):
    """A positive definite matrix without structure."""
    A = rng.normal(size=(n_tasks, n_tasks + 2))
    return size * A @ A.T / n_tasks


def make_cells(n, q, n_tasks, *, holes, intercept, weighted=False, grouped=False, seed=0):
    """Cells of Gaussian rows and labels; each task has at least two, weights are whole."""
    rng = np.random.default_rng(seed)
    Z, Y = rng.normal(size=(n, q)) + 0.3, rng.normal(size=(n, n_tasks))
    seen = rng.random(Y.shape) >= (0.4 if holes else 0.0)
    seen[:2] = True
    kept = seen.any(axis=1)
    Z, Y, seen = Z[kept], Y[kept], seen[kept]
    weight = rng.integers(1, 4, len(Z)).astype(float) if weighted else np.ones(len(Z))
    blocks = [slice(0, q // 2), slice(q // 2, q)] if grouped else [slice(0, q)]
    task, row = np.nonzero(seen.T)
    return Cells(Z, blocks, row, task, Y[row, task], weight[row], n_tasks, intercept, weight)


def repeated(cells):
    """(row, task, y, copy) with each cell as often as it weighs."""
    times = cells.s.astype(int)
    copy = np.concatenate([np.arange(k) for k in times])
    return *(np.repeat(v, times) for v in (cells.row, cells.task, cells.y)), copy


def restricted_likelihood(cells, K, R):
    """Log density of orthonormal contrasts of the labels, less that of the flat levels."""
    row, task, y, copy = repeated(cells)
    pair = np.ix_(task, task)
    V = ((row[:, None] == row) & (copy[:, None] == copy)) * R[pair]
    for block, k in zip(cells.blocks, K, strict=False):
        V = V + (cells.Z[row][:, block] @ cells.Z[row][:, block].T) * k[pair]
    if cells.intercept == "shrunk":
        V = V + K[-1][pair]
    H = fixed_columns(cells, task)
    N = null_space(H.T) if H.shape[1] else np.eye(len(y))
    value = multivariate_normal(np.zeros(N.shape[1]), N.T @ V @ N).logpdf(N.T @ y)
    return value - np.linalg.slogdet(H.T @ H)[1] / 2 if H.shape[1] else value


def fixed_columns(cells, task):
    """Columns of the flat intercepts."""
    if cells.intercept == "free":
        return np.eye(cells.n_tasks)[task]
    return np.ones((len(task), 1 if cells.intercept == "shrunk" else 0))


class DensePosterior:
    """Posterior of (W, b) from the precision of all unknowns; flat ones have none of their own."""

    def __init__(self, cells, K, R):
        row, task, y, copy = repeated(cells)
        T, q = cells.n_tasks, cells.Z.shape[1]
        prior = np.zeros((T, q, T, q))
        for block, k in zip(cells.blocks, K, strict=False):
            for j in range(q)[block]:
                prior[:, j, :, j] = np.linalg.inv(k)
        parts, columns = [prior.reshape(T * q, T * q)], np.zeros((len(y), T, q))
        columns[np.arange(len(y)), task] = cells.Z[row]
        design = [columns.reshape(len(y), -1)]
        if cells.intercept == "shrunk":
            parts.append(np.linalg.inv(K[-1]))
            design.append(np.eye(T)[task])
        H = fixed_columns(cells, task)
        parts.append(np.zeros((H.shape[1],) * 2))
        D = np.hstack([*design, H])
        same = (row[:, None] == row) & (copy[:, None] == copy)
        noise = np.linalg.inv(same * R[np.ix_(task, task)])
        self.C = np.linalg.inv(block_diag(*parts) + D.T @ noise @ D)
        mean = self.C @ D.T @ noise @ y
        levels = np.zeros((T, len(mean)))
        if cells.intercept != "none":
            levels[:, T * q : T * q + T] = np.eye(T)
        if cells.intercept == "shrunk":
            levels[:, -1] = 1
        self._levels, self._shape = levels, (T, q)
        self.W, self.b = mean[: T * q].reshape(T, q), levels @ mean

    def covariance(self, z):
        """Covariance over the tasks of z.w_t + b_t."""
        T, q = self._shape
        A = self._levels.copy()
        A[:, : T * q] += np.kron(np.eye(T), z)
        return A @ self.C @ A.T
