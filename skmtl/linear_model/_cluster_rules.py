"""Rules that read clusters off a grid of fits; the prediction error alone often fuses nothing."""

import numpy as np
from sklearn.metrics import adjusted_rand_score

from ..clustering import OUTLIER
from ._selection import first_least

STABLE = 0.9  # mean adjusted Rand index from which clusters count as stable
CLUSTER_RULES = ("stability", "gap", "prediction")


def choose_clusters(rule, points, labels, stability, error, fold_errors):
    """Index of the point whose clusters to report.

    Parameters
    ----------
    rule : {"stability", "gap", "prediction"}
    points : ndarray of shape (n_points, 3)
        alpha, alpha_fuse and alpha_outlier.
    labels : ndarray of int of shape (n_points, n_tasks)
    stability, error : ndarray of shape (n_points,)
        Agreement of the labels between folds, and prediction error.
    fold_errors : ndarray of shape (n_folds, n_points)
    """
    best = first_least(error)
    able = np.array([says_something(row) for row in labels])
    if rule == "gap":
        own = (points[:, [0, 2]] == points[best, [0, 2]]).all(axis=1)
        able &= own
    if rule == "prediction" or not able.any():
        return best
    if rule == "gap":
        length = np.where(able, run_lengths(points[:, 1], labels, np.flatnonzero(own)), -1.0)
        able = length == length.max()
        return first_least(np.where(able, error, np.inf))
    stable = able & (stability >= STABLE)
    able = stable if stable.any() else able & (stability == stability[able].max())
    least = first_least(np.where(able, error, np.inf))
    able &= error <= error[least] + standard_error(fold_errors[:, least])
    # an outlier is a group by itself: a whole cluster called outliers makes no simpler reading
    n_groups = labels.max(axis=1) + (labels == OUTLIER).sum(axis=1)
    fewest = n_groups == n_groups[able].min()
    return first_least(np.where(able & fewest, error, np.inf))


def standard_error(errors):
    """Of the mean of the folds' errors; 0 for one fold."""
    return errors.std(ddof=1) / np.sqrt(len(errors)) if len(errors) > 1 else 0.0


def says_something(labels):
    """Whether at most half of the tasks are outliers, and half of the others have company."""
    sizes = np.bincount(labels[labels != OUTLIER])
    inside = sizes.sum()
    return 2 * inside >= len(labels) and 2 * sizes[sizes > 1].sum() >= inside


def stability_of(labels, fold_labels):
    """Mean over folds of the adjusted Rand index of their labels with these.

    Outliers count as one class; `fold_labels` are pairs of (tasks, labels), as a fold may lack
    tasks.
    """
    return float(np.mean([adjusted_rand_score(labels[t], other) for t, other in fold_labels]))


def run_lengths(alphas_fuse, labels, path):
    """Length on a logarithmic scale of the run of equal clusters that each point is in.

    `path` are the numbers of the points of one path; the others get 0.
    """
    order = path[np.argsort(alphas_fuse[path])]
    with np.errstate(divide="ignore"):
        log = np.log(alphas_fuse)
    changes = [True, *(np.diff(labels[order], axis=0) != 0).any(axis=1)]
    run = np.cumsum(changes) - 1
    lengths = np.zeros(len(alphas_fuse))
    for k in range(run[-1] + 1):
        own = order[run == k]
        finite = log[own][np.isfinite(log[own])]
        lengths[own] = np.ptp(finite) if finite.size else 0.0
    return lengths
