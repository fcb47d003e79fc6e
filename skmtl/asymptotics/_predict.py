"""predict_risk: the errors of all tasks at a given penalty."""

import numpy as np

from ._channel import channel
from ._existence import check_unique
from ._fixed_point import solve_fixed_point
from ._prediction import RiskPrediction, warn_unless_converged
from ._squared import solve_squared


def solve(problem, start=None):
    """Solution of the problem's equations, by the closed form where there is one."""
    check_unique(problem)
    if problem.loss == "squared_error":
        return solve_squared(problem)
    return solve_fixed_point(problem, start)


def read_out(problem, solution):
    """RiskPrediction from a Solution; infinite leverage is an interpolator's."""
    m, q, gamma = solution.m, solution.q, solution.gamma
    interpolated = np.isinf(gamma)
    errors = channel(problem).errors(m, q, np.where(interpolated, 1.0, gamma))
    trained = {
        name: np.where(interpolated, 0.0, getattr(errors, name))
        for name in ("training_error", "training_loss")
    }
    return RiskPrediction(*errors._replace(**trained), m, q, gamma, *solution[-3:])


def predict_risk(problem):
    """Predict training and generalisation error of every task, without data.

    Parameters
    ----------
    problem : AsymptoticProblem
        Its penalty makes the minimiser unique.

    Returns
    -------
    RiskPrediction
        With `converged` and `residual`; a warning says where the equations were not solved.

    Raises
    ------
    ValueError
        If the minimiser is not unique or does not exist: a direction is not penalised and there are
        fewer rows than features, or the labels are separable.

    See Also
    --------
    ridgeless_risk : The limit of a vanishing penalty.
    skmtl.simulation.simulate_risk : The same errors from simulated data.

    Notes
    -----
    For squared loss there are as many equations as tasks, solved by Newton's method; the errors
    follow from a linear system. For the other losses the equations are a fixed point of Gaussian
    means of the loss's proximal point. They hold for features that are Gaussian (uncorrelated, or
    with the given `spectrum`), without an intercept; at a few hundred rows and features they are
    within a percent or so of the truth, away from an interpolation peak. The derivation by the
    convex Gaussian min-max theorem is formal for more than one task and is checked by simulation.

    References
    ----------
    .. [1] Thrampoulidis, C., Abbasi, E. and Hassibi, B. (2018). Precise error analysis of
       regularized M-estimators in high dimensions. IEEE Transactions on Information Theory, 64.
    .. [2] Hastie, T., Montanari, A., Rosset, S. and Tibshirani, R. (2022). Surprises in
       high-dimensional ridgeless least squares interpolation. Annals of Statistics, 50.

    Examples
    --------
    >>> from skmtl.asymptotics import AsymptoticProblem, penalty_matrix, predict_risk, task_gram
    >>> problem = AsymptoticProblem(
    ...     sample_ratio=1.5,
    ...     gram=task_gram(3, similarity=0.9),
    ...     teacher="sign",
    ...     loss="log_loss",
    ...     flip_proba=0.05,
    ...     penalty_matrix=penalty_matrix(3, alpha_shared=0.05, alpha_specific=0.5),
    ... )
    >>> prediction = predict_risk(problem)
    >>> prediction.generalization_error.round(3), prediction.converged
    (array([0.206, 0.206, 0.206]), True)
    """
    solution = solve(problem)
    warn_unless_converged(solution)
    return read_out(problem, solution)


def predict_along(problems):
    """RiskPrediction of each of neighbouring problems, each starting from the one before."""
    solution, predictions = None, []
    for problem in problems:
        solution = solve(problem, solution)
        predictions.append((problem, solution))
    failed = [solution for _, solution in predictions if not solution.converged]
    if failed:  # one warning for all
        warn_unless_converged(max(failed, key=lambda s: s.residual), stacklevel=4)
    return [read_out(problem, solution) for problem, solution in predictions]
