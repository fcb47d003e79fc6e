"""estimate_problem: what the theory says of a data set, before any model is fitted."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from ..asymptotics import (
    AsymptoticProblem,
    from_estimator_alphas,
    optimal_penalty,
    penalty_matrix,
    predict_risk,
    task_gram,
)
from ._moments import SMALLEST, Moments, task_moments
from ._table import TableReader

N_EIGENVALUES = 12  # groups in which the spectrum is kept
MARGIN = 1e-3  # of a similarity from the ends of its range, where penalties are infinite
POOLED = 1e5  # times all else: as good as infinite, without the loss of digits


class ProblemEstimate(NamedTuple):
    """What the theory says of a data set.

    Attributes
    ----------
    problem : AsymptoticProblem
        With the estimates and the penalty of the model that shares.
    similarity, similarity_se : float
        Cosine between the coefficients of any two tasks, and its standard error.
    signal_var, signal_var_se : float
        Variance of the labels of a task that the features explain.
    noise_var, noise_var_se : float
        Variance that they do not.
    sample_ratio : ndarray of shape (n_tasks,)
        Rows over features, the rows less one for the intercept.
    predicted_error : dict of str to float
        Mean squared error on new rows, averaged over tasks, of "sharing", "independent" and
        "pooled" ridge regression.
    gain, gain_se : float
        By how much sharing is predicted to lower the error of the better of the other two, and the
        standard error that comes from those of the estimates.
    """

    problem: AsymptoticProblem
    similarity: float
    similarity_se: float
    signal_var: float
    signal_var_se: float
    noise_var: float
    noise_var_se: float
    sample_ratio: np.ndarray
    predicted_error: dict
    gain: float
    gain_se: float


def estimate_problem(X, y, estimator=None, *, task_column=None):
    """Estimate similarity and noise of the tasks of a data set, and the gain of sharing.

    Nothing is fitted: the estimates are averages over pairs of rows, and the errors follow from
    them by :func:`~skmtl.asymptotics.predict_risk`.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        With the task column if `task_column` is set. On the scale on which a model would be fitted.
    y : array-like of shape (n_samples,) or (n_samples, n_tasks)
        NaN in a 2-D y marks a label that was not observed. Targets of different units should be
        standardised first.
    estimator : MultiTaskRidge, default=None
        The model that shares; its `task_column` counts where none is given. None, or an estimator
        that tunes its penalties: the optimal penalty.
    task_column : str or int, default=None
        Name or position of the column of X that holds the task ids (long data).

    Returns
    -------
    ProblemEstimate

    Raises
    ------
    ValueError
        If there are fewer than two tasks, or one has fewer than three labels.

    See Also
    --------
    skmtl.model_selection.compare : The gain measured on test rows.

    Notes
    -----
    The tasks are taken to be exchangeable: one variance of signal, one similarity, one of noise.
    Their coefficients are taken to spread evenly over the principal directions of the features,
    whose spectrum is estimated from all rows. The standard errors are those of a jackknife over 20
    groups of rows, which errs on the large side; they do not say whether the assumptions hold. The
    theory gives every task rows of its own: on a wide y with common rows it is an approximation.
    The independent and the pooled ridge have their best penalty, as the theory sees it.

    References
    ----------
    .. [1] Dicker, L. (2014). Variance estimation in high-dimensional linear models. Biometrika,
       101.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.datasets import make_multitask_regression
    >>> from skmtl.simulation import estimate_problem
    >>> X, y, task = make_multitask_regression(
    ...     40, 20, 10, similarity=0.8, noise=1.0, common_design=False, random_state=0
    ... )
    >>> estimate = estimate_problem(np.column_stack([task, X]), y, task_column=0)
    >>> bool(abs(estimate.similarity - 0.8) < 3 * estimate.similarity_se)
    True
    """
    column = getattr(estimator, "task_column", None) if task_column is None else task_column
    table = TableReader(column).read(X, y)
    strengths = _strengths(estimator, table.n_tasks)
    moments, covariance, similarity_se = _jackknife(table)
    problem, predicted = _predict(table, moments, strengths)
    scale, se = table.eigenvalues.mean(), np.sqrt(np.diag(covariance))
    return ProblemEstimate(
        problem=problem,
        similarity=float(problem.gram[0, 1] / problem.gram[0, 0]),
        similarity_se=similarity_se,
        signal_var=float(scale * moments.signal),
        signal_var_se=float(scale * se[0]),
        noise_var=float(moments.noise_var),
        noise_var_se=float(se[2]),
        sample_ratio=problem.sample_ratio,
        predicted_error=predicted,
        gain=_gain(predicted),
        gain_se=_gain_se(table, moments, strengths, covariance),
    )


def _strengths(estimator, n_tasks):
    """(alpha_shared, alpha_specific, task_weight) of the estimator, None where it tunes them."""
    if estimator is None:
        return None
    params = estimator.get_params()
    if not {"alpha_shared", "alpha_specific"} <= set(params):
        return None
    weight = params.get("task_weight")
    if isinstance(weight, str):
        raise ValueError(f"task_weight must be None or an array for the estimate, got {weight!r}.")
    weight = np.ones(n_tasks) if weight is None else np.asarray(weight, dtype=float)
    return params["alpha_shared"], params["alpha_specific"], weight


def _jackknife(table):
    """Moments, their covariance (3, 3), and the standard error of the similarity."""
    group = table.groups
    estimates = []
    for g in range(-1, group.max() + 1):  # -1: nothing is left out
        kept = group != g
        estimates.append(
            task_moments(table.X, table.row[kept], table.task[kept], table.y[kept], *table[4:])
        )
    moments, replicates = estimates[0], np.array(estimates[1:])
    factor = len(replicates) - 1
    covariance = factor * np.cov(replicates.T, ddof=0)
    return moments, covariance, float(np.sqrt(factor) * np.std(replicates[:, 1] / replicates[:, 0]))


def _predict(table, moments, strengths):
    """The problem of the model that shares, and the mean errors of all three."""
    T, rows = table.n_tasks, table.n_labels - 1
    least = -1 / (T - 1)
    similarity = np.clip(moments.common / moments.signal, least + MARGIN, 1 - MARGIN)
    parts = np.array_split(table.eigenvalues, min(N_EIGENVALUES, len(table.eigenvalues)))
    problem = AsymptoticProblem(
        sample_ratio=rows / table.X.shape[1],
        gram=task_gram(T, similarity, moments.signal),
        noise_var=moments.noise_var,
        penalty_matrix=np.eye(T),
        loss_weight=rows / rows.mean(),
        spectrum=(
            [max(part.mean(), SMALLEST * table.eigenvalues.mean()) for part in parts],
            [len(part) / len(table.eigenvalues) for part in parts],
        ),
    )
    own = moments.noise_var / (problem.sample_ratio * moments.signal)
    independent = replace(problem, penalty_matrix=np.diag(own), loss_weight=1.0)
    if strengths is None:
        sharing = replace(problem, penalty_matrix=optimal_penalty(problem).penalty_matrix)
    else:
        alpha_shared, alpha_specific, task_weight = strengths
        most = POOLED * rows.max() * table.eigenvalues.max()
        penalty, weight = from_estimator_alphas(
            alpha_shared, min(alpha_specific, most), rows, task_weight=task_weight
        )
        sharing = replace(problem, penalty_matrix=penalty, loss_weight=weight)
    return sharing, {
        "sharing": _mean_error(sharing),
        "independent": _mean_error(independent),
        "pooled": _pooled_error(problem, moments),
    }


def _mean_error(problem):
    return float(predict_risk(problem).generalization_error.mean())


def _pooled_error(problem, moments):
    """Least mean error of one ridge for all rows."""
    T = problem.n_tasks

    def error(log_alpha):
        alpha = np.exp(log_alpha)
        specific = POOLED * max(alpha, problem.eigenvalues.max())
        return _mean_error(replace(problem, penalty_matrix=penalty_matrix(T, alpha, specific)))

    # start at the best penalty if what sets tasks apart were noise of the rows
    own, inner = problem.gram[0, :2]
    common = max(inner + (own - inner) / T, SMALLEST * own)
    noise = moments.noise_var + problem.eigenvalues @ problem.eigenvalue_weights * (own - inner)
    start = np.log(noise / (problem.sample_ratio.mean() * common))
    found = minimize_scalar(error, (start - 1, start), tol=1e-3, options={"maxiter": 20})
    return float(found.fun)


def _gain(predicted):
    return min(predicted["independent"], predicted["pooled"]) - predicted["sharing"]


def _gain_se(table, moments, strengths, covariance):
    """Standard error of the gain, by the slopes of the prediction in the moments."""
    slopes = []
    for k, se in enumerate(np.sqrt(np.diag(covariance))):
        ends = []
        for sign in (-1, 1):
            moved = np.array(moments)
            moved[k] = moved[k] + sign * se / 2
            moved[[0, 2]] = np.maximum(moved[[0, 2]], np.array(moments)[[0, 2]] / 10)
            ends.append(_gain(_predict(table, Moments(*moved), strengths)[1]))
        slopes.append((ends[1] - ends[0]) / max(se, np.finfo(float).tiny))
    return float(np.sqrt(np.array(slopes) @ covariance @ slopes))
