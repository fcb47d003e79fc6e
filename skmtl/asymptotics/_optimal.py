"""The best quadratic penalty for squared error: that of the posterior mean.

With prior rows of W ~ N(0, G / p) and noise s2_t it is Omega = (rho_t s2_t / alpha_t) G^-1, the
factor being one for all tasks where the loss weighs rows by their precision.
"""

from typing import NamedTuple

import numpy as np

from ._squared import linear_moments

SAME = 1e-6  # relative spread of factors taken as equal


class OptimalPenalty(NamedTuple):
    """The penalty of least test error.

    Attributes
    ----------
    alpha_shared, alpha_specific : float or None
        As in :func:`penalty_matrix`; None unless any two tasks are equally alike, and not less than
        unrelated.
    penalty_matrix : ndarray of shape (n_tasks, n_tasks)
    """

    alpha_shared: float | None
    alpha_specific: float | None
    penalty_matrix: np.ndarray


def optimal_penalty(problem):
    """The penalty matrix of least test error, in closed form.

    Parameters
    ----------
    problem : AsymptoticProblem
        Of squared error. Its own penalty is ignored. Where tasks differ in rows or noise, its
        `loss_weight` is proportional to `sample_ratio` over that noise (with equal noise: to
        `sample_ratio`), so that every row counts as much as it knows.

    Returns
    -------
    OptimalPenalty

    Raises
    ------
    ValueError
        If the loss is another, the Gram matrix is singular, the noise is zero, or `loss_weight` is
        not as above.

    Notes
    -----
    The noise of a task is s2 = hidden_energy + noise_var, for signs what a linear function cannot
    explain of them. For a Gram matrix g ((1 - r) I + r 11') the result is

    .. math::
        \\alpha_{specific} = \\frac{\\rho s_2}{\\alpha g (1 - r)}, \\qquad
        \\alpha_{shared} = \\frac{\\rho s_2}{\\alpha g r}, \\qquad \\alpha = n / p.

    It does not depend on the spectrum of the features. With it the error decreases in n: no double
    descent.

    Examples
    --------
    >>> from skmtl.asymptotics import AsymptoticProblem, optimal_penalty, task_gram
    >>> problem = AsymptoticProblem(
    ...     sample_ratio=0.5,
    ...     gram=task_gram(5, similarity=0.8),
    ...     noise_var=0.1,
    ...     penalty_matrix=[[0.0] * 5] * 5,
    ... )
    >>> best = optimal_penalty(problem)
    >>> round(best.alpha_shared, 6), round(best.alpha_specific, 6)
    (0.25, 1.0)
    """
    if problem.loss != "squared_error":
        raise ValueError(
            f"loss must be 'squared_error' for the optimal penalty, got {problem.loss!r}; minimise "
            "predict_risk over the penalty instead."
        )
    a, y2 = linear_moments(problem)
    gram = a[:, None] * problem.gram * a
    noise = y2 - a**2 * problem.seen_var
    factor = _common_factor(problem, noise)
    values = np.linalg.eigvalsh(gram)
    if values[0] <= 1e-10 * values[-1]:
        raise ValueError(
            "gram must be positive definite for the optimal penalty: the coefficients of the tasks "
            "are linearly dependent, and the best penalty of what they never do is infinite."
        )
    penalty = factor * np.linalg.inv(gram)
    return OptimalPenalty(*_exchangeable_alphas(gram, factor), (penalty + penalty.T) / 2)


def _common_factor(problem, noise):
    factors = problem.loss_weight * noise / problem.sample_ratio
    if factors.min() <= 0:
        raise ValueError(
            f"noise_var or hidden_energy must be positive for task {int(factors.argmin())}: "
            "without noise the best penalty is none; use ridgeless_risk."
        )
    if np.ptp(factors) > SAME * factors.max():
        raise ValueError(
            "loss_weight must be proportional to sample_ratio over the noise (hidden_energy + "
            "noise_var) for the optimal penalty to be a matrix, got ratios from "
            f"{factors.min():.4g} to {factors.max():.4g}; pass loss_weight=sample_ratio if the "
            "noise is equal."
        )
    return factors.mean()


def _exchangeable_alphas(gram, factor):
    T, norm = len(gram), gram[0, 0]
    if T == 1:
        return np.inf, float(factor / norm)  # only their combination matters
    off = gram[0, 1]
    pattern = np.where(np.eye(T, dtype=bool), norm, off)
    if np.abs(gram - pattern).max() > SAME * norm or off < -SAME * norm:
        return None, None
    shared = factor / off if off > SAME * norm else np.inf
    return float(shared), float(factor / (norm - off))
