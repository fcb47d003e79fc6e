"""What a route through the evidence returns."""

from typing import NamedTuple

import numpy as np

LOG_2PI = np.log(2 * np.pi)


class Evaluation(NamedTuple):
    """Log evidence and gradients, dL = sum_g tr(G_g dK_g) + tr(G_R dR).

    Attributes
    ----------
    value : float
    K : ndarray of shape (n_components, n_tasks, n_tasks)
        Symmetric gradients with respect to the covariances of the coefficients.
    R : ndarray of shape (n_tasks, n_tasks)
        Gradient with respect to the noise covariance; without its off-diagonal entries on routes
        that take a diagonal R.
    """

    value: float
    K: np.ndarray
    R: np.ndarray


class FactorEvaluation(NamedTuple):
    """The same with respect to the factors of K_g = Lam_g Lam_g' + diag(k_g).

    Attributes
    ----------
    value : float
    loadings : list of ndarray of shape (n_tasks, rank_g)
    diagonal : ndarray of shape (n_components, n_tasks)
    R : ndarray of shape (n_tasks, n_tasks)
    """

    value: float
    loadings: list
    diagonal: np.ndarray
    R: np.ndarray
