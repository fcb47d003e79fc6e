"""Choosing among grid points: the default grid, the evidence guard, ties."""

import numpy as np

TIE = 1e-9  # relative difference of scores that is rounding
NEARLY_FREE = 1e-3  # intercept penalty whose evidence stands for that of none
NAMES = ("alpha_specific", "alpha_intercept", "alpha_shared")  # the order in which ties are broken


def with_defaults(alphas, problem):
    """The grid with its missing axes filled in, in units of the mean variance of the features."""
    specific, intercept, shared = alphas
    if specific is None or shared is None:
        v = problem.feature_variance() or 1.0
    if specific is None:
        specific = np.append(np.inf, v * np.logspace(5, -1, 13))
    if intercept is None:
        intercept = np.concatenate([[np.inf], np.logspace(2.5, -1, 8), [0.0]])
    if shared is None:
        shared = np.append(np.inf, v * np.logspace(4, -1, 6))
    return specific, intercept, shared


def grid_name(name):
    """Name of the parameter that holds the grid of a penalty."""
    return name.replace("alpha", "alphas")


def within_guard(deviance, alphas, evidence, tolerance):
    """Points whose deviance is within `tolerance` of the best.

    That of a free intercept does not compare with those of shrunk ones; the deviance of a small
    intercept penalty stands for it.
    """
    specific, intercept, shared = alphas
    free = intercept == 0
    if free.any() and not free.all():
        deviance = deviance.copy()
        deviance[:, free] = evidence(shared, specific, np.array([NEARLY_FREE]))
    return deviance <= deviance.min() + tolerance


def best_index(score, alphas, kind):
    """Index of the least score among the intercept penalties of this kind."""
    score = np.where(kind[None, :, None], score, np.inf)
    return np.unravel_index(first_least(score.reshape(-1)), score.shape)


def first_least(score):
    """First index (the largest penalties) whose score equals the least one up to rounding."""
    if np.isnan(score).all():
        return 0
    least = np.nanmin(score)
    return int(np.argmax(score <= least + TIE * abs(least)))


def grid_point(alphas, index):
    """Penalties at an index of the grid, as floats."""
    return tuple(float(values[i]) for values, i in zip(alphas, index, strict=True))
