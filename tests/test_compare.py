import json
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import stats
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, Ridge, RidgeCV
from sklearn.metrics import get_scorer, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    StratifiedKFold,
)
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skmtl import MultiTaskBayesianRidge, MultiTaskRidge, MultiTaskRidgeCV
from skmtl.baselines import IndependentTasks, PooledTasks
from skmtl.metrics import make_multitask_scorer, multitask_r2_score
from skmtl.model_selection import (
    Comparison,
    MultiTaskKFold,
    MultiTaskShuffleSplit,
    compare,
    compare_by_rows,
)

DEFAULTS = [
    "pooled",
    "pooled + dummies",
    "independent",
    "independent, one alpha",
    "MultiTaskBayesianRidge",
    "MultiTaskRidgeCV",
]
SIMPLE = DEFAULTS[:4]
FEW = MultiTaskShuffleSplit(3, test_size=0.25, random_state=0)
FEW_LONG = MultiTaskShuffleSplit(3, test_size=0.25, random_state=0, task_column=0)
PLAIN = PooledTasks(LinearRegression())
ONLY_POOLED = dict.fromkeys(DEFAULTS[1:-1])  # quick: two estimators


def long_data(seed=0, n_tasks=5, n=16, p=3, own=0.3, level=1.0):
    """Rows of tasks with similar coefficients and levels of their own; ids are strings."""
    rng = np.random.default_rng(seed)
    X, codes = rng.normal(3, 2, size=(n * n_tasks, p)), np.repeat(np.arange(n_tasks), n)
    W = rng.normal(size=p) + own * rng.normal(size=(n_tasks, p))
    y = (X * W[codes]).sum(axis=1) + level * rng.normal(size=n_tasks)[codes]
    y += rng.normal(size=len(y))
    order = rng.permutation(len(y))
    return X[order], y[order], np.array([f"t{c}" for c in codes])[order]


def split_long(X, y, task):
    """The splits of FEW, which `compare` tells the tasks."""
    codes = np.unique(task, return_inverse=True)[1]
    return list(FEW_LONG.split(np.column_stack([codes, X]), y))


def wide_data(seed=0, missing=0.2, n=60):
    """Three targets in units that differ by orders of magnitude, a third of the labels missing."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    Y = X @ (rng.normal(size=(3, 1)) + 0.3 * rng.normal(size=(3, 3))) + rng.normal(size=(n, 3))
    Y = Y * [1.0, 1000.0, 0.01] + [0.0, 5000.0, 2.0]
    Y[rng.random(Y.shape) < missing] = np.nan
    return X, Y


def comparison_of(own, other, **changes):
    """A Comparison of "mine" with the simple model "plain"."""
    scores = {"plain": np.asarray(other, dtype=float), "mine": np.asarray(own, dtype=float)}
    parts = {
        "scores": scores,
        "fit_seconds": dict.fromkeys(scores, 0.5),
        "task_scores": {name: np.array([0.1, np.nan]) for name in scores},
        "tasks": ["a", ("b", 1)],
        "n_labels": np.array([4, 5]),
        "reference": "mine",
        "simple": ["plain"],
        "scoring": "explained variance",
        "test_train_ratio": 1 / 3,
    }
    return Comparison(**parts | changes)


def around(mean, se, n=12, ratio=1 / 3):
    """Scores of n splits with this mean, whose corrected standard error is `se`."""
    values = np.resize([1.0, -1.0], n)
    return mean + se * values / (values.std(ddof=1) * np.sqrt(1 / n + ratio))


# what compare computes


def test_all_default_estimators_are_scored_on_every_split():
    comparison = compare(*long_data(), cv=FEW)
    assert list(comparison.scores) == DEFAULTS
    assert all(scores.shape == (3,) for scores in comparison.scores.values())
    assert comparison.n_splits == 3
    assert comparison.simple == SIMPLE
    assert comparison.reference == "MultiTaskRidgeCV"


def test_long_scores_equal_a_handwritten_loop():
    X, y, task = long_data()
    codes = np.unique(task, return_inverse=True)[1]
    expected = []
    for train, test in split_long(X, y, task):
        scaler = StandardScaler().fit(X[train])
        table = np.column_stack([scaler.transform(X), codes])
        model = MultiTaskRidgeCV(task_column=3).fit(table[train], y[train])
        expected.append(r2_score(y[test], model.predict(table[test])))
    comparison = compare(X, y, task, cv=FEW)
    np.testing.assert_allclose(comparison.scores["MultiTaskRidgeCV"], expected, rtol=1e-9)


def test_pooled_is_one_ridge_that_never_sees_the_task():
    X, y, task = long_data()
    expected = []
    for train, test in split_long(X, y, task):
        scaler = StandardScaler().fit(X[train])
        model = RidgeCV(np.logspace(-1, 5, 13)).fit(scaler.transform(X[train]), y[train])
        expected.append(model.score(scaler.transform(X[test]), y[test]))
    comparison = compare(X, y, task, cv=FEW)
    np.testing.assert_allclose(comparison.scores["pooled"], expected, rtol=1e-9)


def test_wide_scores_equal_a_handwritten_loop():
    X, Y = wide_data()
    expected = []
    for train, test in FEW.split(X, Y):
        scaler, units = StandardScaler().fit(X[train]), StandardScaler().fit(Y[train])
        model = MultiTaskRidgeCV().fit(scaler.transform(X[train]), units.transform(Y[train]))
        prediction = units.inverse_transform(model.predict(scaler.transform(X[test])))
        expected.append(multitask_r2_score(Y[test], prediction))
    comparison = compare(X, Y, cv=FEW)
    np.testing.assert_allclose(comparison.scores["MultiTaskRidgeCV"], expected, rtol=1e-9)


def test_masked_labels_are_missing_labels():
    X, Y = wide_data()
    masked = np.ma.array(np.nan_to_num(Y, nan=1e6), mask=np.isnan(Y))
    one, other = (compare(X, Z, cv=FEW, estimators=ONLY_POOLED) for Z in (masked, Y))
    np.testing.assert_array_equal(one.scores["pooled"], other.scores["pooled"])
    assert one.n_labels.tolist() == other.n_labels.tolist()


def test_the_learned_covariance_is_the_estimator_as_it_is_by_default():
    X, Y = wide_data()
    expected = []
    for train, test in FEW.split(X, Y):
        scaler, units = StandardScaler().fit(X[train]), StandardScaler().fit(Y[train])
        model = MultiTaskBayesianRidge().fit(scaler.transform(X[train]), units.transform(Y[train]))
        prediction = units.inverse_transform(model.predict(scaler.transform(X[test])))
        expected.append(multitask_r2_score(Y[test], prediction))
    comparison = compare(X, Y, cv=FEW, estimators=dict.fromkeys(SIMPLE))
    np.testing.assert_allclose(comparison.scores["MultiTaskBayesianRidge"], expected, rtol=1e-9)


def test_units_of_wide_targets_do_not_matter():
    X, Y = wide_data()
    plain, scaled = (compare(X, Z, cv=FEW) for Z in (Y, Y * [10.0, 1e-4, 1e3] - 7))
    for name in DEFAULTS:
        np.testing.assert_allclose(plain.scores[name], scaled.scores[name], rtol=1e-6)


def test_units_of_features_do_not_matter():
    X, y, task = long_data()
    plain, scaled = (compare(Z, y, task, cv=FEW) for Z in (X, X * [1.0, 1e3, 1e-3] + 5))
    for name in DEFAULTS:
        np.testing.assert_allclose(plain.scores[name], scaled.scores[name], rtol=1e-6)


def test_independent_models_equal_a_ridge_for_each_task():
    X, y, task = long_data()
    alphas = np.logspace(-1, 5, 13)
    expected = []
    for train, test in split_long(X, y, task):
        scaler, prediction = StandardScaler().fit(X[train]), np.zeros(len(test))
        for t in np.unique(task):
            rows = train[task[train] == t]
            model = RidgeCV(alphas).fit(scaler.transform(X[rows]), y[rows])
            here = task[test] == t
            prediction[here] = model.predict(scaler.transform(X[test][here]))
        expected.append(r2_score(y[test], prediction))
    comparison = compare(X, y, task, cv=FEW)
    np.testing.assert_allclose(comparison.scores["independent"], expected, rtol=1e-9)


def test_task_scores_are_sums_over_all_splits():
    X, y, task = long_data()
    splits = list(split_long(X, y, task))
    own = {"mean": PooledTasks(DummyRegressor(), task_dummies=False)}
    comparison = compare(X, y, task, cv=splits, estimators=own)
    for t, name in enumerate(comparison.tasks):
        errors = total = 0.0
        for train, test in splits:
            labels = y[test][task[test] == name]
            errors += ((labels - y[train].mean()) ** 2).sum()
            total += ((labels - y[task == name].mean()) ** 2).sum()
        assert comparison.task_scores["mean"][t] == pytest.approx(1 - errors / total)
    assert comparison.n_labels.tolist() == [16] * 5


def test_task_scores_of_wide_data_mask_missing_labels():
    X, Y = wide_data()
    splits = list(FEW.split(X, Y))
    comparison = compare(X, Y, cv=splits, estimators={"mean": IndependentTasks(DummyRegressor())})
    for t in range(3):
        errors = total = 0.0
        for train, test in splits:
            labels = Y[test, t][~np.isnan(Y[test, t])]
            errors += ((labels - np.nanmean(Y[train, t])) ** 2).sum()
            total += ((labels - np.nanmean(Y[:, t])) ** 2).sum()
        assert comparison.task_scores["mean"][t] == pytest.approx(1 - errors / total)
    assert comparison.n_labels.tolist() == (~np.isnan(Y)).sum(axis=0).tolist()


@pytest.mark.parametrize("ids", ["int", "tuple", "object"])
def test_ids_of_any_kind_give_the_same_scores(ids):
    X, y, task = long_data()
    kinds = {"int": int, "tuple": lambda n: ("site", n), "object": lambda n: n if n % 2 else str(n)}
    other = [kinds[ids](int(name[1:])) for name in task]
    own = {"i": IndependentTasks(Ridge())}
    plain, renamed = (compare(X, y, t, cv=KFold(3), estimators=own) for t in (task, other))
    np.testing.assert_allclose(plain.scores["i"], renamed.scores["i"], rtol=1e-9)
    assert set(renamed.tasks) == set(other)


def test_frames_with_a_task_column_equal_arrays_with_task():
    X, y, task = long_data()
    frame = pd.DataFrame(X, columns=list("abc")).assign(site=task)[["a", "site", "b", "c"]]
    expected = compare(X, y, task, cv=FEW).scores["MultiTaskRidgeCV"]
    for table in (frame, pl.from_pandas(frame)):
        comparison = compare(table, y, task_column="site", cv=FEW)
        np.testing.assert_allclose(comparison.scores["MultiTaskRidgeCV"], expected, rtol=1e-12)


def test_wide_frames_name_the_tasks():
    X, Y = wide_data()
    frame = pd.DataFrame(Y, columns=["height", "weight", "age"])
    comparison = compare(pd.DataFrame(X), frame, cv=FEW)
    assert comparison.tasks == ["height", "weight", "age"]
    assert list(comparison.per_task.index) == comparison.tasks


def test_the_same_seed_gives_the_same_scores_and_threads_do_not_change_them():
    X, y, task = long_data(n_tasks=3)
    one, again, threads, other = (
        compare(X, y, task, cv=4, random_state=seed, n_jobs=n_jobs, estimators=ONLY_POOLED)
        for seed, n_jobs in ((0, None), (0, None), (0, 2), (1, None))
    )
    np.testing.assert_array_equal(one.scores["pooled"], again.scores["pooled"])
    np.testing.assert_array_equal(one.scores["pooled"], threads.scores["pooled"])
    assert (one.scores["pooled"] != other.scores["pooled"]).any()


def test_arguments_are_not_written_into():
    X, y, task = long_data()
    own = {"r": MultiTaskRidge(), "pooled": None}
    for array in (X, y, task):
        array.flags.writeable = False
    compare(X, y, task, cv=FEW, estimators=own)
    assert own["r"].task_column is None
    assert list(own) == ["r", "pooled"]


def test_the_callback_hears_of_every_split():
    heard = []
    compare(*long_data(), cv=3, estimators=ONLY_POOLED, callback=lambda *news: heard.append(news))
    assert heard == [(1, 3), (2, 3), (3, 3)]


# splits


def test_an_integer_cv_is_a_number_of_folds():
    X, y, task = long_data()
    assert compare(X, y, task, cv=4, estimators=ONLY_POOLED).n_splits == 4


def test_the_way_out_of_a_splitters_refusal_is_told_where_it_is_one():
    X, y, task = long_data()
    told = r"^cv cannot split these data by {}: .*"
    with pytest.raises(ValueError, match=told.format("KFold") + r"n_splits=999[^;]*\.$"):
        compare(X, y, task, cv=KFold(999), estimators=ONLY_POOLED)
    with pytest.raises(ValueError, match=told.format("StratifiedKFold") + "MultiTaskKFold"):
        compare(X, np.column_stack([y, -y]), cv=StratifiedKFold(3), estimators=ONLY_POOLED)
    for own in (MultiTaskKFold(3, task_column=0), MultiTaskKFold(999)):
        with pytest.raises(ValueError, match=r"^(?!cv cannot)"):
            compare(X, np.column_stack([y, -y]), cv=own, groups=[0] * len(y))


def test_n_per_task_trains_on_that_many_rows_of_each_task():
    seen = []

    class Spy(MultiTaskRidge):
        def fit(self, X, y, sample_weight=None):
            seen.append(np.bincount(X[:, 0].astype(int)).tolist())
            return super().fit(X, y, sample_weight)

    compare(*long_data(), n_per_task=6, estimators=ONLY_POOLED | {"spy": Spy()})
    assert seen == [[6] * 5] * 40


def test_labels_of_tasks_without_a_training_label_are_not_scored():
    X, y, task = long_data()
    rows = np.arange(len(y))
    lone = task == "t0"
    with_lone = [(rows[~lone & (rows % 2 == k)], rows[lone | (rows % 2 != k)]) for k in (0, 1)]
    without = [(train, test[~lone[test]]) for train, test in with_lone]
    first, second = (compare(X, y, task, cv=splits) for splits in (with_lone, without))
    for name in DEFAULTS:
        np.testing.assert_array_equal(first.scores[name], second.scores[name])


def test_wide_labels_of_tasks_without_a_training_label_are_not_scored():
    X, Y = wide_data(missing=0)
    rows = np.arange(len(Y))
    late = Y.copy()
    late[:30, 2] = np.nan
    splits = [(rows[:30], rows[30:]), (rows[:25], rows[30:])]
    comparison = compare(X, late, cv=splits)
    expected = compare(X, Y[:, :2], cv=splits)
    for name in DEFAULTS:
        np.testing.assert_allclose(comparison.scores[name], expected.scores[name], rtol=1e-9)


def test_a_split_that_tests_new_tasks_only_is_refused():
    said = "split 0 of cv tests no label of a task that it trains on: the tasks of its test rows"
    with pytest.raises(ValueError, match=said):
        compare(*long_data(), cv=LeaveOneGroupOut())


def test_tasks_with_one_label_each_are_refused_with_that_cause():
    X, y, _ = long_data()
    with pytest.raises(ValueError, match="each task has one label only"):
        compare(X, y, np.arange(len(y)))


@pytest.mark.filterwarnings("error")
def test_tasks_with_one_row_or_constant_labels_work():
    X, y, task = long_data()
    task = np.append(task, "lone")
    X, y = np.vstack([X, X[:1]]), np.append(y, 3.0)
    y[task == "t1"] = 7.0
    comparison = compare(X, y, task, cv=MultiTaskShuffleSplit(4, n_per_task=6, random_state=0))
    assert all(np.isfinite(scores).all() for scores in comparison.scores.values())
    assert np.isnan(comparison.per_task.loc["t1", "pooled"])


@pytest.mark.filterwarnings("error")
def test_a_constant_target_of_wide_data_has_no_score():
    X, Y = wide_data()
    constant = np.column_stack([Y, np.full(len(Y), 0.3)])
    comparison = compare(X, constant, cv=FEW, estimators={"i": IndependentTasks(Ridge())})
    assert np.isnan(comparison.task_scores["i"][3])
    splits = list(FEW.split(X, constant))
    expected = compare(X, Y, cv=splits, estimators={"i": IndependentTasks(Ridge())})
    np.testing.assert_allclose(comparison.scores["i"], expected.scores["i"], rtol=1e-9)


# groups of rows that stay together, and what splits share


def test_rows_of_a_group_are_never_in_both_parts():
    X, y, task = long_data(n_tasks=4)
    group, seen = np.random.default_rng(0).integers(0, 20, len(y)), []

    class Spy(StandardScaler):
        def fit(self, X, y=None, sample_weight=None):
            seen.append(X[:, -1].copy())
            return super().fit(X, y)

        def transform(self, X, copy=None):
            if len(X) < len(group) - len(seen[-1]) + 1 and not len(X) == len(seen[-1]):
                assert not set(X[:, -1]) & set(seen[-1])
            return super().transform(X)

    table = np.column_stack([X, group])
    for cv in (None, 4, MultiTaskShuffleSplit(5, n_per_task=5, random_state=0), GroupKFold(3)):
        options = {"estimators": ONLY_POOLED, "transformer": Spy()}
        assert compare(table, y, task, groups=group, cv=cv, **options).n_splits == len(seen)
        seen.clear()


def test_groups_of_wide_rows_stay_together_at_every_size():
    X, Y = wide_data()
    group = np.arange(len(Y)) // 3
    curve = compare_by_rows(
        X, Y, groups=group, rows_per_task=(6,), n_splits=3, estimators=ONLY_POOLED
    )
    cv = MultiTaskShuffleSplit(3, n_per_task=6, random_state=0)
    splits = list(cv.split(X, Y, group))
    assert all(not set(group[train]) & set(group[test]) for train, test in splits)
    expected = compare(X, Y, cv=splits, estimators=ONLY_POOLED)
    np.testing.assert_array_equal(curve.comparisons[0].scores["pooled"], expected.scores["pooled"])


def test_splits_that_tear_a_group_apart_are_refused():
    X, y, task = long_data()
    with pytest.raises(ValueError, match="split 0 of cv trains on rows of group 'g0' and tests"):
        compare(X, y, task, groups=["g0"] * len(y), cv=KFold(3))
    with pytest.raises(ValueError, match="groups must hold one group id a row"):
        compare(X, y, task, groups=[1, 2])


def test_copies_of_rows_flatter_models_unless_groups_keep_them_together():
    X, y, task = long_data(n=12)
    copies = np.tile(np.arange(len(y)), 2)
    twice = (np.vstack([X, X]), np.append(y, y), np.append(task, task))
    nearest = {"1-nn": PooledTasks(KNeighborsRegressor(1))} | ONLY_POOLED
    torn = compare(*twice, cv=FEW, estimators=nearest).scores["1-nn"].mean()
    whole = compare(*twice, cv=FEW, estimators=nearest, groups=copies).scores["1-nn"].mean()
    assert torn > whole + 0.1


def test_the_ratio_is_that_of_the_labels_where_all_tasks_give_the_same_share():
    X, y, task = long_data()
    comparison = compare(X, y, task, cv=FEW, estimators=ONLY_POOLED)
    assert comparison.test_train_ratio == pytest.approx(1 / 3)
    comparison = compare(X, y, task, cv=4, estimators=ONLY_POOLED)
    assert comparison.test_train_ratio == pytest.approx(1 / 3)
    assert compare(X, y, task, n_per_task=4, estimators=ONLY_POOLED).test_train_ratio == 3


def test_half_scores_are_those_of_two_halves_of_the_test_rows():
    X, y, task = long_data()
    cv = MultiTaskShuffleSplit(3, n_per_task=4, random_state=0)
    comparison = compare(X, y, task, cv=cv, estimators=ONLY_POOLED, scoring=minus_error)
    for name, halves in comparison.half_scores.items():
        assert halves.shape == (3, 2)
        np.testing.assert_allclose(halves.mean(axis=1), comparison.scores[name])
        assert (halves[:, 0] != halves[:, 1]).all()
    few = compare(X, y, task, cv=FEW, estimators=ONLY_POOLED)
    assert np.isnan(few.half_scores["pooled"]).all()


def minus_error(estimator, X, y):
    return -np.mean((y - estimator.predict(X)) ** 2)


# estimators


def test_own_estimators_join_replace_or_remove():
    own = {"mine": MultiTaskRidge(), "pooled": PooledTasks(Ridge(), task_dummies=False)}
    own["independent"] = None
    comparison = compare(*long_data(), cv=FEW, estimators=own)
    assert list(comparison.scores) == [
        "pooled", "pooled + dummies", "independent, one alpha", "MultiTaskBayesianRidge", "mine",
        "MultiTaskRidgeCV",
    ]  # fmt: skip
    default = compare(*long_data(), cv=FEW)
    assert (comparison.scores["pooled"] != default.scores["pooled"]).any()


def test_another_reference_comes_last_and_is_what_the_verdict_is_about():
    comparison = compare(*long_data(), cv=FEW, estimators={"mine": PLAIN}, reference="mine")
    assert list(comparison.scores)[-1] == "mine"
    assert comparison.verdict.startswith("mine explains")
    assert "MultiTaskRidgeCV" not in comparison.simple


def test_the_learned_covariance_is_no_simple_model_however_well_it_does():
    comparison = compare(*long_data(), cv=FEW)
    best = {"MultiTaskBayesianRidge": np.ones(3)}
    assert replace(comparison, scores=comparison.scores | best).verdict == comparison.verdict


def test_the_learned_covariance_may_be_the_reference():
    comparison = compare(*long_data(), cv=FEW, reference="MultiTaskBayesianRidge")
    assert list(comparison.scores) == [*SIMPLE, "MultiTaskRidgeCV", "MultiTaskBayesianRidge"]
    assert comparison.simple == SIMPLE
    assert comparison.verdict.startswith("MultiTaskBayesianRidge explains")


LEARNED = "MultiTaskBayesianRidge"


def sparse_data():
    """Wide data, and splits of which the last two leave two rows with the labels of three tasks."""
    X, Y = wide_data(missing=0.0, n=20)
    Y[0, 2], Y[1, :2] = np.nan, np.nan
    rows = np.arange(20)
    return X, Y, [(rows[:12], rows[12:]), (rows[:2], rows[2:]), (rows[:2], rows[4:])]


def test_a_table_that_the_learned_covariance_refuses_is_compared_without_it():
    X, Y, splits = sparse_data()
    with pytest.warns(UserWarning, match=f"{LEARNED} is left out: it failed on split 1") as caught:
        comparison = compare(X, Y, cv=splits)
    assert caught[-1].filename == __file__
    assert list(comparison.scores) == [*SIMPLE, "MultiTaskRidgeCV"]
    assert comparison.left_out[LEARNED].startswith("it failed on split 1: n_samples = 2 leaves")
    assert comparison.to_dict()["left_out"] == comparison.left_out
    assert comparison.to_text().count(LEARNED) == 1
    without = compare(X, Y, cv=splits, estimators={LEARNED: None})
    assert without.left_out == {} and "left_out" not in without.to_dict()
    assert without.verdict == comparison.verdict


def test_a_learned_covariance_that_was_asked_for_fails_by_name():
    X, Y, splits = sparse_data()
    for changes in (
        {"reference": LEARNED},
        {"estimators": {LEARNED: MultiTaskBayesianRidge()}},
        {"estimators": dict.fromkeys(SIMPLE)},  # nothing else is left
    ):
        with pytest.raises(ValueError, match=f"estimator '{LEARNED}' failed on split 1"):
            compare(X, Y, cv=splits, **changes)


def test_a_learned_covariance_that_takes_too_long_is_left_out(monkeypatch):
    monkeypatch.setattr("skmtl.covariance._routes.IMPOSSIBLE", 1.0)
    with pytest.warns(UserWarning, match=f"{LEARNED} is left out: .* takes .* operations"):
        comparison = compare(*long_data(), cv=FEW)
    assert list(comparison.scores) == [*SIMPLE, "MultiTaskRidgeCV"]


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(FunctionTransformer(), MultiTaskRidge()),
        GridSearchCV(MultiTaskRidge(), {"alpha_shared": [0.1, 1.0]}, cv=3),
        IndependentTasks(make_pipeline(StandardScaler(), Ridge())),
        MultiTaskRidge(task_column="site"),
    ],
    ids=["pipeline", "search", "wrapper", "its own column"],
)
def test_task_columns_are_set_wherever_the_estimator_reads_them(estimator):
    comparison = compare(*long_data(), cv=FEW, estimators=ONLY_POOLED | {"mine": estimator})
    assert (comparison.scores["mine"] > comparison.scores["pooled"]).all()


def test_an_estimator_that_reads_no_task_ids_is_refused():
    with pytest.raises(ValueError, match=r"estimators\['plain'\] has no parameter task_column"):
        compare(*long_data(), estimators={"plain": Ridge()})


def test_a_failing_estimator_is_named_with_its_error():
    class Broken(Ridge):
        def fit(self, X, y, sample_weight=None):
            raise ValueError("no luck")

    with pytest.raises(ValueError, match="estimator 'bad' failed on split 0: no luck"):
        compare(*long_data(), cv=FEW, estimators={"bad": IndependentTasks(Broken())})


def test_an_estimator_with_predictions_of_another_shape_is_named():
    class Flat(MultiTaskRidge):
        def predict(self, X):
            return super().predict(X)[:2]

    with pytest.raises(ValueError, match="estimator 'flat' failed on split 0: it predicts"):
        compare(*long_data(), cv=FEW, estimators={"flat": Flat()})


class Boundless(DummyRegressor):
    def predict(self, X):
        return np.full_like(super().predict(X), np.inf)


def never_finite(estimator, X, y):
    return np.nan if len(y) > 1 else r2_score(y, estimator.predict(X))


@pytest.mark.parametrize(
    "labels, n_test, model, said",
    [
        (1.0, 1, DummyRegressor(), "there are too few test labels, at most one of each task"),
        (1e200, 8, DummyRegressor(), "too large, so rescale the labels"),
        (1.0, 8, Boundless(), "its predictions are not finite"),
        (1.0, 8, DummyRegressor(), "the scoring function does not suit"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_a_score_that_is_not_finite_is_refused_with_its_cause(labels, n_test, model, said):
    X, y, task = long_data(n_tasks=2)
    rows = np.arange(len(y))
    splits = [(rows[n_test:], rows[:n_test])] * 2
    models = {name: PooledTasks(model) for name in ("pooled", "MultiTaskRidgeCV")} | ONLY_POOLED
    with pytest.raises(ValueError, match=said) as caught:
        compare(X, labels * y, task, cv=splits, scoring=never_finite, estimators=models)
    assert ("too few" in str(caught.value)) == ("too few" in said)


@pytest.mark.parametrize(
    "changes, error, message",
    [
        ({"estimators": [Ridge()]}, TypeError, "estimators must be a dict"),
        ({"estimators": {"a": 3}}, TypeError, r"estimators\['a'\] must be an estimator or None"),
        ({"estimators": {"a": Ridge}}, TypeError, r"estimators\['a'\] must be an estimator"),
        ({"reference": "best"}, ValueError, "reference must be the name of an estimator"),
        ({"estimators": {"MultiTaskRidgeCV": None}}, ValueError, "name another reference"),
        ({"estimators": {"poled": None}}, ValueError, "'poled' cannot be left out.*'pooled'"),
        ({"estimators": dict.fromkeys(DEFAULTS[:-1])}, ValueError, "nothing is left to compare"),
    ],
)
def test_unusable_estimators_are_refused(changes, error, message):
    with pytest.raises(error, match=message):
        compare(*long_data(), **changes)


# scores and transformers


def test_scoring_takes_names_scorers_and_functions():
    X, y, task = long_data()
    own = ONLY_POOLED | {"m": PLAIN}

    def negative_bias(estimator, X, y):
        return -abs((estimator.predict(X) - y).mean())

    def scores(scoring):
        return compare(X, y, task, cv=FEW, estimators=own, scoring=scoring)

    by_name = scores("neg_mean_squared_error")
    assert by_name.scoring == "neg_mean_squared_error"
    by_scorer = scores(make_multitask_scorer("neg_mean_squared_error"))
    np.testing.assert_array_equal(by_name.scores["m"], by_scorer.scores["m"])
    assert (scores(get_scorer("neg_mean_absolute_error")).scores["m"] < 0).all()
    biased = scores(negative_bias)
    assert "(negative_bias)" in biased.verdict


def test_the_long_default_is_explained_variance_about_the_pooled_mean():
    X, y, task = long_data(level=50.0)
    comparison = compare(X, y, task, cv=FEW)
    by_task = compare(X, y, task, cv=FEW, scoring="r2")
    # levels of the tasks are most of the variance about the pooled mean and none within a task
    assert (comparison.scores["independent"] > by_task.scores["independent"]).all()


def test_a_transformer_makes_features_of_text_and_is_fitted_on_training_rows():
    X, y, task = long_data()
    fitted_on = []

    class Spy(StandardScaler):
        def fit(self, X, y=None, sample_weight=None):
            fitted_on.append(len(X))
            return super().fit(X, y)

    frame = pd.DataFrame(X, columns=list("abc"))
    frame["colour"] = np.where(X[:, 0] > 3, "red", "blue")
    encoder = OneHotEncoder(sparse_output=False)
    transformer = ColumnTransformer([("n", Spy(), list("abc")), ("t", encoder, ["colour"])])
    comparison = compare(frame, y, task, cv=FEW, transformer=transformer)
    assert fitted_on == [60, 60, 60]
    assert (comparison.scores["pooled"] > 0).all()


# input that is refused


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda X, y, task: {"task": None}, "at least two tasks"),
        (lambda X, y, task: {"y": y[:, None], "task": None}, "at least two tasks"),
        (lambda X, y, task: {"task": np.zeros(len(y))}, "at least two tasks"),
        (lambda X, y, task: {"y": np.column_stack([y, y])}, "y must be 1-D"),
        (lambda X, y, task: {"y": np.where(y == y[3], np.nan, y)}, "y is NaN in row 3"),
        (lambda X, y, task: {"y": np.full(len(y), 2.0)}, "never vary"),
        (lambda X, y, task: {"y": np.column_stack([y, y * np.nan]), "task": None}, "task 1 has no"),
        (lambda X, y, task: {"y": np.full(len(y), np.inf)}, "y contains infinity"),
        (lambda X, y, task: {"X": X[:-1]}, "inconsistent numbers of samples"),
        (lambda X, y, task: {"X": X * np.nan}, "X must be a table of finite numbers"),
        (lambda X, y, task: {"X": [["a"]] * len(y)}, "X must be a table of finite numbers"),
        (lambda X, y, task: {"task": task[:-1]}, "task must hold one task id a row"),
        (lambda X, y, task: {"task_column": 0}, "not both"),
        (lambda X, y, task: {"task": None, "task_column": 9}, "task_column=9 is out of range"),
        (lambda X, y, task: {"cv": 3, "n_per_task": 2}, "n_per_task=2 is for cv=None"),
        (lambda X, y, task: {"cv": [([0, 1], [2, 3])]}, "at least 2 splits"),
        (lambda X, y, task: {"scoring": "best"}, "metric must be one of"),
    ],
)
def test_unusable_data_are_refused(change, message):
    X, y, task = long_data()
    with pytest.raises(ValueError, match=message):
        compare(**{"X": X, "y": y, "task": task} | change(X, y, task))


def test_a_scoring_that_is_no_function_is_refused():
    with pytest.raises(TypeError, match="scoring must be None, a name or a scorer, got 3"):
        compare(*long_data(), scoring=3)


# the result


def test_the_table_holds_paired_differences_with_corrected_standard_errors():
    own, other = np.array([0.7, 0.8, 0.6, 0.9]), np.array([0.6, 0.8, 0.5, 0.7])
    table = comparison_of(own, other, test_train_ratio=0.5).table
    difference, correction = other - own, np.sqrt(1 / 4 + 0.5)
    assert list(table.columns) == [
        "mean", "se", "difference", "difference_se", "low", "high", "p_value", "fit_seconds",
    ]  # fmt: skip
    row, se = table.loc["plain"], difference.std(ddof=1) * correction
    assert row["mean"] == pytest.approx(other.mean())
    assert row["se"] == pytest.approx(other.std(ddof=1) * correction)
    assert row["difference"] == pytest.approx(difference.mean())
    assert row["difference_se"] == pytest.approx(se)
    reach = stats.t.ppf(0.975, 3) * se
    assert row["low"] == pytest.approx(difference.mean() - reach)
    assert row["high"] == pytest.approx(difference.mean() + reach)
    expected = 2 * stats.t.sf(abs(difference.mean()) / se, 3)
    assert row["p_value"] == pytest.approx(expected)
    assert table.loc["mine", "difference"] == 0
    assert table.loc["mine", "fit_seconds"] == 0.5
    assert np.isnan(table.loc["mine", "p_value"])


def test_without_pandas_tables_are_lists_of_dicts(monkeypatch):
    comparison = comparison_of([0.5, 0.6], [0.5, 0.7])
    frame = comparison.table
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert [row["model"] for row in comparison.table] == ["plain", "mine"]
    assert comparison.table[0]["mean"] == frame.loc["plain", "mean"]
    assert comparison.per_task[1]["task"] == ("b", 1)
    assert "2 splits are too few for a verdict, which takes 10" in str(comparison)


def test_tuples_stay_ids_in_the_table_of_tasks():
    per_task = comparison_of([0.5, 0.6], [0.5, 0.7]).per_task
    assert per_task.index.tolist() == ["a", ("b", 1)]
    assert per_task.index.name == "task"
    assert per_task["labels"].tolist() == [4, 5]


T12 = stats.t.ppf(0.975, 11)  # of 12 splits


@pytest.mark.parametrize(
    "gain, outcome, said",
    [
        (1.01 * T12, "a gain", "a gain"),
        (0.99 * T12, "no difference shown", "no difference that these data can show"),
        (-0.99 * T12, "no difference shown", "no difference that these data can show"),
        (-1.01 * T12, "a loss", "a loss"),
    ],
)
def test_the_verdict_is_whether_the_interval_excludes_zero(gain, outcome, said):
    own = around(0.5 + 0.01 * gain, 0.01)
    comparison = comparison_of(own, np.full(12, 0.5))
    assert comparison.gain == pytest.approx(0.01 * gain)
    assert comparison.gain_se == pytest.approx(0.01)
    assert comparison.outcome == outcome
    assert comparison.verdict.endswith(f": {said}.")
    low, high = comparison.gain_interval
    assert (low, high) == pytest.approx((0.01 * (gain - T12), 0.01 * (gain + T12)))
    loss = comparison_of(-own, np.full(12, -0.5), greater_is_better=False)
    assert loss.outcome == outcome
    assert loss.gain_interval == pytest.approx((low, high))


@pytest.mark.parametrize("luck", [0.0, 1e-12, -1e-12])
def test_equal_scores_and_rounding_are_no_difference(luck):
    plain = around(0.8, 0.1)
    comparison = comparison_of(plain + luck, plain)
    assert comparison.outcome == "no difference shown"
    assert comparison.gain == 0 and comparison.gain_interval == (0, 0)
    assert comparison.table.loc["plain", "p_value"] == 1


def test_fewer_than_ten_splits_have_an_interval_and_no_verdict():
    comparison = comparison_of(around(0.9, 1e-6, n=9), np.full(9, 0.5))
    assert comparison.outcome is None
    assert comparison.gain_interval[0] > 0.399
    assert comparison.verdict.endswith(": 9 splits are too few for a verdict, which takes 10.")
    assert comparison_of(around(0.9, 1e-6, n=10), np.full(10, 0.5)).outcome == "a gain"


def test_a_gain_is_one_on_every_simple_model_and_a_loss_one_to_any():
    def comparison(gains, ses):
        simple = {f"m{k}": np.full(12, 0.5) - g for k, g in enumerate(gains)}
        simple = {
            name: s + around(0, se) for (name, s), se in zip(simple.items(), ses, strict=True)
        }
        scores = simple | {"mine": np.full(12, 0.5)}
        return comparison_of([0], [0], scores=scores, simple=list(simple))

    # the second model is worse on average, but it might be the best
    assert comparison([0.03, 0.04], [0.01, 0.03]).outcome == "no difference shown"
    assert comparison([0.03, 0.08], [0.01, 0.03]).outcome == "a gain"
    low, high = comparison([0.03, 0.04], [0.01, 0.03]).gain_interval
    both = stats.t.ppf(1 - 0.025 / 2, 11)
    assert low == pytest.approx(0.04 - T12 * 0.03)
    assert high == pytest.approx(0.03 + both * 0.01)
    # one of four chosen with hindsight: 2.4 standard errors would be a loss to one model alone
    assert T12 < 2.4 < stats.t.ppf(1 - 0.025 / 4, 11)
    assert comparison([-0.024], [0.01]).outcome == "a loss"
    assert comparison([-0.024] + [0.0] * 3, [0.01] * 4).outcome == "no difference shown"


def test_p_values_allow_for_all_models_of_the_table():
    gains = {"a": 0.035, "b": 0.03, "c": 0.005}
    scores = {name: around(0.5 - gain, 0.01) for name, gain in gains.items()}
    scores["mine"] = np.full(12, 0.5)
    options = {"simple": list("abc"), "fit_seconds": dict.fromkeys(scores, 0.5)}
    table = comparison_of([0], [0], scores=scores, **options).table
    alone = [2 * stats.t.sf(gain / 0.01, 11) for gain in gains.values()]
    assert table["p_value"].tolist()[:3] == pytest.approx([3 * alone[0], 2 * alone[1], alone[2]])


def test_with_more_test_than_training_labels_only_the_part_of_test_rows_is_corrected():
    own, plain = around(0.6, 0.1), np.full(12, 0.5)
    d, ratio = own - plain, 4.0

    def se(half_differences):
        halves = np.stack([half_differences / 2, -half_differences / 2], axis=1) + plain[:, None]
        halves = {"mine": halves, "plain": np.stack([plain, plain], axis=1)}
        options = {"test_train_ratio": ratio, "half_scores": halves}
        return comparison_of(own, plain, **options).gain_se

    s2 = d.var(ddof=1)
    of_rows = 0.1 * s2  # variance of a score in the test rows
    expected = np.sqrt(s2 / 12 + of_rows * ratio / (1 + ratio))
    assert se(np.full(12, 2 * np.sqrt(of_rows))) == pytest.approx(expected)
    plain_correction = np.sqrt(s2 * (1 / 12 + ratio))
    assert se(np.full(12, 1e3)) == pytest.approx(plain_correction)  # never more than that
    assert se(np.full(12, np.nan)) == pytest.approx(plain_correction)
    few = comparison_of(own, plain, half_scores={n: np.zeros((12, 2)) for n in ("mine", "plain")})
    assert few.gain_se == pytest.approx(np.sqrt(s2 * (1 / 12 + 1 / 3)))


def test_the_verdict_reads_as_a_sentence():
    assert comparison_of(around(0.938, 0.001), np.full(12, 0.937)).verdict == (
        'mine explains .938 of the variance; its gain on the best simple model, "plain", is +.001 '
        "(95 % interval -.001 to +.003): no difference that these data can show."
    )
    assert comparison_of(around(-4e5, 5e4), np.full(12, -1.5e5), scoring="mse").verdict == (
        'mine scores -400000 (mse); its gain on the best simple model, "plain", is -250000 '
        "(95 % interval -360049 to -139951): a loss."
    )


def test_the_best_simple_model_is_the_best_on_average():
    scores = {"a": np.array([0.1, 0.9]), "b": np.array([0.6, 0.6]), "x": np.array([0.9, 0.9])}
    scores["mine"] = np.array([0.7, 0.7])
    comparison = comparison_of([0], [0], scores=scores, simple=["a", "b"])
    assert comparison.best_simple == "b"
    assert '"b"' in comparison.verdict
    other = comparison_of([0], [0], scores=scores, simple=[])
    assert 'the best other model, "x"' in other.verdict


def test_small_standard_errors_get_more_decimals():
    verdict = comparison_of(around(0.500007, 3e-6), np.full(12, 0.5)).verdict
    assert "is +.000007 (95 % interval +.000000 to +.000014)" in verdict


def test_the_text_is_aligned_and_ends_with_the_verdict():
    comparison = comparison_of([0.9, 0.92], [-12.5, 0.51])
    lines = comparison.to_text(per_task=True).splitlines()
    assert "explained variance" in lines[0]
    assert lines[1].startswith("plain  ") and lines[2].startswith("mine  ")
    assert len(lines[0]) == len(lines[1])
    assert lines[-1] == comparison.verdict
    assert any(line.split() == ["('b',", "1)", "5", "-", "-"] for line in lines)
    assert "R2 of each task" not in str(comparison)
    assert repr(comparison) == "<Comparison of 2 models on 2 splits>"


def test_names_in_the_text_are_escaped_and_cut_and_elsewhere_whole():
    long = "x" * 60
    comparison = comparison_of([0.9, 0.92], [0.5, 0.51], tasks=["a\nb\t\x00", long])
    lines = comparison.to_text(per_task=True).splitlines()
    assert any(line.startswith(r"a\nb\t\x00  ") for line in lines)
    assert any(line.startswith("x" * 27 + "...  ") for line in lines)
    assert [row["task"] for row in comparison.to_dict()["per_task"]] == ["a\nb\t\x00", long]


def test_to_dict_is_strict_json():
    result = comparison_of([0.9, 0.92], [0.5, 0.51], tasks=[np.int64(3), ("b", 1)]).to_dict()
    text = json.dumps(result, allow_nan=False)
    back = json.loads(text)
    assert back == result
    assert back["per_task"] == [
        {"task": 3, "labels": 4, "plain": 0.1, "mine": 0.1},
        {"task": "('b', 1)", "labels": 5, "plain": None, "mine": None},
    ]
    assert back["scores"]["mine"] == [0.9, 0.92]
    assert (back["outcome"], back["gain"]) == (None, pytest.approx(0.405))
    assert back["gain_low"] < 0.405 < back["gain_high"]
    assert back["table"][0]["low"] < -0.405 < back["table"][0]["high"]
    assert back["table"][1]["p_value"] is None
    assert back["table"][0]["model"] == "plain"


# what it is for


def test_similar_tasks_are_a_gain_and_equal_ones_are_not():
    quick = {"estimators": {"MultiTaskBayesianRidge": None, "independent": None}}
    similar = compare(*long_data(n_tasks=30, n=16, p=6, own=0.4), n_per_task=6, **quick)
    assert similar.verdict.endswith("a gain.")
    same = compare(*long_data(n_tasks=4, n=30, own=0.0, level=0.0), cv=10)
    assert same.outcome == "no difference shown"
