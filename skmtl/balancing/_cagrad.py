"""Conflict-averse gradients: max_d min_t g_t'd over the ball ||d - g_0|| <= c ||g_0||.

In units of ||g_0||, d = e + U'x with x >= 0 is the point nearest to e of {d: U d >= level / norms}.
Its distance grows with the level and is convex in it, so Newton's method finds the level at which
the distance is c from above, one non-negative least squares at each step.
"""

from dataclasses import field

import numpy as np

from .._checks import check_count, check_strength
from ._balancer import LARGEST, Answer, Balancer
from ._cone import (
    ROUNDING,
    min_norm_weights,
    non_negative,
    share_equally,
    square_root,
    without_ties,
)
from ._parameters import parameter_holder

MAX_ITER = 100  # five are usual
EXACT = 1e-13  # relative error of the distance
SHORTEST = 1e-8  # of a convex combination, relative to the shortest row; below is rounding


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
    Where no direction in the ball improves all tasks and some leave none worse (c >= 1 and a Pareto
    stationary point), d is the one of these that is nearest to g_0.

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
    def promises(self):
        kept = {"equivariant", "nonnegative"}
        return frozenset(kept | {"nonconflicting"} if self.c >= 1 else kept)

    def check(self, n_tasks):
        super().check(n_tasks)
        check_strength("c", self.c, zero=True, infinite=False)
        if check_count("rescale", self.rescale, least=0) > 2:
            raise ValueError(f"rescale must be 0, 1 or 2, got {self.rescale!r}.")

    def weigh(self, stats, p, own):
        s, C, c = stats.norms, stats.unit_gramian, float(self.c)
        root, mean = square_root(C), p / len(p)
        g = root[0] @ (mean * (s / s.max()))
        length = np.linalg.norm(g)
        weights = mean
        if c > 0 and length > ROUNDING * len(p):  # else the ball is a point
            x = _best_in_ball(root, C, g / length, s / p, c)
            weights = mean + length * x * np.minimum(s.max() / s, LARGEST)
        weights = weights / (1.0, 1 + c * c, 1 + c)[self.rescale]
        return Answer(share_equally(weights, s / p, C), own)


def _best_in_ball(root, C, e, sizes, c):
    """x >= 0, ||F x|| <= c, so that the least size times component of e + F x is largest."""
    F, independent = root
    unit = max(c, 1.0)  # of lengths: the numbers below are of order one for small and large c
    a, radius = F.T @ e / unit, c / unit
    x, far = _nearest(root, -a)
    if far > radius:  # some must lose: the level is negative
        level, relative = 0.0, np.minimum(sizes.max() / sizes, LARGEST)
    else:
        relative = sizes.min() / sizes
        w = min_norm_weights(sizes, C)
        shortest = np.linalg.norm(F @ (w / np.maximum(relative, 1 / LARGEST)))
        if shortest < SHORTEST:  # none can gain
            return unit * x
        level = (1 + c) / unit * shortest  # no point of the ball reaches a higher one
    for _ in range(MAX_ITER):
        # what lies below -1 - c binds nowhere in the ball
        x, far = _nearest(root, np.maximum(level * relative, -(1 + c) / unit) - a)
        if far <= radius * (1 + EXACT):
            break
        lower = level - (far - radius) * far / (relative @ x)
        if not lower < level:
            break
        level = lower
    x = x * (c / far) if far > 0 else x  # zero where c is below rounding
    return x if independent else without_ties(F, x)


def _nearest(root, f):
    """(x, ||F x||) of the shortest F x with F'F x >= f, x >= 0, by Lawson and Hanson's reduction.

    The y >= 0 that minimises ||F y||^2 + (f'y - 1)^2 is x / (1 + ||F x||^2).
    """
    F, independent = root
    target = np.zeros(len(F) + 1)
    target[-1] = 1.0
    y = non_negative(np.vstack([F, f]), target, independent)
    x = y / max(1 - f @ y, ROUNDING)  # zero where no F x reaches f
    return x, np.linalg.norm(F @ x)
