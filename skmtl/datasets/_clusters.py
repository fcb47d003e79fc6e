"""Tasks in clusters, and tasks that are in none: the simulations of robust task clustering.

Every feature belongs to one cluster.  A cluster's centre, and what its tasks add to it, lives on
the cluster's own features.
"""

from functools import partial
from numbers import Real

import numpy as np
from sklearn.utils import check_random_state, check_scalar

from .._checks import check_count, check_option, check_strength
from ._coefficients import clusters_of
from ._design import check_missing, check_scale, check_sizes, draw_linear

OUTLIERS = {"shifted": 3.0, "unrelated": 10.0}  # kinds and their scales


def make_clustered_tasks(
    n_samples=50,
    n_features=20,
    n_tasks=30,
    *,
    n_clusters=3,
    n_outliers=0,
    center_scale=3.0,
    spread=0.3,
    outliers="shifted",
    outlier_scale=None,
    outlier_features="all",
    correlation=0.0,
    intercept_scale=0.0,
    noise=1.0,
    missing=0.0,
    common_design=True,
    return_coef=False,
    random_state=None,
):
    """Generate linear tasks in clusters, some of them outliers.

    The coefficients of a task are the centre of its cluster plus a deviation, both normal and on
    the cluster's own features, 0 elsewhere.  Outliers are moved far away, each on its own.

    Parameters
    ----------
    n_samples : int or array-like of int of shape (n_tasks,), default=50
        The number of rows, at least 1.  With ``common_design=False`` it counts the rows of each
        task, and an array gives the tasks different sizes.
    n_features : int, default=20
        The number of features, at least `n_clusters`.
    n_tasks : int, default=30
        The number of tasks, at least 1, the outliers among them.
    n_clusters : int in [1, n_tasks], default=3
        Clusters of tasks, of equal sizes before outliers leave them: task t is in cluster
        ``t * n_clusters // n_tasks``.  Features are dealt to them at random, in equal numbers.
    n_outliers : int in [0, n_tasks], default=0
        The number of outliers, tasks drawn at random.
    center_scale : float, default=3.0
        Standard deviation of the coefficients of the centres, in [0, inf).
    spread : float, default=0.3
        Standard deviation of the deviations of tasks from their centre, in [0, inf).
    outliers : {"shifted", "unrelated"}, default="shifted"
        "shifted": a normal draw is added to an outlier's coefficients, with mean `outlier_scale`
        and 5/9 of its square as variance, drawn again where it is shorter than the mean; the sign
        is random.  "unrelated": an outlier's coefficients are uniform in [-outlier_scale,
        outlier_scale].
    outlier_scale : float, default=None
        Scale of the outliers, in [0, inf).  None is 3 if they are shifted and 10 if unrelated.
    outlier_features : {"all", "own"}, default="all"
        Features on which an outlier's coefficients are moved: all, or those of its cluster.
    correlation : float in (-1, 1), default=0.0
        Correlation of neighbouring features, and its powers of more distant ones.
    intercept_scale : float or array-like of shape (n_tasks,), default=0.0
        Standard deviation of the normal draw of the intercepts, in [0, inf), of all tasks or of
        each.
    noise : float or array-like of shape (n_tasks,), default=1.0
        Standard deviation of the errors, in [0, inf), of all tasks or of each.
    missing : float in [0, 1), default=0.0
        The fraction of the labels of a common design that is hidden (NaN).  Every task keeps a
        label, and so does every row as long as enough labels are left for it.
    common_design : bool, default=True
        True: one X and a wide Y with a column for each task.  False: each task has rows of its
        own, and the data are long.
    return_coef : bool, default=False
        Also return the true coefficients and intercepts.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same data at every call.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features), or (sum of task sizes, n_features) if long
        The features, without the task's id.
    Y : ndarray of shape (n_samples, n_tasks), or (sum of task sizes,) if long
        The labels.
    task : ndarray of shape (sum of task sizes,), int
        The task of each row, in sorted order.  Only where ``common_design=False``.
    cluster : ndarray of shape (n_tasks,), int
        The cluster of each task, -1 for outliers.
    coef : ndarray of shape (n_tasks, n_features)
        The true coefficients.  Only where ``return_coef=True``.
    intercept : ndarray of shape (n_tasks,)
        The true intercepts.  Only where ``return_coef=True``.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or there are fewer features than clusters.
    TypeError
        If a count is not an integer, or a scale not a number.

    References
    ----------
    .. [1] Okazaki, A. and Kawano, S. (2024). Multi-task learning regression via convex clustering
       and its robust extension. Statistics and Computing, arXiv:2404.03250.

    Examples
    --------
    >>> from skmtl.datasets import make_clustered_tasks
    >>> X, Y, cluster = make_clustered_tasks(n_tasks=8, n_outliers=2, random_state=0)
    >>> X.shape, Y.shape, cluster.tolist()
    ((50, 20), (50, 8), [0, 0, -1, 1, 1, 1, 2, -1])
    >>> X, y, task, cluster, coef, intercept = make_clustered_tasks(
    ...     [30, 5, 8], n_tasks=3, common_design=False, return_coef=True, random_state=0
    ... )
    >>> X.shape, y.shape, task[::10].tolist(), coef.shape
    ((43, 20), (43,), [0, 0, 0, 1, 2], (3, 20))
    """
    n_features, n_tasks = check_count("n_features", n_features), check_count("n_tasks", n_tasks)
    sizes = check_sizes(n_samples, n_tasks, common_design)
    _check_clusters(n_clusters, n_outliers, n_tasks, n_features)
    check_option("outliers", outliers, OUTLIERS)
    check_option("outlier_features", outlier_features, ("all", "own"))
    outlier_scale = OUTLIERS[outliers] if outlier_scale is None else outlier_scale
    scales = {"center_scale": center_scale, "spread": spread, "outlier_scale": outlier_scale}
    for name, value in scales.items():
        check_strength(name, value, zero=True, infinite=False)
    _check_correlation(correlation)
    intercept_scale = check_scale(intercept_scale, "intercept_scale", n_tasks)
    noise = check_scale(noise, "noise", n_tasks)
    n_hidden = check_missing(missing, n_samples, n_tasks, common_design)

    rng = check_random_state(random_state)
    cluster = clusters_of(n_tasks, n_clusters)
    own = rng.permutation(np.arange(n_features) % n_clusters) == cluster[:, None]
    centers = center_scale * rng.standard_normal((n_clusters, n_features))
    coef = own * (centers[cluster] + spread * rng.standard_normal((n_tasks, n_features)))
    out = rng.permutation(n_tasks)[:n_outliers]
    moved = own[out] if outlier_features == "own" else np.ones((len(out), n_features), dtype=bool)
    if outliers == "shifted":
        coef[out] += moved * _far_draws(moved.shape, outlier_scale, rng)
    else:
        coef[out] = moved * rng.uniform(-outlier_scale, outlier_scale, moved.shape)
    cluster[out] = -1
    intercept = intercept_scale * rng.standard_normal(n_tasks)
    features = partial(_draw_features, correlation=correlation, rng=rng)
    data = draw_linear(coef, intercept, noise, sizes, n_hidden, common_design, rng, features)
    return (*data, cluster, coef, intercept) if return_coef else (*data, cluster)


def _far_draws(shape, scale, rng):
    """Normal draws about `scale`, none shorter, with random signs."""
    draws = np.zeros(shape)
    short = np.ones(shape, dtype=bool)
    while short.any():
        draws[short] = 1 + np.sqrt(5) / 3 * rng.standard_normal(short.sum())
        short = np.abs(draws) < 1
    return scale * draws * rng.choice([-1.0, 1.0], size=shape)


def _draw_features(shape, correlation, rng):
    """Normal features of variance 1 whose correlation falls with their distance."""
    X = rng.standard_normal(shape)
    fresh = np.sqrt(1 - correlation**2)
    for j in range(1, shape[1] if correlation else 0):
        X[:, j] = correlation * X[:, j - 1] + fresh * X[:, j]
    return X


def _check_clusters(n_clusters, n_outliers, n_tasks, n_features):
    check_count("n_clusters", n_clusters)
    check_count("n_outliers", n_outliers, least=0)
    if n_clusters > min(n_tasks, n_features):
        raise ValueError(
            f"n_clusters must be at most n_tasks={n_tasks} and n_features={n_features}, got "
            f"{n_clusters}."
        )
    if n_outliers > n_tasks:
        raise ValueError(f"n_outliers must be at most n_tasks={n_tasks}, got {n_outliers}.")


def _check_correlation(correlation):
    check_scalar(correlation, "correlation", Real)
    if not abs(correlation) < 1:
        raise ValueError(f"correlation must be in (-1, 1), got {correlation!r}.")
