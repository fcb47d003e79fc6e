"""MultiTaskRidgeClassifier: ridge on labels +-1, one class against the rest."""

import warnings

import numpy as np
import pytest
import scipy.sparse
from _classification import binary, class_sets, several, weigh_classes
from _properties import assert_close
from _samplers import as_long, with_holes
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import RidgeClassifier

from skmtl import MultiTaskRidge, MultiTaskRidgeClassifier

ALPHAS = {
    "free": (0.5, 2.0, 0.0),
    "shrunk": (0.5, 2.0, 0.7),
    "common": (0.5, 2.0, np.inf),
    "pooled": (0.5, np.inf, np.inf),
    "independent": (np.inf, 2.0, 0.0),
}
every_alphas = pytest.mark.parametrize("alphas", ALPHAS.values(), ids=ALPHAS)
every_sample = pytest.mark.parametrize("sample", [binary, several])


def model_of(alphas, **params):
    shared, specific, intercept = alphas
    return MultiTaskRidgeClassifier(shared, specific, alpha_intercept=intercept, **params)


def ridge_of(alphas, **params):
    shared, specific, intercept = alphas
    return MultiTaskRidge(shared, specific, alpha_intercept=intercept, **params)


# known models


@every_sample
@pytest.mark.parametrize("shape", ["1-D", "column"])
@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 2.0, 1: 0.5}], ids=str)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_one_task_equals_ridge_classifier(sample, shape, class_weight, fit_intercept, rng):
    X, Y = sample()
    # scikit-learn balances rows, here their weights are balanced
    y, s = Y[:, 0], None if class_weight == "balanced" else rng.uniform(0.5, 2, len(X))
    common = {"class_weight": class_weight, "fit_intercept": fit_intercept}
    expected = RidgeClassifier(alpha=0.5 * 2 / 2.5, **common).fit(X, y, s)
    model = model_of((0.5, 2.0, 0.0), **common).fit(X, y if shape == "1-D" else y[:, None], s)
    np.testing.assert_array_equal(np.ravel(model.predict(X)), expected.predict(X))
    # one linear system, in another order
    coef = np.ravel(expected.coef_)
    np.testing.assert_allclose(np.ravel(model.coef_[0]), coef, rtol=1e-9, atol=1e-12)
    intercept = np.broadcast_to(expected.intercept_, np.ravel(model.intercept_[0]).shape)
    np.testing.assert_allclose(np.ravel(model.intercept_[0]), intercept, rtol=1e-9, atol=1e-12)
    if shape == "1-D":
        np.testing.assert_allclose(model.decision_function(X), expected.decision_function(X))


def test_no_sharing_is_a_ridge_classifier_for_each_task():
    X, Y = several()
    Y = with_holes(Y)
    model = model_of((np.inf, 2.0, 0.0)).fit(X, Y)
    for t, y in enumerate(Y.T):
        seen = ~np.isnan(y)
        alone = RidgeClassifier(alpha=2.0).fit(X[seen], y[seen])
        np.testing.assert_array_equal(model.predict(X)[:, t], alone.predict(X))


def test_no_specific_part_is_one_ridge_classifier_of_all_rows():
    X, Y = binary()
    Y = with_holes(Y)
    row, task = np.nonzero(~np.isnan(Y))
    pooled = RidgeClassifier(alpha=0.5).fit(X[row], Y[row, task])
    model = model_of((0.5, np.inf, np.inf)).fit(X, Y)
    np.testing.assert_allclose(model.coef_, np.tile(np.ravel(pooled.coef_), (3, 1)), rtol=1e-9)
    np.testing.assert_array_equal(model.predict(X), np.tile(pooled.predict(X)[:, None], 3))


@every_alphas
@pytest.mark.parametrize("solver", ["auto", "cholesky", "dual"])
def test_binary_tasks_are_a_ridge_on_plus_and_minus_one(alphas, solver, rng):
    X, Y = binary()
    Y, s = with_holes(Y), rng.uniform(0.5, 2, Y.shape)
    model = model_of(alphas, solver=solver, task_weight=[1, 2, 3]).fit(X, Y, s)
    ridge = ridge_of(alphas, solver=solver, task_weight=[1, 2, 3]).fit(X, 2 * Y - 1, s)
    for name in ("coef_", "intercept_", "shared_coef_", "specific_coef_", "task_weights_"):
        np.testing.assert_allclose(getattr(model, name), getattr(ridge, name), atol=1e-10)
    scores = ridge.predict(X)
    np.testing.assert_array_equal(model.predict(X), (scores > 0).astype(float))


@every_alphas
def test_each_class_is_a_ridge_against_the_rest_of_its_tasks(alphas, rng):
    X, Y = several()
    Y, s = with_holes(Y), rng.uniform(0.5, 2, Y.shape)
    model = model_of(alphas).fit(X, Y, s)
    for c in range(4):
        tasks = [t for t, classes in enumerate(class_sets(Y)) if c in classes]
        labels = np.where(np.isnan(Y[:, tasks]), np.nan, np.where(Y[:, tasks] == c, 1.0, -1.0))
        ridge = ridge_of(alphas).fit(X, labels, s[:, tasks])
        assert_close(model.shared_coef_[c], ridge.shared_coef_)
        for t, w, b in zip(tasks, ridge.coef_, ridge.intercept_, strict=True):
            k = class_sets(Y)[t].tolist().index(c)
            assert_close(model.coef_[t][k], w)
            assert_close(model.intercept_[t][k], b)


@every_sample
def test_the_class_with_the_largest_score_is_predicted(sample):
    X, Y = sample()
    model = model_of((0.5, 2.0, 0.7)).fit(X, Y)
    for t, classes in enumerate(model.classes_):
        scores = X @ np.atleast_2d(model.coef_[t]).T + model.intercept_[t]
        scores = np.column_stack([-scores, scores]) if scores.shape[1] == 1 else scores
        np.testing.assert_array_equal(model.predict(X)[:, t], classes[scores.argmax(axis=1)])
    assert model.score(X, Y) == pytest.approx(np.mean(model.predict(X) == Y))


# weights, formats, devices


def test_class_weights_are_factors_of_the_sample_weights(rng):
    X, Y = several()
    s, factors = rng.uniform(0.5, 2, Y.shape), {0.0: 3.0, 2.0: 0.25}
    expected = model_of((0.5, 2.0, 0.7)).fit(X, Y, weigh_classes(Y, s, factors))
    for class_weight in (factors, [factors, factors, {2: 0.25}, {0: 3.0}]):
        model = model_of((0.5, 2.0, 0.7), class_weight=class_weight).fit(X, Y, s)
        assert_close(np.vstack(model.coef_), np.vstack(expected.coef_))


@every_sample
@every_alphas
def test_long_sparse_and_device_fits_are_those_of_wide_arrays(sample, alphas, fake_gpu):
    X, Y = sample()
    Y = with_holes(Y)
    expected = model_of(alphas, device="cpu").fit(X, Y)
    table, y = as_long(X, Y)
    models = [
        model_of(alphas).fit(X, Y),
        model_of(alphas, task_column=-1).fit(table, y),
        model_of(alphas).fit(scipy.sparse.csr_array(X), Y),
    ]
    for model in models:
        assert_close(np.vstack(model.coef_), np.vstack(expected.coef_))
        assert_close(np.hstack(model.intercept_), np.hstack(expected.intercept_))


def test_there_are_no_probabilities_and_decisions_of_a_single_task_only():
    X, Y = binary()
    model = model_of((0.5, 2.0, 0.0))
    assert not hasattr(model, "predict_proba")
    assert hasattr(model.fit(X, Y[:, 0]), "decision_function")
    assert not hasattr(model.fit(X, Y), "decision_function")


def test_too_few_iterations_give_one_convergence_warning():
    X, Y = several()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = model_of((1e-3, 1e-3, 0.7), solver="cg", max_iter=1).fit(X, with_holes(Y))
    assert [w.category for w in caught] == [ConvergenceWarning]
    assert "max_iter" in str(caught[0].message)
    assert caught[0].filename == __file__
    assert model.n_iter_ == 1


# tasks of which little is known


@every_alphas
def test_a_task_of_one_class_predicts_it_and_says_so(alphas):
    X, Y = binary()
    Y[:, 1] = 1.0
    with pytest.warns(UserWarning, match=r"task 1 has labels of one class only, 1\.0") as caught:
        model = model_of(alphas).fit(X, Y)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert (model.predict(X)[:, 1] == 1).all()
    ridge = ridge_of(alphas).fit(X, 2 * Y - 1)  # squares have an optimum: the labels take part
    assert_close(model.coef_, ridge.coef_)


def test_a_class_that_no_other_task_has_takes_no_part():
    X, Y = binary()
    Y[:, 1] = 7.0
    with pytest.warns(UserWarning, match="one class only"):
        model = model_of((0.5, 2.0, 0.7)).fit(X, Y)
    assert model.predict(X)[:, 1].tolist() == [7.0] * len(X)
    assert model.classes_[1].tolist() == [7.0]
    assert_close(model.coef_[[0, 2]], model_of((0.5, 2.0, 0.7)).fit(X, Y[:, [0, 2]]).coef_)


@pytest.mark.parametrize("Y", [np.ones((20, 2)), np.tile([0.0, 2.0], (20, 1)), np.ones(20)],
                         ids=["same", "different", "1-D"])  # fmt: skip
def test_tasks_that_all_have_one_class_predict_it(Y, rng):
    X = rng.normal(size=(20, 3))
    with pytest.warns(UserWarning, match="one class only"):
        model = MultiTaskRidgeClassifier().fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), Y)
    assert not np.any(model.coef_)


@every_sample
def test_unlabelled_and_unseen_tasks_get_the_shared_part(sample):
    X, Y = sample()
    with pytest.warns(UserWarning, match="has no label"):
        model = model_of((0.5, 2.0, 0.7)).fit(X, np.column_stack([Y, np.nan * Y[:, 0]]))
    table, y = as_long(X, Y)
    long = model_of((0.5, 2.0, 0.7), task_column=-1, unknown_task="shared").fit(table, y)
    unseen = np.column_stack([X, np.full(len(X), 99)])
    np.testing.assert_array_equal(long.predict(unseen), model.predict(X)[:, -1])
    shared = np.atleast_2d(model.shared_coef_)
    usual = [0] if sample is binary else np.unique(Y[:, 0]).astype(int)
    assert_close(np.atleast_2d(model.coef_[-1]), shared[usual])


@pytest.mark.parametrize("unit", [1e8, 1e-8])
def test_the_unit_of_the_features_does_not_matter(unit):
    X, Y = binary()
    plain = model_of((0.5, 2.0, 0.7)).fit(X, Y)
    model = model_of((0.5 * unit**2, 2.0 * unit**2, 0.7)).fit(X * unit, Y)
    np.testing.assert_allclose(model.coef_ * unit, plain.coef_, rtol=1e-7)
