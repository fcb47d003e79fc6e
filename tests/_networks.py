"""Networks, rows and objectives of known numbers, and gradients of single tasks by themselves."""

from dataclasses import replace

import numpy as np

from skmtl._backend import NUMPY, place_of, to_place
from skmtl._data import long_data, wide_data
from skmtl.losses import SquaredError
from skmtl.neural_network._criteria import Elementwise
from skmtl.neural_network._network import Network
from skmtl.neural_network._objective import Objective
from skmtl.neural_network._rows import training_rows

T, P = 3, 4


def make_data(long, n=12, n_tasks=T, p=P, seed=0, place=NUMPY):
    """TaskData with weights; wide data lack labels, long data have one a row."""
    rng = np.random.default_rng(seed)
    X = to_place(rng.normal(size=(n, p)), place)
    if long:
        task = rng.permutation(np.arange(n) % n_tasks)
        return long_data(X, rng.normal(size=n), task, n_tasks, rng.uniform(0.5, 2, n))[0]
    Y = rng.normal(size=(n, n_tasks))
    Y[rng.random(Y.shape) < 0.3] = np.nan
    Y[:2] = 1.0
    return wide_data(X, Y, rng.uniform(0.5, 2, n))[0]


def make_rows(data, omega=None, **options):
    """Rows of the data, with weights of the tasks that differ unless they are given."""
    omega = np.linspace(0.5, 1.5, data.n_tasks) if omega is None else omega
    number = np.arange(data.n_tasks)
    return training_rows(
        data, omega, dtype="float64", n_tasks=data.n_tasks, number=number, **options
    )


def make_network(hidden, n_tasks=T, p=P, activation="tanh", **flags):
    """A network with one unit a task."""
    flags = {"has_shared": True, "has_specific": True} | flags
    channels = np.zeros(n_tasks, int)
    return Network((p, *hidden), activation, channels, 1, np.arange(n_tasks), n_tasks, **flags)


def random_theta(network, seed=1):
    """Parameters with heads that differ; those that are fixed at zero are zero."""
    theta = np.random.default_rng(seed).normal(size=network.n_parameters)
    blocks = network.views(theta)
    blocks.shared[...] *= network.has_shared
    blocks.specific[...] *= network.has_specific
    return theta


def make_objective(network, rows, loss=None, alphas=(0.1, 0.2, 0.3), criterion=None):
    """Squared error, twice the loss or the criterion, with penalties of these strengths."""
    place = place_of(rows.V)
    return Objective(
        network,
        criterion or Elementwise(SquaredError() if loss is None else loss, 2.0),
        to_place(2 * network.strengths(*alphas) / rows.total, place),
        to_place(network.incidence(), place),
    )


def mean_loss_gradients(network, rows, theta, criterion=None):
    """Gradient of each task's mean loss (n_tasks, n_parameters), one objective a task."""
    gradients = []
    for t in range(network.n_tasks):
        alone = _rows_of(rows, np.arange(network.n_tasks) == t)
        objective = make_objective(network, alone, alphas=(0, 0, 0), criterion=criterion)
        gradients.append(objective.value_and_grad(theta, alone)[1].copy())
    return np.array(gradients)


def _rows_of(rows, only):
    """The rows with the weights of other tasks set to zero."""
    V = rows.V * (only if rows.V.ndim == 2 else only[rows.task])
    row_weights = V if V.ndim == 1 else V.sum(axis=1)
    return replace(rows, V=V, row_weights=row_weights)
