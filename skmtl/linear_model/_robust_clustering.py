"""MultiTaskRobustClustering: tasks in clusters of equal centroids, and tasks that are in none."""

from sklearn.base import BaseEstimator, RegressorMixin

from ..base import at_once
from ._base import LinearRegressorMixin
from ._clustering_mixin import RobustClusteringMixin


class MultiTaskRobustClustering(
    RobustClusteringMixin, LinearRegressorMixin, RegressorMixin, BaseEstimator
):
    """Linear regression of tasks that fall into clusters, some of which belong to none.

    The coefficients of a task are a centroid, an outlier part and a rest, w_t = u_t + o_t + r_t.
    Centroids of neighbouring tasks are fused: many become exactly equal, which makes the clusters.
    Outlier parts are exactly zero but for tasks that are far from their cluster; these neither
    draw its centroid nor, with a concave penalty, are drawn by it.

    Parameters
    ----------
    alpha : float in [0, inf), default=1.0
        Strength on the rest: how close a task stays to its centroid. 0: each task is fitted alone,
        and centroids are those of the limit, the means over connected tasks.
    alpha_fuse : float in [0, inf), default=1.0
        Strength on the differences between centroids, in units of y. 0: no fusion, least squares
        for each task.
    alpha_outlier : float in [0, inf), default=1.0
        Strength on the outlier parts, in units of y. alpha_outlier / alpha is the distance from its
        centroid, in units of the coefficients, from which a task is an outlier. 0: all are.
    penalty : {"mcp", "scad", "lasso", "none"}, default="mcp"
        Of the outlier parts. "mcp" and "scad" are concave: a task farther away than gamma
        alpha_outlier / alpha is fitted as if alone. "lasso" is convex, and bounds the pull of
        outliers without ending it. "none": no outlier parts, which is convex clustering.
    gamma : float, default=3.0
        Concavity, above 1 for "mcp" and 2 for "scad"; the larger, the closer to "lasso".
    n_neighbors : int, default=5
        Neighbours of each task, by the distance of ridge estimates, with which it may fuse: edges
        weigh 1 where both are neighbours of the other, 1/2 where one is. At most all other tasks,
        and better fewer than a cluster has tasks.
    weights : array-like or sparse matrix of shape (n_tasks, n_tasks), default=None
        Symmetric weights r_ij >= 0 of the edges between tasks, in the order of `tasks_`, in place
        of those of nearest neighbours. 0 means no edge; the diagonal is not read.
    init : {"outlier_first", "convex"}, default="outlier_first"
        Where a concave penalty has several solutions: "outlier_first" starts with the tasks as
        outliers that stand out of the consensus of their neighbours; "convex" starts from the
        solution with "lasso", which often has no outliers.
    fit_intercept : bool, default=True
        Whether to fit an intercept for each task, free and no part of the clustering.
    standardize : bool, default=False
        Whether the penalties apply to features in standard units, of mean 0 and standard deviation
        1 over the observed labels (without an intercept: of root mean square 1). Coefficients and
        predictions are in the units of X either way.
    task_weight : None, "balanced" or array-like of shape (n_tasks,), default=None
        Weight of each task's loss, in the order of `tasks_`, used normalised to mean 1 over
        labelled tasks. Losses are means over labels, so every task counts the same without it.
    task_column : str or int, default=None
        Name or position of the column of X that holds the task ids (long data). None: wide y.
    unknown_task : {"error", "shared"}, default="error"
        What predict does with an id that fit did not see: refuse it, or use `shared_coef_`.
    tol : float, default=1e-6
        Relative duality gap where the problem is convex (penalty "lasso" or "none"), else the
        first-order residual relative to the gradient at zero.
    max_iter : int, default=5000
        Most iterations.
    device : {"auto", "cpu", "cuda"}, default="auto"
        Where the sums over the labels of NumPy input are computed; arrays of other array-API
        libraries are summed where they lie. The iterations, whose size does not depend on the
        number of labels, run on the CPU.

    Attributes
    ----------
    labels_ : ndarray of int of shape (n_tasks,)
        Cluster of each task, from 0, the largest; -1 for outliers and tasks without labels.
    n_clusters_ : int
        Clusters of one task or more.
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
    centroids_ : ndarray of shape (n_tasks, n_features)
        The centroid u_t of each task, outliers included.
    outlier_coef_ : ndarray of shape (n_tasks, n_features)
        The outlier part o_t of each task.
    outlier_score_ : ndarray of shape (n_tasks,)
        Its norm, 0 for tasks that are no outliers.
    coef_ : ndarray of shape (n_tasks, n_features)
    intercept_ : ndarray of shape (n_tasks,)
    shared_coef_ : ndarray of shape (n_features,)
        Mean centroid of the tasks that are no outliers, for tasks without labels and unseen ones.
    specific_coef_ : ndarray of shape (n_tasks, n_features)
        ``coef_ - shared_coef_``.
    shared_intercept_ : ndarray of shape ()
        Mean, over the same tasks and at the mean of X, of the intercepts.
    objective_ : float
    duality_gap_ : float
        Bound on the excess of the objective over the least one, relative to the objective, or to
        1e-8 of that at zero coefficients where that is more; NaN where the problem is not convex.
    residual_ : float
        Norm of what is left of the first-order conditions, relative to the gradient at zero.
    task_weights_ : ndarray of shape (n_tasks,)
        Weights used, mean 1 over labelled tasks and 0 for the others.
    tasks_ : list
        Task ids, sorted, or column names of y.
    n_tasks_ : int
    n_iter_ : int
    n_features_in_ : int
        Columns of X, the task column included.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Where X has column names.
    mean_, scale_ : ndarray of shape (n_features,)
        What is subtracted from the features and what they are divided by, with
        ``standardize=True``: means and standard deviations; without an intercept 0 and root mean
        squares. A constant feature is divided by its size.

    See Also
    --------
    MultiTaskRobustClusteringCV : The same, with strengths chosen by cross-validation.
    skmtl.inspection.TaskClusterDisplay : Figures of the clusters.

    Notes
    -----
    The objective, with sample weights s (0 where a label is missing) of sum n_t in task t, and task
    weights omega:

    .. math::
        \\sum_t \\frac{\\omega_t}{2 n_t} \\sum_i s_{ti} (y_{ti} - x_i^T w_t - b_t)^2
        + \\frac{\\alpha}{2} \\sum_t \\|w_t - u_t - o_t\\|^2
        + \\alpha_{fuse} \\sum_{i<j} r_{ij} \\|u_i - u_j\\|
        + \\alpha \\sum_t P(\\|o_t\\|; \\alpha_{outlier} / \\alpha, \\gamma)

    Losses are means, as in :class:`sklearn.linear_model.MultiTaskLasso`. For "lasso" the last term
    is alpha_outlier sum_t ||o_t||, and no task is an outlier where alpha_outlier exceeds alpha_fuse
    times the largest sum of weights of a task. Nothing shrinks centroids towards zero: one task
    alone is least squares, of least norm where that is not unique. With
    ``standardize=True`` all of this is in standard units of the features; `centroids_` and the
    other coefficients are then given in those of X, `outlier_score_` is not.

    A concave P is replaced by its tangents, a convex problem that ADMM solves with one closed-form
    proximal step for each loss, until the tangents stay. The objective of the solution without
    outliers may be lower than that of the one with them, and predict worse: a lower objective is
    no reason to prefer `init="convex"`.

    References
    ----------
    .. [1] Okazaki, A. and Kawano, S. (2024). Multi-task learning regression via convex clustering
       and its robust extension. Statistics and Computing, arXiv:2404.03250.
    .. [2] Hocking, T., Joulin, A., Bach, F. and Vert, J.-P. (2011). Clusterpath: an algorithm for
       clustering using convex fusion penalties. ICML.

    Examples
    --------
    >>> from skmtl import MultiTaskRobustClustering
    >>> from skmtl.datasets import make_clustered_tasks
    >>> X, Y, cluster = make_clustered_tasks(n_tasks=12, n_outliers=2, random_state=0)
    >>> model = MultiTaskRobustClustering(alpha_outlier=4.0).fit(X, Y)
    >>> cluster
    array([ 0, -1,  0,  0,  1,  1,  1, -1,  2,  2,  2,  2])
    >>> model.labels_
    array([ 1, -1,  1,  1,  2,  2,  2, -1,  0,  0,  0,  0])
    >>> model.outlier_score_[[1, 2, 7]].round(1)
    array([19.6,  0. , 20.6])
    """

    def __init__(
        self,
        alpha=1.0,
        alpha_fuse=1.0,
        *,
        alpha_outlier=1.0,
        penalty="mcp",
        gamma=3.0,
        n_neighbors=5,
        weights=None,
        init="outlier_first",
        fit_intercept=True,
        standardize=False,
        task_weight=None,
        task_column=None,
        unknown_task="error",
        tol=1e-6,
        max_iter=5000,
        device="auto",
    ):
        self.alpha = alpha
        self.alpha_fuse = alpha_fuse
        self.alpha_outlier = alpha_outlier
        self.penalty = penalty
        self.gamma = gamma
        self.n_neighbors = n_neighbors
        self.weights = weights
        self.init = init
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.task_weight = task_weight
        self.task_column = task_column
        self.unknown_task = unknown_task
        self.tol = tol
        self.max_iter = max_iter
        self.device = device

    def fit(self, X, y, sample_weight=None):
        """Fit the coefficients of all tasks and find their clusters.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            With the task column if `task_column` is set.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            NaN in a 2-D y marks a label that was not observed.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), optional
            Frequencies: weight 2 is the row (or label) twice, weight 0 leaves it out.

        Returns
        -------
        self : MultiTaskRobustClustering

        Raises
        ------
        ValueError
            If a parameter, X, y or sample_weight is out of range or of the wrong shape.
        TypeError
            If a parameter is of the wrong type.
        """
        point = self._check_params()
        fit_input = self._validate_fit(X, y, sample_weight)
        problem = self._problem(fit_input)
        fit = self._solve(problem, *point)
        solution, centroids, parts = problem.in_units_of_X(fit)
        self._warn_neighbors(len(fit_input.labelled))
        self._warn_outliers(fit.is_outlier)
        self._warn_convergence(fit)
        with at_once(self) as model:
            model._record_solution(X, fit_input, solution)
            model._record_clusters(fit_input, solution.shared, centroids, parts, fit.labels)
            model._record_fit(fit)
        return self
