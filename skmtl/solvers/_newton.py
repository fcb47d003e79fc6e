"""Newton's method with backtracking for a SmoothProblem; how a step is found is a function.

It stops when the largest gradient in the features' coordinates is at most tol times what it is at
zero coefficients, and that in the intercepts at most tol times half the weight of a unit's labels.
"""

import numpy as np

from .._backend import namespace_of, to_numpy

ARMIJO, SHORTEST = 1e-4, 2.0**-30
POLISH = 1e-5  # accuracy of a step from where `tol` is reached
ROUNDING = 1e-14  # relative change of the objective, or gradient, that says nothing


def minimise(problem, step_of, *, tol, max_iter, start=None, polish=False):
    """Minimise a SmoothProblem whose penalty is set.

    Parameters
    ----------
    problem : SmoothProblem
    step_of : callable
        (problem, means, gradient, tolerance) -> approximate Newton step, whose residual is
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
    scale = gradient_scale(problem, gradient)
    if start is not None:
        point = problem.at(start * problem.taken)
        gradient = problem.gradient(point)
    residual, n_iter = relative_size(gradient, scale), 0
    while (residual > tol or (polish and residual > ROUNDING)) and n_iter < max_iter:
        polish = polish and residual > tol
        accuracy = 0.1 * min(0.1, np.sqrt(residual)) if residual > tol else POLISH
        means = problem.means(point)
        step = step_of(problem, means, gradient, accuracy)
        new = _search(problem, point, gradient, step)
        if new is None:
            break  # no descent is left above rounding
        point, gradient = new, problem.gradient(new)
        residual, n_iter = relative_size(gradient, scale), n_iter + 1
    return point, n_iter, residual


def gradient_scale(problem, gradient):
    """What gradients are measured by, (m,), from that at zero: one for features, for intercepts."""
    gradient = abs(to_numpy(gradient))
    scale = np.full(problem.width, gradient[:, : problem.frame.X.shape[1]].max(initial=0.0))
    weights = [to_numpy(block.S).sum(axis=(1, 2)).max() for block in problem.blocks]
    if problem.fit_intercept:
        scale[-1] = max(weights) / 2
    return np.where(scale > 0, scale, 1.0)


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
