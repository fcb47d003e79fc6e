"""Structures of a covariance M: full, diagonal, a scale of a known one, loadings plus diagonal.

Each maps an unconstrained vector theta to M and the gradient at M back to theta.  Where EM keeps
the structure, its step is M + (2/count) M G M, blended with the prior.  `rank` is that of the
loadings, None where M is not loadings plus a diagonal; `has_centre` says whether the prior has one;
`units` are about the standard errors of theta were the coefficients seen.
"""

import numpy as np

from ._matrices import HIGHEST, LOWEST, exp_of, exp_pullback, log_of


def _variances(theta):
    return np.exp(np.clip(theta, LOWEST, HIGHEST))


def _logs(variances):
    return np.clip(np.log(np.maximum(variances, np.exp(LOWEST))), LOWEST, HIGHEST)


class Full:
    """Any positive definite M; theta is its symmetric logarithm."""

    has_em, has_centre, rank = True, True, None

    def __init__(self, n_tasks, prior):
        self.n_tasks, self.prior = n_tasks, prior

    def theta(self, M):
        return log_of(M).reshape(-1)

    def matrix(self, theta):
        return exp_of(self._square(theta))

    def pullback(self, theta, G):
        return exp_pullback(self._square(theta), G).reshape(-1)

    def log_prior(self, theta):
        value, G = self.prior.value_grad(self.matrix(theta))
        return value, self.pullback(theta, G)

    def em(self, theta, G, count):
        M = self.matrix(theta)
        M = self.prior.blend(M + 2 / count[0] * M @ G @ M, count[0])
        return self.theta((M + M.T) / 2)  # rounding asymmetry would grow without bound

    def bounds(self, theta):
        return [(None, None)] * len(theta)

    def units(self, theta, count):
        return np.full(len(theta), np.sqrt(2 / count[0]))

    def _square(self, theta):
        S = theta.reshape(self.n_tasks, self.n_tasks)
        return (S + S.T) / 2


class Scaled:
    """One variance times a known matrix."""

    has_em, has_centre = True, False

    def __init__(self, matrix):
        self.known = np.asarray(matrix)
        is_diagonal = (self.known == np.diag(self.known.diagonal())).all()
        self.rank = 0 if is_diagonal else None
        self.dimension = np.linalg.matrix_rank(self.known, hermitian=True)

    def theta(self, M):
        return _logs(np.array([(M * self.known).sum() / (self.known**2).sum()]))

    def matrix(self, theta):
        return _variances(theta) * self.known

    def pullback(self, theta, G):
        return _variances(theta) * (G * self.known).sum()

    def log_prior(self, theta):
        return 0.0, np.zeros(1)

    def em(self, theta, G, count):
        scale = _variances(theta)
        step = 2 * scale**2 * (G * self.known).sum()
        return _logs(scale + step / (count.mean() * self.dimension))

    def factors(self, theta):
        return np.zeros((len(self.known), 0)), _variances(theta) * self.known.diagonal()

    def pullback_factors(self, theta, loadings, diagonal):
        return _variances(theta) * (diagonal @ self.known.diagonal())

    def bounds(self, theta):
        return [(LOWEST, HIGHEST)]

    def units(self, theta, count):
        return np.array([np.sqrt(2 / max(count.mean() * self.dimension, 1.0))])


class Diagonal:
    """A variance for each task."""

    has_em, has_centre, rank = True, False, 0

    def __init__(self, prior):
        self.prior = prior

    def theta(self, M):
        return _logs(M.diagonal())

    def matrix(self, theta):
        return np.diag(_variances(theta))

    def pullback(self, theta, G):
        return _variances(theta) * G.diagonal()

    def log_prior(self, theta):
        return self.prior.value_grad(theta)

    def em(self, theta, G, count):
        m = _variances(theta)
        step = 2 * m**2 * G.diagonal()  # zero where a task's only label goes to its intercept
        m = m + np.where(count > 0, step / np.where(count > 0, count, 1.0), 0.0)
        return np.clip(self.prior.blend(m, count, theta), LOWEST, HIGHEST)

    def factors(self, theta):
        return np.zeros((len(theta), 0)), _variances(theta)

    def pullback_factors(self, theta, loadings, diagonal):
        return _variances(theta) * diagonal

    def bounds(self, theta):
        return [(LOWEST, HIGHEST)] * len(theta)

    def units(self, theta, count):
        return np.sqrt(2 / np.maximum(count, 1.0))


class Factored:
    """Lam Lam' + diag(k), which EM does not keep: what follows from the factors."""

    has_em, has_centre = False, False

    def matrix(self, theta):
        loadings, diagonal = self.factors(theta)
        return loadings @ loadings.T + np.diag(diagonal)

    def pullback(self, theta, G):
        loadings, _ = self.factors(theta)
        return self.pullback_factors(theta, 2 * G @ loadings, G.diagonal())


class Shared(Factored):
    """k0 11' + k I; theta = (log k0, log k)."""

    rank = 1

    def __init__(self, n_tasks):
        self.n_tasks = n_tasks

    def theta(self, M):
        mean = np.trace(M) / self.n_tasks
        return _logs(np.array([mean / 2, mean / 2]))

    def factors(self, theta):
        k0, k = _variances(theta)
        return np.full((self.n_tasks, 1), np.sqrt(k0)), np.full(self.n_tasks, k)

    def pullback_factors(self, theta, loadings, diagonal):
        k0, k = _variances(theta)
        return np.array([np.sqrt(k0) / 2 * loadings.sum(), k * diagonal.sum()])

    def log_prior(self, theta):
        return 0.0, np.zeros(2)

    def bounds(self, theta):
        return [(LOWEST, HIGHEST)] * 2

    def units(self, theta, count):
        return np.sqrt(2 / count[0] / np.array([1.0, self.n_tasks]))


class LowRank(Factored):
    """Any loadings; theta holds Lam (n_tasks, rank) and log k."""

    def __init__(self, n_tasks, rank, prior):
        self.n_tasks, self.rank, self.prior = n_tasks, rank, prior
        self._cut = n_tasks * rank

    def theta(self, M):
        s, V = np.linalg.eigh(M)
        s, V = np.maximum(s[::-1][: self.rank], 0), V[:, ::-1][:, : self.rank]
        loadings = V * np.sqrt(s / 2)
        rest = np.maximum(M.diagonal() - (loadings**2).sum(axis=1), M.diagonal() / 10)
        return np.concatenate([loadings.reshape(-1), _logs(rest)])

    def factors(self, theta):
        loadings = theta[: self._cut].reshape(self.n_tasks, self.rank)
        return loadings, _variances(theta[self._cut :])

    def pullback_factors(self, theta, loadings, diagonal):
        k = _variances(theta[self._cut :])
        return np.concatenate([loadings.reshape(-1), k * diagonal])

    def log_prior(self, theta):
        value, slope = self.prior.value_grad(theta[self._cut :])
        return value, np.concatenate([np.zeros(self._cut), slope])

    def bounds(self, theta):
        return [(None, None)] * self._cut + [(LOWEST, HIGHEST)] * self.n_tasks

    def units(self, theta, count):
        return np.full(len(theta), np.sqrt(2 / count[0]))
