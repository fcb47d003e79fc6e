import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmtl import MultiTaskRidge
from skmtl.baselines import IndependentTasks, PooledTasks
from skmtl.metrics import make_multitask_scorer
from skmtl.preprocessing import TargetScaler

ROUNDING = {"rtol": 1e-9, "atol": 1e-9}


class Saturating(MultiTaskRidge):
    """Ridge of tanh(y), plus a half: not in proportion to the labels."""

    def fit(self, X, y, sample_weight=None):
        return super().fit(X, np.tanh(y) + 0.5, sample_weight)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def complete(rng):
    """X, and labels of three tasks in units of their own."""
    X = rng.normal(size=(30, 4))
    Y = X @ (rng.normal(size=(4, 1)) + 0.3 * rng.normal(size=(4, 3)))
    return X, (Y + 0.1 * rng.normal(size=Y.shape)) * [1.0, 50.0, 0.01] + [0.0, 900.0, 3.0]


@pytest.fixture
def data(rng, complete):
    """The same with holes."""
    X, Y = complete
    return X, np.where(rng.random(Y.shape) < [0.1, 0.4, 0.6], np.nan, Y)


@pytest.fixture
def weight(rng):
    return rng.integers(0, 4, size=(30, 3)).astype(float)


def as_long(X, Y, S=None):
    """Rows in mixed order with the task's number in the first column, labels and weights."""
    row, task = np.nonzero(~np.isnan(Y))
    mix = np.random.default_rng(1).permutation(len(row))
    row, task = row[mix], task[mix]
    return np.column_stack([task, X[row]]), Y[row, task], None if S is None else S[row, task]


def rows_of(task, X):
    return np.column_stack([np.full(len(X), task), X])


@parametrize_with_checks(
    [TargetScaler(), TargetScaler(Ridge()), TargetScaler(PooledTasks(Ridge()))]
)
def test_scikit_learn_checks_pass(estimator, check):
    check(estimator)


def test_equals_scikit_learn_on_complete_labels(complete):
    X, Y = complete
    expected = TransformedTargetRegressor(Ridge(3.0), transformer=StandardScaler()).fit(X, Y)
    model = TargetScaler(Ridge(3.0)).fit(X, Y)
    np.testing.assert_allclose(model.predict(X), expected.predict(X), **ROUNDING)
    np.testing.assert_allclose(model.mean_, expected.transformer_.mean_, **ROUNDING)
    np.testing.assert_allclose(model.scale_, expected.transformer_.scale_, **ROUNDING)


def test_regressor_sees_standardised_labels(data, weight):
    X, Y = data
    Z = (Y - np.nanmean(Y, axis=0)) / np.nanstd(Y, axis=0)
    expected = MultiTaskRidge().fit(X, Z).predict(X) * np.nanstd(Y, axis=0) + np.nanmean(Y, axis=0)
    np.testing.assert_allclose(TargetScaler().fit(X, Y).predict(X), expected, **ROUNDING)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e200, 1e-200])
def test_units_and_origins_do_not_matter(scale, data):
    X, Y = data
    factor, shift = np.array([1.0, scale, 2.0]), np.array([0.0, 7.0 * scale, 1e4])
    expected = TargetScaler().fit(X, Y).predict(X) * factor + shift
    moved = TargetScaler().fit(X, Y * factor + shift).predict(X)
    # relative to each task's unit: an origin 1e4 away costs 4 digits
    np.testing.assert_allclose(moved / factor, expected / factor, rtol=1e-9, atol=1e-9)


def test_weights_are_frequencies(data, weight):
    X, Y = data
    row, task = np.nonzero(~np.isnan(Y))
    times = weight[row, task].astype(int)
    row, task = np.repeat(row, times), np.repeat(task, times)
    repeated = np.full((len(row), 3), np.nan)
    repeated[np.arange(len(row)), task] = Y[row, task]
    expected = TargetScaler().fit(X[row], repeated)
    model = TargetScaler().fit(X, Y, weight)
    for name in ("mean_", "scale_", "pooled_mean_", "pooled_scale_"):
        np.testing.assert_allclose(getattr(model, name), getattr(expected, name), **ROUNDING)
    np.testing.assert_allclose(model.predict(X), expected.predict(X), **ROUNDING)


def test_weights_of_rows_serve_every_task(data):
    X, Y = data
    s = np.arange(30) % 3.0
    by_label = TargetScaler().fit(X, Y, np.repeat(s[:, None], 3, axis=1))
    np.testing.assert_allclose(
        TargetScaler().fit(X, Y, s).predict(X), by_label.predict(X), **ROUNDING
    )


def test_long_rows_equal_wide_labels(data, weight):
    X, Y = data
    table, y, s = as_long(X, Y, weight)
    wide = TargetScaler().fit(X, Y, weight)
    long = TargetScaler(MultiTaskRidge(task_column=0)).fit(table, y, s)
    assert long.tasks_ == [0.0, 1.0, 2.0] and long.n_features_in_ == 5
    np.testing.assert_allclose(long.mean_, wide.mean_, **ROUNDING)
    np.testing.assert_allclose(long.scale_, wide.scale_, **ROUNDING)
    for t in range(3):
        expected = wide.predict(X)[:, t]
        np.testing.assert_allclose(long.predict(rows_of(t, X)), expected, **ROUNDING)


def test_both_steps_can_be_left_out(data):
    X, Y = data
    plain = TargetScaler(with_mean=False, with_std=False).fit(X, Y)
    np.testing.assert_array_equal(plain.predict(X), MultiTaskRidge().fit(X, Y).predict(X))
    assert (plain.mean_ == 0).all() and (plain.scale_ == 1).all()
    full = TargetScaler().fit(X, Y)
    no_mean, no_std = (
        TargetScaler(with_mean=False).fit(X, Y),
        TargetScaler(with_std=False).fit(X, Y),
    )
    np.testing.assert_array_equal(no_mean.scale_, full.scale_)
    np.testing.assert_array_equal(no_std.mean_, full.mean_)
    assert (no_mean.mean_ == 0).all() and (no_std.scale_ == 1).all()


def test_constant_and_single_labels_have_the_pooled_scale(data):
    X, Y = data
    Y = np.column_stack([Y, np.full(30, 0.1), np.full(30, np.nan)])
    Y[4, 4] = 7.0
    model = TargetScaler(MultiTaskRidge(alpha_shared=np.inf)).fit(X, Y, np.full(30, 0.7))
    assert model.scale_[3] == model.scale_[4] == model.pooled_scale_
    np.testing.assert_allclose(model.predict(X)[:, 3:], [[0.1, 7.0]] * 30, **ROUNDING)


def without_spread(kind, data):
    """Labels of which those of some or all tasks do not vary."""
    Y = data[1][:, :1] + [[0.0, 0.1, -0.3]]
    if kind == "one label":
        Y[1:, 1] = np.nan
    elif kind == "equal labels":
        Y[:, 1] = Y[0, 1]
    else:
        Y[:] = Y[0] if kind == "equal labels in every task" else Y[0, 0]
    return Y


@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("factor", [1e-6, 1e6, 1e200])
@pytest.mark.parametrize("regressor", [MultiTaskRidge(), Saturating()], ids=["ridge", "tanh"])
@pytest.mark.parametrize(
    "kind",
    ["one label", "equal labels", "equal labels in every task", "one value in all tasks"],
)
def test_predictions_are_in_the_unit_of_the_labels_where_some_do_not_vary(
    kind, regressor, factor, with_mean, data
):
    X, Y = data[0], without_spread(kind, data)
    model = TargetScaler(regressor, with_mean=with_mean)
    # without the means the origin counts, and of one value the size is all there is
    shift = 3.0 if with_mean and kind != "one value in all tasks" else 0.0
    expected = model.fit(X, Y).predict(X)
    moved = model.fit(X, factor * (Y + shift)).predict(X)
    # labels are rounded at the size of the shift
    np.testing.assert_allclose(moved / factor - shift, expected, rtol=1e-9, atol=1e-9)


def test_unseen_ids_get_pooled_mean_and_scale(data, weight):
    X, Y = data
    table, y, s = as_long(X, Y, weight)
    model = TargetScaler(MultiTaskRidge(task_column=0, unknown_task="shared")).fit(table, y, s)
    task = table[:, 0].astype(int)
    assert model.pooled_mean_ == pytest.approx(np.average(y, weights=s))
    within = np.average((y - model.mean_[task]) ** 2, weights=s)
    assert model.pooled_scale_ == pytest.approx(np.sqrt(within))
    raw = model.regressor_.predict(rows_of(9, X))
    expected = raw * model.pooled_scale_ + model.pooled_mean_
    np.testing.assert_allclose(model.predict(rows_of(9, X)), expected, **ROUNDING)


def test_task_without_labels_gets_pooled_mean_and_scale(data):
    X, Y = data
    Y = np.insert(Y, 1, np.nan, axis=1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = TargetScaler().fit(X, Y)
    assert [warning.category for warning in caught] == [UserWarning]
    assert (model.mean_[1], model.scale_[1]) == (model.pooled_mean_, model.pooled_scale_)
    assert np.isfinite(model.predict(X)).all()


def test_shape_of_predictions_follows_y(complete):
    X, Y = complete
    flat = TargetScaler().fit(X, Y[:, 1]).predict(X)
    column = TargetScaler().fit(X, Y[:, [1]]).predict(X)
    assert flat.shape == (30,) and column.shape == (30, 1)
    np.testing.assert_array_equal(flat, column[:, 0])


def test_float32_is_kept(data):
    X, Y = data
    X = X.astype(np.float32)
    assert TargetScaler().fit(X, Y).predict(X).dtype == np.float32


def test_input_is_not_written_to(data):
    X, Y = data
    before = Y.copy()
    TargetScaler().fit(X, Y)
    np.testing.assert_array_equal(Y, before)
    Y.flags.writeable = X.flags.writeable = False
    assert np.isfinite(TargetScaler().fit(X, Y).predict(X)).all()


def test_frames_give_names(data):
    X, Y = data
    table, y, _ = as_long(X, Y)
    frame = pd.DataFrame(table, columns=["site", "u", "v", "w", "x"])
    frame["site"] = frame["site"].map({0.0: "a", 1.0: "b", 2.0: "c"})
    expected = TargetScaler(MultiTaskRidge(task_column=0)).fit(table, y).predict(table)
    for kind in (lambda frame: frame, pl.from_pandas):
        wide = TargetScaler().fit(
            kind(frame[["u"]].iloc[:30]), kind(pd.DataFrame(Y, columns=[*"pqr"]))
        )
        assert wide.tasks_ == ["p", "q", "r"] and list(wide.feature_names_in_) == ["u"]
        long = TargetScaler(MultiTaskRidge(task_column="site")).fit(
            kind(frame), kind(frame)["u"] * 0 + y
        )
        assert long.tasks_ == ["a", "b", "c"] and long.feature_names_in_[0] == "site"
        np.testing.assert_allclose(long.predict(kind(frame)), expected, **ROUNDING)


def test_features_are_the_regressors_affair(data):
    X, Y = data
    frame = pd.DataFrame({"kind": np.where(X[:, 0] > 0, "up", "down"), "u": X[:, 1]})
    columns = ColumnTransformer([("u", "passthrough", ["u"])])  # text is left to it, and dropped
    model = TargetScaler(make_pipeline(columns, MultiTaskRidge())).fit(frame, Y)
    expected = TargetScaler().fit(X[:, [1]], Y).predict(X[:, [1]])
    np.testing.assert_allclose(model.predict(frame), expected, **ROUNDING)


@pytest.mark.parametrize(
    "regressor, column",
    [
        (None, None),
        (Ridge(), None),
        (MultiTaskRidge(task_column=0), 0),
        (IndependentTasks(Ridge(), task_column="site"), "site"),
        (GridSearchCV(MultiTaskRidge(task_column="site"), {}), "site"),
        (TargetScaler(MultiTaskRidge(task_column=0)), 0),
    ],
)
def test_task_column_is_the_regressors_own(regressor, column):
    model = TargetScaler(regressor)
    assert model.task_column == column
    with pytest.raises(AttributeError):
        model.task_column = 1


def test_search_inside_reads_the_same_tasks(data):
    X, Y = data
    table, y, _ = as_long(X, Y)
    alphas = {"alpha_specific": [1e-2, 1e2]}
    search = GridSearchCV(MultiTaskRidge(task_column=0), alphas, cv=KFold(3))
    model = TargetScaler(search).fit(table, y)
    np.testing.assert_allclose(model.mean_, np.nanmean(Y, axis=0), **ROUNDING)
    best = clone(search.estimator).set_params(**model.regressor_.best_params_)
    expected = TargetScaler(best).fit(table, y).predict(table)
    np.testing.assert_allclose(model.predict(table), expected, **ROUNDING)


def test_searches_and_scorers_around_it_work(data):
    X, Y = data
    grid = {"regressor__alpha_specific": [1e-2, 1e12]}
    search = GridSearchCV(TargetScaler(MultiTaskRidge(1e12)), grid, cv=KFold(3)).fit(X, Y)
    assert search.best_params_ == {"regressor__alpha_specific": 1e-2}
    table, y, _ = as_long(X, Y)
    keep_id = ColumnTransformer([("id", "passthrough", [0])], remainder=StandardScaler())
    model = make_pipeline(keep_id, TargetScaler(MultiTaskRidge(task_column=0)))
    by_scorer = cross_val_score(model, table, y, scoring=make_multitask_scorer("r2"), cv=KFold(3))
    np.testing.assert_allclose(by_scorer, cross_val_score(model, table, y, cv=KFold(3)))
    assert by_scorer.min() > 0.5  # a mean by task, in the units of y


def test_copies_predict_alike(data):
    X, Y = data
    model = TargetScaler(MultiTaskRidge(2.0)).fit(X, Y)
    for copy in (pickle.loads(pickle.dumps(model)), clone(model).fit(X, Y)):
        np.testing.assert_array_equal(copy.predict(X), model.predict(X))


def test_weights_follow_metadata_routing(data):
    X, Y = data
    s = np.arange(30) % 4.0
    with sklearn.config_context(enable_metadata_routing=True):
        model = TargetScaler().set_fit_request(sample_weight=True)
        routed = make_pipeline(model).fit(X, Y, sample_weight=s).predict(X)
    np.testing.assert_allclose(routed, TargetScaler().fit(X, Y, s).predict(X), **ROUNDING)


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"regressor": Ridge}, TypeError, "regressor must be a regressor object .* got <class"),
        ({"regressor": "ridge"}, TypeError, "regressor must be a regressor object .* got 'ridge'"),
        (
            {"regressor": LogisticRegression()},
            ValueError,
            "regressor must be .* got the classifier",
        ),
        ({"with_mean": 1}, TypeError, "with_mean must be True or False, got 1"),
        ({"with_std": "no"}, TypeError, "with_std must be True or False, got 'no'"),
    ],
)
def test_wrong_parameters_are_named(options, error, message, data):
    with pytest.raises(error, match=message):
        TargetScaler(**options).fit(*data)


@pytest.mark.parametrize("wrap", [lambda model: model, lambda model: GridSearchCV(model, {}, cv=2)])
def test_a_pipeline_around_long_data_is_refused(wrap, data):
    table, y, _ = as_long(*data)
    keep_id = ColumnTransformer([("id", "passthrough", [0])], remainder=StandardScaler())
    model = TargetScaler(wrap(make_pipeline(keep_id, MultiTaskRidge(task_column=0))))
    with pytest.raises(ValueError, match="put TargetScaler inside the pipeline"):
        model.fit(table, y)


def test_wrong_input_is_named_and_changes_nothing(data, weight):
    X, Y = data
    table, y, _ = as_long(X, Y)
    with pytest.raises(NotFittedError):
        TargetScaler().predict(X)
    model = TargetScaler().fit(X, Y)
    before = model.predict(X)
    with pytest.raises(ValueError, match="X has 3 features, but TargetScaler is expecting 4"):
        model.predict(X[:, :3])
    for bad_X, bad_Y, s, message in (
        (X[1:], Y, None, "inconsistent numbers of samples"),
        (np.where(X > 2, np.nan, X), Y, None, "Input X contains NaN"),
        (X, np.full_like(Y, np.nan), None, "y holds no observed label"),
        (X, Y, weight[:, :2], "sample_weight must have shape"),
        (X, Y, np.isnan(Y).astype(float), "no observed label has positive sample_weight"),
    ):
        with pytest.raises(ValueError, match=message):
            model.fit(bad_X, bad_Y, s)
    np.testing.assert_array_equal(model.predict(X), before)
    long = TargetScaler(MultiTaskRidge(task_column=0)).fit(table, y)
    with pytest.raises(ValueError, match=r"task 9\.0 in column 0 was not seen in fit"):
        long.predict(rows_of(9, X))
    with pytest.raises(TypeError, match=r"KNeighborsRegressor.*'sample_weight'"):
        TargetScaler(KNeighborsRegressor(2)).fit(X, np.nan_to_num(Y), weight)


def test_regressor_without_a_task_column_sees_long_labels_as_one_task(data):
    table, y, _ = as_long(*data)
    model = TargetScaler(DummyRegressor()).fit(table, y)
    assert model.n_tasks_ == 1
    np.testing.assert_allclose(model.predict(table), y.mean(), **ROUNDING)
