"""IndependentTasks and PooledTasks around classifiers."""

import pickle
import warnings

import array_api_strict
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier, is_regressor
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmtl import MultiTaskLogisticRegression
from skmtl.baselines import IndependentTasks, PooledTasks

ROUNDING = {"rtol": 1e-10, "atol": 1e-10}  # the same sums in another order
OPTIMUM = {"rtol": 0, "atol": 1e-7}  # two solvers, of gradients below 1e-10
EXACT = {"solver": "newton-cholesky", "tol": 1e-10}
BASELINES = {
    "independent": IndependentTasks,
    "dummies": PooledTasks,
    "pooled": lambda *args, **options: PooledTasks(*args, task_dummies=False, **options),
}
CLASSIFIERS = {
    "logistic": LogisticRegression(),
    "forest": RandomForestClassifier(5, random_state=0),
    "no-probabilities": LinearSVC(),
    "pipeline": make_pipeline(StandardScaler(), GaussianNB()),
    "search": GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2),
}
every_baseline = pytest.mark.parametrize("make", BASELINES.values(), ids=BASELINES)
every_classifier = pytest.mark.parametrize("inner", CLASSIFIERS.values(), ids=CLASSIFIERS)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def data(rng):
    """X, and labels "no" and "yes" of three tasks, None where there is none."""
    X = rng.normal(size=(60, 4))
    Z = X @ rng.normal(size=(4, 3)) + [0.0, 1.0, -1.0] + rng.normal(size=(60, 3))
    return X, hide(np.where(Z > 0, "yes", "no"), rng)


@pytest.fixture
def mixed(rng):
    """X, and labels of four tasks, of the classes abc, abc, bc and ad."""
    X = rng.normal(size=(80, 3))
    Z = X @ rng.normal(size=(3, 4)) + rng.normal(size=(80, 4))
    third = np.digitize(Z, [-0.6, 0.6])
    columns = ["abc", "abc", "bcc", "aad"]
    names = [np.array(list(letters))[third[:, t]] for t, letters in enumerate(columns)]
    return X, hide(np.column_stack(names), rng)


@pytest.fixture
def weight(rng):
    return rng.integers(0, 4, size=(60, 3)).astype(float)


def hide(Y, rng):
    Y = Y.astype(object)
    Y[rng.random(Y.shape) < 0.3] = None
    return Y


def observed(Y):
    return np.not_equal(Y, None)


def as_long(X, Y, ids="abcd", S=None):
    """Rows in mixed order with the id in the last column, their labels and weights."""
    row, task = np.nonzero(observed(Y))
    mix = np.random.default_rng(1).permutation(len(row))
    row, task = row[mix], task[mix]
    return (
        rows_of(X[row], np.array(list(ids))[task]),
        Y[row, task],
        None if S is None else S[row, task],
    )


def rows_of(X, ids):
    """X with these ids, or this id, in a column behind it."""
    return np.column_stack([X.astype(object), np.broadcast_to(np.array(ids, dtype=object), len(X))])


def fit_with_warnings(model, *args):
    """The model, and its warnings, all of which point here."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(*args)
    assert {(w.category, w.filename) for w in caught} <= {(UserWarning, __file__)}
    return model, [str(w.message) for w in caught]


@pytest.mark.filterwarnings("ignore:task 0 has labels of one class only")
@parametrize_with_checks(
    [
        IndependentTasks(LogisticRegression()),
        IndependentTasks(LinearSVC()),
        PooledTasks(LinearSVC()),
        PooledTasks(HistGradientBoostingClassifier(max_iter=3), task_dummies=False),
    ]
)
def test_scikit_learn_checks_pass(estimator, check):
    check(estimator)


@every_baseline
def test_the_kind_is_that_of_the_inner_estimator(make):
    for inner in CLASSIFIERS.values():
        assert is_classifier(make(inner)) and not is_regressor(make(inner))
    assert is_regressor(make(Ridge())) and not is_classifier(make(Ridge()))
    binary = make(FixedThresholdClassifier(LogisticRegression())).__sklearn_tags__()
    assert not binary.classifier_tags.multi_class


@every_baseline
def test_probabilities_are_there_where_the_classifier_has_them(make, data):
    for name, inner in CLASSIFIERS.items():
        model = make(inner)
        for fitted in (model, model.fit(*data)):
            assert hasattr(fitted, "predict_proba") == (name != "no-probabilities")
            assert hasattr(fitted, "predict_log_proba") == (name != "no-probabilities")
            assert not hasattr(fitted, "decision_function")
    chosen = GridSearchCV(make_pipeline(GaussianNB()), {"gaussiannb": [LinearSVC()]}, cv=2)
    assert not hasattr(make(chosen).fit(*data), "predict_proba")
    assert not hasattr(make(Ridge()), "predict_proba")


@every_baseline
@pytest.mark.parametrize("name", ["logistic", "no-probabilities", "pipeline"])
def test_long_rows_equal_wide_labels(make, name, data):
    # forests and splits of a search follow the order of the rows
    X, Y = data
    inner = CLASSIFIERS[name]
    wide = make(inner).fit(X, Y)
    long = make(inner, task_column=-1).fit(*as_long(X, Y, "pqr")[:2])
    assert long.tasks_ == ["p", "q", "r"] and long.n_features_in_ == 5
    for t, task in enumerate("pqr"):
        np.testing.assert_array_equal(long.predict(rows_of(X, task)), wide.predict(X)[:, t])
        if hasattr(wide, "predict_proba"):
            P = long.predict_proba(rows_of(X, task))
            np.testing.assert_allclose(P, wide.predict_proba(X)[t], rtol=0, atol=1e-4)  # lbfgs


@every_baseline
def test_weights_are_frequencies(make, data, weight):
    X, Y = data
    row, task = np.nonzero(observed(Y))
    times = weight[row, task].astype(int)
    row, task = np.repeat(row, times), np.repeat(task, times)
    repeated = np.full((len(row), 3), None)
    repeated[np.arange(len(row)), task] = Y[row, task]
    inner = LogisticRegression(**EXACT)
    expected, model = make(inner).fit(X[row], repeated), make(inner).fit(X, Y, weight)
    np.testing.assert_allclose(model.predict_proba(X), expected.predict_proba(X), **OPTIMUM)
    assert model.score(X, Y, weight) == pytest.approx(model.score(X[row], repeated))


@every_baseline
@every_classifier
def test_shapes_follow_y(make, inner, data):
    X, Y = data
    y = np.where(observed(Y[:, 0]), Y[:, 0], "no")
    flat, column, wide = (make(inner).fit(X, labels) for labels in (y, y[:, None], Y))
    assert flat.predict(X).shape == (60,) and column.predict(X).shape == (60, 1)
    assert wide.predict(X).shape == (60, 3)
    assert flat.classes_.tolist() == ["no", "yes"]
    assert [c.tolist() for c in column.classes_] == [["no", "yes"]]
    assert [c.tolist() for c in wide.classes_] == [["no", "yes"]] * 3
    np.testing.assert_array_equal(flat.predict(X), column.predict(X)[:, 0])
    if hasattr(flat, "predict_proba"):
        assert flat.predict_proba(X).shape == (60, 2)
        np.testing.assert_array_equal(column.predict_proba(X), [flat.predict_proba(X)])
        assert [P.shape for P in wide.predict_proba(X)] == [(60, 2)] * 3


@every_baseline
@every_classifier
def test_tasks_have_classes_of_their_own(make, inner, mixed):
    X, Y = mixed
    model = make(inner).fit(X, Y)
    assert ["".join(own) for own in model.classes_] == ["abc", "abc", "bc", "ad"]
    Z = model.predict(X)
    for t, own in enumerate(model.classes_):
        assert set(Z[:, t]) <= set(own)
    long = make(inner, task_column=-1).fit(*as_long(X, Y)[:2])
    assert "".join(long.classes_) == "abcd"
    assert set(long.predict(rows_of(X, "d"))) <= set("ad")
    if not hasattr(model, "predict_proba"):
        return
    for own, P, log in zip(
        model.classes_, model.predict_proba(X), model.predict_log_proba(X), strict=True
    ):
        assert P.shape == (80, len(own))
        np.testing.assert_allclose(P.sum(axis=1), 1.0, **ROUNDING)
        np.testing.assert_allclose(np.exp(log), P, **ROUNDING)
    P = long.predict_proba(rows_of(X, "d"))
    assert P.shape == (80, 4) and (P[:, [1, 2]] == 0).all()
    np.testing.assert_allclose(P.sum(axis=1), 1.0, **ROUNDING)
    assert (long.predict_log_proba(rows_of(X, "d"))[:, [1, 2]] == -np.inf).all()


LABELS = {  # (label for "no", for "yes", missing_label, type of predictions)
    "float": (0.0, 1.0, np.nan, "f"),
    "integer": (0, 1, -1, "i"),
    "boolean": (False, True, None, "b"),
    "text": ("no", "yes", "", "U"),
    "object": ("no", "yes", None, "U"),
}


@every_baseline
@pytest.mark.parametrize("no, yes, missing, kind", LABELS.values(), ids=LABELS)
def test_labels_of_any_type_are_predicted_in_kind(make, no, yes, missing, kind, data):
    X, Y = data
    names = {"no": no, "yes": yes, None: missing}
    cells = [[names[label] for label in row] for row in Y.tolist()]
    labels = np.array(cells, dtype=None if kind in "fi" or missing == "" else object)
    model = make(LogisticRegression(), missing_label=missing).fit(X, labels)
    expected = make(LogisticRegression()).fit(X, Y)
    Z = model.predict(X)
    assert Z.dtype.kind == kind and {own.dtype.kind for own in model.classes_} == {kind}
    np.testing.assert_array_equal(Z == yes, expected.predict(X) == "yes")
    assert model.score(X, labels) == expected.score(X, Y)


@every_baseline
def test_the_classifier_is_given_the_users_labels(make, data):
    X, Y = data
    heavy = make(LogisticRegression(class_weight={"no": 1.0, "yes": 1e6})).fit(X, Y)
    assert (heavy.predict(X) == "yes").all()
    models = heavy.estimators_ if make is IndependentTasks else [heavy.estimator_]
    assert [model.classes_.tolist() for model in models] == [["no", "yes"]] * len(models)


@every_baseline
def test_score_is_the_mean_of_the_tasks_accuracies(make, mixed):
    X, Y = mixed
    model = make(GaussianNB()).fit(X, Y)
    Z, seen = model.predict(X), observed(Y)
    s = np.arange(80) % 3
    alone = [
        accuracy_score(Y[seen[:, t], t].astype(str), Z[seen[:, t], t], sample_weight=s[seen[:, t]])
        for t in range(4)
    ]
    assert model.score(X, Y, s) == pytest.approx(np.mean(alone))


@every_baseline
def test_missing_features_reach_a_classifier_that_takes_them(make, data):
    X, Y = data
    X = np.where(X > 1, np.nan, X)
    table, y, _ = as_long(X, Y)
    trees = HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=2)
    assert np.isfinite(make(trees).fit(X, Y).predict_proba(X)).all()
    assert np.isfinite(make(trees, task_column=-1).fit(table, y).predict_proba(table)).all()
    with pytest.raises(ValueError, match="Input X contains NaN"):
        make(LogisticRegression()).fit(X, Y)


@every_baseline
def test_float32_is_kept(make, data):
    X, Y = data
    X = X.astype(np.float32)
    P = make(LogisticRegression()).fit(X, Y).predict_proba(X)
    assert {part.dtype for part in P} == {np.dtype(np.float32)}


@every_baseline
def test_read_only_input_is_only_read(make, mixed):
    X, Y = mixed
    before = X.copy(), Y.copy()
    X.flags.writeable = Y.flags.writeable = False
    model = make(GaussianNB()).fit(X, Y)
    assert np.isfinite(model.score(X, Y)) and len(model.predict_proba(X)) == 4
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(Y, before[1])


@every_baseline
def test_array_api_input_is_computed_with_numpy(make, data):
    X, Y = data
    codes = np.where(observed(Y), Y == "yes", np.nan).astype(float)
    device = array_api_strict.Device("device1")
    X_there, Y_there = (array_api_strict.asarray(array, device=device) for array in (X, codes))
    model = make(LogisticRegression()).fit(X_there, Y_there)
    expected = make(LogisticRegression()).fit(X, codes)
    np.testing.assert_array_equal(model.predict(X_there), expected.predict(X))
    np.testing.assert_array_equal(model.predict_proba(X_there), expected.predict_proba(X))
    assert model.score(X_there, Y_there) == expected.score(X, codes)


@every_baseline
def test_frames_give_names(make, data):
    X, Y = data
    expected = make(LogisticRegression()).fit(X, Y).predict_proba(X)
    for kind in (
        pd.DataFrame,
        lambda x, columns: pl.DataFrame(x, schema=list(columns), orient="row"),
    ):
        frame, labels = kind(X, columns=list("uvwx")), kind(Y, columns=list("pqr"))
        model = make(LogisticRegression()).fit(frame, labels)
        assert model.tasks_ == ["p", "q", "r"] and list(model.feature_names_in_) == list("uvwx")
        np.testing.assert_allclose(model.predict_proba(frame), expected, **ROUNDING)
        assert model.score(frame, labels) == pytest.approx(model.score(frame, Y))


@every_baseline
def test_copies_predict_alike(make, mixed):
    X, Y = mixed
    model = make(LogisticRegression()).fit(X, Y)
    for copy in (pickle.loads(pickle.dumps(model)), clone(model).fit(X, Y)):
        np.testing.assert_array_equal(copy.predict(X), model.predict(X))


@every_baseline
def test_a_fit_of_the_other_kind_leaves_nothing_of_the_last(make, data):
    X, Y = data
    model, targets = make(LogisticRegression()).fit(X, Y), X[:, :3] ** 2
    model.set_params(estimator=Ridge()).fit(X, targets)
    assert vars(model).keys() == vars(make(Ridge()).fit(X, targets)).keys()
    np.testing.assert_array_equal(model.predict(X), make(Ridge()).fit(X, targets).predict(X))
    assert not hasattr(model, "classes_")


@every_baseline
def test_grid_search_reaches_the_inner_parameters(make, data):
    X, Y = data
    Y = np.where(observed(Y), np.where(X[:, :1] > 0, "yes", "no"), None)
    grid = {"estimator__C": [1e-5, 1.0]}
    search = GridSearchCV(make(LogisticRegression()), grid, cv=KFold(3)).fit(X, Y)
    assert search.best_params_ == {"estimator__C": 1.0}
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    numbers = np.where(observed(Y), Y == "yes", -1).astype(int)  # an integer cv takes no NaN
    same = GridSearchCV(make(LogisticRegression(), missing_label=-1), grid, cv=3).fit(X, numbers)
    np.testing.assert_allclose(
        same.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"]
    )


# equalities


def test_independent_tasks_equal_one_fit_for_each(mixed):
    X, Y = mixed
    s = 1.0 + np.arange(80) % 3
    model = IndependentTasks(LogisticRegression()).fit(X, Y, s)
    for t, P in enumerate(model.predict_proba(X)):
        seen = observed(Y[:, t])
        alone = LogisticRegression().fit(X[seen], Y[seen, t].astype(str), s[seen])
        np.testing.assert_array_equal(P, alone.predict_proba(X))
        np.testing.assert_array_equal(model.predict(X)[:, t], alone.predict(X))


@pytest.mark.parametrize("dummies", [False, True])
def test_pooled_tasks_equal_one_fit_of_all_within_the_classes_of_each(dummies, mixed):
    X, Y = mixed
    task, row = np.nonzero(observed(Y).T)
    beside = [X, np.zeros((80, 4))] if dummies else [X]
    design = np.hstack(beside)[row]
    if dummies:
        design[np.arange(len(row)), 3 + task] = 1.0
    alone = LogisticRegression(**EXACT).fit(design, Y[row, task].astype(str))
    model = PooledTasks(LogisticRegression(**EXACT), task_dummies=dummies).fit(X, Y)
    for t, own in enumerate(model.classes_):
        query = np.hstack(beside)
        if dummies:
            query[:, 3 + t] = 1.0
        P = alone.predict_proba(query)[:, np.searchsorted(alone.classes_, own)]
        P /= P.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(model.predict_proba(X)[t], P, **ROUNDING)
        np.testing.assert_array_equal(model.predict(X)[:, t], own[P.argmax(axis=1)])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "baseline, alphas",
    [
        (IndependentTasks, (np.inf, 0.5, 0.0)),
        (PooledTasks, (0.5, np.inf, 0.5)),
        (BASELINES["pooled"], (0.5, np.inf, np.inf)),
    ],
    ids=BASELINES,
)
def test_baselines_are_limits_of_multi_task_logistic_regression(
    baseline, alphas, n_classes, weighted, rng
):
    X = rng.normal(size=(70, 3)) + 2.0
    Z = (X - 2) @ rng.normal(size=(3, 3)) + rng.normal(size=(70, 3)) + [-0.3, 0.0, 0.4]
    Y = hide(np.digitize(Z, [-0.5, 0.5] if n_classes == 3 else [0.0]), rng)
    S = rng.integers(1, 4, size=Y.shape).astype(float) if weighted else None
    model = MultiTaskLogisticRegression(*alphas[:2], alpha_intercept=alphas[2], tol=1e-10)
    # scikit-learn's C is 1/alpha
    wrapper = baseline(LogisticRegression(C=2.0, **EXACT))
    expected = model.fit(X, Y, S).predict_proba(X)
    np.testing.assert_allclose(wrapper.fit(X, Y, S).predict_proba(X), expected, **OPTIMUM)
    table, y, s = as_long(X, Y, S=S)
    expected = model.set_params(task_column=-1).fit(table, y, s).predict_proba(table)
    P = wrapper.set_params(task_column=-1).fit(table, y, s).predict_proba(table)
    np.testing.assert_allclose(P, expected, **OPTIMUM)


def test_a_label_is_the_classifiers_own_where_no_class_is_cut_off(data):
    X, Y = data
    strict = FixedThresholdClassifier(LogisticRegression(), threshold=0.9, pos_label="yes")
    for make in BASELINES.values():
        model = make(strict).fit(X, Y)
        sure = [P[:, 1] >= 0.9 for P in model.predict_proba(X)]
        np.testing.assert_array_equal(model.predict(X) == "yes", np.transpose(sure))


# classes that a task lacks in a pooled model


def test_scores_rank_a_tasks_own_classes_where_there_are_no_probabilities(mixed):
    X, Y = mixed
    model = PooledTasks(LinearSVC(), task_dummies=False).fit(X, Y)
    scores = model.estimator_.decision_function(X)
    for t, own in enumerate(model.classes_):
        columns = np.searchsorted(model.estimator_.classes_, own)
        expected = own[np.argmax(scores[:, columns], axis=1)]
        np.testing.assert_array_equal(model.predict(X)[:, t], expected)


@pytest.mark.parametrize(
    "inner",
    [
        VotingClassifier([("nb", GaussianNB()), ("svc", LinearSVC())], voting="hard"),
        SVC(decision_function_shape="ovo"),  # a score for each of the six pairs
    ],
    ids=["no-scores", "pairs"],
)
def test_a_classifier_that_does_not_rank_keeps_to_the_tasks_classes(inner, mixed):
    X, Y = mixed
    model = PooledTasks(inner, task_dummies=False).fit(X, Y)
    direct, Z = model.estimator_.predict(X), model.predict(X)
    for t, own in enumerate(model.classes_):
        has = np.isin(direct, own)
        assert set(Z[:, t]) <= set(own)
        np.testing.assert_array_equal(Z[has, t], direct[has])


def test_classes_that_the_pooled_model_holds_impossible_share_alike():
    X = np.arange(6.0)[:, None]
    Y = np.array([["a", None], ["b", None], ["a", None], ["b", None], [None, "c"], [None, "d"]])
    P = PooledTasks(KNeighborsClassifier(1), task_dummies=False).fit(X, Y).predict_proba(X)
    np.testing.assert_array_equal(P[0], [[1, 0], [0, 1], [1, 0], [0, 1], [0.5, 0.5], [0.5, 0.5]])
    np.testing.assert_array_equal(P[1], [[0.5, 0.5]] * 4 + [[1, 0], [0, 1]])


# tasks of which little is known


class CountFits(ClassifierMixin, BaseEstimator):
    """Refuses a single class, and remembers its labels."""

    def fit(self, X, y, sample_weight=None):
        if len(set(y)) < 2:
            raise ValueError("one class")
        self.classes_, self.y_ = np.unique(y), y
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[-1])

    def predict_proba(self, X):
        return np.tile([0.25, 0.75], (len(X), 1))


@every_baseline
def test_a_task_of_one_class_predicts_it_and_says_so(make, data):
    X, Y = data
    Y = np.column_stack([Y, np.where(observed(Y[:, 0]), "no", None)])
    model, said = fit_with_warnings(make(CountFits()), X, Y)
    assert len(said) == 1 and said[0].startswith("task 3 has labels of one class only, 'no'")
    assert (model.predict(X) == ["yes", "yes", "yes", "no"]).all()
    assert model.classes_[3].tolist() == ["no", "yes"]
    P = model.predict_proba(X)[3]
    if make is IndependentTasks:
        assert isinstance(model.estimators_[3], DummyClassifier)
        assert (P == [1.0, 0.0]).all()
    else:
        assert len(model.estimator_.y_) == observed(Y).sum()
        assert (P == [0.25, 0.75]).all()


@every_baseline
def test_a_class_that_only_its_task_has_is_certain(make, data):
    X, Y = data
    Y = np.column_stack([Y, np.full(60, "maybe")])
    model, said = fit_with_warnings(make(CountFits()), X, Y)
    assert len(said) == 1 and "'maybe'" in said[0]
    assert [own.tolist() for own in model.classes_] == [["no", "yes"]] * 3 + [["maybe"]]
    assert (model.predict(X)[:, 3] == "maybe").all()
    np.testing.assert_array_equal(model.predict_proba(X)[3], np.ones((60, 1)))
    if make is not IndependentTasks:
        assert len(model.estimator_.y_) == observed(Y[:, :3]).sum()
    long, _ = fit_with_warnings(make(CountFits(), task_column=-1), *as_long(X, Y)[:2])
    assert long.classes_.tolist() == ["maybe", "no", "yes"]
    assert (long.predict_proba(rows_of(X, "d")) == [1.0, 0.0, 0.0]).all()


@every_baseline
@pytest.mark.parametrize("inner", [CountFits(), LinearSVC()])
def test_tasks_that_all_have_one_class_are_fitted(make, inner, data):
    X = data[0]
    Y = np.tile(np.array([["a", "b", "a"]]), (60, 1))
    model, said = fit_with_warnings(make(inner), X, Y)
    assert len(said) == 1 and "task 0 (and 2 more)" in said[0]
    np.testing.assert_array_equal(model.predict(X), Y)
    assert model.score(X, Y) == 1.0
    assert hasattr(model, "predict_proba") == isinstance(inner, CountFits)
    long = make(inner, task_column=-1, unknown_task="shared")
    long, _ = fit_with_warnings(long, *as_long(X, Y.astype(object))[:2])
    assert (long.predict(rows_of(X, "new")) == "a").all()


@every_baseline
@pytest.mark.parametrize("inner", [LogisticRegression(), LinearSVC()])
def test_unseen_ids_are_predicted_as_a_task_without_labels(make, inner, mixed):
    X, Y = mixed
    table, y, _ = as_long(X, np.column_stack([Y[:, :3], Y[:, 0]]))
    silent = (table[:, -1] != "d").astype(float)  # task d has rows, but no label of weight
    model = make(inner, task_column=-1, unknown_task="shared")
    model, said = fit_with_warnings(model, table, y, silent)
    assert len(said) == 1 and "task 'd' has no label" in said[0]
    queries = rows_of(X, "d"), rows_of(X, "new")
    np.testing.assert_array_equal(*map(model.predict, queries))
    if hasattr(model, "predict_proba"):
        np.testing.assert_array_equal(*map(model.predict_proba, queries))
    wide, _ = fit_with_warnings(make(inner), X, np.column_stack([Y[:, :3], np.full(80, None)]))
    assert "".join(wide.classes_[3]) == "abc"
    np.testing.assert_array_equal(wide.predict(X)[:, 3], model.predict(queries[1]))


def test_an_unknown_task_gets_the_mean_of_the_probabilities_of_tasks_like_most(mixed):
    X, Y = mixed
    Y = np.column_stack([Y, np.full(80, "b"), np.full(80, None)])  # abc, abc, bc, ad, b, nothing
    model, said = fit_with_warnings(IndependentTasks(LogisticRegression()), X, Y)
    assert len(said) == 2
    P = model.predict_proba(X)
    assert "".join(model.classes_[4]) == "".join(model.classes_[5]) == "abc"
    np.testing.assert_allclose(P[5], (P[0] + P[1] + [0.0, 1.0, 0.0]) / 3, **ROUNDING)
    expected = model.classes_[5][P[5].argmax(axis=1)]
    np.testing.assert_array_equal(model.predict(X)[:, 5], expected)


def test_an_unknown_task_gets_the_vote_where_there_are_no_probabilities(data):
    X, Y = data
    Y = np.column_stack([Y, np.full(60, None)])
    Z = fit_with_warnings(IndependentTasks(LinearSVC()), X, Y)[0].predict(X)
    votes = (Z[:, :3] == "yes").sum(axis=1)
    assert 0 < (votes == 1).sum() and 0 < (votes == 2).sum()
    np.testing.assert_array_equal(Z[:, 3] == "yes", votes >= 2)


def test_zero_dummies_leave_the_common_part_of_a_pooled_classifier(mixed):
    X, Y = mixed
    model = PooledTasks(LogisticRegression(), task_column=-1, unknown_task="shared")
    model.fit(*as_long(X, Y)[:2])
    P = model.estimator_.predict_proba(np.hstack([X, np.zeros((80, 4))]))[:, :3]
    P /= P.sum(axis=1, keepdims=True)
    new = model.predict_proba(rows_of(X, "new"))
    np.testing.assert_allclose(new, np.column_stack([P, np.zeros(80)]), **ROUNDING)
    np.testing.assert_array_equal(
        model.predict(rows_of(X, "new")), np.array(list("abc"))[P.argmax(axis=1)]
    )


# errors


class PredictsX(CountFits):
    def predict(self, X):
        return np.full(len(X), "x")


@every_baseline
def test_wrong_input_is_named(make, data, weight):
    X, Y = data
    with pytest.raises(ValueError, match="Unknown label type"):
        make(LogisticRegression()).fit(X, X[:, :2])
    with pytest.raises(ValueError, match="y holds no observed label"):
        make(LogisticRegression()).fit(X, np.full((60, 2), None))
    with pytest.raises(ValueError, match="contains NaN in row 3"):
        make(LogisticRegression()).fit(X, np.where(np.arange(60) == 3, None, "no"))
    with pytest.raises(TypeError, match=r"KNeighborsClassifier.*'sample_weight'"):
        make(KNeighborsClassifier(2)).fit(X, Y, weight)
    with pytest.raises(ValueError, match="estimator predicts 'x', which is none of the labels"):
        make(PredictsX()).fit(X, Y).predict(X)


@every_baseline
@pytest.mark.parametrize("inner", [LogisticRegression(), Ridge()])
@pytest.mark.parametrize("value", [["no"], np.array([1, 2]), {"no": 1}], ids=str)
def test_missing_label_is_one_label_of_both_kinds(make, inner, value, data):
    X = data[0]
    with pytest.raises(TypeError, match="missing_label must be one label"):
        make(inner, missing_label=value).fit(X, X[:, :2] > 0)


def test_a_failing_fit_names_its_task(data):
    X, Y = data
    Y[10:, 1] = None
    inner = GridSearchCV(LogisticRegression(), {"C": [1.0, 2.0]}, cv=12)
    with pytest.raises(ValueError, match="n_splits=12") as caught:
        IndependentTasks(inner).fit(X, pd.DataFrame(Y, columns=["p", "q", "r"]))
    assert any("task 'q'" in note for note in caught.value.__notes__)
