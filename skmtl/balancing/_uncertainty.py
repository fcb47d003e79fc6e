"""Homoscedastic uncertainty: min over s of sum p_t (exp(-s_t) L_t + s_t) / 2, w_t = exp(-s_t) / 2.

The best s_t is log L_t, so the fixed points are those of sum p_t log L_t.
"""

import numpy as np

from .._checks import check_strength
from ._balancer import Answer, Balancer, OwnState
from ._log_losses import learnt_logs
from ._parameters import parameter_holder
from ._stats import TaskStats


@parameter_holder
class Uncertainty(Balancer):
    """Weights from learnt noise levels, w_t = p_t / (2 sigma_t^2).

    The levels minimise sum_t p_t (L_t / sigma_t^2 + log sigma_t^2) / 2. At the minimum sigma_t^2 is
    the loss, so that scaling a loss changes nothing; losses that are not positive count as the
    smallest that rounding tells from zero.

    Parameters
    ----------
    step_size : float in (0, inf), default=None
        Gradient step on s_t = log sigma_t^2 from s_t = 0, never beyond the minimum; None: the
        minimum itself, at each step.
    preference, smoothing, max_norm, scale_heads
        As in every :class:`Balancer`.

    References
    ----------
    A. Kendall, Y. Gal and R. Cipolla, "Multi-task learning using uncertainty to weigh losses for
    scene geometry and semantics", CVPR 2018, section 3.2.

    Examples
    --------
    >>> from skmtl.balancing import balance
    >>> balance([[1.0, 0.0], [0.0, 1.0]], [0.5, 4.0], "uncertainty").weights
    array([1.   , 0.125])
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
        return {"log_variance": np.zeros(n_tasks)}

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        s = learnt_logs(own["log_variance"], stats.losses, p / 2, self.step_size)
        return Answer(p * np.exp(-s) / 2, {"log_variance": s})
