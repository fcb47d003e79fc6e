"""The network's passes against differences and brute force; its rows, Gramians and optimisers."""

from dataclasses import replace

import numpy as np
import pytest
from _networks import (
    P,
    T,
    make_data,
    make_network,
    make_objective,
    make_rows,
    mean_loss_gradients,
    random_theta,
)
from sklearn.neural_network import MLPRegressor

from skmtl._backend import NUMPY, place_of, to_numpy, to_place
from skmtl._data import label_moments, long_data, wide_data
from skmtl.losses import Huber, SquaredError, SquaredHinge
from skmtl.neural_network._activations import ACTIVATIONS
from skmtl.neural_network._criteria import OneAgainstRest, Softmax
from skmtl.neural_network._gramian import (
    ROW_KERNEL,
    feature_gramian,
    head_gramian,
    norms_and_cosines,
    trunk_gramian,
    trunk_jacobian,
)
from skmtl.neural_network._history import history
from skmtl.neural_network._network import Network, grown
from skmtl.neural_network._optimizers import SGD, Adam, minimise
from skmtl.neural_network._pass import forward_pass, shared_jacobian
from skmtl.neural_network._problem import Memory
from skmtl.neural_network._rows import ONE_HOT_TASKS
from skmtl.neural_network._scaling import target_units
from skmtl.neural_network._training import Monitor

HIDDEN = {"none": (), "one": (5,), "two": (6, 3)}
every_depth = pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)
every_format = pytest.mark.parametrize("long", [False, True], ids=["wide", "long"])


def differences(value, theta, step=1e-5):
    """Central differences of a function, whose error is about step^2 = 1e-10."""
    steps = step * np.eye(len(theta))
    return np.array([(value(theta + h) - value(theta - h)) / (2 * step) for h in steps])


# gradients


@every_depth
@every_format
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", [SquaredError(), Huber(0.5)], ids=["squares", "huber"])
def test_the_gradient_is_the_derivative_of_the_objective(hidden, long, activation, loss):
    network, rows = make_network(hidden, activation=activation), make_rows(make_data(long))
    objective, theta = make_objective(network, rows, loss), random_theta(network)
    expected = differences(lambda x: objective.value_and_grad(x, rows)[0], theta)
    _, grad, _ = objective.value_and_grad(theta, rows)
    np.testing.assert_allclose(grad, expected, atol=1e-8)


@pytest.mark.parametrize("flags", [{"has_shared": False}, {"has_specific": False}])
def test_parts_that_are_fixed_at_zero_have_no_gradient(flags):
    network, rows = make_network((5,), **flags), make_rows(make_data(False))
    objective, theta = make_objective(network, rows), random_theta(network)
    expected = differences(lambda x: objective.value_and_grad(x, rows)[0], theta)
    _, grad, _ = objective.value_and_grad(theta, rows)
    blocks = network.views(expected)
    blocks.shared[...] *= network.has_shared
    blocks.specific[...] *= network.has_specific
    np.testing.assert_allclose(grad, expected, atol=1e-8)


def test_the_objective_is_its_formula():
    data = make_data(False)
    network, rows = make_network((5,), activation="relu"), make_rows(data)
    theta = random_theta(network)
    value, _, sums = make_objective(network, rows).value_and_grad(theta, rows)
    W, c, h0, U, b = (network.views(theta).weights[0], *network.views(theta)[1:])
    A = np.maximum(data.X @ W + c[0], 0)
    labels, omega = data.labels, np.linspace(0.5, 1.5, T)
    z = (A[labels.row] * (h0 + U)[labels.task]).sum(axis=1) + b[labels.task]
    losses = omega[labels.task] * labels.s * (labels.y - z) ** 2
    penalty = 0.1 * (W**2).sum() + 0.2 * (h0**2).sum() + 0.3 * (U**2).sum()
    weight = (omega[labels.task] * labels.s).sum()
    assert value == pytest.approx((losses.sum() + penalty) / weight, rel=1e-12)
    np.testing.assert_allclose(sums, np.bincount(labels.task, losses), rtol=1e-12)


def test_gradients_of_batches_average_to_that_of_all_rows():
    """With complete rows of equal weight each batch has the share of its rows."""
    rng = np.random.default_rng(0)
    data = wide_data(rng.normal(size=(12, P)), rng.normal(size=(12, T)))[0]
    network, rows = make_network((5,)), make_rows(data)
    objective, theta = make_objective(network, rows), random_theta(network)
    params = network.views(theta)
    whole = objective.gradient(theta, params, rows)[1].copy()
    parts = [objective.gradient(theta, params, b)[1].copy() for b in rows.batches(np.arange(12), 4)]
    np.testing.assert_allclose(np.mean(parts, axis=0), whole, rtol=1e-11)


@every_depth
@every_format
def test_arrays_of_other_libraries_give_the_same_numbers(hidden, long, xp_place):
    network = make_network(hidden, activation="relu")
    theta = random_theta(network)
    rows, there = make_rows(make_data(long)), make_rows(make_data(long, place=xp_place.place))
    value, grad, sums = make_objective(network, rows).value_and_grad(theta, rows)
    found = make_objective(network, there).value_and_grad(to_place(theta, xp_place.place), there)
    assert found[0] == pytest.approx(value, rel=1e-12)
    for mine, theirs in ((found[1], grad), (found[2], sums)):
        assert place_of(mine) == xp_place.place
        np.testing.assert_allclose(to_numpy(mine), theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_slope_is_the_derivative_of_its_activation(activation):
    Z = np.linspace(-3, 3, 8)[None, :]
    apply, slope, _ = ACTIVATIONS[activation]
    numeric = (apply(Z + 1e-6) - apply(Z - 1e-6)) / 2e-6
    np.testing.assert_allclose(slope(apply(Z), np.ones_like(Z)), numeric, atol=1e-9)


# parameters


def test_views_share_the_memory_of_the_vector(xp_place):
    network = make_network((5,))
    flat = to_place(np.zeros(network.n_parameters), xp_place.place)
    for k, block in enumerate((*network.views(flat).weights, *network.views(flat)[2:])):
        block[...] = k + 1.0
    counts = np.unique(to_numpy(flat), return_counts=True)
    assert dict(zip(*counts, strict=True)) == {0: 5, 1: 20, 2: 5, 3: 15, 4: 3}


@pytest.mark.parametrize("activation", ["relu", "logistic"])
def test_the_trunk_begins_as_that_of_scikit_learn(activation, rng):
    network = make_network((5, 3), n_tasks=2, activation=activation)
    start = network.views(network.initial(np.random.RandomState(7)))
    peer = MLPRegressor(
        hidden_layer_sizes=(5, 3), activation=activation, random_state=7, learning_rate_init=1e-300
    )
    peer.partial_fit(rng.normal(size=(9, P)), rng.normal(size=(9, 2)))  # a step of length zero
    for mine, theirs in zip(
        start.weights + start.biases, peer.coefs_[:2] + peer.intercepts_[:2], strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("flags", [{}, {"has_shared": False}, {"has_specific": False}])
def test_all_heads_begin_alike_and_not_at_zero(flags):
    network = make_network((5,), **flags)
    start = network.views(network.initial(np.random.RandomState(0)))
    H = start.specific + start.shared
    assert (H == H[0]).all() and H[0].all()
    assert np.ptp(start.intercepts) == 0


def test_a_grown_network_has_the_old_parameters_where_they_were():
    old, new = make_network((5,), n_tasks=2), make_network((5,), n_tasks=4)
    theta, unit_of = random_theta(old), np.array([3, 1])
    before, after = old.views(theta), new.views(grown(theta, old, new, unit_of, fill=True))
    np.testing.assert_array_equal(after.weights[0], before.weights[0])
    np.testing.assert_array_equal(after.shared, before.shared)
    np.testing.assert_array_equal(after.specific[[3, 1]], before.specific)
    np.testing.assert_array_equal(after.intercepts[[3, 1]], before.intercepts)
    assert not after.specific[[0, 2]].any()
    assert after.intercepts[0] == before.intercepts.mean()
    apart = make_network((5,), n_tasks=2, has_shared=False)
    heads = apart.views(grown(theta, old, apart, np.arange(2), fill=True)).specific
    np.testing.assert_array_equal(heads, before.specific + before.shared)
    memory = Memory(old, theta, (7, [theta, theta])).laid_out_for(new, unit_of)
    assert memory.optimizer[0] == 7
    assert not new.views(memory.optimizer[1][0]).intercepts[[0, 2]].any()


# rows


@every_depth
def test_long_rows_equal_wide_rows_with_one_label_each(hidden):
    data = make_data(True)
    network = make_network(hidden)
    theta = random_theta(network)
    results = []
    for rows in (make_rows(data), make_rows(data, wide=True)):
        results.append(make_objective(network, rows).value_and_grad(theta, rows))
        assert rows.total == pytest.approx(rows.task_totals().sum())
    for mine, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-10)


def test_sums_over_many_tasks_equal_those_by_indicators(rng):
    data = make_data(True, n=200, n_tasks=ONE_HOT_TASKS + 7)
    rows = make_rows(data, omega=np.ones(data.n_tasks))
    M = rng.normal(size=(200, 3))
    np.testing.assert_allclose(rows._sum_rows(M), rows.indicators @ M, atol=1e-13)
    some = rows.take(rng.permutation(200)[:20])  # lacks tasks
    np.testing.assert_allclose(some._sum_rows(M[:20]), some.indicators @ M[:20], atol=1e-13)


@every_format
def test_batches_hold_every_row_once(long):
    rows = make_rows(make_data(long))
    order = np.random.default_rng(0).permutation(len(rows))
    batches = list(rows.batches(order, 5))
    assert [len(batch) for batch in batches] == [5, 5, 2]
    assert sum(batch.total for batch in batches) == pytest.approx(rows.total)
    np.testing.assert_allclose(
        np.sort(np.concatenate([b.X[:, 0] for b in batches])), np.sort(rows.X[:, 0])
    )
    assert list(rows.batches(order, 12)) == [rows]


def test_units_of_targets_are_their_weighted_moments():
    data = make_data(False)
    units, labels = target_units(data), data.labels
    for t in range(T):
        own = slice(*labels.indptr[t : t + 2])
        mean = np.average(labels.y[own], weights=labels.s[own])
        variance = np.average((labels.y[own] - mean) ** 2, weights=labels.s[own])
        assert units.mean[t] == pytest.approx(mean, rel=1e-12)
        assert units.scale[t] == pytest.approx(variance**0.5, rel=1e-12)
    np.testing.assert_allclose(label_moments(units.scaled(data)).std, 1.0, rtol=1e-12)


def test_a_constant_task_has_the_pooled_scale():
    X, Y = np.zeros((4, 1)), np.array([[1.0, 0.1], [3.0, 0.1], [5.0, 0.1], [7.0, 0.1]])
    units = target_units(wide_data(X, Y)[0])
    # variances 5 and 0 on as many labels each
    np.testing.assert_allclose(units.scale, [5**0.5, 2.5**0.5], rtol=1e-12)
    assert target_units(wide_data(X, Y[:, 1:])[0], 7.0).scale[0] == 7.0


# Gramians


def derivatives(network, objective, rows, theta):
    """(params, layers, rows, R, H) with R the derivatives of mean losses."""
    params = network.views(theta)
    layers, H = network.forward(params, rows.X), objective.heads(params)
    _, R = objective.residuals(rows, layers[-1], H, params.intercepts)
    return params, layers, rows, rows.weighted(R, 1 / rows.task_totals()), H


GRAMIANS = {  # rows and features: by gradients, by the kernel of rows, by a product for each task
    "primal": (False, 40, 5),
    "kernel": (False, 6, 30),
    "long-kernel": (True, 40, 5),
    "long-segments": (True, ROW_KERNEL + 10, 5),
}


@pytest.mark.parametrize("case", GRAMIANS.values(), ids=GRAMIANS)
def test_the_exact_gramian_is_that_of_the_gradients(case, xp_place):
    long, n, p = case
    data, there = (make_data(long, n=n, p=p, place=place) for place in (NUMPY, xp_place.place))
    network = make_network((8, 4), p=p)
    theta, rows = random_theta(network), make_rows(data)
    g = mean_loss_gradients(network, rows, theta)
    rows = make_rows(there)
    objective = make_objective(network, rows)
    one = derivatives(network, objective, rows, to_place(theta, xp_place.place))
    n_trunk = network.n_shared - 4
    trunk, shared = g[:, :n_trunk], g[:, n_trunk : network.n_shared]
    found = trunk_gramian(network, *one)
    np.testing.assert_allclose(found, trunk @ trunk.T, rtol=1e-10, atol=1e-12)
    specific, _ = rows.head_gradients(one[3], one[1][-1])
    found = head_gramian(objective.incidence, specific, network.unit_tasks, T)
    np.testing.assert_allclose(found, shared @ shared.T, rtol=1e-10, atol=1e-12)


@every_format
def test_the_jacobian_holds_the_gradients(long):
    network, rows = make_network((8, 4)), make_rows(make_data(long))
    theta = random_theta(network)
    one = derivatives(network, make_objective(network, rows), rows, theta)
    J = np.zeros((T, network.n_parameters))
    trunk_jacobian(network, *one, [network.views(row) for row in J])
    n_trunk = network.n_shared - 4
    expected = mean_loss_gradients(network, rows, theta)[:, :n_trunk]
    np.testing.assert_allclose(J[:, :n_trunk], expected, atol=1e-12)


@every_format
def test_the_feature_gramian_is_that_of_the_gradients_at_the_representation(long):
    network, rows = make_network((8, 4)), make_rows(unweighted(make_data(long)))
    R, H = derivatives(network, make_objective(network, rows), rows, random_theta(network))[3:]
    at_features = [
        rows.pull(rows.weighted(R, (np.arange(T) == t).astype(float)), H).ravel() for t in range(T)
    ]
    expected = np.array(at_features) @ np.array(at_features).T
    found = feature_gramian(rows, R, H, network.unit_tasks, T)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)


def unweighted(data):
    """The data with labels of weight 1."""
    labels = data.labels
    if data.one_label_per_row:
        return long_data(data.X, labels.y, labels.task, data.n_tasks, None)[0]
    Y = np.full((data.X.shape[0], data.n_tasks), np.nan)
    Y[labels.row, labels.task] = labels.y
    return wide_data(data.X, Y)[0]


@every_format
def test_a_row_of_weight_two_is_two_rows_to_the_feature_gramian(long, xp_place):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(12, P)), rng.normal(size=(12, T))
    Y[rng.random(Y.shape) < 0.3] = np.nan
    weight, task = rng.integers(1, 4, 12), np.arange(12) % T
    network = make_network((8, 4))
    theta = to_place(random_theta(network), xp_place.place)
    Gramians = []
    for index, s in (
        (np.arange(12), weight.astype(float)),
        (np.repeat(np.arange(12), weight), None),
    ):
        X_there = to_place(X[index], xp_place.place)
        if long:
            data = long_data(X_there, np.nan_to_num(Y[index, 0]), task[index], T, s)[0]
        else:
            data = wide_data(X_there, Y[index], s)[0]
        rows = make_rows(data)
        R, H = derivatives(network, make_objective(network, rows), rows, theta)[3:]
        Gramians.append(feature_gramian(rows, R, H, network.unit_tasks, T))
    np.testing.assert_allclose(*Gramians, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("n, p", [(40, 5), (6, 30)], ids=["primal", "kernel"])
@pytest.mark.parametrize(
    "criterion",
    [Softmax([2, 3, 4]), OneAgainstRest([2, 3, 4], SquaredHinge())],
    ids=["softmax", "squared_hinge"],
)
def test_tasks_of_several_units_have_the_gramian_of_their_gradients(criterion, n, p):
    """Tasks of 2, 3 and 4 classes against the gradient of each task's loss by itself."""
    rng, sizes = np.random.default_rng(0), criterion.sizes
    channels = np.concatenate([[1, 3], [0, 1, 2], [0, 1, 2, 3]])
    tasks = np.repeat(np.arange(T), sizes)
    network = Network((p, 8, 4), "tanh", channels, 4, tasks, T, has_shared=True, has_specific=True)
    rows = make_rows(make_data(False, n=n, p=p))
    rows = replace(rows, labels=rng.integers(0, sizes, size=rows.V.shape).astype(float))
    theta = random_theta(network)
    g = mean_loss_gradients(network, rows, theta, criterion)
    objective = make_objective(network, rows, criterion=criterion)
    one = forward_pass(objective, network.views(theta), rows)
    n_trunk = network.n_shared - 4 * 4
    trunk, shared = g[:, :n_trunk], g[:, n_trunk : network.n_shared]
    found = trunk_gramian(network, *one[:5])
    np.testing.assert_allclose(found, trunk @ trunk.T, rtol=1e-10, atol=1e-12)
    found = head_gramian(objective.incidence, one.heads[0], network.unit_tasks, T)
    np.testing.assert_allclose(found, shared @ shared.T, rtol=1e-10, atol=1e-12)
    J = shared_jacobian(objective, one)
    np.testing.assert_allclose(J, g[:, : network.n_shared], rtol=1e-10, atol=1e-12)


def test_tasks_of_several_units_have_the_gramian_of_their_sums():
    """Units of one task, as of its classes: blocks of the units' Gramian are added up."""
    channels, tasks = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
    network = Network((P, 5), "tanh", channels, 2, tasks, 2, has_shared=True, has_specific=True)
    rng = np.random.default_rng(0)
    H, R, A = rng.normal(size=(4, 5)), rng.normal(size=(12, 4)), rng.normal(size=(12, 5))
    rows = make_rows(unweighted(make_data(False)))
    gradients = np.array([(R[:, u] @ H[u]).ravel() for u in (slice(0, 2), slice(2, 4))])
    found = feature_gramian(rows, R, H, network.unit_tasks, 2)
    np.testing.assert_allclose(found, gradients @ gradients.T, rtol=1e-12)
    shared = np.array([(network.incidence()[u].T @ (R.T @ A)[u]).ravel() for u in gradients_of(2)])
    found = head_gramian(network.incidence(), R.T @ A, network.unit_tasks, 2)
    np.testing.assert_allclose(found, shared @ shared.T, rtol=1e-12)


def gradients_of(n_tasks):
    return [slice(2 * t, 2 * t + 2) for t in range(n_tasks)]


def test_norms_and_cosines_give_the_gramian_back(rng):
    J = rng.normal(size=(3, 5)) * np.array([[1e-6], [1.0], [1e3]])
    J[1] = 0
    norms, C = norms_and_cosines(J @ J.T)
    np.testing.assert_allclose(norms * C * norms[:, None], J @ J.T, rtol=1e-12)
    assert (C.diagonal() == 1).all()


# optimisers


def test_adam_is_its_published_update(rng):
    theta = rng.normal(size=6)
    mine, m, v = theta.copy(), np.zeros(6), np.zeros(6)
    optimizer = Adam(0.01)
    state = optimizer.init(mine)
    for t in range(1, 8):
        g = rng.normal(size=6)
        state = optimizer.step(mine, g, state)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        theta = theta - 0.01 * (m / (1 - 0.9**t)) / (
            np.sqrt(v / (1 - 0.999**t)) + 1e-8 / np.sqrt(1 - 0.999**t)
        )
        # scikit-learn adds epsilon before the correction of the second moment, as we do
        np.testing.assert_allclose(mine, theta, rtol=1e-12)


def test_sgd_looks_ahead_by_its_momentum(rng):
    theta, velocity = rng.normal(size=4), np.zeros(4)
    mine, optimizer = theta.copy(), SGD(0.1)
    state = optimizer.init(mine)
    for _ in range(4):
        g = rng.normal(size=4)
        state = optimizer.step(mine, g, state)
        velocity = 0.9 * velocity - 0.1 * g
        theta = theta + 0.9 * velocity - 0.1 * g
        np.testing.assert_allclose(mine, theta, rtol=1e-12)


def test_lbfgs_finds_the_minimum_and_says_when_it_did_not(xp_place):
    scales = to_place(np.array([1.0, 10.0, 100.0]), xp_place.place)
    start = to_place(np.array([1.0, 2.0, 3.0]), xp_place.place)

    def value_and_grad(x):
        return float(xp_place.xp.sum(scales * x * x)) / 2, scales * x

    options = {"callback": lambda: False, "tol": 1e-9, "history": 5}
    options["units"] = np.array([1.0, 0.5, 2.0])
    found = minimise(value_and_grad, start, max_iter=50, **options)
    assert found.converged
    assert place_of(found.theta) == xp_place.place
    np.testing.assert_allclose(to_numpy(found.theta), 0, atol=1e-9)
    assert not minimise(value_and_grad, start, max_iter=1, **options).converged


# what happened


def monitor_of(losses, weights):
    monitor = Monitor(np.ones(len(losses[0])), 0.0, 0)
    monitor.losses, monitor.weights = list(map(np.array, losses)), weights
    return monitor


def test_histories_continue_each_other_by_task():
    first = history(["b"], [0], monitor_of([[1.0], [2.0]], [None, None]), np.ones(1))
    later = monitor_of([[5.0, 3.0]], [np.array([0.5, 1.5])])
    both = first.continued(history(["a", "b", "c"], [0, 1], later, np.ones(3)))
    expected = [[np.nan, 1, np.nan], [np.nan, 2, np.nan], [5, 3, np.nan]]
    np.testing.assert_array_equal(both.losses, expected)
    expected = [[np.nan, 1, np.nan], [np.nan, 1, np.nan], [0.5, 1.5, np.nan]]
    np.testing.assert_array_equal(both.weights, expected)
    assert both.tasks == ["a", "b", "c"] and both.scores is None
