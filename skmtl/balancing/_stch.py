"""Smooth Tchebycheff: mu log sum_t exp(p_t (L_t - z_t) / mu), w_t = p_t softmax_t."""

from dataclasses import KW_ONLY
from typing import Any

import numpy as np

from .._checks import check_strength
from ._balancer import Answer, Balancer, OwnState
from ._parameters import check_task_values, parameter_holder
from ._simplex import exponentiated
from ._stats import TaskStats


@parameter_holder
class STCH(Balancer):
    """Gradient of a smooth maximum of the losses, which reaches the whole Pareto front.

    The value mu log sum_t exp(p_t (L_t - z_t) / mu) tends to max_t p_t (L_t - z_t) as mu goes to 0
    and is convex where the losses are.

    Parameters
    ----------
    mu : float in (0, inf), default=1.0
        Smoothness, in units of the losses; n_tasks times that of [1]_.
    reference : "optima" or array-like of shape (n_tasks,), default=None
        The losses z_t from which the tasks are measured; "optima": the least loss of each task, the
        statistics then hold the excess over it. None: zero.
    preference, smoothing, max_norm, scale_heads
        As in every :class:`Balancer`.

    Notes
    -----
    The importances lambda_t of [1]_ sum to one. Here they are p_t = n_tasks lambda_t, of mean one,
    and so the value is n_tasks times the paper's at its smoothness mu / n_tasks: the minimiser is
    the same, weights are n_tasks times as large. The paper's (lambda, mu) is
    ``STCH(n_tasks * mu, preference=lambda)``.

    References
    ----------
    .. [1] X. Lin, X. Zhang, Z. Yang, F. Liu, Z. Wang and Q. Zhang, "Smooth Tchebycheff
       scalarization for multi-objective optimization", ICML 2024, arXiv:2402.19078.

    Examples
    --------
    >>> from skmtl.balancing import STCH, balance
    >>> balance([[1.0, 0.0], [0.0, 1.0]], [1.0, 3.0], STCH(mu=1.0)).weights.round(3)
    array([0.119, 0.881])
    """

    promises = frozenset({"equivariant", "nonnegative", "linear_under_scaling"})
    unit_sum = True

    mu: float = 1.0
    _: KW_ONLY
    reference: Any = None

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]  # parameters decide
        return frozenset({"excess"} if self._from_optima else {"losses"})

    @property
    def _from_optima(self) -> bool:
        return isinstance(self.reference, str) and self.reference == "optima"

    def check(self, n_tasks: int) -> None:
        super().check(n_tasks)
        check_strength("mu", self.mu, infinite=False)
        self._reference(n_tasks)

    def start(self, n_tasks: int, rng: np.random.RandomState) -> OwnState:
        return {"reference": self._reference(n_tasks)}

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        losses = stats.excess if self._from_optima else stats.losses
        values = np.nan_to_num(p * (losses - own["reference"]))
        softmax = np.exp(exponentiated(np.zeros(len(p)), values, 1 / self.mu)) / len(p)
        return Answer(p * softmax, own)

    def _reference(self, n_tasks: int) -> np.ndarray:
        if self.reference is None or self._from_optima:
            return np.zeros(n_tasks)
        return check_task_values("reference", self.reference, n_tasks, 'None, "optima"')
