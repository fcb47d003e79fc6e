import pickle
import warnings

import array_api_strict
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmtl import MultiTaskRidge
from skmtl.baselines import IndependentTasks, PooledTasks
from skmtl.metrics import make_multitask_scorer

ROUNDING = {"rtol": 1e-8, "atol": 1e-8}  # two factorisations of well-conditioned systems
BASELINES = {
    "independent": IndependentTasks,
    "dummies": PooledTasks,
    "pooled": lambda *args, **options: PooledTasks(*args, task_dummies=False, **options),
}
every_baseline = pytest.mark.parametrize("make", BASELINES.values(), ids=BASELINES)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def data(rng):
    """X, and labels of three tasks with slopes and levels of their own and holes."""
    X = rng.normal(size=(40, 4))
    Y = X @ rng.normal(size=(4, 3)) + [0.0, 3.0, -5.0] + 0.1 * rng.normal(size=(40, 3))
    return X, np.where(rng.random(Y.shape) < [0.1, 0.4, 0.6], np.nan, Y)


@pytest.fixture
def weight(rng):
    return rng.integers(0, 4, size=(40, 3)).astype(float)


def as_long(X, Y, ids=("a", "b", "c"), S=None):
    """Rows in mixed order with the id in the last column, their labels and weights."""
    row, task = np.nonzero(~np.isnan(Y))
    mix = np.random.default_rng(1).permutation(len(row))
    row, task = row[mix], task[mix]
    table = np.column_stack([X[row].astype(object), np.array(ids, dtype=object)[task]])
    return table, Y[row, task], None if S is None else S[row, task]


def as_frame(table, columns=("u", "v", "w", "x", "site")):
    frame = pd.DataFrame(table, columns=list(columns))
    return frame.astype({name: float for name in columns[:-1]})


@parametrize_with_checks(
    [
        IndependentTasks(Ridge()),
        PooledTasks(Ridge()),
        PooledTasks(Ridge(), task_dummies=False),
        IndependentTasks(HistGradientBoostingRegressor(max_iter=5)),
    ]
)
def test_scikit_learn_checks_pass(estimator, check):
    check(estimator)


@every_baseline
def test_long_rows_equal_wide_labels(make, data, weight):
    X, Y = data
    table, y, s = as_long(X, Y, S=weight)
    wide = make(Ridge()).fit(X, Y, weight).predict(X)
    model = make(Ridge(), task_column=-1).fit(table, y, s)
    assert model.tasks_ == ["a", "b", "c"] and model.n_features_in_ == 5
    for t, name in enumerate(model.tasks_):
        rows = np.column_stack([X.astype(object), np.full(len(X), name, dtype=object)])
        np.testing.assert_allclose(model.predict(rows), wide[:, t], **ROUNDING)


@every_baseline
def test_weights_are_frequencies(make, data, weight):
    X, Y = data
    row, task = np.nonzero(~np.isnan(Y))
    times = weight[row, task].astype(int)
    repeated = np.full((times.sum(), 3), np.nan)
    row, task = np.repeat(row, times), np.repeat(task, times)
    repeated[np.arange(len(row)), task] = Y[row, task]
    expected = make(Ridge()).fit(X[row], repeated).predict(X)
    np.testing.assert_allclose(make(Ridge()).fit(X, Y, weight).predict(X), expected, **ROUNDING)


class CountRows(RegressorMixin, BaseEstimator):
    """Predicts how many rows it was fitted on."""

    def fit(self, X, y, sample_weight=None):
        self.n_rows_ = len(X)
        return self

    def predict(self, X):
        return np.full(len(X), float(self.n_rows_))


@every_baseline
def test_labels_of_weight_zero_do_not_reach_the_estimator(make, data, weight):
    X, Y = data
    used = (~np.isnan(Y) & (weight > 0)).sum(axis=0)
    expected = used if make is IndependentTasks else used.sum()
    assert (make(CountRows()).fit(X, Y, weight).predict(X) == expected).all()


@every_baseline
def test_shape_of_predictions_follows_y(make, data):
    X, Y = data
    y = np.nan_to_num(Y[:, 0])
    flat = make(Ridge()).fit(X, y).predict(X)
    column = make(Ridge()).fit(X, y[:, None]).predict(X)
    assert flat.shape == (40,) and column.shape == (40, 1)
    np.testing.assert_array_equal(flat, column[:, 0])
    assert make(Ridge()).fit(X, Y).predict(X).shape == (40, 3)


@every_baseline
def test_float32_is_kept(make, data):
    X, Y = data
    X = X.astype(np.float32)
    assert make(Ridge()).fit(X, Y).predict(X).dtype == np.float32


@every_baseline
def test_an_estimator_that_overwrites_X_spoils_neither_input_nor_other_tasks(make, rng):
    X, Y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    before = X.copy()
    overwriting = make(Ridge(copy_X=False)).fit(X, Y)
    np.testing.assert_array_equal(X, before)
    np.testing.assert_allclose(
        overwriting.predict(X), make(Ridge()).fit(X, Y).predict(X), **ROUNDING
    )


@every_baseline
def test_read_only_input_is_fitted(make, data, weight):
    for array in (*data, weight):
        array.flags.writeable = False
    X, Y = data
    assert np.isfinite(make(Ridge()).fit(X, Y, weight).predict(X)).all()


@every_baseline
def test_array_api_input_is_computed_with_numpy(make, data):
    X, Y = data
    device = array_api_strict.Device("device1")
    X_there, Y_there = (array_api_strict.asarray(array, device=device) for array in (X, Y))
    model = make(Ridge()).fit(X_there, Y_there)
    expected = make(Ridge()).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X_there), expected.predict(X))
    assert model.score(X_there, Y_there) == expected.score(X, Y)


@every_baseline
def test_frames_give_names(make, data):
    X, Y = data
    table, y, _ = as_long(X, Y)
    frame, labels = as_frame(table), pd.DataFrame(Y, columns=["p", "q", "r"])
    for kind in (lambda frame: frame, pl.from_pandas):
        wide = make(Ridge()).fit(kind(frame[["u", "v"]].iloc[:40]), kind(labels))
        assert wide.tasks_ == ["p", "q", "r"] and list(wide.feature_names_in_) == ["u", "v"]
        long = make(Ridge(), task_column="site").fit(kind(frame), y)
        assert list(long.feature_names_in_) == ["u", "v", "w", "x", "site"]
        expected = make(Ridge(), task_column=4).fit(table, y).predict(table)
        np.testing.assert_allclose(long.predict(kind(frame)), expected, **ROUNDING)


@every_baseline
def test_missing_features_reach_an_estimator_that_takes_them(make, data):
    X, Y = data
    X = np.where(X > 1, np.nan, X)
    table, y, _ = as_long(X, Y)
    trees = HistGradientBoostingRegressor(max_iter=3, min_samples_leaf=2)
    assert np.isfinite(make(trees).fit(X, Y).predict(X)).all()
    assert np.isfinite(make(trees, task_column=-1).fit(table, y).predict(table)).all()
    with pytest.raises(ValueError, match="Input X contains NaN"):
        make(Ridge()).fit(X, Y)


@every_baseline
def test_grid_search_reaches_the_inner_parameters(make, data):
    X, Y = data
    Y = np.where(np.isnan(Y), Y, X.sum(axis=1, keepdims=True))  # one slope and level for all
    search = GridSearchCV(make(Ridge()), {"estimator__alpha": [1e-3, 1e6]}, cv=KFold(3))
    assert search.fit(X, Y).best_params_ == {"estimator__alpha": 1e-3}
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@every_baseline
def test_scorers_read_the_task_column(make, data):
    X, Y = data
    table, y, _ = as_long(X, Y)
    model = make_pipeline(make(Ridge(), task_column=-1))
    by_scorer = cross_val_score(model, table, y, scoring=make_multitask_scorer("r2"), cv=KFold(3))
    np.testing.assert_allclose(by_scorer, cross_val_score(model, table, y, cv=KFold(3)))


@every_baseline
def test_copies_predict_alike(make, data):
    X, Y = data
    model = make(Ridge()).fit(X, Y)
    for copy in (pickle.loads(pickle.dumps(model)), clone(model).fit(X, Y)):
        np.testing.assert_array_equal(copy.predict(X), model.predict(X))


@every_baseline
def test_weights_follow_metadata_routing(make, data):
    X, Y = data
    s = np.arange(40) % 4.0
    with sklearn.config_context(enable_metadata_routing=True):
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        model = make(Ridge()).set_fit_request(sample_weight=True)
        routed = make_pipeline(scaler, model).fit(X, Y, sample_weight=s).predict(X)
    Z = StandardScaler().fit_transform(X)
    np.testing.assert_allclose(routed, make(Ridge()).fit(Z, Y, s).predict(Z), **ROUNDING)


def test_independent_tasks_equal_one_fit_for_each(data, weight):
    X, Y = data
    Z = IndependentTasks(Ridge(2.0)).fit(X, Y, weight).predict(X)
    for t in range(3):
        seen = ~np.isnan(Y[:, t])
        alone = Ridge(2.0).fit(X[seen], Y[seen, t], weight[seen, t])
        np.testing.assert_allclose(Z[:, t], alone.predict(X), **ROUNDING)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "baseline, model",
    [
        (IndependentTasks(Ridge(0.7)), MultiTaskRidge(np.inf, 0.7, alpha_intercept=0.0)),
        (PooledTasks(Ridge(0.7)), MultiTaskRidge(0.7, np.inf, alpha_intercept=0.7)),
        (
            PooledTasks(Ridge(0.7), task_dummies=False),
            MultiTaskRidge(0.7, np.inf, alpha_intercept=np.inf),
        ),
    ],
)
def test_baselines_are_limits_of_multi_task_ridge(baseline, model, weighted, data, weight):
    X, Y = data
    baseline, model = clone(baseline), clone(model)
    s = weight if weighted else None
    Z = model.fit(X, Y, s).predict(X)
    np.testing.assert_allclose(baseline.fit(X, Y, s).predict(X), Z, **ROUNDING)
    table, y, s = as_long(X, Y, S=s)
    Z = model.set_params(task_column=-1).fit(table, y, s).predict(table)
    baseline.set_params(task_column=-1)
    np.testing.assert_allclose(baseline.fit(table, y, s).predict(table), Z, **ROUNDING)


def test_jobs_do_not_change_the_fit(data):
    X, Y = data
    serial, parallel = (IndependentTasks(Ridge(), n_jobs=n).fit(X, Y).predict(X) for n in (1, 2))
    np.testing.assert_array_equal(parallel, serial)


def test_inner_search_is_tuned_for_each_task(rng):
    X = rng.normal(size=(30, 2))
    Y = np.column_stack([X @ [1.0, 2.0], rng.normal(size=30)])
    inner = GridSearchCV(Ridge(), {"alpha": [1e-6, 1e6]}, cv=3)
    model = IndependentTasks(inner).fit(X, Y, np.ones(30))
    assert [search.best_params_["alpha"] for search in model.estimators_] == [1e-6, 1e6]


def fit_with_one_warning(model, *args):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(*args)
    assert [warning.category for warning in caught] == [UserWarning]
    assert "has no label" in str(caught[0].message) and caught[0].filename == __file__
    return model


def test_task_without_labels_gets_the_mean_of_the_others(data):
    X, Y = data
    Y = np.insert(Y, 1, np.nan, axis=1)
    model = fit_with_one_warning(IndependentTasks(Ridge()), X, Y)
    Z = model.predict(X)
    assert model.estimators_[1] is None and model.n_tasks_ == 4
    np.testing.assert_allclose(Z[:, 1], Z[:, [0, 2, 3]].mean(axis=1), **ROUNDING)


@every_baseline
def test_unseen_ids_are_predicted_as_a_task_without_labels(make, data):
    X, Y = data
    table, y, _ = as_long(X, Y)
    silent = (table[:, -1] != "b").astype(float)  # task b has rows, but no label of weight
    model = make(Ridge(), task_column=-1, unknown_task="shared")
    fit_with_one_warning(model, table, y, silent)
    rows = {name: table.copy() for name in ("a", "b", "c", "new")}
    for name in rows:
        rows[name][:, -1] = name
    Z = {name: model.predict(table) for name, table in rows.items()}
    np.testing.assert_array_equal(Z["new"], Z["b"])
    without = table[:, -1] != "b"
    expected = make(Ridge(), task_column=-1).fit(table[without], y[without], silent[without])
    for name in ("a", "c"):
        np.testing.assert_allclose(Z[name], expected.predict(rows[name]), **ROUNDING)
    if make is IndependentTasks:
        np.testing.assert_allclose(Z["new"], (Z["a"] + Z["c"]) / 2, **ROUNDING)


def test_zero_dummies_leave_the_common_intercept(data):
    X, Y = data
    table, y, _ = as_long(X, Y)
    model = PooledTasks(Ridge(), task_column=-1, unknown_task="shared").fit(table, y)
    new = table[:5].copy()
    new[:, -1] = "new"
    inner = model.estimator_
    assert inner.coef_.shape == (4 + 3,)
    expected = new[:, :-1].astype(float) @ inner.coef_[:4] + inner.intercept_
    np.testing.assert_allclose(model.predict(new), expected, **ROUNDING)


@every_baseline
def test_tasks_with_one_label_or_a_constant_are_fitted(make, data):
    X, Y = data
    Y = np.column_stack([Y, np.full(40, 2.0), np.full(40, np.nan)])
    Y[7, 4] = -1.0
    Z = make(DummyRegressor()).fit(X, Y).predict(X)
    expected = np.nanmean(Y, axis=0) if make is IndependentTasks else np.nanmean(Y)
    np.testing.assert_allclose(Z, np.broadcast_to(expected, Z.shape))
    assert np.isfinite(make(Ridge()).fit(X, Y).predict(X)).all()


@every_baseline
@pytest.mark.parametrize(
    "estimator, message",
    [
        (Ridge, "estimator must be a regressor or classifier object with fit and predict, got <"),
        ("ridge", "estimator must be a regressor or classifier object .* got 'ridge'"),
        (StandardScaler(), "estimator must be a regressor or classifier .* got StandardScaler"),
    ],
)
def test_what_does_not_predict_is_refused(make, estimator, message, data):
    with pytest.raises(TypeError, match=message):
        make(estimator).fit(*data)


@every_baseline
def test_wrong_input_is_named(make, data, weight):
    X, Y = data
    table, y, _ = as_long(X, Y)
    long = make(Ridge(), task_column=-1)
    with pytest.raises(NotFittedError):
        make(Ridge()).predict(X)
    with pytest.raises(ValueError, match=r"X has 3 features, but .* is expecting 4 features"):
        make(Ridge()).fit(X, Y).predict(X[:, :3])
    with pytest.raises(ValueError, match=r"unknown_task must be one of .* got 'mean'"):
        make(Ridge(), unknown_task="mean").fit(X, Y)
    with pytest.raises(ValueError, match="sample_weight must have shape"):
        make(Ridge()).fit(X, Y, weight[:, :2])
    with pytest.raises(TypeError, match=r"KNeighborsRegressor.*'sample_weight'"):
        make(KNeighborsRegressor(2)).fit(X, Y, weight)
    with pytest.raises(ValueError, match="y must be 1-D, one label a row"):
        long.fit(np.column_stack([X, np.zeros(40)]), Y)
    table[0, -1] = "new"
    with pytest.raises(ValueError, match="task 'new' in column -1 was not seen in fit"):
        long.fit(table[1:], y[1:]).predict(table)


@pytest.mark.parametrize("value", [1, "yes", None])
def test_task_dummies_is_a_flag(value, data):
    with pytest.raises(TypeError, match=f"task_dummies must be True or False, got {value!r}"):
        PooledTasks(Ridge(), task_dummies=value).fit(*data)


def test_a_failing_fit_names_its_task_and_changes_nothing(data):
    X, Y = data
    model = IndependentTasks(RidgeCV(cv=5)).fit(X, Y)
    before = model.predict(X)
    Y = Y.copy()
    Y[3:, 1] = np.nan
    with pytest.raises(ValueError, match="n_splits=5") as caught:
        model.fit(X, pd.DataFrame(Y, columns=["p", "q", "r"]))
    assert any("task 'q'" in note for note in caught.value.__notes__)
    np.testing.assert_array_equal(model.predict(X), before)
