import pickle
import warnings

import array_api_strict
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
import sklearn.metrics
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.inspection import permutation_importance
from sklearn.linear_model import Ridge
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmtl import metrics
from skmtl.metrics import average_relative_rmse, delta_m, make_multitask_scorer
from skmtl.metrics._scorer import METRICS

PAIRS = {
    getattr(metrics, f"multitask_{name}"): getattr(sklearn.metrics, name)
    for name in (
        "r2_score",
        "explained_variance_score",
        "mean_squared_error",
        "root_mean_squared_error",
        "mean_absolute_error",
    )
}
NAMES = [name for name, entry in METRICS.items() if not entry.options]  # those of regression
every_metric = pytest.mark.parametrize("metric", PAIRS, ids=lambda metric: metric.__name__)
IDS = {
    "int": [3, 1, 2],
    "str": ["c", "a", "b"],
    "tuple": [("x", 3), ("x", 1), ("x", 2)],
    "mixed": ["a", 1, ("x", 2)],  # do not compare: sorted by the name of their type
}
RANKS = {"mixed": [1, 0, 2]}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def labels(rng):
    """Complete truth and predictions of three tasks with different errors."""
    Y = rng.normal([0.0, 5.0, -100.0], size=(20, 3))
    return Y, Y + rng.normal(size=Y.shape) * [0.1, 1.0, 3.0] + [0.0, 0.2, 1.0]


@pytest.fixture
def holes(rng, labels):
    """The same with labels missing, a different number in each task."""
    Y, Z = labels
    return np.where(rng.random(Y.shape) < [0.1, 0.4, 0.7], np.nan, Y), Z


def by_task(reference, Y, Z, S=None):
    """scikit-learn's metric on each column's observed labels."""
    values = []
    for t in range(Y.shape[1]):
        seen = ~np.isnan(Y[:, t])
        weight = None if S is None else S[seen, t]
        values.append(reference(Y[seen, t], Z[seen, t], sample_weight=weight))
    return np.array(values)


def as_long(Y, Z, ids):
    """Observed labels as long rows in an order unlike that of the columns."""
    row, column = np.nonzero(~np.isnan(Y))
    mix = np.random.default_rng(1).permutation(len(row))
    row, column = row[mix], column[mix]
    return Y[row, column], Z[row, column], [ids[t] for t in column]


@every_metric
@pytest.mark.parametrize("multioutput", ["uniform_average", "raw_values", [0.2, 0.5, 2.0]])
@pytest.mark.parametrize("weighted", [False, True])
def test_complete_labels_give_scikit_learns_value(metric, multioutput, weighted, labels, rng):
    weight = rng.random(20) if weighted else None
    ours = metric(*labels, sample_weight=weight, multioutput=multioutput)
    theirs = PAIRS[metric](*labels, sample_weight=weight, multioutput=multioutput)
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)  # sums in another order, offset 100


@every_metric
def test_one_task_gives_scikit_learns_value(metric, labels):
    y, z = labels[0][:, 0], labels[1][:, 0]
    np.testing.assert_allclose(metric(y, z), PAIRS[metric](y, z), rtol=1e-12)
    np.testing.assert_allclose(metric(y[:, None], z), PAIRS[metric](y, z), rtol=1e-12)


@every_metric
def test_missing_labels_equal_dropped_labels(metric, holes):
    raw = metric(*holes, multioutput="raw_values")
    expected = by_task(PAIRS[metric], *holes)
    np.testing.assert_allclose(raw, expected, rtol=1e-10)
    assert metric(*holes) == pytest.approx(expected.mean(), rel=1e-10)


@every_metric
def test_masked_labels_are_missing_labels(metric, holes):
    Y, Z = holes
    masked = np.ma.array(np.nan_to_num(Y, nan=1e6), mask=np.isnan(Y))
    assert metric(masked, Z) == metric(Y, Z)


@every_metric
def test_predictions_at_missing_labels_do_not_matter(metric, holes):
    Y, Z = holes
    assert metric(Y, np.where(np.isnan(Y), np.nan, Z)) == metric(Y, Z)


@every_metric
@pytest.mark.parametrize("kind", IDS)
def test_long_labels_equal_wide_labels(metric, kind, holes):
    y, z, task = as_long(*holes, IDS[kind])
    assert metric(y, z, task=task) == pytest.approx(metric(*holes), rel=1e-10)
    long = metric(y, z, task=task, multioutput="raw_values")
    wide = metric(*holes, multioutput="raw_values")
    np.testing.assert_allclose(long, wide[RANKS.get(kind, [1, 2, 0])], rtol=1e-10)


@every_metric
def test_weights_equal_repeated_rows(metric, holes, rng):
    Y, Z = holes
    weight = rng.integers(0, 4, len(Y))
    repeated = np.repeat(np.arange(len(Y)), weight)
    np.testing.assert_allclose(
        metric(Y, Z, sample_weight=weight, multioutput="raw_values"),
        metric(Y[repeated], Z[repeated], multioutput="raw_values"),
        rtol=1e-10,
    )


@every_metric
def test_weights_may_differ_between_tasks(metric, holes, rng):
    S = rng.random(holes[0].shape) + 0.1
    raw = metric(*holes, sample_weight=S, multioutput="raw_values")
    np.testing.assert_allclose(raw, by_task(PAIRS[metric], *holes, S), rtol=1e-10)


@every_metric
def test_weight_zero_equals_a_missing_label(metric, labels, rng):
    S = rng.integers(0, 2, labels[0].shape)
    missing = np.where(S > 0, labels[0], np.nan)
    assert metric(*labels, sample_weight=S) == metric(missing, labels[1])


@every_metric
def test_float32_and_arguments_are_left_alone(metric, holes):
    arrays = [a.astype(np.float32) for a in holes]
    for a in arrays:
        a.flags.writeable = False
    assert metric(*arrays) == pytest.approx(metric(*holes), rel=1e-2)  # float32 of labels near -100


@every_metric
def test_lists_frames_and_foreign_arrays_give_the_value_of_arrays(metric, holes):
    expected = metric(*holes)
    Y, Z = holes
    nullable = pd.DataFrame(Y).astype("Float64")
    assert nullable.isna().to_numpy().any()
    device = array_api_strict.Device("device1")
    foreign = [array_api_strict.asarray(a, device=device) for a in holes]
    for pair in [
        (Y.tolist(), Z.tolist()),
        ([[None if v != v else v for v in row] for row in Y], Z),
        (pd.DataFrame(Y), pd.DataFrame(Z)),
        (nullable, Z),
        (pl.DataFrame(Y, nan_to_null=True), Z),
        foreign,
    ]:
        assert metric(*pair) == expected


@pytest.mark.parametrize("wrap", [np.array, pd.Series, pl.Series, pd.Categorical])
def test_ids_may_come_in_any_container(wrap, holes):
    y, z, task = as_long(*holes, IDS["str"])
    metric = metrics.multitask_r2_score
    assert metric(y, z, task=wrap(task)) == metric(y, z, task=task)


@pytest.mark.parametrize("name", ["r2_score", "explained_variance_score"])
def test_constant_truth_scores_one_if_perfect_and_zero_otherwise(name):
    # the mean of three times 0.1 is not 0.1: rounding must not count as variance
    truth = np.full((3, 2), 0.1)
    prediction = truth + np.outer([0.0, 1.0, 2.0], [0, 1])
    raw = getattr(metrics, f"multitask_{name}")(truth, prediction, multioutput="raw_values")
    assert raw.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("name", ["r2_score", "explained_variance_score"])
def test_tasks_with_fewer_than_two_labels_are_skipped(name, labels):
    Y, Z = labels
    Y = Y.copy()
    Y[1:, 1] = np.nan
    metric = getattr(metrics, f"multitask_{name}")
    raw = metric(Y, Z, multioutput="raw_values")
    assert np.isnan(raw).tolist() == [False, True, False]
    assert metric(Y, Z) == pytest.approx((raw[0] + raw[2]) / 2)
    assert metric(Y, Z, multioutput=[3, 9, 1]) == pytest.approx((3 * raw[0] + raw[2]) / 4)
    one_of_two = np.where(np.arange(len(Y)) == 0, 1.0, 0.0)
    with pytest.warns(UndefinedMetricWarning):
        assert np.isnan(metric(Y, Z, sample_weight=one_of_two))


@pytest.mark.parametrize("name", ["mean_squared_error", "mean_absolute_error"])
def test_errors_count_single_labels_and_skip_tasks_without(name):
    Y = [[1.0, np.nan, 2.0], [3.0, np.nan, np.nan]]
    Z = [[1.0, 0.0, 3.0], [3.0, 0.0, 0.0]]
    metric = getattr(metrics, f"multitask_{name}")
    np.testing.assert_equal(metric(Y, Z, multioutput="raw_values"), [0.0, np.nan, 1.0])
    assert metric(Y, Z) == 0.5


@every_metric
def test_nothing_to_average_warns_and_is_nan(metric):
    Y, Z = np.full((3, 2), np.nan), np.zeros((3, 2))
    with pytest.warns(UndefinedMetricWarning, match="No task"):
        assert np.isnan(metric(Y, Z))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(metric(Y, Z, multioutput="raw_values")).all()
    with pytest.warns(UndefinedMetricWarning):
        assert np.isnan(metric(Z, Z, sample_weight=np.zeros(3)))


def test_relative_rmse_is_the_root_of_one_minus_r2(holes):
    r2 = metrics.multitask_r2_score(*holes, multioutput="raw_values")
    np.testing.assert_allclose(
        average_relative_rmse(*holes, multioutput="raw_values"), np.sqrt(1 - r2), rtol=1e-10
    )


def test_relative_rmse_is_one_for_the_training_means(holes):
    Y, means = holes[0], np.array([1.0, -2.0, 7.0])
    Z = np.broadcast_to(means, Y.shape)
    np.testing.assert_allclose(
        average_relative_rmse(Y, Z, y_train_mean=means, multioutput="raw_values"), 1.0
    )
    assert average_relative_rmse(Y, Z, y_train_mean=means * 2) < 1.0
    single = average_relative_rmse([[4.0, 4.0]], [[3.0, 4.0]], y_train_mean=2.0)
    assert single == pytest.approx(0.25)  # one label is enough: (1 / 2 + 0) / 2


def test_relative_rmse_of_labels_at_the_mean_is_zero_or_one():
    Y, Z = np.ones((3, 2)), np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 2.0]])
    assert average_relative_rmse(Y, Z, multioutput="raw_values").tolist() == [0.0, 1.0]


def test_delta_m_is_the_mean_relative_gain():
    assert delta_m([1.1, 1.8], [1.0, 2.0]) == pytest.approx(0.0)
    assert delta_m([0.9, 1.0], [1.0, 2.0], greater_is_better=False) == pytest.approx(0.3)
    assert delta_m([0.9, 3.0], [1.0, 2.0], greater_is_better=[False, True]) == pytest.approx(0.3)
    assert delta_m([-0.5], [-1.0]) == pytest.approx(0.5)  # a negative score that got better
    assert delta_m([2.0, np.nan], [1.0, 1.0]) == pytest.approx(1.0)
    with pytest.warns(UndefinedMetricWarning):
        assert np.isnan(delta_m([np.nan], [1.0]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"y_pred": np.zeros((4, 2))}, r"y_pred must have the shape of y_true, \(4, 3\)"),
        ({"y_pred": np.full((4, 3), np.nan)}, "y_pred must be finite .* nan in row 0, column 0"),
        ({"y_pred": np.full((4, 3), np.inf)}, "y_pred must be finite .* inf in row 0"),
        ({"y_true": np.full((4, 3), np.inf)}, "y_true contains infinity"),
        ({"y_true": np.zeros((4, 3, 1))}, "dim 3"),
        ({"y_true": np.empty((0, 3))}, "0 sample"),
        ({"y_true": [["a", "b", "c"]] * 4}, "could not convert string to float"),
        ({"sample_weight": [1, 1, 1, -1]}, "sample_weight must be finite and >= 0, got -1"),
        ({"sample_weight": [1, 1, 1, np.nan]}, "sample_weight must be finite and >= 0, got nan"),
        ({"sample_weight": [1, 1]}, r"sample_weight must be of shape \(4,\) or \(4, 3\)"),
        ({"multioutput": "mean"}, "multioutput must be one of .*'uniform_average'.* got 'mean'"),
        ({"multioutput": [1, 1]}, "multioutput must hold one finite weight >= 0 .* 3 tasks"),
        ({"multioutput": [1, 1, -1]}, "multioutput must hold one finite weight >= 0"),
        ({"task": [0, 0, 1, 1]}, "y_true must be 1-D where task ids are given, got 3 columns"),
    ],
)
@every_metric
def test_wrong_input_is_named(metric, options, message):
    given = {"y_true": np.zeros((4, 3)), "y_pred": np.zeros((4, 3))} | options
    with pytest.raises(ValueError, match=message):
        metric(**given)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ([0, 1], r"task must hold one task id a row, of shape \(3,\), got \(2,\)"),
        (np.zeros((3, 1)), r"got \(3, 1\)"),
        (["a", None, "b"], "task id in task is missing in row 1"),
        ([0.0, np.nan, 1.0], "task id in task is missing in row 1"),
    ],
)
def test_wrong_ids_are_named(task, message):
    with pytest.raises(ValueError, match=message):
        metrics.multitask_r2_score([1, 2, 3], [1, 2, 3], task=task)


def test_wrong_baselines_are_named():
    with pytest.raises(ValueError, match="baseline_scores is 0 for task 1"):
        delta_m([1.0, 1.0], [1.0, 0.0])
    with pytest.raises(ValueError, match=r"shape \(n_tasks,\).*\(2,\) and \(1,\)"):
        delta_m([1.0, 1.0], [1.0])
    with pytest.raises(ValueError, match="greater_is_better"):
        delta_m([1.0, 1.0], [1.0, 1.0], greater_is_better=[True])
    with pytest.raises(ValueError, match=r"y_train_mean .* shape \(2,\)"):
        average_relative_rmse(np.eye(2), np.eye(2), y_train_mean=[1.0, 2.0, 3.0])


class TaskMeans(RegressorMixin, BaseEstimator):
    """Long data: predicts the mean of each task's labels, shrunk by 1 - shrink."""

    def __init__(self, task_column=None, shrink=0.0):
        self.task_column = task_column
        self.shrink = shrink

    def ids(self, X):
        table = np.asarray(X, dtype=object)
        names = list(getattr(X, "columns", range(table.shape[1])))
        return table[:, names.index(self.task_column)]

    def fit(self, X, y):
        ids, y = self.ids(X), np.asarray(y)
        self.means_ = {t: y[ids == t].mean() for t in set(ids)}
        return self

    def predict(self, X):
        return (1 - self.shrink) * np.array([self.means_[t] for t in self.ids(X)])


@pytest.fixture
def long_data(rng):
    """Two tasks far apart: the task means have R2 zero in each task, and near one over all rows."""
    task = np.tile(["b", "a", "b"], 20)
    y = np.where(task == "a", 100.0, 0.0) + rng.normal(size=60)
    return pd.DataFrame({"x": rng.normal(size=60), "site": task}), y


@pytest.mark.parametrize("name", NAMES)
def test_scorer_gives_scikit_learns_value_on_complete_labels(name, labels):
    X = labels[1]
    model = Ridge().fit(X, labels[0])
    ours = make_multitask_scorer(name)(model, X, labels[0])
    assert ours == pytest.approx(get_scorer(name)(model, X, labels[0]), rel=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_scorer_prefers_perfect_predictions(name, labels):
    scorer = make_multitask_scorer(name)
    model = Ridge(alpha=0).fit(labels[0], labels[0])
    assert scorer(model, labels[0], labels[0]) > scorer(model, labels[1], labels[0])


def test_scorer_masks_labels_in_cross_validation(holes):
    Y, X = holes
    model = Ridge().fit(X, X)

    class Fitted(BaseEstimator):
        def fit(self, X, Y):
            return self

        def predict(self, X):
            return model.predict(X)

    scores = cross_val_score(Fitted(), X, Y, scoring=make_multitask_scorer("r2"), cv=KFold(2))
    for score, (_, test) in zip(scores, KFold(2).split(X), strict=True):
        assert score == metrics.multitask_r2_score(Y[test], model.predict(X[test]))


def test_scorer_reads_task_ids_of_long_data(long_data):
    X, y = long_data
    model = TaskMeans("site").fit(X, y)
    score = make_multitask_scorer("r2")(model, X, y)
    assert score == metrics.multitask_r2_score(y, model.predict(X), task=X["site"])
    assert score == pytest.approx(0.0, abs=1e-12)  # by task the means explain nothing
    assert model.score(X, y) > 0.99


def pipeline():
    """Ids pass untouched, beside a scaled feature, and stand in column 1 afterwards."""
    columns = ColumnTransformer(
        [("scale", StandardScaler(), ["x"]), ("id", "passthrough", ["site"])]
    )
    return make_pipeline(columns, TaskMeans(1))


def test_scorer_finds_the_ids_in_pipelines_and_searches(long_data):
    X, y = long_data
    scorer = make_multitask_scorer("neg_mean_squared_error")
    expected = scorer(TaskMeans("site").fit(X, y), X, y)
    grid = {"taskmeans__shrink": [0.5, 0.0]}
    search = GridSearchCV(pipeline(), grid, scoring=scorer, error_score="raise").fit(X, y)
    assert search.best_params_ == {"taskmeans__shrink": 0.0}
    models = {
        "pipeline": pipeline().fit(X, y),
        "one step": make_pipeline(TaskMeans("site")).fit(X, y),
        "search": search,
        "search in a pipeline": make_pipeline("passthrough", search).fit(X, y),
    }
    for name, model in models.items():
        assert scorer(model, X, y) == pytest.approx(expected, rel=1e-12), name


def test_scorer_serves_permutation_importance(long_data):
    X, y = long_data
    model = TaskMeans("site").fit(X, y)
    scorer = make_multitask_scorer("neg_mean_squared_error")
    importance = permutation_importance(model, X, y, scoring=scorer, random_state=0)
    assert importance.importances_mean[0] == 0.0
    assert importance.importances_mean[1] > 1.0


def test_scorer_is_plain_data():
    for scorer in (
        make_multitask_scorer("r2"),
        make_multitask_scorer(metrics.multitask_mean_squared_error, greater_is_better=False),
    ):
        for copy in (pickle.loads(pickle.dumps(scorer)), clone(scorer)):
            assert repr(copy) == repr(scorer)
            assert copy.get_params() == scorer.get_params()
    assert repr(make_multitask_scorer("r2")) == "make_multitask_scorer('r2')"
    assert repr(scorer) == (
        "make_multitask_scorer(multitask_mean_squared_error, greater_is_better=False)"
    )


def test_scorer_of_a_callable_has_the_sign_it_is_told(holes):
    Y, X = holes
    model = Ridge().fit(X, X)
    error = metrics.multitask_mean_squared_error
    named = make_multitask_scorer("neg_mean_squared_error")(model, X, Y)
    assert make_multitask_scorer(error, greater_is_better=False)(model, X, Y) == named
    assert make_multitask_scorer(error)(model, X, Y) == -named


def test_scorer_passes_weights_on(labels, rng):
    Y, X = labels
    model, weight = Ridge().fit(X, Y), rng.random(20)
    score = make_multitask_scorer("r2")(model, X, Y, sample_weight=weight)
    assert score == metrics.multitask_r2_score(Y, model.predict(X), sample_weight=weight)


def test_weights_can_be_routed_to_the_scorer(labels, rng):
    Y, X = labels
    weight = rng.random(20)
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_multitask_scorer("r2").set_score_request(sample_weight=True)
        model = Ridge().set_fit_request(sample_weight=True)
        options = {"cv": KFold(2), "params": {"sample_weight": weight}}
        ours = cross_validate(model, X, Y, scoring=scorer, **options)
        theirs = get_scorer("r2").set_score_request(sample_weight=True)
        theirs = cross_validate(model, X, Y, scoring=theirs, **options)
    np.testing.assert_allclose(ours["test_score"], theirs["test_score"], rtol=1e-10)


def test_wrong_metrics_are_named():
    names = ", ".join(f"'{name}'" for name in sorted(METRICS))
    with pytest.raises(ValueError, match=rf"metric must be one of \[{names}\], got 'rmse'"):
        make_multitask_scorer("rmse")
    with pytest.raises(TypeError, match="metric must be a name or a callable, got 3"):
        make_multitask_scorer(3)
    with pytest.raises(ValueError, match="greater_is_better=False is for a callable"):
        make_multitask_scorer("r2", greater_is_better=False)
