"""Dense references for the ridge family: one Gaussian kernel problem, refits by brute force."""

import numpy as np


def kernel_predictor(X, rows, task, y, w, n_tasks, alphas, fit_intercept=True):
    """Predictor (x, t) -> value of the shared-plus-specific ridge at a fixed origin of X.

    The penalties are prior covariances 11'/a0 + I/a1 of the coefficients and 1/ai of the
    intercepts' deviations; the common intercept, or each free one, is an unpenalised column.
    """
    a0, a1, ai = alphas
    shrunk = fit_intercept and 0 < ai < np.inf
    same = (task[:, None] == task).astype(float)
    V = X[rows] @ X[rows].T * (1 / a0 + same / a1) + np.diag(1 / w) + (same / ai if shrunk else 0)
    if not fit_intercept:
        H = np.zeros((len(y), 0))
    elif ai == 0:
        H = (task[:, None] == np.arange(n_tasks)).astype(float)
    else:
        H = np.ones((len(y), 1))
    known = H.any(axis=0)
    H = H[:, known]
    inverse = np.linalg.inv(V)
    b = np.linalg.solve(H.T @ inverse @ H, H.T @ inverse @ y)
    dual = inverse @ (y - H @ b)

    def predict(x, t):
        k = X[rows] @ x * (1 / a0 + (task == t) / a1) + ((task == t) / ai if shrunk else 0)
        value = k @ dual
        if not fit_intercept:
            return value
        if ai > 0:
            return value + b[0]
        return value + (b[known[:t].sum()] if known[t] else b.mean())

    return predict


def pooled_mean(X, W):
    """Weighted mean of the rows of X over all labels of weights W (n_samples, n_tasks)."""
    return W.sum(axis=1) @ X / W.sum()


def label_weights(Y, sample_weight=None, omega=None):
    """Weights (n_samples, n_tasks), zero where a label is missing."""
    S = np.ones_like(Y) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    S = np.broadcast_to(S[:, None] if S.ndim == 1 else S, Y.shape)
    return np.where(np.isnan(Y), 0.0, S) * (1.0 if omega is None else omega)


def reference_predictions(X, Y, alphas, sample_weight=None, omega=None, fit_intercept=True):
    """Predictions (n_samples, n_tasks) of the dense reference fitted to X, Y."""
    W = label_weights(Y, sample_weight, omega)
    Xc = X - pooled_mean(X, W) if fit_intercept else X
    rows, task = np.nonzero(W)
    predict = kernel_predictor(
        Xc, rows, task, Y[rows, task], W[rows, task], Y.shape[1], alphas, fit_intercept
    )
    return np.array([[predict(x, t) for t in range(Y.shape[1])] for x in Xc])


def leave_one_row_out(X, Y, alphas, sample_weight=None, omega=None, fit_intercept=True):
    """Weighted mean squared error of refits that each leave one unit of one row out.

    A complete design is refitted about the mean of the rows that are left, others about the mean
    of all rows.
    """
    W, S = label_weights(Y, sample_weight, omega), label_weights(Y, sample_weight)
    omega = np.ones(Y.shape[1]) if omega is None else omega
    common = (W == W[:, :1]).all()
    total = 0.0
    for i in range(len(X)):
        rest = W.copy()
        rest[i] = np.where(W[i] > 0, W[i] - np.minimum(S[i], 1.0) * omega, 0.0)
        rows, task = np.nonzero(rest > 1e-12)
        Xc = X - pooled_mean(X, rest if common else W) if fit_intercept else X
        predict = kernel_predictor(
            Xc, rows, task, Y[rows, task], rest[rows, task], Y.shape[1], alphas, fit_intercept
        )
        total += sum(W[i, t] * (Y[i, t] - predict(Xc[i], t)) ** 2 for t in np.flatnonzero(W[i]))
    return total / W.sum()


def restricted_deviance(X, Y, alphas, fit_intercept=True):
    """-2 log restricted likelihood of the dense mixed model, its noise variance profiled out."""
    a0, a1, ai = alphas
    W = label_weights(Y)
    rows, task = np.nonzero(W)
    Xc, y = (X - pooled_mean(X, W) if fit_intercept else X)[rows], Y[rows, task]
    same = (task[:, None] == task).astype(float)
    V = Xc @ Xc.T * (1 / a0 + same / a1) + np.eye(len(y))
    V += same / ai if fit_intercept and 0 < ai < np.inf else 0
    if not fit_intercept:
        H = np.zeros((len(y), 0))
    else:
        H = (
            (task[:, None] == np.arange(Y.shape[1])).astype(float)
            if ai == 0
            else np.ones((len(y), 1))
        )
    inverse = np.linalg.inv(V)
    M = H.T @ inverse @ H
    r = y - H @ np.linalg.solve(M, H.T @ inverse @ y)
    degrees = len(y) - H.shape[1]
    likelihood = degrees * (np.log(r @ inverse @ r / degrees) + 1 + np.log(2 * np.pi))
    return likelihood + np.linalg.slogdet(V)[1] + np.linalg.slogdet(M)[1]
