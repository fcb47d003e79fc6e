"""What happened in each iteration, over several trainings in which tasks may have been added."""

from typing import Any, NamedTuple

import numpy as np


class History(NamedTuple):
    """Tables with a row for each iteration and a column for each task, NaN where it had no head.

    Attributes
    ----------
    tasks : list
        Ids of the columns.
    losses, weights : ndarray of shape (n_iter, n_tasks)
    scores : ndarray of shape (n_iter,) or None
    """

    tasks: list
    losses: np.ndarray
    weights: np.ndarray
    scores: Any

    def continued(self, later):
        """This history and a later one, whose tasks include this one's."""
        number = {task: t for t, task in enumerate(later.tasks)}
        columns = [number[task] for task in self.tasks]
        tables = (
            np.concatenate([_spread(old, columns, len(later.tasks)), new])
            for old, new in ((self.losses, later.losses), (self.weights, later.weights))
        )
        scores = later.scores
        if scores is not None and self.scores is not None:
            scores = np.concatenate([self.scores, scores])
        return History(later.tasks, *tables, scores)


def history(tasks, known, monitor, omega):
    """History of one training.

    Parameters
    ----------
    tasks : list
    known : ndarray
        Numbers of the tasks that the monitor's rows are of.
    monitor : Monitor
    omega : ndarray of shape (n_tasks,)
        Weights of all tasks where no balancer gave any.
    """
    losses = _spread(monitor.losses, known, len(tasks))
    weights = [
        omega if row is None else _spread([row], known, len(tasks))[0] for row in monitor.weights
    ]
    weights = np.array(weights).reshape(len(weights), len(tasks))
    return History(tasks, losses, weights, np.array(monitor.scores) if monitor.scores else None)


def _spread(rows, columns, n_tasks):
    wide = np.full((len(rows), n_tasks), np.nan)
    if len(rows):
        wide[:, columns] = rows
    return wide
