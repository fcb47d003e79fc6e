"""TaskClusterDisplay: how tasks fuse as alpha_fuse grows, as a path, a tree or a table of pairs."""

import numpy as np
from scipy.cluster.hierarchy import cophenet, dendrogram
from scipy.spatial.distance import squareform

from .._checks import check_option
from ._axes import lighten, new_axes

KINDS = ("dendrogram", "path", "heatmap")
# of Okabe and Ito, told apart by readers who do not see all colours; outliers are black
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
OUTLIER, REST = "black", "#999999"
MANY = 40  # tasks from which their ids are not written out


class TaskClusterDisplay:
    """Figure of the clusters of tasks over a path of alpha_fuse.

    Parameters
    ----------
    path : ClusterPath
        What `cluster_path` of MultiTaskRobustClustering returns.
    alpha_fuse : float, default=None
        Where the path is cut: the clusters at the point nearest to it give the colours. None: no
        cut.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    order_ : ndarray of int of shape (n_tasks,)
        Numbers of the tasks in the order in which they are drawn: of the dendrogram and the heat
        map from left to right.
    artists_ : list
        What was drawn: the links of the dendrogram, a line for each task of the path, or the image
        of the heat map.

    Examples
    --------
    >>> from skmtl import MultiTaskRobustClustering
    >>> from skmtl.datasets import make_clustered_tasks
    >>> from skmtl.inspection import TaskClusterDisplay
    >>> X, Y, cluster = make_clustered_tasks(n_tasks=12, n_outliers=2, random_state=0)
    >>> model = MultiTaskRobustClustering(1.0, 0.3, alpha_outlier=4.0)
    >>> display = TaskClusterDisplay.from_estimator(model, X, Y)
    >>> display.ax_.get_ylabel()
    'alpha_fuse from which on tasks are one'
    """

    def __init__(self, *, path, alpha_fuse=None):
        self.path = path
        self.alpha_fuse = alpha_fuse

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        sample_weight=None,
        alphas_fuse=None,
        kind="dendrogram",
        ax=None,
    ):
        """Compute the path of a model on data, and draw it.

        Parameters
        ----------
        estimator : MultiTaskRobustClustering or MultiTaskRobustClusteringCV
            The search must be fitted; its path is at the strengths of its clusters, and cut at
            `cluster_alpha_fuse_`, that of the other at `alpha_fuse`.
        X, y, sample_weight
            As in `fit`.
        alphas_fuse : array-like of values in [0, inf), default=None
            None: those of `cluster_path`.
        kind : {"dendrogram", "path", "heatmap"}, default="dendrogram"
            As in `plot`.
        ax : matplotlib Axes, default=None
            None: a new figure.

        Returns
        -------
        TaskClusterDisplay

        Raises
        ------
        TypeError
            If the estimator has no `cluster_path`.
        """
        check_option("kind", kind, KINDS)
        if not hasattr(estimator, "cluster_path"):
            raise TypeError(
                "estimator must have cluster_path, as MultiTaskRobustClustering has it, got "
                f"{type(estimator).__name__}."
            )
        path = estimator.cluster_path(X, y, alphas_fuse, sample_weight=sample_weight)
        own = getattr(estimator, "cluster_alpha_fuse_", getattr(estimator, "alpha_fuse", None))
        return cls(path=path, alpha_fuse=own).plot(kind=kind, ax=ax)

    def plot(self, ax=None, *, kind="dendrogram"):
        """Draw the figure.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: a new figure.
        kind : {"dendrogram", "path", "heatmap"}, default="dendrogram"
            "dendrogram": the merge tree; a link lies where tasks become one cluster, and above the
            path where they never do. "path": the centroid of each task along the first principal
            axis of all centroids, against alpha_fuse. "heatmap": for each pair of tasks the
            alpha_fuse at which they become one.

        Returns
        -------
        self : TaskClusterDisplay

        Raises
        ------
        ValueError
            If `kind` is none of these, or a tree is asked for of one task.
        ImportError
            If matplotlib is not installed.
        """
        check_option("kind", kind, KINDS)
        if kind != "path" and len(self.path.tasks) < 2:
            raise ValueError(f"kind={kind!r} needs two tasks with labels, got one; draw the path.")
        ax = new_axes(6.0 if kind == "heatmap" else 8.0, 4.8) if ax is None else ax
        draw = {"dendrogram": self._dendrogram, "path": self._path, "heatmap": self._heatmap}
        self.artists_ = draw[kind](ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @property
    def _labels(self):
        """Clusters at the cut, or one for all."""
        if self.alpha_fuse is None:
            return np.zeros(len(self.path.tasks), dtype=int)
        distance = np.abs(self.path.alphas_fuse - self.alpha_fuse)
        return self.path.labels[np.argmin(distance)]

    @property
    def _names(self):
        return [f"{t:g}" if isinstance(t, float) else str(t) for t in self.path.tasks]

    def _color(self, label):
        return OUTLIER if label < 0 else COLORS[label % len(COLORS)]

    def _dendrogram(self, ax):
        labels, n_tasks = self._labels, len(self.path.tasks)
        members = {t: [t] for t in range(n_tasks)}
        for k, (a, b, *_) in enumerate(self.path.linkage):
            members[n_tasks + k] = members[int(a)] + members[int(b)]

        def color(node):
            own = set(labels[members[node]].tolist())
            return self._color(own.pop()) if len(own) == 1 and own != {-1} else REST

        drawn = dendrogram(
            self.path.linkage,
            ax=ax,
            labels=self._names,
            link_color_func=color,
            no_labels=n_tasks > MANY,
        )
        self.order_ = np.array(drawn["leaves"])
        if (heights := self.path.linkage[:, 2]).min() > 0:
            ax.set_yscale("log")
            ax.set_ylim(heights.min() / 2, heights.max() * 1.2)
        if n_tasks <= MANY:
            for text, t in zip(ax.get_xticklabels(), self.order_, strict=True):
                text.set_color(self._color(labels[t]))
        lighten(ax)
        ax.grid(visible=False, axis="x")
        ax.set(xlabel="task", ylabel="alpha_fuse from which on tasks are one")
        if self.alpha_fuse:
            ax.axhline(self.alpha_fuse, color="black", linewidth=1, linestyle="--")
        return list(ax.collections)

    def _path(self, ax):
        labels, centroids = self._labels, self.path.centroids
        flat = (centroids - centroids.mean(axis=(0, 1))).reshape(-1, centroids.shape[2])
        axis = np.linalg.svd(flat, full_matrices=False)[2][0]
        heights = centroids @ (axis * np.sign(axis[np.argmax(np.abs(axis))]))
        self.order_ = np.argsort(heights[0], kind="stable")
        lines = []
        for t, name in enumerate(self._names):
            style = {"linestyle": ":"} if labels[t] < 0 else {}
            color = self._color(labels[t])
            lines += ax.plot(self.path.alphas_fuse, heights[:, t], color=color, label=name, **style)
        if self.path.alphas_fuse[0] > 0:
            ax.set_xscale("log")
        lighten(ax)
        ax.set(xlabel="alpha_fuse", ylabel="centroids along their first axis")
        if self.alpha_fuse:
            ax.axvline(self.alpha_fuse, color="black", linewidth=1, linestyle="--")
        return lines

    def _heatmap(self, ax):
        self.order_ = np.array(dendrogram(self.path.linkage, no_plot=True)["leaves"])
        heights = squareform(cophenet(self.path.linkage))[np.ix_(self.order_, self.order_)]
        np.fill_diagonal(heights, self.path.linkage[0, 2])
        image = ax.imshow(heights, cmap="viridis", norm="log" if heights.min() > 0 else "linear")
        names = [self._names[t] for t in self.order_]
        if len(names) <= MANY:
            at = np.arange(len(names))
            ax.set_xticks(at, names, rotation=90)
            ax.set_yticks(at, names)
            for axis in (ax.xaxis, ax.yaxis):
                for text, t in zip(axis.get_ticklabels(), self.order_, strict=True):
                    text.set_color(self._color(self._labels[t]))
        else:
            ax.set(xticks=[], yticks=[])
        ax.set(xlabel="task", ylabel="task")
        ax.figure.colorbar(image, ax=ax, label="alpha_fuse from which on tasks are one")
        return [image]
