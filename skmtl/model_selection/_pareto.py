"""trace_pareto_front: one fit for each preference among the tasks, and the losses of every task.

A point is dominated if another is no worse for any task and better for one.
"""

import warnings
from functools import partial
from typing import NamedTuple

import numpy as np
from sklearn.base import clone, is_classifier

from ..balancing import resolve_balancer
from ..metrics import make_multitask_scorer, multitask_log_loss, multitask_mean_squared_error
from ._hypervolume import MOST_TASKS, dominated, hypervolume

LOSSES = {
    "mean squared error": multitask_mean_squared_error,
    "log loss": multitask_log_loss,
}


class ParetoFront(NamedTuple):
    """What :func:`trace_pareto_front` returns.

    Attributes
    ----------
    preferences : ndarray of shape (n_preferences, n_tasks)
    losses : ndarray of shape (n_preferences, n_tasks)
        Mean loss of each task on the data of the fit, without penalties.
    dominated : ndarray of bool of shape (n_preferences,)
        Whether another point is no worse for any task and better for one.
    hypervolume : float
        Volume between the points and `reference`, exact; of two tasks an area. NaN for more than 8
        tasks.
    reference : ndarray of shape (n_tasks,)
    single_task_losses : ndarray of shape (n_tasks, n_tasks)
        Row t: losses of the fit in which task t alone has weight.
    equal_losses : ndarray of shape (n_tasks,)
        Losses of the fit with equal weights.
    tasks : list
        Task ids, as the estimator's `tasks_`.
    loss : str
        What the losses are.
    """

    preferences: np.ndarray
    losses: np.ndarray
    dominated: np.ndarray
    hypervolume: float
    reference: np.ndarray
    single_task_losses: np.ndarray
    equal_losses: np.ndarray
    tasks: list
    loss: str


def trace_pareto_front(estimator, preferences, X, Y, *, reference=None):
    """Losses of the tasks under a range of preferences, one fit each.

    What one task can only gain at the cost of another shows where all tasks have the same
    coefficients (alpha_specific=inf and alpha_intercept=inf). Where each has its own part, the
    weights act as relative regularisation, and the losses of the fit conflict less.

    Parameters
    ----------
    estimator : estimator
        With a parameter `task_weight`, which is set to each preference; if it has a balancer, the
        balancer's `preference` is set in its place. Regressors are measured by the mean squared
        error and classifiers by the log loss. It is left as it is.
    preferences : array-like of shape (n_preferences, n_tasks)
        Importance of the tasks, a row for each fit, in the order of `tasks_`; in [0, inf), or
        (0, inf) for a balancer.
    X : array-like of shape (n_samples, n_features)
        With the task column if the estimator has one.
    Y : array-like of shape (n_samples,) or (n_samples, n_tasks)
        NaN in a 2-D Y marks a label that was not observed.
    reference : array-like of shape (n_tasks,), default=None
        Losses from which the hypervolume is measured. None: each task's largest where one task
        alone has weight. To compare fronts give them one reference.

    Returns
    -------
    ParetoFront

    Raises
    ------
    TypeError
        If the estimator has no `task_weight`.
    ValueError
        If the preferences or the reference have the wrong shape or hold negative or infinite
        numbers, or the estimator refuses its input.

    Notes
    -----
    The minimum of a positive weighted sum of losses lies on the front, and where they are convex
    weights reach all of it. Penalties trade fit for size: where they are strong, and where a
    perceptron stops early, points may dominate each other.

    The hypervolume [1]_ of n points is the sum of the volumes that each adds to those that are no
    better for the last task, which are volumes in one dimension less. In the worst case that takes
    n^(n_tasks - 1) steps, and far fewer as a rule, since most of the points that are left become
    dominated [2]_.

    See Also
    --------
    skmtl.inspection.ParetoFrontDisplay : Draws it.

    References
    ----------
    .. [1] Zitzler, E. and Thiele, L. (1999). Multiobjective evolutionary algorithms: a comparative
       case study and the strength Pareto approach. IEEE Transactions on Evolutionary Computation 3.
    .. [2] While, L., Bradstreet, L. and Barone, L. (2012). A fast way of calculating exact
       hypervolumes. IEEE Transactions on Evolutionary Computation 16.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl import MultiTaskRidge
    >>> from skmtl.model_selection import trace_pareto_front
    >>> X = np.array([[1.0], [2.0], [3.0]])
    >>> Y = np.column_stack([X[:, 0], -X[:, 0]])
    >>> one_vector = MultiTaskRidge(1e-9, np.inf, fit_intercept=False)
    >>> front = trace_pareto_front(one_vector, [[3, 1], [1, 1], [1, 3]], X, Y)
    >>> front.losses.round(2)
    array([[ 1.17, 10.5 ],
           [ 4.67,  4.67],
           [10.5 ,  1.17]])
    >>> int(front.dominated.sum()), round(front.hypervolume, 2)
    (0, 253.17)
    """
    params = estimator.get_params(deep=False)
    if "task_weight" not in params:
        raise TypeError(
            "estimator must have a parameter task_weight, as MultiTaskRidge has it, got "
            f"{type(estimator).__name__}."
        )
    loss = "log loss" if is_classifier(estimator) else "mean squared error"
    measure = make_multitask_scorer(partial(LOSSES[loss], multioutput="raw_values"))
    balanced = params.get("balancer") is not None
    plain = clone(estimator).set_params(task_weight=None, **{"balancer": None} if balanced else {})

    def losses(model):
        return np.asarray(measure(model.fit(X, Y), X, Y), dtype=np.float64)

    equal = losses(plain)
    T = len(plain.tasks_)
    P = _check_values("preferences", preferences, T, 2)
    if reference is not None:
        reference = _check_values("reference", reference, T, 1)
    points = np.array([losses(_preferring(estimator, p)) for p in P])
    with warnings.catch_warnings():  # a task of weight 0 gets the shared prediction: it is meant to
        warnings.filterwarnings("ignore", ".*label of positive weight", UserWarning)
        alone = np.array([losses(clone(plain).set_params(task_weight=e)) for e in np.eye(T)])
    reference = alone.max(axis=0) if reference is None else reference
    return ParetoFront(
        preferences=P,
        losses=points,
        dominated=dominated(points),
        hypervolume=hypervolume(points, reference) if T <= MOST_TASKS else float("nan"),
        reference=reference,
        single_task_losses=alone,
        equal_losses=equal,
        tasks=list(plain.tasks_),
        loss=loss,
    )


def _preferring(estimator, p):
    """A clone of the estimator with preference p."""
    model = clone(estimator)
    balancer = getattr(model, "balancer", None)
    if balancer is None:
        return model.set_params(task_weight=p)
    return model.set_params(balancer=clone(resolve_balancer(balancer)).set_params(preference=p))


def _check_values(name, values, n_tasks, ndim):
    """Numbers in [0, inf), one a task in each row."""
    try:
        table = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must hold numbers, got {values!r}.") from None
    if table.ndim != ndim or table.shape[-1] != n_tasks or table.size == 0:
        raise ValueError(
            f"{name} must be {ndim}-D with a number for each of {n_tasks} tasks, got shape "
            f"{table.shape}."
        )
    if not (np.isfinite(table) & (table >= 0)).all():
        raise ValueError(f"{name} must lie in [0, inf), got {values!r}.")
    return table
