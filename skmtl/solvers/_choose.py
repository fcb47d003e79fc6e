"""Which solver suits a loss and a penalty: solvers say what they demand, "auto" is the first."""

from typing import Any, NamedTuple

import numpy as np

from .._backend import take
from .._data import label_levels, without_levels
from .._input import one_unit_each
from ._fista import fista
from ._objective import LinearObjective
from ._penalised import PenalisedObjective, solve_penalised
from ._quadratic import QuadraticProblem
from ._smooth import SmoothProblem, choose_smooth_solver
from ._working_set import solve_working_set


class LinearSolver(NamedTuple):
    """A solver, and what it demands of a loss and of a penalty.

    Attributes
    ----------
    solve : callable
        (data, loss, penalty, omega, fit_intercept=, tol=, max_iter=) -> Solution, whose residual
        is the certificate.
    loss, penalty : dict of str to callable
        What is demanded, in words, and how it is told.
    """

    solve: Any
    loss: dict
    penalty: dict


def solve_linear(data, loss, penalty, omega, *, solver, **options):
    """Minimise the weighted sum of a loss and a penalty over linear models of the tasks.

    Parameters
    ----------
    data : TaskData
        Labels are amounts.
    loss, penalty : objects of skmtl.losses and skmtl.penalties
    omega : ndarray of shape (n_tasks,)
    solver : str
        A name in LINEAR_SOLVERS, or "auto".
    options
        fit_intercept : bool, tol : float and max_iter : int.

    Returns
    -------
    solution : Solution
        Its residual is the solver's certificate.
    name : str
        Of the solver.

    Raises
    ------
    ValueError
        If the solver, or all of them, demand what the loss or the penalty lacks.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl._data import wide_data
    >>> from skmtl.losses import SquaredError
    >>> from skmtl.penalties import L21
    >>> from skmtl.solvers import solve_linear
    >>> data, _ = wide_data(np.array([[-1.0], [1.0]]), np.array([[0.0, 1.0], [2.0, 5.0]]))
    >>> options = {"solver": "auto", "fit_intercept": True, "tol": 1e-9, "max_iter": 100}
    >>> solution, name = solve_linear(data, SquaredError(), L21(1e-9), np.ones(2), **options)
    >>> solution.W.round(6).tolist(), solution.b.tolist(), name
    ([[1.0], [2.0]], [1.0, 3.0], 'working-set')
    """
    name = choose_linear_solver(solver, loss, penalty)
    return LINEAR_SOLVERS[name].solve(data, loss, penalty, omega, **options), name


def choose_linear_solver(solver, loss, penalty):
    """Name of the solver: "auto" is the first that suits the loss and the penalty.

    Parameters
    ----------
    solver : str
    loss, penalty : objects

    Returns
    -------
    str

    Examples
    --------
    >>> from skmtl.losses import Huber, SquaredError
    >>> from skmtl.penalties import L21, GraphLaplacian
    >>> from skmtl.solvers import choose_linear_solver
    >>> choose_linear_solver("auto", SquaredError(), L21())
    'working-set'
    >>> choose_linear_solver("auto", Huber(), GraphLaplacian())
    'newton-cg'
    """
    lacks = {name: _lack(one, loss, penalty) for name, one in LINEAR_SOLVERS.items()}
    suit = [name for name in lacks if lacks[name] is None]
    if solver == "auto" and suit:
        return suit[0]
    if solver in suit:
        return solver
    others = f"choose solver={suit[0]!r}" if suit else "no solver suits both"
    lack = lacks[solver] if solver in lacks else lacks["fista"]
    name = solver if solver in lacks else "fista"
    raise ValueError(f"solver={name!r} needs {lack}; {others}.")


def _lack(solver, loss, penalty):
    """The first demand that is not met, as words, or None."""
    for demands, given in ((solver.loss, loss), (solver.penalty, penalty)):
        for words, holds in demands.items():
            if not holds(given):
                return f"{words}, got {given!r}"
    return None


def _solve_by_elimination(data, loss, penalty, omega, *, fit_intercept, tol, max_iter):
    problem = QuadraticProblem(data, loss, omega, fit_intercept=fit_intercept)
    return problem.solve(penalty)


def _solve_newton(data, loss, penalty, omega, *, fit_intercept, tol, max_iter):
    if hasattr(penalty, "alpha_shared"):
        return _solve_shared(data, loss, penalty, omega, fit_intercept, tol, max_iter)
    level, objective = _objective(PenalisedObjective, data, loss, penalty, omega, fit_intercept)
    found = solve_penalised(objective, penalty, tol=tol, max_iter=max_iter)
    return _solution(objective, penalty, level, tol, *found)


def _solve_shared(data, loss, penalty, omega, fit_intercept, tol, max_iter):
    """The same in shared and specific coefficients."""
    free, layout = penalty.alpha_intercept == 0, one_unit_each(data.n_tasks)
    # differences of the tasks' levels belong to the penalty of the intercepts, if there is one
    level = label_levels(data, fit_intercept, own=free)
    solver = choose_smooth_solver("auto", layout, data.X)
    problem = SmoothProblem(
        without_levels(data, level),
        loss,
        layout,
        omega,
        fit_intercept=fit_intercept,
        free_intercept=free,
        on_host=solver == "irls",
    )
    solution, _ = problem.solve(penalty, solver=solver, tol=tol, max_iter=max_iter, polish=True)
    return _moved(_of_one_unit(solution), problem, level)


def _solve_proximal(minimise):
    def solve(data, loss, penalty, omega, *, fit_intercept, tol, max_iter):
        level, objective = _objective(LinearObjective, data, loss, penalty, omega, fit_intercept)
        W, n_iter, certificate = minimise(objective, penalty, tol=tol, max_iter=max_iter)
        return _solution(objective, penalty, level, tol, W, n_iter, certificate)

    return solve


def _objective(kind, data, loss, penalty, omega, fit_intercept):
    """(levels of the labels, objective of the kind without them)."""
    level, (n, p) = label_levels(data, fit_intercept, own=True), data.X.shape
    return level, kind(
        without_levels(data, level),
        loss,
        one_unit_each(data.n_tasks),
        omega,
        fit_intercept=fit_intercept,
        own_centres=True,
        reduce=penalty.rotation_invariant and 2 * n < p,
    )


def _solution(objective, penalty, level, tol, W, n_iter, certificate):
    """Solution from coefficients and intercepts in the objective's coordinates."""
    p, b = objective.n_coordinates, objective.intercepts(W)
    shared = penalty.shared(take(W[:, :p], np.argsort(objective.unit_numbers)))
    solution = objective.in_units_of_X(
        W[:, :p],
        b,
        shared[None, :],
        objective.place.xp.mean(b)[None],
        n_iter=n_iter,
        residual=certificate,
        converged=bool(certificate <= tol),
    )
    return _moved(_of_one_unit(solution), objective, level)


def _of_one_unit(solution):
    """The Solution of one unit a task, whose shared parts are of one channel."""
    shared, intercept = solution.shared[0, :], solution.shared_intercept[0]
    return solution._replace(shared=shared, shared_intercept=intercept)


def _moved(solution, objective, level):
    """The solution for labels that are higher by the level of their task."""
    return solution._replace(
        b=solution.b + objective.put(level),
        shared_intercept=solution.shared_intercept + float(np.mean(level)),
    )


SMOOTH = {"a loss with a bounded curvature": lambda loss: hasattr(loss, "largest_curvature")}
CONVEX = {
    "a convex penalty with a prox": lambda penalty: (
        getattr(penalty, "is_convex", False) and hasattr(penalty, "prox")
    )
}
LINEAR_SOLVERS = {
    "elimination": LinearSolver(
        _solve_by_elimination,
        {"a quadratic loss": lambda loss: loss.is_quadratic},
        {
            "a shared-plus-specific penalty": lambda penalty: hasattr(penalty, "alpha_shared"),
        },
    ),
    "newton-cg": LinearSolver(
        _solve_newton,
        SMOOTH,
        {
            "a quadratic penalty": lambda penalty: (
                hasattr(penalty, "alpha_shared") or hasattr(penalty, "precision")
            )
        },
    ),
    "working-set": LinearSolver(
        _solve_proximal(solve_working_set),
        {"a quadratic loss": lambda loss: loss.is_quadratic},
        CONVEX
        | {
            "a penalty that separates features, with a dual norm and alpha > 0": lambda penalty: (
                penalty.separates_features and penalty.has_gap
            )
        },
    ),
    "fista": LinearSolver(_solve_proximal(fista), SMOOTH, CONVEX),
}
