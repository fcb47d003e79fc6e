"""Jacobians built by definition: `JACOBIANS` maps the name of a kind to make(rng) -> J (T, d)."""

import numpy as np


def normal(rng):
    """Independent rows: more parameters than tasks."""
    return rng.normal(size=(4, 9))


def crowded(rng):
    """More tasks than parameters, all in one half-space, so that some direction improves all."""
    J = rng.normal(size=(6, 3))
    return J * np.sign(J @ [1.0, 2.0, 3.0])[:, None]


def rank_deficient(rng):
    """Rank 2 of 4 rows, all in one half-space of their plane."""
    J = rng.normal(size=(4, 2))
    return (J * np.sign(J @ [1.0, 2.0])[:, None]) @ rng.normal(size=(2, 7))


def strongly_stationary(rng):
    """J'v = 0 for some v > 0: the rows are freed of their combination by v."""
    v, J = rng.uniform(0.5, 2.0, size=4), rng.normal(size=(4, 6))
    return J - np.outer(v, v @ J) / (v @ v)


def weakly_stationary(rng):
    """J'v = 0 for v >= 0 but for no v > 0: the last row is independent of the others."""
    return np.vstack([strongly_stationary(rng), rng.normal(size=6)])


def collinear(rng):
    """Positive multiples of one gradient."""
    return np.outer(rng.uniform(0.5, 2.0, size=3), rng.normal(size=5))


def opposed(rng):
    """Two gradients against each other, and a third."""
    g, h = rng.normal(size=(2, 5))
    return np.stack([g, -2 * g, h])


def identical(rng):
    """The first and the last row are equal."""
    J = rng.normal(size=(3, 6))
    return J[[0, 1, 2, 0]]


def zero_row(rng):
    """A task at its optimum."""
    J = rng.normal(size=(4, 6))
    J[1] = 0
    return J


def small(rng):
    return 1e-10 * normal(rng)


def large(rng):
    return 1e15 * normal(rng)


def apart(rng):
    """Rows of scales from 1e-150 to 1e150."""
    return normal(rng) * np.array([1e-150, 1.0, 1e70, 1e150])[:, None]


def one_task(rng):
    return rng.normal(size=(1, 5))


def nothing(rng):
    """All tasks at their optima."""
    return np.zeros((3, 4))


JACOBIANS = {
    make.__name__: make
    for make in (
        normal,
        crowded,
        rank_deficient,
        strongly_stationary,
        weakly_stationary,
        collinear,
        opposed,
        identical,
        zero_row,
        small,
        large,
        apart,
        one_task,
        nothing,
    )
}
STATIONARY = ("strongly_stationary", "weakly_stationary", "opposed", "nothing")
INDEPENDENT_ROWS = ("normal", "zero_row", "small", "large", "apart", "one_task")


def unit_rows(J):
    """(norms, unit rows) without overflow; a zero row stays zero."""
    largest = np.abs(J).max(axis=1)
    scaled = J / np.where(largest > 0, largest, 1.0)[:, None]
    lengths = np.linalg.norm(scaled, axis=1)
    return largest * lengths, scaled / np.where(lengths > 0, lengths, 1.0)[:, None]
