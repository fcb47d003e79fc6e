"""Kernels with a fast path on NumPy: Grams without copies, and ridge solves by LAPACK.

Everywhere else they are written in the array-API standard.
"""

import numpy as np
from scipy.linalg import blas, lapack
from scipy.sparse import issparse

from ._places import namespace_of, place_of, take, to_numpy
from ._sparse import CentredSparse

SAFE_PIVOT = 1e-10  # squared Cholesky pivot of a unit-diagonal matrix below which eigh takes over
SMALL_OFFSET = 4.0  # raw over centred second moment up to which centring afterwards is harmless
SMALL_TABLE = 2**14  # elements up to which a copy costs less than the calls that avoid it
INVERSE_DIM = 64  # from this size on an explicit inverse is faster than as many right-hand sides


def segment_sum(x, indptr):
    """Sums of consecutive non-empty segments of a vector, of shape (n_segments,)."""
    if isinstance(x, np.ndarray):
        return np.add.reduceat(x, indptr[:-1])
    xp = namespace_of(x)
    pairs = zip(indptr[:-1].tolist(), indptr[1:].tolist(), strict=True)
    return xp.stack([xp.sum(x[a:b]) for a, b in pairs])


def centred_grams(parts, *, about_means=False):
    """Stack of Grams [Z, C]'[Z, C] for Z = X - centre and C the columns, from a list of such parts.

    Where the offsets are small against the spread a Gram comes from X itself, corrected by rank
    one, which saves a copy of X; elsewhere that would cancel. `about_means`: the centres are the
    means of X and the columns sum to zero, which saves their sums.
    """
    X, _, columns = parts[0]
    if issparse(X):
        return np.stack([sparse_gram(*part) for part in parts])
    if not isinstance(X, np.ndarray):
        tables = [centred_table(*part) for part in parts]
        return namespace_of(X).stack([table.T @ table for table in tables])
    k = X.shape[1] + columns.shape[1]
    G = np.empty((len(parts), k, k))
    for G_t, part in zip(G, parts, strict=True):
        if not _gram_without_copy(*part, out=G_t, about_means=about_means):
            table = centred_table(*part)
            np.matmul(table.T, table, out=G_t)
    return G


def sparse_gram(X, centre, columns, root=None):
    """Gram [Z, C]'[Z, C] of root * (X - centre) and root * columns for sparse X, dense (k, k)."""
    Z, C = CentredSparse(X, centre, root), columns if root is None else columns * root[:, None]
    below = np.hstack([C.T @ Z, C.T @ C])
    return np.vstack([np.hstack([Z.gram(), below[:, : X.shape[1]].T]), below])


def _gram_without_copy(X, centre, columns, out, *, about_means):
    if X.dtype != out.dtype or X.size < SMALL_TABLE:
        return False
    n, p = X.shape
    S = np.matmul(X.T, X, out=out[:p, :p])
    raw = S.diagonal().copy()
    sums = n * centre if about_means else np.ones(n) @ X
    S -= np.outer(sums - n * centre, centre) + np.outer(centre, sums)
    if (raw > SMALL_OFFSET * S.diagonal()).any():
        return False
    out[p:, :p] = columns.T @ X - np.outer(columns.sum(axis=0), centre)
    out[:p, p:] = out[p:, :p].T
    out[p:, p:] = columns.T @ columns
    return True


def centred_table(X, centre, columns):
    """[X - centre, columns] side by side, in one pass over X where that is possible."""
    if issparse(X):
        X = X.toarray()
    if not isinstance(X, np.ndarray):
        return namespace_of(X).concat([X - centre, columns], axis=1)
    n, p = X.shape
    table = np.empty((n, p + columns.shape[1]), dtype=centre.dtype)
    np.subtract(X, centre, out=table[:, :p])
    table[:, p:] = columns
    return table


def centred_with_ones(X, centre):
    """[X - centre, 1] along the last axis, in one pass on NumPy arrays."""
    if not isinstance(X, np.ndarray):
        xp = namespace_of(X)
        X = X - centre
        return xp.concat([X, xp.ones_like(X[..., :1])], axis=-1)
    table = np.empty((*X.shape[:-1], X.shape[-1] + 1), dtype=np.result_type(X, centre))
    np.subtract(X, centre, out=table[..., :-1])
    table[..., -1] = 1.0
    return table


def solve_psd(B, S, alpha):
    """B (S + alpha I)^-1 for positive semidefinite S (n, n); rows of B (k, n) lie in its range.

    S is scaled to unit diagonal first, so that features of very different units do no harm. Where
    it is singular to rounding all the same, the solve stays in the range of S: the exact right-hand
    side has no part outside it, and dividing the rounding error there by alpha would be one.
    """
    if isinstance(S, np.ndarray):
        return _factor_psd(S, alpha).solve(B)
    return _Eigen(S, alpha).solve(B)


def shrink_psd(B, alpha):
    """B_t (S_t + alpha I)^-1 for a stack of B_t (k, n) that start with the n rows of S_t.

    All rows lie in the range of S_t, as in `solve_psd`.
    """
    xp, n = namespace_of(B), B.shape[2]
    S = B[:, :n, :]
    diagonal = xp.linalg.diagonal(S)
    well_posed = float(alpha) > SAFE_PIVOT * (alpha + float(xp.max(diagonal)))
    if well_posed and (n < INVERSE_DIM or not isinstance(B, np.ndarray)):
        A = S + alpha * xp.eye(n, dtype=S.dtype, device=place_of(S).device)
        return xp.matrix_transpose(xp.linalg.solve(A, xp.matrix_transpose(B)))
    if isinstance(B, np.ndarray):
        shrunk = np.empty(B.shape)
        for B_t, out in zip(B, shrunk, strict=True):
            _shrink_lapack(B_t, alpha, out)
        return shrunk
    return xp.stack([solve_psd(B[t, ...], S[t, ...], alpha) for t in range(B.shape[0])])


def _shrink_lapack(B, alpha, out):
    n = B.shape[1]
    S = B[:n]
    factor = _factor_psd(S, alpha)
    if n < INVERSE_DIM or alpha * n > np.trace(S) or isinstance(factor, _Eigen):
        out[...] = factor.solve(B)
        return
    # S R = I - alpha R takes half the time, and is as accurate unless alpha exceeds S
    out[:n] = factor.complement(alpha)
    out[n:] = factor.solve(B[n:])


def whiten_psd(B, K, alpha, n_features):
    """L^-1 B with L L' = K + alpha I, for K = X X' where X is the first columns of B.

    Singular to rounding, K is replaced by its eigendecomposition and X loses K's null directions.
    """
    if isinstance(K, np.ndarray):
        factor = _factor_psd(K, alpha)
        if isinstance(factor, _Cholesky):
            return factor.whiten(B)
    xp = namespace_of(K)
    s, P = eigh_psd(K)
    Z = (P / xp.sqrt(s + alpha)).T @ B
    inside = xp.astype(s > 0, Z.dtype)[:, None]
    return xp.concat([Z[:, :n_features] * inside, Z[:, n_features:]], axis=1)


def _factor_psd(S, alpha):
    """Cholesky factor of D (S + alpha I) D, or an eigendecomposition where it is near singular."""
    diagonal = S.diagonal() + alpha
    d = None
    if diagonal.max() < 1e4 * diagonal.min():  # alike enough to leave as it is
        A = np.array(S, order="C")
        A.flat[:: len(A) + 1] = diagonal
    else:
        d = 1 / np.sqrt(diagonal)
        A = np.multiply(S, d, order="C")
        A *= d[:, None]
        A.flat[:: len(A) + 1] = 1.0
    # A is symmetric and C-ordered, so its transpose is the same matrix in LAPACK's order
    L, failed = lapack.dpotrf(A.T, lower=1, clean=1)
    pivots = L.diagonal()
    if failed or pivots.min() ** 2 < SAFE_PIVOT * pivots.max() ** 2:
        return _Eigen(S, alpha)
    return _Cholesky(L, d)


class _Cholesky:
    """D (S + alpha I) D = L L', L in the lower triangle; d None: D is the identity."""

    def __init__(self, L, d):
        self.L, self.d = L, d

    def solve(self, B):
        B = np.array(B, order="C") if self.d is None else np.multiply(B, self.d, order="C")
        solution, _ = lapack.dpotrs(self.L, B.T, lower=1, overwrite_b=1)
        solution = solution.T
        return solution if self.d is None else solution * self.d

    def complement(self, alpha):
        """I - alpha (S + alpha I)^-1 = S (S + alpha I)^-1."""
        triangle, _ = lapack.dpotri(self.L, lower=1)
        inverse = triangle + triangle.T  # the other triangle of L, and so of this, is zero
        inverse.flat[:: len(inverse) + 1] = triangle.diagonal()
        inverse *= -alpha
        if self.d is not None:
            inverse *= self.d
            inverse *= self.d[:, None]
        inverse.flat[:: len(inverse) + 1] += 1.0
        return inverse

    def whiten(self, B):
        B = np.array(B, order="C") if self.d is None else np.multiply(B, self.d[:, None], order="C")
        return blas.dtrsm(1.0, self.L, B.T, side=1, lower=1, trans_a=1, overwrite_b=1).T


class _Eigen:
    """(S + alpha I)^-1 on the range of S: T (diag(s) + alpha T'T)^-1 T'.

    D S D = V diag(s) V' with unit diagonal; T is D V of the positive s, freed of the null space of
    S, so that T'ST = diag(s) and T spans the range.
    """

    def __init__(self, S, alpha):
        xp, alpha = namespace_of(S), float(alpha)
        d = (1 / xp.sqrt(xp.linalg.diagonal(S) + alpha))[:, None]
        s, V = eigh_psd(S * d * d.T)
        positive = to_numpy(s) > 0
        null = d * take(V, np.flatnonzero(~positive), axis=1)
        s, self.T = take(s, np.flatnonzero(positive)), d * take(V, np.flatnonzero(positive), axis=1)
        if null.shape[1]:
            Q = xp.linalg.qr(null).Q
            self.T = self.T - Q @ (Q.T @ self.T)
        eye = xp.eye(s.shape[0], dtype=s.dtype, device=place_of(s).device)
        self.inverse = xp.linalg.inv(eye * s + alpha * (self.T.T @ self.T))

    def solve(self, B):
        return ((B @ self.T) @ self.inverse) @ self.T.T


def eigh_psd(S):
    """Eigenvalues, those of rounding size set to zero, and eigenvectors of a semidefinite S."""
    xp = namespace_of(S)
    s, V = xp.linalg.eigh(S)
    floor = S.shape[-1] * xp.finfo(s.dtype).eps * xp.max(xp.abs(s), axis=-1, keepdims=True)
    return xp.where(s > floor, s, xp.zeros_like(s)), V
