"""The classifiers inside scikit-learn's tools, with missing labels, long data and single tasks."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from _classification import binary, several
from _properties import assert_close, response
from _samplers import as_long, with_holes
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    RandomizedSearchCV,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    learning_curve,
    validation_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmtl import (
    IndependentTasks,
    MultiTaskLogisticRegression,
    MultiTaskLogisticRegressionCV,
    MultiTaskRidgeClassifier,
    PooledTasks,
)
from skmtl.metrics import make_multitask_scorer
from skmtl.model_selection import MultiTaskKFold, compare

SMALL = {"alphas_shared": [0.1, 10.0], "alphas_specific": [1.0, 9.0], "alphas_intercept": [1.0]}
MODELS = {
    "logistic": MultiTaskLogisticRegression(),
    "logistic-cv": MultiTaskLogisticRegressionCV(**SMALL),
    "ridge": MultiTaskRidgeClassifier(),
    "independent": IndependentTasks(LogisticRegression()),
    "pooled": PooledTasks(LogisticRegression()),
}
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
every_own = pytest.mark.parametrize("model", [MODELS["logistic"], MODELS["ridge"]], ids=str)
every_sample = pytest.mark.parametrize("sample", [binary, several])
LABEL_SCORES = ("accuracy", "balanced_accuracy")
SCORES = (*LABEL_SCORES, "roc_auc", "average_precision", "neg_log_loss", "neg_brier_score")
SEEDED = MultiTaskKFold(3, random_state=0)
pytestmark = pytest.mark.filterwarnings("ignore:the chosen")


@pytest.fixture
def holes():
    X, Y = binary(n=60)
    return X, with_holes(Y)


@pytest.fixture
def long():
    """(frame with a text column of sites and one of names, labels as text)."""
    X, Y = binary(n=40)
    table, y = as_long(X, with_holes(Y))
    frame = pd.DataFrame(table[:, :-1], columns=list("uvw"))
    frame.insert(1, "site", [f"site {int(t)}" for t in table[:, -1]])
    return frame, np.where(y > 0, "yes", "no")


def scaled(model):
    """The model behind a scaler of the features that lets the column of ids through."""
    scaler = ColumnTransformer(
        [("scale", StandardScaler(), make_column_selector(dtype_include="number"))],
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    return make_pipeline(scaler.set_output(transform="pandas"), model)


def long_model(model):
    return clone(model).set_params(task_column="site")


# wide labels with NaN


@every_model
@pytest.mark.parametrize("score", SCORES)
@every_sample
def test_scorers_by_name_score_what_is_observed(model, score, sample):
    X, Y = sample(n=60)
    if not hasattr(model, "predict_proba") and score not in LABEL_SCORES:
        pytest.skip("no probabilities")
    scorer = make_multitask_scorer(score)
    scores = cross_val_score(model, X, with_holes(Y), cv=SEEDED, scoring=scorer,
                             error_score="raise")  # fmt: skip
    assert np.isfinite(scores).all()
    low = {"neg_log_loss": -3.0, "neg_brier_score": -2.0}.get(score, 0.0)
    assert ((low < scores) & (scores <= 1)).all()


@every_model
def test_probabilities_rank_what_is_held_out(model, holes):
    if not hasattr(model, "predict_proba"):
        pytest.skip("no probabilities")
    scores = cross_val_score(model, *holes, cv=SEEDED, scoring=make_multitask_scorer("roc_auc"))
    assert scores.mean() > 0.7  # the labels are logistic in X


@pytest.mark.parametrize("search", [GridSearchCV, RandomizedSearchCV])
@pytest.mark.parametrize("score", [None, "neg_log_loss", "roc_auc"])
def test_searches_over_alphas_tell_them_apart_and_refit_the_best(search, score, holes):
    X, Y = holes
    name = "multitasklogisticregression"
    grid = {f"{name}__alpha_shared": [0.01, 1.0, 100.0], f"{name}__alpha_specific": [1.0, np.inf]}
    pipe = make_pipeline(StandardScaler(), MultiTaskLogisticRegression())
    scoring = None if score is None else make_multitask_scorer(score)
    options = {"n_iter": 6, "random_state": 0} if search is RandomizedSearchCV else {}
    fitted = search(pipe, grid, cv=SEEDED, scoring=scoring, **options).fit(X, Y)
    scores = fitted.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert len(np.unique(scores)) > 2
    again = clone(pipe).set_params(**fitted.best_params_).fit(X, Y)
    np.testing.assert_array_equal(
        np.hstack(fitted.predict_proba(X)), np.hstack(again.predict_proba(X))
    )


@pytest.mark.parametrize("missing_label", [-1, "?"])
@every_model
def test_labels_without_nan_need_no_splitter_of_ours(model, missing_label, holes):
    """scikit-learn's folds refuse NaN in y; a label that means missing passes them."""
    X, Y = holes
    if isinstance(model, (IndependentTasks, PooledTasks)):
        pytest.skip("its tests say so")
    if missing_label == -1:
        labels = np.nan_to_num(Y, nan=-1).astype(int)
    else:
        labels = np.select([Y == 0, Y == 1], ["no", "yes"], missing_label)
    model = clone(model).set_params(missing_label=missing_label)
    plain = clone(model).set_params(missing_label=np.nan)
    scores = cross_val_score(model, X, labels, cv=5, error_score="raise")
    np.testing.assert_allclose(scores, cross_val_score(plain, X, Y, cv=KFold(5)))
    search = GridSearchCV(model, {}, cv=5, scoring=make_multitask_scorer("accuracy"))
    assert search.fit(X, labels).best_score_ == pytest.approx(scores.mean())


TOOLS = {
    "scores": lambda model, X, Y, cv: cross_val_score(model, X, Y, cv=cv, error_score="raise"),
    "predictions": lambda model, X, Y, cv: cross_val_predict(model, X, Y, cv=cv),
    "curve": lambda model, X, Y, cv: learning_curve(
        model, X, Y, cv=cv, train_sizes=[0.5, 1.0], error_score="raise"
    )[2],
    "search": lambda model, X, Y, cv: (
        GridSearchCV(model, {"alpha_specific": [0.1, 10.0]}, cv=cv, error_score="raise")
        .fit(X, Y)
        .cv_results_["mean_test_score"]
    ),
}


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
@pytest.mark.parametrize("cv", [None, 3])
@every_own
def test_integer_folds_take_gaps_that_are_a_label(model, cv, tool, holes):
    X, Y = holes
    minus = clone(model).set_params(missing_label=-1)
    found = tool(minus, X, np.nan_to_num(Y, nan=-1).astype(int), cv)
    np.testing.assert_allclose(found, tool(model, X, Y, KFold(5 if cv is None else cv)))


@pytest.mark.parametrize("tool", [TOOLS["scores"], TOOLS["predictions"]], ids=list(TOOLS)[:2])
@every_own
def test_gaps_of_any_kind_are_one_thing_to_a_splitter_of_ours(model, tool, holes):
    X, Y = holes
    objects = np.where(np.isnan(Y), None, Y.astype(object))
    expected = tool(model, X, Y, SEEDED)
    np.testing.assert_allclose(tool(model, X, objects, SEEDED).astype(float), expected)
    np.testing.assert_allclose(tool(model, X, pd.DataFrame(Y).astype("Int64"), SEEDED), expected)


def test_folds_of_our_own_searches_take_gaps_and_those_that_do_not_are_told_so(holes):
    labelled = ~np.isnan(holes[1]).all(axis=1)  # our own folds leave other rows out
    X, Y = holes[0][labelled], holes[1][labelled]
    searches = [MultiTaskLogisticRegressionCV(cv=cv, **SMALL) for cv in (3, SEEDED)]
    scores = [search.fit(X, Y).best_score_ for search in searches]
    assert scores[0] == pytest.approx(scores[1])
    stratified = clone(searches[0]).set_params(cv=StratifiedKFold(3))
    message = (
        "cv cannot split these data by StratifiedKFold: .*NaN; an integer gives folds of Multi"
    )
    with pytest.raises(ValueError, match=message):
        stratified.fit(X, Y)
    with pytest.raises(ValueError, match=message):
        compare(X, Y, cv=StratifiedKFold(3), random_state=0)


@every_own
def test_learning_and_validation_curves_are_finite(model, holes):
    for rows in (holes, several()):
        sizes, train, test = learning_curve(model, *rows, cv=SEEDED, train_sizes=[0.3, 1.0])
        assert sizes[0] < sizes[1]
        assert np.isfinite(train).all()
        assert np.isfinite(test).all()
    options = {"param_name": "alpha_specific", "param_range": [1e-2, 1e4]}
    _, test = validation_curve(model, *holes, cv=SEEDED, **options)
    assert np.isfinite(test).all()


@every_model
def test_permutation_importance_finds_the_feature_that_matters(model, rng):
    X = rng.normal(size=(80, 4))
    Y = (X[:, [2]] > [-0.3, 0.0, 0.3]).astype(float)
    fitted = clone(model).fit(X, with_holes(Y))
    found = permutation_importance(fitted, X, with_holes(Y), n_repeats=3, random_state=0)
    assert np.argmax(found.importances_mean) == 2
    assert np.abs(np.delete(found.importances_mean, 2)).max() < 0.1


@every_own
@every_sample
def test_predictions_out_of_fold_are_those_of_the_folds(model, sample):
    X, Y = sample(n=60)
    cv = KFold(3)
    prediction = cross_val_predict(model, X, Y, cv=cv)
    assert prediction.shape == Y.shape
    for train, test in cv.split(X):
        expected = clone(model).fit(X[train], Y[train]).predict(X[test])
        np.testing.assert_array_equal(prediction[test], expected)


def test_weights_are_routed_to_fit_and_score(holes):
    X, Y = holes
    weight = np.where(np.arange(len(X)) % 2, 1.0, 0.0)
    spoiled = np.where(weight[:, None] > 0, Y, 1 - Y)
    with sklearn.config_context(enable_metadata_routing=True):
        model = MultiTaskLogisticRegression().set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        scorer = make_multitask_scorer("neg_log_loss").set_score_request(sample_weight=True)
        for scoring in (None, scorer):
            routed = [
                cross_val_score(model, X, labels, cv=KFold(3), scoring=scoring,
                                params={"sample_weight": weight})
                for labels in (Y, spoiled)
            ]  # fmt: skip
            np.testing.assert_allclose(*routed)
        pipe = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), model)
        fits = [pipe.fit(X, labels, sample_weight=weight).predict(X) for labels in (Y, spoiled)]
        np.testing.assert_array_equal(*fits)


# a single task is a classifier like any other


@every_own
@every_sample
@pytest.mark.parametrize("ensemble", [True, False])
def test_one_task_is_calibrated(model, sample, ensemble):
    X, Y = sample(n=90)
    names = np.array(["no", "yes", "very"])[Y[:, 0].astype(int)]
    calibrated = CalibratedClassifierCV(clone(model), cv=3, ensemble=ensemble).fit(X, names)
    P = calibrated.predict_proba(X)
    np.testing.assert_allclose(P.sum(axis=1), 1.0)
    shares = [np.mean(names == c) for c in calibrated.classes_]
    np.testing.assert_allclose(P.mean(axis=0), shares, atol=0.1)
    assert log_loss(names, P, labels=calibrated.classes_) < log_loss(
        names, np.tile(shares, (90, 1)), labels=calibrated.classes_
    )


@every_own
def test_one_task_goes_into_ensembles_thresholds_and_selections(model):
    X, Y = binary(n=60)
    names = np.where(Y[:, 0] > 0, "yes", "no")
    tools = [
        BaggingClassifier(clone(model), n_estimators=3, random_state=0),
        VotingClassifier([("a", clone(model)), ("b", LogisticRegression())]),
        StackingClassifier([("a", clone(model)), ("b", LogisticRegression())]),
        RFE(clone(model), n_features_to_select=2),
        make_pipeline(SelectFromModel(clone(model), max_features=2), LogisticRegression()),
    ]
    for tool in tools:
        assert tool.fit(X, names).score(X, names) > 0.6
    tuned = TunedThresholdClassifierCV(clone(model), cv=3).fit(X, Y[:, 0].astype(int))
    assert np.isfinite(tuned.best_threshold_)


@every_own
@pytest.mark.parametrize("scoring", ["accuracy", "roc_auc", "f1", "average_precision"])
def test_one_task_is_scored_by_scikit_learns_own_scorers(model, scoring):
    X, Y = binary(n=60)
    scores = cross_val_score(model, X, Y[:, 0].astype(int), cv=3, scoring=scoring)
    assert (scores > 0.4).all()


def test_partial_dependence_of_one_task_rises_with_its_coefficient():
    X, Y = binary(n=60)
    model = MultiTaskLogisticRegression().fit(X, Y[:, 0].astype(int))
    for j in range(3):
        found = partial_dependence(model, X, [j], kind="average")["average"][0]
        assert (np.sign(np.diff(found)) == np.sign(model.coef_[0, j])).all()


# long data


@pytest.mark.slow
@every_model
@pytest.mark.parametrize("score", [None, *SCORES])
def test_every_scorer_reads_long_data_behind_a_scaler(model, score, long):
    frame, y = long
    if not hasattr(model, "predict_proba") and score not in (None, *LABEL_SCORES):
        pytest.skip("no probabilities")
    cv = MultiTaskKFold(3, task_column="site", random_state=0)
    scoring = None if score is None else make_multitask_scorer(score)
    scores = cross_val_score(
        scaled(long_model(model)), frame, y, cv=cv, scoring=scoring, error_score="raise"
    )
    assert np.isfinite(scores).all()


@every_own
def test_pipelines_of_long_data_equal_their_steps(model, long):
    frame, y = long
    pipe = scaled(long_model(model)).fit(frame, y)
    Z = frame.copy()
    Z[list("uvw")] = StandardScaler().fit_transform(frame[list("uvw")])
    expected = long_model(model).fit(Z[["u", "v", "w", "site"]], y)
    np.testing.assert_array_equal(pipe.predict(frame), expected.predict(Z[["u", "v", "w", "site"]]))
    assert_close(
        response(pipe[-1], Z[["u", "v", "w", "site"]]),
        response(expected, Z[["u", "v", "w", "site"]]),
    )
    assert pipe.classes_.tolist() == ["no", "yes"]


@every_own
def test_permutation_importance_of_long_data_includes_the_task(model, rng):
    frame = pd.DataFrame(rng.normal(size=(120, 2)), columns=["u", "v"])
    frame["site"] = rng.choice(["a", "b"], 120)
    y = (frame["u"] * np.where(frame["site"] == "a", 1, -1) > 0).to_numpy().astype(int)
    fitted = long_model(model).fit(frame, y)
    found = permutation_importance(fitted, frame, y, n_repeats=3, random_state=0)
    assert (found.importances_mean[[0, 2]] > 0.2).all()  # the slope turns with the task
    assert abs(found.importances_mean[1]) < 0.1


def test_a_split_that_loses_a_task_is_predicted_by_the_shared_part(rng):
    frame = pd.DataFrame(rng.normal(size=(120, 2)), columns=["u", "v"])
    frame["site"] = rng.choice(["a", "b", "c"], 120)
    y = np.where(frame["u"] > 0, "yes", "no")
    splits = [(np.flatnonzero(frame["site"] != site), np.flatnonzero(frame["site"] == site))
              for site in "abc"]  # fmt: skip
    model = MultiTaskLogisticRegression(task_column="site", unknown_task="shared")
    assert cross_val_score(model, frame, y, cv=splits).min() > 0.9
    with pytest.raises(ValueError, match="was not seen in fit"):
        cross_val_score(
            model.set_params(unknown_task="error"), frame, y, cv=splits, error_score="raise"
        )


# as objects


@every_model
@every_sample
@pytest.mark.parametrize("kind", ["wide", "long", "single"])
def test_fitted_classifiers_are_pickled_cloned_and_shown(model, sample, kind):
    X, Y = sample()
    if kind == "long":
        table, y = as_long(X, Y)
        X, Y, model = pd.DataFrame(table).add_prefix("x"), y, clone(model)
        model.set_params(task_column="x3")
    if kind == "single":
        Y = Y[:, 0]
    fitted = clone(model).fit(X, Y)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
    assert again.score(X, Y) == fitted.score(X, Y)
    assert not hasattr(clone(fitted), "classes_")
    assert clone(fitted).get_params().keys() == model.get_params().keys()
    assert type(model).__name__ in fitted._repr_html_()
    assert type(model).__name__ in repr(fitted)


def test_frames_out_of_a_transformer_are_read_and_their_names_kept():
    X, Y = binary()
    frame = pd.DataFrame(X, columns=list("uvw"))
    pipe = make_pipeline(StandardScaler(), MultiTaskLogisticRegression())
    pipe.set_output(transform="pandas").fit(frame, pd.DataFrame(Y, columns=list("abc")))
    assert pipe[-1].feature_names_in_.tolist() == list("uvw")
    assert pipe[-1].tasks_ == list("abc")
    assert isinstance(pipe.predict(frame), np.ndarray)


@every_own
def test_several_jobs_give_the_scores_of_one(model, holes):
    one = cross_val_score(model, *holes, cv=SEEDED)
    with joblib.parallel_backend("threading"):
        np.testing.assert_array_equal(cross_val_score(model, *holes, cv=SEEDED, n_jobs=2), one)
