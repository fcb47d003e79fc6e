"""Shared plus specific: alpha_shared/2 ||w0||^2 + alpha_specific/2 sum_t ||w_t - w0||^2, best w0.

As a quadratic form it is 1/2 tr(W' Omega W) with Omega^-1 = 11'/alpha_shared + I/alpha_specific.
"""

import numpy as np

from .._backend import Array, namespace_of
from .._checks import check_strength
from ._penalty import Penalty

ROUNDING = 1e-28  # square of the relative size of a deviation that is none


class SharedSpecific(Penalty):
    """Quadratic penalty that shrinks tasks towards a common coefficient vector.

    Parameters
    ----------
    alpha_shared : float in (0, inf], default=1.0
        Strength on the shared part w0; inf: no shared part.
    alpha_specific : float in (0, inf], default=1.0
        Strength on the specific parts v_t; inf: every task has the shared coefficients.
    alpha_intercept : float in [0, inf], default=0.0
        Strength on the deviations of the intercepts from their common value; 0: free,
        inf: one intercept.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.penalties import SharedSpecific
    >>> SharedSpecific(alpha_shared=1.0, alpha_specific=2.0).value(np.ones((2, 1)))
    0.4
    """

    strengths = ("alpha_shared", "alpha_specific", "alpha_intercept")
    rotation_invariant = True
    separates_features = True

    def __init__(
        self, alpha_shared: float = 1.0, alpha_specific: float = 1.0, alpha_intercept: float = 0.0
    ):
        self.alpha_shared = alpha_shared
        self.alpha_specific = alpha_specific
        self.alpha_intercept = alpha_intercept

    def check(self) -> None:
        """Refuse alpha_shared and alpha_specific outside (0, inf], alpha_intercept below 0."""
        check_strength("alpha_shared", self.alpha_shared)
        check_strength("alpha_specific", self.alpha_specific)
        check_strength("alpha_intercept", self.alpha_intercept, zero=True)

    def shared(self, W: Array) -> Array:
        """The w0 of shape (n_features,) at which the penalty of W is attained."""
        xp = namespace_of(W)
        return xp.mean(W, axis=0) * self.shared_fraction(W.shape[0])

    def shared_fraction(self, n_tasks: int) -> float:
        """w0 as a multiple of the mean of the tasks' coefficients, in [0, 1]."""
        if np.isinf(self.alpha_shared):
            return 0.0
        return 1.0 / (1.0 + self.alpha_shared / (n_tasks * self.alpha_specific))

    def value(self, W: Array) -> float:
        """Penalty of W, of shape (n_tasks, n_features); inf where an infinite alpha is violated."""
        xp = namespace_of(W)
        w0, scale = self.shared(W), float(xp.sum(W**2))
        return 0.5 * (
            _weigh(self.alpha_shared, float(xp.sum(w0**2)), scale)
            + _weigh(self.alpha_specific, float(xp.sum((W - w0) ** 2)), scale)
        )

    def intercept_value(self, b: Array) -> float:
        """Penalty of the intercepts, of shape (n_tasks,)."""
        xp = namespace_of(b)
        deviations = float(xp.sum((b - xp.mean(b)) ** 2))
        return 0.5 * _weigh(self.alpha_intercept, deviations, float(xp.sum(b**2)))

    def covariance_factors(self, n_tasks: int) -> tuple[np.ndarray, np.ndarray]:
        """(Lam, k) of shapes (n_tasks, 1) and (n_tasks,) with Omega^-1 = Lam Lam' + diag(k)."""
        return np.full((n_tasks, 1), self.alpha_shared**-0.5), np.full(
            n_tasks, 1 / self.alpha_specific
        )


def _weigh(alpha: float, square: float, scale: float) -> float:
    """alpha times the square, where infinity times a square of rounding size is zero."""
    if np.isinf(alpha) and square <= ROUNDING * scale:
        return 0.0
    return alpha * square
