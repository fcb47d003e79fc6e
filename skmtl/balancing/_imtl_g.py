"""Impartial multi-task learning, gradients: a direction with equal cosines to all of them.

U d = p for the unit rows U is solved by d = U'z, z = C^+ p, on their Gramian C = U U'.
"""

from dataclasses import field

import numpy as np

from .._backend import eigh_psd
from ._balancer import Answer, Balancer
from ._cone import ROUNDING, share_equally
from ._parameters import parameter_holder


@parameter_holder
class IMTLG(Balancer):
    """Weights with sum 1 whose direction has equal projections on the tasks' unit gradients.

    d = sum_t w_t g_t with g_t'd / ||g_t|| proportional to p_t, in the sense of least squares where
    the gradients depend on one another. Scaling a loss changes the length of d alone. Weights may
    be negative, as that of a gradient between others, and a descent then ends where a sum with
    such weights vanishes, which is no Pareto-stationary point.

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

    def weigh(self, stats, p, own):
        s, C = stats.norms, stats.unit_gramian
        z, cosines = equal_cosines(C, p)
        w = z * (s.min() / s)
        w = w / max(w.sum(), np.sqrt(z @ cosines) * (s.min() / s.max()))
        return Answer(share_equally(w, s / p, C), own)


def equal_cosines(C, p):
    """(z, C z) with C z = p, or as near to it as possible; z = p where that is C z = 0.

    In that limit, as C becomes singular along p, z grows along p: its multiple is of no matter.
    """
    values, V = eigh_psd(C)
    along = V.T @ p
    seen = (values > 0) & (np.abs(along) > ROUNDING * len(p) * np.abs(p).max())
    if not seen.any():
        return p, p
    along = np.where(seen, along, 0.0)
    return V @ (along / np.where(seen, values, 1.0)), V @ along
