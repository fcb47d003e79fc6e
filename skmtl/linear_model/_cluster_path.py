"""The path of clusters over alpha_fuse, and the tree of their mergers as a scipy linkage."""

from typing import NamedTuple

import numpy as np
from sklearn.utils.extmath import row_norms

from .._checks import check_strengths

N_POINTS, SMALLEST = 20, 1e-3  # of the default path, from the largest alpha_fuse that matters
ROUGH = {"tol": 1e-3, "max_iter": 300}  # of fits that are only compared
ABOVE = 2.0  # height of what never merges, in units of the largest alpha_fuse


class ClusterPath(NamedTuple):
    """Clusters at each alpha_fuse, from the smallest to the largest.

    Attributes
    ----------
    alphas_fuse : ndarray of shape (n_points,)
    labels : ndarray of int of shape (n_points, n_tasks)
        Cluster of each task, from 0, the largest; -1 for outliers.
    centroids : ndarray of shape (n_points, n_tasks, n_features)
    outlier_score : ndarray of shape (n_points, n_tasks)
        Norms of the outlier parts.
    linkage : ndarray of shape (n_tasks - 1, 4)
        Merge tree in the format of :mod:`scipy.cluster.hierarchy`. Its heights are the alphas_fuse
        from which on tasks have been in one cluster, twice the largest for those that never were.
    tasks : list of length n_tasks
        Ids of the tasks, which are those with labels.
    """

    alphas_fuse: np.ndarray
    labels: np.ndarray
    centroids: np.ndarray
    outlier_score: np.ndarray
    linkage: np.ndarray
    tasks: list


class ClusterPathMixin:
    """cluster_path of estimators with `_path_point`, `_problem` and `_solve`."""

    def cluster_path(self, X, y, alphas_fuse=None, *, sample_weight=None):
        """Clusters over a path of alpha_fuse, the other strengths as they are.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            With the task column if `task_column` is set.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
        alphas_fuse : array-like of values in [0, inf), default=None
            None: 20 values down to a thousandth of the one at which all connected tasks are one
            cluster, with penalty "lasso" if it is concave.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), optional
            Frequencies.

        Returns
        -------
        ClusterPath
            With the merge tree as a scipy linkage. The estimator itself is left as it is.

        Raises
        ------
        ValueError, TypeError
            If a parameter, X, y, alphas_fuse or sample_weight is out of range.
        """
        alpha, alpha_outlier = self._path_point()
        if alphas_fuse is not None:
            alphas_fuse = check_strengths("alphas_fuse", alphas_fuse, zero=True)
            if np.isinf(alphas_fuse).any():
                raise ValueError("alphas_fuse must be in [0, inf), got inf.")
        fit_input = self._clustering_input(X, y, sample_weight)
        problem = self._problem(fit_input)
        if alphas_fuse is None:
            largest = self._largest_fuse(problem, alpha, alpha_outlier)
            alphas_fuse = largest * np.geomspace(SMALLEST, 1.0, N_POINTS)
        alphas_fuse, fits, state = np.unique(alphas_fuse), [], None
        for alpha_fuse in alphas_fuse:
            fits.append(self._solve(problem, alpha, alpha_fuse, alpha_outlier, state))
            state = fits[-1].state
        self._warn_convergence(max(fits, key=lambda fit: (not fit.converged, fit.residual)))
        labels = np.array([fit.labels for fit in fits])
        found = [problem.in_units_of_X(fit) for fit in fits]
        return ClusterPath(
            alphas_fuse=alphas_fuse,
            labels=labels,
            centroids=fit_input.units.coefficients(np.array([U for _, U, _ in found])),
            outlier_score=np.array([row_norms(fit.O) for fit in fits]),
            linkage=merge_tree(alphas_fuse, labels),
            tasks=[fit_input.tasks[t] for t in fit_input.labelled],
        )

    def _clustering_input(self, X, y, sample_weight):
        """FitInput of the tasks that a model is fitted to."""
        return self._validate_fit(X, y, sample_weight)

    def _largest_fuse(self, problem, alpha, alpha_outlier):
        """An alpha_fuse at which all connected tasks are one cluster, of a convex problem.

        With a concave penalty most tasks may be outliers there, and what pulls at the edges then
        says nothing of where clusters merge.
        """
        penalty = self._outlier_penalty(
            "none" if self.penalty == "none" else "lasso", alpha, alpha_outlier
        )
        fuse = problem.fusing_strength()
        return problem.strength_used(problem.solve(penalty, alpha=alpha, alpha_fuse=fuse, **ROUGH))


def merge_tree(alphas_fuse, labels):
    """Linkage (n_tasks - 1, 4) of clusters (n_points, n_tasks) at ascending alphas_fuse.

    A merger is kept where tasks part again further on.
    """
    n_tasks = labels.shape[1]
    node = np.arange(n_tasks)  # of the tree that a task is in
    links = []

    def merge(a, b, height):
        own, new = (node == a) | (node == b), n_tasks + len(links)
        node[own] = new
        links.append([min(a, b), max(a, b), height, own.sum()])
        return new

    def join(tasks, height):
        tops = list(dict.fromkeys(node[tasks].tolist()))
        while len(tops) > 1:  # in pairs: a branch as long as its tasks are many is too deep to draw
            pairs = zip(tops[::2], tops[1::2], strict=False)
            tops = [merge(a, b, height) for a, b in pairs] + tops[len(tops) // 2 * 2 :]

    for alpha_fuse, clusters in zip(alphas_fuse, labels, strict=True):
        for k in range(clusters.max() + 1):
            join(np.flatnonzero(clusters == k), alpha_fuse)
    join(np.arange(n_tasks), ABOVE * alphas_fuse.max() or 1.0)
    return np.array(links, dtype=np.float64).reshape(-1, 4)
