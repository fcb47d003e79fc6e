"""Standard units: means and deviations by definition, whatever the layout of X and its scale."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.preprocessing import StandardScaler

from skmtl._backend import to_numpy
from skmtl._data import long_data, wide_data
from skmtl._input._feature_units import FeatureUnits, standard_units, standard_units_of_moments
from skmtl._moments import long_moments, wide_moments
from skmtl.solvers import Solution

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3)) * [1.0, 5.0, 0.2] + [3.0, -20.0, 0.0]
Y = np.where(RNG.random((40, 4)) < 0.4, np.nan, RNG.normal(size=(40, 4)))
W = RNG.integers(0, 4, 40).astype(float)
ROUNDING = 1e-12  # 40 sums of numbers about 100 deviations from zero


def units_of(X, Y=Y, weight=None, *, centre=True):
    return standard_units(wide_data(X, Y, weight)[0], centre=centre)


def assert_same(a, b, rtol=ROUNDING):
    np.testing.assert_allclose(a.mean, b.mean, rtol=rtol, atol=rtol)
    np.testing.assert_allclose(a.scale, b.scale, rtol=rtol)


def test_the_users_own_units_change_nothing():
    units = FeatureUnits()
    assert units.of_rows(X) is X and units.coefficients(X) is X and units.intercepts(X, 2) == 2


@pytest.mark.parametrize("weight", [None, W])
def test_complete_labels_give_those_of_standard_scaler(weight):
    units, scaler = units_of(X, X, weight), StandardScaler().fit(X, sample_weight=weight)
    np.testing.assert_allclose(units.mean, scaler.mean_, rtol=ROUNDING)
    np.testing.assert_allclose(units.scale, scaler.scale_, rtol=ROUNDING)


def test_a_row_counts_as_often_as_it_has_labels():
    rows, tasks = np.nonzero(~np.isnan(Y))
    long = standard_units(long_data(X[rows], Y[rows, tasks], tasks, 4)[0], centre=True)
    assert_same(units_of(X), long)


@pytest.mark.parametrize("centre", [True, False])
def test_weights_are_frequencies(centre):
    n = W.astype(int)
    repeated = units_of(np.repeat(X, n, axis=0), np.repeat(Y, n, axis=0), centre=centre)
    assert_same(units_of(X, weight=W, centre=centre), repeated)


@pytest.mark.parametrize("centre", [True, False])
@pytest.mark.parametrize("Y", [X, Y], ids=["complete", "gaps"])
def test_sparse_features_have_the_units_of_dense_ones(Y, centre):
    holes = np.where(RNG.random(X.shape) < 0.5, 0.0, X)
    dense, sparse = (units_of(x, Y, W, centre=centre) for x in (holes, csr_array(holes)))
    assert_same(dense, sparse)
    rows = sparse.of_rows(csr_array(holes))
    np.testing.assert_allclose(rows.toarray(), holes / sparse.scale, rtol=ROUNDING)
    assert not sparse.origin.any()


@pytest.mark.parametrize("Y", [X, Y], ids=["complete", "gaps"])
@pytest.mark.parametrize("centre", [True, False])
def test_moments_have_the_units_of_their_rows(Y, centre):
    batches = wide_moments(X[:25], Y[:25], W[:25]) + wide_moments(X[25:], Y[25:], W[25:])
    units = standard_units_of_moments(batches, centre=centre)
    # squares about the mean from sums about zero lose (mean / deviation)^2, below 20^2
    assert_same(units_of(X, Y, W, centre=centre), units, rtol=1e3 * ROUNDING)


def test_moments_in_standard_units_are_those_of_rows_in_standard_units():
    tasks = np.arange(40) % 4
    moments = long_moments(X, X[:, 0], tasks, 4)
    units = standard_units_of_moments(moments, centre=True)
    found, wanted = units.of_moments(moments), long_moments(units.of_rows(X), X[:, 0], tasks, 4)
    for name in ("n", "x_mean", "S", "y_mean", "xy", "yy"):
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, name), atol=1e-10)


@pytest.mark.parametrize("layout", [np.asarray, csr_array], ids=["dense", "sparse"])
def test_constant_features_keep_their_scale_and_weigh_nothing(layout):
    table = np.c_[np.full(40, 0.1), np.zeros(40), np.full(40, 1e200), X]
    units = units_of(layout(table))
    np.testing.assert_allclose(units.scale[:3], [0.1, 1.0, 1e200])
    standard = units.of_rows(layout(table))
    standard = standard if layout is np.asarray else standard.toarray()
    assert np.ptp(standard[:, :3], axis=0).max() <= 1e-12


def test_a_feature_that_varies_by_rounding_alone_is_not_blown_up():
    noise = 1e9 * (1 + np.finfo(float).eps * RNG.integers(-1, 2, 40))
    assert abs(units_of(noise[:, None]).of_rows(noise[:, None])).max() < 1e-12


@pytest.mark.parametrize("layout", [np.asarray, csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("power", [-900, -40, 3, 900])
def test_powers_of_two_change_no_bit(layout, power):
    # squares of 2^900 overflow and those of 2^-900 vanish
    units, scaled = (units_of(layout(x)) for x in (X, X * 2.0**power))
    assert (scaled.scale == units.scale * 2.0**power).all()
    a, b = units.of_rows(layout(X)), scaled.of_rows(layout(X * 2.0**power))
    assert not abs(a - b).max()


def test_float32_is_standardised_in_float64():
    shifted = (X + 1000).astype(np.float32)
    a, b = (units_of(x).of_rows(x) for x in (shifted, shifted.astype(np.float64)))
    assert a.dtype == np.float64
    np.testing.assert_array_equal(a, b)


def test_a_solution_predicts_the_same_in_the_users_units(xp_place):
    there = xp_place(X)
    data = wide_data(there, Y)[0]
    units = standard_units(data, centre=True)
    w, b = xp_place(RNG.normal(size=(4, 3))), xp_place(RNG.normal(size=4))
    standard = Solution(w, b, w[0, :], b[0], xp_place([0.1, 0.2, 0.3]), 1, 0.0, True)
    user = units.solution(standard)
    wanted = to_numpy(units.of_rows(there) @ w.T + b)
    found = to_numpy(there @ user.W.T + user.b)
    np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-11)
    shared = to_numpy(there @ user.shared + user.shared_intercept)
    np.testing.assert_allclose(shared, found[:, 0], rtol=1e-11, atol=1e-11)
    origin = units.of_rows(user.origin[None, :])[0, :]
    np.testing.assert_allclose(to_numpy(origin), [0.1, 0.2, 0.3], rtol=1e-10)
