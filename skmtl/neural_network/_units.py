"""Units of the features that a network reads, over several trainings.

A network reads z = (x - m) / s, its first layer being z W + c.  When more rows change m and s into
m' and s', z = r z' + a with r = s' / s and a = (m' - m) / s, so that W' = r W and c' = c + a W
leave the function as it is.  The gradient becomes g_W' = (g_W - a g_c) / r.

m and s of two sets of rows merge by the update of Chan, Golub and LeVeque (1983).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

from .._backend import CentredSparse
from .._input import FeatureUnits, StandardUnits, mean_and_deviation, scale_of


class PlainUnits(FeatureUnits):
    """The user's own units, whatever rows there are."""

    are_standard = False

    def joined(self, data):
        """Units of the rows so far and of those of a TaskData."""
        return self

    def change(self, earlier):
        """How the first layer changes from earlier units to these; None: not at all."""
        return None


@dataclass(frozen=True, eq=False)
class NetworkUnits(StandardUnits):
    """Standard units of the features of some rows, in which sparse X is centred as well.

    Attributes
    ----------
    spread : Spread
    """

    spread: "Spread"
    are_standard = True

    def of_rows(self, X):
        """X in these units; a sparse one as CentredSparse, which is not filled."""
        return _centred(X, self.mean, self.scale) if issparse(X) else super().of_rows(X)

    def joined(self, data):
        """Units of the rows so far and of those of a TaskData."""
        return units_of(self.spread + spread_of(data))

    def change(self, earlier):
        """How the first layer changes from earlier units to these."""
        # a feature that was constant told nothing of its unit: its weights hold in the new one
        known = earlier.spread.varies
        before = np.where(known, earlier.scale, self.scale)
        return Change(self.scale / before, (self.mean - earlier.mean) / before)


@dataclass(frozen=True, eq=False)
class Spread:
    """What is known of the features of some rows.

    Attributes
    ----------
    weight : float
        Sum of the weights of the labels.
    n_rows : int
    mean, deviation : ndarray of shape (n_features,)
    """

    weight: float
    n_rows: int
    mean: np.ndarray
    deviation: np.ndarray

    @property
    def varies(self):
        """Whether each feature varies by more than rounding."""
        return scale_of(self.mean, self.deviation, self.n_rows) == self.deviation

    def __add__(self, other):
        """That of the rows of both."""
        weight = self.weight + other.weight
        share, step = other.weight / weight, other.mean - self.mean
        # in units of the largest one squares neither overflow nor vanish
        unit = np.maximum(np.maximum(self.deviation, other.deviation), abs(step))
        unit[unit == 0] = 1.0
        a, b, d = self.deviation / unit, other.deviation / unit, step / unit
        square = a * a + share * (b * b - a * a) + share * (1 - share) * d * d
        n_rows = self.n_rows + other.n_rows
        return Spread(weight, n_rows, self.mean + share * step, unit * np.sqrt(square))


def spread_of(data):
    """Spread of the features of a TaskData."""
    mean, deviation = mean_and_deviation(data, centre=True)
    return Spread(float(data.weight_sums.sum()), data.X.shape[0], mean, deviation)


def units_of(spread):
    """The standard units that a Spread gives."""
    scale = scale_of(spread.mean, spread.deviation, spread.n_rows)
    return NetworkUnits(spread.mean, scale, spread.mean, spread)


class Change(NamedTuple):
    """Of the features a network reads: old ones are `ratio` times new ones plus `shift`."""

    ratio: np.ndarray
    shift: np.ndarray

    def of_parameters(self, network, flat):
        """Parameters, or their velocity, that give the same function of the user's features."""
        flat = flat.copy()
        blocks = network.views(flat)
        if blocks.weights:
            blocks.biases[0][...] += self.shift @ blocks.weights[0]
            blocks.weights[0][...] *= self.ratio[:, None]
            return flat
        heads = blocks.specific + blocks.shared[network.channels]
        blocks.intercepts[...] += heads @ self.shift
        for part in (blocks.shared, blocks.specific):
            part[...] *= self.ratio
        return flat

    def of_gradients(self, network, flat):
        """Gradients in the parameters, or their running mean."""
        return self._of_dual(network, flat, -self.shift, self.ratio)

    def of_squares(self, network, flat):
        """Running means of squared gradients, as if those of weights and biases did not correlate.

        They do not where features have mean zero and do not tell of the residuals.
        """
        return self._of_dual(network, flat, self.shift**2, self.ratio**2)

    def _of_dual(self, network, flat, shift, ratio):
        flat = flat.copy()
        blocks = network.views(flat)
        if blocks.weights:
            W = blocks.weights[0]
            W[...] = (W + np.outer(shift, blocks.biases[0])) / ratio[:, None]
            return flat
        own = network.incidence().T @ blocks.intercepts
        if network.has_shared:
            blocks.shared[...] = (blocks.shared + np.outer(own, shift)) / ratio
        if network.has_specific:
            blocks.specific[...] = (blocks.specific + np.outer(blocks.intercepts, shift)) / ratio
        return flat


def _centred(X, mean, scale):
    """Sparse (X - 1 mean') / scale, of which only columns without a gap are shifted entry by entry.

    Only these can lie so far from zero that a product with the others' rows would cancel.
    """
    X = X.copy()
    X.sum_duplicates()
    full = np.bincount(X.indices, minlength=X.shape[1]) == X.shape[0]
    X.data = (X.data - np.where(full, mean, 0.0)[X.indices]) / scale[X.indices]
    return CentredSparse(X, np.where(full, 0.0, mean) / scale)
