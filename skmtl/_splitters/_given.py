"""Splits by a splitter that the user gave, whose refusal of y is told with the way out."""

from ._split import MultiTaskKFold, MultiTaskShuffleSplit


def splits_of(cv, X, y, groups=None):
    """List of (train, test) row numbers.

    Raises
    ------
    ValueError
        If the splitter refuses its input, as those of scikit-learn that stratify refuse a y with
        gaps or with several columns.
    """
    if isinstance(cv, (MultiTaskKFold, MultiTaskShuffleSplit)):
        return list(cv.split(X, y, groups))
    try:
        return list(cv.split(X, y, groups))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"cv cannot split these data by {type(cv).__name__}: {str(error).rstrip('.')}; an "
            "integer gives folds of MultiTaskKFold, which takes labels of several tasks with gaps."
        ) from error
