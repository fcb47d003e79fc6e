"""MultiTaskRidge: squared loss, shared-plus-specific penalty, exact block elimination."""

from functools import partial

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from .._data import label_levels, of_tasks, without_levels
from .._input import one_unit_each
from ..base import at_once
from ..losses import SquaredError
from ..solvers import (
    SOLVERS,
    MomentProblem,
    QuadraticProblem,
    SmoothProblem,
    choose_smooth_solver,
)
from ._add_task import AddTaskMixin
from ._balanced import check_balancer, fit_balanced
from ._base import LinearRegressorMixin
from ._parameters import check_penalty, check_solver, warn_unsolved
from ._stream import StreamMixin


class MultiTaskRidge(
    StreamMixin, AddTaskMixin, LinearRegressorMixin, RegressorMixin, BaseEstimator
):
    """Ridge regression for related tasks: shared plus task-specific coefficients.

    Parameters
    ----------
    alpha_shared : float in (0, inf], default=1.0
        Strength on the shared coefficients. inf: none are shared, every task is its own ridge.
    alpha_specific : float in (0, inf], default=1.0
        Strength on the specific coefficients. inf: all tasks have the same coefficients.
    alpha_intercept : float in [0, inf], default=0.0
        Strength on the deviations of the intercepts from their common value, at the mean of X.
        0: a free intercept for each task; inf: one intercept.
    fit_intercept : bool, default=True
        Whether to fit intercepts.
    standardize : bool, default=False
        Whether the penalties apply to features in standard units, of mean 0 and standard deviation
        1 over the observed labels (without an intercept: of root mean square 1). Coefficients and
        predictions are in the units of X either way.
    task_weight : None, "balanced" or array-like of shape (n_tasks,), default=None
        Weight of each task in the objective, in the order of `tasks_`, used normalised to mean 1
        over labelled tasks. "balanced" counts every task the same whatever its number of labels.
        Weight 0 means that the task's labels are not used.
    balancer : None, str or Balancer, default=None
        Chooses the weights of the tasks, as one of :mod:`skmtl.balancing`; see the Notes.
    task_column : str or int, default=None
        Name or position of the column of X that holds the task ids (long data). None: wide y.
    unknown_task : {"error", "shared"}, default="error"
        What predict does with an id that fit did not see: refuse it, or use the shared part.
    solver : {"auto", "cholesky", "dual", "cg"}, default="auto"
        "cholesky" eliminates the tasks and solves for the shared part; "dual" does so in the row
        space of X, better with fewer rows than features; "cg" solves for the shared part by
        conjugate gradients; "auto" is "dual" where there are fewer rows than features, else
        "cholesky".
    tol : float, default=1e-10
        Of "cg": relative error of the coefficients at which it stops, at best that of a
        factorisation.
    max_iter : int, default=1000
        Of "cg": most iterations.
    device : {"auto", "cpu", "cuda"}, default="auto"
        Where NumPy input is computed; arrays of other array-API libraries are computed where they
        lie. "auto" takes a GPU through cupy if there is one and the work is worth the transfer.

    Attributes
    ----------
    coef_ : ndarray of shape (n_tasks, n_features)
    intercept_ : ndarray of shape (n_tasks,)
    shared_coef_ : ndarray of shape (n_features,)
    specific_coef_ : ndarray of shape (n_tasks, n_features)
        ``coef_ - shared_coef_``.
    shared_intercept_ : ndarray of shape ()
        Intercept of a task of which nothing is known.
    task_weights_ : ndarray of shape (n_tasks,)
        Weights used, mean 1 over labelled tasks and 0 for the others; under a balancer those of
        the tasks' mean losses.
    tasks_ : list
        Task ids, sorted, or column names of y.
    n_tasks_ : int
    n_iter_ : int
        Iterations of "cg", or weighted fits under a balancer; 1 for the direct solvers.
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
    MultiTaskRidgeCV : The same, with penalties chosen by exact leave-one-out.

    Notes
    -----
    The objective, with sample weights s (0 where a label is missing) and task weights omega:

    .. math::
        \\sum_t \\omega_t \\sum_i s_{ti} (y_{ti} - x_i^T (w_0 + v_t) - b_t)^2
        + \\alpha_{shared} \\|w_0\\|^2 + \\alpha_{specific} \\sum_t \\|v_t\\|^2
        + \\alpha_{intercept} \\sum_t (b_t - b_0)^2

    These are plain sums, as in :class:`sklearn.linear_model.Ridge`. One task equals Ridge with
    alpha = alpha_shared alpha_specific / (alpha_shared + alpha_specific); alpha_specific = inf with
    alpha_intercept = inf is one Ridge on all rows, alpha_specific = inf with alpha_intercept =
    alpha_shared that Ridge with dummy variables for the tasks, and alpha_shared = inf with
    alpha_intercept = 0 a Ridge for each task. X is centred by its pooled weighted mean before
    the intercepts are penalised, so the fit does not depend on the origin of X. With
    ``standardize=True`` x stands for the features in standard units and w for their coefficients,
    so that the fit does not depend on the units of X either; else features in large units are
    hardly penalised.

    Under a balancer with weights w of mean 1 the tasks' mean squared errors L_t replace their sums,
    in the objective N/T sum_t w_t L_t + penalties for N labels in T tasks, which is the one above
    where all tasks have as many labels. Three kinds of balancers are solved each in its own way:

    - "nash_bargaining" and "excess_risk" are convex programs: the first maximises the product of
      the gains over a model without features (:class:`~skmtl.balancing.NashBargaining` says what is
      invariant to what, and what the penalties are weighed against), the second makes the largest
      excess relative to that of zero coefficients least.
    - Others that read losses or distances to the tasks' own optima ("dibs", "stch", "uncertainty",
      "gls", "imtl_l") are fixed points, weights that are those of the fit under them, to 1e-6 in
      their logarithms. "group_dro" and "famo" keep a memory: fits and their steps alternate until
      the weights stay.
    - Rules that read gradients alone ("mgda", "nash", "upgrad") are followed downhill from zero
      coefficients and stop at the first Pareto-stationary point that they meet.

    What is not reached brings a `ConvergenceWarning` that says why. A task's own objective carries
    its share 1/T of the penalties. All weights but those of "nash_bargaining" against gains have
    mean 1 beside the penalties as they are: where scaling a loss changes nothing in "dibs",
    "uncertainty", "gls" and "imtl_l", that is so in fits whose penalties are negligible, while
    scaling all labels changes nothing for any penalties there. Where every task has coefficients of
    its own the weights act as relative regularisation; with alpha_specific = inf all tasks pull at
    one coefficient vector.

    The fit is computed in float64 where the device has it and returned in X's type.

    References
    ----------
    .. [1] Evgeniou, T. and Pontil, M. (2004). Regularized multi-task learning. KDD.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl import MultiTaskRidge
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> Y = np.array([[0.0, 1.0], [1.0, np.nan], [2.0, 3.0], [3.0, 4.0]])
    >>> model = MultiTaskRidge(alpha_shared=0.01, alpha_specific=1.0).fit(X, Y)
    >>> model.predict([[4.0]]).round(1)
    array([[4., 5.]])
    >>> model.coef_.shape, model.shared_coef_.shape
    ((2, 1), (1,))
    """

    def __init__(
        self,
        alpha_shared=1.0,
        alpha_specific=1.0,
        *,
        alpha_intercept=0.0,
        fit_intercept=True,
        standardize=False,
        task_weight=None,
        balancer=None,
        task_column=None,
        unknown_task="error",
        solver="auto",
        tol=1e-10,
        max_iter=1000,
        device="auto",
    ):
        self.alpha_shared = alpha_shared
        self.alpha_specific = alpha_specific
        self.alpha_intercept = alpha_intercept
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.task_weight = task_weight
        self.balancer = balancer
        self.task_column = task_column
        self.unknown_task = unknown_task
        self.solver = solver
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
        self : MultiTaskRidge

        Raises
        ------
        ValueError
            If a parameter, X, y or sample_weight is out of range or of the wrong shape.
        TypeError
            If a parameter is of the wrong type.
        MemoryError
            If what the fit has to hold exceeds the memory that is free.
        """
        penalty, balancer = self._check_params(), check_balancer(self)
        fit_input = self._validate_fit(X, y, sample_weight)
        if balancer is not None:
            fit_input, solution = self._balance(balancer, fit_input, penalty)
            return self._finish(X, fit_input, solution)
        problem = QuadraticProblem(
            fit_input.data, SquaredError(), fit_input.omega, fit_intercept=self.fit_intercept
        )
        solution = problem.solve(penalty, solver=self.solver, tol=self.tol, max_iter=self.max_iter)
        warn_unsolved(solution, self.tol)
        return self._finish(X, fit_input, solution)

    def _finish(self, X, fit_input, solution):
        with at_once(self) as model:
            model._record_solution(X, fit_input, solution)
            vars(model).pop("_moments", None)  # of an earlier stream
        return self

    def _balance(self, balancer, fit_input, penalty):
        """(FitInput with the weights found, Solution)."""
        data, T = fit_input.data, fit_input.data.n_tasks
        free = penalty.alpha_intercept == 0
        level, layout = label_levels(data, self.fit_intercept, own=free), one_unit_each(T)
        solver = choose_smooth_solver("auto", layout, data.X)
        problem = SmoothProblem(
            without_levels(data, level),
            SquaredError(),
            layout,
            np.ones(T),
            fit_intercept=self.fit_intercept,
            free_intercept=free,
            on_host=solver == "irls",
        )
        solution, weights = fit_balanced(
            balancer,
            problem,
            fit_input,
            penalty,
            solver,
            unit=2.0,
            own_risk=partial(self._own_risk, data),
        )
        solution = solution._replace(
            b=solution.b + problem.put(level),
            shared=solution.shared[0, :],
            shared_intercept=solution.shared_intercept[0] + float(level.mean()),
        )
        return fit_input._replace(omega=weights), solution

    def _own_risk(self, data, t):
        """Half the leave-one-out mean squared error of the best ridge on one task's data."""
        data = of_tasks(data, np.array([t]))
        problem = QuadraticProblem(
            data, SquaredError(), np.ones(1), fit_intercept=self.fit_intercept
        )
        specific = (problem.feature_variance() or 1.0) * np.logspace(5, -3, 17)
        errors, _ = problem.scores(np.array([np.inf]), specific, np.zeros(1))
        return float(np.nanmin(errors)) / 2

    def _check_params(self):
        """Check every parameter and return the penalty."""
        check_solver(self, SOLVERS)
        return check_penalty(self)

    def _used_penalty(self):
        return check_penalty(self)

    def _fit_moments(self, moments, omega):
        if self.balancer is not None:
            raise ValueError(
                f"partial_fit takes no balancer, got {self.balancer!r}: it keeps no rows."
            )
        problem = MomentProblem(moments, omega, fit_intercept=self.fit_intercept)
        return problem.solve(check_penalty(self)), lambda model: None

    def _record_solution(self, X, fit_input, solution):
        super()._record_solution(X, fit_input, solution)
        self.n_iter_ = max(1, solution.n_iter)
