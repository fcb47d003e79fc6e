"""Training under a balancer, which sees the tasks' mean losses and gradients and weighs the latter.

The shared parameters follow sum_t w_t g_t, scaled to the length of the mean gradient: so learning
rates compare.  Heads follow their own task's gradient.  Penalties are no task: they come after.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .._backend import is_foreign, namespace_of, place_of, take, to_numpy, to_place
from .._validation import float_name
from ..balancing import TaskStats
from ._gramian import (
    feature_gramian,
    head_gramian,
    norms_and_cosines,
    to_host,
    trunk_gramian,
    trunk_jacobian,
)
from ._training import refuse_divergence

GRADIENTS = frozenset({"gramian", "jacobian"})
GIVEN = GRADIENTS | {"losses", "epoch"}  # what a training can tell a balancer
MOST = 10.0  # of a mean: where gradients cancel, at Pareto-stationary points, noise is left


class Pass(NamedTuple):
    """A forward pass on some rows, and what it says of the heads.

    R holds the derivatives of each task's mean loss in its scores, `heads` the gradients of these
    in heads and intercepts; `present` are the tasks with labels.
    """

    params: Any
    layers: list
    rows: Any
    R: Any
    H: Any
    heads: tuple
    present: np.ndarray


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
    state : State
        Of the balancer.
    """

    objective: Any
    balancing: Any
    state: Any

    def __post_init__(self):
        T = self.network.n_tasks
        self.step = self.epoch = 0
        self.share = np.ones(T) / T  # weights over their sum
        self.pull = np.ones(T) / T  # of each task's mean gradient on the shared parameters
        self._sums, self._counts = np.zeros(T), np.zeros(T)
        decay = self.objective.decay
        self._beside = place_of(decay), float_name(decay)

    @property
    def network(self):
        return self.objective.network

    @property
    def balancer(self):
        return self.balancing.balancer

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
        objective, network = self.objective, self.network
        work = objective.workspace(rows)
        layers, H = network.forward(params, rows.X, work), objective.heads(params)
        sums, R = objective.residuals(rows, layers[-1], H, params.intercepts)
        totals = to_host(rows.task_totals())
        present = totals > 0
        share = np.divide(1.0, totals, out=np.zeros(len(totals)), where=present)
        R = rows.weighted(R, self._of_units(share))
        one = Pass(params, layers, rows, R, H, rows.head_gradients(R, layers[-1]), present)
        if self.step % self.balancing.update_every == 0:
            self._weigh(one, to_host(sums) * share)
        self.step += 1
        self._sums += present.sum() * self.share * present
        self._counts += present
        return sums, self._combined(theta, one)

    def _weigh(self, one, losses):
        """Ask the balancer, and turn its weights into multipliers of the mean gradients."""
        refuse_divergence(losses.sum(), self.epoch + 1)
        norms = C = J = None
        if self.balancer.needs & GRADIENTS:
            norms, C, J = self._gradients(one)
            refuse_divergence(norms.sum(), self.epoch + 1)
        w, self.state = self.balancer.step(self._statistics(one, losses, norms, C, J), self.state)
        present = one.present
        w = np.where(present, self.balancing.of_network(w), 0.0)
        share = w / (np.abs(w).sum() or 1.0)
        stretch = 1.0 if norms is None else _stretch(norms, C, share, present / present.sum())
        if present.all():
            self.share, self.pull = share, stretch * share
        else:  # the others keep theirs
            self.share = np.where(present, share, self.share)
            self.pull = np.where(present, stretch * share, self.pull)

    def _statistics(self, one, losses, norms, C, J):
        """TaskStats of all tasks, those without a head being absent."""
        balancing, among = self.balancing, self.balancing.among_all
        return TaskStats(
            None if J is None else among(J),
            norms=None if norms is None else among(norms),
            unit_gramian=None if C is None else among(among(C).T),
            losses=among(losses),
            disagreement=None if balancing.disagreement is None else among(balancing.disagreement),
            epoch=self.epoch,
            present=among(one.present),
        )

    def _gradients(self, one):
        """Norms, cosines and, if it is needed, the Jacobian of the mean losses."""
        if "jacobian" in self.balancer.needs:
            J = self._jacobian(one)
            return *norms_and_cosines(to_host(J @ J.T)), J
        return *norms_and_cosines(self._gramian(one)), None

    def _gramian(self, one):
        network, tasks = self.network, (self.network.unit_tasks, self.network.n_tasks)
        if one.params.weights and not self.balancing.exact:
            return feature_gramian(one.rows, one.R, one.H, *tasks)
        G = np.zeros((network.n_tasks, network.n_tasks))
        if network.has_shared:
            G += head_gramian(self.objective.incidence, one.heads[0], *tasks)
        if one.params.weights:
            G += trunk_gramian(network, *one[:5])
        return G

    def _jacobian(self, one):
        """Gradients in trunk and h_0, of shape (n_tasks, network.n_shared)."""
        network, xp = self.network, namespace_of(self.objective.decay)
        flat = xp.zeros_like(self.objective.decay)
        J = xp.stack([flat] * network.n_tasks)
        views = [network.views(J[t, :]) for t in range(network.n_tasks)]
        trunk_jacobian(network, *one[:5], views)
        if network.has_shared:
            for t, view in enumerate(views):
                units = network.units_of(t)
                view.shared[...] = self.objective.incidence[units, :].T @ one.heads[0][units, :]
        return J[:, : network.n_shared]

    def _combined(self, theta, one):
        """The gradient to follow: shared parameters by `pull`, heads by their own tasks'."""
        objective, network, rows = self.objective, self.network, one.rows
        flat, grads = objective.grad
        pull, (specific, intercepts) = self._of_units(self.pull), one.heads
        own = self.share if self.balancer.scale_heads else one.present / one.present.sum()
        own = self._of_units(own)
        grads.intercepts[...] = own * intercepts
        if network.has_specific:
            grads.specific[...] = own[:, None] * specific
        if network.has_shared:
            grads.shared[...] = objective.incidence.T @ (pull[:, None] * specific)
        if one.params.weights:
            work, R = objective.workspace(rows), rows.weighted(one.R, pull)
            D = rows.pull(R, one.H, work and work.deltas[-1])
            network.backward(one.params, grads, one.layers, D, work)
        if self.balancer.max_norm is not None:
            n = network.n_shared
            flat[:n] = self.balancer.clip(flat[:n])
        flat += objective.decay * theta
        return flat

    def _of_units(self, c):
        """Numbers of tasks as an array of the units' numbers, beside the parameters."""
        return to_place(c[self.network.unit_tasks], *self._beside)


class KeptState(NamedTuple):
    """A balancer's state on the host, and the names of arrays that were elsewhere."""

    state: Any
    elsewhere: frozenset


def kept_state(state):
    """KeptState of a state."""
    elsewhere = frozenset(name for name, value in state.own.items() if is_foreign(value))
    own = {k: to_numpy(v) if k in elsewhere else v for k, v in state.own.items()}
    return KeptState(state._replace(own=own), elsewhere)


def taken_up(kept, balancing, rng, place):
    """The state that a balancer goes on from; it begins anew where there are other tasks."""
    fresh = balancing.balancer.init(balancing.n_tasks, rng)
    if kept is None:
        return fresh
    state = kept.state
    if (state.strategy, len(state.weights)) != (fresh.strategy, len(fresh.weights)):
        return fresh
    own = {k: to_place(v, place) if k in kept.elsewhere else v for k, v in state.own.items()}
    return state._replace(own=own)


def _stretch(norms, C, share, mean):
    """Factor that gives sum_t share_t g_t the length of the mean gradient, at most MOST."""
    wanted, length = _length(mean * norms, C), _length(share * norms, C)
    return wanted / length if length * MOST > wanted else MOST


def _length(v, C):
    return np.sqrt(max(v @ C @ v, 0.0))
