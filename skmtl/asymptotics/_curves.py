"""Risk as a function of p/n at fixed rows: double descent, and where to look for its peaks."""

from typing import NamedTuple

import numpy as np

from .._checks import check_count, check_option, check_strength
from ._losses import LOSS_NAMES, RESIDUAL_LOSSES
from ._matrices import penalty_matrix, task_gram
from ._predict import predict_along
from ._problem import AsymptoticProblem
from ._ridgeless import ridgeless_risk


class Curve(NamedTuple):
    """Errors of a task along p/n.

    Attributes
    ----------
    p_over_n : ndarray of shape (n_points,)
        Features that the learner sees over rows of a task.
    generalization_error, training_error : ndarray of shape (n_points,)
        As in :class:`RiskPrediction`.
    """

    p_over_n: np.ndarray
    generalization_error: np.ndarray
    training_error: np.ndarray


def double_descent_curve(
    n_tasks,
    n_over_d,
    p_over_n,
    *,
    similarity,
    noise_var=0.0,
    flip_proba=0.0,
    alpha_shared=1.0,
    alpha_specific=1.0,
    loss="squared_error",
    teacher="linear",
    limit=None,
):
    """Errors of learners that see more and more features of the same rows.

    Parameters
    ----------
    n_tasks : int
        Tasks, all with the same number of rows n.
    n_over_d : float in (0, inf)
        Rows over all d features, the hidden ones included.
    p_over_n : array-like of shape (n_points,)
        Seen features over rows, each in (0, 1/n_over_d].
    similarity : float
        As in :func:`task_gram`; the true coefficients have length 1.
    noise_var, flip_proba, loss, teacher
        As in :class:`AsymptoticProblem`.
    alpha_shared, alpha_specific : float, default=1.0
        As in :func:`penalty_matrix`.
    limit : {None, "joint", "shared"}, default=None
        A limit of vanishing penalty, as in :func:`ridgeless_risk`. The alphas then are its
        direction.

    Returns
    -------
    Curve

    Raises
    ------
    ValueError
        If a value is out of its range, or a point of a ridgeless curve lies at its threshold.

    Examples
    --------
    >>> from skmtl.asymptotics import double_descent_curve
    >>> curve = double_descent_curve(
    ...     2, n_over_d=0.25, p_over_n=[0.5, 0.9, 1.1, 1.9, 2.1, 4.0],
    ...     similarity=0.8, noise_var=0.1, limit="shared",
    ... )
    >>> curve.generalization_error.round(2)
    array([ 1.38,  1.73,  2.01, 13.57, 13.2 ,  0.85])
    """
    check_option("limit", limit, (None, "joint", "shared"))
    grid = _check_grid(p_over_n, check_strength("n_over_d", n_over_d, infinite=False))
    whole = AsymptoticProblem(
        sample_ratio=n_over_d,
        gram=task_gram(n_tasks, similarity),
        teacher=teacher,
        loss=loss,
        noise_var=noise_var,
        flip_proba=flip_proba,
        penalty_matrix=penalty_matrix(n_tasks, alpha_shared, alpha_specific),
    )
    problems = [whole.with_features(min(1.0, ratio * n_over_d)) for ratio in grid]
    if limit is None:
        risks = predict_along(problems)
    else:
        risks = [ridgeless_risk(problem, limit=limit) for problem in problems]
    test, train = np.array([(r.generalization_error[0], r.training_error[0]) for r in risks]).T
    return Curve(grid, test, train)


def interpolation_thresholds(n_tasks, loss="squared_error"):
    """Ratios p/n at which double descent may peak, for tasks of equal n and a vanishing penalty.

    Parameters
    ----------
    n_tasks : int
    loss : str, default="squared_error"
        As in :class:`AsymptoticProblem`.

    Returns
    -------
    dict of str to float
        "single_task": where a task's own coefficients interpolate (or separate) its rows;
        "pooled": where common coefficients do so for the rows of all tasks.

    Raises
    ------
    ValueError
        If the loss is unknown.

    Notes
    -----
    For "log_loss", "hinge" and "squared_hinge" the values are Cover's for labels without signal,
    n = 2 p. With a signal labels are separable with fewer features, and the peak moves to smaller
    p/n. "squared_error", on -1 and 1 too, "huber" and "absolute_error" interpolate at n = p.

    References
    ----------
    .. [1] Cover, T. (1965). Geometrical and statistical properties of systems of linear
       inequalities. IEEE Transactions on Electronic Computers, 14.

    Examples
    --------
    >>> from skmtl.asymptotics import interpolation_thresholds
    >>> interpolation_thresholds(5)
    {'single_task': 1.0, 'pooled': 5.0}
    >>> interpolation_thresholds(5, "log_loss")
    {'single_task': 0.5, 'pooled': 2.5}
    """
    check_option("loss", loss, LOSS_NAMES)
    single = 1.0 if loss in RESIDUAL_LOSSES else 0.5
    return {"single_task": single, "pooled": single * check_count("n_tasks", n_tasks)}


def _check_grid(p_over_n, n_over_d):
    grid = np.array(p_over_n, dtype=np.float64)
    if grid.ndim != 1 or not grid.size:
        raise ValueError(f"p_over_n must be a 1-D array-like of ratios, got {p_over_n!r}.")
    top = (1 + 1e-9) / n_over_d
    wrong = ~((grid > 0) & (grid <= top))
    if wrong.any():
        raise ValueError(
            f"p_over_n must be in (0, {top:.6g}], as p cannot exceed d = n/{n_over_d:g}, got "
            f"{grid[wrong][0]:g}."
        )
    return grid
