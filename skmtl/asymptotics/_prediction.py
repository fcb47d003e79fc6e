"""RiskPrediction: what the theory says of each task, and whether its equations were solved."""

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning


class RiskPrediction(NamedTuple):
    """Asymptotic errors of every task.

    Attributes
    ----------
    generalization_error : ndarray of shape (n_tasks,)
        Mean squared error, or with teacher "sign" and "logistic" the misclassification rate, on new
        noisy labels.
    training_error : ndarray of shape (n_tasks,)
        The same on the training rows.
    test_loss, training_loss : ndarray of shape (n_tasks,)
        Mean loss, without `loss_weight`.
    overlap : ndarray of shape (n_tasks,)
        Limit of w_t' Sigma beta_t, of learnt and true coefficients.
    norm2 : ndarray of shape (n_tasks,)
        Limit of w_t' Sigma w_t, the variance of predictions.
    leverage : ndarray of shape (n_tasks,)
        gamma_t, by which a row pulls its own prediction; inf for an interpolator.
    n_iter : int
        Iterations taken.
    converged : bool
    residual : float
        By how much the equations are missed: in the overlap as a correlation and the logarithms of
        norm and leverage, or for squared error in the logarithm of 1/(1/rho + leverage).
    """

    generalization_error: np.ndarray
    training_error: np.ndarray
    test_loss: np.ndarray
    training_loss: np.ndarray
    overlap: np.ndarray
    norm2: np.ndarray
    leverage: np.ndarray
    n_iter: int
    converged: bool
    residual: float


def warn_unless_converged(solution, stacklevel=3):
    """One sentence where the equations were not solved."""
    if not solution.converged:
        warnings.warn(
            f"the prediction stopped after {solution.n_iter} iterations at a residual of "
            f"{solution.residual:.1e} and may be wrong; a larger penalty or a ratio further from "
            "the interpolation threshold is easier.",
            ConvergenceWarning,
            stacklevel=stacklevel,
        )
