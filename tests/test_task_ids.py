import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skmtl._backend import is_foreign, to_numpy
from skmtl._task_ids import encode_tasks, id_array, lookup_tasks, occurrence, take_task_column

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


# numbers of tasks


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


@quick
@given(st.lists(st.integers(0, 4)))
def test_occurrence_counts_the_equal_codes_before_each(codes):
    expected = [codes[:i].count(code) for i, code in enumerate(codes)]
    assert occurrence(np.array(codes, dtype=int)).tolist() == expected


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


# ids beside X


@quick
@given(st.one_of(mixed_ids, same_ids))
def test_ids_beside_x_are_those_of_a_column(ids):
    frame = pd.DataFrame({"x": 1.0, "id": as_objects(ids)})
    column = take_task_column(frame, "id")[1]
    for container in (ids, as_objects(ids), frame["id"], tuple(ids)):
        beside = id_array(container, "task", len(ids))
        assert beside.dtype == column.dtype
        assert beside.tolist() == ids


CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "array": np.array,
    "series": pd.Series,
    "categorical": pd.Categorical,
    "nullable": lambda ids: pd.Series(ids).convert_dtypes(),
    "polars": pl.Series,
    "masked": np.ma.array,
}


@pytest.mark.parametrize("wrap", CONTAINERS.values(), ids=CONTAINERS)
@pytest.mark.parametrize("ids", [["b", "a", "b"], [2, 1, 2], [0.5, 1.0, 0.5]], ids=str)
def test_ids_may_come_in_any_container(wrap, ids):
    array = id_array(wrap(ids), "task", 3)
    assert array.dtype.kind == np.array(ids).dtype.kind
    assert array.tolist() == ids


def test_ids_may_lie_anywhere(xp_place):
    assert id_array(xp_place([2, 1, 2]), "task", 3).tolist() == [2, 1, 2]


@pytest.mark.parametrize(
    "ids",
    [
        [None, "a"],
        [float("nan"), 1.0],
        np.array(["NaT", "2020-01-01"], dtype="datetime64[ns]"),
        np.ma.array(["a", "b"], mask=[True, False]),
        pd.Series([None, 1], dtype="Int64"),
        pd.Categorical([None, "a"]),
        pl.Series([None, "a"]),
    ],
    ids=lambda ids: type(ids).__name__,
)
def test_a_missing_id_beside_x_is_refused_with_its_row(ids):
    with pytest.raises(ValueError, match="the task id in groups is missing in row 0"):
        id_array(ids, "groups", 2)


@pytest.mark.parametrize(
    ("ids", "shape"),
    [
        (["a"], r"\(1,\)"),
        (np.ones((2, 1)), r"\(2, 1\)"),
        (np.array("a"), r"\(\)"),
        (pd.DataFrame({"id": ["a", "b"]}), r"\(2, 1\)"),
    ],
    ids=["short", "table", "scalar", "frame"],
)
def test_ids_of_another_shape_are_refused(ids, shape):
    with pytest.raises(ValueError, match=rf"task must hold .* of shape \(2,\), got {shape}"):
        id_array(ids, "task", 2)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "uint64", "float32", "float64"])
@pytest.mark.parametrize(
    "ids",
    [
        [3, 1, 2, 1],
        [100, 100],
        [5],
        [0, 127],
        [3.5, 3.0, 4.0],
        [0.5],
        [0.5, 1.5],
        [-4, -4, 7],
        [1, 2**50],
    ],
)
def test_numbers_are_encoded_as_numpy_unique_does(ids, dtype):
    with np.errstate(invalid="ignore"):
        ids = np.array(ids).astype(dtype)
    tasks, codes = encode_tasks(ids)
    expected, inverse = np.unique(ids, return_inverse=True)
    assert tasks == expected.tolist() and list(map(type, tasks)) == list(
        map(type, expected.tolist())
    )
    np.testing.assert_array_equal(codes, inverse)
