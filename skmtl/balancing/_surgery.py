"""Vectors in the span of the unit gradients: row i of A holds the coefficients of the i-th.

Their inner products with the unit gradients are A C, C the Gramian of these.
"""

import numpy as np

ROUNDING = 64 * np.finfo(np.float64).eps  # of a squared length in which coefficients of 1 cancel


def visits(rng: np.random.Generator, n_tasks: int) -> np.ndarray:
    """Index arrays whose i-th entries are the tasks other than i, in an order drawn for each i."""
    keys = rng.random((n_tasks, n_tasks))
    np.fill_diagonal(keys, 1.0)  # a task itself comes last, and is cut off
    return keys.argsort(axis=1)[:, :-1].T


def lengths(A: np.ndarray, C: np.ndarray) -> np.ndarray:
    """Lengths of the vectors, 0 for those of which only rounding is left."""
    largest = np.abs(A).max(axis=1)
    A = A / np.where(largest > 0, largest, 1.0)[:, None]
    squares = ((A @ C) * A).sum(axis=1)
    left = squares > ROUNDING * np.abs(A).sum(axis=1) ** 2
    return np.where(left, largest * np.sqrt(np.where(left, squares, 0.0)), 0.0)


def weights_of_sum(A: np.ndarray, s: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Weights of the gradients, of lengths s, in the sum of s_i p_i times the i-th vector."""
    n_tasks = len(p)
    pulls = s * (p / n_tasks)  # no product of a length overflows
    return n_tasks * (pulls @ A / s)
