"""MultiTaskPerceptron against MLPRegressor and a torch loop; costs of Gramians and balancers."""

import importlib.util
import warnings
from itertools import pairwise

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from skmtl import MultiTaskPerceptron
from skmtl.balancing import balance
from skmtl.losses import SquaredError
from skmtl.neural_network._criteria import Elementwise
from skmtl.neural_network._gramian import feature_gramian, trunk_gramian
from skmtl.neural_network._network import Network
from skmtl.neural_network._objective import Objective
from skmtl.neural_network._rows import LongRows, WideRows

from ._timing import RATIO_COLUMNS, interleaved, print_table, ratio_row

ADAM = [  # rows, features, hidden layers, tasks, least ratio
    (500, 20, (64,), 5, 1.7),
    (5000, 50, (256, 128), 5, 1.3),
    (5000, 20, (64,), 5, 1.7),
    (5000, 50, (64,), 20, 1.7),
    (5000, 200, (256, 128), 20, 1.3),
]
LBFGS = [(500, 20, (64,), 5), (2000, 50, (64,), 5), (2000, 50, (256, 128), 5)]
BATCHES = [(200, 20, (64,), 5), (200, 200, (256, 128), 5), (32, 200, (256, 128), 5)]
FITS = [(2000, 20, (64,), 5), (2000, 50, (100,), 5), (2000, 50, (256, 128), 5)]
COSTS = ["case", "measured", "at most", ""]


def main(quick=False):
    """Print every table; `quick` leaves out the larger cases."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    print_table("Adam in float32, same epochs", RATIO_COLUMNS, adam(quick))
    print_table(
        "L-BFGS in float64, an iteration of the first 100",
        [*RATIO_COLUMNS[:-1], "loss, ours / theirs (at most 1.3)"],
        lbfgs(quick),
    )
    print_table("Gramian of one batch, in gradient steps", COSTS, gramians(quick))
    print_table("A balanced fit, in plain fits", COSTS, balanced_fits(quick))
    print_table("One step of a balancer, 10 tasks, 1000 parameters, ms", COSTS, balancer_steps())


def make_data(n, p, n_tasks, dtype, seed=0):
    """X (n, p), Y (n, n_tasks): smooth functions of X with a little noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    Y = np.tanh(X @ rng.normal(size=(p, n_tasks)) / np.sqrt(p)) * (1 + X[:, :1])
    return X.astype(dtype), (Y + 0.1 * rng.normal(size=Y.shape)).astype(dtype)


def shape_of(n, p, hidden, n_tasks):
    return f"({n},{p},{'-'.join(map(str, hidden))},{n_tasks})"


def adam(quick):
    for n, p, hidden, T, bar in ADAM[: 2 if quick else None]:
        X, Y = make_data(n, p, T, np.float32)
        epochs = max(2, 20_000 // n)
        common = {"hidden_layer_sizes": hidden, "random_state": 0, "max_iter": epochs}
        model = MultiTaskPerceptron(n_iter_no_change=epochs, **common)
        peer = MLPRegressor(n_iter_no_change=epochs, **common)
        ours, theirs = interleaved(lambda: model.fit(X, Y), lambda: peer.fit(X, Y), repeats=5)
        assert model.n_iter_ == peer.n_iter_ == epochs
        case = shape_of(n, p, hidden, T)
        yield ratio_row(f"{case} vs MLPRegressor", ours, theirs, bar)
        if importlib.util.find_spec("torch") is not None:
            loop = torch_loop(X, Y, hidden, epochs)
            ours, theirs = interleaved(lambda: model.fit(X, Y), loop, repeats=5)
            yield ratio_row(f"{case} vs a torch loop", ours, theirs, 1.3)


def torch_loop(X, Y, hidden, epochs):
    """A function that trains the same network by torch's Adam on one thread."""
    import torch

    torch.set_num_threads(1)
    X, Y = torch.from_numpy(X), torch.from_numpy((Y - Y.mean(axis=0)) / Y.std(axis=0))
    sizes = [X.shape[1], *hidden]

    def train():
        layers = []
        for a, b in pairwise(sizes):
            layers += [torch.nn.Linear(a, b), torch.nn.ReLU()]
        net = torch.nn.Sequential(*layers, torch.nn.Linear(sizes[-1], Y.shape[1]))
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
        for _ in range(epochs):
            for rows in torch.randperm(len(X)).split(200):
                optimizer.zero_grad()
                ((net(X[rows]) - Y[rows]) ** 2).mean().backward()
                optimizer.step()

    return train


def lbfgs(quick):
    for n, p, hidden, T in LBFGS[: 1 if quick else None]:
        X, Y = make_data(n, p, T, np.float64)
        Y = (Y - Y.mean(axis=0)) / Y.std(axis=0)
        common = {"hidden_layer_sizes": hidden, "random_state": 0, "max_iter": 100}
        common |= {"solver": "lbfgs", "tol": 1e-12}
        # penalties that do not show: it is the optimisers that are compared
        model = MultiTaskPerceptron(alpha_shared=1e-4, alpha_specific=1e-4, **common)
        peer = MLPRegressor(**common)
        ours, theirs = interleaved(lambda: model.fit(X, Y), lambda: peer.fit(X, Y), repeats=3)
        losses = [((m.predict(X) - Y) ** 2).mean() for m in (model, peer)]
        ratio = losses[0] / losses[1]
        verdict = "" if ratio <= 1.3 else " OVER"
        yield ratio_row(
            f"{shape_of(n, p, hidden, T)} vs MLPRegressor",
            ours / model.n_iter_,
            theirs / peer.n_iter_,
            1.1,
            f"{losses[0]:.4f} / {losses[1]:.4f} = {ratio:.2f}{verdict}",
        )


def make_pass(n, p, hidden, n_tasks, long):
    """(objective, theta, rows) of one batch in float32."""
    X, Y = make_data(n, p, n_tasks, np.float32)
    channels, tasks = np.zeros(n_tasks, int), np.arange(n_tasks)
    network = Network((p, *hidden), "relu", channels, 1, tasks, n_tasks, True, True)
    theta = network.initial(np.random.RandomState(0)).astype(np.float32)
    if long:
        task = np.sort(np.arange(n) % n_tasks)
        rows = LongRows(X, Y[np.arange(n), task], np.ones(n, np.float32), np.ones(n), task, n_tasks)
    else:
        rows = WideRows(X, Y, np.ones_like(Y), np.full(n, float(n_tasks)))
    decay = (2 * network.strengths(1e-4, 1.0, 1.0) / rows.total).astype(np.float32)
    incidence = network.incidence().astype(np.float32)
    return Objective(network, Elementwise(SquaredError(), 2.0), decay, incidence), theta, rows


def gramians(quick):
    for n, p, hidden, T in BATCHES[: 1 if quick else None]:
        for long in (False, True):
            objective, theta, rows = make_pass(n, p, hidden, T, long)
            network = objective.network
            params = network.views(theta)
            layers, H = network.forward(params, rows.X), objective.heads(params)
            R = objective.residuals(rows, layers[-1], H, params.intercepts)[1]
            step, features, exact = interleaved(
                lambda: objective.gradient(theta, params, rows),
                lambda: feature_gramian(rows, R, H, network.unit_tasks, T),
                lambda: trunk_gramian(network, params, layers, rows, R, H),
                repeats=5,
            )
            case = f"{shape_of(n, p, hidden, T)} {'long' if long else 'wide'}"
            yield cost_row(f"{case}, features", features / step, 1.5)
            yield cost_row(f"{case}, exact", exact / step, 4 if long else 6)


def balanced_fits(quick):
    for n, p, hidden, T in FITS[: 1 if quick else None]:
        X, Y = make_data(n, p, T, np.float32)
        common = {"hidden_layer_sizes": hidden, "random_state": 0, "max_iter": 5}
        options = {
            "mgda": {"balancer": "mgda"},
            "mgda, update_every=5": {"balancer": "mgda", "update_every": 5},
            'mgda, gramian="exact"': {"balancer": "mgda", "gramian": "exact"},
            "nash": {"balancer": "nash"},
        }
        models = [MultiTaskPerceptron(**own, **common) for own in ({}, *options.values())]
        plain, *balanced = interleaved(
            *(lambda model=model: model.fit(X, Y) for model in models), repeats=5
        )
        for name, seconds in zip(options, balanced, strict=True):
            bar = 3 if name == "mgda" else None
            yield cost_row(f"{shape_of(n, p, hidden, T)} {name}", seconds / plain, bar)


def balancer_steps():
    J, losses = np.random.default_rng(0).normal(size=(10, 1000)), np.ones(10)
    for name, bar in (("nash", 2), ("mgda", 1), ("upgrad", None)):
        seconds = interleaved(lambda: balance(J, losses, name), repeats=7)[0]
        yield cost_row(name, 1e3 * seconds, bar)


def cost_row(what, value, bar):
    if bar is None:
        return [what, f"{value:.2f}", "", ""]
    return [what, f"{value:.2f}", f"{bar:g}", "ok" if value <= bar else "OVER"]
