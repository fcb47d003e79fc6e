"""Coefficients of many tasks at one (K, R): own parts eliminated, shared effects at the tip."""

import numpy as np

from .._backend import inverse_pd
from ._tip import Tip


class ArrowState:
    """The eliminated system; letters as in `_arrow`.

    Attributes
    ----------
    W : ndarray of shape (n_tasks, c)
        Posterior means of the coefficients, with that of the level where intercepts are shrunk.
    residual_products : ndarray of shape (n_tasks, c)
        X_t'a_t.
    squares : ndarray of shape (n_tasks,)
        Squared lengths of the residuals.
    """

    def __init__(self, route, factors, R):
        self.route = route
        F, h = route.F, route.h
        r = h.shape[1]
        self.s2 = s2 = R.diagonal()
        self.k = np.stack([k for _, k in factors])[route.component].T
        M = (F * self.k[:, None, :]) @ F.transpose(0, 2, 1) / s2[:, None, None]
        M[:, np.arange(r), np.arange(r)] += 1
        L = np.linalg.cholesky(M)
        self.logdet = 2 * np.log(np.einsum("tjj->tj", L)).sum()
        self.inner = np.linalg.inv(M)
        self.half = self.inner @ F
        self.B = F.transpose(0, 2, 1) @ self.half / s2[:, None, None]
        g = (h[:, None, :] @ self.half)[:, 0] / s2[:, None]
        self.tip = tip = Tip(route, factors)
        self.residual_products, self.tip_squares, shared = g, 0.0, np.zeros_like(g)
        if tip.size:
            C = tip.gather(self.B)
            C.flat[: tip.n_random * (tip.size + 1) : tip.size + 1] += 1
            self.C_inverse, logdet = inverse_pd(C)
            self.logdet += logdet
            rhs = [block.loadings @ g[:, block.columns] for block in tip.blocks]
            self.f = self.C_inverse @ np.concatenate(rhs)
            shared = tip.products(self.f[None])[:, 0]
            self.residual_products = g - (self.B @ shared[:, :, None])[:, :, 0]
            self.tip_squares = (self.f[: tip.n_random] ** 2).sum()
        self.W = shared + self.k * self.residual_products
        rest = h - (F @ self.W[:, :, None])[:, :, 0]
        self.squares = route.outside + (rest**2).sum(axis=1)
