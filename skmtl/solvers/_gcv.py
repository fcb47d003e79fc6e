"""Generalised cross-validation from Grams alone: (SSE/N) / (1 - tr H / N)^2, no rows needed.

With the symbols of `_eigen_grid`, base and B the rows of V^-1 y and V^-1 [X, o] as P sees them,
    Q = sum_i q_i q_i',   SSE = |base - B D U'r|^2,
    tr H = sum s/(s + a1) + sum c g + sum kappa^2 g/cb + tr D U'QU,   g = o'M^2 o,
and every product with M^2 follows from the eigenvectors of the task's Gram.
"""

import numpy as np

from .._backend import segment_sum
from ._eigen_grid import EigenBlocks


def gcv_grid(designs, alphas_shared, alphas_specific, alphas_intercept):
    """GCV and -2 log evidence of Grams over a grid.

    Parameters
    ----------
    designs : callable
        free -> GramDesign with free or shrunk intercepts.
    alphas_shared, alphas_specific, alphas_intercept : ndarrays

    Returns
    -------
    gcv, deviance : ndarrays of shape (n_specific, n_intercept, n_shared)
    """
    shape = len(alphas_specific), len(alphas_intercept), len(alphas_shared)
    gcv, deviance = np.empty(shape), np.empty(shape)
    for free in (True, False):
        chosen = np.flatnonzero((alphas_intercept == 0) == free)
        if chosen.size == 0:
            continue
        blocks = EigenBlocks.from_grams(designs(free))
        for i, a1 in enumerate(alphas_specific):
            level = blocks.at(float(a1))
            squares = _Squares(level)
            for j in chosen:
                point = level.at(float(alphas_intercept[j]))
                gcv[i, j] = squares.gcv(point, alphas_shared)
                deviance[i, j] = point.deviances(alphas_shared)
    return gcv, deviance


class _Squares:
    """Products with M^2 at one alpha_specific, by task: F = X'M^2 o, Y2 = X'M^2 y, g, oy, yy."""

    def __init__(self, level):
        blocks = level.blocks
        s, kept, R = blocks.s, level.kept, blocks.R
        self.level, self.design = level, level.design
        kept2 = kept**2
        self.E = (R * (s * kept2)[:, None]).T @ R
        self.trace = float((s * level.inner).sum())
        lost = (1 + kept) * level.inner  # I - M^2 on the eigen-directions, over s
        Ly = blocks.LC[:, 0]
        self.Xy = (kept2 * Ly) @ R
        self.yy = float((blocks.CC[:, 0, 0] - segment_sum(lost * Ly**2, blocks.indptr)).sum())
        if self.design.kind == "shrunk":
            Lo = blocks.LC[:, 1]
            self.F = np.stack([(kept2 * Lo)[k] @ R[k] for k in blocks.ranks])
            self.g = blocks.CC[:, 1, 1] - segment_sum(lost * Lo**2, blocks.indptr)
            self.oy = blocks.CC[:, 0, 1] - segment_sum(lost * Lo * Ly, blocks.indptr)

    def gcv(self, point, alphas_shared):
        """GCV for each alpha_shared."""
        Q, base, Bb, trace = self._rows(point)
        U, D = point.U, point.inverse(alphas_shared)
        QU, x = U.T @ Q @ U, point.Ur[:, None] * D
        sse = base - 2 * (Bb @ U) @ x + (x * (QU @ x)).sum(axis=0)
        trace = trace + QU.diagonal() @ D
        total = self.design.totals.sum()
        left = 1 - trace / total
        # without a degree of freedom left nothing can be said of the error
        score = np.maximum(sse, 0) / total / np.where(left > 1e-9, left, 1.0) ** 2
        return np.where(left > 1e-9, score, np.inf)

    def _rows(self, point):
        """Q, |base|^2, B'base and the part of tr H that does not depend on alpha_shared."""
        if self.design.kind != "shrunk":
            intercepts = self.design.n_tasks if self.design.kind == "free" else 0
            return self.E, self.yy, self.Xy, self.trace + intercepts
        c, kappa, cb, cx = point.c, point.kappa, point.cb, point.cx
        F, g, oy, u = self.F, self.g, self.oy, self.level.u
        lam = c * self.level.z + kappa * point.rb / cb
        Fu = F.T @ (c[:, None] * u)
        coupled = kappa @ F - (kappa * c * g) @ u
        cross = np.outer(coupled, cx) / cb
        Q = self.E - Fu - Fu.T + (u.T * (c**2 * g)) @ u - cross - cross.T
        Q = Q + (kappa**2 @ g) / cb**2 * np.outer(cx, cx)
        base = self.yy - 2 * lam @ oy + lam**2 @ g
        Bb = self.Xy - (c * oy) @ u - lam @ F + (lam * c * g) @ u
        Bb = Bb - cx * (kappa @ (oy - lam * g)) / cb
        return Q, base, Bb, self.trace + c @ g + (kappa**2 @ g) / cb
