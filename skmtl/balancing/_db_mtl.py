"""DB-MTL: gradients of log losses, averaged over steps, all brought to the length of the longest.

b_t <- (1 - k) grad log L_t + k b_t, k = beta / step^sigma; d = sum p_t max_j ||b_j|| b_t / ||b_t||.
"""

from dataclasses import KW_ONLY

import numpy as np

from .._backend import Array
from .._checks import check_strength
from ._balancer import LARGEST, Answer, Balancer, OwnState, State
from ._log_losses import positive
from ._own_direction import combine_tracked, tracked
from ._parameters import check_share, parameter_holder
from ._stats import TaskStats, beside


@parameter_holder
class DBMTL(Balancer):
    """Dual balancing: log losses for the units, equal lengths for the pulls of the tasks.

    Every task contributes a vector of the same length, that of the longest running mean of
    gradients of log losses. Scaling a loss changes nothing. The direction is made of running means,
    so that :func:`balance` returns no weights; those in the state multiply the means.

    Parameters
    ----------
    beta : float in [0, 1), default=0.9
        Share of the past in a running mean; 0: none.
    sigma : float in [0, inf), default=0.0
        The share falls as step^(-sigma).
    preference : array-like of shape (n_tasks,), default=None
        Factors of the contributions' lengths; as in every :class:`Balancer`.
    smoothing, max_norm, scale_heads
        As in every :class:`Balancer`.

    Notes
    -----
    Means begin at zero, so that the first step is shorter by the factor 1 - beta and a first
    gradient has the weight of any other; with `sigma=0` they reach 1 - beta^t of full length after
    t steps. Losses that are not positive count as the
    smallest that rounding tells from zero. The state is as large as the Jacobian.

    References
    ----------
    B. Lin, W. Jiang, F. Ye, Y. Zhang, P. Chen, Y.-C. Chen, S. Liu and J. T. Kwok, "Dual-balancing
    for multi-task learning", 2023, arXiv:2308.12029, algorithm 1.

    Examples
    --------
    >>> from skmtl.balancing import balance
    >>> balance([[30.0, 0.0], [0.0, 0.2]], [10.0, 0.1], "db_mtl").direction
    array([0.3, 0.3])
    """

    needs = frozenset({"jacobian", "losses"})
    promises = frozenset({"equivariant", "nonnegative"})
    long = frozenset({"tracked"})
    remembers = True
    owns_direction = True

    beta: float = 0.9
    _: KW_ONLY
    sigma: float = 0.0

    def check(self, n_tasks: int) -> None:
        super().check(n_tasks)
        check_share("beta", self.beta)
        check_strength("sigma", self.sigma, zero=True, infinite=False)

    def start(self, n_tasks: int, rng: np.random.RandomState) -> OwnState:
        return {"steps": np.zeros(n_tasks)}

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        J = stats.wide_jacobian
        losses = np.maximum(positive(stats.losses), stats.norms / LARGEST)
        own = tracked(own, J / beside(losses, J)[:, None], lambda t: 1 - self.beta / t**self.sigma)
        norms = TaskStats(own["tracked"]).norms
        weights = np.divide(p * norms.max(), norms, out=np.zeros(len(p)), where=norms > 0)
        return Answer(weights, own)

    def combine(self, stats: TaskStats, state: State) -> Array:
        return combine_tracked(stats, state)
