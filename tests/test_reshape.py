import warnings

import array_api_strict
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skmtl import MultiTaskRidge
from skmtl.model_selection._reshape import from_task_lists, to_wide


def labels_of(X, Y, tasks):
    """All observed labels as sorted (features, task, label)."""
    return sorted(
        (tuple(X[i].tolist()), tasks[t], Y[i, t].item()) for i, t in np.argwhere(~np.isnan(Y))
    )


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc")), min_size=1, max_size=30))
def test_wide_labels_are_the_long_labels_in_as_few_rows_as_hold_them(rows):
    X = np.array([[float(x), -float(x)] for x, _ in rows])
    y, task = np.arange(len(rows)) + 0.5, [t for _, t in rows]
    wide_X, Y, tasks = to_wide(X, y, task)
    assert tasks.tolist() == sorted(set(task))
    long = sorted((tuple(X[i].tolist()), task[i], y[i]) for i in range(len(rows)))
    assert labels_of(wide_X, Y, tasks) == long
    # a row of X is needed as often as its most repeated task asks for
    needed = {x: max(rows.count((x, t)) for t in "abc") for x, _ in rows}
    assert sorted(wide_X[:, 0]) == sorted(x for x, times in needed.items() for _ in range(times))


def test_rows_keep_the_order_of_first_appearance():
    X, Y, tasks = to_wide([[9.0], [1.0], [9.0], [9.0]], [1, 2, 3, 4], ["b", "b", "b", "a"])
    assert X.ravel().tolist() == [9.0, 1.0, 9.0]
    np.testing.assert_array_equal(Y, [[4.0, 1.0], [np.nan, 2.0], [np.nan, 3.0]])
    assert tasks.tolist() == ["a", "b"]


@pytest.mark.parametrize("ids", [[2, 10], [("x", 1), ("x", 2)], ["a", "b"]], ids=str)
def test_ids_are_any_hashable_and_sorted(ids):
    _, Y, tasks = to_wide([[0.0], [0.0]], [1.0, 2.0], ids[::-1])
    assert tasks.tolist() == ids
    assert Y.tolist() == [[2.0, 1.0]]


def test_rows_with_nan_are_not_merged():
    X, Y, _ = to_wide([[np.nan], [np.nan]], [1.0, 2.0], [0, 1])
    assert X.shape == (2, 1)
    assert (~np.isnan(Y)).sum() == 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floating_types_are_kept(dtype):
    X, y = np.eye(2, dtype=dtype), np.ones(2, dtype=dtype)
    for wide_X, Y, _ in (to_wide(X, y, [0, 1]), from_task_lists([(X, y), (X, y)])):
        assert (wide_X.dtype, Y.dtype) == (dtype, dtype)
    wide_X, Y, _ = to_wide(X.astype(int), y.astype(int), [0, 1])
    assert (wide_X.dtype, Y.dtype) == (np.float64, np.float64)


def test_frames_and_foreign_arrays_give_the_table_of_arrays():
    X, y, task = np.array([[0.0], [0.0], [1.0]]), np.array([1.0, 2.0, 3.0]), [1, 0, 1]
    frame = pd.DataFrame({"x": X[:, 0], "y": y, "task": task}, index=[5, 5, 7])
    device = array_api_strict.Device("device1")
    expected = to_wide(X, y, task)
    for given_rows in (
        (frame[["x"]], frame["y"].astype("Float64"), frame["task"]),
        [array_api_strict.asarray(a, device=device) for a in (X, y, np.array(task))],
    ):
        for ours, theirs in zip(to_wide(*given_rows), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_task_lists_are_stacked_with_one_label_a_row():
    rng = np.random.default_rng(0)
    data = [(rng.normal(size=(n, 2)), rng.normal(size=n)) for n in (3, 0, 2)]
    X, Y, tasks = from_task_lists(data, tasks=["c", "a", "b"])
    assert tasks.tolist() == ["c", "a", "b"]
    assert Y.shape == (5, 3)
    for t, (X_t, y_t) in enumerate(data):
        rows = ~np.isnan(Y[:, t])
        np.testing.assert_array_equal(X[rows], X_t)
        np.testing.assert_array_equal(Y[rows, t], y_t)
    assert (~np.isnan(Y)).sum() == 5
    assert from_task_lists(data)[2].tolist() == [0, 1, 2]


FRAMES = {"pandas": pd.DataFrame, "polars": pl.DataFrame}
SOUTH = {"dose": [3.0, 4.0], "age": [5, 6]}
NORTH = {"age": [1, 2], "dose": [0.5, 0.25]}


@pytest.mark.parametrize("first", FRAMES)
@pytest.mark.parametrize("second", FRAMES)
def test_columns_of_frames_are_brought_together_by_name(first, second):
    north, south = FRAMES[first](NORTH), FRAMES[second](SOUTH)
    X, Y, _ = from_task_lists([(north, [1.0, 2.0]), (south, [3.0, 4.0])])
    assert type(X) is FRAMES[first]
    assert list(X.columns) == ["age", "dose"]
    expected = [[1.0, 0.5], [2.0, 0.25], [5.0, 3.0], [6.0, 4.0]]
    assert X.to_numpy().tolist() == expected
    swapped = from_task_lists([(south, [3.0, 4.0]), (north, [1.0, 2.0])])[0]
    assert swapped.to_numpy().tolist() == [row[::-1] for row in expected[2:] + expected[:2]]
    np.testing.assert_array_equal(Y, [[1, np.nan], [2, np.nan], [np.nan, 3], [np.nan, 4]])


def test_names_of_frames_travel_on_to_the_estimator():
    pairs = [(pd.DataFrame(NORTH), [1.0, 2.0]), (pd.DataFrame(SOUTH), [3.0, 4.0])]
    X, Y, _ = from_task_lists(pairs)
    model = MultiTaskRidge().fit(X, Y)
    assert model.feature_names_in_.tolist() == ["age", "dose"]
    with pytest.raises(ValueError, match="order"):
        model.predict(pairs[1][0])
    by_position = MultiTaskRidge().fit(X.to_numpy(), Y)
    np.testing.assert_allclose(model.coef_, by_position.coef_)


def test_an_index_is_ignored_and_made_anew():
    X = pd.DataFrame(NORTH, index=[7, 3])
    y = pd.Series([1.0, 2.0], index=[3, 7])
    table, Y, _ = from_task_lists([(X, y), (X, y)])
    assert table.index.tolist() == [0, 1, 2, 3]
    assert table["age"].tolist() == [1, 2, 1, 2]
    np.testing.assert_array_equal(Y[:2, 0], [1.0, 2.0])


@pytest.mark.parametrize("names", [[0, 1], [("a", 1), ("a", 2)], ["b", "a"]], ids=str)
def test_names_of_any_kind_are_kept(names):
    X = pd.DataFrame(np.eye(2), columns=pd.Index(names))
    table, _, _ = from_task_lists([(X, [1, 2]), (X[X.columns[::-1]], [3, 4])])
    assert table.columns.tolist() == names
    np.testing.assert_array_equal(table, np.vstack([np.eye(2), np.eye(2)]))


@pytest.mark.parametrize(
    "column",
    [
        lambda y: y,
        lambda y: np.array(y)[:, None],
        pd.Series,
        lambda y: pd.Series(y).astype("Float64"),
        lambda y: pd.DataFrame({"y": y}),
        pl.Series,
        lambda y: pl.DataFrame({"y": y}),
    ],
    ids=["list", "column", "Series", "nullable", "frame", "polars", "polars frame"],
)
def test_labels_come_in_a_row_or_a_column_of_any_kind(column):
    X = np.eye(2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, Y, _ = from_task_lists([(X, column([1.0, 2.0])), (X, column([3.0, 4.0]))])
        _, wide, _ = to_wide(X, column([1.0, 2.0]), ["a", "b"])
    np.testing.assert_array_equal(Y, [[1, np.nan], [2, np.nan], [np.nan, 3], [np.nan, 4]])
    np.testing.assert_array_equal(wide, [[1, np.nan], [np.nan, 2]])


def test_a_task_without_rows_may_be_a_frame():
    north, south = pd.DataFrame(NORTH), pd.DataFrame(SOUTH)
    X, Y, _ = from_task_lists([(north[:0], []), (south, [3.0, 4.0])])
    assert X.to_numpy().tolist() == [[5.0, 3.0], [6.0, 4.0]]
    assert np.isnan(Y[:, 0]).all()


def test_arguments_are_left_alone():
    X, y = np.eye(3), np.arange(3.0)
    X.flags.writeable = y.flags.writeable = False
    for wide_X, Y, _ in (to_wide(X, y, [0, 1, 1]), from_task_lists([(X, y)])):
        wide_X[:], Y[:] = -1.0, -1.0
    np.testing.assert_array_equal(X, np.eye(3))


@pytest.mark.parametrize(
    ("X", "y", "task", "message"),
    [
        ([[0.0]], [1.0, 2.0], [0, 1], "inconsistent numbers of samples"),
        ([[0.0], [1.0]], [1.0, 2.0], [0], r"task must hold one task id a row, of shape \(2,\)"),
        ([[0.0], [1.0]], [1.0, 2.0], [0, None], "task id in task is missing in row 1"),
        ([[0.0], [1.0]], [1.0, np.nan], [0, 1], "y contains NaN in row 1: drop the row"),
        ([[0.0], [np.inf]], [1.0, 2.0], [0, 1], "X contains infinity"),
        ([["a"], ["b"]], [1.0, 2.0], [0, 1], "could not convert string to float"),
        ([0.0, 1.0], [1.0, 2.0], [0, 1], "Expected 2D array"),
        (np.empty((0, 1)), [], [], "0 sample"),
    ],
)
def test_wrong_long_rows_are_named(X, y, task, message):
    with pytest.raises(ValueError, match=message):
        to_wide(X, y, task)


GOOD = ([[1.0, 2.0]], [3.0])


@pytest.mark.parametrize(
    ("data", "tasks", "message"),
    [
        ([GOOD, ([[1.0]], [2.0])], None, r"X of task 1 has 1 feature\(s\), .* task 0 has 2"),
        (
            [GOOD, ([[1.0, 2.0]], [2.0, 3.0])],
            ["a", "b"],
            "data of task 'b' .* inconsistent numbers",
        ),
        ([GOOD, ([[1.0, np.inf]], [2.0])], ["a", "b"], "data of task 'b' .* X contains infinity"),
        ([GOOD, ([[1.0, 2.0]], ["x"])], ["a", "b"], "data of task 'b' .*could not convert"),
        ([GOOD, 3], ["a", "b"], r"data of task 'b' is no valid pair \(X, y\)"),
        ([GOOD, GOOD], ["a", "a"], r"tasks must be distinct ids, got \['a', 'a'\]"),
        ([GOOD, GOOD], ["a"], r"tasks must hold one task id a row, of shape \(2,\)"),
        ([GOOD, ([[1.0, 2.0]], [[3.0, 4.0]])], None, r"task 1 .* must be 1-D.* shape \(1, 2\)"),
        (
            [
                (pd.DataFrame(NORTH), [1, 2]),
                (pd.DataFrame(SOUTH).rename(columns={"age": "Age"}), [1, 2]),
            ],
            ["north", "south"],
            r"X of task 'south' has other columns .* 'north': it lacks \['age'\] and has "
            r"also \['Age'\]",
        ),
        (
            [(pd.DataFrame(NORTH), [1, 2]), (pd.DataFrame(SOUTH)[["age"]], [1, 2])],
            None,
            r"X of task 1 has other columns than X of task 0: it lacks \['dose'\]; every task",
        ),
        (
            [(pd.DataFrame(NORTH)[["age", "age"]], [1, 2])] * 2,
            None,
            "X of task 0 has 2 columns named 'age'; rename",
        ),
        (
            [GOOD, (pd.DataFrame(SOUTH), [1, 2])],
            ["a", "b"],
            "X of task 'a' has no column names, but X of task 'b' has",
        ),
        (
            [(pl.DataFrame(SOUTH), [1, 2]), GOOD],
            ["a", "b"],
            "X of task 'b' has no column names, but X of task 'a' has",
        ),
        (
            [(pd.DataFrame(NORTH).assign(sex=["f", "m"]), [1, 2])] * 2,
            ["a", "b"],
            r"data of task 'a' .* columns \['sex'\] of X hold no numbers; encode or drop",
        ),
        ([], None, "data must hold at least one row, got none"),
        ([(np.empty((0, 2)), [])], None, "data must hold at least one row, got none"),
    ],
)
def test_wrong_task_lists_are_named(data, tasks, message):
    with pytest.raises(ValueError, match=message):
        from_task_lists(data, tasks=tasks)
