"""Inverse and log-determinant of a positive definite matrix from one Cholesky factor."""

import numpy as np
from scipy.linalg import lapack


def inverse_pd(S):
    """(S^-1, log|S|) of a positive definite S (n, n); S is not written into.

    Raises
    ------
    numpy.linalg.LinAlgError
        If S is not positive definite to rounding.
    """
    # S is symmetric, so its transpose is the same matrix in LAPACK's order
    L, failed = lapack.dpotrf(np.array(S, order="C").T, lower=1, clean=1, overwrite_a=1)
    if failed:
        raise np.linalg.LinAlgError("the matrix is not positive definite")
    logdet = 2 * np.log(L.diagonal()).sum()
    triangle, _ = lapack.dpotri(L, lower=1, overwrite_c=1)
    diagonal = triangle.diagonal().copy()
    inverse = triangle + triangle.T  # the other triangle is zero
    inverse.flat[:: len(inverse) + 1] = diagonal
    return inverse, logdet
