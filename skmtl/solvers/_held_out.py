"""Losses of labels that took no part in a fit, for many coefficients in turn."""

import numpy as np

from .._backend import place_of, take, to_numpy, to_place, widest_float
from ._smooth_blocks import make_blocks


class HeldOutLoss:
    """Weighted sums of the losses of each task.

    Parameters
    ----------
    data : TaskData
        Labels are class numbers, or amounts if the layout's `positive` is None.
    layout : object with `channels` and `positive`, for each task
    loss : object with value

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl._input import UnitLayout
    >>> from skmtl._data import wide_data
    >>> from skmtl.losses import LogLoss
    >>> from skmtl.solvers import HeldOutLoss
    >>> data, _ = wide_data(np.array([[1.0], [2.0]]), np.array([[1.0, 0.0], [1.0, np.nan]]))
    >>> layout = UnitLayout([np.zeros(1, int)] * 2, [np.ones(1)] * 2, 1)
    >>> HeldOutLoss(data, layout, LogLoss())(np.zeros((2, 1)), np.zeros(2)).round(4)
    array([1.3863, 0.6931])
    """

    def __init__(self, data, layout, loss):
        place = self.place = place_of(data.X)
        origin = place.xp.zeros(data.X.shape[1], device=place.device)
        omega = np.ones(data.n_tasks)
        self.loss, self.n_tasks = loss, data.n_tasks
        self.blocks = make_blocks(data, omega, layout, fit_intercept=True, centre=origin)
        first = np.cumsum([0, *(len(c) for c in layout.channels)])
        self.units = [first[b.tasks][:, None] + np.arange(b.channels.shape[1]) for b in self.blocks]

    def __call__(self, W, b):
        """Sums (n_tasks,) for coefficients W (n_units, p), intercepts b, tasks in their order."""
        xp, sums = self.place.xp, np.zeros(self.n_tasks)
        # the fit may have been computed elsewhere than where these labels lie
        W, b = (to_place(x, self.place, widest_float(self.place)) for x in (W, b))
        rows = xp.concat([W, b[:, None]], axis=1)
        for block, units in zip(self.blocks, self.units, strict=True):
            z = block.scores(take(rows, units.reshape(-1)))
            losses = xp.sum(block.S * self.loss.value(block.Y, z), axis=(1, 2))
            sums[block.tasks] = to_numpy(losses)
        return sums
