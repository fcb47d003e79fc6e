"""Shared-plus-specific ridge on one complete common design: it splits into two ordinary ridges.

On the row mean ybar of the labels with alpha_mean = 1/(1/a1 + T/a0) and a free intercept, and on
the deviations Y - ybar with alpha a1 and intercept penalty ai.  X is centred, so intercepts stand
apart.  One eigendecomposition F, s of the design (F'F = diag(s)) serves every alpha:
    residual = y - F (F'y / (s + a)),   left_i = 1 - sum_k F_ik^2 / (s_k + a),
    leave-one-out = residual / left.
With as many features as rows both vanish with a; they are then the sums over the eigenvectors P of
the kernel, P (kept P'y) and sum_k P_ik^2 kept_k with kept = a / (s + a), in which nothing cancels.
"""

from functools import cached_property

import numpy as np

from .._backend import (
    centred,
    column_squares,
    eigh_psd,
    gram,
    kernel,
    namespace_of,
    place_of,
    require_memory,
    solve_psd,
    to_numpy,
    to_place,
    widest_float,
)
from ._cg import accurate_solution
from ._design import make_frame

CHUNK = 2**20  # elements of the residuals of several alphas at once
WITHOUT_GRAM = "use MultiTaskRidge(solver='cg'), which makes none, or fewer features"


def mean_alpha(n_tasks, a0, a1):
    """Ridge strength on the mean of the tasks' labels."""
    with np.errstate(divide="ignore"):
        return 1 / (1 / np.asarray(a1) + n_tasks / np.asarray(a0))


class CommonDesign:
    """Complete wide data with one weight a row, centred and scaled by the root of the weights."""

    def __init__(self, data, *, fit_intercept):
        place = place_of(data.X)
        dtype = widest_float(place)
        self.frame = make_frame(data, None, fit_intercept=fit_intercept, reduce=False)
        s = data.row_weight
        mean = data.Y.mean(axis=1)
        D = data.Y - mean[:, None]
        self.data, self.fit_intercept, self.s = data, fit_intercept, s
        self.n_tasks, self.total = data.n_tasks, s.sum()
        self.mean_level, self.levels = 0.0, np.zeros(data.n_tasks)
        if fit_intercept:
            self.mean_level, self.levels = s @ mean / s.sum(), s @ D / s.sum()
        root = np.sqrt(s)
        self.root = to_place(root, place, dtype)
        self.X = centred(data.X, self.frame.mean, None if (s == 1).all() else self.root)
        self.mean = to_place(root * (mean - self.mean_level), place, dtype)
        self.D = to_place(root[:, None] * (D - self.levels), place, dtype)

    def solve(self, penalty, *, method, tol, max_iter):
        """(w0, V, b0, b, n_iter, residual): coefficients and intercepts at the mean of X."""
        self._require_memory(0 if method == "cg" else 2)
        a0, a1 = penalty.alpha_shared, penalty.alpha_specific
        solver = self._ridge_cg if method == "cg" else self._ridge
        w, n_iter, residual = solver(
            float(mean_alpha(self.n_tasks, a0, a1)), self.mean[:, None], tol, max_iter
        )
        V, n_iter_v, residual_v = solver(a1, self.D, tol, max_iter)
        fraction = penalty.shared_fraction(self.n_tasks)
        w = w[:, 0]
        kept = shrunk_levels(self.total, penalty.alpha_intercept)
        place = place_of(self.root)
        b = to_place(float(self.mean_level) + (1 - kept) * self.levels, place, widest_float(place))
        b0 = b[0] * 0 + float(self.mean_level)
        V = V.T + (1 - fraction) * w
        return fraction * w, V, b0, b, max(n_iter, n_iter_v), max(residual, residual_v)

    def _require_memory(self, n_squares):
        """Of that many Grams of the features, or of the rows if these are fewer, and of V and W."""
        n, p = self.X.shape
        numbers = n_squares * min(n, p) ** 2 + 2 * self.n_tasks * p
        what = f"a Gram of {min(n, p)} {'features' if p <= n else 'rows'} and the coefficients"
        require_memory(numbers, what, WITHOUT_GRAM, place_of(self.root))

    def _ridge(self, alpha, Y, tol, max_iter):
        xp = namespace_of(Y)
        X = self.X
        n, p = X.shape
        if np.isinf(alpha):
            return xp.zeros((p, Y.shape[1]), dtype=Y.dtype, device=place_of(Y).device), 0, 0.0
        if n < p:
            return (solve_psd(Y.T, kernel(X), alpha) @ X).T, 0, 0.0
        return solve_psd(Y.T @ X, self.gram, alpha).T, 0, 0.0

    def _ridge_cg(self, alpha, Y, tol, max_iter):
        xp = namespace_of(Y)
        if np.isinf(alpha):
            return self._ridge(alpha, Y, tol, max_iter)
        diagonal = column_squares(self.X) + alpha
        n, p = self.X.shape
        runs = [
            accurate_solution(
                lambda w: self.X.T @ (self.X @ w) + alpha * w,
                diagonal,
                self.X.T @ Y[:, j],
                alpha=alpha,
                singular=n <= p,
                tol=tol,
                max_iter=max_iter,
            )
            for j in range(Y.shape[1])
        ]
        return (
            xp.stack([x for x, _, _ in runs], axis=1),
            max(n_iter for _, n_iter, _ in runs),
            max(residual for _, _, residual in runs),
        )

    @cached_property
    def gram(self):
        return gram(self.X)

    @cached_property
    def eigen(self):
        """(F, s) with F'F = diag(s); F has orthonormal columns P instead where `fits_exactly`."""
        if not self.fits_exactly:
            s, V = eigh_psd(self.gram)
            return self.X @ V, s
        Z = self._contrasts
        s, P = eigh_psd(Z.T @ kernel(self.X) @ Z)
        return Z @ P, s

    @property
    def fits_exactly(self):
        """Whether, with no penalty, features could fit all that the intercept leaves."""
        n, p = self.X.shape
        return n - self.fit_intercept <= p

    @cached_property
    def _contrasts(self):
        """Orthonormal basis of what the intercept leaves, the complement of the root weights."""
        xp, dtype = namespace_of(self.root), self.root.dtype
        eye = xp.eye(self.root.shape[0], dtype=dtype, device=place_of(self.root).device)
        if not self.fit_intercept:
            return eye
        v = self.root / float(xp.sum(self.root**2)) ** 0.5
        one = xp.ones_like(v[:1])
        v = xp.concat([v[:1] + xp.where(v[:1] < 0, -one, one), v[1:]])  # Householder's reflection
        return (eye - (2 / xp.sum(v**2)) * v[:, None] * v)[:, 1:]

    def _residuals(self, alphas, Y):
        """(residuals (n_alphas, n, k), left (n_alphas, n)) for strengths (n_alphas, 1)."""
        F, s = self.eigen
        FY = F.T @ Y
        if self.fits_exactly:
            kept = 1 / (1 + s / alphas)
            return F @ (kept[:, :, None] * FY), to_numpy(kept @ (F**2).T)
        inverse = 1 / (s + alphas)
        left = 1 - to_numpy(inverse @ (F**2).T)
        if self.fit_intercept:
            left = left - self.s / self.total
        return Y - F @ (inverse[:, :, None] * FY), left

    def scores(self, alphas_shared, alphas_specific, alphas_intercept):
        """Leave-one-row-out error and -2 log evidence over a grid.

        Returns
        -------
        error : ndarray of shape (n_specific, n_intercept, n_shared)
            Weighted mean squared error over all labels, each row left out as one unit.
        deviance : ndarray of that shape
            -2 log restricted likelihood, its noise variance profiled out.
        """
        self._require_memory(2)
        T = self.n_tasks
        alphas = mean_alpha(T, np.asarray(alphas_shared), np.asarray(alphas_specific)[:, None])
        shape = len(alphas_specific), 1, len(alphas_shared)
        means = [part.reshape(shape) for part in self._means(alphas.reshape(-1))]
        intercepts = np.asarray(alphas_intercept)
        step = max(1, CHUNK // self.data.Y.size)
        chunks = [alphas_specific[i : i + step] for i in range(0, len(alphas_specific), step)]
        parts = zip(*(self._deviations(np.asarray(a1), intercepts) for a1 in chunks), strict=True)
        sse, quadratic, logdet = (
            mean + np.concatenate(part)[:, :, None] for mean, part in zip(means, parts, strict=True)
        )
        degrees, constant = np.array([self._intercept_terms(ai) for ai in alphas_intercept]).T[
            ..., None
        ]
        deviance = profiled_deviance(quadratic, logdet + constant, degrees)
        return sse / (self.total * T), deviance

    @cached_property
    def _unit(self):
        """Of each row, the share that one unit is: 1/s, or all of a row that weighs less."""
        return np.minimum(1.0, self.s) / self.s

    def _means(self, alphas):
        """Error, quadratic form and log-determinant of the ridges on the row mean, all at once."""
        _, s = self.eigen
        xp, strengths = namespace_of(s), to_place(alphas, place_of(s), widest_float(place_of(s)))
        E, left = self._residuals(strengths[:, None], self.mean[:, None])
        E = E[:, :, 0]
        loo = to_numpy(E) / self._without_unit(left)
        logdets = to_numpy(xp.sum(xp.log1p(s / strengths[:, None]), axis=1))
        T = self.n_tasks
        return T * (loo**2).sum(axis=1), T * to_numpy(E @ self.mean), logdets

    def _without_unit(self, left):
        """1 - hat_i of one unit of a row, from that of the whole row."""
        return (1 - self._unit) + self._unit * left

    def _deviations(self, alphas, alphas_intercept):
        """The same of the deviations, of shape (n_alphas, n_intercept); alpha_specific first."""
        _, s = self.eigen
        place = place_of(s)
        xp, dtype = place.xp, widest_float(place)
        strengths = to_place(alphas, place, dtype)[:, None]
        E, left = self._residuals(strengths, self.D)
        sums = [
            xp.sum(E * E, axis=2),
            E @ to_place(self.levels, place, dtype),
            xp.sum(E * self.D, axis=2),
        ]
        squares, cross, shift = (to_numpy(part)[:, None, :] for part in sums)
        energy = self.levels @ self.levels
        kept = shrunk_levels(self.total, alphas_intercept)[:, None]
        unit = self.s * self._unit
        (move, energies), taken = (0.0, 0.0), 0.0
        if self.fit_intercept:
            move, energies = self._levels_without_row(unit)
            taken = shrunk_levels(self.total - unit, np.asarray(alphas_intercept)[:, None])
        factor = 1 / self._without_unit(left)[:, None, :]
        square = squares * factor**2 + 2 * taken * np.sqrt(self.s) * factor * (cross - move * shift)
        sse = (square + taken**2 * self.s * energies).sum(axis=2)
        quadratic = (
            to_numpy(xp.sum(self.D * E, axis=(1, 2)))[:, None] + kept[:, 0] * self.total * energy
        )
        logdet = (self.n_tasks - 1) * to_numpy(xp.sum(xp.log1p(s / strengths), axis=1))
        return sse, quadratic, np.broadcast_to(logdet[:, None], sse.shape)

    def _levels_without_row(self, unit):
        """Mean deviations of the other rows, L - move_i D_i: (move, their squared lengths).

        About the mean of the other rows intercepts and slopes stand apart again, so a row left out
        is predicted by free intercepts and then kept_i of these levels is taken away. Holding the
        origin instead would tell of the row: X and Y would sum to zero with it.
        """
        D, levels = to_numpy(self.D), self.levels
        move = unit / ((self.total - unit) * np.sqrt(self.s))
        energies = levels @ levels - 2 * move * (D @ levels) + move**2 * (D**2).sum(axis=1)
        return move, energies

    def _intercept_terms(self, ai):
        """Degrees of freedom and log-determinant of the intercepts; 0 compares with itself only."""
        T, total = self.n_tasks, self.total
        if not self.fit_intercept:
            return total * T, 0.0
        if ai == 0:
            return total * T - T, T * np.log(total)
        return total * T - 1, np.log(total) + np.log(T) + (T - 1) * np.log1p(total / ai)


def shrunk_levels(total, ai):
    """Fraction of an intercept's deviation that the penalty takes away, ai/(ai + total)."""
    with np.errstate(divide="ignore"):
        return 1 / (1 + total / np.asarray(ai))


def profiled_deviance(quadratic, logdet, degrees):
    """-2 log likelihood with the noise variance at quadratic/degrees; inf without degrees left."""
    left = np.maximum(degrees, np.finfo(float).tiny)
    variance = np.maximum(quadratic, np.finfo(float).tiny) / left
    with np.errstate(over="ignore"):
        deviance = left * (np.log(variance) + 1 + np.log(2 * np.pi)) + logdet
    return np.where(np.asarray(degrees) > 0, deviance, np.inf)
