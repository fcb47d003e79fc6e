"""Class numbers as a network's targets, and classes that stay the same over several trainings.

Where no task has more than two classes each has one score, with targets 0 and 1; otherwise every
task has a score for each of its classes, and targets number these.
"""

from dataclasses import replace

import numpy as np

from .._classes import TaskClasses, read_classes
from .._data import of_tasks, relabelled


def targets(data, tasks, classes):
    """The TaskData with targets for class numbers; its tasks have the numbers `tasks`."""
    table = np.zeros((len(tasks), len(classes.values)))
    for row, t in zip(table, tasks, strict=True):
        own = classes.of_task(t)
        row[own] = np.arange(len(own))
    if data.is_common_design:
        return relabelled(data, lambda Y: table[np.arange(len(tasks)), Y.astype(np.intp)])
    task = data.labels.task
    return relabelled(data, lambda y: table[task, y.astype(np.intp)])


def named_classes(named, n_tasks, tasks, missing_label):
    """TaskClasses of classes that are named: one list for all tasks, or a list for each.

    Raises
    ------
    ValueError
        If a task has less than two classes, or there are lists for another number of tasks.
    """
    lists = list(named) if _is_nested(named) else [named] * n_tasks
    if len(lists) != n_tasks:
        raise ValueError(
            f"classes must be one list of classes or one for each of the {n_tasks} tasks, got "
            f"{len(lists)}."
        )
    flat = [label for entry in lists for label in list(entry)]
    codes, values = read_classes(np.array(flat, dtype=object), missing_label)
    stops = np.cumsum([len(entry) for entry in lists])
    own = [np.unique(part).astype(np.intp) for part in np.split(codes, stops[:-1])]
    for task, numbers in zip(tasks, own, strict=True):
        if len(numbers) < 2:
            raise ValueError(f"classes must name two classes or more for task {task!r}.")
    nothing_seen = np.full(n_tasks, -1)
    return TaskClasses(values, own, nothing_seen, own[0], models_only=False)


def spread(classes, old_tasks, tasks):
    """TaskClasses of `tasks`, which include the old ones; new ones have the default classes."""
    number = {task: t for t, task in enumerate(old_tasks)}
    source = [number.get(task, -1) for task in tasks]
    return replace(
        classes,
        own=[classes.of_task(t) for t in source],
        only=np.array([-1 if t < 0 else classes.only[t] for t in source]),
    )


def place(fit_input, classes):
    """(TaskClasses, FitInput of the tasks that take part) of labels whose classes are known.

    A task that has shown one class only takes part from when it shows another.

    Raises
    ------
    ValueError
        If a label is none of its task's classes.
    """
    labelled, tasks = fit_input.labelled, fit_input.tasks
    number = {label: k for k, label in enumerate(classes.values.tolist())}
    numbers = np.array([number.get(label, -1) for label in fit_input.values.tolist()])
    only = classes.only.copy()
    for t, seen in zip(labelled, _classes_seen(fit_input.data), strict=True):
        own = classes.of_task(t)
        strange = seen[~np.isin(numbers[seen], own)]
        if strange.size:
            raise ValueError(
                f"task {tasks[t]!r} has the class {fit_input.values.tolist()[strange[0]]!r}, which "
                f"is none of its classes, {classes.array(own).tolist()}; name all classes in the "
                "first call of partial_fit, or fit anew."
            )
        only[t] = only[t] if (numbers[seen] == only[t]).all() else -1
    classes = replace(classes, only=only)
    kept = np.flatnonzero([classes.constant(t) < 0 for t in labelled])
    data = relabelled(fit_input.data, lambda y: numbers[y.astype(np.intp)].astype(float))
    return classes, fit_input._replace(
        data=of_tasks(data, kept) if kept.size else None,
        labelled=labelled[kept],
        omega=fit_input.omega[kept],
    )


def _classes_seen(data):
    """Class numbers of the labels of each task."""
    labels = data.labels
    return [np.unique(y).astype(np.intp) for y in np.split(labels.y, labels.indptr[1:-1])]


def _is_nested(named):
    """Whether `named` is a list of lists of classes."""
    return any(isinstance(entry, (list, tuple, np.ndarray)) for entry in named)
