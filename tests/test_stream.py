"""partial_fit: a stream of batches is the fit on all of them, whatever comes when."""

import warnings

import numpy as np
import pytest
from _samplers import wide, with_holes

from skmtl import MultiTaskRidge, MultiTaskRidgeCV
from skmtl._moments import BLOCK, long_moments, no_moments, wide_moments

ALPHAS = [(1.0, 2.0, 0.0), (1.0, 2.0, 1.3), (np.inf, 2.0, np.inf), (1.0, np.inf, 0.5)]
BATCHES = (slice(0, 7), slice(7, 8), slice(8, 25), slice(25, 40))


def stream(model, X, y, weight=None):
    for rows in BATCHES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            model.partial_fit(X[rows], y[rows], None if weight is None else weight[rows])
    return model


def assert_same(model, other, rtol=1e-9):
    for name in ("coef_", "intercept_", "shared_coef_", "shared_intercept_", "task_weights_"):
        np.testing.assert_allclose(getattr(model, name), getattr(other, name), rtol, atol=1e-12)
    assert model.tasks_ == other.tasks_


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alphas", ALPHAS)
@pytest.mark.parametrize("weight", ["none", "rows", "cells"])
@pytest.mark.parametrize("holes", [False, True], ids=["complete", "holes"])
def test_a_stream_is_the_fit_on_the_concatenation(holes, weight, alphas, fit_intercept):
    X, Y = wide(40, 4, 3)
    X, Y = X + 3, with_holes(Y) if holes else Y
    rng = np.random.default_rng(0)
    s = {"none": None, "rows": rng.uniform(0, 2, 40), "cells": rng.uniform(0, 2, (40, 3))}[weight]
    a0, a1, ai = alphas
    models = [
        MultiTaskRidge(a0, a1, alpha_intercept=ai, fit_intercept=fit_intercept) for _ in range(2)
    ]
    assert_same(stream(models[0], X, Y, s), models[1].fit(X, Y, s))


def test_tasks_may_appear_in_any_batch_of_long_data():
    X, Y = wide(40, 4, 3)
    task = np.array(["b"] * 7 + ["c"] * 1 + ["a", "b"] * 8 + ["c"] + ["a"] * 15, dtype=object)
    Z = np.column_stack([task, X]).astype(object)
    for params in ({}, {"alpha_intercept": 1.0}, {"task_weight": "balanced"}):
        model = MultiTaskRidge(task_column=0, **params)
        assert_same(
            stream(model, Z, Y[:, 0]), MultiTaskRidge(task_column=0, **params).fit(Z, Y[:, 0])
        )


def test_a_task_without_labels_so_far_has_the_shared_part():
    X, Y = wide(40, 4, 3)
    Y[:25, 2] = np.nan
    model = MultiTaskRidge().partial_fit(X[:25], Y[:25])
    np.testing.assert_allclose(model.coef_[2], model.shared_coef_)
    assert_same(model.partial_fit(X[25:], Y[25:]), MultiTaskRidge().fit(X, Y))


def test_a_complete_stream_keeps_one_gram():
    X, Y = wide(40, 4, 3)
    model = stream(MultiTaskRidge(), X, Y)
    assert model._moments.S.shape == (1, 4, 4)
    Y[0, 0] = np.nan
    assert model.partial_fit(X, Y)._moments.S.shape == (3, 4, 4)


def test_centred_updates_survive_a_large_offset():
    """Features of mean 1e6 and spread 1: sums of raw squares would keep four digits."""
    X, Y = wide(40, 4, 3)
    model = stream(MultiTaskRidge(), X + 1e6, Y)
    np.testing.assert_allclose(model.coef_, MultiTaskRidge().fit(X, Y).coef_, rtol=1e-6)


def test_moments_of_blocks_are_moments_of_the_whole():
    rng = np.random.default_rng(0)
    n = BLOCK + 10
    X, y, codes = rng.normal(size=(n, 2)), rng.normal(size=n), rng.integers(0, 3, n)
    moments = long_moments(X, y, codes, 4)
    for t in range(3):
        rows = codes == t
        np.testing.assert_allclose(moments.S[t], rows.sum() * np.cov(X[rows].T, bias=True))
        np.testing.assert_allclose(moments.x_mean[t], X[rows].mean(axis=0), atol=1e-14)
    assert moments.n[3] == 0
    same = no_moments(4, 2) + moments
    np.testing.assert_allclose(same.S, moments.S)


def test_cv_scores_a_stream_by_gcv():
    """GCV by its definition, from the hat matrix of fits to unit label vectors."""
    X, Y = wide(12, 3, 3)
    for labels in (Y, with_holes(Y)):
        for ai in (0.0, 1.3, np.inf):
            model = MultiTaskRidgeCV([1.0], [2.0], alphas_intercept=[ai], standardize=False)
            model.partial_fit(X, labels)
            seen = ~np.isnan(labels)
            hat = []
            for i, t in np.argwhere(seen):
                unit = np.where(seen, 0.0, np.nan)
                unit[i, t] = 1.0
                hat.append(
                    MultiTaskRidge(1.0, 2.0, alpha_intercept=ai).fit(X, unit).predict(X)[seen]
                )
            e = labels[seen] - np.transpose(hat) @ labels[seen]
            gcv = np.mean(e**2) / (1 - np.trace(hat) / len(e)) ** 2
            assert -model.best_score_ == pytest.approx(gcv, rel=1e-9)


def test_cv_of_a_stream_is_the_fit_of_its_penalties_and_near_that_of_leave_one_out():
    X, Y = wide(40, 4, 3)
    for labels in (Y, with_holes(Y)):
        model = stream(MultiTaskRidgeCV(), X, labels)
        penalties = model.alpha_shared_, model.alpha_specific_
        same = MultiTaskRidge(*penalties, alpha_intercept=model.alpha_intercept_, standardize=True)
        assert_same(model, same.fit(X, labels))
        loo = MultiTaskRidgeCV().fit(X, labels)
        assert model.score(X, Y) == pytest.approx(loo.score(X, Y), abs=0.02)


def test_evidence_of_a_stream_is_that_of_the_rows():
    X, Y = wide(40, 4, 3)
    model = stream(MultiTaskRidgeCV(criterion="evidence"), X, with_holes(Y))
    rows = MultiTaskRidgeCV(criterion="evidence").fit(X, with_holes(Y))
    assert model.best_score_ == pytest.approx(rows.best_score_, rel=1e-9)


def test_what_needs_rows_is_refused_in_a_stream():
    X, Y = wide(40, 4, 3)
    for params in ({"cv": 3}, {"per_task": True}):
        with pytest.raises(ValueError, match="partial_fit keeps no rows"):
            MultiTaskRidgeCV(**params).partial_fit(X, Y)


def test_partial_fit_after_fit_starts_anew_and_says_so():
    X, Y = wide(40, 4, 3)
    model = MultiTaskRidge().fit(X[:20], Y[:20])
    with pytest.warns(UserWarning, match="starts anew"):
        model.partial_fit(X[20:], Y[20:])
    assert_same(model, MultiTaskRidge().fit(X[20:], Y[20:]))


@pytest.mark.parametrize(
    "batch, message",
    [
        (lambda X, Y: (X[:, :2], Y), "features"),
        (lambda X, Y: (X, Y[:, :2]), "as many columns"),
        (lambda X, Y: (X, Y[:, 0]), "as many columns"),
        (lambda X, Y: (X * np.nan, Y), "X contains NaN"),
        (lambda X, Y: (X, Y * np.nan), "no observed label"),
    ],
)
def test_a_batch_that_does_not_fit_is_refused_and_changes_nothing(batch, message):
    X, Y = wide(40, 4, 3)
    model = MultiTaskRidge().partial_fit(X, Y)
    before = model.coef_.copy()
    with pytest.raises(ValueError, match=message):
        model.partial_fit(*batch(X, Y))
    np.testing.assert_array_equal(model.coef_, before)
    assert_same(model.partial_fit(X, Y), MultiTaskRidge().fit(np.vstack([X, X]), np.vstack([Y, Y])))


def test_float32_batches_give_float32_coefficients():
    X, Y = wide(40, 4, 3)
    model = stream(MultiTaskRidge(), X.astype("float32"), Y)
    assert model.coef_.dtype == np.float32
    np.testing.assert_allclose(model.coef_, MultiTaskRidge().fit(X, Y).coef_, rtol=1e-5)


def test_wide_moments_with_a_task_without_labels():
    X, Y = wide(40, 4, 3)
    Y[:, 1] = np.nan
    moments = wide_moments(X, Y)
    assert moments.n.tolist() == [40, 0, 40] and not moments.S[1].any()


@pytest.mark.parametrize(
    "params, message",
    [({"unknown_task": "ignore"}, "unknown_task"), ({"device": "gpu"}, "device must be")],
)
def test_a_stream_checks_the_parameters_that_fit_checks(params, message):
    X, Y = wide(40, 4, 3)
    with pytest.raises(ValueError, match=message):
        MultiTaskRidge(**params).partial_fit(X, Y)


def test_a_stream_on_a_device_gives_the_numbers_of_the_host(fake_gpu):
    X, Y = wide(40, 4, 3)
    for labels in (Y, with_holes(Y)):
        model = stream(MultiTaskRidge(), X, labels)
        host = MultiTaskRidge(device="cpu").fit(X, labels)
        assert type(model.coef_) is np.ndarray
        np.testing.assert_allclose(model.coef_, host.coef_, rtol=1e-9)
