"""The ascent of one model's evidence on one route: SQUAREM where EM keeps the structures."""

import numpy as np

from ._ascent import lbfgs, squarem


class Climb:
    """A model and the route that evaluates it.

    Parameters
    ----------
    route : one of the routes
    model : CovarianceModel
    """

    def __init__(self, route, model):
        self.route, self.model = route, model
        self._last = None, None

    def arguments(self, theta):
        """(K, R) as the route takes them."""
        if self.route.takes_factors:
            return self.model.factors(theta)
        return self.model.covariances(theta)

    def evaluate(self, theta):
        """Evidence and gradients at a vector of the model; the last ones are kept."""
        where, evaluation = self._last
        if where is None or not np.array_equal(where, theta):
            evaluation = self.route.value_grad(*self.arguments(theta))
            self._last = theta.copy(), evaluation
        return evaluation

    def run(self, *, tol, max_iter):
        """Ascent from the model's start."""
        if self.model.has_em:
            return squarem(self.model.start, self._em, tol=tol, max_iter=max_iter)
        return lbfgs(
            self.model.start,
            self._value_grad,
            bounds=self.model.bounds,
            units=self.model.units,
            tol=tol,
            max_iter=max_iter,
        )

    def _em(self, theta):
        evaluation = self.evaluate(theta)
        image = self.model.em(theta, evaluation, by_factors=self.route.takes_factors)
        return self.model.penalised(theta, evaluation), image

    def _value_grad(self, theta):
        evaluation = self.evaluate(theta)
        by_factors = self.route.takes_factors
        slope = self.model.gradient(theta, evaluation, by_factors=by_factors)
        return self.model.penalised(theta, evaluation), slope
