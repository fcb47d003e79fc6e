"""Epochs of minibatches or iterations of L-BFGS, and when they stop."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .._backend import namespace_of, to_numpy
from ._optimizers import STOCHASTIC, minimise

AUTO_BATCH = 200  # rows, as in scikit-learn
HISTORY = 12  # steps that L-BFGS remembers; more take longer than they help
CONVEX_HISTORY = 30  # of the single layer, whose parameters are few and whose optimum is wanted


class Settings(NamedTuple):
    """Checked parameters of the training; batch_size None: 200, or all rows if fewer.

    validation_fraction None: no early stopping.
    """

    solver: str
    batch_size: int | None
    learning_rate: float
    max_iter: int
    shuffle: bool
    tol: float
    validation_fraction: float | None
    n_iter_no_change: float


@dataclass(eq=False)
class Monitor:
    """Record of the epochs, and whether they still improve.

    Attributes
    ----------
    totals : ndarray of shape (n_tasks,)
        Sums of the weights of each task.
    tol, patience : float
        An epoch counts as no better unless it beats the best one by `tol`; after more than
        `patience` such epochs in a row training stops.
    score : callable or None
        Validation score at given parameters; None: the objective decides.
    report : callable or None
        Called with (number, objective, score or None, theta) after each epoch; whether to stop.
    """

    totals: np.ndarray
    tol: float
    patience: float
    score: Any = None
    report: Any = None
    losses: list = field(default_factory=list)
    weights: list = field(default_factory=list)
    scores: list = field(default_factory=list)
    best: float = -np.inf
    best_theta: Any = None
    idle: int = 0
    stopped: bool = False

    def epoch(self, sums, penalty, weights, theta):
        """Take note of an epoch; True if it was the last one to make."""
        sums = to_numpy(sums).astype(np.float64)
        objective = float(sums.sum() / self.totals.sum()) + penalty
        refuse_divergence(objective, len(self.losses) + 1)
        self.losses.append(sums / np.where(self.totals > 0, self.totals, np.nan))
        self.weights.append(weights)
        merit = -objective
        if self.score is not None:
            merit = self.score(theta)
            self.scores.append(merit)
        self.idle = 0 if merit >= self.best + self.tol else self.idle + 1
        if merit > self.best:
            self.best = merit
            if self.score is not None:
                self.best_theta = namespace_of(theta).asarray(theta, copy=True)
        if self.report is not None:
            shown = merit if self.scores else None
            self.stopped = bool(self.report(len(self.losses), objective, shown, theta))
        return self.stopped or self.idle > self.patience

    def kept_loss(self):
        """Mean loss over all labels in the epoch whose parameters are kept."""
        kept = int(np.argmax(self.scores)) if self.scores else -1
        return float(np.nansum(self.losses[kept] * self.totals) / self.totals.sum())


def refuse_divergence(value, iteration):
    """Raise ValueError where a number of an iteration, the first being 1, is not finite."""
    if not np.isfinite(value):
        raise ValueError(
            f"training diverged in iteration {iteration}, where it met {value}; lower "
            "learning_rate_init, or standardise X where standardize=False."
        )


def descend(source, theta, state, rows, settings, rng, monitor):
    """Epochs of Adam or SGD, in place, until the monitor says stop or max_iter of them are made.

    Parameters
    ----------
    source : Objective or Balanced
        What a step follows: `gradient(theta, params, rows)`, `penalty(theta)`, `epoch_weights()`.
    theta : array of shape (n_parameters,)
        Overwritten.
    state : tuple or None
        The optimiser's; overwritten.

    Returns
    -------
    state : tuple
    stopped : bool
    """
    optimizer = STOCHASTIC[settings.solver](settings.learning_rate)
    if state is None or len(state[1]) != len(optimizer.moments):  # of the other optimiser
        state = optimizer.init(theta)
    params, order = source.network.views(theta), np.arange(len(rows))
    size = min(settings.batch_size or AUTO_BATCH, len(rows))
    for _ in range(settings.max_iter):
        if settings.shuffle and size < len(rows):
            order = order[rng.permutation(len(rows))]
        sums = 0.0
        for batch in rows.batches(order, size):
            batch_sums, grad = source.gradient(theta, params, batch)
            state = optimizer.step(theta, grad, state)
            sums = sums + batch_sums
        if monitor.epoch(sums, source.penalty(theta), source.epoch_weights(), theta):
            return state, True
    return state, False


def settle(objective, theta, rows, settings, monitor):
    """L-BFGS on all rows; returns parameters, None for a state, whether it converged, a message."""
    network, last = objective.network, {}

    def value_and_grad(x):
        value, grad, sums = objective.value_and_grad(x, rows)
        if not last:  # where the search begins; further on it steps back from what is not finite
            refuse_divergence(value, 1)
        last.update(x=x, sums=sums)
        return value, grad

    def note():
        x = last["x"]  # the point that L-BFGS evaluated last is the one that it accepted
        monitor.epoch(last["sums"], objective.penalty(x), objective.epoch_weights(), x)
        return monitor.stopped

    best = minimise(
        value_and_grad,
        theta,
        units=network.curvature_units(),
        history=HISTORY if network.sizes[1:] else CONVEX_HISTORY,
        max_iter=settings.max_iter,
        tol=settings.tol,
        callback=note,
    )
    return best.theta, None, best.converged, best.message
