"""The objective and its gradient: weighted losses of the labels plus penalties, by their weight.

F(theta) = (sum_ti V_ti loss(y_ti, z_ti) + sum_k strength_k theta_k^2) / sum_ti V_ti, and on some of
the rows the losses' part over their own weight: penalties count by the share of the labels.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from .._backend import namespace_of, place_of, to_place
from .._input import float_name

CHUNK = 10_000  # rows of a forward pass of which little is kept


@dataclass(frozen=True, eq=False)
class Objective:
    """What is minimised.

    Attributes
    ----------
    network : Network
    criterion : object
        With `weighted(rows, Z)`: losses of the labels and their derivatives in the scores Z.
    decay : array of shape (n_parameters,)
        Derivative of the penalties over parameter, 2 strength / sum of all weights.
    incidence : array of shape (n_units, n_channels)
    """

    network: Any
    criterion: Any
    decay: Any
    incidence: Any
    _workspaces: dict = field(default_factory=dict, repr=False)

    @cached_property
    def grad(self):
        """Where gradients are written: a flat vector and its views."""
        flat = namespace_of(self.decay).zeros_like(self.decay)
        return flat, self.network.views(flat)

    @cached_property
    def beside(self):
        """Place and floating type of the parameters."""
        return place_of(self.decay), float_name(self.decay)

    def workspace(self, rows):
        """Workspace for as many rows, the same each time; None outside NumPy."""
        if not isinstance(self.decay, np.ndarray):
            return None
        n = len(rows)
        if n not in self._workspaces:
            self._workspaces[n] = self.network.workspace(n, self.decay.dtype)
        return self._workspaces[n]

    def heads(self, params):
        """h_0 + u_t, of shape (n_units, width)."""
        return params.specific + self.incidence @ params.shared

    def penalty(self, theta):
        """Value of the penalties, a float."""
        return 0.5 * float(namespace_of(theta).vecdot(theta, self.decay * theta))

    def epoch_weights(self):
        """Task weights of a balancer over an epoch: there is none."""
        return None

    def kept(self):
        """What a later training goes on from, beside parameters and optimiser: nothing."""
        return {}

    def scores(self, theta, rows):
        """Scores of the rows, in the shape of their labels."""
        params = self.network.views(theta)
        A = self.network.forward(params, rows.X)[-1]
        return rows.scores(A, self.heads(params), params.intercepts)

    def constant_loss(self, b, rows):
        """Mean loss over all labels of scores b (n_units,) that are the same in each row."""
        b, nothing = (to_place(v, *self.beside) for v in (b, np.zeros((len(rows), 1))))
        E, _ = self.criterion.weighted(rows, rows.scores(nothing, 0 * b[:, None], b))
        return float(namespace_of(E).sum(E)) / rows.total

    def mean_representation(self, theta, rows):
        """Mean over rows of the representation, weighted by the rows' labels, of shape (width,)."""
        params, total = self.network.views(theta), 0.0
        for batch in rows.batches(np.arange(len(rows)), CHUNK):
            weights = to_place(batch.row_weights, place_of(theta), float_name(theta))
            total = total + weights @ self.network.forward(params, batch.X)[-1]
        return total / rows.total

    def value_and_grad(self, theta, rows):
        """(F, F' on all rows, sums of the losses of each task)."""
        sums, grad = self.gradient(theta, self.network.views(theta), rows)
        value = float(namespace_of(sums).sum(sums)) / rows.total + self.penalty(theta)
        return value, grad, sums

    def gradient(self, theta, params, rows):
        """(sums of the losses of each task, F' on these rows); the next call overwrites it."""
        work = self.workspace(rows)
        layers = self.network.forward(params, rows.X, work)
        H = self.heads(params)
        sums, R = self.residuals(rows, layers[-1], H, params.intercepts)
        R *= 1 / rows.total
        flat, grads = self.grad
        self.head_gradient(rows, R, layers[-1])
        if params.weights:
            D = rows.pull(R, H, work and work.deltas[-1])
            self.network.backward(params, grads, layers, D, work)
        flat += self.decay * theta
        return sums, flat

    def residuals(self, rows, A, H, b):
        """Sums of the losses of each task, and derivatives of their sum in the scores."""
        E, R = self.criterion.weighted(rows, rows.scores(A, H, b))
        return rows.by_task(E), R

    def head_gradient(self, rows, R, A):
        """Write the gradient of shared, specific parts and intercepts."""
        grads, network = self.grad[1], self.network
        specific, intercepts = rows.head_gradients(R, A)
        grads.intercepts[...] = intercepts
        if network.has_shared:
            grads.shared[...] = self.incidence.T @ specific
        if network.has_specific:
            grads.specific[...] = specific
