"""Smooth convex losses with a shared-plus-specific penalty: value, gradient and curvature.

Parameters are one array P (n_channels + n_units, m): shared vectors p_c, then the units' own u_k;
unit k has coefficients w_k = p_c(k) + u_k.  Strengths A have the same shape:
    F(P) = sum_t omega_t sum_i s_ti loss(y_ti, z_ti) + 1/2 sum A P^2.
An infinite strength takes its coordinate out (`free` is 0 there).  Unpenalised intercepts are the
units' own; penalised ones deviate from a shared one that is free.
"""

from typing import Any, NamedTuple

import numpy as np

from .._backend import few_threads, is_foreign, namespace_of, to_numpy
from ._irls import irls_step
from ._newton import minimise
from ._newton_cg import arrow_jacobi, newton_cg_step
from ._objective import LinearObjective

SMOOTH_SOLVERS = ("auto", "newton-cg", "irls")
STEPS = {"newton-cg": newton_cg_step, "irls": irls_step}
SMALL = 600  # coefficients up to which exact steps are faster
FEW = 200  # the same where tasks have several units, whose Hessians are larger


def choose_smooth_solver(solver, layout, X):
    """Name of the route: "auto" is "irls" for few coefficients of NumPy data, else "newton-cg".

    Parameters
    ----------
    solver : {"auto", "newton-cg", "irls"}
    layout : object with `channels`, for each task
    X : array of shape (n_rows, n_features)

    Returns
    -------
    str

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl._input import UnitLayout
    >>> from skmtl.solvers import choose_smooth_solver
    >>> layout = UnitLayout([np.zeros(1, int)] * 2, None, 1)
    >>> choose_smooth_solver("auto", layout, np.ones((5, 3)))
    'irls'
    >>> choose_smooth_solver("auto", layout, np.ones((5, 900)))
    'newton-cg'
    """
    if solver != "auto":
        return solver
    counts = [len(channels) for channels in layout.channels]
    most = SMALL if max(counts) == 1 else FEW
    few = sum(counts) * (X.shape[1] + 1) <= most
    return "irls" if few and not is_foreign(X) else "newton-cg"


class Point(NamedTuple):
    """Parameters, the scores of each block and the value there."""

    P: Any
    scores: list
    value: float


class SmoothProblem(LinearObjective):
    """Objective of a linear model with a smooth loss, at any penalty.

    Parameters
    ----------
    data : TaskData
        Labels are class numbers, or amounts where the layout's `positive` is None.
    loss : object with value, gradient, mean, and hessian_diagonal, _product and _blocks of means
    layout : object with channels, positive and n_channels
        Units of each task (see UnitLayout).
    omega : ndarray of shape (n_tasks,)
    fit_intercept : bool
    free_intercept : bool
        Whether intercepts will not be penalised; features are then centred task by task.
    on_host : bool, default=False
        Compute in NumPy wherever X lies.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl._input import UnitLayout
    >>> from skmtl._data import wide_data
    >>> from skmtl.losses import LogLoss
    >>> from skmtl.penalties import SharedSpecific
    >>> from skmtl.solvers import SmoothProblem
    >>> X, Y = np.array([[-1.0], [0.0], [1.0]]), np.array([[0.0, 0], [1, 0], [1, 1]])
    >>> data, _ = wide_data(X, Y)
    >>> layout = UnitLayout([np.zeros(1, int)] * 2, [np.ones(1)] * 2, 1)
    >>> problem = SmoothProblem(data, LogLoss(), layout, np.ones(2), fit_intercept=True)
    >>> penalty = SharedSpecific(1.0, np.inf, np.inf)
    >>> solution, _ = problem.solve(penalty, solver="irls", tol=1e-8, max_iter=50)
    >>> solution.W.shape, solution.converged
    ((2, 1), True)
    """

    def __init__(
        self, data, loss, layout, omega, *, fit_intercept, free_intercept=False, on_host=False
    ):
        n, p = data.X.shape
        super().__init__(
            data,
            loss,
            layout,
            omega,
            fit_intercept=fit_intercept,
            own_centres=free_intercept,
            reduce=2 * n < p,
            on_host=on_host,
        )
        one_hot = np.arange(layout.n_channels)[:, None] == self.channels
        self.sums = self.put(one_hot.astype(float))

    def set_penalty(self, penalty):
        """Set the strengths A and which coordinates take part."""
        C, U, m = self.layout.n_channels, self.n_units, self.width
        A = np.empty((C + U, m))
        A[:C], A[C:] = penalty.alpha_shared, penalty.alpha_specific
        if self.fit_intercept:
            free = penalty.alpha_intercept == 0
            A[:C, -1], A[C:, -1] = np.inf if free else 0.0, penalty.alpha_intercept
        taken = np.isfinite(A)
        self.A, self.taken = self.put(np.where(taken, A, 0.0)), self.put(taken.astype(float))
        return self

    def solve(self, penalty, *, solver, tol, max_iter, start=None, polish=False):
        """Minimise at one penalty.

        Parameters
        ----------
        penalty : object with alpha_shared, alpha_specific and alpha_intercept
        solver : {"newton-cg", "irls"}
        tol : float
            Relative gradient (see _newton.py) at which it stops.
        max_iter : int
        start : Point, optional
            Where to begin; default: zero coefficients.
        polish : bool, default=False
            Whether to take one more step when `tol` is reached.

        Returns
        -------
        solution : Solution
        point : Point
        """
        self.set_penalty(penalty)
        with few_threads(min(self.n_rows, self.n_features)):
            point, n_iter, residual = minimise(
                self,
                STEPS[solver],
                tol=tol,
                max_iter=max_iter,
                start=None if start is None else start.P * self.taken,
                polish=polish,
            )
        done = {"n_iter": n_iter, "residual": residual, "converged": residual <= tol}
        return self.solution(point.P, **done), point

    # the objective

    def at(self, P):
        """Point of parameters P."""
        scores = self.scores(self.coefficients(P))
        return Point(P, scores, self._value(P, scores))

    def along(self, point, step, images, length):
        """Point at a distance along a step, from the scores `images` of the step alone."""
        P = point.P + length * step
        scores = [z + length * dz for z, dz in zip(point.scores, images, strict=True)]
        return Point(P, scores, self._value(P, scores))

    def images(self, step):
        """Changes of the scores along a step."""
        return self.scores(self.coefficients(step))

    def task_gradients(self, point):
        """Gradients of the weighted sums of the losses in P, of shape (n_tasks, P's size)."""
        C, m = self.layout.n_channels, self.width
        G = np.zeros((len(self.layout.channels), C + self.n_units, m))
        for block, span, z in zip(self.blocks, self.spans, point.scores, strict=True):
            parts = to_numpy(block.pull_back(block.S * self.loss.gradient(block.Y, z)))
            task = np.repeat(block.tasks, block.channels.shape[1])
            G[task, np.arange(C + span.start, C + span.stop)] = parts
            np.add.at(G, (task, block.channels.reshape(-1)), parts)
        return (G * to_numpy(self.taken)).reshape(len(G), -1)

    def _value(self, P, scores):
        return self.loss_sum(scores) + 0.5 * float(namespace_of(P).sum(self.A * P * P))

    def coefficients(self, P):
        """W (n_units, m)."""
        C = self.layout.n_channels
        return namespace_of(P).matrix_transpose(self.sums) @ P[:C, :] + P[C:, :]

    def gradient(self, point):
        """Gradient in P."""
        return self._spread(self.slopes(point.scores)) + self.A * point.P

    def product(self, second, step):
        """Hessian times a step."""
        return self._spread(self.curve(second, self.coefficients(step))) + self.A * step

    def preconditioner(self, second):
        """Approximate inverse of the Hessian."""
        return arrow_jacobi(self, self.diagonals(second))

    def _spread(self, own):
        """What is a gradient in W as one in P."""
        return namespace_of(own).concat([self.sums @ own, own], axis=0) * self.taken

    def zeros(self):
        """Parameters zero."""
        return self.zeros_of((self.layout.n_channels + self.n_units, self.width))

    def solution(self, P, *, n_iter, residual, converged):
        """Solution whose rows are the units of each task in turn; its shared rows are channels."""
        xp, C, p = namespace_of(P), self.layout.n_channels, self.n_coordinates
        W, w0 = self.coefficients(P), P[:C, :]
        b, b0 = self.intercepts(W), xp.zeros_like(w0[:, 0])
        if self.fit_intercept:
            b0 = w0[:, p]
            if self.loss.is_invariant_to_shifts:
                b, b0 = b - self._shifts(b, b0), b0 - xp.mean(b0)
            means = (self.sums @ b) / self.put(np.maximum(self._channel_sizes(), 1))
            b0 = xp.where(self.taken[:C, p] > 0, b0, means)
        report = {"n_iter": n_iter, "residual": residual, "converged": converged}
        return self.in_units_of_X(W[:, :p], b, w0[:, :p], b0, **report)

    def _shifts(self, b, b0):
        """What intercepts of all classes of a task may be moved by: the mean of its free ones, or
        of the shared ones."""
        xp, C = namespace_of(b), self.layout.n_channels
        parts = []
        for block, span in zip(self.blocks, self.spans, strict=True):
            own = xp.reshape(b[span], block.channels.shape)
            parts.append(xp.reshape(own * 0 + xp.mean(own, axis=1, keepdims=True), (-1,)))
        return xp.where(xp.max(self.taken[:C, -1]) > 0, xp.mean(b0), xp.concat(parts))

    def _channel_sizes(self):
        return np.bincount(self.channels, minlength=self.layout.n_channels)
