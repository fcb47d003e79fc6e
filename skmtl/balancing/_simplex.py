"""Exponentiated gradient on weights, in logarithms: log w_t <- log w_t + step * value_t."""

import numpy as np
from scipy.special import softmax

LOWEST = -1e100  # logarithms end here, so that sums of them stay finite


def exponentiated(log_weights: np.ndarray, values: np.ndarray, step: float) -> np.ndarray:
    """Logarithms of w_t exp(step * value_t), scaled so that the sum of the w_t stays."""
    moved = log_weights + np.maximum(step * (values - values.max()), LOWEST)
    sums = np.logaddexp.reduce([log_weights, moved], axis=1)
    return np.maximum(moved + (sums[0] - sums[1]), LOWEST)


def shares(log_weights: np.ndarray, p: np.ndarray) -> np.ndarray:
    """p_t w_t, scaled to sum to the number of tasks."""
    return len(p) * softmax(log_weights + np.log(p))
