"""The design of a problem of which only Moments are left: Grams about any centre, no rows."""

import numpy as np

from .._backend import NUMPY


class GramDesign:
    """Grams of [x - centre, y - centre, 1] by task, weighted by omega, for `solve_arrow`."""

    place = NUMPY

    def __init__(self, moments, omega, *, fit_intercept, free):
        self.moments, self.omega = moments, omega
        self.totals = moments.n * omega
        self.mean = (
            self.totals @ np.broadcast_to(moments.x_mean, moments.xy.shape) / self.totals.sum()
        )
        self.y_mean = self.totals @ moments.y_mean / self.totals.sum()
        self.kind = "none" if not fit_intercept else "free" if free else "shrunk"
        if not fit_intercept:
            self.mean, self.y_mean = np.zeros_like(self.mean), 0.0
        self.sizes = np.full(moments.n_tasks, moments.n_features)  # every task through its Gram

    @property
    def n_features(self):
        return self.moments.n_features

    @property
    def n_tasks(self):
        return self.moments.n_tasks

    def grams(self, tasks):
        """One Gram for each of the tasks, features first, then the label, then the constant."""
        m, p = self.moments.select(tasks), self.n_features
        G = np.zeros((len(tasks), p + 2, p + 2))
        G[:, :p, :p], G[:, p, :p], G[:, p, p] = m.S, m.xy, m.yy
        if self.kind != "free":
            dx, dy = m.x_mean - self.mean, m.y_mean - self.y_mean
            offset = np.concatenate(
                [np.broadcast_to(dx, m.xy.shape), dy[:, None], np.ones((len(tasks), 1))], axis=1
            )
            G += m.n[:, None, None] * offset[:, :, None] * offset[:, None, :]
        G[:, :p, p] = G[:, p, :p]
        size = p + 2 if self.kind == "shrunk" else p + 1
        return G[:, :size, :size] * self.omega[tasks, None, None]

    def intercepts(self, W, b):
        """Intercepts (n_tasks,) at the pooled mean; `b` are the solver's shrunk ones, else None."""
        if self.kind == "shrunk":
            return b + self.y_mean
        if self.kind == "none":
            return np.zeros(len(W))
        return self.moments.y_mean + ((self.mean - self.moments.x_mean) * W).sum(axis=1)
