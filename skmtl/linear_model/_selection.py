"""Choosing among grid points: the default grid, the evidence guard, ties."""

import warnings

import numpy as np

TIE = 1e-9  # relative difference of scores that is rounding
NEARLY_FREE = 1e-3  # intercept penalty whose evidence stands for that of none
RIDGE_GRID = (
    np.append(np.inf, np.logspace(5, -1, 13)),
    np.concatenate([[np.inf], np.logspace(2.5, -1, 8), [0.0]]),
    np.append(np.inf, np.logspace(4, -1, 6)),
)
LOGISTIC_GRID = (
    np.append(np.inf, np.logspace(4, -1, 6)),
    np.array([np.inf, 10.0, 1.0, 0.1]),
    np.append(np.inf, np.logspace(4, -1, 6)),
)
NAMES = ("alpha_specific", "alpha_intercept", "alpha_shared")  # the order in which ties are broken


def with_defaults(alphas, variance, defaults):
    """The grid with its missing axes filled in.

    `defaults` are in the order of NAMES; those of the coefficients in units of the mean variance
    of the features, which `variance` computes.
    """
    own = [values is not None for values in alphas]
    v = 1.0 if own[0] and own[2] else variance() or 1.0
    units = (v, 1.0, v)
    return tuple(
        values if given else default * unit
        for given, values, default, unit in zip(own, alphas, defaults, units, strict=True)
    )


def grid_name(name):
    """Name of the parameter that holds the grid of a penalty."""
    return name.replace("alpha", "alphas")


def within_guard(deviance, alphas, evidence, tolerance, competes=True):
    """Points whose deviance is within `tolerance` of the best of those that compete.

    That of a free intercept does not compare with those of shrunk ones; the deviance of a small
    intercept penalty stands for it.
    """
    specific, intercept, shared = alphas
    free = intercept == 0
    if free.any() and not free.all():
        deviance = deviance.copy()
        deviance[:, free] = evidence(shared, specific, np.array([NEARLY_FREE]))
    best = np.where(competes, deviance, np.inf).min()
    return competes & (deviance <= best + tolerance)


def warn_lost(error):
    """Leave-one-out errors of which rounding has left nothing, if there are any."""
    lost = np.isinf(error)
    if lost.all():
        raise ValueError(
            "leave-one-out errors are lost in rounding on all of the grid; raise the alphas."
        )
    if lost.any():
        warnings.warn(
            f"leave-one-out errors are lost in rounding at {np.count_nonzero(lost)} of {lost.size} "
            "points of the grid, where the model fits all labels; they do not compete. Raise the "
            "smallest alphas.",
            UserWarning,
            stacklevel=4,
        )


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
