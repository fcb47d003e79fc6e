"""Steps of balancers that solve a small problem: their CPU time, and torchjd's where it imports.

Both sides get the same path of slowly turning Jacobians, float64, and pass their state along it.
"""

import itertools

import numpy as np

from skmtl.balancing import balance

from ._timing import RATIO_COLUMNS, interleaved, print_table, ratio_row

LIMITS = {"nash": 2.0, "mgda": 1.0, "upgrad": None}  # ms at 10 tasks, 1000 parameters
BARS = {"nash": (100, 1), "mgda": (2, 1), "upgrad": (2, 1)}  # ratios at 1e3 and 1e5 parameters
NAMES = {"nash": "NashMTL", "mgda": "MGDA", "upgrad": "UPGrad"}
TASKS, PARAMS = (2, 5, 10), (1_000, 100_000)
LENGTH = 8  # Jacobians on the path


def main(quick=False):
    """Print both tables; `quick` leaves out the long gradients."""
    params = PARAMS[: 1 if quick else None]
    columns = ["step", "ms", "at most", "", "over the mean gradient"]
    print_table("CPU time of one step of balance()", columns, steps(params))
    try:
        import torch
        import torchjd.aggregation as peers
    except ImportError as error:
        print(f"\nNo ratios to torchjd: {error}.")
        return
    torch.set_num_threads(1)
    rows = ratios(params, torch, peers)
    print_table("One step of balance() vs torchjd", RATIO_COLUMNS, rows)


def steps(params):
    for T, d in itertools.product(TASKS, params):
        path = turning_jacobians(T, d)
        calls = [ours(path, name) for name in LIMITS]
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


def ratios(params, torch, peers):
    for name, (T, d) in itertools.product(NAMES, itertools.product(TASKS, params)):
        path = turning_jacobians(T, d)
        tensors = [torch.from_numpy(J) for J in path]
        try:
            peer = getattr(peers, NAMES[name])(**({"n_tasks": T} if name == "nash" else {}))
            theirs = peer(tensors[0]).numpy()
        except ImportError as error:
            yield [f"{name}, {T} tasks, {d} parameters", *[""] * 5, f"skipped: {error}"]
            continue
        mine = balance(path[0], balancer=name).direction
        cosine = mine @ theirs / np.linalg.norm(mine) / np.linalg.norm(theirs)
        turn = itertools.cycle(tensors)
        times = interleaved(ours(path, name), lambda: peer(next(turn)), repeats=5)
        bar = BARS[name][PARAMS.index(d)]
        yield ratio_row(f"{name}, {T} tasks, {d} parameters", *times, bar, f"cosine {cosine:.6f}")


def ours(path, name):
    """A call that makes the next step on the path."""
    turn, state = itertools.cycle(path), None

    def step():
        nonlocal state
        state = balance(next(turn), balancer=name, state=state).state

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
