"""Preconditioned conjugate gradients for (A + alpha I) x = r with A known by its products only.

The error of x is at most the residual over the least eigenvalue, in the norms of the preconditioner
M: ||x - x*||_M <= ||residual||_M^-1 / least.  Where A is singular and M no multiple of I, least is
alpha / max(M): what M turns x into the null space of A by is only seen in residuals of size alpha.
With M = I all iterates lie in the range of A, and the least Ritz value there tells what is least.
"""

import numpy as np
from scipy.linalg import eigvalsh_tridiagonal

from .._backend import namespace_of

# of a residual beside ||A|| ||x||; recurrences fall below eps
FLOOR = 0.1 * np.finfo(np.float64).eps


def conjugate_gradients(product, precondition, r, *, tol, max_iter):
    """Solve a positive definite system, or a singular one that has a solution.

    Parameters
    ----------
    product : callable
        x -> (A + alpha I) x.
    precondition : callable or array
        r -> approximate solution, or a positive diagonal to divide by.
    r : array of any shape
    tol : float
        Stop when the residual is below tol times the norm of r.
    max_iter : int

    Returns
    -------
    x : array of the shape of r
    n_iter : int
    residual : float
        Relative to the norm of r.
    """
    xp = namespace_of(r)
    if not callable(precondition):
        diagonal = precondition
        precondition = lambda r: r / diagonal  # noqa: E731
    scale = float(xp.linalg.vector_norm(r)) or 1.0
    for n_iter, (x, left, *_) in enumerate(_iterates(product, precondition, r)):  # noqa: B007
        residual = float(xp.linalg.vector_norm(left)) / scale
        if residual <= tol or n_iter >= max_iter:
            break
    return x, n_iter, residual


def accurate_solution(product, diagonal, r, *, alpha, singular, tol, max_iter):
    """The same with tol for the error of x, or as near as rounding lets a factorisation come.

    Parameters
    ----------
    product : callable
        x -> (A + alpha I) x.
    diagonal : array (n,)
        Of A + alpha I.
    r : array (n,)
        In the range of A.
    alpha : float
    singular : bool
        Whether A is; the diagonal is then no preconditioner.
    tol : float
        Of the error of x, relative, in the norm of the preconditioner.
    max_iter : int

    Returns
    -------
    x : array (n,)
    n_iter : int
    error : float
        What is known of it, relative; at most tol where the residual is one of rounding.
    """
    xp = namespace_of(r)
    M = xp.ones_like(diagonal) if singular else diagonal
    least, largest = alpha / float(xp.max(M)), 0.0
    for n_iter, (x, _, rz, d, e) in enumerate(_iterates(product, lambda r: r / M, r)):
        size, residual = float(xp.sum(M * x**2)) ** 0.5, float(rz) ** 0.5
        largest = max(largest, float(d[-1])) if d else largest
        if singular and d and residual <= tol * largest * size:
            least = max(least, _least_ritz_value(d, e))
        error = residual / (least * size) if size > 0 else float(residual > 0)
        if residual <= FLOOR * largest * size:
            error = min(error, tol)
        if error <= tol or n_iter >= max_iter:
            break
    return x, n_iter, error


def _iterates(product, precondition, r):
    """(x, r, r'z, d, e) at first and after each step; d, e make Lanczos' tridiagonal matrix."""
    xp = namespace_of(r)
    x, z = xp.zeros_like(r), precondition(r)
    direction, rz, d, e, carried = z, xp.sum(r * z), [], [], 0.0
    while True:
        yield x, r, rz, d, e
        image = product(direction)
        curvature = xp.sum(direction * image)
        if not curvature > 0:
            return  # a singular A has nothing to say of what rounding left in r
        step = rz / curvature
        x, r = x + step * direction, r - step * image
        z = precondition(r)
        rz, old = xp.sum(r * z), rz
        direction = z + (rz / old) * direction
        d.append(1 / step + carried)
        e.append((rz / old) ** 0.5 / step)
        carried = rz / old / step


def _least_ritz_value(d, e):
    d, e = np.array([*map(float, d)]), np.array([*map(float, e)])
    return eigvalsh_tridiagonal(d, e[:-1], select="i", select_range=(0, 0))[0]
