"""Penalties P(||w_t||) of whole tasks: what they share is the norms, and rows of other lengths."""

from .._backend import Array, namespace_of
from ._penalty import Penalty


def row_norms(W: Array) -> Array:
    """Euclidean norm of each row, of shape (n_rows,)."""
    xp = namespace_of(W)
    return xp.sqrt(xp.sum(W * W, axis=1))


def shrunk_rows(W: Array, norms: Array, lengths: Array) -> Array:
    """Rows of W in their directions with new lengths; zero where the length is."""
    xp = namespace_of(W)
    return W * (lengths / xp.where(norms > 0, norms, xp.ones_like(norms)))[:, None]


class TaskNormPenalty(Penalty):
    """sum_t P(||w_t||) for a concave P, from `_values`, `_slopes` and `_lengths` of norms."""

    rotation_invariant = True

    def value(self, W: Array) -> float:
        """Penalty of W, of shape (n_tasks, n_features)."""
        xp = namespace_of(W)
        return float(xp.sum(self._values(row_norms(W))))

    def slopes(self, W: Array) -> Array:
        """P'(||w_t||) of each task, that from the right at zero, of shape (n_tasks,)."""
        return self._slopes(row_norms(W))

    def prox(self, W: Array, step: float | Array) -> Array:
        """Minimiser over V of step * penalty(V) + ||V - W||^2 / 2, with rows exactly zero."""
        norms = row_norms(W)
        return shrunk_rows(W, norms, self._lengths(norms, step))
