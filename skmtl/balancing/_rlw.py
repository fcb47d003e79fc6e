"""Random weights: w = softmax(z) with z ~ N(0, I) drawn anew at each step."""

import numpy as np

from ._balancer import Answer, Balancer, OwnState
from ._parameters import drawn
from ._simplex import shares
from ._stats import TaskStats


class RLW(Balancer):
    """Random loss weights: a baseline that any rule for the weights should beat.

    w_t is proportional to p_t exp(z_t) for independent standard normal z_t, with sum 1. `balance`
    and the perceptrons seed it by their `random_state`; linear models refuse it, as it has no
    fixed point.

    Parameters
    ----------
    preference, smoothing, max_norm, scale_heads
        As in every :class:`Balancer`.

    References
    ----------
    B. Lin, F. Ye, Y. Zhang and I. W. Tsang, "Reasonable effectiveness of random weighting: a litmus
    test for multi-task learning", Transactions on Machine Learning Research, 2022.

    Examples
    --------
    >>> from skmtl.balancing import balance
    >>> first = balance([[1.0, 0.0], [0.0, 1.0]], balancer="rlw", random_state=0)
    >>> first.weights.sum().round(12), bool((first.weights > 0).all())
    (np.float64(1.0), True)
    """

    needs = frozenset[str]()
    promises = frozenset({"nonnegative", "linear_under_scaling"})
    settles = False
    unit_sum = True

    def start(self, n_tasks: int, rng: np.random.RandomState) -> OwnState:
        return {"seed": rng.randint(2**31)}

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        rng, seed = drawn(own["seed"])
        return Answer(shares(rng.normal(size=len(p)), p) / len(p), {"seed": seed})
