"""MultiTaskRidgeCV: leave-one-out equals refits, evidence the dense likelihood, choices, ties."""

import warnings
from fractions import Fraction

import _exact_cones as exact
import numpy as np
import pytest
from _references import leave_one_row_out, restricted_deviance
from _samplers import wide, with_holes
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV

from skmtl import MultiTaskRidge, MultiTaskRidgeCV
from skmtl.model_selection import MultiTaskKFold

SHARED, SPECIFIC, INTERCEPT = [np.inf, 2.0, 0.3], [np.inf, 1.5, 0.2], [np.inf, 1.3, 0.0]


def raw(*args, **params):
    """MultiTaskRidgeCV of the features as they come, for which the references are written."""
    return MultiTaskRidgeCV(*args, standardize=False, **params)


def sample(n, p, T, missing=0.0, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + 1
    Y = X @ rng.normal(size=(p, T)) + rng.normal(size=(n, T)) + rng.normal(size=T)
    Y[rng.random(Y.shape) < missing] = np.nan
    return X, Y


def results(X, y, sample_weight=None, **params):
    model = raw(SHARED, SPECIFIC, alphas_intercept=INTERCEPT, store_cv_results=True, **params)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return model.fit(X, y, sample_weight)


def grid_points(table):
    names = ("param_alpha_shared", "param_alpha_specific", "param_alpha_intercept")
    return zip(*(table[name] for name in names), strict=True)


DESIGNS = {
    "complete": (8, 3, 3, 0.0, None),
    "complete, row weights": (8, 3, 3, 0.0, "rows"),
    "complete, p > n": (6, 9, 3, 0.0, None),
    "complete, cell weights": (8, 3, 3, 0.0, "cells"),
    "holes": (9, 3, 4, 0.4, None),
    "holes, cell weights": (9, 3, 4, 0.4, "cells"),
    "holes, p > n": (7, 10, 3, 0.3, "rows"),
}


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("design", DESIGNS)
def test_leave_one_out_equals_refits_without_each_row(design, fit_intercept):
    n, p, T, missing, kind = DESIGNS[design]
    X, Y = sample(n, p, T, missing)
    rng = np.random.default_rng(1)
    shape = {None: None, "rows": n, "cells": (n, T)}[kind]
    weight = None if kind is None else rng.choice([0.5, 1.0, 2.0, 3.0], shape)
    table = results(X, Y, weight, fit_intercept=fit_intercept).cv_results_
    expected = [
        leave_one_row_out(X, Y, alphas, weight, fit_intercept=fit_intercept)
        for alphas in grid_points(table)
    ]
    np.testing.assert_allclose(table["loo_error"], expected, rtol=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_leave_one_out_of_long_data_equals_refits_without_each_label(weighted):
    X, Y, Z, y = long_sample([6, 3, 4], 4)
    weight = np.random.default_rng(1).choice([0.5, 1.0, 2.0, 3.0], len(y)) if weighted else None
    table = results(Z, y, weight, task_column=0).cv_results_
    expected = [leave_one_row_out(X, Y, alphas, weight) for alphas in grid_points(table)]
    np.testing.assert_allclose(table["loo_error"], expected, rtol=1e-9)


def test_leave_one_out_with_task_weights_equals_refits():
    X, Y = sample(9, 3, 4, 0.3)
    omega = np.array([0.5, 1.0, 0.7, 1.8])
    table = results(X, Y, task_weight=omega).cv_results_
    expected = [leave_one_row_out(X, Y, alphas, omega=omega) for alphas in grid_points(table)]
    np.testing.assert_allclose(table["loo_error"], expected, rtol=1e-9)


def long_sample(sizes, p, seed=0):
    """X, wide Y with one label a row, the same as long data with the task first, and y."""
    rng = np.random.default_rng(seed)
    task = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    X = rng.normal(size=(len(task), p)) + 1
    y = X[:, 0] * (1 + 0.3 * task) + rng.normal(size=len(task))
    Y = np.full((len(y), len(sizes)), np.nan)
    Y[np.arange(len(y)), task] = y
    return X, Y, np.column_stack([task, X]), y


def test_a_task_with_one_label_is_predicted_by_the_limit_of_vanishing_intercept_penalty():
    """Its label has leverage 1 with a free intercept; the refit gives it the others' mean level."""
    X, Y, Z, y = long_sample([6, 1, 4], 4)
    table = results(Z, y, task_column=0).cv_results_
    expected = [leave_one_row_out(X, Y, alphas) for alphas in grid_points(table)]
    np.testing.assert_allclose(table["loo_error"], expected, rtol=1e-9)
    X, Y = sample(9, 3, 4, 0.3)
    Y[:, 0] = np.nan
    Y[2, 0] = 1.0
    table = results(X, Y).cv_results_
    expected = [leave_one_row_out(X, Y, alphas) for alphas in grid_points(table)]
    np.testing.assert_allclose(table["loo_error"], expected, rtol=1e-9)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("design", ["complete", "complete, p > n", "holes", "holes, p > n"])
def test_deviance_equals_the_dense_restricted_likelihood(design, fit_intercept):
    n, p, T, missing, _ = DESIGNS[design]
    X, Y = sample(n, p, T, missing)
    table = results(X, Y, fit_intercept=fit_intercept).cv_results_
    expected = [
        restricted_deviance(X, Y, alphas, fit_intercept=fit_intercept)
        for alphas in grid_points(table)
    ]
    np.testing.assert_allclose(table["deviance"], expected, rtol=1e-10)


def test_integer_weights_equal_repeated_rows_in_errors_and_evidence():
    """Long data, where a repeated row is left out one copy at a time as one unit of weight is."""
    _, _, Z, y = long_sample([5, 4, 6], 3)
    weight = np.random.default_rng(2).integers(1, 4, len(y))
    copies = np.repeat(np.arange(len(y)), weight)
    once = results(Z, y, weight.astype(float), task_column=0).cv_results_
    repeated = results(Z[copies], y[copies], task_column=0).cv_results_
    np.testing.assert_allclose(once["loo_error"], repeated["loo_error"], rtol=1e-9)
    np.testing.assert_allclose(once["deviance"], repeated["deviance"], rtol=1e-9)


def test_one_task_scores_as_ridgecv_does():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 4)), rng.normal(size=30)
    X[:, 0] += y
    alphas = np.array([0.1, 1.0, 10.0])
    peer = RidgeCV(alphas, scoring="neg_mean_squared_error").fit(X, y)
    model = raw([np.inf], alphas, guard=None, alphas_intercept=[0.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model.fit(X, y)
    assert model.alpha_specific_ == peer.alpha_
    assert model.best_score_ == pytest.approx(peer.best_score_, rel=1e-10)


def test_fit_is_that_of_the_chosen_penalties():
    X, Y = wide()
    for labels in (Y, with_holes(Y)):
        model = raw().fit(X, labels)
        same = MultiTaskRidge(
            model.alpha_shared_, model.alpha_specific_, alpha_intercept=model.alpha_intercept_
        ).fit(X, labels)
        np.testing.assert_allclose(model.coef_, same.coef_, rtol=1e-12)
        np.testing.assert_allclose(model.intercept_, same.intercept_, rtol=1e-12)


def test_the_best_score_is_the_least_error_of_the_table():
    X, Y = wide()
    model = raw(store_cv_results=True).fit(X, with_holes(Y))
    table = model.cv_results_
    assert model.best_score_ == pytest.approx(-table["loo_error"].min(), rel=1e-9)
    assert len(table["loo_error"]) == 14 * 10 * 7


def test_ties_go_to_the_larger_specific_then_intercept_then_shared_penalty():
    """With one task alpha_intercept has no effect; labels that X does not touch tie everywhere."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    model = raw(SHARED, SPECIFIC, alphas_intercept=INTERCEPT, guard=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model.fit(X, y)
        assert model.alpha_intercept_ == np.inf
        model.fit(np.zeros((20, 3)), y)
    assert (model.alpha_specific_, model.alpha_intercept_, model.alpha_shared_) == (np.inf,) * 3


def test_guard_excludes_points_of_poor_evidence_on_long_data():
    """The stored deviances say which; a free intercept is judged by that of a penalty of 1e-3."""
    _, _, Z, y = long_sample([7, 5, 6], 4)
    models = {g: results(Z, y, task_column=0, guard=g) for g in (None, 0.0)}
    table = models[0.0].cv_results_
    small = raw(
        SHARED, SPECIFIC, alphas_intercept=[1e-3], store_cv_results=True, task_column=0
    ).fit(Z, y)
    deviance = table["deviance"].copy()
    deviance[table["param_alpha_intercept"] == 0] = small.cv_results_["deviance"]
    allowed = deviance <= deviance.min()
    assert -models[0.0].best_score_ == pytest.approx(table["loo_error"][allowed].min())
    assert -models[None].best_score_ == pytest.approx(table["loo_error"].min())
    assert models[0.0].best_score_ < models[None].best_score_  # otherwise this shows nothing


def test_a_complete_table_is_not_guarded():
    X, Y = sample(12, 3, 3)
    scores = [results(X, Y, guard=g).best_score_ for g in (None, 0.0)]
    assert scores[0] == scores[1]


def test_labels_that_sum_to_zero_do_not_tell_of_the_row_left_out():
    """p > n, labels centred by task and one common intercept: an interpolator would know y_i."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(15, 40)), rng.normal(size=(15, 6))
    Y -= Y.mean(axis=0)
    table = raw([np.inf], [1e-3, 1e3], alphas_intercept=[np.inf], store_cv_results=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        errors = table.fit(X, Y).cv_results_["loo_error"]
    assert (errors > 0.8 * Y.var()).all()  # noise cannot be predicted
    Y[0, 0] = np.nan
    model = raw().fit(X, Y)
    assert model.score(X, Y) < 0.5  # nor is it learnt by heart where a label is missing


def test_free_intercepts_win_where_levels_differ_by_far_more_than_the_noise():
    _, _, Z, y = long_sample([12, 12, 12], 3)
    y = y + 1e5 * Z[:, 0]
    model = raw(task_column=0).fit(Z, y)
    assert model.alpha_intercept_ == 0
    assert -model.best_score_ < 10.0


def test_wide_labels_one_a_row_choose_as_long_data():
    X, Y, Z, y = long_sample([7, 5, 6], 4)
    wide_fit, long_fit = raw().fit(X, Y), raw(task_column=0).fit(Z, y)
    np.testing.assert_allclose(wide_fit.coef_, long_fit.coef_, rtol=1e-9)
    assert wide_fit.best_score_ == pytest.approx(long_fit.best_score_)


def test_evidence_chooses_the_least_deviance_of_comparable_points():
    X, Y = wide()
    model = results(X, with_holes(Y), criterion="evidence")
    table = model.cv_results_
    kind = (table["param_alpha_intercept"] == 0) == (model.alpha_intercept_ == 0)
    assert model.best_score_ == pytest.approx(-table["deviance"][kind].min() / 2)


def test_per_task_averages_the_tasks_own_errors():
    """One task with many labels no longer decides alone; equal sizes make no difference."""
    _, _, Z, y = long_sample([40, 4, 4], 3)
    y = y * np.where(Z[:, 0] == 0, 100.0, 1.0)
    by_label = results(Z, y, task_column=0).cv_results_["loo_error"]
    by_task = results(Z, y, task_column=0, per_task=True).cv_results_["loo_error"]
    assert not np.allclose(by_label, by_task)
    _, _, Z, y = long_sample([6, 6, 6], 3)
    errors = [
        results(Z, y, task_column=0, per_task=flag).cv_results_["loo_error"]
        for flag in (True, False)
    ]
    np.testing.assert_allclose(*errors, rtol=1e-12)


def test_a_splitter_searches_the_same_grid_as_gridsearchcv():
    X, Y = wide()
    Y = with_holes(Y)
    seen = ~np.isnan(Y).all(axis=1)  # own folds leave out rows without a label
    X, Y = X[seen], Y[seen]
    cv = MultiTaskKFold(3, random_state=0)
    model = results(X, Y, cv=cv)
    grid = {"alpha_shared": SHARED, "alpha_specific": SPECIFIC, "alpha_intercept": INTERCEPT}
    peer = GridSearchCV(MultiTaskRidge(), grid, cv=cv).fit(X, Y)
    assert model.best_score_ == pytest.approx(peer.best_score_)
    assert results(X, Y, cv=3).best_score_ == pytest.approx(peer.best_score_)
    assert len(model.cv_results_["mean_test_score"]) == 27


def test_rows_of_weight_zero_take_no_part_in_the_folds():
    """Regression: a fold whose rows all weighed nothing stopped the search."""
    X, Y = wide()
    weight = np.arange(len(X)) % 3
    model = results(X, Y, weight, cv=3)
    dropped = results(X[weight > 0], Y[weight > 0], weight[weight > 0], cv=3)
    assert model.best_score_ == dropped.best_score_
    half = np.arange(len(X)) < len(X) // 2
    with pytest.raises(ValueError, match="cv has no fold with labels"):
        results(X, Y, half.astype(float), cv=[(half, ~half)])


@pytest.mark.parametrize("scoring", [None, "neg_mean_squared_error"])
def test_weights_by_task_reach_the_folds_that_lack_a_task(scoring):
    """Regression: a task of one row, absent from a fold, made them a row too long, or unknown."""
    _, _, Z, y = long_sample([9, 1, 9], 2)
    cv = MultiTaskKFold(3, random_state=0, task_column=0)
    weights, alpha = np.array([1.0, 2.0, 3.0]), {"alpha_shared": 1.0, "alpha_specific": 10.0}
    grid = {"alphas_shared": [1.0], "alphas_specific": [10.0], "alphas_intercept": [0.0]}
    model = raw(**grid, cv=cv, scoring=scoring, task_column=0, task_weight=weights)
    scores = []
    for train, test in cv.split(Z):
        own = np.isin(np.unique(Z[:, 0]), Z[train, 0])
        ridge = MultiTaskRidge(
            **alpha, task_column=0, task_weight=weights[own], unknown_task="shared"
        ).fit(Z[train], y[train])
        error = -np.mean((y[test] - ridge.predict(Z[test])) ** 2)
        scores.append(ridge.score(Z[test], y[test]) if scoring is None else error)
    assert model.fit(Z, y).best_score_ == pytest.approx(np.mean(scores))


def test_a_choice_at_a_finite_edge_of_the_users_grid_warns():
    X, Y = wide()
    with pytest.warns(UserWarning, match="alpha_specific=.* edge"):
        raw(alphas_specific=[1e4, 1e5]).fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        raw().fit(X, Y)
        raw(alphas_specific=[np.inf]).fit(X, Y)
        raw(alphas_intercept=[0.0, 1.0, np.inf]).fit(X, Y)


def test_default_grid_tracks_the_right_limit():
    """Equal tasks: as good as pooling. Tasks of opposite sign: as good as independent ridges."""
    rng = np.random.default_rng(0)
    X, X_new = rng.normal(size=(2, 40, 5))
    w = rng.normal(size=5)
    for W in (np.tile(w, (6, 1)), w * rng.choice([-1.0, 1.0], (6, 5))):
        Y, Y_new = X @ W.T + rng.normal(size=(40, 6)), X_new @ W.T
        model = raw().fit(X, Y)
        limits = [
            raw(alphas_specific=[np.inf]).fit(X, Y),
            raw(alphas_shared=[np.inf]).fit(X, Y),
        ]
        errors = [((m.predict(X_new) - Y_new) ** 2).mean() for m in (model, *limits)]
        assert errors[0] <= 1.1 * min(errors[1:])


def test_one_sample_is_refused_and_two_suffice():
    with pytest.raises(ValueError, match="n_samples = 1"):
        raw().fit([[1.0]], [[1.0, 2.0]])
    model = raw().fit([[1.0], [2.0]], [[1.0, 2.0], [2.0, 3.0]])
    assert np.isfinite(model.coef_).all()


def test_results_of_an_earlier_fit_do_not_outlive_it():
    X, Y = wide()
    model = raw(store_cv_results=True).fit(X, Y)
    assert not hasattr(model.set_params(store_cv_results=False).fit(X, Y), "cv_results_")


def test_a_tie_between_a_free_intercept_and_its_limit_goes_to_the_larger_penalty():
    """Two rows of different tasks: every intercept penalty predicts the other's label."""
    model = raw().fit([[0.1, 0.3], [0.2, -0.4]], [[1, np.nan], [np.nan, 2]])
    assert model.alpha_intercept_ == np.inf


# Tiny penalties


def refitted_error(X, Y, a0, a1, ai, *, fit_intercept):
    """Leave-one-row-out of complete rows: the two ridges by an SVD for each row left out."""
    n, T = Y.shape
    strengths = 1 / (1 / a1 + T / a0), a1
    errors = []
    for i in range(n):
        others = np.arange(n) != i
        mx, my = np.zeros(X.shape[1]), np.zeros(T)
        if fit_intercept:
            mx, my = X[others].mean(axis=0), Y[others].mean(axis=0)
        U, s, V = np.linalg.svd(X[others] - mx, full_matrices=False)
        kept = s > 1e-12 * s[0]  # centring leaves a zero
        U, s, V = U[:, kept], s[kept], V[kept]
        D = Y[others] - my
        mean = np.repeat(D.mean(axis=1, keepdims=True), T, axis=1)
        W = sum(
            V.T @ ((s / (s**2 + a))[:, None] * (U.T @ part))
            for a, part in zip(strengths, (mean, D - mean), strict=True)
        )
        shrunk = 0.0 if np.isinf(ai) else (n - 1) / (n - 1 + ai)
        b = my.mean() + shrunk * (my - my.mean())
        errors.append(Y[i] - b - (X[i] - mx) @ W)
    return np.mean(np.square(errors))


def loo_table(model, X, y):
    """(alphas_shared, alphas_specific, errors) of a fit that may warn of its grid only."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "the chosen|leave-one-out errors are lost", UserWarning)
        results = model.fit(X, y).cv_results_
    return (
        results["param_alpha_shared"],
        results["param_alpha_specific"],
        results["loo_error"],
    )


TINY_TO_LARGE = [1e-16, 1e-12, 1e-6, 1.0, 1e16]


@pytest.mark.parametrize("intercept", [None, 0.0, 0.5, np.inf])
@pytest.mark.parametrize("shape", [(8, 20), (8, 8), (9, 8), (20, 4)])
def test_leave_one_out_of_complete_rows_is_that_of_refits_at_any_penalty(shape, intercept):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=shape), rng.normal([0.0, 1.0, 5.0], size=(shape[0], 3))
    free, ai = intercept is not None, intercept or 0.0
    model = raw(
        alphas_shared=TINY_TO_LARGE,
        alphas_specific=TINY_TO_LARGE,
        alphas_intercept=[ai],
        fit_intercept=free,
        store_cv_results=True,
    )
    for a0, a1, error in zip(*loo_table(model, X, Y), strict=True):
        expected = refitted_error(X, Y, a0, a1, ai, fit_intercept=free)
        # rounding times the squared condition of eight rows in as many columns
        np.testing.assert_allclose(error, expected, rtol=1e-6)


def exact_error(X, y, t, a0, a1):
    """Leave-one-label-out without intercepts, in fractions."""
    rows, n = exact.exact_rows(X), len(y)
    inner = exact.gramian(rows)
    a0, a1 = Fraction(float(a0)), Fraction(float(a1))
    K = [[inner[i][j] * (1 / a0 + (t[i] == t[j]) / a1) for j in range(n)] for i in range(n)]
    total = Fraction(0)
    for i in range(n):
        others = [j for j in range(n) if j != i]
        V = [[K[j][k] + (j == k) for k in others] for j in others]
        x = exact.solution(V, [Fraction(float(y[j])) for j in others])
        predicted = sum(K[i][j] * value for j, value in zip(others, x, strict=True))
        total += (Fraction(float(y[i])) - predicted) ** 2
    return float(total / n)


def test_leave_one_out_of_long_data_is_exact_or_said_to_be_lost():
    rng = np.random.default_rng(0)
    X, t = rng.normal(size=(7, 9)).round(2), np.arange(7) % 2
    y = rng.normal(size=7).round(2)
    alphas = [1e-14, 1e-9, 1e-4, 1.0]
    model = raw(
        alphas_shared=alphas,
        alphas_specific=alphas,
        fit_intercept=False,
        task_column=9,
        store_cv_results=True,
    )
    data = np.column_stack([X, t])
    with pytest.warns(UserWarning, match="lost in rounding at . of 16 points"):
        model.fit(data, y)
    found = list(zip(*loo_table(model, data, y), strict=True))
    for a0, a1, error in found:
        if np.isfinite(error):
            np.testing.assert_allclose(error, exact_error(X, y, t, a0, a1), rtol=1e-6)
    assert 8 < np.isfinite([error for *_, error in found]).sum() < 16
    assert np.isfinite(model.best_score_)


@pytest.mark.parametrize("intercept", [None, 0.0, 0.5, np.inf])
@pytest.mark.parametrize("shape", [(8, 20), (8, 8), (20, 4)])
@pytest.mark.parametrize("kind", ["gaps", "long"])
def test_tiny_penalties_give_no_nan_and_no_bare_warning(kind, shape, intercept):
    rng = np.random.default_rng(1)
    X, Y = rng.normal(size=shape), rng.normal(size=(shape[0], 2))
    t = np.arange(shape[0]) % 2
    model = raw(
        alphas_shared=TINY_TO_LARGE,
        alphas_specific=TINY_TO_LARGE,
        alphas_intercept=[intercept or 0.0],
        fit_intercept=intercept is not None,
        store_cv_results=True,
    )
    if kind == "gaps":
        Y[0, 0] = Y[3, 1] = np.nan
        *_, errors = loo_table(model, X, Y)
    else:
        data = np.column_stack([X, t])
        *_, errors = loo_table(model.set_params(task_column=shape[1]), data, Y[:, 0])
    assert not np.isnan(errors).any() and np.isfinite(errors).any()
    assert np.isfinite(model.best_score_)


def test_a_grid_of_lost_errors_alone_is_refused():
    rng = np.random.default_rng(2)
    data = np.column_stack([rng.normal(size=(6, 9)), np.arange(6) % 2])
    model = raw(alphas_shared=[1e-14], alphas_specific=[1.0], task_column=9)
    with pytest.raises(ValueError, match="lost in rounding on all of the grid; raise the alphas"):
        model.fit(data, rng.normal(size=6))
