"""Dynamic weight average: w = T softmax(r / temperature), r_t = L_t(last epoch) / L_t(one before).

The losses are means over the epochs; the first two epochs have no ratio yet, and equal weights.
"""

import numpy as np

from .._checks import check_strength
from ._balancer import LARGEST, Answer, Balancer, OwnState
from ._parameters import parameter_holder
from ._simplex import shares
from ._stats import TaskStats


@parameter_holder
class DWA(Balancer):
    """More weight for tasks whose losses fall slowly from epoch to epoch.

    w_t is proportional to p_t exp(r_t / temperature), with sum n_tasks. As the ratios r_t are near
    1 the weights are too, and so are those of a linear model, whose losses stay where they are once
    it is fitted: there it is :class:`Equal`.

    Parameters
    ----------
    temperature : float in (0, inf), default=2.0
        The larger, the more equal the weights.
    preference, smoothing, max_norm, scale_heads
        As in every :class:`Balancer`.

    Notes
    -----
    Where the statistics hold no number of the epoch each step is an epoch. An epoch's mean is that
    over the steps at which the task was there; a ratio of a loss that is not positive is 1, and
    that to a later one that is not positive 0.

    References
    ----------
    S. Liu, E. Johns and A. J. Davison, "End-to-end multi-task learning with attention", CVPR 2019,
    section 3.3.

    Examples
    --------
    >>> from skmtl.balancing import balance
    >>> J, state = [[1.0, 0.0], [0.0, 1.0]], None
    >>> for losses in ([1.0, 4.0], [1.0, 2.0], [1.0, 1.0]):
    ...     step = balance(J, losses, "dwa", state)
    ...     state = step.state
    >>> step.weights.round(3)  # the ratios are 1 and 1/2
    array([1.124, 0.876])
    """

    needs = frozenset({"losses"})
    welcomes = frozenset({"epoch"})
    promises = frozenset({"equivariant", "nonnegative", "linear_under_scaling"})
    remembers = True

    temperature: float = 2.0

    def check(self, n_tasks: int) -> None:
        super().check(n_tasks)
        check_strength("temperature", self.temperature, infinite=False)

    def start(self, n_tasks: int, rng: np.random.RandomState) -> OwnState:
        zeros, unknown = np.zeros(n_tasks), np.full(n_tasks, np.nan)
        past = {"last": unknown, "before": unknown}
        return {"epoch": zeros - 1, "sum": zeros, "count": zeros, **past}

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        own = _noted(stats, own)
        last, before = own["last"], own["before"]
        known = before > 0
        ratio = np.where(known, np.clip(last, 0, None) / np.where(known, before, 1.0), 1.0)
        ratio = np.minimum(ratio, LARGEST)
        return Answer(shares((ratio - ratio.max()) / self.temperature, p), own)


def _noted(stats: TaskStats, own: OwnState) -> OwnState:
    """State with this step's losses added; a task's epoch ends at its first step in another."""
    epoch = own["epoch"] + 1 if stats.epoch is None else np.full(stats.n_tasks, float(stats.epoch))
    new = epoch != own["epoch"]
    ended = new & (own["count"] > 0)
    mean = own["sum"] / np.maximum(own["count"], 1)
    return {
        "epoch": epoch,
        "sum": np.where(new, 0.0, own["sum"]) + stats.losses,
        "count": np.where(new, 0.0, own["count"]) + 1,
        "last": np.where(ended, mean, own["last"]),
        "before": np.where(ended, own["last"], own["before"]),
    }
