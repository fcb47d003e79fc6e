"""Direction-based bargaining: w_t = ||theta - theta_t*|| / ||g_t||, theta_t* the optimum of task t.

Only directions of gradients count, so increasing transforms of the losses change nothing.
"""

from dataclasses import KW_ONLY

import numpy as np

from .._checks import check_count, check_option, check_strength
from ._balancer import Answer, Balancer, OwnState
from ._parameters import parameter_holder
from ._stats import TaskStats


@parameter_holder
class DiBS(Balancer):
    """Direction-based bargaining solution: each task pulls with its distance to its own optimum.

    d = sum_t p_t ||theta - theta_t*|| g_t / ||g_t||. Its fixed points are Pareto stationary, and
    where the Hessians are multiples of the identity they are the centroid of the optima. Where the
    optima are unknown, only the mean of the unit gradients is left, which stops at the first
    Pareto-stationary point that it meets.

    Parameters
    ----------
    mode : {"auto", "exact", "direction", "multi_step"}, default="auto"
        "exact": with the distances, as given in the statistics; "direction": all distances equal,
        w_t = p_t / (n_tasks ||g_t||); "multi_step": optima at distance `radius` against each
        gradient, and a few steps towards the bargain on the linearised losses; "auto": exact where
        distances are given, else direction.
    radius : float in (0, inf), default=1e-3
        Distance of the assumed optima for "multi_step"; the weights are proportional to it.
    step_size : float in (0, inf), default=2e-4
        Step for "multi_step". The published one is so small that the inner steps are nearly alike.
    n_inner : int >= 1, default=5
        Steps for "multi_step"; they end early outside the ball of the radius.
    preference, smoothing, max_norm, scale_heads
        As in every :class:`Balancer`.

    Notes
    -----
    Increasing functions of the objectives f_t change neither unit gradients nor optima, so they
    change nothing. In linear models the objective of a task is f_t = N/T L_t + penalties / T, for N
    labels in T tasks and its mean loss L_t, and the distance is that to the nearest of its
    minimisers, which intercepts of other tasks do not matter to if they are free. Scaling L_t alone
    scales f_t, and so changes nothing, where the penalties are negligible; else it changes how much
    the task shrinks, and its optimum.

    References
    ----------
    K. Gupta, S. Murthy, M. O. Karabag, U. Topcu and D. Fridovich-Keil, "Cooperative bargaining
    games without utilities: mediated solutions from direction oracles", NeurIPS 2025,
    arXiv:2505.14817.
    S. Murthy, K. Gupta, M. O. Karabag, D. Fridovich-Keil and U. Topcu, "DiBS-MTL:
    transformation-invariant multitask learning with direction oracles", 2025, arXiv:2509.23948.

    Examples
    --------
    At 0.1, x^2 pulls down by 0.1 and (x - 1)^2 up by 0.9:

    >>> from skmtl.balancing import balance
    >>> balance([[0.2], [-1.8]], balancer="dibs", distances=[0.1, 0.9]).direction
    array([-0.8])
    """

    promises = frozenset({"equivariant", "nonnegative", "scale_invariant"})

    mode: str = "auto"
    _: KW_ONLY
    radius: float = 1e-3
    step_size: float = 2e-4
    n_inner: int = 5

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]  # parameters decide
        return frozenset({"gramian", "distances"} if self.mode == "exact" else {"gramian"})

    @property
    def welcomes(self) -> frozenset[str]:  # type: ignore[override]  # parameters decide
        return frozenset({"distances"} if self.mode == "auto" else ())

    def check(self, n_tasks: int) -> None:
        super().check(n_tasks)
        check_option("mode", self.mode, ("auto", "exact", "direction", "multi_step"))
        check_strength("radius", self.radius, infinite=False)
        check_strength("step_size", self.step_size, infinite=False)
        check_count("n_inner", self.n_inner)

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        pull = p / len(p)
        if self.mode == "multi_step":
            pull = self._bargain(stats.unit_gramian, p)
        elif "distances" in self.reads(stats):
            pull = p * stats.distances
        return Answer(pull / stats.norms, own)

    def _bargain(self, C: np.ndarray, p: np.ndarray) -> np.ndarray:
        """Coefficients c of the unit gradients after the inner steps, the displacement -sum c u."""
        c = np.zeros(len(C))
        for _ in range(self.n_inner):
            away = np.eye(len(C)) - c  # row t: from the displacement to task t's optimum
            c = c + self.step_size * p * np.sqrt(np.maximum(((away @ C) * away).sum(axis=1), 0))
            if c @ C @ c > 1:
                break
        return self.radius * c
