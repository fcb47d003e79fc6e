"""MultiTaskMixin, tried on the least estimator that uses it: the weighted mean of each task."""

import numpy as np
import pandas as pd
import pytest
from _samplers import as_long, frequencies, wide, with_holes
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import NotFittedError, UndefinedMetricWarning
from sklearn.metrics import r2_score
from sklearn.utils import get_tags

from skmtl import MultiTaskRidge, _backend
from skmtl.base import MultiTaskMixin


class TaskMeans(MultiTaskMixin, RegressorMixin, BaseEstimator):
    """Mean of each task's labels, and the mean of those for a task without."""

    def __init__(self, task_column=None, unknown_task="error", task_weight=None, device="auto"):
        self.task_column = task_column
        self.unknown_task = unknown_task
        self.task_weight = task_weight
        self.device = device

    def fit(self, X, y, sample_weight=None):
        self.fit_input = self._validate_fit(X, y, sample_weight)
        data = self.fit_input.data
        sums = np.bincount(data.labels.task, data.labels.s * data.labels.y)
        means = np.append(sums / data.weight_sums, (sums / data.weight_sums).mean())
        source = np.full(len(self.fit_input.tasks) + 1, -1)
        source[self.fit_input.labelled] = np.arange(data.n_tasks)
        self._record_input(X, self.fit_input)
        self.means_ = means[source]
        return self

    def predict(self, X):
        X, codes = self._validate_predict(X)
        if codes is not None:
            return self.means_[codes]
        Z = np.tile(self.means_[:-1], (X.shape[0], 1))
        return Z[:, 0] if self._y_ndim == 1 else Z


@pytest.fixture
def data():
    return wide(n=12)


# what fit gets


def test_fit_gets_every_observed_label_with_its_weight(data):
    X, Y = data
    Y = with_holes(Y)
    weight = np.linspace(1, 2, len(X))
    labels = TaskMeans().fit(X, Y, weight).fit_input.data.labels
    np.testing.assert_array_equal(labels.y, Y[labels.row, labels.task])
    np.testing.assert_array_equal(labels.s, weight[labels.row])
    assert len(labels.y) == (~np.isnan(Y)).sum()


@pytest.mark.parametrize("kind", [list, tuple, np.asarray, pd.DataFrame, np.asfortranarray])
def test_wide_labels_come_in_any_table(data, kind):
    X, Y = data
    np.testing.assert_allclose(TaskMeans().fit(kind(X), kind(Y)).means_[:3], Y.mean(axis=0))


def test_weights_of_rows_or_of_cells_count_as_frequencies(data):
    X, Y = data
    weight = frequencies(len(X))
    rows = np.repeat(np.arange(len(X)), weight)
    expected = Y[rows].mean(axis=0)
    cells = np.repeat(weight[:, None], Y.shape[1], axis=1)
    for s in (weight, cells, weight.tolist(), pd.Series(weight), weight.astype(np.float32)):
        np.testing.assert_allclose(TaskMeans().fit(X, Y, s).means_[:3], expected)
    np.testing.assert_allclose(TaskMeans().fit(X, Y, 2.0).means_[:3], Y.mean(axis=0))


def test_tasks_are_named_by_columns_or_by_sorted_ids(data):
    X, Y = data
    table, y = as_long(X, Y)
    assert TaskMeans().fit(X, Y).tasks_ == [0, 1, 2]
    assert TaskMeans().fit(X, Y[:, 0]).tasks_ == [0]
    assert TaskMeans().fit(X, pd.DataFrame(Y, columns=list("cab"))).tasks_ == list("cab")
    model = TaskMeans(-1).fit(table, y)
    assert model.tasks_ == [0.0, 1.0, 2.0]
    assert model.n_tasks_ == 3
    np.testing.assert_allclose(model.means_[:3], Y.mean(axis=0))


# task weights


def test_task_weights_are_normalised_to_mean_one(data):
    X, Y = data
    omega = TaskMeans(task_weight=[1, 2, 6]).fit(X, Y).fit_input.omega
    np.testing.assert_allclose(omega, np.array([1, 2, 6]) / 3)
    np.testing.assert_array_equal(TaskMeans().fit(X, Y).fit_input.omega, 1)


def test_balanced_weights_give_every_task_the_same_total(data):
    X, Y = data
    Y = with_holes(Y)
    weight = np.linspace(1, 2, len(X))
    fit_input = TaskMeans(task_weight="balanced").fit(X, Y, weight).fit_input
    totals = fit_input.omega * fit_input.data.weight_sums
    np.testing.assert_allclose(totals, totals[0])
    assert fit_input.omega.mean() == pytest.approx(1)


def test_task_weight_zero_leaves_the_task_out(data):
    X, Y = data
    table, y = as_long(X, Y)
    for model, arguments in (
        (TaskMeans(task_weight=[1, 0, 3]), (X, Y)),
        (
            TaskMeans(-1, task_weight=[1, 0, 3]),
            (table, y),
        ),
    ):
        with pytest.warns(UserWarning, match="task 1"):
            fit_input = model.fit(*arguments).fit_input
        assert fit_input.labelled.tolist() == [0, 2]
        np.testing.assert_allclose(fit_input.omega, [0.5, 1.5])
        assert model.means_[1] == pytest.approx((Y[:, [0, 2]].mean(axis=0)).mean())


def test_one_warning_names_the_first_task_without_labels(data):
    X, Y = data
    Y[:, 1:] = np.nan
    with pytest.warns(UserWarning, match=r"task 1 \(and 1 more\) has no label") as caught:
        TaskMeans().fit(X, Y)
    assert len(caught) == 1


# places


def test_features_lie_where_the_fit_is_computed(data, fake_gpu):
    X, Y = data
    there = TaskMeans().fit(X, Y).fit_input
    assert _backend.place_of(there.data.X) == fake_gpu
    assert there.origin == _backend.NUMPY
    back = there.to_input_namespace(there.data.X)
    np.testing.assert_array_equal(back, X)
    assert TaskMeans(device="cpu").fit(X, Y).fit_input.data.X is X
    single = TaskMeans().fit(X.astype(np.float32), Y).fit_input
    assert single.to_input_namespace(single.data.X).dtype == np.float32


def test_numpy_features_are_neither_copied_nor_converted(data):
    X, Y = data
    assert TaskMeans().fit(X, Y).fit_input.data.X is X
    X32 = X.astype(np.float32)
    assert TaskMeans().fit(X32, Y).fit_input.data.X is X32


@pytest.mark.parametrize("dtype", ["int64", "bool", "float16", "longdouble", "object"])
def test_other_numbers_become_double(data, dtype):
    X, Y = data
    fit_input = TaskMeans().fit(np.rint(X).astype(dtype), Y).fit_input
    assert fit_input.data.X.dtype == np.float64
    assert fit_input.dtype == "float64"


# scores


def test_the_score_is_the_mean_over_tasks_of_r2_on_observed_labels(data):
    X, Y = data
    holes = with_holes(Y)
    model = TaskMeans().fit(X, Y)
    seen = ~np.isnan(holes)
    prediction = model.predict(X)
    scores = [r2_score(holes[s, t], prediction[s, t]) for t, s in enumerate(seen.T)]
    assert model.score(X, holes) == pytest.approx(np.mean(scores))
    assert isinstance(model.score(X, Y), float)


def test_long_data_score_as_wide_data(data):
    X, Y = data
    Y = with_holes(Y)
    table, y = as_long(X, Y)
    assert TaskMeans(-1).fit(table, y).score(table, y) == pytest.approx(
        TaskMeans().fit(X, Y).score(X, Y)
    )


def test_tasks_with_fewer_than_two_labels_are_left_out_of_the_score(data):
    X, Y = data
    model = TaskMeans().fit(X, Y)
    few = Y.copy()
    few[1:, 0] = np.nan
    few[:, 1] = np.nan
    assert model.score(X, few) == pytest.approx(r2_score(Y[:, 2], model.predict(X)[:, 2]))
    with pytest.warns(UndefinedMetricWarning):
        assert np.isnan(model.score(X[:1], Y[:1]))


def test_weights_of_a_score_are_frequencies(data):
    X, Y = data
    holes, weight = with_holes(Y), frequencies(len(X))
    rows = np.repeat(np.arange(len(X)), weight)
    model = TaskMeans().fit(X, Y)
    assert model.score(X, holes, weight) == pytest.approx(model.score(X[rows], holes[rows]))


# scikit-learn's view


def test_tags_say_single_and_multi_output():
    tags = get_tags(TaskMeans())
    assert tags.target_tags.single_output
    assert tags.target_tags.multi_output
    assert tags.target_tags.required
    assert tags.estimator_type == "regressor"


def test_what_is_not_fitted_says_so(data):
    for model in (TaskMeans(), TaskMeans("site")):
        with pytest.raises(NotFittedError):
            model.predict(data[0])
        with pytest.raises(NotFittedError):
            model.score(*data)


def test_features_are_counted_with_the_task_column(data):
    table, y = as_long(*data)
    model = TaskMeans(-1).fit(table, y)
    assert model.n_features_in_ == table.shape[1]
    with pytest.raises(ValueError, match="5 features"):
        model.predict(table[:, 1:])


def test_predictions_of_long_rows_are_those_of_their_tasks(data):
    table, y = as_long(*data)
    model = TaskMeans(-1, unknown_task="shared").fit(table, y)
    queries = table[:4].copy()
    queries[:, -1] = [2, 0, 9, 2]
    expected = model.means_[[2, 0, 3, 2]]
    np.testing.assert_array_equal(model.predict(queries), expected)
    np.testing.assert_array_equal(model.predict(queries.tolist()), expected)


def test_masked_labels_are_missing_labels():
    X, Y = np.random.default_rng(0).normal(size=(2, 12, 2))
    hidden = np.ma.masked_array(np.where(Y > 1, 1e6, Y), mask=Y > 1)
    model, same = MultiTaskRidge().fit(X, hidden), MultiTaskRidge().fit(X, hidden.filled(np.nan))
    np.testing.assert_array_equal(model.coef_, same.coef_)
