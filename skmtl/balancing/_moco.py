"""MoCo: multiple-gradient descent whose gradients and weights are both tracked over the steps.

y_t <- y_t - b (y_t - L_t g_t / ||g_t||), w <- P(w - c (Y Y' + rho I) w), d = Y'w, with P the
projection onto the simplex and b, c falling with the steps.
"""

from dataclasses import KW_ONLY

import numpy as np

from .._backend import Array
from .._checks import check_strength
from ._balancer import Answer, Balancer, OwnState, State
from ._log_losses import positive
from ._own_direction import combine_tracked, tracked
from ._parameters import parameter_holder
from ._stats import TaskStats, beside

LONGEST = 1e150  # row whose square does not overflow


@parameter_holder
class MoCo(Balancer):
    """Multi-objective gradients with correction: a stochastic :class:`MGDA`.

    The shortest combination of noisy gradients is not the noisy one of the gradients. Here the
    gradients are averaged over steps, and the weights w make a step towards the shortest
    combination of the averages. The direction is made of running means, so that :func:`balance`
    returns no weights; those in the state multiply the means.

    Parameters
    ----------
    beta : float in (0, 1], default=0.5
        Share of the last gradient in a running mean, times step^(-sigma).
    gamma : float in (0, inf), default=0.1
        Step of the weights, times step^(-sigma).
    sigma : float in [0, inf), default=0.5
        How fast both fall.
    rho : float in [0, inf), default=0.0
        Pulls the weights towards equal ones.
    preference : array-like of shape (n_tasks,), default=None
        The shortest combination is sought of y_t / p_t, as in :class:`MGDA`.
    smoothing, max_norm, scale_heads
        As in every :class:`Balancer`.

    Notes
    -----
    As in the authors' program a gradient is given the length of its loss, so that the step `gamma`
    is right for losses of order one, and means begin at zero, so that the first direction is
    shorter by the factor beta. The projection is the paper's; that program takes softmax(w - ...)
    in its place, which keeps the weights near equal. Losses that are not positive count as the
    smallest that rounding tells from zero. The state is as large as the Jacobian.

    References
    ----------
    H. Fernando, H. Shen, M. Liu, S. Chaudhury, K. Murugesan and T. Chen, "Mitigating gradient bias
    in multi-objective learning: a provably convergent approach", ICLR 2023, algorithm 1.

    Examples
    --------
    >>> from skmtl.balancing import balance
    >>> first = balance([[5.0, 0.0], [0.0, 0.1]], [2.0, 1.0], "moco")
    >>> first.state.weights, first.direction
    (array([0.48125, 0.51875]), array([0.48125 , 0.259375]))
    """

    needs = frozenset({"jacobian", "losses"})
    promises = frozenset({"equivariant", "nonnegative"})
    long = frozenset({"tracked"})
    remembers = True
    owns_direction = True
    unit_sum = True

    beta: float = 0.5
    _: KW_ONLY
    gamma: float = 0.1
    sigma: float = 0.5
    rho: float = 0.0

    def check(self, n_tasks: int) -> None:
        super().check(n_tasks)
        if check_strength("beta", self.beta, infinite=False) > 1:
            raise ValueError(f"beta must be in (0, 1], got {self.beta!r}.")
        check_strength("gamma", self.gamma, infinite=False)
        check_strength("sigma", self.sigma, zero=True, infinite=False)
        check_strength("rho", self.rho, zero=True, infinite=False)

    def start(self, n_tasks: int, rng: np.random.RandomState) -> OwnState:
        return {"steps": np.zeros(n_tasks), "shares": np.ones(n_tasks)}

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        J, shares = stats.wide_jacobian, own["shares"] / (own["shares"].sum() or 1.0)
        rows = J / beside(stats.norms, J)[:, None] * beside(positive(stats.losses), J)[:, None]
        own = tracked(own, rows, lambda t: self.beta / t**self.sigma)
        means = TaskStats(own["tracked"])
        lengths = np.minimum(means.norms / p, LONGEST)
        slope = lengths * (means.unit_gramian @ (lengths * shares)) + self.rho * shares
        shares = on_simplex(shares - self.gamma / own["steps"].max() ** self.sigma * slope)
        return Answer((shares / p) / (shares / p).sum(), own | {"shares": shares})

    def combine(self, stats: TaskStats, state: State) -> Array:
        return combine_tracked(stats, state)


def on_simplex(v: np.ndarray) -> np.ndarray:
    """The point of the simplex nearest to v."""
    v = v - v.max()
    highest = np.sort(v)[::-1]
    levels = (np.cumsum(highest) - 1) / np.arange(1, len(v) + 1)
    return np.maximum(v - levels[highest > levels][-1], 0)
