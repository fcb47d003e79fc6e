"""Joint selection of features: alpha sum_j ||W_j|| over the columns W_j of all tasks."""

from .._backend import Array, namespace_of
from ._norms import row_norms, shrunk_rows
from ._penalty import Penalty


class L21(Penalty):
    """Sum over features of the Euclidean norm of their coefficients in all tasks (group lasso).

    A feature is used by every task or by none.

    Parameters
    ----------
    alpha : float in [0, inf), default=1.0
        Strength.

    References
    ----------
    .. [1] Obozinski, G., Taskar, B. and Jordan, M. (2010). Joint covariate selection and joint
       subspace selection for multiple classification problems. Statistics and Computing 20.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.penalties import L21
    >>> L21(alpha=1.0).prox(np.array([[3.0, 0.3], [4.0, 0.4]]), 1.0)
    array([[2.4, 0. ],
           [3.2, 0. ]])
    """

    separates_features = True

    def __init__(self, alpha: float = 1.0):
        self.alpha = alpha

    def value(self, W: Array) -> float:
        """Penalty of W, of shape (n_tasks, n_features)."""
        return self.alpha * float(namespace_of(W).sum(row_norms(W.T)))

    def prox(self, W: Array, step: float | Array) -> Array:
        """Minimiser over V of step * penalty(V) + ||V - W||^2 / 2, with columns exactly zero.

        `step` is a number, or one for each feature.
        """
        xp, norms = namespace_of(W), row_norms(W.T)
        lengths = norms - step * self.alpha
        lengths = xp.where(lengths > 0, lengths, xp.zeros_like(norms))
        return shrunk_rows(W.T, norms, lengths).T

    def dual_norm(self, G: Array) -> float:
        """Least alpha at which zero is optimal where the gradient at zero is G."""
        xp, norms = namespace_of(G), row_norms(G.T)
        return float(xp.max(norms)) if norms.shape[0] else 0.0
