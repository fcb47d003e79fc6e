"""Losses in one variable, as the theory meets them: value, proximal point, its slope and kinks.

A residual loss is a function of e = y - u, a margin loss of z = y u with y = -1 or 1.  prox(v, g)
minimises g loss(u) + (u - v)^2/2, `prox_slope` is its derivative in v where u = prox(v, g), and
`kinks(g)` lists the v, in an added last axis, at which the integrands are split.
"""

import numpy as np

from .. import losses


class Labelled:
    """A loss of `skmtl.losses` at one label: 0 for residuals, 1 for margins."""

    def __init__(self, loss, label):
        self.loss = loss
        self.label = label

    def value(self, z):
        return self.loss.value(self.label, z)

    def prox(self, v, g):
        return self.loss.prox(v, g, self.label)

    def prox_slope(self, v, g, u):
        return 1 / (1 + g * self.loss.curvature(self.label, u))


class SquaredError(Labelled):
    """e^2 / 2, and (1 - z)^2 / 2: least squares on labels -1 and 1."""

    def kinks(self, g):
        return -self.label * g[..., None]  # prox = 0: the training label is missed below


class Huber(Labelled):
    """e^2 / 2 up to |e| = delta, linear beyond."""

    def kinks(self, g):
        one = np.ones_like(g)  # of the loss at a new row
        return self.loss.delta * np.stack([-(1 + g), -one, one, 1 + g], axis=-1)


class AbsoluteError:
    """|e|."""

    def value(self, e):
        return np.abs(e)

    def prox(self, v, g):
        return v - np.clip(v, -g, g)

    def prox_slope(self, v, g, u):
        return np.where(np.abs(v) <= g, 0.0, 1.0)

    def kinks(self, g):
        return np.stack([-g, np.zeros_like(g), g], axis=-1)


class Hinge(Labelled):
    """max(0, 1 - z)."""

    def prox_slope(self, v, g, u):
        return np.where((v > 1 - g) & (v < 1), 0.0, 1.0)  # 0 where u is held at the kink

    def kinks(self, g):
        return np.stack([np.ones_like(g), 1 - g, -g], axis=-1)


class SquaredHinge(Labelled):
    """max(0, 1 - z)^2."""

    def kinks(self, g):
        return np.stack([np.ones_like(g), -2 * g], axis=-1)


class LogLoss(Labelled):
    """log(1 + exp(-z))."""

    def kinks(self, g):
        # smooth, but it bends within units where panels may be wider: at u = 0 and where u = log g
        zero, bend = np.zeros_like(g), np.log1p(g)
        return np.stack(
            [-g, -g / 2, zero - 4, zero - 1, zero, bend / 2, bend, 2 * bend + 4], axis=-1
        )


RESIDUAL_LOSSES = {
    "squared_error": SquaredError(losses.SquaredError(), 0.0),
    "huber": Huber(losses.Huber(), 0.0),
    "absolute_error": AbsoluteError(),
}
MARGIN_LOSSES = {
    "squared_error": SquaredError(losses.SquaredError(), 1.0),
    "log_loss": LogLoss(losses.LogLoss(), 1.0),
    "hinge": Hinge(losses.Hinge(), 1.0),
    "squared_hinge": SquaredHinge(losses.SquaredHinge(), 1.0),
}
LOSS_NAMES = tuple(RESIDUAL_LOSSES | MARGIN_LOSSES)
