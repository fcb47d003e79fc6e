"""Units of the features and of the labels do not matter to perceptrons, at once or in batches."""

import warnings
from itertools import pairwise

import numpy as np
import pytest
from _networks import P, make_data, make_network, make_objective, make_rows, random_theta
from _properties import assert_close, response
from _samplers import as_long, frequencies, labels_for, wide, with_holes
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from skmtl import MultiTaskPerceptron, MultiTaskPerceptronClassifier, _backend
from skmtl._backend import to_numpy
from skmtl._data import long_data, wide_data
from skmtl.neural_network._units import Change, spread_of, units_of

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
REGRESSOR, CLASSIFIER = MultiTaskPerceptron, MultiTaskPerceptronClassifier
both = pytest.mark.parametrize("kind", [REGRESSOR, CLASSIFIER], ids=["regressor", "classifier"])
TRAININGS = {  # short, so that rounding has no time to grow
    "adam": {"hidden_layer_sizes": (6,), "activation": "tanh", "max_iter": 8},
    "sgd": {"hidden_layer_sizes": (5, 3), "solver": "sgd", "batch_size": 9, "max_iter": 3},
    "lbfgs": {"hidden_layer_sizes": (4,), "activation": "tanh", "solver": "lbfgs", "max_iter": 5},
    "linear": {"hidden_layer_sizes": (), "batch_size": 11, "max_iter": 5},
    "balanced": {"hidden_layer_sizes": (6,), "balancer": "mgda", "max_iter": 4},
    "stopped early": {"hidden_layer_sizes": (6,), "early_stopping": True, "max_iter": 6},
}
trainings = pytest.mark.parametrize("params", TRAININGS.values(), ids=list(TRAININGS))
FORMATS = "wide", "gaps", "long", "sparse", "sparse long"
# of a deviation of the labels: columns a thousand deviations from zero keep 13 digits, which the
# steps of these trainings, some twenty, do not multiply by more than a thousand
CLOSE = 1e-8
SCALES = np.array([1e-6, 1e6, 1e3, 1e-2])
SHIFTS = np.array([1e3, -1e3, 30.0, 0.0])  # deviations


def sample(form, kind=REGRESSOR, seed=0):
    """(X, y, weights) in one of the formats, X without the task column, and the column or None."""
    X, Y = wide(seed=seed)
    if form.startswith("sparse"):
        X = X * (np.random.default_rng(1).random(X.shape) < 0.6)
    if form != "wide":
        Y = with_holes(Y)
    Y, task = labels_for(kind(), Y), None
    if form.endswith("long"):
        table, Y = as_long(X, Y)
        X, task = table[:, :-1], table[:, -1]
    return X, Y, frequencies(len(X)) + 1, task


def beside(X, task, form="dense"):
    """X with the task column, if there is one, sparse in the sparse formats."""
    table = X if task is None else np.column_stack([X, task])
    return csr_array(table) if form.startswith("sparse") else table


def make(kind, task, **params):
    return kind(task_column=None if task is None else -1, random_state=0, **params)


def predictions(model, table):
    return to_numpy(response(model, table))


@both
@trainings
@pytest.mark.parametrize("form", ["gaps", "sparse long"])
def test_units_of_the_features_do_not_matter(form, params, kind):
    """Up to rounding, and powers of two to the last bit."""
    X, y, weight, task = sample(form, kind)
    found = []
    for Z in in_units(X):
        table = beside(Z, task, form)
        found.append(predictions(make(kind, task, **params).fit(table, y, weight), table))
    plain, scaled, doubled = found
    assert abs(scaled - plain).max() <= CLOSE * np.nanstd(y)
    np.testing.assert_array_equal(doubled, plain)
    assert plain.std(axis=0).min() > 1e-3 * np.nanstd(y)  # a model that sees the features


def in_units(X):
    """X as it is, in other units and from another origin, and times powers of two."""
    yield X
    yield SCALES * (X + SHIFTS * X.std(axis=0))
    yield X * 2.0 ** np.array([-20, 19, 3, -1])


@trainings
@pytest.mark.parametrize("form", ["gaps", "long"])
def test_units_of_the_labels_do_not_matter(form, params):
    X, y, weight, task = sample(form)
    table, expected = beside(X, task), None
    for unit, level in ((1.0, 0.0), (1e-6, 1e-3), (1e6, 1e9), (2.0**-20, 0.0)):
        model = make(REGRESSOR, task, **params).fit(table, unit * y + level, weight)
        found = (model.predict(table) - level) / unit
        expected = found if expected is None else expected
        tolerance = CLOSE * np.nanstd(y) if level else 0
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("unit", [1e-6, 1e6, 1e3])
def test_labels_without_a_spread_are_in_the_unit_of_the_others(unit):
    """One label, equal labels and, in the end, one label for each of the tasks."""
    X, Y = wide()
    Y[1:, 0], Y[:, 1] = np.nan, 5.0
    for labels in (Y, Y[:, :2], np.where(np.arange(40)[:, None] == [3, 4, 5], Y, np.nan)):
        labels = labels[:, ~np.isnan(labels).all(axis=0)]
        plain, other = (MultiTaskPerceptron((6,), max_iter=4, random_state=0) for _ in range(2))
        expected = plain.fit(X, labels).predict(X)
        assert_close(other.fit(X, unit * labels).predict(X) / unit, expected)


@both
@trainings
def test_a_scaler_in_front_changes_nothing(params, kind):
    X, y, _, _ = sample("wide", kind)  # where each row has as many labels, rows count alike
    Z = StandardScaler().fit_transform(X)
    model, peer = make(kind, None, **params), make(kind, None, standardize=False, **params)
    assert_close(predictions(model.fit(X, y), X), predictions(peer.fit(Z, y), Z))


@both
@trainings
@pytest.mark.parametrize("form", ["sparse", "sparse long"])
def test_sparse_features_give_the_dense_model(form, params, kind):
    X, y, weight, task = sample(form, kind)
    X[:, 0] = 1e3 + X[:, 0] / 10  # without a gap
    table = beside(X, task, form)
    dense, sparse = (make(kind, task, **params) for _ in range(2))
    dense.fit(table.toarray(), y, weight), sparse.fit(table, y, weight)
    expected = predictions(dense, table.toarray())
    for model, queries in ((sparse, table), (sparse, table.toarray()), (dense, table)):
        assert abs(predictions(model, queries) - expected).max() <= CLOSE * np.nanstd(y)
    for few in (table[:1], table[3:5]):
        assert_close(predictions(sparse, few.toarray()), predictions(sparse, few))
    expected = dense.hidden_representation(table.toarray())
    assert_close(sparse.hidden_representation(table), expected)
    assert_close(sparse.mean_, dense.mean_)
    assert_close(sparse.scale_, dense.scale_)


@both
def test_weights_and_gaps_count_in_means_and_deviations(kind):
    """Each label is a row of its own, as often as its weight says."""
    X, y, weight, _ = sample("gaps", kind)
    times = (weight * (~np.isnan(y)).sum(axis=1)).astype(int)
    rows = np.repeat(X, times, axis=0)
    params = {"hidden_layer_sizes": (3,), "max_iter": 2}
    model = make(kind, None, **params).fit(X, y, weight)
    assert_close(model.mean_, rows.mean(axis=0))
    assert_close(model.scale_, rows.std(axis=0))
    table, y = as_long(X, y)
    long = make(kind, table[:, -1], **params).fit(table, y, weight[_row_of(table, X)])
    assert_close(long.mean_, model.mean_)


def _row_of(table, X):
    return [int(np.flatnonzero((X == row).all(axis=1))[0]) for row in table[:, :-1]]


@both
def test_float32_features_are_standardised_in_double_precision(kind):
    """At a thousand deviations from zero float32 keeps 4 digits of x, and all of them of z."""
    X, y, _, _ = sample("wide", kind)
    X = (X + 1e3 * X.std(axis=0)).astype(np.float32)
    params = {"hidden_layer_sizes": (5,), "max_iter": 5}
    narrow = make(kind, None, **params).fit(X, y)
    broad = make(kind, None, **params).fit(X.astype(float), y)
    assert narrow.coefs_[0].dtype == narrow.mean_.dtype == np.float32
    assert predictions(narrow, X).dtype == np.float32
    # a thousand times the rounding of float32
    assert_close(predictions(narrow, X), predictions(broad, X.astype(float)), rtol=1e-4)


@both
@pytest.mark.parametrize("long", [False, True], ids=["wide", "long"])
def test_arrays_of_another_library_are_standardised_alike(long, kind, xp_place):
    X, y, _, task = sample("long" if long else "wide", kind)
    table = beside(X * SCALES, task)
    model = make(kind, task, hidden_layer_sizes=(5,), max_iter=3)
    plain, there = clone(model).fit(table, y), model.fit(xp_place(table), xp_place(y))
    plain.partial_fit(table[::2], y[::2])
    there.partial_fit(xp_place(table[::2]), xp_place(y[::2]))
    assert _backend.place_of(there.mean_) == xp_place.place
    assert_close(to_numpy(response_there(there, xp_place(table))), predictions(plain, table))


def response_there(model, table):
    """As `response`, of arrays of another library."""
    if not hasattr(model, "predict_proba"):
        return model.predict(table)
    P = model.predict_proba(table)
    return np.hstack([to_numpy(part) for part in P]) if isinstance(P, list) else P


# trainings in pieces


@both
def test_a_warm_start_keeps_means_and_deviations(kind):
    X, y, _, _ = sample("wide", kind)
    params = {"hidden_layer_sizes": (5,), "max_iter": 3}
    model = make(kind, None, warm_start=True, **params).fit(X, y)
    mean, scale, Z = model.mean_, model.scale_, (X - model.mean_) / model.scale_
    model.fit(100 * X + 7, y)
    np.testing.assert_array_equal(model.mean_, mean)
    np.testing.assert_array_equal(model.scale_, scale)
    peer = make(kind, None, warm_start=True, standardize=False, **params)
    peer.fit(Z, y).fit((100 * X + 7 - mean) / scale, y)
    assert_close(predictions(model, X), predictions(peer, Z))
    with pytest.raises(ValueError, match=r"standardize must be .* goes on, True, got False"):
        model.set_params(standardize=False).fit(X, y)
    assert model.set_params(warm_start=False).fit(X, y).predict(X).shape == y.shape
    assert not hasattr(model, "mean_")


@both
@pytest.mark.parametrize("form", FORMATS)
def test_batches_together_have_the_means_and_deviations_of_all_rows(form, kind):
    X, y, weight, task = sample(form, kind)
    X[:6, 0] = X[0, 0]  # constant in the first batch
    table = beside(X, task, form)
    model = make(kind, task, hidden_layer_sizes=(3,))
    for rows in batches(len(X)):
        model = partial_fit(model, table[rows], y[rows], weight[rows])
    whole = make(kind, task, hidden_layer_sizes=(3,), max_iter=1).fit(table, y, weight)
    assert_close(model.mean_, whole.mean_)
    assert_close(model.scale_, whole.scale_)


def batches(n):
    """Slices of n rows, the first of which are few."""
    stops = [0, n // 8, n // 2, n]
    return [slice(a, b) for a, b in pairwise(stops)]


def partial_fit(model, table, y, weight):
    """A batch, of which classifiers are told the classes."""
    named = {"classes": [0.0, 1.0]} if isinstance(model, CLASSIFIER) else {}
    return model.partial_fit(table, y, sample_weight=weight, **named)


@both
@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("hidden", [(), (5,)])
@pytest.mark.parametrize("form", ["gaps", "long", "sparse"])
def test_units_of_the_features_do_not_matter_in_batches(form, hidden, solver, kind):
    X, y, weight, task = sample(form, kind)
    X[: len(X) // 8, 0] = X[0, 0]
    found = []
    for Z in in_units(X):
        table = beside(Z, task, form)
        model = make(kind, task, hidden_layer_sizes=hidden, solver=solver, batch_size=7)
        for rows in batches(len(X)):
            model = partial_fit(model, table[rows], y[rows], weight[rows])
        found.append(predictions(model, table))
    assert abs(found[1] - found[0]).max() <= CLOSE * np.nanstd(y)
    np.testing.assert_array_equal(found[2], found[0])


@both
@pytest.mark.parametrize("hidden", [(), (5,), (5, 3)])
@pytest.mark.parametrize("form", ["wide", "sparse", "long"])
def test_new_units_leave_the_function_as_it_is(form, hidden, kind):
    """A step too small to see, on a batch of another mean and deviation."""
    X, y, weight, task = sample(form, kind)
    model = make(kind, task, hidden_layer_sizes=hidden, max_iter=5)
    model.fit(beside(X, task, form), y, weight)
    before, scale = predictions(model, beside(X, task, form)), model.scale_
    model.set_params(learning_rate_init=1e-300)
    model.partial_fit(beside(5 * X + 3, task, form), y, sample_weight=weight)
    assert (model.scale_ > 2 * scale).all()
    assert_close(predictions(model, beside(X, task, form)), before)


def test_a_feature_that_was_constant_leaves_the_rows_so_far_as_they_are():
    X, Y = wide()
    X[:20, 1] = 3.0
    model = MultiTaskPerceptron((5,), random_state=0).partial_fit(X[:20], Y[:20])
    before = model.predict(X[:20])
    assert model.scale_[1] == pytest.approx(3)  # its size
    model.set_params(learning_rate_init=1e-300).partial_fit(X[20:], Y[20:])
    assert_close(model.predict(X[:20]), before)
    assert_close(model.scale_, X.std(axis=0))


@pytest.mark.parametrize("long", [False, True], ids=["wide", "long"])
@pytest.mark.parametrize("hidden", [(), (5,), (5, 3)])
@pytest.mark.parametrize("flags", [{}, {"has_shared": False}, {"has_specific": False}])
def test_gradients_change_with_the_units(flags, hidden, long):
    """Against the gradient at the parameters in new units, and, for squares, row by row."""
    rng = np.random.default_rng(0)
    data, network = make_data(long), make_network(hidden, **flags)
    theta = random_theta(network)
    change = Change(rng.uniform(0.2, 5, P), rng.normal(size=P))
    there = change.of_parameters(network, theta)
    moved = type(data)(**vars(data) | {"X": (data.X - change.shift) / change.ratio})
    old, new = make_rows(data), make_rows(moved)
    first, second = (make_objective(network, rows, alphas=(0, 0, 0)) for rows in (old, new))
    assert_close(second.scores(there, new), first.scores(theta, old))
    g = first.value_and_grad(theta, old)[1].copy()
    expected = second.value_and_grad(there, new)[1]
    free = np.ones(network.n_parameters)
    blocks = network.views(free)
    blocks.shared[...], blocks.specific[...] = network.has_shared, network.has_specific
    assert_close(free * change.of_gradients(network, free * g), free * expected)
    squares = change.of_squares(network, free * g**2)
    assert (squares >= 0).all()
    unshifted = Change(change.ratio, np.zeros(P))
    assert_close(
        unshifted.of_squares(network, free * g**2), unshifted.of_gradients(network, free * g) ** 2
    )


def test_spreads_of_parts_merge_to_that_of_the_whole():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(30, 4)) * [1e-150, 1e150, 1.0, 0.0] + [0.0, 0.0, 1e3, 7.0]
    Y, weight = rng.normal(size=(30, 2)), rng.uniform(0.5, 2, 30)
    whole = spread_of(wide_data(X, Y, weight)[0])
    parts = [
        spread_of(wide_data(X[:11], Y[:11], weight[:11])[0]),
        spread_of(
            long_data(
                np.repeat(X[11:], 2, axis=0),
                Y[11:].ravel(),
                np.tile([0, 1], 19),
                2,
                np.repeat(weight[11:], 2),
            )[0]
        ),
    ]
    for merged in (parts[0] + parts[1], parts[1] + parts[0]):
        np.testing.assert_allclose(merged.mean, whole.mean, rtol=1e-9, atol=0)
        np.testing.assert_allclose(merged.deviation[:3], whole.deviation[:3], rtol=1e-9, atol=0)
        np.testing.assert_array_equal(merged.varies, [True, True, True, False])
    assert units_of(whole).scale[3] == whole.mean[3]
    again = whole + whole
    np.testing.assert_array_equal(again.mean, whole.mean)
    np.testing.assert_array_equal(again.deviation, whole.deviation)


# silence means right


def test_a_training_that_ends_worse_than_a_constant_says_so():
    """Raw features in thousands, and steps too small for them to matter."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3)) * 1e4
    Y = X @ rng.normal(size=(3, 2)) * 1e-4 + 0.1 * rng.normal(size=(60, 2))
    model = MultiTaskPerceptron((20,), solver="sgd", learning_rate_init=1e-30, max_iter=50)
    model.set_params(standardize=False, random_state=0)
    with pytest.warns(ConvergenceWarning, match="above that of .*, 1; .* standardise X"):
        model.fit(X, Y)
    assert model.score(X, Y) < 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.set_params(standardize=True, learning_rate_init=0.1, tol=1e-2).fit(X, Y)
    assert model.score(X, Y) > 0.5
