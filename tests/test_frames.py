"""Frames and arrays of any dtype are read as the plain numbers that they hold, or refused alike."""

import datetime
import re
import warnings
from functools import cache

import numpy as np
import pandas as pd
import polars as pl
import pytest
from _samplers import SHORT, estimator_names, labels_for, make_estimator, with_task_column
from sklearn.base import is_classifier
from sklearn.preprocessing import FunctionTransformer

from skmtl import IndependentTasks, MultiTaskRidge
from skmtl._input._frames import as_numbers
from skmtl.metrics import (
    multitask_accuracy_score,
    multitask_log_loss,
    multitask_mean_squared_error,
    multitask_r2_score,
)
from skmtl.model_selection import MultiTaskKFold, MultiTaskShuffleSplit, compare

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:.* tasks are outliers"),
    pytest.mark.filterwarnings("ignore:partial_fit starts anew"),
]
N = 12
RNG = np.random.default_rng(0)
WHOLE = RNG.integers(-9, 9, size=(N, 3)).astype(float)  # integers of any type hold them exactly
Y = RNG.integers(-9, 9, size=(N, 2)) + 2.0 * WHOLE[:, :2]
NAMES = ["u", "when", "w"]
FRAME = pd.DataFrame(WHOLE, columns=NAMES)
SITE = np.array(list("abc") * 4)
LONG = FRAME.assign(site=SITE)
DAYS = pd.Series(pd.date_range("2020-01-30", periods=N))


def instance(name):
    return make_estimator(name, **SHORT.get(name, {}))


def labels(name, y=Y):
    return labels_for(instance(name), y)


@cache
def fitted(name):
    return instance(name).fit(FRAME, labels(name))


@cache
def fitted_long(name):
    return with_task_column(instance(name), "site").fit(LONG, labels(name)[:, 0])


def holed(values):
    """The values with the second one missing, as objects with pandas.NA."""
    cells = np.array(values, dtype=object)
    cells[1] = pd.NA
    return cells


every_estimator = pytest.mark.parametrize("name", estimator_names())
of_both_kinds = pytest.mark.parametrize("name", ["MultiTaskRidge", "MultiTaskRidgeClassifier"])

# dates, times and durations

DATES, DURATIONS, TIMES = "dates .*days since", "durations .*hours", "times of day .*midnight"
TEMPORAL = {
    "datetime64": (DAYS, DATES),
    "all missing": (DAYS.where(DAYS < DAYS[0]), DATES),
    "a time zone": (DAYS.dt.tz_localize("Europe/Stockholm"), DATES),
    "timedelta64": (DAYS - DAYS[0], DURATIONS),
    "periods": (DAYS.dt.to_period("D"), DATES),
    "categories": (DAYS.astype("category"), DATES),
    "objects of days": (DAYS.dt.date.astype(object), DATES),
    "objects of stamps": (DAYS.astype(object).where(DAYS > DAYS[0], pd.NaT), DATES),
    "objects of NumPy": (pd.Series([*DAYS.to_numpy()], dtype=object), DATES),
    "objects of times": (pd.Series([datetime.time(3)] * N, dtype=object), TIMES),
    "objects of durations": (pd.Series([datetime.timedelta(3)] * N, dtype=object), DURATIONS),
    "polars days": (pl.Series(DAYS.dt.date.to_list()), DATES),
    "polars stamps": (pl.Series(DAYS.to_list()).dt.replace_time_zone("UTC"), DATES),
    "polars durations": (pl.Series([datetime.timedelta(3)] * N), DURATIONS),
    "polars times": (pl.Series([datetime.time(3)] * N), TIMES),
}


def arrow_dates():
    pa = pytest.importorskip("pyarrow")
    hours = pd.Series([datetime.time(3)] * N, dtype=pd.ArrowDtype(pa.time64("us")))
    return [
        (DAYS.astype("timestamp[us][pyarrow]"), DATES),
        (DAYS.dt.date.astype(pd.ArrowDtype(pa.date32())), DATES),
        ((DAYS - DAYS[0]).astype("duration[us][pyarrow]"), DURATIONS),
        (hours, TIMES),
    ]


def frame_of(*columns, **named):
    """A frame of the kind of the columns."""
    named |= {f"when{j}" if j else "when": column for j, column in enumerate(columns)}
    kind = pl.DataFrame if isinstance(columns[0], pl.Series) else pd.DataFrame
    return kind(named)


def refusal(words, name="X"):
    return rf"^column 'when' of {name} holds {words}.*, or drop the column\.$"


@every_estimator
@pytest.mark.parametrize("column, words", TEMPORAL.values(), ids=TEMPORAL)
def test_dates_beside_numbers_are_refused_by_name(name, column, words):
    table = frame_of(column, u=WHOLE[:, 0], w=WHOLE[:, 2])[["u", "when", "w"]]
    with pytest.raises(TypeError, match=refusal(words)):
        instance(name).fit(table, labels(name))
    with pytest.raises(TypeError, match=refusal(words)):
        fitted(name).predict(table)


@every_estimator
@pytest.mark.parametrize("column", [DAYS, TEMPORAL["polars stamps"][0]], ids=["pandas", "polars"])
def test_a_frame_of_dates_alone_is_no_table_of_integers(name, column):
    with pytest.raises(TypeError, match=refusal(DATES)):
        instance(name).fit(frame_of(column, column), labels(name))


@every_estimator
def test_dates_are_no_labels(name):
    for y in (frame_of(DAYS), frame_of(TEMPORAL["polars days"][0], p=Y[:, 0])):
        with pytest.raises(TypeError, match=refusal(DATES, "y")):
            instance(name).fit(FRAME, y)
    for y in (DAYS, DAYS.to_numpy(), DAYS.dt.date.to_list(), TEMPORAL["polars stamps"][0]):
        with pytest.raises(TypeError, match=r"^y holds dates .*turn them into numbers"):
            instance(name).fit(FRAME, y)
    with pytest.raises(TypeError, match=r"^column 'when' of y_true holds dates"):
        fitted(name).score(FRAME, frame_of(DAYS, DAYS))


@pytest.mark.parametrize("column, words", TEMPORAL.values(), ids=TEMPORAL)
def test_dates_are_refused_in_arrays_lists_and_series(column, words):
    cells = np.array([[1.0, cell] for cell in column], dtype=object)
    for table in (cells, cells.tolist()):
        if all(pd.isna(cell) for cell in column):
            assert np.isnan(np.asarray(as_numbers("X", table), dtype=float)[:, 1]).all()
            continue
        with pytest.raises(TypeError, match=rf"^column 1 of X holds {words}"):
            as_numbers("X", table)
    with pytest.raises(TypeError, match=rf"^X holds {words}(.*\w)?\.$"):
        as_numbers("X", column)


def test_dates_of_arrow_are_refused():
    for column, words in arrow_dates():
        with pytest.raises(TypeError, match=refusal(words)):
            MultiTaskRidge().fit(frame_of(column, u=WHOLE[:, 0]), Y)


@every_estimator
def test_a_date_may_name_a_task(name):
    assert_fits_with_dates_for_tasks(name, DAYS)


@of_both_kinds
@pytest.mark.parametrize("kind", ["a time zone", "periods", "objects of days", "polars days"])
def test_a_date_of_any_kind_may_name_a_task(name, kind):
    assert_fits_with_dates_for_tasks(name, TEMPORAL[kind][0])


def assert_fits_with_dates_for_tasks(name, days):
    """Tasks are numbered in the order of their ids, so that any ids of one order fit alike."""
    polars = isinstance(days, pl.Series)
    ids = days.gather([0, 1, 2] * 4) if polars else days[[0, 1, 2] * 4].array
    columns = {name: LONG[name].to_numpy() for name in NAMES} | {"site": ids}
    dated = (pl.DataFrame if polars else pd.DataFrame)(columns)
    model = with_task_column(instance(name), "site").fit(dated, labels(name)[:, 0])
    np.testing.assert_array_equal(model.predict(dated), fitted_long(name).predict(LONG))
    assert len(model.tasks_) == 3


# two columns of one name, and what is no table


@every_estimator
def test_a_name_stands_once(name):
    twice = pd.concat([FRAME, FRAME[["u"]]], axis=1)
    long = twice.assign(site=SITE)
    for fails in (
        lambda: instance(name).fit(twice, labels(name)),
        lambda: fitted(name).predict(twice),
        lambda: with_task_column(instance(name), "site").fit(long, labels(name)[:, 0]),
        lambda: fitted_long(name).predict(long),
    ):
        with pytest.raises(ValueError, match=r"^X has 2 columns named 'u'; [^\n]*, or drop one\.$"):
            fails()
    with pytest.raises(ValueError, match=r"^y has 2 columns named 'a'; "):
        instance(name).fit(FRAME, pd.DataFrame(labels(name), columns=["a", "a"]))


@every_estimator
def test_one_row_is_a_table_of_one_row(name):
    for model, X in ((fitted(name), FRAME), (fitted_long(name), LONG)):
        with pytest.raises(ValueError, match=r"^Expected 2D array.*X\.iloc\[\[0\]\], one column"):
            model.predict(X.iloc[0])
        # products of one row and of many may be summed in another order
        one_row, all_rows = model.predict(X.iloc[[0]]), model.predict(X)
        np.testing.assert_allclose(one_row, all_rows[:1], atol=1e-12 * abs(all_rows).max())
    with pytest.raises(ValueError, match=r"^Expected 2D array.*Series is no table"):
        fitted(name).predict(pl.Series(WHOLE[0]))


@every_estimator
def test_lazy_frames_are_to_be_collected(name):
    lazy, model = pl.DataFrame(LONG).lazy(), with_task_column(instance(name), "site")
    for name_, fails in (
        ("X", lambda: model.fit(lazy, labels(name)[:, 0])),
        ("X", lambda: fitted(name).predict(lazy.select(NAMES))),
        ("y", lambda: instance(name).fit(FRAME, pl.DataFrame(labels(name)).lazy())),
    ):
        with pytest.raises(TypeError, match=rf"^{name_} is a LazyFrame.*{name_}\.collect\(\)\.$"):
            fails()
    predictions = fitted_long(name).predict(LONG)
    np.testing.assert_array_equal(fitted_long(name).predict(lazy.collect()), predictions)


@pytest.mark.parametrize("fit", [MultiTaskRidge().fit, IndependentTasks(MultiTaskRidge()).fit])
def test_a_list_of_tables_is_pointed_to_what_reads_one(fit):
    arrays, lists = [WHOLE[:5], WHOLE[5:]], [WHOLE[:2].tolist(), WHOLE[2:5].tolist()]
    for X in (arrays, lists, [FRAME, FRAME]):
        with pytest.raises(ValueError, match=r"^X is a list of 2 tables.*from_task_lists"):
            fit(X, Y)
    with pytest.raises(ValueError, match=r"^y is a list of 2 items.*from_task_lists"):
        fit(WHOLE, [Y[:5, 0], Y[5:, 0]])
    with pytest.raises(ValueError, match=r"^X is a list of 12 items that differ in length"):
        fit([[1.0], *WHOLE[1:].tolist()], Y)


@of_both_kinds
def test_dicts_and_tables_of_arrow_are_to_be_made_frames(name):
    for model, X in ((fitted(name), FRAME), (fitted_long(name), LONG)):
        for fails in (model.fit, lambda X, _, model=model: model.predict(X)):
            with pytest.raises(TypeError, match=r"^X is a dict.* pandas\.DataFrame\(X\)\.$"):
                fails(dict(X), Y)
    with pytest.raises(TypeError, match=r"^y is a dict"):
        instance(name).fit(FRAME, {"a": [1.0] * N})
    arrow = pytest.importorskip("pyarrow").Table.from_pandas
    for model, X in ((fitted(name), FRAME), (fitted_long(name), LONG)):
        for fails in (model.fit, lambda X, _, model=model: model.predict(X)):
            with pytest.raises(TypeError, match=r"^X is a Table of Arrow.* X\.to_pandas\(\)\.$"):
                fails(arrow(X), Y)
        table = arrow(X).to_pandas()
        np.testing.assert_array_equal(model.predict(table), model.predict(X))
    with pytest.raises(TypeError, match=r"^X is a Table of Arrow"):
        compare(arrow(LONG), Y[:, 0], task_column="site", cv=2)


@of_both_kinds
def test_a_column_of_several_levels_may_hold_the_tasks(name):
    levels = pd.MultiIndex.from_tuples([("soil", name) for name in NAMES] + [("plot", "site")])
    frame = LONG.set_axis(levels, axis=1)
    model = with_task_column(instance(name), ("plot", "site")).fit(frame, labels(name)[:, 0])
    np.testing.assert_array_equal(model.predict(frame), fitted_long(name).predict(LONG))
    with pytest.raises(ValueError, match=r"^task_column=\('plot', 'x'\) is not a column of X"):
        with_task_column(instance(name), ("plot", "x")).fit(frame, labels(name)[:, 0])


# text and other objects

STRANGE = {
    "text": (["x"] * N, r"text \(could not convert string to float: 'x'\)"),
    "some text": (["1"] * (N - 1) + ["x"], r"text \(could not convert string to float: 'x'\)"),
    "intervals": (pd.cut(WHOLE[:, 0], 3), r"Interval objects \((float\(\) argument|Cannot cast)"),
    "dicts": ([{}] * N, r"dict objects \(float\(\) argument must be"),
    "lists": ([[1.0, 2.0]] * N, r"list objects \(setting an array element"),
}


@every_estimator
@pytest.mark.parametrize("column, words", STRANGE.values(), ids=STRANGE)
def test_a_column_of_no_numbers_is_named(name, column, words):
    X = FRAME.assign(when=column)
    encode = r"; encode it as by a OneHotEncoder, or drop the column\.$"
    for X_ in (X, X.assign(u=X["u"].astype("Int64"))):
        with pytest.raises((TypeError, ValueError), match=rf"^column 'when' of X holds {words}"):
            instance(name).fit(X_, labels(name))
    with pytest.raises((TypeError, ValueError), match=rf"^column 'when' of X .*{encode}"):
        fitted(name).predict(X)
    with pytest.raises((TypeError, ValueError), match=rf"^column 1 of X holds {words}"):
        instance(name).fit(X.to_numpy(), labels(name))


def test_labels_of_no_numbers_are_named():
    with pytest.raises(ValueError, match=r"^column 'b' of y holds text \(could not convert"):
        MultiTaskRidge().fit(FRAME, pd.DataFrame({"a": Y[:, 0], "b": ["x"] * N}))
    with pytest.raises(ValueError, match=r"^y holds text .*; turn it into numbers\.$"):
        MultiTaskRidge().fit(FRAME, ["x"] * N)


@pytest.mark.parametrize("name", [n for n in estimator_names() if is_classifier(instance(n))])
def test_labels_that_read_alike_are_told_once(name, recwarn):
    warnings.simplefilter("always")
    y = np.array([1] * 6 + ["1"] * 6, dtype=object)
    instance(name).fit(FRAME, y)
    assert sum("y holds the labels 1 and '1', which" in str(w.message) for w in recwarn) == 1


def test_a_comparison_tells_once_of_labels_that_read_alike(recwarn):
    warnings.simplefilter("always")
    y = np.array([1] * 6 + ["1"] * 6, dtype=object)
    compare(FRAME, y, np.tile(["a", "b"], N // 2), cv=2)
    assert sum("y holds the labels 1 and '1', which" in str(w.message) for w in recwarn) == 1


# nullable dtypes and missing cells

DTYPES = ["Float64", "Int64", "object", "int8", "double[pyarrow]", "int64[pyarrow]"]


@of_both_kinds
@pytest.mark.parametrize("dtype", DTYPES)
def test_complete_frames_of_any_dtype_fit_as_floats_do(name, dtype):
    if "pyarrow" in dtype:
        pytest.importorskip("pyarrow")
    weight = pd.Series(1 + np.arange(N) % 3).astype(dtype)
    y = pd.DataFrame(labels(name)).astype(dtype)
    assert_same_as_floats(name, FRAME.astype(dtype), y, weight)


@every_estimator
def test_frames_of_several_dtypes_fit_as_floats_do(name):
    X = FRAME.astype({"u": "Float64", "when": "Int64", "w": "object"})
    y = pd.DataFrame(labels(name)).astype({0: "Float64", 1: "int8"})
    assert_same_as_floats(name, X, y, pd.Series(1 + np.arange(N) % 3, dtype="Int64"))


def assert_same_as_floats(name, X, y, weight):
    model, floats = instance(name).fit(X, y, weight), weight.to_numpy(dtype=float)
    plain = instance(name).fit(FRAME, labels(name), floats)
    np.testing.assert_array_equal(model.predict(X), plain.predict(FRAME))
    assert model.score(X, y, weight) == plain.score(FRAME, labels(name), floats)


HOLED = {  # y with a gap, from the labels of two tasks
    "Float64": lambda y: with_gap(y).astype("Float64"),
    "Int64": lambda y: with_gap(y).astype("Int64"),
    "Arrow": lambda y: pytest.importorskip("pyarrow") and with_gap(y).astype("double[pyarrow]"),
    "one column of objects": lambda y: with_gap(y).assign(a=lambda f: holed(f["a"])),
    "objects": lambda y: pd.DataFrame({"a": holed(y[:, 0]), "b": y[:, 1].astype(object)}),
    "array of objects": lambda y: np.column_stack([holed(y[:, 0]), y[:, 1]]),
    "lists": lambda y: np.column_stack([holed(y[:, 0]), y[:, 1]]).tolist(),
    "polars": lambda y: pl.from_pandas(with_gap(y)),
}


def with_gap(y):
    frame = pd.DataFrame(y, columns=["a", "b"])
    frame.loc[1, "a"] = np.nan
    return frame


@of_both_kinds
@pytest.mark.parametrize("holed_as", HOLED.values(), ids=HOLED)
def test_missing_labels_of_any_kind_are_not_observed(name, holed_as):
    assert_not_observed(name, holed_as)


@every_estimator
def test_missing_objects_are_labels_not_observed(name):
    assert_not_observed(name, HOLED["array of objects"])


def assert_not_observed(name, holed_as):
    y, plain = holed_as(labels(name)), with_gap(labels(name)).to_numpy()
    model, same = instance(name).fit(FRAME, y), instance(name).fit(FRAME, plain)
    np.testing.assert_array_equal(model.predict(FRAME), same.predict(FRAME))
    assert model.score(FRAME, y) == same.score(FRAME, plain)


@every_estimator
def test_a_missing_label_of_one_task_is_refused_with_its_row(name):
    cells = holed(labels(name)[:, 0])
    for y in (cells, cells.tolist(), pd.Series(cells), pd.Series(cells).astype("Int64")):
        with pytest.raises(ValueError, match=r"^Input y contains NaN in row 1: "):
            instance(name).fit(FRAME, y)


def frames_with_a_gap():
    truth = pd.DataFrame(WHOLE > 0, columns=NAMES)
    frames = {dtype: FRAME.astype(dtype) for dtype in ("Float64", "Float32", "Int64", "object")}
    frames |= {"boolean": truth.astype("boolean"), "string": FRAME.astype(str).astype("string")}
    for frame in frames.values():
        frame.iloc[1, 1] = pd.NA
    frames["mixed"] = FRAME.assign(when=frames["Float64"]["when"])
    return frames


@every_estimator
def test_missing_features_of_any_kind_are_refused_with_their_place(name):
    place = "^Input X contains NaN in row 1, column 1: "
    frames = frames_with_a_gap()
    for X in (*frames.values(), frames["object"].to_numpy(), frames["object"].to_numpy().tolist()):
        with pytest.raises(ValueError, match=place):
            instance(name).fit(X, labels(name))
    for method in ("predict", "score", "partial_fit", "predict_proba"):
        if hasattr(fitted(name), method):
            y = () if method.startswith("predict") else (labels(name),)
            with pytest.raises(ValueError, match=place):
                getattr(fitted(name), method)(frames["Float64"], *y)


def test_missing_features_of_arrow_are_refused_with_their_place():
    pytest.importorskip("pyarrow")
    for dtype in ("double[pyarrow]", "int64[pyarrow]", "bool[pyarrow]"):
        X = (FRAME > 0 if "bool" in dtype else FRAME).astype(dtype)
        X.iloc[1, 1] = pd.NA
        with pytest.raises(ValueError, match=r"^Input X contains NaN in row 1, column 1: "):
            MultiTaskRidge().fit(X, Y)


@every_estimator
def test_missing_weights_are_refused(name):
    one, two = holed(np.ones(N)), np.column_stack([holed(np.ones(N)), np.ones(N)])
    series, frame = pd.Series(one), pd.DataFrame(two)
    for weight in (one, series, series.astype("Float64"), one.tolist(),
                   two, frame, frame.astype("Float64"), two.tolist()):  # fmt: skip
        with pytest.raises(ValueError, match="sample_weight contains NaN"):
            instance(name).fit(FRAME, labels(name), weight)
        with pytest.raises(ValueError, match=r"sample_weight must be finite .* got nan"):
            fitted(name).score(FRAME, labels(name), weight)


def test_as_numbers_hands_back_what_numpy_reads():
    for X in (WHOLE, WHOLE.astype(int), FRAME, FRAME.astype("Int64"), FRAME["u"],
              pl.DataFrame(FRAME), np.array([["1", "2"]]), np.array([[1.0, None]], dtype=object),
              pd.DataFrame({"u": ["a", None]}), pd.DataFrame()):  # fmt: skip
        assert as_numbers("X", X) is X


# metrics, splitters and comparisons


@pytest.mark.parametrize("holed_as", HOLED.values(), ids=HOLED)
def test_metrics_and_splits_leave_missing_labels_of_any_kind_out(holed_as):
    plain, y, guess = with_gap(Y).to_numpy(), holed_as(Y), Y + WHOLE[:, :2]
    for metric in (multitask_r2_score, multitask_mean_squared_error):
        assert metric(y, guess) == metric(plain, guess)
    classes = labels_for(instance("MultiTaskRidgeClassifier"), Y)
    plain_classes, holed_classes = with_gap(classes).to_numpy(), holed_as(classes)
    score = multitask_accuracy_score(plain_classes, classes[::-1])
    assert multitask_accuracy_score(holed_classes, classes[::-1]) == score
    P = pd.DataFrame(np.full((N, 2), 0.25))
    loss = multitask_log_loss(plain_classes, P.to_numpy())
    assert multitask_log_loss(holed_classes, P.astype("Float64")) == loss
    for cv in (MultiTaskKFold(3, random_state=0), MultiTaskShuffleSplit(3, random_state=0)):
        for holes, floats in ((y, plain), (holed_classes, plain_classes)):
            pairs = zip(cv.split(FRAME, holes), cv.split(FRAME, floats), strict=True)
            for parts, same in pairs:
                np.testing.assert_array_equal(np.concatenate(parts), np.concatenate(same))


def test_splitters_ask_for_no_numbers():
    cv = MultiTaskKFold(3, random_state=0)
    dated = frame_of(DAYS, u=WHOLE[:, 0])
    for parts, same in zip(cv.split(dated, Y), cv.split(FRAME, Y), strict=True):
        np.testing.assert_array_equal(np.concatenate(parts), np.concatenate(same))
    for y in (DAYS, DAYS.to_numpy(), DAYS.dt.date.to_list()):
        with pytest.raises(TypeError, match=r"^y holds dates"):
            next(cv.split(dated, y))
    with pytest.raises(TypeError, match=r"^X is a LazyFrame"):
        next(cv.split(pl.DataFrame(FRAME).lazy(), Y))


QUICK = {"cv": 2, "reference": "independent"} | {
    "estimators": dict.fromkeys(["MultiTaskRidgeCV", "MultiTaskBayesianRidge"])
}


def test_compare_refuses_what_estimators_refuse():
    dated, twice = frame_of(DAYS, u=WHOLE[:, 0]), pd.concat([FRAME, FRAME[["u"]]], axis=1)
    y = Y[:, 0]
    for X, labels_, message in (
        (dated, y, refusal(DATES)),
        (frame_of(DAYS), y, refusal(DATES)),
        (FRAME, DAYS, "^y holds dates"),
        (twice, y, "^X has 2 columns named 'u'"),
        (pl.DataFrame(FRAME).lazy(), y, "^X is a LazyFrame"),
        (FRAME["u"], y, "^Expected 2D array"),
        ([WHOLE, WHOLE], y, "from_task_lists"),
        (frames_with_a_gap()["Float64"], y, "contains NaN in row 1, column 1"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            compare(X, labels_, SITE, **QUICK)


def test_compare_leaves_dates_to_a_transformer_and_checks_what_comes_out():
    days = FunctionTransformer(lambda X: X.assign(when=(X["when"] - DAYS[0]).dt.days))
    dated = frame_of(DAYS, u=WHOLE[:, 0])
    plain = dated.assign(when=np.arange(N))
    with_dates = compare(dated, Y[:, 0], SITE, transformer=days, **QUICK)
    without = compare(plain, Y[:, 0], SITE, transformer=FunctionTransformer(), **QUICK)
    np.testing.assert_array_equal(with_dates.scores["pooled"], without.scores["pooled"])
    for X in (dated, dated[["when"]]):
        with pytest.raises(TypeError, match=refusal(DATES, "transformed X")):
            compare(X, Y[:, 0], SITE, transformer=FunctionTransformer(), **QUICK)


def test_compare_takes_long_labels_in_one_column():
    long, y = FRAME.assign(site=SITE), Y[:, 0]
    scores = compare(long, y, task_column="site", **QUICK).scores["pooled"]
    for column in (pd.DataFrame({"y": y}), pl.DataFrame({"y": y}), y[:, None]):
        same = compare(long, column, task_column="site", **QUICK).scores["pooled"]
        np.testing.assert_array_equal(same, scores)
    with pytest.raises(ValueError, match=re.escape("at least two tasks, got y of shape (12, 1)")):
        compare(FRAME, pd.DataFrame({"y": y}), **QUICK)
