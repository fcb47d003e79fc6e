"""Smoothness over a graph of tasks: alpha/2 sum_{s<t} a_st ||w_s - w_t||^2 + ridge/2 sum ||w_t||^2.

As a quadratic form it is 1/2 tr(W' Omega W) with Omega = alpha L + ridge I, where L is the graph's
Laplacian, D - A for the diagonal D of the sums of the rows of A.
"""

from typing import Any

import numpy as np
from scipy.sparse import issparse

from .._backend import Array, namespace_of, place_of, to_place
from ._penalty import Penalty


class GraphLaplacian(Penalty):
    """Quadratic penalty on the differences of tasks that a graph joins.

    Parameters
    ----------
    graph : "complete", "chain" or array-like of shape (n_tasks, n_tasks), default="complete"
        Weights a_st >= 0 of the edges: symmetric, 0 where there is no edge, in the order of
        `tasks_`; neither the diagonal nor labels of a frame count. "complete": every pair has
        weight 1. "chain": each task is joined to the next one.
    alpha : float in [0, inf), default=1.0
        Strength on the differences.
    alpha_ridge : float in [0, inf), default=1.0
        Strength on the coefficients themselves. 0 leaves free what connected tasks have in common,
        which fewer rows than features do not determine.

    References
    ----------
    .. [1] Evgeniou, T., Micchelli, C. and Pontil, M. (2005). Learning multiple tasks with kernel
       methods. Journal of Machine Learning Research 6.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.penalties import GraphLaplacian
    >>> GraphLaplacian("chain", alpha=2.0, alpha_ridge=0.0).value(np.array([[0.0], [1.0], [3.0]]))
    5.0
    """

    strengths = ("alpha", "alpha_ridge")
    rotation_invariant = True
    separates_features = True

    def __init__(self, graph: Any = "complete", alpha: float = 1.0, alpha_ridge: float = 1.0):
        self.graph = graph
        self.alpha = alpha
        self.alpha_ridge = alpha_ridge

    def precision(self, n_tasks: int) -> np.ndarray:
        """Omega, of shape (n_tasks, n_tasks)."""
        A = self._adjacency(n_tasks)
        laplacian = np.diag(A.sum(axis=1)) - A
        return self.alpha * laplacian + self.alpha_ridge * np.eye(n_tasks)

    def value(self, W: Array) -> float:
        """Penalty of W, of shape (n_tasks, n_features)."""
        return half_square(self.precision(W.shape[0]), W)

    def of_labelled(self, labelled: np.ndarray, n_tasks: int) -> Penalty:
        """The same with the coefficients of tasks without labels at their best."""
        if len(labelled) == n_tasks:
            return self
        omega = self.precision(n_tasks)
        others = np.setdiff1d(np.arange(n_tasks), labelled)
        pull = omega[np.ix_(labelled, others)] @ self._means(omega, labelled, others)
        return _Precision(omega[np.ix_(labelled, labelled)] + (pull + pull.T) / 2)

    def of_others(self, W: Array, labelled: np.ndarray, n_tasks: int) -> Array:
        """The best coefficients of the tasks without labels: means over their neighbours."""
        others = np.setdiff1d(np.arange(n_tasks), labelled)
        M = self._means(self.precision(n_tasks), labelled, others)
        place = place_of(W)
        return to_place(M, place, str(W.dtype).rpartition(".")[2]) @ W

    @staticmethod
    def _means(omega: np.ndarray, labelled: np.ndarray, others: np.ndarray) -> np.ndarray:
        """M (n_others, n_labelled) such that M W minimises the penalty over the others."""
        among = omega[np.ix_(others, others)]
        # tasks that nothing ties to any other are zero
        return -np.linalg.pinv(among, hermitian=True) @ omega[np.ix_(others, labelled)]

    def _adjacency(self, n_tasks: int) -> np.ndarray:
        if isinstance(self.graph, str):
            if self.graph == "complete":
                return np.ones((n_tasks, n_tasks)) - np.eye(n_tasks)
            if self.graph == "chain":
                return np.eye(n_tasks, k=1) + np.eye(n_tasks, k=-1)
            raise ValueError(
                f"graph must be 'complete', 'chain' or an array of weights, got {self.graph!r}."
            )
        try:
            graph = self.graph.toarray() if issparse(self.graph) else self.graph
            A = np.array(graph, dtype=float)
        except (TypeError, ValueError) as error:
            raise ValueError(f"graph must be an array of real weights: {error}.") from error
        if A.shape != (n_tasks, n_tasks):
            raise ValueError(
                f"graph must have shape ({n_tasks}, {n_tasks}), a weight for each pair of tasks; "
                f"got {A.shape}."
            )
        if not (np.isfinite(A).all() and (A >= 0).all() and (A == A.T).all()):
            raise ValueError("graph must be symmetric, with finite weights that are not negative.")
        np.fill_diagonal(A, 0.0)
        return A


class _Precision(Penalty):
    """1/2 tr(W' Omega W) for a given Omega."""

    rotation_invariant = True
    separates_features = True
    strengths = ()

    def __init__(self, omega: np.ndarray):
        self.omega = omega

    def precision(self, n_tasks: int) -> np.ndarray:
        """Omega."""
        return self.omega

    def value(self, W: Array) -> float:
        """Penalty of W, of shape (n_tasks, n_features)."""
        return half_square(self.omega, W)


def half_square(omega: np.ndarray, W: Array) -> float:
    """1/2 tr(W' Omega W) for Omega on the host."""
    omega = to_place(omega, place_of(W), str(W.dtype).rpartition(".")[2])
    return 0.5 * float(namespace_of(W).sum(W * (omega @ W)))
