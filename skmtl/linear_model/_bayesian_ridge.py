"""MultiTaskBayesianRidge: task and noise covariances learned by maximal evidence, no grid."""

import warnings

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning

from .._checks import check_count, check_flag, check_option, check_strength
from .._input import check_labels, naming
from ..base import at_once
from ..covariance import AllTasks, EvidenceProblem
from ._bayesian_predict import PosteriorMixin, on_host

COVARIANCES = ("auto", "full", "low_rank", "shared", "diagonal")
NOISES = ("auto", "full", "diagonal", "common")
OUT_OF_RANGE = (
    "the covariances are out of the range of floats: the values of X or y are too large or too "
    "small; bring them to units in which they are near 1."
)


class MultiTaskBayesianRidge(PosteriorMixin, RegressorMixin, BaseEstimator):
    """Bayesian ridge regression that learns which tasks resemble which.

    The tasks' coefficients of a feature have a covariance K, the noise of the labels of a row a
    covariance R. Both are those under which the labels are most probable, so nothing is tuned by
    cross-validation, and predictions have standard deviations.

    Parameters
    ----------
    covariance : {"auto", "full", "low_rank", "shared", "diagonal"} or array-like of shape \
(n_tasks, n_tasks), default="auto"
        K. "full": any covariance; "low_rank": loadings plus a variance for each task; "shared":
        one variance common to all tasks and one of their deviations, as in MultiTaskRidge;
        "diagonal": unrelated tasks; an array, positive semidefinite: a scale of it is learned, so
        that the units of the features do not matter.
        "auto": "full" for a wide y, but "low_rank" where missing labels of many tasks make that
        dear (above 1e10 flops an iteration) and not this; "shared" where every row has one label.
    noise : {"auto", "full", "diagonal", "common"}, default="auto"
        R. "full": any covariance between the labels of a row; "diagonal": a variance for each task;
        "common": one variance. "auto": "full", "diagonal" and "common" in the cases of
        `covariance`; "diagonal" where sample weights differ within a row.
    rank : int, default=2
        Columns of loadings of "low_rank", few beside the features: loadings nearly as many fit the
        noise, of whose variance nothing is left, and the ascent may not end within `max_iter`.
    prior_strength : float in [0, inf), default=1.0
        Strength of the prior that keeps covariances of many tasks from becoming singular. It draws
        a full one to that of unrelated tasks, which are learned first, by `prior_strength` times
        n_tasks pseudo-observations, and variances of single tasks to each other by 6
        `prior_strength` each. 0: none; the evidence of few labels then may have several maxima, or
        none as a variance runs to zero, and where the ascent ends depends on rounding: a row of
        weight 2 and the row written twice may end several nats apart.
    shrink_intercept : bool or "auto", default="auto"
        Whether intercepts are random deviations from a common one, at the mean of X, with a
        variance that is learned. False: free. "auto": where every row has one label.
    groups : array-like of shape (n_features,), default=None
        Labels of groups of features, without the task column. Each group has a K of its own, of the
        same structure: features that are constant within a task, or of another kind than the
        others, need variances of their own. None: one group.
    fit_intercept : bool, default=True
        Whether to fit intercepts.
    standardize : bool, default=True
        Whether the penalties apply to features in standard units, of mean 0 and standard deviation
        1 over the observed labels (without an intercept: of root mean square 1). Coefficients and
        predictions are in the units of X either way.
    max_iter : int, default=500
        Most iterations.
    tol : float in [0, inf), default=1e-5
        The ascent stops when the evidence gains less than ``tol`` times its size.
    task_column : str or int, default=None
        Name or position of the column of X that holds the task ids (long data). None: wide y.
    unknown_task : {"error", "shared"}, default="error"
        What predict does with an id that fit did not see: refuse it, or use the shared part.

    Attributes
    ----------
    coef_ : ndarray of shape (n_tasks, n_features)
        Posterior means.
    intercept_ : ndarray of shape (n_tasks,)
    shared_coef_ : ndarray of shape (n_features,)
        Coefficients of a task of which nothing is known: its variance is taken to be the mean of
        the tasks' and its correlation with them the mean of theirs.
    specific_coef_ : ndarray of shape (n_tasks, n_features)
        ``coef_ - shared_coef_``.
    shared_intercept_ : ndarray of shape ()
    task_covariance_ : ndarray of shape (n_tasks, n_tasks)
        K, of features in standard units with ``standardize=True``; with `groups` its mean over the
        features.
    task_correlation_ : ndarray of shape (n_tasks, n_tasks)
    group_covariances_ : ndarray of shape (n_groups, n_tasks, n_tasks)
        K of each group, sorted by label, among the tasks with labels. Only with `groups`.
    noise_covariance_ : ndarray of shape (n_tasks, n_tasks)
        R.
    noise_degrees_ : ndarray of shape (n_tasks,)
        Degrees of freedom of the variances of R: of that many independent squares each is the
        mean. An error of a prediction, divided by its standard deviation, is about a t variate.
    intercept_variance_ : float
        Of the intercepts' deviations; inf where they are free, 0 without intercepts.
    log_evidence_ : float
        Logarithm of the restricted likelihood, without the prior of the covariances. It compares
        covariances on the same data and with the same intercepts.
    scores_ : ndarray of shape (`n_iter_` + 1,)
        Logarithm of evidence times prior at the start and after each iteration; it never falls.
    n_iter_ : int
    tasks_ : list
        Task ids, sorted, or column names of y.
    n_tasks_ : int
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
    MultiTaskRidge : Its posterior mean, where K is shared plus specific.
    MultiTaskRidgeCV : Penalties chosen by leave-one-out; also for sparse X and streams.

    Notes
    -----
    The model, for rows i and tasks s, t:

    .. math::
        y_{it} = x_i^T w_t + b_t + e_{it}, \\quad cov(w_s, w_t) = K_{st} I, \\quad
        cov(e_{is}, e_{it}) = R_{st}

    with flat b_t or, shrunk, b_t = b_0 + c_t with flat b_0. The restricted likelihood of K and R,
    with the coefficients and flat intercepts integrated out [3]_, is maximised together with a
    prior. Of a full matrix M, K or R, it is that of nu = prior_strength n_tasks pseudo-observations
    with the covariance M_0,

    .. math::
        -\\nu/2 [\\log|M| + tr(M^{-1} M_0)],

    where M_0 is diagonal, the variances under which unrelated tasks have the most evidence.
    Variances v_t of single tasks (diagonal matrices, and beside the loadings of "low_rank") have a
    normal prior, -nu/4 sum_t (log v_t - mean)^2 with nu = 6 prior_strength; it compares variances
    in the units of the tasks' labels, so that tasks in different units should be brought to one,
    as by :class:`~skmtl.preprocessing.TargetScaler`. The two of "shared",
    "common" ones and scales of arrays have none.

    EM steps are accelerated by SQUAREM [2]_, loadings and "shared" climb by L-BFGS, on the cheapest
    of the exact routes to the evidence: the eigenbasis of a common design with the missing labels
    integrated out, the kernel of the observed labels, the mixed-model equations, task by task with
    the shared effects at the end, or each task alone.

    With R = s2 I and K = k0 11' + k I the coefficients are those of MultiTaskRidge with
    alpha_shared = s2/k0, alpha_specific = s2/k and, shrunk, alpha_intercept = s2/kb. Sample
    weights are frequencies: a label of weight 2 is two labels.

    Standard deviations hold the covariances fixed, so with few labels intervals of a normal
    distribution are short. Those of a t distribution with `noise_degrees_`, the squares of the
    residuals over their variance plus the pseudo-observations of the prior, allow for what is not
    known of R; nothing allows for what is not known of K. The fit is computed in float64 on the CPU
    and returned in X's type and place; `impute` keeps X and y.

    References
    ----------
    .. [1] Bonilla, E., Chai, K. and Williams, C. (2008). Multi-task Gaussian process prediction.
       NeurIPS.
    .. [2] Varadhan, R. and Roland, C. (2008). Simple and globally convergent methods for
       accelerating the convergence of any EM algorithm. Scandinavian Journal of Statistics 35.
    .. [3] Patterson, H. and Thompson, R. (1971). Recovery of inter-block information when block
       sizes are unequal. Biometrika 58.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl import MultiTaskBayesianRidge
    >>> rng = np.random.default_rng(0)
    >>> X, w = rng.normal(size=(60, 8)), rng.normal(size=8)
    >>> W = np.stack([w, w, rng.normal(size=8)])  # the first two tasks are one
    >>> model = MultiTaskBayesianRidge().fit(X, X @ W.T + 0.5 * rng.normal(size=(60, 3)))
    >>> model.task_correlation_.round(1)
    array([[1. , 0.7, 0.2],
           [0.7, 1. , 0.1],
           [0.2, 0.1, 1. ]])
    >>> mean, std = model.predict(X[:2], return_std=True)
    >>> mean.shape, std.shape
    ((2, 3), (2, 3))
    """

    def __init__(
        self,
        covariance="auto",
        noise="auto",
        *,
        rank=2,
        prior_strength=1.0,
        shrink_intercept="auto",
        groups=None,
        fit_intercept=True,
        standardize=True,
        max_iter=500,
        tol=1e-5,
        task_column=None,
        unknown_task="error",
    ):
        self.covariance = covariance
        self.noise = noise
        self.rank = rank
        self.prior_strength = prior_strength
        self.shrink_intercept = shrink_intercept
        self.groups = groups
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.max_iter = max_iter
        self.tol = tol
        self.task_column = task_column
        self.unknown_task = unknown_task

    def fit(self, X, y, sample_weight=None):
        """Learn the covariances, and the coefficients at the best ones.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            With the task column if `task_column` is set.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            NaN in a 2-D y marks a label that was not observed.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), optional
            Frequencies: weight 2 is the row (or label) twice, weight 0 leaves it out. A full R
            takes one weight for all labels of a row.

        Returns
        -------
        self : MultiTaskBayesianRidge

        Raises
        ------
        ValueError
            If a parameter, X, y or sample_weight is out of range or of the wrong shape, or the
            labels cannot tell covariances of the structure asked for.
        TypeError
            If a parameter is of the wrong type.
        MemoryError
            If what the fit has to hold exceeds the memory that is free.
        """
        self._check_params()
        fit_input = self._validate_fit(X, y, sample_weight)
        n_tasks, labelled = len(fit_input.tasks), fit_input.labelled
        known = self._known_covariance(n_tasks)
        covariance = self.covariance if known is None else known[np.ix_(labelled, labelled)]
        problem = EvidenceProblem(
            fit_input.data,
            covariance,
            self.noise,
            rank=self.rank,
            prior_strength=self.prior_strength,
            shrink_intercept=self.shrink_intercept,
            fit_intercept=self.fit_intercept,
            groups=self._group_numbers(fit_input.data.X.shape[1]),
        )
        fitted = problem.maximise(tol=self.tol, max_iter=self.max_iter)
        for covariances in (fitted.K, fitted.R):  # too small ones are zero
            variances = covariances.diagonal(axis1=-2, axis2=-1)
            if not (np.isfinite(covariances).all() and (variances > 0).all()):
                raise ValueError(OUT_OF_RANGE)
        tasks = AllTasks(fitted, labelled, n_tasks, known)
        self._warn(fitted)
        training = None if self.task_column is not None else self._wide_input(X, y, fit_input.units)
        with at_once(self) as model:
            model._record(X, fit_input, fitted, tasks, training)
        return self

    def _check_params(self):
        if isinstance(self.covariance, str) or self.covariance is None:
            check_option("covariance", self.covariance, COVARIANCES)
        check_option("noise", self.noise, NOISES)
        check_count("rank", self.rank)
        check_strength("prior_strength", self.prior_strength, zero=True, infinite=False)
        check_option("shrink_intercept", self.shrink_intercept, ("auto", True, False))
        check_flag("fit_intercept", self.fit_intercept)
        check_count("max_iter", self.max_iter)
        check_strength("tol", self.tol, zero=True, infinite=False)

    def _known_covariance(self, n_tasks):
        """The array given as covariance, or None."""
        if isinstance(self.covariance, str):
            return None
        with naming("covariance"):
            K = np.array(self.covariance, dtype=np.float64)
        if K.shape != (n_tasks, n_tasks):
            raise ValueError(
                f"covariance must be one of {list(COVARIANCES)} or an array of shape "
                f"{(n_tasks, n_tasks)}, a row and a column for each task; got shape {K.shape}."
            )
        faults = {
            "one with NaN or infinity": not np.isfinite(K).all(),
            "one that differs from its transpose": not np.allclose(K, K.T, equal_nan=True),
            f"one with {K.diagonal().min():g} on it": not (K.diagonal() > 0).all(),
        }
        for fault, found in faults.items():
            if found:
                raise ValueError(
                    "an array as covariance must be finite and symmetric with a positive diagonal, "
                    f"got {fault}."
                )
        least = np.linalg.eigvalsh(K)[0]
        if least < -1e-9 * K.diagonal().max():
            raise ValueError(
                "an array as covariance must be positive semidefinite, got one with the "
                f"eigenvalue {least:.3g}."
            )
        return (K + K.T) / 2

    def _group_numbers(self, n_features):
        if self.groups is None:
            return None
        with naming("groups"):
            groups = np.asarray(self.groups)
            if groups.shape != (n_features,):
                raise ValueError(
                    f"groups must hold {n_features} labels, one for each feature (the task column "
                    f"is none), got {self.groups!r}."
                )
            if groups.dtype.kind == "f" and np.isnan(groups).any():
                raise ValueError("groups must not hold NaN.")
            return np.unique(groups, return_inverse=True)[1].reshape(-1)

    def _warn(self, fitted):
        if not fitted.converged:
            gain = fitted.scores[-1] - fitted.scores[-2]
            warnings.warn(
                f"the evidence still gained {gain:.1e} in the last of {fitted.n_iter} iterations; "
                "raise max_iter or tol.",
                ConvergenceWarning,
                stacklevel=3,
            )
        if not fitted.separable:
            warnings.warn(
                "the rows of X are orthogonal and equally long about their mean, so coefficients "
                "cannot be told from noise: the prior decides between their covariances.",
                UserWarning,
                stacklevel=3,
            )

    def _wide_input(self, X, y, units):
        features, _ = self._split_features(X)
        return on_host(units.of_rows(features)), check_labels(y, self)

    def _record(self, X, fit_input, fitted, tasks, training):
        """Set the fitted attributes."""
        self._record_input(X, fit_input)
        to_input, units = fit_input.to_input_namespace, fit_input.units
        coef, shared = units.coefficients(tasks.coef), units.coefficients(tasks.shared)
        self.coef_, self.shared_coef_ = to_input(coef), to_input(shared)
        self.specific_coef_ = to_input(coef - shared)
        self.intercept_ = to_input(units.intercepts(coef, tasks.intercept))
        self.shared_intercept_ = to_input(
            np.asarray(units.intercepts(shared, tasks.shared_intercept))
        )
        self.task_covariance_ = to_input(tasks.K)
        self.task_correlation_ = to_input(_correlation(tasks.K))
        self.noise_covariance_ = to_input(tasks.R)
        self.noise_degrees_ = to_input(tasks.noise_degrees)
        vars(self).pop("group_covariances_", None)  # of an earlier fit
        if self.groups is not None:
            self.group_covariances_ = to_input(fitted.K)
        self.intercept_variance_ = fitted.level_variance
        self.log_evidence_ = fitted.log_evidence
        self.scores_, self.n_iter_ = to_input(fitted.scores), fitted.n_iter
        self._tasks, self._training = tasks, training


def _correlation(K):
    d = np.sqrt(K.diagonal())
    d = np.where(d > 0, d, 1.0)
    C = K / d / d[:, None]
    C[np.arange(len(C)), np.arange(len(C))] = 1.0
    return C
