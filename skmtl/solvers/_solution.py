"""Solution of a convex fit: coefficients, intercepts and what is known of their precision."""

from typing import Any, NamedTuple

from .._backend import namespace_of, take


class Solution(NamedTuple):
    """What a solver returns; of a classifier a row for each unit of the tasks, shared ones too.

    Attributes
    ----------
    W : array of shape (n_tasks, n_features)
    b : array of shape (n_tasks,)
        Intercepts in the units of X, or zeros.
    shared : array of shape (n_features,)
    shared_intercept : 0-d array
        Intercept of a task of which nothing is known.
    origin : array of shape (n_features,)
        Mean of X at which deviations of intercepts were penalised.
    n_iter : int
    residual : float
        Relative error of the linear system's solution, at most; 0 for direct solvers.
    converged : bool
    """

    W: Any
    b: Any
    shared: Any
    shared_intercept: Any
    origin: Any
    n_iter: int
    residual: float
    converged: bool

    def rows(self, index):
        """(W, b) at these rows of W with the shared ones below."""
        xp = namespace_of(self.W)
        W = xp.concat([self.W, self.shared], axis=0)
        b = xp.concat([self.b, self.shared_intercept])
        return take(W, index), take(b, index)
