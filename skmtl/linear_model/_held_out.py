"""Log loss of a logistic model on data that it was not fitted to, at many solutions in turn."""

import numpy as np

from .._data import of_labels, relabelled
from ..solvers import HeldOutLoss

LOST = -np.log(np.finfo(float).eps)  # of a label to which a model gives no probability


class HeldOut:
    """Test labels seen by a training set: its tasks, its classes.

    Labels of a class that the task cannot be predicted to have cost LOST each; those of a task
    that always has one class cost nothing where it is that class.

    Parameters
    ----------
    classes : TaskClasses
        Of the training set.
    fitted : FitInput
        Of the fitted tasks of the training set.
    test : FitInput
    loss : object
    """

    def __init__(self, classes, fitted, test, loss):
        number = {task: t for t, task in enumerate(fitted.tasks)}
        mine = np.array([number.get(test.tasks[t], -1) for t in test.labelled])
        place = {value: k for k, value in enumerate(classes.values.tolist())}
        lookup = np.array([place.get(value, -1) for value in test.values.tolist()])
        data = relabelled(test.data, lambda y: lookup[y.astype(np.intp)].astype(float))
        labels = data.labels
        task = labels.task
        self.n_tasks, self.weights = len(mine), np.bincount(task, labels.s, len(mine))
        possible = np.array([_possible(classes, t) for t in mine])
        hopeless = (labels.y < 0) | ~possible[task, labels.y.astype(np.intp)]
        self.lost = LOST * np.bincount(task, labels.s * hopeless, self.n_tasks)
        constant = np.array([classes.constant(t) >= 0 for t in mine])
        kept = ~hopeless & ~constant[task]
        self.evaluate = None
        if not kept.any():
            return
        data, self.tasks = of_labels(data, kept)
        mine = mine[self.tasks]
        self.evaluate = HeldOutLoss(data, classes.units(mine), loss)
        self.units = self._unit_rows(classes, fitted, mine)

    def _unit_rows(self, classes, fitted, mine):
        """Rows of the units of these tasks among those of a solution, then its shared ones."""
        counts = [len(classes.channels_of(t)) for t in fitted.labelled]
        first = dict(zip(fitted.labelled.tolist(), np.cumsum([0, *counts]), strict=False))
        rows = []
        for t in mine:
            channels = classes.channels_of(t)
            own = t in first
            rows.append(first[t] + np.arange(len(channels)) if own else sum(counts) + channels)
        return np.concatenate(rows)

    def sums(self, solution):
        """Weighted sums of the log losses of the test tasks."""
        sums = self.lost.copy()
        if self.evaluate is not None:
            sums[self.tasks] += self.evaluate(*solution.rows(self.units))
        return sums


def _possible(classes, t):
    """Which classes a task can be predicted to have."""
    possible = np.zeros(len(classes.values), dtype=bool)
    constant = classes.constant(t)
    possible[classes.of_task(t) if constant < 0 else constant] = True
    return possible
