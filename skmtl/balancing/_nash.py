"""Nash bargaining over the update: max sum p_t log(g_t'd), so d = J'a with a_t (J J'a)_t = p_t.

With a = z / norms it is the stationary point of z'Cz/2 - sum p_t log z_t on the Gramian C of the
unit rows, strictly convex and self-concordant: damped Newton needs a few steps.
"""

from math import expm1, log1p

import numpy as np

from ._balancer import Answer, Balancer, OwnState
from ._mgda import steepest_weights
from ._stats import TaskStats

RESIDUAL = 1e-8  # where rounding exceeds it the solution cannot be told from none
MAX_ITER = 200
EPS = np.finfo(np.float64).eps
NEAR = 1e-8  # a relative step whose square is rounding: Newton's method ends with it
SMALLEST, LARGEST_LOG = 1e-300, 690.0  # numbers end here, so that products stay finite


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

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        z = bargain(stats.unit_gramian, np.log(p))
        if z is None:
            return Answer(steepest_weights(stats, p), own, "stationary")
        return Answer(z / stats.norms, own)


def bargain(C: np.ndarray, log_q: np.ndarray, power: float = 1.0) -> np.ndarray | None:
    """z > 0 with z_t^power (C z)_t = q_t; None where C is singular on the positive orthant.

    It minimises z'Cz/2 - sum q_t z_t^(1 - power) / (1 - power), with a logarithm for power 1.
    """
    z = _start(C, log_q, power)
    for _ in range(MAX_ITER):
        entries = z.tolist()  # Python finds the extremes of a few numbers sooner
        least, most = min(entries), max(entries)
        if least < EPS * most:
            z = _settled(C @ z, z, log_q, power)
        wanted = np.exp(np.minimum(log_q - power * np.log(z), LARGEST_LOG))
        noise = EPS * sum(entries)  # of C z
        if noise * most > RESIDUAL * max((wanted * z).tolist()):  # z grows without end
            return None
        A = C * z
        residual = wanted - A.sum(axis=1)
        A.flat[:: len(z) + 1] += power * wanted + noise
        step = np.linalg.solve(A, residual)  # relative to z, which scales A well
        if least <= SMALLEST:  # entries at the least number cannot fall further
            step = np.where(z > SMALLEST, step, np.maximum(step, 0))
        moves = step.tolist()
        fall = -min(moves)
        if max(fall, max(moves)) < NEAR:
            return z * (1 + step)
        z = np.maximum(z * (1 + _length(fall, power) * step), SMALLEST)
    return None


def _length(fall: float, power: float) -> float:
    """Length of a step that descends whatever C is; `fall` is its largest relative decrease.

    Along it the second derivative grows by at most (1 - length fall)^-(1 + power).
    """
    return 1.0 if fall <= 0 else -expm1(-log1p(power * fall) / power) / fall


def _settled(progress: np.ndarray, z: np.ndarray, log_q: np.ndarray, power: float) -> np.ndarray:
    """z, with entries too small to move C z lowered at once to the solution for this C z."""
    faint = (z < EPS * z.max()) & (progress > 0)
    log_z = (log_q - np.log(np.where(faint, progress, 1.0))) / power
    return np.where(faint, np.maximum(np.exp(np.minimum(log_z, np.log(z))), SMALLEST), z)


def _start(C: np.ndarray, log_q: np.ndarray, power: float) -> np.ndarray:
    """Solution for orthogonal rows, times the factor that is best for C."""
    log_z = log_q / (1 + power)
    z = np.exp(log_z - log_z.max())
    square = z @ z
    level = np.log(square / max(z @ C @ z, EPS * square)) / (1 + power)
    return z * np.exp(level + log_z.max())
