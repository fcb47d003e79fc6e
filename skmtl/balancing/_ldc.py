"""Loss discrepancy control: sum_t s_t l_t + penalty sum_t |s_t l_t - mean|, s = softmax(router).

l_t is the loss over its first value.  The router alone descends the discrepancy, its upper level.
"""

from dataclasses import KW_ONLY

import numpy as np
from scipy.special import log_softmax, softmax

from .._checks import check_strength
from ._balancer import Answer, Balancer, OwnState
from ._log_losses import positive
from ._parameters import parameter_holder
from ._stats import TaskStats

ROUNDING = 1e-12  # a relative deviation below it is none


@parameter_holder
class LDC(Balancer):
    """Weights by a learnt router that keeps the weighted losses together.

    With l_t the loss over its first value, and shares s_t proportional to p_t exp(r_t), of sum 1,
    of a router r with a number for each task, the direction is the gradient of

        n_tasks (sum_t s_t l_t + penalty sum_t p_t abs(s_t l_t / p_t - m)),

    m being the mean of the s_t l_t, and the router takes a gradient step on the second sum, in
    units of m. Where it has settled the shares are proportional to p_t / l_t.

    Parameters
    ----------
    penalty : float in [0, 0.5], default=0.05
        Strength of the discrepancy in the direction; above 0.5 weights could be negative.
    step_size : float in (0, inf), default=0.1
        Longest gradient step of the router, shorter where it would overshoot.
    preference, smoothing, max_norm, scale_heads
        As in every :class:`Balancer`.

    Notes
    -----
    The published discrepancy adds the differences of neighbours in the order of the tasks;
    deviations from the mean are the same for two tasks and do not depend on the order. The
    published router reads features of the rows; here it is one vector. Weights jump where a
    deviation changes sign, so that they never rest, and linear models refuse this method.

    References
    ----------
    P. Xiao, C. Dong, S. Zou and K. Ji, "LDC-MTL: balancing multi-task learning through scalable
    loss discrepancy control", 2025, arXiv:2502.08585.

    Examples
    --------
    >>> from skmtl.balancing import balance
    >>> J = [[1.0, 0.0], [0.0, 1.0]]
    >>> first = balance(J, [1.0, 4.0], "ldc")
    >>> first.weights
    array([1.  , 0.25])
    >>> balance(J, [1.0, 2.0], "ldc", first.state).weights  # the second loss has halved
    array([1.05  , 0.2375])
    """

    needs = frozenset({"losses"})
    promises = frozenset({"equivariant", "nonnegative", "linear_under_scaling"})
    remembers = True
    settles = False

    penalty: float = 0.05
    _: KW_ONLY
    step_size: float = 0.1

    def check(self, n_tasks: int) -> None:
        super().check(n_tasks)
        if check_strength("penalty", self.penalty, zero=True, infinite=False) > 0.5:
            raise ValueError(f"penalty must be in [0, 0.5], got {self.penalty!r}.")
        check_strength("step_size", self.step_size, infinite=False)

    def start(self, n_tasks: int, rng: np.random.RandomState) -> OwnState:
        return {"router": np.zeros(n_tasks), "log_first": np.full(n_tasks, np.nan)}

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        log_losses = np.log(positive(stats.losses))
        log_first = np.where(np.isnan(own["log_first"]), log_losses, own["log_first"])
        log_shares = log_softmax(np.log(p) + own["router"])
        parts = softmax(log_shares + log_losses - log_first)  # s_t l_t over their sum
        signs = _signs(parts * len(p) / p - 1)
        pulls = signs - p @ signs / len(p)  # derivatives of the discrepancy in s_t l_t
        router = own["router"] - self._step(len(p) * parts, np.exp(log_shares), pulls)
        weights = len(p) * np.exp(log_shares - log_first) * (1 + self.penalty * pulls)
        return Answer(weights, {"router": router, "log_first": log_first})

    def _step(self, parts: np.ndarray, shares: np.ndarray, pulls: np.ndarray) -> float | np.ndarray:
        discrepancy = pulls @ parts
        gradient = pulls * parts - shares * discrepancy
        square = gradient @ gradient
        if not square > 0:
            return 0.0
        # Polyak's length: the least discrepancy is known to be zero
        return min(self.step_size, discrepancy / square) * gradient


def _signs(deviations: np.ndarray) -> np.ndarray:
    return np.where(np.abs(deviations) > ROUNDING, np.sign(deviations), 0.0)
