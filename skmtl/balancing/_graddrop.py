"""GradDrop: in each coordinate the gradients of one sign alone, drawn by the signs' shares."""

from dataclasses import field

import numpy as np

from .._backend import Array, namespace_of
from ._balancer import Answer, Balancer, OwnState, State
from ._parameters import drawn, parameter_holder
from ._stats import TaskStats, beside


@parameter_holder
class GradDrop(Balancer):
    """Sum of the gradients, where they disagree in sign of those of one sign alone.

    In coordinate k the positive entries p_t g_tk are kept with probability
    P_k = (1 + sum_t p_t g_tk / sum_t abs(p_t g_tk)) / 2, else the negative ones, one draw for all
    tasks. In the mean over draws that is sum_t p_t g_t again: what is added is noise, in the
    coordinates in which tasks disagree. The direction is no weighted sum of the gradients, so that
    :func:`balance` returns no weights.

    Parameters
    ----------
    preference : array-like of shape (n_tasks,), default=None
        Factors of the gradients; as in every :class:`Balancer`.
    smoothing, max_norm, scale_heads
        As in every :class:`Balancer`, but `scale_heads` is False by default: gradients are
        combined, not losses. The weights in the state are the preferences, so that `smoothing`
        changes nothing.

    References
    ----------
    Z. Chen, J. Ngiam, Y. Huang, T. Luong, H. Kretzschmar, Y. Chai and D. Anguelov, "Just pick a
    sign: optimizing deep multitask models with gradient sign dropout", NeurIPS 2020,
    arXiv:2010.06808, algorithm 1, with the identity for f and without leak, on the gradients of the
    parameters.

    Examples
    --------
    The tasks agree in the first coordinate and not in the second:

    >>> from skmtl.balancing import balance
    >>> J = [[1.0, 2.0], [1.0, -2.0]]
    >>> [balance(J, balancer="graddrop", random_state=seed).direction.tolist() for seed in (0, 2)]
    [[2.0, -2.0], [2.0, 2.0]]
    """

    needs = frozenset({"jacobian"})
    promises = frozenset({"equivariant", "nonnegative"})
    owns_direction = True
    settles = False

    scale_heads: bool = field(default=False, kw_only=True)

    def start(self, n_tasks: int, rng: np.random.RandomState) -> OwnState:
        return {"seed": rng.randint(2**31)}

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        return Answer(p, {"seed": own["seed"] + 1})  # of the next draw, which `combine` makes

    def combine(self, stats: TaskStats, state: State) -> Array:
        J, total = stats.wide_jacobian, float(state.weights.sum())
        xp = namespace_of(J)
        rows = J * beside(state.weights / total, J)[:, None]  # sums no longer than the longest
        none = xp.zeros_like(rows)
        up = xp.sum(xp.where(rows > 0, rows, none), axis=0)
        down = xp.sum(xp.where(rows < 0, rows, none), axis=0)
        size = up - down
        rng, _ = drawn(state.own["seed"])  # the host draws, so that all libraries see the same
        draw = beside(rng.random(J.shape[1]), J)
        direction = xp.where(up > draw * size, up, down) * total
        return stats.like_jacobian(direction)
