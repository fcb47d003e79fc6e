"""PCGrad: from each gradient its projections on gradients that it conflicts with, one by one.

In unit rows: A starts as I, then A_ij <- A_ij - min((A C)_ij, 0) for the j in random order, and
d = sum_i p_i ||g_i|| (A U)_i for the unit gradients U, of Gramian C.
"""

from dataclasses import field

import numpy as np

from ._balancer import Answer, Balancer, OwnState
from ._parameters import drawn, parameter_holder
from ._stats import TaskStats
from ._surgery import visits, weights_of_sum


@parameter_holder
class PCGrad(Balancer):
    """Sum of the gradients, each freed of its conflicts with the others, one after another.

    Each gradient visits the others, as they are, in an order drawn anew at each step, and loses its
    projection on those that it then has a negative product with. A visit may bring back a conflict
    that an earlier one had removed: :class:`UPGrad` projects on all at once. For two tasks no order
    matters, and d is that of :class:`UPGrad` times 2. It is linear in the scale of each gradient.

    Parameters
    ----------
    preference : array-like of shape (n_tasks,), default=None
        Factors of the gradients in the sum, once they are freed of conflict; as in every
        :class:`Balancer`.
    smoothing, max_norm, scale_heads
        As in every :class:`Balancer`, but `scale_heads` is False by default: gradients are
        combined, not losses.

    References
    ----------
    T. Yu, S. Kumar, A. Gupta, S. Levine, K. Hausman and C. Finn, "Gradient surgery for multi-task
    learning", NeurIPS 2020, arXiv:2001.06782, algorithm 1.

    Examples
    --------
    >>> from skmtl.balancing import balance
    >>> balance([[1.0, 0.0], [-1.0, 1.0]], balancer="pcgrad").direction
    array([0.5, 1.5])
    """

    promises = frozenset({"nonnegative", "linear_under_scaling"})
    settles = False

    scale_heads: bool = field(default=False, kw_only=True)

    def start(self, n_tasks: int, rng: np.random.RandomState) -> OwnState:
        return {"seed": rng.randint(2**31)}

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        s, C = stats.norms, stats.unit_gramian
        rng, seed = drawn(own["seed"])
        A, i = np.eye(len(p)), np.arange(len(p))
        for j in visits(rng, len(p)):
            A[i, j] -= np.minimum((A * C[j]).sum(axis=1), 0)
        return Answer(weights_of_sum(A, s, p), {"seed": seed})
