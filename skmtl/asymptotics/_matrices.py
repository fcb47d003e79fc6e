"""Gram matrices of alike tasks, and the penalty matrix of shared and specific parts."""

import numpy as np

from .._checks import check_count, check_strength
from ._checks import check_fraction, check_per_task


def task_gram(n_tasks, similarity, norm=1.0):
    """Gram matrix of tasks of which any two are equally alike.

    Parameters
    ----------
    n_tasks : int
        At least 1.
    similarity : float in [-1/(n_tasks - 1), 1]
        Cosine between the true coefficients of any two tasks.
    norm : float in (0, inf), default=1.0
        The diagonal: squared length of each task's coefficients.

    Returns
    -------
    ndarray of shape (n_tasks, n_tasks)

    Raises
    ------
    ValueError
        If a value is out of its range.
    TypeError
        If one is no number, or `n_tasks` no integer.

    Examples
    --------
    >>> from skmtl.asymptotics import task_gram
    >>> task_gram(2, 0.5, norm=2.0)
    array([[2., 1.],
           [1., 2.]])
    """
    n_tasks = check_count("n_tasks", n_tasks)
    similarity = check_fraction("similarity", similarity, least=-1.0 / max(n_tasks - 1, 1))
    norm = check_strength("norm", norm, infinite=False)
    return norm * np.where(np.eye(n_tasks, dtype=bool), 1.0, similarity)


def penalty_matrix(n_tasks, alpha_shared, alpha_specific):
    """Matrix Omega of the shared-plus-specific penalty, the shared part minimised out.

    Parameters
    ----------
    n_tasks : int
        At least 1.
    alpha_shared : float in [0, inf]
        Strength on the shared coefficients. 0: a part common to all tasks is free; inf: no shared
        part, independent tasks.
    alpha_specific : float in [0, inf) or array-like of shape (n_tasks,)
        Strength on each task's own coefficients. The pooled model is the limit of a large one.

    Returns
    -------
    ndarray of shape (n_tasks, n_tasks)
        Symmetric and positive semi-definite.

    Raises
    ------
    ValueError
        If a value is out of its range.
    TypeError
        If one is no number, or `n_tasks` no integer.

    Notes
    -----
    With the coefficients w_t = w_0 + v_t as rows of W,

    .. math::
        \\tfrac12 tr(W^T \\Omega W) = \\min_{w_0} \\tfrac12 \\alpha_{shared} \\|w_0\\|^2
        + \\tfrac12 \\sum_t \\alpha_{specific,t} \\|w_t - w_0\\|^2

    so that Omega^-1 = diag(1/alpha_specific) + 11'/alpha_shared where that exists. The units are
    those of :class:`AsymptoticProblem`, whose losses are means over the rows of a task;
    :func:`to_estimator_alphas` converts them.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.asymptotics import penalty_matrix
    >>> np.linalg.inv(penalty_matrix(2, alpha_shared=0.5, alpha_specific=1.0)).round(12)
    array([[3., 2.],
           [2., 3.]])
    """
    n_tasks = check_count("n_tasks", n_tasks)
    lam0 = check_strength("alpha_shared", alpha_shared, zero=True)
    lam = check_per_task("alpha_specific", alpha_specific, n_tasks, least=0.0)
    total = lam0 + lam.sum()
    return np.diag(lam) - (np.outer(lam, lam / total) if 0 < total < np.inf else 0.0)
