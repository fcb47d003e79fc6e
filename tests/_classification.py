"""Classification by definition: labelled tasks, and the documented objective minimised densely."""

import numpy as np
from scipy.special import expit, log_softmax, softmax


def binary(n=40, p=3, n_tasks=3, *, seed=0):
    """(X, Y): classes 0 and 1 of related tasks, neither rare, all labels observed."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * np.linspace(0.5, 2, p) + np.linspace(-1, 3, p)
    W = rng.normal(size=p) + 0.5 * rng.normal(size=(n_tasks, p))
    Z = (X - X.mean(axis=0)) @ W.T + rng.logistic(size=(n, n_tasks))
    return X, (Z > np.linspace(-1, 1, n_tasks)).astype(float)


def several(n=60, p=3, *, seed=0):
    """(X, Y): four tasks of the classes 012, 012, 12 and 03, in which class 0 means the same."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + np.linspace(-1, 2, p)
    Z = (X - X.mean(axis=0)) @ rng.normal(size=(p, 4)) + rng.logistic(size=(n, 4))
    third = np.digitize(Z, [-0.6, 0.6])
    names = np.array([[0, 1, 2], [0, 1, 2], [1, 1, 2], [0, 3, 3]], dtype=float)
    return X, np.column_stack([names[t, third[:, t]] for t in range(4)])


def class_sets(Y):
    """Numbers of the observed classes of each task."""
    return [np.unique(y[~np.isnan(y)]).astype(int) for y in Y.T]


def weigh_classes(Y, S, factors):
    """Weights S times the factor {class: factor} of each label."""
    return S * np.vectorize(lambda y: factors.get(y, 1.0))(Y)


class Dense:
    """The objective of the docstring over (w_0c, v_tk, b_0c, c_tk), minimised by Newton's method.

    One row of scores a label: a logit where all tasks are binary, else a score for each class of
    its task. Penalties may be infinite: the coordinate is left out.

    Parameters
    ----------
    X : ndarray of shape (n, p)
    Y : ndarray of shape (n, n_tasks)
        Class numbers, NaN where not observed.
    alphas : tuple (shared, specific, intercept)
    """

    def __init__(self, X, Y, alphas, sample_weight=None, omega=None, *, fit_intercept=True):
        self.classes, self.is_binary = class_sets(Y), max(map(len, class_sets(Y))) <= 2
        S = np.ones_like(Y) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        S = np.broadcast_to(S[:, None] if S.ndim == 1 else S, Y.shape)
        W = np.where(np.isnan(Y), 0.0, S) * (1.0 if omega is None else np.asarray(omega))
        self.centre = W.sum(axis=1) @ X / W.sum() if fit_intercept else np.zeros(X.shape[1])
        counts = [1 if self.is_binary else len(c) for c in self.classes]
        self.first = np.cumsum([0, *counts])
        self.channel = [0] * Y.shape[1] if self.is_binary else np.concatenate(self.classes)
        C, U, p = int(max(self.channel)) + 1, self.first[-1], X.shape[1]
        self.shape = C, U, p
        shared, specific, intercept = alphas
        b0 = np.inf if intercept == 0 or not fit_intercept else 0.0
        c = intercept if fit_intercept else np.inf
        strengths = np.repeat([shared, specific, b0, c], [C * p, U * p, C, U]).astype(float)
        self.taken = np.isfinite(strengths)
        self.strengths = np.where(self.taken, strengths, 0.0)
        self.row, self.task = np.nonzero(W)
        self.weights = W[self.row, self.task]
        self.J, self.target, self.lacks = self._labels(X, Y)
        self.theta = self.minimise()

    def jacobian(self, X, t):
        """Derivatives (n, n_units, n_parameters) of the scores of task t in the parameters."""
        C, U, p = self.shape
        units = np.arange(self.first[t], self.first[t + 1])
        own, k = np.asarray(self.channel)[units], np.arange(len(units))
        J = np.zeros((len(X), len(units), len(self.taken)))
        for j in range(p):
            J[:, k, own * p + j] = J[:, k, (C + units) * p + j] = (X[:, j] - self.centre[j])[
                :, None
            ]
        J[:, k, (C + U) * p + own] = J[:, k, (C + U) * p + C + units] = 1.0
        return J * self.taken

    def _labels(self, X, Y):
        """Of each label: the Jacobian, one-hot classes, and -inf for those that its task lacks."""
        K = max(np.diff(self.first))
        J = np.zeros((len(self.row), K, len(self.taken)))
        target, lacks = np.zeros(J.shape[:2]), np.full(J.shape[:2], -np.inf)
        for t, classes in enumerate(self.classes):
            here = self.task == t
            rows = self.row[here]
            positive = classes[-1:] if self.is_binary else classes
            part = np.ix_(here, np.arange(len(positive)))
            J[part] = self.jacobian(X[rows], t)
            target[part], lacks[part] = Y[rows, t][:, None] == positive, 0.0
        return J, target, lacks

    def losses(self, theta):
        """Log loss of each label."""
        z = self.J @ theta
        z = np.column_stack([0 * z, z]) if self.is_binary else z + self.lacks
        y = np.column_stack([1 - self.target, self.target]) if self.is_binary else self.target
        return -np.sum(np.where(y > 0, log_softmax(z, axis=1), 0.0), axis=1)

    def value(self, theta, weights=None):
        """The objective, with other weights of the labels if given."""
        weights = self.weights if weights is None else weights
        return weights @ self.losses(theta) + 0.5 * self.strengths @ theta**2

    def derivatives(self, theta, weights=None):
        """Gradient and Hessian of the objective."""
        weights = self.weights if weights is None else weights
        z, K = self.J @ theta, self.J.shape[1]
        q = expit(z) if self.is_binary else softmax(z + self.lacks, axis=1)
        D = weights[:, None, None] * (q[:, :, None] * np.eye(K) - q[:, :, None] * q[:, None, :])
        J = self.J.reshape(-1, len(theta))
        g = J.T @ (weights[:, None] * (q - self.target)).reshape(-1)
        H = J.T @ (D @ self.J).reshape(J.shape)
        return g + self.strengths * theta, H + np.diag(self.strengths)

    def step(self, theta, weights=None):
        """Newton step from theta, the shortest one where intercepts may be moved together."""
        g, H = self.derivatives(theta, weights)
        own, step = self.taken, np.zeros_like(theta)
        step[own] = np.linalg.lstsq(H[np.ix_(own, own)], -g[own], rcond=1e-13)[0]
        return step

    def minimise(self, weights=None):
        """The optimum, with other weights of the labels if given."""
        theta = np.zeros(len(self.taken))
        for _ in range(100):
            step, length, value = self.step(theta, weights), 1.0, self.value(theta, weights)
            while self.value(theta + length * step, weights) > value + 1e-12 and length > 1e-9:
                length /= 2
            theta = theta + length * step
            if np.abs(self.derivatives(theta, weights)[0][self.taken]).max(initial=0.0) < 1e-12:
                break
        return theta

    def scores(self, X, t, theta=None):
        """Scores (n, n_units) of task t."""
        return self.jacobian(X, t) @ (self.theta if theta is None else theta)

    def probabilities(self, X):
        """List over tasks of probabilities (n, n_classes)."""
        parts = [self.scores(X, t) for t in range(len(self.classes))]
        if not self.is_binary:
            return [softmax(z, axis=1) for z in parts]
        return [np.column_stack([expit(-z), expit(z)]) for z in parts]

    @property
    def shared(self):
        """w_0 of shape (p,), or (n_classes, p)."""
        C, _, p = self.shape
        return self.theta[: C * p].reshape(-1 if self.is_binary else (C, p))

    @property
    def coefficients(self):
        """List over tasks of coefficients (n_units, p)."""
        C, U, p = self.shape
        own = self.theta[C * p : (C + U) * p].reshape(U, p)
        W = self.theta[: C * p].reshape(C, p)[self.channel] + own
        return np.split(W, self.first[1:-1])
