"""Weighted fits in displacements d from a point P0, and what each task gains on the way.

The minimiser of sum_t W_t L_t(P0 + d) + penalty(P0 + d) over d, and the gains L_t(P0) - L_t(P0 + d)
summed from differences of losses: both keep their digits where a task gains 1e-12 of its loss.
"""

from typing import Any, NamedTuple

import numpy as np

from .._backend import namespace_of, to_numpy
from ._irls import ArrowFactor
from ._newton_cg import newton_cg_step
from ._smooth import Point

ACCURATE = 1e-6  # residual of the conjugate gradients
DONE = 1e-24  # square of a step in the Hessian's norm, relative to those before
LITTLE = 1e-14  # from here a step that is not shorter than the last is one of rounding
MOST = 100  # Newton steps
OVERSHOT = 0.1  # slope at the end of a step relative to that at its beginning


class Displaced(NamedTuple):
    """A fit: displacement, images of its scores, the Hessian's solver, and its last step's share.

    The share is that of the displacement in the Hessian's norm; the error is smaller.
    """

    step: Any
    images: list
    solve: Any
    left: float


class DisplacedProblem:
    """Fits of a SmoothProblem, whose penalty is set, in displacements from a point.

    Parameters
    ----------
    problem : SmoothProblem
        With weights one for every task.
    origin : Point
    weight_sums : ndarray of shape (n_tasks,)
    solver : {"irls", "newton-cg"}
    """

    def __init__(self, problem, origin, weight_sums, solver):
        self.problem, self.origin, self.n, self.solver = problem, origin, weight_sums, solver

    def fit(self, W, start=None):
        """Displaced of the weights W (n_tasks,) of the mean losses, against the penalty as it is.

        1. Newton step from the gradient at the displacement;
        2. as long as the slope at its end points back, a shorter one: values are not compared,
           since they tell less than half the digits;
        3. stop where steps are those of rounding.
        """
        problem = self.problem.weighted(W / self.n)
        step = problem.zeros() if start is None else start.step
        images, last, left = problem.images(step), np.inf, 0.0
        second = problem.second_order(self._point(step, images).scores)
        travelled = _inner(step, problem.product(second, step))
        solve = None
        for _ in range(MOST):
            point = self._point(step, images)
            gradient = problem.gradient(point)
            if solve is None or not problem.loss.is_quadratic:
                solve = hessian_solver(problem, point, self.solver)
            move = -solve(gradient)
            square = -_inner(gradient, move)
            if not square > 0:
                break
            travelled += square
            left = np.sqrt(square / travelled)
            step, images = _search(self, problem, step, images, move, square)
            rounding = square < LITTLE * travelled and square > last / 4
            if square <= DONE * travelled or rounding:
                break
            last = square
        return Displaced(step, images, solve, float(left))

    def gains(self, fit):
        """L_t(P0) - L_t(P0 + d) of the mean losses, of shape (n_tasks,)."""
        loss, gains = self.problem.loss, np.empty(len(self.n))
        blocks = zip(self.problem.blocks, self.origin.scores, fit.images, strict=True)
        for block, z, dz in blocks:
            lost = block.S * loss.difference(block.Y, z, dz)
            gains[block.tasks] = -to_numpy(namespace_of(z).sum(lost, axis=(1, 2)))
        return gains / self.n

    def gradients(self, fit):
        """Gradients of the mean losses, of shape (n_tasks, P's size)."""
        return self.problem.task_gradients(self._point(*fit[:2])) / self.n[:, None]

    def sensitivity(self, fit):
        """J H^-1 J' of the gradients J and the Hessian H of the weighted fit."""
        return sensitivity(self.problem, self.gradients(fit), fit.solve)

    def at(self, fit):
        """Point of the displaced parameters."""
        return self.problem.at(self.origin.P + fit.step)

    def _point(self, step, images):
        scores = [z + dz for z, dz in zip(self.origin.scores, images, strict=True)]
        return Point(self.origin.P + step, scores, np.nan)


def hessian_solver(problem, point, solver):
    """r -> H^-1 r, for the Hessian H of a weighted problem at a point."""
    second = problem.second_order(point.scores)
    if solver == "irls":
        return ArrowFactor(problem, second).solve
    return lambda r: -newton_cg_step(problem, second, r, ACCURATE)


def sensitivity(problem, J, solve):
    """J H^-1 J' of gradients J (n_tasks, P's size)."""
    shape = problem.zeros().shape
    solved = [to_numpy(solve(problem.put(g.reshape(shape)))).reshape(-1) for g in J]
    K = J @ np.array(solved).T
    return (K + K.T) / 2


def _search(displaced, problem, step, images, move, square):
    """(displacement, images) at the end of a move, or of the part of it that does not overshoot."""
    along, length = problem.images(move), 1.0
    while True:
        new = step + length * move
        there = [z + length * dz for z, dz in zip(images, along, strict=True)]
        if problem.loss.is_quadratic:
            return new, there
        slope = _inner(problem.gradient(displaced._point(new, there)), move)
        if slope <= OVERSHOT * square:
            return new, there
        length *= np.clip(square / (square + slope), 0.1, 0.5)


def _inner(a, b):
    return float(namespace_of(a).sum(a * b))
