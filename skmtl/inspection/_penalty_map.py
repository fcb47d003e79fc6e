"""PenaltyMapDisplay: predicted error over the two penalties, with its optimum."""

from dataclasses import replace

import numpy as np

from .._checks import check_strengths
from ..asymptotics import optimal_penalty, penalty_matrix, predict_risk
from ._axes import new_axes
from ._risk_lines import error_name

DEFAULT_ALPHAS = np.logspace(-2, 2, 25)


class PenaltyMapDisplay:
    """Heat map of predicted errors over the shared and the specific penalty.

    A dot marks the least error of the grid, a cross the closed form where there is one.

    Parameters
    ----------
    alphas_shared : array-like of shape (n_shared,)
    alphas_specific : array-like of shape (n_specific,)
    error : array-like of shape (n_shared, n_specific)
        Mean over the tasks.
    optimum : None or (alpha_shared, alpha_specific), default=None
        Known best penalties.
    label : str
        What the error is.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    mesh_ : matplotlib QuadMesh
    best_ : tuple of float
        The penalties of the least error of the grid.

    Examples
    --------
    >>> from skmtl.asymptotics import AsymptoticProblem, penalty_matrix, task_gram
    >>> from skmtl.inspection import PenaltyMapDisplay
    >>> problem = AsymptoticProblem(
    ...     sample_ratio=0.5,
    ...     gram=task_gram(4, similarity=0.5),
    ...     noise_var=0.5,
    ...     penalty_matrix=penalty_matrix(4, 1.0, 1.0),
    ... )
    >>> display = PenaltyMapDisplay.from_problem(problem, [1.0, 2.0, 4.0], [1.0, 2.0, 4.0])
    >>> display.best_
    (2.0, 2.0)
    """

    def __init__(self, *, alphas_shared, alphas_specific, error, optimum=None, label):
        self.alphas_shared = alphas_shared
        self.alphas_specific = alphas_specific
        self.error = error
        self.optimum = optimum
        self.label = label

    @classmethod
    def from_problem(cls, problem, alphas_shared=None, alphas_specific=None, *, ax=None):
        """Draw the errors of a problem with other penalties in place of its own.

        Parameters
        ----------
        problem : AsymptoticProblem
        alphas_shared, alphas_specific : array-like of shape (n_alphas,), default=None
            As in :func:`~skmtl.asymptotics.penalty_matrix`. None: 25 values from 0.01 to 100.
        ax : matplotlib Axes, default=None
            None: a new figure.

        Returns
        -------
        PenaltyMapDisplay

        Raises
        ------
        ValueError
            If an alpha is not positive.
        """
        shared, specific = (
            DEFAULT_ALPHAS if alphas is None else check_strengths(name, alphas)
            for name, alphas in (
                ("alphas_shared", alphas_shared),
                ("alphas_specific", alphas_specific),
            )
        )
        error = np.array([[_error(problem, a0, a1) for a1 in specific] for a0 in shared])
        display = cls(
            alphas_shared=shared,
            alphas_specific=specific,
            error=error,
            optimum=_optimum(problem),
            label=error_name(problem),
        )
        return display.plot(ax=ax)

    def plot(self, ax=None):
        """Draw the figure.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: a new figure.

        Returns
        -------
        self : PenaltyMapDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = new_axes(5.6, 4.4) if ax is None else ax
        x, y, error = self.alphas_specific, self.alphas_shared, np.asarray(self.error)
        self.mesh_ = ax.pcolormesh(x, y, error, shading="nearest", cmap="viridis")
        ax.figure.colorbar(self.mesh_, ax=ax, label=self.label)
        i, j = np.unravel_index(error.argmin(), error.shape)
        self.best_ = float(y[i]), float(x[j])
        ax.plot(x[j], y[i], "o", color="white", markeredgecolor="black", label="least of the grid")
        if self.optimum is not None:
            ax.plot(*self.optimum[::-1], "x", color="#d55e00", markersize=9, label="closed form")
        ax.set(xscale="log", yscale="log", xlabel="alpha_specific", ylabel="alpha_shared")
        ax.legend(loc="upper right", fontsize="small")
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _error(problem, alpha_shared, alpha_specific):
    matrix = penalty_matrix(problem.n_tasks, alpha_shared, alpha_specific)
    return predict_risk(replace(problem, penalty_matrix=matrix)).generalization_error.mean()


def _optimum(problem):
    """The best alphas where they are known and finite."""
    try:
        best = optimal_penalty(problem)
    except ValueError:  # no closed form
        return None
    alphas = best.alpha_shared, best.alpha_specific
    return alphas if None not in alphas and np.isfinite(alphas).all() else None
