"""Linear tasks with a known truth: the Gram matrix of their coefficients is what was asked for."""

from sklearn.utils import check_random_state

from .._checks import check_count
from ._coefficients import check_informative, draw_coef, exchangeable_gram, gram_factor
from ._design import check_missing, check_scale, check_sizes, draw_linear


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
    sizes = check_sizes(n_samples, n_tasks, common_design)
    intercept_scale = check_scale(intercept_scale, "intercept_scale", n_tasks)
    noise = check_scale(noise, "noise", n_tasks)
    n_hidden = check_missing(missing, n_samples, n_tasks, common_design)
    gram = exchangeable_gram(n_tasks, similarity) if gram is None else gram
    factor = gram_factor(gram, n_tasks)
    support_size = check_informative(n_informative, n_features, rank=factor.shape[1])

    rng = check_random_state(random_state)
    coef = draw_coef(factor, support_size, n_features, rng)
    intercept = intercept_scale * rng.standard_normal(n_tasks)
    data = draw_linear(coef, intercept, noise, sizes, n_hidden, common_design, rng)
    return (*data, coef, intercept) if return_coef else data
