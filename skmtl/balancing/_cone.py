"""Small quadratic programs over b >= 0 on a Gramian, by non-negative least squares.

With C = F'F for the unit rows the columns of every problem have norm 1, whatever the scales.
"""

import numpy as np
from scipy.optimize import lsq_linear, nnls
from scipy.sparse.csgraph import connected_components

from .._backend import eigh_psd

ROUNDING = 8 * np.finfo(np.float64).eps
SAFE_PIVOT = 1e-3  # of a Cholesky factor; below it eigenvalues tell zeros from small ones
SHORT = 1e-9  # without it opposed columns grow to 1e12 against each other; larger would bias
DEPENDENT = 1e-12  # singular value of unit columns that is one of rounding
PATIENCE = 30  # steps of the active set for each task; 3 are usual


def min_norm_weights(norms, unit_gramian):
    """w >= 0 with sum 1 that minimises ||J'w||; equal rows get equal weights.

    The minimiser b = s w of ||J'b||^2 + (sum b - 1)^2 over b >= 0 has that w: the best s makes the
    objective m / (1 + m), which grows with m = ||J'w||^2. The unknowns are b times the norms.
    """
    if len(norms) == 2:
        w = nearest_between(norms, unit_gramian[0, 1])
        return share_equally(w, norms, unit_gramian)
    (F, independent), relative = square_root(unit_gramian), norms.min() / norms
    target = np.zeros(len(F) + 1)
    target[-1] = 1.0
    w = relative * non_negative(np.vstack([F, relative]), target, independent)
    return share_equally(w / w.sum(), norms, unit_gramian)


def nearest_between(norms, cosine):
    """The same for two rows: where their segment comes nearest to zero."""
    a, b = norms.tolist()
    a, b = a / max(a, b), b / max(a, b)  # squares of ratios do not overflow
    to_a, to_b = b * (b - a * cosine), a * (a - b * cosine)  # h'(h - g) and g'(g - h)
    if min(to_a, to_b) <= 0:  # the shorter one
        to_a, to_b = float(a <= b), float(b <= a)
    return np.array([to_a, to_b]) / (to_a + to_b)


def corrections(C):
    """Row t: coefficients of what projecting the t-th unit gradient onto {J d >= 0} adds to it."""
    X = np.maximum(-C, 0)  # without conflict, and of a pair, that is all
    conflicting = X.any(axis=1).nonzero()[0].tolist() if len(C) > 2 else []
    if not conflicting:
        return X
    F, independent = square_root(C)
    targets = -F.T
    for t in conflicting:
        x = non_negative(F, targets[t], independent)
        X[t] = x if independent else without_ties(F, x)
    return X


def projection(root, u):
    """v >= u that minimises v'Cv: u plus an NNLS; U'v is U'u projected onto {U d >= 0}."""
    F, independent = root
    x = non_negative(F, -F @ u, independent)
    return u + (x if independent else without_ties(F, x))


def square_root(C):
    """(F, whether its columns are safely independent) with F'F = C, F of shape (T, T)."""
    try:
        F = np.linalg.cholesky(C).T.copy()  # rows that lie one after another, as NNLS wants them
        if min(F.diagonal().tolist()) > SAFE_PIVOT:
            return F, True
    except np.linalg.LinAlgError:
        pass  # singular
    s, V = eigh_psd(C)  # eigenvalues of rounding size are zeros
    return (V * np.sqrt(s)).T, False


def non_negative(A, b, independent):
    """The x >= 0 that minimises ||A x - b||, a short one where columns depend on one another."""
    n = A.shape[1]
    if not independent:
        A, b = np.vstack([A, SHORT * np.eye(n)]), np.append(b, np.zeros(n))
    try:
        return nnls(A, b, maxiter=PATIENCE * n)[0]
    except (RuntimeError, np.linalg.LinAlgError):  # scipy < 1.15 forms A'A, which may be singular
        return lsq_linear(A, b, (0, np.inf), method="bvls").x


def without_ties(F, x):
    """x >= 0 with the same F x, and no more positive entries than F has rank.

    Columns that cancel, as those of opposed rows, may have any length against each other: x moves
    along their null vector until one of them is gone.
    """
    while (used := np.flatnonzero(x)).size:
        _, s, V = np.linalg.svd(F[:, used])
        null = V[-1]
        if s[-1] > DEPENDENT:
            break
        null = null if null @ x[used] > 0 else -null
        steps = np.divide(x[used], null, out=np.full(len(used), np.inf), where=null > 0)
        x = x.copy()
        x[used] = np.maximum(x[used] - steps.min() * null, 0)
        x[used[steps.argmin()]] = 0
    return x


def share_equally(weights, norms, unit_gramian):
    """The weights averaged over rows that are equal, to rounding, in norm and in all cosines."""
    alike = unit_gramian >= 1 - ROUNDING
    if np.count_nonzero(alike) == len(weights):  # each to itself
        return weights
    i, j = np.nonzero(np.triu(alike, k=1))
    same = np.abs(norms[i] - norms[j]) <= ROUNDING * norms[i]
    same &= np.abs(unit_gramian[i] - unit_gramian[j]).max(axis=1) <= ROUNDING
    links = np.zeros(unit_gramian.shape, bool)
    links[i[same], j[same]] = True
    _, group = connected_components(links, directed=False)
    return (np.bincount(group, weights) / np.bincount(group))[group]
