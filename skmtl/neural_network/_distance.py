"""Gradients of each task's mean loss at a place of its own, theta + eps_t, and what eps_t may be.

eps_t moves the shared parameters, and the task's own head along its own gradient; rho is the length
of either part.
"""

import numpy as np

from .._backend import namespace_of, place_of, to_place
from .._input import float_name
from ._gramian import to_host
from ._pass import (
    empty_jacobian,
    forward_pass,
    inverse,
    mean_losses,
    of_units,
    write_shared,
)

PROBE = 0.01  # of a standard normal direction, to either side


def of_length(E, rho):
    """The rows of E at length rho; zero rows stay."""
    xp = namespace_of(E)
    lengths = np.sqrt(to_host(xp.sum(E * E, axis=1)))
    return to_place(rho * inverse(lengths), place_of(E), float_name(E))[:, None] * E


def mixed_directions(objective, theta, one, beta, rng):
    """(1 - beta) times the gradient of the mean loss, plus beta times each task's estimate.

    The estimate is the derivative along one random direction, times that direction; in each block
    of parameters it has the length of the gradient, and so only its sign matters.
    """
    network, rows = objective.network, one.rows
    mean, u = namespace_of(theta).zeros_like(theta), _random_direction(network, theta, rng)
    grads, probe = network.views(mean), network.views(u)
    write_shared(objective, one, one.even, grads)
    above, below = (mean_losses(objective, theta + c * u, rows)[0] for c in (PROBE, -PROBE))
    shared = [(grads.shared, probe.shared)] if network.has_shared else []
    layers = [*zip(grads.weights, probe.weights, strict=True)]
    biases = [*zip(grads.biases, probe.biases, strict=True)]
    for g, v in [*layers, *biases, *shared]:
        v *= _length(g) / _length(v)
    n, sign = network.n_shared, to_place(np.sign(above - below), place_of(theta), float_name(theta))
    return (1 - beta) * mean[None, :n] + beta * sign[:, None] * u[None, :n]


def at_distance(objective, theta, one, away, rho):
    """(Pass, Jacobian) in which each task is at its own distance from theta.

    `one` is the Pass at theta, whose layers may be overwritten; `away` holds the displacements of
    the shared parameters, (n_tasks, n_shared). Of the result only rows, R, H, heads and what is
    said of the losses at theta are meant to be read.
    """
    network, xp = objective.network, namespace_of(theta)
    (J, views), own = empty_jacobian(objective), _heads_away(objective, one, rho)
    R, H = xp.zeros_like(one.R), xp.zeros_like(one.H)
    heads = tuple(map(xp.zeros_like, one.heads))
    for t, where, rows in one.rows.of_single_tasks():
        if not one.present[t]:
            continue
        units, only = network.units[t], np.arange(network.n_tasks) == t
        params = _moved(network, theta, away[t, :], own, units)
        near = forward_pass(objective, params, rows, one.work if rows is one.rows else None)
        write_shared(objective, near, only.astype(float), views[t])
        R[where, ...] += rows.weighted(near.R, of_units(objective, only))
        H[units, :] = near.H[units, :]
        heads[0][units, :] = near.heads[0][units, :]
        heads[1][units] = near.heads[1][units]
    return one._replace(R=R, H=H, heads=heads), J[:, : network.n_shared]


def _moved(network, theta, shared, own, units):
    """Parameters at theta, moved in what tasks share and in the heads of some units."""
    flat = namespace_of(theta).asarray(theta, copy=True)
    flat[: network.n_shared] += shared
    params = network.views(flat)
    params.specific[units, :] += own[0][units, :]
    params.intercepts[units] += own[1][units]
    return params


def _heads_away(objective, one, rho):
    """Displacements of the heads and intercepts, along each task's own gradient."""
    network, (specific, intercepts) = objective.network, one.heads
    xp = namespace_of(intercepts)
    squares = intercepts * intercepts
    if network.has_specific:
        squares = squares + xp.sum(specific * specific, axis=1)
    else:
        specific = xp.zeros_like(specific)
    lengths = np.sqrt(np.bincount(network.unit_tasks, to_host(squares), network.n_tasks))
    scale = of_units(objective, rho * inverse(lengths))
    return scale[:, None] * specific, scale * intercepts


def _random_direction(network, theta, rng):
    """Standard normal in what tasks share, zero elsewhere, drawn by NumPy."""
    u = np.zeros(network.n_parameters)
    u[: network.n_shared] = rng.standard_normal(network.n_shared)
    if not network.has_shared:
        network.views(u).shared[...] = 0
    return to_place(u, place_of(theta), float_name(theta))


def _length(x):
    xp = namespace_of(x)
    return xp.sqrt(xp.sum(x * x))
