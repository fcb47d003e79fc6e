"""A linear objective with a quadratic penalty across tasks, 1/2 tr(W' Omega W): Newton's method.

The steps come from conjugate gradients.  With the Hessian of the losses replaced by its diagonal D
each coordinate j is a system of its own in the tasks, diag(D_j) + Omega, which preconditions them.
"""

import numpy as np

from .._backend import namespace_of
from ._newton import minimise
from ._newton_cg import newton_cg_step
from ._objective import LinearObjective
from ._smooth import Point

LARGE = 2**24  # numbers in the systems of all coordinates, beyond which diagonals precondition


class PenalisedObjective(LinearObjective):
    """f(W) + 1/2 tr(W' Omega W), intercepts free; parameters as those of LinearObjective.

    Tasks have one coefficient vector each.
    """

    def set_penalty(self, penalty):
        """Set Omega, whose rows are in the order of the units."""
        order, omega = self.unit_numbers, np.asarray(penalty.precision(self.n_units), dtype=float)
        if omega.shape != (self.n_units, self.n_units) or not np.allclose(omega, omega.T):
            raise ValueError(
                f"precision of {penalty!r} must be symmetric, of shape {(self.n_units,) * 2}, got "
                f"shape {omega.shape}."
            )
        self.omega_matrix = self.put(omega[np.ix_(order, order)])
        return self

    def at(self, W):
        """Point of coefficients W."""
        scores = self.scores(W)
        return Point(W, scores, self._value(W, scores))

    def along(self, point, step, images, length):
        """Point at a distance along a step, from the scores `images` of the step alone."""
        W = point.P + length * step
        scores = [z + length * dz for z, dz in zip(point.scores, images, strict=True)]
        return Point(W, scores, self._value(W, scores))

    images = LinearObjective.scores

    def gradient(self, point):
        """Gradient in W."""
        return self.slopes(point.scores) + self._pull(point.P)

    def product(self, second, step):
        """Hessian times a step."""
        return self.curve(second, step) + self._pull(step)

    def preconditioner(self, second):
        """r -> (diag(D_j) + Omega)^-1 r_j in each coordinate j."""
        D = self.diagonals(second)
        xp, (T, m) = namespace_of(D), D.shape
        penalised = self.put((np.arange(m) < self.n_coordinates).astype(float))
        diagonal = xp.linalg.diagonal(self.omega_matrix)
        if m * T**2 > LARGE:
            total = D + diagonal[:, None] * penalised
            return lambda r: r / xp.where(total > 0, total, xp.ones_like(total))
        systems = self.omega_matrix * penalised[:, None, None]
        # a coordinate that neither losses nor penalty hold has no step
        floor = xp.max(D, axis=0) + xp.max(diagonal) * penalised
        D = D + 1e-10 * xp.where(floor > 0, floor, xp.ones_like(floor))
        eye = self.put(np.eye(T))
        systems = systems + xp.matrix_transpose(D)[:, :, None] * eye
        inverse = xp.linalg.inv(systems)
        return lambda r: xp.matrix_transpose((inverse @ r.T[:, :, None])[:, :, 0])

    def _value(self, W, scores):
        return self.loss_sum(scores) + 0.5 * float(namespace_of(W).sum(W * self._pull(W)))

    def _pull(self, W):
        """Omega W, zero in the intercepts."""
        xp, p = namespace_of(W), self.n_coordinates
        pulled = self.omega_matrix @ W[:, :p]
        return xp.concat([pulled, xp.zeros_like(W[:, p:])], axis=1)


def solve_penalised(objective, penalty, *, tol, max_iter):
    """Minimise a PenalisedObjective at a penalty with `precision`.

    Parameters
    ----------
    objective : PenalisedObjective
    penalty : object with precision(n_tasks)
    tol : float
        Relative gradient at which it stops (see _newton.py).
    max_iter : int

    Returns
    -------
    W : array of shape (n_units, m)
    n_iter : int
    residual : float
    """
    objective.set_penalty(penalty)
    point, n_iter, residual = minimise(
        objective, newton_cg_step, tol=tol, max_iter=max_iter, polish=True
    )
    return point.P, n_iter, residual
