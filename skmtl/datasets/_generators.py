"""Multi-task data by definition: the Gram matrix of the true coefficients is what was asked for.

coef = F Q' with F F' = gram and Q a random orthonormal frame of the feature space, so that
coef coef' = gram holds for every draw and not only on average.
"""

from numbers import Real

import numpy as np
from sklearn.utils import check_random_state, check_scalar

from .._checks import check_count


def make_multitask_regression(
    n_samples=100,
    n_features=10,
    n_tasks=5,
    *,
    similarity=0.8,
    gram=None,
    n_informative=None,
    intercept_scale=0.0,
    noise=0.1,
    missing=0.0,
    common_design=True,
    return_coef=False,
    random_state=None,
):
    """Generate linear tasks whose true coefficients have an exact Gram matrix.

    A label of task t is ``x @ coef[t] + intercept[t] + noise[t] * e`` with standard normal
    features x and error e.  The coefficients are drawn at random under the condition
    ``coef @ coef.T == gram``: the similarity of the tasks is a fact, not an expectation.

    Parameters
    ----------
    n_samples : int or array-like of int of shape (n_tasks,), default=100
        The number of rows, at least 1.  With ``common_design=False`` it counts the rows of each
        task, and an array gives the tasks different sizes.
    n_features : int, default=10
        The number of features, at least 1.
    n_tasks : int, default=5
        The number of tasks, at least 1.
    similarity : float in [-1/(n_tasks - 1), 1], default=0.8
        Cosine between the coefficients of any two tasks, all of which have length 1.  0 makes the
        tasks unrelated, 1 makes them the same.
    gram : array-like of shape (n_tasks, n_tasks), default=None
        The exact inner products of the tasks' coefficients, symmetric and positive semi-definite.
        Replaces `similarity`.
    n_informative : int, default=None
        The number of features with a coefficient, the same random ones for all tasks; the other
        coefficients are 0.  At least the rank of the Gram matrix, at most and by default
        `n_features`.
    intercept_scale : float or array-like of shape (n_tasks,), default=0.0
        Standard deviation of the normal draw of the intercepts, in [0, inf), of all tasks or of
        each.
    noise : float or array-like of shape (n_tasks,), default=0.1
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
    coef : ndarray of shape (n_tasks, n_features)
        The true coefficients.  Only where ``return_coef=True``.
    intercept : ndarray of shape (n_tasks,)
        The true intercepts.  Only where ``return_coef=True``.

    Raises
    ------
    ValueError
        If a parameter is out of its range, if `gram` is not positive semi-definite or needs more
        dimensions than there are informative features, or if `missing` would leave a task without
        a label.
    TypeError
        If a count is not an integer, or `similarity` or `missing` not a number.

    Examples
    --------
    >>> from skmtl.datasets import make_multitask_regression
    >>> X, Y, coef, intercept = make_multitask_regression(
    ...     n_tasks=3, similarity=0.5, return_coef=True, random_state=0
    ... )
    >>> X.shape, Y.shape
    ((100, 10), (100, 3))
    >>> (coef @ coef.T).round(12)
    array([[1. , 0.5, 0.5],
           [0.5, 1. , 0.5],
           [0.5, 0.5, 1. ]])
    >>> X, y, task = make_multitask_regression(
    ...     [30, 5, 8], n_tasks=3, common_design=False, random_state=0
    ... )
    >>> X.shape, y.shape, task[::10].tolist()
    ((43, 10), (43,), [0, 0, 0, 1, 2])
    """
    n_features, n_tasks = check_count("n_features", n_features), check_count("n_tasks", n_tasks)
    sizes = _check_sizes(n_samples, n_tasks, common_design)
    intercept_scale = _check_scale(intercept_scale, "intercept_scale", n_tasks)
    noise = _check_scale(noise, "noise", n_tasks)
    n_hidden = _check_missing(missing, n_samples, n_tasks, common_design)
    gram = _exchangeable_gram(n_tasks, similarity) if gram is None else gram
    factor = _gram_factor(gram, n_tasks)
    support_size = _check_informative(n_informative, n_features, rank=factor.shape[1])

    rng = check_random_state(random_state)
    coef = _draw_coef(factor, support_size, n_features, rng)
    intercept = intercept_scale * rng.standard_normal(n_tasks)
    if common_design:
        X = rng.standard_normal((n_samples, n_features))
        Y = X @ coef.T + intercept + noise * rng.standard_normal((n_samples, n_tasks))
        Y[_draw_hidden(*Y.shape, n_hidden, rng)] = np.nan
        data = (X, Y)
    else:
        task = np.repeat(np.arange(n_tasks), sizes)
        X = rng.standard_normal((len(task), n_features))
        error = noise[task] * rng.standard_normal(len(task))
        data = (X, np.sum(X * coef[task], axis=1) + intercept[task] + error, task)
    return (*data, coef, intercept) if return_coef else data


def _exchangeable_gram(n_tasks, similarity):
    lowest = -1.0 / max(n_tasks - 1, 1)
    check_scalar(similarity, "similarity", Real)
    if not lowest <= similarity <= 1:
        raise ValueError(
            f"similarity must be in [{lowest:.4g}, 1] for n_tasks={n_tasks}, got {similarity!r}."
        )
    return np.where(np.eye(n_tasks, dtype=bool), 1.0, similarity)


def _gram_factor(gram, n_tasks):
    """F of shape (n_tasks, rank) with F F' = gram."""
    gram = np.asarray(gram, dtype=np.float64)
    if gram.shape != (n_tasks, n_tasks):
        raise ValueError(
            f"gram must have shape (n_tasks, n_tasks) = {(n_tasks, n_tasks)}, got {gram.shape}."
        )
    # a Gram that was computed carries rounding: small asymmetries, and noise for eigenvalues 0
    tolerance = 100 * n_tasks * np.finfo(np.float64).eps * np.abs(gram).max()
    if not (np.isfinite(gram).all() and np.all(np.abs(gram - gram.T) <= tolerance)):
        raise ValueError("gram must be symmetric and finite; pass (gram + gram.T) / 2.")
    values, vectors = np.linalg.eigh(gram)
    if values[0] < -tolerance:
        raise ValueError(
            f"gram must be positive semi-definite, got the eigenvalue {values[0]:.4g}; "
            "add its absolute value to the diagonal."
        )
    kept = values > tolerance
    return vectors[:, kept] * np.sqrt(values[kept])


def _draw_coef(factor, support_size, n_features, rng):
    frame, R = np.linalg.qr(rng.standard_normal((support_size, factor.shape[1])))
    # the signs of R make the frame uniform; QR alone leans on a convention of LAPACK
    frame = frame * np.sign(np.diag(R))
    coef = np.zeros((len(factor), n_features))
    coef[:, rng.permutation(n_features)[:support_size]] = factor @ frame.T
    return coef


def _draw_hidden(n_samples, n_tasks, n_hidden, rng):
    """Rows and columns of the hidden labels.

    A diagonal wrapped around the shuffled table meets every row and every task.  Its labels are
    hidden last, and the `n_tasks` of them that meet every task are never hidden.
    """
    last = np.zeros((n_samples, n_tasks))
    steps = np.arange(max(n_samples, n_tasks))
    rows = rng.permutation(n_samples)[steps % n_samples]
    columns = rng.permutation(n_tasks)[steps % n_tasks]
    last[rows, columns] = 1.0
    last[rows[:n_tasks], columns[:n_tasks]] = 2.0
    order = np.argsort((last + rng.random_sample(last.shape)).ravel())
    return np.unravel_index(order[:n_hidden], last.shape)


def _check_sizes(n_samples, n_tasks, common_design):
    """The number of rows of each task."""
    if np.ndim(n_samples) == 0:
        return np.full(n_tasks, check_count("n_samples", n_samples))
    if common_design:
        raise ValueError(
            "n_samples must be an int where the tasks share their rows; "
            "pass common_design=False to give each task a size of its own."
        )
    sizes = np.asarray(n_samples)
    if sizes.shape != (n_tasks,) or sizes.dtype.kind not in "iu" or sizes.min() < 1:
        raise ValueError(
            f"n_samples must be an int or {n_tasks} ints (n_tasks), each at least 1, "
            f"got {n_samples!r}."
        )
    return sizes


def _check_scale(scale, name, n_tasks):
    """The standard deviation of each task."""
    values = np.asarray(scale)
    if (
        values.shape not in ((), (n_tasks,))
        or values.dtype.kind not in "fiu"
        or not np.all((values >= 0) & np.isfinite(values))
    ):
        raise ValueError(
            f"{name} must be a number or {n_tasks} numbers (n_tasks) in [0, inf), got {scale!r}."
        )
    return np.broadcast_to(values, n_tasks)


def _check_missing(missing, n_samples, n_tasks, common_design):
    """The number of labels to hide."""
    check_scalar(missing, "missing", Real)
    if not 0 <= missing < 1:
        raise ValueError(f"missing must be in [0, 1), got {missing!r}.")
    if missing == 0:
        return 0
    if not common_design:
        raise ValueError(
            f"missing={missing!r} needs common_design=True: long data simply lack the row, "
            "so choose the sizes of the tasks by n_samples."
        )
    n_hidden = round(missing * n_samples * n_tasks)
    if n_hidden > (n_samples - 1) * n_tasks:
        raise ValueError(
            f"missing={missing!r} of {n_samples} rows would leave a task without a label; "
            f"pass at most {1 - 1 / n_samples:.4g} or more rows."
        )
    return n_hidden


def _check_informative(n_informative, n_features, rank):
    """The number of features with a coefficient."""
    if n_informative is None:
        n_informative = n_features
    if check_count("n_informative", n_informative) > n_features:
        raise ValueError(
            f"n_informative must be at most n_features={n_features}, got {n_informative!r}."
        )
    if rank > n_informative:
        raise ValueError(
            f"The Gram matrix of the tasks has rank {rank} but there are {n_informative} "
            "informative features; pass more features, fewer tasks or a gram of lower rank."
        )
    return n_informative
