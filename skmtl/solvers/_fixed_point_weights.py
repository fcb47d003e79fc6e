"""Weights that are those of the fit under them: x = F(x) in x = log w, whatever the tasks' units.

Anderson's mixing of the last changes F(x) - x, which needs a fit a step; where it does not settle,
dx/dt = F(x) - x is followed from the start in implicit steps that grow into Newton's (pseudo-
transient continuation), with a Jacobian by differences, n_tasks fits a step.
"""

from typing import Any, NamedTuple

import numpy as np

SETTLED, SOUND = 1e-9, 1e-6  # |F(x) - x| at which it stops, and above which it says so
LEAST = 1e-300  # weight relative to the largest; smaller ones do not count
DEPTH, DAMPING, FARTHEST = 6, 0.5, 3.0  # of the mixing
PATIENCE = 40  # fits of the mixing
DIFFERENCE = 1e-5  # of logarithms: fits are exact to about 1e-14
STALE = 40  # implicit steps that do not halve the least change
LONGER, SHORTEST, STALLED = 10.0, 0.1, 1e8  # of implicit steps


class FixedPoint(NamedTuple):
    """Point, weights of mean 1, number of fits, and the largest |F(x) - x|."""

    point: Any
    weights: np.ndarray
    n_fits: int
    residual: float


def fixed_point_weights(fit, weigh, start, *, max_fits):
    """Find weights w, each in (0, inf), that `weigh` finds at the fit under w.

    Parameters
    ----------
    fit : callable
        (weights of mean 1, Point to start from or None) -> Point.
    weigh : callable
        Point -> weights (n_tasks,), up to a factor.
    start : ndarray of shape (n_tasks,)
    max_fits : int

    Returns
    -------
    FixedPoint
    """
    search = _Search(fit, weigh, max_fits)
    search.mix(_logs(start))
    if search.best.size > SETTLED:
        search.follow(_logs(start))
    best = search.best
    return FixedPoint(best.point, _weights(best.x), search.n_fits, best.size)


def _logs(w):
    x = np.log(np.maximum(w, LEAST * w.max()))
    return x - x.mean()


def _weights(x):
    w = np.exp(x - x.max())
    return w / w.mean()


class _Visit(NamedTuple):
    x: np.ndarray
    change: np.ndarray
    point: Any
    size: float


class _Search:
    def __init__(self, fit, weigh, max_fits):
        self.fit, self.weigh, self.max_fits = fit, weigh, max_fits
        self.n_fits, self.best = 0, None

    def at(self, x, start):
        """Visit to logarithms of weights."""
        self.n_fits += 1
        point = self.fit(_weights(x), start)
        change = _logs(self.weigh(point)) - x
        visit = _Visit(x, change, point, float(np.abs(change).max()))
        if self.best is None or visit.size < self.best.size:
            self.best = visit
        return visit

    def mix(self, x):
        """Steps at which the changes seen last cancel best."""
        X, F, start = [], [], None
        while self.n_fits < min(PATIENCE, self.max_fits):
            visit = self.at(x, start)
            start = visit.point
            if visit.size <= SETTLED:
                return
            if F and visit.size > 2 * np.abs(F[-1]).max():
                X, F = [], []
            X, F = [*X, visit.x][-DEPTH:], [*F, visit.change][-DEPTH:]
            move = DAMPING * visit.change
            if len(F) > 1:
                steps = np.diff(F, axis=0)
                gamma = np.linalg.lstsq(steps.T, visit.change, rcond=1e-10)[0]
                move = move - gamma @ (np.diff(X, axis=0) + DAMPING * steps)
            x = x + np.clip(move, -FARTHEST, FARTHEST)

    def follow(self, x):
        """Implicit steps along dx/dt = F(x) - x, longer as the change falls, in the end Newton's.

        The change may grow on the way: descending on it would end where it is least, but not zero.
        """
        visit, length = self.at(x, None), 1.0
        mark, since = self.best.size, 0
        while self.best.size > SETTLED and self.n_fits < self.max_fits and since < STALE:
            system = np.eye(len(x)) / length - self._jacobian(visit)
            move = np.linalg.lstsq(system, visit.change, rcond=None)[0]
            new = self.at(visit.x + np.clip(move, -FARTHEST, FARTHEST), visit.point)
            ratio = np.linalg.norm(visit.change) / max(np.linalg.norm(new.change), LEAST)
            visit, length = new, max(length * min(ratio, LONGER), SHORTEST)
            since += 1
            if self.best.size < mark / 2:
                mark, since = self.best.size, 0
            if ratio < 2 and length > STALLED:
                return  # rounding

    def _jacobian(self, visit):
        columns = [
            (self.at(visit.x + DIFFERENCE * e, visit.point).change - visit.change) / DIFFERENCE
            for e in np.eye(len(visit.x))
        ]
        return np.stack(columns, axis=1)
