"""Functions of small positive definite matrices: roots, logarithms and their gradients."""

import numpy as np

LOWEST, HIGHEST = -18.0, 16.0  # logarithms of variances in units of the frame
WIDEST = 25.0  # logarithm of the largest condition number


def inverse_of(M):
    """Inverse and log-determinant."""
    s, V = np.linalg.eigh(M)
    return (V / s) @ V.T, float(np.log(s).sum())


def log_of(M):
    """Symmetric logarithm, eigenvalues confined to what a variance may be."""
    s, V = np.linalg.eigh(M)
    return (V * np.clip(np.log(np.maximum(s, np.exp(LOWEST))), LOWEST, HIGHEST)) @ V.T


def _confined(s):
    """Logarithms of eigenvalues within the range of variances and of what rounding can tell."""
    s = np.clip(s, LOWEST, HIGHEST)
    return np.maximum(s, s.max() - WIDEST)


def exp_of(S):
    """Symmetric exponential of a symmetric matrix."""
    s, V = np.linalg.eigh(S)
    M = (V * np.exp(_confined(s))) @ V.T
    return (M + M.T) / 2


def exp_pullback(S, G):
    """Gradient with respect to S of a function of exp(S) whose gradient there is G."""
    s, V = np.linalg.eigh(S)
    s = _confined(s)
    e = np.exp(s)
    gap = s[:, None] - s
    near = np.abs(gap) < 1e-6
    quotient = np.where(near, 0.0, e[:, None] - e) / np.where(near, 1.0, gap)
    mean = np.exp((s[:, None] + s) / 2)  # exact to (gap/2)^2/6
    return V @ ((V.T @ G @ V) * np.where(near, mean, quotient)) @ V.T


def root_of(M):
    """Symmetric root and its pseudo-inverse."""
    s, V = np.linalg.eigh(M)
    floor = 1e-13 * s[-1]
    r = np.sqrt(np.where(s > floor, s, 0.0))
    inverse = np.where(r > 0, 1 / np.where(r > 0, r, 1.0), 0.0)
    return (V * r) @ V.T, (V * inverse) @ V.T
