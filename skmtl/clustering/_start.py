"""Where robust clustering starts: centroids by consensus of neighbours, outlier parts beyond it."""

import numpy as np
from scipy.sparse import csr_array
from sklearn.utils.extmath import row_norms

STEPS = 20  # of Weiszfeld's iteration, of which a start needs no digits
FLOOR = 1e-6  # distance, relative to the estimates, below which it counts no more


def consensus(graph, B):
    """Geometric median of each task's estimate and those of its neighbours, in weights r.

    A task itself counts as one neighbour of mean weight. Rows (n_tasks, n_coordinates).
    """
    T = graph.n_tasks
    tasks = np.arange(T)
    neighbours = np.bincount(graph.i, minlength=T) + np.bincount(graph.j, minlength=T)
    own = np.where(neighbours > 0, graph.degree / np.maximum(neighbours, 1), 1.0)
    at = np.concatenate([graph.i, graph.j, tasks])
    of = np.concatenate([graph.j, graph.i, tasks])
    r = np.concatenate([graph.r, graph.r, own])
    floor = FLOOR * row_norms(B).max() or 1.0
    U = _weighted_means(r, at, of, B)
    for _ in range(STEPS):
        distance = row_norms(U[at] - B[of])
        U = _weighted_means(r / np.maximum(distance, floor), at, of, B)
    return U


def _weighted_means(r, at, of, B):
    K = csr_array((r, (at, of)), shape=(len(B), len(B)))
    return (K @ B) / np.bincount(at, r, len(B))[:, None]
