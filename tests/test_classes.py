"""Class labels of every kind become numbers, and every task has its own set of classes."""

import warnings

import array_api_strict
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from _classification import binary
from hypothesis import given, settings
from hypothesis import strategies as st

from skmtl import MultiTaskLogisticRegression, MultiTaskRidgeClassifier
from skmtl._input._classes import read_classes, task_classes

CODES = np.array([[0, 1], [1, np.nan], [0, 0], [np.nan, 1]])


def cells(names, gap):
    """Nested lists of names by code, with a gap where there is no label."""
    return [[gap if np.isnan(code) else names[int(code)] for code in row] for row in CODES]


def frame(names, dtype):
    columns = zip(*cells(names, None), strict=True)
    columns = [pd.Series(pd.array(column, dtype=dtype)) for column in columns]
    return pd.concat(columns, axis=1, keys=["a", "b"])


# what y may be -> (y, missing_label, the sorted classes)
WIDE = {
    "floats": (CODES, np.nan, [0.0, 1.0]),
    "float32": (CODES.astype(np.float32), np.nan, [0.0, 1.0]),
    "lists of floats": (CODES.tolist(), np.nan, [0.0, 1.0]),
    "integers, -1": (np.nan_to_num(CODES, nan=-1).astype(int), -1, [0, 1]),
    "int8, -1": (np.nan_to_num(CODES, nan=-1).astype(np.int8), -1, [0, 1]),
    "integers, -1.0": (np.nan_to_num(CODES, nan=-1).astype(int), -1.0, [0, 1]),
    "floats, -1": (np.nan_to_num(CODES, nan=-1), -1, [0.0, 1.0]),
    "large integers": (np.array(cells([2**62, 2**62 + 1], -1)), -1, [2**62, 2**62 + 1]),
    "text, ?": (np.array(cells(["no", "yes"], "?")), "?", ["no", "yes"]),
    "text, empty": (np.array(cells(["no", "yes"], "")), "", ["no", "yes"]),
    "text, None": (np.array(cells(["no", "yes"], None), dtype=object), np.nan, ["no", "yes"]),
    "text, nan": (np.array(cells(["no", "yes"], np.nan), dtype=object), np.nan, ["no", "yes"]),
    "lists of text": (cells(["no", "yes"], None), np.nan, ["no", "yes"]),
    "tuples of text": ([tuple(row) for row in cells(["no", "yes"], "")], "", ["no", "yes"]),
    "truth values, None": (cells([False, True], None), np.nan, [False, True]),
    "truth values beside text": (cells([False, "yes"], None), np.nan, [False, "yes"]),
    "masked": (np.ma.masked_invalid(CODES), np.nan, [0.0, 1.0]),
    "pandas Int64": (frame([3, 7], "Int64"), np.nan, [3, 7]),
    "pandas Int64, -1": (frame([3, 7], "Int64"), -1, [3, 7]),
    "pandas boolean": (frame([False, True], "boolean"), np.nan, [False, True]),
    "pandas string": (frame(["no", "yes"], "string"), np.nan, ["no", "yes"]),
    "pandas string, ?": (frame(["no", "yes"], "string"), "?", ["no", "yes"]),
    "pandas category": (frame(["no", "yes"], "category"), np.nan, ["no", "yes"]),
    "pandas object": (pd.DataFrame(cells(["no", "yes"], pd.NA)), np.nan, ["no", "yes"]),
    "polars integers": (pl.DataFrame(cells([3, 7], None), schema=["a", "b"], orient="row"),
                        np.nan, [3, 7]),
    "polars text": (pl.DataFrame(cells(["no", "yes"], None), schema=["a", "b"], orient="row"),
                    np.nan, ["no", "yes"]),
    "array_api": (array_api_strict.asarray(CODES), np.nan, [0.0, 1.0]),
    "array_api on a device": (array_api_strict.asarray(
        CODES, device=array_api_strict.Device("device1")), np.nan, [0.0, 1.0]),
}  # fmt: skip


@pytest.mark.parametrize("y, missing_label, classes", WIDE.values(), ids=WIDE)
def test_labels_of_every_kind_become_numbers(y, missing_label, classes):
    codes, values = read_classes(y, missing_label)
    np.testing.assert_array_equal(codes, CODES)
    assert codes.dtype == np.float64
    assert values.tolist() == classes
    assert [type(v) for v in values.tolist()] == [type(c) for c in classes]


@pytest.mark.parametrize(
    "y",
    [
        ["no", "yes", "no"],
        np.array(["no", "yes", "no"]),
        np.array(["no", "yes", "no"], dtype=object),
        pd.Series(["no", "yes", "no"], index=[5, 3, 1]),
        pd.Series(["no", "yes", "no"], dtype="category"),
        pd.Series(["no", "yes", "no"], dtype="string"),
        pl.Series(["no", "yes", "no"]),
        pl.Series(["no", "yes", "no"]).cast(pl.Categorical),
    ],
    ids=lambda y: f"{type(y).__module__.partition('.')[0]} {getattr(y, 'dtype', 'list')}",
)
def test_one_column_of_text_may_come_in_any_container(y):
    codes, values = read_classes(y, np.nan)
    np.testing.assert_array_equal(codes, [0, 1, 0])
    assert values.tolist() == ["no", "yes"]


def test_sets_of_rows_with_their_own_array_protocol_are_read():
    class Table:
        def __array__(self, dtype=None, copy=None):
            return CODES

    np.testing.assert_array_equal(read_classes(Table(), np.nan)[0], CODES)


def test_nothing_is_written_into_the_labels():
    for y in (CODES.copy(), np.array(cells(["no", "yes"], ""))):
        y.flags.writeable = False
        read_classes(y, "")


# several kinds side by side


def test_integers_beside_text_are_sorted_as_numbers():
    """Regression: 10 stood before 9, and a task's second class was its smaller one."""
    y = pd.DataFrame({"a": [9, 10, 100, 9], "b": ["x", "y", "x", "x"]})
    codes, values = read_classes(y, np.nan)
    assert values.tolist() == [9, 10, 100, "x", "y"]
    np.testing.assert_array_equal(codes, [[0, 3], [1, 4], [2, 3], [0, 3]])


def test_truth_values_beside_numbers_are_numbers():
    """Regression: the classes of the integer column were called False and True, in turn."""
    for other in (np.array([0, 1, 1]), np.array([0.0, 1.0, 1.0])):
        y = pd.DataFrame({"a": other, "b": [True, False, True]})
        codes, values = read_classes(y, np.nan)
        assert values.tolist() == [0, 1]
        assert bool not in map(type, values.tolist())
        np.testing.assert_array_equal(codes, [[0, 1], [1, 0], [1, 1]])
    y = pd.DataFrame({"a": [0, 1], "b": [True, False], "c": ["x", "y"]})
    codes, values = read_classes(y, np.nan)
    assert values.tolist() == [0, 1, "x", "y"]
    assert bool not in map(type, values.tolist())
    np.testing.assert_array_equal(codes, [[0, 1, 2], [1, 0, 3]])


def test_a_number_and_its_text_are_two_classes():
    codes, values = read_classes([0, "0", 0], np.nan)
    assert values.tolist() == [0, "0"]
    np.testing.assert_array_equal(codes, [0, 1, 0])


def test_amounts_in_a_column_beside_text_are_refused():
    with pytest.raises(ValueError, match="continuous"):
        read_classes(pd.DataFrame({"a": [0.5, 1.25, 3.0], "b": ["x", "y", "x"]}), np.nan)


def test_columns_of_one_name_are_refused():
    """Regression: a name that stands twice gave "all input arrays must have the same shape"."""
    y = pd.DataFrame([[0, "x"], [1, "y"]], columns=["a", "a"])
    with pytest.raises(ValueError, match=r"^y has 2 columns named 'a'; "):
        read_classes(y, np.nan)


def test_dates_are_classes_only_as_text():
    days = pd.DataFrame({"a": pd.to_datetime(["2020", "2021", None]), "b": ["x", "y", "x"]})
    with pytest.raises(TypeError, match=r"^column 'a' of y holds dates"):
        read_classes(days, np.nan)
    text = days.assign(a=days["a"].dt.strftime("%Y"))
    codes, values = read_classes(text, np.nan)
    np.testing.assert_array_equal(codes, [[0, 2], [1, 3], [np.nan, 2]])
    assert values.tolist() == ["2020", "2021", "x", "y"]


# missing_label


@pytest.mark.parametrize("y", [[False, True], np.array([False, True])], ids=["list", "array"])
def test_zero_is_not_false(y):
    """Truth values are not what is missing if 0 or 1 is, nor the other way round."""
    for missing_label in (0, 1, -1, "", "?"):
        assert not np.isnan(read_classes(y, missing_label)[0]).any()
    assert np.isnan(read_classes(y, False)[0]).tolist() == [True, False]
    assert not np.isnan(read_classes([0, 1], False)[0]).any()
    assert not np.isnan(read_classes(np.array([0.0, 1.0]), np.True_)[0]).any()


def test_a_missing_label_of_another_kind_is_in_no_label():
    for y, missing_label in ((CODES, "?"), (np.array(cells(["no", "yes"], "?")), -1)):
        plain = read_classes(y, np.nan)
        other = read_classes(y, missing_label)
        np.testing.assert_array_equal(other[0], plain[0])
        assert other[1].tolist() == plain[1].tolist()


@pytest.mark.parametrize("missing_label", [np.nan, None, pd.NA, float("nan"), np.float32("nan")])
def test_nan_and_none_are_always_missing(missing_label):
    y = np.array(cells(["no", "yes"], None), dtype=object)
    y[1, 1] = np.nan
    np.testing.assert_array_equal(read_classes(y, missing_label)[0], CODES)
    np.testing.assert_array_equal(read_classes(y, "no")[0] + 1, np.where(CODES == 1, CODES, np.nan))


@pytest.mark.parametrize("missing_label", [[0], (0, 1), {0}, {0: 1}, np.array([1])])
def test_a_missing_label_is_one_label(missing_label):
    X, Y = binary()
    with pytest.raises(TypeError, match="missing_label must be one label"):
        MultiTaskLogisticRegression(missing_label=missing_label).fit(X, Y)


# what is no label


@pytest.mark.parametrize(
    "y, error, message",
    [
        (scipy.sparse.csr_array(np.eye(3)), TypeError, "dense"),
        (np.array([0.0, np.inf]), ValueError, "infinity"),
        (np.array([0.5, 1.25, 2.0]), ValueError, "continuous"),
        (np.array([0j, 1j]), ValueError, "[Cc]omplex"),
        (np.array([b"a", b"b"]), TypeError, "bytes"),
        (np.zeros((2, 2, 2)), ValueError, r"1-D or 2-D, got shape \(2, 2, 2\)"),
        (np.array(0), ValueError, r"1-D or 2-D, got the scalar"),
    ],
    ids=["sparse", "infinite", "amounts", "complex", "bytes", "3-D", "scalar"],
)
def test_what_is_no_label_is_refused(y, error, message):
    with pytest.raises(error, match=message):
        read_classes(y, np.nan)


def test_nothing_observed_gives_no_class():
    codes, values = read_classes(np.full((3, 2), np.nan), np.nan)
    assert np.isnan(codes).all()
    assert codes.shape == (3, 2)
    assert len(values) == 0


# the classes of each task


def classes_of(Y, *, models_only=True):
    codes, values = read_classes(np.asarray(Y), np.nan)
    row, task = np.nonzero(~np.isnan(codes))
    return task_classes(values, codes[row, task], task, codes.shape[1], models_only=models_only)


def test_a_task_has_the_classes_that_it_shows():
    classes = classes_of([[0, 1, 5], [1, 2, 5], [2, 1, 6], [1, 2, 7]])
    assert [classes.array(own).tolist() for own in classes.own] == [[0, 1, 2], [1, 2], [5, 6, 7]]
    assert classes.only.tolist() == [-1, -1, -1]
    assert not classes.is_binary


def test_a_task_of_one_class_or_none_is_given_the_most_frequent_set_that_holds_it():
    nan = np.nan
    classes = classes_of([[0, 0, 0, 0, 7, nan], [1, 1, 2, 0, 7, nan], [1, 1, 2, 0, 7, nan]])
    assert [own.tolist() for own in classes.own] == [[0, 1], [0, 1], [0, 2], [0, 1], [3], [0, 1]]
    assert classes.array(classes.default).tolist() == [0, 1]
    assert classes.only.tolist() == [-1, -1, -1, 0, 3, -1]
    assert classes.of_task(-1).tolist() == [0, 1]
    assert classes.is_binary


@pytest.mark.parametrize("models_only", [True, False])
def test_a_task_is_constant_where_nothing_tells_of_another_class(models_only):
    classes = classes_of([[0, 1, 5], [1, 1, 5]], models_only=models_only)
    assert [classes.constant(t) for t in (0, 1, 2)] == [-1, -1 if models_only else 1, 2]
    assert classes.constant(-1) == -1
    alone = classes_of([[4.0], [4.0]], models_only=models_only)
    assert alone.constant(0) == alone.constant(-1) == 0


def test_a_class_without_an_observed_label_is_no_class():
    labels = np.array([0, 2, 0, 2]), np.array([0, 0, 1, 1])
    classes = task_classes(np.array(["a", "b", "c"]), *labels, 2, models_only=True)
    assert classes.values.tolist() == ["a", "c"]
    assert [own.tolist() for own in classes.own] == [[0, 1], [0, 1]]


def test_a_binary_task_has_one_unit_and_others_one_a_class():
    units = classes_of([[0, 1], [1, 2]]).units([0, 1])
    assert units.n_channels == 1
    assert [c.tolist() for c in units.channels] == [[0], [0]]
    assert [c.tolist() for c in units.positive] == [[1], [2]]
    units = classes_of([[0, 1], [1, 2], [2, 1]]).units([0, 1])
    assert units.n_channels == 3
    assert [c.tolist() for c in units.channels] == [[0, 1, 2], [1, 2]]
    assert [c.tolist() for c in units.positive] == [[0, 1, 2], [1, 2]]


@given(
    st.lists(st.sampled_from([0, 1, 2, -5, 10, 2.0, "a", "10", "", True, None]), min_size=1),
    st.sampled_from([np.nan, None, -5, "", True]),
)
@settings(deadline=None, max_examples=100)
def test_whatever_the_labels_equal_ones_have_one_number_and_their_own_name(labels, missing_label):
    codes, values = read_classes(labels, missing_label)
    for label, code in zip(labels, codes, strict=True):
        gone = label is None or (type(label) is type(missing_label) and label == missing_label)
        assert np.isnan(code) == gone
        if not gone:
            assert values[int(code)] == label
    assert len(set(values.tolist())) == len(values)
    numbers = [v for v in values.tolist() if not isinstance(v, str)]
    text = [v for v in values.tolist() if isinstance(v, str)]
    assert values.tolist() == sorted(numbers) + sorted(text)


# through an estimator


LABELLED = {
    "integers": lambda Y: Y.astype(int),
    "int8": lambda Y: Y.astype(np.int8),
    "floats": lambda Y: Y,
    "float32": lambda Y: Y.astype(np.float32),
    "truth values": lambda Y: Y > 0,
    "text": lambda Y: np.where(Y > 0, "yes", "no"),
    "unequal text": lambda Y: np.where(Y > 0, "yes, indeed", "no"),
    "objects": lambda Y: np.where(Y > 0, "yes", "no").astype(object),
}


@pytest.mark.parametrize("make", [MultiTaskLogisticRegression, MultiTaskRidgeClassifier])
@pytest.mark.parametrize("named", LABELLED.values(), ids=LABELLED)
@pytest.mark.parametrize("shape", ["wide", "column", "1-D", "long"])
def test_predictions_are_labels_of_the_kind_that_was_fitted(make, named, shape):
    X, Y = binary()
    labels, long = named(Y), np.column_stack([X, np.arange(len(X)) % 3])
    y = {"wide": labels, "column": labels[:, :1], "1-D": labels[:, 0], "long": labels[:, 0]}[shape]
    Z = long if shape == "long" else X
    model = make(task_column=-1 if shape == "long" else None).fit(Z, y)
    prediction = model.predict(Z)
    assert prediction.shape == y.shape
    kind = np.array(np.unique(labels)).dtype if labels.dtype != object else np.dtype("<U3")
    assert prediction.dtype == kind
    assert set(np.unique(prediction)) <= set(np.unique(labels.astype(kind)))
    assert model.score(Z, y) > 0.7
    first = model.classes_[0] if shape in ("wide", "column") else model.classes_
    assert first.tolist() == np.unique(labels).tolist()


def test_the_dtype_of_predictions_does_not_depend_on_what_is_predicted():
    """Regression: labels of several kinds came back as integers where all predicted ones were."""
    X, Y = binary()
    y = np.array(["yes" if code else 0 for code in Y[:, 0]], dtype=object)
    model = MultiTaskLogisticRegression().fit(X, y)
    for rows in (X, X[model.predict(X) == 0], X[model.predict(X) == "yes"]):
        assert model.predict(rows).dtype == object


@pytest.mark.parametrize("make", [MultiTaskLogisticRegression, MultiTaskRidgeClassifier])
@pytest.mark.parametrize("missing_label", [-1, "?", ""])
def test_missing_labels_of_any_kind_equal_nan(make, missing_label, rng):
    X, Y = binary()
    hidden = rng.random(Y.shape) < 0.3
    hidden[:4] = False
    if missing_label == -1:
        labels = np.where(hidden, -1, Y).astype(int)
    else:
        labels = np.where(hidden, missing_label, np.where(Y > 0, "yes", "no"))
    expected = make().fit(X, np.where(hidden, np.nan, Y))
    model = make(missing_label=missing_label).fit(X, labels)
    np.testing.assert_array_equal(model.coef_, expected.coef_)
    assert model.score(X, labels) == expected.score(X, np.where(hidden, np.nan, Y))
    assert missing_label not in model.predict(X)


def test_the_missing_label_is_refused_where_each_row_has_one_label():
    X, Y = binary()
    with pytest.raises(ValueError, match="one label a row is expected"):
        MultiTaskLogisticRegression(missing_label=0).fit(X, Y[:, 0])


def test_no_label_at_all_is_refused():
    X, Y = binary()
    for y, missing_label in ((np.full(Y.shape, None), np.nan), (np.full(Y.shape, "?"), "?")):
        with pytest.raises(ValueError, match="y holds no observed label"):
            MultiTaskLogisticRegression(missing_label=missing_label).fit(X, y)


def test_reading_labels_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for y, missing_label, _ in WIDE.values():
            read_classes(y, missing_label)
