"""Peers from scikit-learn alone: Ridge on the augmented design, and a Ridge for each task."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge


class AugmentedRidge(RegressorMixin, BaseEstimator):
    """Shared plus specific as one Ridge on [X, sqrt(a0/a1) X of the task], centred by task.

    The last column of X is the task.  Free intercepts.
    """

    def __init__(self, alpha_shared=1.0, alpha_specific=1.0, n_tasks=2):
        self.alpha_shared = alpha_shared
        self.alpha_specific = alpha_specific
        self.n_tasks = n_tasks

    def fit(self, X, y):
        X, task = X[:, :-1], X[:, -1].astype(int)
        T, p = self.n_tasks, X.shape[1]
        counts = np.bincount(task, minlength=T)
        self.x_means_ = (
            np.stack([np.bincount(task, column, T) for column in X.T], axis=1) / counts[:, None]
        )
        self.y_means_ = np.bincount(task, y, T) / counts
        X, y = X - self.x_means_[task], y - self.y_means_[task]
        scale = np.sqrt(self.alpha_shared / self.alpha_specific)
        augmented = np.zeros((len(X), p * (T + 1)))
        augmented[:, :p] = X
        columns = p * (task[:, None] + 1) + np.arange(p)
        augmented[np.arange(len(X))[:, None], columns] = scale * X
        coef = Ridge(self.alpha_shared, fit_intercept=False).fit(augmented, y).coef_
        self.coef_ = coef[:p] + scale * coef[p:].reshape(T, p)
        return self

    def predict(self, X):
        X, task = X[:, :-1], X[:, -1].astype(int)
        return ((X - self.x_means_[task]) * self.coef_[task]).sum(axis=1) + self.y_means_[task]


def independent_ridges(X, y, task, alpha=1.0):
    """One Ridge for each task, by a mask each."""
    return [Ridge(alpha).fit(X[task == t], y[task == t]) for t in np.unique(task)]
