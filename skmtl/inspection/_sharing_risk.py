"""SharingRiskDisplay: what sharing buys, predicted against the number of tasks or likeness."""

from dataclasses import replace

import numpy as np
from scipy.optimize import minimize_scalar

from .._checks import check_flag
from ..asymptotics import equivalent_single_task, optimal_penalty, penalty_matrix, predict_risk
from ..simulation import simulate_risk
from ._risk_lines import Line, draw_lines, error_name

POOLED = 1e5  # times all else: as good as infinite, without the loss of digits
SEARCHED = np.log([1e-4, 1e3])  # of baselines without closed form, in units of `_strength_unit`


class SharingRiskDisplay:
    """Figure of predicted errors, or of the effective ridge, of tasks that share.

    Lines are the theory's, dots simulated means with bars of two standard errors to each side.

    Parameters
    ----------
    lines : list of Line
        Named tuples (label, x, y, dots, dashed, color), where dots are (x, mean, standard error)
        or empty.
    xlabel, ylabel : str

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
    bars_ : list of matplotlib ErrorbarContainer

    Examples
    --------
    >>> from skmtl.asymptotics import AsymptoticProblem, penalty_matrix, task_gram
    >>> from skmtl.inspection import SharingRiskDisplay
    >>> problems = [
    ...     AsymptoticProblem(
    ...         sample_ratio=0.5,
    ...         gram=task_gram(5, similarity),
    ...         noise_var=0.5,
    ...         penalty_matrix=penalty_matrix(5, alpha_shared=0.5, alpha_specific=5.0),
    ...     )
    ...     for similarity in (0.0, 0.3, 0.6, 0.9)
    ... ]
    >>> display = SharingRiskDisplay.from_similarity(problems)
    >>> [line.get_label() for line in display.lines_]
    ['sharing', 'sharing, best penalty', 'single task', 'pooled']
    """

    def __init__(self, *, lines, xlabel, ylabel):
        self.lines = lines
        self.xlabel = xlabel
        self.ylabel = ylabel

    @classmethod
    def from_n_tasks(
        cls, problems, *, simulate=False, n_features=200, n_repeats=20, random_state=0, ax=None
    ):
        """Draw the mean error of problems against their number of tasks.

        Parameters
        ----------
        problems : list of AsymptoticProblem
        simulate : bool, default=False
            Whether to simulate a dot for each.
        n_features : int, default=200
            Of the simulation.
        n_repeats : int, default=20
            Data sets of each dot.
        random_state : int, RandomState instance or None, default=0
            For the simulation.
        ax : matplotlib Axes, default=None
            None: a new figure.

        Returns
        -------
        SharingRiskDisplay
        """
        x = [problem.n_tasks for problem in problems]
        dots = _dots(simulate, x, problems, n_features, n_repeats, random_state)
        lines = [
            Line("sharing", x, [_mean_error(problem) for problem in problems], dots),
            Line("single task", x, [_single_error(problem) for problem in problems], color=1),
        ]
        ylabel = error_name(problems[0])
        return cls(lines=lines, xlabel="number of tasks", ylabel=ylabel).plot(ax=ax)

    @classmethod
    def from_similarity(
        cls, problems, *, simulate=False, n_features=200, n_repeats=20, random_state=0, ax=None
    ):
        """Draw the mean error of problems against the similarity of their tasks.

        Beside it stand each task alone and all tasks pooled, with the best penalty of each; sharing
        that lies above the single task is negative transfer. For squared error the best penalty
        matrix is shown too, where it is finite.

        Parameters
        ----------
        problems : list of AsymptoticProblem
            Of two tasks or more.
        simulate : bool, default=False
            Whether to simulate a dot for each.
        n_features : int, default=200
            Of the simulation.
        n_repeats : int, default=20
            Data sets of each dot.
        random_state : int, RandomState instance or None, default=0
            For the simulation.
        ax : matplotlib Axes, default=None
            None: a new figure.

        Returns
        -------
        SharingRiskDisplay

        Raises
        ------
        ValueError
            If a problem has one task.
        """
        x = [_similarity(problem) for problem in problems]
        dots = _dots(simulate, x, problems, n_features, n_repeats, random_state)
        lines = [Line("sharing", x, [_mean_error(problem) for problem in problems], dots)]
        best = [_best_error(problem) for problem in problems]
        if not np.isnan(best).all():
            lines.append(Line("sharing, best penalty", x, best, dashed=True))
        for color, (label, error) in enumerate(BASELINES.items(), start=1):
            lines.append(Line(label, x, [error(problem) for problem in problems], color=color))
        xlabel = "similarity: mean cosine between tasks"
        return cls(lines=lines, xlabel=xlabel, ylabel=error_name(problems[0])).plot(ax=ax)

    @classmethod
    def from_effective_ridge(cls, problems, *, task=0, ax=None):
        """Draw the implicit regularisation of a task against the number of tasks.

        Parameters
        ----------
        problems : list of AsymptoticProblem
            With uncorrelated features.
        task : int, default=0
            Which task of each.
        ax : matplotlib Axes, default=None
            None: a new figure.

        Returns
        -------
        SharingRiskDisplay
            The effective ridge, what it would be for the task alone, and the sum of the weights
            that the centre gives to the other tasks' coefficients.
        """
        x = [problem.n_tasks for problem in problems]
        equivalents = [equivalent_single_task(problem, task) for problem in problems]
        alone = [_ridge_alone(problem.penalty_matrix, task) for problem in problems]
        lines = [
            Line("effective ridge", x, [e.effective_ridge for e in equivalents]),
            Line("ridge alone", x, alone, dashed=True),
            Line("weight of the others", x, [e.center_coef.sum() for e in equivalents], color=1),
        ]
        return cls(lines=lines, xlabel="number of tasks", ylabel="strength, weight").plot(ax=ax)

    def plot(self, ax=None):
        """Draw the figure.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: a new figure.

        Returns
        -------
        self : SharingRiskDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        labels = {"xlabel": self.xlabel, "ylabel": self.ylabel}
        ax, self.lines_, self.bars_ = draw_lines(ax, self.lines, **labels)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _dots(simulate, x, problems, n_features, n_repeats, random_state):
    if not check_flag("simulate", simulate):
        return ()
    risks = [
        simulate_risk(problem, n_features, n_repeats, random_state=random_state)
        for problem in problems
    ]
    names = "generalization_error", "generalization_error_sem"
    return x, *([getattr(risk, name).mean() for risk in risks] for name in names)


def _mean_error(problem):
    return predict_risk(problem).generalization_error.mean()


def _similarity(problem):
    if problem.n_tasks == 1:
        raise ValueError("problems must have two tasks or more to be similar, got one of one task.")
    lengths = np.sqrt(np.diag(problem.gram))
    cosines = problem.gram / np.outer(lengths, lengths)
    return cosines[~np.eye(problem.n_tasks, dtype=bool)].mean()


def _best_error(problem):
    """With the best penalty matrix, NaN where it has no closed form."""
    try:
        best = optimal_penalty(problem)
    except ValueError:
        return np.nan
    return _mean_error(replace(problem, penalty_matrix=best.penalty_matrix))


def _single_error(problem):
    """Of each task alone, with its best ridge, or searched, with one best ridge for all."""
    best = _best_error(replace(problem, gram=np.diag(np.diag(problem.gram))))
    if not np.isnan(best):
        return best
    return _searched(problem, lambda alpha: alpha * np.eye(problem.n_tasks))


def _pooled_error(problem):
    """Of one model for all tasks, with its best ridge."""
    T = problem.n_tasks
    least = problem.eigenvalues.max()  # of what the data hold against the penalty
    return _searched(problem, lambda alpha: penalty_matrix(T, alpha, POOLED * max(alpha, least)))


def _searched(problem, penalty_of):
    unit = _strength_unit(problem)

    def error(log_alpha):
        return _mean_error(replace(problem, penalty_matrix=penalty_of(unit * np.exp(log_alpha))))

    return minimize_scalar(error, bounds=SEARCHED, options={"xatol": 0.02}).fun


def _strength_unit(problem):
    """What a penalty is measured in: it scales with the features and with noise over signal."""
    data = problem.loss_weight.mean() * (problem.eigenvalue_weights @ problem.eigenvalues)
    return data * np.mean(problem.teacher_var + problem.noise_var) / problem.seen_var.mean()


def _ridge_alone(penalty, task):
    """What the penalty holds against a task whose others are free to follow it."""
    others = np.arange(len(penalty)) != task
    follow = np.linalg.pinv(penalty[np.ix_(others, others)]) @ penalty[others, task]
    return penalty[task, task] - penalty[task, others] @ follow


BASELINES = {"single task": _single_error, "pooled": _pooled_error}
