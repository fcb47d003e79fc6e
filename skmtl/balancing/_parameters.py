"""Parameters that balancers share: how a class declares its own, and the checks of task values."""

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from .._backend import to_numpy

SMALLEST_SHARE = 1e-300  # of the largest preference; its logarithm stays finite
# declared in the body of a class, parameters become arguments of its __init__, inherited ones last
parameter_holder = dataclass(repr=False, eq=False)


def drawn(seed: int) -> tuple[np.random.Generator, int]:
    """Generator for one step from a seed in the state, and the seed for the next step."""
    # PCG64's streams of consecutive seeds are independent, and begin sooner than RandomState's
    return np.random.Generator(np.random.PCG64(seed)), seed + 1


def check_share(name: str, value: Any) -> float:
    """Return `value` as a float in [0, 1)."""
    if not isinstance(value, Real) or isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be a number in [0, 1), got {value!r}.")
    if not 0 <= value < 1:  # type: ignore[operator]  # Real has no order in typeshed
        raise ValueError(f"{name} must be in [0, 1), got {value!r}.")
    return float(value)


def check_preference(preference: Any, n_tasks: int) -> np.ndarray:
    """Return the preferences, ones for None, normalised to mean 1."""
    if preference is None:
        return np.ones(n_tasks)
    p = check_task_values("preference", preference, n_tasks, "None")
    if not (p > 0).all():
        raise ValueError(f"preference must lie in (0, inf), got {p.min()} for task {p.argmin()}.")
    p = np.maximum(p / p.max(), SMALLEST_SHARE)
    return p / p.mean()


def check_task_values(name: str, values: Any, n_tasks: int, other: str) -> np.ndarray:
    """Return one finite number a task, as an array; `other` names what else is allowed."""
    what = f"{name} must be {other} or hold a finite number for each of {n_tasks} tasks"
    try:
        v = np.array(to_numpy(values), dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{what}, got {values!r}.") from None
    if v.shape != (n_tasks,):
        raise ValueError(f"{what}, got shape {v.shape}.")
    if not np.isfinite(v).all():
        raise ValueError(f"{what}, got {values!r}.")
    return v
