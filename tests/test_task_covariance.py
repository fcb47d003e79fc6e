"""TaskCovarianceDisplay: the map shows the correlations, in an order that joins like tasks."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmtl.inspection import TaskCovarianceDisplay
from skmtl.linear_model import MultiTaskBayesianRidge, MultiTaskRidge

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

BLOCKS = np.kron(np.eye(2), np.full((3, 3), 0.8)) + 0.2 * np.eye(6)
MIXED = [0, 3, 1, 4, 2, 5]  # tasks of the two blocks in turn


@pytest.fixture
def display():
    correlation = BLOCKS[np.ix_(MIXED, MIXED)]
    return TaskCovarianceDisplay(correlation=correlation, tasks=list("abcdef"))


def model_of(n_tasks, **params):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    Y = X @ rng.normal(size=(3, n_tasks)) + rng.normal(size=(40, n_tasks))
    return MultiTaskBayesianRidge(**params).fit(
        X, pd.DataFrame(Y, columns=[f"t{k}" for k in range(n_tasks)])
    )


def test_tasks_of_a_block_stand_side_by_side(display):
    first = [MIXED[t] < 3 for t in display.plot().order_]
    assert first in ([True] * 3 + [False] * 3, [False] * 3 + [True] * 3)


def test_the_map_holds_the_ordered_correlations_and_names(display):
    display.plot()
    order = display.order_
    expected = BLOCKS[np.ix_(MIXED, MIXED)][np.ix_(order, order)]
    np.testing.assert_allclose(display.image_.get_array(), expected)
    names = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert names == [display.tasks[t] for t in order]
    assert names == [label.get_text() for label in display.ax_.get_xticklabels()]
    assert display.image_.get_clim() == (-1, 1)


def test_the_dendrogram_joins_at_one_minus_the_mean_correlation_above_its_columns(display):
    lines = display.plot().dendrogram_ax_.get_lines()
    heights = [line.get_ydata().max() for line in lines]
    np.testing.assert_allclose(sorted(heights), [0.2] * 4 + [1.0], atol=1e-12)
    feet = {x for line in lines for x, y in zip(*line.get_data(), strict=True) if y == 0}
    assert feet == set(range(6))
    assert display.dendrogram_ax_.get_xlim() == display.ax_.get_xlim()
    assert display.plot(dendrogram=False).dendrogram_ax_ is None


@pytest.mark.parametrize("n_tasks", [1, 2, 12, 13, 61])
def test_any_number_of_tasks_is_drawn(n_tasks):
    model = model_of(n_tasks)
    display = TaskCovarianceDisplay.from_estimator(model)
    order = display.order_
    shown = model.task_correlation_[np.ix_(order, order)]
    np.testing.assert_allclose(display.image_.get_array(), shown, atol=1e-12)
    assert len(display.ax_.texts) == (n_tasks**2 if n_tasks <= 12 else 0)
    assert (len(display.ax_.get_yticks()) == n_tasks) == (n_tasks <= 60)
    display.figure_.canvas.draw()


def test_the_noise_of_the_last_step_of_a_pipeline_is_drawn():
    rng = np.random.default_rng(1)
    X, Y = rng.normal(size=(30, 3)), rng.normal(size=(30, 2))
    pipeline = make_pipeline(StandardScaler(), MultiTaskBayesianRidge()).fit(X, Y)
    ax = matplotlib.pyplot.figure().subplots()
    display = TaskCovarianceDisplay.from_estimator(pipeline, matrix="noise", ax=ax)
    R = pipeline[-1].noise_covariance_
    expected = R[0, 1] / np.sqrt(R[0, 0] * R[1, 1])
    assert display.image_.get_array()[0, 1] == pytest.approx(expected)
    assert display.ax_ is ax
    assert any("noise" in axes.get_ylabel() for axes in display.figure_.axes)


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(NotFittedError):
        TaskCovarianceDisplay.from_estimator(MultiTaskBayesianRidge())
    X = np.arange(8.0).reshape(4, 2) ** 2
    with pytest.raises(TypeError, match=r"task_covariance_.*MultiTaskRidge"):
        TaskCovarianceDisplay.from_estimator(MultiTaskRidge().fit(X, X))
    with pytest.raises(ValueError, match="matrix must be one of"):
        TaskCovarianceDisplay.from_estimator(model_of(2), matrix="both")
    with pytest.raises(TypeError, match="dendrogram"):
        TaskCovarianceDisplay.from_estimator(model_of(2), dendrogram="yes")
