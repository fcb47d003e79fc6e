"""Preconditioned conjugate gradients for (A + alpha I) x = r with A known by its products only."""

from .._backend import namespace_of


def conjugate_gradients(product, diagonal, r, *, tol, max_iter):
    """Solve with a Jacobi preconditioner.

    Parameters
    ----------
    product : callable
        x -> (A + alpha I) x.
    diagonal : array of shape (n,)
        Diagonal of A + alpha I, positive.
    r : array of shape (n,)
    tol : float
        Stop when the residual is below tol times the norm of r.
    max_iter : int

    Returns
    -------
    x : array of shape (n,)
    n_iter : int
    residual : float
        Relative to the norm of r.
    """
    xp = namespace_of(r)
    x = xp.zeros_like(r)
    scale = float(xp.linalg.vector_norm(r)) or 1.0
    z = r / diagonal
    direction, rz = z, r @ z
    residual, n_iter = float(xp.linalg.vector_norm(r)) / scale, 0
    while residual > tol and n_iter < max_iter:
        image = product(direction)
        step = rz / (direction @ image)
        x = x + step * direction
        r = r - step * image
        z = r / diagonal
        rz, rz_old = r @ z, rz
        direction = z + (rz / rz_old) * direction
        residual, n_iter = float(xp.linalg.vector_norm(r)) / scale, n_iter + 1
    return x, n_iter, residual
