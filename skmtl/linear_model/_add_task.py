"""add_task: a new task by ridge around the shared part, the other tasks untouched.

With r the residuals of the shared part at the origin of the fit, x the rows about that origin:
    min_{v, c} sum_i s_i (r_i - x_i.v - c)^2 + alpha_specific ||v||^2 + alpha_intercept c^2,
and the task gets w = w0 + v and the level b_0 + c.  With standardize=True x and v are in the
standard units of the fit, which the new rows do not change.
"""

from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import check_is_fitted, validate_data

from .._backend import few_threads, place_of, solve_psd, to_numpy, to_place
from .._input import (
    as_table,
    check_labels,
    check_observed,
    check_same_rows,
    check_weight,
    encode_tasks,
    warn_alike,
)
from .._moments import long_moments
from ..base import at_once


class AddTaskMixin:
    """Adds `add_task`; the estimator has `_used_penalty() -> SharedSpecific`."""

    def add_task(self, X, y, task=None, *, sample_weight=None):
        """Add a task to a fitted model from a few rows; the other tasks keep their coefficients.

        The shared part is the prior of the new task, with the penalties of the fit. The task
        weighs 1. `fit` on all rows would let the new rows move the shared part too.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows of the new task; for long data with the task column, which holds one id.
        y : array-like of shape (n_samples,)
        task : hashable, default=None
            Id of the task. None: for long data the id in X, for wide data the next free integer.
        sample_weight : array-like of shape (n_samples,), optional
            Frequencies.

        Returns
        -------
        self : object
            Predictions of wide data have one more column, the last.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        ValueError
            If X, y or sample_weight is of the wrong shape or not finite, or the task is there.

        Examples
        --------
        >>> import numpy as np
        >>> from skmtl import MultiTaskRidge
        >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
        >>> model = MultiTaskRidge(0.01, 1.0).fit(X, np.hstack([X, X + 1]))
        >>> model.add_task([[2.0]], [5.0], task="new").predict([[3.0]]).round(1)
        array([[3., 4., 6.]])
        """
        check_is_fitted(self)
        validate_data(self, as_table(X), reset=False, skip_check_array=True)
        features, ids = self._split_features(X)
        labels = check_labels(y, self)
        labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
        if labels.ndim != 1:
            raise ValueError(f"y of a new task must be 1-D, got shape {labels.shape}.")
        check_observed(labels)
        check_same_rows(features, labels)
        weight = check_weight(sample_weight, labels, wide=True)
        task = self._new_id(task, ids)
        rows = features.toarray() if issparse(features) else to_numpy(features)
        rows = rows.astype(np.float64)
        w, b = self._fit_task(rows, labels, np.ones(len(labels)) if weight is None else weight)
        with at_once(self) as model:
            model._insert_task(task, w, b)
            if hasattr(self, "_moments"):
                position = model.tasks_.index(task)
                others = np.delete(np.arange(model.n_tasks_), position)
                new = long_moments(rows, labels, np.zeros(len(labels), dtype=int), 1, weight)
                moments = self._moments.spread(model.n_tasks_, others)
                model._moments = moments + new.spread(model.n_tasks_, np.array([position]))
        return self

    def _new_id(self, task, ids):
        if ids is not None:
            found = encode_tasks(ids)[0]
            if len(found) > 1 or (task is not None and task != found[0]):
                raise ValueError(
                    f"column {self.task_column!r} must hold the id of one new task, got {found}."
                )
            task = found[0]
        elif task is None:
            numbers = [id_ for id_ in self.tasks_ if isinstance(id_, Integral)]
            task = max([self.n_tasks_ - 1, *numbers]) + 1
        if task in self.tasks_:
            raise ValueError(f"task {task!r} is there already; add_task takes a new one.")
        warn_alike([task], self.tasks_, "tasks_")
        return task

    def _fit_task(self, X, y, s):
        """(w, b) of the new task in the user's units."""
        penalty = self._used_penalty()
        a1, ai = penalty.alpha_specific, penalty.alpha_intercept
        w0, origin = (to_numpy(v).astype(np.float64) for v in (self.shared_coef_, self._origin))
        level = float(self.shared_intercept_) + w0 @ origin
        r = y - (X - origin) @ w0 - level
        X = self._units.of_rows(X) - self._units.of_rows(origin[None, :])
        if not self.fit_intercept:
            ai = np.inf
        x_mean, r_mean = (s @ X / s.sum(), s @ r / s.sum()) if ai == 0 else (0.0, 0.0)
        columns = [X - x_mean]
        if 0 < ai < np.inf and a1 < np.inf:  # the intercept is one more feature of its own length
            columns.append(np.full((len(y), 1), np.sqrt(a1 / ai)))
        v = np.zeros(sum(column.shape[1] for column in columns))
        if a1 < np.inf:
            v = _ridge(np.hstack(columns) * np.sqrt(s)[:, None], (r - r_mean) * np.sqrt(s), a1)
        v, c = v[: X.shape[1]], v[X.shape[1] :]
        if ai == 0:
            c = r_mean - x_mean @ v
        elif ai < np.inf:
            c = c[0] * np.sqrt(a1 / ai) if len(c) else s @ r / (s.sum() + ai)
        else:
            c = 0.0
        w = w0 + self._units.coefficients(v)
        return w, level + c - w @ origin

    def _insert_task(self, task, w, b):
        """Put the task where `tasks_` has its place: last, or sorted for long data."""
        tasks = [*self.tasks_, task]
        if self.task_column is not None:
            ids = np.empty(len(tasks), dtype=object)
            ids[:] = tasks
            tasks = encode_tasks(ids)[0]
        position = tasks.index(task)
        shared = to_numpy(self.shared_coef_)

        def inserted(name, value):
            old = getattr(self, name)
            new = np.insert(to_numpy(old), position, value, axis=0)
            setattr(self, name, _beside(old, new))

        inserted("coef_", w)
        inserted("specific_coef_", w - shared)
        inserted("intercept_", b)
        inserted("task_weights_", 1.0)
        self.tasks_, self.n_tasks_, self._y_ndim = (
            tasks,
            len(tasks),
            max(self._y_ndim, 1 if self.task_column is not None else 2),
        )


def _ridge(Z, r, alpha):
    """Ridge without intercept, through the smaller Gram."""
    n, p = Z.shape
    with few_threads(min(n, p)):
        if n < p:
            return solve_psd(r[None, :], Z @ Z.T, alpha)[0] @ Z
        return solve_psd((r @ Z)[None, :], Z.T @ Z, alpha)[0]


def _beside(old, new):
    return to_place(new, place_of(old), str(old.dtype).rpartition(".")[2])
