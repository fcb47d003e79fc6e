"""Units of the features do not matter where standardize=True, in every estimator that has it."""

import warnings

import numpy as np
import pytest
from _properties import ENDED_EARLY, assert_close, response
from _samplers import (
    SHORT,
    SMALL_GRIDS,
    all_instances,
    as_long,
    depends_on_folds,
    labels_for,
    long_queries,
    make_estimator,
    takes,
    wide,
    with_holes,
    with_task_column,
)
from scipy.sparse import csr_array
from sklearn.base import clone, is_classifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmtl import (
    MultiTaskBayesianRidge,
    MultiTaskLogisticRegressionCV,
    MultiTaskPerceptron,
    MultiTaskPerceptronClassifier,
    MultiTaskRidge,
    MultiTaskRidgeCV,
    MultiTaskRobustClusteringCV,
)

pytestmark = pytest.mark.filterwarnings("ignore:the chosen .* is at the edge of its grid")
CHOOSE = (MultiTaskRidgeCV, MultiTaskBayesianRidge, MultiTaskLogisticRegressionCV)
LEARN = (MultiTaskRobustClusteringCV, MultiTaskPerceptron, MultiTaskPerceptronClassifier)
SAME = 1e-6  # shifts by a thousand deviations cost three digits, iterations stop at 1e-8 and below
SAME_TRAINING = 1e-4  # rounding grows along the steps of a training


def estimators():
    for name, estimator in all_instances().items():
        if "standardize" in estimator.get_params(deep=False):
            slow = [pytest.mark.slow] * ("-" in name)
            yield pytest.param(estimator.set_params(standardize=True), id=name, marks=slow)


@pytest.fixture(params=estimators())
def estimator(request):
    return clone(request.param)


@pytest.fixture
def data(estimator):
    X, Y = wide(60)
    return X, labels_for(estimator, Y)


def same(estimator):
    return SAME_TRAINING if takes(estimator, "hidden_layer_sizes") else SAME


def other_units(X, seed, *, shifted=True):
    """X in other units, c x + d, with c from 1e-6 to 1e6 and d up to a thousand deviations."""
    rng = np.random.default_rng(seed)
    c = 10.0 ** rng.uniform(-6, 6, X.shape[1])
    d = rng.uniform(-1000, 1000, X.shape[1]) * X.std(axis=0) * c
    return X * c + d * shifted


def fit_quietly(estimator, X, Y):
    """Fit, where a warning would be an error; small grids and short trainings end where they do."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="the chosen .* is at the edge of its grid")
        warnings.filterwarnings("ignore", message=ENDED_EARLY)
        warnings.filterwarnings("ignore", message=".* tasks are outliers")
        return estimator.fit(X, Y)


def answer(model, X):
    """What the model says of X, in no units of X; of a classifier its probabilities or scores."""
    if is_classifier(model) and not hasattr(model, "predict_proba") and hasattr(model, "coef_"):
        return X @ model.coef_.T + model.intercept_
    return response(model, X)


def has_intercept(estimator):
    return getattr(estimator, "fit_intercept", True)


@pytest.mark.parametrize("kind", CHOOSE + LEARN)
def test_it_is_the_default_where_penalties_are_chosen_or_learned(kind):
    assert kind().standardize is True
    assert MultiTaskRidge().standardize is False


@pytest.mark.parametrize("labels", [lambda Y: Y, with_holes], ids=["complete", "gaps"])
@pytest.mark.parametrize("seed", range(2))
def test_units_of_the_features_do_not_matter(estimator, labels, seed, data):
    X, Y = data
    Z = other_units(X, seed, shifted=has_intercept(estimator))
    first, second = (fit_quietly(clone(estimator), x, labels(Y)) for x in (X, Z))
    assert_close(answer(first, X), answer(second, Z), rtol=same(estimator))


def test_units_of_the_features_of_long_data_do_not_matter(estimator, data):
    X, Y = data
    estimator, n_tasks = with_task_column(estimator, X.shape[1]), Y.shape[1]
    answers = []
    for Z in (X, other_units(X, 3, shifted=has_intercept(estimator))):
        model = fit_quietly(clone(estimator), *as_long(Z, with_holes(Y)))
        answers.append(model.predict(long_queries(Z, n_tasks)))
    assert_close(*answers, rtol=same(estimator))


@pytest.mark.parametrize("labels", [lambda Y: Y, with_holes], ids=["complete", "gaps"])
def test_powers_of_two_change_no_bit(estimator, labels, data):
    X, Y = data
    Z = X * 2.0 ** np.array([30, -17, 1, -40])
    first, second = (fit_quietly(clone(estimator), x, labels(Y)) for x in (X, Z))
    np.testing.assert_array_equal(answer(first, X), answer(second, Z))


@pytest.mark.parametrize("c, d", [(1e6, 3e8), (-1e-6, 1e-4)])
@pytest.mark.parametrize("kind", [k for k in CHOOSE + LEARN if not is_classifier(k())])
def test_units_of_the_targets_do_not_matter_where_no_strength_is_given(kind, c, d):
    X, Y = wide()
    c = abs(c) if kind is MultiTaskPerceptron else c  # its random start knows up from down
    models = [make_estimator(kind.__name__, **SHORT.get(kind.__name__, {})) for _ in range(2)]
    if kind is MultiTaskRobustClusteringCV:
        models = [
            kind(alphas=[1.0]) for _ in range(2)
        ]  # of its three strengths the one of no units
    first, second = (model.fit(X, y) for model, y in zip(models, (Y, c * Y + d), strict=True))
    # one part in 1e16 of the offset d is one in 1e13 of a deviation
    assert_close(first.predict(X), (second.predict(X) - d) / c, rtol=same(first))


def test_it_is_a_scaler_in_front(estimator, data):
    X, Y = data
    if not has_intercept(estimator):
        pytest.skip("without an intercept features are scaled about zero, not about their mean")
    plain = clone(estimator).set_params(standardize=False)
    if takes(plain, "cv") and (depends_on_folds(plain) or plain.cv is not None):
        pytest.skip("folds have standard units of their own")
    piped = fit_quietly(make_pipeline(StandardScaler(), plain), X, Y)
    inside = fit_quietly(estimator, X, Y)
    assert_close(answer(piped[-1], StandardScaler().fit_transform(X)), answer(inside, X))


def test_sparse_features_equal_dense_ones(estimator, data):
    X, Y = data
    if not estimator._accept_sparse:
        pytest.skip("dense features only")
    X = np.where(np.random.default_rng(0).random(X.shape) < 0.5, 0.0, X)
    Y = with_holes(Y)
    first, second = (fit_quietly(clone(estimator), x, Y) for x in (X, csr_array(X)))
    assert_close(answer(first, X), answer(second, csr_array(X)), rtol=same(estimator))


def test_coefficients_are_in_the_units_of_the_features(estimator, data):
    X, Y = data
    if not hasattr(estimator.fit(X, Y), "shared_coef_") or is_classifier(estimator):
        pytest.skip("no linear regressor")
    Z = other_units(X, 5, shifted=has_intercept(estimator))
    estimator.fit(Z, Y)
    assert_close(estimator.predict(Z), Z @ estimator.coef_.T + estimator.intercept_, rtol=1e-10)
    assert_close(estimator.coef_ - estimator.shared_coef_, estimator.specific_coef_)


def test_means_and_deviations_are_those_of_the_observed_labels(estimator, data):
    X, Y = data
    Y = with_holes(Y)
    model, labels = fit_quietly(clone(estimator), X, Y), (~np.isnan(Y)).sum(axis=1)
    mean = np.average(X, axis=0, weights=labels) * has_intercept(estimator)
    assert_close(model.mean_, mean)
    assert_close(model.scale_, np.sqrt(np.average((X - mean) ** 2, axis=0, weights=labels)))
    fit_quietly(model.set_params(standardize=False), X, Y)
    assert not hasattr(model, "mean_") and not hasattr(model, "scale_")


# what is special to some models


@pytest.mark.parametrize("labels", [lambda Y: Y, with_holes], ids=["complete", "gaps"])
def test_the_search_equals_the_ridge_at_the_strengths_it_chose(labels):
    X, Y = wide()
    X = other_units(X, 0)
    search = MultiTaskRidgeCV().fit(X, labels(Y))
    alphas = {k: getattr(search, f"{k}_") for k in ("alpha_shared", "alpha_specific")}
    alphas["alpha_intercept"] = search.alpha_intercept_
    ridge = MultiTaskRidge(**alphas, standardize=True).fit(X, labels(Y))
    assert_close(ridge.predict(X), search.predict(X))


def test_streams_are_standardised_by_all_their_rows():
    X, Y = wide()
    Z = other_units(X, 1)
    for kind in (MultiTaskRidge, MultiTaskRidgeCV):
        stream = kind(standardize=True)
        for rows in (slice(0, 7), slice(7, 9), slice(9, None)):
            stream.partial_fit(Z[rows], with_holes(Y)[rows])
        alone = kind(standardize=True).partial_fit(X, with_holes(Y))
        assert_close(stream.predict(Z), alone.predict(X), rtol=SAME)
    ridge = MultiTaskRidge(standardize=True)
    for rows in (slice(0, 7), slice(7, None)):
        ridge.partial_fit(Z[rows], Y[rows])
    assert_close(ridge.predict(Z), MultiTaskRidge(standardize=True).fit(X, Y).predict(X), rtol=SAME)


@pytest.mark.parametrize("alpha_intercept", [0.0, 0.7, np.inf])
def test_a_new_task_is_penalised_in_the_units_of_the_fit(alpha_intercept):
    X, Y = wide()
    Z, scaler = other_units(X, 2), StandardScaler().fit(X)
    alphas = {"alpha_specific": 3.0, "alpha_intercept": alpha_intercept}
    inside = MultiTaskRidge(**alphas, standardize=True).fit(Z, Y[:, :2])
    inside.add_task(Z[:9], Y[:9, 2])
    piped = MultiTaskRidge(**alphas).fit(scaler.transform(X), Y[:, :2])
    piped.add_task(scaler.transform(X[:9]), Y[:9, 2])
    assert_close(inside.predict(Z), piped.predict(scaler.transform(X)), rtol=SAME)


def test_standard_deviations_of_predictions_have_no_units_of_the_features():
    X, Y = wide()
    Y, Z = with_holes(Y), other_units(X, 4)
    first, second = MultiTaskBayesianRidge().fit(X, Y), MultiTaskBayesianRidge().fit(Z, Y)
    deviations = first.predict(X, return_std=True)[1], second.predict(Z, return_std=True)[1]
    assert_close(*deviations, rtol=SAME)
    for a, b in zip(first.impute(return_std=True), second.impute(return_std=True), strict=True):
        assert_close(a, b, rtol=SAME)
    new = first.impute(X, Y), second.impute(Z, Y)
    assert_close(*new, rtol=SAME)
    draws = []
    for model, x in ((first, X), (second, Z)):
        coef, intercept = model.sample_posterior(3, random_state=0)
        draws.append(x @ coef.transpose(0, 2, 1) + intercept[:, None, :])
    assert_close(*draws, rtol=SAME)
    assert_close(first.task_covariance_, second.task_covariance_, rtol=SAME)


def test_raw_units_cost_nothing():
    rng = np.random.default_rng(0)
    site = rng.integers(0, 8, 400)
    X = np.c_[rng.normal(3e4, 8e3, 400), rng.normal(40, 10, 400), rng.uniform(0, 1, 400), site]
    y = X[:, 0] / 8e3 + X[:, 1] / 20 + 3 * X[:, 2] + rng.normal(size=8)[site]
    y += rng.normal(size=400) / 2
    scaled = np.c_[StandardScaler().fit_transform(X[:, :3]), site]
    for kind in (MultiTaskRidgeCV, MultiTaskBayesianRidge):
        raw = kind(task_column=3).fit(X[:200], y[:200]).score(X[200:], y[200:])
        best = kind(task_column=3).fit(scaled[:200], y[:200]).score(scaled[200:], y[200:])
        assert abs(raw - best) < 1e-6


@pytest.mark.parametrize("value", [1, "yes", None])
def test_another_value_is_refused_by_name(value):
    with pytest.raises(TypeError, match="standardize"):
        MultiTaskRidge(standardize=value).fit(*wide())


@pytest.mark.parametrize("kind", [MultiTaskRidgeCV, MultiTaskLogisticRegressionCV])
def test_constant_features_change_nothing(kind):
    X, Y = wide(25)
    Y = labels_for(kind(), Y)
    grid = SMALL_GRIDS[kind.__name__] | {"alphas_specific": None}  # its default is in its own unit
    first, second = (kind(**grid).fit(x, Y) for x in (X, np.c_[X, np.full((25, 5), 3.3)]))
    assert_close(answer(first, X), answer(second, np.c_[X, np.full((25, 5), 3.3)]))
