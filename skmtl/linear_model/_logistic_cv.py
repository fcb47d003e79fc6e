"""MultiTaskLogisticRegression with its penalties chosen from a grid by the log loss held out.

One problem a fold serves the whole grid: each point starts at the solution of its neighbour.
"""

import warnings
from functools import partial

import numpy as np
from sklearn.base import BaseEstimator

from .._checks import check_option
from ..base import at_once
from ..penalties import SharedSpecific
from ..solvers import feature_variance, leave_one_out_sums
from ._grid import GridMixin
from ._held_out import HeldOut
from ._linear_classifier import constant_solution
from ._logistic import LogisticMixin, MultiTaskLogisticRegression, loss_of
from ._selection import LOGISTIC_GRID, best_index, grid_point, with_defaults

CRITERIA = ("cv", "alo")
ROUGH = 1e-4  # relative gradient at which a point of the grid is scored


class MultiTaskLogisticRegressionCV(GridMixin, LogisticMixin, BaseEstimator):
    """MultiTaskLogisticRegression with built-in choice of its three penalties.

    The default grid contains the limits in which the model is one pooled logistic regression, and
    independent ones, so the choice between them is part of the fit.

    Parameters
    ----------
    alphas_shared : array-like of values in (0, inf], default=None
        Grid for alpha_shared; None: ``v * logspace(-1, 4, 6)`` and inf, where v is the mean
        variance of the features, 1 in standard units.
    alphas_specific : array-like of values in (0, inf], default=None
        Grid for alpha_specific; None: ``v * logspace(-1, 4, 6)`` and inf.
    alphas_intercept : array-like of values in [0, inf], default=None
        Grid for alpha_intercept; None: 0.1, 1, 10 and inf. Ignored without intercepts.
    criterion : {"cv", "alo"}, default="cv"
        "cv": log loss of the labels that the folds of `cv` hold out. "alo": approximate
        leave-one-out log loss, one Newton step from the fit of all labels; of whole rows of a wide
        y and of single labels of long data.
    cv : int, splitter, iterable of splits or None, default=None
        None: 5 folds. An integer is the number of folds of a shuffled
        :class:`~skmtl.model_selection.MultiTaskKFold`, which spreads the classes of each task.
    scoring : str, callable or None, default=None
        None: log loss. A scorer is called on refitted models, by scikit-learn's grid search.
    per_task : bool, default=False
        Mean over tasks of their mean log losses, instead of the mean over all labels.
    store_cv_results : bool, default=False
        Whether to keep the scores of the whole grid in `cv_results_`.
    standardize : bool, default=True
        Whether the penalties apply to features in standard units, of mean 0 and standard deviation
        1 over the observed labels (without an intercept: of root mean square 1). Coefficients and
        predictions are in the units of X either way.
    fit_intercept, task_weight, class_weight, missing_label, task_column, unknown_task, solver, \
tol, max_iter, device
        As in :class:`MultiTaskLogisticRegression`.
    n_jobs : int or None, default=None
        Folds computed at the same time, in threads.

    Attributes
    ----------
    alpha_shared_, alpha_specific_, alpha_intercept_ : float
        The chosen penalties, of features in standard units with ``standardize=True``. Equal
        scores: the larger specific, then intercept, then shared one.
    best_score_ : float
        Minus the mean log loss, or the mean score over folds with `scoring`.
    cv_results_ : dict of str to ndarray of shape (n_points,)
        With ``store_cv_results=True``: ``param_alpha_specific``, ``param_alpha_intercept``,
        ``param_alpha_shared`` and ``log_loss``, or with `scoring` ``mean_test_score`` and
        ``std_test_score``.
    classes_, coef_, intercept_, shared_coef_, specific_coef_, shared_intercept_, task_weights_, \
tasks_, n_tasks_, n_iter_, n_features_in_, feature_names_in_
        As in :class:`MultiTaskLogisticRegression`.
    mean_, scale_ : ndarray of shape (n_features,)
        What is subtracted from the features and what they are divided by, with
        ``standardize=True``: means and standard deviations; without an intercept 0 and root mean
        squares. A constant feature is divided by its size.

    Notes
    -----
    Labels held out count by their sample weights; class and task weights are part of the fit only.
    A label to which the model of its fold gives no probability, as of a class that its task shows
    in no other fold, costs -log of the spacing of floats, 36.04.

    References
    ----------
    .. [1] Rahnama Rad, K. and Maleki, A. (2020). A scalable estimate of the out-of-sample
       prediction error via approximate leave-one-out cross-validation. Journal of the Royal
       Statistical Society B 82.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl import MultiTaskLogisticRegressionCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 3))
    >>> Y = (X[:, :1] + rng.logistic(size=(60, 4)) > 0).astype(int)
    >>> model = MultiTaskLogisticRegressionCV().fit(X, Y)
    >>> model.alpha_specific_ > model.alpha_shared_  # the tasks are alike
    True
    >>> [c.tolist() for c in model.classes_]
    [[0, 1], [0, 1], [0, 1], [0, 1]]
    """

    def __init__(
        self,
        alphas_shared=None,
        alphas_specific=None,
        *,
        alphas_intercept=None,
        criterion="cv",
        cv=None,
        scoring=None,
        per_task=False,
        store_cv_results=False,
        fit_intercept=True,
        standardize=True,
        task_weight=None,
        class_weight=None,
        missing_label=np.nan,
        task_column=None,
        unknown_task="error",
        solver="auto",
        tol=1e-6,
        max_iter=100,
        device="auto",
        n_jobs=None,
    ):
        self.alphas_shared = alphas_shared
        self.alphas_specific = alphas_specific
        self.alphas_intercept = alphas_intercept
        self.criterion = criterion
        self.cv = cv
        self.scoring = scoring
        self.per_task = per_task
        self.store_cv_results = store_cv_results
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.task_weight = task_weight
        self.class_weight = class_weight
        self.missing_label = missing_label
        self.task_column = task_column
        self.unknown_task = unknown_task
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.device = device
        self.n_jobs = n_jobs

    def fit(self, X, y, sample_weight=None):
        """Choose the penalties and fit with them on all labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            With the task column if `task_column` is set.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Class labels; `missing_label`, NaN or None in a 2-D y marks one that was not observed.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), optional
            Frequencies.

        Returns
        -------
        self : MultiTaskLogisticRegressionCV

        Raises
        ------
        ValueError, TypeError
            If a parameter, X, y or sample_weight is out of range, or there are fewer samples than
            folds.
        """
        self._check_params()
        alphas = self._grid()
        fit_input = self._validate_fit(X, y, sample_weight)
        data = fit_input.data
        self._check_two_samples(fit_input)
        alphas = with_defaults(
            alphas, self._unit_of(partial(feature_variance, data)), LOGISTIC_GRID
        )
        if self.scoring is not None:
            model = self._plain(MultiTaskLogisticRegression)
            chosen, best_score, results = self._cross_validate(model, X, y, sample_weight, alphas)
        else:
            if self.criterion == "alo":
                losses = self._leave_one_out(fit_input, alphas)
            else:
                losses = self._hold_out(self._fold_data(X, y, sample_weight), alphas)
            index = best_index(losses, alphas, np.ones(len(alphas[1]), dtype=bool))
            chosen, best_score = grid_point(alphas, index), -float(losses[index])
            results = self._tabulate(alphas, log_loss=losses)
        self._warn_at_edge(chosen, alphas)
        with at_once(self) as model:
            model._fit_penalty(X, fit_input, SharedSpecific(chosen[2], chosen[0], chosen[1]))
            model._record_choice(chosen, best_score, results)
        return self

    def _check_params(self):
        check_option("criterion", self.criterion, CRITERIA)
        self._check_fit_params()
        self._check_grid_params()
        for name in ("cv", "scoring"):
            if self.criterion == "alo" and getattr(self, name) is not None:
                raise ValueError(
                    f"{name}={getattr(self, name)!r} has no part in criterion='alo', which leaves "
                    "single labels out and scores by log loss."
                )

    def _hold_out(self, data, alphas):
        """Mean log losses over the grid of the labels held out by the folds."""
        folds = self._run_folds(self._fold, data, alphas)
        total = {}
        for names, sums, weights in folds:
            for task, loss, weight in zip(names, sums, weights, strict=True):
                before = total.get(task, (0.0, 0.0))
                total[task] = before[0] + loss, before[1] + weight
        sums, weights = map(np.array, zip(*total.values(), strict=True))
        return self._average(sums, weights)

    def _fold(self, data, train, test, alphas):
        """(tasks, losses (n_tasks, *grid), weights (n_tasks,)) of the labels of one fold."""
        model, fit_input = self._part(data, train)
        held = self._part(data, test, fit_input.units)[1]

        def score(classes, fitted):
            held_out = HeldOut(classes, fitted, held, loss_of(classes))
            return lambda problem, solution, point: held_out.sums(solution)

        sums = model._path(fit_input, alphas, score, len(held.labelled))
        labels = held.data.labels
        weights = np.bincount(labels.task, labels.s, len(held.labelled))
        return [held.tasks[t] for t in held.labelled], sums, weights

    def _leave_one_out(self, fit_input, alphas):
        """Approximate leave-one-out mean log losses over the grid."""
        data = fit_input.data
        weights = np.bincount(data.labels.task, data.labels.s, data.n_tasks)
        place = {t: k for k, t in enumerate(fit_input.labelled.tolist())}

        def score(classes, fitted):
            if fitted.data is None:
                return lambda *_: np.zeros(len(weights))
            numbers = np.array([place[t] for t in fitted.labelled.tolist()])
            plain = self._separate(fit_input, models_only=classes.models_only)[1].data.labels.s
            unit = np.minimum(1.0, plain) * fitted.data.labels.s / plain

            def sums(problem, solution, point):
                found = np.zeros(len(weights))  # zero for constant tasks
                found[numbers] = leave_one_out_sums(problem, point, unit, plain)
                return found

            return sums

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tasks with one class: the last fit warns
            sums = self._path(fit_input, alphas, score, len(weights), on_host=True)
        return self._average(sums, weights)

    def _path(self, fit_input, alphas, score, n_tasks, **options):
        """Losses (n_tasks, *grid) at every point of the grid.

        `score` takes (classes, fitted) and gives a function of (problem, solution, point), whose
        value is the loss of each of `n_tasks` tasks.
        """
        specific, intercept, shared = alphas
        losses = np.empty((*map(len, alphas), n_tasks))
        free = self.fit_intercept & (intercept == 0)
        for kind in np.unique(free):
            classes, fitted = self._prepare(fit_input, models_only=not kind)
            evaluate = score(classes, fitted)
            if fitted.data is None:
                solution = constant_solution(fit_input.data.X.shape[1])
                losses[:, free == kind] = evaluate(None, solution, None)
                continue
            problem, solver = self._make_problem(fitted, classes, free_intercept=kind, **options)
            for j in np.flatnonzero(free == kind):
                first = None
                for i, alpha in enumerate(specific):
                    start = first
                    for k, alpha_shared in enumerate(shared):
                        solution, start = problem.solve(
                            SharedSpecific(alpha_shared, alpha, intercept[j]),
                            solver=solver,
                            tol=max(self.tol, ROUGH),
                            max_iter=self.max_iter,
                            start=start,
                        )
                        first = start if k == 0 else first
                        losses[i, j, k] = evaluate(problem, solution, start)
        return np.moveaxis(losses, -1, 0)

    def _average(self, sums, weights):
        """Mean over all labels, or over tasks of their means."""
        weights = weights[:, None, None, None]
        if self.per_task:
            return (sums / weights).mean(axis=0)
        return sums.sum(axis=0) / weights.sum()
