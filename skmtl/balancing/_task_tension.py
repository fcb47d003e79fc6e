"""Task tension: a direction of equal gains for all tasks, drawn to tasks that make no headway.

All vectors lie in the span of the gradients: c, g_t - c and the projection of d are kept as
coefficients of the unit gradients.
"""

import numpy as np
from scipy.special import expit

from .._backend import Array
from .._checks import check_count
from ._balancer import LARGEST, Answer, Balancer, OwnState, State
from ._cone import agreeing, cone_root, min_norm_weights, projection
from ._parameters import check_share, parameter_holder
from ._stats import TaskStats
from ._surgery import lengths

TINY = float(np.finfo(np.float64).tiny)


@parameter_holder
class TaskTension(Balancer):
    """Central direction of the tasks, with a tension towards each that depends on its convergence.

    With w the least-norm weights of the unit gradients u_t, c = sum_t w_t u_t / sum_t (w_t /
    ||g_t||) is a convex combination of the gradients. The tension tau_t = alpha / (1 + exp(e - e
    k_t)) + 1 - alpha, in [1 - alpha, 1], grows with k_t = r_t + log10 L_t, where r_t is the sum of
    the last `window` norms of the gradient over the same sum one step before. The direction is
    c + sum_t tau_t (g_t - c) / ||g_t - c||, projected onto the cone of those that no task loses
    from. A task without `window` + 1 norms has no tension yet, nor has one with g_t = c.

    Parameters
    ----------
    alpha : float in [0, 1), default=0.3
        How much the tension depends on the convergence.
    window : int >= 1, default=10
        Number of norms in a sum.
    preference : array-like of shape (n_tasks,), default=None
        Factors of the tensions; c is that of u_t / p_t, so that the cosines with c of the tasks
        that determine it are proportional to it. As in every :class:`Balancer`.
    smoothing, max_norm, scale_heads
        As in every :class:`Balancer`.

    Notes
    -----
    A tension has a length of its own, at most 1, whatever the unit of the losses: it is nothing
    beside long gradients and all there is beside short ones. So the direction does not fade out as
    the gradients do, and needs a step length that does. The published program moves d into
    agreement with one task after another, in their order, and shortens it; the projection agrees
    with all at once. The weights of gradients may be negative.

    References
    ----------
    A. T. M. Nakamura, V. Grassi and D. F. Wolf, "Leveraging convergence behavior to balance
    conflicting tasks in multi-task learning", Neurocomputing 511, 2022, arXiv:2204.06698.

    Examples
    --------
    >>> from skmtl.balancing import TaskTension, balance
    >>> J, losses, tension = [[2.0, 0.0], [0.0, 1.0]], [1.0, 0.01], TaskTension(window=1)
    >>> first = balance(J, losses, tension)
    >>> first.direction.round(3)
    array([0.667, 0.667])
    >>> balance(J, losses, tension, first.state).direction.round(3)
    array([0.8, 0.6])
    """

    needs = frozenset({"gramian", "losses"})
    promises = frozenset({"equivariant", "nonconflicting"})
    remembers = True
    unit_sum = True

    alpha: float = 0.3
    window: int = 10

    def check(self, n_tasks: int) -> None:
        super().check(n_tasks)
        check_share("alpha", self.alpha)
        check_count("window", self.window)

    def start(self, n_tasks: int, rng: np.random.RandomState) -> OwnState:
        return {"norms": np.zeros((n_tasks, self.window + 1))}

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        s, C = np.minimum(stats.norms, LARGEST), stats.unit_gramian
        norms = np.column_stack([own["norms"][:, 1:], s])
        c = _centre(s, stats, p)
        tension = np.where(norms.all(axis=1), p * self._tension(norms, stats.losses), 0.0)
        if tension.any():
            units = _units(np.diag(s) - c, C)
            c = _agreeing(c + tension @ units, stats)
        return Answer(c / s, {"norms": norms})

    def combine(self, stats: TaskStats, state: State) -> Array:
        return agreeing(self, stats, state)

    def _tension(self, norms: np.ndarray, losses: np.ndarray) -> np.ndarray:
        norms = norms / norms.max(axis=1, keepdims=True)
        last, before = norms[:, 1:].sum(axis=1), norms[:, :-1].sum(axis=1)
        k = last / np.maximum(before, TINY) + np.log10(np.maximum(losses, TINY))
        return self.alpha * expit(np.e * (k - 1)) + 1 - self.alpha


def _centre(s: np.ndarray, stats: TaskStats, p: np.ndarray) -> np.ndarray:
    """Coefficients of the central direction."""
    w = min_norm_weights(1 / p, stats) / p
    used = w > 0
    least = s[used].min()  # the unit in which the others' inverses do not overflow
    return w * (least / (w[used] @ (least / s[used])))


def _units(A: np.ndarray, C: np.ndarray) -> np.ndarray:
    """Coefficients of the vectors scaled to length 1; zeros for vectors of rounding size."""
    largest = np.abs(A).max(axis=1, keepdims=True)
    A = A / np.where(largest > 0, largest, 1.0)
    length = lengths(A, C)[:, None]
    return np.divide(A, length, out=np.zeros_like(A), where=length > 0)


def _agreeing(a: np.ndarray, stats: TaskStats) -> np.ndarray:
    """Coefficients of the projection of sum_t a_t u_t onto the cone {d: u_t'd >= 0}."""
    if (stats.unit_gramian @ a >= 0).all():
        return a
    size = np.abs(a).max()
    return size * projection(cone_root(stats), a / size)
