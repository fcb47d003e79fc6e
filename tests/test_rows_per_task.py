import json
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from skmtl.baselines import PooledTasks
from skmtl.model_selection import (
    Comparison,
    ComparisonCurve,
    MultiTaskShuffleSplit,
    compare,
    compare_by_rows,
)

SIMPLE = ["pooled", "pooled + dummies", "independent", "independent, one alpha"]
NAMES = [*SIMPLE, "MultiTaskBayesianRidge", "MultiTaskRidgeCV"]
# quick: two pooled models and nothing else
GAIN = ["gain", "gain_se", "gain_low", "gain_high", "outcome"]
QUICK = {
    "estimators": dict.fromkeys(NAMES[1:]) | {"plain": PooledTasks(LinearRegression())},
    "reference": "plain",
}


def long_data(seed=0, n_tasks=5, n=16, p=3, own=0.3, level=1.0):
    """Rows of tasks with similar coefficients and levels of their own; ids are strings."""
    rng = np.random.default_rng(seed)
    X, codes = rng.normal(size=(n * n_tasks, p)), np.repeat(np.arange(n_tasks), n)
    W = rng.normal(size=p) + own * rng.normal(size=(n_tasks, p))
    y = (X * W[codes]).sum(axis=1) + level * rng.normal(size=n_tasks)[codes]
    y += rng.normal(size=len(y))
    return X, y, np.array([f"t{c}" for c in codes])


def wide_data(seed=0, n=40):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    Y = X @ rng.normal(size=(3, 3)) + rng.normal(size=(n, 3))
    Y[rng.random(Y.shape) < 0.2] = np.nan
    return X, Y


N = 12  # splits


def curve_of(gains, sizes=None, noise=0.001, rivals=None):
    """A curve of the reference "mine" with the given mean gains on the better of "a" and "b"."""
    noise = noise * np.resize([-1.0, 1.0], N)
    comparisons = []
    for gain, best in zip(gains, rivals or ["a"] * len(gains), strict=True):
        scores = {"a": np.full(N, 0.1), "b": np.full(N, 0.1)} | {best: np.full(N, 0.5)}
        scores["mine"] = 0.5 + gain + noise
        comparisons.append(
            Comparison(
                scores=scores,
                fit_seconds=dict.fromkeys(scores, 0.5),
                task_scores={name: np.array([0.1, np.nan]) for name in scores},
                tasks=["t", ("u", 1)],
                n_labels=np.array([40, 50]),
                reference="mine",
                simple=["a", "b"],
                scoring="explained variance",
                test_train_ratio=1 / 3,
            )
        )
    return ComparisonCurve(list(sizes or range(2, 2 + len(gains))), comparisons)


# what compare_by_rows computes


@pytest.mark.parametrize("data", [long_data(), wide_data()], ids=["long", "wide"])
def test_each_size_is_compare_with_that_many_rows(data):
    own = QUICK if len(data) == 3 else {"estimators": dict.fromkeys(NAMES[2:4])}
    curve = compare_by_rows(*data, rows_per_task=(3, 6), n_splits=4, random_state=7, **own)
    assert curve.rows_per_task == [3, 6]
    for size, comparison in zip(curve.rows_per_task, curve.comparisons, strict=True):
        cv = MultiTaskShuffleSplit(4, n_per_task=size, random_state=7)
        expected = compare(*data, cv=cv, **own)
        assert list(comparison.scores) == list(expected.scores)
        for name, scores in expected.scores.items():
            np.testing.assert_array_equal(comparison.scores[name], scores)


def test_the_default_splits_are_those_of_compare():
    data = long_data()
    curve = compare_by_rows(*data, rows_per_task=[5], **QUICK)
    expected = compare(*data, n_per_task=5, **QUICK)
    np.testing.assert_array_equal(curve.comparisons[0].scores["plain"], expected.scores["plain"])


def test_a_size_does_not_depend_on_the_others():
    data = long_data()

    def scores(sizes):
        rng = np.random.RandomState(3)
        curve = compare_by_rows(*data, rows_per_task=sizes, n_splits=3, random_state=rng, **QUICK)
        return curve.comparisons[-1].scores["plain"]

    np.testing.assert_array_equal(scores([8]), scores([2, 5, 8]))


def test_sizes_are_taken_once_and_in_ascending_order():
    sizes = np.array([6, 3, 6])
    curve = compare_by_rows(*long_data(), rows_per_task=sizes, n_splits=2, **QUICK)
    assert curve.rows_per_task == [3, 6]
    assert [type(size) for size in curve.rows_per_task] == [int, int]


def test_a_column_of_ids_is_as_good_as_ids_beside_the_table():
    X, y, task = long_data()
    frame = pd.DataFrame(X, columns=list("abc")).assign(site=task)
    how = {"rows_per_task": [4], "n_splits": 2} | QUICK
    beside = compare_by_rows(X, y, task, **how).comparisons[0]
    within = compare_by_rows(frame, y, task_column="site", **how).comparisons[0]
    np.testing.assert_array_equal(within.scores["plain"], beside.scores["plain"])


def test_sizes_that_leave_a_task_no_test_row_are_skipped_with_a_word():
    X, y, task = long_data(n=10)
    keep = np.flatnonzero(~((task == "t3") & (np.arange(50) % 10 > 5)))  # 6 rows of t3
    data = X[keep], y[keep], task[keep]
    with pytest.warns(UserWarning, match=r"6, 8 rows per task skipped: task 't3' has 6 and needs"):
        curve = compare_by_rows(*data, rows_per_task=(3, 5, 6, 8), n_splits=2, **QUICK)
    assert curve.rows_per_task == [3, 5]
    with pytest.raises(ValueError, match=r"rows_per_task=\[6, 8\] are too many .* task 't3' has 6"):
        compare_by_rows(*data, rows_per_task=(6, 8), n_splits=2, **QUICK)


def test_sizes_of_wide_data_count_labels():
    X, Y = wide_data()
    Y[5:, 1] = np.nan
    n_labels = int((~np.isnan(Y[:, 1])).sum())
    with pytest.raises(ValueError, match=f"task 1 has {n_labels} and needs one"):
        compare_by_rows(X, Y, rows_per_task=[n_labels])


def test_the_callback_counts_the_splits_of_all_sizes():
    steps = []
    compare_by_rows(
        *long_data(),
        rows_per_task=(2, 3, 4),
        n_splits=2,
        callback=lambda *step: steps.append(step),
        **QUICK,
    )
    assert steps == [(k, 6) for k in range(1, 7)]


@pytest.mark.parametrize(
    "changes, error, message",
    [
        ({"rows_per_task": 3}, TypeError, "rows_per_task must be an iterable of integers, got 3"),
        ({"rows_per_task": "3,6"}, TypeError, "rows_per_task must be an iterable of integers"),
        ({"rows_per_task": [3.0]}, TypeError, "rows_per_task must be an integer"),
        ({"rows_per_task": [0, 3]}, ValueError, "rows_per_task must be at least 1, got 0"),
        ({"rows_per_task": []}, ValueError, "rows_per_task must hold at least one size"),
        ({"n_splits": 1}, ValueError, "n_splits must be at least 2"),
        ({"task": None}, ValueError, "at least two tasks"),
        ({"reference": "best"}, ValueError, "reference must be the name of an estimator"),
    ],
)
def test_unusable_arguments_are_refused(changes, error, message):
    X, y, task = long_data()
    with pytest.raises(error, match=message):
        compare_by_rows(**{"X": X, "y": y, "task": task} | changes)


def test_a_model_that_fails_at_one_size_is_kept_at_the_others():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(24, 3)), rng.normal(size=(24, 3))
    Y[::2, 2], Y[1::2, :2] = np.nan, np.nan  # a row of each kind: as many labels as intercepts
    with pytest.warns(UserWarning, match="MultiTaskBayesianRidge is left out: it failed on split"):
        curve = compare_by_rows(X, Y, rows_per_task=(1, 4), n_splits=3)
    scores = curve.table["MultiTaskBayesianRidge"]
    assert np.isnan(scores[1]) and np.isfinite(scores[4])
    assert list(curve.table.columns)[:6] == NAMES
    assert curve.to_dict()["table"][0]["MultiTaskBayesianRidge"] is None
    assert "left out, as it failed on a split: MultiTaskBayesianRidge at 1\n" in curve.to_text()
    line = pytest.importorskip("skmtl.inspection").ComparisonDisplay.from_curve(curve).lines_[4]
    assert line.get_label() == "MultiTaskBayesianRidge"
    np.testing.assert_array_equal(line.get_ydata(), scores)


# the result


def test_the_table_holds_means_and_the_gain_on_the_model_that_is_best_at_that_size():
    curve = compare_by_rows(*long_data(), rows_per_task=(3, 8), n_splits=4)
    assert curve.table.index.tolist() == [3, 8] and curve.table.index.name == "rows"
    assert list(curve.table.columns) == [*NAMES, "best_simple", *GAIN]
    for size, comparison in zip(curve.rows_per_task, curve.comparisons, strict=True):
        row = curve.table.loc[size]
        for name in NAMES:
            assert row[name] == comparison.scores[name].mean()
        assert row["best_simple"] == max(SIMPLE, key=lambda name: row[name])
        gains = comparison.scores["MultiTaskRidgeCV"] - comparison.scores[row["best_simple"]]
        assert row["gain"] == pytest.approx(gains.mean())
        assert row["gain_se"] == comparison.gain_se
        assert (row["gain_low"], row["gain_high"]) == comparison.gain_interval
        assert row["outcome"] == comparison.outcome


@pytest.mark.parametrize(
    "gains, said",
    [
        ([0.1], "a gain at 2 rows per task"),
        ([0.1, 0.1, 0.1], "a gain from 2 to 4 rows per task"),
        ([0.0, 0.0], "NOTHING from 2 to 3 rows per task"),
        ([0.1, 0.1, 0.0], "a gain from 2 to 3 rows per task and NOTHING at 4"),
        ([0.0, 0.1, 0.1], "NOTHING at 2 rows per task and a gain from 3 on"),
        (
            [0.1, 0.0, 0.0, -0.1, 0.1],
            "a gain at 2 rows per task, NOTHING from 3 to 4, a loss at 5 and a gain at 6",
        ),
    ],
)
def test_the_verdict_names_the_sizes_at_which_sharing_gains(gains, said):
    sentence = curve_of(gains).verdict.split(". ")[0]
    said = said.replace("NOTHING", "no difference that these data can show")
    assert sentence == f"Against the best simple model, mine has {said}"


def test_too_few_splits_have_no_verdict():
    curve = compare_by_rows(*long_data(), rows_per_task=(3, 8), n_splits=9, **QUICK)
    start = "9 splits at each size are too few for a verdict, which takes 10. The best simple model"
    assert curve.verdict.startswith(start)
    assert list(curve.table["outcome"]) == [None, None]


def test_the_verdict_tells_the_largest_gain_and_loss_that_count():
    verdict = curve_of([-0.2, -0.3, 0.02, 0.04]).verdict
    said = "The largest gain is .040 in explained variance, at 5 (95 % interval of the gain +.03"
    assert said in verdict
    assert (
        "The largest loss is .300 in explained variance, at 3 (95 % interval of the gain -.3"
        in (verdict)
    )
    assert "The gain is .040" in curve_of([0.0, 0.04]).verdict
    assert "gain is" not in curve_of([0.0, 0.0]).verdict


def test_a_large_difference_within_its_standard_errors_is_not_the_largest_gain():
    sure, unsure = curve_of([0.04]).comparisons, curve_of([0.3], noise=0.9).comparisons
    assert unsure[0].outcome == "no difference shown"
    verdict = ComparisonCurve([3, 6], [*sure, *unsure]).verdict
    assert "The gain is .040 in explained variance, at 3 (" in verdict


def test_the_verdict_names_the_best_simple_model_of_each_size():
    verdict = curve_of([0.1] * 4, rivals=["a", "a", "b", "b"]).verdict
    assert verdict.endswith('The best simple model is "a" from 2 to 3 and "b" from 4 on.')


def test_the_text_has_a_line_for_each_model_and_ends_with_the_verdict():
    curve = curve_of([0.1, -0.1], sizes=[3, 12])
    lines = str(curve).splitlines()
    assert lines[0].split() == ["rows", "per", "task", "3", "12"]
    assert lines[3].split() == ["mine", ".600", ".400"]
    assert lines[4].split() == ["gain", "+.100", "-.100"]
    assert lines[5].split()[:5] == ["95", "%", "interval,", "low", "+.099"]
    assert len({len(line) for line in lines[:7]}) == 1
    assert lines[-1] == curve.verdict
    assert repr(curve) == "<ComparisonCurve of 3 models at [3, 12] rows per task>"


def test_without_pandas_the_table_is_a_list_of_dicts(monkeypatch):
    curve = curve_of([0.1, 0.0])
    expected = curve.table.loc[3, "mine"]
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert [row["rows"] for row in curve.table] == [2, 3]
    assert curve.table[1]["mine"] == expected


def test_to_dict_is_strict_json():
    curve = curve_of([0.1, np.float64(0.0)])
    result = curve.to_dict()
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["rows_per_task"] == [2, 3]
    assert result["table"][0]["outcome"] == "a gain"
    assert result["comparisons"][1] == curve.comparisons[1].to_dict()
    assert result["verdict"] == curve.verdict


# what it is for


def test_sharing_gains_with_few_rows_and_not_among_equal_tasks():
    similar = compare_by_rows(
        *long_data(n_tasks=30, n=16, p=6, own=0.4),
        rows_per_task=(6,),
        n_splits=10,
        estimators={"MultiTaskBayesianRidge": None, "independent": None},
    )
    assert similar.table.loc[6, "outcome"] == "a gain"
    equal = compare_by_rows(
        *long_data(n_tasks=4, n=24, own=0.0, level=0.0), rows_per_task=(4, 12), n_splits=10
    )
    assert "a gain" not in list(equal.table["outcome"])
    assert list(equal.table["best_simple"]) == ["pooled", "pooled"]
