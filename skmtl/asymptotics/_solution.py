"""Solution: the scalars of each task in which the theory's equations are written."""

from typing import NamedTuple

import numpy as np


class Solution(NamedTuple):
    """Overlap m, norm q, leverage gamma and dual nu, kappa, chi2: arrays of shape (n_tasks,)."""

    m: np.ndarray
    q: np.ndarray
    gamma: np.ndarray
    nu: np.ndarray
    kappa: np.ndarray
    chi2: np.ndarray
    n_iter: int
    converged: bool
    residual: float
