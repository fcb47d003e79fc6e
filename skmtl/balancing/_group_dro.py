"""Group DRO: minimise the largest loss; w_t <- w_t exp(step_size L_t), scaled to sum n_tasks."""

import numpy as np

from .._checks import check_strength
from ._balancer import Answer, Balancer, OwnState
from ._parameters import parameter_holder
from ._simplex import exponentiated, shares
from ._stats import TaskStats


@parameter_holder
class GroupDRO(Balancer):
    """Distributionally robust weights: exponentiated gradient ascent on the losses.

    The weights drift to the task with the largest p_t L_t, be it large for its noise or for its
    unit alone; :class:`ExcessRisk` removes both.

    Parameters
    ----------
    step_size : float in (0, inf), default=0.01
        Step of the exponentiated gradient, in units of one over the losses'.
    preference, smoothing, max_norm, scale_heads
        As in every :class:`Balancer`.

    References
    ----------
    S. Sagawa, P. W. Koh, T. B. Hashimoto and P. Liang, "Distributionally robust neural networks
    for group shifts", ICLR 2020, algorithm 1.

    Examples
    --------
    >>> from skmtl.balancing import GroupDRO, balance
    >>> balance([[1.0, 0.0], [0.0, 1.0]], [0.0, 2.0], GroupDRO(1.0)).weights.round(3)
    array([0.238, 1.762])
    """

    needs = frozenset({"losses"})
    remembers = True
    promises = frozenset({"equivariant", "nonnegative", "linear_under_scaling"})

    step_size: float = 0.01

    def check(self, n_tasks: int) -> None:
        super().check(n_tasks)
        check_strength("step_size", self.step_size, infinite=False)

    def start(self, n_tasks: int, rng: np.random.RandomState) -> OwnState:
        return {"log_weights": np.zeros(n_tasks)}

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        values = np.nan_to_num(p * stats.losses)
        log_weights = exponentiated(own["log_weights"], values, self.step_size)
        return Answer(shares(log_weights, p), {"log_weights": log_weights})
