"""What an estimator makes of its labels for a training, and what it keeps for a later one."""

from typing import Any, NamedTuple

import numpy as np

from .._input import lookup_tasks, objects
from ._history import History
from ._problem import Memory


class Pose(NamedTuple):
    """What a subclass makes of its labels.

    Attributes
    ----------
    data : TaskData or None
        Labels as the criterion reads them; None: there is nothing to learn.
    omega : ndarray of shape (data.n_tasks,)
    tasks : ndarray of shape (n_known,)
        Numbers of the tasks with a head, ascending: those in `data` and of earlier trainings.
    number : ndarray of shape (data.n_tasks,)
        Which of them the tasks in `data` are.
    units : list
        A name for each unit of output, by which a later training knows it.
    channels, unit_tasks : ndarray of shape (n_units,)
        Shared vector and task of each unit.
    n_channels : int
    criterion, score : object
        As in Problem.
    reading : object
        What the subclass needs to read scores.
    constant : ndarray of shape (n_units,)
        Scores of a model that does not see the features, which a training should better.
    disagreement : ndarray of shape (n_known,) or None
        Losses of the best constant scores.
    """

    data: Any
    omega: np.ndarray
    tasks: np.ndarray
    number: np.ndarray
    units: list
    channels: np.ndarray
    unit_tasks: np.ndarray
    n_channels: int
    criterion: Any
    score: Any
    reading: Any
    constant: np.ndarray
    disagreement: Any = None


class Past(NamedTuple):
    """What a later training goes on from.

    Attributes
    ----------
    memory : Memory
    units, reading : object
        As in Pose.
    tasks : list
        Ids of the tasks with a head.
    history : History
    rng : RandomState
    features : PlainUnits or NetworkUnits
        Units of the features.
    """

    memory: Memory
    units: list
    reading: Any
    tasks: list
    history: History
    rng: Any
    features: Any


def tasks_with_heads(fit_input, past):
    """Tasks that have a head or are to get one, after a Past or None.

    Returns
    -------
    tasks : ndarray
        Their numbers, ascending.
    number, old : ndarray
        Places in `tasks` of the labelled ones, and of those of earlier trainings.
    """
    known = lookup_tasks(objects([] if past is None else past.tasks), fit_input.tasks)
    tasks = np.union1d(known, fit_input.labelled)
    return tasks, np.searchsorted(tasks, fit_input.labelled), np.searchsorted(tasks, known)
