"""The weights' side of the theory: T-dimensional ridge problems, averaged over the spectrum.

A row of the whitened coefficients is W_j = s R (kappa beta_j + chi h_j/sqrt p) with
R = (Omega + s D_nu)^-1 at the eigenvalue s, h_j standard Gaussian.
"""

import numpy as np


def resolvent(problem, nu):
    """s (Omega + s D_nu)^-1 at each eigenvalue s, of shape (n_eigenvalues, n_tasks, n_tasks)."""
    s = problem.eigenvalues[:, None, None]
    return s * np.linalg.inv(problem.penalty_matrix + s * np.diag(nu))


def mean_over(problem, stack):
    """Mean over the spectrum of an array whose first axis is that of the eigenvalues."""
    return np.tensordot(problem.eigenvalue_weights, stack, axes=1)


def overlaps(problem, R, kappa, chi2):
    """(m, q) of each task: lim w_t' Sigma beta_t and lim w_t' Sigma w_t."""
    signal = problem.eigenvalues[:, None, None] * (kappa[:, None] * problem.gram)
    m = np.diagonal(R @ signal, axis1=1, axis2=2)
    q = np.sum(R @ (signal * kappa + np.diag(chi2)) * R, axis=2)
    return mean_over(problem, m), mean_over(problem, q)
