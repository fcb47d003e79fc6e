"""The least largest scaled excess, min over theta of max_t a_t e_t, by a barrier on its dual.

max over shares l of q(l) + nu sum_t log l_t, sum l = 1, with q(l) = min over theta of sum_t l_t a_t
e_t, is attained where a_t e_t + nu / l_t is one number for all tasks.  The largest excess is then
at most n_tasks nu above its least, q(l) being a bound from below.  Newton in relative steps of l:
    (l K l + nu) step = l a e + nu - eta l,   l'step = 0,   K = a J H^-1 J' a.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve

GAP, SOUND = 1e-9, 1e-6  # gap relative to the largest excess: where it stops, and speaks
CENTRED = 0.25  # Newton decrement at which nu falls
FALL = 0.05  # of nu
MOST_FITS = 500


class LeastMaximum(NamedTuple):
    """Point, weights of mean 1 of the tasks' objectives, number of fits, and the relative gap."""

    point: object
    weights: np.ndarray
    n_fits: int
    gap: float


def least_maximum(objectives, scales):
    """Minimise the largest of scales times `objectives.gains`.

    Parameters
    ----------
    objectives : TaskObjectives
    scales : ndarray of shape (n_tasks,)
        In [0, inf); a task of scale 0 takes no part.

    Returns
    -------
    LeastMaximum
    """
    if not (scales > 0).any():  # nothing to gain at zero coefficients
        scales = np.ones(len(scales))
    among = np.flatnonzero(scales > 0)
    a = scales[among]
    shares, point, nu, n_fits = np.full(len(a), 1 / len(a)), None, None, 0
    while True:
        # 1. the fit under these shares, and the gap that it leaves
        w = np.zeros(len(scales))
        w[among] = shares * a
        w, factor = w / w.mean(), w.mean()
        _, point = objectives.fit(w, start=point)
        n_fits += 1
        excess = a * objectives.gains(point)[among]
        size = np.abs(excess).max()
        gap = float(excess.max() - shares @ excess) / size if size > 0 else 0.0
        if nu is None:
            nu = max(np.ptp(excess), GAP * size) / len(a)
        if gap <= GAP or n_fits >= MOST_FITS or len(a) * nu < GAP * GAP * size:
            return LeastMaximum(point, w, n_fits, gap)
        # 2. how the excesses fall with the shares, and Newton's step on the barrier
        la = shares * a
        K = objectives.sensitivity(point, w)[np.ix_(among, among)] / factor
        K = K * la[:, None] * la
        step, decrement = _newton(K, shares, excess, nu)
        # 3. a smaller barrier where the step is small, else a shorter step
        while decrement < CENTRED and len(a) * nu > GAP * size / 2:
            nu = FALL * nu
            step, decrement = _newton(K, shares, excess, nu)
        shares = shares * (1 + step / (1 + (decrement if decrement > CENTRED else 0.0)))
        shares = shares / shares.sum()


def _newton(K, shares, excess, nu):
    """(relative step of the shares, its decrement)."""
    B = K + nu * np.eye(len(shares))
    root = np.sqrt(B.diagonal())
    factor = cho_factor(B / (root[:, None] * root), lower=True)
    level = excess.max()  # eta less this: differences of the excesses count
    pull = shares * (excess - level) + nu
    to_pull, to_shares = cho_solve(factor, np.stack([pull / root, shares / root], axis=1)).T / root
    step = to_pull - to_shares * (shares @ to_pull) / (shares @ to_shares)
    return step, float(np.sqrt(max(step @ B @ step, 0.0) / nu))
