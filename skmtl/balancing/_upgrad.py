"""UPGrad: each gradient projected onto the cone {d: J d >= 0} by itself, then averaged.

The projection of g_t is J'v, v = argmin v'Gv over v >= e_t: e_t plus an NNLS on the unit rows.
"""

from dataclasses import field

import numpy as np

from .._backend import Array
from ._balancer import Answer, Balancer, OwnState, State
from ._cone import agreeing, corrections, share_equally
from ._parameters import parameter_holder
from ._stats import TaskStats


@parameter_holder
class UPGrad(Balancer):
    """Mean of the gradients, each freed of its conflict with the others by projection.

    No task gets worse, the direction is linear in the scale of each gradient, and without conflict
    it is the mean gradient.

    Parameters
    ----------
    preference, smoothing, max_norm, scale_heads
        As in every :class:`Balancer`, but `scale_heads` is False by default: gradients are
        combined, not losses.

    Notes
    -----
    Where gradients oppose each other up to an angle, the direction is exact to rounding (2e-16)
    over that angle, and no task loses by more than rounding; weights are as large as its inverse.
    Rows within 1e-13 of the span of others count as dependent on them. From a Gramian alone, which
    hides angles below 1e-8, a task may lose 1e-5 of the longest gradient where they are small; the
    status is then "approximate".

    References
    ----------
    P. Quinton and V. Rey, "Jacobian descent for multi-objective optimization", 2024,
    arXiv:2406.16232.

    Examples
    --------
    >>> from skmtl.balancing import balance
    >>> balance([[1.0, 0.0], [-1.0, 1.0]], balancer="upgrad").direction
    array([0.25, 0.75])
    """

    promises = frozenset({"equivariant", "nonnegative", "nonconflicting", "linear_under_scaling"})
    unit_sum = True

    scale_heads: bool = field(default=False, kw_only=True)

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        s, mean = stats.norms, p / len(p)
        X, status = corrections(stats)
        weights = mean + (s * mean) @ X / s
        return Answer(share_equally(weights, s / p, stats.unit_gramian), own, status)

    def combine(self, stats: TaskStats, state: State) -> Array:
        return agreeing(self, stats, state)
