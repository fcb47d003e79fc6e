"""Priors of covariances, without which the evidence of many tasks runs to singular matrices.

Inverse Wishart: -nu/2 [log|M| + tr(M^-1 M0)], nu pseudo-observations with covariance M0.  Pooled
variances: -nu/4 sum_t (log m_t - mean)^2, every variance is drawn to the others about as nu
observations of their mean would draw it.  Zero `nu` is no prior.
"""

import numpy as np

from ._matrices import HIGHEST, LOWEST, inverse_of

NEWTON_STEPS = 50


class InverseWishart:
    """nu pseudo-observations with covariance `scale`."""

    def __init__(self, nu, scale):
        self.nu, self.scale = nu, scale

    def value_grad(self, M):
        """Log density and its gradient at M."""
        inverse, logdet = inverse_of(M)
        value = -self.nu / 2 * (logdet + (inverse * self.scale).sum())
        return value, -self.nu / 2 * (inverse - inverse @ self.scale @ inverse)

    def blend(self, M, count):
        """The best covariance where `count` observations have the covariance M."""
        return (count * M + self.nu * self.scale) / (count + self.nu)


class PooledVariances:
    """A normal prior of log-variances about their mean, of variance 2/nu."""

    def __init__(self, nu):
        self.nu = nu

    def value_grad(self, logs):
        """Log density and its gradient at log-variances."""
        deviations = logs - logs.mean()
        return -self.nu / 4 * (deviations**2).sum(), -self.nu / 2 * deviations

    def blend(self, m, count, logs):
        """Maximum of -count/2 (z + m e^-z) - nu/4 (z - mean of logs)^2 in z, by Newton's method."""
        z, mean = logs, logs.mean()
        for _ in range(NEWTON_STEPS):
            spread = count * m * np.exp(-np.clip(z, LOWEST, HIGHEST))
            slope = (spread - count) / 2 - self.nu / 2 * (z - mean)
            bend = (spread + self.nu) / 2
            step = np.clip(slope / np.where(bend > 0, bend, 1.0), -2, 2)
            z = z + step
            if np.abs(step).max() < 1e-12:
                break
        return z
