"""Lower bounds of a convex clustering objective, from dual points that are feasible exactly.

For edge duals f_e and their sums h_t = sum_e (+-) r_e f_e at the tasks, of which

    ||f_e|| <= b,   ||h_t|| <= a lam_t,   h_t in the range of the Hessian of L_t,

no value of the objective is below  sum_t min_w [L_t(w) + h_t'w] - ||h_t||^2 / (2a),  each minimum
attained, and so a conjugate in closed form.  Where a fit stops, sums of its duals need not be in
those ranges: they are moved there, in balance over each component, the edges take up the
difference, and all duals of a component shrink until the norms hold.
"""

import numpy as np
from sklearn.utils.extmath import row_norms

from .._backend import eigh_psd

SOFTEST = 1e-10  # curvature, relative to the largest, below which all count alike in a move


def duality_gap(losses, graph, thresholds, alpha, alpha_fuse, W, edge_dual, value):
    """A bound on how far `value`, the objective at a fit, lies above the least one.

    It is that of the better of two dual points, one from the duals of the edges and one from the
    gradients at W; no loss is below zero, and so no objective.
    """
    f, least = capped(edge_dual, alpha_fuse), 0.0
    sums = np.stack([graph.divergence(f), -losses.gradients(W)])
    for H in losses.feasible(sums, graph.connected):
        flows = f + graph.flows(H - graph.divergence(f))
        H = H * _shares(graph, thresholds, alpha, alpha_fuse, flows, H)[:, None]
        bound = losses.least_values(H).sum() - (H**2).sum() / (2 * alpha)
        least = max(least, float(bound))
    return value - least


def _shares(graph, thresholds, alpha, alpha_fuse, flows, H):
    """What each task's sum is multiplied with, so that all duals of its component are in bounds."""
    component, length = graph.connected, row_norms(H)
    bound = alpha * thresholds
    over = np.divide(length, bound, out=np.where(length > 0, np.inf, 0.0), where=bound > 0)
    worst = np.ones(component.max() + 1)
    np.maximum.at(worst, component, over)
    if len(flows):
        np.maximum.at(worst, component[graph.i], row_norms(flows) / alpha_fuse)
    return np.where(graph.degree > 0, 1 / worst[component], 0.0)  # a task alone has no dual


def capped(edge_dual, bound):
    """Duals of at most that length."""
    norms = row_norms(edge_dual)
    return (
        edge_dual * np.where(norms > bound, bound / np.where(norms > 0, norms, 1.0), 1.0)[:, None]
    )


def balanced(Q, s, A, component):
    """Tables near those of A, zero where s is, whose rows sum to zero over each component.

    Parameters
    ----------
    Q : ndarray of shape (n_tasks, n_coordinates, rank) or None
        Directions of the coordinates of each task's row, orthonormal; None: those of the space.
    s : ndarray of shape (n_tasks, rank)
        Curvatures along them: where they are large a move costs little.
    A : ndarray of shape (n_tables, n_tasks, rank)
    component : ndarray of shape (n_tasks,)

    Returns
    -------
    ndarray of shape (n_tables, n_tasks, rank)
    """
    has_others = np.bincount(component)[component] > 1
    A = np.where((s > 0) & has_others[:, None], A, 0.0)
    # lest rounding of the largest curvatures exceed the least ones
    D = np.where(s > 0, s + SOFTEST * s.max(initial=0.0), 0.0)
    for k in np.unique(component[has_others]):
        own = np.flatnonzero(component == k)
        move = _common_move(None if Q is None else Q[own], D[own])
        for table in A:
            table[own] -= move(table[own])
            table[own] -= move(table[own])  # what rounding left
    return A


def _common_move(Q, D):
    """Function from rows A to D_t Q_t' x, with the one x for which these sum to what A sums to."""
    if Q is None:
        total = D.sum(axis=0)
        share = np.divide(D, total, out=np.zeros_like(D), where=total > 0)
        return lambda A: share * A.sum(axis=0)
    roots = np.concatenate(list(Q * np.sqrt(D)[:, None, :]), axis=1)
    s, V = eigh_psd(roots @ roots.T)
    inverse = np.divide(1.0, s, out=np.zeros_like(s), where=s > 0)

    def move(A):
        rest = np.matmul(Q, A[:, :, None])[:, :, 0].sum(axis=0)
        return D * (V @ (inverse * (rest @ V)) @ Q)

    return move
