"""Nash bargaining between losses: max sum p_t log(D_t - L_t), so w_t = p_t / (D_t - L_t)."""

from dataclasses import KW_ONLY
from typing import Any

import numpy as np

from .._checks import check_option
from ._balancer import Answer, Balancer, Terms
from ._parameters import check_task_values, parameter_holder

LEAST_GAIN = 1e-8  # relative to the task's losses; smaller gains count as this
TINY = 1e-150  # absolutely


@parameter_holder
class NashBargaining(Balancer):
    """Nash bargaining solution in losses: each task's utility is its gain over a disagreement loss.

    For convex losses the maximum of sum_t p_t log(D_t - L_t) is unique, and a fit with the weights
    w_t = p_t / (D_t - L_t) has it as its fixed point. Scaling or shifting a loss together with its
    disagreement changes nothing.

    Parameters
    ----------
    disagreement : "intercept" or array-like of shape (n_tasks,), default="intercept"
        The losses D_t without agreement. "intercept": those of a model without features, where the
        statistics hold them, else the losses of the first step. While no task gains the weights
        are equal; a task that does not gain counts as if it gained 1e-8 of its loss, and the status
        is "disagreement".
    preference, smoothing, max_norm, scale_heads
        As in every :class:`Balancer`.

    References
    ----------
    J. Nash, "The bargaining problem", Econometrica 18, 1950.

    Examples
    --------
    >>> from skmtl.balancing import NashBargaining, balance
    >>> J = [[1.0, 0.0], [0.0, 1.0]]
    >>> balance(J, [1.0, 2.0], NashBargaining([3.0, 2.5])).weights
    array([0.5, 2. ])
    """

    needs = frozenset({"losses"})
    promises = frozenset({"equivariant", "nonnegative", "linear_under_scaling"})

    disagreement: Any = "intercept"
    _: KW_ONLY
    penalty_against: str = "losses"

    @property
    def welcomes(self):
        return frozenset({"disagreement"} if self._from_intercept else ())

    @property
    def _from_intercept(self):
        return isinstance(self.disagreement, str) and self.disagreement == "intercept"

    def check(self, n_tasks):
        super().check(n_tasks)
        self._disagreement(n_tasks)
        check_option("penalty_against", self.penalty_against, ("losses", "gains"))

    def start(self, n_tasks, rng):
        return {"disagreement": self._disagreement(n_tasks)}

    def weigh(self, stats, p, own):
        D = own["disagreement"]
        if "disagreement" in self.reads(stats):
            D = stats.disagreement
        D = np.where(np.isnan(D), stats.losses, D)
        own = {"disagreement": D}
        gain = D - stats.losses
        least = LEAST_GAIN * np.maximum(np.abs(D), np.abs(stats.losses))
        if not (gain > least).any():
            return Answer(p, own, "disagreement")
        least = np.maximum(least, TINY)
        status = "ok" if (gain > least).all() else "disagreement"
        return Answer(p / np.maximum(gain, least), own, status)

    def terms(self, n_tasks):
        """The preferences, the disagreement and what penalties are weighed against."""
        D = None if self._from_intercept else self._disagreement(n_tasks)
        return Terms(self.preferences(n_tasks), D, self.penalty_against)

    def _disagreement(self, n_tasks):
        if self._from_intercept:
            return np.full(n_tasks, np.nan)
        return check_task_values("disagreement", self.disagreement, n_tasks, '"intercept"')
