"""Convex fusion by ADMM, every step in closed form and one proximal step of each task's loss.

    sum_t L_t(w_t) + a/2 ||w_t - u_t - o_t||^2 + a lam_t ||o_t|| + b sum_e r_e ||u_i - u_j||

Each edge holds copies of its two ends and each task one of o_t, so that tasks part: given the
copies, u_t and o_t are minimised out of a sum of squares and leave a proximal step of L_t of
strength kappa_t, 1/kappa_t = 1/a + 1/(rho d_t) + 1/tau.  Duals of the two copies of an edge are
opposite, so one is kept, and of the copies their mean and their difference delta_e, which is
shrunk and exactly zero where tasks fuse.  lam_t = 0 frees a task: it is fitted without a penalty.
"""

from typing import NamedTuple

import numpy as np
from sklearn.utils.extmath import row_norms

RELAX = 1.6  # over-relaxation
CHECK = 5  # iterations between looks at the residuals
BALANCE, GROWTH = 10, 1.3  # iteration of the first change of rho, and ratio to the next
UNBALANCED, FACTOR = 3.0, 2.0  # ratio of the residuals from which rho changes, and by how much


class State(NamedTuple):
    """Centroids U, outlier parts O, their copies (mean, delta; P), duals and their rates."""

    U: np.ndarray
    O: np.ndarray  # noqa: E741
    mean: np.ndarray
    delta: np.ndarray
    P: np.ndarray
    edge_dual: np.ndarray
    outlier_dual: np.ndarray
    rho: float
    tau: float


def first_state(losses, graph, U, P, alpha):
    """State of centroids U and outlier parts P, both of shape (n_tasks, n_coordinates)."""
    curvature = losses.curvature * alpha / (losses.curvature + alpha)
    rho = curvature / graph.degree.mean() if len(graph.r) else 1.0
    delta, mean = graph.differences(U), edge_means(graph, U)
    return State(U, P, mean, delta, P, np.zeros_like(delta), np.zeros_like(P), rho, alpha)


def fuse(fusion, state, *, tol, max_iter):
    """(State, n_iter) at the minimum of a Fusion, or after `max_iter` iterations."""
    next_balance = BALANCE
    for n_iter in range(1, max_iter + 1):
        last, state = state, fusion.step(state)
        if n_iter % CHECK and n_iter < max_iter:
            continue
        residuals = fusion.residuals(last, state)
        if np.max(residuals) <= tol:
            break
        if n_iter >= next_balance:
            # ever more rarely: steps that change for ever need not converge
            next_balance = max(n_iter + BALANCE, GROWTH * n_iter)
            of_edges, of_parts = (balance(*pair, tol) for pair in residuals)
            state = state._replace(rho=state.rho * of_edges, tau=state.tau * of_parts)
    return state, n_iter


def balance(primal, change, tol):
    """Factor of a rate that brings the primal and the dual residual closer."""
    if max(primal, change) <= tol:
        return 1.0
    if primal > UNBALANCED * change:
        return FACTOR
    return 1 / FACTOR if change > UNBALANCED * primal else 1.0


class Fusion:
    """The convex problem.

    Parameters
    ----------
    losses : object with prox, scale
    graph : TaskGraph
    thresholds : ndarray of shape (n_tasks,)
        lam_t in [0, inf]; infinite: no outlier part.
    alpha, alpha_fuse : float
    """

    def __init__(self, losses, graph, thresholds, alpha, alpha_fuse):
        self.losses, self.graph = losses, graph
        self.alpha, self.alpha_fuse = alpha, alpha_fuse
        # a task without an edge is free, and its centroid rests
        self.degree = np.where(graph.degree > 0, graph.degree, 1.0)[:, None]
        self.free = (thresholds == 0) | (graph.degree == 0)
        self.thresholds = np.where(self.free, 0.0, thresholds)
        self.has_parts = bool(np.isfinite(thresholds).any())

    def step(self, state):
        """The next State."""
        graph, d, rho, tau = self.graph, self.degree, state.rho, state.tau
        # 1. targets of the centroids and outlier parts, and the losses about their sum
        A = state.mean + graph.divergence(state.delta / 2 - state.edge_dual / rho) / d
        B = state.P - state.outlier_dual / tau if self.has_parts else 0.0
        stiffness = 1 / self.alpha + 1 / (rho * d[:, 0]) + (1 / tau if self.has_parts else 0.0)
        kappa = np.where(self.free, 0.0, 1 / stiffness)
        force = kappa[:, None] * (self.losses.prox(A + B, kappa) - A - B)
        U = A + force / (rho * d)
        # 2. copies of edges: differences of the ends shrunk, means kept
        D = RELAX * graph.differences(U) + (1 - RELAX) * state.delta
        delta = shrink(D + (2 / rho) * state.edge_dual, 2 * self.alpha_fuse / rho)
        mean = RELAX * edge_means(graph, U) + (1 - RELAX) * state.mean
        dual = state.edge_dual + (rho / 2) * (D - delta)
        if not self.has_parts:
            return state._replace(U=U, mean=mean, delta=delta, edge_dual=dual)
        # 3. copies of outlier parts, shrunk
        O = B + force / tau  # noqa: E741
        O_relaxed = RELAX * O + (1 - RELAX) * state.P
        P = shrink(O_relaxed + state.outlier_dual / tau, (self.alpha / tau) * self.thresholds)
        pull = state.outlier_dual + tau * (O_relaxed - P)
        return State(U, O, mean, delta, P, dual, pull, rho, tau)

    def residuals(self, last, state):
        """(primal, dual) of the edges and of the outlier parts.

        Primal residuals are relative to the centroids, dual ones to the gradient at zero.
        """
        graph, unit = self.graph, self.losses.scale or 1.0
        apart = ((graph.differences(state.U) - state.delta) ** 2).sum(axis=1)
        size = np.sqrt(graph.degree @ (state.U**2).sum(axis=1)) or 1.0
        moved = graph.divergence((state.delta - last.delta) / 2)
        moved += self.degree * (state.mean - last.mean)
        of_edges = np.sqrt(graph.r @ apart / 2) / size, state.rho * np.linalg.norm(moved) / unit
        if not self.has_parts:
            return of_edges, (0.0, 0.0)
        size = np.linalg.norm(state.U) or 1.0
        moved = state.tau * np.linalg.norm(state.P - last.P)
        return of_edges, (np.linalg.norm(state.O - state.P) / size, moved / unit)


def shrink(Z, threshold):
    """Rows of Z shortened by the threshold, exactly zero if not longer."""
    norms = row_norms(Z)
    longer = norms > threshold
    part = threshold[longer] if np.ndim(threshold) else threshold
    factor = np.zeros(len(Z))
    factor[longer] = 1 - part / norms[longer]
    return Z * factor[:, None]


def edge_means(graph, U):
    """Weighted mean over the edges of each task of the means of their ends."""
    d = np.where(graph.degree > 0, graph.degree, 1.0)[:, None]
    return (U + graph.adjacency @ U / d) / 2
