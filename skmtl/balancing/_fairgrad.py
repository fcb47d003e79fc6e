"""Alpha-fair updates: max sum p_t (g_t'd)^(1 - alpha) / (1 - alpha), so w_t = p_t (g_t'd)^-alpha.

With w = z / norms that is z_t^(1/alpha) (C z)_t = p_t^(1/alpha) norms_t^(1/alpha - 1), C the
Gramian of the unit rows: Newton's method on a strictly convex function, Nash's for alpha 1.
"""

import numpy as np

from .._checks import check_strength
from ._balancer import Answer, Balancer, OwnState
from ._mgda import steepest_weights
from ._nash import bargain
from ._parameters import parameter_holder
from ._stats import TaskStats


@parameter_holder
class FairGrad(Balancer):
    """Alpha-fair sharing of the update's progress g_t'd among the tasks.

    d = J'w with w_t = p_t (g_t'd)^-alpha, the maximum of
    sum_t p_t (g_t'd)^(1 - alpha) / (1 - alpha) - ||d||^2 / 2: every task progresses. As alpha
    goes to 0 it becomes the weighted sum of the gradients; alpha 1 is :class:`Nash`; as alpha grows
    the direction becomes that of :class:`MGDA`, whatever the preferences. Only alpha 1 ignores the
    scales of the losses. Where no direction improves all tasks there is no solution: the weights
    are then those of :class:`MGDA` and the status is "stationary".

    Parameters
    ----------
    alpha : float in (0, inf), default=1.0
        Fairness: how much more the progress of a task counts that has little.
    preference, smoothing, max_norm, scale_heads
        As in every :class:`Balancer`.

    References
    ----------
    H. Ban and K. Ji, "Fair resource allocation in multi-task learning", ICML 2024,
    arXiv:2402.15638, section 4.

    Examples
    --------
    >>> from skmtl.balancing import FairGrad, balance
    >>> result = balance([[8.0, 0.0], [0.0, 1.0]], balancer=FairGrad(alpha=2.0))
    >>> result.weights.round(6), result.direction.round(6)
    (array([0.0625, 1.    ]), array([0.5, 1. ]))
    """

    alpha: float = 1.0

    @property
    def promises(self) -> frozenset[str]:  # type: ignore[override]  # parameters decide
        kept = {"equivariant", "nonnegative", "nonconflicting"}
        return frozenset(kept | {"scale_invariant"} if self.alpha == 1 else kept)

    def check(self, n_tasks: int) -> None:
        super().check(n_tasks)
        check_strength("alpha", self.alpha, infinite=False)

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        power, log_s = 1 / self.alpha, np.log(stats.norms)
        log_q = power * np.log(p) + (power - 1) * log_s
        level = log_q.max()  # z is found in units of exp(level / (1 + power))
        z = bargain(stats.unit_gramian, log_q - level, power)
        if z is None:
            return Answer(steepest_weights(stats, p), own, "stationary")
        return Answer(np.exp(np.log(z) + level / (1 + power) - log_s), own)
