"""Squared errors of linear models on labels that they were not fitted to."""

import numpy as np
from scipy.sparse import issparse

from .._backend import to_numpy


class HeldOutSquares:
    """Sums of squared errors of the labels of a test set, for many solutions in turn.

    Parameters
    ----------
    fitted, test : FitInput
        Of the training and the test set, whose tasks are matched by id; those that the training
        set does not have, or has no labels of, get the shared part.
    """

    def __init__(self, fitted, test):
        row = {fitted.tasks[t]: k for k, t in enumerate(fitted.labelled)}
        mine = np.array([row.get(test.tasks[t], len(row)) for t in test.labelled])
        data = test.data
        X = data.X if issparse(data.X) else to_numpy(data.X)
        self.mine, self.weight = mine, float(data.weight_sums.sum())
        if data.is_common_design:
            self.predict = lambda W, b: X @ W[mine].T + b[mine]
            self.y, self.s = data.Y, data.row_weight[:, None]
            return
        labels = data.labels
        task, rows = mine[labels.task], X[labels.row]
        self.predict = lambda W, b: _own_products(rows, W[task]) + b[task]
        self.y, self.s = labels.y, labels.s

    def __call__(self, solution):
        """Weighted sum of the squared errors."""
        W = np.vstack([solution.W, solution.shared])
        b = np.append(solution.b, solution.shared_intercept)
        return float((self.s * (self.y - self.predict(W, b)) ** 2).sum())


def _own_products(X, W):
    """x_i . w_i of each row."""
    if issparse(X):
        return np.asarray(X.multiply(W).sum(axis=1)).reshape(-1)
    return np.einsum("ij,ij->i", X, W)
