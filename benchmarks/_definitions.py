"""What balancers are by definition, as violations of it, and gradients on which to look at them.

A violation is zero in exact arithmetic and has no unit.  It is computed from the Jacobian itself.
"""

import numpy as np
from scipy.optimize import nnls

CAGRAD = 0.4  # radius of its ball
FIRM = 1e-9  # a violation that is one of rounding, on rows that are not extreme


def normal(rng, n_tasks=4, n_params=9):
    """Independent rows of like lengths."""
    return rng.normal(size=(n_tasks, n_params))


def pair(rng):
    return normal(rng, 2)


def many(rng):
    """More tasks than usual."""
    return normal(rng, 40, 100)


def crowded(rng):
    """More tasks than parameters, all in one half-space, so that some direction improves all."""
    J = rng.normal(size=(6, 3))
    return J * np.sign(J @ [1.0, 2.0, 3.0])[:, None]


def identical(rng):
    """The first and the last row are equal."""
    return normal(rng)[[0, 1, 2, 0]]


def nearly_opposed(rng):
    """Two gradients at an angle of 0.001 to being opposed, and a third."""
    g, h, k = rng.normal(size=(3, 9))
    h = h - (g @ h) / (g @ g) * g
    return np.stack([g, 1e-3 * np.linalg.norm(g) / np.linalg.norm(h) * h - g, k])


def stationary(rng):
    """J'v = 0 for some v > 0: the rows are freed of their combination by v."""
    v, J = rng.uniform(0.5, 2.0, size=4), normal(rng)
    return J - np.outer(v, v @ J) / (v @ v)


def thousandfold(rng):
    """Rows of lengths from 1 to 1000."""
    return normal(rng) * 10.0 ** np.arange(4)[:, None]


def apart(rng):
    """Rows of lengths from 1e-6 to 1e6."""
    return normal(rng) * 10.0 ** np.linspace(-6, 6, 4)[:, None]


def small(rng):
    return 1e-6 * normal(rng)


def large(rng):
    return 1e6 * normal(rng)


JACOBIANS = {
    make.__name__: make
    for make in (
        normal,
        pair,
        many,
        crowded,
        identical,
        nearly_opposed,
        stationary,
        thousandfold,
        apart,
        small,
        large,
    )
}
DEPENDENT = {"crowded", "identical", "stationary"}
STATIONARY = {"stationary"}


def nash(J, w, d):
    """w_t g_t'd = 1, at the length that is best for d: torchjd may have clipped it."""
    norms, U = unit_rows(J)
    z = w * norms
    progress = z * (U @ (z @ U))
    return np.abs(progress / max(progress.mean(), np.finfo(float).tiny) - 1).max()


def mgda(J, w, d):
    """||d||^2 - min g_t'd for d on the simplex, in squares of the shortest gradient."""
    norms, U = unit_rows(J)
    ratio = norms / norms.min()
    d = (w / w.sum() * ratio) @ U
    return max(d @ d - (ratio * (U @ d)).min(), -w.min(), 0.0)


def upgrad(J, w, d):
    """Distance to the mean of the projected gradients, in mean gradients; and conflict."""
    norms, U = unit_rows(J)
    found = norms @ np.array([projected(U, u) for u in U]) / len(J)
    return max(np.linalg.norm(d - found) / norms.mean(), conflict(U, d, norms))


def dualproj(J, w, d):
    """Distance to the projected mean gradient, in mean gradients; and conflict."""
    norms, U = unit_rows(J)
    found = projected(U, norms @ U / len(J))
    return max(np.linalg.norm(d - found) / norms.mean(), conflict(U, d, norms))


def cagrad(J, w, d):
    """Distance to the edge of the ball about g0, in its radius, and the duality gap on it."""
    g0 = J.mean(axis=0)
    radius = CAGRAD * np.linalg.norm(g0)
    edge = abs(np.linalg.norm(d - g0) / radius - 1)
    share = np.maximum(w - 1 / len(J), 0)
    if share.sum() == 0:
        return edge
    g = share @ J / share.sum()
    best = g @ g0 + radius * np.linalg.norm(g)
    return max(edge, (best - (J @ d).min()) / (g0 @ g0))


def equal_cosines(J, w, d):
    """Spread of the gradients' cosines with d, relative to the largest."""
    cosines = unit_rows(J)[1] @ d
    return np.ptp(cosines) / np.abs(cosines).max() if d.any() else np.inf


def aligned_mtl(J, w, d):
    """Distance between unit directions to the sum of the aligned rows, of the Jacobian's SVD."""
    P, s, Q = np.linalg.svd(J, full_matrices=False)
    kept = s**2 > s[0] ** 2 * len(J) * np.finfo(float).eps
    found = P.sum(axis=0)[kept] @ Q[kept]
    length = np.linalg.norm(d)
    return np.linalg.norm(d / length - found / np.linalg.norm(found)) if length else np.inf


DEFINITIONS = {  # violation, and kinds of Jacobians at which there is no such direction
    "nash": (nash, STATIONARY),
    "fairgrad": (nash, STATIONARY),
    "mgda": (mgda, set()),
    "upgrad": (upgrad, set()),
    "dualproj": (dualproj, set()),
    "cagrad": (cagrad, STATIONARY),
    "imtl_g": (equal_cosines, DEPENDENT),
    "config": (equal_cosines, DEPENDENT),
    "aligned_mtl": (aligned_mtl, set()),
}


def unit_rows(J):
    """(norms, unit rows) of rows that are not zero."""
    norms = np.linalg.norm(J, axis=1)
    return norms, J / norms[:, None]


def projected(U, u):
    """The nearest point to u at which no row of U conflicts."""
    return u + U.T @ nnls(U.T, -u, maxiter=30 * len(U))[0]


def conflict(U, d, norms):
    """How far the task that loses most goes against d, in mean gradients."""
    return max(-(U @ d).min() / norms.mean(), 0.0)
