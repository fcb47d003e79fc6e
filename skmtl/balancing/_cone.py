"""Small quadratic programs over b >= 0 on a factor F of the unit rows' Gramian, C = F'F, by
non-negative least squares.

The columns of every problem have norm 1, whatever the scales. C tells singular values of the rows
from zero down to the root of rounding only: where some are small, F is the R of a QR of the rows
themselves, which tells them down to rounding. x is then as large as their inverse, and the
direction F x as exact as rounding times that. Where C is all there is, a ridge keeps x short.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.linalg import qr, solve_triangular
from scipy.optimize import nnls
from scipy.sparse.csgraph import connected_components

from .._backend import Array, eigh_psd, namespace_of, to_numpy
from ._balancer import Balancer, State
from ._stats import TINY, TaskStats, beside

ROUNDING = 8 * np.finfo(np.float64).eps
SAFE_PIVOT = 1e-2  # of a Cholesky factor of C, whose directions are exact to 1e-16 over its square
DEPENDENT = 1e-13  # distance of a unit row from the span of others that is one of rounding
RIDGE = 1e-10  # its root is what a task may lose, rounding over it what a squared length may gain
LARGE = 100.0  # terms, beside the longest gradient and their sum, that are worth mending
PATIENCE = 30  # steps of the active set for each task; 3 are usual


class Root(NamedTuple):
    """A factor of the Gramian of the unit rows.

    Attributes
    ----------
    F : ndarray of shape (at most n_tasks, n_tasks)
        F'F is the Gramian.
    independent : bool
        Whether its columns are independent, by a margin that rounding cannot reach.
    short : float
        Length of a combination of its columns with weights of sum 1 that may as well be zero.
    status : str
        "ok", or "approximate" where the rows would have told more than their Gramian.
    """

    F: np.ndarray
    independent: bool
    short: float = DEPENDENT
    status: str = "ok"


def cone_root(stats: TaskStats) -> Root:
    """Root of the rows, or of their Gramian and a ridge where it hides small singular values."""
    root = root_of(stats)
    if root.independent or stats.jacobian is not None:
        return root
    return Root(_eigen_root(stats.unit_gramian, RIDGE), True, np.sqrt(RIDGE), "approximate")


def root_of(stats: TaskStats) -> Root:
    """Root of the rows, or of their Gramian with zero for eigenvalues of the size of rounding."""
    F, independent = square_root(stats.unit_gramian)
    if independent or stats.jacobian is None:
        return Root(F, independent)
    return Root(stats.span[1], False)


def square_root(C: np.ndarray) -> tuple[np.ndarray, bool]:
    """(F, whether its columns are safely independent) with F'F = C, F of shape (T, T)."""
    try:
        F = np.linalg.cholesky(C).T.copy()  # rows that lie one after another, as NNLS wants them
        if min(F.diagonal().tolist()) > SAFE_PIVOT:
            return F, True
    except np.linalg.LinAlgError:
        pass  # singular
    return _eigen_root(C), False


def _eigen_root(C: np.ndarray, ridge: float = 0.0) -> np.ndarray:
    s, V = eigh_psd(C)  # eigenvalues of rounding size are zeros
    return (V * np.sqrt(s + ridge)).T


def min_norm_weights(norms: np.ndarray, stats: TaskStats) -> np.ndarray:
    """w >= 0 with sum 1 that minimises ||J'w|| for rows of these norms; equal ones weigh alike.

    The minimiser b = s w of ||J'b||^2 + (sum b - 1)^2 over b >= 0 has that w: the best s makes the
    objective m / (1 + m), which grows with m = ||J'w||^2. The unknowns are b times the norms.
    """
    C = stats.unit_gramian
    if len(norms) == 2:
        return share_equally(nearest_between(norms, C[0, 1]), norms, C)
    root, relative = root_of(stats), norms.min() / norms
    target = np.zeros(len(root.F) + 1)
    target[-1] = 1.0
    w = relative * non_negative(np.vstack([root.F, relative]), target, root.independent)[0]
    return share_equally(w / w.sum(), norms, C)


def nearest_between(norms: np.ndarray, cosine: float) -> np.ndarray:
    """`min_norm_weights` of two rows: the point of their segment that is nearest to zero."""
    a, b = norms.tolist()
    a, b = a / max(a, b), b / max(a, b)  # squares of ratios do not overflow
    to_a, to_b = b * (b - a * cosine), a * (a - b * cosine)  # h'(h - g) and g'(g - h)
    if min(to_a, to_b) <= 0:  # the shorter one
        to_a, to_b = float(a <= b), float(b <= a)
    return np.array([to_a, to_b]) / (to_a + to_b)


def corrections(stats: TaskStats) -> tuple[np.ndarray, str]:
    """(X, status): row t is what projecting the t-th unit gradient onto {J d >= 0} adds to it.

    As coefficients of the unit gradients.
    """
    X = np.maximum(-stats.unit_gramian, 0)  # complete for a pair, and where nothing conflicts
    conflicting = X.any(axis=1).nonzero()[0].tolist() if len(X) > 2 else []
    if not conflicting:
        return X, "ok"
    root = cone_root(stats)
    targets = -root.F.T
    for t in conflicting:
        X[t] = non_negative(root.F, targets[t], root.independent)[0]
    return X, root.status


def projection(root: Root, u: np.ndarray) -> np.ndarray:
    """v >= u that minimises v'Cv: u plus an NNLS; U'v is U'u projected onto {U d >= 0}."""
    return u + non_negative(root.F, -root.F @ u, root.independent)[0]


def agreeing(balancer: Balancer, stats: TaskStats, state: State) -> Array:
    """Direction of a balancer that promises J d >= 0, corrected so that rounding keeps it."""
    return polished(balancer, stats, state, lambda F, z, _: onto_cone(F, z))


def onto_cone(F: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The point nearest to z of {z: F'z >= 0}."""
    return -non_negative(F, -z, False)[1]


def polished(
    balancer: Balancer,
    stats: TaskStats,
    state: State,
    fit: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray],
) -> Array:
    """J'w, corrected by z -> fit(F, z, index) where it is a sum of large terms that cancel.

    U' = Q F for the unit rows of the tasks `index`, Q being an orthonormal basis of their span, and
    z = Q'd. Rounding has moved z by as much as the terms are long, mostly to where tasks notice it.
    """
    direction, size = stats.combine(state.weights), max(stats.norms.tolist())
    longest = max(map(abs, (state.weights * stats.norms).tolist()))
    if balancer.smoothing or longest <= LARGE * size or longest <= LARGE * _largest(direction):
        return direction
    index = stats.active(moving=True)
    Q, F = stats.take(index).span
    z = to_numpy(beside(direction, Q) @ Q) / size
    return stats.like_jacobian(Q @ beside(fit(F, z, index) * size, Q))


def _largest(v: np.ndarray) -> float:
    xp = namespace_of(v)
    return float(xp.max(xp.abs(v)))


def non_negative(A: np.ndarray, b: np.ndarray, independent: bool) -> tuple[np.ndarray, np.ndarray]:
    """(x, b - A x) of the x >= 0 that minimises ||A x - b||.

    Where columns are not safely independent, one with no more entries than A has rank.
    """
    n = A.shape[1]
    try:
        x = nnls(A, b, maxiter=PATIENCE * n)[0]
    except (RuntimeError, np.linalg.LinAlgError):  # scipy < 1.15 forms A'A, which may be singular
        x, independent = np.zeros(n), False
    return (x, b - A @ x) if independent else _settled(A, b, x)


def _settled(A: np.ndarray, b: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`non_negative` by Lawson and Hanson's active set, from an x that is near.

    Each iteration (1) solves least squares on the active columns by a QR, (2) drops the first one
    whose coefficient becomes negative, else (3) adds the one that lowers the residual fastest.

    The residual is a projection, exact to rounding however long x is.
    """
    slack = len(x) * ROUNDING * np.linalg.norm(b)
    used = np.flatnonzero(x).tolist()
    if not _independent(A[:, used]):
        used, x = [], np.zeros(len(x))
    for _ in range(PATIENCE * len(x)):
        # 1. least squares on the active columns
        Q, R = np.linalg.qr(A[:, used])
        z = np.zeros(len(x))
        z[used] = solve_triangular(R, Q.T @ b) if used else 0.0
        residual = b - Q @ (Q.T @ b)
        # 2. drop the first column whose coefficient falls below zero on the way from x to z
        falls = [t for t in used if z[t] <= 0]
        if falls:
            steps = x[falls] / np.maximum(x[falls] - z[falls], TINY)
            x = np.maximum(x + steps.min() * (z - x), 0)
            used.remove(falls[steps.argmin()])
            continue
        x = z
        # 3. add the independent column that lowers the residual fastest
        slopes = (A - Q @ (Q.T @ A)).T @ residual  # of the sign that its coefficient will have
        slopes[used] = 0
        lower = [t for t in np.argsort(-slopes).tolist() if slopes[t] > slack]
        comes = next((t for t in lower if _independent(A[:, [*used, t]])), None)
        if comes is None:
            break
        used.append(comes)
    return x, residual


def _independent(A: np.ndarray) -> bool:
    """Whether no column is within DEPENDENT of the span of the others, largest ones first."""
    if A.shape[1] == 0:
        return True
    R = qr(A, mode="r", pivoting=True)[0]
    return A.shape[1] <= A.shape[0] and np.abs(R.diagonal()).min() > DEPENDENT


def share_equally(weights: np.ndarray, norms: np.ndarray, unit_gramian: np.ndarray) -> np.ndarray:
    """The weights averaged over rows that are equal, to rounding, in norm and in all cosines."""
    alike = unit_gramian >= 1 - ROUNDING
    if np.count_nonzero(alike) == len(weights):  # no two rows are alike
        return weights
    i, j = np.nonzero(np.triu(alike, k=1))
    same = np.abs(norms[i] - norms[j]) <= ROUNDING * norms[i]
    same &= np.abs(unit_gramian[i] - unit_gramian[j]).max(axis=1) <= ROUNDING
    links = np.zeros(unit_gramian.shape, bool)
    links[i[same], j[same]] = True
    _, group = connected_components(links, directed=False)
    return (np.bincount(group, weights) / np.bincount(group))[group]
