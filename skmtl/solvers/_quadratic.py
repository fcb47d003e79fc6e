"""Quadratic problems: choose an exact route, solve or score a grid, return to the units of X."""

from dataclasses import replace
from functools import cached_property

import numpy as np
from scipy.sparse import issparse

from .._backend import few_threads, namespace_of, shift_full_columns
from ._arrow import solve_arrow
from ._common_design import CommonDesign
from ._design import feature_variance, make_design, make_frame
from ._eigen_grid import BlockGrid
from ._masked import MaskedDesign, iterations_worthwhile
from ._solution import Solution

SOLVERS = ("auto", "cholesky", "dual", "cg")
OVERFLOW = (
    "the normal equations overflow: the values of X or y are too large; bring them to units in "
    "which they are below 1e100."
)
SINGULAR = (
    "the normal equations are singular to rounding; bring features to one scale, drop those that "
    "others determine, or raise the alphas."
)
LARGE = 1e100  # squares of larger numbers, summed, come near the end of float64
MANY = 1000  # features from which small tasks make conjugate gradients at the tip faster
MOST_ITERATIONS = 200  # of conjugate gradients before a factorisation takes over
EXACT = 1e-13  # relative residual at which conjugate gradients are as good as a factorisation
PENALTY_WORDS = ("alpha_shared", "alpha_specific", "alpha_intercept")


def choose_solver(solver, n_rows, n_features):
    """Name of the route: "auto" is "dual" with fewer rows than features, else "cholesky".

    Parameters
    ----------
    solver : {"auto", "cholesky", "dual", "cg"}
    n_rows, n_features : int

    Returns
    -------
    str

    Examples
    --------
    >>> from skmtl.solvers import choose_solver
    >>> choose_solver("auto", 20, 500)
    'dual'
    """
    if solver != "auto":
        return solver
    return "dual" if n_rows < n_features else "cholesky"


class QuadraticProblem:
    """sum_t omega_t sum_i s_ti 2 loss(y_ti, x_i.w_t + b_t) + 2 penalty(W) + 2 penalty(b).

    A complete common design with equal task weights splits into two ridges, factorised once; any
    other problem is eliminated block by block, or by conjugate gradients where they are faster.

    Parameters
    ----------
    data : TaskData
    loss : quadratic loss
    omega : ndarray of shape (n_tasks,)
        Positive weights of the tasks, mean 1.
    fit_intercept : bool

    Raises
    ------
    TypeError
        If the loss is not quadratic.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl._data import wide_data
    >>> from skmtl.losses import SquaredError
    >>> from skmtl.penalties import SharedSpecific
    >>> from skmtl.solvers import QuadraticProblem
    >>> data, _ = wide_data(np.array([[1.0], [-1.0]]), np.array([[1.0, 2.0], [-1.0, -2.0]]))
    >>> problem = QuadraticProblem(data, SquaredError(), np.ones(2), fit_intercept=False)
    >>> problem.solve(SharedSpecific(2.0, np.inf)).W
    array([[1.],
           [1.]])
    """

    def __init__(self, data, loss, omega, *, fit_intercept):
        if not getattr(loss, "is_quadratic", False):
            raise TypeError(f"block elimination needs a quadratic loss, got {loss!r}.")
        self.shift = None
        if issparse(data.X) and fit_intercept:
            X, self.shift = shift_full_columns(data.X)
            data = replace(data, X=X)
        self.data, self.omega, self.fit_intercept = data, omega, fit_intercept
        self.splits = data.is_common_design and bool((omega == omega[0]).all())

    @cached_property
    def _common(self):
        return CommonDesign(self.data, fit_intercept=self.fit_intercept)

    def solve(self, penalty, *, solver="auto", tol=1e-10, max_iter=1000):
        """Minimise at one penalty.

        Parameters
        ----------
        penalty : object with alpha_shared, alpha_specific, alpha_intercept and shared_fraction
        solver : {"auto", "cholesky", "dual", "cg"}
        tol, max_iter
            Of "cg".

        Returns
        -------
        Solution
        """
        if not all(hasattr(penalty, name) for name in PENALTY_WORDS):
            raise TypeError(
                f"block elimination needs a penalty with {PENALTY_WORDS}, got {penalty!r}."
            )
        method = choose_solver(solver, *self.data.X.shape)
        limits = {"method": method, "tol": tol, "max_iter": max_iter}
        with few_threads(min(self.data.X.shape)):
            if self.splits:
                frame = self._common.frame
                w0, V, b0, b, *report = self._common.solve(penalty, **limits)
            else:
                found = self._solve_fast(penalty) if solver == "auto" else None
                found = found or self._solve_blocks(penalty, **limits)
                frame, w0, V, b0, b, *report = found
            solution = _in_units_of_X(frame, w0, V, b0, b, *report, tol)
            if self.shift is not None:
                solution = _moved(solution, self.shift)
        xp = namespace_of(solution.W)
        if not bool(xp.all(xp.isfinite(solution.W)) and xp.all(xp.isfinite(solution.b))):
            raise ValueError(self._what_failed())
        return solution

    def _what_failed(self):
        """The sentence for numbers that are not finite."""
        X = self.data.X.data if issparse(self.data.X) else self.data.X
        xp = namespace_of(X)
        largest = max(float(xp.max(xp.abs(X))), float(np.abs(self.data.labels.y).max()))
        return SINGULAR if largest < LARGE else OVERFLOW

    def _solve_fast(self, penalty):
        """Solution by conjugate gradients where they are faster and as exact, else None."""
        if self._has_small_tasks():
            *found, _, residual = self._solve_blocks(
                penalty, method="cg", tol=EXACT, max_iter=MOST_ITERATIONS
            )
            return (*found, 0, 0.0) if residual <= EXACT else None
        return self._solve_masked(penalty)

    def _has_small_tasks(self):
        """Whether features are many and every task is far smaller than they and the data are."""
        (n, p), sizes = self.data.X.shape, np.diff(self.data.labels.indptr)
        rows_of_their_own = self.data.one_label_per_row and not issparse(self.data.X)
        return rows_of_their_own and p >= MANY and sizes.max() < min(p, n) / 2

    def _solve_masked(self, penalty):
        """Solution of a common design with gaps by PCG, or None where that would take too long."""
        data, omega, fit_intercept = self.data, self.omega, self.fit_intercept
        max_iter = iterations_worthwhile(data)
        if max_iter == 0 or np.isinf(penalty.alpha_specific):
            return None
        frame = make_frame(data, omega, fit_intercept=fit_intercept, reduce=False)
        design = MaskedDesign(data, omega, frame, fit_intercept=fit_intercept)
        w0, V, b0, b, _, residual = design.solve(penalty, tol=EXACT, max_iter=max_iter)
        if not residual <= EXACT:
            return None
        return frame, w0, V, b0 + design.y_mean, b + design.y_mean, 0, 0.0

    def _solve_blocks(self, penalty, *, method, tol, max_iter):
        data, omega, fit_intercept = self.data, self.omega, self.fit_intercept
        frame = make_frame(data, omega, fit_intercept=fit_intercept, reduce=method == "dual")
        free = penalty.alpha_intercept == 0
        design = make_design(data, omega, frame, fit_intercept=fit_intercept, free=free)
        w0, V, b0, b, *report = solve_arrow(
            design,
            penalty,
            method="cg" if method == "cg" else "cholesky",
            tol=tol,
            max_iter=max_iter,
        )
        b = design.intercepts(w0 + V, b)
        b0 = namespace_of(b).mean(b) if b0 is None else b0 + design.y_mean
        return frame, w0, V, b0, b, *report

    def feature_variance(self):
        """Mean over features of their variance, weighted as the labels are."""
        return feature_variance(self.data)

    def scores(self, alphas_shared, alphas_specific, alphas_intercept, *, per_task=False, loo=True):
        """Exact leave-one-out error and -2 log evidence over a grid of penalties.

        Parameters
        ----------
        alphas_shared, alphas_specific, alphas_intercept : ndarrays
        per_task : bool, default=False
            Mean over tasks of their mean squared errors, instead of the mean over all labels.
        loo : bool, default=True
            If False the errors may be NaN and cost nothing.

        Returns
        -------
        error, deviance : ndarrays of shape (n_specific, n_intercept, n_shared)
        """
        alphas = alphas_shared, alphas_specific, alphas_intercept
        try:
            with few_threads(min(self.data.X.shape)):
                if self.splits:
                    return self._common.scores(*alphas)
                grid = BlockGrid(self.data, self.omega, fit_intercept=self.fit_intercept)
                return grid.scores(*alphas, per_task=per_task, loo=loo)
        except np.linalg.LinAlgError as error:
            raise ValueError(self._what_failed()) from error


def _moved(solution, shift):
    """The solution for features that are larger by `shift`."""
    return solution._replace(
        b=solution.b - solution.W @ shift,
        shared_intercept=solution.shared_intercept - solution.shared @ shift,
        origin=solution.origin + shift,
    )


def _in_units_of_X(frame, w0, V, b0, b, n_iter, residual, tol):
    shared = frame.coefficients(w0)
    W = shared + frame.coefficients(V)
    return Solution(
        W=W,
        b=b - W @ frame.origin,
        shared=shared,
        shared_intercept=b0 - shared @ frame.origin,
        origin=frame.origin,
        n_iter=n_iter,
        residual=residual,
        converged=bool(np.asarray(residual) <= tol),
    )
