"""Gaussian inputs of the sizes that the tables name."""

import numpy as np


def own_rows(n_tasks, n_rows, n_features, seed=0):
    """X (T n, p), y, task: long data of related tasks."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_tasks * n_rows, n_features))
    task = np.repeat(np.arange(n_tasks), n_rows)
    W = rng.normal(size=n_features) + 0.5 * rng.normal(size=(n_tasks, n_features))
    y = (X * W[task]).sum(axis=1) + rng.normal(size=len(X)) + rng.normal(size=n_tasks)[task]
    return X, y, task


def common_rows(n_tasks, n_rows, n_features, seed=0):
    """X (n, p), Y (n, T): a complete common design."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_features))
    W = rng.normal(size=n_features) + 0.5 * rng.normal(size=(n_tasks, n_features))
    return X, X @ W.T + rng.normal(size=(n_rows, n_tasks))
