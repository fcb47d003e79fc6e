"""Gradient normalisation: w_t ||g_t|| proportional to r_t^alpha, r_t = L_t / L_t(first).

Gradient steps on log w_t lower sum_t | w_t ||g_t|| - target_t | with the targets held; sum w = T.
"""

from dataclasses import KW_ONLY

import numpy as np
from scipy.special import log_softmax

from .._checks import check_strength
from ._balancer import Answer, Balancer, OwnState
from ._log_losses import positive
from ._parameters import parameter_holder
from ._simplex import LOWEST
from ._stats import TaskStats


@parameter_holder
class GradNorm(Balancer):
    """Weighted gradients of equal lengths, longer ones for tasks that train slowly.

    The weights, positive and with sum n_tasks, learn to make w_t ||g_t|| proportional to
    p_t r_t^alpha, where r_t is the loss relative to the first one, divided by the mean of these
    ratios.

    Parameters
    ----------
    alpha : float in [0, inf), default=1.5
        Strength of the pull to equal training rates. 0: gradients of equal lengths,
        w_t proportional to p_t / ||g_t||.
    step_size : float in (0, inf) or None, default=0.025
        Gradient step on log w_t, in units of the mean of the w_t ||g_t||, never beyond the target;
        None: the weights that meet the targets, at each step.
    preference, smoothing, max_norm, scale_heads
        As in every :class:`Balancer`.

    Notes
    -----
    The published update steps on w_t itself, which can become negative; this one steps on
    logarithms. The targets are scaled to the mean of the lengths, so that they can be met. Losses
    that are not positive count as the smallest that rounding tells from zero. A descent can end at
    one task's own optimum, with hardly any weight for the others: it does where their pulls
    together are shorter than that task's, as that of a noisy task often is.

    References
    ----------
    Z. Chen, V. Badrinarayanan, C.-Y. Lee and A. Rabinovich, "GradNorm: gradient normalization for
    adaptive loss balancing in deep multitask networks", ICML 2018, algorithm 1.

    Examples
    --------
    >>> from skmtl.balancing import GradNorm, balance
    >>> state = None
    >>> for _ in range(100):
    ...     step = balance([[1.0, 0.0], [0.0, 3.0]], [1.0, 1.0], GradNorm(), state)
    ...     state = step.state
    >>> step.direction
    array([1.5, 1.5])
    """

    needs = frozenset({"losses", "gramian"})
    promises = frozenset({"equivariant", "nonnegative"})
    remembers = True

    alpha: float = 1.5
    _: KW_ONLY
    step_size: float | None = 0.025

    def check(self, n_tasks: int) -> None:
        super().check(n_tasks)
        check_strength("alpha", self.alpha, zero=True, infinite=False)
        if self.step_size is not None:
            check_strength("step_size", self.step_size, infinite=False)

    def start(self, n_tasks: int, rng: np.random.RandomState) -> OwnState:
        log_weights = np.log(self.preferences(n_tasks))
        return {"log_weights": log_weights, "log_first": np.full(n_tasks, np.nan)}

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        log_losses, log_norms = np.log(positive(stats.losses)), np.log(stats.norms)
        first = np.where(np.isnan(own["log_first"]), log_losses, own["log_first"])
        log_rates = _of_mean_one(log_losses - first)
        pull = np.clip(self.alpha * log_rates, LOWEST, -LOWEST)
        log_targets = _of_mean_one(np.log(p) + pull)
        log_weights = log_targets - log_norms
        if self.step_size is not None:
            log_weights = self._descend(own["log_weights"], log_norms, log_targets)
        log_weights = _of_mean_one(log_weights)
        return Answer(np.exp(log_weights), {"log_weights": log_weights, "log_first": first})

    def _descend(
        self, log_weights: np.ndarray, log_norms: np.ndarray, log_targets: np.ndarray
    ) -> np.ndarray:
        log_lengths = _of_mean_one(log_weights + log_norms)
        longest = self.step_size * np.exp(log_lengths)  # the derivative of a length in log w_t
        return log_weights - np.clip(log_lengths - log_targets, -longest, longest)


def _of_mean_one(logs: np.ndarray) -> np.ndarray:
    """The logarithms, shifted so that their exponentials have mean 1."""
    return log_softmax(logs) + np.log(len(logs))
