"""From sums over each task's labels to one value a task, and from these to their average."""

import warnings

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from .._checks import check_option


def share(residual, total):
    """residual / total, where x / 0 is 1 and 0 / 0 is 0 (scikit-learn's force_finite)."""
    ratio = residual / np.where(total > 0, total, 1.0)
    return np.where((total > 0) | (residual == 0), ratio, 1.0)


def defined(raw, labels, least=2):
    """Values by task, NaN for a task with fewer than `least` labels."""
    return np.where(labels.count >= least, raw, np.nan)


def average(raw, multioutput):
    """Values by task, or their mean or weighted mean, as `multioutput` asks; NaN is left out."""
    if isinstance(multioutput, str):
        check_option("multioutput", multioutput, ("uniform_average", "raw_values"))
        if multioutput == "raw_values":
            return raw
        multioutput = np.ones(len(raw))
    weights = np.asarray(multioutput, dtype=float)
    if weights.shape != raw.shape or not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError(
            f"multioutput must hold one finite weight >= 0 for each of the {len(raw)} tasks, got "
            f"{multioutput!r}."
        )
    used = ~np.isnan(raw) & (weights > 0)
    if not used.any():
        message = "No task has enough observed labels of positive weight: the mean is NaN."
        warnings.warn(message, UndefinedMetricWarning, stacklevel=3)  # said of the metric's caller
        return float("nan")
    return float(np.average(raw[used], weights=weights[used]))
