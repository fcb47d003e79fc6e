"""Squared losses of the tasks as quadratics, L_t(w) = w'S_t w / 2 - c_t'w + m_t / 2, in eigenbases.

S_t = omega_t / n_t sum_i s_ti (x - mean_t)(x - mean_t)', so the free intercept is minimised out.
With the eigenvectors Q_t of S_t at hand a proximal step costs two rotations at any strength; one
common design has one Q, in whose coordinates all tasks are, and nothing is rotated.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import issparse

from .._backend import (
    centred,
    eigh_psd,
    few_threads,
    gram,
    place_of,
    require_memory,
    shift_full_columns,
    to_numpy,
    to_place,
    widest_float,
)
from ..solvers._design import make_design, make_frame
from ._dual import balanced

RIDGES = np.logspace(2, -4, 13)  # strengths of the initial estimates, in mean curvatures
FEWER_FEATURES = "use fewer features, or fewer tasks at a time"
ROUNDING = 10 * np.finfo(np.float64).eps  # what centring leaves of a constant one


@dataclass(frozen=True, eq=False)
class QuadraticLosses:
    """Quadratics of the tasks in the coordinates of a frame, x = basis @ coordinates.

    Attributes
    ----------
    s, c : ndarray of shape (n_tasks, rank)
        Eigenvalues of S_t, zeros where there are fewer, and Q_t'c_t.
    m : ndarray of shape (n_tasks,)
        Mean square of the centred labels, times omega_t.
    Q : ndarray of shape (n_tasks, n_coordinates, rank), or None
        Eigenvectors; None: the coordinates are those of the eigenvectors.
    n_labels, omega : ndarray of shape (n_tasks,)
        Sums of the weights, and the tasks' weights.
    basis : ndarray of shape (n_features, n_coordinates), or None
    origin : ndarray of shape (n_features,)
    centre : ndarray of shape (n_tasks or 1, n_coordinates)
        Means of the tasks' features, from the origin.
    level : ndarray of shape (n_tasks,)
        Means of the tasks' labels.
    fit_intercept : bool
    """

    s: np.ndarray
    c: np.ndarray
    m: np.ndarray
    Q: Any
    n_labels: np.ndarray
    omega: np.ndarray
    basis: Any
    origin: np.ndarray
    centre: np.ndarray
    level: np.ndarray
    fit_intercept: bool

    is_quadratic = True

    @property
    def n_tasks(self):
        return len(self.s)

    @property
    def n_coordinates(self):
        return self.c.shape[1] if self.Q is None else self.Q.shape[1]

    @cached_property
    def scale(self):
        """Norm of the gradient at zero."""
        return float(np.sqrt((self.c**2).sum()))

    @cached_property
    def null_value(self):
        """Sum of the losses at zero."""
        return float(self.m.sum()) / 2

    @cached_property
    def curvature(self):
        """Mean of the positive eigenvalues; 1 if there is none."""
        return float(self.s[self.s > 0].mean()) if (self.s > 0).any() else 1.0

    def prox(self, M, kappa):
        """Minimiser over W of L_t(w_t) + kappa_t/2 ||w_t - m_t||^2; nearest to M where kappa is 0.

        kappa is a number or of shape (n_tasks,).
        """
        a = self.rotated(M)
        divisor = self.s + (kappa if np.ndim(kappa) == 0 else kappa[:, None])
        step = np.divide(self.c - self.s * a, divisor, out=np.zeros_like(a), where=divisor > 0)
        return M + self.back(step)

    def minimisers(self, U):
        """Minimisers of L_t.

        In directions of which the labels of a task say nothing they go as far along u_t as they do
        in the others, from not at all to the whole way.
        """
        a = self.rotated(U) * (self.s > 0)
        w = np.divide(self.c, self.s, out=np.zeros_like(a), where=self.s > 0)
        square = (a * a).sum(axis=1)
        way = np.divide((w * a).sum(axis=1), square, out=np.zeros_like(square), where=square > 0)
        way = np.clip(way, 0.0, 1.0)[:, None]
        return way * U + self.back(w - way * a)

    def values(self, W):
        """Loss of each task, of shape (n_tasks,)."""
        a = self.rotated(W)
        # not below zero by rounding, where labels are met exactly
        return np.maximum(0.5 * (self.m + ((self.s * a - 2 * self.c) * a).sum(axis=1)), 0.0)

    def gradients(self, W):
        """Gradients, of shape (n_tasks, n_coordinates)."""
        return self.back(self.s * self.rotated(W) - self.c)

    def feasible(self, H, component):
        """Tables (n_tables, n_tasks, n_coordinates) near those of H, with rows in the ranges of S_t
        that sum to zero over each component."""
        A = balanced(self.Q, self.s, np.stack([self.rotated(table) for table in H]), component)
        return [self.back(table) for table in A]

    def least_values(self, H):
        """Minima over w of L_t(w) + h_t'w, of shape (n_tasks,), for h_t in the range of S_t."""
        pull = self.c - self.rotated(H)
        squares = np.divide(pull**2, self.s, out=np.zeros_like(pull), where=self.s > 0)
        return 0.5 * (self.m - squares.sum(axis=1))

    @cached_property
    def ridge(self):
        """One ridge strength for all tasks, in units of omega_t, by generalised cross-validation.

        The squared errors of the tasks are added up, as are their degrees of freedom.
        """
        s, c = self.s / self.omega[:, None], self.c / self.omega[:, None]
        total, least, best = self.n_labels.sum(), np.inf, RIDGES[0] * self.curvature
        for strength in RIDGES * self.curvature:
            a = c / (s + strength)
            error = self.n_labels @ (self.m / self.omega + ((s * a - 2 * c) * a).sum(axis=1))
            left = total - self.fit_intercept * self.n_tasks - (s / (s + strength)).sum()
            score = error / left**2 if left > 0 else np.inf
            if score < least:
                least, best = score, strength
        return float(best)

    def estimates(self, about=None):
        """Ridge estimates of the tasks, shrunk towards rows `about` (zero)."""
        about = np.zeros((self.n_tasks, self.n_coordinates)) if about is None else about
        return self.prox(about, self.ridge * self.omega)

    def levels(self, W):
        """Intercepts at the origin, of shape (n_tasks,)."""
        return self.level - (self.centre * W).sum(axis=1)

    def coefficients(self, W):
        """Coefficients of the features."""
        return W if self.basis is None else W @ self.basis.T

    def rotated(self, W):
        return W if self.Q is None else np.matmul(self.Q.swapaxes(1, 2), W[:, :, None])[:, :, 0]

    def back(self, A):
        return A if self.Q is None else np.matmul(self.Q, A[:, :, None])[:, :, 0]


def quadratic_losses(data, omega, *, fit_intercept):
    """QuadraticLosses of TaskData, sum_t omega_t / (2 n_t) ||.||^2."""
    shift = None
    if issparse(data.X) and fit_intercept:
        X, shift = shift_full_columns(data.X)
        data = replace(data, X=X)
    with few_threads(min(data.X.shape)):
        make = _of_common_rows if data.is_common_design else _of_own_rows
        losses = make(data, omega, fit_intercept)
    return losses if shift is None else replace(losses, origin=losses.origin + shift)


def _of_common_rows(data, omega, fit_intercept):
    n, p = data.X.shape
    place = place_of(data.X)
    dtype = widest_float(place)
    require_memory(
        2 * min(n, p) ** 2, f"the eigenbasis of {min(n, p)} coordinates", FEWER_FEATURES, place
    )
    root = np.sqrt(data.row_weight / data.row_weight.sum())
    frame = make_frame(data, omega, fit_intercept=fit_intercept, reduce=n < p)
    level = root**2 @ data.Y if fit_intercept else np.zeros(data.n_tasks)
    Y = root[:, None] * (data.Y - level)
    Z = centred(frame.X, frame.mean, to_place(root, place, dtype))
    s, V = map(to_numpy, eigh_psd(gram(Z)))
    s = above(s, least_curvature(data.X))
    c = to_numpy(Z.T @ to_place(Y, place, dtype)).T @ V
    return QuadraticLosses(
        s=omega[:, None] * s,
        c=omega[:, None] * np.where(s > 0, c, 0.0),
        m=omega * (Y**2).sum(axis=0),
        Q=None,
        n_labels=data.weight_sums,
        omega=omega,
        basis=V if frame.basis is None else to_numpy(frame.basis) @ V,
        origin=to_numpy(frame.origin),
        centre=np.zeros((1, len(s))),
        level=level,
        fit_intercept=fit_intercept,
    )


def _of_own_rows(data, omega, fit_intercept):
    n, p = data.X.shape
    frame = make_frame(data, omega, fit_intercept=fit_intercept, reduce=n < p)
    design = make_design(
        data, omega / data.weight_sums, frame, fit_intercept=fit_intercept, free=True
    )
    dim, T = design.n_features, data.n_tasks
    rank = int(min(dim, design.sizes.max()))
    floor = omega[:, None] * least_curvature(data.X)
    require_memory(
        T * dim * rank + 2 * (design.sizes >= dim).sum() * dim**2,
        f"eigenbases of {T} tasks in {dim} coordinates",
        FEWER_FEATURES,
    )
    s, c, m, Q = np.zeros((T, rank)), np.zeros((T, rank)), np.zeros(T), np.zeros((T, dim, rank))
    tall = np.flatnonzero(design.sizes >= dim)
    if tall.size:
        G = design.grams(tall)
        m[tall] = to_numpy(G[:, dim, dim])
        values, vectors = map(to_numpy, eigh_psd(G[:, :dim, :dim]))
        s[tall], Q[tall] = above(values, floor[tall]), vectors
        c[tall] = np.matmul(to_numpy(G[:, :dim, dim])[:, None, :], vectors)[:, 0, :]
    for t in np.flatnonzero(design.sizes < dim):
        k = design.sizes[t]
        table = to_numpy(design.table(t))
        parts = quadratic_of_few_rows(table[:, :dim], table[:, dim], floor[t])
        s[t, :k], c[t, :k], m[t], Q[t, :, :k] = parts
    centre, level = np.zeros((1, dim)), np.zeros(T)
    if fit_intercept:
        centre = to_numpy(design.x_means) - to_numpy(frame.mean)
        level = to_numpy(design.y_means)
    return QuadraticLosses(
        s=s,
        c=np.where(s > 0, c, 0.0),
        m=m,
        Q=Q,
        n_labels=data.weight_sums,
        omega=omega,
        basis=None if frame.basis is None else to_numpy(frame.basis),
        origin=to_numpy(frame.origin),
        centre=centre,
        level=level,
        fit_intercept=fit_intercept,
    )


def quadratic_of_few_rows(Z, y, floor):
    """(s, c, m, Q) of a task with fewer rows than coordinates, through the Gram of its rows."""
    s, P = eigh_psd(Z @ Z.T)
    s = above(s, floor)
    root = np.sqrt(np.where(s > 0, s, 1.0))
    return s, root * (P.T @ y), y @ y, (Z.T @ (P / root)) * (s > 0)


def least_curvature(X):
    """Eigenvalue below which there is only the rounding of features that are constant."""
    xp = place_of(X).xp
    size = abs(X).max() if issparse(X) else xp.max(xp.abs(X))
    return X.shape[1] * (ROUNDING * float(size)) ** 2


def above(s, floor):
    """Eigenvalues, those up to the floor set to zero."""
    return np.where(s > floor, s, 0.0)
