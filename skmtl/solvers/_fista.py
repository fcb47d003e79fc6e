"""Proximal gradient steps with momentum (FISTA [1]): a smooth loss and a penalty with a prox.

In units in which each feature has curvature one, diag(D), a step from V is
    W = prox(V - grad f(V) / (L D)),   f(W) <= f(V) + <grad, W - V> + L/2 ||W - V||_D^2,
where the inequality decides L.  Momentum starts again where it points uphill [2].

[1] A. Beck, M. Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear inverse
problems", SIAM Journal on Imaging Sciences 2, 2009.
[2] B. O'Donoghue, E. Candes, "Adaptive restart for accelerated gradient schemes", Foundations of
Computational Mathematics 15, 2015.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from .._backend import namespace_of

POWER_STEPS = 20  # of the power method for L, which the inequality corrects where it is too small
MOST_RAISES = 200  # which make 1e35 of it
RAISED = 1.5  # factor of L where the inequality fails
LOOK = 10  # steps between certificates
ROUNDING = 1e-13  # of the objective, or of that at zero: differences below it tell nothing


class Iterate(NamedTuple):
    """Coefficients (n_units, m) and the scores of each block there."""

    W: Any
    scores: list


class Metric(NamedTuple):
    """Curvatures of the features and of the intercepts (m,), and a bound on what is left."""

    D: Any
    L: float


@np.errstate(over="ignore", invalid="ignore")  # steps that are not finite are refused
def fista(objective, penalty, *, tol, max_iter, start=None):
    """Minimise f(W) + penalty(W), intercepts free.

    Parameters
    ----------
    objective : LinearObjective
        Of a loss with a bounded curvature.
    penalty : object with value, prox and separates_features
    tol : float
        Certificate at which it stops (see `certificate_of`).
    max_iter : int
    start : array of shape (n_units, m), optional

    Returns
    -------
    W : array of shape (n_units, m)
    n_iter : int
    certificate : float
    """
    certificate_of = Certificate(objective, penalty)
    metric = make_metric(objective, penalty)
    old = now = _at(objective, objective.zeros())
    rounding = ROUNDING * abs(objective.loss_sum(now.scores))
    if start is not None:
        old = now = _at(objective, start)
    t, n_iter, certificate = 1.0, 0, certificate_of(now, metric)
    while certificate > tol and n_iter < max_iter:
        # 1. the point that momentum leads to; scores are linear in W
        t, t_old = 0.5 + math.sqrt(0.25 + t * t), t
        ahead = _between(now, old, (t_old - 1) / t)
        # 2. a proximal gradient step from it, with L raised until it is a bound
        new, metric = _step(objective, penalty, ahead, metric, rounding)
        # 3. no momentum where it points uphill
        pull = metric.D * (ahead.W - new.W) * (new.W - now.W)
        if float(namespace_of(pull).sum(pull)) > 0:
            t = 1.0
        old, now, n_iter = now, new, n_iter + 1
        # 4. the certificate, now and then
        if n_iter % LOOK == 0 or n_iter == max_iter:
            certificate = certificate_of(now, metric)
    return now.W, n_iter, certificate


def make_metric(objective, penalty):
    """Metric of the largest curvatures that the loss can have."""
    D = curvatures(objective, penalty)
    return Metric(D, _largest_eigenvalue(objective, _largest_hessian(objective), D))


def curvatures(objective, penalty):
    """D: the largest curvature of each feature, and of the intercepts, over the tasks, (m,).

    Penalties that tie features together know one step size only: it is the largest one then.
    """
    xp, p = objective.place.xp, objective.n_coordinates
    D = xp.max(objective.diagonals(_largest_hessian(objective)), axis=0)
    # a constant column keeps the rounding of its mean, which is no curvature
    D = xp.where(D > objective.rounding_of_squares(), D, xp.ones_like(D))
    if penalty.separates_features:
        return D
    return xp.concat([xp.max(D[:p]) * xp.ones_like(D[:p]), D[p:]])


def _largest_hessian(objective):
    """What the Hessian is made of where all losses have their largest curvature."""
    bound = objective.loss.largest_curvature
    return [bound + 0 * z for z in objective.scores(objective.zeros())]


def _largest_eigenvalue(objective, second, D):
    """Of D^-1/2 H_t D^-1/2, the largest over the units, by the power method."""
    xp, root = namespace_of(D), namespace_of(D).sqrt(D)
    V = np.random.RandomState(0).normal(size=(objective.n_units, objective.width))
    V, size = objective.put(V), None
    for _ in range(POWER_STEPS):
        V = objective.curve(second, V / root) / root
        size = xp.sqrt(xp.sum(V * V, axis=1))
        V = V / xp.where(size > 0, size, xp.ones_like(size))[:, None]
    return max(float(xp.max(size)), np.finfo(float).tiny)


def _at(objective, W):
    return Iterate(W, objective.scores(W))


def _between(now, old, share):
    """`now` and that share of the way from `old` to it."""
    if share == 0:
        return now
    scores = [z + share * (z - z_old) for z, z_old in zip(now.scores, old.scores, strict=True)]
    return Iterate(now.W + share * (now.W - old.W), scores)


def _step(objective, penalty, ahead, metric, rounding):
    """(Iterate, Metric) after a proximal gradient step."""
    xp, slopes = namespace_of(ahead.W), objective.slopes(ahead.scores)
    for _ in range(MOST_RAISES):
        new = _at(objective, proximal_step(objective, penalty, ahead.W, slopes, metric))
        move = new.W - ahead.W
        room = metric.L / 2 * float(xp.sum(metric.D * move * move))
        if _rise(objective, slopes, ahead, new, move) <= room + rounding:
            return new, metric
        metric = metric._replace(L=RAISED * metric.L)
    raise ValueError(
        "no step lowers the objective: numbers are not finite or too large, or prox is not that of "
        f"the penalty {penalty!r}."
    )


def _rise(objective, slopes, ahead, new, move):
    """f(new) - f(ahead) - <slopes, move>, without cancellation where f is quadratic."""
    if objective.loss.is_quadratic:
        parts = zip(new.scores, ahead.scores, strict=True)
        return objective.energy([z - z_ahead for z, z_ahead in parts])
    fall = float(namespace_of(move).sum(slopes * move))
    return objective.loss_sum(new.scores) - objective.loss_sum(ahead.scores) - fall


def proximal_step(objective, penalty, W, slopes, metric):
    """prox(W - slopes / (L D)), intercepts without a prox."""
    xp, p = namespace_of(W), objective.n_coordinates
    step = 1 / (metric.L * metric.D)
    moved = W - slopes * step
    shrunk = penalty.prox(moved[:, :p], step[:p] if penalty.separates_features else step[0])
    if tuple(shrunk.shape) != (W.shape[0], p):
        raise ValueError(
            f"prox of {penalty!r} must return an array of the shape of W, {(W.shape[0], p)}, got "
            f"{tuple(shrunk.shape)}."
        )
    return shrunk if p == objective.width else xp.concat([shrunk, moved[:, p:]], axis=1)


class Certificate:
    """How far from the minimum, relative to the loss without features, or to the first step.

    For the squared error and a penalty alpha times a norm, with residuals r scaled until the dual
    norm of their slopes is at most alpha, it is the duality gap over the loss of the task means.
    Otherwise it is the largest of sqrt(L D) |W - prox(W - grad / (L D))|, relative to what it would
    be of a feature along which all slopes of a task's labels at zero lie.
    """

    def __init__(self, objective, penalty):
        self.objective, self.penalty = objective, penalty
        self.has_gap = objective.loss.is_quadratic and penalty.has_gap
        self.scale = None

    def __call__(self, now, metric=None):
        """The certificate at an Iterate; a gap needs no Metric."""
        if self.has_gap:
            return self._gap(now)
        slopes = self.objective.slopes(now.scores)
        move = proximal_step(self.objective, self.penalty, now.W, slopes, metric) - now.W
        xp = namespace_of(move)
        size = float(xp.max(xp.abs(move * xp.sqrt(metric.D)))) * math.sqrt(metric.L)
        if self.scale is None:
            length = self.objective.slope_length()
            self.scale = math.sqrt(length / self.objective.loss.largest_curvature) or 1.0
        return size * math.sqrt(metric.L) / self.scale

    def _gap(self, now):
        """Relative duality gap, with residuals scaled until they are feasible."""
        slopes, primal, with_y, null = self.objective.gap_parts(now.scores)
        alpha, size = self.penalty.alpha, self.penalty.dual_norm(slopes)
        share = min(1.0, alpha / size) if size > 0 else 1.0
        value = primal + self.penalty.value(now.W[:, : self.objective.n_coordinates])
        return max(value - share * with_y + share**2 * primal, 0.0) / (null or 1.0)
