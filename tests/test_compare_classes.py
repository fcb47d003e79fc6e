import json
from copy import copy

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer, log_loss, roc_auc_score
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skmtl import MultiTaskLogisticRegression, MultiTaskLogisticRegressionCV, MultiTaskRidge
from skmtl.baselines import IndependentTasks, PooledTasks
from skmtl.inspection import ComparisonDisplay
from skmtl.metrics import make_multitask_scorer, multitask_log_loss, multitask_roc_auc_score
from skmtl.model_selection import (
    Comparison,
    MultiTaskKFold,
    MultiTaskShuffleSplit,
    compare,
    compare_by_rows,
)
from skmtl.model_selection._estimators import simple_classifiers

SIMPLE = ["pooled", "pooled + dummies", "independent", "independent, one alpha"]
REFERENCE = "MultiTaskLogisticRegressionCV"
FEW = MultiTaskShuffleSplit(3, test_size=0.25, random_state=0)
# quick: two models without a search
QUICK = {
    "estimators": dict.fromkeys(SIMPLE[1:])
    | {
        REFERENCE: None,
        "pooled": PooledTasks(LogisticRegression(), task_dummies=False),
        "mine": MultiTaskLogisticRegression(),
    },
    "reference": "mine",
}


def long_data(seed=1, n_tasks=4, n=24, p=3, own=0.5, level=0.5, noise=1.0):
    """Rows of tasks with similar coefficients and levels of their own; labels 0 and 1."""
    rng = np.random.default_rng(seed)
    X, codes = rng.normal(3, 2, size=(n * n_tasks, p)), np.repeat(np.arange(n_tasks), n)
    W = 0.5 * (rng.normal(size=p) + own * rng.normal(size=(n_tasks, p)))
    z = ((X - 3) * W[codes]).sum(axis=1) + level * rng.normal(size=n_tasks)[codes]
    y = (z + noise * rng.logistic(size=len(z)) > 0).astype(int)
    order = rng.permutation(len(y))
    return X[order], y[order], np.array([f"t{c}" for c in codes])[order]


def wide_data(seed=0, n=72, n_tasks=3, missing=0.2):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    Z = X @ (rng.normal(size=(3, 1)) + 0.5 * rng.normal(size=(3, n_tasks)))
    Y = (Z + rng.logistic(size=Z.shape) > 0).astype(float)
    Y[rng.random(Y.shape) < missing] = np.nan
    return X, Y


def split_long(cv, X, y, task):
    """The splits of a splitter that is told the tasks, as by `compare`."""
    cv = copy(cv)
    cv.task_column = 0
    return list(cv.split(np.column_stack([np.unique(task, return_inverse=True)[1], X]), y))


def loss_comparison(own, other, **changes):
    """A Comparison of the losses of "mine" and of the simple models "plain" and "bad"."""
    scores = {"plain": np.asarray(other, dtype=float), "bad": np.asarray(other) + 1.0}
    scores["mine"] = np.asarray(own, dtype=float)
    parts = {
        "scores": scores,
        "fit_seconds": dict.fromkeys(scores, 0.5),
        "task_scores": {name: np.array([0.1, np.nan]) for name in scores},
        "tasks": ["a", "b"],
        "n_labels": np.array([4, 5]),
        "reference": "mine",
        "simple": ["plain", "bad"],
        "scoring": "mean log loss",
        "test_train_ratio": 1 / 3,
        "task_scoring": "log loss",
        "greater_is_better": False,
    }
    return Comparison(**parts | changes)


def assert_same_scores(one, other, names, **tolerance):
    for name in names:
        np.testing.assert_allclose(one.scores[name], other.scores[name], **tolerance)
        np.testing.assert_allclose(
            one.log_loss.scores[name], other.log_loss.scores[name], **tolerance
        )


# what compare computes


@pytest.mark.filterwarnings("error")
def test_all_estimators_are_scored_by_auc_and_log_loss_of_the_same_fits():
    comparison = compare(*long_data(), cv=FEW)
    assert list(comparison.scores) == list(comparison.log_loss.scores) == [*SIMPLE, REFERENCE]
    assert comparison.scoring == "mean AUC" and comparison.log_loss.scoring == "mean log loss"
    assert comparison.simple == comparison.log_loss.simple == SIMPLE
    assert comparison.fit_seconds == comparison.log_loss.fit_seconds
    assert comparison.log_loss.log_loss is None
    for name in comparison.scores:
        assert ((comparison.scores[name] > 0) & (comparison.scores[name] <= 1)).all()
        assert (comparison.log_loss.scores[name] > 0).all()


def test_long_scores_equal_a_handwritten_loop():
    X, y, task = long_data()
    codes = np.unique(task, return_inverse=True)[1]
    auc, loss = [], []
    for train, test in split_long(FEW, X, y, codes):
        table = np.column_stack([StandardScaler().fit(X[train]).transform(X), codes])
        model = MultiTaskLogisticRegressionCV(cv=3, task_column=3).fit(table[train], y[train])
        P = model.predict_proba(table[test])[:, 1]
        here = [codes[test] == t for t in range(4)]
        auc.append(np.mean([roc_auc_score(y[test][t], P[t]) for t in here]))
        loss.append(np.mean([log_loss(y[test][t], P[t], labels=[0, 1]) for t in here]))
    comparison = compare(X, y, task, cv=FEW, estimators=dict.fromkeys(SIMPLE[1:]))
    # the column of ids stands elsewhere: sums of rounded products, iterated
    np.testing.assert_allclose(comparison.scores[REFERENCE], auc, rtol=1e-9)
    np.testing.assert_allclose(comparison.log_loss.scores[REFERENCE], loss, rtol=1e-9)


def test_wide_scores_equal_a_handwritten_loop():
    X, Y = wide_data()
    auc, loss = [], []
    for train, test in FEW.split(X, Y):
        table = StandardScaler().fit(X[train]).transform(X)
        model = MultiTaskLogisticRegressionCV(cv=3).fit(table[train], Y[train])
        P = model.predict_proba(table[test])
        auc.append(multitask_roc_auc_score(Y[test], P))
        loss.append(multitask_log_loss(Y[test], P))
    comparison = compare(X, Y, cv=FEW, estimators=dict.fromkeys(SIMPLE[1:]))
    np.testing.assert_allclose(comparison.scores[REFERENCE], auc, rtol=1e-9)
    np.testing.assert_allclose(comparison.log_loss.scores[REFERENCE], loss, rtol=1e-9)


def fitted_simple(name, X, y, codes):
    """A simple model fitted to rows with their task numbers in the first column."""
    table = np.column_stack([codes, StandardScaler().fit_transform(X)])
    model = simple_classifiers()[name].set_params(task_column=0)
    return table, model.fit(table, y)


def logistic(alpha):
    return LogisticRegression(C=1 / alpha, tol=1e-10, max_iter=10000)


@pytest.mark.parametrize(
    "name, alpha, by_hand",
    [
        ("pooled", "alpha_shared_", lambda m: PooledTasks(m, task_dummies=False)),
        ("independent, one alpha", "alpha_specific_", IndependentTasks),
    ],
)
def test_simple_models_are_logistic_regressions_with_the_best_penalty(name, alpha, by_hand):
    X, y, task = long_data()
    codes = np.unique(task, return_inverse=True)[1]
    table, model = fitted_simple(name, X, y, codes)
    expected = by_hand(logistic(getattr(model, alpha))).set_params(task_column=0).fit(table, y)
    # gradients of 1e-6 relative: coefficients agree to about that
    P, Q = model.predict_proba(table), expected.predict_proba(table)
    np.testing.assert_allclose(P, Q, atol=1e-5)
    losses = {}
    for value in np.logspace(-1, 4, 6):
        held_out = np.empty_like(P)
        for train, test in MultiTaskKFold(3, random_state=0, task_column=0).split(table, y):
            fold = by_hand(logistic(value)).set_params(task_column=0).fit(table[train], y[train])
            held_out[test] = fold.predict_proba(table[test])
        losses[value] = log_loss(y, held_out)
    assert getattr(model, alpha) == min(losses, key=losses.get)


def test_pooled_with_dummies_is_one_logistic_regression_on_features_and_indicators():
    X, y, task = long_data(level=2.0)
    codes = np.unique(task, return_inverse=True)[1]
    table, model = fitted_simple("pooled + dummies", X, y, codes)
    assert np.isfinite(model.alpha_intercept_)  # levels differ, and it says so
    # a column times c under the penalty alpha is the column under alpha / c^2
    scale = np.sqrt(model.alpha_shared_ / model.alpha_intercept_)
    design = np.column_stack([table[:, 1:], scale * np.eye(4)[codes]])
    expected = logistic(model.alpha_shared_).fit(design, y)
    np.testing.assert_allclose(
        model.predict_proba(table), expected.predict_proba(design), atol=1e-5
    )


def test_independent_models_are_logistic_regressions_each_with_its_own_penalty():
    X, y, task = long_data()
    codes = np.unique(task, return_inverse=True)[1]
    table, model = fitted_simple("independent", X, y, codes)
    assert len({inner.alpha_specific_ for inner in model.estimators_}) > 1
    for t, inner in enumerate(model.estimators_):
        rows = codes == t
        expected = logistic(inner.alpha_specific_).fit(table[rows, 1:], y[rows])
        np.testing.assert_allclose(
            model.predict_proba(table[rows]), expected.predict_proba(table[rows, 1:]), atol=1e-5
        )


def test_auc_of_a_task_is_its_mean_over_the_splits_that_have_one():
    X, y, task = long_data()
    y[(task == "t1") & (np.cumsum(task == "t1") > 3)] = 0  # few positive labels, if any in a test
    y[task == "t2"] = 1
    splits = split_long(MultiTaskShuffleSplit(6, test_size=0.2, random_state=1), X, None, task)
    with pytest.warns(UserWarning, match="one class only"):
        comparison = compare(X, y, task, cv=splits, **QUICK)
    values = {name: [] for name in np.unique(task)}
    for train, test in splits:
        scaler = StandardScaler().fit(X[train])
        model = LogisticRegression().fit(scaler.transform(X[train]), y[train])
        P = model.predict_proba(scaler.transform(X[test]))[:, 1]
        for name in values:
            here = task[test] == name
            if len(set(y[test][here])) > 1:
                values[name].append(roc_auc_score(y[test][here], P[here]))
    assert 0 < len(values["t1"]) < 6 and not values["t2"]
    expected = [np.mean(v) if v else np.nan for v in values.values()]
    np.testing.assert_allclose(comparison.task_scores["pooled"], expected, atol=1e-6)
    assert comparison.to_dict()["per_task"][2]["pooled"] is None
    assert np.isfinite(comparison.log_loss.task_scores["pooled"]).all()
    assert comparison.n_labels.tolist() == [24] * 4


KINDS = {
    "text": lambda y: np.where(y == 1, "yes", "no"),
    "truth values": lambda y: y == 1,
    "other numbers": lambda y: np.where(y == 1, 7, -2),
    "objects": lambda y: np.where(y == 1, "1", "0").astype(object),
    "categories": lambda y: pd.Series(np.where(y == 1, "b", "a"), dtype="category"),
    "polars": lambda y: pl.Series(np.where(y == 1, "b", "a").tolist()),
    "list": lambda y: np.where(y == 1, "b", "a").tolist(),
}


@pytest.mark.parametrize("kind", KINDS)
def test_long_labels_of_any_type_give_the_same_scores(kind):
    X, y, task = long_data()
    comparison = compare(X, KINDS[kind](y), task, cv=FEW, **QUICK)
    assert_same_scores(comparison, compare(X, y, task, cv=FEW, **QUICK), ["pooled", "mine"])


@pytest.mark.parametrize(
    "cells",
    [
        lambda Y: np.where(np.isnan(Y), None, np.where(Y == 1, "yes", "no")),
        lambda Y: np.where(np.isnan(Y), None, Y == 1),
        lambda Y: pd.DataFrame(Y).astype("Int64"),
        lambda Y: pd.DataFrame(np.where(np.isnan(Y), None, np.where(Y == 1, "b", "a"))),
        lambda Y: Y * [1, 3, 5] + [0, 1, 2],  # every column has two values of its own
    ],
    ids=["text", "truth values", "nullable", "frame", "columns apart"],
)
def test_wide_labels_of_any_type_give_the_same_scores(cells):
    X, Y = wide_data()
    own = {"estimators": dict.fromkeys([*SIMPLE[:2], SIMPLE[3], REFERENCE]) | {
        "independent": IndependentTasks(LogisticRegression()),
        "forest": IndependentTasks(GaussianNB()),
    }, "reference": "forest"}  # fmt: skip
    comparison = compare(X, cells(Y), cv=FEW, **own)
    assert_same_scores(comparison, compare(X, Y, cv=FEW, **own), ["independent", "forest"])
    assert comparison.n_labels.tolist() == (~np.isnan(Y)).sum(axis=0).tolist()


def test_whole_numbers_are_amounts_unless_they_are_said_to_be_classes():
    X, y, task = long_data()
    grades = y + (X[:, 0] > 3)
    assert compare(X, grades, task, cv=FEW).scoring == "explained variance"
    classes = compare(X, grades, task, cv=FEW, classification=True, **QUICK)
    assert classes.scoring == "mean AUC"
    amounts = compare(X, y, task, cv=FEW, classification=False)
    assert amounts.scoring == "explained variance" and amounts.log_loss is None


@pytest.mark.slow
def test_tasks_may_have_different_sets_of_more_than_two_classes():
    X, y, task = long_data(n=40)
    y = np.where(task == "t0", y, y + 2 * (X[:, 1] > 3)).astype(str)  # t0: 0 and 1, others four
    own = dict.fromkeys(SIMPLE[1:]) | {"pooled": PooledTasks(LogisticRegression())}
    comparison = compare(X, y, task, cv=FEW, estimators=own)
    assert (comparison.scores[REFERENCE] > 0.5).all()
    assert (comparison.log_loss.scores[REFERENCE] < np.log(4)).all()


def test_threads_do_not_change_the_scores():
    data = long_data()
    one, two = (compare(*data, cv=FEW, n_jobs=n_jobs, **QUICK) for n_jobs in (None, 2))
    assert_same_scores(one, two, ["pooled", "mine"], rtol=0)


def test_arguments_are_not_written_into():
    X, Y = wide_data()
    for array in (X, Y):
        array.flags.writeable = False
    compare(X, Y, cv=FEW, **QUICK)


# rare classes


def test_tasks_with_one_positive_label_one_row_or_one_class_work():
    X, y, task = long_data(n=16)
    y[task == "t0"] = 0
    y[np.flatnonzero(task == "t0")[:1]] = 1
    y[task == "t1"] = 1
    X, y, task = np.vstack([X, X[:1]]), np.append(y, 0), np.append(task, "lone")
    cv = MultiTaskShuffleSplit(2, n_per_task=8, random_state=0)
    with pytest.warns(UserWarning) as caught:
        comparison = compare(X, y, task, cv=cv)
    assert len(caught) == 1
    said = str(caught[0].message)
    assert said.startswith("task 'lone' (and ")
    assert "has training labels of one class only in some" in said
    assert "(2 of 2)" in said
    assert caught[0].filename == __file__
    for scores in (comparison.scores, comparison.log_loss.scores):
        assert all(np.isfinite(values).all() for values in scores.values())
    assert np.isnan(comparison.per_task.loc["t1", "pooled"])


def test_a_model_that_learns_from_a_task_of_one_class_alone_is_certain_of_it():
    X, Y = wide_data(missing=0)
    rows = np.arange(len(Y))
    Y[:36, 0], Y[36:, 0] = 0, rows[36:] % 2
    splits = [(rows[:36], rows[36:]), (rows[:30], rows[36:])]
    with pytest.warns(UserWarning, match="task 0 has training labels of one class only"):
        comparison = compare(X, Y, cv=splits, estimators={"pooled": None})
    # -log of the spacing of floats is the largest loss of a label; half of them are wrong
    largest = -np.log(np.finfo(float).eps)
    assert comparison.log_loss.task_scores["independent"][0] == pytest.approx(largest / 2)
    assert comparison.task_scores["independent"][0] == 0.5


def test_wide_labels_of_tasks_without_a_training_label_are_not_scored():
    X, Y = wide_data(missing=0)
    rows = np.arange(len(Y))
    late = Y.copy()
    late[:36, 2] = np.nan
    splits = [(rows[:36], rows[36:]), (rows[:30], rows[36:])]
    comparison = compare(X, late, cv=splits, **QUICK)
    assert_same_scores(comparison, compare(X, Y[:, :2], cv=splits, **QUICK), ["pooled", "mine"])
    assert np.isnan(comparison.task_scores["mine"][2])


def rare_events(n_events, wide=False):
    """180 rows of 6 tasks, of which a few, drawn at random, are events."""
    rng = np.random.default_rng(1)
    X, task, y = rng.normal(size=(180, 2)), np.arange(180) % 6, np.zeros(180, dtype=int)
    y[rng.choice(180, n_events, replace=False)] = 1
    if not wide:
        return X, y, task
    Y = np.full((180, 6), np.nan)
    Y[np.arange(180), task] = y
    return X, Y, None


@pytest.mark.parametrize("wide", [False, True])
def test_splits_without_an_event_have_a_log_loss_and_no_auc(wide):
    X, y, task = rare_events(n_events=3, wide=wide)
    cv = MultiTaskShuffleSplit(30, test_size=0.25, random_state=0)
    with pytest.warns(UserWarning) as caught:
        comparison = compare(X, y, task, cv=cv, classification=True, **QUICK)
    codes = np.nan_to_num(y).reshape(180, -1)  # some test label is 1
    splits = list(cv.split(X, y)) if wide else split_long(cv, X, y, task)
    scored = np.array([codes[test].any() for _, test in splits])
    n_scored = scored.sum()
    assert 2 <= n_scored < 30
    assert comparison.n_splits == n_scored and comparison.n_unscored == 30 - n_scored
    assert comparison.log_loss.n_splits == 30 and comparison.log_loss.n_unscored == 0
    said = f"no task has test labels of two classes in {30 - n_scored} of 30 splits"
    assert said in str(caught[0].message)
    assert f"{30 - n_scored} more splits have no mean AUC" in comparison.to_text()
    assert comparison.to_dict()["n_unscored"] == 30 - n_scored
    # what is scored are the scores of the splits that can be
    few = [split for split, can in zip(splits, scored, strict=True) if can]
    with pytest.warns(UserWarning, match="one class only"):
        alone = compare(X, y, task, cv=few, classification=True, **QUICK)
    for name in ("pooled", "mine"):
        np.testing.assert_array_equal(comparison.scores[name], alone.scores[name])


def roc_auc_of_all(estimator, X, y):
    """Raises ValueError, or gives NaN, where y has one class."""
    return roc_auc_score(y, estimator.predict_proba(X)[:, 1])


@pytest.mark.parametrize("scoring", ["roc_auc", roc_auc_of_all])
def test_a_scorer_that_needs_two_classes_skips_splits_of_one(scoring):
    X, y, task = rare_events(n_events=3)
    cv = MultiTaskShuffleSplit(30, test_size=0.25, random_state=0)
    with pytest.warns(UserWarning, match="one class only"):
        by_name = compare(X, y, task, cv=cv, classification=True, scoring=scoring, **QUICK)
    assert (
        0 < by_name.n_unscored == sum(not y[test].any() for _, test in split_long(cv, X, y, task))
    )


def test_without_any_auc_models_are_compared_by_their_log_loss():
    X, _, task = long_data()
    own_class = np.unique(task, return_inverse=True)[1] % 2  # no task has two classes
    with pytest.warns(UserWarning, match="in 3 of 3 splits: models are compared by log loss"):
        comparison = compare(X, own_class, task, cv=FEW, **QUICK)
    assert comparison.scoring == "mean log loss" and not comparison.greater_is_better
    assert comparison.n_splits == 3 and comparison.log_loss is None
    message = "0 of 3 splits can be scored"
    with pytest.warns(UserWarning), pytest.raises(ValueError, match=message):
        compare(X, own_class, task, cv=FEW, scoring="roc_auc", **QUICK)


def test_a_curve_of_sizes_with_and_without_auc_is_one_of_the_log_loss():
    X, y, task = rare_events(n_events=1)
    with pytest.warns(UserWarning):
        curve = compare_by_rows(
            X, y, task, classification=True, rows_per_task=[3, 29], n_splits=4, **QUICK
        )
    assert {comparison.scoring for comparison in curve.comparisons} == {"mean log loss"}
    assert "mean log loss, mean over 4 splits" in curve.to_text()


# estimators and scorers


@pytest.mark.parametrize(
    "scoring", ["accuracy", "balanced_accuracy", "average_precision", "neg_log_loss", "roc_auc"]
)
def test_scoring_by_name_takes_the_place_of_both_measures(scoring):
    data = long_data()
    comparison = compare(*data, cv=FEW, scoring=scoring, **QUICK)
    assert comparison.log_loss is None
    assert comparison.scoring == scoring and f"({scoring})" in comparison.verdict
    default = compare(*data, cv=FEW, **QUICK)
    known = {"roc_auc": default.scores, "neg_log_loss": default.log_loss.scores}
    sign = -1 if scoring.startswith("neg") else 1
    for name, values in known.get(scoring, {}).items():
        np.testing.assert_allclose(sign * comparison.scores[name], values)
    np.testing.assert_allclose(comparison.task_scores["mine"], default.task_scores["mine"])


def test_scikit_learns_scorers_and_functions_see_the_answers():
    def share_of_ones(estimator, X, y):
        return (estimator.predict(X) == 1).mean()

    data = long_data()
    accuracy = compare(*data, cv=FEW, scoring=get_scorer("accuracy"), **QUICK)
    assert (accuracy.scores["mine"] > 0.5).all()
    ones = compare(*data, cv=FEW, scoring=share_of_ones, **QUICK)
    assert "(share_of_ones)" in ones.verdict


def test_an_estimator_without_probabilities_is_named_and_can_be_scored_by_its_predictions():
    own = QUICK | {"estimators": QUICK["estimators"] | {"svc": IndependentTasks(LinearSVC())}}
    with pytest.raises(ValueError, match="estimator 'svc' failed on split 0: it has no predict_pr"):
        compare(*long_data(), cv=FEW, **own)
    comparison = compare(*long_data(), cv=FEW, scoring="accuracy", **own)
    assert (comparison.scores["svc"] > 0.5).all()
    assert np.isnan(comparison.task_scores["svc"]).all()
    assert np.isfinite(comparison.task_scores["mine"]).all()


@pytest.mark.parametrize("scoring", [None, "accuracy"])
def test_a_regressor_among_classifiers_is_named(scoring):
    own = QUICK | {"estimators": QUICK["estimators"] | {"ridge": MultiTaskRidge()}}
    with pytest.raises(ValueError, match="estimator 'ridge' failed on split 0: it is a regressor"):
        compare(*long_data(), cv=FEW, scoring=scoring, **own)


def test_scikit_learns_classifiers_of_several_outputs_join_in():
    X, Y = wide_data(missing=0)
    forest = RandomForestClassifier(20, random_state=0)
    estimators = QUICK["estimators"] | {
        "forest": forest,
        "prior": IndependentTasks(DummyClassifier()),
    }
    comparison = compare(X, Y.astype(int), cv=FEW, estimators=estimators, reference="forest")
    np.testing.assert_allclose(comparison.scores["prior"], 0.5)
    assert comparison.scores["forest"].mean() > 0.5


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"classification": 1}, TypeError, "classification must be True or False"),
        ({"classification": False, "y": "ab"}, ValueError, "y must hold numbers, or classes with"),
        ({"classification": True, "y": 0.5}, ValueError, "continuous"),
        ({"y": "b"}, ValueError, "the labels in y never vary"),
        ({"y": None}, ValueError, "y is NaN in row 0"),
        ({"task": None}, ValueError, "at least two tasks"),
        ({"scoring": "best"}, ValueError, "metric must be one of"),
        ({"scoring": 3}, TypeError, "scoring must be None, a name or a scorer, got 3"),
        (
            {"reference": "MultiTaskRidgeCV"},
            ValueError,
            "reference must be the name of an estimator",
        ),
        ({"classification": False, "scoring": "accuracy"}, ValueError, "'accuracy' is for classes"),
        (
            {"classification": False, "scoring": make_multitask_scorer("roc_auc")},
            ValueError,
            r"scoring=make_multitask_scorer\('roc_auc'\) is for classes",
        ),
    ],
)
def test_unusable_arguments_are_refused(change, error, message):
    X, y, task = long_data()
    labels = {
        "ab": np.where(y == 1, "a", "b"),
        "b": np.full(len(y), "b"),
        0.5: X[:, 0],
        None: np.where(np.arange(len(y)) == 0, None, y),
    }
    if "y" in change:
        change = change | {"y": labels[change["y"]]}
    with pytest.raises(error, match=message):
        compare(**{"X": X, "y": y, "task": task, "cv": FEW} | change)


def test_a_column_without_labels_is_refused():
    X, Y = wide_data()
    text = pd.DataFrame(np.where(Y == 1, "a", "b"), columns=["u", "v", "w"]).assign(w=None)
    with pytest.raises(ValueError, match="task 'w' has no observed label in y"):
        compare(X, text)


# the result


LUCK = 0.001 * np.resize([1.0, -1.0], 12)


@pytest.mark.parametrize(
    "own, other, said",
    [
        (0.21 + LUCK, 0.31 - LUCK, "a gain"),
        (0.31 + LUCK, 0.21 - LUCK, "a loss"),
        (0.31 + LUCK, 0.31 - LUCK, "no difference shown"),
        (0.31 + LUCK, 0.31 + LUCK, "no difference shown"),
    ],
)
def test_a_smaller_loss_is_a_gain(own, other, said):
    comparison = loss_comparison(own, other)
    assert comparison.best_simple == "plain"
    assert comparison.outcome == said
    assert comparison.gain == pytest.approx(np.mean(other) - np.mean(own))
    low, high = comparison.gain_interval
    assert low <= comparison.gain <= high
    assert comparison.table.loc["plain", "difference"] == pytest.approx(comparison.gain)


def test_verdicts_name_the_measure_and_a_smaller_loss_is_a_positive_gain():
    assert loss_comparison(0.2112 + LUCK, np.full(12, 0.2154)).verdict == (
        'mine reaches a mean log loss of .211; its gain on the best simple model, "plain", is '
        "+.004 (95 % interval +.003 to +.006): a gain."
    )
    auc = loss_comparison(
        0.7652 + LUCK, np.full(12, 0.760), scoring="mean AUC", greater_is_better=True
    )
    auc.scores["bad"][:] = 0.5
    assert auc.verdict == (
        'mine reaches a mean AUC of .765; its gain on the best simple model, "plain", is '
        "+.005 (95 % interval +.004 to +.007): a gain."
    )


def test_halves_of_few_test_rows_have_an_auc_of_their_own():
    X, y, task = long_data()
    comparison = compare(
        X, y, task, cv=MultiTaskShuffleSplit(3, n_per_task=8, random_state=0), **QUICK
    )
    for measure in (comparison, comparison.log_loss):
        assert measure.test_train_ratio == pytest.approx(2)
        halves = measure.half_scores["pooled"]
        assert halves.shape == (3, 2) and np.isfinite(halves).all()
    halves = comparison.log_loss.half_scores["pooled"].mean(axis=1)
    np.testing.assert_allclose(halves, comparison.log_loss.scores["pooled"])


def test_the_text_holds_both_tables_and_both_verdicts():
    comparison = compare(*long_data(), cv=FEW, **QUICK)
    text = comparison.to_text(per_task=True)
    first, second = text.split(comparison.verdict)
    assert second.strip() == comparison.log_loss.to_text()
    assert "mean AUC" in first and "+ is better than it" in first and "AUC of each task" in first
    assert "mean log loss" in second and "- is better than it" in second
    assert text.endswith(comparison.log_loss.verdict)
    assert "of each task" not in str(comparison)


def test_to_dict_is_strict_json_and_carries_both():
    result = compare(*long_data(), cv=FEW, **QUICK).to_dict()
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["scoring"] == "mean AUC" and "greater_is_better" not in result
    assert result["log_loss"]["scoring"] == "mean log loss"
    assert result["log_loss"]["greater_is_better"] is False
    assert result["log_loss"]["scores"].keys() == result["scores"].keys()
    amounts = compare(*long_data(), cv=FEW, classification=False).to_dict()
    assert "log_loss" not in amounts and "greater_is_better" not in amounts


def test_smaller_losses_are_drawn_in_the_colour_of_better_models():
    pytest.importorskip("matplotlib").use("Agg")

    def colours(display):
        return [bar.lines[0].get_color() for bar in display.bars_]

    loss = loss_comparison(0.3 + LUCK, 0.2 - LUCK)
    gains = loss_comparison(-0.3 - LUCK, -0.2 + LUCK, greater_is_better=True)
    gains.scores["bad"][:] = -1.2
    assert colours(loss.plot()) == colours(ComparisonDisplay.from_comparison(gains))
    assert len(set(colours(loss.plot()))) == 2


# learning curves


def test_learning_curves_carry_both_measures():
    data = long_data()
    curve = compare_by_rows(*data, rows_per_task=(6, 12), n_splits=2, **QUICK)
    expected = compare(*data, n_per_task=6, cv=None, **QUICK)
    assert curve.comparisons[0].scoring == expected.scoring == "mean AUC"
    for size, comparison in zip((6, 12), curve.comparisons, strict=True):
        cv = MultiTaskShuffleSplit(2, n_per_task=size, random_state=0)
        assert_same_scores(comparison, compare(*data, cv=cv, **QUICK), ["pooled", "mine"])
    losses = curve.log_loss
    assert losses.table.loc[6, "mine"] == curve.comparisons[0].log_loss.scores["mine"].mean()
    assert str(curve).endswith(f"{curve.verdict}\n\n{losses}")
    assert "+ is a smaller loss" in str(losses)
    result = curve.to_dict()
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["log_loss"]["verdict"] == losses.verdict
    amounts = compare_by_rows(*data, rows_per_task=[6], n_splits=2, classification=False)
    assert amounts.log_loss is None and "log_loss" not in amounts.to_dict()


# what it is for


@pytest.mark.slow
def test_similar_tasks_are_a_gain_and_equal_ones_are_not():
    cv = MultiTaskShuffleSplit(10, n_per_task=30, random_state=0)
    similar = compare(*long_data(n_tasks=12, n=300, p=6, own=0.6), cv=cv)
    assert similar.outcome == "a gain" and similar.log_loss.gain > 0
    equal = compare(*long_data(n_tasks=4, n=60, own=0.0, level=0.0), cv=cv)
    assert "a gain" not in (equal.outcome, equal.log_loss.outcome)


def test_text_of_amounts_is_no_classes(rng):
    X, task = rng.normal(size=(60, 2)), np.repeat([0, 1, 2], 20)
    y = X[:, 0] + rng.normal(size=60)
    text = pd.Series([repr(label) for label in y.tolist()], dtype=object)
    expected, found = (compare(X, labels, task, cv=FEW) for labels in (y, text))
    assert found.scoring == "explained variance"
    for name, scores in expected.scores.items():
        np.testing.assert_array_equal(found.scores[name], scores)
    with pytest.raises(ValueError, match="y must hold numbers, or classes with classification=Tr"):
        compare(X, text.str.replace(".", ","), task, cv=FEW)
