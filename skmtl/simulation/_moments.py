"""Moments of related tasks from pairs of rows, without a fit.

Two different rows i, j of tasks s, t have E[y_i y_j x_i'x_j] = b_s'b_t with b_t = E[x y], whatever
the noise and however few the rows.  Labels are centred by task, which the number of pairs that a
sum counts makes up for; the rows themselves are centred where they come from one place.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

SMALLEST = 1e-3  # of the labels' variance: estimates of it below are taken as this


class Moments(NamedTuple):
    """Estimates of an exchangeable problem.

    Attributes
    ----------
    signal : float
        Squared length of a task's coefficients.
    common : float
        Inner product of two tasks' coefficients.
    noise_var : float
        Variance of the labels that features do not explain.
    """

    signal: float
    common: float
    noise_var: float


def spectrum_of(X, n_centres):
    """(eigenvalues, second moment) of the features' covariance, from rows that were centred.

    Sampling spreads eigenvalues: they are shrunk to their mean until their second moment is the
    unbiased one, for normal features [Srivastava, 2005].
    """
    dof = len(X) - n_centres
    p = X.shape[1]
    if len(X) < p:
        values = np.concatenate([np.linalg.eigvalsh(X @ X.T), np.zeros(p - len(X))])
    else:
        values = np.linalg.eigvalsh(X.T @ X)
    values = np.maximum(values, 0.0) / dof
    mean, second = values.mean(), np.mean(values**2)
    unbiased = dof**2 / ((dof - 1) * (dof + 2)) * (second - p * mean**2 / dof)
    spread = max(unbiased - mean**2, 0.0) / max(second - mean**2, np.finfo(float).tiny)
    return mean + np.sqrt(min(spread, 1.0)) * (values - mean), max(unbiased, mean**2)


def task_moments(X, row, task, y, n_tasks, centre, eigenvalues, second_moment):
    """Moments of labels y of rows `row` of X and of tasks `task`; `centre` numbers X's centres."""
    n = np.maximum(np.bincount(task, minlength=n_tasks), 1)
    y = y - (np.bincount(task, y, n_tasks) / n)[task]
    shape = len(X), n_tasks
    labels = csr_array((y, (row, task)), shape=shape)
    seen = csr_array((np.ones(len(y)), (row, task)), shape=shape)
    sizes = np.bincount(centre[np.unique(row)], minlength=centre.max() + 1)
    # centring takes part of each row's square: give it back
    square = np.sum(X**2, axis=1) * (sizes / np.maximum(sizes - 1, 1))[centre]
    sums = labels.T @ X
    same_row = (labels.T @ labels.multiply(square[:, None]).tocsr()).toarray()
    pairs = _pair_factors(n, (seen.T @ seen).toarray())
    inner = (sums @ sums.T - same_row) / second_moment
    own = np.eye(n_tasks, dtype=bool)
    signal = inner[own].sum() / pairs[own].sum()
    common = inner[~own].sum() / pairs[~own].sum()
    variance = np.sum(y**2) / np.sum(n - 1)
    signal = max(signal, SMALLEST * variance / eigenvalues.mean())
    return Moments(signal, common, max(variance - eigenvalues.mean() * signal, SMALLEST * variance))


def _pair_factors(n, both):
    """What sums over pairs of different rows count of b_s'b_t, with labels centred by task.

    `both` are the rows that have labels of both tasks.
    """
    pairs = np.multiply.outer(n, n) - both
    kept = np.multiply.outer(1 - 1 / n, 1 - 1 / n)
    return pairs * kept + both * (both - 1) / np.multiply.outer(n, n)
