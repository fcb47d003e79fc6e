"""What a multi-task model has to beat: one model per task, and one model for all tasks.

Both wrap any scikit-learn regressor, and read wide y with missing labels or long rows as every
estimator here does, so that the same data, splits and scorers serve them.
"""

from abc import ABC, abstractmethod

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.utils.parallel import Parallel, delayed

from . import _backend
from ._checks import check_flag, check_jobs
from ._validation import check_regressor, tags_of
from .base import MultiTaskMixin

__all__ = ["IndependentTasks", "PooledTasks"]


class _TaskWrapper(MetaEstimatorMixin, MultiTaskMixin, RegressorMixin, BaseEstimator, ABC):
    """Fit and predict on NumPy arrays; a subclass says what becomes of labels and of rows."""

    def __sklearn_tags__(self):
        tags, inner = super().__sklearn_tags__(), tags_of(self.estimator)
        tags.array_api_support = False
        tags.non_deterministic = inner.non_deterministic
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        tags.input_tags.positive_only = inner.input_tags.positive_only
        if inner.regressor_tags is not None:
            tags.regressor_tags = inner.regressor_tags
        return tags

    @property
    def _finite(self):
        return "allow-nan" if tags_of(self.estimator).input_tags.allow_nan else True

    def fit(self, X, y, sample_weight=None):
        """Fit clones of `estimator` on the observed labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            With the task column if `task_column` is set. NaN where `estimator` takes it.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            NaN in a 2-D y marks a label that was not observed.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), optional
            Frequencies; labels of weight 0 are left out. Passed on to `estimator` if given.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If a parameter, X, y or sample_weight is out of range or of the wrong shape.
        TypeError
            If a parameter is of the wrong type, or `estimator` takes no sample_weight.
        """
        self._check_params()
        fit_input = self._validate_fit(_on_host(X), y, sample_weight)
        fitted = self._fit_labels(fit_input, weighted=sample_weight is not None)
        self._record_input(X, fit_input)
        self._parts = self._own_parts(fit_input)
        for name, value in fitted.items():
            setattr(self, name, value)
        return self

    def predict(self, X):
        """Predict the labels of every task, or of each row's own task.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            With the task column where the model was fitted with one.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_tasks)
            As y was in `fit`; one label a row for long data.

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        ValueError
            If a task id was not seen in `fit` and ``unknown_task="error"``.
        """
        X, codes = self._validate_predict(_on_host(X))
        if codes is not None:
            return self._predict_rows(X, np.append(self._parts, -1)[codes])
        parts, column = np.unique(self._parts, return_inverse=True)
        Z = [self._predict_rows(X, np.full(len(X), part)) for part in parts]
        return Z[0] if self._y_ndim == 1 else np.stack(Z, axis=1)[:, column]

    def _check_params(self):
        check_regressor("estimator", self.estimator)

    def _own_parts(self, fit_input):
        """Number of each task, -1 where the model has no part of the task's own."""
        parts = np.full(len(fit_input.tasks), -1)
        parts[fit_input.labelled] = fit_input.labelled
        return parts

    @abstractmethod
    def _fit_labels(self, fit_input, *, weighted):
        """The fitted estimators, by the name of the attribute that holds them."""

    @abstractmethod
    def _predict_rows(self, X, parts):
        """One prediction a row, by the part of which task, -1 for none."""


class IndependentTasks(_TaskWrapper):
    """One clone of a regressor for each task, fitted on that task's observed labels alone.

    A task without labels, and with ``unknown_task="shared"`` one that `fit` did not see, is
    predicted by the mean of the other tasks' predictions.

    Parameters
    ----------
    estimator : object
        A regressor of one target, as of scikit-learn; a pipeline or a search serves too.
    task_column : str or int, default=None
        Name or position of the column of X that holds the task ids (long data). None: wide y.
    unknown_task : {"error", "shared"}, default="error"
        What predict does with an id that fit did not see: refuse it, or predict the mean.
    n_jobs : int or None, default=None
        Number of tasks fitted at the same time, in threads; -1 is one for each core.

    Attributes
    ----------
    estimators_ : list of length n_tasks
        The fitted clones, None for a task without labels.
    tasks_ : list
        Task ids, sorted, or column names of y.
    n_tasks_ : int
    n_features_in_ : int
        Columns of X, the task column included.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Where X has column names.

    See Also
    --------
    PooledTasks : One regressor for all tasks.
    sklearn.multioutput.MultiOutputRegressor : The same for a complete y.

    Notes
    -----
    With ``Ridge(alpha)`` inside this is :class:`~skmtl.linear_model.MultiTaskRidge` with
    alpha_shared = inf, alpha_specific = alpha and alpha_intercept = 0.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from skmtl.baselines import IndependentTasks
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> Y = np.array([[0.0, 9.0], [2.0, np.nan], [4.0, 7.0], [np.nan, 6.0]])
    >>> model = IndependentTasks(LinearRegression()).fit(X, Y)
    >>> model.predict([[4.0]]).round(6)
    array([[8., 5.]])
    """

    def __init__(self, estimator, *, task_column=None, unknown_task="error", n_jobs=None):
        self.estimator = estimator
        self.task_column = task_column
        self.unknown_task = unknown_task
        self.n_jobs = n_jobs

    def _check_params(self):
        super()._check_params()
        check_jobs("n_jobs", self.n_jobs)

    def _fit_labels(self, fit_input, *, weighted):
        X, labels = fit_input.data.X, fit_input.data.labels
        pieces = [slice(a, b) for a, b in zip(labels.indptr[:-1], labels.indptr[1:], strict=True)]
        names = [fit_input.tasks[t] for t in fit_input.labelled]
        # scikit-learn's Parallel is joblib's and hands its configuration to the threads; X[rows]
        # is a copy even of all rows: an inner copy_X=False may write into it
        fitted = Parallel(n_jobs=self.n_jobs, prefer="threads")(
            delayed(_fit_task)(
                clone(self.estimator),
                X[labels.row[piece]],
                labels.y[piece],
                labels.s[piece] if weighted else None,
                name,
            )
            for name, piece in zip(names, pieces, strict=True)
        )
        estimators = dict(zip(fit_input.labelled.tolist(), fitted, strict=True))
        return {"estimators_": [estimators.get(t) for t in range(len(fit_input.tasks))]}

    def _predict_rows(self, X, parts):
        order = np.argsort(parts, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(parts[order])) + 1)
        z = np.concatenate([self._predict_task(X[rows], parts[rows[0]]) for rows in groups])
        return z[np.argsort(order)]

    def _predict_task(self, X, part):
        if part >= 0:
            return self.estimators_[part].predict(X)
        fitted = [estimator for estimator in self.estimators_ if estimator is not None]
        return np.mean([estimator.predict(X) for estimator in fitted], axis=0)


class PooledTasks(_TaskWrapper):
    """One regressor on the observed labels of all tasks, stacked.

    Parameters
    ----------
    estimator : object
        A regressor of one target, as of scikit-learn.
    task_dummies : bool, default=True
        Whether the features get one 0/1 column for each task beside them. A task without labels,
        and with ``unknown_task="shared"`` one that `fit` did not see, has zeros in all of them.
    task_column : str or int, default=None
        Name or position of the column of X that holds the task ids (long data). None: wide y.
    unknown_task : {"error", "shared"}, default="error"
        What predict does with an id that fit did not see: refuse it, or predict with zero dummies.

    Attributes
    ----------
    estimator_ : object
        The fitted clone, of n_features columns and with `task_dummies` n_tasks more, in the order
        of `tasks_`.
    tasks_ : list
        Task ids, sorted, or column names of y.
    n_tasks_ : int
    n_features_in_ : int
        Columns of X, the task column included.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Where X has column names.

    See Also
    --------
    IndependentTasks : One regressor for each task.

    Notes
    -----
    With ``Ridge(alpha)`` inside this is :class:`~skmtl.linear_model.MultiTaskRidge` with
    alpha_shared = alpha, alpha_specific = inf, and alpha_intercept = alpha with dummies or inf
    without. No dummy is dropped: the penalty then treats the tasks alike. A scaler belongs before
    this wrapper; inside it would scale the dummies too. Each label takes a row of its own: memory
    is n_labels times n_features + n_tasks.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from skmtl.baselines import PooledTasks
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> Y = np.array([[0.0, 5.0], [2.0, np.nan], [4.0, 9.0], [np.nan, 11.0]])
    >>> PooledTasks(LinearRegression()).fit(X, Y).predict([[4.0]]).round(6)
    array([[ 8., 13.]])
    """

    def __init__(self, estimator, *, task_dummies=True, task_column=None, unknown_task="error"):
        self.estimator = estimator
        self.task_dummies = task_dummies
        self.task_column = task_column
        self.unknown_task = unknown_task

    def _check_params(self):
        super()._check_params()
        check_flag("task_dummies", self.task_dummies)

    def _own_parts(self, fit_input):
        parts = super()._own_parts(fit_input)
        return parts if self.task_dummies else np.full_like(parts, -1)

    def _fit_labels(self, fit_input, *, weighted):
        labels = fit_input.data.labels
        task = fit_input.labelled[labels.task]
        design = self._design(fit_input.data.X[labels.row], task, len(fit_input.tasks))
        weights = {"sample_weight": labels.s} if weighted else {}
        return {"estimator_": clone(self.estimator).fit(design, labels.y, **weights)}

    def _predict_rows(self, X, parts):
        return self.estimator_.predict(self._design(X, parts, self.n_tasks_))

    def _design(self, X, parts, n_tasks):
        """X, with the dummies of each row's task beside it if asked for."""
        if not self.task_dummies:
            return X
        rows_of_eye = np.eye(n_tasks + 1, n_tasks, dtype=X.dtype)  # the last, of part -1, is zero
        return np.concatenate([X, rows_of_eye[parts]], axis=1)


def _on_host(X):
    return _backend.to_numpy(X) if _backend.is_foreign(X) else X


def _fit_task(estimator, X, y, weight, task):
    weights = {} if weight is None else {"sample_weight": weight}
    try:
        return estimator.fit(X, y, **weights)
    except Exception as error:
        error.add_note(f"This was the fit of task {task!r}, which has {len(y)} label(s).")
        raise
