"""Intercepts with which the classes of a softmax model have the shares that were asked for.

A softmax label is the winner of a race, argmax_c (b_c + a e_c + g_c) with Gumbel noise g.  Where
the coefficients of any two classes are equally far apart, the e_c may be taken as independent
standard normals (what they have in common moves all scores alike), a = distance / sqrt(2), and

    P(class c) = integral of f(u - b_c) prod_{d != c} F(u - b_d) du,

F and f the distribution function and density of a e + g: no matter how many the features.
"""

import numpy as np
from scipy.optimize import root
from scipy.special import ndtr

LEAST_SHARE = 1e-12  # the race is integrated to relative errors far below 1e-6 down to there


def check_shares(class_shares, n_classes):
    """The shares of the classes of each task, a list of arrays."""
    if class_shares is None:
        return [np.full(k, 1 / k) for k in n_classes]
    entries = list(class_shares) if np.iterable(class_shares) else [class_shares] * len(n_classes)
    if isinstance(class_shares, str) or len(entries) != len(n_classes):
        raise ValueError(
            f"class_shares must be a number or {len(n_classes)} entries (n_tasks), "
            f"got {class_shares!r}."
        )
    return [_shares_of_task(entry, n_classes[t], t) for t, entry in enumerate(entries)]


def _shares_of_task(entry, n_classes, t):
    single = n_classes == 2 and np.ndim(entry) == 0
    shares = np.asarray(entry)
    if shares.dtype.kind in "fiu" and single:
        shares = np.array([1 - shares, shares])
    if (
        shares.dtype.kind not in "fiu"
        or shares.shape != (n_classes,)
        or not (np.all(shares >= LEAST_SHARE) and abs(shares.sum() - 1) < 1e-6)
    ):
        number = "a number in (0, 1), or " if n_classes == 2 else ""
        raise ValueError(
            f"class_shares of task {t} must be {number}{n_classes} numbers of at least "
            f"{LEAST_SHARE:g} that sum to 1, got {entry!r}."
        )
    return shares / shares.sum()


def share_intercepts(shares, distance):
    """Intercepts of shape (n_tasks, most classes), -inf where a task lacks the class.

    Parameters
    ----------
    shares : list of ndarray of shape (n_classes_t,)
    distance : ndarray of shape (n_tasks,)
        Length of the difference between the coefficients of any two classes.
    """
    intercept = np.full((len(shares), max(map(len, shares))), -np.inf)
    known = {}
    for t, wanted in enumerate(shares):
        problem = (*wanted, distance[t])
        if problem not in known:
            known[problem] = _solve(wanted, distance[t] / np.sqrt(2))
        intercept[t, : len(wanted)] = known[problem]
    return intercept


def _solve(wanted, a):
    """Intercepts of one task, with sum 0."""
    b = np.zeros(len(wanted))
    if np.all(wanted == wanted[0]):
        return b
    # relative to the most frequent class: the share of a rare one is an equation of its own
    others = np.delete(np.arange(len(b)), np.argmax(wanted))
    start = np.log(wanted / wanted.max())[others] * np.hypot(1, 0.6 * a)

    def excess(free):
        b[others] = free
        share, slope = _shares_of_race(b, a)
        return np.log(share / wanted)[others], slope[np.ix_(others, others)]

    # damped (Levenberg-Marquardt): a full Newton step from afar takes a rare class to share 0
    b[others] = root(excess, start, jac=True, method="lm", tol=1e-12).x
    return b - b.mean()


def _shares_of_race(b, a):
    """P(class c) for each c, and the derivatives of their logarithms in b."""
    # smooth integrands that vanish at both ends: here the trapezoidal rule errs by about 1e-11
    u, step = np.linspace(b.max() - 9 * a - 4, b.max() + 9 * a + 40, 193, retstep=True)
    F, f = _race_noise(u - b[:, None], a)
    ratio = f / np.maximum(F, np.finfo(np.float64).tiny)
    weight = step * np.prod(F, axis=0)
    share = ratio @ weight
    # what a rival gains by its intercept, the class loses; a shift of all changes nothing
    loss = (weight * ratio) @ ratio.T
    np.fill_diagonal(loss, 0)
    slope = np.diag(loss.sum(axis=1)) - loss
    return share, slope / share[:, None]


def _race_noise(u, a):
    """Distribution function and density of a e + g at u, a mixture over the narrower of the two."""
    if a < 1:
        e = np.linspace(-9, 9, 55)
        weight = np.exp(-(e**2) / 2)
        z = u[..., None] - a * e
        F = np.exp(-np.exp(-z))
        f = np.exp(-z) * F
    else:
        g = np.linspace(-4, 40, 133)
        weight = np.exp(-g - np.exp(-g))
        z = (u[..., None] - g) / a
        F = ndtr(z)
        f = np.exp(-(z**2) / 2) / (a * np.sqrt(2 * np.pi))
    weight /= weight.sum()
    return F @ weight, f @ weight
