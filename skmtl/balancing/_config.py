"""Conflict-free inverse: d parallel to U^+ 1 for the unit rows U, as long as sum g_t'd / ||d||."""

from dataclasses import field

import numpy as np

from ._balancer import LARGEST, Answer, Balancer, OwnState, State
from ._cone import share_equally
from ._imtl_g import check_cosines, equal_cosines, per_unit_gradient, reached
from ._parameters import parameter_holder
from ._stats import TaskStats


@parameter_holder
class ConFIG(Balancer):
    """The direction of equal cosines to all gradients, as long as their projections on it.

    d = (sum_t p_t g_t'e) e with e parallel to U^+ p, U the unit gradients: its cosines to the
    gradients are proportional to p, in the sense of least squares where the gradients depend on one
    another. It is that of :class:`IMTLG` but for its length, also in that weights may be negative
    and that a descent may then end at a point that is not Pareto stationary, in its status, and in
    that linear models refuse it where gradients depend on one another from the start.

    Parameters
    ----------
    preference, smoothing, max_norm, scale_heads
        As in every :class:`Balancer`, but `scale_heads` is False by default: gradients are
        combined, not losses.

    References
    ----------
    Q. Liu, M. Chu and N. Thuerey, "ConFIG: towards conflict-free training of physics informed
    neural networks", ICLR 2025, arXiv:2408.11104, section 3.

    Examples
    --------
    >>> from skmtl.balancing import balance
    >>> balance([[3.0, 0.0], [0.0, 1.0]], balancer="config").direction
    array([2., 2.])
    """

    promises = frozenset({"equivariant"})

    scale_heads: bool = field(default=False, kw_only=True)

    def merit(self, stats: TaskStats, state: State) -> np.ndarray:
        return per_unit_gradient(self, stats)

    def check_descent(self, stats: TaskStats) -> None:
        check_cosines(self, stats)

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        s, C = stats.norms, stats.unit_gramian
        z, cosines = equal_cosines(C, p)
        length = (p * (s / s.max())) @ cosines / (z @ cosines)
        weights = z * length * np.minimum(s.max() / s, LARGEST)
        return Answer(share_equally(weights, s / p, C), own, reached(p, cosines))
