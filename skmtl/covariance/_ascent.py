"""Two ascents that never step down: SQUAREM on a fixed-point map, and L-BFGS on a gradient."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

WINDOW = 5
MEMORY = 40  # steps of L-BFGS; with scipy's 10 loadings take up to twice as many iterations
FEW = 8  # parameters of which a Hessian is cheap
STEP, LEAST_BEND, NEWTON_STEPS, ROUNDING = 1e-4, 1e-4, 4, 1e-12
FAR_BELOW = 1e10  # times the first objective


class Ascent(NamedTuple):
    """Where an ascent ended: theta, the objective at the start and after each step, convergence."""

    theta: np.ndarray
    scores: list
    converged: bool


def squarem(theta, evaluate, *, tol, max_iter):
    """Squared extrapolation of a map that never lowers the objective.

    With z1, z2 two steps of the map from z0, r = z1 - z0, q = z2 - 2 z1 + z0 and
    alpha = -max(1, |r|/|q|), the next point is z0 - 2 alpha r + alpha^2 q, or z2 where the
    objective would fall below that of z1.

    Parameters
    ----------
    theta : ndarray
    evaluate : callable
        theta -> (objective, image of theta).
    tol : float
        Stop when two steps in a row gain less than tol max(1, |objective|).
    max_iter : int

    References
    ----------
    .. [1] Varadhan, R. and Roland, C. (2008). Simple and globally convergent methods for
       accelerating the convergence of any EM algorithm. Scandinavian Journal of Statistics 35.
    """

    def try_out(z):
        try:
            return evaluate(z)
        except np.linalg.LinAlgError:  # too far, to where rounding rules
            return -np.inf, z

    z0, (value, z1) = theta, evaluate(theta)
    scores, small = [value], 0
    for _ in range(max_iter):
        before = z0
        value1, z2 = evaluate(z1)
        r, q = z1 - z0, z2 - 2 * z1 + z0
        size, bend = np.linalg.norm(r), np.linalg.norm(q)
        alpha = -max(1.0, size / bend) if bend > 0 else -1.0
        z0 = z0 - 2 * alpha * r + alpha**2 * q
        value, image = try_out(z0)
        if not value >= value1:
            z0 = z2
            value, image = evaluate(z0)
        if value < scores[-1]:  # rounding, or the edge of what a variance may be
            return Ascent(before, scores, True)
        z1 = image
        small = small + 1 if value - scores[-1] < tol * max(1.0, abs(value)) else 0
        scores.append(value)
        if small == 2:
            return Ascent(z0, scores, True)
    return Ascent(z0, scores, False)


def lbfgs(theta, value_grad, *, bounds, units, tol, max_iter):
    """Limited-memory quasi-Newton ascent.

    Parameters
    ----------
    theta : ndarray
    value_grad : callable
        theta -> (objective, gradient).
    bounds : list of (lowest, highest) or (None, None)
    units : ndarray
        Lengths in which the entries of theta are measured: about their standard errors.
    tol : float
        Stop when the last steps, WINDOW of them, gain less than tol max(1, |objective|) together:
        a single one may be small anywhere.
    max_iter : int
    """
    scores = []

    def negative(z):
        try:
            value, gradient = value_grad(z * units)
        except np.linalg.LinAlgError:  # a trial step to where rounding rules: far too long
            if not scores:
                raise
            return FAR_BELOW * max(1.0, abs(scores[0])), np.zeros(len(z))
        if not scores:
            scores.append(value)
        return -value, -gradient * units

    def settled():
        value = scores[-1]
        return len(scores) > WINDOW and value - scores[-1 - WINDOW] < tol * max(1.0, abs(value))

    def record(intermediate_result):
        scores.append(-float(intermediate_result.fun))
        if settled():
            raise StopIteration

    found = minimize(
        negative,
        theta / units,
        jac=True,
        bounds=[
            (low, high) if low is None else (low / unit, high / unit)
            for (low, high), unit in zip(bounds, units, strict=True)
        ],
        method="L-BFGS-B",
        callback=record,
        options={
            "maxiter": max_iter,
            "maxfun": 20 * max_iter,
            "ftol": 0.0,
            "gtol": 1e-10,
            "maxcor": MEMORY,
        },
    )
    converged = settled() or found.nit < max_iter
    theta = found.x * units
    if converged and len(theta) <= FEW:
        try:
            theta, value = _polish(theta, value_grad, units)
            scores[-1] = max(scores[-1], value)
        except np.linalg.LinAlgError:  # at the edge of what a variance may be: it stays there
            pass
    return Ascent(theta, scores, converged)


def _polish(theta, value_grad, units):
    """Newton steps from near the maximum, so that its place does not depend on the way there.

    An evidence within 1e-5 of its maximum leaves theta open to a few thousandths. The Hessian
    comes from differences of the gradient, once; directions without curvature stay.
    """
    value, slope = value_grad(theta)
    bends = [(value_grad(theta + STEP * e)[1] - slope) * units / STEP for e in np.diag(units)]
    bend, V = np.linalg.eigh(-(np.array(bends) + np.array(bends).T) / 2)
    inverse = np.where(bend > LEAST_BEND, 1 / np.where(bend > LEAST_BEND, bend, 1.0), 0.0)
    for _ in range(NEWTON_STEPS):
        step = V @ (inverse * (V.T @ (slope * units)))
        trial = theta + units * step / max(1.0, np.linalg.norm(step))
        value_there, slope_there = value_grad(trial)
        if value_there < value - ROUNDING * abs(value):
            break
        theta, value, slope = trial, value_there, slope_there
    return theta, value
