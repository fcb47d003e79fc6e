"""Logarithms of losses, for the methods that end at stationary points of sum p_t log L_t.

Learnt scales minimise exp(-s_t) L_t + s_t, whose minimum over s_t is log L_t + 1, at s_t = log L_t.
"""

import numpy as np

ROUNDING = np.finfo(np.float64).eps
TINY = 1e-150
STEEPEST = 100.0  # logarithm of the longest gradient; the step ends at the minimum anyway


def positive(losses: np.ndarray) -> np.ndarray:
    """Losses; those that are not positive become rounding times the least positive one.

    A positive one stays as it is, however small beside the others: it may have another unit.
    """
    above = losses > 0
    if not above.any():
        return np.ones_like(losses)
    return np.maximum(np.where(above, losses, ROUNDING * losses[above].min()), TINY)


def learnt_logs(
    s: np.ndarray, losses: np.ndarray, rate: np.ndarray, step_size: float | None
) -> np.ndarray:
    """s after a gradient step on rate (exp(-s) L + s), at most to its minimum; None: there."""
    best = np.log(positive(losses))
    if step_size is None:
        return best
    gradient = rate * (1 - np.exp(np.minimum(best - s, STEEPEST)))
    return np.clip(s - step_size * gradient, np.minimum(s, best), np.maximum(s, best))
