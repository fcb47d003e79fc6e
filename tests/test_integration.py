"""The estimators inside scikit-learn's tools, with missing labels and with long data."""

from contextlib import nullcontext

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from _properties import assert_close
from _samplers import (
    SHORT,
    as_long,
    estimator_names,
    labels_for,
    make_estimator,
    wide,
    with_holes,
    with_task_column,
)
from sklearn.base import clone, is_classifier
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.feature_selection import SelectFromModel
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    LeaveOneOut,
    RandomizedSearchCV,
    ShuffleSplit,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    validation_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skmtl import IndependentTasks, MultiTaskRidge, MultiTaskRidgeCV, PooledTasks
from skmtl.metrics import make_multitask_scorer
from skmtl.model_selection import MultiTaskKFold, MultiTaskShuffleSplit


def make_seeded(name):
    """An instance whose fits repeat."""
    return make_estimator(name, **SHORT.get(name, {}))


every_name = pytest.mark.parametrize("name", estimator_names())
every_regressor = pytest.mark.parametrize(
    "name", [name for name in estimator_names() if not is_classifier(make_estimator(name))]
)
FOLDS = KFold(3)  # scikit-learn's stratified folds refuse NaN in y
ALPHAS = [0.01, 1.0, 100.0]
NAMES = ["u", "v", "w", "z"]


def own_labels(request, Y):
    """Y, or classes in its place where the test is about a classifier."""
    if "name" not in request.fixturenames:
        return Y
    return labels_for(make_estimator(request.getfixturevalue("name")), Y)


@pytest.fixture
def holes(request):
    X, Y = wide(n=60)
    return X, with_holes(own_labels(request, Y))


@pytest.fixture
def long(request):
    """(frame with a text column of sites, y)."""
    X, Y = wide(n=30)
    Y = own_labels(request, Y)
    table, y = as_long(X, with_holes(Y))
    frame = pd.DataFrame(table[:, :-1], columns=NAMES)
    frame.insert(2, "site", [f"site {int(t)}" for t in table[:, -1]])
    return frame, y


def scaled(model):
    """The model behind a scaler of the features that lets the column of ids through."""
    numbers = make_column_selector(dtype_include="number")
    scaler = ColumnTransformer(
        [("scale", StandardScaler(), numbers)],
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    return make_pipeline(scaler.set_output(transform="pandas"), model)


# wide labels with NaN


@every_name
def test_pipelines_equal_their_steps(name, holes):
    X, Y = holes
    pipe = make_pipeline(StandardScaler(), make_seeded(name)).fit(X, Y)
    Z = StandardScaler().fit_transform(X)
    model = make_seeded(name).fit(Z, Y)
    assert_close(pipe.predict(X), model.predict(Z))
    assert pipe.score(X, Y) == pytest.approx(model.score(Z, Y))
    assert np.isfinite(pipe.score(X, Y))


@every_name
@pytest.mark.parametrize("cv", [FOLDS, KFold(3, shuffle=True, random_state=0), MultiTaskKFold(3)])
def test_cross_validation_scores_what_is_observed(name, cv, holes):
    X, Y = holes
    scores = cross_val_score(make_seeded(name), X, Y, cv=cv)
    assert scores.shape == (3,)
    assert np.isfinite(scores).all()


@pytest.mark.slow
@pytest.mark.parametrize("search", [GridSearchCV, RandomizedSearchCV])
@pytest.mark.parametrize("scoring", [None, "mse"])
def test_searches_over_alphas_tell_them_apart_with_missing_labels(search, scoring, holes):
    X, Y = holes
    scoring = make_multitask_scorer("neg_mean_squared_error") if scoring else None
    grid = {"multitaskridge__alpha_shared": ALPHAS, "multitaskridge__alpha_specific": ALPHAS}
    pipe = make_pipeline(StandardScaler(), MultiTaskRidge())
    options = {"n_iter": 9, "random_state": 0} if search is RandomizedSearchCV else {}
    fitted = search(pipe, grid, cv=3, scoring=scoring, **options).fit(X, Y)
    scores = fitted.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert len(np.unique(scores.round(12))) == 9
    assert fitted.best_index_ == np.argmax(scores)
    assert fitted.predict(X).shape == Y.shape
    best = fitted.best_params_
    alphas = [best[f"multitaskridge__alpha_{part}"] for part in ("shared", "specific")]
    again = make_pipeline(StandardScaler(), MultiTaskRidge(*alphas)).fit(X, Y)
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))


def test_a_search_equals_the_built_in_one_over_the_same_splits(holes):
    X, Y = holes
    cv = MultiTaskKFold(3, random_state=0)
    grid = {"alpha_shared": ALPHAS, "alpha_specific": ALPHAS, "alpha_intercept": [0.0]}
    search = GridSearchCV(MultiTaskRidge(standardize=True), grid, cv=cv).fit(X, Y)
    model = MultiTaskRidgeCV(ALPHAS, ALPHAS, alphas_intercept=[0.0], cv=cv)
    with pytest.warns(UserWarning, match="edge") if _at_edge(search) else nullcontext():
        model.fit(X, Y)
    assert model.best_score_ == pytest.approx(search.best_score_)
    for name in grid:
        assert getattr(model, f"{name}_") == search.best_params_[name]
    assert_close(model.predict(X), search.predict(X))


def _at_edge(search):
    best = search.best_params_
    return any(best[f"alpha_{part}"] in (ALPHAS[0], ALPHAS[-1]) for part in ("shared", "specific"))


@pytest.mark.parametrize("search", [{"cv": 3, "scoring": "r2"}, {"cv": LeaveOneOut()}], ids=str)
@pytest.mark.filterwarnings("ignore")
def test_a_search_without_a_finite_score_is_refused_not_decided(search, holes):
    """scikit-learn's r2 refuses NaN in Y, and a single row has none: neither ranks the alphas."""
    model = MultiTaskRidgeCV(ALPHAS, ALPHAS, alphas_intercept=[0.0], **search)
    with pytest.raises(ValueError, match=r"cv|scoring"):
        model.fit(holes[0][:9], holes[1][:9])


@every_name
def test_weights_travel_through_a_search(name, holes):
    X, Y = holes
    weight = np.where(np.arange(len(X)) % 3, 1.0, 0.0)
    spoiled = np.where(weight[:, None] > 0, Y, 1e6)
    for model in (make_seeded(name), GridSearchCV(make_seeded(name), {}, cv=FOLDS)):
        clean = clone(model).fit(X, Y, sample_weight=weight)
        spoilt = clone(model).fit(X, spoiled, sample_weight=weight)
        assert_close(clean.predict(X), spoilt.predict(X))


def test_weights_are_routed_to_fit_and_score(holes):
    X, Y = holes
    weight = np.where(np.arange(len(X)) % 2, 1.0, 0.0)
    spoiled = np.where(weight[:, None] > 0, Y, 1e3)
    with sklearn.config_context(enable_metadata_routing=True):
        model = MultiTaskRidge().set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        cv = KFold(3)
        routed = [
            cross_val_score(model, X, labels, cv=cv, params={"sample_weight": weight})
            for labels in (Y, spoiled)
        ]
    np.testing.assert_allclose(*routed)
    assert (routed[0] > 0).all()


@every_name
def test_learning_curves_are_finite_from_few_rows(name, holes):
    X, Y = holes
    cv = MultiTaskShuffleSplit(2, random_state=0)
    sizes, train, test = learning_curve(make_seeded(name), X, Y, cv=cv, train_sizes=[0.2, 1.0])
    assert sizes[0] < sizes[1]
    assert np.isfinite(train).all()
    assert np.isfinite(test).all()


def test_validation_curves_run_over_an_alpha(holes):
    _, test = validation_curve(
        MultiTaskRidge(), *holes, param_name="alpha_specific", param_range=ALPHAS, cv=3
    )
    assert np.isfinite(test).all()
    assert len(np.unique(test.mean(axis=1))) == 3


@every_regressor
def test_permutation_importance_finds_the_feature_that_matters(name):
    X, _ = wide(n=60)
    Y = with_holes(np.column_stack([3 * X[:, 2], 3 * X[:, 2] + 1]))
    result = permutation_importance(make_seeded(name).fit(X, Y), X, Y, n_repeats=3, random_state=0)
    assert np.argmax(result.importances_mean) == 2
    assert np.abs(np.delete(result.importances_mean, 2)).max() < 0.1


@every_name
def test_cross_val_predict_and_several_scores(name, holes):
    X, Y = holes
    assert cross_val_predict(make_seeded(name), X, Y, cv=FOLDS).shape == Y.shape
    scoring = {short: make_multitask_scorer(short) for short in ("r2", "neg_mean_absolute_error")}
    result = cross_validate(make_seeded(name), X, Y, cv=FOLDS, scoring=scoring)
    assert all(np.isfinite(result[f"test_{short}"]).all() for short in scoring)


def test_selection_by_coefficients_keeps_the_feature_that_matters():
    X, _ = wide(n=60)
    Y = with_holes(np.column_stack([3 * X[:, 2], 3 * X[:, 2] + 1]))
    selector = SelectFromModel(MultiTaskRidge(), max_features=1, threshold=-np.inf).fit(X, Y)
    assert selector.get_support().tolist() == [False, False, True, False]


def test_partial_dependence_is_a_line_for_each_task(holes):
    model = MultiTaskRidge().fit(*holes)
    result = partial_dependence(model, holes[0], features=[1], kind="average")
    slopes = np.diff(result["average"], axis=1) / np.diff(result["grid_values"][0])
    np.testing.assert_allclose(slopes, model.coef_[:, [1]] * np.ones_like(slopes), rtol=1e-6)


def test_a_regressor_inside_the_baselines_may_be_any_tool(holes):
    inner = GridSearchCV(make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": ALPHAS}, cv=3)
    for wrapper in (IndependentTasks, PooledTasks):
        assert np.isfinite(cross_val_score(wrapper(inner), *holes, cv=2)).all()


# long data


@every_name
@pytest.mark.parametrize("frame_of", [lambda f: f, pl.from_pandas], ids=["pandas", "polars"])
def test_text_ids_pass_through_a_column_transformer(name, frame_of, long):
    frame, y = long
    model = with_task_column(make_seeded(name), "site")
    pipe = scaled(model).fit(frame, y)
    Z = frame.copy()
    Z[NAMES] = StandardScaler().fit_transform(frame[NAMES])
    expected = clone(model).fit(Z[[*NAMES, "site"]], y)
    assert_close(pipe.predict(frame), expected.predict(Z[[*NAMES, "site"]]))
    other = make_pipeline(FunctionTransformer(), model).fit(frame_of(frame), y)
    assert np.isfinite(other.score(frame_of(frame), y))


@every_regressor
@pytest.mark.parametrize(
    "scoring", [None, "r2", "neg_mean_squared_error", make_multitask_scorer("r2")], ids=str
)
def test_every_scorer_reads_long_data(name, scoring, long):
    frame, y = long
    pipe = scaled(with_task_column(make_seeded(name), "site"))
    cv = MultiTaskKFold(3, task_column="site", random_state=0)
    scores = cross_val_score(pipe, frame, y, cv=cv, scoring=scoring)
    assert np.isfinite(scores).all()


def test_the_default_score_of_long_data_is_the_mean_over_tasks(long):
    frame, y = long
    pipe = scaled(MultiTaskRidge(task_column="site"))
    cv = MultiTaskKFold(3, task_column="site", random_state=0)
    own = cross_val_score(pipe, frame, y, cv=cv)
    np.testing.assert_allclose(
        own, cross_val_score(pipe, frame, y, cv=cv, scoring=make_multitask_scorer("r2"))
    )
    pooled = cross_val_score(pipe, frame, y, cv=cv, scoring="r2")
    assert not np.allclose(own, pooled)


def test_searches_over_long_data_tell_alphas_apart(long):
    frame, y = long
    search = GridSearchCV(
        scaled(MultiTaskRidge(task_column="site")),
        {"multitaskridge__alpha_specific": ALPHAS},
        cv=MultiTaskKFold(3, task_column="site", random_state=0),
    ).fit(frame, y)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert len(np.unique(scores)) == len(ALPHAS)
    assert np.isfinite(search.score(frame, y))


@every_regressor
def test_permutation_importance_of_long_data_includes_the_task(name, long):
    frame, y = long
    model = with_task_column(make_seeded(name), "site").fit(frame, y)
    result = permutation_importance(model, frame, y, n_repeats=2, random_state=0)
    assert np.isfinite(result.importances_mean).all()
    # the tasks' levels differ by more than their spread
    assert result.importances_mean[list(frame.columns).index("site")] > 0.1


def test_a_split_that_loses_a_task_is_predicted_by_the_shared_part(long):
    frame, y = long
    splits = [
        (np.flatnonzero(frame["site"] != site), np.flatnonzero(frame["site"] == site))
        for site in frame["site"].unique()
    ]
    model = MultiTaskRidge(task_column="site", unknown_task="shared")
    scores = cross_val_score(model, frame, y, cv=splits)
    assert np.isfinite(scores).all()
    with pytest.raises(ValueError, match="was not seen in fit"):
        cross_val_score(
            model.set_params(unknown_task="error"), frame, y, cv=splits, error_score="raise"
        )


@every_name
def test_several_jobs_give_the_scores_of_one(name, holes):
    model = make_seeded(name)
    cv = ShuffleSplit(2, random_state=0)
    one = cross_val_score(model, *holes, cv=cv)
    with joblib.parallel_backend("threading"):
        several = cross_val_score(model, *holes, cv=cv, n_jobs=2)
    np.testing.assert_allclose(several, one)
