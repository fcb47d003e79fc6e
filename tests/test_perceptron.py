"""MultiTaskPerceptron: models that it equals, trainings in pieces, balancers, what it refuses."""

import warnings

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
from _samplers import as_long, frequencies, long_queries, one_label_a_row, wide, with_holes
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPRegressor

from skmtl import MultiTaskRidge, TargetScaler, _backend
from skmtl.balancing import MGDA, STCH, ExcessRisk, GroupDRO, balance
from skmtl.losses import Huber, SquaredError
from skmtl.model_selection import MultiTaskKFold
from skmtl.neural_network import MultiTaskPerceptron
from skmtl.neural_network._balanced import Balanced, Balancing
from skmtl.neural_network._perceptron import _pooled_r2
from skmtl.neural_network._rows import LongRows, WideRows

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
EXACT = {
    "hidden_layer_sizes": (),
    "solver": "lbfgs",
    "tol": 1e-11,
    "max_iter": 2000,
    "random_state": 0,
}
# L-BFGS stops where the objective no longer changes: coefficients are good to its square root
ROOT = 1e-6
SMALL = {"hidden_layer_sizes": (8,), "random_state": 0, "max_iter": 5}


@pytest.fixture
def data():
    return wide()


def standardised(X):
    return (X - X.mean(axis=0)) / X.std(axis=0)


# models that it equals


@pytest.mark.parametrize(
    "alphas", [(1.0, 2.0), (np.inf, 2.0), (1.0, np.inf), (np.inf, np.inf), (0.1, 0.05)]
)
@pytest.mark.parametrize("labels", [lambda Y: Y, with_holes, one_label_a_row])
@pytest.mark.parametrize("standardize", [False, True])
def test_without_hidden_layer_it_is_the_ridge(alphas, labels, standardize, data):
    X, Y = data[0], labels(data[1])
    model = MultiTaskPerceptron(
        alpha_shared=alphas[0],
        alpha_specific=alphas[1],
        scale_targets=False,
        standardize=standardize,
        **EXACT,
    ).fit(X, Y)
    ridge = MultiTaskRidge(*alphas, standardize=standardize).fit(X, Y)
    mean, scale = (model.mean_, model.scale_) if standardize else (np.zeros(4), np.ones(4))
    coef, shared = model.heads_ / scale, model.shared_head_ / scale
    assert_close(coef, ridge.coef_, rtol=ROOT)
    assert_close(model.intercept_ - coef @ mean, ridge.intercept_, rtol=ROOT)
    # penalties alone part h_0 from u_t: it is the less sharp, the smaller they are
    rtol = ROOT / min(1e-2, *alphas)
    assert_close(shared, ridge.shared_coef_, rtol=rtol)
    own = model.shared_intercept_ - shared @ mean
    assert_close(own, ridge.shared_intercept_, rtol=rtol)


@pytest.mark.parametrize("task_weight", [None, "balanced", [1.0, 3.0, 0.0]])
def test_it_is_the_ridge_under_weights_and_with_a_task_without_labels(task_weight, data):
    X, Y = data[0], with_holes(data[1])
    Y[:, 1] = np.nan if task_weight is None else Y[:, 1]
    weight = frequencies(len(X)) + 0.5
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="task .* has no label")
        ridge = MultiTaskRidge(0.5, 3.0, task_weight=task_weight).fit(X, Y, weight)
        model = MultiTaskPerceptron(
            alpha_shared=0.5,
            alpha_specific=3.0,
            scale_targets=False,
            standardize=False,
            task_weight=task_weight,
            **EXACT,
        ).fit(X, Y, weight)
    assert_close(model.predict(X), ridge.predict(X), rtol=ROOT)
    assert_close(model.task_weights_, ridge.task_weights_)


def test_scaled_targets_are_those_of_the_target_scaler(data):
    X, Y = data[0], with_holes(data[1]) * np.array([1.0, 100.0, 1e-3])
    table, y = as_long(X, Y)
    options = {"task_column": -1, "unknown_task": "shared"}
    model = MultiTaskPerceptron(**EXACT, **options).fit(table, y)
    peer = TargetScaler(MultiTaskRidge(standardize=True, **options)).fit(table, y)
    queries = long_queries(X, 4)  # a fourth task, which fit did not see
    for t, unit in enumerate([1.0, 100.0, 1e-3, 100.0]):
        rows = queries[queries[:, -1] == t]
        assert_close(model.predict(rows) / unit, peer.predict(rows) / unit, rtol=ROOT)


@pytest.mark.parametrize("solver, rate", [("adam", 1e-2), ("sgd", 1e-2), ("lbfgs", 1e-2)])
def test_one_task_is_scikit_learns_perceptron(solver, rate, data):
    """Twice its objective, so SGD takes half the step; each solver walks the same path."""
    X, y = standardised(data[0]), data[1][:, 0]
    common = {
        "hidden_layer_sizes": (6, 3),
        "activation": "tanh",  # no unit is dead, with gradients as small as Adam's epsilon
        "solver": solver,
        "random_state": 3,
        "max_iter": 10,  # scikit-learn's L-BFGS remembers no more steps
        "alpha": 0.1,
        "batch_size": len(X),
    }
    own = {"alpha_shared": 0.1, "alpha_specific": np.inf, "scale_targets": False}
    step = rate / 2 if solver == "sgd" else rate
    model = MultiTaskPerceptron(learning_rate_init=step, **own, **common).fit(X, y)
    peer = MLPRegressor(learning_rate_init=rate, **common).fit(X, y)
    # Adam adds epsilon to a gradient twice as long
    assert_close(model.predict(X), peer.predict(X), rtol=1e-6)
    for mine, theirs in zip(model.coefs_, peer.coefs_, strict=False):
        assert_close(mine, theirs, rtol=1e-6)


def test_one_task_is_scikit_learns_perceptron_in_minibatches(data):
    """Their batches are ours; their penalty counts by one over the batch, so it is left out."""
    X, y = standardised(data[0]), data[1][:, 0]
    common = {"hidden_layer_sizes": (6,), "random_state": 3, "max_iter": 7, "batch_size": 16}
    model = MultiTaskPerceptron(
        alpha=0.0, alpha_shared=1e-14, alpha_specific=np.inf, scale_targets=False, **common
    ).fit(X, y)
    peer = MLPRegressor(alpha=0.0, **common).fit(X, y)
    assert_close(model.predict(X), peer.predict(X), rtol=1e-6)
    assert_close(model.loss_curve_[:, 0] / 2, np.array(peer.loss_curve_), rtol=1e-6)


def test_sparse_features_give_the_dense_model(data):
    X, Y = data[0] * (data[0] > 0), with_holes(data[1])
    for params in (SMALL, SMALL | {"hidden_layer_sizes": ()}, SMALL | {"balancer": "mgda"}):
        model = MultiTaskPerceptron(gramian="exact", **params)
        dense, sparse = clone(model).fit(X, Y), model.fit(csr_array(X), Y)
        assert_close(sparse.predict(csr_array(X)), dense.predict(X))
    table, y = as_long(X, Y)
    for hidden in ((4,), ()):
        model = MultiTaskPerceptron(hidden, task_column=-1, random_state=0, max_iter=5)
        dense, sparse = clone(model).fit(table, y), model.fit(csr_array(table), y)
        assert_close(sparse.predict(csr_array(table)), dense.predict(table))


@pytest.mark.parametrize("balancer", [None, "mgda", "nash", "excess_risk"])
@pytest.mark.parametrize("long", [False, True], ids=["wide", "long"])
def test_arrays_of_another_library_give_the_same_training(long, balancer, data, xp_place):
    X, y = as_long(*data) if long else data
    model = MultiTaskPerceptron(
        batch_size=13, balancer=balancer, task_column=-1 if long else None, **SMALL
    )
    plain, there = clone(model).fit(X, y), model.fit(xp_place(X), xp_place(y))
    assert not any(map(_backend.is_foreign, arrays_of(there._past)))
    plain.partial_fit(X, y)
    there.partial_fit(xp_place(X), xp_place(y))
    assert_close(_backend.to_numpy(there.predict(xp_place(X))), plain.predict(X))
    for name in ("loss_curve_", "task_weights_path_", "heads_"):
        assert _backend.place_of(getattr(there, name)) == xp_place.place
        assert_close(_backend.to_numpy(getattr(there, name)), getattr(plain, name))


def arrays_of(value):
    """What is in nested tuples, lists and dictionaries."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        return [leaf for part in value for leaf in arrays_of(part)]
    return [value]


def test_a_seed_makes_a_model(data):
    X, Y = data
    fits = [
        MultiTaskPerceptron(**SMALL | {"random_state": seed, "batch_size": 7}).fit(X, Y)
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(fits[0].predict(X), fits[1].predict(X))
    assert abs(fits[0].predict(X) - fits[2].predict(X)).max() > 1e-3


# what is recorded


def test_predictions_are_heads_on_the_representation(data):
    X, Y = data
    model = MultiTaskPerceptron(hidden_layer_sizes=(7, 5), random_state=0, max_iter=5).fit(X, Y)
    A = model.hidden_representation(X)
    assert A.shape == (len(X), 5) and (A >= 0).all()
    assert_close(A @ model.heads_.T + model.intercept_, model.predict(X))
    Z = (X - model.mean_) / model.scale_
    assert_close(Z, standardised(X))
    by_hand = np.maximum(Z @ model.coefs_[0] + model.intercepts_[0], 0)
    assert_close(np.maximum(by_hand @ model.coefs_[1] + model.intercepts_[1], 0), A)
    none = MultiTaskPerceptron(**EXACT).fit(X, Y)
    np.testing.assert_array_equal(none.hidden_representation(X), Z)
    raw = MultiTaskPerceptron(standardize=False, **EXACT).fit(X, Y)
    np.testing.assert_array_equal(raw.hidden_representation(X), X)


def test_the_loss_curve_holds_mean_losses_in_units_of_the_tasks(data):
    X, Y = data[0], with_holes(data[1]) * np.array([1.0, 100.0, 1e-3])
    model = MultiTaskPerceptron(solver="lbfgs", **SMALL).fit(X, Y)
    expected = np.nanmean((Y - model.predict(X)) ** 2, axis=0) / np.nanvar(Y, axis=0)
    assert model.loss_curve_.shape == (model.n_iter_, 3) == (5, 3)
    np.testing.assert_allclose(model.loss_curve_[-1], expected, rtol=1e-10)
    assert (np.diff(model.loss_curve_.sum(axis=1)) < 0).all()


def test_a_task_without_labels_has_no_losses(data):
    X, Y = data[0], data[1].copy()
    Y[:, 0] = np.nan
    with pytest.warns(UserWarning, match="no label"):
        model = MultiTaskPerceptron(**SMALL).fit(X, Y)
    assert np.isnan(model.loss_curve_[:, 0]).all()
    assert np.isfinite(model.loss_curve_[:, 1:]).all()
    np.testing.assert_array_equal(model.task_weights_, [0, 1, 1])


def test_huber_is_the_squared_error_for_small_residuals_and_spares_outliers(data):
    X, Y = standardised(data[0]), data[1]
    fit = {"solver": "lbfgs", "hidden_layer_sizes": (), "tol": 1e-9, "max_iter": 500}
    squares = MultiTaskPerceptron(loss=SquaredError(), **fit).fit(X, Y)
    wide_enough = MultiTaskPerceptron(loss=Huber(1e3), **fit).fit(X, Y)
    assert_close(wide_enough.predict(X), squares.predict(X), rtol=ROOT)
    spoilt = Y.copy()
    spoilt[::10] += 50
    errors = [
        abs(MultiTaskPerceptron(loss=loss, **fit).fit(X, spoilt).predict(X) - Y).mean()
        for loss in ("huber", "squared_error")
    ]
    assert errors[0] < 0.6 * errors[1]


# when it stops


def test_training_stops_as_that_of_scikit_learn(data):
    X, y = standardised(data[0]), data[1][:, 0]
    common = {"hidden_layer_sizes": (6,), "random_state": 0, "alpha": 1.0, "max_iter": 2000}
    own = {"alpha_shared": 1.0, "alpha_specific": np.inf, "scale_targets": False}
    model = MultiTaskPerceptron(tol=1e-2, learning_rate_init=0.01, **own, **common).fit(X, y)
    peer = MLPRegressor(tol=5e-3, learning_rate_init=0.01, **common).fit(X, y)
    assert model.n_iter_ == peer.n_iter_ < 2000


def test_early_stopping_keeps_the_best_parameters(data):
    X, Y = standardised(data[0]), with_holes(data[1])
    model = MultiTaskPerceptron(
        (50,),
        early_stopping=True,
        validation_fraction=0.3,
        learning_rate_init=0.1,
        n_iter_no_change=5,
        max_iter=500,
        random_state=0,
    ).fit(X, Y)
    scores = model.validation_scores_
    assert scores.shape == (model.n_iter_,)
    best = int(np.argmax(scores))
    assert best < model.n_iter_ - 1 < 499
    shorter = clone(model).set_params(max_iter=best + 1).fit(X, Y)
    np.testing.assert_array_equal(shorter.predict(X), model.predict(X))
    assert MultiTaskPerceptron(**SMALL).fit(X, Y).validation_scores_ is None


def test_the_validation_score_is_the_share_of_variance_within_tasks():
    """On long and wide rows alike; a task with one held-out label does not count."""
    rng = np.random.default_rng(0)
    Y, Z = rng.normal(size=(2, 6, 3)) + np.array([0.0, 10.0, 20.0])
    V = rng.uniform(1, 2, size=Y.shape)
    V[:5, 2] = 0
    two = slice(0, 2)
    means = np.average(Y[:, two], axis=0, weights=V[:, two])
    left, all_ = ((V * (Y - z) ** 2)[:, two].sum() for z in (Z, np.append(means, 0)))
    rows = WideRows(np.zeros((6, 1)), np.where(V > 0, Y, 0), V, V.sum(axis=1))
    assert _pooled_r2(rows, Z) == pytest.approx(1 - left / all_, rel=1e-12)
    task, row = np.nonzero(V.T)
    cells = row, task
    long = LongRows(np.zeros((13, 1)), Y[cells], V[cells], V[cells], task, 3)
    assert _pooled_r2(long, Z[cells]) == pytest.approx(1 - left / all_, rel=1e-12)
    assert np.isnan(_pooled_r2(rows, Z * np.nan))


def test_early_stopping_holds_out_labels_of_each_task():
    """A quarter of each task's labels, although one task has most of them."""
    task = np.repeat([0, 1, 2], [80, 12, 8])
    X = np.column_stack([np.random.default_rng(0).normal(size=(100, 3)), task])
    seen = set()

    class Counting(SquaredError):
        def value(self, y, z):
            seen.add(tuple(np.unique_counts(y).counts.tolist()))  # a label is its task's number
            return super().value(y, z)

    model = MultiTaskPerceptron(
        loss=Counting(),
        scale_targets=False,
        early_stopping=True,
        validation_fraction=0.25,
        task_column=-1,
        **SMALL,
    ).fit(X, task)
    assert seen == {(60, 9, 6)}
    assert np.isfinite(model.validation_scores_).all()


def test_a_training_that_does_not_converge_says_so_once(data):
    X, Y = data
    for solver in ("adam", "lbfgs"):
        model = MultiTaskPerceptron(**SMALL | {"solver": solver, "max_iter": 2})
        with pytest.warns(ConvergenceWarning, match="2 iterations .*raise max_iter") as caught:
            model.fit(X, Y)
        assert len(caught) == 1 and caught[0].filename == __file__


def test_a_training_that_converges_does_not_warn(data):
    X, Y = standardised(data[0]), data[1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MultiTaskPerceptron(**EXACT).fit(X, Y)
        MultiTaskPerceptron((5,), learning_rate_init=0.1, tol=1e-2, random_state=0).fit(X, Y)


@pytest.mark.parametrize("balancer", [None, "mgda", "uncertainty"])
def test_a_training_that_diverges_is_refused(balancer, data):
    X, Y = data
    model = MultiTaskPerceptron(
        solver="sgd", learning_rate_init=1e6, max_iter=50, balancer=balancer, random_state=0
    )
    with pytest.raises(ValueError, match=r"training diverged in iteration .*learning_rate_init"):
        model.fit(X, Y)
    assert not hasattr(model, "tasks_")


def test_features_beyond_what_can_be_squared_are_refused(data):
    X, Y = data
    model = MultiTaskPerceptron((5,), solver="lbfgs", standardize=False, random_state=0)
    with pytest.raises(ValueError, match=r"training diverged in iteration 1, .* standardise X"):
        model.fit(X * 1e200, Y)


# trainings in pieces


def test_partial_fits_on_the_same_rows_are_the_epochs_of_a_fit(data):
    X, Y = data
    fitted = MultiTaskPerceptron(**SMALL).fit(X, Y)
    pieces = MultiTaskPerceptron(**SMALL)
    for _ in range(5):
        pieces.partial_fit(X, Y)
    np.testing.assert_array_equal(pieces.predict(X), fitted.predict(X))
    np.testing.assert_array_equal(pieces.loss_curve_, fitted.loss_curve_)
    assert pieces.n_iter_ == 5


@pytest.mark.parametrize("balancer", [None, "group_dro", "excess_risk"])
@pytest.mark.parametrize("batch_size", ["auto", 9])
def test_a_warm_start_goes_on_where_the_last_fit_ended(balancer, batch_size, data):
    X, Y = data
    params = SMALL | {"balancer": balancer, "batch_size": batch_size, "shuffle": False}
    whole = MultiTaskPerceptron(**params | {"max_iter": 10}).fit(X, Y)
    halves = MultiTaskPerceptron(warm_start=True, **params).fit(X, Y).fit(X, Y)
    np.testing.assert_array_equal(halves.predict(X), whole.predict(X))
    np.testing.assert_array_equal(halves.loss_curve_, whole.loss_curve_)
    np.testing.assert_array_equal(halves.task_weights_path_, whole.task_weights_path_)


def test_a_warm_start_may_change_the_solver(data):
    X, Y = standardised(data[0]), data[1]
    model = MultiTaskPerceptron(warm_start=True, **SMALL).fit(X, Y)
    before = model.loss_curve_[-1].sum()
    for solver in ("lbfgs", "sgd", "adam"):
        model.set_params(solver=solver).fit(X, Y)
    assert model.n_iter_ == 20
    assert model.loss_curve_[-1].sum() < before


def test_batches_may_lack_tasks_and_bring_new_ones(data):
    X, Y = data
    table, y = as_long(X, Y)
    model = MultiTaskPerceptron(task_column=-1, **SMALL)
    first, second = table[:, -1] != 1, table[:, -1] != 0
    model.partial_fit(table[first], y[first])
    alone = model.predict(table[table[:, -1] == 0])
    assert model.tasks_ == [0.0, 2.0]
    model.partial_fit(table[second], y[second])
    assert model.tasks_ == [0.0, 1.0, 2.0]
    assert np.isfinite(model.predict(table)).all()
    np.testing.assert_array_equal(
        np.isnan(model.loss_curve_), [[False, True, False], [True, False, False]]
    )
    # task 0 moved only as far as the shared parameters did
    assert 0 < abs(model.predict(table[table[:, -1] == 0]) - alone).max() < 0.1 * np.ptp(y)


def test_units_of_a_task_are_those_of_its_first_batch(data):
    X, Y = data
    model = MultiTaskPerceptron(**SMALL).partial_fit(X, Y)
    start = model.predict(X)
    model.set_params(learning_rate_init=1e-300).partial_fit(X, 1000 * Y)
    np.testing.assert_allclose(model.predict(X), start, rtol=1e-12)


def test_a_wide_batch_may_lack_the_labels_of_a_task(data):
    X, Y = data
    model = MultiTaskPerceptron(**SMALL).partial_fit(X, Y)
    lacking = Y.copy()
    lacking[:, 1] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.partial_fit(X, lacking)
    assert np.isnan(model.loss_curve_[1, 1])
    assert model.task_weights_[1] == 0


def test_partial_fit_is_for_minibatches(data):
    X, Y = data
    lbfgs = MultiTaskPerceptron(solver="lbfgs")
    assert not hasattr(lbfgs, "partial_fit")
    with pytest.raises(AttributeError, match="has no attribute 'partial_fit'"):
        lbfgs.partial_fit(X, Y)
    with pytest.raises(ValueError, match="early_stopping must be False in partial_fit"):
        MultiTaskPerceptron(early_stopping=True).partial_fit(X, Y)


def test_a_training_that_goes_on_refuses_other_shapes(data):
    X, Y = data
    model = MultiTaskPerceptron(warm_start=True, **SMALL).fit(X, Y)
    with pytest.raises(ValueError, match=r"hidden_layer_sizes must be .*\(8,\), got \(9,\)"):
        clone_of(model, hidden_layer_sizes=(9,)).fit(X, Y)
    for again in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=r"as many columns .* 3 \(2-D\), got 2"):
            again(X, Y[:, :2])
        with pytest.raises(ValueError, match="X has 3 features"):
            again(X[:, :3], Y)


def clone_of(model, **params):
    """The fitted model with other parameters."""
    return model.set_params(**params)


# balancers


@pytest.mark.parametrize("labels", [lambda Y: Y, with_holes])
def test_equal_weights_are_those_of_balanced_tasks(labels, data):
    X, Y = data[0], labels(data[1])
    balanced = MultiTaskPerceptron(task_weight="balanced", **SMALL).fit(X, Y)
    model = MultiTaskPerceptron(balancer="equal", **SMALL).fit(X, Y)
    assert_close(model.predict(X), balanced.predict(X))
    np.testing.assert_array_equal(model.task_weights_, np.ones(3))


@pytest.mark.parametrize("hidden", [(), (6,), (6, 3)])
@pytest.mark.parametrize("long", [False, True], ids=["wide", "long"])
def test_no_task_gets_worse_under_exact_gradients(hidden, long, data):
    """A small step against MGDA's direction lowers every task's loss, by definition."""
    X, Y = standardised(data[0]), data[1]
    Y = Y * np.array([1.0, -1.0, 1.0])  # in conflict
    X, y = as_long(X, Y) if long else (X, Y)
    losses = {}
    for balancer in ("mgda", "equal"):
        model = MultiTaskPerceptron(
            hidden,
            "tanh",
            solver="sgd",
            balancer=MGDA(scale_heads=False) if balancer == "mgda" else balancer,
            gramian="exact",
            alpha=0,
            alpha_shared=1e-9,
            alpha_specific=np.inf,
            learning_rate_init=1e-4,
            max_iter=2,
            task_column=-1 if long else None,
            random_state=1,
        ).fit(X, y)
        losses[balancer] = model.loss_curve_
    assert (np.diff(losses["mgda"], axis=0) < 0).all()
    np.testing.assert_array_equal(losses["mgda"][0], losses["equal"][0])


@pytest.mark.parametrize("long", [False, True], ids=["wide", "long"])
@pytest.mark.parametrize("scale_heads", [False, True])
def test_the_step_is_the_weighted_gradient_at_the_length_of_the_mean(long, scale_heads):
    network, rows = make_network((6,)), make_rows(make_data(long))
    theta = random_theta(network)
    g = mean_loss_gradients(network, rows, theta)
    n, balancer = network.n_shared, MGDA(scale_heads=scale_heads)
    w = balance(g[:, :n], balancer=balancer).weights
    objective = make_objective(network, rows, alphas=(0, 0, 0))
    state = balancer.init(3, None)
    source = Balanced(objective, Balancing(balancer, True, 1, np.arange(3), 3), state)
    _, found = source.gradient(theta, network.views(theta), rows)
    d = w @ g[:, :n]
    np.testing.assert_allclose(
        found[:n], d * np.linalg.norm(g[:, :n].mean(axis=0)) / np.linalg.norm(d), rtol=1e-9
    )
    own = (w / w.sum() if scale_heads else np.full(3, 1 / 3)) @ g[:, n:]
    np.testing.assert_allclose(found[n:], own, rtol=1e-9)
    short = Balancing(MGDA(max_norm=1e-3), True, 1, np.arange(3), 3)
    _, found = Balanced(objective, short, state).gradient(theta, network.views(theta), rows)
    assert np.linalg.norm(found[:n]) == pytest.approx(1e-3)


def test_jacobian_and_gramian_of_the_same_gradients_weigh_alike(data):
    class OnJacobian(MGDA):
        needs = frozenset({"gramian", "jacobian"})

    X, Y = data[0], with_holes(data[1])
    params = SMALL | {"gramian": "exact", "batch_size": 16}
    for long in (False, True):
        table, y = as_long(X, Y) if long else (X, Y)
        column = -1 if long else None
        plain, jacobian = (
            MultiTaskPerceptron(balancer=b, task_column=column, **params).fit(table, y)
            for b in (MGDA(), OnJacobian())
        )
        assert_close(jacobian.task_weights_path_, plain.task_weights_path_)
        assert_close(jacobian.predict(table), plain.predict(table))


def test_weights_hold_between_updates(data):
    X, Y = data
    every = {"balancer": GroupDRO(1.0), "batch_size": 10, "shuffle": False}
    once = MultiTaskPerceptron(update_every=1000, **every, **SMALL).fit(X, Y)
    assert (once.task_weights_path_ == once.task_weights_path_[0]).all()
    often = MultiTaskPerceptron(**every, **SMALL).fit(X, Y)
    assert (np.diff(often.task_weights_path_, axis=0) != 0).all()


def test_the_noisiest_task_draws_the_weight_of_group_dro_and_little_of_excess_risk():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 5))
    Y = X @ rng.normal(size=(5, 4)) * np.array([1, 1, 1, 0]) + 0.1 * rng.normal(size=(200, 4))
    Y[:, 3] = rng.normal(size=200)
    params = {"hidden_layer_sizes": (10,), "max_iter": 100, "learning_rate_init": 0.02}
    weights = [
        MultiTaskPerceptron(balancer=b, random_state=0, **params).fit(X, Y).task_weights_[3]
        for b in (GroupDRO(0.1), "excess_risk")
    ]
    assert weights[0] > 3
    assert weights[1] < 1.5  # labels that are noise have a large loss and little excess


def test_absent_tasks_keep_the_state_of_their_balancer(data):
    X, Y = data[0], data[1].copy()
    model = MultiTaskPerceptron(balancer=GroupDRO(5.0), **SMALL).partial_fit(X, Y)
    before = log_weights(model)
    Y[:, 0] = np.nan
    after = log_weights(model.partial_fit(X, Y))
    assert after[0] == before[0]
    assert (after[1:] != before[1:]).all()


def log_weights(model):
    return model._past.memory.balancer.state.own["log_weights"]


def test_a_balancers_state_survives_partial_fit_and_begins_anew_with_a_new_task(data):
    table, y = as_long(*data)
    model = MultiTaskPerceptron(task_column=-1, balancer=GroupDRO(1.0), **SMALL)
    two = table[:, -1] < 2
    model.partial_fit(table[two], y[two]).partial_fit(table[two], y[two])
    # log weights are sums of losses, up to a constant; 1e-9: of numbers of about one
    np.testing.assert_allclose(np.diff(log_weights(model)), np.diff(model.loss_curve_.sum(0)), 1e-9)
    model.partial_fit(table, y)
    np.testing.assert_allclose(np.diff(log_weights(model)), np.diff(model.loss_curve_[-1]), 1e-9)


def test_preferences_are_those_of_all_tasks(data):
    X, Y = data[0], np.column_stack([data[1], np.full(len(data[0]), np.nan)])
    with pytest.warns(UserWarning, match="no label"):
        model = MultiTaskPerceptron(balancer=STCH(preference=[1, 2, 3, 4]), **SMALL).fit(X, Y)
    assert model.task_weights_.shape == (4,) and model.task_weights_[3] == 0
    with pytest.raises(ValueError, match=r"preference must .* each of 3 tasks"):
        MultiTaskPerceptron(balancer=STCH(preference=[1, 2]), **SMALL).fit(*data)


@pytest.mark.parametrize(
    "params, error, message",
    [
        ({"balancer": "best"}, ValueError, "balancer must be one of .*mgda.*got 'best'"),
        ({"balancer": 3}, TypeError, "balancer must be a name or a Balancer, got 3"),
        ({"balancer": ExcessRisk("exact")}, ValueError, "needs excess, which .* does not know"),
        ({"balancer": "mgda", "solver": "lbfgs"}, ValueError, "balancer needs solver='adam'"),
        ({"balancer": "mgda", "task_weight": "balanced"}, ValueError, "task_weight .*preference"),
        ({"gramian": "full"}, ValueError, r"gramian must be one of \['features', 'exact'\]"),
        ({"update_every": 0}, ValueError, "update_every must be at least 1, got 0"),
        ({"hidden_layer_sizes": (5, 0)}, ValueError, "hidden_layer_sizes must be at least 1"),
        ({"hidden_layer_sizes": "5"}, TypeError, "hidden_layer_sizes must be an integer"),
        ({"learning_rate_init": -0.1}, ValueError, r"learning_rate_init must be in \(0, inf\)"),
        ({"batch_size": 1.5}, TypeError, "batch_size must be an integer"),
        ({"batch_size": "all"}, ValueError, r"batch_size must be one of \['auto'\]"),
        ({"loss": "log_loss"}, ValueError, "loss must be one of .*huber.*squared_error"),
        ({"loss": Huber(-1)}, ValueError, r"delta must be in \(0, inf\), got -1"),
        ({"loss": None}, TypeError, "loss must be one of .*or an object .* got None"),
        ({"validation_fraction": 1.0}, ValueError, r"validation_fraction must be in \(0, 1\)"),
        ({"validation_fraction": 0}, ValueError, r"must be in \(0, 1\), got 0"),
        ({"validation_fraction": "0.1"}, TypeError, r"must be a number in \(0, 1\), got '0.1'"),
        ({"early_stopping": True, "validation_fraction": 0.01}, ValueError, "holds out 1 of 40"),
        ({"early_stopping": True, "validation_fraction": 0.99}, ValueError, "leaves none of 40"),
    ],
)
def test_it_refuses(params, error, message, data):
    with pytest.raises(error, match=message):
        MultiTaskPerceptron(**params).fit(*data)


# around it


def test_verbose_writes_a_line_for_each_iteration(data, capsys):
    MultiTaskPerceptron(verbose=True, early_stopping=True, **SMALL).fit(*data)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[0].startswith("Iteration 1, objective ") and "validation score" in lines[0]


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_callbacks_of_scikit_learn_see_every_iteration_and_may_end_it(solver, data):
    callback = pytest.importorskip("sklearn.callback")
    X, Y = data
    model = MultiTaskPerceptron(**SMALL | {"solver": solver})
    monitor = callback.ScoringMonitor(scoring=lambda e, X, y: {"r2": e.score(X, y)})
    model.set_callbacks(monitor).fit(X, Y)
    scores = [entry["r2"] for entry in monitor.get_logs().data]
    assert len(scores) == model.n_iter_ + 1  # the fit as a whole has an entry too
    assert scores[0] == model.score(X, Y)

    class Enough:
        def setup(self, estimator, context):
            self.seen = 0

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context):
            self.seen += context.parent is not None
            return self.seen == 3

        def teardown(self, estimator, context):
            pass

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model.set_callbacks(Enough()).fit(X, Y).n_iter_ == 3


def test_it_is_tuned_by_a_grid_with_missing_labels(data):
    X, Y = data[0], with_holes(data[1])
    grid = {"alpha_specific": [0.1, np.inf], "balancer": [None, "uncertainty"]}
    search = GridSearchCV(MultiTaskPerceptron(**SMALL), grid, cv=MultiTaskKFold(3, random_state=0))
    assert np.isfinite(search.fit(X, Y).best_score_)


def test_amplification_is_bounded_where_gradients_cancel():
    """Tasks with opposite labels: MGDA's direction vanishes, and rounding is not blown up."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 3)), rng.normal(size=50)
    model = MultiTaskPerceptron(
        (5,),
        balancer="mgda",
        alpha_specific=np.inf,
        learning_rate_init=0.01,
        max_iter=300,
        random_state=0,
    ).fit(X, np.column_stack([y, -y]))
    # the best that one head can do for both tasks is to predict zero
    np.testing.assert_allclose(model.loss_curve_[-1], 1, atol=0.05)
