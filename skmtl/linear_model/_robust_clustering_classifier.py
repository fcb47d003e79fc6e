"""MultiTaskRobustClusteringClassifier: binary tasks in clusters, by the log loss."""

import numpy as np
from sklearn.base import BaseEstimator

from .._classifier import ProbabilityMixin
from .._data import relabelled_by_task
from .._input import check_class_weight, weigh_classes
from ..base import at_once
from ._clustering_mixin import RobustClusteringMixin
from ._linear_classifier import LinearClassifierMixin, constant_solution


class MultiTaskRobustClusteringClassifier(
    RobustClusteringMixin, ProbabilityMixin, LinearClassifierMixin, BaseEstimator
):
    """Logistic regression of binary tasks that fall into clusters, some of which belong to none.

    As :class:`MultiTaskRobustClustering`, with the log loss.

    Parameters
    ----------
    alpha, alpha_fuse, alpha_outlier, penalty, gamma, n_neighbors, weights, init, fit_intercept, \
task_weight, task_column, unknown_task, tol, max_iter, device
        As in :class:`MultiTaskRobustClustering`; `tol` is of the first-order residual throughout.
        Neighbours are nearest by one Newton step from no coefficients, shrunk by generalised
        cross-validation.
    standardize : bool, default=False
        Whether the penalties apply to features in standard units, of mean 0 and standard deviation
        1 over the observed labels (without an intercept: of root mean square 1). Coefficients and
        predictions are in the units of X either way.
    class_weight, missing_label
        As in :class:`MultiTaskLogisticRegression`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,) or list of n_tasks such arrays
        A list where y is 2-D. Long data: the classes of all tasks.
    labels_, n_clusters_, cluster_centers_, centroids_, outlier_coef_, outlier_score_, coef_, \
intercept_, shared_coef_, specific_coef_, shared_intercept_, objective_, duality_gap_, residual_, \
task_weights_, tasks_, n_tasks_, n_iter_, n_features_in_, feature_names_in_
        As in :class:`MultiTaskRobustClustering`, of the logits of the tasks' second classes. A task
        with labels of one class only is in no cluster.
    mean_, scale_ : ndarray of shape (n_features,)
        What is subtracted from the features and what they are divided by, with
        ``standardize=True``: means and standard deviations; without an intercept 0 and root mean
        squares. A constant feature is divided by its size.

    See Also
    --------
    MultiTaskLogisticRegression : All tasks about one centre; multiclass tasks too.

    Notes
    -----
    The objective is that of :class:`MultiTaskRobustClustering` with the losses

    .. math::
        \\frac{\\omega_t}{n_t} \\sum_i s_{ti} \\{\\log(1 + e^{z_{ti}}) - y_{ti} z_{ti}\\},
        \\quad z_{ti} = x_i^T w_t + b_t

    where a task's second class in sorted order is y = 1. It is minimised by Newton's quadratic
    models of the losses, each a clustering of weighted least squares, with steps halved until the
    objective falls.

    Nothing shrinks centroids towards zero. Where the features separate the classes of a whole
    cluster, or of a task alone, there is no minimum, and `tol` sets the size of the coefficients.

    References
    ----------
    .. [1] Okazaki, A. and Kawano, S. (2024). Multi-task learning regression via convex clustering
       and its robust extension. Statistics and Computing, arXiv:2404.03250.
    .. [2] Lee, J., Sun, Y. and Saunders, M. (2014). Proximal Newton-type methods for minimizing
       composite functions. SIAM Journal on Optimization 24.

    Examples
    --------
    >>> from skmtl import MultiTaskRobustClusteringClassifier
    >>> from skmtl.datasets import make_clustered_tasks
    >>> X, Z, cluster = make_clustered_tasks(
    ...     200, 4, 8, n_clusters=2, center_scale=1.0, random_state=1
    ... )
    >>> model = MultiTaskRobustClusteringClassifier(0.1, 0.02).fit(X, (Z > 0).astype(int))
    >>> model.labels_
    array([0, 0, 0, 0, 1, 1, 1, 1])
    >>> model.predict_proba(X[:1])[0].round(1)
    array([[0.7, 0.3]])
    """

    _loss = "log_loss"

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
        class_weight=None,
        missing_label=np.nan,
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
        self.class_weight = class_weight
        self.missing_label = missing_label
        self.task_column = task_column
        self.unknown_task = unknown_task
        self.tol = tol
        self.max_iter = max_iter
        self.device = device

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def fit(self, X, y, sample_weight=None):
        """Fit the coefficients of all tasks and find their clusters.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            With the task column if `task_column` is set.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Class labels; `missing_label`, NaN or None in a 2-D y marks one that was not observed.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), optional
            Frequencies: weight 2 is the row (or label) twice, weight 0 leaves it out.

        Returns
        -------
        self : MultiTaskRobustClusteringClassifier

        Raises
        ------
        ValueError
            If a parameter, X, y or sample_weight is out of range or of the wrong shape, or a task
            has more than two classes.
        TypeError
            If a parameter is of the wrong type.
        """
        point = self._check_params()
        fit_input = self._validate_fit(X, y, sample_weight)
        classes, fitted = self._binary(fit_input)
        weights = fit_input.labelled, fit_input.omega
        if fitted.data is None:
            return self._record_constant(X, fitted, classes, weights, fit_input.data.X.shape[1])
        problem = self._problem(fitted)
        fit = self._solve(problem, *point)
        solution, centroids, parts = problem.in_units_of_X(fit)
        self._warn_neighbors(len(fitted.labelled))
        self._warn_outliers(fit.is_outlier)
        self._warn_convergence(fit)
        units = solution._replace(
            shared=solution.shared[None, :],
            shared_intercept=solution.shared_intercept.reshape(1),
        )
        with at_once(self) as model:
            model._record_units(X, fitted, classes, weights, units)
            model._record_clusters(fitted, solution.shared, centroids, parts, fit.labels)
            model._record_fit(fit)
        return self

    def _record_constant(self, X, fitted, classes, weights, n_features):
        """Fitted attributes where every task has one class, and there is nothing to fit."""
        nothing = np.zeros((0, n_features))
        empty = fitted._replace(labelled=np.zeros(0, dtype=np.intp))
        with at_once(self) as model:
            model._record_units(X, fitted, classes, weights, constant_solution(n_features))
            model._record_clusters(
                empty, np.zeros(n_features), nothing, nothing, np.zeros(0, dtype=np.intp)
            )
            model.objective_ = model.duality_gap_ = model.residual_ = 0.0
            model.n_iter_ = 1
        return self

    def _binary(self, fit_input):
        """(TaskClasses, FitInput of the tasks with two classes, labels 0 and 1 and weighted)."""
        classes, fitted = self._separate(fit_input, models_only=False)
        if not classes.is_binary:
            t = next(t for t, own in enumerate(classes.own) if len(own) > 2)
            raise ValueError(
                "Only binary classification is supported. The type of the target is multiclass: "
                f"task {fit_input.tasks[t]!r} has {len(classes.own[t])} classes."
            )
        if fitted.data is None:
            return classes, fitted
        data = weigh_classes(
            fitted.data, fitted.labelled, fitted.tasks, classes.values, self.class_weight
        )
        second = np.array([classes.own[t][1] for t in fitted.labelled])
        data = relabelled_by_task(data, lambda y, task: (y == second[task]) * 1.0)
        return classes, fitted._replace(data=data)

    def _clustering_input(self, X, y, sample_weight):
        fitted = self._binary(self._validate_fit(X, y, sample_weight))[1]
        if fitted.data is None:
            raise ValueError("no task has labels of two classes, so there are no clusters.")
        return fitted

    def _check_params(self):
        check_class_weight(self.class_weight)
        return super()._check_params()
