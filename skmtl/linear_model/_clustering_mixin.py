"""What robust clustering of regressors and classifiers shares: parameters, fits, attributes."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.extmath import row_norms

from .. import _backend
from .._checks import check_count, check_flag, check_option, check_strength
from ..clustering import INITS, OUTLIER, ClusteringProblem, check_graph
from ..losses import LOSSES
from ..penalties import PENALTIES
from ._cluster_path import ClusterPathMixin

OUTLIER_PENALTIES = {"mcp": "task_mcp", "scad": "task_scad", "lasso": "task_lasso", "none": None}
LEAST_GAMMA = {"scad": 2.0}  # 1 for the others
FEW_NEIGHBORS = 5  # the default, which fewer tasks clip without a word: nobody asked for it


class RobustClusteringMixin(ClusterPathMixin):
    """Parameters of robust clustering, and fitted attributes from a Clustering."""

    _loss = "squared_error"

    def _check_clustering_params(self):
        """Check the parameters that the model and its search have in common."""
        check_option("penalty", self.penalty, OUTLIER_PENALTIES)
        least = LEAST_GAMMA.get(self.penalty, 1.0)
        check_strength("gamma", self.gamma, infinite=False)
        if self.gamma <= least:
            raise ValueError(
                f"gamma must be in ({least:g}, inf) for penalty={self.penalty!r}, got "
                f"{self.gamma!r}."
            )
        check_count("n_neighbors", self.n_neighbors)
        check_option("init", self.init, INITS)
        check_flag("fit_intercept", self.fit_intercept)
        check_strength("tol", self.tol, zero=True, infinite=False)
        check_count("max_iter", self.max_iter)

    def _problem(self, fit_input, tasks=None):
        """ClusteringProblem of validated data; `tasks`: of all data, if these are a part of it."""
        graph = None
        if self.weights is not None:
            tasks = fit_input.tasks if tasks is None else tasks
            number = {task: t for t, task in enumerate(tasks)}
            own = np.array([number[fit_input.tasks[t]] for t in fit_input.labelled])
            graph = check_graph(self.weights, len(tasks)).select(own)
        return ClusteringProblem(
            fit_input.data,
            LOSSES[self._loss],
            fit_input.omega,
            fit_intercept=self.fit_intercept,
            n_neighbors=self.n_neighbors,
            graph=graph,
        )

    def _solve(
        self, problem, alpha, alpha_fuse, alpha_outlier, state=None, tol=None, max_iter=None
    ):
        """Clustering at one point."""
        return problem.solve(
            self._outlier_penalty(self.penalty, alpha, alpha_outlier),
            alpha=alpha,
            alpha_fuse=alpha_fuse,
            init=self.init,
            tol=self.tol if tol is None else tol,
            max_iter=self.max_iter if max_iter is None else max_iter,
            state=state,
        )

    def _outlier_penalty(self, name, alpha, alpha_outlier):
        """Penalty of the outlier parts in units of alpha, None where there are none."""
        name = OUTLIER_PENALTIES[name]
        if name is None or alpha == 0:
            return None
        penalty = PENALTIES[name](alpha=alpha_outlier / alpha)
        if "gamma" in penalty.get_params():
            penalty.set_params(gamma=self.gamma)
        return penalty

    def _record_clusters(self, fit_input, shared, centroids, parts, own):
        """Set the attributes that tell of clusters and outliers; `own`: labels of fitted tasks."""
        T, labelled = len(fit_input.tasks), fit_input.labelled
        labels = np.full(T, OUTLIER)
        labels[labelled] = own
        U, O = np.tile(shared, (T, 1)), np.zeros((T, len(shared)))  # noqa: E741
        U[labelled], O[labelled] = centroids, parts
        to_input, units = fit_input.to_input_namespace, fit_input.units
        self.labels_ = _backend.to_place(labels, fit_input.origin)
        self.n_clusters_ = int(labels.max() + 1)
        firsts = [int(np.argmax(labels == k)) for k in range(self.n_clusters_)]
        U = units.coefficients(U)
        self.centroids_, self.outlier_coef_ = to_input(U), to_input(units.coefficients(O))
        self.cluster_centers_ = to_input(U[firsts])
        self.outlier_score_ = to_input(row_norms(O))

    def _record_fit(self, fit):
        """Set the attributes that tell how the fit went."""
        self.objective_, self.duality_gap_ = fit.objective, fit.gap
        self.residual_, self.n_iter_ = fit.residual, fit.n_iter

    def _warn_convergence(self, fit):
        if not fit.converged:
            gap = "" if np.isnan(fit.gap) else f" and a relative duality gap of {fit.gap:.1e}"
            warnings.warn(
                f"the fit stopped after {fit.n_iter} iterations at a first-order residual of "
                f"{fit.residual:.1e}{gap}, tol={self.tol}; raise max_iter or tol, or standardise "
                "the features.",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _warn_outliers(self, is_outlier):
        """One warning where more than half of the tasks are outliers."""
        n, n_tasks = int(is_outlier.sum()), len(is_outlier)
        if 2 * n > n_tasks:
            warnings.warn(
                f"{n} of {n_tasks} tasks are outliers, so clusters say little of them; raise "
                "alpha_outlier.",
                UserWarning,
                stacklevel=3,
            )

    def _warn_neighbors(self, n_tasks):
        if self.weights is None and self.n_neighbors >= max(n_tasks, FEW_NEIGHBORS + 1):
            warnings.warn(
                f"n_neighbors={self.n_neighbors} is clipped to {n_tasks - 1}, the number of other "
                "tasks with labels.",
                UserWarning,
                stacklevel=3,
            )

    def _path_point(self):
        alpha, _, alpha_outlier = self._check_params()
        return alpha, alpha_outlier

    def _check_params(self):
        """Check every parameter and return (alpha, alpha_fuse, alpha_outlier)."""
        self._check_clustering_params()
        return tuple(
            check_strength(name, getattr(self, name), zero=True, infinite=False)
            for name in ("alpha", "alpha_fuse", "alpha_outlier")
        )
