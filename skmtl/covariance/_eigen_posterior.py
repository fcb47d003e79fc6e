"""Posterior of the coefficients of a common design, in its eigenbasis.

Complete labels leave rows with the covariance A^-1 diag(d/(1 + s_j d)) A^-T in direction j; missing
ones add B Q_mm^-1 B' with B the derivative of a value by the missing labels.
"""

import numpy as np

from ._missing import MissingCells


class EigenPosterior:
    """Coefficients given the labels at fixed K and R.

    Attributes
    ----------
    W : ndarray of shape (n_tasks, q)
    b : ndarray of shape (n_tasks,)
        Intercepts at the origin of the frame.
    """

    def __init__(self, route, K, R):
        self.route = route
        self.white = route.whiten(K[0], R)
        self.missing = None if route.cells.is_complete else MissingCells(route, self.white)
        self._labels = route.Y if self.missing is None else self.missing.filled
        self.W, self.b = self._coefficients(self._labels)

    def _coefficients(self, Y):
        """Posterior means were these all labels."""
        route, (A, inverse, d, v, _) = self.route, self.white
        rows, *_ = route.rotate(Y)
        gain = d * np.sqrt(route.spectrum.s)[:, None] * v
        W = inverse @ (gain * (rows @ A.T)).T @ route.spectrum.V.T
        return W, route.means(Y) - W @ route.centre

    def covariance(self, Z):
        """Covariance of the values x.w_t + b_t over the tasks at rows in the frame, (n, T, T)."""
        variance, inside = self._whitened_variances(Z)
        B = self.white.inverse
        C = (B * variance[:, None, :]) @ B.T
        if self.missing is None:
            return C
        halves = (self._from_missing(z) for z in inside)
        return C + np.stack([half.T @ half for half in halves])

    def variances(self, Z):
        """Their diagonals, (n, T)."""
        variance, inside = self._whitened_variances(Z)
        variances = variance @ (self.white.inverse**2).T
        if self.missing is None:
            return variances
        return variances + np.stack([(self._from_missing(z) ** 2).sum(axis=0) for z in inside])

    def variance(self, Z, task):
        """Those of one task, (n,)."""
        return self.variances(Z)[:, task]

    def _whitened_variances(self, Z):
        """Variances of A times the values were all labels seen, and coordinates in V."""
        route, white = self.route, self.white
        Z = Z - route.centre
        inside = Z @ route.spectrum.V
        outside = np.maximum((Z**2).sum(axis=1) - (inside**2).sum(axis=1), 0)
        variance = inside**2 @ (white.d * white.v) + outside[:, None] * white.d
        return variance + (1 / route.total if route.free else 0.0), inside

    def _from_missing(self, z):
        """chol(Q_mm)^-1 B' at a row with these coordinates, (M, T)."""
        route, white = self.route, self.white
        gain = white.d * (z * np.sqrt(route.spectrum.s))[:, None] * white.v
        slopes = self.missing.U @ gain
        if route.free:
            weight = route.cells.row_weight[route.missing[0]]
            slopes = slopes + weight[:, None] / route.total
        return self.missing.whiten((slopes * self.missing.Am.T) @ white.inverse.T)

    def draw(self, rng):
        """A draw of (W, b): missing labels first, then what complete ones leave open."""
        route, (_, inverse, d, v, _) = self.route, self.white
        Y = self._labels
        if self.missing is not None:
            rows, tasks = route.missing
            Y = Y.copy()
            Y[rows, tasks] += self.missing.unwhiten(rng.standard_normal(len(rows)))
        W, b = self._coefficients(Y)
        noise, V = rng.standard_normal(W.shape), route.spectrum.V
        seen = noise @ V
        unseen = noise - seen @ V.T
        E = inverse @ (np.sqrt(d[:, None] * v.T) * seen @ V.T + np.sqrt(d)[:, None] * unseen)
        if route.free:
            b = b + inverse @ rng.standard_normal(len(b)) / np.sqrt(route.total)
        return W + E, b - E @ route.centre
