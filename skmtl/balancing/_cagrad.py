"""Conflict-averse gradients: max_d min_t g_t'd over the ball ||d - g_0|| <= c ||g_0||.

In units of ||g_0||, d = e + U'x with x >= 0 is the point nearest to e of {d: U d >= level / norms}.
Its distance grows with the level and is convex in it, so Newton's method finds the level at which
the distance is c from above, one non-negative least squares at each step.
"""

from dataclasses import field

import numpy as np
from scipy.linalg import null_space, orth

from .._backend import Array
from .._checks import check_count, check_strength
from ._balancer import LARGEST, Answer, Balancer, OwnState, State
from ._cone import (
    DEPENDENT,
    ROUNDING,
    Root,
    cone_root,
    min_norm_weights,
    non_negative,
    onto_cone,
    polished,
    share_equally,
)
from ._parameters import parameter_holder
from ._stats import TaskStats

MAX_ITER = 100  # five are usual
FARTHEST = 4.0  # from the mean gradient to the first level, in 1 + c: twice the bound
EXACT = 1e-13  # relative error of the distance
FADING = 1e-8  # of a convex combination beside the shortest row: for c >= 1 a descent is at its end


@parameter_holder
class CAGrad(Balancer):
    """The direction near the mean gradient in which the task that gains least gains most.

    With g_0 = sum_t p_t g_t / n_tasks, d maximises min_t g_t'd / p_t over the ball
    ||d - g_0|| <= c ||g_0||. c = 0 is the mean gradient; for c < 1 a descent ends at a stationary
    point of the mean loss, for c >= 1 at a Pareto-stationary point; as c grows the direction
    becomes that of :class:`MGDA`.

    Parameters
    ----------
    c : float in [0, inf), default=0.4
        Radius of the ball, relative to the mean gradient.
    rescale : {0, 1, 2}, default=1
        What the direction is divided by: nothing, 1 + c^2 or 1 + c.
    preference, smoothing, max_norm, scale_heads
        As in every :class:`Balancer`, but `scale_heads` is False by default: gradients are
        combined, not losses.

    Notes
    -----
    Where no direction in the ball improves all tasks and some leave none worse, as at a point that
    is Pareto stationary for some of the tasks, d is the one of these that is nearest to g_0. For
    c >= 1 it is so already where some convex combination of the gradients is 1e-8 times as long as
    the shortest of them, so that a descent ends; the status is then "approximate". So it is where
    gradients that nearly oppose each other come as a Gramian alone, and d then holds to 1e-5 of the
    longest; from the gradients themselves it is as exact as in :class:`DualProj`.

    References
    ----------
    B. Liu, X. Liu, X. Jin, P. Stone and Q. Liu, "Conflict-averse gradient descent for multi-task
    learning", NeurIPS 2021, arXiv:2110.14048.

    Examples
    --------
    >>> from skmtl.balancing import CAGrad, balance
    >>> balance([[1.0, 1.0], [1.0, -3.0]], balancer=CAGrad(0.5, rescale=0)).direction.round(4)
    array([ 1.5, -0.5])
    """

    unit_sum = True

    c: float = 0.4
    rescale: int = 1
    scale_heads: bool = field(default=False, kw_only=True)

    @property
    def promises(self) -> frozenset[str]:  # type: ignore[override]  # parameters decide
        kept = {"equivariant", "nonnegative"}
        return frozenset(kept | {"nonconflicting"} if self.c >= 1 else kept)

    def check(self, n_tasks: int) -> None:
        super().check(n_tasks)
        check_strength("c", self.c, zero=True, infinite=False)
        if check_count("rescale", self.rescale, least=0) > 2:
            raise ValueError(f"rescale must be 0, 1 or 2, got {self.rescale!r}.")

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        s, root, c = stats.norms, cone_root(stats), float(self.c)
        weights, status = p / len(p), root.status
        g = root.F @ (weights * (s / s.max()))
        length = np.linalg.norm(g)
        if c > 0 and length > ROUNDING * len(p):  # else the ball is a point
            x, own_way = _best_in_ball(root, stats, g / length, s / p, c)
            weights = weights + length * x * np.minimum(s.max() / s, LARGEST)
            status = status if own_way else "approximate"
        weights = weights / self._divisor
        return Answer(share_equally(weights, s / p, stats.unit_gramian), own, status)

    def combine(self, stats: TaskStats, state: State) -> Array:
        def fit(F: np.ndarray, z: np.ndarray, index: np.ndarray) -> np.ndarray:
            p, norms = self.preferences(stats.n_tasks)[index], stats.norms[index]
            pulled = state.weights[index] * self._divisor > p / stats.n_tasks * (1 + ROUNDING)
            z = _levelled(F, z, np.where(pulled, p / norms, 0.0))
            return onto_cone(F, z) if self.c >= 1 else z

        return polished(self, stats, state, fit)

    @property
    def _divisor(self) -> float:
        return (1.0, 1 + self.c**2, 1 + self.c)[self.rescale]


def _levelled(F: np.ndarray, z: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """The point nearest to z with F'z proportional to `levels` where these are not zero."""
    r = levels[levels > 0] / levels.max()
    B = orth(F[:, levels > 0] @ null_space(r[None, :]), rcond=DEPENDENT)
    return z - B @ (B.T @ z)


def _best_in_ball(
    root: Root, stats: TaskStats, e: np.ndarray, sizes: np.ndarray, c: float
) -> tuple[np.ndarray, bool | np.bool_]:
    """x >= 0 with ||F x|| <= c for which the least entry of sizes * F'(e + F x) is largest.

    Returned with whether x is that maximiser, and not the nearest point at which no task loses.
    """
    F = root.F
    unit = max(c, 1.0)  # of lengths: the numbers below are of order one for small and large c
    a, radius = F.T @ e / unit, c / unit
    none_loses, residual = non_negative(F, -e / unit, root.independent)
    level: float | np.floating
    if np.linalg.norm(e / unit + residual) > radius:  # some must lose: the level is negative
        level, relative = 0.0, np.minimum(sizes.max() / sizes, LARGEST)
    else:
        relative = sizes.min() / sizes
        w = min_norm_weights(sizes, stats)
        shortest = np.linalg.norm(F @ (w / np.maximum(relative, 1 / LARGEST)))
        if shortest < (FADING if c >= 1 else root.short):  # none can gain
            return unit * none_loses, shortest < root.short
        level = (1 + c) / unit * shortest  # no point of the ball reaches a higher one
    for _ in range(MAX_ITER):
        # what lies below -1 - c binds nowhere in the ball
        x, far = _nearest(root, np.maximum(level * relative, -(1 + c) / unit) - a)
        if far > FARTHEST * (1 + c) / unit:  # the level is one of rounding
            return unit * none_loses, True
        if far <= radius * (1 + EXACT):
            break
        lower = level - (far - radius) * far / (relative @ x)
        if not lower < level:
            break
        level = lower
    return (x * (c / far) if far > 0 else x), True  # zero where c is below rounding


def _nearest(root: Root, f: np.ndarray) -> tuple[np.ndarray, float]:
    """(x, ||F x||) of the shortest F x with F'F x >= f, x >= 0, by Lawson and Hanson's reduction.

    The y >= 0 that minimises ||F y||^2 + (f'y - 1)^2 is x / (1 + ||F x||^2), and its residual
    (-F y, 1 - f'y) has the square length 1 - f'y.
    """
    target = np.zeros(len(root.F) + 1)
    target[-1] = 1.0
    y, residual = non_negative(np.vstack([root.F, f]), target, root.independent)
    size = max(residual @ residual, ROUNDING)  # zero where no F x reaches f
    return y / size, np.linalg.norm(residual[:-1]) / size
