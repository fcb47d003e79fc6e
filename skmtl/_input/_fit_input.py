"""What a fit is given: RawInput as it was read, FitInput as one TaskData where it is computed."""

from typing import Any, NamedTuple

import numpy as np

from .._backend import to_place
from .._data import TaskData
from ._feature_units import FeatureUnits


class RawInput(NamedTuple):
    """Features, labels, weights and tasks, each checked, before any is moved or scaled.

    Attributes
    ----------
    features : array of shape (n_samples, n_features)
    labels : ndarray of shape (n_samples,) or (n_samples, n_tasks)
        NaN where not observed; of classifiers the numbers of classes.
    values : ndarray or None
        Of classifiers: the class labels.
    weight : ndarray of the shape of labels or (n_samples,), or None
    tasks : list
        All task ids or column names.
    codes : ndarray of shape (n_samples,) or None
        Index in `tasks` of each row's task; None for wide data.
    """

    features: Any
    labels: np.ndarray
    values: Any
    weight: Any
    tasks: list
    codes: Any


class FitInput(NamedTuple):
    """Validated training data.

    Attributes
    ----------
    data : TaskData
        Of the labelled tasks.
    labelled : ndarray
        Their indices in `tasks`.
    tasks : list
        All task ids or column names.
    omega : ndarray of shape (n_labelled,)
        Task weights, mean 1.
    y_ndim : int
        Dimension of y, which predictions follow.
    origin : Place
        Where X came from and results go.
    dtype : str
        Name of X's floating type.
    values : ndarray or None
        Of classifiers: the class labels, whose numbers are the labels in `data`.
    units : FeatureUnits
        Those of the features in `data`.
    """

    data: TaskData
    labelled: np.ndarray
    tasks: list
    omega: np.ndarray
    y_ndim: int
    origin: Any
    dtype: str
    values: Any = None
    units: Any = FeatureUnits()

    def to_input_namespace(self, x):
        """A result at the place and in the type of the user's X."""
        return to_place(x, self.origin, self.dtype)
