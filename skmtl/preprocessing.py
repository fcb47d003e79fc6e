"""Targets in units of their own task: z_ti = (y_ti - mean_t) / scale_t, over the observed labels.

Penalties and losses are shared between tasks, so tasks in different units would not count alike.
"""

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.utils.validation import check_is_fitted, validate_data

from . import _backend
from ._checks import check_flag
from ._data import label_moments
from ._input import (
    as_table,
    check_dates,
    check_foreign,
    check_regressor,
    checked_array,
    number_tasks,
    require_y,
    split_task_column,
    tags_of,
    task_data,
)
from .base import MultiTaskMixin, at_once
from .linear_model import MultiTaskRidge

__all__ = ["TargetScaler"]


class TargetScaler(MetaEstimatorMixin, MultiTaskMixin, RegressorMixin, BaseEstimator):
    """Standardise each task's labels, fit a regressor on them, predict in the original units.

    As :class:`sklearn.compose.TransformedTargetRegressor` with a StandardScaler, but labels may be
    missing or come long, one a row, and weights count in the means and standard deviations.

    Parameters
    ----------
    regressor : object, default=None
        The regressor to fit; None is :class:`~skmtl.linear_model.MultiTaskRidge` with its
        defaults. For long data it is one with a `task_column`, or a search over one.
    with_mean : bool, default=True
        Whether to subtract each task's mean.
    with_std : bool, default=True
        Whether to divide by each task's standard deviation.

    Attributes
    ----------
    regressor_ : object
        Fitted on the scaled labels.
    mean_ : ndarray of shape (n_tasks,)
        Weighted mean of each task's observed labels, `pooled_mean_` for a task without; zeros
        without `with_mean`.
    scale_ : ndarray of shape (n_tasks,)
        Their weighted standard deviation, `pooled_scale_` for a task without labels or all of whose
        labels are equal; ones without `with_std`.
    pooled_mean_ : float
        Weighted mean of all labels: the mean of a task that `fit` did not see.
    pooled_scale_ : float
        Pooled standard deviation, of all labels around their task's mean: the scale of such a task.
        Where that is zero, the range of the tasks' means or else the size of the one value.
    tasks_ : list
        Task ids, sorted, or column names of y.
    n_tasks_ : int
    n_features_in_ : int
        Columns of X, the task column included.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Where X has column names.

    Notes
    -----
    Weights are frequencies, and the standard deviation divides by their sum, as StandardScaler's
    does. A task of one label, or of equal ones, does not tell its unit and is taken to have that of
    the others, so that labels in another unit, ``c * y + d``, give predictions in that unit. X is
    handed to the regressor untouched. The task column is read from X as it comes here:
    with a pipeline in front of a regressor of long data, put TargetScaler inside the pipeline,
    around its last step.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.preprocessing import TargetScaler
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> Y = np.array([[0.0, 100.0], [1.0, np.nan], [2.0, 300.0], [3.0, 400.0]])
    >>> model = TargetScaler().fit(X, Y)
    >>> model.mean_.round(1), model.scale_.round(1)
    (array([  1.5, 266.7]), array([  1.1, 124.7]))
    >>> model.predict([[2.0]]).round(1)
    array([[  2., 298.]])
    """

    def __init__(self, regressor=None, *, with_mean=True, with_std=True):
        self.regressor = regressor
        self.with_mean = with_mean
        self.with_std = with_std

    @property
    def task_column(self):
        """The regressor's own, None for wide data; scorers read it."""
        return _task_column(self.regressor)

    def __sklearn_tags__(self):
        tags, inner = super().__sklearn_tags__(), tags_of(self._regressor())
        tags.input_tags, tags.target_tags = inner.input_tags, inner.target_tags
        tags.array_api_support = inner.array_api_support
        tags.non_deterministic = inner.non_deterministic
        if inner.regressor_tags is not None:
            tags.regressor_tags = inner.regressor_tags
        return tags

    def fit(self, X, y, sample_weight=None):
        """Fit means and scales, and a clone of the regressor on the scaled labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            As the regressor takes it; dates only for functions and classes of your own in it.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            NaN in a 2-D y marks a label that was not observed.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), optional
            Frequencies. Passed on to the regressor if given.

        Returns
        -------
        self : TargetScaler

        Raises
        ------
        ValueError
            If a parameter, X, y or sample_weight is out of range or of the wrong shape.
        TypeError
            If a parameter is of the wrong type, or the regressor takes no sample_weight.
        """
        self._check_params()
        require_y(self, y)
        if len(getattr(X, "shape", ())) != 2:
            if _backend.is_foreign(X):
                check_foreign(X)
            checked_array("X", X, self._regressor(), dtype=None, ensure_all_finite=False)
        ids = self._task_ids(X)
        self._check_dates(X)
        labels, weight, tasks, codes = self._validate_labels(
            X, y, self._read_labels(y)[0], sample_weight, ids
        )
        means, scales = self._standardisation(labels, weight, codes, len(tasks))
        task = slice(-1) if codes is None else codes
        scaled = (labels - means[task]) / scales[task]
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        regressor = clone(self._regressor()).fit(X, _beside(y, scaled), **weights)
        with at_once(self) as model:
            validate_data(model, as_table(X), skip_check_array=True)
            model.regressor_ = regressor
            model.mean_, model.pooled_mean_ = _beside(X, means[:-1]), float(means[-1])
            model.scale_, model.pooled_scale_ = _beside(X, scales[:-1]), float(scales[-1])
            model.tasks_, model.n_tasks_ = tasks, len(tasks)
        return self

    def predict(self, X):
        """Predict in the units of y.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        array of shape (n_samples,) or (n_samples, n_tasks)
            As the regressor's.

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        ValueError
            If the regressor refuses X or a task id in it.
        """
        check_is_fitted(self)
        self._check_like_fit(X)
        self._check_dates(X)
        Z = self.regressor_.predict(X)
        mean, scale = _backend.to_numpy(self.mean_), _backend.to_numpy(self.scale_)
        ids = self._task_ids(X)
        if ids is not None:
            codes = number_tasks(
                ids, self.task_column, self.tasks_
            )  # -1, the last, for an id that fit did not see
            mean = np.append(mean, self.pooled_mean_)[codes]
            scale = np.append(scale, self.pooled_scale_)[codes]
        xp = _backend.namespace_of(Z)
        scale, mean = (xp.astype(_beside(Z, v), Z.dtype) for v in (scale, mean))
        return Z * scale + mean

    def _check_like_fit(self, X):
        """Refuse other features, or another kind of array, than `fit` was given."""
        if len(getattr(X, "shape", (0, 0))) == 2:  # for others the regressor has better words
            validate_data(self, as_table(X), reset=False, skip_check_array=True)
        self._check_same_place(X, self.mean_, "predict")

    def _check_dates(self, X):
        """Refuse dates that a step of scikit-learn's in the regressor would count."""
        if len(getattr(X, "shape", ())) == 2 and not _backend.is_foreign(X):
            X = X if self.task_column is None else split_task_column(X, self.task_column)[0]
            check_dates(X, self._regressor())

    def _regressor(self):
        return MultiTaskRidge() if self.regressor is None else self.regressor

    def _check_params(self):
        check_flag("with_mean", self.with_mean)
        check_flag("with_std", self.with_std)
        check_regressor("regressor", self._regressor())
        if _pipeline_reads_tasks(self.regressor):
            raise ValueError(
                "regressor holds a pipeline whose last step has a task_column, which is a column "
                "of the transformed X; put TargetScaler inside the pipeline, around that step."
            )

    def _standardisation(self, labels, weight, codes, n_tasks):
        """Means and scales of shape (n_tasks + 1,), the last those of a task without labels."""
        data, labelled = task_data(np.empty((len(labels), 0)), labels, weight, codes, n_tasks)
        means, scales = np.zeros(n_tasks + 1), np.ones(n_tasks + 1)
        moments = label_moments(data)
        if self.with_mean:
            means[:] = moments.pooled_mean
            means[labelled] = moments.mean
        if self.with_std:
            scales[:] = moments.unit
            scales[labelled] = np.where(moments.std > 0, moments.std, moments.unit)
        return means, scales

    def _task_ids(self, X):
        """Task id of each row of long data, None for wide data."""
        if self.task_column is None:
            return None
        return split_task_column(X, self.task_column)[1]


def _inner(regressor):
    """The unfitted regressor that a search or another wrapper holds, None if it holds none."""
    for name in ("estimator", "regressor"):
        if hasattr(regressor, name):
            return getattr(regressor, name)
    return None


def _task_column(regressor):
    """The column that the regressor, or the one it wraps, reads task ids from; None if wide."""
    while regressor is not None:
        if getattr(regressor, "task_column", None) is not None:
            return regressor.task_column
        regressor = _inner(regressor)
    return None


def _pipeline_reads_tasks(regressor):
    """Whether task ids are read only behind a pipeline's other steps."""
    while regressor is not None:
        if hasattr(regressor, "steps"):
            return _task_column(regressor.steps[-1][1]) is not None
        regressor = _inner(regressor)
    return False


def _beside(x, values):
    """`values` where x lies, as widest floats."""
    place = _backend.place_of(x)
    return _backend.to_place(values, place, _backend.widest_float(place))
