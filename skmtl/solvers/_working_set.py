"""Working sets: a penalty that selects features is solved in those few that the solution may need.

The first set holds the features with the largest slopes.  The solution in it, all other features
being zero, has a certificate among all of them; as long as that is too large, a set twice the size
is taken, those in use included.
"""

import numpy as np

from .._backend import namespace_of, take, to_numpy
from ._fista import Certificate, Iterate, curvatures, fista
from ._gram_objective import GramObjective, gram_fits

FEWEST = 32  # features of the first working set
WHOLE = 0.5  # share of the features from which they are taken all
EARLY = 0.1  # share of the certificate to which sets are solved that may lack features
INNER = 0.3  # accuracy in a working set, of that asked for


def solve_working_set(objective, penalty, *, tol, max_iter):
    """Minimise f(W) + penalty(W), for a penalty that separates features and has a dual norm.

    Parameters
    ----------
    objective : LinearObjective
    penalty : object with value, prox and dual_norm
    tol : float
    max_iter : int
        Proximal steps in all.

    Returns
    -------
    W : array of shape (n_units, m)
    n_iter : int
    certificate : float
    """
    p, n_iter, W = objective.n_coordinates, 0, objective.zeros()
    certificate_of, D = Certificate(objective, penalty), to_numpy(curvatures(objective, penalty))
    size = FEWEST
    while True:
        now = Iterate(W, objective.scores(W))
        certificate = certificate_of(now)
        if certificate <= tol or n_iter >= max_iter:
            return W, n_iter, certificate
        # 1. the features in use and those with the largest slopes, or all
        active = np.arange(p)
        if size < WHOLE * p:
            slopes = to_numpy(objective.slopes(now.scores))[:, :p]
            merit = np.linalg.norm(slopes, axis=0) / np.sqrt(D[:p])
            merit[_is_used(W[:, :p])] = np.inf
            active = np.sort(np.argsort(-merit, kind="stable")[:size])
        # 2. the solution among them, the others being zero
        limits = {"tol": INNER * max(tol, EARLY * certificate), "max_iter": max_iter - n_iter}
        found, steps = _solve_among(objective, penalty, active, W, limits)
        W, n_iter, size = found, n_iter + steps, 2 * size
        if steps == 0 and len(active) == p:
            return W, n_iter, certificate  # what is left is rounding


def _solve_among(objective, penalty, active, W, limits):
    """(Coefficients of all features, number of steps)."""
    p = objective.n_coordinates
    if gram_fits(objective, len(active)):
        inner = GramObjective(objective, active)
        found, steps, *_ = fista(inner, penalty, start=take(W, active, axis=1), **limits)
        return objective.with_best_intercepts(_spread(found, active, p)), steps
    columns = np.append(active, np.arange(p, objective.width))
    inner = objective if len(active) == p else objective.restricted(active)
    found, steps, *_ = fista(inner, penalty, start=take(W, columns, axis=1), **limits)
    return _spread(found, columns, objective.width), steps


def _is_used(W):
    return (to_numpy(W) != 0).any(axis=0)


def _spread(W, columns, width):
    """Coefficients of those columns among zeros."""
    source = np.full(width, len(columns))
    source[columns] = np.arange(len(columns))
    xp = namespace_of(W)
    return take(xp.concat([W, xp.zeros_like(W[:, :1])], axis=1), source, axis=1)
