"""Evidence of unrelated tasks: the sum of that of each, in the eigenbasis of its own rows."""

import numpy as np

from ._cells import Cells
from ._eigen import EigenRoute
from ._evaluation import Evaluation


class SeparateRoute:
    """Diagonal K of one component and diagonal R, free or no intercepts.

    Parameters
    ----------
    cells : Cells
    """

    separable, takes_factors = True, False

    def __init__(self, cells):
        self.cells = cells
        self.routes = [EigenRoute(_cells_of(cells, t)) for t in range(cells.n_tasks)]

    @staticmethod
    def flops(cells):
        """Work of an evaluation, with a share of that of the set-up."""
        sizes, q = np.diff(cells.indptr).astype(float), cells.Z.shape[1]
        return (sizes * np.minimum(sizes, q) ** 2).sum() / 2

    def value_grad(self, K, R):
        """Log evidence and its gradients at K (1, T, T) and R (T, T), their diagonals."""
        parts = [
            route.value_grad(k[None, None, None], r[None, None])
            for route, k, r in zip(self.routes, K[0].diagonal(), R.diagonal(), strict=True)
        ]
        G_K = np.diag([part.K[0, 0, 0] for part in parts])
        G_R = np.diag([part.R[0, 0] for part in parts])
        return Evaluation(sum(part.value for part in parts), G_K[None], G_R)

    def posterior(self, K, R):
        """Posterior of the coefficients in the frame."""
        return SeparatePosterior(self, K, R)


class SeparatePosterior:
    """Coefficients given the labels at fixed K and R; see `EigenPosterior`."""

    def __init__(self, route, K, R):
        self.parts = [
            own.posterior(k[None, None, None], r[None, None])
            for own, k, r in zip(route.routes, K[0].diagonal(), R.diagonal(), strict=True)
        ]
        self.W = np.concatenate([part.W for part in self.parts])
        self.b = np.concatenate([part.b for part in self.parts])

    def covariance(self, Z):
        """Covariance of the values x.w_t + b_t over the tasks at rows in the frame, (n, T, T)."""
        return self.variances(Z)[:, :, None] * np.eye(len(self.parts))

    def variances(self, Z):
        """Their diagonals, (n, T)."""
        return np.concatenate([part.variances(Z) for part in self.parts], axis=1)

    def variance(self, Z, task):
        """Those of one task, (n,)."""
        return self.parts[task].variance(Z, 0)

    def draw(self, rng):
        """A draw of (W, b)."""
        W, b = zip(*(part.draw(rng) for part in self.parts), strict=True)
        return np.concatenate(W), np.concatenate(b)


def _cells_of(cells, t):
    """The cells of one task."""
    own = slice(cells.indptr[t], cells.indptr[t + 1])
    y, s = cells.y[own], cells.s[own]
    row, task = np.arange(len(y)), np.zeros(len(y), dtype=int)
    return Cells(cells.Z[cells.row[own]], cells.blocks, row, task, y, s, 1, cells.intercept, s)
