"""MultiTaskRobustClustering with strengths chosen by cross-validation, and clusters by a rule.

Two choices are made, since they differ: the strengths that predict best, which often fuse little
or nothing, and those whose clusters last.
"""

from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from .._checks import check_flag, check_option, check_strengths
from ..base import at_once
from ..clustering import OUTLIER
from ._base import LinearRegressorMixin
from ._cluster_path import ROUGH
from ._cluster_rules import CLUSTER_RULES, choose_clusters, stability_of
from ._clustering_mixin import RobustClusteringMixin
from ._folds import FoldsMixin
from ._held_out_squares import HeldOutSquares
from ._robust_clustering import MultiTaskRobustClustering
from ._selection import first_least

NAMES = ("alpha", "alpha_fuse", "alpha_outlier")
CONVEX = ("lasso", "none")  # one solution, wherever a fit starts
REST = np.array([1.0, 0.1])  # default alphas, in mean curvatures of the losses
FUSE = np.geomspace(1.0, 1e-3, 8)  # default alphas_fuse, in the one that makes one cluster
DISTANCE = np.array([1.0, 0.5])  # default alphas_outlier / alpha, in far distances of tasks


class Fold(NamedTuple):
    """What the fits without a part of the rows tell.

    Attributes
    ----------
    tasks : ndarray of shape (n_fitted,)
        Numbers of the fitted tasks.
    labels : ndarray of shape (n_points, n_fitted)
        Their clusters at each point of the grid.
    scores : ndarray of shape (n_points,)
        Sums of squared errors of the labels held out, or scores.
    weight : float
        Sum of the weights of the labels held out.
    """

    tasks: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    weight: float


class MultiTaskRobustClusteringCV(
    FoldsMixin, RobustClusteringMixin, LinearRegressorMixin, RegressorMixin, BaseEstimator
):
    """MultiTaskRobustClustering with built-in choice of its strengths, and of its clusters.

    The strengths that predict best often fuse little or nothing: predictions lose nothing where
    tasks are only drawn to each other. So `coef_` is of the strengths with the least
    cross-validated error, while clusters and outliers are read off the grid by a rule of their own.

    Parameters
    ----------
    alphas : array-like of values in [0, inf), default=None
        Grid for alpha; None: 1 and 0.1 times the mean curvature of the losses, which is 1 for
        standardised uncorrelated features.
    alphas_fuse : array-like of values in [0, inf), default=None
        Grid for alpha_fuse, in units of y; None: 8 values down to a thousandth of the one at which
        all connected tasks are one cluster, with penalty "lasso" if it is concave.
    alphas_outlier : array-like of values in [0, inf), default=None
        Grid for alpha_outlier, in units of y; None: alpha times a far distance, and half of it. Far
        is three robust standard deviations above the median distance of a task's ridge estimate
        from the consensus of its neighbours.
    cluster_rule : {"stability", "gap", "prediction"}, default="stability"
        Whose clusters to report. "stability": of the points where the clusters of the folds agree
        with those of all labels, by a mean adjusted Rand index of 0.9 at least (the most stable
        one if there is none), those whose error exceeds the least one by no more than its standard
        error over the folds, and of these the one with the fewest clusters, an outlier counted as
        one of its own. "gap": with alpha and
        alpha_outlier those that predict best, the clusters that last longest as log alpha_fuse
        grows. Both pass over points where more than half of the tasks are outliers, or most others
        are alone in their clusters. "prediction": those of the point that predicts best.
    penalty, gamma, n_neighbors, weights, init
        As in :class:`MultiTaskRobustClustering`.
    cv : int, splitter, iterable of splits or None, default=None
        None: 5 folds. An integer is the number of folds of a shuffled
        :class:`~skmtl.model_selection.MultiTaskKFold`.
    scoring : str, callable or None, default=None
        None: mean squared error of all labels held out. A scorer is called on the model of each
        fold at each point.
    store_cv_results : bool, default=False
        Whether to keep the scores of the whole grid in `cv_results_`.
    standardize : bool, default=True
        Whether the penalties apply to features in standard units, of mean 0 and standard deviation
        1 over the observed labels (without an intercept: of root mean square 1). Coefficients and
        predictions are in the units of X either way.
    fit_intercept, task_weight, task_column, unknown_task, tol, max_iter, device
        As in :class:`MultiTaskRobustClustering`.
    n_jobs : int or None, default=None
        Folds computed at the same time, in threads.

    Attributes
    ----------
    alpha_, alpha_fuse_, alpha_outlier_ : float
        The strengths that predict best, which `coef_` is of. Equal scores: the largest.
    best_score_ : float
        Minus the mean squared error, weighted by sample weights, or the mean score over folds.
    cluster_alpha_, cluster_alpha_fuse_, cluster_alpha_outlier_ : float
        The strengths of the clusters.
    stability_ : float
        Mean adjusted Rand index, over folds, of the folds' clusters and these.
    labels_, n_clusters_, cluster_centers_, centroids_, outlier_coef_, outlier_score_
        As in :class:`MultiTaskRobustClustering`, of the strengths of the clusters.
    cv_results_ : dict of str to ndarray of shape (n_points,)
        With ``store_cv_results=True``: ``param_alpha``, ``param_alpha_fuse``,
        ``param_alpha_outlier``, ``mean_squared_error`` or, with `scoring`, ``mean_test_score`` and
        ``std_test_score``, and ``stability``, ``n_clusters`` and ``n_outliers``.
    coef_, intercept_, shared_coef_, specific_coef_, shared_intercept_, objective_, duality_gap_, \
residual_, task_weights_, tasks_, n_tasks_, n_iter_, n_features_in_, feature_names_in_
        As in :class:`MultiTaskRobustClustering`, of the strengths that predict best.
    mean_, scale_ : ndarray of shape (n_features,)
        What is subtracted from the features and what they are divided by, with
        ``standardize=True``: means and standard deviations; without an intercept 0 and root mean
        squares. A constant feature is divided by its size.

    See Also
    --------
    skmtl.inspection.TaskClusterDisplay : Figures of the clusters.

    Notes
    -----
    Each task is factorised once a fold, for all points of the grid. Convex fits start at their
    neighbour on the grid; with a concave penalty each starts from the consensus of the tasks, so
    that it finds what :class:`MultiTaskRobustClustering` finds. Fits that are only compared are
    made to a tolerance of 1e-3 in 300 iterations at most, the two that are kept to `tol`.

    A validation error does not tell how many outliers there are: tasks that are drawn a little by
    others often predict no worse.

    References
    ----------
    .. [1] Okazaki, A. and Kawano, S. (2024). Multi-task learning regression via convex clustering
       and its robust extension. Statistics and Computing, arXiv:2404.03250.
    .. [2] Hubert, L. and Arabie, P. (1985). Comparing partitions. Journal of Classification 2.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl import MultiTaskRobustClusteringCV
    >>> from skmtl.datasets import make_clustered_tasks
    >>> X, Y, cluster = make_clustered_tasks(n_tasks=18, n_clusters=2, n_outliers=2, random_state=0)
    >>> cluster
    array([-1,  0,  0,  0,  0,  0,  0,  0,  0, -1,  1,  1,  1,  1,  1,  1,  1,
            1])
    >>> model = MultiTaskRobustClusteringCV().fit(X, Y)
    >>> np.array_equal(model.labels_, cluster)
    True
    """

    def __init__(
        self,
        alphas=None,
        alphas_fuse=None,
        *,
        alphas_outlier=None,
        cluster_rule="stability",
        penalty="mcp",
        gamma=3.0,
        n_neighbors=5,
        weights=None,
        init="outlier_first",
        cv=None,
        scoring=None,
        store_cv_results=False,
        fit_intercept=True,
        standardize=True,
        task_weight=None,
        task_column=None,
        unknown_task="error",
        tol=1e-6,
        max_iter=5000,
        device="auto",
        n_jobs=None,
    ):
        self.alphas = alphas
        self.alphas_fuse = alphas_fuse
        self.alphas_outlier = alphas_outlier
        self.cluster_rule = cluster_rule
        self.penalty = penalty
        self.gamma = gamma
        self.n_neighbors = n_neighbors
        self.weights = weights
        self.init = init
        self.cv = cv
        self.scoring = scoring
        self.store_cv_results = store_cv_results
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.task_weight = task_weight
        self.task_column = task_column
        self.unknown_task = unknown_task
        self.tol = tol
        self.max_iter = max_iter
        self.device = device
        self.n_jobs = n_jobs

    def fit(self, X, y, sample_weight=None):
        """Choose the strengths, fit with them on all labels, and find the clusters.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            With the task column if `task_column` is set.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            NaN in a 2-D y marks a label that was not observed.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), optional
            Frequencies.

        Returns
        -------
        self : MultiTaskRobustClusteringCV

        Raises
        ------
        ValueError, TypeError
            If a parameter, X, y or sample_weight is out of range, or there is only one sample.
        """
        grids = self._check_params()
        fit_input = self._validate_fit(X, y, sample_weight)
        self._check_two_samples(fit_input)
        problem = self._problem(fit_input)
        paths = self._paths(problem, *grids)
        points = np.array([point for path in paths for point in path])
        labels = np.array([fit.labels for fit in self._fits(problem, paths)])
        folds = self._run_folds(self._fold, self._fold_data(X, y, sample_weight), paths)
        error, fold_errors, results = self._errors(points, folds)
        stability = self._stability(fit_input, labels, folds)
        best = first_least(error)
        kept = choose_clusters(self.cluster_rule, points, labels, stability, error, fold_errors)
        fit = self._solve(problem, *points[best])
        clusters = fit if kept == best else self._solve(problem, *points[kept])
        solution = problem.in_units_of_X(fit)[0]
        grouped, centroids, parts = problem.in_units_of_X(clusters)
        self._warn_neighbors(len(fit_input.labelled))
        self._warn_outliers(clusters.is_outlier)
        self._warn_convergence(fit if clusters.converged else clusters)
        counts = labels.max(axis=1) + 1, (labels == OUTLIER).sum(axis=1)
        results |= {"stability": stability, "n_clusters": counts[0], "n_outliers": counts[1]}
        with at_once(self) as model:
            model._record_solution(X, fit_input, solution)
            model._record_clusters(fit_input, grouped.shared, centroids, parts, clusters.labels)
            model._record_fit(fit)
            model._record_choices(points[best].tolist(), points[kept].tolist())
            model.best_score_, model.stability_ = float(-error[best]), float(stability[kept])
            vars(model).pop("cv_results_", None)  # of an earlier fit
            if self.store_cv_results:
                model.cv_results_ = results
        return self

    def _record_choices(self, best, kept):
        self.alpha_, self.alpha_fuse_, self.alpha_outlier_ = best
        self.cluster_alpha_, self.cluster_alpha_fuse_, self.cluster_alpha_outlier_ = kept

    def _check_params(self):
        """Check every parameter and return the grids, None where there is none."""
        self._check_clustering_params()
        check_option("cluster_rule", self.cluster_rule, CLUSTER_RULES)
        check_flag("store_cv_results", self.store_cv_results)
        self._check_folds()
        return [self._check_grid(name) for name in ("alphas", "alphas_fuse", "alphas_outlier")]

    def _check_grid(self, name):
        values = getattr(self, name)
        if values is None:
            return None
        values = check_strengths(name, values, zero=True)
        if np.isinf(values).any():
            raise ValueError(f"{name} must hold values in [0, inf), got inf.")
        return np.unique(values)[::-1]

    def _path_point(self):
        check_is_fitted(self)
        return self.cluster_alpha_, self.cluster_alpha_outlier_

    def _paths(self, problem, alphas, alphas_fuse, alphas_outlier):
        """Lists of (alpha, alpha_fuse, alpha_outlier) with alpha_fuse falling."""
        if alphas is None:
            alphas = REST * problem.losses.curvature
        paths = []
        for alpha in alphas:
            outlier = alphas_outlier
            if self.penalty == "none":
                outlier = np.zeros(1)
            elif outlier is None:
                outlier = alpha * DISTANCE * problem.far_distance
            for alpha_outlier in outlier:
                fuse = alphas_fuse
                if fuse is None:
                    fuse = FUSE * self._largest_fuse(problem, alpha, alpha_outlier)
                paths.append([(alpha, alpha_fuse, alpha_outlier) for alpha_fuse in fuse])
        return paths

    def _fits(self, problem, paths):
        """Clustering of each point in turn, each started at its neighbour."""
        for path in paths:
            state = None
            for point in path:
                fit = self._solve(problem, *point, state, **ROUGH)
                state = fit.state if self.penalty in CONVEX else None
                yield fit

    def _fold(self, data, train, test, paths):
        """Fold of one split."""
        fitted = self._part(data, train)[1]
        held_out = self._part(data, test, fitted.units)[1]
        problem = self._problem(fitted, data.tasks)
        score = HeldOutSquares(fitted, held_out)
        weight = score.weight
        if self.scoring is not None:
            score, weight = self._score_of(data, train, test, fitted), 1.0
        labels, scores = [], []
        for fit in self._fits(problem, paths):
            labels.append(fit.labels)
            scores.append(score(problem.in_units_of_X(fit)[0]))
        number = {task: t for t, task in enumerate(data.tasks)}
        tasks = np.array([number[fitted.tasks[t]] for t in fitted.labelled])
        return Fold(tasks, np.array(labels), np.array(scores), weight)

    def _score_of(self, data, train, test, fitted):
        """Function of a Solution: the score of the model that has it."""
        model = self._plain(MultiTaskRobustClustering).set_params(unknown_task="shared")
        score, (X, y, _) = self._scorer(model), data.part(test)
        X_train = data.part(train)[0]

        def score_of(solution):
            model._record_solution(X_train, fitted, solution)
            return score(model, X, y)

        return score_of

    def _errors(self, points, folds):
        """(error of each point, that of each fold, columns of cv_results_)."""
        columns = {f"param_{name}": points[:, k] for k, name in enumerate(NAMES)}
        scores, weights = (np.array([getattr(f, name) for f in folds]) for name in Fold._fields[2:])
        if self.scoring is None:
            error = scores.sum(axis=0) / weights.sum()
            return error, scores / weights[:, None], columns | {"mean_squared_error": error}
        means, stds = self._mean_scores(scores)
        return -means, -scores, columns | {"mean_test_score": means, "std_test_score": stds}

    def _stability(self, fit_input, labels, folds):
        """Agreement of the labels of each point with those of the folds."""
        place = np.full(len(fit_input.tasks), -1)
        place[fit_input.labelled] = np.arange(len(fit_input.labelled))
        return np.array(
            [
                stability_of(own, [(place[fold.tasks], fold.labels[k]) for fold in folds])
                for k, own in enumerate(labels)
            ]
        )
