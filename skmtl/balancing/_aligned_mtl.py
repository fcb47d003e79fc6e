"""Aligned multi-task learning: orthogonal gradients of equal length, nearest to those at hand.

J = W S V' with tasks along W has the aligned B J = size W V', B = size W S^-1 W', and d = (B J)'p.
"""

from collections.abc import Callable
from dataclasses import field

import numpy as np

from .._checks import check_option
from ._balancer import Answer, Balancer, OwnState, State
from ._cone import share_equally, square_root
from ._imtl_g import NULL_EIGENVALUE
from ._parameters import parameter_holder
from ._stats import TaskStats

SIZES: dict[str, Callable[[np.ndarray], float]] = {
    "min": np.min,
    "median": np.median,
    "mean": np.mean,
}
EPS = np.finfo(np.float64).eps


@parameter_holder
class AlignedMTL(Balancer):
    """Sum of the gradients after their alignment, which makes the condition number of J one.

    With the eigenvalues l and eigenvectors W of J J', B = sqrt(size) W l^(-1/2) W' and w = B p: the
    rows of B J are orthogonal and of length sqrt(size), up to directions that J does not have.
    Eigenvalues below rounding, n_tasks times 2e-16 of the largest and 1e-14 where unit gradients
    depend on one another, count as zero, and so do gradients below the square root of 2e-16 n_tasks
    of the longest: their weight is 0. Weights may be negative. With `scale="min"` a descent stops
    at the first Pareto-stationary point that it meets, as the size vanishes there; with more tasks
    than parameters it ends where sum_t p_t g_t = 0.

    Parameters
    ----------
    scale : {"min", "median", "mean"}, default="min"
        Which of the positive eigenvalues of J J' the size is.
    preference, smoothing, max_norm, scale_heads
        As in every :class:`Balancer`, but `scale_heads` is False by default: gradients are
        combined, not losses.

    References
    ----------
    D. Senushkin, N. Patakin, A. Kuznetsov and A. Konushin, "Independent component alignment for
    multi-task learning", CVPR 2023, arXiv:2305.19000, section 4.

    Examples
    --------
    >>> from skmtl.balancing import balance
    >>> result = balance([[3.0, 0.0], [0.0, 0.5]], balancer="aligned_mtl")
    >>> result.weights.round(3), result.direction
    (array([0.167, 1.   ]), array([0.5, 0.5]))
    """

    promises = frozenset({"equivariant"})

    scale: str = "min"
    scale_heads: bool = field(default=False, kw_only=True)

    def check(self, n_tasks: int) -> None:
        super().check(n_tasks)
        check_option("scale", self.scale, tuple(SIZES))

    def merit(self, stats: TaskStats, state: State) -> np.ndarray:
        """The preferences: p'J d = sqrt(size) p'(J J')^(1/2) p is positive."""
        return self.preferences(stats.n_tasks)

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        s, C = stats.norms, stats.unit_gramian
        seen = s > np.sqrt(len(p) * EPS) * s.max()
        # singular values of D F' with C = F'F are those of J, exact to rounding where their
        # squares, the eigenvalues of D C D, would not be
        F, independent = square_root(C)
        W, values, _ = np.linalg.svd((F * np.where(seen, s / s.max(), 0.0)).T)
        # where rows depend on one another the values that should be zero are roots of rounding
        kept = values**2 > len(p) * (EPS if independent else NULL_EIGENVALUE) * values[0] ** 2
        W, values = W[:, kept], values[kept]
        size = np.sqrt(SIZES[self.scale](values**2))
        weights = np.where(seen, W @ (size / values * (W.T @ p)), 0.0)
        return Answer(share_equally(weights, s, C), own)
