"""Reference solver of the theory's problem, for losses and penalties that no estimator has.

With W = Omega^-1 V, V_t = sum_i c_t b_ti x_ti and c_t = rho_t / n_t all but the log loss have a
dual, quadratic within bounds: 1/2 tr(V' Omega^-1 V) + sum_i c_i (curve b_i^2 / 2 - gain_i b_i).
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from skmtl.losses import Huber

DELTA = Huber().delta
SCALE = 1e3  # brings objective and gradient to the size that the tolerances are made for
OPTIONS = {"maxiter": 20_000, "maxfun": 40_000, "maxcor": 30, "ftol": 1e-15, "gtol": 1e-9}


def fit_reference(problem, X, y, task, offset=0.0):
    """Coefficients (n_tasks, n_features) of x'w_t + offset: `fit` of `simulate_risk`."""
    rows = np.bincount(task)
    weight = (problem.loss_weight / rows)[task]
    blocks = np.split(X, np.cumsum(rows)[:-1])
    inverse = np.linalg.inv(problem.penalty_matrix)
    solve = _solve_log_loss if problem.loss == "log_loss" else _solve_dual
    return solve(problem.loss, blocks, y, weight, inverse, offset)


def fit_centred(problem, X, y, centre):
    """Coefficients (n_features,) of a single task whose penalty is about `centre`."""
    task = np.zeros(len(y), dtype=int)
    return centre + fit_reference(problem, X, y, task, offset=X @ centre)[0]


def _solve_dual(loss, blocks, y, weight, inverse, offset):
    low, high, curve = DUALS[loss](y)
    gain = y - offset

    def value_grad(b):
        W = inverse @ _sums(blocks, weight * b)
        z = _predictions(blocks, W)
        value = weight @ (b * (z / 2 + curve * b / 2 - gain))
        return SCALE * value, SCALE * weight * (z + curve * b - gain)

    found = minimize(
        value_grad,
        np.zeros_like(y),
        jac=True,
        method="L-BFGS-B",
        bounds=np.column_stack([low, high]),
        options=OPTIONS,
    )
    return inverse @ _sums(blocks, weight * found.x)


def _solve_log_loss(loss, blocks, y, weight, inverse, offset):
    half = np.linalg.cholesky(inverse)  # W = half U has the penalty |U|^2 / 2
    shape = len(blocks), blocks[0].shape[1]

    def value_grad(u):
        U = u.reshape(shape)
        z = y * (_predictions(blocks, half @ U) + offset)
        slope = half.T @ _sums(blocks, -weight * y * expit(-z)) + U
        return SCALE * (weight @ np.logaddexp(0, -z) + u @ u / 2), SCALE * slope.ravel()

    start = np.zeros(shape[0] * shape[1])
    found = minimize(value_grad, start, jac=True, method="L-BFGS-B", options=OPTIONS)
    return half @ found.x.reshape(shape)


def _predictions(blocks, W):
    return np.concatenate([X @ w for X, w in zip(blocks, W, strict=True)])


def _sums(blocks, b):
    """sum_i b_i x_i of each task."""
    parts = np.split(b, np.cumsum([len(X) for X in blocks])[:-1])
    return np.stack([part @ X for X, part in zip(blocks, parts, strict=True)])


def _free(y):
    return np.full_like(y, np.inf)


DUALS = {  # lower and upper bounds, curvature
    "squared_error": lambda y: (-_free(y), _free(y), 1.0),
    "huber": lambda y: (np.full_like(y, -DELTA), np.full_like(y, DELTA), 1.0),
    "absolute_error": lambda y: (-np.ones_like(y), np.ones_like(y), 0.0),
    "hinge": lambda y: (np.minimum(y, 0), np.maximum(y, 0), 0.0),
    "squared_hinge": lambda y: (np.where(y > 0, 0, -np.inf), np.where(y > 0, np.inf, 0), 0.5),
}
