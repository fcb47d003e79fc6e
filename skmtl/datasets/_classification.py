"""Classification tasks with a known truth: exact Gram matrices of coefficients, exact shares.

Softmax scores x . w_tc + b_tc.  The w_tc are similar across tasks, class by class, and those of one
task point to the corners of a regular simplex: they sum to 0, and any two are equally far apart.
"""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state

from .._checks import check_count
from ._class_shares import check_shares, share_intercepts
from ._coefficients import check_informative, draw_coef, exchangeable_gram, gram_factor
from ._design import check_counts, check_missing, check_scale, check_sizes, draw_hidden


def make_multitask_classification(
    n_samples=100,
    n_features=10,
    n_tasks=5,
    *,
    n_classes=2,
    similarity=0.8,
    gram=None,
    n_clusters=None,
    n_informative=None,
    class_sep=2.0,
    class_shares=None,
    label_noise=0.0,
    missing=0.0,
    missing_label=np.nan,
    common_design=True,
    return_coef=False,
    random_state=None,
):
    """Generate logistic tasks whose true coefficients have an exact Gram matrix.

    Task t has the classes 0 to ``n_classes[t] - 1``, drawn with probabilities
    ``softmax(x @ coef[t].T + intercept[t])`` for standard normal features x; binary tasks with
    ``expit(x @ coef[t] + intercept[t])`` for class 1.  The similarity of the tasks is a fact, as in
    :func:`make_multitask_regression`, and so is the expected share of each class.

    Parameters
    ----------
    n_samples : int or array-like of int of shape (n_tasks,), default=100
        The number of rows, at least 1.  With ``common_design=False`` it counts the rows of each
        task, and an array gives the tasks different sizes.
    n_features : int, default=10
        The number of features, at least 1.
    n_tasks : int, default=5
        The number of tasks, at least 1.
    n_classes : int or array-like of int of shape (n_tasks,), default=2
        The number of classes of all tasks or of each, at least 2.
    similarity : float in [-1/(n_tasks - 1), 1], default=0.8
        Cosine between the coefficients of any two tasks, class by class.  With `n_clusters` it is
        that of tasks of one cluster, and the size of the largest takes the place of `n_tasks`.
    gram : array-like of shape (n_tasks, n_tasks), default=None
        The exact inner products of the tasks' coefficients, class by class, symmetric and positive
        semi-definite.  Replaces `similarity` and `class_sep`.
    n_clusters : int in [1, n_tasks], default=None
        Clusters of tasks; tasks of different clusters have orthogonal coefficients.  Task t is in
        cluster ``t * n_clusters // n_tasks``.  None is one cluster.
    n_informative : int, default=None
        The number of features with a coefficient, the same random ones for all tasks; the other
        coefficients are 0.  At least the rank of the Gram matrix times the largest number of
        classes less one, at most and by default `n_features`.
    class_sep : float or array-like of shape (n_tasks,), default=2.0
        Length of the coefficients, in [0, inf), of all tasks or of each: the standard deviation of
        a binary task's logit or, where some task has more classes, of the score of each class.
    class_shares : float or array-like of n_tasks entries, default=None
        Expected shares of the classes, before label noise; None makes those of a task equal.  The
        entry of a task holds the share of each of its classes, or is the share of class 1 if it has
        two; one number is that of all tasks.
    label_noise : float or array-like of shape (n_tasks,), default=0.0
        Probability, in [0, 1], that a label is replaced by another class of its task, all of them
        being equally likely; of all tasks or of each.
    missing : float in [0, 1), default=0.0
        The fraction of the labels of a common design that is hidden.  Every task keeps a label;
        as long as enough labels are left for it, it keeps one of each class that it had, and every
        row keeps one too.
    missing_label : nan or int, default=nan
        What stands for a hidden label: NaN makes Y float, an integer that is no class keeps Y
        integer.
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
        The labels, integers; floats where `missing` is not 0 and `missing_label` is NaN.
    task : ndarray of shape (sum of task sizes,), int
        The task of each row, in sorted order.  Only where ``common_design=False``.
    coef : ndarray of shape (n_tasks, n_features), or list of (n_classes[t], n_features)
        The true coefficients: a logit for each task or, where some task has more than two classes,
        a vector for each class of each task.  Only where ``return_coef=True``.
    intercept : ndarray of shape (n_tasks,), or list of (n_classes[t],)
        The true intercepts, alike.  Only where ``return_coef=True``.

    Raises
    ------
    ValueError
        If a parameter is out of its range, if `gram` is not positive semi-definite or comes
        together with `n_clusters`, if the coefficients need more dimensions than there are
        informative features, or if `missing` would leave a task without a label.
    TypeError
        If a count is not an integer, or `similarity`, `missing` or `missing_label` not a number.

    Notes
    -----
    With a Gram matrix G of the tasks and K classes, binary tasks have ``coef @ coef.T == G``.
    Otherwise the inner product of the coefficients of class c in task s and of class d in task t is
    G_st where c = d, and -G_st / (K - 1) elsewhere, K being the largest number of classes.

    Label noise makes a binary task's share q of class 1 into q + label_noise (1 - 2 q).  Below 1/2
    it does not change which classifier is best, only how good that is.

    Examples
    --------
    >>> from skmtl.datasets import make_multitask_classification
    >>> X, Y, coef, intercept = make_multitask_classification(
    ...     1000, n_tasks=4, n_clusters=2, class_shares=0.1, return_coef=True, random_state=0
    ... )
    >>> X.shape, Y.shape, Y.mean(axis=0).round(2).tolist()
    ((1000, 10), (1000, 4), [0.11, 0.12, 0.09, 0.12])
    >>> (coef @ coef.T).round(12) + 0.0
    array([[4. , 3.2, 0. , 0. ],
           [3.2, 4. , 0. , 0. ],
           [0. , 0. , 4. , 3.2],
           [0. , 0. , 3.2, 4. ]])
    """
    n_features, n_tasks = check_count("n_features", n_features), check_count("n_tasks", n_tasks)
    sizes = check_sizes(n_samples, n_tasks, common_design)
    n_classes = check_counts(n_classes, "n_classes", n_tasks, least=2)
    shares = check_shares(class_shares, n_classes)
    label_noise = check_scale(label_noise, "label_noise", n_tasks, highest=1)
    n_hidden = check_missing(missing, n_samples, n_tasks, common_design)
    _check_missing_label(missing_label, n_classes)
    class_sep = check_scale(class_sep, "class_sep", n_tasks)
    n_clusters = _check_clusters(n_clusters, n_tasks, gram)
    if gram is None:
        gram = exchangeable_gram(n_tasks, similarity, n_clusters)
        tasks = class_sep[:, None] * gram_factor(gram, n_tasks)
    else:
        tasks = gram_factor(gram, n_tasks)
    corners = _class_corners(n_classes.max())
    factor = np.kron(tasks, corners)
    support_size = check_informative(
        n_informative, n_features, rank=factor.shape[1], of="tasks and classes"
    )
    distance = np.linalg.norm(tasks, axis=1) * np.linalg.norm(corners[0] - corners[1])
    intercept = share_intercepts(shares, distance)

    rng = check_random_state(random_state)
    coef = draw_coef(factor, support_size, n_features, rng).reshape(n_tasks, -1, n_features)
    if common_design:
        task = np.arange(n_tasks)
        X = rng.standard_normal((n_samples, n_features))
        score = np.tensordot(X, coef, axes=(1, 2)) + intercept
    else:
        task = np.repeat(np.arange(n_tasks), sizes)
        X = rng.standard_normal((len(task), n_features))
        score = np.einsum("ij,icj->ic", X, coef[task]) + intercept[task]
    # the winner under Gumbel noise is a draw from the softmax, and -inf never wins
    y = np.argmax(score + rng.gumbel(size=score.shape), axis=-1)
    y = _replace(y, label_noise[task], n_classes[task], rng)
    if missing:
        y = _hide(y, n_hidden, missing_label, rng)
    data = (X, y) if common_design else (X, y, task)
    return (*data, *_truth(coef, intercept, n_classes)) if return_coef else data


def _class_corners(n_classes):
    """Corners of a regular simplex of unit vectors; two classes stand one apart, by one logit."""
    corners = gram_factor(exchangeable_gram(n_classes, -1 / (n_classes - 1)), n_classes)
    return corners / 2 if n_classes == 2 else corners


def _replace(y, label_noise, n_classes, rng):
    """Labels, each moved to another class with the probability `label_noise`."""
    step = rng.randint(1, n_classes, size=y.shape)
    return np.where(rng.random_sample(y.shape) < label_noise, (y + step) % n_classes, y)


def _hide(Y, n_hidden, missing_label, rng):
    hidden = draw_hidden(*Y.shape, n_hidden, rng, classes=Y)
    Y = Y.astype(np.result_type(Y, missing_label))
    Y[hidden] = missing_label
    return Y


def _truth(coef, intercept, n_classes):
    """Coefficients and intercepts: of the logit if all tasks are binary, else of each class."""
    if coef.shape[1] == 2:
        return coef[:, 1] - coef[:, 0], intercept[:, 1] - intercept[:, 0]
    return tuple(
        [a[:k] for a, k in zip(part, n_classes, strict=True)] for part in (coef, intercept)
    )


def _check_missing_label(missing_label, n_classes):
    is_number = isinstance(missing_label, Real) and not isinstance(missing_label, (bool, np.bool_))
    if is_number and np.isnan(missing_label):
        return
    if not (is_number and isinstance(missing_label, Integral)):
        raise TypeError(f"missing_label must be NaN or an integer, got {missing_label!r}.")
    if 0 <= missing_label < n_classes.max():
        raise ValueError(
            f"missing_label must be no class, and classes are 0 to {n_classes.max() - 1}, "
            f"got {missing_label!r}."
        )


def _check_clusters(n_clusters, n_tasks, gram):
    """The number of clusters of tasks."""
    if n_clusters is None:
        return 1
    if check_count("n_clusters", n_clusters) > n_tasks:
        raise ValueError(f"n_clusters must be at most n_tasks={n_tasks}, got {n_clusters!r}.")
    if gram is not None:
        raise ValueError(
            f"n_clusters={n_clusters!r} has no effect where gram is given; leave one of them None."
        )
    return int(n_clusters)
