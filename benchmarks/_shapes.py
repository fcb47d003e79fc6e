"""Gaussian inputs of less regular shape: labels missing at random, tasks of unequal size."""

import numpy as np


def with_missing(X, Y, share, seed=0):
    """X and Y with that share of the labels NaN, at random; every row keeps one."""
    rng = np.random.default_rng(seed)
    hidden = hidden_cells(Y.shape, share, rng)
    return X, np.where(hidden, np.nan, Y)


def hidden_cells(shape, share, rng):
    """Mask of a share of the cells of a table, at random; every row keeps one."""
    n, T = shape
    may_hide = np.ones(shape, dtype=bool)
    may_hide[np.arange(n), rng.integers(T, size=n)] = False
    hidden = np.zeros(shape, dtype=bool)
    hidden.flat[rng.choice(np.flatnonzero(may_hide), round(share * n * T), replace=False)] = True
    return hidden


def unequal_rows(sizes, n_features, seed=0):
    """X (sum of sizes, p), y, task: long data of related tasks with these numbers of rows."""
    rng = np.random.default_rng(seed)
    task = np.repeat(np.arange(len(sizes)), sizes)
    X = rng.normal(size=(len(task), n_features))
    W = rng.normal(size=n_features) + 0.5 * rng.normal(size=(len(sizes), n_features))
    return X, (X * W[task]).sum(axis=1) + rng.normal(size=len(X)), task
