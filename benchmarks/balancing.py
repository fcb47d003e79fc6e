"""CPU time of steps of balancers that solve a small problem; `torchjd` has the ratios to a peer."""

import itertools

import numpy as np

from skmtl.balancing import balance

from ._timing import interleaved, print_table

LIMITS = {"nash": 2.0, "mgda": 1.0, "upgrad": None}  # ms at 10 tasks, 1000 parameters
TASKS, PARAMS = (2, 5, 10), (1_000, 100_000)
LENGTH = 8  # Jacobians on the path


def main(quick=False):
    """Print the table; `quick` leaves out the long gradients."""
    columns = ["step", "ms", "at most", "", "over the mean gradient"]
    rows = steps(PARAMS[: 1 if quick else None])
    print_table("CPU time of one step of balance()", columns, rows)


def steps(params):
    for T, d in itertools.product(TASKS, params):
        path = turning_jacobians(T, d)
        calls = [steps_along(path, name) for name in LIMITS]
        *times, plain = interleaved(*calls, lambda J=path[0]: J.mean(axis=0), repeats=5)
        for (name, limit), seconds in zip(LIMITS.items(), times, strict=True):
            ms, at_size = 1e3 * seconds, limit is not None and (T, d) == (10, 1_000)
            yield [
                f"{name}, {T} tasks, {d} parameters",
                f"{ms:.3f}",
                f"{limit:g}" if at_size else "",
                ("ok" if ms <= limit else "SLOW") if at_size else "",
                f"{seconds / plain:.1f}",
            ]


def steps_along(path, balancer):
    """A call that makes the next step on the path."""
    turn, state = itertools.cycle(path), None

    def step():
        nonlocal state
        state = balance(next(turn), balancer=balancer, state=state).state

    return step


def turning_jacobians(n_tasks, n_params, seed=0):
    """Gradients of different lengths in a space of as many dimensions, so that some conflict.

    They turn a little from one to the next.
    """
    rng = np.random.default_rng(seed)
    lengths = 10.0 ** rng.uniform(-1, 1, size=(n_tasks, 1))
    A, turn = rng.normal(size=(2, n_tasks, n_tasks))
    A[np.arange(n_tasks), np.arange(n_tasks)] += 1
    basis = np.linalg.qr(rng.normal(size=(n_params, n_tasks)))[0].T
    return [lengths * (A + 0.02 * k * turn) @ basis for k in range(LENGTH)]
