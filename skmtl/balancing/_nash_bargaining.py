"""Nash bargaining between losses: max sum p_t log(D_t - L_t), so w_t = p_t / (D_t - L_t)."""

from dataclasses import KW_ONLY
from typing import Any

import numpy as np

from .._checks import check_option
from ._balancer import Answer, Balancer, OwnState, Terms
from ._parameters import check_task_values, parameter_holder
from ._stats import TaskStats

LEAST_GAIN = 1e-8  # relative to the task's losses; smaller gains count as this
TINY = 1e-150  # least gain in absolute terms


@parameter_holder
class NashBargaining(Balancer):
    """Nash bargaining solution in losses: each task's utility is its gain over a disagreement loss.

    For convex losses the maximum of sum_t p_t log(D_t - L_t) is unique, and a fit with the weights
    w_t = p_t / (D_t - L_t) has it as its fixed point. Scaling or shifting a loss together with its
    disagreement adds a constant to that sum and changes nothing, in a step or in a fit without
    penalties; for fits with penalties see the Notes.

    Parameters
    ----------
    disagreement : "intercept" or array-like of shape (n_tasks,), default="intercept"
        The losses D_t without agreement. "intercept": those of a model without features, where the
        statistics hold them, else the losses of the first step. In a step, while no task gains the
        weights are equal; a task that does not gain counts as if it gained 1e-8 of its loss, and
        the status is "disagreement".
    penalty_against : {"losses", "gains"}, default="losses"
        What the penalties of a linear model are weighed against; steps and perceptrons do not read
        it.
    preference, smoothing, max_norm, scale_heads
        As in every :class:`Balancer`.

    Notes
    -----
    Linear models solve the bargain as the concave program that it is. With N labels in T tasks, L_t
    and D_t mean losses (squared errors, or log losses) and `penalties` the terms that the
    estimator's Notes add to its sum of losses, they maximise

    .. math:: \\frac{N}{T} \\, m \\sum_t p_t \\log(D_t - L_t) - \\text{penalties}

    - "gains": m = 1. Scaling a loss together with its disagreement changes nothing, whatever the
      penalties. Log gains have no unit while penalties have that of the coefficients squared:
      labels of all tasks in a unit c times smaller need penalties c^2 times smaller.
    - "losses": m is such that the weights m p_t / (D_t - L_t) of the losses have mean 1, as those
      of every other balancer have. Labels of all tasks in another unit give the same predictions in
      that unit, and one task alone is its own ridge. Scaling the loss of one task changes m, by
      which the penalties count for more or less beside all losses; it changes nothing where these
      are negligible.

    Both cannot be had at once: changing the unit of all labels scales all losses, and no function
    of losses and disagreements tells one from the other. "intercept" is itself a fit with equal
    weights, so that where intercepts are penalised (alpha_intercept > 0) scaling a loss changes it,
    unless the disagreement is given.

    Where no coefficients are better than none for all tasks there is no bargain, which is so just
    where positive multiples of the gradients of some losses cancel without features: a
    `ConvergenceWarning` says for which tasks, `task_weights_` are these multiples, and the model
    without features is the answer. With "losses" and intercepts that are penalised, or a
    disagreement of one's own, there may be no m either, and a warning says so; "gains" has an
    answer wherever all tasks can gain. A fit without a warning has
    ``|w_t (D_t - L_t) / p_t - 1|`` <= 1e-8 for the weights w_t that it was made with.

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
    def welcomes(self) -> frozenset[str]:  # type: ignore[override]  # parameters decide
        return frozenset({"disagreement"} if self._from_intercept else ())

    @property
    def _from_intercept(self) -> bool:
        return isinstance(self.disagreement, str) and self.disagreement == "intercept"

    def check(self, n_tasks: int) -> None:
        super().check(n_tasks)
        self._disagreement(n_tasks)
        check_option("penalty_against", self.penalty_against, ("losses", "gains"))

    def start(self, n_tasks: int, rng: np.random.RandomState) -> OwnState:
        return {"disagreement": self._disagreement(n_tasks)}

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
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

    def terms(self, n_tasks: int) -> Terms:
        """The preferences, the disagreement and what penalties are weighed against."""
        D = None if self._from_intercept else self._disagreement(n_tasks)
        return Terms(self.preferences(n_tasks), D, self.penalty_against)

    def _disagreement(self, n_tasks: int) -> np.ndarray:
        if self._from_intercept:
            return np.full(n_tasks, np.nan)
        return check_task_values("disagreement", self.disagreement, n_tasks, '"intercept"')
