"""Dates reach a user's own function or class, and no transformer of numbers."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from _properties import assert_close
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skmtl import IndependentTasks, MultiTaskRidge, PooledTasks, TargetScaler
from skmtl.model_selection import compare

N = 24
RNG = np.random.default_rng(0)
START = pd.Timestamp("2020-01-30")
DAYS = pd.Series(pd.date_range(START, periods=N))
LONG = pd.DataFrame({"site": list("ab") * (N // 2), "d": DAYS, "f": RNG.normal(size=N)})
PLAIN = LONG.assign(d=np.arange(N))
Y = RNG.normal(size=(N, 2))
REFUSAL = r"^column 'd' of X holds dates .*days since a start, or drop the column\.$"


def to_days(X):
    return X.assign(d=(X["d"] - START).dt.days)


class Days(TransformerMixin, BaseEstimator):
    """A user's own."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return to_days(X)


def columns(*parts):
    return make_column_transformer(*parts, remainder="passthrough")


COUNTING = {
    "a scaler": StandardScaler(),
    "an imputer": SimpleImputer(strategy="most_frequent"),
    "behind an identity": make_pipeline(FunctionTransformer(), StandardScaler()),
    "behind a function": make_pipeline(FunctionTransformer(lambda X: X.copy()), StandardScaler()),
    "a column by name": columns((StandardScaler(), ["d"])),
    "a column by place": columns((StandardScaler(), [0])),
    "columns by a mask": columns((StandardScaler(), lambda X: X.columns == "d")),
    "a selector": columns((StandardScaler(), make_column_selector("d"))),
    "nested": columns((make_pipeline("passthrough", StandardScaler()), ["d"])),
    "passed through": columns((StandardScaler(), ["f"])),
    "a union": make_union(FunctionTransformer(lambda X: X[["f"]]), StandardScaler()),
}
READING = {  # from what makes days of dates
    "alone": lambda days: days,
    "a column": lambda days: columns((days, ["d"])),
    "then scaled": lambda days: make_pipeline(days, StandardScaler()),
    "a column, then scaled": lambda days: columns((make_pipeline(days, StandardScaler()), ["d"])),
    "numbers beside": lambda days: columns((days, ["d"]), (StandardScaler(), ["f"])),
    "dropped": lambda days: columns(("drop", ["d"])),
}
wrapped = pytest.mark.parametrize("wrapper", [IndependentTasks, PooledTasks])


@wrapped
@pytest.mark.parametrize("transformer", COUNTING.values(), ids=COUNTING)
def test_dates_are_counted_by_no_step(wrapper, transformer):
    pipeline = make_pipeline(transformer, Ridge())
    holed = LONG.assign(d=DAYS.where(DAYS > START))
    for X in (LONG, holed, holed.assign(d=holed["d"].dt.tz_localize("UTC"))):
        for inner in (pipeline, GridSearchCV(pipeline, {"ridge__alpha": [1.0]}, cv=2)):
            with pytest.raises(TypeError, match=REFUSAL):
                wrapper(inner, task_column="site").fit(X, Y[:, 0])


@wrapped
@pytest.mark.parametrize("reading", READING.values(), ids=READING)
def test_dates_reach_a_function_or_class_of_the_users(wrapper, reading):
    def predictions(days, X):
        pipeline = make_pipeline(reading(days), Ridge())
        return wrapper(pipeline, task_column="site").fit(X, Y[:, 0]).predict(X)

    plain = predictions(FunctionTransformer(), PLAIN)
    for days in (FunctionTransformer(to_days), Days()):
        assert_close(predictions(days, LONG), plain)


@wrapped
def test_a_frame_of_dates_alone_is_refused_at_predict_too(wrapper):
    dates, numbers = LONG[["site", "d"]], PLAIN[["site", "d"]]
    model = wrapper(make_pipeline(StandardScaler(), Ridge()), task_column="site")
    for X in (dates, pl.from_pandas(dates)):
        with pytest.raises(TypeError, match=REFUSAL):
            model.fit(X, Y[:, 0])
    with pytest.raises(TypeError, match=REFUSAL):
        model.fit(numbers, Y[:, 0]).predict(dates)


@wrapped
def test_a_date_is_a_category_to_an_encoder(wrapper):
    months = LONG.assign(d=[*[START] * (N // 2), *[DAYS[1]] * (N // 2)])
    encode = columns((OneHotEncoder(), ["d"]))
    model = wrapper(make_pipeline(encode, Ridge()), task_column="site")
    as_text = months.assign(d=months["d"].astype(str))
    predictions = model.fit(months, Y[:, 0]).predict(months)
    assert_close(predictions, model.fit(as_text, Y[:, 0]).predict(as_text))


def test_target_scaler_counts_no_dates():
    dates, numbers = LONG[["d"]], PLAIN[["d"]]
    model = TargetScaler(make_pipeline(StandardScaler(), MultiTaskRidge()))
    with pytest.raises(TypeError, match=REFUSAL):
        model.fit(dates, Y)
    with pytest.raises(TypeError, match=REFUSAL):
        model.fit(numbers, Y).predict(dates)
    own = TargetScaler(make_pipeline(Days(), MultiTaskRidge())).fit(dates, Y)
    plain = TargetScaler(MultiTaskRidge()).fit(numbers, Y)
    assert_close(own.predict(dates), plain.predict(numbers))


def test_compare_counts_no_dates():
    y, options = Y[:, 0], {"task_column": "site", "cv": 2}
    for X in (LONG, LONG[["site", "d"]], pl.from_pandas(LONG[["site", "d"]])):
        with pytest.raises(TypeError, match=REFUSAL):
            compare(X, y, transformer=StandardScaler(), **options)
    with pytest.raises(TypeError, match=r"^X holds dates"):
        compare(LONG[["d"]].to_numpy(), y, LONG["site"], transformer=StandardScaler(), cv=2)
    own = make_pipeline(Days(), StandardScaler())
    dated = compare(LONG, y, transformer=own, **options).scores
    plain = compare(PLAIN, y, transformer=StandardScaler(), **options).scores
    for name, scores in plain.items():
        assert_close(dated[name], scores)
