"""The covariances that are learned: from words to structures with their priors, and back."""

import numpy as np

from ._priors import InverseWishart, PooledVariances
from ._start import label_correlation, label_variances
from ._structures import Diagonal, Full, LowRank, Scaled, Shared

NU_DIAGONAL = 6.0  # pseudo-observations of each of several pooled variances


class CovarianceModel:
    """Structures of the K of each group of features, of the intercepts where shrunk, and of R.

    theta concatenates their own vectors, the noise last.

    Parameters
    ----------
    cells : Cells
    covariance : {"full", "low_rank", "shared", "diagonal"} or ndarray of shape (T, T)
    noise : {"full", "diagonal", "common"}
    rank : int
    strength : float
        Pseudo-observations of a full matrix, per task.
    variances : list of ndarray of shape (T,), optional
        Of each component and of the noise: the start, and the centre of the priors.
    """

    def __init__(self, cells, covariance, noise, *, rank=2, strength=1.0, variances=None):
        self._args = cells, covariance, noise, rank, strength
        T = cells.n_tasks
        *own, noisy = _start_variances(cells) if variances is None else variances
        C = label_correlation(cells)
        starts = [C * np.sqrt(np.outer(v, v)) for v in own[: len(cells.blocks)]]
        parts = [_structure(covariance, v, rank, strength) for v in own[: len(cells.blocks)]]
        self.counts = [np.full(T, b.stop - b.start, dtype=float) for b in cells.blocks]
        if cells.intercept == "shrunk":
            parts.append(Scaled(np.eye(T)))
            starts.append(np.diag(own[-1]))
            self.counts.append(np.ones(T))
        self.parts = [*parts, _structure(noise, noisy, rank, strength)]
        starts.append(C * np.sqrt(np.outer(noisy, noisy)))
        self.counts.append(_noise_count(cells, noise))
        thetas = [part.theta(start) for part, start in zip(self.parts, starts, strict=True)]
        self.start = np.concatenate(thetas)
        self._cuts = np.cumsum([len(theta) for theta in thetas])[:-1]
        triples = list(zip(self.parts, thetas, self.counts, strict=True))
        self.bounds = [pair for part, theta, _ in triples for pair in part.bounds(theta)]
        self.units = np.concatenate([part.units(theta, count) for part, theta, count in triples])

    @property
    def has_prior_centre(self):
        """Whether the variances of unrelated tasks are of use: as the centre of a prior."""
        return any(part.has_centre for part in self.parts) and self._args[-1] > 0

    def unrelated(self):
        """The model of unrelated tasks."""
        cells, _, _, rank, strength = self._args
        return CovarianceModel(cells, "diagonal", "diagonal", rank=rank, strength=strength)

    def centred_at(self, K, R):
        """The same with priors at the variances of these covariances, where it starts too."""
        cells, covariance, noise, rank, strength = self._args
        variances = [*(k.diagonal() for k in K), R.diagonal()]
        return CovarianceModel(
            cells, covariance, noise, rank=rank, strength=strength, variances=variances
        )

    @property
    def has_em(self):
        return all(part.has_em for part in self.parts)

    @property
    def has_diagonal_noise(self):
        return self.parts[-1].rank == 0

    @property
    def noise_prior_count(self):
        """Pseudo-observations of each variance of R."""
        prior = getattr(self.parts[-1], "prior", None)
        return 0.0 if prior is None or self._args[0].n_tasks == 1 else prior.nu

    @property
    def has_common_noise(self):
        return self._args[2] == "common"

    @property
    def ranks(self):
        """Ranks of the loadings of the components, with None for one that is not factored."""
        return [part.rank for part in self.parts[:-1]]

    def covariances(self, theta):
        """(K (n_components, T, T), R)."""
        *K, R = (part.matrix(z) for part, z in self._split(theta))
        return np.stack(K), R

    def factors(self, theta):
        """([(loadings, diagonal), ...], R)."""
        *own, (noise, z) = self._split(theta)
        return [part.factors(own_z) for part, own_z in own], noise.matrix(z)

    def penalised(self, theta, evaluation):
        """Evidence plus the logarithm of the prior."""
        return evaluation.value + sum(part.log_prior(z)[0] for part, z in self._split(theta))

    def gradient(self, theta, evaluation, *, by_factors):
        """Gradient of `penalised`; `by_factors`: from a FactorEvaluation."""
        *own, (noise, z_noise) = self._split(theta)
        if by_factors:
            pairs = zip(evaluation.loadings, evaluation.diagonal, strict=True)
            slopes = [
                part.pullback_factors(z, *pair) for (part, z), pair in zip(own, pairs, strict=True)
            ]
        else:
            slopes = [part.pullback(z, G) for (part, z), G in zip(own, evaluation.K, strict=True)]
        slopes.append(noise.pullback(z_noise, evaluation.R))
        priors = [part.log_prior(z)[1] for part, z in self._split(theta)]
        return np.concatenate(slopes) + np.concatenate(priors)

    def em(self, theta, evaluation, *, by_factors):
        """theta after an EM step from it; from factors where all structures are diagonal."""
        own = map(np.diag, evaluation.diagonal) if by_factors else evaluation.K
        triples = zip(self._split(theta), [*own, evaluation.R], self.counts, strict=True)
        return np.concatenate([part.em(z, G, count) for (part, z), G, count in triples])

    def _split(self, theta):
        return list(zip(self.parts, np.split(theta, self._cuts), strict=True))


def _structure(word, variances, rank, strength):
    n_tasks = len(variances)
    if not isinstance(word, str):
        return Scaled(word)
    if word == "common":
        return Scaled(np.eye(n_tasks))
    pooled = PooledVariances(NU_DIAGONAL * strength)
    if n_tasks == 1 or word == "diagonal":
        return Diagonal(pooled)
    if word == "full":
        return Full(n_tasks, InverseWishart(strength * n_tasks, np.diag(variances)))
    return Shared(n_tasks) if word == "shared" else LowRank(n_tasks, min(rank, n_tasks), pooled)


def _start_variances(cells):
    """Half of the labels' variances to the coefficients and half to noise."""
    half = label_variances(cells) / 2
    own = [half / len(cells.blocks)] * len(cells.blocks)
    if cells.intercept == "shrunk":
        own.append(np.full(cells.n_tasks, _level_variance(cells)))
    return [*own, half]


def _noise_count(cells, noise):
    """Observations that tell R, by task: a full one is told by all of each row."""
    free = cells.intercept == "free"
    if noise == "full" and cells.n_tasks > 1:
        return np.full(cells.n_tasks, cells.row_weight.sum() - free)
    return cells.totals - free


def _level_variance(cells):
    """Variance of the tasks' means, not zero."""
    means = np.add.reduceat(cells.s * cells.y, cells.indptr[:-1]) / cells.totals
    return max(float(means.var()), 0.05)
