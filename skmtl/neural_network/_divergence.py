"""What a training says when its numbers are no longer finite."""

import numpy as np


def refuse_divergence(value, iteration):
    """Raise ValueError where a number of an iteration, the first being 1, is not finite."""
    if not np.isfinite(value):
        raise ValueError(
            f"training diverged in iteration {iteration}, where it met {value}; standardise X or "
            "lower learning_rate_init."
        )
