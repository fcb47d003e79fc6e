"""Linear models under a balancer: exact inner solves, the balancer's weights outside."""

import warnings

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from .._input import stack_level
from ..balancing import TaskStats, resolve_balancer
from ..solvers import TaskObjectives, balance_fit

MOST = 1000  # weighted fits, or steps of descent
MOST_NAMED = 5  # tasks in a warning
INNER = {"tol": 1e-8, "max_iter": 100}
BY_TASK = ("preference", "reference", "disagreement")  # parameters with a value for each task


def check_balancer(estimator):
    """The balancer, checked except for what depends on the number of tasks, or None."""
    if estimator.balancer is None:
        return None
    if estimator.task_weight is not None:
        raise ValueError(
            f"task_weight={estimator.task_weight!r} and balancer={estimator.balancer!r} both weigh "
            "the tasks; leave task_weight None and use the balancer's preference."
        )
    balancer = resolve_balancer(estimator.balancer)
    if balancer.owns_direction or not balancer.settles:
        raise ValueError(
            f"balancer={estimator.balancer!r} leads to no fixed weights, by which a linear model "
            "could be fitted; it is for MultiTaskPerceptron and for training loops of your own."
        )
    return balancer


def fit_balanced(balancer, problem, fitted, penalty, solver, *, unit, own_risk):
    """Fit a SmoothProblem under a balancer.

    Parameters
    ----------
    balancer : Balancer
    problem : SmoothProblem
        With weights one for every task.
    fitted : FitInput
        Its tasks.
    penalty : SharedSpecific
    solver : str
    unit : float
        Of the losses that the balancer sees, in the problem's.
    own_risk : callable
        Number of a fitted task -> its leave-one-out risk by itself, in the problem's unit.

    Returns
    -------
    solution : Solution
    weights : ndarray of shape (n_tasks,)
        Of the mean losses, mean 1.
    """
    balancer = _for_tasks(balancer, fitted)
    data = fitted.data
    objectives = TaskObjectives(
        problem,
        penalty,
        data.weight_sums,
        {"solver": solver, **INNER},
        unit=unit,
        own_risks=_own_risks(balancer, fitted, problem.width, own_risk),
    )
    rng = np.random.RandomState(0)
    found = balance_fit(
        objectives, balancer, lambda **given: TaskStats(**given), rng, max_iter=MOST
    )
    if found.change > 1 or found.why:
        warnings.warn(
            f"balancer={balancer!r} {_reason(found, fitted)}.",
            ConvergenceWarning,
            stacklevel=stack_level(),
        )
    done = {"n_iter": found.n_iter, "residual": 0.0, "converged": True}
    return objectives.problem.solution(found.point.P, **done), found.weights


def _reason(found, fitted):
    """What a fit under a balancer has to say for itself, in words."""
    if not found.why:
        return (
            f"stopped after {found.n_iter} steps, {found.change:.1g} times above the change at "
            "which its weights count as settled"
        )
    names = [fitted.tasks[fitted.labelled[t]] for t in found.tasks[:MOST_NAMED]]
    more = ", ..." if len(found.tasks) > MOST_NAMED else ""
    noun = "task" if len(names) == 1 else "tasks"
    about = f" ({noun} {', '.join(map(repr, names))}{more})" if names else ""
    return f"{found.why}{about}"


def _for_tasks(balancer, fitted):
    """The balancer with the values of the fitted tasks where it has one for every task."""
    n_tasks = len(fitted.tasks)
    balancer.check(n_tasks)
    if len(fitted.labelled) == n_tasks:
        return balancer
    own = {name: getattr(balancer, name, None) for name in BY_TASK}
    arrays = {k: v for k, v in own.items() if v is not None and np.ndim(v) == 1}
    chosen = {name: np.asarray(value)[fitted.labelled] for name, value in arrays.items()}
    return clone(balancer).set_params(**chosen)


def _own_risks(balancer, fitted, width, own_risk):
    """Leave-one-out risks of the tasks that their own minimiser would interpolate, else NaN."""
    sizes = np.diff(fitted.data.labels.indptr)
    risks = np.full(len(sizes), np.nan)
    few = np.flatnonzero((sizes <= width) & (sizes > 1))
    if "excess" not in balancer.needs | balancer.welcomes or few.size == 0:
        return risks
    task = fitted.tasks[fitted.labelled[few[0]]]
    others = f" (and {few.size - 1} more)" if few.size > 1 else ""
    warnings.warn(
        f"task {task!r}{others} has no more labels than coefficients, so that its own optimum has "
        "no loss; its excess risk is measured from the leave-one-out risk of its best own ridge.",
        UserWarning,
        stacklevel=stack_level(),
    )
    for t in few:
        risks[t] = own_risk(t)
    return risks
