"""Any convex loss: the fixed point of labels' and weights' sides in m, log q and log gamma.

Damped iteration, accelerated by Anderson's mixing; where that fails, a slower one, and then a
continuation from a strong penalty down to the one asked for.
"""

from dataclasses import replace

import numpy as np

from ._channel import channel
from ._solution import Solution
from ._squared import solve_squared
from ._weights import mean_over, overlaps, resolvent

TOL = 1e-9  # R is ill-conditioned for small penalties: its rounding shows up to 1e-10
WARM_UP = 8  # plain steps before the mixing
LONGEST = 0.5  # mixed step in a coordinate: longer ones leave the range where iterates make sense
ASTRAY = 10.0  # times the least residual: the mixing is begun anew from there
ATTEMPTS = (  # damping, steps that are mixed, most iterations
    (0.8, 8, 300),
    (0.3, 8, 300),
    (0.1, 0, 1500),
)
CONTINUATION = np.logspace(4, 0, 13)  # multiples of the penalty


def solve_fixed_point(problem, start=None):
    """Solution for any loss, from `start` (a Solution) or from that of squared loss."""
    first = _initial(problem) if start is None else _pack(problem, start)
    n_iter = 0
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # of steps that go astray
        for attempt in ATTEMPTS:
            x, more, residual = _iterate(problem, first, *attempt)
            n_iter += more
            if residual <= TOL:
                break
        else:
            x, more, residual = _continue(problem)
            n_iter += more
    return _finish(problem, x, n_iter, residual)


def _continue(problem):
    """Follow the solution from a strong penalty to the problem's own."""
    n_iter, x = 0, None
    for factor in CONTINUATION:
        stage = replace(problem, penalty_matrix=factor * problem.penalty_matrix)
        x = _initial(stage) if x is None else x
        x, more, residual = _iterate(stage, x, *ATTEMPTS[1])
        n_iter += more
    return x, n_iter, residual


def _iterate(problem, x, damping, window, max_iter):
    """x <- x + damping (map(x) - x), mixed over the last `window` steps; (x, n_iter, residual)."""
    labels, history, n_plain = channel(problem), [], 0
    best, best_residual = x, np.inf
    for n_iter in range(1, max_iter + 1):  # noqa: B007
        step = _map(problem, labels, x) - x
        residual = np.abs(step).max()
        if residual < best_residual:
            best, best_residual = x, residual
        if residual <= TOL or not np.isfinite(residual):
            break
        if residual > ASTRAY * best_residual:
            x, history, n_plain, damping = best, [], 0, max(damping / 2, 0.1)
            continue
        n_plain += 1
        history = [*history, (x, step)][-(window + 1) :] if n_plain > WARM_UP else []
        x = _mixed(x, step, history, damping)
    return best, n_iter, float(best_residual)


def _mixed(x, step, history, damping):
    """Anderson's mixing: the combination of past steps whose residual is least, of type II."""
    if len(history) < 2:
        return x + damping * step
    X, F = (np.array(part) for part in zip(*history, strict=True))
    dX, dF = np.diff(X, axis=0), np.diff(F, axis=0)
    weights = np.linalg.lstsq(dF.T, step, rcond=1e-10)[0]
    return x + np.clip(damping * step - (dX + damping * dF).T @ weights, -LONGEST, LONGEST)


def _map(problem, labels, x):
    """New coordinates from old: through the labels' side, then the weights' side."""
    nu, kappa, chi2 = labels.moments(*_unpack(problem, x))
    m, q, gamma = _weights_side(problem, nu, kappa, chi2)
    return _coordinates(problem, m, q, gamma)


def _weights_side(problem, nu, kappa, chi2):
    R = resolvent(problem, nu)
    gamma = np.diag(mean_over(problem, R)) / problem.sample_ratio
    return *overlaps(problem, R, kappa, chi2), gamma


def _initial(problem):
    """Of squared loss, whose labels' first moments are those of the problem."""
    return _pack(problem, solve_squared(replace(problem, loss="squared_error")))


def _pack(problem, solution):
    return _coordinates(problem, solution.m, solution.q, solution.gamma)


def _coordinates(problem, m, q, gamma):
    """x: m as a correlation, as q may be huge, and logarithms of the others."""
    return np.concatenate([m / np.sqrt(q * _teacher_scale(problem)), np.log(q) / 2, np.log(gamma)])


def _unpack(problem, x):
    correlation, log_norm, log_gamma = np.split(x, 3)
    q = np.exp(2 * log_norm)
    return correlation * np.sqrt(q * _teacher_scale(problem)), q, np.exp(log_gamma)


def _teacher_scale(problem):
    return np.where(problem.teacher_var > 0, problem.teacher_var, 1.0)


def _finish(problem, x, n_iter, residual):
    m, q, gamma = _unpack(problem, x)
    dual = channel(problem).moments(m, q, gamma)
    return Solution(m, q, gamma, *dual, n_iter, bool(residual <= TOL), residual)
