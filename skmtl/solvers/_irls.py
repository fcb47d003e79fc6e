"""Exact Newton steps by block elimination: each is a weighted ridge (IRLS), here in NumPy.

With H_t the Hessian of task t's losses in its units' coefficients, B_t = H_t + A_t on the units'
own coordinates and H_t^c the columns of H_t summed to the shared ones:
    tip = A_0 + sum_t (H_t - H_t B_t^-1 H_t)^c,
    x_0 = tip^-1 (r_0 - sum_t (H_t B_t^-1 r_t)^c),   x_t = B_t^-1 (r_t - H_t x_0).
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from .._backend import require_memory

CHUNK = 2**22  # numbers in the weighted rows of several tasks at once
JITTER = 1e-14  # of each diagonal, whatever its units; 1 where labels so certain weigh nothing


class ArrowFactor:
    """The Hessian of a SmoothProblem, factorised task by task.

    Parameters
    ----------
    problem : SmoothProblem
        On the host.
    second : list of ndarray
        What the Hessian of each block is made of, from `second_order`.
    """

    def __init__(self, problem, second):
        C, m = problem.layout.n_channels, problem.width
        self.problem, self.shape = problem, (C, m)
        squares = sum(len(b.tasks) * (b.channels.shape[1] * m) ** 2 for b in problem.blocks)
        require_memory(
            3 * squares + 2 * (C * m) ** 2,
            f"Hessians of {problem.n_units} coefficient vectors of {m}",
            "use solver='newton-cg', which makes none",
        )
        tip, curvature = np.zeros((C, C, m, m)), np.zeros((C, m))
        self.blocks = []
        for block, span, p in zip(problem.blocks, problem.spans, second, strict=True):
            H = hessians(block, block.S[:, :, None, :] * problem.loss.hessian_blocks(p))
            T, K = block.channels.shape
            own = slice(C + span.start, C + span.stop)
            taken = problem.taken[own].reshape(T, K * m)
            strength = problem.A[own].reshape(T, K * m)
            B = H * taken[:, :, None] * taken[:, None, :]
            diagonal = np.arange(K * m)
            size = H[:, diagonal, diagonal]
            np.add.at(curvature, block.channels, size.reshape(T, K, m))
            strength = np.where(taken > 0, strength + _jitter(strength + size), 1.0)
            B[:, diagonal, diagonal] += strength
            if problem.loss.is_invariant_to_shifts:
                _stiffen(B.reshape(T, K, m, K, m))
            # of unit diagonal, lest pivots be chosen by the units of the features
            root = np.sqrt(B[:, diagonal, diagonal])
            unit = 1 / (root[:, :, None] * root[:, None, :])
            inverse = np.linalg.inv(B * unit) * unit * taken[:, :, None] * taken[:, None, :]
            G = inverse @ H  # (T, K m, K m)
            schur = strength[:, :, None] * G if taken.all() else _schur(H, G, taken, strength)
            _add_to_tip(tip, schur.reshape(T, K, m, K, m), block.channels)
            self.blocks.append((block, own, inverse, G, taken, strength))
        tip = tip.transpose(0, 2, 1, 3).reshape(C * m, C * m)
        shared = problem.taken[:C].reshape(-1)
        tip = tip * shared[:, None] * shared
        strength, size = problem.A[:C].reshape(-1), curvature.reshape(-1)
        tip[np.diag_indices_from(tip)] += np.where(shared > 0, strength, 1.0)
        if problem.loss.is_invariant_to_shifts:
            _stiffen(tip.reshape(1, C, m, C, m))
        self.shared = shared
        self.tip = _positive_factor((tip + tip.T) / 2, _jitter(size) * shared)

    def solve(self, r):
        """Hessian^-1 r for r of the shape of the parameters."""
        (C, m), x, A = self.shape, np.zeros_like(r), self.problem.A
        # moving all classes alike, which _stiffen forbids, changes the penalties only
        common = self._common(r) if self.problem.loss.is_invariant_to_shifts else 0 * r
        r = r - common
        top, alone = r[:C].copy(), []
        for block, own, inverse, G, taken, strength in self.blocks:
            T, K = block.channels.shape
            rows = r[own].reshape(T, K * m, 1)
            alone.append(inverse @ rows)
            # H B^-1 r, which is r - A B^-1 r in the units' own coordinates, nearly r and r_0
            pulled = rows - strength[:, :, None] * alone[-1]
            if not taken.all():
                pulled = np.where(taken[:, :, None] > 0, pulled, np.swapaxes(G, 1, 2) @ rows)
            top -= self.problem.sums[:, own.start - C : own.stop - C] @ pulled.reshape(T * K, m)
        x[:C] = cho_solve(self.tip, top.reshape(-1) * self.shared).reshape(C, m)
        for (block, own, _, G, _, _), part in zip(self.blocks, alone, strict=True):
            T, K = block.channels.shape
            tip = x[:C][block.channels].reshape(T, K * m, 1)
            x[own] = (part - G @ tip).reshape(T * K, m)
        return x + common / np.where(A > 0, A, np.inf)

    def _common(self, r):
        """Mean over the classes of each task, and over the shared ones, in their places."""
        C, m = self.shape
        parts = [np.broadcast_to(r[:C].mean(axis=0), (C, m))]
        for block, own, *_ in self.blocks:
            T, K = block.channels.shape
            parts.append(np.repeat(r[own].reshape(T, K, m).mean(axis=1), K, axis=0))
        return np.concatenate(parts)


def _add_to_tip(tip, schur, channels):
    """Add the tasks' blocks (T, K, m, K, m) to those of their channels (C, C, m, m)."""
    if len(tip) == 1:
        tip[0, 0] += schur[:, 0, :, 0, :].sum(axis=0)
        return
    at = channels[:, :, None], channels[:, None, :]
    np.add.at(tip, at, schur.transpose(0, 1, 3, 2, 4))


def _schur(H, G, taken, strength):
    """H - H G, which is A G, without a cancellation, in the units' own coordinates."""
    S, not_own = strength[:, :, None] * G, taken == 0
    rest = np.where(not_own[:, None, :], H - H @ G, np.swapaxes(S, 1, 2))
    return np.where(not_own[:, :, None], rest, S)


def _positive_factor(tip, slack):
    """Cholesky factor of the tip and the least multiple of a slack that makes it positive."""
    try:
        return cho_factor(tip + np.diag(slack), lower=True)
    except np.linalg.LinAlgError:  # penalties are below the rounding of the curvatures
        return _positive_factor(tip, 100 * slack)


def _jitter(size):
    """What is added to a diagonal of this size."""
    return np.where(size > 0, JITTER * size, 1.0)


def _stiffen(B):
    """Add 11', of its own size, over the classes of each coordinate of B (T, K, m, K, m).

    No step changes whose gradient sums to zero over the classes, as that of the losses does.
    """
    j, size = np.arange(B.shape[2]), np.einsum("tkjkj->jt", B)[:, :, None, None]
    B[:, :, j, :, j] += np.where(size > 0, size, 1.0)


def hessians(block, D):
    """X' D X of each task, of shape (n_tasks, K m, K m), for D (n_tasks, K, K, n)."""
    T, K, _, n = D.shape
    dense = block.dense
    m = dense.shape[-1]
    H = np.empty((T, K, m, K, m))
    step = max(1, CHUNK // (n * m))
    for first in range(0, T, step):
        part = slice(first, first + step)
        X = dense[part] if dense.ndim == 3 else dense
        for k in range(K):
            for j in range(k + 1):
                H[part, k, :, j, :] = np.swapaxes(X * D[part, k, j, :, None], -1, -2) @ X
                H[part, j, :, k, :] = H[part, k, :, j, :]
    return H.reshape(T, K * m, K * m)


def irls_step(problem, second, gradient, accuracy):
    """Newton step."""
    return ArrowFactor(problem, second).solve(-gradient)
