"""Impartial learning by losses: min over s of sum p_t (exp(s_t) L_t - s_t), w_t = p_t exp(s_t).

The best s_t is -log L_t, where all scaled losses exp(s_t) L_t are 1.
"""

import numpy as np

from .._checks import check_strength
from ._balancer import Answer, Balancer, OwnState
from ._log_losses import learnt_logs
from ._parameters import parameter_holder
from ._stats import TaskStats


@parameter_holder
class IMTLL(Balancer):
    """Learnt scales that make all losses equal, w_t = p_t exp(s_t).

    The scales minimise sum_t p_t (exp(s_t) L_t - s_t). At the minimum exp(s_t) is one over the
    loss, so that scaling a loss changes nothing; losses that are not positive count as the smallest
    that rounding tells from zero.

    Parameters
    ----------
    step_size : float in (0, inf), default=None
        Gradient step on s_t from s_t = 0, never beyond the minimum; None: the minimum itself, at
        each step.
    preference, smoothing, max_norm, scale_heads
        As in every :class:`Balancer`.

    Notes
    -----
    These are twice the weights of :class:`Uncertainty`, learnt twice as fast.

    References
    ----------
    L. Liu, Y. Li, Z. Kuang, J.-H. Xue, Y. Chen, W. Yang, Q. Liao and W. Zhang, "Towards impartial
    multi-task learning", ICLR 2021, section 3.2.

    Examples
    --------
    >>> from skmtl.balancing import balance
    >>> balance([[1.0, 0.0], [0.0, 1.0]], [0.5, 4.0], "imtl_l").weights
    array([2.  , 0.25])
    """

    needs = frozenset({"losses"})
    promises = frozenset({"equivariant", "nonnegative", "linear_under_scaling"})
    divides_by_losses = True

    step_size: float | None = None

    @property
    def remembers(self) -> bool:  # type: ignore[override]  # parameters decide
        return self.step_size is not None

    def check(self, n_tasks: int) -> None:
        super().check(n_tasks)
        if self.step_size is not None:
            check_strength("step_size", self.step_size, infinite=False)

    def start(self, n_tasks: int, rng: np.random.RandomState) -> OwnState:
        return {"log_scale": np.zeros(n_tasks)}

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        s = -learnt_logs(-own["log_scale"], stats.losses, p, self.step_size)
        return Answer(p * np.exp(s), {"log_scale": s})
