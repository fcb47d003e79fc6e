"""DualProj: the mean gradient projected onto the cone {d: J d >= 0}."""

from dataclasses import field

import numpy as np

from .._backend import Array
from ._balancer import LARGEST, Answer, Balancer, OwnState, State
from ._cone import agreeing, cone_root, projection, share_equally
from ._parameters import parameter_holder
from ._stats import TaskStats


@parameter_holder
class DualProj(Balancer):
    """The direction nearest to the mean gradient among those in which no task gets worse.

    The least ||d - sum_t p_t g_t / n_tasks|| with g_t'd >= 0 for all t; without conflict with the
    mean gradient it is the mean gradient. :class:`UPGrad` projects each gradient by itself.

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
    D. Lopez-Paz and M. Ranzato, "Gradient episodic memory for continual learning", NeurIPS 2017,
    section 3.
    P. Quinton and V. Rey, "Jacobian descent for multi-objective optimization", 2024,
    arXiv:2406.16232.

    Examples
    --------
    >>> from skmtl.balancing import balance
    >>> balance([[3.0, 0.0], [-1.0, 1.0]], balancer="dualproj").direction
    array([0.75, 0.75])
    """

    promises = frozenset({"equivariant", "nonnegative", "nonconflicting"})
    unit_sum = True

    scale_heads: bool = field(default=False, kw_only=True)

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        s, root, mean = stats.norms, cone_root(stats), p / len(p)
        largest = s.max()
        v = projection(root, mean * (s / largest))
        weights = v * np.minimum(largest / s, LARGEST)
        return Answer(share_equally(weights, s / p, stats.unit_gramian), own, root.status)

    def combine(self, stats: TaskStats, state: State) -> Array:
        return agreeing(self, stats, state)
