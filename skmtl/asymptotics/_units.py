"""From the theory's units to estimators' and back: the one place where means become plain sums.

Theory: sum_t rho_t/n_t sum_i loss + lam0/2 |w0|^2 + lam/2 sum_t |v_t|^2.  Estimators: sum_t omega_t
sum_i loss + alpha0/2 |w0|^2 + ..., where MultiTaskRidge and MultiTaskPerceptron write it without
halves, loss included.
Task weights omega of mean 1 fix the factor between the two, 1 / mean(rho_t / n_t).
"""

import numpy as np

from .._checks import check_strength
from ._checks import check_per_task
from ._matrices import penalty_matrix

SAME = 1e-9  # relative difference of penalties taken as equal


def to_estimator_alphas(problem, n_features):
    """Parameters of an estimator that solves the problem on data of `n_features` features.

    Parameters
    ----------
    problem : AsymptoticProblem
        Its penalty matrix treats all tasks alike.
    n_features : int
        At least 1.

    Returns
    -------
    alpha_shared : float
        For MultiTaskRidge, MultiTaskLogisticRegression and perceptrons without hidden layers alike
        (the regressor with ``scale_targets=False``), to be fitted without an intercept.
    alpha_specific : float
    task_weight : ndarray of shape (n_tasks,)
        Of mean 1.

    Raises
    ------
    ValueError
        If the penalty matrix is not that of a shared and a specific alpha, both positive, or
        ``sample_ratio * n_features`` is not a whole number of rows.

    Examples
    --------
    >>> from skmtl.asymptotics import (
    ...     AsymptoticProblem, penalty_matrix, task_gram, to_estimator_alphas
    ... )
    >>> problem = AsymptoticProblem(
    ...     sample_ratio=0.5,
    ...     gram=task_gram(3, similarity=0.8),
    ...     penalty_matrix=penalty_matrix(3, alpha_shared=0.1, alpha_specific=1.0),
    ... )
    >>> alpha_shared, alpha_specific, task_weight = to_estimator_alphas(problem, 200)
    >>> round(alpha_shared, 6), round(alpha_specific, 6), task_weight
    (10.0, 100.0, array([1., 1., 1.]))
    """
    alpha_shared, alpha_specific = shared_specific_alphas(problem.penalty_matrix)
    weight = problem.loss_weight / problem.n_rows(n_features)
    factor = 1 / weight.mean()
    return float(factor * alpha_shared), float(factor * alpha_specific), factor * weight


def from_estimator_alphas(alpha_shared, alpha_specific, n_rows, *, task_weight=1.0):
    """What an estimator minimises, in the units of the theory: inverse of to_estimator_alphas.

    Parameters
    ----------
    alpha_shared : float in (0, inf]
        Of an estimator that `to_estimator_alphas` names.
    alpha_specific : float in (0, inf)
    n_rows : array-like of int of shape (n_tasks,)
        Rows of each task.
    task_weight : float or array-like of shape (n_tasks,), default=1.0
        As in the estimator.

    Returns
    -------
    penalty_matrix : ndarray of shape (n_tasks, n_tasks)
    loss_weight : ndarray of shape (n_tasks,)
        For :class:`AsymptoticProblem`.

    Raises
    ------
    ValueError
        If a value is out of its range.

    Examples
    --------
    >>> from skmtl.asymptotics import from_estimator_alphas
    >>> penalty_matrix, loss_weight = from_estimator_alphas(10.0, 100.0, [50, 150])
    >>> loss_weight
    array([0.5, 1.5])
    """
    check_strength("alpha_shared", alpha_shared)
    check_strength("alpha_specific", alpha_specific, infinite=False)
    n_rows = check_per_task("n_rows", n_rows, np.size(n_rows))
    weight = check_per_task("task_weight", task_weight, len(n_rows))
    mean = n_rows.mean()
    matrix = penalty_matrix(len(n_rows), alpha_shared / mean, alpha_specific / mean)
    return matrix, weight / weight.mean() * n_rows / mean


def shared_specific_alphas(matrix):
    """(alpha_shared, alpha_specific) whose penalty matrix it is."""
    T, own = len(matrix), matrix[0, 0]
    coupling = matrix[0, 1] if T > 1 else 0.0
    pattern = np.where(np.eye(T, dtype=bool), own, coupling)
    if own <= 0 or coupling > SAME * own or np.abs(matrix - pattern).max() > SAME * own:
        raise ValueError(
            "penalty_matrix must be that of one alpha_shared and one alpha_specific, both "
            "positive, for an estimator to have it; see skmtl.asymptotics.penalty_matrix."
        )
    specific = own - coupling
    if coupling > -SAME * own:
        return np.inf, float(specific)
    shared = specific**2 / -coupling - T * specific
    if shared <= SAME * specific:
        raise ValueError(
            "penalty_matrix must have alpha_shared > 0 for an estimator to have it: its common "
            "part is free."
        )
    return float(shared), float(specific)
