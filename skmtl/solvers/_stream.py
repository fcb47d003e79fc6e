"""Quadratic problems of which only Moments are kept: one solve, or a grid scored by GCV."""

import numpy as np

from .._backend import few_threads, solve_psd
from ._arrow import solve_arrow
from ._common_design import mean_alpha, shrunk_levels
from ._gcv import gcv_grid
from ._gram_design import GramDesign
from ._solution import Solution


class MomentProblem:
    """The problem of `QuadraticProblem` from the Moments of its data.

    Parameters
    ----------
    moments : Moments
        Of the labelled tasks.
    omega : ndarray of shape (n_tasks,)
        Positive weights of the tasks, mean 1.
    fit_intercept : bool

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl._moments import wide_moments
    >>> from skmtl.penalties import SharedSpecific
    >>> from skmtl.solvers import MomentProblem
    >>> moments = wide_moments(np.array([[1.0], [-1.0]]), np.array([[1.0, 2.0], [-1.0, -2.0]]))
    >>> MomentProblem(moments, np.ones(2), fit_intercept=False).solve(SharedSpecific(2.0, np.inf)).W
    array([[1.],
           [1.]])
    """

    def __init__(self, moments, omega, *, fit_intercept):
        self.moments, self.omega, self.fit_intercept = moments, omega, fit_intercept
        self.splits = moments.is_common and bool((omega == omega[0]).all())

    def solve(self, penalty):
        """Solution at one penalty, exact."""
        with few_threads(self.moments.n_features):
            if self.splits:
                return _CommonMoments(self.moments, self.fit_intercept).solve(penalty)
            return self._solve_blocks(penalty)

    def _solve_blocks(self, penalty):
        design = self._design(penalty.alpha_intercept == 0)
        w0, V, b0, b, *_ = solve_arrow(design, penalty)
        W = w0 + V
        b = design.intercepts(W, b)
        b0 = b.mean() if b0 is None else b0 + design.y_mean
        return _solution(W, b, w0, b0, design.mean)

    def _design(self, free):
        return GramDesign(self.moments, self.omega, fit_intercept=self.fit_intercept, free=free)

    def feature_variance(self):
        """Mean over features of their variance, weighted as the labels are."""
        m = self.moments
        share = m.n / m.n.sum()
        x_mean = np.broadcast_to(m.x_mean, m.xy.shape)
        within = np.broadcast_to(m.S.diagonal(axis1=1, axis2=2), m.xy.shape).sum(axis=0)
        between = share @ (x_mean - share @ x_mean) ** 2
        return float((within / m.n.sum() + between).mean())

    def scores(self, alphas_shared, alphas_specific, alphas_intercept):
        """GCV and -2 log evidence, of shape (n_specific, n_intercept, n_shared)."""
        alphas = alphas_shared, alphas_specific, alphas_intercept
        with few_threads(self.moments.n_features):
            return gcv_grid(self._design, *alphas)


class _CommonMoments:
    """One Gram for all tasks: a ridge on the mean of the tasks and one on the deviations."""

    def __init__(self, moments, fit_intercept):
        self.n, self.n_tasks = moments.n[0], moments.n_tasks
        self.mean, self.levels = moments.x_mean[0], moments.y_mean
        self.S, self.xy = moments.S[0], moments.xy
        if not fit_intercept:
            self.S = self.S + self.n * np.outer(self.mean, self.mean)
            self.xy = self.xy + self.n * np.outer(self.levels, self.mean)
            self.mean, self.levels = np.zeros_like(self.mean), np.zeros_like(self.levels)

    def solve(self, penalty):
        a0, a1 = penalty.alpha_shared, penalty.alpha_specific
        fraction = penalty.shared_fraction(self.n_tasks)
        average = self.xy.mean(axis=0)
        w = self._ridge(average[None, :], float(mean_alpha(self.n_tasks, a0, a1)))[0]
        W = w + self._ridge(self.xy - average, a1)
        level = self.levels.mean()
        b = level + (1 - shrunk_levels(self.n, penalty.alpha_intercept)) * (self.levels - level)
        return _solution(W, b, fraction * w, level, self.mean)

    def _ridge(self, xy, alpha):
        return np.zeros_like(xy) if np.isinf(alpha) else solve_psd(xy, self.S, alpha)


def _solution(W, b, w0, b0, origin):
    return Solution(
        W=W,
        b=b - W @ origin,
        shared=w0,
        shared_intercept=np.asarray(b0 - w0 @ origin),
        origin=origin,
        n_iter=0,
        residual=0.0,
        converged=True,
    )
