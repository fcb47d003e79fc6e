import sys

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skmtl import MultiTaskRidge, MultiTaskRidgeCV
from skmtl.inspection import ComparisonCurveDisplay, ComparisonDisplay, SharedSpecificDisplay
from skmtl.model_selection import Comparison, ComparisonCurve

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


@pytest.fixture
def comparison():
    scores = {
        "worse": np.tile([0.50, 0.52, 0.48], 4),
        "tie": np.tile([0.72, 0.68, 0.80], 4),
        "better": np.tile([0.90, 0.91, 0.90], 4),
        "mine": np.tile([0.71, 0.70, 0.75], 4),
    }
    return Comparison(
        scores=scores,
        fit_seconds=dict.fromkeys(scores, 0.01),
        task_scores={name: np.array([0.5, 0.6]) for name in scores},
        tasks=["a", "b"],
        n_labels=np.array([10, 20]),
        reference="mine",
        simple=["worse", "tie"],
        scoring="explained variance",
        test_train_ratio=1 / 3,
    )


def test_dots_are_paired_differences_and_bars_their_intervals(comparison):
    display = comparison.plot()
    expected = comparison.scores["tie"] - comparison.scores["mine"]
    dot, _, (bar,) = display.bars_[1]
    assert dot.get_xdata()[0] == pytest.approx(expected.mean())
    left, right = bar.get_segments()[0][:, 0]
    se = expected.std(ddof=1) * np.sqrt(1 / 12 + 1 / 3)
    assert right - left == pytest.approx(2 * stats.t.ppf(0.975, 11) * se)
    assert left == pytest.approx(expected.mean() - stats.t.ppf(0.975, 11) * se)


def test_a_dot_is_hollow_if_and_only_if_no_difference_is_shown(comparison):
    faces = [bar[0].get_markerfacecolor() for bar in comparison.plot().bars_]
    assert [face == "white" for face in faces] == [False, True, False]
    assert faces[0] != faces[2]


def test_each_model_has_a_label_with_its_mean_and_the_reference_comes_last(comparison):
    axes = comparison.plot().ax_
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["worse  (0.5000)", "tie  (0.7333)", "better  (0.9033)", "mine  (0.7200)"]
    assert axes.get_yticks()[-1] == min(axes.get_yticks())
    assert "explained variance" in axes.get_xlabel()
    assert "mine" in axes.get_xlabel()


def test_the_axis_says_what_bars_and_hollow_dots_mean(comparison):
    label = comparison.plot().ax_.get_xlabel()
    assert "bar: 95 % interval of one difference" in label
    assert "hollow dot: none shown" in label


# learning curves


@pytest.fixture
def curve(comparison):
    """Two sizes; at the second all models are better by as much, and "worse" is no longer worse."""
    more = {name: scores + 0.05 for name, scores in comparison.scores.items()}
    more["worse"] = more["mine"] + np.tile([-0.01, 0.0, 0.01], 4)
    second = Comparison(**vars(comparison) | {"scores": more})
    return ComparisonCurve([4, 16], [comparison, second])


def test_lines_are_mean_scores_and_bands_two_standard_errors(curve):
    display = ComparisonDisplay.from_curve(curve)
    assert isinstance(display, ComparisonCurveDisplay)
    for k, name in enumerate(["worse", "tie", "better", "mine"]):
        scores = np.array([comparison.scores[name] for comparison in curve.comparisons])
        line = display.lines_[k]
        assert line.get_label() == name
        np.testing.assert_array_equal(line.get_xdata(), [4, 16])
        np.testing.assert_allclose(line.get_ydata(), scores.mean(axis=1))
        edges = display.bands_[k].get_paths()[0].vertices
        heights = [np.ptp(edges[edges[:, 0] == size, 1]) for size in (4, 16)]
        np.testing.assert_allclose(
            heights, 4 * scores.std(axis=1, ddof=1) * np.sqrt(1 / 12 + 1 / 3)
        )


def test_dots_are_hollow_where_a_model_does_not_differ_from_the_reference(curve):
    hollow = [dots.get_xdata().tolist() for dots in curve.plot().hollow_]
    assert hollow == [[16], [4, 16], [], []]


def test_the_ticks_are_the_sizes_and_the_legend_names_the_models(curve):
    axes = curve.plot().ax_
    assert axes.get_xscale() == "log"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["4", "16"]
    assert len(axes.get_xticks(minor=True)) == 0
    assert axes.get_ylabel() == "explained variance"
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["worse", "tie", "better", "mine"]
    assert "mine" in axes.get_legend().get_title().get_text()


def test_the_legend_says_what_bands_and_hollow_dots_mean(comparison, curve):
    title = curve.plot().ax_.get_legend().get_title().get_text()
    assert title.startswith("band: ±2 s.e. of the mean\nhollow: no difference to\nmine shown")
    scores = {name: comparison.scores[name] for name in ("worse", "mine")}  # no dot is hollow
    parts = {"scores": scores, "simple": ["worse"]}
    alone = ComparisonCurve([4], [Comparison(**vars(comparison) | parts)])
    assert alone.plot().ax_.get_legend().get_title().get_text() == "band: ±2 s.e. of the mean"


def test_many_models_still_look_different(comparison):
    scores = {f"m{k}": np.array([0.1, 0.2, 0.3]) + k for k in range(20)}
    scores["mine"] = np.array([0.1, 0.2, 0.4])
    parts = {"scores": scores, "simple": [], "fit_seconds": dict.fromkeys(scores, 0.1)}
    lines = ComparisonCurve([5], [Comparison(**vars(comparison) | parts)]).plot().lines_
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 21


# shared and specific coefficients


def wide_model(n_tasks=3, p=4, seed=0, **parameters):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(40, p))
    Y = X @ (rng.normal(size=(p, 1)) + 0.3 * rng.normal(size=(p, n_tasks)))
    return MultiTaskRidge(**parameters).fit(X, Y + rng.normal(size=Y.shape))


@pytest.fixture
def long_frame():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(40, 2)), columns=["a", "b"])
    frame.insert(1, "site", np.repeat(["n", "s", "e", "w"], 10))
    return frame, frame["a"] + 3 * frame["b"] + rng.normal(size=40)


@pytest.mark.parametrize("n_tasks", [1, 2, 10, 11, 200])
def test_bars_are_shared_and_dots_the_tasks_coefficients(n_tasks):
    model = wide_model(n_tasks)
    display = SharedSpecificDisplay.from_estimator(model)
    bars = [bar.get_width() for bar in display.bars_]
    np.testing.assert_allclose(bars, model.shared_coef_[display.order_])
    assert len(display.dots_) == n_tasks
    for dots, coef in zip(display.dots_, model.coef_, strict=True):
        np.testing.assert_allclose(dots.get_xdata(), coef[display.order_])


@pytest.mark.parametrize("n_tasks", [1, 2, 200])
def test_each_dot_lies_on_its_own_height_within_its_bar(n_tasks):
    display = SharedSpecificDisplay.from_estimator(wide_model(n_tasks))
    heights = np.array([dots.get_ydata() for dots in display.dots_])
    for row, bar in enumerate(display.bars_):
        assert len(set(heights[:, row])) == n_tasks
        assert bar.get_y() < heights[:, row].min() <= heights[:, row].max()
        assert heights[:, row].max() < bar.get_y() + bar.get_height()


def test_the_features_with_the_largest_coefficients_come_first_and_others_are_counted():
    model = wide_model(p=7, alpha_shared=np.inf)  # nothing shared: the tasks' coefficients decide
    display = SharedSpecificDisplay.from_estimator(model, max_features=3)
    size = (model.coef_**2).mean(axis=0)
    np.testing.assert_array_equal(display.order_, np.argsort(-size)[:3])
    axes = display.ax_
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert axes.get_xlabel() == "coefficient (3 largest of 7 features)"
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == [f"x{j}" for j in display.order_]
    again = display.plot(max_features=7)
    assert again.ax_.get_xlabel() == "coefficient"
    assert len(again.bars_) == 7


def test_few_tasks_are_named_and_many_are_counted():
    def legend(n_tasks):
        display = SharedSpecificDisplay.from_estimator(wide_model(n_tasks))
        return [text.get_text() for text in display.ax_.get_legend().get_texts()]

    assert legend(3) == ["shared", "0", "1", "2"]
    assert legend(11) == ["shared", "each of 11 tasks"]


@pytest.mark.parametrize("column", ["site", 1, -2])
def test_names_are_those_of_the_frame_without_the_task_column(long_frame, column):
    frame, y = long_frame
    display = SharedSpecificDisplay.from_estimator(MultiTaskRidge(task_column=column).fit(frame, y))
    assert display.feature_names == ["a", "b"]
    assert display.tasks == ["e", "n", "s", "w"]
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["b", "a"]


def test_columns_without_names_are_numbered_as_in_x(long_frame):
    frame, y = long_frame
    model = MultiTaskRidge(task_column=1).fit(frame.to_numpy(), y)
    assert SharedSpecificDisplay.from_estimator(model).feature_names == ["x0", "x2"]


def test_the_steps_of_a_pipeline_name_the_features(long_frame):
    frame, y = long_frame
    scaler = make_column_transformer(
        (StandardScaler(), ["a", "b"]), remainder="passthrough", verbose_feature_names_out=False
    )
    model = make_pipeline(scaler, MultiTaskRidgeCV(task_column=2)).fit(frame, y)
    display = SharedSpecificDisplay.from_estimator(model)
    assert display.feature_names == ["a", "b"]
    np.testing.assert_array_equal(display.coef, model[-1].coef_)


def test_a_pipeline_that_cannot_name_them_gets_numbers(long_frame):
    frame, y = long_frame
    model = make_pipeline(FunctionTransformer(np.exp), MultiTaskRidge())
    model.fit(frame[["a", "b"]].to_numpy(), np.column_stack([y, y]))
    assert SharedSpecificDisplay.from_estimator(model).feature_names == ["x0", "x1"]
    alone = make_pipeline(MultiTaskRidge(task_column="site")).fit(frame, y)
    assert SharedSpecificDisplay.from_estimator(alone).feature_names == ["a", "b"]


def test_own_names_are_shown_and_their_number_is_checked():
    display = SharedSpecificDisplay.from_estimator(wide_model(p=2), feature_names=["u", 3])
    assert sorted(label.get_text() for label in display.ax_.get_yticklabels()) == ["3", "u"]
    with pytest.raises(ValueError, match=r"feature_names must hold 2 names, .* got 1"):
        SharedSpecificDisplay.from_estimator(wide_model(p=2), feature_names=["u"])


def test_models_that_cannot_be_drawn_are_refused():
    with pytest.raises(NotFittedError):
        SharedSpecificDisplay.from_estimator(MultiTaskRidge())
    with pytest.raises(NotFittedError):
        SharedSpecificDisplay.from_estimator(make_pipeline(StandardScaler(), MultiTaskRidge()))
    with pytest.raises(TypeError, match=r"shared_coef_ and coef_.* got Ridge"):
        SharedSpecificDisplay.from_estimator(Ridge().fit([[0.0], [1.0]], [0.0, 1.0]))
    for wrong, error in ((0, ValueError), (2.0, TypeError)):
        with pytest.raises(error, match="max_features must be"):
            SharedSpecificDisplay.from_estimator(wide_model(), max_features=wrong)


# every display


@pytest.fixture(params=["comparison", "curve", "shared and specific"])
def draw(request, comparison, curve):
    """Draws a display on axes, by default on new ones."""
    model = wide_model()
    return {
        "comparison": lambda ax=None: ComparisonDisplay.from_comparison(comparison, ax=ax),
        "curve": lambda ax=None: ComparisonCurveDisplay.from_curve(curve, ax=ax),
        "shared and specific": lambda ax=None: SharedSpecificDisplay.from_estimator(model, ax=ax),
    }[request.param]


def test_given_axes_are_drawn_on(draw):
    axes = matplotlib.figure.Figure().subplots()
    display = draw(axes)
    assert display.ax_ is axes
    assert display.figure_ is axes.figure


def test_a_display_draws_itself_again_on_a_new_figure(draw):
    display = draw()
    first = display.figure_
    assert display.plot() is display
    assert display.figure_ is not first
    display.figure_.draw_without_rendering()


def test_without_matplotlib_a_display_says_what_to_install(draw, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r'pip install "skmtl\[plot\]"'):
        draw()


@pytest.fixture(autouse=True)
def _close_figures():
    from matplotlib import pyplot

    yield
    pyplot.close("all")
