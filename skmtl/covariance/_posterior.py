"""Posterior of the coefficients in the units of X and y, of the labelled tasks."""

import numpy as np

CHUNK = 2**21  # elements of the covariances that are computed at a time


class Posterior:
    """Gaussian posterior at fixed covariances.

    Parameters
    ----------
    frame : Frame
    inner : object with W, b, covariance, variance and draw in the frame
    K, R : ndarrays of shape (n_components, T, T) and (T, T)
        In the frame.
    """

    def __init__(self, frame, inner, K, R):
        self.frame, self.inner, self.K = frame, inner, K
        self.scale = frame.y_scale
        with np.errstate(over="ignore"):
            self.R = R * np.outer(self.scale, self.scale)

    def mean(self):
        """Coefficients (T, p) and intercepts (T,)."""
        return self._in_units(self.inner.W, self.inner.b)

    def covariance(self, X):
        """Covariance of x.w_t + b_t over the tasks at each row, (n, T, T)."""
        T = len(self.scale)
        step = max(1, CHUNK // T**2)
        parts = [self._covariance(X[i : i + step]) for i in range(0, len(X), step)]
        return np.concatenate(parts) * np.outer(self.scale, self.scale)

    def _covariance(self, X):
        Z, outside = self.frame.coordinates(X)
        C = self.inner.covariance(Z)
        if outside.any():
            C = C + np.tensordot(outside, self.K[: outside.shape[1]], axes=1)
        return C

    def variance(self, X, task):
        """Variances of one task's values at each row, (n,)."""
        Z, outside = self.frame.coordinates(X)
        variance = self.inner.variance(Z, task)
        variance = variance + outside @ self.K[: outside.shape[1], task, task]
        return np.maximum(variance, 0) * self.scale[task] ** 2

    def variances(self, X):
        """Variances of the values of every task at each row, (n, T)."""
        Z, outside = self.frame.coordinates(X)
        prior = self.K[: outside.shape[1]].diagonal(axis1=1, axis2=2)
        return np.maximum(self.inner.variances(Z) + outside @ prior, 0) * self.scale**2

    def draw(self, rng):
        """A draw of the coefficients (T, p) and intercepts (T,)."""
        coef, intercept = self._in_units(*self.inner.draw(rng))
        rest = self._draw_outside(rng)
        return coef + rest, intercept - rest @ self.frame.centre

    def _draw_outside(self, rng):
        """Coefficients in directions of which no row tells: the prior."""
        frame = self.frame
        noise = rng.standard_normal((len(self.scale), len(frame.centre)))
        for g, columns in enumerate(frame.columns):
            s, V = np.linalg.eigh(self.K[g])
            noise[:, columns] = (V * np.sqrt(np.maximum(s, 0))) @ V.T @ noise[:, columns]
        return frame.complement(noise)

    def _in_units(self, W, b):
        frame = self.frame
        coef = frame.coefficients(W)
        return coef, frame.y_scale * b + frame.y_centre - coef @ frame.centre
