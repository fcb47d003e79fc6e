"""One point of a clustering problem: convex fits between tangents, and what they are worth.

A concave penalty of the outlier parts is replaced by its tangents at the last ones, a convex
problem with a threshold for each task, until the tangents stay (majorise-minimise).
"""

from typing import Any, NamedTuple

import numpy as np

from ._admm import Fusion, fuse
from ._certificate import first_order_residual, objective, relative_gap
from ._dual import duality_gap

COARSEST = 1e-3  # residual of the first fits between tangents
FINEST = 1e-15  # residual below which there is rounding only
OUTLIER = -1  # label of tasks in no cluster


class Clustering(NamedTuple):
    """A fit, in the coordinates of its problem.

    Attributes
    ----------
    W, U, O : ndarray of shape (n_tasks, n_coordinates)
        Coefficients, centroids and outlier parts.
    component : ndarray of shape (n_tasks,)
        Number of the component of fused tasks that each is in.
    objective : float
    gap : float
        Duality gap relative to the objective, NaN where the problem is not convex.
    residual : float
        First-order residual.
    n_iter : int
    converged : bool
    state : State or None
        To start a neighbouring fit from.
    b : ndarray of shape (n_tasks,) or None
        Intercepts at the origin, where the losses are not quadratic.
    """

    W: np.ndarray
    U: np.ndarray
    O: np.ndarray  # noqa: E741
    component: np.ndarray
    objective: float
    gap: float
    residual: float
    n_iter: int
    converged: bool
    state: Any = None
    b: Any = None

    @property
    def is_outlier(self):
        """Whether each task has an outlier part."""
        return (self.O != 0).any(axis=1)

    @property
    def labels(self):
        """Cluster of each task, as `number_clusters` numbers them."""
        return number_clusters(self.component, self.is_outlier)


class Model:
    """One point of the grid: convex fits between tangents, and the certificate of what came out."""

    def __init__(self, losses, graph, penalty, alpha, alpha_fuse):
        self.losses, self.graph, self.penalty = losses, graph, penalty
        self.alpha, self.alpha_fuse = alpha, alpha_fuse
        self.is_convex = penalty is None or penalty.is_convex
        self.point = losses, graph, penalty, alpha, alpha_fuse

    def thresholds(self, P):
        """Slopes of the tangents at outlier parts P."""
        return np.full(len(P), np.inf) if self.penalty is None else self.penalty.slopes(P)

    def solve(self, state, thresholds, tol, max_iter):
        """Clustering from a State and the first thresholds."""
        n_iter, finest = 0, tol if self.is_convex else max(tol, COARSEST)
        while True:
            fusion = Fusion(self.losses, self.graph, thresholds, self.alpha, self.alpha_fuse)
            state = self._at_rest(state, thresholds)
            state, steps = fuse(fusion, state, tol=finest, max_iter=max_iter - n_iter)
            n_iter += steps
            fit = self._finish(state, thresholds, n_iter)
            certificate = fit.gap if self.is_convex else fit.residual
            if certificate <= tol:
                return fit._replace(converged=True)
            if n_iter == max_iter or finest < FINEST:
                return fit
            last, thresholds = thresholds, self.thresholds(fit.O)
            # tangents that still move need no more digits than they moved by
            moved = 0.0 if self.is_convex else np.abs(thresholds - last).max()
            moved /= last.max() or 1.0
            finest = min(finest, max(tol, moved / 10)) if moved > tol else min(finest, tol) / 10

    def _at_rest(self, state, thresholds):
        """The state with centroids equal where a whole component is free: no label moves them."""
        component = self.graph.connected
        anchored = np.bincount(component, thresholds > 0) > 0
        if anchored.all():
            return state
        rest, edges = ~anchored[component], ~anchored[component[self.graph.i]]
        U, delta, dual = state.U.copy(), state.delta.copy(), state.edge_dual.copy()
        U[rest] = component_means(component, U)[rest]
        delta[edges] = dual[edges] = 0.0
        mean = np.where(rest[:, None], U, state.mean)
        return state._replace(U=U, mean=mean, delta=delta, edge_dual=dual)

    def _finish(self, state, thresholds, n_iter):
        """Fused centroids made equal, coefficients exact for them, and what they are worth."""
        losses, graph, alpha = self.losses, self.graph, self.alpha
        component = graph.components((state.delta == 0).all(axis=1))
        U, O = component_means(component, state.U), state.P.copy()  # noqa: E741
        W = losses.prox(U + O, alpha)
        free, alone = thresholds == 0, graph.degree == 0
        if free.any():
            W[free] = losses.minimisers(U)[free]
            O[free] = (W - U)[free]
        if alone.any():
            W[alone] = losses.minimisers(np.zeros_like(U))[alone]
            U[alone], O[alone] = W[alone], 0.0
        value, gap = objective(*self.point, W, U, O), np.nan
        if self.is_convex:
            excess = duality_gap(
                losses, graph, thresholds, alpha, self.alpha_fuse, W, state.edge_dual, value
            )
            gap = relative_gap(losses, excess, value)
        residual = first_order_residual(*self.point, W, U, O, state.edge_dual)
        return Clustering(W, U, O, component, value, gap, residual, n_iter, False, state)


def number_clusters(component, outlier):
    """Cluster of each task, by decreasing size and then by first member; OUTLIER for outliers."""
    labels = np.full(len(component), OUTLIER)
    _, first, own, size = np.unique(
        component[~outlier], return_index=True, return_inverse=True, return_counts=True
    )
    rank = np.empty(len(size), dtype=np.intp)
    rank[np.lexsort((first, -size))] = np.arange(len(size))
    labels[~outlier] = rank[own]
    return labels


def component_means(component, U):
    """Rows of U replaced by the mean of their component."""
    sums = np.zeros((component.max() + 1, U.shape[1]))
    np.add.at(sums, component, U)
    return (sums / np.bincount(component)[:, None])[component]
