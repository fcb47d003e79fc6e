"""Solution of the mixed-model equations at one (K, R), and the posterior that it is."""

from functools import cached_property

import numpy as np

from .._backend import inverse_pd
from ._matrices import inverse_of, root_of


class PrimalState:
    """Solution of the mixed-model equations at one (K, R)."""

    def __init__(self, route, K, R):
        self.route, cells = route, route.cells
        T, c = cells.n_tasks, route.grams.shape[1]
        self.roots = [root_of(k) for k in K]
        self.inner, logdets = zip(
            *(inverse_of(R[np.ix_(term.tasks, term.tasks)]) for term in route.terms), strict=True
        )
        weights = np.zeros((len(route.terms), T, T))
        rhs = np.zeros((T, c))
        for k, (term, inner) in enumerate(zip(route.terms, self.inner, strict=True)):
            weights[k][np.ix_(term.tasks, term.tasks)] = inner
            rhs[term.tasks] += (term.XY @ inner).T
        M = weights.reshape(len(weights), -1).T @ route.grams.reshape(len(weights), -1)
        M = M.reshape(T, T, c, c).transpose(0, 2, 1, 3).reshape(T * c, T * c)
        A = self._reduce(self._reduce(M).T)
        n_random = T * route.n_random
        A.flat[: n_random * len(A) : len(A) + 1] += 1
        self.inverse, logdet = inverse_pd(A)
        solution = self.inverse @ self._reduce(rhs.reshape(-1, 1))[:, 0]
        self.u, self.fixed = solution[:n_random].reshape(T, -1), solution[n_random:]
        self.W = self._expand(solution[:, None])[:, 0].reshape(T, c)
        self.scatters = [_scatter(term, self.W[term.tasks]) for term in route.terms]
        self.quadratic = (self.u**2).sum() + sum(
            (inner * E).sum() for inner, E in zip(self.inner, self.scatters, strict=True)
        )
        volumes = [term.weight * d for term, d in zip(route.terms, logdets, strict=True)]
        self.logdet = logdet + sum(volumes)

    def _reduce(self, M):
        """Rows of coefficients (T c, k) to rows of effects: roots of K, then fixed intercepts."""
        route, T = self.route, self.route.cells.n_tasks
        M = M.reshape(T, -1, M.shape[1])
        random = np.empty((T, route.n_random, M.shape[2]))
        for (root, _), block in zip(self.roots, route.blocks, strict=True):
            random[:, block] = np.tensordot(root, M[:, block], axes=(1, 0))
        parts = [random.reshape(-1, M.shape[2])]
        if route.cells.intercept == "free":
            parts.append(M[:, -1])
        elif route.cells.intercept == "shrunk":
            parts.append(M[:, -1].sum(axis=0, keepdims=True))
        return np.concatenate(parts)

    def _expand(self, M):
        """The transpose: rows of effects (., k) to rows of coefficients (T c, k)."""
        route, T = self.route, self.route.cells.n_tasks
        n = T * route.n_random
        random, fixed = M[:n].reshape(T, route.n_random, -1), M[n:]
        out = np.zeros((T, route.grams.shape[1], M.shape[1]))
        for (root, _), block in zip(self.roots, route.blocks, strict=True):
            out[:, block] = np.tensordot(root, random[:, block], axes=(1, 0))
        if len(fixed):  # one for each task, or one for all
            out[:, -1] += fixed
        return out.reshape(-1, M.shape[1])

    def coefficient_covariance(self):
        """Posterior covariance of coefficients and intercepts, (T, c, T, c)."""
        T = self.route.cells.n_tasks
        return self._expand(self._expand(self.inverse).T).reshape(T, -1, T, len(self.W.T))


def _scatter(term, W):
    """Weighted scatter matrix of the residuals Y - X W'."""
    cross = W @ term.XY
    return term.YY - cross - cross.T + W @ term.S @ W.T


class PrimalPosterior:
    """Coefficients given the labels at fixed K and R; see `EigenPosterior`."""

    def __init__(self, route, K, R):
        state = PrimalState(route, K, R)
        self._mean, self.C = state.W, state.coefficient_covariance()
        self._has_level, q = route.has_level, route.cells.Z.shape[1]
        self.W, self.b = self._parts(self._mean, q)
        if route.cells.intercept == "shrunk":
            self.common_level = float(state.fixed[0])

    def _parts(self, W, q):
        return W[:, :q], W[:, q] if self._has_level else np.zeros(len(W))

    def _rows(self, Z):
        return np.column_stack([Z, np.ones(len(Z))]) if self._has_level else Z

    def covariance(self, Z):
        """Covariance of the values x.w_t + b_t over the tasks at rows in the frame, (n, T, T)."""
        X = self._rows(Z)
        return np.einsum("nj,najb->nab", X, np.tensordot(X, self.C, axes=(1, 3)))

    def variances(self, Z):
        """Their diagonals, (n, T)."""
        return np.stack([self.variance(Z, t) for t in range(len(self.W))], axis=1)

    def variance(self, Z, task):
        """Those of one task, (n,)."""
        X = self._rows(Z)
        return ((X @ self.C[task, :, task]) * X).sum(axis=1)

    def draw(self, rng):
        """A draw of (W, b)."""
        noise = self._root @ rng.standard_normal(self._mean.size)
        return self._parts(self._mean + noise.reshape(self._mean.shape), self.W.shape[1])

    @cached_property
    def _root(self):
        return root_of(self.C.reshape(self._mean.size, -1))[0]
