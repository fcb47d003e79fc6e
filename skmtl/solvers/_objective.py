"""The loss of a linear model: value, gradient and curvature in W and b, whatever the penalty.

    f(W) = sum_t omega_t sum_i s_ti loss(y_ti, z_ti),   z_ti = x_i.w_t + b_t.

A task has one coefficient vector or, with several classes, one for each: the units.  W (n_units, m)
holds their coefficients and, with intercepts, b in its last column; features are centred, at the
pooled mean or task by task.  Scores z are kept block by block (see _smooth_blocks.py).
"""

from copy import copy
from dataclasses import replace

import numpy as np
from scipy.sparse import issparse

from .._backend import NUMPY, namespace_of, place_of, take, to_numpy, to_place, widest_float
from ._design import make_frame
from ._smooth_blocks import make_blocks
from ._solution import Solution

ROUNDING = 1e-14  # of a column's mean


class LinearObjective:
    """Weighted sum of the losses of a linear model.

    Parameters
    ----------
    data : TaskData
        Labels are class numbers, or amounts where the layout's `positive` is None.
    loss : object with value, gradient, second_order, and hessian_diagonal, _product and _blocks
    layout : object with channels, positive and n_channels
        Units of each task (see UnitLayout).
    omega : ndarray of shape (n_tasks,)
    fit_intercept : bool
    own_centres : bool, default=False
        Whether features are centred task by task where that is possible; intercepts must then be
        free.
    reduce : bool, default=False
        Whether features are replaced by coordinates in the row space of X, which leaves the
        solution as it is where the penalty does not change under rotations of the features.
    on_host : bool, default=False
        Compute in NumPy wherever X lies.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl._input import UnitLayout
    >>> from skmtl._data import wide_data
    >>> from skmtl.losses import SquaredError
    >>> from skmtl.solvers import LinearObjective
    >>> data, _ = wide_data(np.array([[-1.0], [1.0]]), np.array([[0.0, 1.0], [2.0, 3.0]]))
    >>> layout = UnitLayout([np.zeros(1, int)] * 2, None, 1)
    >>> objective = LinearObjective(data, SquaredError(), layout, np.ones(2), fit_intercept=True)
    >>> scores = objective.scores(np.array([[1.0, 1.0], [0.0, 1.0]]))
    >>> objective.loss_sum(scores)
    2.0
    """

    def __init__(
        self,
        data,
        loss,
        layout,
        omega,
        *,
        fit_intercept,
        own_centres=False,
        reduce=False,
        on_host=False,
    ):
        self.loss, self.fit_intercept, self.layout, self.omega = loss, fit_intercept, layout, omega
        if on_host:
            data = replace(data, X=to_place(data.X, NUMPY))
        self.place = place_of(data.X)
        self.dtype = widest_float(self.place)
        self.n_rows, self.n_features = data.X.shape
        self.reduced, self.data = reduce, data
        self.frame = make_frame(data, omega, fit_intercept=fit_intercept, reduce=reduce)
        data = replace(data, X=self.frame.X)
        by_task = own_centres and data.one_label_per_row and not issparse(data.X)
        self.blocks = make_blocks(
            data,
            omega,
            layout,
            fit_intercept=fit_intercept,
            centre="tasks" if by_task and fit_intercept else self.put(self.frame.mean),
        )
        self.rows_are_units = not data.one_label_per_row
        self.channels = np.concatenate([block.channels.reshape(-1) for block in self.blocks])
        self.n_units = len(self.channels)
        self.n_coordinates = self.frame.X.shape[1]
        self.width = self.n_coordinates + bool(fit_intercept)
        stops = np.cumsum([block.n_units for block in self.blocks]).tolist()
        self.spans = [
            slice(b - block.n_units, b) for b, block in zip(stops, self.blocks, strict=True)
        ]

    def put(self, x):
        """Host values where the problem lies."""
        return to_place(x, self.place, self.dtype)

    def weighted(self, omega):
        """The same problem with other task weights, of shape (n_tasks,)."""
        other = copy(self)
        other.omega = omega
        ratio = omega / self.omega
        other.blocks = [
            replace(b, S=b.S * self.put(ratio[b.tasks])[:, None, None]) for b in self.blocks
        ]
        return other

    def restricted_data(self, features):
        """TaskData with some of the features, numbered ascending."""
        if len(features) == self.n_coordinates:
            return self.data
        return replace(self.data, X=take(self.data.X, features, axis=1))

    def restricted(self, features):
        """The same objective in some of the features; not if `reduce`."""
        return LinearObjective(
            self.restricted_data(features),
            self.loss,
            self.layout,
            self.omega,
            fit_intercept=self.fit_intercept,
        )

    def with_best_intercepts(self, W):
        """Coefficients W (n_units, n_coordinates) with the intercepts that suit squared errors."""
        xp = namespace_of(W)
        if not self.fit_intercept:
            return W
        W = xp.concat([W, xp.zeros_like(W[:, :1])], axis=1)
        b = []
        for block, z in zip(self.blocks, self.scores(W), strict=True):
            total = xp.sum(block.S, axis=2)
            b.append(xp.reshape(xp.sum(block.S * (block.Y - z), axis=2) / total, (-1,)))
        return xp.concat([W[:, :-1], xp.concat(b)[:, None]], axis=1)

    def gap_parts(self, scores):
        """Parts of a duality gap of squared errors, with the intercepts at their best.

        Returns
        -------
        slopes : array of shape (n_units, n_coordinates)
        primal, with_y, null : float
            Half the squares of the residuals, their product with the labels, and half the squares
            of the labels, about the tasks' means where there are intercepts; all weighted.
        """
        slopes, sums = [], np.zeros(3)
        for block, z in zip(self.blocks, scores, strict=True):
            xp, S, Y, r = namespace_of(z), block.S, block.Y, block.Y - z
            if self.fit_intercept:
                total = xp.sum(S, axis=2, keepdims=True)
                Y, r = (v - xp.sum(S * v, axis=2, keepdims=True) / total for v in (Y, r))
            slopes.append(-block.pull_back(S * r)[:, : self.n_coordinates])
            sums += [float(xp.sum(S * v)) for v in (r**2 / 2, r * Y, Y**2 / 2)]
        return namespace_of(slopes[0]).concat(slopes, axis=0), *sums.tolist()

    def zeros(self):
        """Coefficients zero, of shape (n_units, m)."""
        return self.zeros_of(self._shape)

    @property
    def _shape(self):
        return self.n_units, self.width

    def zeros_of(self, shape):
        """An array of zeros where the objective lies."""
        dtype = getattr(self.place.xp, self.dtype)
        return self.place.xp.zeros(shape, dtype=dtype, device=self.place.device)

    # value and derivatives in W

    def scores(self, W):
        """Scores of each block at W (n_units, m)."""
        return [b.scores(W[s, :]) for b, s in zip(self.blocks, self.spans, strict=True)]

    def loss_sum(self, scores):
        """Weighted sum of the losses."""
        sums = [
            namespace_of(z).sum(b.S * self.loss.value(b.Y, z))
            for b, z in zip(self.blocks, scores, strict=True)
        ]
        return float(sum(sums))

    def energy(self, scores):
        """Half the weighted sum of squared scores, by which squared errors curve."""
        sums = [namespace_of(z).sum(b.S * z**2) for b, z in zip(self.blocks, scores, strict=True)]
        return float(sum(sums)) / 2

    def task_losses(self, scores):
        """Weighted sums of the losses of each task, of shape (n_tasks,)."""
        sums = np.empty(len(self.layout.channels))
        for block, z in zip(self.blocks, scores, strict=True):
            losses = namespace_of(z).sum(block.S * self.loss.value(block.Y, z), axis=(1, 2))
            sums[block.tasks] = to_numpy(losses)
        return sums

    def largest_losses(self, point):
        """Largest loss among the labels of each task, of shape (n_tasks,)."""
        largest = np.zeros(len(self.layout.channels))
        for block, z in zip(self.blocks, point.scores, strict=True):
            losses = to_numpy(self.loss.value(block.Y, z))
            seen = to_numpy(block.S) > 0
            largest[block.tasks] = np.where(seen, losses, 0.0).max(axis=(1, 2))
        return largest

    def slopes(self, scores):
        """Gradient in W, of shape (n_units, m)."""
        parts = [
            b.pull_back(b.S * self.loss.gradient(b.Y, z))
            for b, z in zip(self.blocks, scores, strict=True)
        ]
        return namespace_of(parts[0]).concat(parts, axis=0)

    def slope_length(self):
        """Largest weighted sum of squares, over the units, of the slopes of labels at zero."""
        at_zero = zip(self.blocks, self.scores(self.zeros_of(self._shape)), strict=True)
        return max(_largest_sum(b.S * self.loss.gradient(b.Y, z) ** 2) for b, z in at_zero)

    def rounding_of_squares(self):
        """What sums of squares of a centred constant column may come to, of shape (m,)."""
        weight = max(_largest_sum(block.S) for block in self.blocks)
        squares = (ROUNDING * self.put(self.frame.mean)) ** 2
        squares = squares * (weight * self.loss.largest_curvature)
        if not self.fit_intercept:
            return squares
        xp = namespace_of(squares)
        return xp.concat([squares, xp.zeros_like(squares[:1])])

    def slope_scale(self, slopes):
        """What slopes are measured by, (m,) on the host, from those at zero coefficients.

        For features it is their largest slope; for intercepts, and for features where the slopes of
        labels may cancel, what the lengths of the slopes and of the columns allow.
        """
        p, length = self.n_coordinates, self.slope_length()
        squares = [block.squares(block.S + 0 * block.Y)[:, :p] for block in self.blocks]
        column = max(float(namespace_of(q).max(q)) for q in squares)
        weights = max(to_numpy(block.S).sum(axis=(1, 2)).max() for block in self.blocks)
        scale = np.full(self.width, abs(to_numpy(slopes))[:, :p].max(initial=0.0))
        if self.loss.slopes_cancel:
            scale[:] = np.sqrt(column * length)
        if self.fit_intercept:
            scale[-1] = np.sqrt(weights * length)
        return np.where(scale > 0, scale, 1.0)

    def second_order(self, scores):
        """What the Hessian at these scores is made of, for each block."""
        return [self.loss.second_order(b.Y, z) for b, z in zip(self.blocks, scores, strict=True)]

    def curve(self, second, step):
        """Hessian times a step, both in W."""
        parts = [
            b.pull_back(b.S * self.loss.hessian_product(c, dz))
            for b, c, dz in zip(self.blocks, second, self.scores(step), strict=True)
        ]
        return namespace_of(parts[0]).concat(parts, axis=0)

    def diagonals(self, second):
        """Diagonal of the Hessian of the losses in W, of shape (n_units, m)."""
        parts = [
            b.squares(b.S * self.loss.hessian_diagonal(c))
            for b, c in zip(self.blocks, second, strict=True)
        ]
        return namespace_of(parts[0]).concat(parts, axis=0)

    # back to the units of X

    def intercepts(self, W):
        """Intercepts (n_units,) at the pooled mean of the features, in the order of the units."""
        xp, p = namespace_of(W), self.n_coordinates
        if not self.fit_intercept:
            return xp.zeros_like(W[:, 0])
        blocks = zip(self.blocks, self.spans, strict=True)
        return W[:, p] + xp.concat([self._moves(block, W[s, :p]) for block, s in blocks])

    def in_units_of_X(self, W, b, shared, shared_intercept, **report):
        """Solution of coefficients and intercepts at the pooled mean, a row a unit.

        Its rows are the units of each task in turn.  The shared ones are of shapes
        (n_channels, p) and (n_channels,).
        """
        order = np.argsort(self.unit_numbers)
        W, shared = take(self.frame.coefficients(W), order), self.frame.coefficients(shared)
        origin = self.put(self.frame.origin)
        return Solution(
            W=W,
            b=take(b, order) - W @ origin,
            shared=shared,
            shared_intercept=shared_intercept - shared @ origin,
            origin=origin,
            **report,
        )

    def _moves(self, block, W):
        """What takes the intercepts of a block from its own centre to the pooled mean."""
        xp = namespace_of(W)
        if block.centre.ndim == 1 and len(block.tasks) > 1:
            return xp.zeros_like(W[:, 0])
        shift = self.put(self.frame.mean) - block.centre
        if shift.ndim == 2:
            shift = xp.repeat(shift, block.channels.shape[1], axis=0)
        return xp.sum(W * shift, axis=1)

    @property
    def unit_numbers(self):
        """Number of each unit when tasks are in their order."""
        counts = [len(c) for c in self.layout.channels]
        first = np.cumsum([0, *counts])
        numbers = [first[b.tasks][:, None] + np.arange(b.channels.shape[1]) for b in self.blocks]
        return np.concatenate([n.reshape(-1) for n in numbers])


def _largest_sum(x):
    """Largest sum over labels, along the last axis."""
    xp = namespace_of(x)
    return float(xp.max(xp.sum(x, axis=2)))
