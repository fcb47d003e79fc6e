"""The package's own estimators of a problem's loss, with the problem's penalties in their units.

Perceptrons have intercepts, the theory none.  On rows and their mirror images (-x, -y) the least
objective has none either: it is convex, and does not see the sign of an intercept.
"""

import numpy as np
from sklearn.base import BaseEstimator, clone

from ..asymptotics import to_estimator_alphas
from ..linear_model import MultiTaskLogisticRegression, MultiTaskRidge
from ..losses import Hinge
from ..neural_network import MultiTaskPerceptron, MultiTaskPerceptronClassifier

NEAR_ZERO = 1e-6  # times an alpha: its ridgeless limit to some six digits
WIDTHS = 0.1, 0.01  # of rounded kinks; the next starts from where the one before ends


class Rounded(BaseEstimator):
    """Moreau's envelope: a loss whose kinks are quadratic over a width, by which L-BFGS gets round.

    It lies below the loss by at most half the width times its greatest squared slope.
    """

    def __init__(self, loss, width):
        self.loss = loss
        self.width = width

    def value(self, y, z):
        u = self.loss.prox(z, self.width, y)
        return self.loss.value(y, u) + (u - z) ** 2 / (2 * self.width)

    def gradient(self, y, z):
        return (z - self.loss.prox(z, self.width, y)) / self.width


def estimator_fit(problem, n_features, limit):
    """The `fit` of the package's estimator for the problem's loss and penalty."""
    if problem.loss not in FITS:
        raise ValueError(
            f"loss must be one of {sorted(FITS)} for an estimator of the package, got "
            f"{problem.loss!r}; pass fit=."
        )
    if limit is not None and problem.loss not in TO_THE_LIMIT:
        raise ValueError(
            f"limit must be None with loss={problem.loss!r}, got {limit!r}: a "
            f"perceptron is not trained down to it; losses that are: {sorted(TO_THE_LIMIT)}."
        )
    estimator, fit_estimator = FITS[problem.loss]
    alpha_shared, alpha_specific, task_weight = to_estimator_alphas(problem, n_features)
    if limit == "joint" or (limit == "shared" and problem.n_tasks == 1):
        alpha_shared, alpha_specific = NEAR_ZERO * alpha_shared, NEAR_ZERO * alpha_specific
    elif limit == "shared":
        alpha_shared = NEAR_ZERO * min(alpha_shared, alpha_specific)
    estimator = clone(estimator).set_params(
        alpha_shared=alpha_shared,
        alpha_specific=alpha_specific,
        task_weight=task_weight,
        task_column=0,
    )

    def fit(problem, X, y, task):
        return fit_estimator(clone(estimator), np.column_stack([task, X]), y)

    return fit


def _fit_linear(estimator, table, y):
    return estimator.fit(table, y).coef_


def _fit_perceptron(estimator, table, y):
    return estimator.fit(*_mirrored(table, y)).heads_


def _fit_hinge(estimator, table, y):
    table, y, weight = _mirrored(table, y)
    for width in WIDTHS:
        estimator.set_params(loss=Rounded(Hinge(), width)).fit(table, (y > 0) * 1.0, weight)
    return estimator.heads_


def _mirrored(table, y):
    """Rows and their mirror images, of half the weight each; the first column holds the tasks."""
    mirror = np.concatenate([table[:, :1], -table[:, 1:]], axis=1)
    return np.concatenate([table, mirror]), np.concatenate([y, -y]), np.full(2 * len(y), 0.5)


SINGLE_LAYER = {
    "hidden_layer_sizes": (),
    "solver": "lbfgs",
    "max_iter": 5000,
    "standardize": False,
    "random_state": 0,
}
FITS = {  # an estimator and how it is fitted
    "squared_error": (MultiTaskRidge(fit_intercept=False), _fit_linear),
    "huber": (
        MultiTaskPerceptron(loss="huber", scale_targets=False, tol=1e-8, **SINGLE_LAYER),
        _fit_perceptron,
    ),
    "log_loss": (
        MultiTaskLogisticRegression(fit_intercept=False, solver="newton-cg", tol=1e-8),
        _fit_linear,
    ),
    "hinge": (
        MultiTaskPerceptron(scale_targets=False, warm_start=True, tol=1e-5, **SINGLE_LAYER),
        _fit_hinge,
    ),
    "squared_hinge": (
        MultiTaskPerceptronClassifier(loss="squared_hinge", tol=1e-8, **SINGLE_LAYER),
        _fit_perceptron,
    ),
}
TO_THE_LIMIT = "squared_error", "log_loss"
