"""Fits under a balancer: one concave program, weights and weighted fits in turn, or descent.

A balancer that maximises gains or makes the largest excess least is solved as the program that it
is.  Another that reads what weighted fits decide (losses, distances to the optima) is a fixed
point, w = weights(statistics of the fit under w).  One that reads gradients alone is followed
downhill (_balanced_descent.py) and stops where it first meets the Pareto set.
"""

import numpy as np

from . import _bargaining, _fixed_point_weights, _least_maximum
from ._balanced_descent import Balanced, descend

VANISHED = 1e-14  # of a loss without features
SETTLED = 1e-6  # change of a task's weighted loss, in units of the largest, of a rule with a memory


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
    >>> from skmtl._input import UnitLayout
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
    terms = balancer.terms(objectives.n_tasks)
    if terms is not None:
        found = _bargaining.bargain(objectives, terms)
        why = found.why and f"ends without a bargain: {found.why}"
        change = found.residual / _bargaining.SOUND
        return Balanced(found.point, found.weights, found.n_fits, change, why, found.tasks)
    reads = balancer.needs | balancer.welcomes
    if reads & {"gramian", "jacobian"} and not reads & {"excess", "distances"}:
        return descend(objectives, balancer, make_stats, state, max_iter)
    if "excess" in reads:
        start = objectives.problem.at(objectives.problem.zeros())
        scales = balancer.scales(objectives.excess(start))
        if scales is not None:
            found = _least_maximum.least_maximum(objectives, scales)
            return Balanced(
                found.point, found.weights, found.n_fits, found.gap / _least_maximum.SOUND
            )
    if balancer.remembers or "nonnegative" not in balancer.promises:
        return _in_turn(objectives, balancer, make_stats, state, max_iter)
    return _fixed_point(objectives, balancer, make_stats, state, max_iter)


def _fixed_point(objectives, balancer, make_stats, state, max_iter):
    """Weights that are those of their fit, for a balancer without a memory.

    The search begins with the weights of a model without features, which know the tasks' units.
    """

    def weigh(point):
        return balancer.step(make_stats(**_statistics(objectives, balancer, point)), state)[0]

    start = weigh(objectives.without_features)
    found = _fixed_point_weights.fixed_point_weights(
        lambda w, point: objectives.fit(w, start=point)[1],
        weigh,
        np.where(start > 0, start, start.max()),
        max_fits=max_iter,
    )
    change = found.residual / _fixed_point_weights.SOUND
    tasks = _vanished(objectives, found.point) if balancer.divides_by_losses else np.zeros(0, int)
    why = "ends with losses that vanish and by which its weights divide" if tasks.size else ""
    return Balanced(found.point, found.weights, found.n_fits, change, why, tasks)


def _vanished(objectives, point):
    """Tasks whose loss is one of rounding, there or at a model without features.

    A sum of logarithms of losses has no minimum where one of them can be made zero, as that of a
    task with a single label can; fits then end where rounding has it.
    """
    losses = objectives.losses(point)
    before = objectives.losses(objectives.without_features)
    return np.flatnonzero((losses <= VANISHED * before) | (before == 0))


def _in_turn(objectives, balancer, make_stats, state, max_iter):
    """Weights and weighted fits in turn, for a balancer with a memory, until the weights stay.

    A change counts by the loss that it moves: the weight of a task that is given up falls for ever.
    """
    w, point, change = np.ones(objectives.n_tasks), None, np.inf
    units = objectives.losses(objectives.without_features)
    for n_iter in range(1, max_iter + 1):
        _, point = objectives.fit(w, start=point)
        new, state = balancer.step(make_stats(**_statistics(objectives, balancer, point)), state)
        new = new / new.mean()
        change = np.abs((new - w) * units).max() / np.abs(new * units).max()
        if change <= SETTLED and n_iter > 1:
            break
        w = new
    return Balanced(point, w, n_iter, change / SETTLED)


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
