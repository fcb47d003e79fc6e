"""GradVac: gradients turned towards each other until their cosines reach running means of these.

As PCGrad, whose target is always 0.  What must be added of the unit gradient j to a vector of
length l at cosine c from it, to get to cosine t, is l (t sqrt(1 - c^2) / sqrt(1 - t^2) - c).
"""

from dataclasses import field

import numpy as np

from ._balancer import Answer, Balancer, OwnState
from ._parameters import check_share, drawn, parameter_holder
from ._stats import TaskStats
from ._surgery import lengths, visits, weights_of_sum

CLOSEST = 1 - 1e-6  # largest target: no multiple of one gradient turns another into its direction
MOST = 1e100  # largest coefficient, whose square stays finite


@parameter_holder
class GradVac(Balancer):
    """Sum of the gradients, each turned towards those that it is less similar to than usual.

    As in :class:`PCGrad` each gradient visits the others in an order drawn at each step. Where its
    cosine with the other is below the pair's target, as much of the other is added as brings it
    there. Targets begin at 0 and follow the cosines seen, target <- (1 - beta) target + beta
    cosine. The first step is that of :class:`PCGrad`.

    Parameters
    ----------
    beta : float in [0, 1), default=0.5
        Share of the last cosine in the targets; 0 is :class:`PCGrad`. The paper's is 0.01.
    preference : array-like of shape (n_tasks,), default=None
        Factors of the turned gradients in the sum; as in every :class:`Balancer`.
    smoothing, max_norm, scale_heads
        As in every :class:`Balancer`, but `scale_heads` is False by default: gradients are
        combined, not losses.

    Notes
    -----
    Targets stop at 1 - 1e-6: near 1, multiples without bound would be added.

    References
    ----------
    Z. Wang, Y. Tsvetkov, O. Firat and Y. Cao, "Gradient vaccine: investigating and improving
    multi-task optimization in massively multilingual models", ICLR 2021, arXiv:2010.05874,
    algorithm 1.

    Examples
    --------
    >>> from skmtl.balancing import balance
    >>> first = balance([[1.0, 0.0], [0.8, 0.6]], balancer="gradvac")
    >>> first.weights
    array([1., 1.])
    >>> first.state.own["target"]
    array([[0. , 0.4],
           [0.4, 0. ]])
    >>> balance([[1.0, 0.0], [0.0, 1.0]], balancer="gradvac", state=first.state).weights.round(3)
    array([1.436, 1.436])
    """

    promises = frozenset({"nonnegative", "linear_under_scaling"})
    pairs = frozenset({"target"})
    remembers = True
    settles = False

    beta: float = 0.5
    scale_heads: bool = field(default=False, kw_only=True)

    def check(self, n_tasks: int) -> None:
        super().check(n_tasks)
        check_share("beta", self.beta)

    def start(self, n_tasks: int, rng: np.random.RandomState) -> OwnState:
        return {"seed": rng.randint(2**31), "target": np.zeros((n_tasks, n_tasks))}

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        s, C, target = stats.norms, stats.unit_gramian, own["target"].copy()
        rng, seed = drawn(own["seed"])
        A, i = np.eye(len(p)), np.arange(len(p))
        for j in visits(rng, len(p)):
            length, goal = lengths(A, C), target[i, j]
            there = length > 0  # what has vanished has no cosine
            cosine = (A * C[j]).sum(axis=1) / np.where(there, length, 1.0)
            cosine = np.where(there, np.clip(cosine, -1, 1), goal)
            A[i, j] = np.minimum(A[i, j] + length * _missing(cosine, goal), MOST)
            target[i, j] = (1 - self.beta) * goal + self.beta * cosine
        return Answer(weights_of_sum(A, s, p), {"seed": seed, "target": target})


def _missing(cosine: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """Multiple of a unit vector that brings another, of length one, to a cosine with it."""
    goal = np.clip(goal, -CLOSEST, CLOSEST)
    return np.maximum(goal * np.sqrt((1 - cosine**2) / (1 - goal**2)) - cosine, 0)
