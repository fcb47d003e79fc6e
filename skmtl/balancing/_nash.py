"""Nash bargaining over the update: max sum p_t log(g_t'd), so d = J'a with a_t (J J'a)_t = p_t.

With a = z / norms it is the stationary point of z'Cz/2 - sum p_t log z_t on the Gramian C of the
unit rows, strictly convex and self-concordant: damped Newton needs a few steps.
"""

import numpy as np

from ._balancer import Answer, Balancer
from ._mgda import steepest_weights

RESIDUAL = 1e-8  # where rounding exceeds it the solution cannot be told from none
MAX_ITER = 200
EPS = np.finfo(np.float64).eps
NEAR = 1e-8  # a relative step whose square is rounding: Newton's method ends with it


class Nash(Balancer):
    """Nash bargaining solution over the update, each task's utility being its own progress g_t'd.

    The weights solve a_t (J J'a)_t = p_t: every task progresses, ||d||^2 = n_tasks, and scaling a
    loss does not change d. They grow like one over the gradients. Where no direction improves all
    tasks there is no solution: the weights are then those of :class:`MGDA` and the status is
    "stationary".

    Parameters
    ----------
    preference, smoothing, max_norm, scale_heads
        As in every :class:`Balancer`.

    Notes
    -----
    A descent along d halts at the first Pareto-stationary point that it meets. For the bargain
    between losses themselves, which does not depend on the start, see :class:`NashBargaining`.

    References
    ----------
    A. Navon, A. Shamsian, I. Achituve, H. Maron, K. Kawaguchi, G. Chechik and E. Fetaya,
    "Multi-task learning as a bargaining game", ICML 2022, arXiv:2202.01017, claim 3.1.

    Examples
    --------
    >>> from skmtl.balancing import balance
    >>> result = balance([[10.0, 0.0], [0.0, 0.1]], balancer="nash")
    >>> result.weights, result.direction
    (array([ 0.1, 10. ]), array([1., 1.]))
    """

    promises = frozenset({"equivariant", "nonnegative", "nonconflicting", "scale_invariant"})

    def weigh(self, stats, p, own):
        z = bargain(stats.unit_gramian, p)
        if z is None:
            return Answer(steepest_weights(stats, p), own, "stationary")
        return Answer(z / stats.norms, own)


def bargain(C, p):
    """z > 0 with z_t (C z)_t = p_t; None where C is singular on the positive orthant."""
    z = np.sqrt(p)
    z = z * np.sqrt(p.sum() / max(z @ C @ z, EPS * p.sum()))
    for _ in range(MAX_ITER):
        M = C * z * z[:, None]
        noise = EPS * np.abs(M).sum(axis=1)
        if noise.max() > RESIDUAL * p.max():  # z grows without end
            return None
        residual = p - M.sum(axis=1)
        M.flat[:: len(p) + 1] += p
        step = np.linalg.solve(M, residual)  # relative to z, which scales M well
        longest = np.abs(step).max()
        # the third derivative is at most 2 longest times the second: this length always descends
        z = z * (1 + step / (1 + longest))
        if longest < NEAR:
            return z
    return None
