"""Class numbers as a network's targets, and classes that stay the same over several trainings.

Where no task has more than two classes each has one score, with targets 0 and 1; otherwise every
task has a score for each of its classes, and targets number these.
"""

from dataclasses import replace

import numpy as np

from .._classifier import taking_part
from .._data import relabelled, relabelled_by_task
from .._input import lookup_tasks, objects, read_classes, task_classes


def targets(data, tasks, classes):
    """The TaskData with targets for class numbers; its tasks have the numbers `tasks`."""
    table = np.zeros((len(tasks), len(classes.values)))
    for row, t in zip(table, tasks, strict=True):
        own = classes.of_task(t)
        row[own] = np.arange(len(own))
    return relabelled_by_task(data, lambda y, task: table[task, y.astype(np.intp)])


def named_classes(named, tasks, missing_label):
    """TaskClasses of classes that are named: one list for all tasks, or a list for each.

    Raises
    ------
    TypeError
        If there are no lists.
    ValueError
        If a task has less than two classes, a class is the missing label, or there are lists for
        another number of tasks.
    """
    is_nested = _is_list(named) and any(map(_is_list, named))
    lists = list(named) if is_nested else [named] * len(tasks)
    if not all(map(_is_list, lists)):
        raise TypeError(f"classes must be one list of classes or one for each task, got {named!r}.")
    if len(lists) != len(tasks):
        raise ValueError(
            f"classes must be one list of classes or one for each of the {len(tasks)} tasks, got "
            f"{len(lists)}."
        )
    codes, values = read_classes(objects(k for own in lists for k in own), missing_label)
    if np.isnan(codes).any():
        raise ValueError(f"classes must not name a missing label, got {named!r}.")
    task = np.repeat(np.arange(len(tasks)), list(map(len, lists)))
    for t, task_id in enumerate(tasks):
        if len(np.unique(codes[task == t])) < 2:
            raise ValueError(f"classes must name two classes or more for task {task_id!r}.")
    return task_classes(values, codes, task, len(tasks), models_only=False)


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
    numbers = lookup_tasks(fit_input.values, classes.values.tolist())
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
    data = relabelled(fit_input.data, lambda y: numbers[y.astype(np.intp)].astype(float))
    return classes, taking_part(fit_input._replace(data=data), classes)


def _classes_seen(data):
    """Class numbers of the labels of each task."""
    labels = data.labels
    return [np.unique(y).astype(np.intp) for y in np.split(labels.y, labels.indptr[1:-1])]


def _is_list(named):
    return np.iterable(named) and not isinstance(named, (str, bytes))
