"""Preconditioned conjugate gradients for (A + alpha I) x = r with A known by its products only."""

from .._backend import namespace_of


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
    x = xp.zeros_like(r)
    scale = float(xp.linalg.vector_norm(r)) or 1.0
    z = precondition(r)
    direction, rz = z, xp.sum(r * z)
    residual, n_iter = float(xp.linalg.vector_norm(r)) / scale, 0
    while residual > tol and n_iter < max_iter:
        image = product(direction)
        curvature = xp.sum(direction * image)
        if not curvature > 0:
            break  # a singular A has nothing to say of what rounding left in r
        step = rz / curvature
        x = x + step * direction
        r = r - step * image
        z = precondition(r)
        rz, rz_old = xp.sum(r * z), rz
        direction = z + (rz / rz_old) * direction
        residual, n_iter = float(xp.linalg.vector_norm(r)) / scale, n_iter + 1
    return x, n_iter, residual
