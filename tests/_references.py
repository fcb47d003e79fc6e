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


def least_clustering_objective(Xs, ys, r, alpha, alpha_fuse, alpha_outlier, *, binary=False):
    """An objective of robust clustering near the least; infinite alpha_outlier: no outlier parts.

    It is one that some W, U, O and b have, found by Newton's method on the rows of the tasks, with
    norms ||u|| rounded off to (u'u + e^2)^(1/2), e falling to 1e-8.
    """
    T, p = len(Xs), Xs[0].shape[1]
    W, U, O = np.arange(3 * T * p).reshape(3, T, p)  # noqa: E741
    unit, b = np.eye(3 * T * p + T), 3 * T * p + np.arange(T)
    rest = unit[W.ravel()] - unit[U.ravel()] - unit[O.ravel()]
    pairs = [(i, j) for i in range(T) for j in range(i) if r[i, j] > 0]
    norms = [(alpha_fuse * r[i, j], unit[U[i]] - unit[U[j]]) for i, j in pairs]
    free = np.ones(len(unit), dtype=bool)
    if np.isinf(alpha_outlier):
        free[O] = False
    else:
        norms += [(alpha_outlier, unit[o]) for o in O]

    def model(x, e):
        """Value, gradient and Hessian."""
        H = alpha * rest.T @ rest
        value, g = x @ H @ x / 2, H @ x
        for t, (X, y) in enumerate(zip(Xs, ys, strict=True)):
            own = np.append(W[t], b[t])
            z, X = X @ x[W[t]] + x[b[t]], np.column_stack([X, np.ones(len(X))])
            if binary:
                P = 0.5 + 0.5 * np.tanh(z / 2)
                loss, slope, curve = np.logaddexp(0, z) - y * z, P - y, P * (1 - P)
            else:
                loss, slope, curve = (z - y) ** 2 / 2, z - y, np.ones(len(y))
            value += loss.mean()
            g[own] += X.T @ slope / len(y)
            H[np.ix_(own, own)] += (X.T * curve) @ X / len(y)
        for strength, F in norms:
            u = F @ x
            s = np.sqrt(u @ u + e * e)
            value += strength * s
            if s > 0:
                g += strength / s * F.T @ u
                H += strength / s * F.T @ (np.eye(p) - np.outer(u, u) / s**2) @ F
        return value, g[free], H[np.ix_(free, free)]

    x = np.zeros(len(unit))
    for e in np.logspace(1, -8, 19):
        for _ in range(60):
            value, g, H = model(x, e)
            d = np.sqrt(np.maximum(H.diagonal(), 1e-300))
            s, V = np.linalg.eigh(H / np.outer(d, d))
            step = np.zeros_like(x)
            step[free] = -(V @ ((g / d) @ V / np.maximum(s, 1e-15 * s.max()))) / d
            fall = -g @ step[free]
            while fall > 1e-13 * value and model(x + step, e)[0] > value - 1e-4 * fall:
                step, fall = step / 2, fall / 2
            if fall <= 1e-13 * value:
                break
            x = x + step
    return model(x, 0.0)[0]
