"""Eigenvectors of the rows of a common design, XX' = U diag(s) U', the constant left out."""

from typing import NamedTuple

import numpy as np

from .._backend import eigh_psd


class Spectrum(NamedTuple):
    """Singular vectors and squared singular values: U diag(sqrt(s)) V'."""

    U: np.ndarray
    s: np.ndarray
    V: np.ndarray


def spectrum_of(Z):
    """Singular values and vectors of the rows, those of rounding size left out."""
    n, q = Z.shape
    if n < q:
        s, U = eigh_psd(Z @ Z.T)
        keep = s > 0
        return Spectrum(U[:, keep], s[keep], Z.T @ (U[:, keep] / np.sqrt(s[keep])))
    G = Z.T @ Z
    s, V = (G.diagonal().copy(), np.eye(q)) if _is_diagonal(G) else eigh_psd(G)
    keep = s > q * np.finfo(float).eps * s.max(initial=0.0)
    return Spectrum(Z @ (V[:, keep] / np.sqrt(s[keep])), s[keep], V[:, keep])


def _is_diagonal(G):
    """Whether the frame was rotated to the eigenvectors already."""
    d = G.diagonal()
    off = np.abs(G - np.diag(d)).max(initial=0.0)
    return off <= 1e-13 * d.max(initial=0.0)


def completed(spectrum, constant):
    """The same with directions of s = 0 added, so that U and the constant span all rows."""
    U, s, V = spectrum
    start = U if constant is None else np.hstack([constant / np.linalg.norm(constant), U])
    more = len(U) - start.shape[1]
    if more == 0:
        return spectrum
    rest = np.linalg.qr(start, mode="complete")[0][:, start.shape[1] :]
    return Spectrum(
        np.hstack([U, rest]),
        np.concatenate([s, np.zeros(more)]),
        np.hstack([V, np.zeros((len(V), more))]),
    )
