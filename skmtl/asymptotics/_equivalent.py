"""What the other tasks amount to for one of them: a ridge of another strength about a noisy centre.

Eliminating the others from Omega + D_nu leaves a Schur complement, the effective ridge, and a
linear term, the centre: each other task is a spring whose end is held at a noisy copy of its
coefficients.
"""

from typing import NamedTuple

import numpy as np

from .._checks import check_count
from ._predict import solve
from ._prediction import warn_unless_converged


class EquivalentTask(NamedTuple):
    """A single task that has the risk of one task among others.

    Attributes
    ----------
    effective_ridge : float
        Strength lam of the penalty ``lam/2 |w - c|^2``.
    center_coef : ndarray of shape (n_tasks,)
        Multiples of the tasks' true coefficients of which the centre c is the sum; 0 for the task
        itself.
    center_noise : float
        Squared length of the Gaussian noise that c has besides.
    """

    effective_ridge: float
    center_coef: np.ndarray
    center_noise: float


def equivalent_single_task(problem, task):
    """The single-task problem that has the same risk: implicit regularisation made explicit.

    Parameters
    ----------
    problem : AsymptoticProblem
        With uncorrelated features (``spectrum=None``).
    task : int
        Which of its tasks.

    Returns
    -------
    EquivalentTask

    Raises
    ------
    ValueError
        If there is no such task, the problem has a spectrum, or its minimiser is not unique.

    Notes
    -----
    In the limit, task t is learnt as if alone by

    .. math::
        \\min_w \\frac{\\rho_t}{n_t} \\sum_i loss(y_{ti}, x_{ti}^T w)
        + \\tfrac12 \\lambda_{eff} \\|w - c\\|^2, \\qquad
        c = \\sum_s center\\_coef_s \\beta_s + \\sqrt{center\\_noise / p}\\; h

    with h standard Gaussian. Alone, lam_eff of the shared-plus-specific penalty would be
    1/(1/alpha_specific + 1/alpha_shared); the others stiffen it, the more the better they are
    known, and pull towards their noisy consensus.

    Examples
    --------
    >>> from skmtl.asymptotics import (
    ...     AsymptoticProblem, equivalent_single_task, penalty_matrix, task_gram
    ... )
    >>> for T in (1, 2, 10):
    ...     problem = AsymptoticProblem(
    ...         sample_ratio=1.0,
    ...         gram=task_gram(T, similarity=0.8),
    ...         noise_var=0.5,
    ...         penalty_matrix=penalty_matrix(T, alpha_shared=0.2, alpha_specific=1.0),
    ...     )
    ...     print(T, round(equivalent_single_task(problem, 0).effective_ridge, 3))
    1 0.167
    2 0.335
    10 0.777
    """
    if problem.spectrum is not None:
        raise ValueError(
            "spectrum must be None: with correlated features the other tasks act as a different "
            "ridge in each eigendirection."
        )
    if check_count("task", task, least=0) >= problem.n_tasks:
        raise ValueError(f"task must be below n_tasks={problem.n_tasks}, got {task!r}.")
    solution = solve(problem)
    warn_unless_converged(solution)
    others = np.arange(problem.n_tasks) != task
    omega = problem.penalty_matrix
    springs = omega[np.ix_(others, others)] + np.diag(solution.nu[others])
    pull = -np.linalg.solve(springs, omega[others, task])
    ridge = omega[task, task] + omega[task, others] @ pull
    weight = np.zeros(problem.n_tasks)
    weight[others] = pull / ridge if ridge > 0 else 0.0
    return EquivalentTask(float(ridge), weight * solution.kappa, float(weight**2 @ solution.chi2))
