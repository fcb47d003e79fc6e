"""Equal weights: w_t = p_t, the plain sum of the losses."""

import numpy as np

from ._balancer import Answer, Balancer, OwnState
from ._stats import TaskStats


class Equal(Balancer):
    """Equal weights, or the preferences as they are: what every other method is measured against.

    Parameters
    ----------
    preference, smoothing, max_norm, scale_heads
        As in every :class:`Balancer`.

    Examples
    --------
    >>> from skmtl.balancing import Equal, balance
    >>> balance([[1.0, 0.0], [0.0, 3.0]], balancer=Equal()).direction
    array([1., 3.])
    """

    needs = frozenset[str]()
    promises = frozenset({"equivariant", "nonnegative", "linear_under_scaling"})

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        return Answer(p, own)
