"""MultiTaskRidge: the minimiser of its objective, its limits, its solvers, the extremes."""

import warnings

import numpy as np
import pytest
from _references import reference_predictions
from _samplers import wide, with_holes
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge

from skmtl import MultiTaskRidge, MultiTaskRidgeCV
from skmtl.datasets import make_multitask_regression

RNG = np.random.default_rng(7)
SOLVERS = ("cholesky", "dual", "cg")
ALPHAS = [(1.0, 2.0, 0.0), (0.5, 3.0, 1.3), (2.0, 0.1, np.inf)]
LIMITS = [(np.inf, 2.0, 0.0), (1.0, np.inf, 1.3), (np.inf, 0.5, np.inf), (np.inf, np.inf, 0.7)]


def sample(n, p, T, holes, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + 1
    Y = X @ rng.normal(size=(p, T)) + rng.normal(size=(n, T)) + rng.normal(size=T)
    return X, with_holes(Y) if holes else Y


def weights(kind, n, T, seed=1):
    rng = np.random.default_rng(seed)
    return {"none": None, "rows": rng.uniform(0.5, 2, n), "cells": rng.uniform(0.5, 2, (n, T))}[
        kind
    ]


def make(alphas, **params):
    a0, a1, ai = alphas
    return MultiTaskRidge(a0, a1, alpha_intercept=ai, **params)


@pytest.mark.parametrize("alphas", ALPHAS + LIMITS)
@pytest.mark.parametrize("weight", ["none", "rows", "cells"])
@pytest.mark.parametrize("holes", [False, True], ids=["complete", "holes"])
@pytest.mark.parametrize("shape", [(20, 3, 4), (9, 12, 3)], ids=["tall", "wide"])
def test_fit_is_the_minimiser(shape, holes, weight, alphas):
    X, Y = sample(*shape, holes)
    sample_weight = weights(weight, *Y.shape)
    expected = reference_predictions(X, Y, alphas, sample_weight)
    for solver in SOLVERS:
        model = make(alphas, solver=solver, tol=1e-13).fit(X, Y, sample_weight)
        # the reference inverts a kernel matrix; 1e-9 is its accuracy, not ours
        np.testing.assert_allclose(model.predict(X), expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("alphas", [(1.0, 2.0, 0.0), (np.inf, 2.0, 0.0)])
def test_without_intercept_it_is_the_minimiser_through_the_origin(alphas):
    X, Y = sample(20, 3, 4, True)
    expected = reference_predictions(X, Y, alphas, fit_intercept=False)
    model = make(alphas, fit_intercept=False).fit(X, Y)
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-9)
    assert not model.intercept_.any()


def test_gradient_vanishes_in_every_block():
    """At the solution the objective's derivative in w0, v_t, b_t and b_0 is rounding."""
    X, Y = sample(30, 5, 4, True)
    a0, a1, ai = 0.7, 2.0, 1.1
    model = make((a0, a1, ai)).fit(X, Y)
    E = np.where(np.isnan(Y), 0.0, Y - model.predict(X))
    centre = (~np.isnan(Y)).sum(axis=1) @ X / (~np.isnan(Y)).sum()
    XE = E.T @ (X - centre)
    levels = model.intercept_ + model.coef_ @ centre
    # b_0 is the mean of the levels: its own derivative is ai sum (b_t - b_0) = 0
    np.testing.assert_allclose(XE, a1 * model.specific_coef_, atol=1e-11)
    np.testing.assert_allclose(XE.sum(axis=0), a0 * model.shared_coef_, atol=1e-11)
    np.testing.assert_allclose(E.sum(axis=0), ai * (levels - levels.mean()), atol=1e-11)


def test_one_task_is_ridge():
    X, y = RNG.normal(size=(25, 4)), RNG.normal(size=25)
    model = MultiTaskRidge(2.0, 3.0).fit(X, y)
    peer = Ridge(2.0 * 3.0 / 5.0).fit(X, y)
    np.testing.assert_allclose(model.coef_[0], peer.coef_, rtol=1e-12)
    np.testing.assert_allclose(model.intercept_[0], peer.intercept_, rtol=1e-12)


@pytest.mark.parametrize("holes", [False, True], ids=["complete", "holes"])
def test_limits_are_ridge_pooled_with_dummies_and_independent(holes):
    """The four equalities: pooled, pooled with task dummies, per task, and one task (above)."""
    X, Y = sample(20, 3, 4, holes)
    row, task = np.nonzero(~np.isnan(Y))
    y, dummies = Y[row, task], np.eye(4)[task]
    pooled = Ridge(1.5).fit(X[row], y)
    model = make((1.5, np.inf, np.inf)).fit(X, Y)
    np.testing.assert_allclose(model.coef_, np.tile(pooled.coef_, (4, 1)), rtol=1e-11)
    np.testing.assert_allclose(model.intercept_, pooled.intercept_, rtol=1e-11)
    # Ridge centres [X, dummies]; ours penalises the levels at the mean of X, which is the same
    peer = Ridge(1.5).fit(np.column_stack([X[row], dummies]), y)
    model = make((1.5, np.inf, 1.5)).fit(X, Y)
    np.testing.assert_allclose(model.coef_[0], peer.coef_[:3], rtol=1e-10)
    np.testing.assert_allclose(model.intercept_, peer.intercept_ + peer.coef_[3:], rtol=1e-10)
    model = make((np.inf, 1.5, 0.0)).fit(X, Y)
    for t in range(4):
        peer = Ridge(1.5).fit(X[row[task == t]], y[task == t])
        np.testing.assert_allclose(model.coef_[t], peer.coef_, rtol=1e-11)
        np.testing.assert_allclose(model.intercept_[t], peer.intercept_, rtol=1e-11)
    assert not model.shared_coef_.any()


@pytest.mark.parametrize("ai", [0.0, 0.8, np.inf])
def test_fit_does_not_depend_on_the_origin_of_X(ai):
    X, Y = sample(20, 3, 4, True)
    model = make((1.0, 2.0, ai))
    here, there = model.fit(X, Y).predict(X), model.fit(X + 50, Y).predict(X + 50)
    np.testing.assert_allclose(here, there, rtol=1e-10)


def test_unequal_task_sizes_on_both_sides_of_the_number_of_features():
    """Blocks with n_t < p and n_t >= p in one problem, against the dense reference."""
    X, y, task = make_multitask_regression(
        np.array([1, 2, 5, 9, 40]), 6, 5, common_design=False, random_state=0
    )
    Y = np.full((len(y), 5), np.nan)
    Y[np.arange(len(y)), task] = y
    for alphas in ALPHAS:
        expected = reference_predictions(X, Y, alphas)
        for solver in SOLVERS:
            model = make(alphas, solver=solver, tol=1e-13, task_column=0)
            model.fit(np.column_stack([task, X]), y)
            found = model.predict(np.column_stack([task, X]))
            np.testing.assert_allclose(found, expected[np.arange(len(y)), task], rtol=1e-8)


def test_task_weight_multiplies_sample_weight_after_normalisation():
    X, Y = sample(20, 3, 4, True)
    omega = np.array([1.0, 2.0, 3.0, 4.0])
    model = MultiTaskRidge(task_weight=omega).fit(X, Y)
    peer = MultiTaskRidge().fit(X, Y, np.tile(omega / omega.mean(), (20, 1)))
    np.testing.assert_allclose(model.coef_, peer.coef_, rtol=1e-11)
    np.testing.assert_allclose(model.task_weights_, omega / omega.mean())


def test_balanced_tasks_weigh_the_same_in_sum():
    X, Y = sample(30, 3, 4, True)
    model = MultiTaskRidge(task_weight="balanced").fit(X, Y)
    totals = model.task_weights_ * (~np.isnan(Y)).sum(axis=0)
    np.testing.assert_allclose(totals, totals[0])
    assert model.task_weights_.mean() == pytest.approx(1.0)


def test_a_task_of_weight_zero_is_one_without_labels():
    X, Y = sample(20, 3, 4, False)
    with pytest.warns(UserWarning, match="task 2 has no label"):
        model = MultiTaskRidge(task_weight=[1, 1, 0, 1]).fit(X, Y)
    peer = MultiTaskRidge().fit(X, Y[:, [0, 1, 3]])
    np.testing.assert_allclose(model.coef_[[0, 1, 3]], peer.coef_, rtol=1e-11)
    np.testing.assert_allclose(model.coef_[2], peer.shared_coef_, rtol=1e-11)


@pytest.mark.parametrize("ai", [0.0, 1.0, np.inf])
def test_an_unlabelled_task_gets_the_common_level(ai):
    """Its intercept is b_0 in centred coordinates; with free ones, the mean of the others'."""
    X, Y = sample(30, 3, 4, True)
    Y[:, 1] = np.nan
    with pytest.warns(UserWarning, match="no label"):
        model = make((1.0, 2.0, ai)).fit(X, Y)
    others = [0, 2, 3]
    W = (~np.isnan(Y)).astype(float)
    centre = W.sum(axis=1) @ X / W.sum()
    levels = model.intercept_ + model.coef_ @ centre
    np.testing.assert_allclose(model.coef_[1], model.shared_coef_)
    np.testing.assert_allclose(levels[1], levels[others].mean(), rtol=1e-10)


@pytest.mark.parametrize("exponent", [-8, -4, 4, 8])
@pytest.mark.parametrize("holes", [False, True], ids=["complete", "holes"])
@pytest.mark.parametrize("shape", [(30, 4, 3), (10, 14, 3)], ids=["tall", "wide"])
def test_units_of_X_only_rescale_coefficients(shape, holes, exponent):
    X, Y = sample(*shape, holes)
    c = 10.0**exponent
    for solver in ("cholesky", "dual"):
        model = MultiTaskRidge(1.0, 2.0, solver=solver).fit(X, Y)
        scaled = MultiTaskRidge(c**2, 2 * c**2, solver=solver).fit(c * X, Y)
        np.testing.assert_allclose(scaled.predict(c * X), model.predict(X), rtol=1e-9)


@pytest.mark.parametrize("exponent", [-10, 10])
def test_units_of_y_only_rescale_predictions(exponent):
    X, Y = sample(30, 4, 3, True)
    c = 10.0**exponent
    model = MultiTaskRidge().fit(X, Y)
    np.testing.assert_allclose(
        MultiTaskRidge().fit(X, c * Y).predict(X), c * model.predict(X), rtol=1e-9
    )


@pytest.mark.parametrize("holes", [False, True], ids=["complete", "holes"])
def test_features_of_very_different_units_do_no_harm(holes):
    """One feature in units of 1e-7: least squares in units of 1, each penalty in its feature's."""
    X, Y = sample(40, 3, 4, holes)
    units = np.array([1.0, 1e7, 1e-3])
    row, task = np.nonzero(~np.isnan(Y))
    own = np.zeros((len(row), 4, 3))
    own[np.arange(len(row)), task] = X[row]
    # columns: shared, specific by task, free intercepts; rows below: the roots of the penalties
    design = np.hstack([X[row], own.reshape(len(row), -1), np.eye(4)[task]])
    roots = np.concatenate([np.tile(np.sqrt(1e-3) / units, 5), np.zeros(4)])
    augmented = np.vstack([design, np.diag(roots)])
    labels = np.concatenate([Y[row, task], np.zeros(len(roots))])
    fitted = design @ np.linalg.lstsq(augmented, labels, rcond=1e-15)[0]
    model = MultiTaskRidge(1e-3, 1e-3).fit(X * units, Y)
    np.testing.assert_allclose(model.predict(X * units)[row, task], fitted, rtol=1e-7)


def test_constant_and_duplicated_columns_change_nothing_but_share_the_weight():
    X, Y = sample(30, 3, 4, True)
    model = MultiTaskRidge(2.0, 2.0).fit(X, Y)
    with_constant = MultiTaskRidge(2.0, 2.0).fit(np.column_stack([X, np.full(30, 1e6)]), Y)
    np.testing.assert_allclose(with_constant.coef_[:, :3], model.coef_, rtol=1e-8)
    np.testing.assert_allclose(with_constant.coef_[:, 3], 0.0, atol=1e-12)
    # two equal columns of strength 2 a act as one of strength a
    twice = MultiTaskRidge(4.0, 4.0).fit(np.column_stack([X, X]), Y)
    np.testing.assert_allclose(twice.coef_[:, :3] + twice.coef_[:, 3:], model.coef_, rtol=1e-10)


def test_duplicated_columns_with_a_penalty_below_rounding_stay_finite_and_accurate():
    X, Y = sample(30, 3, 4, False)
    X = np.column_stack([X, X]) * 1e8
    for holes in (False, True):
        labels = with_holes(Y) if holes else Y
        model = MultiTaskRidge(1.0, 1.0).fit(X, labels)
        peer = MultiTaskRidge(0.5e-16, 0.5e-16).fit(X[:, :3] / 1e8, labels)
        np.testing.assert_allclose(model.predict(X), peer.predict(X[:, :3] / 1e8), rtol=1e-6)


def test_constant_labels_and_all_constant_features():
    X = np.ones((6, 2))
    Y = np.tile([3.0, -1.0], (6, 1))
    model = MultiTaskRidge().fit(X, Y)
    np.testing.assert_allclose(model.predict(X), Y, rtol=1e-12)
    with_gap = Y.copy()
    with_gap[0, 0] = np.nan
    for solver in SOLVERS:
        model = MultiTaskRidge(solver=solver).fit(X, with_gap)
        np.testing.assert_allclose(model.predict(X), Y, rtol=1e-12)


def test_float32_agrees_with_float64_to_its_own_rounding():
    X, Y = wide(200, 10, 4)
    model = MultiTaskRidge().fit(X.astype("float32"), Y)
    assert model.coef_.dtype == np.float32
    np.testing.assert_allclose(model.coef_, MultiTaskRidge().fit(X, Y).coef_, rtol=1e-5, atol=1e-6)


def test_cg_that_runs_out_of_iterations_warns_once_and_tells_the_residual():
    X, Y = sample(20, 12, 3, True)
    with pytest.warns(ConvergenceWarning, match="max_iter") as caught:
        MultiTaskRidge(1e-3, 1e-3, solver="cg", max_iter=2).fit(X, Y)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = MultiTaskRidge(solver="cg").fit(X, Y)
    assert 1 <= model.n_iter_ <= 1000


def test_golden_value():
    """Two tasks, one feature, by hand: y1 = x, y2 = -x, no intercepts, alphas 1.

    X'X = 2; the shared part is 0 by symmetry, and v_t = +-2/(2 + 1).
    """
    X, Y = np.array([[1.0], [-1.0]]), np.array([[1.0, -1.0], [-1.0, 1.0]])
    model = MultiTaskRidge(1.0, 1.0, fit_intercept=False).fit(X, Y)
    np.testing.assert_allclose(model.coef_, [[2 / 3], [-2 / 3]])
    np.testing.assert_allclose(model.shared_coef_, [0.0], atol=1e-15)


@pytest.mark.parametrize("holes", [False, True], ids=["complete", "holes"])
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning", "ignore:invalid:RuntimeWarning")
def test_numbers_too_large_to_square_are_refused(holes):
    X, Y = sample(12, 3, 2, holes)
    for model in (MultiTaskRidge(), MultiTaskRidgeCV(standardize=False)):
        with pytest.raises(ValueError, match=r"overflow.* too large"):
            model.fit(X * 1e160, Y)
        assert not hasattr(model, "coef_")


def test_an_intercept_penalty_of_nearly_zero_is_nearly_free():
    X, Y = sample(12, 3, 2, True)
    free = make((1.0, 1.0, 0.0)).fit(X, Y)
    tiny = make((1.0, 1.0, 5e-324)).fit(X, Y)
    np.testing.assert_allclose(tiny.predict(X), free.predict(X), rtol=1e-10)
