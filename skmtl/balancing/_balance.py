"""One step of balancing for gradients that were computed elsewhere."""

from math import isfinite
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from .._backend import Array, is_foreign, namespace_of, to_numpy
from .._checks import check_count
from .._registry import resolve
from ._balancer import GRADIENTS, Balancer, State
from ._registered import BALANCERS
from ._stats import TaskStats


class BalanceResult(NamedTuple):
    """What :func:`balance` returns.

    Attributes
    ----------
    weights : ndarray of shape (n_tasks,) or None
        The method's own weights, not normalised, in NumPy; None for a method whose direction is no
        weighted sum of the gradients.
    direction : array of shape (n_params,)
        Direction to move against, in the Jacobian's library and floating type, on its device.
    state : State
        To be passed to the next call.
    status : str
        "ok", "approximate", "stationary" or "disagreement", as in :class:`State`.
    """

    weights: np.ndarray | None
    direction: Any
    state: State
    status: str


def balance(
    jacobian: Array,
    losses: ArrayLike | None = None,
    balancer: str | Balancer = "nash",
    state: State | None = None,
    *,
    distances: ArrayLike | None = None,
    excess: ArrayLike | None = None,
    post_losses: ArrayLike | None = None,
    disagreement: ArrayLike | None = None,
    epoch: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> BalanceResult:
    """Weigh the gradients of several tasks into one direction.

    For training loops of one's own, in any library: compute the gradient of each task's loss with
    respect to the shared parameters, stack them, call this, and step against the direction. The
    penalty is no task: add its gradient to the direction.

    Parameters
    ----------
    jacobian : array of shape (n_tasks, n_params)
        Gradients, finite, from NumPy or an array-API library (CuPy, PyTorch, JAX). Only
        (n_tasks, n_tasks) numbers are brought to the host.
    losses : array-like of shape (n_tasks,), default=None
        Mean loss of each task; methods that weigh by losses need it.
    balancer : str or Balancer, default="nash"
        A name in `BALANCERS`, or a strategy with parameters of its own.
    state : State, default=None
        What the last call returned, with a balancer of the same parameters; None: the first call.
        It is left as it is.
    distances : array-like of shape (n_tasks,), default=None
        Distances >= 0 of the parameters to each task's own optimum; makes :class:`DiBS` exact.
    excess : array-like of shape (n_tasks,), default=None
        Loss of each task minus the least it can have; makes :class:`ExcessRisk` exact.
    post_losses : array-like of shape (n_tasks,), default=None
        Losses, after the last step, on the data of the last call. None: those of this call.
    disagreement : array-like of shape (n_tasks,), default=None
        Losses without agreement, for :class:`NashBargaining`. None: those of the first call.
    epoch : int >= 0, default=None
        Number of the epoch. None: one call is one epoch.
    random_state : int, RandomState or None, default=None
        For strategies that draw at random; read in the first call.

    Returns
    -------
    BalanceResult

    Raises
    ------
    TypeError
        If the balancer or the state is none, or a parameter has the wrong type.
    ValueError
        If an input holds NaN or infinity or has the wrong shape, the name of the balancer is
        unknown, a statistic that it needs is missing, a parameter lies outside its range, or the
        state belongs to another strategy or number of tasks or parameters. A degenerate Jacobian
        never raises.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.balancing import balance
    >>> a, b, theta, state = np.array([0.0, 0.0]), np.array([1.0, 0.0]), np.array([0.1, 2.0]), None
    >>> for _ in range(200):
    ...     jacobian = np.stack([2 * (theta - a), 2 * (theta - b)])
    ...     distances = [np.linalg.norm(theta - a), np.linalg.norm(theta - b)]
    ...     step = balance(jacobian, balancer="dibs", distances=distances, state=state)
    ...     theta, state = theta - 0.1 * step.direction, step.state
    >>> theta.round(6)
    array([0.5, 0. ])
    """
    J = _check_jacobian(jacobian)
    T = J.shape[0]
    strategy = resolve_balancer(balancer)
    strategy.check(T)
    stats = TaskStats(
        J,
        losses=_check_vector("losses", losses, T),
        distances=_check_vector("distances", distances, T, least=0.0),
        excess=_check_vector("excess", excess, T),
        post_losses=_check_vector("post_losses", post_losses, T),
        disagreement=_check_vector("disagreement", disagreement, T),
        epoch=None if epoch is None else check_count("epoch", epoch, least=0),
    )
    _check_finite(stats, strategy.reads(stats))
    if state is None:
        state = strategy.init(T, check_random_state(random_state))
    _check_state(state, strategy, *J.shape)
    weights, state = strategy.step(stats, state)
    direction = strategy.direction(stats, state)
    return BalanceResult(
        None if strategy.owns_direction else weights, direction, state, state.status
    )


def resolve_balancer(balancer: str | Balancer) -> Balancer:
    """The strategy that a name stands for, with default parameters, or the strategy itself.

    Parameters
    ----------
    balancer : str or Balancer
        A key of `BALANCERS`, or an object with its methods.

    Returns
    -------
    Balancer

    Raises
    ------
    ValueError
        If no balancer has that name.
    TypeError
        If it is neither a name nor a balancer.

    Examples
    --------
    >>> from skmtl.balancing import resolve_balancer
    >>> resolve_balancer("dibs")
    DiBS()
    """
    found = resolve(balancer, BALANCERS, "balancer")
    if isinstance(found, type) and hasattr(found, "step"):
        found = found()
    if not hasattr(found, "step"):
        raise TypeError(f"balancer must be a name or a Balancer, got {balancer!r}.")
    return found


def _check_jacobian(jacobian: Array) -> Array:
    J = _without_graph(jacobian)
    foreign = not isinstance(J, np.ndarray) and is_foreign(J)
    J = J if foreign else np.asarray(J)
    real = ("real floating", "integral", "bool")
    if not (namespace_of(J).isdtype(J.dtype, real) if foreign else J.dtype.kind in "fiub"):
        raise ValueError(f"jacobian must hold real numbers, got dtype {J.dtype}.")
    if J.ndim != 2 or J.shape[0] == 0:
        raise ValueError(
            f"jacobian must have shape (n_tasks, n_params) with a row a task, got {J.shape}."
        )
    return J


def _check_finite(stats: TaskStats, reads: frozenset[str]) -> None:
    if reads & GRADIENTS:  # the norms tell without another pass over the Jacobian
        finite = all(map(isfinite, stats.norms.tolist()))
    else:
        xp = namespace_of(stats.jacobian)
        finite = bool(xp.all(xp.isfinite(stats.jacobian)))
    if not finite:
        raise ValueError("jacobian holds NaN or infinity; leave out the step, or the task.")


def _without_graph(x: Any) -> Any:
    """The array, detached from the graph of automatic differentiation where it has one."""
    return x.detach() if hasattr(x, "detach") else x


def _check_vector(
    name: str, values: Any, n_tasks: int, least: float = -np.inf
) -> np.ndarray | None:
    if values is None:
        return None
    try:
        if isinstance(values, (list, tuple)):  # scalars of any library
            values = [to_numpy(_without_graph(v)) for v in values]
        v = np.asarray(to_numpy(_without_graph(values)), dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must hold real numbers, got {values!r}.") from None
    if v.shape != (n_tasks,):
        raise ValueError(f"{name} must have shape ({n_tasks},), one a task, got {v.shape}.")
    if not np.isfinite(v).all():
        raise ValueError(f"{name} must be finite, got {v} at task {np.argmin(np.isfinite(v))}.")
    if (v < least).any():
        raise ValueError(f"{name} must be at least {least:g}, got {v.min()} at task {v.argmin()}.")
    return v


def _check_state(state: State, strategy: Balancer, n_tasks: int, n_params: int) -> None:
    if getattr(state, "weights", None) is None or not hasattr(state, "strategy"):
        raise TypeError(f"state must be what an earlier call returned, or None, got {state!r}.")
    owner, size = state.strategy, len(state.weights)
    if (owner, size) != (type(strategy).__name__, n_tasks):
        raise ValueError(
            f"state belongs to {owner} on {size} tasks, not to {type(strategy).__name__} on "
            f"{n_tasks}; pass state=None to begin anew."
        )
    for name in strategy.long & state.own.keys():
        if (seen := state.own[name].shape[1]) != n_params:
            raise ValueError(
                f"state belongs to gradients of {seen} parameters, not of {n_params}; pass "
                "state=None to begin anew."
            )
