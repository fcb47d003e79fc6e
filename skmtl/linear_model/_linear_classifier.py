"""What linear classifiers share: scores x.w + b of a task's units, attributes from a Solution."""

import numpy as np

from .. import _backend
from .._classifier import DecisionMixin, MultiTaskClassifierMixin
from ..solvers import Solution


class LinearClassifierMixin(DecisionMixin, MultiTaskClassifierMixin):
    """Fitted coefficients and linear scores."""

    _accept_sparse = "csr"

    def _validate_query(self, X, method):
        X, codes = super()._validate_query(X, method)
        self._check_same_place(X, self.shared_coef_, method)
        return X, codes

    def _task_scores(self, X, t):
        if t < 0:
            rows = self._task_classes.channels_of(-1)
            W, b = (
                self._rows_of(self.shared_coef_, rows, 2),
                self._rows_of(self.shared_intercept_, rows, 1),
            )
        elif isinstance(self.coef_, list):
            W, b = self.coef_[t], self.intercept_[t]
        else:
            W, b = self.coef_[t : t + 1, :], self.intercept_[t : t + 1]
        return _backend.to_numpy(X @ W.T + b)

    def _scores_by_task(self, X):
        if isinstance(self.coef_, list):
            return super()._scores_by_task(X)
        Z = _backend.to_numpy(X @ self.coef_.T + self.intercept_)
        return [Z[:, t : t + 1] for t in range(self.n_tasks_)]

    def _rows_of(self, x, rows, ndim):
        """The shared part of these channels; a binary model has one, without an axis for it."""
        return x[None, ...] if x.ndim < ndim else _backend.take(x, rows)

    def _record_units(self, X, fit_input, classes, weights, solution):
        """Set the fitted attributes.

        `solution` has a row for each unit of the tasks of `fit_input`, in their order, and a
        shared row for each channel. `weights` are those of all labelled tasks: (numbers, omega).
        """
        to_input, solution = fit_input.to_input_namespace, fit_input.units.solution(solution)
        names = ("shared", "shared_intercept", "W", "b")
        shared, b0, W, b = (_host(getattr(solution, name)) for name in names)
        coef, intercept, first = [], [], 0
        units = dict(zip(fit_input.labelled.tolist(), range(len(fit_input.labelled)), strict=True))
        for t in range(len(fit_input.tasks)):
            channels = classes.channels_of(t)
            if t in units:
                rows = slice(first, first + len(channels))
                first = rows.stop
                coef.append(W[rows])
                intercept.append(b[rows])
            else:
                coef.append(shared[channels])
                intercept.append(b0[channels])
        deviations = [w - shared[classes.channels_of(t)] for t, w in enumerate(coef)]
        omega = np.zeros(len(fit_input.tasks))
        omega[weights[0]] = weights[1]
        if classes.is_binary:
            pack = lambda parts: to_input(np.concatenate(parts))  # noqa: E731
            shared, b0 = shared[0], b0[0]
        else:
            pack = lambda parts: [to_input(part) for part in parts]  # noqa: E731
        self._record_classes(X, fit_input, classes)
        self.coef_, self.intercept_ = pack(coef), pack(intercept)
        self.shared_coef_, self.shared_intercept_ = to_input(shared), to_input(b0)
        self.specific_coef_ = pack(deviations)
        self.task_weights_ = to_input(omega)


def constant_solution(n_features):
    """Solution where every task has one class: nothing to fit."""
    w, b = np.zeros((1, n_features)), np.zeros(1)
    return Solution(w, b, w, b, w[0], n_iter=1, residual=0.0, converged=True)


def _host(x):
    return np.asarray(_backend.to_numpy(x), dtype=np.float64)
