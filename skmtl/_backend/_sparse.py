"""A sparse table as if it were centred and weighted, root * (X - 1 centre'), without forming it."""

import numpy as np
from scipy.sparse import issparse

from ._places import namespace_of


def shift_full_columns(X):
    """X with the mean of each column without a gap taken from its entries, and those means (p,).

    Only such a column can lie far from zero against its spread, where centring after squaring
    would cancel.
    """
    X = X.copy()
    X.sum_duplicates()
    n, p = X.shape
    full = np.bincount(X.indices, minlength=p) == n
    shift = np.where(full, np.bincount(X.indices, X.data / n, minlength=p), 0.0)
    X.data = X.data - shift[X.indices]
    return X, shift


class CentredSparse:
    """Products of root * (X - 1 centre') for csr X; root None: ones.

    Parameters
    ----------
    X : csr_array of shape (n, p)
    centre : ndarray of shape (p,)
    root : ndarray of shape (n,), optional
    """

    __array_ufunc__ = None  # so that ndarray @ self asks __rmatmul__

    def __init__(self, X, centre, root=None):
        self.root = np.ones(X.shape[0], X.dtype) if root is None else root
        self.X = X if root is None else X.multiply(root[:, None]).tocsr()
        self.centre, self.shape, self.dtype = centre, X.shape, X.dtype

    def astype(self, dtype, copy=True):
        """The same in another floating type."""
        parts = (v.astype(dtype, copy=copy) for v in (self.X, self.centre, self.root))
        return self._of(*parts)

    def __getitem__(self, rows):
        """Some of the rows, all columns of them."""
        rows = rows[0] if isinstance(rows, tuple) else rows
        return self._of(self.X[rows], self.centre, self.root[rows])

    def toarray(self):
        """The dense table."""
        return self.X.toarray() - np.outer(self.root, self.centre)

    def multiply(self, B):
        """Products with the entries of a dense B of the same shape, dense."""
        return self.X.multiply(B).toarray() - self.root[:, None] * (self.centre * B)

    @staticmethod
    def _of(X, centre, root):
        """The table of a weighted X and its root."""
        table = CentredSparse(X, centre)
        table.root = root
        return table

    @property
    def T(self):
        return _Transposed(self)

    def __matmul__(self, B):
        offset = self.centre @ B
        return self.X @ B - (self.root * offset if B.ndim == 1 else np.outer(self.root, offset))

    def __rmatmul__(self, A):
        rows = A @ self.root
        return A @ self.X - (self.centre * rows if A.ndim == 1 else np.outer(rows, self.centre))

    def gram(self):
        """self' self, dense (p, p)."""
        sums = self.root @ self.X
        cross = np.outer(sums, self.centre)
        weight = self.root @ self.root
        G = (self.X.T @ self.X).toarray() - cross - cross.T
        return G + weight * np.outer(self.centre, self.centre)

    def kernel(self):
        """self self', dense (n, n)."""
        cross = np.outer(self.X @ self.centre, self.root)
        K = (self.X @ self.X.T).toarray() - cross - cross.T
        return K + (self.centre @ self.centre) * np.outer(self.root, self.root)

    def column_squares(self, share=None):
        """Sums of the squares of the columns, weighted by `share` if given."""
        share = np.ones(self.shape[0]) if share is None else share
        squares, sums = share @ self.X.multiply(self.X).tocsr(), (share * self.root) @ self.X
        return squares - 2 * self.centre * sums + self.centre**2 * (share @ self.root**2)


class _Transposed:
    __array_ufunc__ = None

    def __init__(self, table):
        self.table = table

    def __matmul__(self, B):
        return (B.T @ self.table).T


def centred(X, centre, root=None):
    """root * (X - 1 centre') as an array, or as CentredSparse where X is sparse."""
    if issparse(X):
        return CentredSparse(X, centre, root)
    X = X - centre
    return X if root is None else root[:, None] * X


def gram(X):
    """X'X."""
    return X.gram() if isinstance(X, CentredSparse) else X.T @ X


def kernel(X):
    """X X'."""
    return X.kernel() if isinstance(X, CentredSparse) else X @ X.T


def column_squares(X, share=None):
    """Sums of the squares of the columns, weighted by `share` if given."""
    if isinstance(X, CentredSparse):
        return X.column_squares(share)
    return namespace_of(X).sum(X**2, axis=0) if share is None else share @ X**2
