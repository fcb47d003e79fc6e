"""MultiTaskLogisticRegression: the documented objective, known models, solvers, odd data."""

import copy
import pickle
import time
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from _classification import Dense, binary, class_sets, several, weigh_classes
from _properties import assert_close
from _samplers import as_long, one_label_a_row, with_holes
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score

from skmtl import MultiTaskLogisticRegression

ALPHAS = {
    "free": (0.5, 2.0, 0.0),
    "shrunk": (0.5, 2.0, 0.7),
    "common": (0.5, 2.0, np.inf),
    "pooled": (0.5, np.inf, np.inf),
    "dummies": (0.5, np.inf, 0.3),
    "independent": (np.inf, 2.0, 0.0),
    "intercepts-only": (np.inf, np.inf, 0.3),
}
every_alphas = pytest.mark.parametrize("alphas", ALPHAS.values(), ids=ALPHAS)
every_solver = pytest.mark.parametrize("solver", ["irls", "newton-cg"])
every_sample = pytest.mark.parametrize("sample", [binary, several])
WEIGHTS = {
    "unweighted": lambda rng, Y: (None, None),
    "rows": lambda rng, Y: (rng.uniform(0.2, 3, len(Y)), None),
    "cells": lambda rng, Y: (rng.uniform(0.2, 3, Y.shape), None),
    "tasks": lambda rng, Y: (rng.uniform(0.2, 3, Y.shape), rng.uniform(0.5, 2, Y.shape[1])),
}
LABELS = {"complete": lambda Y: Y, "holes": with_holes, "one-a-row": one_label_a_row}
# scikit-learn's lbfgs stops at a gradient of 1e-10 relative to the loss
EXACT = {"tol": 1e-10, "max_iter": 10_000}
OPTIMUM = 1e-6  # gradients of 1e-9 over curvatures of at least 1e-3
NEWTON = 1e-8  # two Newton methods that both end with a step of 1e-9 or less


def model_of(alphas, **params):
    shared, specific, intercept = alphas
    params = {"tol": 1e-9} | params
    return MultiTaskLogisticRegression(shared, specific, alpha_intercept=intercept, **params)


def assert_solves(model, dense, X, *, atol=NEWTON):
    """Coefficients and probabilities are those of the dense reference."""
    for t, expected in enumerate(dense.coefficients):
        np.testing.assert_allclose(np.atleast_2d(model.coef_[t]), expected, rtol=0, atol=atol)
    np.testing.assert_allclose(model.shared_coef_, dense.shared, rtol=0, atol=atol)
    P = model.predict_proba(X)
    for own, expected in zip(P, dense.probabilities(X), strict=True):
        np.testing.assert_allclose(own, expected, rtol=0, atol=atol)


# the objective


@every_sample
@every_alphas
@every_solver
def test_it_minimises_the_documented_objective(sample, alphas, solver):
    X, Y = sample()
    assert_solves(model_of(alphas, solver=solver).fit(X, Y), Dense(X, Y, alphas), X)


@every_sample
@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
@every_solver
def test_missing_labels_and_weights_enter_as_documented(sample, labels, weights, solver, rng):
    X, Y = sample(n=80)
    Y, alphas = labels(Y), (0.5, 2.0, 0.7)
    s, task_weight = weights(rng, Y)
    omega = None if task_weight is None else task_weight / task_weight.mean()
    model = model_of(alphas, solver=solver, task_weight=task_weight).fit(X, Y, s)
    assert_solves(model, Dense(X, Y, alphas, s, omega), X)


@every_sample
@pytest.mark.parametrize("alphas", [(0.5, 2.0, 0.0), (0.5, np.inf, 1.0)], ids=str)
@every_solver
def test_without_intercepts_there_are_none(sample, alphas, solver):
    X, Y = sample()
    model = model_of(alphas, solver=solver, fit_intercept=False).fit(X, Y)
    assert_solves(model, Dense(X, Y, alphas, fit_intercept=False), X)
    assert not np.any(np.concatenate([np.ravel(b) for b in model.intercept_]))
    assert not np.any(model.shared_intercept_)


def objective(model, X, Y, alphas, S, W, w0, b, mean):
    """The docstring's sums, for binary tasks, of coefficients W, w0 and intercepts b."""
    shared, specific, intercept = alphas
    Z = X @ W.T + b
    loss = S * (np.logaddexp(0, Z) - np.nan_to_num(Y) * Z)
    at_mean = b + W @ mean
    return (
        loss.sum()
        + shared / 2 * (w0**2).sum()
        + specific / 2 * ((W - w0) ** 2).sum()
        + intercept / 2 * ((at_mean - at_mean.mean()) ** 2).sum()
    )


@pytest.mark.parametrize("alphas", [(0.5, 2.0, 0.0), (0.5, 2.0, 0.7)], ids=["free", "shrunk"])
@pytest.mark.parametrize("solver", ["auto", "irls", "newton-cg"])
def test_the_gradient_of_the_documented_objective_is_zero_at_the_solution(alphas, solver, rng):
    """Differences of the attributes themselves, in every coordinate."""
    X, Y = binary()
    Y = with_holes(Y)
    s = rng.uniform(0.5, 2, Y.shape)
    S = np.where(np.isnan(Y), 0.0, s)
    mean = S.sum(axis=1) @ X / S.sum()
    model = model_of(alphas, solver=solver).fit(X, Y, s)
    x = [model.coef_, model.shared_coef_, model.intercept_]

    def moved(k, index, by):
        parts = copy.deepcopy(x)
        parts[k][index] += by
        return objective(model, X, Y, alphas, S, *parts, mean)

    step = 1e-5  # the error of central differences is then 1e-10 of the curvature's change
    for k, part in enumerate(x):
        for index in np.ndindex(part.shape):
            slope = (moved(k, index, step) - moved(k, index, -step)) / (2 * step)
            assert abs(slope) < 1e-6  # of sums of about 100 labels


# known models


@pytest.mark.parametrize("sample", [binary, several])
@pytest.mark.parametrize("shape", ["1-D", "column"])
def test_one_task_equals_logistic_regression(sample, shape):
    X, Y = sample()
    y = Y[:, 0]
    C = (0.5 + 2.0) / (0.5 * 2.0)
    expected = LogisticRegression(C=C, **EXACT).fit(X, y)
    model = model_of((0.5, 2.0, 0.0)).fit(X, y if shape == "1-D" else y[:, None])
    P = model.predict_proba(X) if shape == "1-D" else model.predict_proba(X)[0]
    np.testing.assert_allclose(P, expected.predict_proba(X), rtol=0, atol=OPTIMUM)
    np.testing.assert_allclose(model.coef_[0], expected.coef_.squeeze(), rtol=0, atol=1e-5)


@every_sample
def test_no_sharing_is_a_logistic_regression_for_each_task(sample):
    X, Y = sample()
    Y = with_holes(Y)
    model = model_of((np.inf, 2.0, 0.0)).fit(X, Y)
    for t, (y, P) in enumerate(zip(Y.T, model.predict_proba(X), strict=True)):
        seen = ~np.isnan(y)
        alone = LogisticRegression(C=1 / 2.0, **EXACT).fit(X[seen], y[seen])
        if not isinstance(model.coef_, list) or len(model.coef_[t]) > 2:
            np.testing.assert_allclose(P, alone.predict_proba(X), rtol=0, atol=OPTIMUM)
            continue
        # two scores of half the coefficients each cost half of what one logit costs
        alone = LogisticRegression(C=2 / 2.0, **EXACT).fit(X[seen], y[seen])
        np.testing.assert_allclose(P, alone.predict_proba(X), rtol=0, atol=OPTIMUM)


def test_no_specific_part_is_one_logistic_regression_of_all_rows():
    X, Y = binary()
    Y = with_holes(Y)
    row, task = np.nonzero(~np.isnan(Y))
    expected = LogisticRegression(C=1 / 0.5, **EXACT).fit(X[row], Y[row, task])
    for P in model_of((0.5, np.inf, np.inf)).fit(X, Y).predict_proba(X):
        np.testing.assert_allclose(P, expected.predict_proba(X), rtol=0, atol=OPTIMUM)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_it_equals_logistic_regression_on_the_augmented_design(n_classes):
    """Columns x/sqrt(a0), x/sqrt(a1) of the own task, and its dummy/sqrt(ai), at the mean of X."""
    X, Y = several() if n_classes == 3 else binary()
    Y = with_holes(Y[:, :2])
    row, task = np.nonzero(~np.isnan(Y))
    a0, a1, ai = alphas = (0.5, 2.0, 0.7)
    mean = X[row].mean(axis=0)

    def augmented(X, task):
        own = np.eye(2)[task]
        X = X - mean
        specific = (own[:, :, None] * X[:, None, :]).reshape(len(X), -1)
        return np.hstack([X / a0**0.5, specific / a1**0.5, own / ai**0.5])

    expected = LogisticRegression(C=1.0, **EXACT).fit(augmented(X[row], task), Y[row, task])
    model = model_of(alphas).fit(X, Y)
    for t, P in enumerate(model.predict_proba(X)):
        there = expected.predict_proba(augmented(X, np.full(len(X), t)))
        np.testing.assert_allclose(P, there, rtol=0, atol=OPTIMUM)


def test_class_weights_are_factors_of_the_sample_weights(rng):
    X, Y = several()
    s = rng.uniform(0.5, 2, Y.shape)
    factors = {0.0: 3.0, 2.0: 0.25}
    expected = model_of((0.5, 2.0, 0.7)).fit(X, Y, weigh_classes(Y, s, factors))
    for class_weight in (factors, [factors] * 4, [factors, factors, {2: 0.25}, {0: 3.0}]):
        model = model_of((0.5, 2.0, 0.7), class_weight=class_weight).fit(X, Y, s)
        assert_close(np.hstack(model.predict_proba(X)), np.hstack(expected.predict_proba(X)))


def test_balanced_classes_weigh_alike_within_each_task(rng):
    X, Y = several()
    Y = with_holes(Y)
    s = rng.uniform(0.5, 2, Y.shape)
    balanced = s.copy()
    for t, classes in enumerate(class_sets(Y)):
        seen = ~np.isnan(Y[:, t])
        for c in classes:
            own = Y[:, t] == c
            balanced[own, t] *= s[seen, t].sum() / (len(classes) * s[own, t].sum())
    expected = model_of((0.5, 2.0, 0.7)).fit(X, Y, balanced)
    model = model_of((0.5, 2.0, 0.7), class_weight="balanced").fit(X, Y, s)
    assert_close(np.hstack(model.predict_proba(X)), np.hstack(expected.predict_proba(X)))
    one = model_of((0.5, 2.0, 0.0), class_weight="balanced").fit(X, Y[:, 0][:, None])
    seen = ~np.isnan(Y[:, 0])
    C = 2.5 / 1.0
    alone = LogisticRegression(C=C, class_weight="balanced", **EXACT).fit(X[seen], Y[seen, 0])
    np.testing.assert_allclose(
        one.predict_proba(X)[0], alone.predict_proba(X), rtol=0, atol=OPTIMUM
    )


def test_balanced_tasks_count_the_same_whatever_their_number_of_labels():
    X, Y = binary()
    Y[10:, 0] = np.nan
    counts = (~np.isnan(Y)).sum(axis=0)
    model = model_of((0.5, 2.0, 0.7), task_weight="balanced").fit(X, Y)
    omega = 1 / counts
    assert_close(model.task_weights_, omega / omega.mean())
    assert_solves(model, Dense(X, Y, (0.5, 2.0, 0.7), omega=omega / omega.mean()), X)


# solvers, devices, formats


@every_sample
@every_alphas
def test_solvers_and_a_device_agree(sample, alphas, fake_gpu):
    X, Y = sample()
    Y = with_holes(Y)
    fits = [
        model_of(alphas, solver="irls", device="cpu"),
        model_of(alphas, solver="newton-cg", device="cpu"),
        model_of(alphas, solver="newton-cg"),
        model_of(alphas, solver="irls"),
    ]
    P = [np.hstack(model.fit(X, Y).predict_proba(X)) for model in fits]
    for other in P[1:]:
        np.testing.assert_allclose(other, P[0], rtol=0, atol=NEWTON)


@every_sample
@every_solver
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_sparse_features_equal_dense_ones(sample, solver, fit_intercept, labels, rng):
    X, Y = sample()
    X = np.where(rng.random(X.shape) < 0.5, 0.0, X)
    Y = labels(Y)
    options = {"solver": solver, "fit_intercept": fit_intercept}
    for alphas in ((0.5, 2.0, 0.0), (0.5, 2.0, 0.7))[: 1 + fit_intercept]:
        P = np.hstack(model_of(alphas, **options).fit(X, Y).predict_proba(X))
        for kind in (scipy.sparse.csr_matrix, scipy.sparse.csc_array):
            model = model_of(alphas, **options).fit(kind(X), Y)
            np.testing.assert_allclose(np.hstack(model.predict_proba(kind(X))), P, atol=NEWTON)


@every_sample
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("shape", [(30, 4), (12, 40)], ids=["tall", "wide"])
def test_sparse_long_features_equal_dense_ones(sample, fit_intercept, shape, rng):
    n, p = shape
    X, Y = sample(n=n)
    X = np.where(rng.random((n, p)) < 0.5, 0.0, rng.normal(size=(n, p)))
    row, task = np.nonzero(~np.isnan(with_holes(Y)))
    table, y = np.column_stack([task, X[row]]), Y[row, task]
    options = {"fit_intercept": fit_intercept, "task_column": 0}
    expected = model_of((0.5, 2.0, 0.7), **options).fit(table, y).predict_proba(table)
    for kind in (scipy.sparse.csr_array, scipy.sparse.csc_matrix):
        model = model_of((0.5, 2.0, 0.7), **options).fit(kind(table), y)
        np.testing.assert_allclose(model.predict_proba(kind(table)), expected, atol=NEWTON)


@every_sample
def test_float32_is_kept_and_reaches_the_same_optimum(sample):
    X, Y = sample()
    model = model_of((0.5, 2.0, 0.7)).fit(X.astype(np.float32), Y)
    P = model.predict_proba(X.astype(np.float32))
    assert {part.dtype for part in P} == {np.dtype(np.float32)}
    assert {np.asarray(part).dtype for part in model.coef_} == {np.dtype(np.float32)}
    expected = model_of((0.5, 2.0, 0.7)).fit(X, Y).predict_proba(X)
    np.testing.assert_allclose(np.hstack(P), np.hstack(expected), atol=1e-5)  # float32 features


@every_sample
@every_alphas
def test_more_features_than_rows_are_solved_in_fewer_coordinates(sample, alphas, rng):
    """2 n < p: the solver sees n coordinates; the reference all the features."""
    _, Y = sample(n=12)
    Y[:4] = [[0, 0, 1, 0], [1, 1, 2, 3], [2, 2, 1, 0], [0, 1, 2, 3]] if sample is several else [
        [0] * 3, [1] * 3, [0] * 3, [1] * 3,
    ]  # fmt: skip
    X = rng.normal(size=(12, 26)) + 3
    dense = Dense(X, Y, alphas)
    for solver in ("irls", "newton-cg"):
        assert_solves(model_of(alphas, solver=solver).fit(X, Y), dense, X)


@every_sample
def test_tasks_of_very_different_sizes_are_solved_alike(sample):
    """Stacks of padded tasks, and tasks that stand alone."""
    X, Y = sample(n=300)
    table, y = as_long(X, Y)
    rng = np.random.default_rng(0)
    sizes = np.array([8, 40, 44, 300])[: Y.shape[1]]
    keep = np.concatenate([
        rng.permutation(np.flatnonzero(table[:, -1] == t))[:size] for t, size in enumerate(sizes)
    ])  # fmt: skip
    table, y = table[keep], y[keep]
    T = Y.shape[1]
    rows = np.full((len(y), T), np.nan)
    rows[np.arange(len(y)), table[:, -1].astype(int)] = y
    for alphas in ((0.5, 2.0, 0.0), (0.5, 2.0, 0.7)):
        model = model_of(alphas, task_column=-1).fit(table, y)
        dense = Dense(table[:, :-1], rows, alphas)
        for t in range(T):
            here = table[:, -1] == t
            P = model.predict_proba(table[here])[:, class_sets(rows)[t]]
            np.testing.assert_allclose(P, dense.probabilities(table[here, :-1])[t], atol=NEWTON)


# tolerance and iterations


@every_solver
@every_sample
@pytest.mark.parametrize("tol", [1e-2, 1e-6, 1e-11])
def test_tol_is_honoured(solver, sample, tol):
    """The largest gradient relative to that at zero coefficients, and to half a task's weight."""
    X, Y = sample()
    alphas = (0.5, 2.0, 0.7)
    dense = Dense(X, Y, alphas)
    model = model_of(alphas, solver=solver, tol=tol).fit(X, Y)
    C, U, p = dense.shape
    w0 = np.reshape(model.shared_coef_, (C, p))
    W = np.concatenate([np.atleast_2d(w) for w in model.coef_])
    b = np.concatenate([np.atleast_1d(b) for b in model.intercept_]) + W @ dense.centre
    b0 = np.reshape(model.shared_intercept_, C) + w0 @ dense.centre
    own = np.asarray(dense.channel)
    theta = np.concatenate([w0.ravel(), (W - w0[own]).ravel(), b0, b - b0[own]])
    here, start = (abs(dense.derivatives(x)[0]) for x in (theta, 0 * theta))
    features = slice(0, (C + U) * p)
    assert here[features].max() <= tol * start[features].max() + 1e-12
    assert here[features.stop :].max() <= tol * len(X) / 2 + 1e-12
    assert 1 <= model.n_iter_ <= 20


@every_solver
def test_a_smaller_tol_takes_more_steps(solver):
    X, Y = binary()
    counts = [model_of((1e-3, 1e-3, 0.0), solver=solver, tol=tol).fit(X, Y).n_iter_
              for tol in (1e-1, 1e-4, 1e-9)]  # fmt: skip
    assert counts[0] < counts[1] < counts[2]


@every_solver
def test_too_few_iterations_give_one_convergence_warning(solver):
    X, Y = binary()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = model_of((0.5, 2.0, 0.0), solver=solver, max_iter=1).fit(X, Y)
    assert [w.category for w in caught] == [ConvergenceWarning]
    assert "stopped after 1 iterations" in str(caught[0].message)
    assert "max_iter" in str(caught[0].message)
    assert caught[0].filename == __file__
    assert model.n_iter_ == 1


def test_it_starts_afresh_in_each_fit():
    X, Y = binary()
    model = model_of((0.5, 2.0, 0.0))
    first = pickle.dumps(model.fit(X, Y).coef_)
    model.fit(X[:10], Y[:10])
    assert pickle.dumps(model.fit(X, Y).coef_) == first


@every_solver
@pytest.mark.parametrize("alpha", [1e-9, 1e-14])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_separable_data_with_tiny_penalties_end_soon_with_a_clear_warning(
    solver, alpha, n_classes, rng
):
    X = rng.normal(size=(50, 3))
    Y = np.digitize(X[:, :2], [-0.5, 0.5][: n_classes - 1]).astype(float)
    start = time.process_time()
    with pytest.warns(ConvergenceWarning, match=r"features separate the classes of task 0 .*alpha"):
        model = model_of((alpha, alpha, 0.0), solver=solver, tol=1e-6).fit(X, Y)
    assert time.process_time() - start < 5  # 0.02 s; a hang is what is tested
    assert model.score(X, Y) == 1.0
    assert model.n_iter_ < 50


def test_data_that_are_not_separable_are_not_called_so():
    X, Y = binary()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model_of((1e-10, 1e-10, 0.0), tol=1e-6).fit(X, Y)


# units of measurement


@every_solver
@every_sample
@pytest.mark.parametrize("unit", [1e8, 1e-8, 1e50])
def test_the_unit_of_the_features_does_not_matter(solver, sample, unit):
    """Penalties in the squared unit: every exact Newton step is the same."""
    X, Y = sample()
    for alphas in ((0.5, 2.0, 0.0), (0.5, 2.0, 0.7), (1e-4, 1e-6, 1e-6)):
        plain = model_of(alphas, solver=solver).fit(X, Y)
        scaled = (alphas[0] * unit**2, alphas[1] * unit**2, alphas[2])
        model = model_of(scaled, solver=solver).fit(X * unit, Y)
        P, Q = (np.hstack(m.predict_proba(Z)) for m, Z in ((plain, X), (model, X * unit)))
        np.testing.assert_allclose(P, Q, rtol=0, atol=1e-6)
        assert abs(model.n_iter_ - plain.n_iter_) <= (1 if solver == "irls" else 3)


@every_solver
@every_sample
def test_features_of_very_different_units_are_solved_alike(solver, sample):
    X, Y = sample()
    units = np.array([1e-6, 1.0, 1e6])
    a = X.var(axis=0) * units**2
    model = model_of((1e-9 * a.max(), 1e-9 * a.max(), 0.7), solver=solver).fit(X * units, Y)
    dense = Dense(X * units / 1e6, Y, (1e-9 * a.max() / 1e12, 1e-9 * a.max() / 1e12, 0.7))
    P = np.hstack(model.predict_proba(X * units))
    # the penalty holds the small features: the curvatures span 24 decades
    np.testing.assert_allclose(P, np.hstack(dense.probabilities(X * units / 1e6)), atol=1e-4)


@every_solver
@pytest.mark.parametrize("alphas", [(0.5, 2.0, 0.0), (0.5, 2.0, 0.7), (0.5, 2.0, np.inf)], ids=str)
@pytest.mark.parametrize("sparse", [False, True])
def test_the_origin_of_the_features_does_not_matter(solver, alphas, sparse):
    X, Y = binary()
    Y = with_holes(Y)
    place = scipy.sparse.csr_array if sparse else np.asarray
    P, Q = (
        np.hstack(model_of(alphas, solver=solver).fit(place(Z), Y).predict_proba(place(Z)))
        for Z in (X, X + 1e6)
    )
    np.testing.assert_allclose(P, Q, rtol=0, atol=1e-7)  # 1e6 takes six of sixteen digits


@every_solver
def test_weights_in_any_unit_with_penalties_in_it_give_the_same_model(solver):
    X, Y = binary()
    plain = np.hstack(model_of((0.5, 2.0, 0.7), solver=solver).fit(X, Y).predict_proba(X))
    for unit in (1e-12, 1e12):
        model = model_of((0.5 * unit, 2.0 * unit, 0.7 * unit), solver=solver)
        model.fit(X, Y, np.full(len(X), unit))
        np.testing.assert_allclose(np.hstack(model.predict_proba(X)), plain, atol=NEWTON)


@every_solver
@pytest.mark.parametrize("ratio", [1e-10, 1e10])
def test_weights_of_very_different_size_converge(solver, ratio, rng):
    X, Y = several()
    weight = np.where(rng.random(len(X)) < 0.5, 1.0, ratio)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = model_of((0.5, 2.0, 0.0), solver=solver, tol=1e-6).fit(X, Y, weight)
    assert np.isfinite(np.hstack(model.predict_proba(X))).all()


@every_solver
@pytest.mark.parametrize("alpha_intercept", [0.0, 0.7])
def test_constant_and_repeated_features_add_nothing(solver, alpha_intercept):
    X, Y = binary()
    constant = np.column_stack([X, np.full(len(X), 1e3)])
    alphas = (0.5, 2.0, alpha_intercept)
    plain = np.hstack(model_of(alphas, solver=solver).fit(X, Y).predict_proba(X))
    model = model_of(alphas, solver=solver).fit(constant, Y)
    np.testing.assert_allclose(np.hstack(model.predict_proba(constant)), plain, atol=NEWTON)
    np.testing.assert_allclose(model.coef_[:, -1], 0.0, atol=1e-12)
    twice = model_of(alphas, solver=solver).fit(np.column_stack([X, X[:, 0]]), Y)
    np.testing.assert_allclose(twice.coef_[:, 0], twice.coef_[:, -1], atol=NEWTON)


@pytest.mark.parametrize("X", [np.zeros((40, 2)), np.full((40, 2), 5.0)], ids=["zero", "constant"])
def test_features_without_a_message_leave_the_shares_of_the_classes(X):
    _, Y = binary()
    model = model_of((0.5, 2.0, 0.0)).fit(X, Y)
    for t, P in enumerate(model.predict_proba(X[:1])):
        assert P[0, 1] == pytest.approx(Y[:, t].mean(), abs=1e-9)


# tasks of which little is known


ONE_CLASS = {
    "free": (0.5, 2.0, 0.0),
    "shrunk": (0.5, 2.0, 0.7),
    "no-intercept": (0.5, 2.0, 0.7),
}


@pytest.mark.parametrize("kind", ONE_CLASS)
@every_solver
def test_a_task_of_one_class_predicts_it_and_says_so(kind, solver):
    X, Y = binary()
    Y[:, 1] = 1.0
    model = model_of(ONE_CLASS[kind], solver=solver, fit_intercept=kind != "no-intercept")
    with pytest.warns(UserWarning, match=r"task 1 has labels of one class only, 1\.0") as caught:
        model.fit(X, Y)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert (model.predict(X)[:, 1] == 1).all()
    assert [c.tolist() for c in model.classes_] == [[0, 1]] * 3
    P = model.predict_proba(X)[1]
    if kind == "free":
        np.testing.assert_array_equal(P, np.tile([0.0, 1.0], (len(X), 1)))
    else:
        assert 0 < P.min() and len(np.unique(P[:, 1])) == len(X)  # its probabilities rank


@pytest.mark.parametrize("kind", ["shrunk", "no-intercept"])
def test_labels_of_one_class_take_part_where_the_model_has_an_optimum(kind):
    X, Y = binary()
    Y[:, 1] = 1.0
    fit_intercept = kind != "no-intercept"
    alphas = ONE_CLASS[kind]
    with pytest.warns(UserWarning, match="one class"):
        model = model_of(alphas, fit_intercept=fit_intercept).fit(X, Y)
    other = np.vstack([X, X[:1]]), np.vstack([Y, [[np.nan, 0.0, np.nan]]])  # tells of class 0
    weight = np.append(np.ones(len(X)), 1e-13)
    dense = Dense(*other, alphas, weight, fit_intercept=fit_intercept)
    assert_solves(model, dense, X, atol=1e-6)  # the weight is not nothing


def test_labels_of_one_class_take_no_part_where_intercepts_are_free():
    X, Y = binary()
    Y[:, 1] = 1.0
    with pytest.warns(UserWarning, match="one class"):
        model = model_of((0.5, 2.0, 0.0)).fit(X, Y)
    others = model_of((0.5, 2.0, 0.0)).fit(X, Y[:, [0, 2]])
    assert_close(model.coef_[[0, 2]], others.coef_)
    assert_close(model.shared_coef_, others.shared_coef_)


@pytest.mark.parametrize("alpha_intercept", [0.0, 0.7])
def test_a_class_that_no_other_task_has_stands_for_itself(alpha_intercept):
    X, Y = binary()
    Y[:, 1] = 7.0
    with pytest.warns(UserWarning, match=r"one class only, 7\.0"):
        model = model_of((0.5, 2.0, alpha_intercept)).fit(X, Y)
    assert model.classes_[1].tolist() == [7.0]
    np.testing.assert_array_equal(model.predict_proba(X)[1], np.ones((len(X), 1)))
    others = model_of((0.5, 2.0, alpha_intercept)).fit(X, Y[:, [0, 2]])
    assert_close(model.coef_[[0, 2]], others.coef_)


@pytest.mark.parametrize("alpha_intercept", [0.0, 0.7])
@pytest.mark.parametrize("Y", [np.ones((20, 3)), np.tile([0.0, 1.0, 2.0], (20, 1)), np.ones(20)],
                         ids=["same", "different", "1-D"])  # fmt: skip
def test_tasks_that_all_have_one_class_predict_it(alpha_intercept, Y, rng):
    X = rng.normal(size=(20, 3))
    with pytest.warns(UserWarning, match="one class only"):
        model = model_of((0.5, 2.0, alpha_intercept)).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), Y)
    assert model.score(X, Y) == 1.0
    assert not np.any(model.coef_)
    assert model.n_iter_ == 1


@every_sample
@pytest.mark.parametrize("alpha_intercept", [0.0, 0.7, np.inf])
def test_a_task_without_labels_gets_the_shared_part_and_the_usual_classes(sample, alpha_intercept):
    X, Y = sample()
    plain = model_of((0.5, 2.0, alpha_intercept)).fit(X, Y)
    with pytest.warns(UserWarning, match="has no label"):
        model = model_of((0.5, 2.0, alpha_intercept)).fit(X, np.column_stack([Y, np.nan * Y[:, 0]]))
    usual = np.unique(Y[:, 0]).astype(int)
    assert model.classes_[-1].tolist() == usual.tolist()
    C = usual if sample is several else slice(None)
    assert_close(np.squeeze(model.coef_[-1]), plain.shared_coef_[C])
    assert_close(model.intercept_[-1], np.ravel(plain.shared_intercept_)[C].squeeze())
    if alpha_intercept == 0 and sample is binary:
        at = plain.coef_ @ X.mean(axis=0)
        mean = np.mean(plain.intercept_ + at) - plain.shared_coef_ @ X.mean(axis=0)
        assert model.intercept_[-1] == pytest.approx(mean)


@every_sample
def test_an_unseen_task_gets_what_a_task_without_labels_gets(sample):
    X, Y = sample()
    table, y = as_long(X, Y)
    model = model_of((0.5, 2.0, 0.7), task_column=-1, unknown_task="shared").fit(table, y)
    with pytest.warns(UserWarning, match="has no label"):
        wide = model_of((0.5, 2.0, 0.7)).fit(X, np.column_stack([Y, np.nan * Y[:, 0]]))
    unseen = np.column_stack([X, np.full(len(X), 99)])
    usual = np.unique(Y[:, 0]).astype(int)
    P = model.predict_proba(unseen)
    assert_close(P[:, usual], wide.predict_proba(X)[-1])
    assert not np.any(np.delete(P, usual, axis=1))
    np.testing.assert_array_equal(model.predict(unseen), wide.predict(X)[:, -1])
    model.set_params(unknown_task="error")
    with pytest.raises(ValueError, match="not seen in fit"):
        model.predict_proba(unseen)


def test_a_task_of_weight_zero_is_a_task_without_labels():
    X, Y = binary()
    with pytest.warns(UserWarning, match="task 1 has no label of positive weight"):
        model = model_of((0.5, 2.0, 0.7), task_weight=[1.0, 0.0, 1.0]).fit(X, Y)
    assert model.task_weights_.tolist() == [1.0, 0.0, 1.0]
    assert_close(model.coef_[[0, 2]], model_of((0.5, 2.0, 0.7)).fit(X, Y[:, [0, 2]]).coef_)


def test_a_class_of_weight_zero_is_no_class():
    X, Y = binary()
    Y[3, 0] = 5.0
    weight = np.ones(Y.shape)
    weight[3, 0] = 0.0
    model = model_of((0.5, 2.0, 0.7)).fit(X, Y, weight)
    assert [c.tolist() for c in model.classes_] == [[0.0, 1.0]] * 3
    Y[3, 0] = np.nan
    assert_close(model.coef_, model_of((0.5, 2.0, 0.7)).fit(X, Y).coef_)


# shapes


def test_binary_tasks_have_arrays_and_others_lists():
    X, Y = binary()
    model = model_of((0.5, 2.0, 0.7)).fit(X, Y)
    assert model.coef_.shape == model.specific_coef_.shape == (3, 3)
    assert model.shared_coef_.shape == (3,)
    assert model.intercept_.shape == (3,)
    assert np.shape(model.shared_intercept_) == ()
    assert [P.shape for P in model.predict_proba(X)] == [(40, 2)] * 3
    X, Y = several()
    model = model_of((0.5, 2.0, 0.7)).fit(X, Y)
    counts = [3, 3, 2, 2]
    assert [w.shape for w in model.coef_] == [(k, 3) for k in counts]
    assert [b.shape for b in model.intercept_] == [(k,) for k in counts]
    assert [c.tolist() for c in model.classes_] == [[0, 1, 2], [0, 1, 2], [1, 2], [0, 3]]
    assert model.shared_coef_.shape == (4, 3)
    assert model.shared_intercept_.shape == (4,)
    for t, classes in enumerate(model.classes_):
        assert_close(model.coef_[t] - model.shared_coef_[classes.astype(int)],
                     model.specific_coef_[t])  # fmt: skip


@every_sample
def test_probabilities_sum_to_one_and_predictions_are_the_likeliest(sample):
    X, Y = sample()
    model = model_of((0.5, 2.0, 0.7)).fit(X, Y)
    for t, (P, log_P) in enumerate(
        zip(model.predict_proba(X), model.predict_log_proba(X), strict=True)
    ):
        np.testing.assert_allclose(P.sum(axis=1), 1.0, rtol=1e-14)
        np.testing.assert_allclose(np.exp(log_P), P, rtol=1e-14)
        np.testing.assert_array_equal(model.predict(X)[:, t], model.classes_[t][P.argmax(axis=1)])


def test_probabilities_of_long_data_are_zero_for_classes_that_the_task_lacks():
    X, Y = several()
    table, y = as_long(X, Y)
    model = model_of((0.5, 2.0, 0.7), task_column=-1).fit(table, y)
    assert model.classes_.tolist() == [0, 1, 2, 3]
    P, log_P = model.predict_proba(table), model.predict_log_proba(table)
    for t, classes in enumerate(class_sets(Y)):
        lacks = np.ix_(table[:, -1] == t, np.setdiff1d(range(4), classes))
        assert not P[lacks].any()
        assert np.isneginf(log_P[lacks]).all()
    np.testing.assert_allclose(P.sum(axis=1), 1.0, rtol=1e-14)


def test_the_score_is_the_mean_accuracy_of_the_tasks(rng):
    X, Y = several()
    model = model_of((0.5, 2.0, 0.7)).fit(X, Y)
    s, holes = rng.uniform(0.5, 2, Y.shape), with_holes(Y)
    prediction, seen = model.predict(X), ~np.isnan(holes)
    own = [
        accuracy_score(Y[m, t], prediction[m, t], sample_weight=s[m, t])
        for t, m in enumerate(seen.T)
    ]
    assert model.score(X, holes, s) == pytest.approx(np.mean(own))


@pytest.mark.parametrize("sample", [binary, several])
def test_decision_functions_exist_for_a_single_task_only(sample):
    X, Y = sample()
    model = model_of((0.5, 2.0, 0.7))
    assert hasattr(model, "decision_function")
    scores = model.fit(X, Y[:, 0]).decision_function(X)
    expected = LogisticRegression(C=2.5, **EXACT).fit(X, Y[:, 0]).decision_function(X)
    if scores.ndim == 2:  # scores that differ by one number a row are the same
        scores, expected = (z - z.mean(axis=1, keepdims=True) for z in (scores, expected))
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    assert not hasattr(model.fit(X, Y), "decision_function")
    table, y = as_long(X, Y)
    model.set_params(task_column=-1).fit(table, y)
    assert not hasattr(model, "decision_function")


def test_intercepts_of_classes_are_fixed_by_the_mean_of_the_free_ones():
    """Moving all scores alike changes nothing: the free intercepts sum to zero."""
    X, Y = several()
    X = X - X.mean(axis=0)
    free = model_of((0.5, 2.0, 0.0)).fit(X, Y)
    for t, b in enumerate(free.intercept_):
        assert b.sum() + free.coef_[t].sum(axis=0) @ X.mean(axis=0) == pytest.approx(0, abs=1e-9)
    shrunk = model_of((0.5, 2.0, 0.7)).fit(X, Y)
    assert shrunk.shared_intercept_.sum() == pytest.approx(0, abs=1e-9)


# class_weight


@pytest.mark.parametrize("value", ["auto", 1, (None, None), {0: "a"}, {0: 0.0}, {0: -1.0},
                                   {0: np.inf}, {0: np.nan}, {0: None}, [{0: -1.0}, None],
                                   [None], [None] * 3])  # fmt: skip
def test_class_weights_out_of_range_are_refused(value):
    X, Y = binary(n_tasks=2)
    with pytest.raises((ValueError, TypeError), match="class_weight"):
        model_of((0.5, 2.0, 0.0), class_weight=value).fit(X, Y)


@pytest.mark.parametrize("class_weight", [{"a": 2.0}, {0: 1.0, 5: 2.0}, [None, {5: 2.0}]], ids=str)
def test_a_class_weight_of_no_class_has_no_effect_and_says_so(class_weight):
    """No error: a fold of cross-validation may lack a rare class."""
    X, Y = binary(n_tasks=2)
    with pytest.warns(UserWarning, match=r"class_weight names the class ('a'|5), .*\[0\.0, 1\.0\]"):
        model = model_of((0.5, 2.0, 0.0), class_weight=class_weight).fit(X, Y)
    assert_close(model.coef_, model_of((0.5, 2.0, 0.0)).fit(X, Y).coef_)


# anything at all


@st.composite
def problems(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, p, T = draw(st.integers(4, 25)), draw(st.integers(1, 6)), draw(st.integers(1, 4))
    n_classes = draw(st.integers(1, 4))
    unit = 10.0 ** draw(st.sampled_from([-4, 0, 4]))
    X = rng.normal(size=(n, p)) * unit
    X[:, 1:][:, rng.random(p - 1) < 0.2] = draw(st.sampled_from([0.0, 3.0 * unit]))
    Y = rng.integers(0, n_classes, (n, T)).astype(float)
    Y[rng.random(Y.shape) < draw(st.sampled_from([0.0, 0.3, 0.8]))] = np.nan
    Y[0, 0] = 0.0
    strengths = st.sampled_from([1e-8, 1e-3, 1.0, 1e3, np.inf])
    alphas = [draw(strengths) * unit**2 for _ in "ab"]
    alphas.append(draw(st.sampled_from([0.0, 1e-3, 1.0, np.inf])))
    weight = rng.integers(0, 3, n).astype(float) if draw(st.booleans()) else None
    if weight is not None:
        weight[0] = 1.0
    return X, Y, alphas, weight, draw(st.booleans())


def three_intercepts():
    """A task of three labels and no coefficients: Newton's method ends in exact arithmetic."""
    X, Y = np.full((13, 6), 3e-4), np.full((13, 2), np.nan)
    Y[[0, 4, 5], 0] = 0.0, 2.0, 3.0
    return X, Y, [np.inf, np.inf, 0.0], np.array([1.0, 1, 0, 2, 1, 2, 1, 0, 0, 1, 2, 1, 1]), True


@given(problems())
@example(three_intercepts())
@settings(deadline=None, max_examples=150)
@pytest.mark.filterwarnings("ignore")
def test_whatever_the_data_solvers_agree_and_probabilities_are_probabilities(problem):
    X, Y, alphas, weight, fit_intercept = problem
    found = []
    for solver in ("irls", "newton-cg"):
        model = model_of(alphas, solver=solver, fit_intercept=fit_intercept, tol=1e-6)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(X, Y, weight)
        messages = [str(w.message) for w in caught]
        assert not any("stopped" in m for m in messages)
        assert not any(issubclass(w.category, RuntimeWarning) for w in caught)
        P = model.predict_proba(X)
        for part, classes in zip(P, model.classes_, strict=True):
            assert part.shape == (len(X), len(classes))
            assert (part >= 0).all()
            np.testing.assert_allclose(part.sum(axis=1), 1.0, rtol=1e-12)
        assert 0 <= model.score(X, Y) <= 1
        found.append(np.hstack(P))
    if min(alphas[:2]) > 1e-6 * np.abs(X).max() ** 2:  # else tol may bound the coefficients
        np.testing.assert_allclose(*found, rtol=0, atol=1e-3)


@every_solver
@pytest.mark.filterwarnings("ignore")
def test_penalties_below_the_rounding_of_the_curvature_end_without_an_error(solver, rng):
    X, Y = 1e4 * rng.normal(size=(3, 4)), np.array([[0.0, 2.0], [0.0, 1.0], [0.0, 0.0]])
    X[:, 1] = 0.0
    for alphas in ((1e-9, 1e-9, 1e-3), (1e-12, 1e-9, np.inf), (1e-300, 1e-300, 0.0)):
        for labels in (Y, np.minimum(Y, 1.0)):
            P = model_of(alphas, solver=solver).fit(X, labels).predict_proba(X)
            assert np.isfinite(np.hstack(P)).all()


@given(problems(), st.integers(0, 99))
@settings(deadline=None, max_examples=40)
@pytest.mark.filterwarnings("ignore")
def test_rows_twice_are_weights_of_two(problem, seed):
    X, Y, alphas, _, fit_intercept = problem
    X = X / max(1.0, abs(X).max())  # the penalties of 1e-3 and more bound the coefficients
    weight = np.random.default_rng(seed).integers(1, 3, len(X))
    rows = np.repeat(np.arange(len(X)), weight)
    alphas = [max(alpha, 1e-3) for alpha in alphas[:2]] + [alphas[2]]
    fit = {"fit_intercept": fit_intercept, "tol": 1e-10}
    model = model_of(alphas, **fit).fit(X, Y, weight)
    twice = model_of(alphas, **fit).fit(X[rows], Y[rows])
    P, Q = (np.hstack(m.predict_proba(X)) for m in (model, twice))
    np.testing.assert_allclose(P, Q, rtol=0, atol=1e-6)


def test_frames_of_labels_of_several_kinds_are_fitted_column_by_column():
    X, Y = binary()
    frame = pd.DataFrame({
        "a": np.where(Y[:, 0] > 0, 10, 9),
        "b": np.where(Y[:, 1] > 0, "yes", "no"),
        "c": Y[:, 2] > 0,
    })  # fmt: skip
    model = model_of((0.5, 2.0, 0.7)).fit(X, frame)
    assert [c.tolist() for c in model.classes_] == [[9, 10], ["no", "yes"], [False, True]]
    assert_close(model.coef_, model_of((0.5, 2.0, 0.7)).fit(X, Y).coef_)
    assert model.predict(X).dtype == object
    assert model.score(X, frame) == model_of((0.5, 2.0, 0.7)).fit(X, Y).score(X, Y)
