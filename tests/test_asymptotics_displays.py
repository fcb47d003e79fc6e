import numpy as np
import pytest

from skmtl.asymptotics import (
    AsymptoticProblem,
    equivalent_single_task,
    optimal_penalty,
    penalty_matrix,
    predict_risk,
    ridgeless_risk,
    task_gram,
)
from skmtl.inspection import DoubleDescentDisplay, PenaltyMapDisplay, SharingRiskDisplay

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402


@pytest.fixture(autouse=True)
def close_figures():
    yield
    pyplot.close("all")


def problem(n_tasks=2, ratio=0.25, *, similarity=0.8, **options):
    noise = {} if options.get("teacher") else {"noise_var": 0.3}
    return AsymptoticProblem(
        ratio,
        task_gram(n_tasks, similarity),
        penalty_matrix=penalty_matrix(n_tasks, alpha_shared=0.1, alpha_specific=0.5),
        **(noise | options),
    )


# double descent


def test_lines_are_the_predictions_of_learners_that_see_a_part():
    whole, grid = problem(), [0.5, 1.0, 3.0]
    display = DoubleDescentDisplay.from_problem(whole, grid, training=True)
    risks = [predict_risk(whole.with_features(0.25 * ratio)) for ratio in grid]
    test, train = display.lines_
    assert test.get_xdata().tolist() == grid
    np.testing.assert_allclose(test.get_ydata(), [r.generalization_error[0] for r in risks])
    np.testing.assert_allclose(train.get_ydata(), [r.training_error[0] for r in risks])
    assert train.get_linestyle() == "--" and display.bars_ == []


def test_dots_are_simulated_with_bars_of_two_standard_errors():
    display = DoubleDescentDisplay.from_problem(
        problem(), simulate=True, n_rows=20, n_dots=3, n_repeats=4
    )
    (bar,) = display.bars_
    x, mean, sem = display.lines[0].dots
    assert len(x) == 3 and x.max() == pytest.approx(4)
    np.testing.assert_allclose(20 * x, np.round(20 * x))  # whole numbers of features
    np.testing.assert_allclose(bar[0].get_ydata(), mean)
    low, high = bar[2][0].get_segments()[0][:, 1]
    assert high - low == pytest.approx(4 * sem[0])


def test_thresholds_are_marked_once_for_a_task_and_for_each_pool():
    problems = {"1": problem(1, 0.1), "2": problem(2, 0.1), "50": problem(50, 0.1)}
    display = DoubleDescentDisplay.from_problem(problems, [0.5, 9.0], limit="shared")
    marks = [line.get_xdata()[0] for line in display.ax_.lines if line not in display.lines_]
    assert sorted(marks) == [1.0, 2.0]  # p = 50 n lies outside
    assert [line.get_label() for line in display.lines_] == ["1", "2", "50"]


def test_a_ridgeless_grid_keeps_off_its_thresholds():
    display = DoubleDescentDisplay.from_problem(problem(2, 0.2), limit="joint")
    x, y = display.lines_[0].get_data()
    assert x[-1] == pytest.approx(5) and np.abs(x - 1).min() >= 0.01
    whole = problem(2, 0.2).with_features(min(1.0, 0.2 * x[3]))
    assert y[3] == pytest.approx(ridgeless_risk(whole).generalization_error[0])


def test_the_axis_says_which_error_it_is():
    signs = problem(teacher="sign", loss="hinge")
    assert "misclass" in DoubleDescentDisplay.from_problem(signs, [1.0]).ax_.get_ylabel()
    assert "squared" in DoubleDescentDisplay.from_problem(problem(), [1.0]).ax_.get_ylabel()


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({"p_over_n": [5.0]}, ValueError, r"p_over_n must hold ratios in \(0, 4\]"),
        ({"limit": "own"}, ValueError, "limit must be one of"),
        ({"simulate": 1}, TypeError, "simulate must be True or False"),
        ({"simulate": True, "n_rows": 0}, ValueError, "n_rows must be at least 1"),
    ],
)
def test_a_figure_that_cannot_be_drawn_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        DoubleDescentDisplay.from_problem(problem(), **arguments)


# sharing


def test_negative_transfer_shows_against_the_single_task():
    similarities = np.array([-0.2, 0.0, 0.5, 0.95])
    problems = [problem(5, 0.5, similarity=s) for s in similarities]
    display = SharingRiskDisplay.from_similarity(problems)
    lines = {line.get_label(): line.get_ydata() for line in display.lines_}
    np.testing.assert_allclose(display.lines_[0].get_xdata(), similarities, atol=1e-12)
    assert (lines["sharing"] > lines["single task"]).tolist() == [True, True, False, False]
    assert np.ptp(lines["single task"]) == pytest.approx(0, abs=1e-12)
    for label in ("sharing", "single task", "pooled"):
        assert (lines["sharing, best penalty"] <= lines[label] + 1e-9).all()


def test_a_single_task_has_no_similarity():
    with pytest.raises(ValueError, match="problems must have two tasks or more"):
        SharingRiskDisplay.from_similarity([problem(1)])


def test_the_best_penalty_is_left_out_where_it_is_infinite():
    problems = [problem(3, similarity=s) for s in (0.5, 1.0)]
    line = SharingRiskDisplay.from_similarity(problems).lines_[1]
    assert np.isnan(line.get_ydata()).tolist() == [False, True]


def test_baselines_without_a_closed_form_are_searched():
    signs = [problem(3, 1.0, similarity=s, teacher="sign", loss="log_loss") for s in (0.3, 1.0)]
    display = SharingRiskDisplay.from_similarity(signs)
    lines = {line.get_label(): line.get_ydata() for line in display.lines_}
    assert set(lines) == {"sharing", "single task", "pooled"}
    assert lines["pooled"][1] < lines["single task"][1]
    worse = penalty_matrix(3, np.inf, 1e-3), penalty_matrix(3, np.inf, 10.0)
    for matrix in worse:
        other = AsymptoticProblem(
            1.0, signs[0].gram, teacher="sign", loss="log_loss", penalty_matrix=matrix
        )
        assert predict_risk(other).generalization_error.mean() > lines["single task"][0]


def test_errors_fall_with_the_number_of_tasks_and_dots_lie_beside_the_line():
    problems = [problem(T, 0.5) for T in (1, 2, 5)]
    display = SharingRiskDisplay.from_n_tasks(problems, simulate=True, n_features=60, n_repeats=6)
    line = display.lines_[0]
    assert list(line.get_xdata()) == [1, 2, 5]
    assert (np.diff(line.get_ydata()) < 0).all()
    x, mean, _ = display.lines[0].dots
    np.testing.assert_allclose(mean, line.get_ydata(), rtol=0.25)  # 60 features, 6 data sets
    assert len(x) == 3


def test_the_effective_ridge_grows_above_that_of_the_task_alone():
    problems = [problem(T, 1.0) for T in (1, 2, 5)]
    display = SharingRiskDisplay.from_effective_ridge(problems)
    ridge, alone, weight = (np.asarray(line.get_ydata()) for line in display.lines_)
    assert ridge[0] == pytest.approx(alone[0]) and weight[0] == 0
    assert (np.diff(ridge) > 0).all() and (np.diff(weight) > 0).all()
    assert ridge[2] == equivalent_single_task(problems[2], 0).effective_ridge


# penalties


def test_the_best_of_the_map_is_next_to_the_closed_form():
    display = PenaltyMapDisplay.from_problem(problem(4, 0.5))
    best = optimal_penalty(problem(4, 0.5))
    assert display.optimum == (best.alpha_shared, best.alpha_specific)
    step = 10 ** (4 / 24)  # of the default grid
    for found, exact in zip(display.best_, display.optimum, strict=True):
        assert 1 / step < found / exact < step
    assert (
        display.mesh_.get_array().min()
        >= predict_risk(
            AsymptoticProblem(
                0.5, task_gram(4, 0.8), noise_var=0.3, penalty_matrix=best.penalty_matrix
            )
        ).generalization_error[0]
    )


def test_a_map_without_closed_form_shows_the_least_of_the_grid_alone():
    signs = problem(2, 1.0, teacher="sign", loss="hinge")
    display = PenaltyMapDisplay.from_problem(signs, [0.1, 1.0], [0.1, 1.0, 10.0])
    assert display.optimum is None and display.mesh_.get_array().shape == (2, 3)
    with pytest.raises(ValueError, match="alphas_shared must be in"):
        PenaltyMapDisplay.from_problem(signs, [0.0], [1.0])
