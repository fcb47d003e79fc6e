"""Composite Gauss-Legendre rules whose panels end at kinks, where one rule loses its digits."""

from functools import lru_cache

import numpy as np

REACH = 8.5  # standard deviations, beyond which a Gaussian holds 2e-17
ORDER = 16
POINTS, POINT_WEIGHTS = np.polynomial.legendre.leggauss(ORDER)


def gauss_legendre(ends):
    """Nodes and weights of a rule of 16 points on each panel between ascending ends.

    Parameters
    ----------
    ends : ndarray of shape (..., n_ends)
        Equal neighbours make an empty panel.

    Returns
    -------
    nodes, weights : ndarray of shape (..., 16 * (n_ends - 1))
    """
    half = np.diff(ends, axis=-1)[..., None] / 2
    centre = (ends[..., 1:] + ends[..., :-1])[..., None] / 2
    shape = (*ends.shape[:-1], -1)
    return (centre + half * POINTS).reshape(shape), (half * POINT_WEIGHTS).reshape(shape)


@lru_cache(maxsize=64)
def standard_rule(n_panels):
    """Nodes and weights of the mean over N(0, 1), of shape (16 * n_panels,)."""
    z, weights = gauss_legendre(np.linspace(-REACH, REACH, n_panels + 1))
    return z, weights * normal_density(z)


def gaussian_rule(sd, kinks, *, n_panels=10):
    """Nodes and weights of the mean over N(0, sd^2), one rule for each task.

    Parameters
    ----------
    sd : ndarray of shape (n_tasks,)
    kinks : ndarray of shape (n_tasks, n_kinks)
        Where the integrand is not smooth, in any order.

    Returns
    -------
    nodes, weights : ndarray of shape (n_tasks, n_nodes)
    """
    # kinks beyond the reach fall on its end and make empty panels, so that the shapes agree
    inner = np.clip(kinks / sd[:, None], -REACH, REACH)
    even = np.broadcast_to(np.linspace(-REACH, REACH, n_panels + 1), (len(sd), n_panels + 1))
    z, weights = gauss_legendre(np.sort(np.concatenate([even, inner], axis=1), axis=1))
    return sd[:, None] * z, weights * normal_density(z)


def normal_density(z):
    """Density of the standard normal distribution."""
    return np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
