"""Adam, SGD with Nesterov momentum and L-BFGS, on one flat vector of parameters.

The first two overwrite the parameters and their own state, which the caller owns: a step of a small
network costs no more than a dozen vector operations.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize

from .._backend import namespace_of, place_of, to_numpy, to_place

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # scikit-learn's defaults, as is the momentum
MOMENTUM = 0.9
STOPPED = 99  # SciPy's status where a callback has ended it
EVALUATIONS = 20  # of the objective for each iteration of L-BFGS, at most and on average


class Adam:
    """Kingma and Ba's method; `m` and `v` are their moments over 1 - beta, which saves products."""

    moments = "gradients", "squares"  # what the vectors of the state are

    def __init__(self, learning_rate):
        self.learning_rate = learning_rate

    def init(self, theta):
        """State at parameters theta: step number and moments."""
        xp = namespace_of(theta)
        return 0, [xp.zeros_like(theta), xp.zeros_like(theta)]

    def step(self, theta, grad, state):
        """Move theta; returns the state."""
        xp, (t, (m, v)) = namespace_of(theta), state
        t += 1
        m *= BETA_1
        m += grad
        v *= BETA_2
        v += grad * grad
        corrected = self.learning_rate * (1 - BETA_2**t) ** 0.5 / (1 - BETA_1**t)
        unscaled = (1 - BETA_2) ** 0.5
        root = xp.sqrt(v)
        root += EPSILON / unscaled
        change = m / root
        change *= corrected * (1 - BETA_1) / unscaled
        theta -= change
        return t, [m, v]


class SGD:
    """Gradient descent with Nesterov's momentum."""

    moments = ("parameters",)

    def __init__(self, learning_rate):
        self.learning_rate = learning_rate

    def init(self, theta):
        """State at parameters theta: step number and velocity."""
        return 0, [namespace_of(theta).zeros_like(theta)]

    def step(self, theta, grad, state):
        """Move theta; returns the state."""
        t, (velocity,) = state
        move = self.learning_rate * grad
        velocity *= MOMENTUM
        velocity -= move
        theta += MOMENTUM * velocity
        theta -= move
        return t + 1, [velocity]


STOCHASTIC = {"adam": Adam, "sgd": SGD}


class Minimum(NamedTuple):
    """Where L-BFGS stopped."""

    theta: Any
    converged: bool
    message: str


def minimise(value_and_grad, theta, *, units, history, max_iter, tol, callback):
    """L-BFGS from theta until the largest entry of the gradient is `tol`.

    Parameters
    ----------
    value_and_grad : callable
        From a flat vector at the place of theta to a float and the gradient there.
    theta : array of shape (n_parameters,)
    units : ndarray of shape (n_parameters,)
        Units in which parameters are alike; the tolerance is that of gradients in them.
    history : int
        Steps that are remembered.
    max_iter : int
    tol : float
    callback : callable
        Without arguments, after each iteration; whether to stop.
    """
    place = place_of(theta)

    def after_iteration(x):
        if callback():
            raise StopIteration

    def on_host(x):
        value, grad = value_and_grad(to_place(units * x, place))
        return value, units * to_numpy(grad)

    result = minimize(
        on_host,
        to_numpy(theta) / units,
        method="L-BFGS-B",
        jac=True,
        callback=after_iteration,
        options={
            "maxiter": max_iter,
            "maxfun": EVALUATIONS * max_iter,
            "maxcor": history,
            "gtol": tol,
            "ftol": np.finfo(float).eps,  # only rounding stops it before tol does
        },
    )
    converged = result.success or result.status == STOPPED
    theta = to_place(units * result.x, place)
    return Minimum(theta, bool(converged), str(result.message))
