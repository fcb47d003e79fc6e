"""add_task: the new task's closed form, the others untouched."""

import numpy as np
import pytest
from _samplers import wide
from sklearn.exceptions import NotFittedError

from skmtl import MultiTaskRidge, MultiTaskRidgeCV

RNG = np.random.default_rng(5)
ALPHAS = [(a1, ai) for a1 in (2.0, np.inf) for ai in (0.0, 1.3, np.inf)]
STIFF = 1e7  # the root of a penalty that stands for an infinite one


def dense_task(model, X, y, s, alpha_specific, alpha_intercept, origin):
    """(w, b) by least squares on the rows and, below them, the roots of the penalties."""
    p, w0 = X.shape[1], model.shared_coef_
    b0 = model.shared_intercept_ + w0 @ origin
    roots = [min(np.sqrt(alpha), STIFF) for alpha in (alpha_specific, alpha_intercept)]
    rows = np.column_stack([X - origin, np.ones(len(X))]) * np.sqrt(s)[:, None]
    penalties = np.diag([roots[0]] * p + [roots[1]])
    labels = np.sqrt(s) * (y - (X - origin) @ w0 - b0)
    theta = np.linalg.lstsq(
        np.vstack([rows, penalties]), np.append(labels, np.zeros(p + 1)), rcond=None
    )[0]
    w = w0 + theta[:p]
    return w, b0 + theta[p] - w @ origin


@pytest.mark.parametrize("alphas", ALPHAS)
@pytest.mark.parametrize("n_new", [1, 3, 12])
def test_new_task_is_the_closed_form_and_the_others_stay(n_new, alphas):
    X, Y = wide(40, 4, 3)
    X = X + 3
    a1, ai = alphas
    model = MultiTaskRidge(1.0, a1, alpha_intercept=ai).fit(X, Y)
    old = model.coef_.copy(), model.intercept_.copy()
    X_new, y_new, s = (
        RNG.normal(size=(n_new, 4)) + 3,
        RNG.normal(size=n_new),
        RNG.uniform(1, 2, n_new),
    )
    model.add_task(X_new, y_new, sample_weight=s)
    w, b = dense_task(model, X_new, y_new, s, a1, ai, X.mean(axis=0))
    np.testing.assert_allclose(model.coef_[3], w, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(model.intercept_[3], b, rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(model.coef_[:3], old[0])
    np.testing.assert_array_equal(model.intercept_[:3], old[1])
    assert model.predict(X).shape == (40, 4) and model.tasks_ == [0, 1, 2, 3]
    np.testing.assert_allclose(model.specific_coef_, model.coef_ - model.shared_coef_)


def test_long_data_takes_the_id_from_its_column_and_keeps_tasks_sorted():
    X, Y = wide(40, 4, 3)
    task = np.repeat([1.0, 2.0, 4.0, 5.0], 10)
    Z = np.column_stack([task, X])
    model = MultiTaskRidge(task_column=0).fit(Z, Y[:, 0])
    others = model.predict(Z)
    new = np.column_stack([np.full(6, 3.0), X[:6] + 1])
    model.add_task(new, Y[:6, 1])
    assert model.tasks_ == [1.0, 2.0, 3.0, 4.0, 5.0]
    np.testing.assert_allclose(model.predict(Z), others)
    assert np.isfinite(model.predict(new)).all()


def test_without_specific_penalty_limit_it_is_near_its_own_least_squares():
    X, Y = wide(40, 4, 3)
    model = MultiTaskRidge(1.0, 1e-9).fit(X, Y)
    y = X @ np.array([5.0, -3.0, 2.0, 0.0]) + 7.0
    model.add_task(X, y)
    np.testing.assert_allclose(model.coef_[3], [5.0, -3.0, 2.0, 0.0], atol=1e-7)
    np.testing.assert_allclose(model.intercept_[3], 7.0, rtol=1e-7)


def test_cv_uses_its_chosen_penalties():
    X, Y = wide(40, 4, 3)
    chosen = MultiTaskRidgeCV().fit(X, Y)
    fixed = MultiTaskRidge(
        chosen.alpha_shared_,
        chosen.alpha_specific_,
        alpha_intercept=chosen.alpha_intercept_,
        standardize=True,
    ).fit(X, Y)
    for model in (chosen, fixed):
        model.add_task(X[:5], Y[:5, 0] + 1)
    np.testing.assert_allclose(chosen.coef_, fixed.coef_, rtol=1e-10)


def test_a_stream_goes_on_with_the_added_task_in_it():
    X, Y = wide(40, 4, 3)
    model = MultiTaskRidge().partial_fit(X[:20], Y[:20]).add_task(X[:9], Y[:9, 0] + 1)
    more = np.column_stack([Y[20:], np.full(20, np.nan)])
    model.partial_fit(X[20:], more)
    everything = np.vstack(
        [np.column_stack([Y[:20], np.full(20, np.nan)]), more, np.full((9, 4), np.nan)]
    )
    everything[40:, 3] = Y[:9, 0] + 1
    same = MultiTaskRidge().fit(np.vstack([X, X[:9]]), everything)
    np.testing.assert_allclose(model.coef_, same.coef_, rtol=1e-9)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((np.ones((2, 3)), [1.0, 2.0]), "features"),
        ((np.ones((2, 4)), [1.0]), "inconsistent"),
        ((np.ones((2, 4)), [1.0, np.nan]), "y contains NaN in row 1: one label a row"),
        ((np.ones((2, 4)), [[1.0], [np.nan]]), "y contains NaN in row 1: one label a row"),
        ((np.ones((2, 4)), [1.0, np.inf]), "y contains infinity in row 1: drop the row"),
        ((np.ones((2, 4)), np.ones((2, 2))), "1-D"),
        ((np.ones((2, 4)), [1.0, 2.0], 1), "task 1 is there already"),
    ],
)
def test_bad_input_is_refused_and_changes_nothing(arguments, message):
    X, Y = wide(40, 4, 3)
    model = MultiTaskRidge().fit(X, Y)
    with pytest.raises(ValueError, match=message):
        model.add_task(*arguments)
    assert model.coef_.shape == (3, 4) and model.n_tasks_ == 3


def test_an_unfitted_model_takes_no_task():
    with pytest.raises(NotFittedError):
        MultiTaskRidge().add_task([[1.0]], [1.0])


def test_long_data_with_two_new_ids_is_refused():
    X, Y = wide(40, 4, 3)
    Z = np.column_stack([np.repeat([1.0, 2.0], 20), X])
    model = MultiTaskRidge(task_column=0).fit(Z, Y[:, 0])
    with pytest.raises(ValueError, match="one new task"):
        model.add_task(np.column_stack([[3.0, 4.0], X[:2]]), [1.0, 2.0])


def test_the_default_id_is_the_next_free_integer():
    X, Y = wide(40, 4, 3)
    model = MultiTaskRidge().fit(X, Y)
    model.tasks_ = [1, 2, 3]
    assert model.add_task(X[:3], Y[:3, 0]).tasks_ == [1, 2, 3, 4]
