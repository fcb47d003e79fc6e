import warnings
from decimal import Decimal
from functools import cache

import numpy as np
import pandas as pd
import polars as pl
import pytest
from _properties import assert_close
from _samplers import (
    SHORT,
    SMALL_GRIDS,
    as_long,
    estimator_names,
    labels_for,
    make_estimator,
    wide,
    with_task_column,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from skmtl import IndependentTasks, MultiTaskPerceptron, MultiTaskRidge
from skmtl._backend import is_foreign, to_numpy
from skmtl._input._task_ids import (
    are_alien,
    encode_tasks,
    id_array,
    lookup_tasks,
    occurrence,
    same_reading,
    take_task_column,
)
from skmtl.metrics import multitask_r2_score
from skmtl.model_selection import (
    MultiTaskKFold,
    MultiTaskShuffleSplit,
    compare,
    from_task_lists,
    to_wide,
)

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


# ids that read alike

ALIKE = {
    "text of a whole number": (1, "1"),
    "text of a float": (1.0, "1"),
    "decimal point": (7, "7.0"),
    "zeros in front": (7, "07"),
    "both text": ("7", "007"),
    "fraction": (0.5, "0.50"),
    "exponent": (12000, "1.2E4"),
    "minus": (-3, "-3"),
    "blank behind": ("a", "a "),
    "blank in front": (1, " 1"),
    "no-break blank": ("a", "a\xa0"),
    "bytes": ("a", b"a"),
    "bytes of a number": (1, b"1"),
    "truth": (True, "True"),
    "decimal": ("0.1", Decimal("0.10")),
    "single precision": (np.float32(0.1), "0.1"),
    "NumPy text": (2, np.str_("2")),
    "accents apart": ("Z\u00fcrich", "Zu\u0308rich"),
    "soft hyphen": ("Cologne", "Co\u00adlogne"),
    "mark of direction": ("a", "\u200ea"),
    "no-break hyphen": ("a-1", "a\u20111"),
    "blanks inside": ("a b", "a  b"),
}
APART = {
    "long numbers": ("12345678901234567", "12345678901234568"),
    "long number beside a float": (2**53 + 1, float(2**53)),
    "case": ("a", "A"),
    "underscore": ("1_0", "10"),
    "blank inside": ("a b", "ab"),
    "not a number": ("nan", "NaN"),
    "letters": ("1a", "01a"),
    "equal": (1, 1.0),
    "equal text": ("a", "a"),
    "point alone": (".", "0"),
}


@pytest.mark.parametrize("pair", ALIKE.values(), ids=ALIKE)
def test_what_reads_alike_is_told_with_its_pair(pair):
    known, id_ = pair
    assert same_reading([id_], [known]) == (id_, known)
    assert same_reading([known], [id_]) == (known, id_)
    assert same_reading(["else", known, 99.5, id_], ["else", known, 99.5, id_]) is not None


@pytest.mark.parametrize("pair", APART.values(), ids=APART)
def test_what_reads_otherwise_is_not_told(pair):
    first, second = pair
    assert same_reading([first], [second]) is None
    assert same_reading([first, second], [first, second]) is None


@quick
@given(st.integers(-(2**70), 2**70), st.integers(0, 3), st.sampled_from(["", " ", "\xa0", "\t"]))
def test_padding_and_blanks_do_not_change_how_a_number_reads(number, zeros, blank):
    text = blank + "-" * (number < 0) + "0" * zeros + str(abs(number)) + blank
    assert same_reading([text], [number]) == (text, number)
    assert same_reading([text], [number + 1]) is None


def test_several_unseen_ids_or_those_of_another_kind_are_alien():
    assert are_alien(["x", "y"], ["a"])
    assert are_alien(["x"], [1, 2])
    assert are_alien([3], ["a"])
    assert not are_alien(["x"], ["a", "b"])
    assert not are_alien([3], [1.0, 2.0])


# what estimators say of them


def sites(estimator):
    """(frame, y): the tasks are the numbers 1, 2 and 3 in the column `site`."""
    X, Y = wide(n=24)
    table, y = as_long(X, labels_for(estimator, Y))
    frame = pd.DataFrame(table[:, :-1], columns=list("uvwz"))
    return frame.assign(site=table[:, -1].astype(int) + 1), y


def long_estimator(name, unknown_task="shared"):
    estimator = make_estimator(name, **SMALL_GRIDS.get(name, {}), **SHORT.get(name, {}))
    return with_task_column(estimator, "site", unknown_task=unknown_task)


@cache
def fitted(name):
    """(model, frame, what `fit` told): ids that fit did not see are predicted."""
    estimator = long_estimator(name)
    frame, y = sites(estimator)
    model, told = warned(estimator.fit, frame, y)
    return model, frame, told


def warned(function, *args):
    """What the function returns, and its warnings but those of convergence and rare classes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = function(*args)
    said = [str(w.message) for w in caught]
    return value, [text for text in said if "write each" in text]


def everywhere(frame, site):
    return frame.assign(site=pd.Series([site] * len(frame), dtype=object))


@pytest.mark.parametrize("name", estimator_names())
def test_ids_written_otherwise_are_unseen_and_one_warning_says_so(name):
    model, frame, nothing = fitted(name)
    own, shared = model.predict(frame), model.predict(everywhere(frame, 77))
    assert nothing == []
    for same in (frame.site.astype(float), frame.site.astype("int8"), frame.site.astype(object)):
        prediction, told = warned(model.predict, frame.assign(site=same))
        assert_close(prediction, own)
        assert told == []
    text = frame.site.astype(str)
    for other in (text, "0" + text, text + " ", text + ".0", text.astype("category")):
        prediction, (told,) = warned(model.predict, frame.assign(site=other))
        assert_close(prediction, shared)
        first = other.iloc[0]
        assert told.startswith(f"task {first!r} in column 'site' was not seen in fit, but ")
        assert f"but {frame.site.iloc[0]} was" in told


@pytest.mark.parametrize("name", estimator_names())
def test_an_id_written_otherwise_beside_known_ones_is_told(name):
    model, frame, _ = fitted(name)
    third = (frame.site == 3).to_numpy()
    mixed = frame.assign(site=[str(s) if s == 3 else s for s in frame.site.tolist()])
    prediction, (told,) = warned(model.predict, mixed)
    assert told.startswith("task '3' in column 'site' was not seen in fit, but 3 was")
    assert_close(prediction[~third], model.predict(frame)[~third])
    assert_close(prediction[third], model.predict(everywhere(frame, 77))[third])


@pytest.mark.parametrize("name", estimator_names())
def test_the_error_of_an_unseen_id_names_the_known_one_that_reads_alike(name):
    estimator = long_estimator(name, "error")
    frame, y = sites(estimator)
    model = estimator.fit(frame, y)
    with pytest.raises(ValueError, match=r"^task '02' in column 'site' .* which saw 2; write each"):
        model.predict(everywhere(frame, "02"))
    some = frame.assign(site=["new", " 3", *frame.site.tolist()[2:]])
    with pytest.raises(ValueError, match=r"^task ' 3' in column 'site' .* which saw 3; write each"):
        model.predict(some)
    with pytest.raises(ValueError, match=r"^task 9 in column 'site' .* unknown_task=\"shared\""):
        model.predict(everywhere(frame, 9))


@pytest.mark.parametrize("name", estimator_names())
def test_one_task_written_in_two_ways_is_two_and_one_warning_says_so_in_fit(name):
    estimator = long_estimator(name)
    frame, y = sites(estimator)
    turn = np.arange(len(frame)) % 2 == 0
    mixed = [str(s) if s == 2 and t else s for s, t in zip(frame.site.tolist(), turn, strict=True)]
    model, (told,) = warned(estimator.fit, frame.assign(site=mixed), y)
    assert told.startswith("column 'site' holds the ids 2 and '2', which read alike")
    assert model.tasks_ == [1, 2, 3, "2"]


def test_blanks_behind_an_id_make_a_task_and_one_warning_says_so():
    frame, y = sites(Ridge())
    text = frame.site.astype(str)
    blank = text.where(np.arange(len(frame)) % 2 == 0, text + " ")
    model, (told,) = warned(MultiTaskRidge(task_column="site").fit, frame.assign(site=blank), y)
    assert told.startswith("column 'site' holds the ids '1' and '1 ', which read alike")
    assert model.tasks_ == ["1", "1 ", "2", "2 ", "3", "3 "]


def test_new_tasks_are_no_mistake():
    frame, y = sites(Ridge())
    model = MultiTaskRidge(task_column="site", unknown_task="shared").fit(frame, y)
    for query in (everywhere(frame, 4), frame.assign(site=frame.site.replace(3, 30))):
        assert warned(model.predict, query)[1] == []
    (told,) = warned(model.predict, frame.assign(site=frame.site + 3))[1]
    assert "nor was any other, but 1 was" in told
    (told,) = warned(model.predict, everywhere(frame, "x"))[1]
    assert told.startswith("task 'x' in column 'site' was not seen in fit, nor was any other")


def test_ids_in_an_array_of_text_are_told_too():
    frame, y = sites(Ridge())
    model = IndependentTasks(Ridge(), task_column=4, unknown_task="shared").fit(frame.to_numpy(), y)
    query = frame.to_numpy().astype(object)
    query[:, 4] = [f"{site:g}" for site in query[:, 4]]
    (told,) = warned(model.predict, query)[1]
    assert told.startswith(f"task '{frame.site[0]}' in column 4 was not seen in fit")


@pytest.mark.parametrize(
    "model", [MultiTaskRidge(), MultiTaskPerceptron(**SHORT["MultiTaskPerceptron"])]
)
def test_a_later_batch_is_told_of_new_ids_that_read_as_known_ones(model):
    with_task_column(model, "site")
    frame, y = sites(model)
    assert warned(model.partial_fit, frame, y)[1] == []
    text = frame.assign(site=frame.site.astype(str))
    (told,) = warned(model.partial_fit, text, y)[1]
    assert told.startswith("column 'site' holds the ids 1 and '1'")
    assert model.n_tasks_ == 6
    assert warned(model.partial_fit, text, y)[1] == []  # it has been said


def test_a_task_that_is_added_is_told_of_one_that_reads_alike():
    frame, y = sites(Ridge())
    model = MultiTaskRidge(task_column="site").fit(frame, y)
    (told,) = warned(model.add_task, everywhere(frame, "3"), y)[1]
    assert told.startswith("tasks_ holds the ids 3 and '3'")
    assert model.tasks_ == [1, 2, 3, "3"]
    assert warned(model.add_task, everywhere(frame, 4), y)[1] == []


def test_splits_scores_and_tables_are_told_of_ids_that_read_alike():
    frame, y = sites(Ridge())
    ids = [f"{s} " if i % 2 else s for i, s in enumerate(frame.site.tolist())]
    X = frame[list("uvwz")]
    whole = X.assign(site=ids)
    calls = {
        "column 'site'": lambda: list(MultiTaskKFold(3, task_column="site").split(whole, y)),
        "groups": lambda: list(MultiTaskShuffleSplit(2).split(X, y, groups=ids)),
        "task": lambda: multitask_r2_score(y, y + 1, task=ids),
        "task ": lambda: to_wide(X, y, ids),
        "tasks": lambda: from_task_lists([(X, y), (X, y)], tasks=[1, "1 "]),
    }
    for where, call in calls.items():
        (told,) = warned(call)[1]
        assert told.startswith(f"{where.strip()} holds the ids 1 and '1 '")


def test_a_comparison_is_told_once_of_ids_that_read_alike():
    frame, y = sites(Ridge())
    ids = [f"{s} " if i % 2 else s for i, s in enumerate(frame.site.tolist())]
    X = frame[list("uvwz")]
    (told,) = warned(lambda: compare(X, y, ids, cv=2, random_state=0))[1]
    assert told.startswith("the column of tasks holds the ids 1 and '1 '")
