"""ParetoFrontDisplay: the losses of two tasks under a range of preferences."""

import numpy as np

from ._axes import lighten, new_axes

FRONT, OPTIMA, EQUAL = "#2f6db3", "#d55e00", "black"


class ParetoFrontDisplay:
    """Figure of two tasks' losses: a dot for each preference, hollow if it is dominated.

    A dot is dominated if another is no worse for any task and better for one. The line joins those
    that are not; of more than two tasks it is not drawn, as their front is no line.

    Parameters
    ----------
    losses : array-like of shape (n_points, n_tasks)
    dominated : array-like of bool of shape (n_points,)
    single_task_losses : array-like of shape (n_tasks, n_tasks), default=None
        Row t: losses of the fit in which task t alone has weight.
    equal_losses : array-like of shape (n_tasks,), default=None
        Losses of the fit with equal weights.
    tasks : list of length n_tasks, default=None
        Ids of the tasks. None: their numbers.
    loss : str, default="loss"
        What the losses are.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    points_ : matplotlib Line2D
        The dots that are not dominated, from left to right.
    dominated_points_ : matplotlib Line2D
    optima_ : matplotlib Line2D or None
    equal_ : matplotlib Line2D or None

    See Also
    --------
    skmtl.model_selection.trace_pareto_front : Makes the data.

    Examples
    --------
    >>> from skmtl.inspection import ParetoFrontDisplay
    >>> display = ParetoFrontDisplay(
    ...     losses=[[1.0, 4.0], [2.0, 2.0], [4.0, 1.0], [3.0, 3.0]],
    ...     dominated=[False, False, False, True],
    ...     tasks=["yield", "purity"],
    ... ).plot()
    >>> display.points_.get_xdata(), display.ax_.get_xlabel()
    (array([1., 2., 4.]), 'loss of task yield')
    """

    def __init__(
        self,
        *,
        losses,
        dominated,
        single_task_losses=None,
        equal_losses=None,
        tasks=None,
        loss="loss",
    ):
        self.losses = losses
        self.dominated = dominated
        self.single_task_losses = single_task_losses
        self.equal_losses = equal_losses
        self.tasks = tasks
        self.loss = loss

    @classmethod
    def from_front(cls, front, *, pair=(0, 1), ax=None):
        """Draw a ParetoFront.

        Parameters
        ----------
        front : ParetoFront
            What :func:`~skmtl.model_selection.trace_pareto_front` returns.
        pair : pair of int, default=(0, 1)
            Numbers of the tasks along the two axes.
        ax : matplotlib Axes, default=None
            None: a new figure.

        Returns
        -------
        ParetoFrontDisplay

        Raises
        ------
        ValueError
            If the pair is not two different tasks.
        """
        display = cls(
            losses=front.losses,
            dominated=front.dominated,
            single_task_losses=front.single_task_losses,
            equal_losses=front.equal_losses,
            tasks=front.tasks,
            loss=front.loss,
        )
        return display.plot(pair=pair, ax=ax)

    def plot(self, ax=None, *, pair=(0, 1)):
        """Draw the figure.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: a new figure.
        pair : pair of int, default=(0, 1)
            Numbers of the tasks along the two axes.

        Returns
        -------
        self : ParetoFrontDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the pair is not two different tasks.
        """
        losses = np.asarray(self.losses, dtype=np.float64)
        pair = _check_pair(pair, losses.shape[1])
        points, hollow = losses[:, pair], np.asarray(self.dominated, dtype=bool)
        front = points[~hollow]
        front = front[np.lexsort(front.T[::-1])]
        join = "-" if losses.shape[1] == 2 else "none"
        ax = new_axes(6.0, 5.0) if ax is None else ax
        self.points_ = _dots(ax, front, "o", FRONT, "preferences", linestyle=join, linewidth=1)
        label = "dominated" if hollow.any() else "_none"  # not in the legend
        style = {"markerfacecolor": "white"}
        self.dominated_points_ = _dots(ax, points[hollow], "o", FRONT, label, **style)
        self.optima_, self.equal_ = None, None
        if self.single_task_losses is not None:
            optima = np.asarray(self.single_task_losses)[np.ix_(pair, pair)]
            self.optima_ = _dots(ax, optima, "*", OPTIMA, "one task alone", markersize=12)
        if self.equal_losses is not None:
            equal = np.asarray(self.equal_losses)[pair][None]
            self.equal_ = _dots(ax, equal, "D", EQUAL, "equal weights")
        names = [t if self.tasks is None else self.tasks[t] for t in pair]
        ax.set(xlabel=f"{self.loss} of task {names[0]}", ylabel=f"{self.loss} of task {names[1]}")
        lighten(ax)
        ax.legend(frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _dots(ax, points, marker, color, label, **style):
    """The points (n, 2) as one line, in front of the axes."""
    style = {"linestyle": "none", "zorder": 3} | style
    return ax.plot(*points.T, marker=marker, color=color, label=label, **style)[0]


def _check_pair(pair, n_tasks):
    """The numbers of two different tasks, as a list."""
    pair = list(pair)
    if len(pair) != 2 or pair[0] == pair[1] or not set(pair) <= set(range(n_tasks)):
        raise ValueError(
            f"pair must hold two different numbers of tasks from 0 to {n_tasks - 1}, got {pair}."
        )
    return pair
