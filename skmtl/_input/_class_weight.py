"""class_weight: factors of the sample weights by class, within each task."""

from dataclasses import replace

import numpy as np

from .._checks import check_strength
from .._data import TaskData


def check_class_weight(class_weight):
    """Refuse what is neither None, "balanced", a dict nor a list of such."""
    for entry in class_weight if isinstance(class_weight, list) else [class_weight]:
        if entry is None or (isinstance(entry, str) and entry == "balanced"):
            continue
        if not isinstance(entry, dict):
            raise ValueError(
                "class_weight must be None, 'balanced', a dict of class to weight, or a list with "
                f"one of them for each task; got {entry!r}."
            )
        for label, weight in entry.items():
            check_strength(f"class_weight[{label!r}]", weight, infinite=False)


def weigh_classes(data, labelled, tasks, values, class_weight):
    """TaskData whose weights are multiplied by those of the classes.

    Parameters
    ----------
    data : TaskData
        Labels are class numbers.
    labelled : ndarray
        Number of each of its tasks among `tasks`.
    tasks : list
    values : ndarray
        Class labels by number.
    class_weight : None, "balanced", dict or list
        "balanced": n_t / (K_t n_tc) for the sums of weights n_tc of the K_t classes of task t.
    """
    if class_weight is None:
        return data
    if isinstance(class_weight, list) and len(class_weight) != len(tasks):
        raise ValueError(
            f"class_weight must hold one entry for each of the {len(tasks)} tasks, got "
            f"{len(class_weight)}."
        )
    labels = data.labels
    s = labels.s.copy()
    for t, first in enumerate(labels.indptr[:-1]):
        span = slice(first, labels.indptr[t + 1])
        entry = class_weight[labelled[t]] if isinstance(class_weight, list) else class_weight
        s[span] *= _factors(entry, labels.y[span].astype(np.intp), labels.s[span], values)
    return TaskData(data.X, data.n_tasks, _labels=replace(labels, s=s))


def _factors(entry, y, s, values):
    if entry is None:
        return 1.0
    if isinstance(entry, dict):
        weights = np.array([entry.get(label, 1.0) for label in values.tolist()], dtype=float)
        return weights[y]
    totals = np.bincount(y, s, minlength=len(values))
    return s.sum() / (np.count_nonzero(totals) * totals[y])
