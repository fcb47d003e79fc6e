"""Labels in units of their own task, as TargetScaler has them: z = (y - mean_t) / scale_t."""

from dataclasses import dataclass

import numpy as np

from .._data import label_moments, relabelled_by_task


@dataclass(frozen=True, eq=False)
class TargetUnits:
    """Means and scales of tasks, and those of a task of which nothing is known."""

    mean: np.ndarray
    scale: np.ndarray
    pooled_mean: float
    pooled_scale: float

    def scaled(self, data):
        """The TaskData in these units."""
        return relabelled_by_task(data, lambda y, task: (y - self.mean[task]) / self.scale[task])

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


def target_units(data, otherwise=None):
    """Units in which each task of the TaskData has mean 0 and standard deviation 1.

    A task whose labels are all equal gets the pooled standard deviation about the tasks' means, and
    where that is zero all get `otherwise`, or the unit of the LabelMoments.
    """
    moments = label_moments(data)
    mean, std, pooled_mean, pooled_std = moments
    pooled = pooled_std or otherwise or moments.unit
    return TargetUnits(mean, np.where(std > 0, std, pooled), pooled_mean, pooled)
