"""Fits under a balancer: weights and weighted fits in turn, or descent along its directions.

A balancer that reads what weighted fits decide (losses, excess risks, distances to the optima) is
iterated to a fixed point, w = weights(statistics of the fit under w): for convex losses it selects
one Pareto point whatever the start.  One that reads gradients alone is followed downhill
(_balanced_descent.py) and stops where it first meets the Pareto set.
"""

import numpy as np
from scipy.optimize import minimize

from ._balanced_descent import Balanced, descend

SETTLED = 1e-5  # largest change of a weight, of mean 1, at a fixed point
DEPTH, DAMPING, FARTHEST = 6, 0.5, 3.0  # of the mixing; the last in logarithms of a weight
LEAST_SHARE = 1e-3  # of a weight times its bar, where a bargain begins
HALVINGS = 20
MOST_ASCENTS = 100  # on the dual
GAP = 1e-3  # between the largest excess and a bound from below, relative to it
FINE = 1e-12  # change of the dual at which its ascent ends


def balance_fit(objectives, balancer, make_stats, rng, *, max_iter):
    """Fit under a balancer.

    Parameters
    ----------
    objectives : TaskObjectives
    balancer : Balancer
    make_stats : callable
        Keywords among losses, excess, distances, disagreement, jacobian -> statistics.
    rng : RandomState
    max_iter : int
        Most weighted fits, or steps of descent.

    Returns
    -------
    Balanced

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl._classes import UnitLayout
    >>> from skmtl._data import wide_data
    >>> from skmtl.losses import LogLoss
    >>> from skmtl.penalties import SharedSpecific
    >>> from skmtl.balancing import TaskStats, Uncertainty
    >>> from skmtl.solvers import SmoothProblem, TaskObjectives, balance_fit
    >>> X, Y = np.array([[-1.0], [0.0], [1.0]]), np.array([[0.0, 0], [1, 0], [1, 1]])
    >>> data, _ = wide_data(X, Y)
    >>> layout = UnitLayout([np.zeros(1, int)] * 2, [np.ones(1)] * 2, 1)
    >>> problem = SmoothProblem(data, LogLoss(), layout, np.ones(2), fit_intercept=True)
    >>> limits = {"solver": "irls", "tol": 1e-8, "max_iter": 50}
    >>> penalty = SharedSpecific(1.0, np.inf, np.inf)
    >>> objectives = TaskObjectives(problem, penalty, np.full(2, 3.0), limits)
    >>> found = balance_fit(objectives, Uncertainty(), TaskStats, None, max_iter=100)
    >>> product = found.weights * objectives.losses(found.point)
    >>> (product / product.mean()).round(3)  # weights are inverse to losses
    array([1., 1.])
    """
    state = balancer.init(objectives.n_tasks, rng)
    reads = balancer.needs | balancer.welcomes
    if reads & {"gramian", "jacobian"} and not reads & {"excess", "distances"}:
        return descend(objectives, balancer, make_stats, state, max_iter)
    if "excess" in reads:
        start = objectives.problem.at(objectives.problem.zeros())
        scales = balancer.scales(objectives.excess(start))
        if scales is not None:
            return _least_maximum(objectives, scales, objectives.gains, max_iter)
    return _fixed_point(objectives, balancer, make_stats, state, max_iter)


def _fixed_point(objectives, balancer, make_stats, state, max_iter):
    """Weights and weighted fits in turn until the weights stay."""
    w, accepts = np.ones(objectives.n_tasks), lambda point: True
    _, point = objectives.fit(w)
    bars = balancer.bars(lambda: objectives.disagreement)
    if bars is not None and not (objectives.losses(point) < bars).all():
        w, point, accepts = _bargain(objectives, bars, w, point, max_iter)
    mix = _plain if balancer.remembers else _Mixing()
    stuck = False
    for n_iter in range(1, max_iter + 1):
        new, state = balancer.step(make_stats(**_statistics(objectives, balancer, point)), state)
        new = new / new.mean()
        change = np.abs(new - w).max()
        if change <= SETTLED and n_iter > 1:
            break
        last = point
        w, point = _moved(objectives, w, point, mix(w, new), accepts)
        if point is last:  # no part of the way is accepted
            if stuck:
                break
            mix = _Mixing()
        stuck = point is last
    return Balanced(point, w, n_iter, change / SETTLED)


def _bargain(objectives, bars, w, point, max_iter):
    """(weights, point, whether a point is accepted), of a fit that all tasks gain from if any is.

    The largest loss in units of its bar is least where every task gains.
    """
    if not (bars > 0).all():
        return w, point, lambda point: True
    found = _least_maximum(objectives, 1 / bars, lambda p: objectives.losses(p) - bars, max_iter)
    if not (objectives.losses(found.point) < bars).all():
        return w, point, lambda point: True
    shares = found.weights * bars  # in the losses' own units
    w = np.maximum(shares, LEAST_SHARE * shares.mean()) / bars
    accepts = lambda point: bool((objectives.losses(point) < bars).all())  # noqa: E731
    return w / w.mean(), found.point, accepts


def _moved(objectives, w, point, new, accepts):
    """(weights, point) of a fit with the new weights, or part of the way to what is accepted."""
    for _ in range(HALVINGS):
        _, there = objectives.fit(new, start=point)
        if accepts(there):
            return new, there
        new = np.sqrt(w * new)
        new = new / new.mean()
    return w, point


def _plain(w, new):
    """The next weights of a balancer with a memory: its own."""
    return new


class _Mixing:
    """Anderson's mixing of the logarithms of the weights, for a balancer without a memory."""

    def __init__(self):
        self.points, self.changes = [], []

    def __call__(self, w, new):
        """Weights at which the changes seen so far cancel best, in mean 1."""
        if min(w.min(), new.min()) <= 0:
            return (w + new) / 2
        point, change = np.log(w), np.log(new) - np.log(w)
        if self.changes and np.abs(change).max() > 2 * np.abs(self.changes[-1]).max():
            self.points, self.changes = [], []
        self.points, self.changes = [*self.points, point][-DEPTH:], [*self.changes, change][-DEPTH:]
        F, Z = np.array(self.changes), np.array(self.points)
        best = point + DAMPING * change
        if len(F) > 1:
            steps = np.diff(F, axis=0)
            gamma = np.linalg.lstsq(steps.T, change, rcond=1e-10)[0]
            best = best - gamma @ (np.diff(Z, axis=0) + DAMPING * steps)
        best = np.clip(best - point, -FARTHEST, FARTHEST) + point
        mixed = np.exp(best - best.max())
        return mixed / mixed.mean()


def _least_maximum(objectives, scales, amounts, max_iter):
    """Parameters at which the largest scaled amount is least, from its concave dual.

    max over shares l of min over the parameters of sum_t l_t a_t e_t, where e_t, from `amounts`, is
    the task's objective up to a factor and a constant; the gradient in l_t is a_t e_t, and the
    weights are proportional to l_t a_t.
    """
    T, fits = objectives.n_tasks, []
    if not (scales > 0).any():  # nothing to gain at zero coefficients
        scales = np.ones(T)

    def weights(shares):
        w = np.maximum(shares, 0) * scales
        return w / w.mean()

    def dual(shares):
        _, point = objectives.fit(weights(shares), start=fits[-1] if fits else None)
        fits.append(point)
        scaled = scales * amounts(point)
        return -float(shares @ scaled), -scaled

    shares = np.where(scales > 0, 1.0, 0.0)
    found = minimize(
        dual,
        shares / shares.sum(),
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0 if scale > 0 else 0.0) for scale in scales],
        constraints={"type": "eq", "fun": lambda x: x.sum() - 1, "jac": np.ones_like},
        options={"maxiter": min(max_iter, MOST_ASCENTS), "ftol": FINE},
    )
    w = weights(found.x)
    _, point = objectives.fit(w, start=fits[-1])
    scaled = scales * amounts(point)
    gap = scaled.max() - found.x @ scaled  # between the largest excess and its bound from below
    size = np.abs(scaled).max()
    return Balanced(point, w, len(fits), gap / (GAP * size) if size > 0 else 0.0)


def _statistics(objectives, balancer, point):
    """What the balancer reads."""
    reads = balancer.needs | balancer.welcomes
    found = {"losses": objectives.losses(point)}
    if reads & {"gramian", "jacobian"}:
        found["jacobian"] = objectives.jacobian(point)
    for name in ("excess", "distances"):
        if name in reads:
            found[name] = getattr(objectives, name)(point)
    if "disagreement" in reads:
        found["disagreement"] = objectives.disagreement
    return found
