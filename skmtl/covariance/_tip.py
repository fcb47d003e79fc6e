"""Effects that many tasks share: L_t puts loadings times an effect into a column of X_t.

Sums over tasks of L_t' M_t L_t are one product of the pairs of loadings with the stack M.
"""

from typing import NamedTuple

import numpy as np


class Block(NamedTuple):
    """Effects at the tip of one factor: their place, columns of X, and each task's loading."""

    effects: slice
    columns: np.ndarray
    loadings: np.ndarray
    component: int
    factor: int


class Tip:
    """Effects z shared by the tasks: L_t puts loadings times those of a block into its columns."""

    def __init__(self, route, factors):
        self.n_columns = route.S.shape[1]
        self.random, self.size = [], 0
        for component, (lam, _) in enumerate(factors):
            for factor in range(lam.shape[1]):
                self.random.append(
                    self._block(route.columns[component], lam[:, factor], component, factor)
                )
        self.n_random, self.blocks = self.size, list(self.random)
        if route.shrunk:
            constant = np.array([self.n_columns - 1])
            self.blocks.append(self._block(constant, np.ones(len(route.S)), -1, 0))
        if self.size:
            lam = np.stack([block.loadings for block in self.blocks], axis=1)
            self._pairs = (lam[:, :, None] * lam[:, None, :]).reshape(len(lam), -1)
        self._grid = [(a, b) for a in self.blocks for b in self.blocks]

    def _block(self, columns, loadings, component, factor):
        start, self.size = self.size, self.size + len(columns)
        return Block(slice(start, self.size), columns, loadings, component, factor)

    def gather(self, M):
        """sum_t L_t' M_t L_t of a stack (T, c, c)."""
        c = self.n_columns
        sums = (self._pairs.T @ M.reshape(len(M), -1)).reshape(-1, c, c)
        out = np.empty((self.size, self.size))
        for (a, b), part in zip(self._grid, sums, strict=True):
            out[a.effects, b.effects] = part[np.ix_(a.columns, b.columns)]
        return out

    def scatter(self, C):
        """L_t C L_t' of each task, (T, c, c)."""
        c = self.n_columns
        parts = np.zeros((len(self._grid), c, c))
        for (a, b), part in zip(self._grid, parts, strict=True):
            part[np.ix_(a.columns, b.columns)] = C[a.effects, b.effects]
        return (self._pairs @ parts.reshape(len(parts), -1)).reshape(-1, c, c)

    def half(self, C, block):
        """Rows of C L_t' that belong to a block, (T, n_effects, c)."""
        return self.products(C[block.effects])

    def products(self, Z):
        """Z L_t' of each task for rows Z (k, size), (T, k, c)."""
        out = np.zeros((len(self._pairs), len(Z), self.n_columns))
        for block in self.blocks:
            out[:, :, block.columns] += block.loadings[:, None, None] * Z[:, block.effects]
        return out
