"""TaskClusterDisplay: what is drawn is the path, its tree and its cut."""

import sys

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge

from skmtl import MultiTaskRobustClustering, MultiTaskRobustClusteringCV
from skmtl.datasets import make_clustered_tasks
from skmtl.inspection import TaskClusterDisplay
from skmtl.linear_model import ClusterPath

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
pyplot = pytest.importorskip("matplotlib.pyplot")

KINDS = ("dendrogram", "path", "heatmap")
BLUE, GREY = "#0072b2", "#999999"


@pytest.fixture
def path():
    """Tasks a, b become one at 1, c joins at 2, d is an outlier throughout."""
    centroids = np.zeros((2, 4, 3))
    centroids[0, :, 1] = [-1, -1, 1, 1]
    return ClusterPath(
        alphas_fuse=np.array([1.0, 2.0]),
        labels=np.array([[0, 0, 1, -1], [0, 0, 0, -1]]),
        centroids=centroids,
        outlier_score=np.zeros((2, 4)),
        linkage=np.array([[0, 1, 1, 2], [2, 4, 2, 3], [3, 5, 4, 4]], dtype=float),
        tasks=[*"abc", 4.0],
    )


@pytest.fixture(autouse=True)
def close_figures():
    yield
    pyplot.close("all")


def test_links_lie_where_tasks_become_one_and_have_the_colour_of_their_cluster(path):
    display = TaskClusterDisplay(path=path, alpha_fuse=2.0).plot()
    tops = {}
    for links in display.artists_:
        for segment in links.get_segments():
            tops[segment[:, 1].max()] = matplotlib.colors.to_hex(links.get_color()[0])
    assert tops == {1.0: BLUE, 2.0: BLUE, 4.0: GREY}
    names = [text.get_text() for text in display.ax_.get_xticklabels()]
    assert names == [[*"abc", "4"][t] for t in display.order_]
    black = [
        text.get_text() for text in display.ax_.get_xticklabels() if text.get_color() == "black"
    ]
    assert black == ["4"]
    assert display.ax_.get_yscale() == "log"


def test_lines_of_the_path_are_centroids_along_the_axis_in_which_they_differ(path):
    display = TaskClusterDisplay(path=path, alpha_fuse=2.0).plot(kind="path")
    assert [line.get_label() for line in display.artists_] == [*"abc", "4"]
    for t, line in enumerate(display.artists_):
        np.testing.assert_array_equal(line.get_xdata(), [1, 2])
        np.testing.assert_allclose(line.get_ydata(), path.centroids[:, t, 1])
    assert display.artists_[3].get_linestyle() == ":"
    assert display.artists_[3].get_color() == "black"


def test_pairs_of_the_heat_map_have_the_height_of_their_link(path):
    display = TaskClusterDisplay(path=path).plot(kind="heatmap")
    expected = np.array([[1, 1, 2, 4], [1, 1, 2, 4], [2, 2, 1, 4], [4, 4, 4, 1]])
    order = display.order_
    np.testing.assert_array_equal(display.artists_[0].get_array(), expected[np.ix_(order, order)])


@pytest.mark.parametrize("kind", KINDS)
def test_it_draws_a_path_that_starts_at_zero_into_given_axes(path, kind):
    path = path._replace(alphas_fuse=np.array([0.0, 2.0]))
    ax = pyplot.subplots()[1]
    display = TaskClusterDisplay(path=path, alpha_fuse=0.0).plot(ax, kind=kind)
    assert display.ax_ is ax and display.figure_ is ax.figure
    display.figure_.canvas.draw()


@pytest.mark.parametrize("kind", KINDS)
def test_it_draws_models_with_many_tasks(kind):
    X, Y, _ = make_clustered_tasks(30, 6, 45, random_state=0)
    model = MultiTaskRobustClustering(1.0, 0.5, alpha_outlier=4.0)
    display = TaskClusterDisplay.from_estimator(model, X, Y, alphas_fuse=[0.1, 0.5], kind=kind)
    assert display.alpha_fuse == 0.5 and display.path.labels.shape == (2, 45)
    assert sorted(display.order_) == list(range(45))
    display.figure_.canvas.draw()


def test_a_search_is_cut_at_its_clusters():
    X, Y, _ = make_clustered_tasks(30, 6, 12, random_state=0)
    search = MultiTaskRobustClusteringCV(
        alphas=[1.0], alphas_fuse=[0.05, 0.5], alphas_outlier=[4.0]
    )
    with pytest.raises(NotFittedError):
        TaskClusterDisplay.from_estimator(search, X, Y)
    display = TaskClusterDisplay.from_estimator(search.fit(X, Y), X, Y)
    assert display.alpha_fuse == search.cluster_alpha_fuse_


def test_what_cannot_be_drawn_is_refused(path, monkeypatch):
    with pytest.raises(ValueError, match="kind must be one of"):
        TaskClusterDisplay(path=path).plot(kind="pie")
    with pytest.raises(TypeError, match=r"estimator must have cluster_path.*Ridge"):
        TaskClusterDisplay.from_estimator(Ridge(), np.eye(3), np.ones(3))
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="plots need matplotlib"):
        TaskClusterDisplay(path=path).plot()


@pytest.mark.parametrize("kind", ["dendrogram", "heatmap"])
def test_one_task_has_a_path_but_no_tree(kind, rng):
    data = rng.normal(size=(20, 3)), rng.normal(size=20)
    model = MultiTaskRobustClustering()
    assert len(TaskClusterDisplay.from_estimator(model, *data, kind="path").artists_) == 1
    with pytest.raises(ValueError, match=f"kind='{kind}' needs two tasks with labels"):
        TaskClusterDisplay.from_estimator(model, *data, kind=kind)
