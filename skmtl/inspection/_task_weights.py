"""TaskWeightsDisplay: what each task weighed in a fit, at its end or as training went on."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._backend import to_numpy
from ._axes import lighten, new_axes

FEW = 10  # tasks with colours and names of their own
BAR, MANY = "#2f6db3", {"color": "#2f6db3", "alpha": 0.4, "linewidth": 0.8}


class TaskWeightsDisplay:
    """Figure of the weights of tasks: bars, or lines where there are weights for each iteration.

    The dashed line is the mean of the weights: what each would be if all were equal.

    Parameters
    ----------
    weights : array-like of shape (n_tasks,) or (n_iter, n_tasks)
        Weights, or their path.
    tasks : list of length n_tasks
        Ids of the tasks.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    bars_ : matplotlib BarContainer or None
        The weights, from top to bottom.
    lines_ : list of matplotlib Line2D
        The path of each task; empty where there are bars.

    Examples
    --------
    >>> from skmtl import MultiTaskRidge
    >>> from skmtl.datasets import make_multitask_regression
    >>> from skmtl.inspection import TaskWeightsDisplay
    >>> X, Y = make_multitask_regression(60, 5, 4, similarity=0.9, random_state=0)
    >>> model = MultiTaskRidge(balancer="nash_bargaining").fit(X, Y)
    >>> display = TaskWeightsDisplay.from_estimator(model)
    >>> len(display.bars_)
    4
    """

    def __init__(self, *, weights, tasks):
        self.weights = weights
        self.tasks = tasks

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Draw the weights that a fitted model used.

        Parameters
        ----------
        estimator : estimator or Pipeline
            Fitted, with `task_weights_path_`, as MultiTaskPerceptron has it, or with
            `task_weights_`, as MultiTaskRidge has them; the last step of a pipeline.
        ax : matplotlib Axes, default=None
            None: a new figure.

        Returns
        -------
        TaskWeightsDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it has no weights of tasks.
        """
        model = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
        check_is_fitted(model)
        found = getattr(model, "task_weights_path_", getattr(model, "task_weights_", None))
        if found is None:
            raise TypeError(
                "estimator must have task_weights_ or task_weights_path_, as MultiTaskRidge and "
                f"MultiTaskPerceptron have them, got {type(model).__name__}."
            )
        return cls.from_weights(to_numpy(found), tasks=list(model.tasks_), ax=ax)

    @classmethod
    def from_weights(cls, weights, *, tasks=None, ax=None):
        """Draw weights, such as those that a loop around `balance` has collected.

        Parameters
        ----------
        weights : array-like of shape (n_tasks,) or (n_iter, n_tasks)
            Drawn as they are: the methods' own are not normalised.
        tasks : list of length n_tasks, default=None
            Ids of the tasks. None: their numbers.
        ax : matplotlib Axes, default=None
            None: a new figure.

        Returns
        -------
        TaskWeightsDisplay

        Raises
        ------
        ValueError
            If the weights are neither 1-D nor 2-D, or the ids are not as many as the tasks.
        """
        weights = np.asarray(weights, dtype=np.float64)
        if weights.ndim not in (1, 2) or weights.size == 0:
            raise ValueError(
                "weights must have shape (n_tasks,) or (n_iter, n_tasks), got shape "
                f"{weights.shape}."
            )
        n_tasks = weights.shape[-1]
        tasks = list(range(n_tasks)) if tasks is None else list(tasks)
        if len(tasks) != n_tasks:
            raise ValueError(f"tasks must hold {n_tasks} ids, one a weight, got {len(tasks)}.")
        return cls(weights=weights, tasks=tasks).plot(ax=ax)

    def plot(self, ax=None):
        """Draw the figure.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: a new figure.

        Returns
        -------
        self : TaskWeightsDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        weights = np.asarray(self.weights, dtype=np.float64)
        is_path = weights.ndim == 2
        if ax is None:
            ax = new_axes(7.0, 4.4 if is_path else 1.0 + 0.32 * len(weights))
        self.bars_, self.lines_ = None, []
        if is_path:
            self.lines_ = self._draw_path(ax, weights)
        else:
            self.bars_ = self._draw_bars(ax, weights)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _draw_bars(self, ax, weights):
        rows = np.arange(len(weights))
        bars = ax.barh(rows, weights, 0.7, color=BAR)
        ax.axvline(weights.mean(), color="black", linewidth=1, linestyle="--")
        ax.set_yticks(rows, [str(task) for task in self.tasks])
        ax.set_ylim(len(rows) - 0.4, -0.6)  # the first at the top
        ax.set_xlabel("weight (dashed: equal weights)")
        lighten(ax, rows=True)
        return bars

    def _draw_path(self, ax, path):
        few = len(self.tasks) <= FEW
        iterations = np.arange(1, len(path) + 1)
        # a single iteration is a dot, not an invisible line
        marker = "o" if len(path) == 1 else None
        lines = []
        for t, task in enumerate(self.tasks):
            style = {"color": f"C{t}", "label": str(task)}
            if not few:
                style = MANY | {"label": f"each of {len(self.tasks)} tasks"}
            lines += ax.plot(iterations, path[:, t], marker=marker, **style)
        ax.axhline(path.mean(), color="black", linewidth=1, linestyle="--")
        ax.set(xlabel="iteration", ylabel="weight (dashed: equal weights)")
        lighten(ax)
        ax.legend(
            handles=lines if few else lines[:1],
            loc="upper left",
            bbox_to_anchor=(1, 1),
            frameon=False,
        )
        return lines
