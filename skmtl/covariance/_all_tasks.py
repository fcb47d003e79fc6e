"""All tasks: those with labels, those without, and one of which nothing is known.

A task u without labels has the coefficients K_uo K_oo^-1 W_o of the labelled tasks o and the rest
of its prior variance on top.  Unless K is known its variance is the mean of theirs and its
correlation with each the mean of theirs, if that is positive and leaves K positive semidefinite.
"""

import numpy as np

from ._impute import fill_rows
from ._matrices import root_of


class AllTasks:
    """Posterior of all tasks from that of the labelled ones.

    Parameters
    ----------
    fitted : EvidenceFit
    labelled : ndarray of int
        Numbers of the labelled tasks.
    n_tasks : int
    known : ndarray of shape (n_tasks, n_tasks), optional
        What K is a scale of.

    Attributes
    ----------
    K, R : ndarrays of shape (n_tasks, n_tasks)
        Covariances of the coefficients, averaged over the features, and of the noise.
    noise_degrees : ndarray of shape (n_tasks,)
        Of a task without labels the least of the others.
    coef, intercept : ndarrays of shape (n_tasks, n_features) and (n_tasks,)
    shared, shared_intercept : ndarray of shape (n_features,) and float
        Of a task of which nothing is known.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl._data import wide_data
    >>> from skmtl.covariance import AllTasks, EvidenceProblem
    >>> X = np.linspace(-1, 1, 12)[:, None]
    >>> Y = np.hstack([X, 2 * X, np.full((12, 1), np.nan)]) + 0.1 * np.cos(9 * X)
    >>> data, labelled = wide_data(X, Y)
    >>> tasks = AllTasks(EvidenceProblem(data).maximise(), labelled, n_tasks=3)
    >>> tasks.coef.shape
    (3, 1)
    >>> bool((tasks.coef[2] == tasks.shared).all())
    True
    """

    def __init__(self, fitted, labelled, n_tasks, known=None):
        self.posterior, self.origin, self.labelled = fitted.posterior, fitted.origin, labelled
        sizes = [len(columns) for columns in fitted.posterior.frame.columns]
        K_own = np.average(fitted.K, axis=0, weights=sizes)
        K = _with_unknown(K_own, n_tasks + 1, labelled)  # the last is the unknown task
        if known is not None and len(labelled) < n_tasks:
            first = labelled[0]
            K[:-1, :-1] = known * (K_own[0, 0] / known[first, first])
        _, back = root_of(K_own)
        B = K[:, labelled] @ back @ back.T
        B[labelled] = np.eye(len(labelled))
        rest = K - B @ K_own @ B.T
        rest[labelled], rest[:, labelled] = 0.0, 0.0
        rest[-1, :-1], rest[:-1, -1] = 0.0, 0.0  # the unknown task is asked for alone
        self._B, self._rest = B, rest
        self._level_variance = np.full(n_tasks + 1, _unknown_level_variance(fitted))
        self._level_variance[labelled] = 0.0
        levels = fitted.b + fitted.W @ fitted.origin
        level = levels.mean() if fitted.common_level is None else fitted.common_level
        self._level = level
        self.K, self.R = K[:-1, :-1], np.eye(n_tasks) * fitted.R.diagonal().mean()
        self.R[np.ix_(labelled, labelled)] = fitted.R
        self.noise_degrees = np.full(n_tasks, fitted.noise_degrees.min())
        self.noise_degrees[labelled] = fitted.noise_degrees
        coef, intercept = self._extend(fitted.W, fitted.b)
        self.coef, self.intercept = coef[:-1], intercept[:-1]
        self.shared, self.shared_intercept = coef[-1], float(intercept[-1])

    def _extend(self, W, b, level_noise=0.0, noise=0.0):
        """Coefficients and intercepts of all tasks, the unknown one included."""
        coef = self._B @ W + noise
        intercept = self._level + level_noise - coef @ self.origin
        intercept[self.labelled] = b
        return coef, intercept

    def covariance(self, X):
        """Covariance of the values x.w_t + b_t over the tasks at each row, (n, T, T)."""
        C = self.posterior.covariance(X)
        if len(self.labelled) == len(self.K):
            return C
        B, rest = self._B[:-1], self._rest[:-1, :-1]
        squares = ((X - self.origin) ** 2).sum(axis=1)
        levels = np.diag(self._level_variance[:-1])
        return B @ C @ B.T + squares[:, None, None] * rest + levels

    def variances(self, X):
        """Variances of x.w_t + b_t of every task, (n, T)."""
        if len(self.labelled) == len(self.K):
            return self.posterior.variances(X)
        return np.einsum("ntt->nt", self.covariance(X))

    def own_variances(self, X, tasks):
        """Variances of x.w_t + b_t of the task of each row, -1 for the unknown one, (n,)."""
        out = np.empty(len(X))
        place = np.full(len(self.K) + 1, -1)
        place[self.labelled] = np.arange(len(self.labelled))
        for t in np.unique(tasks):
            rows = tasks == t
            if place[t] >= 0:
                out[rows] = self.posterior.variance(X[rows], place[t])
                continue
            squares = ((X[rows] - self.origin) ** 2).sum(axis=1)
            C, b = self.posterior.covariance(X[rows]), self._B[t]
            out[rows] = b @ C @ b + squares * max(self._rest[t, t], 0.0) + self._level_variance[t]
        return out

    def noise_variances(self, tasks):
        """Noise variance of each of these tasks, -1 for the unknown one."""
        return np.append(self.R.diagonal(), self.R.diagonal().mean())[tasks]

    def impute(self, X, Y, *, is_new, return_variance):
        """Y (n, T) with its missing labels filled in, and the variances of these."""
        C = self.covariance(X) if is_new or return_variance else None
        mean = X @ self.coef.T + self.intercept
        return fill_rows(Y, mean, self.R, C, is_new=is_new)

    def draw(self, rng):
        """A draw of the coefficients (T, p) and intercepts (T,) of all tasks."""
        W, b = self.posterior.draw(rng)
        root, _ = root_of(self._rest)
        noise = root @ rng.standard_normal((len(root), W.shape[1]))
        level = np.sqrt(self._level_variance) * rng.standard_normal(len(root))
        coef, intercept = self._extend(W, b, level, noise)
        return coef[:-1], intercept[:-1]


def _with_unknown(K_own, n_tasks, labelled):
    """K of all tasks: the labelled ones, and others of their mean variance and correlation."""
    v, r = K_own.diagonal(), mean_correlation(K_own)
    spread = np.full(n_tasks, np.sqrt(v.mean()))
    spread[labelled] = np.sqrt(v)
    K = r * np.outer(spread, spread)
    K[np.arange(n_tasks), np.arange(n_tasks)] = spread**2
    K[np.ix_(labelled, labelled)] = K_own
    return K


def mean_correlation(K):
    """Correlation of an unknown task with each of those of K, in [0, 1]; 1 with a single one."""
    T = len(K)
    if T == 1:
        return 1.0
    d = np.sqrt(K.diagonal())
    C = K / np.outer(d, d)
    mean = (C.sum() - T) / (T * (T - 1))
    _, back = root_of(C)
    most = 1 / np.linalg.norm(back.sum(axis=0))  # beyond it K would not be semidefinite
    return float(np.clip(min(mean, most), 0.0, 1.0))


def _unknown_level_variance(fitted):
    """Variance of the level of a task of which nothing is known, about that of the others."""
    if np.isfinite(fitted.level_variance):
        return fitted.level_variance
    levels = fitted.b + fitted.W @ fitted.origin
    if len(levels) == 1:  # nothing tells how levels differ: as labels do
        return float(fitted.posterior.scale[0] ** 2)
    return float(levels.var(ddof=1) * (1 + 1 / len(levels)))
