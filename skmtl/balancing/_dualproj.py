"""DualProj: the mean gradient projected onto the cone {d: J d >= 0}."""

from dataclasses import field

import numpy as np

from ._balancer import LARGEST, Answer, Balancer
from ._cone import projection, share_equally, square_root
from ._parameters import parameter_holder


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

    def weigh(self, stats, p, own):
        s, C = stats.norms, stats.unit_gramian
        largest, mean = s.max(), p / len(p)
        v = projection(square_root(C), mean * (s / largest))
        weights = v * np.minimum(largest / s, LARGEST)
        return Answer(share_equally(weights, s / p, C), own)
