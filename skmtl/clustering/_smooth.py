"""Losses that are not quadratic, for clustering: Newton's quadratics at coefficients in turn.

At (w, b) a loss has the working labels z + (y - p)/h and the weights s h, with h its curvature:
a squared loss whose intercept is minimised out, of which the eigenbases serve a clustering fit.
"""

from functools import cached_property

import numpy as np
from scipy.sparse import issparse

from .._backend import eigh_psd, place_of, require_memory, to_numpy, to_place, widest_float
from ..solvers._design import make_frame, rows_of
from ._losses import (
    FEWER_FEATURES,
    QuadraticLosses,
    above,
    least_curvature,
    quadratic_of_few_rows,
)

FLAT = 1e-10  # curvature from which on a label counts as saturated
TINY = 1e-290  # curvature of any label, lest one be divided by zero


class SmoothLosses:
    """L_t(w, b) = omega_t / n_t sum_i s_ti loss(y_ti, x_i.w + b) in the coordinates of a frame.

    Parameters
    ----------
    data : TaskData
    loss : object with value, gradient, curvature and conjugate
    omega : ndarray of shape (n_tasks,)
    fit_intercept : bool
    """

    is_quadratic = False

    def __init__(self, data, loss, omega, *, fit_intercept):
        n, p = data.X.shape
        self.frame = make_frame(data, omega, fit_intercept=fit_intercept, reduce=n < p)
        self.mean, X, place = to_numpy(self.frame.mean), self.frame.X, place_of(data.X)
        # dense features come to the host once, and less their mean
        X = X if issparse(X) else to_numpy(to_place(X, place, widest_float(place))) - self.mean
        labels = data.labels
        self.loss, self.omega, self.fit_intercept = loss, omega, fit_intercept
        self.n_labels, self.n_tasks = data.weight_sums, data.n_tasks
        self.indptr, self.y = labels.indptr, labels.y
        self.s = labels.s * (omega / data.weight_sums)[labels.task]
        self.spans = [slice(a, b) for a, b in zip(labels.indptr, labels.indptr[1:], strict=False)]
        self.data, self.X = data, X
        self.floor = omega * least_curvature(data.X)
        self.n_coordinates = X.shape[1]

    @property
    def basis(self):
        return None if self.frame.basis is None else to_numpy(self.frame.basis)

    @property
    def origin(self):
        return to_numpy(self.frame.origin)

    def rows(self, t):
        """Rows of task t from the origin, on the host."""
        X = rows_of(self.data, self.X, self.spans[t])
        return X.toarray() - self.mean if issparse(X) else X

    @cached_property
    def start(self):
        """SmoothPoint of no coefficients, and of intercepts without a mean gradient."""
        W, b = np.zeros((self.n_tasks, self.n_coordinates)), np.zeros(self.n_tasks)
        for _ in range(20 if self.fit_intercept else 0):
            z = np.repeat(b, np.diff(self.indptr))
            g, h = self.sums(self.loss.gradient(self.y, z)), self.sums(self.curvature(z))
            b = b - np.clip(g / h, -2.0, 2.0)
        return self.at(W, b)

    def at(self, W, b):
        """SmoothPoint of coefficients and intercepts."""
        parts = [self.rows(t) @ W[t] + b[t] for t in range(self.n_tasks)]
        return SmoothPoint(self, W, b, np.concatenate(parts))

    @cached_property
    def scale(self):
        """Norm of the gradient at the start, 0 where it is rounding."""
        square = float((self.start.slopes[0] ** 2).sum())
        return np.sqrt(square) if square > self.floor.sum() else 0.0

    def sums(self, x):
        """Weighted sums over the labels of each task."""
        return np.add.reduceat(self.s * x, self.indptr[:-1])

    def curvature(self, z, least=FLAT):
        """Second derivative of the loss of each label, kept from zero."""
        return np.maximum(self.loss.curvature(self.y, z), least)


class SmoothPoint:
    """The losses at coefficients W and intercepts b, of linear predictors z (n_labels,).

    `values` and `gradients` take W again, as those of QuadraticLosses do.
    """

    def __init__(self, losses, W, b, z):
        self.losses, self.W, self.b, self.z = losses, W, b, z

    @property
    def scale(self):
        return self.losses.scale

    @property
    def null_value(self):
        return self.losses.start.values(None).sum()

    def values(self, W):
        """Loss of each task."""
        return self.losses.sums(self.losses.loss.value(self.losses.y, self.z))

    def gradients(self, W):
        """Gradients in W."""
        return self.slopes[0]

    @cached_property
    def slopes(self):
        """Gradients in W (n_tasks, n_coordinates) and in b (n_tasks,)."""
        losses = self.losses
        r = losses.s * losses.loss.gradient(losses.y, self.z)
        G = np.array([r[span] @ losses.rows(t) for t, span in enumerate(losses.spans)])
        return G, np.add.reduceat(r, losses.indptr[:-1]) * losses.fit_intercept

    def feasible(self, H, component):
        """As that of QuadraticLosses."""
        return self._model.feasible(H, component)

    def least_values(self, H):
        """Lower bounds of L_t + h_t'w over all w and b, of shape (n_tasks,).

        For derivatives d_i of the losses of its labels with sum_i s_i d_i (x_i, 1) = (-h_t, 0) a
        task's bound is -sum_i s_i loss*(y_i, d_i).  Those at z change by one Newton step to such.
        """
        losses, model = self.losses, self._model
        G, g = self.slopes
        short = model.rotated(G - g[:, None] * model.centre + H)
        step = model.back(np.divide(-short, model.s, out=np.zeros_like(short), where=model.s > 0))
        h = losses.curvature(self.z, TINY)
        up = -g / losses.sums(h) - (model.centre * step).sum(axis=1) * losses.fit_intercept
        slope = losses.loss.gradient(losses.y, self.z) + h * losses.at(step, up).z
        return -losses.sums(losses.loss.conjugate(losses.y, slope))

    @cached_property
    def _model(self):
        """The quadratics of the curvatures as they are."""
        return self.quadratics(least=TINY)

    def quadratics(self, least=FLAT):
        """QuadraticLosses that agree with these to second order; curvatures are `least` or more."""
        losses = self.losses
        T, dim = losses.n_tasks, losses.n_coordinates
        h = losses.curvature(self.z, least)
        labels, weight = self.z - losses.loss.gradient(losses.y, self.z) / h, losses.s * h
        sizes = np.diff(losses.indptr)
        rank = int(min(dim, sizes.max()))
        require_memory(
            T * dim * rank, f"eigenbases of {T} tasks in {dim} coordinates", FEWER_FEATURES
        )
        s, c, m, Q = np.zeros((T, rank)), np.zeros((T, rank)), np.zeros(T), np.zeros((T, dim, rank))
        centre, level = np.zeros((T, dim)), np.zeros(T)
        for t, span in enumerate(losses.spans):
            X, y, v = losses.rows(t), labels[span], weight[span]
            if losses.fit_intercept:
                centre[t], level[t] = v @ X / v.sum(), v @ y / v.sum()
            root = np.sqrt(v)
            Z, r = root[:, None] * (X - centre[t]), root * (y - level[t])
            if sizes[t] < dim:
                k = sizes[t]
                s[t, :k], c[t, :k], m[t], Q[t, :, :k] = quadratic_of_few_rows(Z, r, losses.floor[t])
            else:
                values, Q[t] = eigh_psd(Z.T @ Z)
                s[t] = above(values, losses.floor[t])
                c[t], m[t] = (r @ Z) @ Q[t], r @ r
        return QuadraticLosses(
            s=s,
            c=np.where(s > 0, c, 0.0),
            m=m,
            Q=Q,
            n_labels=losses.n_labels,
            omega=losses.omega,
            basis=losses.basis,
            origin=losses.origin,
            centre=centre,
            level=level,
            fit_intercept=losses.fit_intercept,
        )
