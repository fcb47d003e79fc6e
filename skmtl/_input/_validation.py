"""Checks of X, y, weights and ids: what is accepted becomes arrays, anything else one sentence."""

import re
import sys
import warnings
from contextlib import contextmanager

import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.base import is_classifier
from sklearn.utils import Tags, TargetTags, get_tags
from sklearn.utils.validation import _check_sample_weight, _num_samples, check_array

from .. import _backend
from .._checks import check_option
from .._data import long_data, wide_data
from ._classes import read_classes
from ._frames import array_of_list, as_numbers, check_frame, check_two_dimensional, unreadable
from ._task_ids import are_alien, encode_tasks, lookup_tasks, same_reading, take_task_column

FLOATS = [np.float64, np.float32]
NO_NUMBER = r"could not convert|float\(\) argument|setting an array element|Cannot cast"
CURES = {  # of a value that is not finite, where it is no label
    "X": "impute it or drop the row",
    "sample_weight": "weigh by 0 what is to be left out",
}


@contextmanager
def naming(name):
    """Context in which every message of a wrong value or type names the argument."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if re.search(rf"\b{name}\b", str(error)):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{name}: {error}") from error


def checked_array(name, value, estimator, **options):
    """scikit-learn's check_array, whose message names the argument in every case."""
    with naming(name):
        given, value = value, as_numbers(name, value)
        try:
            value = check_array(value, input_name=name, estimator=estimator, **options)
        except (TypeError, ValueError) as error:
            finite = options.get("ensure_all_finite")
            error = _of_column(name, given, error)
            raise _located(name, value, error, finite) from error
        return csr_array(value) if issparse(value) else value


def _of_column(name, value, error):
    """The error of a cell that is no number with its column, others as they are."""
    if issparse(value) or not re.search(NO_NUMBER, str(error)):
        return error
    found = unreadable(name, value)
    if found is None:
        return error
    where, what = found
    cure = "encode it as by a OneHotEncoder" if name == "X" else "turn it into numbers"
    drop = ", or drop the column" if where != name else ""
    kind = TypeError if isinstance(error, TypeError) else ValueError
    return kind(f"{where} holds {what} ({str(error).rstrip('.')}); {cure}{drop}.")


def _located(name, value, error, finite=True):
    """The error of a value that is not finite with its row and column, others as they are."""
    found = re.search(r"contains (NaN|infinity)", str(error))
    if not found or issparse(value):
        return error
    table = np.asarray(value, dtype=np.float64)
    bad = np.isnan(table) if found[1] == "NaN" else np.isinf(table)
    where = ", ".join(
        f"{axis} {at}" for axis, at in zip(("row", "column"), np.argwhere(bad)[0], strict=False)
    )
    gaps = finite == "allow-nan" and table.ndim == 2 and table.shape[1] > 1
    cure = CURES.get(name, "drop it, or mark it as missing by NaN" if gaps else "drop the row")
    return ValueError(f"Input {name} contains {found[1]} in {where}: {cure}.")


def check_same_rows(X, labels):
    """Refuse X and y of different length."""
    n_rows = _num_samples(X)
    if n_rows != len(labels):
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: X has {n_rows} rows "
            f"and y {len(labels)}; y needs one row, or label, for each row of X."
        )


def require_y(estimator, y):
    """Refuse a missing y in scikit-learn's words."""
    if y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None."
        )


def split_task_column(X, task_column):
    """Features and task ids of long data; see `take_task_column`."""
    check_task_column(task_column)
    if not issparse(X):
        check_frame("X", X)
        X = array_of_list("X", X) if isinstance(X, (list, tuple)) else X
        return take_task_column(X, task_column)
    X, n = csr_array(X), X.shape[1]
    at = np.arange(n)[None, :]  # which column it is, by the rules and errors of dense tables
    others = take_task_column(at, task_column)[0][0]
    return X[:, others], X[:, np.setdiff1d(at, others)].toarray()[:, 0]


def number_tasks(ids, task_column, tasks=None):
    """(tasks, codes) of the ids, or their numbers in the list `tasks`, -1 where unknown."""
    try:
        return encode_tasks(ids) if tasks is None else lookup_tasks(ids, tasks)
    except TypeError as error:
        raise TypeError(
            f"the task ids in column {task_column!r} must be hashable: {error}."
        ) from error


def warn_alike(ids, tasks, where, what="id"):
    """One warning if one of the ids reads as another one of the tasks; `where` they stand."""
    pair = same_reading(ids, tasks)
    if pair:
        warnings.warn(
            f"{where} holds the {what}s {pair[1]!r} and {pair[0]!r}, which read alike but are not "
            f"the same; write each {what} in one way.",
            UserWarning,
            stacklevel=stack_level(),
        )


def meet_unknown(ids, tasks, task_column, *, refuse, alone):
    """Refuse ids that fit did not see, or warn of those that look like a mistake.

    `alone`: whether no row has an id that fit saw.
    """
    ids = list(dict.fromkeys(ids.tolist()))
    pair = same_reading(ids, tasks)
    id_, seen = pair or (ids[0], tasks[0])
    told = f"task {id_!r} in column {task_column!r} was not seen in fit"
    if refuse and not pair:
        raise ValueError(
            f'{told}; unknown_task="shared" predicts unseen tasks from the shared part.'
        )
    if refuse:
        raise ValueError(f"{told}, which saw {seen!r}; write each id as it was in fit.")
    if pair or (alone and are_alien(ids, tasks)):
        others = "" if pair else ", nor was any other"
        warnings.warn(
            f"{told}{others}, but {seen!r} was: write each id as it was in fit, as an unseen one "
            "gets the shared prediction.",
            UserWarning,
            stacklevel=stack_level(),
        )


def task_data(X, labels, weight, codes, n_tasks):
    """TaskData of checked labels, wide if `codes` is None, and which tasks are labelled."""
    if codes is None:
        data, labelled = wide_data(X, labels.reshape(len(labels), -1), weight)
    else:
        data, labelled = long_data(X, labels, codes, n_tasks, weight)
    if labelled.size == 0:
        raise ValueError(
            "no observed label has positive sample_weight and task_weight: all are zero."
        )
    return data, labelled


def check_regressor(name, value):
    """Refuse what is no regressor object; `name` is the parameter."""
    if isinstance(value, type) or not (hasattr(value, "fit") and hasattr(value, "predict")):
        raise TypeError(f"{name} must be a regressor object with fit and predict, got {value!r}.")
    if is_classifier(value):
        raise ValueError(f"{name} must be a regressor, got the classifier {value!r}.")


def tags_of(regressor):
    """scikit-learn's tags; of what is no estimator, which `fit` will refuse, a regressor's."""
    if isinstance(regressor, type) or not hasattr(regressor, "__sklearn_tags__"):
        return Tags(estimator_type="regressor", target_tags=TargetTags(required=True))
    return get_tags(regressor)


def check_labels(y, estimator):
    """y as float64, 1-D without NaN or 2-D with NaN where not observed."""
    labels = checked_array(
        "y",
        to_host(y),
        estimator,
        dtype="float64",
        ensure_2d=False,
        ensure_all_finite="allow-nan",
    )
    if labels.ndim == 0:
        raise ValueError(f"y must be 1-D or 2-D, got the scalar {y!r}.")
    check_observed(labels)
    return labels


def check_class_labels(y, missing_label):
    """Class numbers in the shape of y, NaN where not observed (2-D only), and the classes."""
    codes, values = read_classes(y, missing_label)
    check_observed(codes)
    return codes, values


def check_observed(labels):
    """Refuse missing labels in a 1-D y, and a y without any."""
    missing = np.isnan(labels)
    if labels.ndim == 1 and missing.any():
        raise ValueError(
            f"Input y contains NaN in row {np.argmax(missing)}: one label a row is expected here, "
            "so drop rows without one; NaN marks a gap only in a y with a column for each task."
        )
    if labels.shape[-1] == 0 or missing.all():
        raise ValueError("y holds no observed label: every value is NaN or there is no column.")


def check_weight(sample_weight, labels, *, wide):
    """sample_weight as float64 of shape (n_samples,) or (n_samples, n_tasks), or None."""
    if sample_weight is None:
        return None
    with naming("sample_weight"):
        weight = as_numbers("sample_weight", to_host(sample_weight))
    if np.asarray(weight).ndim == 2 and wide and labels.ndim == 2:
        weight = checked_array("sample_weight", weight, None, dtype="float64")
        if weight.shape != labels.shape:
            raise ValueError(
                f"sample_weight must have shape ({len(labels)},) or that of y, {labels.shape}; "
                f"got {weight.shape}."
            )
    else:
        with naming("sample_weight"):
            try:
                weight = _check_sample_weight(weight, labels, dtype=np.float64)
            except ValueError as error:
                raise _located("sample_weight", weight, error) from error
    if not np.isfinite(weight).all():  # one number for all rows, which scikit-learn lets pass
        raise ValueError(f"sample_weight must be finite, got {sample_weight!r}.")
    if (weight < 0).any():
        raise ValueError(f"sample_weight must not be negative, got {weight.min()}.")
    if not weight.any():
        raise ValueError("sample_weight must not be zero for all samples: nothing would be fitted.")
    return weight


def check_task_weight(task_weight, n_tasks):
    """Weights (n_tasks,), or the string "balanced"."""
    if task_weight is None:
        return np.ones(n_tasks)
    if isinstance(task_weight, str):
        return check_option("task_weight", task_weight, ("balanced", None))
    with naming("task_weight"):
        weight = np.asarray(task_weight, dtype=float)
    if weight.shape != (n_tasks,):
        raise ValueError(
            f"task_weight must be None, 'balanced' or of shape ({n_tasks},), one weight a task; "
            f"got shape {weight.shape}."
        )
    if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.any()):
        raise ValueError(
            f"task_weight must be finite, not negative and not all zero, got {task_weight!r}."
        )
    return weight


def zero_task_weights(weight, positive, codes, shape):
    """Weights with those of the tasks of weight zero set to zero."""
    if positive.all():
        return weight
    weight = np.ones(shape[0]) if weight is None else weight
    if codes is not None:
        return weight * positive[codes]
    return (weight[:, None] if weight.ndim == 1 else weight) * positive


def check_foreign(X):
    """Array-API features, real, finite, two-dimensional and floating."""
    place = _backend.place_of(X)
    xp = place.xp
    if X.ndim != 2:
        raise ValueError(f"Expected 2D array, got {X.ndim}D array instead: X must be a table.")
    if min(X.shape) == 0:
        raise ValueError(
            f"X has shape {X.shape}; at least one sample and one feature are required."
        )
    if xp.isdtype(X.dtype, "complex floating"):
        raise ValueError("Complex data not supported: X must be real.")
    if not xp.isdtype(X.dtype, "real floating"):
        X = xp.astype(X, getattr(xp, _backend.widest_float(place)))
    if not bool(xp.all(xp.isfinite(X))):
        raise ValueError("Input X contains NaN or infinity.")
    return X


def check_task_column(task_column):
    """Refuse a task_column that is neither a name nor a position."""
    if not isinstance(task_column, (str, tuple, int, np.integer)) or isinstance(task_column, bool):
        raise TypeError(
            f"task_column must be None, the name or the position of a column, got {task_column!r}."
        )


def as_table(X):
    """X itself where it has a shape, else an array of its cells as they are."""
    check_frame("X", X)
    check_two_dimensional(X)
    if isinstance(X, (list, tuple)):
        array_of_list("X", X)  # has the better words
    return X if hasattr(X, "shape") else np.asarray(X, dtype=object)


def to_host(y):
    """y as it is, or as a NumPy array where another library's array holds it."""
    return _backend.to_numpy(y) if _backend.is_foreign(y) else y


def task_names(y, labels):
    """Column names of a frame, else 0, 1, ..."""
    if labels.ndim == 2 and hasattr(y, "columns"):
        return list(y.columns)
    return list(range(1 if labels.ndim == 1 else labels.shape[1]))


def warn_unlabelled(tasks, labelled, gets):
    """One warning that names the first task without a label, and what it `gets`."""
    silent = sorted(set(range(len(tasks))) - set(labelled.tolist()))
    if silent:
        others = f" (and {len(silent) - 1} more)" if len(silent) > 1 else ""
        warnings.warn(
            f"task {tasks[silent[0]]!r}{others} has no label of positive weight: it gets {gets}.",
            UserWarning,
            stacklevel=stack_level(),
        )


def stack_level():
    """Level, for a warning of the caller, of the line outside the package that led to it."""
    frame, depth, package = sys._getframe(1), 1, __name__.partition(".")[0] + "."
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(package):
        frame, depth = frame.f_back, depth + 1
    return depth


def float_name(X):
    """Name of X's floating type."""
    name = str(X.dtype)
    return "float32" if "float32" in name else "float64"


def work_estimate(X, labels):
    """Flops of the Grams: labels times features squared."""
    return float(labels.size) * X.shape[1] ** 2
