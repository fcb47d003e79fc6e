"""What strategies share whose direction is no weighted sum of the gradients at hand."""

import numpy as np

from ._stats import TaskStats, beside


def tracked(own, rows, share):
    """Running means of each task's rows, with how many it has seen; they begin at the first.

    Parameters
    ----------
    own : dict
        "steps" (n_tasks,) and, after the first step, "tracked" (n_tasks, n_params).
    rows : array of shape (n_tasks, n_params)
    share : callable
        Number of the row, from 1, as an array (n_tasks,), -> its share of the mean. The first
        one's is 1 whatever it says, so that the mean is not drawn to zero.

    Returns
    -------
    dict
        The two, after these rows.
    """
    steps = own["steps"] + 1
    if "tracked" not in own:
        return {"steps": steps, "tracked": rows}
    old = own["tracked"]
    kept = beside(np.where(steps > 1, 1 - share(steps), 0.0), rows)[:, None]
    return {"steps": steps, "tracked": rows + kept * (old - rows)}


def combine_tracked(stats, state):
    """Tracked rows, weighed; without a gradient at hand they rest."""
    if state.status == "stationary":
        return stats.combine(state.weights)
    return stats.like_jacobian(TaskStats(state.own["tracked"]).combine(state.weights))
