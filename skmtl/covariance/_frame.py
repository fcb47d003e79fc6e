"""Features and labels as the evidence sees them: centred, of unit size, in few coordinates.

x -> Q'(x - centre)/scale for each group of features, with Q an orthonormal basis of the rows where
there are fewer rows than features; y_t -> (y_t - centre_t)/scale_t.
"""

from dataclasses import dataclass

import numpy as np

from .._backend import eigh_psd

FEW = 3  # labels below which a task takes the scale of the others
FAR = 10.0  # times that scale beyond which it takes its own all the same
ROUNDING = 1e-12  # relative size of a spread that is none


@dataclass(frozen=True, eq=False)
class Frame:
    """Change of units, one block of coordinates for each group of features.

    Attributes
    ----------
    centre : ndarray of shape (n_features,)
    columns : list of ndarray
        Features of each group.
    scales : ndarray of shape (n_groups,)
    bases : list of ndarray of shape (n_group_features, n_coordinates) or None
        None: the features themselves.
    y_centre, y_scale : ndarrays of shape (n_tasks,)
    """

    centre: np.ndarray
    columns: list
    scales: np.ndarray
    bases: list
    y_centre: np.ndarray
    y_scale: np.ndarray

    def coordinates(self, X):
        """Coordinates (n, q) of rows, and what of their squares lies outside, (n, n_groups)."""
        X = X - self.centre
        parts, outside = [], np.zeros((len(X), len(self.columns)))
        for g, (columns, scale, basis) in enumerate(self._groups()):
            Z = X[:, columns] / scale
            if basis is not None:
                squares = (Z**2).sum(axis=1)
                Z = Z @ basis
                outside[:, g] = np.maximum(squares - (Z**2).sum(axis=1), 0)
            parts.append(Z)
        return np.hstack(parts), outside

    def coefficients(self, W):
        """Coefficients (..., n_tasks, n_features) in units of X and y from those of coordinates."""
        features = np.zeros((*W.shape[:-1], len(self.centre)))
        for block, (columns, scale, basis) in zip(self.blocks, self._groups(), strict=True):
            own = W[..., block]
            features[..., columns] = (own if basis is None else own @ basis.T) / scale
        return features * self.y_scale[:, None]

    def complement(self, W):
        """W (..., n_features), in units of the frame, without its part in the coordinates."""
        rest = np.zeros_like(W)
        for columns, scale, basis in self._groups():
            if basis is not None:
                own = W[..., columns]
                rest[..., columns] = (own - own @ basis @ basis.T) / scale
        return rest * self.y_scale[:, None]

    @property
    def blocks(self):
        """Slice of the coordinates of each group."""
        sizes = [
            len(c) if b is None else b.shape[1]
            for c, b in zip(self.columns, self.bases, strict=True)
        ]
        stops = np.cumsum(sizes).tolist()
        return [slice(stop - size, stop) for stop, size in zip(stops, sizes, strict=True)]

    def _groups(self):
        return zip(self.columns, self.scales, self.bases, strict=True)


def make_frame(X, row_weight, groups, y_centre, y_scale, *, centred):
    """Frame of the rows X (n, p) with these weights, and the rows in it, (n, q).

    Parameters
    ----------
    groups : ndarray of int of shape (n_features,) or None
    centred : bool
        Whether the origin is the weighted mean of X, or zero.
    """
    n, p = X.shape
    share = row_weight / row_weight.sum()
    centre = share @ X if centred else np.zeros(p)
    Xc = X - centre
    columns = _columns(groups, p)
    scales, bases, parts = [], [], []
    for own in columns:
        Z = Xc if len(columns) == 1 else Xc[:, own]
        size = _size(Z, share)
        Z = Z / size
        basis = _row_space(Z, row_weight) if len(own) > n else None
        scales.append(size)
        bases.append(basis)
        parts.append(Z if basis is None else Z @ basis)
    frame = Frame(centre, columns, np.array(scales), bases, y_centre, y_scale)
    return frame, np.hstack(parts)


def _columns(groups, p):
    if groups is None:
        return [np.arange(p)]
    return [np.flatnonzero(groups == g) for g in range(groups.max() + 1)]


def _size(Z, share):
    """Root of the mean squared length of the rows, 1 where all are zero."""
    largest = np.abs(Z).max(initial=0.0)
    if largest == 0:
        return 1.0
    return float(largest * np.sqrt(share @ ((Z / largest) ** 2).sum(axis=1)))


def _row_space(Z, weight):
    """Orthonormal basis of the span of the rows: weighted rows have a diagonal Gram in it."""
    Z = np.sqrt(weight)[:, None] * Z
    s, P = eigh_psd(Z @ Z.T)
    keep = s > 0
    if not keep.any():  # constant features: one direction, in which nothing varies
        return np.eye(Z.shape[1], 1)
    return Z.T @ (P[:, keep] / np.sqrt(s[keep]))


def label_units(y, s, indptr, *, intercept, common):
    """Centres and scales of the labels of each task, (n_tasks,) each.

    Parameters
    ----------
    y, s : ndarrays of shape (n_labels,)
        Labels and weights, sorted by task.
    indptr : ndarray of shape (n_tasks + 1,)
    intercept : {"free", "shrunk", "none"}
    common : bool
        Whether all tasks have one scale, as they must where their noise or their coefficients
        have one variance.
    """
    start, T = indptr[:-1], len(indptr) - 1
    total = np.add.reduceat(s, start)
    pooled = float(s @ y / s.sum())
    means = np.add.reduceat(s * y, start) / total
    centre = {"free": means, "shrunk": np.full(T, pooled), "none": np.zeros(T)}[intercept]
    origin = centre if intercept == "none" else means
    squares = _squares(y - np.repeat(origin, np.diff(indptr)), s, start)
    size = np.maximum.reduceat(np.abs(y), start)
    spread = np.where(squares > ROUNDING * size, squares, 0.0) / np.sqrt(total)
    if common:
        within = np.sqrt((total * spread**2).sum() / max((total - 1).sum(), 1.0))
        around = _squares(y - pooled, s, np.array([0]))[0] / np.sqrt(s.sum())
        scale = within if within > 0 else around
        return centre, np.full(T, scale if scale > 0 else 1.0)
    usable = (total >= FEW) & (spread > 0)
    usable = usable if usable.any() else spread > 0
    usual = np.median(spread[usable]) if usable.any() else 1.0
    return centre, np.where(usable | (spread > FAR * usual), spread, usual)


def _squares(r, s, start):
    """Root of the weighted sum of squares of each segment, without overflow."""
    largest = np.abs(r).max(initial=0.0)
    if largest == 0:
        return np.zeros(len(start))
    return largest * np.sqrt(np.add.reduceat(s * (r / largest) ** 2, start))
