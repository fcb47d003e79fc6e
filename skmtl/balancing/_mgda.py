"""Multiple-gradient descent: w = argmin ||J'w|| over the simplex, by NNLS."""

import numpy as np

from ._balancer import Answer, Balancer, OwnState
from ._cone import min_norm_weights
from ._stats import TaskStats


class MGDA(Balancer):
    """Shortest convex combination of the gradients.

    d = J'w satisfies g_t'd >= ||d||^2 for every task, with equality where w_t > 0, and vanishes
    only at Pareto-stationary points. With preferences the rows are g_t / p_t, so that the progress
    assured to a task is proportional to its preference. Equal gradients get equal weights.

    Parameters
    ----------
    preference, smoothing, max_norm, scale_heads
        As in every :class:`Balancer`.

    References
    ----------
    J.-A. Désidéri, "Multiple-gradient descent algorithm (MGDA) for multiobjective optimization",
    Comptes Rendus Mathematique 350, 2012.
    O. Sener and V. Koltun, "Multi-task learning as multi-objective optimization", NeurIPS 2018.

    Examples
    --------
    >>> from skmtl.balancing import balance
    >>> balance([[2.0, 0.0], [0.0, 1.0]], balancer="mgda").weights
    array([0.2, 0.8])
    """

    promises = frozenset({"equivariant", "nonnegative", "nonconflicting"})
    unit_sum = True

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        return Answer(steepest_weights(stats, p), own)


def steepest_weights(stats: TaskStats, p: np.ndarray) -> np.ndarray:
    """Weights, with sum 1, of the direction that assures most progress in proportion to p."""
    w = min_norm_weights(stats.norms / p, stats) / p
    return w / w.sum()
