"""Robust clustering of tasks: w_t = u_t + o_t + rest, centroids u_t fused, outlier parts o_t few.

The problem of one data set at any point of a grid: losses factorised once, a graph of neighbouring
tasks, and where fits start.  With a concave penalty the first tangents choose the basin: those at
the outlier parts that stand out of the consensus of the neighbours, or those at zero, convex.
"""

from functools import cached_property

import numpy as np
from sklearn.utils.extmath import row_norms

from .._backend import few_threads
from ..solvers import Solution
from ._admm import first_state
from ._graph import nearest_tasks, no_edges
from ._losses import quadratic_losses
from ._model import Model, component_means
from ._newton import newton
from ._smooth import SmoothLosses
from ._start import consensus

INITS = ("outlier_first", "convex")
FAR = 3.0  # robust standard deviations above the median that are far
TO_DEVIATION = 1.4826  # from the median deviation of normal numbers to the standard one


class ClusteringProblem:
    """sum_t L_t(w_t) + a/2 ||w_t - u_t - o_t||^2 + b sum r_ij ||u_i - u_j|| + a sum_t P(||o_t||).

    Parameters
    ----------
    data : TaskData
    loss : object
        Quadratic, or with value, gradient, curvature and conjugate: then fits go by Newton's
        quadratics, the first of them at no coefficients.
    omega : ndarray of shape (n_tasks,)
        Positive weights of the tasks.
    fit_intercept : bool
    n_neighbors : int
        Neighbours of each task, of the initial estimates.
    graph : TaskGraph, optional
        In place of the nearest tasks.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl._data import wide_data
    >>> from skmtl.losses import SquaredError
    >>> from skmtl.clustering import ClusteringProblem
    >>> data, _ = wide_data(np.array([[1.0], [-1.0]]), np.array([[1.0, 2.0], [-1.0, -2.0]]))
    >>> problem = ClusteringProblem(data, SquaredError(), np.ones(2), fit_intercept=False)
    >>> problem.solve(None, alpha=1.0, alpha_fuse=10.0).W
    array([[1.25],
           [1.75]])
    """

    def __init__(self, data, loss, omega, *, fit_intercept, n_neighbors=5, graph=None):
        if not hasattr(loss, "is_quadratic"):
            raise TypeError(f"clustering needs a loss that says is_quadratic, got {loss!r}.")
        self.smooth = None
        if loss.is_quadratic:
            self.losses = quadratic_losses(data, omega, fit_intercept=fit_intercept)
        else:
            self.smooth = SmoothLosses(data, loss, omega, fit_intercept=fit_intercept)
            self.losses = self.smooth.start.quadratics()
        self._neighbors, self._given = n_neighbors, graph

    @cached_property
    def estimates(self):
        """Initial estimates: a ridge for each task, of one strength."""
        return self.losses.estimates()

    @cached_property
    def graph(self):
        """TaskGraph along which centroids fuse."""
        return (
            nearest_tasks(self.estimates, self._neighbors) if self._given is None else self._given
        )

    @cached_property
    def consensus(self):
        """Centroids before any fusion, and what sets the tasks apart from them."""
        U = consensus(self.graph, self.estimates)
        return U, self.losses.estimates(U) - U

    @cached_property
    def far_distance(self):
        """Three robust standard deviations above the median distance of a task from the consensus.

        The distance is that of its ridge estimate.
        """
        distance = row_norms(self.consensus[1])
        middle = np.median(distance)
        spread = TO_DEVIATION * np.median(np.abs(distance - middle))
        return float(middle + FAR * spread) or 1.0

    def solve(
        self,
        penalty,
        *,
        alpha,
        alpha_fuse,
        init="outlier_first",
        tol=1e-6,
        max_iter=1000,
        state=None,
    ):
        """Fit at one point.

        Parameters
        ----------
        penalty : object with value, slopes, prox and is_convex, or None
            Of the outlier parts, in units of alpha; None: no outlier part.
        alpha, alpha_fuse : float
        init : {"outlier_first", "convex"}
        tol : float
            Of the relative duality gap of convex problems, of the first-order residual of others.
        max_iter : int
        state : State, optional
            Of another fit, to save iterations; it does not change what is found.

        Returns
        -------
        Clustering
        """
        with few_threads(self.losses.n_coordinates):
            if alpha == 0:
                return self._solve_uncoupled(alpha_fuse, tol, max_iter)
            graph = self.graph if alpha_fuse > 0 else no_edges(self.losses.n_tasks)
            model = Model(self.losses, graph, penalty, alpha, alpha_fuse)
            U, Z = self.consensus
            stands_out = penalty is not None and init == "outlier_first"
            P = penalty.prox(Z, 1.0) if stands_out else np.zeros_like(Z)
            if state is None or len(state.delta) != len(graph.r):
                state = first_state(self.losses, graph, U, P, alpha)
            if self.smooth is not None:
                return newton(self.smooth, model, state, P, tol, max_iter)
            return model.solve(state, model.thresholds(P), tol, max_iter)

    def _solve_uncoupled(self, alpha_fuse, tol, max_iter):
        """The limit of a small alpha: each task alone, centroids fused as far as the graph goes."""
        losses, T = self.losses, self.losses.n_tasks
        zero, nobody = np.zeros((T, losses.n_coordinates)), no_edges(T)
        state = first_state(losses, nobody, zero, zero, 1.0)
        model = Model(losses, nobody, None, 1.0, 0.0)
        if self.smooth is None:
            fit = model.solve(state, model.thresholds(zero), tol, max_iter)
        else:
            fit = newton(self.smooth, model, state, zero, tol, max_iter)
        component = self.graph.connected if alpha_fuse > 0 else np.arange(T)
        return fit._replace(U=component_means(component, fit.W), component=component, state=None)

    def fusing_strength(self):
        """An alpha_fuse at which all connected tasks are one, far above the least such."""
        if not len(self.graph.r):
            return 1.0
        pulls = row_norms(self.losses.gradients(self.consensus[0]))
        return float(10 * pulls.sum() / self.graph.r.min()) or 1.0

    def strength_used(self, fit):
        """The least alpha_fuse that the edge duals of a fit allow."""
        if fit.state is None or not len(fit.state.edge_dual):
            return 1.0
        return float(row_norms(fit.state.edge_dual).max()) or 1.0

    def in_units_of_X(self, fit):
        """Solution of a Clustering, and its centroids and outlier parts in units of X.

        The shared part is the mean over the tasks without an outlier part (all, if each has one).
        """
        losses = self.losses
        inside = ~fit.is_outlier
        inside = inside if inside.any() else ~inside
        W, U, O = map(losses.coefficients, (fit.W, fit.U, fit.O))  # noqa: E741
        shared = U[inside].mean(axis=0)
        levels = losses.levels(fit.W) if fit.b is None else fit.b
        solution = Solution(
            W=W,
            b=levels - W @ losses.origin,
            shared=shared,
            shared_intercept=np.asarray(levels[inside].mean() - shared @ losses.origin),
            origin=losses.origin,
            n_iter=fit.n_iter,
            residual=fit.residual,
            converged=fit.converged,
        )
        return solution, U, O
