"""MultiTaskLinearRegressor: any loss, any penalty, and a solver that suits both."""

import warnings

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning

from .._backend import namespace_of, take, to_numpy
from .._checks import check_count, check_flag, check_option, check_strength
from .._data import label_moments
from .._input import stack_level
from .._registry import resolve
from ..base import at_once
from ..losses import LOSSES, ElementwiseLoss
from ..penalties import PENALTIES, Penalty
from ..solvers import LINEAR_SOLVERS, solve_linear
from ._base import LinearRegressorMixin

REGRESSION = ("squared_error", "huber")
CONSISTENT = 0.6744897501960817  # median of |z| for a standard normal z
MOST_SCALES = 20  # fits that the scale of the residuals may take
SETTLED = 1e-3  # relative change of the scale that ends them
LEAST = 1e-6  # least scale, as a share of the labels' spread, where the residuals vanish
ROUNDING = 1e-12  # of a sum of weights, relative to all


class MultiTaskLinearRegressor(LinearRegressorMixin, RegressorMixin, BaseEstimator):
    """Linear regression for related tasks with a loss and a penalty of choice.

    Parameters
    ----------
    loss : {"squared_error", "huber"} or loss, default="squared_error"
        A name, or an object of :mod:`skmtl.losses`. The threshold `delta` of Huber's loss is in
        units of the residuals' scale, which the fit finds (see the Notes).
    penalty : {"shared_specific", "graph_laplacian", "l21", "task_lasso"} or penalty, \
default="shared_specific"
        A name, or an object of :mod:`skmtl.penalties`, whose strengths are then its own.
    solver : {"auto", "elimination", "newton-cg", "working-set", "fista"}, default="auto"
        "elimination": exact block elimination, for the squared error and "shared_specific".
        "newton-cg": Newton's method, for penalties that are quadratic. "working-set": proximal
        gradient steps in the few features that the solution needs, for the squared error and
        penalties that select features. "fista": proximal gradient steps with momentum, for convex
        penalties with a prox. "auto" is the first of these that suits the loss and the penalty.
    fit_intercept : bool, default=True
        Whether to fit intercepts, one a task; only "shared_specific" can penalise them.
    standardize : bool, default=False
        Whether the penalty applies to features in standard units, of mean 0 and standard deviation
        1 over the observed labels (without an intercept: of root mean square 1). Coefficients and
        predictions are in the units of X either way.
    task_weight : None, "balanced" or array-like of shape (n_tasks,), default=None
        Weight of each task in the objective, in the order of `tasks_`, used normalised to mean 1
        over labelled tasks. "balanced" counts every task the same whatever its number of labels.
        Weight 0 means that the task's labels are not used.
    task_column : str or int, default=None
        Name or position of the column of X that holds the task ids (long data). None: wide y.
    unknown_task : {"error", "shared"}, default="error"
        What predict does with an id that fit did not see: refuse it, or use `shared_coef_`.
    tol : float in [0, inf), default=1e-6
        Certificate at which an iterative solver stops; see `certificate_`.
    max_iter : int, default=10000
        Most iterations.
    device : {"auto", "cpu", "cuda"}, default="auto"
        Where NumPy input is computed; arrays of other array-API libraries are computed where they
        lie. "auto" takes a GPU through cupy if there is one and the work is worth the transfer.

    Attributes
    ----------
    coef_ : ndarray of shape (n_tasks, n_features)
    intercept_ : ndarray of shape (n_tasks,)
    shared_coef_ : ndarray of shape (n_features,)
        Coefficients of a task of which nothing is known: the penalty's shared part, or the mean of
        the tasks' where it has none.
    specific_coef_ : ndarray of shape (n_tasks, n_features)
        ``coef_ - shared_coef_``.
    shared_intercept_ : ndarray of shape ()
        Intercept of a task of which nothing is known.
    residual_scale_ : float
        Of Huber's loss: what `delta` is a multiple of.
    solver_ : str
        The solver that ran.
    certificate_ : float
        How far the solution is from the minimum. "working-set", and "fista" for the squared error
        and a norm: the duality gap over the objective of the tasks' mean labels. Otherwise "fista":
        the largest step that is left, relative to the slopes of the labels at zero. "newton-cg":
        the largest gradient, relative to that at zero. 0 for "elimination".
    n_iter_ : int
    task_weights_ : ndarray of shape (n_tasks,)
        Weights used, mean 1 over labelled tasks and 0 for the others.
    tasks_ : list
        Task ids, sorted, or column names of y.
    n_tasks_ : int
    n_features_in_ : int
        Columns of X, the task column included.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Where X has column names.
    mean_, scale_ : ndarray of shape (n_features,)
        What is subtracted from the features and what they are divided by, with
        ``standardize=True``.

    See Also
    --------
    MultiTaskRidge : Squared error and "shared_specific", with balancers, streams and new tasks.

    Notes
    -----
    The objective, with sample weights s (0 where a label is missing) and task weights omega, is

    .. math::
        \\sum_t \\omega_t \\sum_i s_{ti} \\, loss(y_{ti}, x_i^T w_t + b_t) + penalty(W),

    with half the squared error as loss. It is a plain sum over labels:
    :class:`sklearn.linear_model.MultiTaskLasso`, which divides by twice the number of rows n, is
    ``penalty=L21(n * alpha)``. :class:`MultiTaskRidge` has the same alphas, since its objective is
    twice this one. Penalties are not scaled to the units of X: standardise features, or set
    `standardize`. Strengths of norms are in units of y; those of quadratic penalties are not.

    With Huber's loss residuals beyond ``delta * residual_scale_`` pull with the same force however
    large they are. The scale is the median size of the residuals over .6745, as for normal noise.
    As many of the smallest residuals as there are coefficients, but at most half of all, are left
    out of that median, since a fit can make them vanish. Scale and coefficients are found in turn,
    from the median distance of the labels to their tasks' medians on. Where a quarter of the
    labels or more err to one side, the scale may settle at their size, and they then count.

    References
    ----------
    .. [1] Obozinski, G., Taskar, B. and Jordan, M. (2010). Joint covariate selection and joint
       subspace selection for multiple classification problems. Statistics and Computing 20.
    .. [2] Huber, P. (1981). Robust Statistics, section 7. Wiley.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl import MultiTaskLinearRegressor
    >>> from skmtl.penalties import L21
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 6))
    >>> Y = X[:, :2] @ rng.normal(size=(2, 3)) + 0.1 * rng.normal(size=(40, 3))
    >>> model = MultiTaskLinearRegressor(penalty=L21(alpha=5.0)).fit(X, Y)
    >>> (model.coef_ != 0).any(axis=0)
    array([ True,  True, False, False, False, False])
    >>> model.solver_
    'working-set'
    """

    def __init__(
        self,
        loss="squared_error",
        penalty="shared_specific",
        *,
        solver="auto",
        fit_intercept=True,
        standardize=False,
        task_weight=None,
        task_column=None,
        unknown_task="error",
        tol=1e-6,
        max_iter=10000,
        device="auto",
    ):
        self.loss = loss
        self.penalty = penalty
        self.solver = solver
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.task_weight = task_weight
        self.task_column = task_column
        self.unknown_task = unknown_task
        self.tol = tol
        self.max_iter = max_iter
        self.device = device

    def fit(self, X, y, sample_weight=None):
        """Fit the coefficients of all tasks.

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
        self : MultiTaskLinearRegressor

        Raises
        ------
        ValueError
            If a parameter, X, y or sample_weight is out of range or of the wrong shape, or if no
            solver suits both the loss and the penalty.
        TypeError
            If a parameter is of the wrong type.
        MemoryError
            If what the fit has to hold exceeds the memory that is free.
        """
        loss, penalty = self._check_params()
        fit_input = self._validate_fit(X, y, sample_weight)
        solution, name, scale = self._solve(fit_input, loss, penalty)
        if not solution.converged:
            more = "max_iter or " if solution.n_iter >= self.max_iter else ""
            warnings.warn(
                f"solver={name!r} stopped after {solution.n_iter} iterations at a certificate of "
                f"{solution.residual:.1e}, above tol={self.tol}; raise {more}tol, or "
                "standardise the features.",
                ConvergenceWarning,
                stacklevel=stack_level(),
            )
        with at_once(self) as model:
            model._record_solution(X, fit_input, solution)
            model._record_others(fit_input, penalty, solution)
            model.solver_, model.certificate_ = name, float(solution.residual)
            model.n_iter_ = max(1, solution.n_iter)
            vars(model).pop("residual_scale_", None)
            if scale is not None:
                model.residual_scale_ = scale
        return self

    def _record_others(self, fit_input, penalty, solution):
        """Give tasks without labels the coefficients that the penalty has for them."""
        T, labelled = len(fit_input.tasks), fit_input.labelled
        if len(labelled) == T or not hasattr(penalty, "of_others"):
            return
        others = penalty.of_others(solution.W, labelled, T)
        W = fit_input.units.coefficients(others)
        # at the pooled mean of X their intercept is that of a task of which nothing is known
        level = solution.shared_intercept + solution.shared @ solution.origin
        b = level - others @ solution.origin
        b = fit_input.to_input_namespace(fit_input.units.intercepts(W, b))
        W = fit_input.to_input_namespace(W)
        source = np.empty(T, dtype=np.intp)
        source[labelled] = labelled
        source[np.setdiff1d(np.arange(T), labelled)] = T + np.arange(T - len(labelled))
        xp = namespace_of(self.coef_)
        self.coef_ = take(xp.concat([self.coef_, W], axis=0), source)
        self.intercept_ = take(xp.concat([self.intercept_, b]), source)
        self.specific_coef_ = self.coef_ - self.shared_coef_

    @property
    def _of_unlabelled(self):
        graph = self.penalty == "graph_laplacian" or hasattr(self.penalty, "of_others")
        return "coefficients that the penalty has for it" if graph else super()._of_unlabelled

    def _check_params(self):
        """The loss and the penalty, every parameter being checked."""
        check_flag("fit_intercept", self.fit_intercept)
        check_strength("tol", self.tol, zero=True, infinite=False)
        check_count("max_iter", self.max_iter)
        check_option("solver", self.solver, ("auto", *LINEAR_SOLVERS))
        loss = resolve(self.loss, {name: LOSSES[name] for name in REGRESSION}, "loss")
        penalty = resolve(self.penalty, PENALTIES, "penalty")
        penalty = penalty() if isinstance(self.penalty, str) else penalty
        if not isinstance(loss, ElementwiseLoss):
            raise TypeError(f"loss must be a name or an object of skmtl.losses, got {loss!r}.")
        if loss.for_classes:
            raise ValueError(f"loss must be one of continuous labels, got {loss!r}, of classes.")
        if not isinstance(penalty, Penalty):
            raise TypeError(
                f"penalty must be a name or an object of skmtl.penalties, got {penalty!r}."
            )
        loss.check()
        penalty.check()
        return loss, penalty

    def _solve(self, fit_input, loss, penalty):
        """(Solution, name of the solver, scale of the residuals or None)."""
        options = {"solver": self.solver, "fit_intercept": self.fit_intercept}
        options |= {"tol": self.tol, "max_iter": self.max_iter}
        data, omega = fit_input.data, fit_input.omega
        penalty = penalty.of_labelled(fit_input.labelled, len(fit_input.tasks))
        if not hasattr(loss, "at_scale"):
            return *solve_linear(data, loss, penalty, omega, **options), None
        spread = label_moments(data).unit
        scale = _label_scale(data) or spread
        for _ in range(MOST_SCALES):
            used = scale
            solution, name = solve_linear(data, loss.at_scale(used), penalty, omega, **options)
            scale = max(_residual_scale(data, solution), LEAST * spread)
            if abs(scale - used) <= SETTLED * used:
                break
        else:
            warnings.warn(
                f"the scale of the residuals had not settled after {MOST_SCALES} fits, at "
                f"{used:.3g} and then {scale:.3g}: labels may be too few for so many coefficients; "
                "raise the strengths of the penalty.",
                ConvergenceWarning,
                stacklevel=stack_level(),
            )
        return solution, name, used


def _label_scale(data):
    """Median distance of the labels to the median of their task, as a standard deviation."""
    labels = data.labels
    spans = [slice(*labels.indptr[t : t + 2]) for t in range(data.n_tasks)]
    medians = np.array([_median(labels.y[span], labels.s[span]) for span in spans])
    return _median(np.abs(labels.y - medians[labels.task]), labels.s) / CONSISTENT


def _residual_scale(data, solution):
    """Median size of the residuals over that of normal noise of variance one.

    As many of the smallest as there are coefficients, up to half, do not count: a fit can make
    these vanish whatever the noise.
    """
    labels = data.labels
    size = np.abs(labels.y - _predictions(data, solution))
    vanishing = data.n_tasks * (data.X.shape[1] + 1)
    return _median(size, labels.s, min(vanishing, labels.s.sum() / 2)) / CONSISTENT


def _median(values, weight, below=0.0):
    """Median where a value of weight 2 stands twice, of all but the smallest of weight `below`."""
    order = np.argsort(values)
    weight, total = weight[order], weight.sum()
    middle = (below + total) / 2
    at = np.searchsorted(np.cumsum(weight), [middle, middle + ROUNDING * total])
    return float(values[order][np.minimum(at, len(values) - 1)].mean())


def _predictions(data, solution):
    """Prediction of each label, on the host."""
    labels, b = data.labels, to_numpy(solution.b)
    if not data.one_label_per_row:
        return to_numpy(data.X @ solution.W.T)[labels.row, labels.task] + b[labels.task]
    z = np.empty(len(labels.y))
    for t in range(data.n_tasks):
        own = slice(*labels.indptr[t : t + 2])
        z[own] = to_numpy(take(data.X, labels.row[own]) @ solution.W[t, :]) + b[t]
    return z
