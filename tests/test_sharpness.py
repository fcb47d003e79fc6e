"""Sharpness-aware training of perceptrons: perturbed gradients by hand, limits, refusals."""

import pickle

import numpy as np
import pytest
from _networks import (
    make_data,
    make_network,
    make_objective,
    make_rows,
    mean_loss_gradients,
    random_theta,
)
from _properties import assert_close
from _samplers import as_long, labels_for, wide, with_holes
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmtl import MultiTaskPerceptron, MultiTaskPerceptronClassifier, _backend
from skmtl.balancing import BALANCERS, MGDA, GroupDRO, SharpnessAware, balance, resolve_balancer
from skmtl.model_selection import MultiTaskKFold
from skmtl.neural_network._balanced import Balanced, Balancing
from skmtl.neural_network._problem import Memory
from skmtl.neural_network._sharpness import perturbed

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMALL = {"hidden_layer_sizes": (8,), "activation": "tanh", "random_state": 0, "max_iter": 5}
EXACT = 1e-10  # gradients by another route
RHO, BETA = 0.3, 0.4
every_mode = pytest.mark.parametrize("mode", ["f_mtl", "samo"])
every_format = pytest.mark.parametrize("long", [False, True], ids=["wide", "long"])
every_depth = pytest.mark.parametrize("hidden", [(), (6,), (6, 3)], ids=str)


@pytest.fixture
def data():
    return wide()


# gradients by their definition


class Case:
    """A network at random parameters on some rows, without penalties."""

    def __init__(self, hidden=(6,), long=False, **flags):
        self.network, self.rows = make_network(hidden, **flags), make_rows(make_data(long))
        self.theta = random_theta(self.network)
        self.objective = make_objective(self.network, self.rows, alphas=(0, 0, 0))
        self.totals = np.asarray(self.rows.task_totals())

    def gradients(self, theta):
        """Of each task's mean loss, zero in parameters that are none."""
        g, network = mean_loss_gradients(self.network, self.rows, theta), self.network
        for row in map(network.views, g):
            row.shared[...] *= network.has_shared
            row.specific[...] *= network.has_specific
        return g

    def losses(self, theta):
        """Mean loss of each task."""
        sums = self.objective.value_and_grad(theta, self.rows)[2]
        return np.asarray(sums) / self.totals

    def moved(self, directions, rho):
        """theta plus rho along each task's unit direction, and its head's own unit gradient."""
        n, g = self.network.n_shared, self.gradients(self.theta)
        for t in range(self.network.n_tasks):
            shared, own = directions[t] / np.linalg.norm(directions[t]), g[t, n:]
            yield self.theta + rho * np.append(shared, own / np.linalg.norm(own))

    def at_distance(self, directions, rho):
        """h_t."""
        places = enumerate(self.moved(directions, rho))
        return np.array([self.gradients(place)[t] for t, place in places])

    def perturbed(self, balancer=None, mode="f_mtl", rho=RHO, *, exact=True, seed=0):
        """The gradient that a training follows."""
        balancing, balanced = Balancing(balancer, exact, 1, np.arange(3), 3), None
        if balancer is not None:
            balanced = Balanced(self.objective, balancing, balancer.init(3, None))
        perturbation, memory = (
            SharpnessAware(rho, mode, beta=BETA),
            Memory(self.network, self.theta),
        )
        rng = np.random.RandomState(seed)
        source = perturbed(self.objective, perturbation, memory, balanced, rng)
        sums, grad = source.gradient(self.theta, self.network.views(self.theta), self.rows)
        grad = grad.copy()  # which the next call overwrites
        np.testing.assert_allclose(sums / self.totals, self.losses(self.theta))
        return grad


def at_length_of_mean(direction, g):
    return direction * np.linalg.norm(g.mean(axis=0)) / np.linalg.norm(direction)


@every_depth
@every_format
@pytest.mark.parametrize(
    "flags", [{}, {"has_shared": False}, {"has_specific": False}], ids=["both", "apart", "one"]
)
def test_a_task_is_moved_up_its_own_gradient(hidden, long, flags):
    case = Case(hidden, long, **flags)
    n, g = case.network.n_shared, case.gradients(case.theta)
    if not hidden and not case.network.has_shared:
        return  # nothing is shared
    expected = case.totals / case.rows.total @ case.at_distance(g[:, :n], RHO)
    np.testing.assert_allclose(case.perturbed(), expected, rtol=0, atol=EXACT)


def test_perturbed_gradients_agree_with_differences_of_losses():
    """From losses alone: central differences, at theta and at each task's own place."""
    case = Case()
    step = 1e-5  # errors are of step^2 and of rounding over step

    def derivatives(theta):
        units = step * np.eye(len(theta))
        return (
            np.array([(case.losses(theta + u) - case.losses(theta - u)) / 2 for u in units]) / step
        )

    n, g = case.network.n_shared, derivatives(case.theta).T
    h = []
    for t, row in enumerate(g):
        parts = row[:n] / np.linalg.norm(row[:n]), row[n:] / np.linalg.norm(row[n:])
        h.append(derivatives(case.theta + RHO * np.append(*parts))[:, t])
    expected = case.totals / case.rows.total @ np.array(h)
    np.testing.assert_allclose(case.perturbed(), expected, atol=1e-7)


@every_depth
@every_format
@pytest.mark.parametrize("scale_heads", [False, True])
def test_gradients_and_flat_parts_are_balanced_by_themselves(hidden, long, scale_heads):
    case, balancer = Case(hidden, long), MGDA(scale_heads=scale_heads)
    n, g = case.network.n_shared, case.gradients(case.theta)
    f = case.at_distance(g[:, :n], RHO) - g
    shared, heads = 0, 0
    for part in (g, f):
        w = balance(part[:, :n], balancer=balancer).weights
        shared = shared + at_length_of_mean(w @ part[:, :n], part[:, :n])
        heads = heads + (w / w.sum() if scale_heads else np.full(3, 1 / 3)) @ part[:, n:]
    found = case.perturbed(balancer)
    np.testing.assert_allclose(found[:n], shared, rtol=0, atol=1e-8)  # of MGDA's weights
    np.testing.assert_allclose(found[n:], heads, rtol=0, atol=1e-8)


def test_weights_from_losses_are_those_of_gradients_and_flat_parts_alike():
    case, balancer = Case(), GroupDRO(0.5)
    n, g = case.network.n_shared, case.gradients(case.theta)
    w = balance(g[:, :n], case.losses(case.theta), balancer).weights
    expected = w / w.sum() @ case.at_distance(g[:, :n], RHO)
    np.testing.assert_allclose(case.perturbed(balancer), expected, rtol=0, atol=EXACT)


def mixture(case, seed=0):
    """(1 - beta) times the mean's gradient plus beta times an estimate, block by block."""
    n, network = case.network.n_shared, case.network
    # the generator of a training, whose seed is what the given one would draw next
    rng = np.random.RandomState(np.random.RandomState(seed).randint(2**31))
    u = np.zeros_like(case.theta)
    u[:n] = rng.standard_normal(n)
    network.views(u).shared[...] *= network.has_shared
    slopes = (case.losses(case.theta + 0.01 * u) - case.losses(case.theta - 0.01 * u)) / 0.02
    mean = case.gradients(case.theta).mean(axis=0)
    directions = []
    for slope in slopes:
        e, blocks = np.zeros_like(mean), [network.views(x) for x in (mean, slope * u)]
        views = network.views(e)
        for name, k in [(name, k) for name in ("weights", "biases") for k in range(2)]:
            g, z = (getattr(block, name)[k] for block in blocks)
            getattr(views, name)[k][...] = mixed(g, z)
        if network.has_shared:
            views.shared[...] = mixed(*(block.shared for block in blocks))
        directions.append(e[:n])
    return np.array(directions), np.sign(slopes)


def mixed(g, z):
    return (1 - BETA) * g + BETA * np.linalg.norm(g) * z / np.linalg.norm(z)


@every_format
@pytest.mark.parametrize("flags", [{}, {"has_shared": False}], ids=["both", "apart"])
def test_samo_mixes_the_mean_gradient_with_an_estimate_of_each_tasks_own(long, flags):
    case = Case((6, 3), long, **flags)
    n, differ = case.network.n_shared, 0
    for seed in range(15):
        directions, signs = mixture(case, seed)
        differ += len(set(signs)) > 1  # else one move for all tasks
        h = case.at_distance(directions, RHO)
        expected = case.totals / case.rows.total @ h
        found = case.perturbed(mode="samo", seed=seed)
        np.testing.assert_allclose(found, expected, rtol=0, atol=EXACT)
        w = balance(h[:, :n], balancer="mgda").weights
        found = case.perturbed(MGDA(), "samo", seed=seed)
        direction = at_length_of_mean(w @ h[:, :n], h[:, :n])
        np.testing.assert_allclose(found[:n], direction, rtol=0, atol=1e-8)  # of MGDA's weights
        np.testing.assert_allclose(found[n:], w @ h[:, n:], rtol=0, atol=1e-8)
    assert differ


def test_without_hidden_layers_flat_parts_are_the_curvature_times_the_move():
    """Squares have one Hessian everywhere: h_t - g_t is linear in rho, and nothing is flatter."""
    case = Case(())
    once, twice = (case.perturbed(rho=rho) for rho in (0.1, 0.2))
    plain = case.perturbed(rho=1e-300)
    np.testing.assert_allclose(twice - plain, 2 * (once - plain), rtol=0, atol=EXACT)


@every_mode
def test_penalties_are_added_at_the_parameters_themselves(mode):
    case = Case()
    plain = case.perturbed(MGDA(max_norm=0.01), mode)
    assert np.linalg.norm(plain[: case.network.n_shared]) == pytest.approx(0.01)
    case.objective = make_objective(case.network, case.rows)
    found = case.perturbed(MGDA(max_norm=0.01), mode)
    np.testing.assert_allclose(found - plain, case.objective.decay * case.theta, atol=1e-12)


@every_mode
@pytest.mark.parametrize("balancer", [None, MGDA(), GroupDRO()], ids=str)
def test_tasks_without_labels_in_a_batch_have_no_part(mode, balancer):
    case = Case((6,), True)
    case.rows = case.rows.take(np.flatnonzero(case.rows.task != 1))
    case.totals = np.asarray(case.rows.task_totals()) + np.array([0.0, np.inf, 0.0])
    grad = case.perturbed(balancer, mode)
    blocks = case.network.views(grad)
    assert np.isfinite(grad).all() and (blocks.specific[[0, 2]] != 0).all()
    np.testing.assert_array_equal(blocks.specific[1], 0)
    assert blocks.intercepts[1] == 0


# trainings


@every_mode
@every_format
@pytest.mark.parametrize("balancer", [None, "mgda", "nash", "excess_risk", "uncertainty"])
@pytest.mark.parametrize("solver, batch_size", [("adam", 9), ("sgd", "auto")])
def test_a_short_perturbation_changes_nothing(mode, long, balancer, solver, batch_size, data):
    X, y = as_long(data[0], with_holes(data[1])) if long else (data[0], with_holes(data[1]))
    params = SMALL | {"balancer": balancer, "solver": solver, "batch_size": batch_size}
    plain = MultiTaskPerceptron(task_column=-1 if long else None, **params)
    model = clone(plain).set_params(perturbation=SharpnessAware(1e-10, mode))
    plain.fit(X, y), model.fit(X, y)
    # gradients change by rho times the curvature, and divided differences keep six digits of that
    assert_close(model.predict(X), plain.predict(X), rtol=1e-6)
    assert_close(model.task_weights_path_, plain.task_weights_path_, rtol=1e-6)
    changed = clone(plain).set_params(perturbation=SharpnessAware(0.1, mode)).fit(X, y)
    assert abs(changed.predict(X) - plain.predict(X)).max() > 1e-4


@pytest.mark.slow
@every_mode
@every_format
@pytest.mark.parametrize("gramian", ["features", "exact"])
@pytest.mark.parametrize("balancer", [None, "mgda", "excess_risk", "uncertainty"])
def test_arrays_of_another_library_give_the_same_training(
    mode, long, gramian, balancer, data, xp_place
):
    X, y = as_long(*data) if long else (data[0], with_holes(data[1]))
    model = MultiTaskPerceptron(
        balancer=balancer,
        gramian=gramian,
        perturbation=SharpnessAware(0.1, mode),
        batch_size=13,
        task_column=-1 if long else None,
        **SMALL | {"max_iter": 2},
    )
    plain, there = clone(model).fit(X, y), model.fit(xp_place(X), xp_place(y))
    plain.partial_fit(X, y)
    there.partial_fit(xp_place(X), xp_place(y))
    assert_close(_backend.to_numpy(there.predict(xp_place(X))), plain.predict(X))
    for name in ("loss_curve_", "task_weights_path_", "heads_"):
        assert _backend.place_of(getattr(there, name)) == xp_place.place
        assert_close(_backend.to_numpy(getattr(there, name)), getattr(plain, name))


@pytest.mark.slow
@every_mode
@pytest.mark.parametrize("name", BALANCERS)
def test_every_balancer_trains_at_a_distance(mode, name, data):
    X, Y = (data[0] - data[0].mean(axis=0)) / data[0].std(axis=0), with_holes(data[1])
    model = MultiTaskPerceptron(
        balancer=name,
        perturbation=SharpnessAware(0.05, mode),
        batch_size=16,
        learning_rate_init=0.01,
        **SMALL | {"max_iter": 40, "tol": 0.0, "n_iter_no_change": np.inf},
    ).fit(X, Y)
    assert np.isfinite(model.loss_curve_).all()
    assert model.loss_curve_[-1].sum() < 0.7 * model.loss_curve_[0].sum()
    if resolve_balancer(name).owns_direction:
        np.testing.assert_array_equal(model.task_weights_path_, 1)


@every_mode
@pytest.mark.parametrize("edges", [[0], [-1, 1]], ids=["binary", "three-classes"])
@pytest.mark.parametrize("long", [False, True], ids=["wide", "long"])
def test_classifiers_learn_at_a_distance(mode, edges, long):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 2))
    Y = np.column_stack([np.digitize(z, edges) for z in (X[:, 0] * X[:, 1], X[:, 0])]).astype(float)
    Y[rng.random(Y.shape) < 0.3] = np.nan
    X, y = as_long(X, Y) if long else (X, Y)
    model = MultiTaskPerceptronClassifier(
        (20,),
        balancer="upgrad",
        perturbation=SharpnessAware(0.02, mode),
        learning_rate_init=0.02,
        batch_size=50,
        max_iter=60,
        alpha_shared=0.01,
        alpha_specific=0.01,
        task_column=-1 if long else None,
        random_state=0,
    ).fit(X, y)
    assert model.score(X, y) > 0.85


@every_mode
def test_a_seed_makes_a_model(mode, data):
    params = SMALL | {"perturbation": SharpnessAware(0.1, mode), "batch_size": 9}
    first, again, other = (
        MultiTaskPerceptron(**params | {"random_state": seed}).fit(*data).predict(data[0])
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert abs(first - other).max() > 1e-3


@every_mode
@pytest.mark.parametrize("balancer", [None, "excess_risk"])
def test_partial_fits_on_the_same_rows_are_the_epochs_of_a_fit(mode, balancer, data):
    params = SMALL | {"perturbation": SharpnessAware(0.1, mode), "balancer": balancer}
    fitted, pieces = MultiTaskPerceptron(**params).fit(*data), MultiTaskPerceptron(**params)
    for _ in range(5):
        pieces = pickle.loads(pickle.dumps(pieces)).partial_fit(*data)
    np.testing.assert_array_equal(pieces.predict(data[0]), fitted.predict(data[0]))
    np.testing.assert_array_equal(pieces.loss_curve_, fitted.loss_curve_)


def test_the_flat_parts_have_a_state_of_their_own(data):
    """ExcessRisk adds up squared gradients, those of flat parts apart."""
    model = MultiTaskPerceptron(
        balancer="excess_risk", perturbation=SharpnessAware(1e-3), **SMALL
    ).fit(*data)
    kept = model._past.memory.balancer
    squares = [k.state.own["squares"].sum() for k in (kept, kept.flat)]
    assert 0 < squares[1] < 1e-3 * squares[0]
    model.set_params(perturbation=None).partial_fit(*data)
    assert model._past.memory.balancer.flat is None
    model.set_params(perturbation=SharpnessAware()).partial_fit(*data)
    assert model._past.memory.balancer.flat is not None


@every_mode
def test_weights_hold_between_updates(mode, data):
    every = {"balancer": "mgda", "batch_size": 10, "perturbation": SharpnessAware(0.1, mode)}
    once = MultiTaskPerceptron(update_every=1000, **every, **SMALL).fit(*data)
    assert (once.task_weights_path_ == once.task_weights_path_[0]).all()
    often = MultiTaskPerceptron(**every, **SMALL).fit(*data)
    assert (np.diff(often.task_weights_path_, axis=0) != 0).any()


# parameters


@pytest.mark.parametrize(
    "params, error, message",
    [
        ({"perturbation": "samo"}, TypeError, "perturbation must be None or a Sharp.*got 'samo'"),
        (
            {"perturbation": 0.1},
            TypeError,
            "perturbation must be None or a SharpnessAware, got 0.1",
        ),
        ({"perturbation": MGDA()}, TypeError, r"perturbation must be .*got MGDA\(\)"),
        ({"perturbation": SharpnessAware}, TypeError, "perturbation must be .*got <class"),
        (
            {"perturbation": SharpnessAware(), "solver": "lbfgs"},
            ValueError,
            "perturbation needs solver='adam' or 'sgd', got solver='lbfgs'",
        ),
        ({"perturbation": SharpnessAware(0)}, ValueError, r"perturbation: rho must be in \(0, inf"),
        ({"perturbation": SharpnessAware(-1.0)}, ValueError, "rho must be .* got -1.0"),
        ({"perturbation": SharpnessAware(np.inf)}, ValueError, "rho must be .* got inf"),
        ({"perturbation": SharpnessAware("a")}, TypeError, "rho must be a number .* got 'a'"),
        ({"perturbation": SharpnessAware(mode="sam")}, ValueError, "mode must be one of .*'samo'"),
        ({"perturbation": SharpnessAware(beta=1.5)}, ValueError, r"beta must be in \[0, 1\], got"),
        ({"perturbation": SharpnessAware(beta=-1)}, ValueError, "beta must be .* got -1"),
    ],
)
@pytest.mark.parametrize("estimator", [MultiTaskPerceptron, MultiTaskPerceptronClassifier])
def test_it_refuses(estimator, params, error, message, data):
    model = estimator(**params)
    with pytest.raises(error, match=message):
        model.fit(data[0], labels_for(model, data[1]))


def test_parameters_are_cloned_shown_and_searched(data):
    model = MultiTaskPerceptron(perturbation=SharpnessAware(0.1, "samo", beta=0.3), **SMALL)
    assert clone(model).perturbation.get_params() == {"rho": 0.1, "mode": "samo", "beta": 0.3}
    assert repr(SharpnessAware(0.1, "samo")) == "SharpnessAware(mode='samo', rho=0.1)"
    grid = {"perturbation__rho": [1e-3, 1.0]}
    search = GridSearchCV(model, grid, cv=MultiTaskKFold(3, random_state=0))
    assert np.isfinite(search.fit(*data).cv_results_["mean_test_score"]).all()


@pytest.mark.slow
@parametrize_with_checks(
    [
        # weights and repeated rows round otherwise in standard units, and unit gradients amplify it
        estimator(
            perturbation=SharpnessAware(0.05, mode),
            balancer=balancer,
            standardize=False,
            random_state=0,
        )
        for estimator in (MultiTaskPerceptron, MultiTaskPerceptronClassifier)
        for mode, balancer in (("f_mtl", None), ("samo", "mgda"))
    ]
)
def test_scikit_learn_checks_pass(estimator, check):
    check(estimator)
