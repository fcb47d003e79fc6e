"""A common design with missing labels: conjugate gradients preconditioned by the complete design.

With S the table of weights (0 where a label is missing), h_t = X'S_t 1 and kappa_t = ai/(n_t + ai),
eliminating the intercepts leaves, for w_t = w0 + v_t,
    K_t(W) = X'(S_t * (X w_t - h_t.w_t/(n_t + ai))) - kappa_t h_t (sum_u kappa_u h_u.w_u)/cb,
    K_t(W) + a1 v_t = g_t,   sum_t K_t(W) + a0 w0 = sum_t g_t.
In the eigenvectors of the complete X'SX the Hessian is nearly an arrow for each coordinate, with
X'S_tX ~ f_t diag(s) and f_t the task's share of the weight: that arrow is the preconditioner.
"""

import numpy as np
from scipy.sparse import issparse

from .._backend import eigh_psd, place_of, to_place, widest_float
from ._arrow import intercept_weights

LEAST_FEATURES = 64  # with fewer, blocks are as fast
USUAL = 20  # iterations that random gaps take; a budget below is not worth the try
TRIAL = 5  # iterations from which the rate of convergence is read
LEAST_OBSERVED = 0.5  # share of the labels below which the complete design is a poor guide


def iterations_worthwhile(data):
    """How many iterations cost less than block elimination; 0 where this solver does not apply."""
    n, p = data.X.shape
    T, labels = data.n_tasks, len(data.labels.row)
    if (
        issparse(data.X)
        or data.one_label_per_row
        or p < LEAST_FEATURES
        or n < p
        or labels < LEAST_OBSERVED * n * T
    ):
        return 0
    rows = n * (T + 1) - labels if (data.labels.s == 1).all() else labels  # downdated Grams or not
    blocks = rows * p**2 + 3 * T * p**3
    setup = 3 * n * p**2 + 10 * p**3
    # factorisations of one task run at half the speed of products for all of them
    worthwhile = int((2 * blocks - setup) / (4 * n * p * T))
    return worthwhile if worthwhile >= USUAL else 0


class MaskedDesign:
    """The design, rotated to the eigenvectors of its complete Gram, and its table of labels."""

    def __init__(self, data, omega, frame, *, fit_intercept):
        place = place_of(data.X)
        xp, dtype = place.xp, widest_float(place)
        labels, shape = data.labels, (data.X.shape[0], data.n_tasks)
        S, Y = np.zeros(shape), np.zeros(shape)
        S[labels.row, labels.task] = labels.s * omega[labels.task]
        self.y_mean = (S[labels.row, labels.task] @ labels.y) / S.sum() if fit_intercept else 0.0
        Y[labels.row, labels.task] = labels.y - self.y_mean
        self.n = to_place(S.sum(axis=0), place, dtype)
        self.share = to_place(S.sum(axis=0) / S.sum(axis=0).max(), place, dtype)
        X = to_place(data.X, place, dtype) - frame.mean
        weight = to_place(S.sum(axis=1) / S.sum() * S.sum(axis=0).max(), place, dtype)
        self.s, self.Q = eigh_psd((X * weight[:, None]).T @ X)
        self.X, self.fit_intercept = X @ self.Q, fit_intercept
        self.S, self.Y = to_place(S, place, dtype), to_place(Y, place, dtype)
        self.h = (self.X.T @ self.S).T
        self.Sy = xp.sum(self.S * self.Y, axis=0)

    def solve(self, penalty, *, tol, max_iter):
        """(w0, V, b0, b, n_iter, residual) in the coordinates of the frame; b about y_mean."""
        xp = place_of(self.X).xp
        a0, a1, ai = penalty.alpha_shared, penalty.alpha_specific, penalty.alpha_intercept
        self._set_intercepts(ai)
        g = (
            self._centred(self.Y, self.Sy)
            if self.fit_intercept
            else (self.X.T @ (self.S * self.Y)).T
        )
        D = self.share[:, None] * self.s
        R = 1 / (D + a1)
        shared = float(not np.isinf(a0))
        DR = D * R
        tip = shared / ((a0 if shared else 1.0) + a1 * xp.sum(DR, axis=0))

        def precondition(r0, r):
            w0 = (r0 - xp.sum(DR * r, axis=0)) * tip
            return w0, R * (r - D * w0)

        def hessian(w0, V):
            K = self._curvature(w0 + V)
            return shared * (xp.sum(K, axis=0) + (a0 if shared else 0.0) * w0), K + a1 * V

        w0, V, n_iter, residual = _pcg(
            hessian, precondition, shared * xp.sum(g, axis=0), g, tol=tol, max_iter=max_iter
        )
        b0, b = self._intercepts(w0 + V)
        return w0 @ self.Q.T, V @ self.Q.T, b0, b, n_iter, residual

    def _set_intercepts(self, ai):
        xp = place_of(self.X).xp
        self.ai = ai
        self.c, self.kappa = intercept_weights(self.n, ai)
        self.cb = xp.sum(self.kappa * self.n)

    def _curvature(self, W):
        XW = self.X @ W.T
        if not self.fit_intercept:
            return (self.S * XW).T @ self.X
        xp = place_of(W).xp
        return self._centred(XW, xp.vecdot(self.h, W))

    def _centred(self, Z, sums):
        """X'S M z for columns z of Z with S-sums given: intercepts eliminated."""
        xp = place_of(Z).xp
        K = (self.S * (Z - self.c * sums)).T @ self.X
        if self.ai == 0:
            return K
        return K - self.kappa[:, None] * self.h * (xp.sum(self.kappa * sums) / self.cb)

    def _intercepts(self, W):
        """b_0 and b_t about y_mean, at the mean of X."""
        xp = place_of(W).xp
        left = self.Sy - xp.sum(self.h * W, axis=1)
        if not self.fit_intercept:
            return left[0] * 0, left * 0
        if self.ai == 0:
            b = left * self.c
            return xp.mean(b), b
        b0 = xp.sum(self.kappa * left) / self.cb
        return b0, b0 + self.c * (left - self.n * b0)


def _pcg(hessian, precondition, r0, r, *, tol, max_iter):
    """Preconditioned conjugate gradients on (w0, V), from zero."""
    xp = place_of(r).xp

    def dot(a0, a, b0, b):
        return float(a0 @ b0 + xp.reshape(a, (-1,)) @ xp.reshape(b, (-1,)))

    scale = dot(r0, r, r0, r) ** 0.5 or 1.0
    x0, x = xp.zeros_like(r0), xp.zeros_like(r)
    z0, z = precondition(r0, r)
    d0, d, rz = z0, z, dot(r0, r, z0, z)
    residual, n_iter = dot(r0, r, r0, r) ** 0.5 / scale, 0
    while residual > tol and n_iter < max_iter:
        q0, q = hessian(d0, d)
        step = rz / dot(d0, d, q0, q)
        x0, x = x0 + step * d0, x + step * d
        r0, r = r0 - step * q0, r - step * q
        z0, z = precondition(r0, r)
        rz, old = dot(r0, r, z0, z), rz
        d0, d = z0 + (rz / old) * d0, z + (rz / old) * d
        residual, n_iter = dot(r0, r, r0, r) ** 0.5 / scale, n_iter + 1
        if n_iter == TRIAL and 0 < residual and TRIAL * np.log(tol) / np.log(residual) > max_iter:
            break  # at this rate it would not get there
    return x0, x, n_iter, residual
