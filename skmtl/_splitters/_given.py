"""Splits by a splitter that the user gave, whose refusal of y is told with the way out."""

import numpy as np


def splits_of(cv, X, y, groups=None):
    """List of (train, test) row numbers.

    Raises
    ------
    ValueError
        If the splitter refuses its input, as those of scikit-learn that stratify refuse a y with
        gaps or with several columns.
    """
    if hasattr(cv, "task_column"):  # one of ours
        return list(cv.split(X, y, groups))
    try:
        return list(cv.split(X, y, groups))
    except (TypeError, ValueError) as error:
        cure = (
            "; an integer gives folds of MultiTaskKFold, which takes labels of several tasks with "
            "gaps"
        )
        several = np.ndim(y) > 1 and np.shape(y)[1] > 1  # only there y may have gaps
        raise ValueError(
            f"cv cannot split these data by {type(cv).__name__}: {str(error).rstrip('.')}"
            f"{cure if several else ''}."
        ) from error
