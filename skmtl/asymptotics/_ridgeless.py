"""Squared loss in the limit of a vanishing penalty: interpolators, and least squares beside them.

Joint limit eps Omega: with more rows than features a task is least squares on its own; the others
interpolate with the least tr(W' Omega W), where D_h = lim D_nu / eps solves h_t mean_s [sR]_tt =
alpha_t over them.  Shared limit: the part common to all tasks alone becomes free.
"""

from dataclasses import replace

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from .._checks import check_option
from ._existence import ZERO, check_unique, free_directions
from ._predict import read_out, solve
from ._prediction import warn_unless_converged
from ._solution import Solution
from ._squared import GOOD, linear_moments, smoothed, solve_nu
from ._weights import resolvent

CLOSE = 1e-9  # to a threshold


def ridgeless_risk(problem, *, limit="joint"):
    """Errors of least squares in the limit of a vanishing penalty, where double descent shows.

    Parameters
    ----------
    problem : AsymptoticProblem
        Of squared error. Its penalty matrix gives the direction of the limit, whatever its size.
    limit : {"joint", "shared"}, default="joint"
        "joint": the whole penalty, eps * Omega with eps -> 0. "shared": only what keeps the part
        common to all tasks small, alpha_shared -> 0 in :func:`penalty_matrix`.

    Returns
    -------
    RiskPrediction
        `leverage` is inf for tasks that are interpolated.

    Raises
    ------
    ValueError
        If a ratio lies at a threshold, where the error is infinite (n_t/p = 1 in the joint limit,
        their sum = 1 in the shared one), if the loss is another, or if the penalty leaves the
        interpolator undetermined.

    See Also
    --------
    predict_risk : At a given penalty.
    interpolation_thresholds : Where the peaks are.

    Notes
    -----
    In the joint limit the peak stays at n_t = p for any number of tasks. In the shared limit it is
    where the rows of all tasks together are as many as the features; beyond it there are no
    specific parts, and the common coefficients are the pooled interpolator of least norm.

    Examples
    --------
    >>> from skmtl.asymptotics import AsymptoticProblem, penalty_matrix, ridgeless_risk, task_gram
    >>> problem = AsymptoticProblem(
    ...     sample_ratio=0.9,
    ...     gram=task_gram(4, similarity=0.8),
    ...     noise_var=0.1,
    ...     penalty_matrix=penalty_matrix(4, alpha_shared=1.0, alpha_specific=1.0),
    ... )
    >>> ridgeless_risk(problem).generalization_error.round(3)
    array([1.05, 1.05, 1.05, 1.05])
    >>> ridgeless_risk(problem, limit="shared").generalization_error.round(3)
    array([0.266, 0.266, 0.266, 0.266])
    """
    check_option("limit", limit, ("joint", "shared"))
    if problem.loss != "squared_error":
        raise ValueError(
            f"loss must be 'squared_error' for a ridgeless limit, got {problem.loss!r}; use "
            "predict_risk with a small penalty."
        )
    solution = (_joint if limit == "joint" else _shared)(problem)
    warn_unless_converged(solution)
    return read_out(problem, solution)


def _joint(problem):
    alpha = problem.sample_ratio
    if (np.abs(alpha - 1) <= CLOSE).any():
        t = int(np.argmin(np.abs(alpha - 1)))
        raise ValueError(
            f"sample_ratio must not be 1 in the joint ridgeless limit, got it for task {t}: the "
            "error is infinite at n = p; move off the threshold or use predict_risk."
        )
    few, many = np.flatnonzero(alpha < 1), np.flatnonzero(alpha > 1)
    C = np.zeros((len(problem.eigenvalues), problem.n_tasks, problem.n_tasks))
    C[:, many, many] = 1.0
    n_iter, residual = 1, 0.0
    if few.size:
        part = problem.with_tasks(few)
        check_unique(part, remedy='penalise it, or take limit="shared" if it is the common part')
        start = np.diag(part.penalty_matrix) / (1 - part.sample_ratio)
        h, n_iter, residual = solve_nu(part, np.zeros(few.size), start)
        R = resolvent(part, h)
        C[:, few[:, None], few] = R * h
        # least squares of the other tasks are fixed centres
        coupling = problem.penalty_matrix[np.ix_(few, many)]
        C[:, few[:, None], many] = -R @ coupling / problem.eigenvalues[:, None, None]
    return _solution(problem, C, np.maximum(0.0, 1 - 1 / alpha), n_iter, residual)


def _shared(problem):
    total = problem.sample_ratio.sum()
    if abs(total - 1) <= CLOSE:
        raise ValueError(
            "sample_ratio must not sum to 1 in the shared ridgeless limit: the error is infinite "
            "where the rows of all tasks are as many as the features; move off the threshold or "
            "use predict_risk."
        )
    freed = replace(problem, penalty_matrix=_free_common_part(problem.penalty_matrix))
    if total > 1:
        return solve(freed)
    n_free = len(free_directions(freed.penalty_matrix))
    if n_free != 1:
        raise ValueError(
            "penalty_matrix must keep all differences between tasks small in the shared ridgeless "
            f"limit with fewer rows than features, got {n_free - 1} free ones besides the common "
            "part."
        )
    return _solution(problem, _pooled_smoother(problem, total), np.zeros(problem.n_tasks), 1, 0.0)


def _free_common_part(penalty):
    """The penalty of W least over shifts of all tasks by one vector."""
    ones = penalty.sum(axis=1)
    if ones.sum() <= ZERO * np.trace(penalty):
        return penalty
    return penalty - np.outer(ones, ones / ones.sum())


def _pooled_smoother(problem, total):
    """Of the interpolator of least norm with one coefficient vector for all rows."""
    s = problem.eigenvalues

    def kept(log_H):
        """What is learnt of a direction, at each eigenvalue."""
        return expit(np.log(s) + log_H)

    level = logit(total)  # were all eigenvalues equal, log H would be level - log s
    ends = level - np.log(s.max()) - 1e-6, level - np.log(s.min()) + 1e-6
    log_H = brentq(lambda x: problem.eigenvalue_weights @ kept(x) - total, *ends, xtol=1e-14)
    share = problem.sample_ratio / total
    return kept(log_H)[:, None, None] * np.ones((problem.n_tasks, 1)) * share


def _solution(problem, C, shrink, n_iter, residual):
    """Solution of smoothers C whose training residuals are `shrink` times those of new rows."""
    error, m, q = smoothed(problem, C)
    rho = problem.loss_weight
    nu = shrink * rho
    with np.errstate(divide="ignore"):
        gamma = 1 / nu - 1 / rho
    kappa = linear_moments(problem)[0] * nu
    chi2 = nu**2 * error / problem.sample_ratio
    return Solution(m, q, gamma, nu, kappa, chi2, n_iter, bool(residual <= GOOD), residual)
