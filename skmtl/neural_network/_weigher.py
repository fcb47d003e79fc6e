"""Asking a balancer: what it sees of some gradients, and what to do with them by its answer.

sum_t w_t g_t is scaled to the length of the mean gradient, and so is a direction that is no such
sum; parameters of a single task follow its own gradient.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._backend import namespace_of
from ..balancing import TaskStats
from ._pass import combined

GRADIENTS = frozenset({"gramian", "jacobian"})
MOST = 10.0  # of a mean: where gradients cancel, at Pareto-stationary points, noise is left
UNSEEN = None, None, None  # norms, cosines and Jacobian of gradients that a balancer does not read


@dataclass(eq=False)
class Weigher:
    """A balancer with its state and its last answer.

    Attributes
    ----------
    balancing : Balancing
    state : State
        Of the balancer.
    share : ndarray of shape (n_tasks,)
        Weights over their sum.
    pull : ndarray of shape (n_tasks,)
        Multipliers of each task's mean gradient in the shared parameters.
    direction : array of shape (n_shared,) or None
        What these follow instead, where the balancer's direction is no weighted sum.
    """

    balancing: Any
    state: Any

    def __post_init__(self):
        T = len(self.balancing.tasks)
        self.share, self.pull, self.direction = np.ones(T) / T, np.ones(T) / T, None

    def ask(self, gradients, one, *, epoch, **vectors):
        """Ask the balancer, who is told of (norms, cosines, Jacobian), each None if not read.

        `vectors` are other statistics of the network's tasks.
        """
        norms, C, _ = gradients
        stats, balancer = self._statistics(gradients, one, epoch, vectors), self.balancing.balancer
        w, self.state = balancer.step(stats, self.state)
        if balancer.owns_direction:
            self.share = one.even
            self.direction = _of_length(
                balancer.combine(stats, self.state), _length(one.even * norms, C)
            )
            return
        w = np.where(one.present, self.balancing.of_network(w), 0.0)
        share = w / (np.abs(w).sum() or 1.0)
        stretch = 1.0 if norms is None else _stretch(norms, C, share, one.even)
        # tasks that are absent keep theirs
        self.share = np.where(one.present, share, self.share)
        self.pull = np.where(one.present, stretch * share, self.pull)

    def of_shared(self, J):
        """What the shared parameters follow, from the gradients in them."""
        if self.direction is not None:
            return self.direction
        return combined(self.pull, J)

    def of_heads(self, one):
        """Multipliers of each task's mean gradient in parameters of its own."""
        return self.share if self.balancing.balancer.scale_heads else one.even

    def _statistics(self, gradients, one, epoch, vectors):
        """TaskStats of all tasks, those without a head being absent."""
        (norms, C, J), among = gradients, self.balancing.among_all
        return TaskStats(
            None if J is None else among(J),
            norms=None if norms is None else among(norms),
            unit_gramian=None if C is None else among(among(C).T),
            epoch=epoch,
            present=among(one.present),
            **{name: None if v is None else among(v) for name, v in vectors.items()},
        )


def _stretch(norms, C, share, mean):
    """Factor that gives sum_t share_t g_t the length of the mean gradient, at most MOST."""
    wanted, length = _length(mean * norms, C), _length(share * norms, C)
    return wanted / length if length * MOST > wanted else MOST


def _length(v, C):
    return np.sqrt(max(v @ C @ v, 0.0))


def _of_length(direction, length):
    """The direction at another length; zero stays.

    Without a bound as that of `_stretch`: the direction of a method that owns it is in units of its
    own, of losses or of signs, and so its length tells nothing of how gradients cancel.
    """
    xp = namespace_of(direction)
    largest = float(xp.max(xp.abs(direction))) if direction.shape[0] else 0.0
    if largest == 0:
        return direction
    unit = direction / largest  # whose squares neither overflow nor vanish
    return unit * float(length / float(xp.sqrt(xp.sum(unit * unit))))
