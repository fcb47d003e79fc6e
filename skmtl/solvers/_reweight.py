"""Fits under a balancer: one concave program, weights and weighted fits in turn, or descent.

A balancer that maximises gains or makes the largest excess least is solved as the program that it
is.  Another that reads what weighted fits decide (losses, distances to the optima) is a fixed
point, w = weights(statistics of the fit under w).  One that reads gradients alone is followed
downhill with a line search and stops where it first meets the Pareto set.
"""

from typing import Any, NamedTuple

import numpy as np

from ._bargaining import SOUND as AGREED
from ._bargaining import bargain
from ._fixed_point_weights import SOUND as FIXED
from ._fixed_point_weights import fixed_point_weights
from ._least_maximum import SOUND as LEAST
from ._least_maximum import least_maximum

SETTLED = 1e-6  # change of a task's weighted loss, in units of the largest, of a rule with a memory
ARMIJO, SHORTEST, LONGER = 1e-4, 1e-12, 2.0
FLAT = 1e-6  # direction relative to the first at which descent ends


class Balanced(NamedTuple):
    """A fit under a balancer.

    Attributes
    ----------
    point : Point
    weights : ndarray of shape (n_tasks,)
        Of the tasks' mean losses, mean 1; where negative ones outweigh the others, of mean
        absolute value 1.
    n_iter : int
    change : float
        What was left to change, relative to what is settled as 1.
    why : str
        What keeps it from being right, where more is known than the change.
    tasks : ndarray of int
        The tasks that `why` is about.
    """

    point: Any
    weights: np.ndarray
    n_iter: int
    change: float
    why: str = ""
    tasks: Any = ()


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
    terms = balancer.terms(objectives.n_tasks)
    if terms is not None:
        found = bargain(objectives, terms)
        change = found.residual / AGREED
        return Balanced(found.point, found.weights, found.n_fits, change, found.why, found.tasks)
    reads = balancer.needs | balancer.welcomes
    if reads & {"gramian", "jacobian"} and not reads & {"excess", "distances"}:
        return _descend(objectives, balancer, make_stats, state, max_iter)
    if "excess" in reads:
        start = objectives.problem.at(objectives.problem.zeros())
        scales = balancer.scales(objectives.excess(start))
        if scales is not None:
            found = least_maximum(objectives, scales)
            return Balanced(found.point, found.weights, found.n_fits, found.gap / LEAST)
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
    found = fixed_point_weights(
        lambda w, point: objectives.fit(w, start=point)[1],
        weigh,
        np.where(start > 0, start, start.max()),
        max_fits=max_iter,
    )
    return Balanced(found.point, found.weights, found.n_fits, found.residual / FIXED)


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


def _descend(objectives, balancer, make_stats, state, max_iter):
    """Steps against the balancer's direction, as long as the weighted sum falls enough.

    Weights move from step to step; where the direction turns back the step halves too, else the two
    would swing.
    """
    point = objectives.problem.at(objectives.problem.zeros())
    length, first, size, last = 1.0, None, np.inf, 0.0
    for n_iter in range(1, max_iter + 1):  # noqa: B007, reported below
        values = objectives.values(point)
        statistics = _statistics(objectives, balancer, point)
        J, stats = statistics["jacobian"], make_stats(**statistics)
        w, state = balancer.step(stats, state)
        direction = balancer.direction(stats, state)
        size = float(np.linalg.norm(direction))
        first = size if first is None else first
        if state.status == "stationary" or size <= FLAT * first:
            size = 0.0
            break
        back = np.sum(last * direction) < 0
        longest, last = length * (1 / LONGER if back else LONGER), direction
        new, length = _shorter(objectives, point, direction, w, values, J @ direction, longest)
        if new is None:
            break
        point = new
    mean = w.mean() if w.sum() > 0 else np.abs(w).mean()
    return Balanced(point, w / (mean or 1.0), n_iter, size / (FLAT * first) if first else 0.0)


def _shorter(objectives, point, direction, w, values, slopes, length):
    """(point, length) of the longest step, halved from `length`, that lowers w.f enough.

    A negative weight would reward what its task loses in a long step, though it gains in a short
    one: such a task's own f_t has to fall enough too.
    """
    watched = (w < 0) & (slopes > 0)
    while length > SHORTEST:
        new = objectives.moved(point, -length * direction)
        falls, enough = values - objectives.values(new), ARMIJO * length * slopes
        if w @ falls >= w @ enough and (falls >= enough)[watched].all():
            return new, length
        length /= 2
    return None, length


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
