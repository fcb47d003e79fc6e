"""Training under a balancer, which sees the tasks' mean losses and gradients and weighs the latter.

The shared parameters follow sum_t w_t g_t, scaled to the length of the mean gradient: so learning
rates compare.  Heads follow their own task's gradient.  Penalties are no task: they come after.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .._backend import namespace_of, place_of, take
from ._gramian import (
    feature_gramian,
    head_gramian,
    norms_and_cosines,
    to_host,
    trunk_gramian,
)
from ._kept import kept_state, taken_up
from ._pass import forward_pass, mean_losses, of_units, shared_jacobian, write_shared
from ._training import refuse_divergence
from ._weigher import GRADIENTS, UNSEEN, Weigher

# what a training can tell a balancer
GIVEN = GRADIENTS | {"losses", "post_losses", "epoch"}


class Balancing(NamedTuple):
    """How tasks are balanced.

    Attributes
    ----------
    balancer : Balancer
    exact : bool
        Whether the Gramian is that of the shared parameters, not that of the representation.
    update_every : int
        Steps from one weighing to the next.
    tasks : ndarray of shape (network.n_tasks,)
        Numbers of the network's tasks among all tasks, of which some may have no label.
    n_tasks : int
        Of all of them.
    disagreement : ndarray of shape (network.n_tasks,) or None
        Losses of the best constant scores.
    """

    balancer: Any
    exact: bool
    update_every: int
    tasks: np.ndarray
    n_tasks: int
    disagreement: Any = None

    @property
    def needs(self):
        return self.balancer.needs

    def of_network(self, values):
        """Values of the network's tasks from those of all tasks."""
        return values if len(self.tasks) == self.n_tasks else values[self.tasks]

    def among_all(self, rows):
        """Rows of the network's tasks among those of all tasks, which are zero."""
        if len(self.tasks) == self.n_tasks:
            return rows
        xp, source = namespace_of(rows), np.full(self.n_tasks, len(self.tasks))
        source[self.tasks] = np.arange(len(self.tasks))
        return take(xp.concat([rows, xp.zeros_like(rows[:1, ...])]), source)


@dataclass(eq=False)
class Balanced:
    """Source of steps under a balancer, with its state.

    Attributes
    ----------
    objective : Objective
        In which every task counts the same.
    balancing : Balancing
    first_state : State
        Of the balancer, before the first step.
    epochs_before : int
        Epochs that the balancer saw in earlier trainings.
    """

    objective: Any
    balancing: Any
    first_state: Any
    epochs_before: int = 0

    def __post_init__(self):
        T = self.network.n_tasks
        self.weigher = Weigher(self.balancing, self.first_state)
        self.step = self.epoch = 0
        self.weighed = None  # rows of the last weighing
        self._sums, self._counts = np.zeros(T), np.zeros(T)

    @property
    def network(self):
        return self.objective.network

    @property
    def reads_gradients(self):
        return bool(self.balancing.needs & GRADIENTS)

    def kept(self, flat=None):
        """What a later training goes on from; `flat` is the state for flat parts, as KeptState."""
        epochs = self.epochs_before + self.epoch
        return {"balancer": kept_state(self.weigher.state, epochs, flat)}

    def penalty(self, theta):
        """Value of the penalties, a float."""
        return self.objective.penalty(theta)

    def epoch_weights(self):
        """Mean weights of the epoch that ends, NaN for a task that no batch had labels of."""
        mean = self._sums / np.where(self._counts > 0, self._counts, np.nan)
        self._sums, self._counts = np.zeros(len(mean)), np.zeros(len(mean))
        self.epoch += 1
        return mean

    def gradient(self, theta, params, rows):
        """(sums of the losses of each task, balanced gradient); the next call overwrites it."""
        one = forward_pass(self.objective, params, rows, self.objective.workspace(rows))
        if self.is_due():
            self.weigher.ask(self.seen(one), one, **self.told(theta, one))
        self.count(one)
        return one.sums, self._combined(theta, one)

    def is_due(self):
        """Whether tasks are weighed anew in this step."""
        return self.step % self.balancing.update_every == 0

    def seen(self, one, J=None):
        """(norms, cosines, Jacobian) of the mean losses, None where the balancer does not read it.

        J is the Jacobian where it is at hand.
        """
        needs = self.balancing.needs
        if not self.reads_gradients:
            return UNSEEN
        if "jacobian" in needs and J is None:
            J = shared_jacobian(self.objective, one)
        if "jacobian" in needs or (self._exact(one) and J is not None):
            return self.seen_of(J)
        return self._checked(norms_and_cosines(self._gramian(one)))

    def seen_of(self, J):
        """The same of gradients that are the rows of J."""
        G = to_host(J @ J.T)
        return self._checked(
            norms_and_cosines(G), J if "jacobian" in self.balancing.needs else None
        )

    def _checked(self, norms_and_cosines, J=None):
        refuse_divergence(norms_and_cosines[0].sum(), self.epoch + 1)
        return *norms_and_cosines, J

    def told(self, theta, one):
        """What the balancer learns beside gradients."""
        refuse_divergence(one.losses.sum(), self.epoch + 1)
        post_losses, self.weighed = self._post_losses(theta, one), one.rows
        return {
            "losses": one.losses,
            "post_losses": post_losses,
            "disagreement": self.balancing.disagreement,
            "epoch": self.epochs_before + self.epoch,
        }

    def count(self, one):
        """A step is made: take note of its weights."""
        self.step += 1
        self._sums += np.count_nonzero(one.present) * self.weigher.share * one.present
        self._counts += one.present

    def _post_losses(self, theta, one):
        """Losses on the rows of the last weighing, at the parameters that it has led to.

        Where a task had no label there, or there was no weighing yet, the losses of this step.
        """
        if "post_losses" not in self.balancing.needs | self.balancing.balancer.welcomes:
            return None
        if self.weighed is None or self.weighed is one.rows:
            return one.losses
        losses, present = mean_losses(self.objective, theta, self.weighed)
        refuse_divergence(losses.sum(), self.epoch + 1)
        return np.where(present, losses, one.losses)

    def _exact(self, one):
        return self.balancing.exact or not one.params.weights

    def _gramian(self, one):
        network, tasks = self.network, (self.network.unit_tasks, self.network.n_tasks)
        if not self._exact(one):
            return feature_gramian(one.rows, one.R, one.H, *tasks)
        G = np.zeros((network.n_tasks, network.n_tasks))
        if network.has_shared:
            G += head_gramian(self.objective.incidence, one.heads[0], *tasks)
        if one.params.weights:
            G += trunk_gramian(network, *one[:5])
        return G

    def _combined(self, theta, one):
        """The gradient to follow: shared parameters as weighed, heads by their own tasks'."""
        objective, network, weigher = self.objective, self.network, self.weigher
        flat, grads = objective.grad
        n, (specific, intercepts) = network.n_shared, one.heads
        if weigher.direction is None:
            write_shared(objective, one, weigher.pull, grads)
        else:
            flat[:n] = weigher.direction
        own = of_units(objective, weigher.of_heads(one))
        grads.intercepts[...] = own * intercepts
        if network.has_specific:
            grads.specific[...] = own[:, None] * specific
        return self.finished(theta, flat)

    def finished(self, theta, flat):
        """The gradient, its shared part no longer than the balancer allows, with penalties."""
        balancer, n = self.balancing.balancer, self.network.n_shared
        if balancer.max_norm is not None:
            flat[:n] = balancer.clip(flat[:n])
        flat += self.objective.decay * theta
        return flat


def balanced(objective, balancing, memory, rng):
    """Source of steps under a balancer, going on from a Memory where it can."""
    state, epochs = taken_up(memory.balancer, balancing, rng, place_of(objective.decay))
    return Balanced(objective, balancing, state, epochs)
