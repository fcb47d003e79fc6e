"""Descent along a balancer's direction d, for rules that read gradients alone.

    theta <- theta - l d,   with weights m >= 0 (the balancer's `merit`) for which m'J d > 0,

so that sum_t m_t f_t falls.  Steps, and the numbers that end them, are free of units and never read
from differences of values, which rounding would decide near the end.
"""

from typing import Any, NamedTuple

import numpy as np

FLAT = 1e-6  # what is left of gradients that cancel, relative to their lengths, where descent ends
LONGER = 2.0  # each step may be than the last
HALVINGS = 100  # from twice the value over its slope, which no minimum lies beyond, to rounding


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


def descend(objectives, balancer, make_stats, state, max_iter):
    """Follow a balancer from zero coefficients until its direction vanishes.

    Parameters
    ----------
    objectives : TaskObjectives
    balancer : Balancer
    make_stats : callable
        Keywords losses and jacobian -> statistics.
    state : State
        Of the balancer, before its first step.
    max_iter : int
        Most steps.

    Returns
    -------
    Balanced
    """
    point = objectives.problem.at(objectives.problem.zeros())
    J, length, last, longest = objectives.jacobian(point), None, 0.0, 0.0
    ended = f"goes on in its direction after {max_iter} steps"
    for n_iter in range(1, max_iter + 1):
        # 1. the direction here, and how far it has vanished
        stats = make_stats(losses=objectives.losses(point), jacobian=J)
        if n_iter == 1:
            balancer.check_descent(stats)
        w, state = balancer.step(stats, state)
        d, m = balancer.direction(stats, state), balancer.merit(stats, state)
        longest = np.maximum(longest, stats.norms)
        slope = float(m @ (J @ d))
        left = _left(w, m, d, slope, longest)
        if state.status == "stationary" or left <= FLAT:
            left = 0.0
            break
        # 2. a step no longer than to where the merit is least; shorter where the path turned back,
        # else directions that change at a surface would swing about it
        if length is None:
            length = 2 * float(m @ objectives.values(point)) / slope
        else:
            length *= LONGER if np.sum(last * d) >= 0 else 1 / LONGER
        found = _step(objectives, point, d, m, length) if slope > 0 else None
        if found is None:
            ended = f"stopped after {n_iter} steps: none along its direction lowers the losses"
            break
        (point, J, length), last = found, d
    why = ended if left > FLAT else ""
    return Balanced(point, _normalised(w), n_iter, left / FLAT, why)


def _left(w, m, d, slope, longest):
    """The smaller of two ratios from 0 to 1 that vanish where descent ends.

    ||J'w|| / sum |w_t| ||g_t|| says how far the weighted gradients cancel, and m'J d / ||d|| over
    sum m_t ||g_t|| how much of the merit's gradient lies along d. Each ||g_t|| is the longest on
    the path, as at an optimum that tasks share all gradients vanish and none cancels.
    """
    size = float(np.linalg.norm(d))
    if size == 0:
        return 0.0
    return min(size / (np.abs(w) @ longest), abs(slope) / size / (m @ longest))


def _step(objectives, point, d, m, length):
    """(point, its Jacobian, length) of the longest step, halved, before the merit rises along d."""
    for _ in range(HALVINGS):
        new = objectives.moved(point, -length * d)
        J = objectives.jacobian(new)
        if m @ (J @ d) >= 0:
            return new, J, length
        length /= 2
    return None


def _normalised(w):
    mean = w.mean() if w.sum() > 0 else np.abs(w).mean()
    return w / (mean or 1.0)
