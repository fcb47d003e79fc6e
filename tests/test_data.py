import array_api_strict
import numpy as np
from _samplers import as_long, one_label_a_row, wide, with_holes
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skmtl._backend import to_numpy
from skmtl._data import long_data, wide_data

quick = settings(max_examples=60, deadline=None)

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
