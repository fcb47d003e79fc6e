"""What linear regressors share: attributes from a Solution, and predictions x.w_t + b_t."""

import numpy as np

from .. import _backend
from ..base import MultiTaskMixin


class LinearRegressorMixin(MultiTaskMixin):
    """Fitted coefficients and linear predictions."""

    _accept_sparse = "csr"

    def predict(self, X):
        """Predict the labels of every task, or of each row's own task.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            With the task column where the model was fitted with one.

        Returns
        -------
        array of shape (n_samples,) or (n_samples, n_tasks)
            As y was in `fit`; one label a row for long data.

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        ValueError
            If a task id was not seen in `fit` and ``unknown_task="error"``.
        """
        X, codes = self._validate_predict(X)
        self._check_same_place(X, self.coef_, "predict")
        own, shared = (self.coef_, self.intercept_), (self.shared_coef_, self.shared_intercept_)
        return self._linear_predictions(X, codes, own, shared)

    def _record_solution(self, X, fit_input, solution):
        """Set the fitted attributes; tasks without labels get the shared part."""
        solution = fit_input.units.solution(solution)
        xp = _backend.namespace_of(solution.W)
        T, labelled = len(fit_input.tasks), fit_input.labelled
        # row T stands for a task of which nothing is known
        source = np.full(T, len(labelled))
        source[labelled] = np.arange(len(labelled))
        W = xp.concat([solution.W, solution.shared[None, :]], axis=0)
        b = xp.concat([solution.b, xp.reshape(solution.shared_intercept, (1,))])
        W, b = _backend.take(W, source), _backend.take(b, source)
        omega = np.zeros(T)
        omega[labelled] = fit_input.omega
        to_input = fit_input.to_input_namespace
        self._record_input(X, fit_input)
        self.coef_, self.intercept_ = to_input(W), to_input(b)
        self.shared_coef_ = to_input(solution.shared)
        self.specific_coef_ = to_input(W - solution.shared)
        self.shared_intercept_ = to_input(solution.shared_intercept)
        self.task_weights_ = to_input(omega)
        self._origin = to_input(solution.origin)
