"""Leave-one-out and evidence over a grid of penalties, from one eigendecomposition per task.

In the notation of `_arrow` and with V_t = X_t X_t'/a1 + o o'/ai + I, A = U diag(a) U' and
q_i = (V^-1 X)_i - (V^-1 o)_i cx/cb (the cb terms only for ai > 0):
    P_ii   = M_ii - c (Mo)_i^2 - kappa^2 (Mo)_i^2/cb - sum_k (q_i'U)_k^2 /(a_k + a0)
    (Py)_i = (My)_i - c (Mo)_i o'My - kappa (Mo)_i rb/cb - sum_k (q_i'U)_k (U'r)_k/(a_k + a0)
and a label left out has the residual (Py)_i / P_ii.  Labels of one row are left out together:
they solve the block P_bb e = (Py)_b.  Per a1 one product with M, per ai one eigh, per a0 a column.
Where a model can fit all labels P vanishes with the penalties, and rounding is left of differences
from terms of order M_ii: an error is inf where e'P_bb e / e'e falls below TRUSTED times those.
"""

from functools import cached_property

import numpy as np

from .._backend import (
    eigh_psd,
    namespace_of,
    place_of,
    require_memory,
    segment_sum,
    take,
    to_numpy,
    to_place,
    widest_float,
)
from ._arrow import intercept_weights
from ._common_design import profiled_deviance
from ._design import make_design, make_frame

# Where a task has one label its free intercept is the limit of intercept penalties (in least
# weights) that vanish; polynomial extrapolation to 0, since at tiny penalties 1 - h cancels.
VANISHING = 1e-5 * np.array([1.0, 2.0, 4.0])
EXTRAPOLATE = np.array([8.0, -6.0, 1.0]) / 3.0
TRUSTED = 1e-8  # errors are then exact to about 1e-7


class BlockGrid:
    """Grid scores of any data: own rows per task, or a common design with missing labels."""

    def __init__(self, data, omega, *, fit_intercept):
        self.data, self.omega, self.fit_intercept = data, omega, fit_intercept
        n, p = data.X.shape
        self.frame = make_frame(data, omega, fit_intercept=fit_intercept, reduce=n < p)
        self.left_out = (_LeaveLabel if data.one_label_per_row else _LeaveRow)(
            data, place_of(data.X)
        )
        lone = np.diff(data.labels.indptr) == 1
        self.has_lone_label = bool((lone & (data.weight_sums <= 1)).any())

    def scores(self, alphas_shared, alphas_specific, alphas_intercept, *, per_task=False, loo=True):
        """Leave-one-out error and -2 log evidence.

        Parameters
        ----------
        alphas_shared, alphas_specific, alphas_intercept : sequences of float
        per_task : bool, default=False
            Mean over tasks of their mean squared errors, instead of the mean over all labels.
        loo : bool, default=True
            If False the first result is NaN and cheap.

        Returns
        -------
        error : ndarray of shape (n_specific, n_intercept, n_shared)
            inf where penalties are so small that rounding is all that is left of it.
        deviance : ndarray of that shape
            With free intercepts comparable among themselves only.
        """
        shape = len(alphas_specific), len(alphas_intercept), len(alphas_shared)
        error, deviance = np.full(shape, np.nan), np.empty(shape)
        for free in (True, False):
            chosen = np.flatnonzero([(ai == 0) == free for ai in alphas_intercept])
            if chosen.size == 0:
                continue
            design = make_design(
                self.data, self.omega, self.frame, fit_intercept=self.fit_intercept, free=free
            )
            score = self._scorer(design, per_task) if loo and not self._is_singular(free) else None
            blocks = EigenBlocks(design)
            for i, a1 in enumerate(alphas_specific):
                level = blocks.at(float(a1))
                for j in chosen:
                    point = level.at(float(alphas_intercept[j]))
                    deviance[i, j] = point.deviances(alphas_shared)
                    if score:
                        error[i, j] = score(point, alphas_shared)
            if loo and self._is_singular(free):
                near = VANISHING * self.data.labels.s.min()
                errors, _ = self.scores(alphas_shared, alphas_specific, near, per_task=per_task)
                limits = np.tensordot(np.nan_to_num(errors, posinf=0.0), EXTRAPOLATE, (1, 0))
                error[:, chosen] = np.where(np.isinf(errors).any(axis=1), np.inf, limits)[:, None]
        return error, deviance

    def _is_singular(self, free):
        """Whether some label, left out, leaves its task without any and its intercept undefined."""
        return self.fit_intercept and free and self.has_lone_label

    def _scorer(self, design, per_task):
        w = design.weight
        if per_task:
            w = w / np.repeat(np.add.reduceat(w, design.indptr[:-1]), np.diff(design.indptr))
        w = w / w.sum()
        return lambda point, alphas: self.left_out.squared_errors(point, alphas, w)


class EigenBlocks:
    """X_t = L_t R_t from one eigh per task: (X V, V') of S_t or, with few rows, (P, P'X) of K_t."""

    def __init__(self, design):
        self.design = design
        xp, p = design.place.xp, design.n_features
        rank = np.minimum(design.sizes, p).sum()
        require_memory(
            2 * design.sizes.sum() * p + rank * p,
            f"the eigenbases of {p} features for {design.n_tasks} tasks of {len(design.y)} labels",
            "use MultiTaskRidge with strengths from a GridSearchCV, or fewer features",
            design.place,
        )
        self.tables = [design.table(t) for t in range(design.n_tasks)]
        pieces = [_factorise(table[:, :p], xp) for table in self.tables]
        self.L = [L for _, L, _ in pieces]
        self.R = xp.concat([R for _, _, R in pieces], axis=0)
        self.s = xp.concat([s for s, _, _ in pieces])
        sizes = [s.shape[0] for s, _, _ in pieces]
        self.indptr = np.concatenate([[0], np.cumsum(sizes)])
        self.ranks = [
            slice(b - size, b) for size, b in zip(sizes, self.indptr[1:].tolist(), strict=True)
        ]
        self.wide = [table.shape[0] <= p for table in self.tables]
        self.is_wide = to_place(np.repeat(self.wide, sizes), design.place)
        # L'y and, with shrunk intercepts, L'o; the products of y and o of each task
        self.LC = xp.concat(
            [L.T @ table[:, p:] for L, table in zip(self.L, self.tables, strict=True)], axis=0
        )
        self.CC = xp.stack([table[:, p:].T @ table[:, p:] for table in self.tables])

    @classmethod
    def from_grams(cls, design):
        """The same from the Grams of a GramDesign, with no rows for `_Level.rows`."""
        blocks, p = cls.__new__(cls), design.n_features
        G = design.grams(np.arange(design.n_tasks))
        s, V = zip(*map(eigh_psd, G[:, :p, :p]), strict=True)
        blocks.design, blocks.s = design, np.concatenate(s)
        blocks.R = np.concatenate([v.T for v in V])
        blocks.LC = np.concatenate([v.T @ g[:p, p:] for v, g in zip(V, G, strict=True)])
        blocks.CC = G[:, p:, p:]
        blocks.indptr = np.arange(design.n_tasks + 1) * p
        blocks.ranks = [slice(t * p, (t + 1) * p) for t in range(design.n_tasks)]
        blocks.wide = [False] * design.n_tasks
        blocks.is_wide = np.zeros(len(blocks.s), dtype=bool)
        return blocks

    def at(self, a1):
        """The products with M at one alpha_specific."""
        return _Level(self, a1)


def _factorise(X, xp):
    if X.shape[0] <= X.shape[1]:
        s, P = eigh_psd(X @ X.T)
        return s, P, P.T @ X
    s, V = eigh_psd(X.T @ X)
    return s, X @ V, V.T


class _Level:
    """M times X, y, o and what follows from it at one alpha_specific."""

    def __init__(self, blocks, a1):
        self.blocks, self.design = blocks, blocks.design
        xp, s = namespace_of(blocks.s), blocks.s
        self.kept = 1 / (1 + s / a1)
        # weights of the eigen-directions: in M = L . L' (wide blocks) or I - M (tall)
        self.inner = xp.where(blocks.is_wide, self.kept, 1 / (s + a1))
        energy = xp.where(blocks.is_wide, self.kept, s * self.kept)
        self.logdet = float(xp.sum(xp.log1p(s / a1)))
        self.A = (blocks.R * energy[:, None]).T @ blocks.R
        Ly = blocks.LC[:, 0]
        self.r = (self.kept * Ly) @ blocks.R
        self.yMy = float(xp.sum(self._quadratics(Ly, Ly, blocks.CC[:, 0, 0])))
        if self.design.kind == "shrunk":
            Lo = blocks.LC[:, 1]
            kept_Lo = self.kept * Lo
            self.u = xp.stack([kept_Lo[k] @ blocks.R[k, :] for k in blocks.ranks])
            # where features sum to a constant a difference may fall below zero
            least = xp.finfo(s.dtype).eps * blocks.CC[:, 1, 1]
            self.m = xp.maximum(self._quadratics(Lo, Lo, blocks.CC[:, 1, 1]), least)
            self.z = self._quadratics(Lo, Ly, blocks.CC[:, 0, 1])

    def _quadratics(self, a, b, ab):
        """a_t' M b_t of each task, from L'a, L'b and a'b."""
        sums = segment_sum(self.inner * a * b, self.blocks.indptr)
        wide = to_place(np.array(self.blocks.wide), place_of(a))
        return namespace_of(a).where(wide, sums, ab - sums)

    @cached_property
    def rows(self):
        """MX, M[y, o] and diag(M), sorted as the labels."""
        blocks = self.blocks
        xp, p = namespace_of(blocks.s), self.design.n_features
        inner_LC = self.inner[:, None] * blocks.LC
        MX, MC, diagonal = [], [], []
        for L, k, wide, table in zip(
            blocks.L, blocks.ranks, blocks.wide, blocks.tables, strict=True
        ):
            MX.append((L * self.kept[k]) @ blocks.R[k, :])
            image, hat = L @ inner_LC[k, :], L**2 @ self.inner[k]
            MC.append(image if wide else table[:, p:] - image)
            diagonal.append(hat if wide else 1 - hat)
        return xp.concat(MX, axis=0), xp.concat(MC, axis=0), xp.concat(diagonal)

    def at(self, ai):
        """The point of the grid with this intercept penalty."""
        return _Point(self, ai)


class _Point:
    """Eigendecomposition of A at one (alpha_specific, alpha_intercept)."""

    def __init__(self, level, ai):
        self.level, self.design = level, level.design
        xp = namespace_of(level.A)
        A, r, self.quadratic, self.logdet = level.A, level.r, level.yMy, level.logdet
        self.degrees = float(self.design.totals.sum())
        if self.design.kind == "shrunk":
            u, m, z = level.u, level.m, level.z
            self.c, self.kappa = intercept_weights(m, ai)
            self.cb, self.cx, self.rb = xp.sum(self.kappa * m), self.kappa @ u, self.kappa @ z
            A = A - (u.T * self.c) @ u - (self.cx[:, None] * self.cx) / self.cb
            r = r - (self.c * z) @ u - self.cx * (self.rb / self.cb)
            self.quadratic -= float(xp.sum(self.c * z**2) + self.rb**2 / self.cb)
            self.logdet += float(xp.log(self.cb))
            self.logdet += float(xp.sum(xp.log1p(m / ai)))
            self.degrees -= 1
        elif self.design.kind == "free":
            self.logdet += float(np.log(self.design.totals).sum())
            self.degrees -= self.design.n_tasks
        self.a, self.U = eigh_psd(A)
        self.Ur = r @ self.U

    def deviances(self, alphas_shared):
        """-2 log restricted likelihood for each alpha_shared, the noise variance profiled out."""
        xp = namespace_of(self.a)
        strengths = to_place(
            np.asarray(alphas_shared), place_of(self.a), widest_float(place_of(self.a))
        )
        quadratic = self.quadratic - to_numpy((self.Ur**2) @ self.inverse(alphas_shared))
        logdet = self.logdet + to_numpy(xp.sum(xp.log1p(self.a[:, None] / strengths), axis=0))
        return profiled_deviance(quadratic, logdet, self.degrees)

    def residuals(self):
        """What `leave-one-out` needs: (diagonal, base, factor, coupling, scale).

        P = diag(diagonal) - coupling coupling' - B D B' within a row, Py = base - B D U'r, with
        B = factor and D = diag(1/(a + a0)); scale is the size of the terms of P.
        """
        MX, MC, diagonal = self.level.rows
        design, My = self.design, MC[:, 0]
        wide = to_place(np.repeat(self.level.blocks.wide, design.sizes), design.place)
        scale = namespace_of(diagonal).where(
            wide, diagonal, namespace_of(diagonal).ones_like(diagonal)
        )
        if design.kind == "free":
            share = design.weight / np.repeat(design.totals, np.diff(design.indptr))
            diagonal = diagonal - to_place(share, design.place, widest_float(design.place))
        if design.kind != "shrunk":
            return diagonal, My, MX @ self.U, None, scale
        Mo, task = MC[:, 1], design.data.labels.task
        c, kappa, z = take(self.c, task), take(self.kappa, task), take(self.level.z, task)
        coupling = kappa * Mo / self.cb**0.5
        B = MX @ self.U - (c * Mo)[:, None] * take(self.level.u @ self.U, task)
        B = B - (kappa * Mo)[:, None] * ((self.cx @ self.U) / self.cb)
        base = My - c * Mo * z - kappa * Mo * (self.rb / self.cb)
        return diagonal - c * Mo**2, base, B, coupling, scale

    def inverse(self, alphas_shared):
        """D as columns, of shape (n_features, n_alphas)."""
        place = place_of(self.a)
        return 1 / (
            self.a[:, None] + to_place(np.asarray(alphas_shared), place, widest_float(place))
        )


class _LeaveLabel:
    """Leave one unit of one label out: residual (Py)_i / (1 - unit_i + P_ii unit_i)."""

    def __init__(self, data, place):
        s = data.labels.s
        self.unit = to_place(np.minimum(1.0, s) / s, place, widest_float(place))

    def squared_errors(self, point, alphas_shared, weight):
        """Weighted sum of squared errors for each alpha; `weight` sums to one."""
        diagonal, base, B, coupling, size = point.residuals()
        place = place_of(B)
        xp = place.xp
        if coupling is not None:
            diagonal = diagonal - coupling**2
        D = point.inverse(alphas_shared)
        P = diagonal[:, None] - B**2 @ D
        e = base[:, None] - B @ (point.Ur[:, None] * D)
        left = (1 - self.unit)[:, None] + P * self.unit[:, None]
        trusted = left > TRUSTED * size[:, None]
        e = e / xp.where(trusted, left, xp.ones_like(left))
        scale = to_place(weight / point.design.weight, place, widest_float(place))
        return np.where(to_numpy(xp.all(trusted, axis=0)), to_numpy(scale @ e**2), np.inf)


class _LeaveRow:
    """Leave one unit of a row out: D = diag(unit)^1/2, (I - D^2 + D P_bb D) x = D (Py)_b."""

    def __init__(self, data, place):
        labels, n = data.labels, data.X.shape[0]
        position = np.empty(len(labels.row), dtype=np.intp)
        order = np.argsort(labels.row, kind="stable")
        starts = np.searchsorted(labels.row[order], np.arange(n))
        position[order] = np.arange(len(order)) - starts[labels.row[order]]
        self.index = np.full((n, position.max() + 1), len(position))
        self.index[labels.row, position] = np.arange(len(position))
        unit = np.append(np.sqrt(np.minimum(1.0, labels.s) / labels.s), 0.0)
        self.root_unit = to_place(unit[self.index], place, widest_float(place))

    def squared_errors(self, point, alphas_shared, weight):
        """As for labels: the residual of a label is x / sqrt(unit) in weighted units."""
        diagonal, base, B, coupling, size = point.residuals()
        place = place_of(B)
        xp, D = place.xp, point.inverse(alphas_shared)
        size = TRUSTED * xp.max(self._table(size), axis=1)
        scale = to_place(weight / point.design.weight, place, widest_float(place))
        base, B, scale = self._table(base), self._table(B), self._table(scale)
        fixed = self._diagonal(self._table(diagonal))
        if coupling is not None:
            coupling = self._table(coupling)
            fixed = fixed - coupling[:, :, None] * coupling[:, None, :]
        d = self.root_unit
        others = (1 - d**2)[:, :, None] * xp.eye(d.shape[1], dtype=d.dtype, device=place.device)
        errors = []
        for k in range(len(alphas_shared)):
            BD = B * D[:, k]
            P = fixed - BD @ xp.matrix_transpose(B)
            e = base - BD @ point.Ur
            system = others + d[:, :, None] * P * d[:, None, :]
            x = _solved(system, d * e)
            if x is None or not bool(xp.all(xp.vecdot(x, d * e) >= size * xp.vecdot(x, x))):
                errors.append(np.inf)
                continue
            x = x / xp.where(d > 0, d, xp.ones_like(d))
            errors.append(float(xp.sum(scale * x**2)))
        return np.array(errors)

    def _table(self, values):
        """Values of the labels as (n_rows, most labels of a row, ...), zero where there is none."""
        xp = namespace_of(values)
        padded = xp.concat([values, xp.zeros_like(values[:1, ...])], axis=0)
        return xp.reshape(
            take(padded, self.index.reshape(-1)), (*self.index.shape, *values.shape[1:])
        )

    def _diagonal(self, table):
        xp = namespace_of(table)
        eye = xp.eye(table.shape[1], dtype=table.dtype, device=place_of(table).device)
        return table[:, :, None] * eye


def _solved(systems, b):
    """The solutions of a stack of systems, None where one is singular."""
    try:
        return namespace_of(b).linalg.solve(systems, b[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        return None
