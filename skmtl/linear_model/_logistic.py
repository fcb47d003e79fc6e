"""MultiTaskLogisticRegression: log loss, shared-plus-specific penalty, Newton's method."""

import warnings
from functools import partial

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning

from .._classifier import ProbabilityMixin
from .._data import of_tasks
from .._input import check_class_weight, weigh_classes
from ..base import at_once
from ..losses import LogLoss, MultinomialLogLoss
from ..penalties import SharedSpecific
from ..solvers import (
    SMOOTH_SOLVERS,
    SmoothProblem,
    choose_smooth_solver,
    feature_variance,
    leave_one_out_sums,
)
from ._balanced import check_balancer, fit_balanced
from ._linear_classifier import LinearClassifierMixin, constant_solution
from ._parameters import check_penalty, check_solver

OWN_GRID = np.logspace(3, -1, 5)  # of a task by itself, in units of the features' variance
CERTAIN = 1e-4  # largest loss of a task's labels below which its classes are separated


def loss_of(classes):
    """Log loss of a logit where all tasks are binary, else of a score for each class."""
    return LogLoss() if classes.is_binary else MultinomialLogLoss()


class LogisticMixin(ProbabilityMixin, LinearClassifierMixin):
    """From validated input to a SmoothProblem, and the warnings of its solution."""

    def _check_fit_params(self):
        """Check the parameters of the fit at one penalty."""
        check_solver(self, SMOOTH_SOLVERS)
        check_class_weight(self.class_weight)

    def _fit_penalty(self, X, fit_input, penalty, balancer=None):
        """Fit and record the model of one penalty."""
        free = self.fit_intercept and penalty.alpha_intercept == 0
        classes, fitted = self._prepare(fit_input, models_only=not free)
        weights = fit_input.labelled, fit_input.omega
        if fitted.data is None:
            solution = constant_solution(fit_input.data.X.shape[1])
        elif balancer is not None:
            equal = fitted._replace(omega=np.ones(len(fitted.labelled)))
            problem, solver = self._make_problem(equal, classes, free_intercept=free)
            solution, found = fit_balanced(
                balancer,
                problem,
                fitted,
                penalty,
                solver,
                unit=1.0,
                own_risk=partial(self._own_risk, fitted, classes),
            )
            weights = fitted.labelled, found
        else:
            problem, solver = self._make_problem(fitted, classes, free_intercept=free)
            solution, point = problem.solve(
                penalty, solver=solver, tol=self.tol, max_iter=self.max_iter, polish=True
            )
            self._warn(solution, problem, point, fitted)
        with at_once(self) as model:
            model._record_units(X, fitted, classes, weights, solution)
            model.n_iter_ = max(1, solution.n_iter)
        return self

    def _own_risk(self, fitted, classes, t):
        """Approximate leave-one-out mean log loss of the best model of one fitted task alone."""
        data = of_tasks(fitted.data, np.array([t]))
        alone = fitted._replace(data=data, labelled=fitted.labelled[[t]], omega=np.ones(1))
        problem, solver = self._make_problem(alone, classes, free_intercept=True, on_host=True)
        s, risks, start = data.labels.s, [], None
        for alpha in (feature_variance(data) or 1.0) * OWN_GRID:
            penalty = SharedSpecific(np.inf, alpha, 0.0)
            limits = {"solver": solver, "tol": self.tol, "max_iter": self.max_iter}
            _, start = problem.solve(penalty, start=start, **limits)
            risks.append(leave_one_out_sums(problem, start, np.minimum(1.0, s), s)[0] / s.sum())
        return min(risks)

    def _prepare(self, fit_input, *, models_only):
        """(TaskClasses, FitInput of the fitted tasks with their classes weighted)."""
        classes, fitted = self._separate(fit_input, models_only=models_only)
        if fitted.data is None:
            return classes, fitted
        data = weigh_classes(
            fitted.data, fitted.labelled, fitted.tasks, classes.values, self.class_weight
        )
        return classes, fitted._replace(data=data)

    def _make_problem(self, fitted, classes, *, free_intercept, on_host=False):
        """(SmoothProblem, name of its solver)."""
        X, layout = fitted.data.X, classes.units(fitted.labelled)
        solver = choose_smooth_solver(self.solver, layout, X)
        problem = SmoothProblem(
            fitted.data,
            loss_of(classes),
            layout,
            fitted.omega,
            fit_intercept=self.fit_intercept,
            free_intercept=free_intercept,
            on_host=on_host or solver == "irls",
        )
        return problem, solver

    def _warn(self, solution, problem, point, fitted):
        """One ConvergenceWarning, if `tol` was not reached or only the penalties hold the fit."""
        if not solution.converged:
            message = (
                f"solver stopped after {solution.n_iter} iterations at a relative gradient of "
                f"{solution.residual:.1e}, above tol={self.tol}; raise max_iter, tol or the "
                "penalties, or standardise the features."
            )
        else:
            certain = np.flatnonzero(problem.largest_losses(point) < CERTAIN)
            if not certain.size:
                return
            task = fitted.tasks[fitted.labelled[certain[0]]]
            others = f" (and {certain.size - 1} more)" if certain.size > 1 else ""
            message = (
                f"the features separate the classes of task {task!r}{others}, and the penalties "
                "are too small to bound the coefficients, whose size is then set by tol; raise "
                "alpha_shared or alpha_specific."
            )
        warnings.warn(message, ConvergenceWarning, stacklevel=4)


class MultiTaskLogisticRegression(LogisticMixin, BaseEstimator):
    """Logistic regression for related tasks: shared plus task-specific coefficients.

    Tasks are binary or multiclass, side by side, with class sets of their own.

    Parameters
    ----------
    alpha_shared : float in (0, inf], default=1.0
        Strength on the shared coefficients. inf: none are shared, every task stands alone.
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
    class_weight : None, "balanced", dict or list of length n_tasks, default=None
        Factors in (0, inf) of the sample weights by class, 1 for a class that is not named.
        "balanced": within each task, the sum of its weights over the number of its classes and
        the sum of the weights of the class. A list has an entry for each task.
    missing_label : object, default=nan
        The label of a 2-D y that means that none was observed. NaN and None always do, but
        scikit-learn's tools refuse them where their `cv` is an integer or None: give those
        ``cv=MultiTaskKFold()``, or integer labels with ``missing_label=-1``.
    task_column : str or int, default=None
        Name or position of the column of X that holds the task ids (long data). None: wide y.
    unknown_task : {"error", "shared"}, default="error"
        What predict does with an id that fit did not see: refuse it, or use the shared part.
    solver : {"auto", "newton-cg", "irls"}, default="auto"
        "newton-cg": Newton steps by conjugate gradients, preconditioned by the exact solution of
        the problem with the Hessian's diagonal. "irls": exact Newton steps, each a weighted ridge,
        by elimination task by task. "auto" is "irls" for few coefficients, else "newton-cg".
    tol : float, default=1e-6
        Largest gradient in a coefficient, relative to the largest at zero coefficients, at which
        the solver stops; that in an intercept is relative to half the weight of a task's labels.
        One more step follows, which squares the error.
    max_iter : int, default=100
        Most Newton steps.
    device : {"auto", "cpu", "cuda"}, default="auto"
        Where NumPy input is computed; arrays of other array-API libraries are computed where they
        lie. "auto" takes a GPU through cupy if there is one and the work is worth the transfer.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,) or list of n_tasks such arrays
        A list where y is 2-D. Long data: the classes of all tasks.
    coef_ : ndarray of shape (n_tasks, n_features), or list
        Of the logit of each task's second class. Where a task has more than two classes: a list of
        arrays of shape (n_classes of the task, n_features).
    intercept_ : ndarray of shape (n_tasks,), or list of arrays of shape (n_classes of the task,)
    shared_coef_ : ndarray of shape (n_features,) or (n_classes, n_features)
        Where a task has more than two classes: one row for each class of any task, sorted.
    specific_coef_ : ndarray of shape (n_tasks, n_features), or list
        `coef_` less the shared part.
    shared_intercept_ : ndarray of shape () or (n_classes,)
        Intercepts of a task of which nothing is known.
    task_weights_ : ndarray of shape (n_tasks,)
        Weights used, mean 1 over labelled tasks and 0 for the others; under a balancer those of
        the mean losses of the fitted tasks.
    tasks_ : list
        Task ids, sorted, or column names of y.
    n_tasks_ : int
    n_iter_ : int
        Newton steps, or weighted fits under a balancer.
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
    MultiTaskLogisticRegressionCV : The same, with penalties chosen by cross-validation.
    MultiTaskRidgeClassifier : Least squares on +-1, faster and without probabilities.

    Notes
    -----
    The objective for binary tasks, whose second class in sorted order is y = 1, with sample weights
    s (0 where a label is missing) and task weights omega:

    .. math::
        \\sum_t \\omega_t \\sum_i s_{ti} \\{\\log(1 + e^{z_{ti}}) - y_{ti} z_{ti}\\}
        + \\tfrac12 \\alpha_{shared} \\|w_0\\|^2 + \\tfrac12 \\alpha_{specific} \\sum_t \\|v_t\\|^2
        + \\tfrac12 \\alpha_{intercept} \\sum_t (b_t - b_0)^2,
        \\quad z_{ti} = x_i^T (w_0 + v_t) + b_t

    One task equals :class:`sklearn.linear_model.LogisticRegression` with 1/C = alpha_shared
    alpha_specific / (alpha_shared + alpha_specific). alpha_specific = inf with alpha_intercept =
    inf is one LogisticRegression of C = 1/alpha_shared on all rows; alpha_shared = inf with
    alpha_intercept = 0 is one for each task.

    Where some task has more than two classes, every task has a softmax over its own classes, and
    what is shared is shared by class label: w_tc = w_0c + v_tc, with the penalties summed over
    classes. A task's two classes c, d then have the logit w_td - w_tc.

    X is centred by its pooled weighted mean before the intercepts are penalised, so the fit does
    not depend on the origin of X. Penalties are not scaled to the units of X: standardise features
    first.

    A task that has labels of one class only predicts that class, and a warning says so. Where the
    most frequent set of classes among the other tasks holds it, the task is given that set:
    `classes_` and `predict_proba` show it, and with penalised intercepts its labels take part in
    the fit and its probabilities rank the rows (with free intercepts they are 0 and 1). Tasks
    without labels, and unseen ones with ``unknown_task="shared"``, have that set too.

    Balancers are solved as the Notes of :class:`MultiTaskRidge` say, with mean log losses L_t in
    place of mean squared errors and half the penalties, as in the objective above. Log losses have
    no unit: "nash_bargaining" maximises the product of the gains over a model without features, and
    against gains (:class:`~skmtl.balancing.NashBargaining`) scaling a loss changes nothing whatever
    the penalties.

    References
    ----------
    .. [1] Evgeniou, T. and Pontil, M. (2004). Regularized multi-task learning. KDD.
    .. [2] Nocedal, J. and Wright, S. (2006). Numerical Optimization, chapter 7. Springer.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl import MultiTaskLogisticRegression
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0]])
    >>> Y = np.array([[0, 0], [0, np.nan], [0, 1], [1, 1], [1, 1]])
    >>> model = MultiTaskLogisticRegression(alpha_shared=0.1).fit(X, Y)
    >>> model.predict([[1.9], [3.1]])
    array([[0., 1.],
           [1., 1.]])
    >>> [p.round(2).tolist() for p in model.predict_proba([[1.9]])]
    [[[0.87, 0.13]], [[0.06, 0.94]]]
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
        class_weight=None,
        missing_label=np.nan,
        task_column=None,
        unknown_task="error",
        solver="auto",
        tol=1e-6,
        max_iter=100,
        device="auto",
    ):
        self.alpha_shared = alpha_shared
        self.alpha_specific = alpha_specific
        self.alpha_intercept = alpha_intercept
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.task_weight = task_weight
        self.balancer = balancer
        self.class_weight = class_weight
        self.missing_label = missing_label
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
            Class labels; `missing_label`, NaN or None in a 2-D y marks one that was not observed.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), optional
            Frequencies: weight 2 is the row (or label) twice, weight 0 leaves it out.

        Returns
        -------
        self : MultiTaskLogisticRegression

        Raises
        ------
        ValueError
            If a parameter, X, y or sample_weight is out of range or of the wrong shape.
        TypeError
            If a parameter is of the wrong type.
        """
        penalty, balancer = self._check_params(), check_balancer(self)
        fit_input = self._validate_fit(X, y, sample_weight)
        return self._fit_penalty(X, fit_input, penalty, balancer)

    def _check_params(self):
        """Check every parameter and return the penalty."""
        self._check_fit_params()
        return check_penalty(self)
