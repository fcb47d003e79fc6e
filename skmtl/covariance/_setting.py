"""What "auto" stands for, and settings that the data cannot support."""

import numpy as np


def row_weights(data):
    """The weight of each row, or None where those of its labels differ."""
    if data.is_common_design:
        return data.row_weight
    labels = data.labels
    weight = np.bincount(labels.row, labels.s) / np.bincount(labels.row)
    same = np.abs(labels.s - weight[labels.row]) <= 1e-12 * labels.s
    return weight if same.all() else None


def resolve_words(covariance, noise, data, row_weight):
    """The covariance and the noise, "auto" replaced."""
    own_rows = data.one_label_per_row
    if is_auto(covariance):
        covariance = "shared" if own_rows else "full"
    if noise == "auto":
        noise = "common" if own_rows else "full" if row_weight is not None else "diagonal"
    if noise == "full" and data.n_tasks > 1:
        _check_full_noise(own_rows, row_weight)
    return covariance, noise


def is_auto(covariance):
    """Whether the word for a covariance is "auto"; an array is none."""
    return isinstance(covariance, str) and covariance == "auto"


def intercept_kind(fit_intercept, shrink_intercept, data):
    """ "free", "shrunk" or "none"; one task has none to shrink to."""
    if not fit_intercept:
        return "none"
    shrink = data.one_label_per_row if shrink_intercept == "auto" else shrink_intercept
    return "shrunk" if shrink and data.n_tasks > 1 else "free"


def has_common_scale(covariance, noise, intercept):
    """Whether tasks share a variance, so that their labels keep their units."""
    known = not isinstance(covariance, str)
    return known or covariance == "shared" or noise == "common" or intercept == "shrunk"


def check_degrees(data, intercept):
    """Refuse data of which intercepts leave nothing."""
    lost = {"free": data.n_tasks, "shrunk": 1, "none": 0}[intercept]
    total = data.weight_sums.sum()
    if total <= lost:
        raise ValueError(
            f"n_samples = {data.X.shape[0]} leaves nothing to learn covariances from: the labels "
            f"weigh {total:g} together, and {lost} go to intercepts."
        )


def _check_full_noise(own_rows, row_weight):
    if own_rows:
        raise ValueError(
            "noise='full' needs rows with labels of several tasks, and every row has one label; "
            "use noise='diagonal' or 'common'."
        )
    if row_weight is None:
        raise ValueError(
            "noise='full' needs one sample_weight for all labels of a row, and some differ; use "
            "noise='diagonal' or 'common'."
        )
