"""How a label comes from the teacher's value s: P(y = 1 | s) is 1[s > 0] or 1/(1 + exp(-s)).

`response` is the mean of that probability over s ~ N(mean, var), and its slope in the mean;
`noise_var` is the variance of the noise whose sign rule has (nearly) the same probability.
"""

import numpy as np
from scipy.special import expit, ndtr

from ._quadrature import gauss_legendre, normal_density, standard_rule

WIDE = 2.0  # standard deviation of s above which expit is steep beside it
LOGISTIC, LOGISTIC_WEIGHTS = gauss_legendre(np.linspace(-38, 38, 20))
LOGISTIC_WEIGHTS = LOGISTIC_WEIGHTS * expit(LOGISTIC) * expit(-LOGISTIC)


class SignTeacher:
    """y = sign(s)."""

    noise_var = 0.0

    def probability(self, s):
        return np.where(s > 0, 1.0, 0.0)

    def response(self, mean, var):
        density = np.exp(-(mean**2) / (2 * var)) / np.sqrt(2 * np.pi * var)
        return ndtr(mean / np.sqrt(var)), density


class LogisticTeacher:
    """y = 1 with probability 1/(1 + exp(-s)), else -1."""

    noise_var = np.pi**2 / 3

    def probability(self, s):
        return expit(s)

    def response(self, mean, var):
        sd = np.sqrt(var)
        if sd.max() <= WIDE:
            return _mean_of_logistic(mean, sd)
        if sd.min() > WIDE:
            return _mean_of_normal(mean, sd)
        rows = [self.response(m[None], v[None]) for m, v in zip(mean, var, strict=True)]
        return tuple(np.concatenate(part) for part in zip(*rows, strict=True))


def _mean_of_logistic(mean, sd):
    """E expit(mean + sd Z) and its slope."""
    z, weights = standard_rule(max(4, int(np.ceil(3 * sd.max()))))
    p = expit(mean[..., None] + sd[..., None] * z)
    return p @ weights, (p * (1 - p)) @ weights


def _mean_of_normal(mean, sd):
    """The same as E ndtr((mean - L)/sd) with L logistic, smooth where sd is large."""
    z = (mean[..., None] - LOGISTIC) / sd[..., None]
    return ndtr(z) @ LOGISTIC_WEIGHTS, normal_density(z) @ LOGISTIC_WEIGHTS / sd


TEACHERS = {"linear": None, "sign": SignTeacher(), "logistic": LogisticTeacher()}
