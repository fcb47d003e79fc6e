"""Impartial multi-task learning, gradients: a direction with equal cosines to all of them.

U d = p for the unit rows U is solved by d = U'z, z = C^+ p, on their Gramian C = U U'.
"""

from dataclasses import field

import numpy as np

from ._balancer import Answer, Balancer, OwnState, State
from ._cone import ROUNDING, share_equally
from ._parameters import parameter_holder
from ._stats import TaskStats

NULL_EIGENVALUE = 1e-14  # per task; rounding does not reach it: cosines are good to ROUNDING
UNATTAINED = 1e-6  # what may miss in cosines that are attained


@parameter_holder
class IMTLG(Balancer):
    """Weights with sum 1 whose direction has equal projections on the tasks' unit gradients.

    d = sum_t w_t g_t with g_t'd / ||g_t|| proportional to p_t, in the sense of least squares where
    the gradients depend on one another, to rounding (an angle of 1e-7 or so): if no direction has
    these projections the status is "approximate". Scaling a loss changes the length of d alone.
    Weights may be negative, as that of a gradient between others, and a descent then ends where a
    sum with such weights vanishes, which is no Pareto-stationary point. Linear models refuse it
    where gradients depend on one another from the start, as those of more tasks than coefficients
    do.

    Parameters
    ----------
    preference, smoothing, max_norm, scale_heads
        As in every :class:`Balancer`, but `scale_heads` is False by default, as weights may be
        negative.

    Notes
    -----
    Weights of both signs with sum 1 can make the direction as long as you please, or turn it
    against all tasks. It is no longer than the longest gradient here, and never turned: where sum 1
    would do either, the weights are scaled to that length.

    References
    ----------
    L. Liu, Y. Li, Z. Kuang, J.-H. Xue, Y. Chen, W. Yang, Q. Liao and W. Zhang, "Towards impartial
    multi-task learning", ICLR 2021, section 3.1.

    Examples
    --------
    >>> from skmtl.balancing import balance
    >>> result = balance([[4.0, 0.0], [0.0, 1.0]], balancer="imtl_g")
    >>> result.weights, result.direction
    (array([0.2, 0.8]), array([0.8, 0.8]))
    """

    promises = frozenset({"equivariant"})
    unit_sum = True

    scale_heads: bool = field(default=False, kw_only=True)

    def merit(self, stats: TaskStats, state: State) -> np.ndarray:
        return per_unit_gradient(self, stats)

    def check_descent(self, stats: TaskStats) -> None:
        check_cosines(self, stats)

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        s, C = stats.norms, stats.unit_gramian
        z, cosines = equal_cosines(C, p)
        w = z * (s.min() / s)
        w = w / max(w.sum(), np.sqrt(z @ cosines) * (s.min() / s.max()))
        return Answer(share_equally(w, s / p, C), own, reached(p, cosines))


def per_unit_gradient(balancer: Balancer, stats: TaskStats) -> np.ndarray:
    """m = p / norms: for d = c U^+ p, c > 0, m'J d = p'U d = c ||U U^+ p||^2 is positive."""
    p, s = balancer.preferences(stats.n_tasks), stats.norms
    return np.divide(p, s, out=np.zeros_like(s), where=s > 0)


def check_cosines(balancer: Balancer, stats: TaskStats) -> None:
    """Raise ValueError unless some direction has the cosines asked for, at zero coefficients."""
    index = stats.active(moving=True)
    stats, p = stats.take(index), balancer.preferences(stats.n_tasks)[index]
    missed = np.abs(equal_cosines(stats.unit_gramian, p)[1] - p).max()
    if missed > UNATTAINED * p.max():
        raise ValueError(
            f"{type(balancer).__name__} follows a direction of equal cosines to all gradients, and "
            f"none exists for the gradients of {len(p)} tasks in {stats.jacobian.shape[1]} "
            "coefficients, which depend on one another; use more coefficients, or 'aligned_mtl' or "
            "'upgrad', which are defined there."
        )


def reached(p: np.ndarray, cosines: np.ndarray) -> str:
    """Status: "approximate" where no direction has the cosines asked for, to rounding."""
    return "ok" if np.allclose(cosines, p, rtol=UNATTAINED, atol=0) else "approximate"


def equal_cosines(C: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(z, C z) with C z = p, or as near to it as possible; z = p where that is C z = 0.

    In that limit, as C becomes singular along p, z grows along p: its multiple is of no matter.
    Eigenvalues up to n_tasks NULL_EIGENVALUE count as zero.
    """
    values, V = np.linalg.eigh(C)
    along = V.T @ p
    seen = (values > len(p) * NULL_EIGENVALUE) & (
        np.abs(along) > ROUNDING * len(p) * np.abs(p).max()
    )
    if not seen.any():
        return p, p
    along = np.where(seen, along, 0.0)
    return V @ (along / np.where(seen, values, 1.0)), V @ along
