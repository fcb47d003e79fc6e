import sys

import numpy as np
import pytest

from skmtl.inspection import ComparisonDisplay
from skmtl.model_selection import Comparison

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


@pytest.fixture
def comparison():
    scores = {
        "worse": np.array([0.50, 0.52, 0.48]),
        "tie": np.array([0.72, 0.68, 0.80]),
        "better": np.array([0.90, 0.91, 0.90]),
        "mine": np.array([0.71, 0.70, 0.75]),
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
    )


def test_dots_are_paired_differences_and_bars_two_standard_errors(comparison):
    display = comparison.plot()
    expected = comparison.scores["tie"] - comparison.scores["mine"]
    dot, _, (bar,) = display.bars_[1]
    assert dot.get_xdata()[0] == pytest.approx(expected.mean())
    left, right = bar.get_segments()[0][:, 0]
    assert right - left == pytest.approx(4 * expected.std(ddof=1) / np.sqrt(3))


def test_a_dot_is_hollow_if_and_only_if_its_bar_holds_zero(comparison):
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


def test_given_axes_are_drawn_on(comparison):
    axes = matplotlib.figure.Figure().subplots()
    display = ComparisonDisplay.from_comparison(comparison, ax=axes)
    assert display.ax_ is axes
    assert display.figure_ is axes.figure
    assert isinstance(display, ComparisonDisplay)


def test_plot_without_matplotlib_says_what_to_install(comparison, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r'pip install "skmtl\[plot\]"'):
        comparison.plot()


@pytest.fixture(autouse=True)
def _close_figures():
    from matplotlib import pyplot

    yield
    pyplot.close("all")
