"""Growth of time and memory with rows n, features p and tasks T, beside what the formulas predict.

One size grows at a time around a base point.  An exponent is the slope of log(time) on log(size)
over the upper half of the range; the prediction is the same slope of the number of operations,
or of stored numbers, at the same points.  Small matrices run below the peak rate of BLAS, so times
in p grow slower than operations; where the route changes within a range the slope mixes the two.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from skmtl import MultiTaskRidge, MultiTaskRidgeCV

from ._data import common_rows, own_rows
from ._memory import peak_bytes
from ._shapes import with_missing
from ._timing import interleaved, print_table

GRID = 14, 10, 7  # default grid: alphas_specific, alphas_intercept, alphas_shared
MISSING = 0.2
ITERATIONS = 30  # of PCG, about
QUICK_POINTS = 4


def own_design(T, n, p):
    """Fit of T tasks of n rows each."""
    X, y, task = own_rows(T, n, p)
    Z = np.column_stack([X, task])
    return lambda: MultiTaskRidge(1.0, 2.0, task_column=p).fit(Z, y)


def common_design(T, n, p):
    """Fit of T labels in each of n rows."""
    X, Y = common_rows(T, n, p)
    return lambda: MultiTaskRidge(1.0, 2.0).fit(X, Y)


def missing_labels(T, n, p):
    """Fit of a common design with a share of the labels missing."""
    X, Y = with_missing(*common_rows(T, n, p), MISSING)
    return lambda: MultiTaskRidge(1.0, 2.0).fit(X, Y)


def default_grid(T, n, p):
    """MultiTaskRidgeCV over its default grid, tasks of n rows each."""
    X, y, task = own_rows(T, n, p)
    Z = np.column_stack([X, task])
    return lambda: MultiTaskRidgeCV(task_column=p).fit(Z, y)


def eliminate(T, n, p):
    """Operations of block elimination: a Gram and a factorisation for each task."""
    return T * (n * p**2 + p**3)


def eliminate_words(T, n, p):
    """Numbers it stores: Grams and what they become, and a few for each label."""
    return 2 * T * p**2 + 8 * T * n


def two_ridges(T, n, p):
    """Operations of a complete common design: one Gram, two factorisations, T right-hand sides."""
    return n * p**2 + 2 * p**3 / 3 + 2 * n * p * T + 2 * p**2 * T


def two_ridges_words(T, n, p):
    """Numbers it stores: X centred, the Gram and its factor, labels and their deviations."""
    return n * p + 2 * p**2 + 3 * n * T + 2 * p * T


def fill_gaps(T, n, p):
    """Operations with labels missing, by the cheaper of two routes."""
    return min(by_blocks(T, n, p), by_pcg(T, n, p))


def fill_gaps_words(T, n, p):
    """Numbers stored by the cheaper route; PCG keeps copies of X and tables of labels."""
    if by_blocks(T, n, p) < by_pcg(T, n, p):
        return eliminate_words(T, (1 - MISSING) * n, p)
    return 3 * n * p + 6 * n * T + 6 * p * T + 3 * p**2


def by_blocks(T, n, p):
    """Operations of block elimination, the Grams less what the missing rows add."""
    return MISSING * T * n * p**2 + 3 * T * p**3


def by_pcg(T, n, p):
    """Operations of conjugate gradients preconditioned by the complete design."""
    return 3 * n * p**2 + 10 * p**3 + 4 * ITERATIONS * T * n * p


def eigen_grid(T, n, p):
    """Operations of exact leave-one-out over the grid, by eigendecompositions (n >= p)."""
    specific, intercept, shared = GRID
    setup = T * (4 * n * p**2 + 9 * p**3)
    level = 2 * T * (n * p**2 + p**3)
    point = 2 * T * n * p**2 + 9 * p**3 + 4 * T * n * p * shared
    return 2 * setup + specific * (level + intercept * point)


def eigen_grid_words(T, n, p):
    """Numbers it stores: rows, eigenvectors, and two or three products of the size of the rows."""
    return 5 * T * n * p + T * p**2 + 3 * GRID[2] * T * n


class Study(NamedTuple):
    """What is timed, around which base point (T, n, p), over which ranges, and its formulas."""

    title: str
    make: Callable
    base: dict
    ranges: dict
    operations: Callable
    words: Callable


def doubling(least, points):
    """`points` sizes from `least`, each twice the one before."""
    return [least * 2**k for k in range(points)]


STUDIES = [
    Study(
        "fit, own rows",
        own_design,
        {"T": 16, "n": 512, "p": 128},
        {"n": doubling(64, 7), "p": doubling(16, 6), "T": doubling(4, 6)},
        eliminate,
        eliminate_words,
    ),
    Study(
        "fit, common design",
        common_design,
        {"T": 32, "n": 1024, "p": 128},
        {"n": doubling(256, 7), "p": doubling(16, 7), "T": doubling(8, 7)},
        two_ridges,
        two_ridges_words,
    ),
    Study(
        "fit, common design, 20 % missing",
        missing_labels,
        {"T": 32, "n": 1024, "p": 128},
        {"n": doubling(128, 6), "p": doubling(16, 6), "T": doubling(8, 6)},
        fill_gaps,
        fill_gaps_words,
    ),
    Study(
        "default grid, own rows",
        default_grid,
        {"T": 8, "n": 256, "p": 64},
        {"n": doubling(64, 6), "p": doubling(8, 6), "T": doubling(2, 6)},
        eigen_grid,
        eigen_grid_words,
    ),
]


def main(quick=False):
    """Print a row for each study and growing size; `quick` leaves out the larger sizes."""
    rows = [
        row_of(study, name, sizes[: QUICK_POINTS if quick else None], repeats=3 if quick else 5)
        for study in STUDIES
        for name, sizes in study.ranges.items()
    ]
    print_table(
        "Growth exponents over the upper half of the range, measured and predicted",
        ["case", "grows", "at", "ms", "exponent", "predicted", "MB", "exponent", "predicted"],
        rows,
    )


def row_of(study, name, sizes, repeats=5):
    """Measured and predicted growth of time and of peak memory in one size."""
    points = [study.base | {name: size} for size in sizes]
    functions = [study.make(**point) for point in points]
    seconds = interleaved(*functions, repeats=repeats)
    peaks = [peak_bytes(function) for function in functions]
    fixed = ", ".join(f"{key}={value}" for key, value in study.base.items() if key != name)
    return [
        study.title,
        f"{name} {sizes[0]} to {sizes[-1]}",
        fixed,
        f"{1e3 * seconds[0]:.2f} to {1e3 * seconds[-1]:.2f}",
        f"{exponent(sizes, seconds):.2f}",
        f"{exponent(sizes, [study.operations(**point) for point in points]):.2f}",
        f"{peaks[0] / 1e6:.2f} to {peaks[-1] / 1e6:.2f}",
        f"{exponent(sizes, peaks):.2f}",
        f"{exponent(sizes, [study.words(**point) for point in points]):.2f}",
    ]


def exponent(sizes, values):
    """Slope of log(values) on log(sizes) over the upper half of the range, by least squares."""
    upper = len(sizes) // 2
    return np.polyfit(np.log(sizes[upper:]), np.log(values[upper:]), 1)[0]
