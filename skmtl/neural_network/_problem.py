"""A problem for a network, and its solution: rows, objective, optimiser, and what they leave."""

from typing import Any, NamedTuple

import numpy as np

from .._backend import few_threads, is_sparse, place_of, to_numpy, to_place, widest_float
from .._splitters import MultiTaskShuffleSplit
from ._balanced import balanced
from ._network import grown
from ._objective import Objective
from ._optimizers import STOCHASTIC
from ._rows import training_rows
from ._sharpness import perturbed
from ._training import Monitor, descend, settle

KINDS = {len(method.moments): method.moments for method in STOCHASTIC.values()}


class Problem(NamedTuple):
    """Labels as a network sees them.

    Attributes
    ----------
    data : TaskData
    omega : ndarray of shape (data.n_tasks,)
        Task weights.
    number : ndarray of shape (data.n_tasks,)
        Which of the network's tasks those of the data are, ascending.
    network : Network
    strengths : ndarray of shape (n_parameters,)
        Penalty on the square of each parameter.
    criterion : object
        Losses under weights, as `Elementwise`.
    score : callable
        Of (rows, scores Z): how well they agree, a float.
    constant : ndarray of shape (n_units,)
        Scores that a training should better.
    """

    data: Any
    omega: np.ndarray
    number: np.ndarray
    network: Any
    strengths: np.ndarray
    criterion: Any
    score: Any
    constant: np.ndarray

    def rows(self, dtype):
        """The rows in a floating type, given by its name, where X lies."""
        network = self.network
        one_feature_each = is_sparse(self.data.X) and not network.sizes[1:]
        several_units = len(network.unit_tasks) > network.n_tasks
        return training_rows(
            self.data,
            self.omega,
            dtype=dtype,
            n_tasks=network.n_tasks,
            number=self.number,
            wide=one_feature_each or several_units,
        )


class Memory(NamedTuple):
    """What a training goes on from, on the host.

    Attributes
    ----------
    network : Network
    theta : ndarray of shape (n_parameters,)
    optimizer : tuple or None
        State of Adam or SGD.
    balancer : KeptState or None
    noise : RandomState or None
        Draws what a perturbation needs.
    """

    network: Any
    theta: np.ndarray
    optimizer: Any = None
    balancer: Any = None
    noise: Any = None

    def laid_out_for(self, network, unit_of):
        """The same for a network with more units; `unit_of` says which of them the old ones are."""
        optimizer = _moved(
            self.optimizer, lambda flat: grown(flat, self.network, network, unit_of, fill=False)
        )
        theta = grown(self.theta, self.network, network, unit_of, fill=True)
        return self._replace(network=network, theta=theta, optimizer=optimizer)

    def after(self, change):
        """The same after a Change of the features; what a balancer remembers stays."""
        if change is None:
            return self
        theta, optimizer = change.of_parameters(self.network, self.theta), self.optimizer
        if optimizer is not None:
            optimizer = (
                optimizer[0],
                [
                    getattr(change, f"of_{kind}")(self.network, vector)
                    for kind, vector in zip(KINDS[len(optimizer[1])], optimizer[1], strict=True)
                ],
            )
        return self._replace(theta=theta, optimizer=optimizer)


class Outcome(NamedTuple):
    """Result of a training.

    Attributes
    ----------
    memory : Memory
    center : ndarray of shape (width,)
        Weighted mean of the representation.
    monitor : Monitor
    converged : bool
    message : str
        Of L-BFGS.
    losses : tuple of float
        Mean losses of all labels: of what was trained, and of constant scores.
    """

    memory: Memory
    center: np.ndarray
    monitor: Monitor
    converged: bool
    message: str = ""
    losses: tuple = (0.0, 0.0)


def train(problem, memory, settings, rng, *, dtype, balancing=None, perturbation=None, report=None):
    """Solve a problem.

    Parameters
    ----------
    problem : Problem
    memory : Memory
        Where to begin.
    settings : Settings
    rng : RandomState
    dtype : str
        Name of X's floating type. L-BFGS computes in the widest one: line searches need digits.
    balancing : Balancing, optional
        How tasks are balanced; None: by the problem's own weights.
    perturbation : SharpnessAware, optional
        Where gradients are taken; None: where the parameters are.
    report : callable, optional
        As in Monitor.
    """
    network, place = problem.network, place_of(problem.data.X)
    dtype = dtype if settings.solver in STOCHASTIC else widest_float(place)

    def there(array):
        return to_place(array.copy(), place, dtype)

    rows, held_out = _split(problem.rows(dtype), settings.validation_fraction, rng)
    decay = there(2 * problem.strengths / rows.total)
    objective = Objective(network, problem.criterion, decay, there(network.incidence()))

    def score(theta):
        return problem.score(held_out, objective.scores(theta, held_out))

    monitor = Monitor(
        to_numpy(rows.task_totals()).astype(np.float64),
        settings.tol,
        settings.n_iter_no_change,
        None if held_out is None else score,
        report,
    )
    theta, state = there(memory.theta), _moved(memory.optimizer, there)
    weighing = None if balancing is None else balanced(objective, balancing, memory, rng)
    source, message = weighing or objective, ""
    if perturbation is not None:
        source = perturbed(objective, perturbation, memory, weighing, rng)
    with (
        few_threads(min(len(rows), max(network.sizes))),
        np.errstate(over="ignore", invalid="ignore"),  # a fit that diverges is refused in words
    ):
        if settings.solver in STOCHASTIC:
            state, converged = descend(source, theta, state, rows, settings, rng, monitor)
            theta = theta if monitor.best_theta is None else monitor.best_theta
        else:
            theta, state, converged, message = settle(objective, theta, rows, settings, monitor)
        center = to_numpy(objective.mean_representation(theta, rows))
        losses = monitor.kept_loss(), objective.constant_loss(problem.constant, rows)
    memory = Memory(network, to_numpy(theta), _moved(state, to_numpy), **source.kept())
    return Outcome(memory, center, monitor, converged, message, losses)


def nothing_learnt(memory):
    """Outcome where no task has anything to learn."""
    monitor = Monitor(np.zeros(0), 0.0, 0)
    return Outcome(memory, np.zeros(memory.network.sizes[-1]), monitor, converged=True)


def _moved(state, move):
    """The optimiser's state with its vectors moved."""
    return None if state is None else (state[0], [move(moment) for moment in state[1]])


def _split(rows, fraction, rng):
    """(rows to train on, held-out rows or None)."""
    if fraction is None:
        return rows, None
    n = len(rows)
    if np.ceil(fraction * n) >= n:
        raise ValueError(
            f"early_stopping=True with validation_fraction={fraction} leaves none of {n} rows to "
            "train on; lower it or pass more rows."
        )
    splitter = MultiTaskShuffleSplit(n_splits=1, test_size=fraction, random_state=rng)
    ((train_rows, test_rows),) = splitter.split(np.empty((n, 0)), *rows.for_splitter())
    held_out = rows.take(test_rows)
    if held_out.counts().max() < 2:
        raise ValueError(
            f"early_stopping=True with validation_fraction={fraction} holds out {len(test_rows)} "
            f"of {n} rows, in which no task has two labels to score; raise it or pass more rows."
        )
    return rows.take(np.sort(train_rows)), held_out
