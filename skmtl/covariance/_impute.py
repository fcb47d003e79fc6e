"""Missing labels m of a row given the others o: y_m = f_m + B (y_o - f_o), B = Cov_mo Cov_oo^-1.

Labels that were in the fit have told the coefficients already: what is left of them is their noise,
so Cov = R, and the variance is that of f_m - B f_o and of the noise.  A new row's labels tell of
the coefficients too: Cov = C + R with C the covariance of the latent values f.
"""

import numpy as np


def fill_rows(Y, mean, R, C=None, *, is_new):
    """Y (n, T) with its missing labels filled in, and the variances of these, (n, T).

    Parameters
    ----------
    Y : ndarray of shape (n, T)
        NaN where missing.
    mean : ndarray of shape (n, T)
        Posterior means of the latent values.
    R : ndarray of shape (T, T)
    C : ndarray of shape (n, T, T) or None
        Their covariance; None: no variances are asked for. New rows need it.
    is_new : bool
    """
    filled, variance = Y.copy(), np.zeros(Y.shape)
    missing = np.isnan(Y)
    masks, which = np.unique(missing, axis=0, return_inverse=True)
    for k, mask in enumerate(masks):
        m, o = np.flatnonzero(mask), np.flatnonzero(~mask)
        rows = np.flatnonzero(which.reshape(-1) == k)
        if m.size == 0:
            continue
        residual = Y[np.ix_(rows, o)] - mean[np.ix_(rows, o)]
        own = None if C is None else C[rows]
        cov = own + R if is_new else R[None]
        B = np.linalg.solve(cov[:, o][:, :, o], cov[:, o][:, :, m]).transpose(0, 2, 1)
        filled[np.ix_(rows, m)] = mean[np.ix_(rows, m)] + (B @ residual[:, :, None])[:, :, 0]
        if own is not None:
            variance[np.ix_(rows, m)] = _variances(own, R, B, m, o)
    return filled, variance


def _variances(C, R, B, m, o):
    """Diagonal of [I, -B] (C + R) [I, -B]' over the missing labels m, (n, n_missing)."""
    total = C + R
    cross = total[:, m][:, :, o]
    inner = total[:, o][:, :, o]
    lost = 2 * (B * cross).sum(axis=2) - ((B @ inner) * B).sum(axis=2)
    return np.maximum(total[:, m, m] - lost, 0)
