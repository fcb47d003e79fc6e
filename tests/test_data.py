import array_api_strict
import numpy as np
import pandas as pd
import polars as pl
import pytest
from _samplers import as_long, one_label_a_row, wide, with_holes
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skmtl._backend import is_foreign, to_numpy
from skmtl._data import encode_tasks, long_data, lookup_tasks, take_task_column, wide_data

quick = settings(max_examples=60, deadline=None)

# ids that are equal to no id of another type; NaN and None are no ids
one_kind = [
    st.integers(-(2**70), 2**70),
    st.text(),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not x.is_integer()),
    st.tuples(st.text(max_size=2), st.integers(0, 3)),
    st.binary(max_size=3),
    st.frozensets(st.integers(0, 3)),
    st.dates(),
]
mixed_ids = st.lists(st.one_of(*one_kind), min_size=1, max_size=12)
same_ids = st.one_of(*(st.lists(kind, min_size=1, max_size=12) for kind in one_kind))


def as_objects(ids):
    column = np.empty(len(ids), dtype=object)
    column[:] = ids
    return column


# ids


@quick
@given(st.one_of(mixed_ids, same_ids))
def test_codes_find_each_id_again(ids):
    tasks, codes = encode_tasks(as_objects(ids))
    assert [tasks[code] for code in codes] == ids
    assert len(set(tasks)) == len(tasks) == codes.max() + 1
    np.testing.assert_array_equal(lookup_tasks(as_objects(ids), tasks), codes)


@quick
@given(st.lists(st.one_of(*one_kind[:4]), min_size=1, max_size=12), st.randoms())
def test_the_order_of_tasks_does_not_depend_on_the_order_of_rows(ids, random):
    tasks, _ = encode_tasks(as_objects(ids))
    random.shuffle(ids)
    assert encode_tasks(as_objects(ids))[0] == tasks


@quick
@given(same_ids)
def test_ids_that_compare_are_sorted(ids):
    if isinstance(ids[0], frozenset):
        return  # their order is inclusion, which does not sort
    tasks, _ = encode_tasks(as_objects(ids))
    assert tasks == sorted(set(ids))


@quick
@given(mixed_ids)
def test_ids_that_were_not_seen_have_no_code(ids):
    tasks, _ = encode_tasks(as_objects(ids))
    queries = as_objects([*ids, ("never", "seen"), object()])
    codes = lookup_tasks(queries, tasks)
    assert (codes[:-2] >= 0).all()
    assert (codes[-2:] == -1).all()


@quick
@given(mixed_ids)
def test_ids_pass_through_a_frame_and_a_table(ids):
    column = as_objects(ids)
    table = np.empty((len(ids), 2), dtype=object)
    table[:, 0], table[:, 1] = 1.5, column
    for X, name in ((pd.DataFrame({"x": 1.5, "id": column}), "id"), (table, 1), (table, -1)):
        features, taken = take_task_column(X, name)
        tasks, codes = encode_tasks(taken)
        assert [tasks[code] for code in codes] == ids
        assert features.shape == (len(ids), 1)


def test_numbers_of_different_types_are_one_task():
    tasks, codes = encode_tasks(as_objects([1, 1.0, True, 0]))
    assert tasks == [0, 1]
    assert codes.tolist() == [1, 1, 1, 0]
    assert lookup_tasks(np.array([1.0, 2.0]), tasks).tolist() == [1, -1]


@pytest.mark.parametrize("ids", [["a", "a\0"], [2**53, 2**53 + 1, 0.5]], ids=["nul", "large"])
def test_different_ids_stay_different(ids):
    frame = pd.DataFrame({"x": 1.0, "id": as_objects(ids)})
    tasks, _ = encode_tasks(take_task_column(frame, "id")[1])
    assert len(tasks) == len(ids)


# the task column


def frames():
    columns = {"u": [1.0, 2.0, 3.0], "site": ["b", "a", "b"], "v": [4.0, 5.0, 6.0]}
    return {
        "pandas": pd.DataFrame(columns),
        "category": pd.DataFrame(columns).astype({"site": "category"}),
        "polars": pl.DataFrame(columns),
    }


@pytest.mark.parametrize("kind", frames())
@pytest.mark.parametrize("task_column", ["site", 1, -2, np.int64(1), np.str_("site")])
def test_the_column_is_taken_by_name_or_position(kind, task_column):
    features, ids = take_task_column(frames()[kind], task_column)
    assert ids.tolist() == ["b", "a", "b"]
    assert list(features.columns) == ["u", "v"]


def test_a_name_goes_before_a_position():
    frame = pd.DataFrame([[1.0, 7], [2.0, 8]], columns=[1, 0])
    assert take_task_column(frame, 0)[1].tolist() == [7, 8]


@pytest.mark.parametrize("task_column", [0, 1, 2, -1, -3])
def test_the_column_of_an_array_is_taken_by_position(task_column, xp_place):
    X = np.arange(12.0).reshape(4, 3)
    features, ids = take_task_column(xp_place(X), task_column)
    np.testing.assert_array_equal(ids, X[:, task_column])
    np.testing.assert_array_equal(to_numpy(features), np.delete(X, task_column % 3, axis=1))
    assert type(ids) is np.ndarray
    assert is_foreign(features) == is_foreign(xp_place(X))


def test_numbers_beside_text_stay_numbers():
    features, ids = take_task_column([[1.25, "a"], [2.5, "b"]], 1)
    assert features.astype(float).ravel().tolist() == [1.25, 2.5]
    assert ids.tolist() == ["a", "b"]


MISSING = {
    "nan": np.array([[1.0, np.nan], [2.0, 1.0]]),
    "none": np.array([[1.0, None], [2.0, "a"]], dtype=object),
    "nan-object": np.array([[1.0, float("nan")], [2.0, "a"]], dtype=object),
    "pandas": pd.DataFrame({"u": [1.0, 2.0], "id": [None, "a"]}),
    "pandas-Int64": pd.DataFrame({"u": [1.0, 2.0], "id": pd.array([None, 1], dtype="Int64")}),
    "pandas-string": pd.DataFrame({"u": [1.0, 2.0], "id": pd.array([None, "a"], dtype="string")}),
    "pandas-category": pd.DataFrame({"u": [1.0, 2.0], "id": pd.Categorical([None, "a"])}),
    "pandas-time": pd.DataFrame({"u": [1.0, 2.0], "id": pd.to_datetime([None, "2020-01-01"])}),
    "polars": pl.DataFrame({"u": [1.0, 2.0], "id": [None, "a"]}),
    "polars-int": pl.DataFrame({"u": [1.0, 2.0], "id": [None, 1]}),
}


@pytest.mark.parametrize("X", MISSING.values(), ids=MISSING)
def test_a_missing_id_is_refused_with_its_row(X):
    with pytest.raises(ValueError, match=r"the task id in column .* is missing in row 0"):
        take_task_column(X, 1)


@pytest.mark.parametrize(
    "X, task_column, message",
    [
        (np.ones((2, 2)), 2, "task_column=2 is out of range"),
        (np.ones((2, 2)), -3, "task_column=-3 is out of range"),
        (np.ones((2, 2)), "site", "task_column='site' is a name, but X has no column names"),
        (np.ones((2, 1)), 0, "task_column=0 is the only column"),
        (np.ones(2), 0, "2D array"),
        (frames()["pandas"], "town", "task_column='town' is not a column of X"),
        (frames()["pandas"], 3, "task_column=3 is out of range"),
        (frames()["polars"], "town", "task_column='town' is not a column of X"),
        (frames()["pandas"][["site"]], "site", "task_column='site' is the only column"),
        (frames()["pandas"][["u", "site", "site"]], "site", "'site'"),
    ],
)
def test_a_wrong_column_is_refused(X, task_column, message):
    with pytest.raises(ValueError, match=message):
        take_task_column(X, task_column)


# TaskData

tables = arrays(float, st.tuples(st.integers(1, 7), st.integers(1, 4)), elements=st.floats(-9, 9))


def cells_of(data, labelled):
    """{(features of the row, column): (label, weight)}; X must tell its rows apart."""
    labels, X = data.labels, to_numpy(data.X)
    return {
        (tuple(X[row]), int(labelled[task])): (y, s)
        for row, task, y, s in zip(labels.row, labels.task, labels.y, labels.s, strict=True)
    }


@quick
@given(tables, st.data())
def test_wide_data_holds_each_observed_cell_of_positive_weight_once(Y, data):
    hidden = data.draw(arrays(bool, Y.shape))
    S = data.draw(arrays(float, Y.shape, elements=st.sampled_from([0.0, 0.5, 1.0, 2.0])))
    X = np.arange(2.0 * len(Y)).reshape(len(Y), 2)
    weights = {"none": None, "rows": S[:, 0], "cells": S}
    kind = data.draw(st.sampled_from(sorted(weights)))
    weight = np.broadcast_to({"none": np.ones((1, 1)), "rows": S[:, :1], "cells": S}[kind], Y.shape)
    Y = np.where(hidden, np.nan, Y)
    expected = {
        (tuple(X[i]), t): (Y[i, t], weight[i, t])
        for i, t in np.ndindex(Y.shape)
        if not hidden[i, t] and weight[i, t] > 0
    }
    if not expected:
        return
    task_data, labelled = wide_data(X, Y, weights[kind])
    assert cells_of(task_data, labelled) == expected
    assert labelled.tolist() == sorted({t for _, t in expected})
    assert task_data.n_tasks == len(labelled)
    assert len(task_data.X) == len({row for row, _ in expected})
    assert_labels_are_sorted(task_data)


@quick
@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0.0, 1.0, 3.0])), min_size=1))
def test_long_data_holds_each_row_of_positive_weight_once(rows):
    codes, weight = np.array(rows).T
    codes, y = codes.astype(int), np.arange(len(rows)) + 0.5
    X = np.arange(2.0 * len(rows)).reshape(len(rows), 2)
    expected = {(tuple(X[i]), codes[i]): (y[i], weight[i]) for i in np.flatnonzero(weight > 0)}
    if not expected:
        return
    data, labelled = long_data(X, y, codes, 5, weight)
    assert cells_of(data, labelled) == expected
    assert data.one_label_per_row
    assert_labels_are_sorted(data)


def assert_labels_are_sorted(data):
    labels = data.labels
    assert (np.diff(labels.task) >= 0).all()
    assert labels.indptr[0] == 0
    assert labels.indptr[-1] == len(labels.y)
    assert (np.diff(labels.indptr) > 0).all()
    sums = [labels.s[a:b].sum() for a, b in zip(labels.indptr, labels.indptr[1:], strict=False)]
    np.testing.assert_allclose(data.weight_sums, sums)


def test_wide_and_long_data_hold_the_same_labels():
    X, Y = wide(n=12)
    Y = with_holes(Y)
    table, y = as_long(X, Y)
    from_wide = cells_of(*wide_data(X, Y))
    from_long = cells_of(*long_data(table[:, :-1], y, table[:, -1].astype(int), Y.shape[1]))
    assert from_wide == from_long


def test_one_label_a_row_is_sorted_by_task_in_either_format():
    X, Y = wide(n=12)
    Y = one_label_a_row(Y)
    table, y = as_long(X, Y)
    for data in (
        wide_data(X, Y)[0],
        long_data(table[:, :-1], y, table[:, -1].astype(int), Y.shape[1])[0],
    ):
        assert data.one_label_per_row
        np.testing.assert_array_equal(data.labels.row, np.arange(len(X)))


def test_a_complete_table_is_a_common_design():
    X, Y = wide(n=6)
    weight = np.linspace(0.5, 2, len(X))
    for S in (None, weight, np.repeat(weight[:, None], 3, axis=1)):
        assert wide_data(X, Y, S)[0].is_common_design
    uneven = np.ones(Y.shape)
    uneven[0, 0] = 2
    for data in (wide_data(X, Y, uneven)[0], wide_data(X, with_holes(Y))[0]):
        assert not data.is_common_design
    assert wide_data(X, np.column_stack([Y, np.full(6, np.nan)]))[0].is_common_design


def test_features_are_copied_only_where_rows_leave_or_move():
    X, Y = wide(n=6)
    assert wide_data(X, Y)[0].X is X
    assert wide_data(X, with_holes(Y, least=3))[0].X is X
    codes = np.array([0, 0, 1, 1, 2, 2])
    assert long_data(X, Y[:, 0], codes, 3)[0].X is X
    assert long_data(X, Y[:, 0], codes[::-1], 3)[0].X is not X


def test_rows_are_dropped_at_the_place_of_x():
    X, Y = wide(n=6)
    Y[0] = np.nan
    device = array_api_strict.Device("device1")
    data, _ = wide_data(array_api_strict.asarray(X, device=device), Y)
    assert data.X.device == device
    np.testing.assert_array_equal(to_numpy(data.X), X[1:])


def test_memory_follows_the_number_of_labels_not_rows_times_tasks():
    n = 20_000  # as many tasks as rows: a table would take 3 GB
    data, labelled = long_data(np.zeros((n, 1)), np.zeros(n), np.arange(n)[::-1], n)
    assert data.labels.y.size == len(labelled) == n
