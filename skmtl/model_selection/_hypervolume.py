"""Which points of a front are dominated, and the volume that the others dominate.

Points in falling order of the last loss add  (r_T - p_T) (vol(p) - hv(later points, raised to p)):
later ones reach at least as far along the last axis, so each adds a volume in one dimension less.
"""

import numpy as np

MOST_TASKS = 8  # of which the cost, in the worst case n^(T - 1) for n points, is bearable


def dominated(points):
    """Whether another row is no larger anywhere and smaller somewhere."""
    no_worse = (points[:, None] <= points).all(axis=2)
    better = (points[:, None] < points).any(axis=2)
    return (no_worse & better).any(axis=0)


def hypervolume(points, reference):
    """Volume of what the points (n_points, n_tasks) dominate below the reference (n_tasks,).

    >>> import numpy as np
    >>> hypervolume(np.array([[1.0, 3.0], [2.0, 1.0]]), np.array([4.0, 4.0]))
    7.0
    """
    points = points[(points < reference).all(axis=1)]
    return float(_covered(points, reference)) if len(points) else 0.0


def _covered(points, reference):
    if points.shape[1] == 1:
        return reference[0] - points.min()
    points = np.unique(points[~dominated(points)], axis=0)
    points = points[np.argsort(-points[:, -1], kind="stable")]
    reference, last = reference[:-1], reference[-1]
    volume = 0.0
    for k, p in enumerate(points):
        p, depth = p[:-1], last - p[-1]
        own = np.prod(reference - p)
        if k + 1 < len(points):
            own -= _covered(np.maximum(points[k + 1 :, :-1], p), reference)
        volume += depth * own
    return volume
