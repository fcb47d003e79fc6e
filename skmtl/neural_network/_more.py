"""Data that a fitted model is trained on after other data: its tasks join those that are known."""

import numpy as np
from sklearn.utils.validation import validate_data

from .. import _backend
from .._checks import check_option
from .._task_ids import encode_tasks
from .._validation import (
    as_table,
    check_task_weight,
    float_name,
    require_y,
    silence,
    task_data,
    work_estimate,
)
from ..base import UNKNOWN_TASK, FitInput


def read_more(model, X, y, sample_weight):
    """FitInput whose tasks are those of the fitted model and the new ids of long data."""
    check_option("unknown_task", model.unknown_task, UNKNOWN_TASK)
    require_y(model, y)
    validate_data(model, as_table(X), reset=False, skip_check_array=True)
    features, ids = model._split_features(X)
    labels, values = model._read_labels(y)
    labels, weight, tasks, codes = model._validate_labels(features, y, labels, sample_weight, ids)
    if labels.ndim != model._y_ndim or (ids is None and len(tasks) != model.n_tasks_):
        raise ValueError(
            f"y must have as many columns as in the training that goes on, {model.n_tasks_} "
            f"({model._y_ndim}-D), got {len(tasks)} ({labels.ndim}-D)."
        )
    if ids is None:
        tasks = model.tasks_
    else:
        tasks, codes = _joined(model.tasks_, tasks, codes)
    place = _backend.resolve_device(model.device, features, work_estimate(features, labels))
    task_weight = check_task_weight(model.task_weight, len(tasks))
    if not isinstance(task_weight, str):
        weight = silence(weight, task_weight > 0, codes, labels.shape)
    data, labelled = task_data(
        _backend.to_place(features, place), labels, weight, codes, len(tasks)
    )
    omega = 1 / data.weight_sums if isinstance(task_weight, str) else task_weight[labelled]
    origin, dtype = _backend.place_of(features), float_name(features)
    return FitInput(data, labelled, tasks, omega / omega.mean(), labels.ndim, origin, dtype, values)


def _joined(old, new, codes):
    """Union of two lists of ids, and the numbers in it of rows whose tasks are `new[codes]`."""
    ids = np.empty(len(old) + len(new), dtype=object)
    ids[:] = [*old, *new]
    union, number = encode_tasks(ids)
    return union, number[len(old) :][codes]
