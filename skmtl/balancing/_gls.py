"""Geometric loss M = prod_t L_t^(p_t / T), the gradient of which has w_t = M p_t / (T L_t).

Computed in logarithms: a product of many losses would over- or underflow.
"""

import numpy as np

from ._balancer import Answer, Balancer, OwnState
from ._log_losses import positive
from ._stats import TaskStats


class GLS(Balancer):
    """Gradient of the geometric mean of the losses.

    The weights are those of the sum of log losses times the geometric mean, so that scaling a loss
    scales the direction alone. Losses that are not positive count as the smallest that rounding
    tells from zero.

    Parameters
    ----------
    preference, smoothing, max_norm, scale_heads
        As in every :class:`Balancer`; the preferences are the exponents in a weighted geometric
        mean.

    References
    ----------
    S. Chennupati, G. Sistu, S. Yogamani and S. A. Rawashdeh, "MultiNet++: multi-stream feature
    aggregation and geometric loss strategy for multi-task learning", CVPR workshops 2019.

    Examples
    --------
    The geometric mean of 1 and 4 is 2:

    >>> from skmtl.balancing import balance
    >>> balance([[1.0, 0.0], [0.0, 1.0]], [1.0, 4.0], "gls").weights
    array([1.  , 0.25])
    """

    needs = frozenset({"losses"})
    promises = frozenset({"equivariant", "nonnegative", "linear_under_scaling"})
    divides_by_losses = True
    unit_sum = True

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        logs, share = np.log(positive(stats.losses)), p / len(p)
        return Answer(share * np.exp(share @ logs - logs), own)
