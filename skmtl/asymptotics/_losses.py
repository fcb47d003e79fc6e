"""Losses in one variable, as the theory meets them: value, proximal point and kinks.

A residual loss is a function of e = y - u, a margin loss of z = y u with y = -1 or 1.  prox(v, g)
minimises g loss(u) + (u - v)^2/2, `prox_slope` is its derivative in v, and `kinks(g)` lists the v,
in an added last axis, at which the integrands are split.
"""

import numpy as np
from scipy.special import expit

HUBER_DELTA = 1.35  # as scikit-learn's HuberRegressor: 95 % efficient at Gaussian noise of sd 1


class SquaredError:
    """e^2 / 2."""

    def value(self, e):
        return e**2 / 2

    def prox(self, v, g):
        return v / (1 + g)

    def prox_slope(self, v, g):
        return np.broadcast_to(1 / (1 + g), np.shape(v))

    def kinks(self, g):
        return np.zeros((*np.shape(g), 0))


class Huber:
    """e^2 / 2 up to |e| = delta, linear beyond."""

    def value(self, e):
        inner = np.minimum(np.abs(e), HUBER_DELTA)
        return inner * (np.abs(e) - inner / 2)

    def prox(self, v, g):
        return v - g * np.clip(v / (1 + g), -HUBER_DELTA, HUBER_DELTA)

    def prox_slope(self, v, g):
        return np.where(np.abs(v) <= HUBER_DELTA * (1 + g), 1 / (1 + g), 1.0)

    def kinks(self, g):
        one = np.ones_like(g)  # of the loss at a new row
        return HUBER_DELTA * np.stack([-(1 + g), -one, one, 1 + g], axis=-1)


class AbsoluteError:
    """|e|."""

    def value(self, e):
        return np.abs(e)

    def prox(self, v, g):
        return v - np.clip(v, -g, g)

    def prox_slope(self, v, g):
        return np.where(np.abs(v) <= g, 0.0, 1.0)

    def kinks(self, g):
        return np.stack([-g, np.zeros_like(g), g], axis=-1)


class SquaredMargin:
    """(1 - z)^2 / 2: least squares on labels -1 and 1."""

    def value(self, z):
        return (1 - z) ** 2 / 2

    def prox(self, v, g):
        return (v + g) / (1 + g)

    def prox_slope(self, v, g):
        return np.broadcast_to(1 / (1 + g), np.shape(v))

    def kinks(self, g):
        return -np.asarray(g)[..., None]  # prox(-g) = 0: the training label is missed below


class Hinge:
    """max(0, 1 - z)."""

    def value(self, z):
        return np.maximum(0.0, 1 - z)

    def prox(self, v, g):
        return v + np.clip(1 - v, 0.0, g)

    def prox_slope(self, v, g):
        return np.where((v > 1 - g) & (v < 1), 0.0, 1.0)

    def kinks(self, g):
        return np.stack([np.ones_like(g), 1 - g, -g], axis=-1)


class SquaredHinge:
    """max(0, 1 - z)^2."""

    def value(self, z):
        return np.maximum(0.0, 1 - z) ** 2

    def prox(self, v, g):
        return v + np.maximum(0.0, 1 - v) * (2 * g / (1 + 2 * g))

    def prox_slope(self, v, g):
        return np.where(v < 1, 1 / (1 + 2 * g), 1.0)

    def kinks(self, g):
        return np.stack([np.ones_like(g), -2 * g], axis=-1)


class LogLoss:
    """log(1 + exp(-z))."""

    def value(self, z):
        return np.logaddexp(0.0, -z)

    def prox(self, v, g):
        """Root of u - v - g/(1 + exp(u)) by Newton's method from the side where it is monotone."""
        # the function is convex below u = 0 and concave above: from these starts no step overshoots
        u = np.where(v > -g / 2, np.maximum(0.0, v), np.minimum(0.0, v + g))
        for _ in range(100):
            miss = expit(-u)
            step = (u - v - g * miss) / (1 + g * miss * (1 - miss))
            u = u - step
            if np.abs(step).max(initial=0.0) <= 1e-14 * (1 + np.abs(u).max(initial=0.0)):
                break
        return u

    def prox_slope(self, v, g):
        miss = expit(-self.prox(v, g))
        return 1 / (1 + g * miss * (1 - miss))

    def kinks(self, g):
        # smooth, but it bends within units where panels may be wider: at u = 0 and where u = log g
        zero, bend = np.zeros_like(g), np.log1p(g)
        return np.stack(
            [-g, -g / 2, zero - 4, zero - 1, zero, bend / 2, bend, 2 * bend + 4], axis=-1
        )


RESIDUAL_LOSSES = {
    "squared_error": SquaredError(),
    "huber": Huber(),
    "absolute_error": AbsoluteError(),
}
MARGIN_LOSSES = {
    "squared_error": SquaredMargin(),
    "log_loss": LogLoss(),
    "hinge": Hinge(),
    "squared_hinge": SquaredHinge(),
}
