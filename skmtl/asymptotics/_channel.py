"""The labels' side of the theory: Gaussian means of the proximal point of the loss at one row.

A new row is predicted by omega ~ N(0, q), a training row by u = prox(omega) with the step
g = rho gamma.  f = (u - omega)/gamma; nu = -E df/domega, kappa = E df/ds, chi^2 = E f^2 / alpha.
"""

from typing import NamedTuple

import numpy as np

from ._losses import MARGIN_LOSSES, RESIDUAL_LOSSES
from ._quadrature import gaussian_rule
from ._teachers import TEACHERS

SMALLEST = 1e-12  # of a conditional variance, relative: damped iterates may leave it negative


class Errors(NamedTuple):
    """Read-outs of each task, arrays of shape (n_tasks,)."""

    generalization_error: np.ndarray
    training_error: np.ndarray
    test_loss: np.ndarray
    training_loss: np.ndarray


def channel(problem):
    """The channel of the problem's teacher and loss."""
    return (ResidualChannel if problem.teacher == "linear" else MarginChannel)(problem)


class ResidualChannel:
    """Loss of y - u, linear teacher with Gaussian noise: the test residual is N(0, E)."""

    def __init__(self, problem):
        self.problem = problem
        self.loss = RESIDUAL_LOSSES[problem.loss]
        self.label_var = problem.teacher_var + problem.noise_var

    def moments(self, m, q, gamma):
        """nu, kappa and chi^2 of shape (n_tasks,)."""
        e, weights, g = self._rule(m, q, gamma)
        u = self.loss.prox(e, g)
        f = (e - u) / gamma[:, None]
        slope = (1 - self.loss.prox_slope(e, g, u)) / gamma[:, None]
        nu = np.sum(weights * slope, axis=1)
        return nu, nu, np.sum(weights * f**2, axis=1) / self.problem.sample_ratio

    def errors(self, m, q, gamma):
        e, weights, g = self._rule(m, q, gamma)
        u = self.loss.prox(e, g)
        functions = e**2, u**2, self.loss.value(e), self.loss.value(u)
        return Errors(*(np.sum(weights * values, axis=1) for values in functions))

    def test_error(self, m, q):
        """Mean squared error at a new row."""
        return self.label_var - 2 * m + q

    def _rule(self, m, q, gamma):
        g = gamma * self.problem.loss_weight
        error = np.maximum(self.test_error(m, q), SMALLEST * self.label_var)
        return *gaussian_rule(np.sqrt(error), self.loss.kinks(g)), g[:, None]


class MarginChannel:
    """Loss of y u with labels -1 and 1; v = y omega has the density 2 P(1 | v) N(v; 0, q)."""

    def __init__(self, problem):
        self.problem = problem
        self.loss = MARGIN_LOSSES[problem.loss]
        self.teacher = TEACHERS[problem.teacher]

    def moments(self, m, q, gamma):
        """nu, kappa and chi^2 of shape (n_tasks,)."""
        v, weights, g, response = self._rule(m, q, gamma)
        u = self.loss.prox(v, g)
        F = (u - v) / gamma[:, None]
        slope = (1 - self.loss.prox_slope(v, g, u)) / gamma[:, None]
        likely, turning = 2 * weights * response
        nu = np.sum(likely * slope, axis=1)
        kappa = np.sum(turning * F, axis=1)
        return nu, kappa, np.sum(likely * F**2, axis=1) / self.problem.sample_ratio

    def errors(self, m, q, gamma):
        v, weights, g, response = self._rule(m, q, gamma)
        u = self.loss.prox(v, g)
        likely = 2 * weights * response[0]
        functions = v < 0, u < 0, self.loss.value(v), self.loss.value(u)
        return Errors(*(np.sum(likely * values, axis=1) for values in functions))

    def test_error(self, m, q):
        """0-1 error at a new row."""
        q = np.maximum(q, np.finfo(np.float64).tiny)  # no prediction is a guess
        return self.errors(m, q, np.ones_like(q)).generalization_error

    def _rule(self, m, q, gamma):
        teacher_var = self.problem.teacher_var
        g, var = gamma * self.problem.loss_weight, teacher_var - m**2 / q
        var = np.maximum(var, SMALLEST * teacher_var)
        # over this width of v the label turns from unlikely to likely: steep when well learnt
        width = np.sqrt(var + self.teacher.noise_var) * q / np.maximum(np.abs(m), SMALLEST)
        turns = width[:, None] * np.array([-6.0, -2.0, 0.0, 2.0, 6.0])
        kinks = np.concatenate([self.loss.kinks(g), turns], axis=1)
        v, weights = gaussian_rule(np.sqrt(q), kinks)
        likely, turning = self.teacher.response((m / q)[:, None] * v, var[:, None])
        flipped = self.problem.flip_proba[:, None]
        response = np.stack([flipped + (1 - 2 * flipped) * likely, (1 - 2 * flipped) * turning])
        return v, weights, g[:, None], response
