"""DoubleDescentDisplay: predicted and simulated errors against p/n, thresholds marked."""

import numpy as np

from .._checks import check_count, check_flag, check_option
from ..asymptotics import interpolation_thresholds, predict_risk, ridgeless_risk
from ..simulation import simulate_risk
from ._risk_lines import COLORS, Line, draw_lines, error_name

N_POINTS = 80
CLOSE = 0.01  # relative distance of the default grid from a threshold


class DoubleDescentDisplay:
    """Figure of errors against the number of features that the learner sees, rows fixed.

    Lines are the theory's, dots simulated means with bars of two standard errors to each side.
    Dotted vertical lines are the interpolation thresholds: p = n of a task's own rows in grey, that
    of the rows of all tasks together in the colour of the line (none in the joint ridgeless limit,
    which does not know it).

    Parameters
    ----------
    lines : list of Line
        Named tuples (label, x, y, dots, dashed, color), where dots are (x, mean, standard error)
        or empty.
    thresholds : list of (float, int or None)
        Ratios p/n, and the number of the colour, None for grey.
    ylabel : str
        What the error is.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
    bars_ : list of matplotlib ErrorbarContainer
        The simulated dots of each line that has them.

    See Also
    --------
    skmtl.asymptotics.double_descent_curve : The numbers of one line.

    Examples
    --------
    >>> from skmtl.asymptotics import AsymptoticProblem, penalty_matrix, task_gram
    >>> from skmtl.inspection import DoubleDescentDisplay
    >>> problem = AsymptoticProblem(
    ...     sample_ratio=0.2,
    ...     gram=task_gram(2, similarity=0.8),
    ...     noise_var=0.2,
    ...     penalty_matrix=penalty_matrix(2, alpha_shared=0.01, alpha_specific=0.1),
    ... )
    >>> display = DoubleDescentDisplay.from_problem(problem)
    >>> display.ax_.get_xlabel()
    'p / n, seen features over rows of a task'
    """

    def __init__(self, *, lines, thresholds, ylabel):
        self.lines = lines
        self.thresholds = thresholds
        self.ylabel = ylabel

    @classmethod
    def from_problem(
        cls,
        problem,
        p_over_n=None,
        *,
        limit=None,
        training=False,
        simulate=False,
        n_rows=100,
        n_dots=10,
        n_repeats=20,
        random_state=0,
        n_jobs=None,
        fit=None,
        ax=None,
    ):
        """Draw the errors of learners that see a part of a problem's features.

        Parameters
        ----------
        problem : AsymptoticProblem or dict of str to AsymptoticProblem
            With all features. A dict gives a line to each, by its label. Errors are means over
            tasks, and n is their mean number of rows.
        p_over_n : array-like of shape (n_points,), default=None
            Ratios, at most those of the problems themselves. None: from 0.1 to there.
        limit : {None, "joint", "shared"}, default=None
            A limit of vanishing penalty, as in :func:`~skmtl.asymptotics.ridgeless_risk`; simulated
            with penalties 1e-6 times as large.
        training : bool, default=False
            Whether to draw training errors too, dashed.
        simulate : bool, default=False
            Whether to simulate dots.
        n_rows : int, default=100
            Mean rows of a task in the simulation.
        n_dots : int, default=10
            Dots of each line.
        n_repeats : int, default=20
            Data sets for each dot.
        random_state : int, RandomState instance or None, default=0
            For the simulation.
        n_jobs : int, default=None
            Data sets computed at a time, in threads.
        fit : callable, default=None
            As in :func:`~skmtl.simulation.simulate_risk`.
        ax : matplotlib Axes, default=None
            None: a new figure.

        Returns
        -------
        DoubleDescentDisplay

        Raises
        ------
        ValueError
            If a value is out of its range, a ridgeless point lies at a threshold, or no estimator
            has the loss or the penalty to simulate.
        """
        check_option("limit", limit, (None, "joint", "shared"))
        check_flag("training", training)
        check_flag("simulate", simulate)
        check_count("n_rows", n_rows)
        check_count("n_dots", n_dots, least=2)
        problems = problem if isinstance(problem, dict) else {"prediction": problem}
        lines, thresholds = [], []
        for color, (label, whole) in enumerate(problems.items()):
            marks = interpolation_thresholds(whole.n_tasks, whole.loss)
            grid = _grid(whole, p_over_n, marks.values())
            test, train = np.array([_predicted(whole, ratio, limit) for ratio in grid]).T
            dots = [(), ()]
            if simulate:
                dots = _simulated(
                    *(whole, _spread(grid, n_dots), n_rows, n_repeats, random_state, n_jobs),
                    limit=limit,
                    fit=fit,
                )
            lines.append(Line(label, grid, test, dots[0], False, color))
            if training:
                lines.append(Line(f"{label}, training", grid, train, dots[1], True, color))
            top = grid[-1] * 1.001
            thresholds += [(marks["single_task"], None)] if marks["single_task"] <= top else []
            if limit != "joint" and whole.n_tasks > 1 and marks["pooled"] <= top:
                thresholds.append((marks["pooled"], color))
        display = cls(lines=lines, thresholds=thresholds, ylabel=error_name(whole))
        return display.plot(ax=ax)

    def plot(self, ax=None):
        """Draw the figure.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: a new figure.

        Returns
        -------
        self : DoubleDescentDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        xlabel = "p / n, seen features over rows of a task"
        ax, self.lines_, self.bars_ = draw_lines(ax, self.lines, xlabel=xlabel, ylabel=self.ylabel)
        for ratio, color in dict.fromkeys(self.thresholds):
            shade = "#999999" if color is None else COLORS[color % len(COLORS)]
            ax.axvline(ratio, color=shade, linewidth=1, linestyle=":", zorder=0)
        ax.set_xscale("log")
        tested = np.concatenate([line.y for line in self.lines if not line.dashed])
        if tested.max() > 10 * tested.min():
            ax.set_yscale("log")  # training errors of 0 leave it at the bottom
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _grid(whole, p_over_n, thresholds):
    most = 1 / whole.sample_ratio.mean()
    if p_over_n is None:
        grid = np.geomspace(min(0.1, most / 10), most, N_POINTS)
        near = [np.abs(grid / mark - 1) < CLOSE for mark in thresholds]
        return grid[~np.any(near, axis=0)]
    grid = np.atleast_1d(np.asarray(p_over_n, dtype=np.float64))
    if grid.ndim > 1 or not grid.size or not ((grid > 0) & (grid <= most * (1 + 1e-9))).all():
        raise ValueError(
            f"p_over_n must hold ratios in (0, {most:.6g}], up to that of the problem itself, got "
            f"{p_over_n!r}."
        )
    return np.sort(grid)


def _seen(whole, ratio):
    return whole.with_features(min(1.0, ratio * whole.sample_ratio.mean()))


def _predicted(whole, ratio, limit):
    problem = _seen(whole, ratio)
    risk = predict_risk(problem) if limit is None else ridgeless_risk(problem, limit=limit)
    return risk.generalization_error.mean(), risk.training_error.mean()


def _spread(grid, n_dots):
    """About that many points of the grid, evenly spread along it."""
    return grid[np.unique(np.linspace(0, len(grid) - 1, n_dots).round().astype(int))]


def _simulated(whole, ratios, n_rows, *settings, **options):
    """Dots of generalisation and of training errors, each (p/n, mean, standard error)."""
    sizes = np.unique(np.maximum(1, np.round(ratios * n_rows).astype(int)))
    sizes = sizes[sizes <= n_rows / whole.sample_ratio.mean() * (1 + 1e-9)]
    risks = [simulate_risk(_seen(whole, p / n_rows), int(p), *settings, **options) for p in sizes]
    parts = (
        ("generalization_error", "generalization_error_sem"),
        ("training_error", "training_error_sem"),
    )
    return [
        (sizes / n_rows, *(np.array([getattr(r, name).mean() for r in risks]) for name in names))
        for names in parts
    ]
