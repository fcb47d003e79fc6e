"""Data that a fitted model is trained on after other data: its tasks join those that are known."""

from sklearn.utils.validation import validate_data

from .._checks import check_option
from .._input import FeatureUnits, as_table, join_tasks, require_y
from ..base import UNKNOWN_TASK


def read_more(model, X, y, sample_weight, units, *, adapt):
    """FitInput whose tasks are those of the fitted model and the new ids of long data.

    `units` are those of the features so far; `adapt`: whether these rows change them.
    """
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
        tasks, (_, number) = join_tasks(model.tasks_, tasks)
        codes = number[codes]
        model._warn_alike(tasks, model.tasks_)
    more = features, labels, values, weight, tasks, codes
    if not adapt:
        return model._fit_input(*more, units=units)
    raw = model._fit_input(*more, units=FeatureUnits())
    units = units.joined(raw.data)
    return raw._replace(data=units.of_data(raw.data), units=units)
