"""Graph of tasks: edges i < j of weight r_ij > 0, each pair once; fusion acts along them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array, issparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu
from sklearn.neighbors import kneighbors_graph

SYMMETRIC = 1e-10  # difference to the transpose, relative to the largest weight, that is rounding


@dataclass(frozen=True, eq=False)
class TaskGraph:
    """Edges (i, j) with weights r, each of shape (n_edges,)."""

    n_tasks: int
    i: np.ndarray
    j: np.ndarray
    r: np.ndarray

    @cached_property
    def degree(self):
        """Sum of the weights of each task's edges."""
        return np.bincount(self.i, self.r, self.n_tasks) + np.bincount(self.j, self.r, self.n_tasks)

    @cached_property
    def adjacency(self):
        """Weights as a symmetric csr_array."""
        i, j = np.concatenate([self.i, self.j]), np.concatenate([self.j, self.i])
        weights = np.concatenate([self.r, self.r])
        return csr_array((weights, (i, j)), shape=(self.n_tasks, self.n_tasks))

    @cached_property
    def _incidence(self):
        """r_e at row i and -r_e at row j of column e."""
        e = np.arange(len(self.r))
        values = np.concatenate([self.r, -self.r])
        at = np.concatenate([self.i, self.j]), np.concatenate([e, e])
        return csr_array((values, at), shape=(self.n_tasks, len(e)))

    def differences(self, U):
        """u_i - u_j of each edge, of shape (n_edges, n_features)."""
        return U[self.i] - U[self.j]

    def divergence(self, F):
        """sum_e r_e (+-) f_e over the edges of each task: the transpose of `differences`."""
        return self._incidence @ F

    def flows(self, H):
        """Vectors of the edges, of least norm in weights r, whose divergence is H.

        Rows of H sum to zero over each component.
        """
        tasks, laplacian = self._grounded
        Y = np.zeros_like(H)
        if tasks.size:
            Y[tasks] = laplacian.solve(H[tasks])
        return self.differences(Y)

    @cached_property
    def _grounded(self):
        """All tasks but one of each component, and the Laplacian between them, factorised."""
        grounds = np.unique(self.connected, return_index=True)[1]
        tasks = np.setdiff1d(np.arange(self.n_tasks), grounds)
        laplacian = diags_array(self.degree, dtype=np.float64) - self.adjacency
        return tasks, splu(laplacian.tocsc()[tasks][:, tasks]) if tasks.size else None

    @cached_property
    def connected(self):
        """Number of each task's component of the graph."""
        return self.components(np.ones(len(self.r), dtype=bool))

    def components(self, kept):
        """Number of each task's component of the graph of the edges `kept`."""
        i, j = self.i[kept], self.j[kept]
        joined = coo_array((np.ones(len(i)), (i, j)), shape=(self.n_tasks, self.n_tasks))
        return connected_components(joined, directed=False)[1]

    def select(self, tasks):
        """The graph between some of the tasks, renumbered in their order."""
        number = np.full(self.n_tasks, -1)
        number[tasks] = np.arange(len(tasks))
        i, j = number[self.i], number[self.j]
        kept = (i >= 0) & (j >= 0)
        return TaskGraph(len(tasks), i[kept], j[kept], self.r[kept])


def no_edges(n_tasks):
    """Graph of tasks of which each is alone."""
    return task_graph(csr_array((n_tasks, n_tasks)))


def nearest_tasks(B, n_neighbors):
    """Graph of k nearest tasks: r_ij = 1 where both are among the other's, 1/2 where one is."""
    T = len(B)
    k = min(n_neighbors, T - 1)
    if k == 0:
        return no_edges(T)
    near = kneighbors_graph(B, k, mode="connectivity", include_self=False)
    return task_graph(csr_array(near + near.T) / 2)


def task_graph(weights):
    """Graph of a symmetric matrix of weights, of which the upper triangle is read."""
    upper = coo_array(weights)
    row, col = upper.coords
    kept = (row < col) & (upper.data > 0)
    i, j, r = row[kept].astype(np.intp), col[kept].astype(np.intp), upper.data[kept]
    order = np.lexsort((j, i))
    return TaskGraph(upper.shape[0], i[order], j[order], r[order].astype(np.float64))


def check_graph(weights, n_tasks):
    """TaskGraph of weights that a user gave, a dense or sparse matrix.

    Parameters
    ----------
    weights : array-like or sparse matrix of shape (n_tasks, n_tasks)
        Symmetric, finite and not negative; the diagonal is not read.
    n_tasks : int

    Raises
    ------
    ValueError
        If they are not such.
    TypeError
        If they are no numbers.

    Examples
    --------
    >>> from skmtl.clustering import check_graph
    >>> graph = check_graph([[0, 1, 0], [1, 0, 2], [0, 2, 0]], 3)
    >>> graph.i, graph.j, graph.r
    (array([0, 1]), array([1, 2]), array([1., 2.]))
    """
    if np.iscomplexobj(weights):
        raise TypeError("weights must be real, got complex numbers.")
    try:
        matrix = weights if issparse(weights) else np.asarray(weights, dtype=np.float64)
        matrix = csr_array(matrix).astype(np.float64) if matrix.ndim == 2 else matrix
    except (TypeError, ValueError) as error:
        raise TypeError(f"weights must be a matrix of numbers, got {weights!r}.") from error
    if matrix.shape != (n_tasks, n_tasks):
        raise ValueError(
            f"weights must be of shape (n_tasks, n_tasks) = {(n_tasks, n_tasks)}, got "
            f"{matrix.shape}."
        )
    bad = ~np.isfinite(matrix.data) | (matrix.data < 0)
    if bad.any():
        raise ValueError(f"weights must be finite and not negative, got {matrix.data[bad][0]}.")
    scale = matrix.data.max(initial=0.0)
    if abs(matrix - matrix.T).max() > SYMMETRIC * scale:
        raise ValueError("weights must be symmetric; pass (weights + weights.T) / 2.")
    return task_graph(matrix)
