"""Newton's method with backtracking for a SmoothProblem; how a step is found is a function.

It stops when the largest gradient is at most tol times its scale, that at zero coefficients (see
LinearObjective.slope_scale).
"""

import numpy as np

from .._backend import namespace_of, to_numpy

ARMIJO, SHORTEST = 1e-4, 2.0**-30
POLISH = 1e-5  # accuracy of a step from where `tol` is reached
FALL, PATIENCE = 0.9, 50  # steps in which the gradient is to fall by a tenth
ROUNDING = 1e-14  # relative change of the objective, or gradient, that says nothing


def minimise(problem, step_of, *, tol, max_iter, start=None, polish=False):
    """Minimise a SmoothProblem whose penalty is set.

    Parameters
    ----------
    problem : SmoothProblem
    step_of : callable
        (problem, second, gradient, tolerance) -> approximate Newton step, whose residual is
        to be at most `tolerance` times the gradient.
    tol : float
    max_iter : int
    start : array, optional
        Parameters to begin with; default: zeros.
    polish : bool, default=False
        Take one more step when `tol` is reached: it squares the error, and results then agree to
        rounding between solvers and devices.

    Returns
    -------
    point : Point
    n_iter : int
    residual : float
        Relative gradient.
    """
    point = problem.at(problem.zeros())
    gradient = problem.gradient(point)
    scale = problem.slope_scale(gradient)
    if start is not None:
        point = problem.at(start)
        gradient = problem.gradient(point)
    residual, n_iter = relative_size(gradient, scale), 0
    best, since = residual, 0
    while (residual > tol or (polish and residual > ROUNDING)) and n_iter < max_iter:
        polish = polish and residual > tol
        accuracy = 0.1 * min(0.1, np.sqrt(residual)) if residual > tol else POLISH
        second = problem.second_order(point.scores)
        step = step_of(problem, second, gradient, accuracy)
        new = _search(problem, point, gradient, step)
        if new is None:
            break  # no descent is left above rounding
        point, gradient = new, problem.gradient(new)
        residual, n_iter = relative_size(gradient, scale), n_iter + 1
        best, since = (residual, 0) if residual < FALL * best else (best, since + 1)
        if since == PATIENCE:
            break  # steps are those of rounding
    return point, n_iter, residual


def relative_size(gradient, scale):
    """Largest gradient relative to its scale."""
    return float((abs(to_numpy(gradient)) / scale).max())


def _search(problem, point, gradient, step):
    """The next point along the step, or None where the objective does not fall."""
    xp = namespace_of(step)
    slope = float(xp.sum(gradient * step))
    images, length = problem.images(step), 1.0
    while length >= SHORTEST:
        new = problem.along(point, step, images, length)
        gain = point.value - new.value
        if gain >= -ARMIJO * length * slope - ROUNDING * abs(point.value):
            return new if slope < 0 else None
        length /= 2
    return None
