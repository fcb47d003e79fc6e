"""Squared loss: T equations for nu, then the test errors of all tasks from one linear system.

nu_t = 1 / (1/rho_t + gamma_t),   gamma_t = mean_s [s R]_tt / alpha_t,   C = s R D_nu
E = (I - mean_s C.^2 D_{1/alpha})^-1 mean_s [y2 - 2 a diag(C D_a sG) + diag(C D_a sG D_a C')]
"""

from typing import NamedTuple

import numpy as np

from ._solution import Solution
from ._teachers import TEACHERS
from ._weights import mean_over, resolvent

TOL = 1e-12
SHORT = 1e-6  # Newton steps that only rounding can spoil
GOOD = 1e-8  # residual that the rounding of an ill-conditioned R may leave
MAX_ITER = 300


def solve_squared(problem):
    """Solution for squared loss and a penalty that makes the minimiser unique."""
    nu, n_iter, residual = solve_nu(problem, 1 / problem.loss_weight, problem.loss_weight)
    a, _ = linear_moments(problem)
    error, m, q = smoothed(problem, resolvent(problem, nu) * nu)
    return Solution(
        m=m,
        q=q,
        gamma=1 / nu - 1 / problem.loss_weight,
        nu=nu,
        kappa=a * nu,
        chi2=nu**2 * error / problem.sample_ratio,
        n_iter=n_iter,
        converged=bool(residual <= GOOD),
        residual=residual,
    )


def linear_moments(problem):
    """(a, y2) with E[y x] = a Sigma beta and E[y^2] = y2, each of shape (n_tasks,)."""
    teacher = TEACHERS[problem.teacher]
    if teacher is None:
        return np.ones(problem.n_tasks), problem.teacher_var + problem.noise_var
    _, slope = teacher.response(np.zeros(problem.n_tasks), problem.teacher_var)
    return 2 * (1 - 2 * problem.flip_proba) * slope, np.ones(problem.n_tasks)


def smoothed(problem, C):
    """(E, m, q) of the estimates W = C (a beta + noise): test errors, overlaps, squared norms.

    C has shape (n_eigenvalues, n_tasks, n_tasks); the noise of task s has variance E_s / n_s.
    """
    a, y2 = linear_moments(problem)
    G = problem.eigenvalues[:, None, None] * problem.gram
    CG = C * a @ G
    m = mean_over(problem, np.diagonal(CG, axis1=1, axis2=2))
    signal = mean_over(problem, np.sum(CG * (C * a), axis=2))
    feedback = mean_over(problem, C**2) / problem.sample_ratio
    error = np.linalg.solve(np.eye(problem.n_tasks) - feedback, y2 - 2 * a * m + signal)
    return error, m, signal + feedback @ error


def solve_nu(problem, inverse_weight, start):
    """Newton's method in log nu, from above the solution; (nu, n_iter, residual).

    `inverse_weight` is 1/rho_t, or 0 for interpolators, whose nu is relative to the penalty.
    """
    x, best, step, g = np.log(start), np.inf, np.zeros(problem.n_tasks), 0.0
    for n_iter in range(1, MAX_ITER + 1):  # noqa: B007
        tried = _equations(problem, inverse_weight, x + step)
        size = np.abs(tried.g).max()
        if size >= best:
            if np.abs(step).max() <= SHORT:
                break  # as exact as rounding lets it be
            # overshot: the plain iteration is slow but sure, as nu -> 1/(1/rho + gamma) is
            # increasing in nu, and by less than a factor
            step = -g
            tried = _equations(problem, inverse_weight, x + step)
            size = np.abs(tried.g).max()
        x, best, g = x + step, size, tried.g
        if size <= TOL:
            break
        step = np.clip(-np.linalg.solve(tried.jacobian, g), -5.0, 5.0)
    return np.exp(x), n_iter, float(best)


class _Equations(NamedTuple):
    g: np.ndarray  # log nu + log(1/rho + gamma), 0 at the solution
    jacobian: np.ndarray  # of g in log nu


def _equations(problem, inverse_weight, x):
    nu = np.exp(x)
    R = resolvent(problem, nu)
    total = inverse_weight + np.diag(mean_over(problem, R)) / problem.sample_ratio
    pull = mean_over(problem, R**2) * nu / (problem.sample_ratio * total)[:, None]
    return _Equations(x + np.log(total), np.eye(len(x)) - pull)
