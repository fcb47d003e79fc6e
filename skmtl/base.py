"""MultiTaskMixin: what every multi-task estimator does with its input, whatever it fits.

Labels come wide, Y (n_samples, n_tasks) with NaN where not observed, or long, one label a row with
the task's id in a column of X.  Both become one TaskData, at the place where the fit is computed.
"""

from contextlib import contextmanager

import numpy as np
from sklearn.base import MultiOutputMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from . import _backend
from ._checks import check_flag, check_option
from ._input import (
    FLOATS,
    FeatureUnits,
    FitInput,
    RawInput,
    as_table,
    check_foreign,
    check_labels,
    check_observed,
    check_same_rows,
    check_task_weight,
    check_two_dimensional,
    check_weight,
    checked_array,
    float_name,
    join_tasks,
    meet_unknown,
    number_tasks,
    require_y,
    split_task_column,
    standard_units,
    task_data,
    task_names,
    to_host,
    warn_alike,
    warn_unlabelled,
    work_estimate,
    zero_task_weights,
)
from .metrics import multitask_r2_score

__all__ = ["MultiTaskMixin", "at_once"]

UNKNOWN_TASK = ("error", "shared")


@contextmanager
def at_once(estimator):
    """Context in which a copy takes the fitted attributes, for the estimator to have all or none.

    Whatever ends it early, as an interrupt does, leaves the estimator as it was.

    Parameters
    ----------
    estimator : estimator

    Yields
    ------
    estimator
        The copy.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator
    >>> from skmtl.base import at_once
    >>> estimator = BaseEstimator()
    >>> with at_once(estimator) as model:
    ...     model.coef_, model.intercept_ = 1.0, 2.0
    >>> estimator.coef_, estimator.intercept_
    (1.0, 2.0)
    """
    model = object.__new__(type(estimator))
    vars(model).update(vars(estimator))
    yield model
    estimator.__dict__ = vars(model)  # one step, which no signal divides


class MultiTaskMixin(MultiOutputMixin):
    """Validation, tags and masked score of multi-task estimators.

    Estimators that use it have the parameters `task_column` and `unknown_task`, and may have
    `task_weight`, `standardize`, `fit_intercept` and `device`; `fit` calls `_validate_fit` and
    ends with `_record_input`, and `predict` calls `_validate_predict`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.base import BaseEstimator, RegressorMixin
    >>> from skmtl.base import MultiTaskMixin
    >>> class TaskMeans(MultiTaskMixin, RegressorMixin, BaseEstimator):
    ...     task_column, unknown_task = None, "error"
    ...
    ...     def fit(self, X, y):
    ...         checked = self._validate_fit(X, y)
    ...         self.means_ = np.nanmean(y, axis=0)
    ...         self._record_input(X, checked)
    ...         return self
    ...
    ...     def predict(self, X):
    ...         X, _ = self._validate_predict(X)
    ...         return np.tile(self.means_, (len(X), 1))
    >>> TaskMeans().fit([[1.0], [2.0]], [[3.0, np.nan], [5.0, 1.0]]).predict([[0.0]])
    array([[4., 1.]])
    """

    task_weight = None
    standardize = False
    fit_intercept = True
    device = "cpu"
    _of_unlabelled = "the shared prediction"
    _accept_sparse = False  # "csr" where the model keeps it sparse
    _finite = True  # what check_array demands of X; "allow-nan" where the model takes NaN

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.single_output = True
        tags.target_tags.multi_output = True
        tags.array_api_support = True
        tags.input_tags.sparse = bool(self._accept_sparse)
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "tasks_")

    def score(self, X, y, sample_weight=None):
        """Mean over tasks of the coefficient of determination on the observed labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            NaN where a label is not observed.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), optional
            Frequencies.

        Returns
        -------
        float
            Tasks with fewer than two observed labels are left out of the mean.
        """
        prediction = _backend.to_numpy(self.predict(X))
        task = None
        if self.task_column is not None:
            task = split_task_column(X, self.task_column)[1]
        if sample_weight is not None:
            sample_weight = to_host(sample_weight)
        return float(
            multitask_r2_score(to_host(y), prediction, task=task, sample_weight=sample_weight)
        )

    def _validate_fit(self, X, y, sample_weight=None, units=None):
        """Check everything that `fit` is given and return it as FitInput; sets no attribute.

        `units`: FeatureUnits to use in place of those that X would be given.
        """
        raw = self._read_input(X, y, sample_weight)
        fit_input = self._fit_input(raw, units)
        warn_unlabelled(raw.tasks, fit_input.labelled, self._of_unlabelled)
        return fit_input

    def _read_input(self, X, y, sample_weight=None, *, continued=False):
        """Check what `fit` or `partial_fit` is given and return it as RawInput.

        `continued`: the data come after those of earlier calls, whose columns they have and whose
        tasks the new ids of long data join.
        """
        check_option("unknown_task", self.unknown_task, UNKNOWN_TASK)
        check_flag("standardize", self.standardize)
        require_y(self, y)
        if continued:
            validate_data(self, as_table(X), reset=False, skip_check_array=True)
        features, ids = self._split_features(X)
        labels, values = self._read_labels(y)
        if values is not None:
            warn_alike(values.tolist(), values.tolist(), "y", "label")
        labels, weight, tasks, codes = self._validate_labels(
            features, y, labels, sample_weight, ids
        )
        if continued:
            tasks, codes = self._joined(tasks, codes, labels)
        self._warn_alike(tasks, self.tasks_ if continued else ())
        return RawInput(features, labels, values, weight, tasks, codes)

    def _joined(self, tasks, codes, labels):
        """Tasks of all calls so far, and the task index among them of each row of this one."""
        if labels.ndim != self._y_ndim or (codes is None and len(tasks) != self.n_tasks_):
            raise ValueError(
                f"y must have as many columns as in earlier calls: {self.n_tasks_} "
                f"({self._y_ndim}-D), got {len(tasks)} ({labels.ndim}-D)."
            )
        if codes is None:
            return self.tasks_, None
        tasks, (_, index) = join_tasks(self.tasks_, tasks)
        return tasks, index[codes]

    def _fit_input(self, raw, units=None):
        """FitInput of a RawInput, under `task_weight` and on `device`."""
        features, labels, values, weight, tasks, codes = raw
        place = _backend.resolve_device(self.device, features, work_estimate(features, labels))
        task_weight = check_task_weight(self.task_weight, len(tasks))
        if not isinstance(task_weight, str):
            weight = zero_task_weights(weight, task_weight > 0, codes, labels.shape)
        X_there = _backend.to_place(features, place)
        data, labelled = task_data(X_there, labels, weight, codes, len(tasks))
        omega = 1 / data.weight_sums if isinstance(task_weight, str) else task_weight[labelled]
        origin = _backend.place_of(features)
        dtype = float_name(features)
        omega = omega / omega.mean()
        units = self._units_of(data) if units is None else units
        data = units.of_data(data)
        return FitInput(data, labelled, tasks, omega, labels.ndim, origin, dtype, values, units)

    def _units_of(self, data):
        """FeatureUnits in which the penalties apply."""
        if not self.standardize:
            return FeatureUnits()
        return standard_units(data, centre=self.fit_intercept)

    def _read_labels(self, y):
        """Labels as float64, NaN where missing, and None or the classes that they number."""
        return check_labels(y, self), None

    def _validate_labels(self, X, y, labels, sample_weight, ids):
        """Checked labels, weights or None, tasks, and each row's task number (None: wide)."""
        if ids is not None and labels.ndim == 2 and labels.shape[1] == 1:
            labels = labels[:, 0]
            check_observed(labels)
        check_same_rows(X, labels)
        weight = check_weight(sample_weight, labels, wide=ids is None)
        if ids is None:
            return labels, weight, task_names(y, labels), None
        return labels, weight, *self._encode(ids, labels)

    def _record_input(self, X, fit_input):
        """Set n_features_in_, feature_names_in_, tasks_ and n_tasks_, and mean_ and scale_."""
        validate_data(self, as_table(X), skip_check_array=True)
        self._units = fit_input.units
        for name in ("mean", "scale"):
            vars(self).pop(f"{name}_", None)  # of an earlier fit
            if self.standardize:
                setattr(self, f"{name}_", fit_input.to_input_namespace(getattr(self._units, name)))
        self._y_ndim = fit_input.y_ndim
        self.tasks_ = fit_input.tasks
        self.n_tasks_ = len(fit_input.tasks)

    def _validate_predict(self, X):
        """Features at the place of the fitted arrays, and the number of each row's task or None."""
        check_is_fitted(self)
        if self.task_column is None:
            if _backend.is_foreign(X):
                validate_data(self, X, reset=False, skip_check_array=True)
                return check_foreign(X), None
            features = self._split_features(X)[0]
            validate_data(self, X, reset=False, skip_check_array=True)
            return features, None
        X = as_table(X)
        validate_data(self, X, reset=False, skip_check_array=True)
        features, ids = self._split_features(X)
        codes = number_tasks(ids, self.task_column, self.tasks_)
        unknown = codes < 0
        if unknown.any():
            refuse, alone = self.unknown_task == "error", unknown.all()
            unseen = ids[unknown], self.tasks_, self.task_column
            meet_unknown(*unseen, refuse=refuse, alone=alone)
        return features, codes

    def _check_same_place(self, X, fitted, method):
        """Refuse arrays of another library or device than a fitted one, given to a method."""
        if _backend.place_of(X) != _backend.place_of(fitted):
            raise ValueError(
                f"Inputs passed to {type(self).__name__}.{method}() must use the same namespace "
                "and the same device as those passed to fit()."
            )

    def _linear_predictions(self, X, codes, own, shared):
        """Predictions x.w_t + b_t in the shape of y.

        Parameters
        ----------
        X : array of shape (n_samples, width)
        codes : ndarray of shape (n_samples,) or None
            As `_validate_predict` returns them; -1: no task that `fit` saw.
        own : tuple
            Coefficients (n_tasks, width) and intercepts (n_tasks,).
        shared : tuple
            Those of other tasks, of shapes (width,) and ().
        """
        (W, b), (w0, b0) = own, shared
        if codes is None:
            Z = X @ W.T + b
            return Z[:, 0] if self._y_ndim == 1 else Z
        xp = _backend.namespace_of(W)
        W = xp.concat([W, w0[None, :]], axis=0)
        b = xp.concat([b, xp.reshape(b0, (1,))])
        rows = np.where(codes < 0, self.n_tasks_, codes)
        W, b = _backend.take(W, rows), _backend.take(b, rows)
        if _backend.is_sparse(X):
            return np.asarray(X.multiply(W).sum(axis=1)).astype(X.dtype, copy=False) + b
        return xp.vecdot(X, W) + b

    def _split_features(self, X):
        """Checked floating-point features and the task ids, None for wide data."""
        ids = None
        check_two_dimensional(X)
        if self.task_column is not None:
            X, ids = split_task_column(X, self.task_column)
        if _backend.is_foreign(X):
            return check_foreign(X), ids
        options = {"ensure_all_finite": self._finite, "accept_sparse": self._accept_sparse}
        return checked_array("X", X, self, dtype=FLOATS, **options), ids

    def _warn_alike(self, tasks, known=()):
        """One warning if a task of long data that was not known reads as another one."""
        if self.task_column is not None:
            known = set(known)
            new = [task for task in tasks if task not in known]
            warn_alike(new, tasks, f"column {self.task_column!r}")

    def _encode(self, ids, labels):
        if labels.ndim == 2:
            raise ValueError(
                f"with task_column={self.task_column!r} y must be 1-D, one label a row; "
                f"got shape {labels.shape}."
            )
        return number_tasks(ids, self.task_column)
