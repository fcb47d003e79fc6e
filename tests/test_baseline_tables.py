"""Wrappers hand frames and text on to a pipeline that makes numbers of them."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from _properties import assert_close, response
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skmtl import IndependentTasks, MultiTaskRidge, PooledTasks, TargetScaler

N = 30
RNG = np.random.default_rng(0)
SOIL = np.tile(["clay", "peat", "sand"], N // 3)
FRAME = pd.DataFrame({"rain": RNG.normal(size=N), "soil": SOIL, "sun": RNG.normal(size=N)})
Y = RNG.normal(size=(N, 2))
Y[3, 0] = np.nan
SITE = np.repeat(["a", "b"], N // 2)


def inner(last, **remainder):
    """Indicators of the soils, then rain and sun, then what the remainder holds."""
    encode = make_column_transformer(
        (OneHotEncoder(), ["soil"]), ("passthrough", ["rain", "sun"]), **remainder
    )
    return make_pipeline(encode, last)


def by_hand(frame=FRAME):
    soils = [(frame["soil"] == soil).astype(float) for soil in np.unique(SOIL)]
    return np.column_stack([*soils, frame["rain"], frame["sun"]])


LAST = [Ridge(), LogisticRegression(solver="newton-cholesky", tol=1e-12)]
newer = tuple(map(int, sklearn.__version__.split(".")[:2])) > (1, 7)
KINDS = [lambda frame: frame] + [pl.from_pandas] * newer  # 1.7 finds no names of polars' columns


def labels(last):
    return Y if isinstance(last, Ridge) else np.where(np.isnan(Y), np.nan, Y > 0)


def assert_same(model, plain, X, X_plain):
    assert_close(model.predict(X), plain.predict(X_plain))
    if hasattr(plain, "predict_proba"):
        assert_close(response(model, X), response(plain, X_plain))


@pytest.mark.parametrize("wrapper", [IndependentTasks, PooledTasks])
@pytest.mark.parametrize("last", LAST, ids=["ridge", "logistic"])
@pytest.mark.parametrize("kind", KINDS, ids=["pandas", "polars"][: len(KINDS)])
def test_text_is_encoded_inside_as_it_is_by_hand(wrapper, last, kind):
    """The design is the same: indicators, numbers, and the dummies of PooledTasks."""
    y, keep = labels(last), {"remainder": "passthrough"}
    model = wrapper(inner(last, **keep)).fit(kind(FRAME), y)
    assert_same(model, wrapper(last).fit(by_hand(), y), kind(FRAME), by_hand())
    assert model.n_features_in_ == 3
    long, y = FRAME.assign(site=SITE), labels(last)[:, 1]
    options = {"task_column": "site", "unknown_task": "shared"}
    model = wrapper(inner(last, **keep), **options).fit(kind(long), y)
    plain_long = pd.DataFrame(by_hand(), columns=list("abcde")).assign(site=SITE)
    plain = wrapper(last, **options).fit(plain_long, y)
    assert_same(model, plain, kind(long), plain_long)
    new = [X.assign(site="new") for X in (long, plain_long)]
    assert_same(model, plain, kind(new[0]), new[1])


@pytest.mark.parametrize("wrapper", [IndependentTasks, PooledTasks])
def test_text_in_arrays_and_lists_is_encoded_too(wrapper):
    encode = make_column_transformer((OneHotEncoder(), [1]), remainder="passthrough")
    plain = wrapper(Ridge()).fit(by_hand(), Y).predict(by_hand())
    cells = FRAME.to_numpy()
    for X in (cells, cells.tolist()):
        model = wrapper(make_pipeline(encode, Ridge())).fit(X, Y)
        assert_close(model.predict(X), plain)
    long = [[*row, site] for row, site in zip(cells.tolist(), SITE, strict=True)]
    model = wrapper(make_pipeline(encode, Ridge()), task_column=3).fit(long, Y[:, 1])
    plain = wrapper(Ridge(), task_column="site")
    plain_long = pd.DataFrame(by_hand(), columns=list("abcde")).assign(site=SITE)
    assert_close(model.predict(long), plain.fit(plain_long, Y[:, 1]).predict(plain_long))
    words = np.array([[soil, "x"] for soil in SOIL])
    model = IndependentTasks(make_pipeline(OneHotEncoder(), Ridge())).fit(words, Y)
    assert model.predict(words).shape == Y.shape


def test_a_search_around_the_pipeline_sees_the_frame():
    search = GridSearchCV(inner(Ridge()), {"ridge__alpha": [1.0]}, cv=2)
    model = IndependentTasks(search).fit(FRAME, Y)
    plain = IndependentTasks(Ridge()).fit(by_hand(), Y)
    assert_close(model.predict(FRAME), plain.predict(by_hand()))


def test_target_scaler_hands_the_frame_on():
    model = TargetScaler(inner(MultiTaskRidge())).fit(FRAME, Y)
    plain = TargetScaler(MultiTaskRidge()).fit(by_hand(), Y)
    assert_close(model.predict(FRAME), plain.predict(by_hand()))


def test_gaps_are_the_imputers():
    gaps = by_hand()
    gaps[4, 3] = np.nan
    complete = np.where(np.isnan(gaps), np.nanmean(gaps[:, 3]), gaps)
    model = PooledTasks(make_pipeline(SimpleImputer(), Ridge()), task_dummies=False)
    y = np.column_stack([Y[:, 1], Y[:, 1]])  # all rows count alike in the mean
    plain = PooledTasks(Ridge(), task_dummies=False).fit(complete, y).predict(complete)
    for X in (gaps, pd.DataFrame(gaps, columns=list("abcde"))):
        assert_close(model.fit(X, y).predict(X), plain)


def test_dates_are_the_pipelines():
    days = pd.date_range("2020", periods=N)
    to_days = FunctionTransformer(lambda X: (X - days[0]).apply(lambda column: column.dt.days))
    dated = make_column_transformer((to_days, ["day"]), ("passthrough", ["rain"]))
    model = IndependentTasks(make_pipeline(dated, Ridge()))
    X = FRAME[["rain"]].assign(day=days)
    plain = np.column_stack([np.arange(N), FRAME["rain"]]).astype(float)
    assert_close(model.fit(X, Y).predict(X), IndependentTasks(Ridge()).fit(plain, Y).predict(plain))


def test_dummies_that_the_pipeline_drops_are_told():
    lost = PooledTasks(inner(Ridge()))
    with pytest.raises(ValueError, match=r"drops the task dummies.*remainder='passthrough'"):
        lost.fit(FRAME, Y)
    model = PooledTasks(inner(Ridge()), task_dummies=False).fit(FRAME, Y)
    plain = PooledTasks(Ridge(), task_dummies=False).fit(by_hand(), Y)
    assert_close(model.predict(FRAME), plain.predict(by_hand()))
    numbers = make_column_transformer((StandardScaler(), [0, 1]))
    with pytest.raises(ValueError, match="drops the task dummies"):
        PooledTasks(make_pipeline(numbers, Ridge())).fit(by_hand(), Y)


def frame_with_a_gap_first():
    """A gap that no step fills stands in the row of the first label."""
    return FRAME.assign(rain=FRAME["rain"].where(FRAME.index > 0))


def test_dropped_dummies_are_told_beside_gaps_and_in_nested_pipelines():
    told, holed = r"drops the task dummies", frame_with_a_gap_first()
    boosted = inner(HistGradientBoostingRegressor())
    for pipeline, X in (
        (boosted, holed),
        (make_pipeline(boosted[:1], Ridge()), FRAME),
        (make_pipeline(FunctionTransformer(), inner(Ridge())), FRAME),
        (TransformedTargetRegressor(boosted), holed),
        (GridSearchCV(make_pipeline(boosted[:1], Ridge()), {"ridge__alpha": [1.0]}, cv=2), FRAME),
    ):
        with pytest.raises(ValueError, match=told):
            PooledTasks(pipeline).fit(X, Y)
    kept = inner(HistGradientBoostingRegressor(min_samples_leaf=1), remainder="passthrough")
    predictions = PooledTasks(kept).fit(holed, Y).predict(holed)
    assert (predictions[:, 0] != predictions[:, 1]).any()


def test_columns_lost_before_the_column_transformer_are_no_fault_of_its():
    few = FunctionTransformer(lambda X: X[["rain", "soil", "sun"]])
    model = PooledTasks(make_pipeline(few, inner(Ridge()))).fit(FRAME, Y)
    assert_close(model.predict(FRAME)[:, 0], model.predict(FRAME)[:, 1])


@pytest.mark.parametrize("kind", [*KINDS[:1], pl.from_pandas])
def test_ids_that_would_share_a_dummy_are_refused(kind):
    y = pd.DataFrame({1: Y[:, 0], "1": Y[:, 1]})
    message = r"^tasks 1 and '1' would both have the column 'task 1'"
    with pytest.raises(ValueError, match=message):
        PooledTasks(inner(Ridge(), remainder="passthrough")).fit(kind(FRAME), y)


def test_a_column_called_as_a_dummy_is_refused():
    with pytest.raises(ValueError, match="X has a column 'task 1', as the dummies are called"):
        PooledTasks(inner(Ridge(), remainder="passthrough")).fit(FRAME.assign(**{"task 1": 0}), Y)


@pytest.mark.parametrize("wrapper", [IndependentTasks, PooledTasks])
def test_numbers_in_lists_and_arrays_are_the_same_to_a_pipeline(wrapper):
    scaled = make_pipeline(StandardScaler(), Ridge())
    table = np.column_stack([by_hand(), np.arange(N) % 2])
    for options, y in ({}, Y), ({"task_column": 5}, Y[:, 1]):
        model = wrapper(scaled, **options)
        predictions = model.fit(table, y).predict(table)
        assert_close(model.predict(table.tolist()), predictions)
        again = model.fit(table.tolist(), y)
        assert_close(again.predict(table), predictions)
        assert_close(again.predict(table.tolist()), predictions)


def test_frames_of_numbers_keep_names_or_positions():
    """Names may be integers, and rows may share an index."""
    frame = pd.DataFrame(by_hand()).set_axis([0] * N, axis=0)
    plain = PooledTasks(Ridge()).fit(by_hand(), Y).predict(by_hand())
    keep = FunctionTransformer()
    for X in (frame, frame.set_axis(list("abcde"), axis=1)):
        model = PooledTasks(make_pipeline(keep, Ridge())).fit(X, Y)
        assert_close(model.predict(X), plain)


@pytest.mark.parametrize("wrapper", [IndependentTasks, PooledTasks])
def test_without_a_transformer_text_is_refused(wrapper):
    with pytest.raises(
        ValueError, match=r"^column 'soil' of X holds text \(could not convert string to float"
    ):
        wrapper(Ridge()).fit(FRAME, Y)
