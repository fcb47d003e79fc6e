"""MultiTaskBayesianRidge: equal to known models, calibrated, right about who resembles whom."""

import warnings

import array_api_strict
import numpy as np
import pandas as pd
import pytest
from _dense_evidence import DensePosterior, covariance_matrix, restricted_likelihood
from _samplers import as_long, with_holes
from scipy.stats import binom, norm
from scipy.stats import t as student
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import BayesianRidge

from skmtl._backend import is_foreign
from skmtl.covariance._cells import Cells
from skmtl.linear_model import MultiTaskBayesianRidge, MultiTaskRidge


def raw(*args, **params):
    """MultiTaskBayesianRidge of the features as they come, for which the references are written."""
    return MultiTaskBayesianRidge(*args, standardize=False, **params)


EXACT = {"tol": 1e-12, "max_iter": 2000}  # to the top, nearly up to rounding


def sample(n, p, T, *, K=None, R=None, holes=0.0, seed=0, rows=0):
    """(X, Y): coefficients of covariance K/p, noise of covariance R, some labels missing.

    `rows` more rows, all labels seen, come last.
    """
    rng = np.random.default_rng(seed)
    K = 0.7 + 0.3 * np.eye(T) if K is None else K
    R = 0.3 + 0.7 * np.eye(T) if R is None else R
    root = np.linalg.cholesky(K / p + 1e-12 * np.eye(T))
    W = root @ rng.normal(size=(T, p))
    X = rng.normal(size=(n + rows, p))
    Y = X @ W.T + rng.normal(size=(n + rows, T)) @ np.linalg.cholesky(R).T + np.arange(T)
    Y[:n][rng.random((n, T)) < holes] = np.nan
    return X, Y


def cells_of(X, Y, intercept, weight=None):
    """Cells in the units of X and Y, about the mean of the rows."""
    weight = np.ones(len(X)) if weight is None else weight
    seen = ~np.isnan(Y)
    task, row = np.nonzero(seen.T)
    centre = np.average(X, axis=0, weights=weight * seen.sum(axis=1))
    Z = X - (centre if intercept != "none" else 0)
    blocks = [slice(0, X.shape[1])]
    return Cells(Z, blocks, row, task, Y[row, task], weight[row], Y.shape[1], intercept, weight)


# the evidence and its maximum


@pytest.mark.parametrize("holes", [0.0, 0.3], ids=["complete", "holes"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "params, intercept",
    [
        ({}, "free"),
        ({"covariance": "low_rank", "noise": "diagonal", "rank": 1}, "free"),
        ({"covariance": "shared", "noise": "common", "shrink_intercept": True}, "shrunk"),
        ({"covariance": "full", "noise": "full", "fit_intercept": False}, "none"),
        ({"covariance": "full", "noise": "full", "shrink_intercept": True}, "shrunk"),
    ],
    ids=["default", "low rank", "shared", "origin", "shrunk"],
)
def test_log_evidence_is_the_dense_restricted_likelihood(params, intercept, weighted, holes):
    X, Y = sample(12, 3, 3, holes=holes, seed=3)
    Y[:2] = 0.5
    weight = np.random.default_rng(1).integers(1, 4, 12).astype(float) if weighted else None
    X, Y = 3 * X, Y * [1, 20, 0.1]
    model = raw(**params).fit(X, Y, weight)
    cells = cells_of(X, Y, intercept, weight)
    K = [model.task_covariance_]
    K += [model.intercept_variance_ * np.eye(3)] if intercept == "shrunk" else []
    value = restricted_likelihood(cells, K, model.noise_covariance_)
    assert model.log_evidence_ == pytest.approx(value, rel=1e-9)
    dense = DensePosterior(cells, K, model.noise_covariance_)
    np.testing.assert_allclose(model.coef_, dense.W, rtol=1e-7, atol=1e-9)
    rows = X[:2] - (cells.Z - X)[0] * -1
    C = np.stack([dense.covariance(z) for z in rows]) + model.noise_covariance_
    _, std = model.predict(X[:2], return_std=True)
    np.testing.assert_allclose(std, np.sqrt(np.einsum("ntt->nt", C)), rtol=1e-7)


@pytest.mark.parametrize("covariance", ["full", "low_rank", "shared", "diagonal"])
@pytest.mark.parametrize("noise", ["full", "diagonal", "common"])
@pytest.mark.parametrize("holes", [0.0, 0.4], ids=["complete", "holes"])
def test_scores_never_fall_and_end_at_a_maximum(covariance, noise, holes):
    X, Y = sample(25, 8, 4, holes=holes, seed=5)
    model = raw(covariance, noise).fit(X, Y)
    assert (np.diff(model.scores_) >= 0).all()
    assert len(model.scores_) == model.n_iter_ + 1
    longer = raw(covariance, noise, **EXACT).fit(X, Y)
    # steps that gain a thousandth each may add up to this, which no one could measure
    assert model.scores_[-1] == pytest.approx(longer.scores_[-1], abs=0.1)


def test_no_covariance_nearby_has_more_evidence():
    X, Y = sample(30, 4, 2, seed=6)
    model = raw(prior_strength=0, **EXACT).fit(X, Y)
    cells, rng = cells_of(X, Y, "free"), np.random.default_rng(0)
    K, R = model.task_covariance_, model.noise_covariance_
    best = restricted_likelihood(cells, [K], R)
    for _ in range(10):
        D, E = 0.05 * covariance_matrix(2, rng), 0.05 * covariance_matrix(2, rng)
        for sign in (-1, 1):
            assert restricted_likelihood(cells, [K + sign * K @ D @ K], R) < best
            assert restricted_likelihood(cells, [K], R + sign * R @ E @ R) < best


def test_one_task_is_bayesian_ridge_of_scikit_learn():
    """It keeps n degrees of freedom after centring, as no intercept does on centred data."""
    X, y = sample(40, 6, 1, seed=7)
    X, y = X - X.mean(axis=0), y[:, 0] - y[:, 0].mean()
    peer = BayesianRidge(alpha_1=0, alpha_2=0, lambda_1=0, lambda_2=0, tol=1e-12, max_iter=5000)
    peer.set_params(compute_score=True).fit(X, y)
    model = raw(fit_intercept=False, **EXACT).fit(X, y)
    np.testing.assert_allclose(model.noise_covariance_[0, 0], 1 / peer.alpha_, rtol=1e-5)
    np.testing.assert_allclose(model.task_covariance_[0, 0], 1 / peer.lambda_, rtol=1e-5)
    np.testing.assert_allclose(model.coef_[0], peer.coef_, rtol=1e-6)
    np.testing.assert_allclose(model.log_evidence_, peer.scores_[-1], rtol=1e-9)
    mean, std = model.predict(X[:5], return_std=True)
    peer_mean, peer_std = peer.predict(X[:5], return_std=True)
    np.testing.assert_allclose(mean, peer_mean, rtol=1e-5)
    np.testing.assert_allclose(std, peer_std, rtol=1e-5)


@pytest.mark.parametrize("holes", [0.0, 0.3], ids=["complete", "holes"])
@pytest.mark.parametrize("shrink", [False, True], ids=["free", "shrunk"])
@pytest.mark.parametrize("known", [True, False], ids=["array", "shared"])
def test_shared_plus_specific_is_multi_task_ridge(known, shrink, holes):
    X, Y = sample(30, 5, 4, holes=holes, seed=8)
    covariance = 2.0 + 0.5 * np.eye(4) if known else "shared"
    model = raw(covariance, "common", shrink_intercept=shrink).fit(X, Y)
    K, s2 = model.task_covariance_, model.noise_covariance_[0, 0]
    peer = MultiTaskRidge(
        s2 / K[0, 1],
        s2 / (K[0, 0] - K[0, 1]),
        alpha_intercept=s2 / model.intercept_variance_,
    ).fit(X, Y)
    # one factorisation each; K[0, 0] - K[0, 1] cancels a digit
    np.testing.assert_allclose(model.coef_, peer.coef_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(model.intercept_, peer.intercept_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(model.shared_coef_, peer.shared_coef_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(model.shared_intercept_, peer.shared_intercept_, atol=1e-8)
    if known:
        np.testing.assert_allclose(K / K[0, 0], covariance / 2.5, rtol=1e-12)


def test_long_rows_are_the_cells_of_a_wide_table():
    X, Y = sample(25, 3, 4, holes=0.3, seed=9)
    wide = raw("shared", "common", shrink_intercept=True).fit(X, Y)
    table, y = as_long(X, Y)
    long = raw(task_column=-1).fit(table, y)
    np.testing.assert_allclose(long.coef_, wide.coef_, rtol=1e-8)
    np.testing.assert_allclose(long.intercept_, wide.intercept_, rtol=1e-8)
    assert long.log_evidence_ == pytest.approx(wide.log_evidence_, rel=1e-10)
    mean, std = wide.predict(X, return_std=True)
    long_mean, long_std = long.predict(table, return_std=True)
    row, task = np.nonzero(~np.isnan(Y))
    order = np.random.default_rng(3).permutation(len(row))  # as in as_long
    np.testing.assert_allclose(long_mean, mean[row, task][order], rtol=1e-8)
    np.testing.assert_allclose(long_std, std[row, task][order], rtol=1e-8)


@pytest.mark.parametrize("holes", [0.0, 0.3], ids=["complete", "holes"])
@pytest.mark.parametrize(
    "params",
    [{}, {"covariance": "diagonal", "noise": "diagonal"}, {"covariance": "low_rank"}],
    ids=["full", "diagonal", "low rank"],
)
def test_units_of_labels_and_origins_only_move_the_answer(params, holes):
    X, Y = sample(25, 4, 3, holes=holes, seed=10)
    units, offset = np.array([1e-3, 1.0, 1e4]), np.array([5.0, -1e3, 0.0])
    model = raw(**params).fit(X, Y)
    moved = raw(**params).fit(1e-2 * X + 7.0, Y * units + offset)
    scaled = np.outer(units, units)
    np.testing.assert_allclose(
        moved.predict(1e-2 * X + 7.0), model.predict(X) * units + offset, rtol=1e-6, atol=1e-6
    )
    np.testing.assert_allclose(moved.noise_covariance_ / scaled, model.noise_covariance_, atol=1e-6)
    np.testing.assert_allclose(
        moved.task_covariance_ / scaled * 1e-4, model.task_covariance_, atol=1e-6
    )


@pytest.mark.parametrize("holes", [0.0, 0.3], ids=["complete", "holes"])
@pytest.mark.parametrize("params", [{}, {"covariance": "shared", "noise": "common"}], ids=str)
def test_weights_count_in_evidence_and_intervals(params, holes):
    X, Y = sample(20, 4, 3, holes=holes, seed=11)
    weight = np.random.default_rng(0).integers(0, 3, 20)
    rows = np.repeat(np.arange(20), weight)
    weighted = raw(**params).fit(X, Y, weight)
    repeated = raw(**params).fit(X[rows], Y[rows])
    assert weighted.log_evidence_ == pytest.approx(repeated.log_evidence_, rel=1e-10)
    for mine, theirs in zip(
        weighted.predict(X, return_std=True), repeated.predict(X, return_std=True), strict=True
    ):
        np.testing.assert_allclose(mine, theirs, rtol=1e-7)
    np.testing.assert_allclose(weighted.noise_degrees_, repeated.noise_degrees_, rtol=1e-6)


# what is learned


def test_covariances_are_recovered_from_many_rows():
    K = np.array([[1.0, 0.8, 0.0], [0.8, 1.0, 0.0], [0.0, 0.0, 1.0]])
    R = np.array([[1.0, 0.0, 0.5], [0.0, 0.5, 0.0], [0.5, 0.0, 1.0]])
    X, Y = sample(1500, 100, 3, K=K, R=R, seed=12)
    model = raw().fit(X, Y)
    # standard errors of a correlation from 100 coefficients, .1, and of a covariance of 1500 rows
    np.testing.assert_allclose(model.task_correlation_, K, atol=0.3)
    np.testing.assert_allclose(model.noise_covariance_, R, atol=0.12)
    assert model.intercept_variance_ == np.inf


@pytest.mark.parametrize("holes", [0.0, 0.3], ids=["complete", "holes"])
def test_unrelated_tasks_get_a_diagonal_covariance(holes):
    X, Y = sample(150, 40, 5, K=np.eye(5), R=np.eye(5), holes=holes, seed=13)
    model = raw().fit(X, Y)
    off = model.task_correlation_[~np.eye(5, dtype=bool)]
    # random correlations of 40 coefficients have a standard deviation of .16
    assert np.abs(off).mean() < 0.16 and np.abs(off).max() < 0.5
    assert np.linalg.norm(model.shared_coef_) < 0.3 * np.linalg.norm(model.coef_, axis=1).min()


def test_duplicated_tasks_are_one_and_not_singular():
    X, Y = sample(60, 10, 2, K=np.eye(2), seed=14)
    Y = Y[:, [0, 0, 1]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = raw().fit(X, Y)
    assert model.task_correlation_[0, 1] > 0.7  # 10 coefficients against 3 of the prior
    assert abs(model.task_correlation_[0, 2]) < 0.5
    np.testing.assert_allclose(model.coef_[0], model.coef_[1], rtol=1e-6)
    assert np.linalg.eigvalsh(model.noise_covariance_)[0] > 0


@pytest.mark.slow
def test_the_prior_keeps_many_tasks_from_running_to_singular_covariances():
    """40 rows, 15 tasks of two kinds, a fifth of the labels missing."""
    loadings = np.random.default_rng(0).normal(size=(15, 2))
    K = loadings @ loadings.T / 2 + 0.1 * np.eye(15)
    error = {"full": 0.0, "independent": 0.0}
    for seed in range(8):
        X, Y = sample(40, 20, 15, K=K, holes=0.2, seed=seed, rows=200)
        for name, params in {
            "full": {},
            "independent": {"covariance": "diagonal", "noise": "diagonal"},
        }.items():
            model = raw(**params).fit(X[:40], Y[:40])
            error[name] += np.mean((model.predict(X[40:]) - Y[40:]) ** 2) - 1
    assert error["full"] < 0.9 * error["independent"]
    model = raw(prior_strength=0).fit(X[:40], Y[:40])
    without = np.mean((model.predict(X[40:]) - Y[40:]) ** 2) - 1
    assert without > 1.5 * error["full"] / 8
    assert np.linalg.cond(model.noise_covariance_) > 1e4


def test_sharing_does_not_harm_the_task_that_resembles_no_other():
    """Equal sharing does; the others gain from either."""
    K = np.full((5, 5), 0.9) + 0.1 * np.eye(5)
    K[0, 1:] = K[1:, 0] = 0.0
    error = {"shared": np.zeros(5), "full": np.zeros(5), "diagonal": np.zeros(5)}
    for seed in range(5):
        X, Y = sample(40, 40, 5, K=K, R=0.5 * np.eye(5), seed=seed, rows=200)
        for covariance in error:
            model = raw(covariance, "diagonal").fit(X[:40], Y[:40])
            error[covariance] += ((model.predict(X[40:]) - Y[40:]) ** 2).mean(axis=0) / 5
    assert error["shared"][0] > 1.1 * error["diagonal"][0]
    assert error["full"][0] < 1.05 * error["diagonal"][0]
    assert error["full"][1:].mean() < 0.9 * error["diagonal"][1:].mean()


def test_groups_of_features_have_variances_of_their_own():
    rng = np.random.default_rng(15)
    X = rng.normal(size=(200, 20))
    W = np.hstack([2.0 * np.ones((3, 1)) * rng.normal(size=10), 0.1 * rng.normal(size=(3, 10))])
    Y = X @ W.T + 0.5 * rng.normal(size=(200, 3))
    names = ["strong"] * 10 + ["weak"] * 10
    model = raw(groups=names).fit(X, Y)
    strong, weak = model.group_covariances_
    assert strong[0, 0] > 30 * weak[0, 0]
    assert strong[0, 1] > 0.7 * strong[0, 0] and abs(weak[0, 1]) < 0.8 * weak[0, 0]
    np.testing.assert_allclose(model.task_covariance_, (strong + weak) / 2, rtol=1e-10)
    assert model.log_evidence_ > raw().fit(X, Y).log_evidence_ + 10
    assert not hasattr(model.set_params(groups=None).fit(X, Y), "group_covariances_")


def test_a_feature_that_is_constant_within_tasks_explains_their_levels():
    """One variance for all features must allow it task-specific slopes as large as its own."""
    rng = np.random.default_rng(16)
    task = np.repeat(np.arange(30), 6)
    x, z = rng.normal(size=180), rng.normal(size=30)
    v = rng.normal(size=30)
    y = (1 + v[task]) * x + 3 * z[task] + 0.5 * rng.normal(size=180)
    table = np.column_stack([x, z[task], task])
    model = raw(task_column=2, groups=[0, 1]).fit(table, y)
    own, level = model.group_covariances_
    assert own[0, 0] - own[0, 1] > 0.3  # slopes differ
    assert level[0, 0] - level[0, 1] < 0.1 * level[0, 1]  # the levels follow one line
    one = raw(task_column=2).fit(table, y)
    assert model.log_evidence_ > one.log_evidence_ + 3
    assert model.shared_coef_[1] == pytest.approx(3, abs=0.3)


# uncertainty


@pytest.mark.parametrize("holes", [0.0, 0.3], ids=["complete", "holes"])
def test_intervals_cover_what_they_say(holes):
    """New rows of data simulated anew; 1600 labels, correlated within a set, taken as 400."""
    z = []
    for seed in range(40):
        K = covariance_matrix(4, np.random.default_rng(seed))
        X, Y = sample(100, 10, 4, K=K, holes=holes, seed=seed, rows=10)
        model = raw().fit(X[:100], Y[:100])
        mean, std = model.predict(X[100:], return_std=True)
        z.append(np.abs(Y[100:] - mean) / std)
    z = np.concatenate(z).ravel()
    for level in (0.5, 0.8, 0.9, 0.95):
        low, high = binom.interval(0.99, 400, level)
        assert low / 400 < np.mean(z < norm.ppf(0.5 + level / 2)) < high / 400, level


@pytest.mark.slow
@pytest.mark.parametrize("n, p, T", [(15, 5, 2), (25, 20, 3)])
def test_intervals_of_few_labels_cover_what_they_say_with_the_t_distribution(n, p, T):
    """Normal ones do not: of 90 % they hold .86 and .85."""
    z, degrees = [], []
    for seed in range(60):
        K = covariance_matrix(T, np.random.default_rng(seed))
        X, Y = sample(n, p, T, K=K, seed=seed, rows=20)
        model = raw().fit(X[:n], Y[:n])
        mean, std = model.predict(X[n:], return_std=True)
        z.append(np.abs(Y[n:] - mean) / std)
        degrees.append(np.broadcast_to(model.noise_degrees_, mean.shape))
    z, degrees = np.concatenate(z).ravel(), np.concatenate(degrees).ravel()
    for level in (0.8, 0.9, 0.95):
        low, high = binom.interval(0.99, 600, level)  # correlated within a set: ten each
        quantile = 0.5 + level / 2
        assert low / 600 < np.mean(z < student.ppf(quantile, degrees)) < high / 600, level
        assert np.mean(z < norm.ppf(quantile)) < level - 0.015


@pytest.mark.parametrize("noise", ["diagonal", "common"])
def test_degrees_of_the_noise_are_what_intercepts_and_coefficients_leave(noise):
    """n - tr H of each task, H its hat matrix, where tasks are unrelated and there is no prior."""
    X, Y = sample(30, 5, 2, seed=36)
    model = raw("diagonal", noise, prior_strength=0.0, **EXACT).fit(X, Y)
    s = np.linalg.eigvalsh((X - X.mean(axis=0)).T @ (X - X.mean(axis=0)))
    K, R = model.task_covariance_.diagonal(), model.noise_covariance_.diagonal()
    left = 30 - 1 - (s / (s + (R / K)[:, None])).sum(axis=1)
    expected = left if noise == "diagonal" else np.full(2, left.sum())
    np.testing.assert_allclose(model.noise_degrees_, expected, rtol=1e-4)  # as far as it climbs
    alone = raw(noise=noise, **EXACT).fit(X, Y[:, 0])  # has no prior
    if noise == "diagonal":
        np.testing.assert_allclose(alone.noise_degrees_, expected[:1], rtol=1e-4)


def test_the_prior_counts_among_the_degrees_of_the_noise():
    X, Y = sample(40, 3, 4, holes=0.3, seed=37)
    for noise, count in [("full", 4), ("diagonal", 6)]:
        degrees = raw(noise=noise, **EXACT).fit(X, Y).noise_degrees_
        n_labels = (~np.isnan(Y)).sum(axis=0)
        # less an intercept, and up to a slope for each feature
        assert (n_labels - 4 + count - 1 < degrees).all()
        assert (degrees < n_labels - 1 + count + 1).all()


@pytest.mark.parametrize("is_new", [False, True], ids=["seen", "new"])
def test_intervals_of_filled_in_labels_cover_what_they_say(is_new):
    z = []
    for seed in range(30):
        X, Y = sample(110, 10, 4, R=0.6 + 0.4 * np.eye(4), seed=seed)
        holes = with_holes(Y, fraction=0.3, seed=seed)
        model = raw().fit(X[:100], holes[:100])
        rows = slice(100, 110) if is_new else slice(0, 100)
        arguments = (X[rows], holes[rows]) if is_new else ()
        filled, std = model.impute(*arguments, return_std=True)
        missing = np.isnan(holes[rows])
        z.append(np.abs(Y[rows] - filled)[missing] / std[missing])
        assert (std[~missing] == 0).all()
    z = np.concatenate(z)
    for level in (0.5, 0.8, 0.9, 0.95):
        n = len(z) // 4  # correlated within a set
        low, high = binom.interval(0.99, n, level)
        assert low / n < np.mean(z < norm.ppf(0.5 + level / 2)) < high / n, level


@pytest.mark.parametrize("p", [3, 40], ids=["tall", "wide"])
def test_impute_of_the_fit_is_the_conditional_mean_of_the_missing_cells(p):
    """Against the joint normal of all cells, its flat intercepts integrated out exactly."""
    X, Y = sample(12, p, 3, holes=0.3, seed=17)
    model = raw().fit(X, Y)
    filled, std = model.impute(return_std=True)
    Z, T = X - X.mean(axis=0), 3
    row, task = np.divmod(np.arange(36), T)
    pair = np.ix_(task, task)
    V = (Z[row] @ Z[row].T) * model.task_covariance_[pair]
    V += (row[:, None] == row) * model.noise_covariance_[pair]
    y = Y.reshape(-1)
    m, o = np.isnan(y), ~np.isnan(y)
    H, inverse = np.eye(T)[task], np.linalg.inv(V[np.ix_(o, o)])
    D = np.linalg.inv(H[o].T @ inverse @ H[o])
    b = D @ H[o].T @ inverse @ y[o]
    k = V[np.ix_(o, m)]
    mean = H[m] @ b + k.T @ inverse @ (y[o] - H[o] @ b)
    u = H[m].T - H[o].T @ inverse @ k
    C = V[np.ix_(m, m)] - k.T @ inverse @ k + u.T @ D @ u
    np.testing.assert_allclose(filled.reshape(-1)[m], mean, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(std.reshape(-1)[m], np.sqrt(C.diagonal()), rtol=1e-7)
    np.testing.assert_array_equal(filled[~np.isnan(Y)], Y[~np.isnan(Y)])


def test_a_new_row_is_filled_in_as_if_it_were_in_the_fit():
    """At the covariances of the fit: the posterior with the row added, then the row as seen."""
    X, Y = sample(15, 4, 3, seed=18)
    model = raw().fit(X[:-1], Y[:-1])
    row = Y[-1:].copy()
    row[0, 1] = np.nan
    filled, std = model.impute(X[-1:], row, return_std=True)
    K, R = model.task_covariance_, model.noise_covariance_
    cells = cells_of(X, np.vstack([Y[:-1], row]), "free")
    added = DensePosterior(cells, [K], R)
    z, o, m = cells.Z[-1], [0, 2], [1]
    f = added.W @ z + added.b
    B = R[np.ix_(m, o)] @ np.linalg.inv(R[np.ix_(o, o)])
    expected = f[m] + B @ (row[0, o] - f[o])
    np.testing.assert_allclose(filled[0, 1], expected[0], rtol=1e-9)
    A = np.zeros((1, 3))
    A[0, m], A[0, o] = 1.0, -B
    variance = A @ added.covariance(z) @ A.T + R[np.ix_(m, m)] - B @ R[np.ix_(o, m)]
    np.testing.assert_allclose(std[0, 1], np.sqrt(variance[0, 0]), rtol=1e-7)
    np.testing.assert_array_equal(std[0, o], 0)
    nothing = np.full((1, 3), np.nan)
    mean, spread = model.predict(X[-1:], return_std=True)
    for mine, theirs in zip(
        model.impute(X[-1:], nothing, return_std=True), (mean, spread), strict=True
    ):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9)


def test_other_labels_of_a_row_improve_on_predict():
    X, Y = sample(80, 5, 3, R=0.8 + 0.2 * np.eye(3), seed=19)
    holes = with_holes(Y)
    model = raw().fit(X, holes)
    missing = np.isnan(holes)
    residual = [(Y - guess)[missing] for guess in (model.impute(), model.predict(X))]
    assert np.mean(residual[0] ** 2) < 0.7 * np.mean(residual[1] ** 2)


def test_draws_spread_as_predictions_do():
    X, Y = sample(20, 30, 3, holes=0.2, seed=20, rows=3)
    Y = np.column_stack([Y, np.full(len(Y), np.nan)])
    with pytest.warns(UserWarning, match="no label"):
        model = raw().fit(X[:20], Y[:20])
    coef, intercept = model.sample_posterior(3000, random_state=0)
    assert coef.shape == (3000, 4, 30) and intercept.shape == (3000, 4)
    again, _ = model.sample_posterior(3000, random_state=0)
    np.testing.assert_array_equal(again, coef)
    draws = np.einsum("dtp,np->dnt", coef, X[20:]) + intercept[:, None, :]
    mean, std = model.predict(X[20:], return_std=True)
    latent = np.sqrt(std**2 - model.noise_covariance_.diagonal())
    # five standard errors of a mean and of a standard deviation of 3000 draws
    assert (np.abs(draws.mean(axis=0) - mean) < 5 * latent / 3000**0.5).all()
    np.testing.assert_allclose(draws.std(axis=0), latent, rtol=5 / 6000**0.5)


# tasks of which little is known


def test_an_unlabelled_task_has_the_covariance_given_for_it():
    X, Y = sample(40, 5, 3, seed=21)
    Y[:, 2] = np.nan
    known = np.array([[1.0, 0.2, 0.9], [0.2, 1.0, 0.1], [0.9, 0.1, 1.0]])
    with pytest.warns(UserWarning, match="no label"):
        model = raw(known).fit(X, Y)
    scale = model.task_covariance_[0, 0]
    np.testing.assert_allclose(model.task_covariance_, scale * known, rtol=1e-10)
    weights = np.linalg.solve(known[:2, :2], known[:2, 2])
    np.testing.assert_allclose(model.coef_[2], weights @ model.coef_[:2], rtol=1e-9)


def test_less_is_known_of_a_task_without_labels():
    X, Y = sample(60, 5, 4, seed=22)
    Y[:, 3] = np.nan
    with pytest.warns(UserWarning, match="no label"):
        model = raw().fit(X, Y)
    _, std = model.predict(X, return_std=True)
    assert (std[:, 3] > std[:, :3].max(axis=1)).all()
    assert model.noise_degrees_[3] == model.noise_degrees_[:3].min()
    assert np.linalg.eigvalsh(model.task_correlation_)[0] > -1e-9
    others = model.task_correlation_[3, :3]
    assert others.min() == pytest.approx(others.max()) and others[0] > 0


def test_unseen_tasks_of_long_data_have_intervals():
    X, Y = sample(40, 3, 6, seed=23)
    table, y = as_long(X, with_holes(Y))
    model = raw(task_column=-1, unknown_task="shared").fit(table, y)
    rows = np.column_stack([X[:5], np.full(5, 77)])
    mean, std = model.predict(rows, return_std=True)
    known = np.column_stack([X[:5], np.zeros(5)])
    assert np.isfinite(mean).all() and (std > model.predict(known, return_std=True)[1]).all()
    s2, K = model.noise_covariance_[0, 0], model.task_covariance_
    own = ((X[:5] - X.mean(axis=0)) ** 2).sum(axis=1) * (K[0, 0] - K[0, 1])
    assert (std**2 > s2 + model.intercept_variance_ + 0.9 * own).all()


def test_uncorrelated_tasks_lend_nothing_to_an_unseen_one():
    X, Y = sample(40, 3, 4, seed=24)
    model = raw("diagonal", "diagonal").fit(X, Y)
    np.testing.assert_array_equal(model.shared_coef_, 0)
    np.testing.assert_allclose(
        model.shared_intercept_,
        (model.intercept_ + model.coef_ @ X.mean(axis=0)).mean(),
        rtol=1e-10,
    )


def test_a_single_task_is_what_an_unseen_one_is_taken_for():
    X, Y = sample(30, 3, 1, seed=25)
    table = np.column_stack([X, np.ones(30)])
    model = raw(task_column=3, unknown_task="shared").fit(table, Y[:, 0])
    np.testing.assert_allclose(model.shared_coef_, model.coef_[0])
    assert np.isfinite(model.predict(table * [1, 1, 1, 5], return_std=True)[1]).all()


# hard data


HARD = {
    "more tasks than rows": (8, 5, 20, {}),
    "one row more than tasks": (4, 3, 3, {}),
    "many features": (10, 300, 3, {}),
    "one feature": (20, 1, 4, {}),
    "nothing to learn": (30, 5, 3, {"noise_only": True}),
    "no noise": (30, 5, 3, {"exact": True}),
}


@pytest.mark.parametrize("holes", [0.0, 0.3], ids=["complete", "holes"])
@pytest.mark.parametrize("case", HARD)
def test_hard_data_are_fitted_without_a_warning(case, holes):
    n, p, T, how = HARD[case]
    X, Y = sample(n, p, T, seed=26)
    if "noise_only" in how:
        Y = np.random.default_rng(0).normal(size=Y.shape)
    if "exact" in how:
        Y = X @ np.random.default_rng(0).normal(size=(p, T))
    truth = Y.copy()
    Y[2:][np.random.default_rng(1).random((n - 2, T)) < holes] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = raw().fit(X, Y)
    mean, std = model.predict(X, return_std=True)
    assert np.isfinite(mean).all() and np.isfinite(std).all() and (std > 0).all()
    if "exact" in how:
        np.testing.assert_allclose(mean, truth, atol=0.05 * truth.std())
    if "noise_only" in how:
        assert np.abs(model.coef_).max() < 0.5


def test_constant_columns_labels_and_tasks_of_one_label_do_no_harm():
    X, Y = sample(30, 4, 3, seed=27)
    plain = raw().fit(X, Y)
    constant = raw().fit(np.column_stack([X, np.full(30, 1e5)]), Y)
    np.testing.assert_allclose(constant.coef_[:, :4], plain.coef_, rtol=0.02, atol=0.02)
    np.testing.assert_allclose(constant.coef_[:, 4], 0, atol=1e-12)
    flat = np.column_stack([Y, np.full(30, 2.0), np.full(30, np.nan)])
    flat[3, 4] = 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = raw().fit(X, flat)
    np.testing.assert_allclose(model.predict(X)[:, 3], 2.0, atol=0.3)
    assert np.isfinite(model.predict(X, return_std=True)[1]).all()
    # a label that its own free intercept takes says nothing of slopes
    np.testing.assert_allclose(model.predict(X[3:4])[0, 4], 1.0, atol=0.5)


def test_features_and_labels_of_extreme_units_are_fitted_or_refused():
    X, Y = sample(30, 4, 3, seed=28)
    plain = raw().fit(X, Y)
    for x, y in [(1e-60, 1e60), (1e60, 1e-60)]:
        model = raw().fit(X * x, Y * y)
        np.testing.assert_allclose(model.predict(X * x) / y, plain.predict(X), rtol=1e-6)
    with pytest.raises(ValueError, match="out of the range of floats"):
        raw().fit(X * 1e-160, Y)
    with pytest.raises(ValueError, match="out of the range of floats"):
        raw().fit(X, Y * 1e-200)  # squares are zero


def test_rows_that_are_orthogonal_and_equally_long_cannot_tell_noise():
    X = np.eye(6) - 1 / 6
    Y = np.random.default_rng(0).normal(size=(6, 2))
    with pytest.warns(UserWarning, match="orthogonal and equally long"):
        model = raw().fit(X, Y)
    assert np.isfinite(model.coef_).all()


def test_an_ascent_that_is_cut_short_warns_once():
    X, Y = sample(30, 10, 6, holes=0.3, seed=29)
    for params in ({"prior_strength": 0.0}, {"covariance": "low_rank"}):
        with pytest.warns(ConvergenceWarning, match="max_iter") as caught:
            model = raw(max_iter=2, **params).fit(X, Y)
        assert len(caught) == 1 and caught[0].filename == __file__
        assert model.n_iter_ == 2


# refusals


def long_table(n_tasks, n_rows, p, seed=30):
    rng = np.random.default_rng(seed)
    task = np.repeat(np.arange(n_tasks), n_rows)
    return np.column_stack([rng.normal(size=(len(task), p)), task]), rng.normal(size=len(task))


@pytest.mark.parametrize("noise", ["common", "diagonal"])
def test_a_full_covariance_of_many_tasks_with_their_own_rows_is_refused(noise):
    table, y = long_table(150, 25, 24)
    model = raw("full", noise, task_column=-1)
    with pytest.raises(ValueError, match=r"3600 unknowns .* 11325 covariances .* 24 features.*low"):
        model.fit(table, y)
    model.set_params(covariance=np.eye(150) + 1)
    with pytest.raises(ValueError, match=r"an array as covariance.*shared"):
        model.fit(table, y)
    assert model.set_params(covariance="low_rank", rank=1, max_iter=3)


def test_a_full_covariance_of_few_tasks_with_their_own_rows_is_learned():
    table, y = long_table(4, 20, 3)
    model = raw("full", "diagonal", task_column=-1).fit(table, y)
    assert model.task_covariance_.shape == (4, 4) and np.isfinite(model.intercept_variance_)


def test_a_full_noise_of_rows_with_one_label_is_refused():
    table, y = long_table(3, 10, 2)
    with pytest.raises(ValueError, match="noise='full' needs rows with labels of several tasks"):
        raw(noise="full", task_column=-1).fit(table, y)


def test_a_full_noise_takes_row_weights_only():
    X, Y = sample(10, 2, 3, seed=31)
    weight = np.random.default_rng(0).uniform(0.5, 2, Y.shape)
    with pytest.raises(ValueError, match="one sample_weight for all labels of a row"):
        raw(noise="full").fit(X, Y, weight)
    off = raw().fit(X, Y, weight).noise_covariance_ * (1 - np.eye(3))
    np.testing.assert_array_equal(off, 0)


def test_too_few_labels_are_refused_by_their_number():
    X, Y = sample(3, 2, 3, seed=32)
    with pytest.raises(ValueError, match=r"n_samples = 3 .* 3 go to intercepts"):
        raw("full", shrink_intercept=False).fit(X, np.where(np.eye(3), Y, np.nan))


def test_arrays_and_groups_of_the_wrong_kind_are_refused():
    X, Y = sample(10, 2, 3, seed=33)
    for covariance, message in [
        (np.eye(2), r"shape \(3, 3\).*got shape \(2, 2\)"),
        (np.full((3, 3), np.nan), "got one with NaN"),
        (np.triu(np.ones((3, 3))), "symmetric.*differs from its transpose"),
        (-np.eye(3), "positive diagonal, got one with -1 on it"),
        (2 * np.ones((3, 3)) - np.eye(3), "positive semidefinite.*eigenvalue -1"),
    ]:
        with pytest.raises(ValueError, match=message):
            raw(covariance).fit(X, Y)
    with pytest.raises(ValueError, match="groups must hold 2 labels"):
        raw(groups=[0, 1, 1]).fit(X, Y)
    with pytest.raises(ValueError, match="groups must not hold NaN"):
        raw(groups=[0, np.nan]).fit(X, Y)


def test_impute_refuses_what_it_cannot_fill():
    X, Y = sample(12, 2, 3, seed=34)
    model = raw()
    with pytest.raises(NotFittedError):
        model.impute()
    with pytest.raises(NotFittedError):
        model.sample_posterior()
    model.fit(X, Y)
    for arguments, message in [
        ((X,), "needs both X and Y"),
        ((None, Y), "needs both X and Y"),
        ((X, Y[:, :2]), r"Y must have shape \(12, 3\).*got \(12, 2\)"),
        ((X, Y[:5]), r"Y must have shape \(12, 3\)"),
        ((X, Y[:, 0]), r"Y must have shape \(12, 3\)"),
        ((X, np.where(Y > 2, np.inf, Y)), "Y contains infinity"),
        ((X[:, :1], Y), "1 features"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.impute(*arguments)
    with pytest.raises(TypeError, match="return_std"):
        model.predict(X, return_std=1)
    with pytest.raises(ValueError, match="n must be at least 1"):
        model.sample_posterior(0)
    table, y = as_long(X, Y)
    with pytest.raises(ValueError, match="impute fills in the labels of a wide y"):
        raw(task_column=-1).fit(table, y).impute()


# forms


def test_everything_comes_back_in_the_form_of_the_input():
    X, Y = sample(20, 3, 2, holes=0.2, seed=35)
    plain = raw().fit(X, Y)
    strict = array_api_strict.asarray
    model = raw().fit(strict(X), strict(Y))
    for result in (
        *model.predict(strict(X), return_std=True),
        *model.impute(return_std=True),
        *model.impute(strict(X), strict(Y), return_std=True),
        *model.sample_posterior(2, random_state=0),
    ):
        assert is_foreign(result)
    np.testing.assert_allclose(np.asarray(model.impute()), plain.impute())
    single = raw().fit(X.astype(np.float32), Y.astype(np.float32))
    for result in (*single.predict(X.astype(np.float32), return_std=True), single.impute()):
        assert result.dtype == np.float32
    frame = pd.DataFrame(Y, columns=["a", "b"])
    named = raw().fit(X, frame)
    np.testing.assert_allclose(named.impute(X, frame), plain.impute(X, Y))


def test_a_single_task_is_filled_in_as_a_vector():
    X, Y = sample(20, 3, 1, seed=36)
    model = raw().fit(X, Y[:, 0])
    np.testing.assert_array_equal(model.impute(), Y[:, 0])
    gaps = np.where(np.arange(20) % 3 == 0, np.nan, Y[:, 0])
    filled, std = model.impute(X, gaps, return_std=True)
    mean, spread = model.predict(X, return_std=True)
    np.testing.assert_allclose(filled[::3], mean[::3], rtol=1e-9)
    np.testing.assert_allclose(std[::3], spread[::3], rtol=1e-9)


def test_rows_without_labels_are_filled_in_too():
    X, Y = sample(20, 3, 2, seed=37)
    Y[4] = np.nan
    model = raw().fit(X, Y)
    np.testing.assert_allclose(model.impute()[4], model.predict(X)[4], rtol=1e-10)
