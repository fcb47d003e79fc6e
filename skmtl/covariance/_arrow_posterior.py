"""Posterior of many tasks: coefficients E_t z from the shared effects z, and parts of their own."""

from functools import cached_property

import numpy as np

from ._arrow_state import ArrowState


class ArrowPosterior:
    """Coefficients given the labels at fixed K and R; see `EigenPosterior`."""

    def __init__(self, route, factors, R):
        self.route = route
        self.state = state = ArrowState(route, factors, R)
        q = route.means.shape[1]
        self.W = state.W[:, :q]
        self.b = np.zeros(len(self.W))
        if route.free:
            self.b = route.y_means - (self.W * route.means).sum(axis=1)
        elif route.shrunk:
            self.b, self.common_level = state.W[:, q], float(state.f[-1])

    @cached_property
    def own(self):
        """Covariance of each task's own part given z, (T, c, c)."""
        state, c = self.state, self.state.W.shape[1]
        scale = np.sqrt(state.k)
        M = scale[:, :, None] * self.route.S * scale[:, None, :] / state.s2[:, None, None]
        M[:, np.arange(c), np.arange(c)] += 1
        return scale[:, :, None] * np.linalg.inv(M) * scale[:, None, :]

    @cached_property
    def E(self):
        """What the effects z do to the coefficients of each task, (T, c, size of z)."""
        tip, (T, c) = self.state.tip, self.state.W.shape
        if not tip.size:
            return np.zeros((T, c, 0))
        I_minus = np.eye(c) - self.own @ self.route.S / self.state.s2[:, None, None]
        return I_minus @ tip.products(np.eye(tip.size)).transpose(0, 2, 1)

    def _rows(self, Z, t):
        route = self.route
        if route.shrunk:
            return np.column_stack([Z, np.ones(len(Z))])
        return Z - route.means[t]

    def _level_variance(self, t):
        route = self.route
        return self.state.s2[t] / route.cells.totals[t] if route.free else 0.0

    def variances(self, Z):
        """Variances of the latent values of every task, (n, T)."""
        return np.stack([self.variance(Z, t) for t in range(len(self.W))], axis=1)

    def variance(self, Z, task):
        """Variances of one task's latent values, (n,)."""
        X = self._rows(Z, task)
        variance = ((X @ self.own[task]) * X).sum(axis=1) + self._level_variance(task)
        if self.state.tip.size:
            F = X @ self.E[task]
            variance = variance + ((F @ self.state.C_inverse) * F).sum(axis=1)
        return variance

    def covariance(self, Z):
        """Covariance of the latent values x.w_t + b_t at rows in the frame, (n, T, T)."""
        T = len(self.W)
        own = np.zeros((len(Z), T, T))
        F = np.empty((len(Z), T, self.state.tip.size))
        for t in range(T):
            X = self._rows(Z, t)
            own[:, t, t] = ((X @ self.own[t]) * X).sum(axis=1) + self._level_variance(t)
            F[:, t] = X @ self.E[t]
        if not self.state.tip.size:
            return own
        return own + F @ self.state.C_inverse @ F.transpose(0, 2, 1)

    def draw(self, rng):
        """A draw of (W, b)."""
        route, state = self.route, self.state
        T, c = state.W.shape
        W = state.W.copy()
        if state.tip.size:
            s, V = np.linalg.eigh(state.C_inverse)
            z = V @ (np.sqrt(np.maximum(s, 0)) * rng.standard_normal(len(s)))
            W += self.E @ z
        s, V = np.linalg.eigh(self.own)
        noise = np.sqrt(np.maximum(s, 0)) * rng.standard_normal((T, c))
        W += (V @ noise[:, :, None])[:, :, 0]
        q = self.W.shape[1]
        if route.shrunk:
            return W[:, :q], W[:, q]
        if not route.free:
            return W, self.b
        level = np.sqrt(state.s2 / route.cells.totals) * rng.standard_normal(T)
        return W, route.y_means + level - (W * route.means).sum(axis=1)
