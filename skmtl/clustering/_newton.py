"""Clustering with losses that are not quadratic: Newton's quadratics, each a clustering fit."""

import numpy as np

from ._certificate import first_order_residual, objective, relative_gap
from ._dual import duality_gap
from ._model import Clustering, Model

MOST_STEPS = 100
ROUGH = 0.1  # tol of a fit of a quadratic, in the residual of the last one
SHORTEST = 2.0**-20  # step that is none
ROUNDING = 1e-12  # relative change of the objective that says nothing


def newton(smooth, model, state, P, tol, max_iter):
    """Clustering of SmoothLosses.

    Parameters
    ----------
    smooth : SmoothLosses
    model : Model
        Of their first quadratics.
    state : State
    P : ndarray of shape (n_tasks, n_coordinates)
        Outlier parts whose tangents come first.
    tol : float
        Of the first-order residual: where classes are separated the objective tends to zero, and
        no gap is small against it.
    max_iter : int
    """
    here, zero = smooth.start, np.zeros_like(P)
    parts = here.W, zero, zero
    value = _objective(here, model, parts)
    thresholds, n_iter, last = model.thresholds(P), 0, 1.0
    for _ in range(MOST_STEPS):
        step = model.solve(state, thresholds, max(tol / 10, ROUGH * last), max_iter - n_iter)
        state, n_iter = step.state, n_iter + step.n_iter
        here, parts, value, length = _advance(smooth, model, here, parts, step, value)
        fit = _certified(here, model, parts, step, value, n_iter)
        last = fit.residual
        if fit.residual <= tol or n_iter >= max_iter or length == 0:
            break
        thresholds = model.thresholds(fit.O)
        model = Model(here.quadratics(), *model.point[1:])
    return fit._replace(converged=fit.residual <= tol, gap=_gap(here, model, fit))


def _advance(smooth, model, here, parts, step, value):
    """(point, parts, objective, length) as far towards the step as the objective falls."""
    ends, b = (step.W, step.U, step.O), model.losses.levels(step.W)
    length = 1.0
    while length > SHORTEST:
        way = [
            x + length * (end - x) if length < 1 else end
            for x, end in zip(parts, ends, strict=True)
        ]
        there = smooth.at(way[0], here.b + length * (b - here.b))
        reached = _objective(there, model, way)
        if reached <= value + ROUNDING * abs(value):
            return there, way, reached, length
        length /= 2
    return here, parts, value, 0.0


def _objective(here, model, parts):
    return objective(here, *model.point[1:], *parts)


def _gap(here, model, fit):
    """Duality gap of a Clustering at a point, NaN where the problem is not convex."""
    if not model.is_convex:
        return np.nan
    point = here, model.graph, model.thresholds(fit.O), model.alpha, model.alpha_fuse
    excess = duality_gap(*point, fit.W, fit.state.edge_dual, fit.objective)
    return relative_gap(here, excess, fit.objective)


def _certified(here, model, parts, step, value, n_iter):
    """Clustering at a point, with the first-order residual of the losses themselves."""
    W, U, O = parts  # noqa: E741
    point, dual = (here, *model.point[1:]), step.state.edge_dual
    residual = first_order_residual(*point, W, U, O, dual)
    intercepts = np.sqrt((here.slopes[1] ** 2).sum()) / (here.scale or 1.0)
    return Clustering(
        W=W,
        U=U,
        O=O,
        component=step.component,
        objective=value,
        gap=np.nan,
        residual=max(residual, float(intercepts)),
        n_iter=n_iter,
        converged=False,
        state=step.state,
        b=here.b,
    )
