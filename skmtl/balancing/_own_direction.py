"""Directions made of running means of the tasks' gradients, in place of the gradients at hand."""

from collections.abc import Callable

import numpy as np

from .._backend import Array
from ._balancer import OwnState, State
from ._stats import TaskStats, beside


def tracked(own: OwnState, rows: Array, share: Callable[[np.ndarray], np.ndarray]) -> OwnState:
    """Running means of each task's rows, with how many it has seen; they begin at zero.

    Parameters
    ----------
    own : dict
        "steps" (n_tasks,) and, after the first step, "tracked" (n_tasks, n_params).
    rows : array of shape (n_tasks, n_params)
    share : callable
        Number of the row, from 1, as an array (n_tasks,), -> its share of the mean.

    Returns
    -------
    dict
        The two, after these rows.
    """
    steps = own["steps"] + 1
    kept = beside(1 - share(steps), rows)[:, None]
    return {"steps": steps, "tracked": rows + kept * (own.get("tracked", 0.0) - rows)}


def combine_tracked(stats: TaskStats, state: State) -> Array:
    """Weighted sum of the running means; of the gradients themselves in a stationary step."""
    if state.status == "stationary":
        return stats.combine(state.weights)
    return stats.like_jacobian(TaskStats(state.own["tracked"]).combine(state.weights))
