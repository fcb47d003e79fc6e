"""MultiTaskRidge with its penalties chosen from a grid by exact leave-one-out or evidence."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from .._checks import (
    check_option,
    check_strength,
)
from ..base import at_once
from ..losses import SquaredError
from ..penalties import SharedSpecific
from ..solvers import MomentProblem, QuadraticProblem
from ._add_task import AddTaskMixin
from ._base import LinearRegressorMixin
from ._grid import GridMixin
from ._ridge import MultiTaskRidge
from ._selection import (
    RIDGE_GRID,
    best_index,
    first_least,
    grid_point,
    warn_lost,
    with_defaults,
    within_guard,
)
from ._stream import StreamMixin

CRITERIA = ("loo", "evidence")


class MultiTaskRidgeCV(
    GridMixin, StreamMixin, AddTaskMixin, LinearRegressorMixin, RegressorMixin, BaseEstimator
):
    """MultiTaskRidge with built-in choice of its three penalties.

    The default grid contains the limits in which the model is one pooled ridge, a pooled ridge
    with task dummies, and independent ridges, so the choice among them is part of the fit.

    Parameters
    ----------
    alphas_shared : array-like of values in (0, inf], default=None
        Grid for alpha_shared; None: ``v * logspace(-1, 4, 6)`` and inf, where v is the mean
        variance of the features, 1 in standard units.
    alphas_specific : array-like of values in (0, inf], default=None
        Grid for alpha_specific; None: ``v * logspace(-1, 5, 13)`` and inf.
    alphas_intercept : array-like of values in [0, inf], default=None
        Grid for alpha_intercept; None: 0, ``logspace(-1, 2.5, 8)`` and inf. Ignored without
        intercepts.
    criterion : {"loo", "evidence"}, default="loo"
        "loo": exact leave-one-out squared error, of whole rows of a wide y (labels of a row share
        their noise) and of single labels of long data. "evidence": the restricted likelihood of
        the model as a linear mixed model; between free and shrunk intercepts, whose evidences do
        not compare, leave-one-out decides.
    guard : float in [0, inf) or None, default=4.0
        On long data only points whose -2 log evidence is within `guard` of the best compete for
        the least leave-one-out error; free intercepts are judged by the evidence of an intercept
        penalty of 1e-3. Wide data are guarded only where labels are missing and rows do not
        outnumber features, since the evidence takes the labels of a row for independent. None: all
        compete.
    per_task : bool, default=False
        Mean over tasks of their mean squared errors, instead of the mean over all labels.
    cv : int, splitter, iterable of splits or None, default=None
        Cross-validation instead of `criterion`; an integer is the number of folds of a shuffled
        :class:`~skmtl.model_selection.MultiTaskKFold`.
    scoring : str, callable or None, default=None
        Scorer for `cv`; None is the model's own `score`. A given scoring needs a `cv`.
    store_cv_results : bool, default=False
        Whether to keep the scores of the whole grid in `cv_results_`.
    standardize : bool, default=True
        Whether the penalties apply to features in standard units, of mean 0 and standard deviation
        1 over the observed labels (without an intercept: of root mean square 1). Coefficients and
        predictions are in the units of X either way.
    fit_intercept, task_weight, task_column, unknown_task, device
        As in :class:`MultiTaskRidge`.
    n_jobs : int or None, default=None
        Jobs for `cv`; leave-one-out needs none.

    Attributes
    ----------
    alpha_shared_, alpha_specific_, alpha_intercept_ : float
        The chosen penalties, of features in standard units with ``standardize=True``. Equal
        scores: the larger specific, then intercept, then shared one.
    best_score_ : float
        Minus the weighted mean squared leave-one-out error, or the log evidence, or the mean score
        over the folds of `cv`.
    cv_results_ : dict of str to ndarray of shape (n_points,)
        With ``store_cv_results=True``: ``param_alpha_specific``, ``param_alpha_intercept``,
        ``param_alpha_shared``, and ``loo_error`` and ``deviance`` (-2 log evidence) or, with a
        `cv`, ``mean_test_score`` and ``std_test_score``.
    coef_, intercept_, shared_coef_, specific_coef_, shared_intercept_, task_weights_, tasks_, \
n_tasks_, n_features_in_, feature_names_in_
        As in :class:`MultiTaskRidge`.
    mean_, scale_ : ndarray of shape (n_features,)
        What is subtracted from the features and what they are divided by, with
        ``standardize=True``: means and standard deviations; without an intercept 0 and root mean
        squares. A constant feature is divided by its size.

    Notes
    -----
    Leave-one-out takes one unit of weight out: a label of weight 2 is two labels. The weights of
    tasks and the grid stay as they are. On a complete wide y the mean of X, about which intercepts
    are penalised, is that of the rows that are left; elsewhere it stays too. Where a task has one
    label and a free intercept the prediction of that label is the limit of a vanishing intercept
    penalty. Means and deviations of the features are those of all rows. Where the model fits all
    labels, as with tiny penalties on few rows, errors may be lost in rounding: such points do not
    compete, and a warning says how many. The deviance of a free intercept (alpha_intercept = 0)
    compares with that of other free ones only.

    References
    ----------
    .. [1] Golub, G., Heath, M. and Wahba, G. (1979). Generalized cross-validation as a method for
       choosing a good ridge parameter. Technometrics 21.
    .. [2] Patterson, H. and Thompson, R. (1971). Recovery of inter-block information when block
       sizes are unequal. Biometrika 58.

    Examples
    --------
    >>> from skmtl import MultiTaskRidgeCV
    >>> from skmtl.datasets import make_multitask_regression
    >>> X, Y = make_multitask_regression(60, 5, 4, similarity=0.9, random_state=0)
    >>> model = MultiTaskRidgeCV().fit(X, Y)
    >>> model.alpha_specific_ > model.alpha_shared_  # the tasks are alike
    True
    >>> model.coef_.shape
    (4, 5)
    """

    def __init__(
        self,
        alphas_shared=None,
        alphas_specific=None,
        *,
        alphas_intercept=None,
        criterion="loo",
        guard=4.0,
        per_task=False,
        cv=None,
        scoring=None,
        store_cv_results=False,
        fit_intercept=True,
        standardize=True,
        task_weight=None,
        task_column=None,
        unknown_task="error",
        device="auto",
        n_jobs=None,
    ):
        self.alphas_shared = alphas_shared
        self.alphas_specific = alphas_specific
        self.alphas_intercept = alphas_intercept
        self.criterion = criterion
        self.guard = guard
        self.per_task = per_task
        self.cv = cv
        self.scoring = scoring
        self.store_cv_results = store_cv_results
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.task_weight = task_weight
        self.task_column = task_column
        self.unknown_task = unknown_task
        self.device = device
        self.n_jobs = n_jobs

    def fit(self, X, y, sample_weight=None):
        """Choose the penalties and fit with them on all labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            NaN in a 2-D y marks a label that was not observed.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), optional
            Frequencies.

        Returns
        -------
        self : MultiTaskRidgeCV

        Raises
        ------
        ValueError, TypeError
            If a parameter, X, y or sample_weight is out of range, or there is only one sample.
        """
        self._check_params()
        alphas = self._grid()
        fit_input = self._validate_fit(X, y, sample_weight)
        self._check_two_samples(fit_input)
        problem = QuadraticProblem(
            fit_input.data, SquaredError(), fit_input.omega, fit_intercept=self.fit_intercept
        )
        alphas = with_defaults(alphas, self._unit_of(problem.feature_variance), RIDGE_GRID)
        if self.cv is None:
            chosen, best_score, results = self._leave_one_out(problem, alphas)
        else:
            ridge = self._plain(MultiTaskRidge)
            found = self._cross_validate(ridge, X, y, sample_weight, alphas)
            chosen, best_score, results = found
        specific, intercept, shared = chosen
        solution = problem.solve(SharedSpecific(shared, specific, intercept))
        self._warn_at_edge(chosen, alphas)
        with at_once(self) as model:
            model._record_solution(X, fit_input, solution)
            vars(model).pop("_moments", None)  # of an earlier stream
            model._record_choice(chosen, best_score, results)
        return self

    def _fit_moments(self, moments, omega):
        """Choose by generalised cross-validation, as leave-one-out needs the rows, and solve."""
        for name in ("cv", "per_task"):
            if getattr(self, name):
                raise ValueError(
                    f"partial_fit keeps no rows, so {name}={getattr(self, name)!r} cannot be "
                    "used; it scores by generalised cross-validation."
                )
        problem = MomentProblem(moments, omega, fit_intercept=self.fit_intercept)
        alphas = with_defaults(self._grid(), self._unit_of(problem.feature_variance), RIDGE_GRID)
        specific, intercept, shared = alphas
        gcv, deviance = problem.scores(shared, specific, intercept)
        results = self._tabulate(alphas, gcv=gcv, deviance=deviance)
        free = intercept == 0
        if self.criterion == "evidence":
            winners = [best_index(deviance, alphas, kind) for kind in (~free, free) if kind.any()]
            index = winners[first_least(np.array([gcv[winner] for winner in winners]))]
            best_score = -deviance[index] / 2
        else:
            few = moments.n.max() <= moments.n_features
            if self.guard is not None and (self.task_column is not None or few):
                evidence = lambda *grid: problem.scores(*grid)[1]  # noqa: E731
                gcv = np.where(within_guard(deviance, alphas, evidence, self.guard), gcv, np.inf)
            index = best_index(gcv, alphas, np.ones_like(free))
            best_score = -gcv[index]
        chosen = grid_point(alphas, index)
        self._warn_at_edge(chosen, alphas)
        solution = problem.solve(SharedSpecific(chosen[2], chosen[0], chosen[1]))
        return solution, lambda model: model._record_choice(chosen, float(best_score), results)

    def _used_penalty(self):
        return SharedSpecific(self.alpha_shared_, self.alpha_specific_, self.alpha_intercept_)

    def _check_params(self):
        check_option("criterion", self.criterion, CRITERIA)
        if self.guard is not None:
            check_strength("guard", self.guard, zero=True, infinite=False)
        self._check_grid_params()
        if self.scoring is not None and self.cv is None:
            raise ValueError(
                f"scoring={self.scoring!r} needs a cv; leave-one-out measures the squared error."
            )

    def _leave_one_out(self, problem, alphas):
        """(chosen, best score, results) by leave-one-out or evidence."""

        def scores(alphas, loo):
            specific, intercept, shared = alphas
            return problem.scores(shared, specific, intercept, per_task=self.per_task, loo=loo)

        free = alphas[1] == 0
        by_evidence = self.criterion == "evidence"
        error, deviance = scores(alphas, loo=not by_evidence)
        results = self._tabulate(alphas, loo_error=error, deviance=deviance)
        if by_evidence:
            winners = [best_index(deviance, alphas, kind) for kind in (~free, free) if kind.any()]
            index = winners[0]
            if len(winners) > 1:
                points = [grid_point(alphas, winner) for winner in winners]
                losses = [
                    scores([np.array([v]) for v in point], loo=True)[0].item() for point in points
                ]
                index = winners[first_least(np.array(losses))]
            return grid_point(alphas, index), float(-deviance[index] / 2), results
        warn_lost(error)
        n_rows, n_features = problem.data.X.shape
        wide_with_gaps = not problem.data.is_common_design and n_rows <= n_features
        if self.guard is not None and (problem.data.one_label_per_row or wide_with_gaps):
            evidence = lambda *grid: problem.scores(*grid, loo=False)[1]  # noqa: E731
            competes = within_guard(deviance, alphas, evidence, self.guard, np.isfinite(error))
            error = np.where(competes, error, np.inf)
        index = best_index(error, alphas, np.ones_like(free))
        return grid_point(alphas, index), float(-error[index]), results
