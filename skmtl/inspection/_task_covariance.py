"""TaskCovarianceDisplay: which tasks resemble which, as an ordered heat map with a dendrogram."""

import numpy as np
from scipy.cluster.hierarchy import dendrogram, linkage
from scipy.spatial.distance import squareform
from sklearn.utils.validation import check_is_fitted

from .._backend import to_numpy
from .._checks import check_flag, check_option
from ._axes import new_axes

MATRICES = {"task": "task_covariance_", "noise": "noise_covariance_"}
MEANING = {"task": "correlation of the coefficients", "noise": "correlation of the noise"}
MANY = 60  # tasks whose names do not fit beside the map
FEW = 12  # tasks whose correlations are written into the cells


class TaskCovarianceDisplay:
    """Heat map of the correlations between tasks, those that resemble each other side by side.

    The tasks are ordered by a hierarchical clustering, average linkage of the distances
    1 - correlation, whose dendrogram stands above the map: tasks that are joined low are alike. Up
    to twelve tasks have the correlations written into the cells.

    Parameters
    ----------
    correlation : array-like of shape (n_tasks, n_tasks)
        Symmetric.
    tasks : list of length n_tasks
        Ids of the tasks.
    label : str, default="correlation"
        What the correlations are of, beside the colours.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Of the heat map.
    figure_ : matplotlib Figure
    image_ : matplotlib AxesImage
    dendrogram_ax_ : matplotlib Axes or None
    order_ : ndarray of int of shape (n_tasks,)
        Numbers of the tasks from top to bottom, and from left to right.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.inspection import TaskCovarianceDisplay
    >>> correlation = [[1.0, 0.0, 0.9], [0.0, 1.0, 0.1], [0.9, 0.1, 1.0]]
    >>> display = TaskCovarianceDisplay(correlation=correlation, tasks=list("abc")).plot()
    >>> sorted(display.order_.tolist())
    [0, 1, 2]
    """

    def __init__(self, *, correlation, tasks, label="correlation"):
        self.correlation = correlation
        self.tasks = tasks
        self.label = label

    @classmethod
    def from_estimator(cls, estimator, *, matrix="task", dendrogram=True, ax=None):
        """Draw what a fitted model learned of its tasks.

        Parameters
        ----------
        estimator : estimator or Pipeline
            Fitted, with `task_covariance_` and `noise_covariance_`, as MultiTaskBayesianRidge has
            them; the last step of a pipeline.
        matrix : {"task", "noise"}, default="task"
            Whether to draw the correlations of the tasks' coefficients or of their noise.
        dendrogram : bool, default=True
            Whether to draw the clustering above the map.
        ax : matplotlib Axes, default=None
            None: a new figure.

        Returns
        -------
        TaskCovarianceDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it has no such covariance.
        """
        check_option("matrix", matrix, MATRICES)
        model = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
        check_is_fitted(model)
        if not hasattr(model, MATRICES[matrix]):
            raise TypeError(
                f"estimator must have {MATRICES[matrix]}, as MultiTaskBayesianRidge has it, got "
                f"{type(model).__name__}."
            )
        C = to_numpy(getattr(model, MATRICES[matrix])).astype(np.float64)
        size = np.sqrt(np.maximum(C.diagonal(), np.finfo(float).tiny))
        display = cls(
            correlation=C / size / size[:, None], tasks=list(model.tasks_), label=MEANING[matrix]
        )
        return display.plot(dendrogram=dendrogram, ax=ax)

    def plot(self, ax=None, *, dendrogram=True):
        """Draw the figure.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: a new figure.
        dendrogram : bool, default=True
            Whether to draw the clustering above the map.

        Returns
        -------
        self : TaskCovarianceDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        check_flag("dendrogram", dendrogram)
        C, T = np.clip(np.asarray(self.correlation, dtype=np.float64), -1, 1), len(self.tasks)
        tree = _linkage(C) if T > 1 else None
        self.order_ = np.arange(T) if tree is None else _leaves(tree)
        side = 1.6 + min(0.45 * T, 6.0)
        ax = new_axes(side + 1.6, side) if ax is None else ax
        C = C[np.ix_(self.order_, self.order_)]
        self.image_ = ax.imshow(C, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
        if T <= MANY:
            names = [str(self.tasks[t]) for t in self.order_]
            ax.set_xticks(range(T), names, rotation=90 if max(map(len, names)) > 2 else 0)
            ax.set_yticks(range(T), names)
        if T <= FEW:
            _write_cells(ax, C)
        ax.figure.colorbar(self.image_, ax=ax, label=self.label)
        self.dendrogram_ax_ = _draw_tree(ax, tree) if dendrogram and tree is not None else None
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _linkage(C):
    distance = 1 - (C + C.T) / 2
    np.fill_diagonal(distance, 0)
    return linkage(squareform(distance, checks=False), "average", optimal_ordering=True)


def _leaves(tree):
    return np.array(dendrogram(tree, no_plot=True)["leaves"])


def _write_cells(ax, C):
    for (i, j), value in np.ndenumerate(C):
        colour = "white" if abs(value) > 0.6 else "black"
        ax.text(j, i, f"{value:.2f}", ha="center", va="center", color=colour, fontsize="small")


def _draw_tree(ax, tree):
    """The dendrogram above the map, its leaves at the middle of the columns."""
    above = ax.inset_axes([0, 1.02, 1, 0.25])
    drawn = dendrogram(tree, no_plot=True)
    for x, y in zip(drawn["icoord"], drawn["dcoord"], strict=True):
        above.plot((np.array(x) - 5) / 10, y, color="black", linewidth=1)  # leaves at 5, 15, ...
    above.set_xlim(-0.5, len(tree) + 0.5)
    above.set_ylim(0)
    above.axis("off")
    return above
