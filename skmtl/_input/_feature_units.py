"""Standard units of the features: z_j = (x_j - m_j) / s_j, with m the mean and s the deviation.

s_j is the root mean square of x_j - m_j.  Both means are weighted as the observed labels are, so
that a weight of 2 is a row twice and a wide y with gaps is its long rows.  Without an intercept
m = 0, as nothing could make up for a shift.  A sparse X is scaled and not shifted, which would fill
it: there the intercept makes up for m, and the fit is that of the dense X.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array, issparse

from .._backend import place_of, to_numpy, to_place, widest_float

SAFE = 1e-280  # squares from here to its inverse are normal numbers


class FeatureUnits:
    """The user's own units, in which nothing changes; the interface of StandardUnits."""

    def of_rows(self, X):
        """Features in these units."""
        return X

    def of_data(self, data):
        """TaskData with its features in these units."""
        return data

    def of_moments(self, moments):
        """Moments of the features in these units."""
        return moments

    def coefficients(self, W):
        """Coefficients (..., n_features) in the user's units, from those in these."""
        return W

    def intercepts(self, W, b):
        """Intercepts in the user's units; the coefficients W are in these already."""
        return b

    def solution(self, solution):
        """Solution in the user's units."""
        return solution


@dataclass(frozen=True, eq=False)
class StandardUnits(FeatureUnits):
    """Means and deviations of the features, on the host.

    Attributes
    ----------
    mean, scale : ndarray of shape (n_features,)
        A feature that is constant, to rounding, has its size for a scale, or 1 if that is zero.
    origin : ndarray of shape (n_features,)
        What is subtracted: the mean, or zero where X is sparse.
    """

    mean: np.ndarray
    scale: np.ndarray
    origin: np.ndarray

    def of_rows(self, X):
        """X in the widest floating type of its place; sparse X stays sparse."""
        if issparse(X):
            values = X.data / self.scale[X.indices]
            return csr_array((values, X.indices, X.indptr), shape=X.shape)
        place = place_of(X)
        dtype = widest_float(place)
        origin, scale = (to_place(v, place, dtype) for v in (self.origin, self.scale))
        Z = to_place(X, place, dtype) - origin
        Z /= scale
        return Z

    def of_data(self, data):
        """TaskData with its features in standard units."""
        return replace(data, X=self.of_rows(data.X))

    def of_moments(self, moments):
        """Moments of the features in standard units."""
        s = self.scale
        return replace(
            moments,
            x_mean=(moments.x_mean - self.origin) / s,
            S=moments.S / s / s[:, None],
            xy=moments.xy / s,
        )

    def coefficients(self, W):
        """Coefficients (..., n_features) in the user's units."""
        return W / self._beside(self.scale, W)

    def intercepts(self, W, b):
        """Intercepts in the user's units."""
        return b - W @ self._beside(self.origin, W)

    def solution(self, solution):
        """Solution in the user's units."""
        W, shared = self.coefficients(solution.W), self.coefficients(solution.shared)
        origin, scale = (self._beside(v, solution.W) for v in (self.origin, self.scale))
        return solution._replace(
            W=W,
            b=self.intercepts(W, solution.b),
            shared=shared,
            shared_intercept=self.intercepts(shared, solution.shared_intercept),
            origin=origin + scale * solution.origin,
        )

    def _beside(self, v, W):
        place = place_of(W)
        return to_place(v, place, widest_float(place))


def standard_units(data, *, centre):
    """StandardUnits of the features of a TaskData; `centre`: whether there is an intercept."""
    mean, deviation = mean_and_deviation(data, centre=centre)
    scale = scale_of(mean, deviation, data.X.shape[0])
    return StandardUnits(mean, scale, np.zeros_like(mean) if issparse(data.X) else mean)


def mean_and_deviation(data, *, centre):
    """Those of the features of a TaskData, weighted as its labels are."""
    X = data.X
    weight = data.row_weight
    if not data.is_common_design:
        weight = np.bincount(data.labels.row, data.labels.s, X.shape[0])
    spread = _sparse_spread if issparse(X) else _dense_spread
    return spread(X, weight / weight.sum(), centre)


def standard_units_of_moments(moments, *, centre):
    """That of the rows that Moments were summed over."""
    share = (moments.n / moments.n.sum())[:, None]
    if moments.is_common:
        share = np.ones((1, 1))
    mean = (share * moments.x_mean).sum(axis=0) * centre
    within = moments.S.diagonal(axis1=1, axis2=2) / (moments.n[: len(moments.S), None])
    variance = (share * (within + (moments.x_mean - mean) ** 2)).sum(axis=0)
    scale = scale_of(mean, np.sqrt(variance), moments.n.sum())
    return StandardUnits(mean, scale, mean)


def _dense_spread(X, share, centre):
    """(means, root mean squares about them) of the columns."""
    place = place_of(X)
    xp, dtype = place.xp, widest_float(place)
    X, share = to_place(X, place, dtype), to_place(share, place, dtype)
    mean = share @ X if centre else xp.zeros_like(X[0, :])
    D = X - mean
    with np.errstate(over="ignore"):
        D *= D
        squares = share @ D
    unit = np.ones(X.shape[1])
    if not bool(xp.all((squares > SAFE) & (squares < 1 / SAFE))):
        D = X - mean
        unit = _powers_of_two(to_numpy(xp.max(xp.abs(D), axis=0)))
        squares = share @ (D / to_place(unit, place, dtype)) ** 2
    deviation = unit * np.sqrt(to_numpy(squares))
    return to_numpy(mean).astype(np.float64), deviation.astype(np.float64)


def _powers_of_two(sizes):
    """Units in which squares neither overflow nor vanish, and no bit is lost."""
    return np.ldexp(1.0, np.frexp(np.where(sizes > 0, sizes, 1.0))[1] - 1)


def _sparse_spread(X, share, centre):
    """The same from the stored entries, and from the share of rows that each column has none in."""
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    (n, p), column = X.shape, X.indices
    full, share = np.bincount(column, minlength=p) == n, np.repeat(share, np.diff(X.indptr))
    mean = np.bincount(column, share * X.data, p) if centre else np.zeros(p)
    D = X.data - mean[column]
    size = abs(mean)
    np.maximum.at(size, column, abs(D))
    unit = _powers_of_two(size)
    # the shares of a column without a gap sum to 1 only up to rounding
    absent = np.where(full, 0.0, np.clip(1 - np.bincount(column, share, p), 0, None))
    squares = np.bincount(column, share * (D / unit[column]) ** 2, p) + absent * (mean / unit) ** 2
    return mean, unit * np.sqrt(squares)


def scale_of(mean, deviation, n):
    """Deviations; of columns that vary no more than a mean of n rows is rounded, their size."""
    size = np.where(mean != 0, abs(mean), 1.0)
    return np.where(deviation > n * np.finfo(np.float64).eps * abs(mean), deviation, size)
