"""Shared-plus-specific ridge by block elimination; its equations are an arrow with tip w0.

With M_t = I - X_t (S_t + a1)^-1 X_t', m_t = o'M_t o, c_t = 1/(ai + m_t), kappa_t = ai c_t:
    (A + a0) w0 = r,   A = sum X'MX - c (X'Mo)(X'Mo)' - cx cx'/cb,
    r = sum X'My - c (X'Mo)(o'My) - cx rb/cb,
    cb = sum kappa m,   cx = sum kappa X'Mo,   rb = sum kappa o'My,   b_0 = (rb - cx.w0)/cb,
    b_t = b_0 + c_t (o'My - (X'Mo).w0 - m_t b_0),
    v_t = (S_t + a1)^-1 X_t'(y_t - X_t w0 - o_t b_t).
Tasks with at least p rows are eliminated through S_t = X_t'X_t, the others through K_t = X_t X_t'.
"""

import numpy as np

from .._backend import namespace_of, require_memory, shrink_psd, solve_psd, take, whiten_psd
from ._cg import accurate_solution

TINY = 1e-100  # intercept penalties below it act as it does, and their products do not underflow


def solve_arrow(design, penalty, *, method="cholesky", tol=1e-10, max_iter=1000):
    """Minimise over w0, v_t and b_t.

    Parameters
    ----------
    design : Design
    penalty : object with alpha_shared, alpha_specific and alpha_intercept
    method : {"cholesky", "cg"}
        How the system at the tip is solved; "cg" does not form A for tasks with few rows.
    tol, max_iter
        Of the conjugate gradients.

    Returns
    -------
    w0 : array of shape (n_features,)
    V : array of shape (n_tasks, n_features)
    b0, b : 0-d array and array of shape (n_tasks,), or None without shrunk intercepts
    n_iter, residual : int and float
    """
    xp = design.place.xp
    sizes, p = design.sizes, design.n_features
    _require_memory(design, sizes, p, method)
    groups = [
        arms(design, tasks, penalty.alpha_specific)
        for arms, tasks in (
            (_TallArms, np.flatnonzero(sizes >= p)),
            (_WideArms, np.flatnonzero(sizes < p)),
        )
        if tasks.size
    ]
    tip = _Tip(groups, penalty.alpha_intercept, int(sizes.sum()), shrunk=design.kind == "shrunk")
    w0, n_iter, residual = tip.solve(penalty.alpha_shared, method, tol, max_iter)
    b0, b = tip.intercepts(w0)
    if np.isinf(penalty.alpha_specific):
        V = [xp.zeros_like(group.r) for group in groups]
    else:
        V = [group.specific(w0, b_t) for group, b_t in zip(groups, b, strict=True)]
    order = np.argsort(np.concatenate([group.tasks for group in groups]))
    b = None if b0 is None else take(xp.concat(b), order)
    return w0, take(xp.concat(V), order), b0, b, n_iter, residual


def _require_memory(design, sizes, p, method):
    """Of the Grams of tasks with many rows and what they become, rows of others, tip and W."""
    n_tall = int((sizes >= p).sum())
    tip = 0 if method == "cg" and n_tall == 0 else p**2
    numbers = 2 * n_tall * p**2 + sizes[sizes < p].sum() * p + tip + len(sizes) * p
    require_memory(
        numbers,
        f"Grams of {p} features for {n_tall} tasks and the rows of {len(sizes) - n_tall} others",
        "use fewer features, or fewer tasks at a time",
        design.place,
    )


class _TallArms:
    """Tasks with at least p rows, as one stack: B'MX = a1 B'X (S + a1)^-1 for B = [X, y, o]."""

    def __init__(self, design, tasks, a1):
        p = design.n_features
        self.tasks, self.p = tasks, p
        G = design.grams(tasks)
        BX = G[:, :, :p]
        rigid = np.isinf(a1)
        self.H = BX if rigid else shrink_psd(BX, a1)
        scale = 1.0 if rigid else a1
        self.matrix = scale * namespace_of(G).sum(self.H[:, :p, :], axis=0)
        self.r = scale * self.H[:, p, :]
        if design.kind == "shrunk":
            self.u = scale * self.H[:, p + 1, :]
            h = BX[:, p + 1, :]
            self.m, self.z = G[:, p + 1, p + 1], G[:, p + 1, p]
            if not rigid:
                self.m, self.z = (
                    self.m - _dot(h, self.H[:, p + 1, :]),
                    self.z - _dot(h, self.H[:, p, :]),
                )

    def product(self, w):
        return self.matrix @ w

    def diagonal(self):
        return namespace_of(self.matrix).linalg.diagonal(self.matrix)

    def specific(self, w0, b):
        """v_t = (S + a1)^-1 X'(y - X w0 - o b_t)."""
        v = self.H[:, self.p, :] - w0 @ self.H[:, : self.p, :]
        return v if b is None else v - self.H[:, self.p + 1, :] * b[:, None]


class _WideArms:
    """Tasks with fewer rows: M = a1 (K + a1)^-1 = a1 L^-T L^-1, so B'MB = a1 Z'Z for Z = L^-1 B."""

    def __init__(self, design, tasks, a1):
        p = design.n_features
        self.tasks, self.p = tasks, p
        rigid = np.isinf(a1)
        self.scale, self.Z = 1.0 if rigid else a1, []
        for t in tasks.tolist():
            B = design.table(t)
            self.Z.append(B if rigid else whiten_psd(B, B[:, :p] @ B[:, :p].T, a1, p))
        CMB = self.scale * namespace_of(self.Z[0]).stack([Z[:, p:].T @ Z for Z in self.Z])
        self.r = CMB[:, 0, :p]
        if design.kind == "shrunk":
            self.u, self.z, self.m = CMB[:, 1, :p], CMB[:, 1, p], CMB[:, 1, p + 1]

    @property
    def matrix(self):
        return self.scale * sum(X.T @ X for X in self._features())

    def _features(self):
        return (Z[:, : self.p] for Z in self.Z)

    def product(self, w):
        return self.scale * sum(X.T @ (X @ w) for X in self._features())

    def diagonal(self):
        return self.scale * sum(namespace_of(X).sum(X**2, axis=0) for X in self._features())

    def specific(self, w0, b):
        """v_t = X'(K + a1)^-1 (y - X w0 - o b_t)."""
        p = self.p
        V = []
        for t, Z in enumerate(self.Z):
            e = Z[:, p] - Z[:, :p] @ w0
            V.append((e if b is None else e - b[t] * Z[:, p + 1]) @ Z[:, :p])
        return namespace_of(w0).stack(V)


class _Tip:
    """The system in w0 that remains when every v_t and b_t is eliminated."""

    def __init__(self, groups, ai, n_rows, *, shrunk):
        xp = namespace_of(groups[0].r)
        self.groups, self.n_rows, self.shrunk = groups, n_rows, shrunk
        self.r = sum(xp.sum(group.r, axis=0) for group in groups)
        self.low_rank = []  # (columns U, weights) with A = sum X'MX - sum U diag(weights) U'
        if not shrunk:
            return
        u, m, z = (xp.concat([getattr(group, k) for group in groups]) for k in ("u", "m", "z"))
        self.u, self.m, self.z = u, m, z
        self.c, kappa = intercept_weights(m, ai)
        self.low_rank.append((u.T, self.c))
        self.r = self.r - u.T @ (self.c * z)
        self.cb, self.cx, self.rb = xp.sum(kappa * m), u.T @ kappa, kappa @ z
        self.low_rank.append((self.cx[:, None], xp.ones_like(self.cx[:1]) / self.cb))
        self.r = self.r - self.cx * (self.rb / self.cb)

    def solve(self, a0, method, tol, max_iter):
        """(w0, n_iter, residual)."""
        xp = namespace_of(self.r)
        if np.isinf(a0):
            return xp.zeros_like(self.r), 0, 0.0
        if method == "cg":
            diagonal = sum(group.diagonal() for group in self.groups)
            for U, weight in self.low_rank:
                diagonal = diagonal - U**2 @ weight
            # rounding may leave a constant feature's entry just below zero
            diagonal = xp.where(diagonal > 0, diagonal, xp.zeros_like(diagonal)) + a0
            return accurate_solution(
                lambda w: self._product(w) + a0 * w,
                diagonal,
                self.r,
                alpha=a0,
                singular=self.n_rows <= diagonal.shape[0],
                tol=tol,
                max_iter=max_iter,
            )
        A = sum(group.matrix for group in self.groups)
        for U, weight in self.low_rank:
            A = A - (U * weight) @ U.T
        return solve_psd(self.r[None, :], A, a0)[0, :], 0, 0.0

    def _product(self, w):
        image = sum(group.product(w) for group in self.groups)
        for U, weight in self.low_rank:
            image = image - U @ (weight * (U.T @ w))
        return image

    def intercepts(self, w0):
        """b_0 and the b_t of each group, None where intercepts are not shrunk."""
        if not self.shrunk:
            return None, [None] * len(self.groups)
        b0 = (self.rb - self.cx @ w0) / self.cb
        b = b0 + self.c * (self.z - self.u @ w0 - self.m * b0)
        stops = np.cumsum([len(group.tasks) for group in self.groups]).tolist()
        return b0, [
            b[stop - len(g.tasks) : stop] for g, stop in zip(self.groups, stops, strict=True)
        ]


def intercept_weights(m, ai):
    """c_t = 1/(ai + m_t) and kappa_t = ai c_t; m_t is zero for a task whose rows weigh nothing."""
    xp, ai = namespace_of(m), max(ai, TINY) if ai > 0 else 0.0
    if np.isinf(ai):
        return xp.zeros_like(m), xp.ones_like(m)
    total = m + ai
    c = xp.where(total > 0, 1 / xp.where(total > 0, total, xp.ones_like(m)), xp.zeros_like(m))
    return c, ai * c


def _dot(a, b):
    return namespace_of(a).sum(a * b, axis=-1)
