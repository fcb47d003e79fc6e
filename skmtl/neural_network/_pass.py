"""A forward pass on some rows, and the gradients of each task's mean loss that follow from it."""

from typing import Any, NamedTuple

import numpy as np

from .._backend import namespace_of, place_of, to_place
from .._input import float_name
from ._gramian import to_host, trunk_jacobian


class Pass(NamedTuple):
    """A forward pass on some rows, and what it says of the heads.

    R holds the derivatives of each task's mean loss in its scores, `heads` the gradients of these
    in heads and intercepts; `sums` are the tasks' losses before they are divided by `totals`, the
    sums of their weights, and `losses`, on the host, after; `present` are the tasks with labels,
    and `even` the weights of the mean over them. The next pass in the same workspace overwrites the
    layers.
    """

    params: Any
    layers: list
    rows: Any
    R: Any
    H: Any
    heads: tuple
    sums: Any
    totals: np.ndarray
    losses: np.ndarray
    present: np.ndarray
    even: np.ndarray
    work: Any


def forward_pass(objective, params, rows, work=None):
    """The Pass at some parameters, in a workspace if given."""
    layers = objective.network.forward(params, rows.X, work)
    H = objective.heads(params)
    sums, R = objective.residuals(rows, layers[-1], H, params.intercepts)
    totals = to_host(rows.task_totals())
    share = inverse(totals)
    R = rows.weighted(R, of_units(objective, share))
    heads = rows.head_gradients(R, layers[-1])
    present = totals > 0
    return Pass(
        params,
        layers,
        rows,
        R,
        H,
        heads,
        sums,
        totals,
        losses=to_host(sums) * share,
        present=present,
        even=present / present.sum(),
        work=work,
    )


def mean_losses(objective, theta, rows):
    """(mean loss of each task, whether it has labels), on the host."""
    E, _ = objective.criterion.weighted(rows, objective.scores(theta, rows))
    totals = to_host(rows.task_totals())
    return to_host(rows.by_task(E)) * inverse(totals), totals > 0


def write_shared(objective, one, pull, grads):
    """Write the gradient of sum_t pull_t L_t in trunk and h_0 into the views `grads`."""
    network, pull = objective.network, of_units(objective, pull)
    if network.has_shared:
        grads.shared[...] = objective.incidence.T @ (pull[:, None] * one.heads[0])
    if one.params.weights:
        out = one.work and one.work.deltas[-1]
        D = one.rows.pull(one.rows.weighted(one.R, pull), one.H, out)
        network.backward(one.params, grads, one.layers, D, one.work)


def shared_jacobian(objective, one):
    """Gradients of the L_t in trunk and h_0, of shape (n_tasks, network.n_shared)."""
    network, (J, views) = objective.network, empty_jacobian(objective)
    trunk_jacobian(network, *one[:5], views)
    if network.has_shared:
        for t, view in enumerate(views):
            units = network.units[t]
            view.shared[...] = objective.incidence[units, :].T @ one.heads[0][units, :]
    return J[:, : network.n_shared]


def empty_jacobian(objective):
    """Zeros of shape (n_tasks, network.n_parameters), and views of each row."""
    network, xp = objective.network, namespace_of(objective.decay)
    J = xp.stack([xp.zeros_like(objective.decay)] * network.n_tasks)
    return J, [network.views(J[t, :]) for t in range(network.n_tasks)]


def combined(c, J):
    """The rows of J times numbers on the host, summed."""
    return to_place(c, place_of(J), float_name(J)) @ J


def of_units(objective, c):
    """Numbers of tasks as an array of the units' numbers, beside the parameters."""
    return to_place(c[objective.network.unit_tasks], *objective.beside)


def inverse(totals):
    """One over the totals, 0 where they are."""
    return np.divide(1.0, totals, out=np.zeros(len(totals)), where=totals > 0)
