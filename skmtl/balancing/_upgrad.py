"""UPGrad: each gradient projected onto the cone {d: J d >= 0} by itself, then averaged.

The projection of g_t is J'v, v = argmin v'Gv over v >= e_t: e_t plus an NNLS on the unit rows.
"""

from dataclasses import field

from ._balancer import Answer, Balancer
from ._cone import corrections, share_equally
from ._parameters import parameter_holder


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

    def weigh(self, stats, p, own):
        s, C = stats.norms, stats.unit_gramian
        mean = p / len(p)
        weights = mean + (s * mean) @ corrections(C) / s
        return Answer(share_equally(weights, s / p, C), own)
