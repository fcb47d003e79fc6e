"""Fast adaptive optimisation: w_t = c z_t / L_t with sum 1, z = softmax(q).

The logits q follow, by Adam, the differences between the log losses before and after a step.
"""

from dataclasses import KW_ONLY

import numpy as np
from scipy.special import softmax

from .._checks import check_strength
from ._balancer import Answer, Balancer, OwnState
from ._log_losses import positive
from ._parameters import parameter_holder
from ._simplex import LOWEST
from ._stats import TaskStats

FIRST, SECOND, OFFSET = 0.9, 0.999, 1e-8  # Adam's own defaults


@parameter_holder
class FAMO(Balancer):
    """Weights under which the losses of all tasks fall at the same relative rate.

    w_t = c z_t / L_t with sum 1, for z_t proportional to p_t exp(q_t). After a step the logits q of
    tasks whose log losses have fallen more than the mean go down, by a step of Adam along
    z_t (delta_t - sum_j z_j delta_j) + gamma q_t, delta_t = log L_t before - log L_t after.

    Parameters
    ----------
    step_size : float in (0, inf), default=0.025
        Step of Adam on the logits.
    gamma : float in [0, inf), default=1e-3
        Decay of the logits to zero, where the sum of the p_t log L_t falls fastest.
    preference, smoothing, max_norm, scale_heads
        As in every :class:`Balancer`.

    Notes
    -----
    The losses after a step belong to the data that the step was made on: give `balance` them as
    `post_losses`. Where they are missing the losses of the next step stand for them, which on
    minibatches adds the noise of the batches. Losses that are not positive count as the smallest
    that rounding tells from zero. With gamma=0 any Pareto-stationary point is a fixed point.
    Linear models end where :class:`Uncertainty` does, but slowly: where tasks conflict the decay
    may take more fits than they make, which brings a `ConvergenceWarning`.

    References
    ----------
    B. Liu, Y. Feng, P. Stone and Q. Liu, "FAMO: fast adaptive multitask optimization", NeurIPS
    2023, arXiv:2306.03792, algorithm 1.

    Examples
    --------
    >>> from skmtl.balancing import balance
    >>> J = [[1.0, 0.0], [0.0, 1.0]]
    >>> first = balance(J, [1.0, 3.0], "famo")
    >>> first.weights
    array([0.75, 0.25])
    >>> second = balance(J, [1.0, 3.0], "famo", first.state, post_losses=[0.1, 2.9])
    >>> second.weights.round(3)  # less for the first task, whose loss has fallen more
    array([0.741, 0.259])
    """

    needs = frozenset({"losses"})
    welcomes = frozenset({"post_losses"})
    promises = frozenset({"equivariant", "nonnegative", "linear_under_scaling"})
    remembers = True
    unit_sum = True

    step_size: float = 0.025
    _: KW_ONLY
    gamma: float = 1e-3

    def check(self, n_tasks: int) -> None:
        super().check(n_tasks)
        check_strength("step_size", self.step_size, infinite=False)
        check_strength("gamma", self.gamma, zero=True, infinite=False)

    def start(self, n_tasks: int, rng: np.random.RandomState) -> OwnState:
        zeros = np.zeros(n_tasks)
        names = ("logits", "first_moment", "second_moment", "n_updates")
        return {"log_losses": np.full(n_tasks, np.nan), **dict.fromkeys(names, zeros)}

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        log_losses = np.log(positive(stats.losses))
        after = np.log(positive(stats.post_losses)) if stats.has("post_losses") else log_losses
        own = self._updated(own, own["log_losses"] - after, p)
        weights = softmax(np.log(p) + own["logits"] - log_losses)
        return Answer(weights, own | {"log_losses": log_losses})

    def _updated(self, own: OwnState, gains: np.ndarray, p: np.ndarray) -> OwnState:
        """The state with the logits after a step of Adam; gains are NaN in a task's first step."""
        known = ~np.isnan(gains)
        if not known.any():
            return own
        gains = np.where(known, gains, gains[known].mean())
        q, z = own["logits"], softmax(np.log(p) + own["logits"])
        gradient = np.clip(z * (gains - z @ gains) + self.gamma * q, LOWEST, -LOWEST)
        m = FIRST * own["first_moment"] + (1 - FIRST) * gradient
        v = SECOND * own["second_moment"] + (1 - SECOND) * gradient**2
        k = own["n_updates"] + known
        unbiased_m = m / (1 - FIRST ** np.maximum(k, 1))
        unbiased_v = v / (1 - SECOND ** np.maximum(k, 1))
        q = q - self.step_size * unbiased_m / (np.sqrt(unbiased_v) + OFFSET)
        return {
            "logits": np.clip(q, LOWEST, -LOWEST),
            "first_moment": m,
            "second_moment": v,
            "n_updates": k,
        }
