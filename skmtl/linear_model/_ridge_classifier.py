"""MultiTaskRidgeClassifier: MultiTaskRidge on labels +-1, one class against the rest."""

from dataclasses import replace

import numpy as np
from sklearn.base import BaseEstimator

from .._backend import to_numpy
from .._data import of_tasks
from .._input import check_class_weight, weigh_classes
from ..base import at_once
from ..losses import SquaredError
from ..solvers import SOLVERS, QuadraticProblem, Solution
from ._linear_classifier import LinearClassifierMixin, constant_solution
from ._parameters import check_penalty, check_solver, warn_unsolved


class MultiTaskRidgeClassifier(LinearClassifierMixin, BaseEstimator):
    """Ridge regression on +-1 for related classification tasks: fast, without probabilities.

    Parameters
    ----------
    alpha_shared : float in (0, inf], default=1.0
        Strength on the shared coefficients. inf: none are shared, every task stands alone.
    alpha_specific : float in (0, inf], default=1.0
        Strength on the specific coefficients. inf: all tasks have the same coefficients.
    alpha_intercept : float in [0, inf], default=0.0
        Strength on the deviations of the intercepts from their common value, at the mean of X.
        0: a free intercept for each task; inf: one intercept.
    standardize : bool, default=False
        Whether the penalties apply to features in standard units, of mean 0 and standard deviation
        1 over the observed labels (without an intercept: of root mean square 1). Coefficients and
        predictions are in the units of X either way.
    fit_intercept, task_weight, task_column, unknown_task, solver, tol, max_iter, device
        As in :class:`MultiTaskRidge`.
    class_weight, missing_label
        As in :class:`MultiTaskLogisticRegression`.

    Attributes
    ----------
    classes_, coef_, intercept_, shared_coef_, specific_coef_, shared_intercept_, task_weights_, \
tasks_, n_tasks_, n_iter_, n_features_in_, feature_names_in_
        As in :class:`MultiTaskLogisticRegression`, of the scores of the classes.
    mean_, scale_ : ndarray of shape (n_features,)
        What is subtracted from the features and what they are divided by, with
        ``standardize=True``: means and standard deviations; without an intercept 0 and root mean
        squares. A constant feature is divided by its size.

    See Also
    --------
    MultiTaskLogisticRegression : With probabilities.
    sklearn.linear_model.RidgeClassifier : The same for one task.

    Notes
    -----
    The labels of a binary task are +1 for its second class and -1 for its first, and the objective
    is that of :class:`MultiTaskRidge`. Where some task has more than two classes, there is such a
    problem for each class, +1, against the others of the task, -1, shared by the tasks that have
    the class; the class with the largest score is predicted.

    A task that has labels of one class only predicts that class, and a warning says so.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl import MultiTaskRidgeClassifier
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> Y = np.array([["no", "no"], ["no", None], ["yes", "yes"], ["yes", "yes"]])
    >>> MultiTaskRidgeClassifier(alpha_shared=0.1).fit(X, Y).predict([[2.5], [0.5]])
    array([['yes', 'yes'],
           ['no', 'no']], dtype='<U3')
    """

    def __init__(
        self,
        alpha_shared=1.0,
        alpha_specific=1.0,
        *,
        alpha_intercept=0.0,
        fit_intercept=True,
        standardize=False,
        task_weight=None,
        class_weight=None,
        missing_label=np.nan,
        task_column=None,
        unknown_task="error",
        solver="auto",
        tol=1e-10,
        max_iter=1000,
        device="auto",
    ):
        self.alpha_shared = alpha_shared
        self.alpha_specific = alpha_specific
        self.alpha_intercept = alpha_intercept
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.task_weight = task_weight
        self.class_weight = class_weight
        self.missing_label = missing_label
        self.task_column = task_column
        self.unknown_task = unknown_task
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.device = device

    def fit(self, X, y, sample_weight=None):
        """Fit the coefficients of all tasks.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            With the task column if `task_column` is set.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Class labels; `missing_label`, NaN or None in a 2-D y marks one that was not observed.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), optional
            Frequencies: weight 2 is the row (or label) twice, weight 0 leaves it out.

        Returns
        -------
        self : MultiTaskRidgeClassifier

        Raises
        ------
        ValueError
            If a parameter, X, y or sample_weight is out of range or of the wrong shape.
        TypeError
            If a parameter is of the wrong type.
        """
        penalty = self._check_params()
        fit_input = self._validate_fit(X, y, sample_weight)
        classes, fitted = self._separate(fit_input, models_only=True)
        if fitted.data is None:
            solution = constant_solution(fit_input.data.X.shape[1])
        else:
            solution = self._solve(fitted, classes, penalty)
        warn_unsolved(solution, self.tol)
        weights = fit_input.labelled, fit_input.omega
        with at_once(self) as model:
            model._record_units(X, fitted, classes, weights, solution)
            model.n_iter_ = max(1, solution.n_iter)
        return self

    def _solve(self, fitted, classes, penalty):
        """Solution with a row for each unit of the tasks in turn and shared ones for the channels.

        One ridge problem a channel, of the tasks that have a unit in it.
        """
        labelled, values = fitted.labelled, classes.values
        data = weigh_classes(fitted.data, labelled, fitted.tasks, values, self.class_weight)
        layout = classes.units(labelled)
        channels = np.concatenate(layout.channels)
        task = np.repeat(np.arange(data.n_tasks), [len(c) for c in layout.channels])
        positive, p = np.concatenate(layout.positive), data.X.shape[1]
        W, b = np.zeros((len(channels), p)), np.zeros(len(channels))
        shared, b0 = np.zeros((layout.n_channels, p)), np.zeros(layout.n_channels)
        parts = []
        for channel in np.unique(channels):
            units = np.flatnonzero(channels == channel)
            part = _solve_channel(
                _against_rest(of_tasks(data, task[units]), positive[units]),
                fitted.omega[task[units]],
                penalty,
                fit_intercept=self.fit_intercept,
                limits={"solver": self.solver, "tol": self.tol, "max_iter": self.max_iter},
            )
            W[units], b[units] = to_numpy(part.W), to_numpy(part.b)
            shared[channel], b0[channel] = to_numpy(part.shared), to_numpy(part.shared_intercept)
            parts.append(part)
        return Solution(
            W,
            b,
            shared,
            b0,
            to_numpy(parts[0].origin),
            n_iter=max(part.n_iter for part in parts),
            residual=max(float(part.residual) for part in parts),
            converged=all(part.converged for part in parts),
        )

    def _check_params(self):
        """Check every parameter and return the penalty."""
        check_solver(self, SOLVERS)
        check_class_weight(self.class_weight)
        return check_penalty(self)


def _against_rest(data, positive):
    """TaskData with label +1 for each task's positive class, else -1."""
    if data.is_common_design:
        return replace(data, Y=np.where(data.Y == positive, 1.0, -1.0))
    labels = data.labels
    y = np.where(labels.y == positive[labels.task], 1.0, -1.0)
    return replace(data, _labels=replace(labels, y=y))


def _solve_channel(data, omega, penalty, *, fit_intercept, limits):
    problem = QuadraticProblem(data, SquaredError(), omega, fit_intercept=fit_intercept)
    return problem.solve(penalty, **limits)
