"""Where the ascent starts: covariances of the labels, half to the coefficients, half to noise."""

import numpy as np

DOUBT = 10.0  # pseudo-observations of no correlation
LEAST = 0.05  # eigenvalue


def label_correlation(cells):
    """Shrunk correlations of the labels that rows share, positive definite, (T, T)."""
    T = cells.n_tasks
    if cells.n_cells == len(cells.Z):
        return np.eye(T)
    root = np.sqrt(cells.s)
    means = np.add.reduceat(cells.s * cells.y, cells.indptr[:-1]) / cells.totals
    r = cells.y - means[cells.task]
    Y, S = cells.table(root * r), cells.table(root)
    count, cross, squares = S.T @ S, Y.T @ Y, (Y**2).T @ (S > 0)
    scale = np.sqrt(squares * squares.T)
    C = np.where(scale > 0, cross / np.where(scale > 0, scale, 1.0), 0.0) * count / (count + DOUBT)
    C[np.arange(T), np.arange(T)] = 1.0
    s, V = np.linalg.eigh((C + C.T) / 2)
    return (V * np.maximum(s, LEAST)) @ V.T


def label_variances(cells):
    """Variances of the labels of each task in the frame, 1 where too few or constant."""
    means = np.add.reduceat(cells.s * cells.y, cells.indptr[:-1]) / cells.totals
    squares = np.add.reduceat(cells.s * (cells.y - means[cells.task]) ** 2, cells.indptr[:-1])
    variance = squares / cells.totals
    return np.where((variance > 0) & (cells.totals > 1), variance, 1.0)
