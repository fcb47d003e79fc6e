"""Coefficients by definition: coef = F Q' with F F' = gram and Q a random orthonormal frame.

coef coef' = gram then holds for every draw and not only on average.
"""

from numbers import Real

import numpy as np
from sklearn.utils import check_scalar

from .._checks import check_count


def clusters_of(n_tasks, n_clusters):
    """Cluster of each task, t * n_clusters // n_tasks: sizes differ by at most one."""
    return np.arange(n_tasks) * n_clusters // n_tasks


def exchangeable_gram(n_tasks, similarity, n_clusters=1):
    """Gram matrix of unit vectors with cosine `similarity` in a cluster, 0 between clusters."""
    cluster = clusters_of(n_tasks, n_clusters)
    lowest = -1.0 / max(np.bincount(cluster).max() - 1, 1)
    check_scalar(similarity, "similarity", Real)
    if not lowest <= similarity <= 1:
        clusters = f" in n_clusters={n_clusters}" if n_clusters > 1 else ""
        raise ValueError(
            f"similarity must be in [{lowest:.4g}, 1] for n_tasks={n_tasks}{clusters}, "
            f"got {similarity!r}."
        )
    gram = np.where(cluster[:, None] == cluster, float(similarity), 0.0)
    np.fill_diagonal(gram, 1.0)
    return gram


def gram_factor(gram, n_tasks):
    """F of shape (n_tasks, rank) with F F' = gram."""
    gram = np.asarray(gram, dtype=np.float64)
    if gram.shape != (n_tasks, n_tasks):
        raise ValueError(
            f"gram must have shape (n_tasks, n_tasks) = {(n_tasks, n_tasks)}, got {gram.shape}."
        )
    # a Gram that was computed carries rounding: small asymmetries, and noise for eigenvalues 0
    tolerance = 100 * n_tasks * np.finfo(np.float64).eps * np.abs(gram).max()
    if not (np.isfinite(gram).all() and np.all(np.abs(gram - gram.T) <= tolerance)):
        raise ValueError("gram must be symmetric and finite; pass (gram + gram.T) / 2.")
    values, vectors = np.linalg.eigh(gram)
    if values[0] < -tolerance:
        raise ValueError(
            f"gram must be positive semi-definite, got the eigenvalue {values[0]:.4g}; "
            "add its absolute value to the diagonal."
        )
    kept = values > tolerance
    return vectors[:, kept] * np.sqrt(values[kept])


def check_informative(n_informative, n_features, rank, of="tasks"):
    """The number of features with a coefficient."""
    if n_informative is None:
        n_informative = n_features
    if check_count("n_informative", n_informative) > n_features:
        raise ValueError(
            f"n_informative must be at most n_features={n_features}, got {n_informative!r}."
        )
    if rank > n_informative:
        raise ValueError(
            f"The Gram matrix of the {of} has rank {rank} but there are {n_informative} "
            f"informative features; pass more features, fewer {of} or a gram of lower rank."
        )
    return n_informative


def draw_coef(factor, support_size, n_features, rng):
    """Coefficients of shape (len(factor), n_features), `support_size` features with any."""
    frame, R = np.linalg.qr(rng.standard_normal((support_size, factor.shape[1])))
    # the signs of R make the frame uniform; QR alone leans on a convention of LAPACK
    frame = frame * np.sign(np.diag(R))
    coef = np.zeros((len(factor), n_features))
    coef[:, rng.permutation(n_features)[:support_size]] = factor @ frame.T
    return coef
