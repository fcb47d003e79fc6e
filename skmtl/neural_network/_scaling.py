"""Labels in units of their own task, as TargetScaler has them: z = (y - mean_t) / scale_t."""

from dataclasses import dataclass

import numpy as np

from .._data import relabelled


@dataclass(frozen=True, eq=False)
class TargetUnits:
    """Means and scales of tasks, and those of a task of which nothing is known."""

    mean: np.ndarray
    scale: np.ndarray
    pooled_mean: float
    pooled_scale: float

    def scaled(self, data):
        """The TaskData in these units."""
        if data.is_common_design:
            return relabelled(data, lambda Y: (Y - self.mean) / self.scale)
        task = data.labels.task
        return relabelled(data, lambda y: (y - self.mean[task]) / self.scale[task])

    def select(self, tasks):
        """Those of some tasks."""
        return TargetUnits(self.mean[tasks], self.scale[tasks], self.pooled_mean, self.pooled_scale)

    def joined(self, later, old, new, n_tasks):
        """Units of n_tasks tasks: these, numbered `old`, and later ones, numbered `new`."""
        mean, scale = np.zeros(n_tasks), np.ones(n_tasks)
        mean[new], scale[new] = later.mean, later.scale
        mean[old], scale[old] = self.mean, self.scale  # in which their heads are trained
        return TargetUnits(mean, scale, self.pooled_mean, self.pooled_scale)


def plain_units(n_tasks):
    """Units in which labels are what they are."""
    return TargetUnits(np.zeros(n_tasks), np.ones(n_tasks), 0.0, 1.0)


def target_units(data, otherwise=1.0):
    """Units in which each task of the TaskData has mean 0 and standard deviation 1.

    A task whose labels are all equal gets the pooled standard deviation about the tasks' means, and
    where that is zero all get `otherwise`.
    """
    mean, std = _moments(data.labels, data.weight_sums)
    largest = std.max() or 1.0
    pooled = largest * np.sqrt(np.average((std / largest) ** 2, weights=data.weight_sums))
    pooled = float(pooled) or otherwise
    pooled_mean = float(np.average(mean, weights=data.weight_sums))
    return TargetUnits(mean, np.where(std > 0, std, pooled), pooled_mean, pooled)


def variances(data):
    """Weighted variance of the labels of each task."""
    return _moments(data.labels, data.weight_sums)[1] ** 2


def _moments(labels, total):
    """Weighted mean and standard deviation of each task, exactly 0 where all labels are equal."""
    first = labels.indptr[:-1]
    origin = labels.y[first]  # a mean of equal labels may differ from them by rounding
    deviation = labels.y - origin[labels.task]
    offset = np.add.reduceat(labels.s * deviation, first) / total
    deviation = deviation - offset[labels.task]
    # in units of the largest one squares neither overflow nor vanish
    largest = np.maximum.reduceat(abs(deviation), first)
    unit = np.where(largest > 0, largest, 1.0)
    squares = labels.s * (deviation / unit[labels.task]) ** 2
    return origin + offset, unit * np.sqrt(np.add.reduceat(squares, first) / total)
