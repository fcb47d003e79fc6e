"""Approximate leave-one-out: one Newton step from the optimum, without the label that is left out.

For the scores z of what is left out together (the labels of a row, or one label of long data), with
gradient g and Hessian D of their losses and A = J H^-1 J' for the scores' Jacobian J:
    z_without = z + A (I - D A)^-1 g.
Exact for squared loss [1].

[1] Rahnama Rad, K. and Maleki, A. (2020). A scalable estimate of the out-of-sample prediction error
via approximate leave-one-out cross-validation. JRSS B 82.
"""

import numpy as np
from scipy.linalg import solve_triangular

from .._backend import few_threads
from ._irls import ArrowFactor

CHUNK = 2**22  # numbers in the Jacobians of some rows


def leave_one_out_losses(problem, point, unit):
    """Loss of each label, predicted without what it is left out with.

    Parameters
    ----------
    problem : SmoothProblem
        On the host, its penalty set.
    point : Point
        The optimum.
    unit : ndarray of shape (n_labels,)
        How much of the weight of each label is left out.

    Returns
    -------
    losses : list of ndarray of shape (n_tasks, 1, n)
        Of each block; meaningless where there is no label.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl._input import UnitLayout
    >>> from skmtl._data import wide_data
    >>> from skmtl.losses import LogLoss
    >>> from skmtl.penalties import SharedSpecific
    >>> from skmtl.solvers import SmoothProblem, leave_one_out_losses
    >>> X, Y = np.array([[-1.0], [0.0], [1.0]]), np.array([[0.0, 0], [1, 0], [1, 1]])
    >>> data, _ = wide_data(X, Y)
    >>> layout = UnitLayout([np.zeros(1, int)] * 2, [np.ones(1)] * 2, 1)
    >>> problem = SmoothProblem(data, LogLoss(), layout, np.ones(2), fit_intercept=True)
    >>> penalty = SharedSpecific(1.0, 1.0, 1.0)
    >>> _, point = problem.solve(penalty, solver="irls", tol=1e-8, max_iter=50)
    >>> losses = leave_one_out_losses(problem, point, np.ones(6))
    >>> bool(losses[0].mean() > problem.loss_sum(point.scores) / 6)  # than that of the fit
    True
    """
    moved = [np.array(z) for z in point.scores]
    with few_threads(min(problem.n_rows, problem.n_features)):
        factor = ArrowFactor(problem, problem.second_order(point.scores))
        for group in _groups(problem):
            for rows in _chunks(problem, group):
                _leave_out(problem, factor, point, unit, moved, group, rows)
    return [problem.loss.value(block.Y, z) for block, z in zip(problem.blocks, moved, strict=True)]


def leave_one_out_sums(problem, point, unit, frequency):
    """Sums of the leave-one-out losses of each task, weighted by frequency.

    Parameters
    ----------
    problem, point, unit
        As of `leave_one_out_losses`.
    frequency : ndarray of shape (n_labels,)

    Returns
    -------
    ndarray of shape (n_tasks,)

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl._input import UnitLayout
    >>> from skmtl._data import wide_data
    >>> from skmtl.losses import SquaredError
    >>> from skmtl.penalties import SharedSpecific
    >>> from skmtl.solvers import SmoothProblem, leave_one_out_sums
    >>> data, _ = wide_data(np.array([[-1.0], [1.0]]), np.array([[0.0], [2.0]]))
    >>> layout = UnitLayout([np.zeros(1, int)], None, 1)
    >>> problem = SmoothProblem(data, SquaredError(), layout, np.ones(1), fit_intercept=True)
    >>> penalty = SharedSpecific(np.inf, np.inf, 0.0)  # the mean alone
    >>> _, point = problem.solve(penalty, solver="irls", tol=1e-8, max_iter=5)
    >>> leave_one_out_sums(problem, point, np.ones(2), np.ones(2)).round(6)  # (2^2 + 2^2) / 2
    array([4.])
    """
    sums = np.zeros(len(problem.layout.channels))
    losses = leave_one_out_losses(problem, point, unit)
    for block, loss in zip(problem.blocks, losses, strict=True):
        weight = np.where(block.rows >= 0, frequency[block.rows], 0.0)
        sums[block.tasks] = (weight * loss[:, 0, :]).sum(axis=1)
    return sums


def _groups(problem):
    """Lists of (block number, task) whose labels in one row are left out together."""
    if problem.rows_are_units:
        return [[(k, t) for k, b in enumerate(problem.blocks) for t in range(len(b.tasks))]]
    return [[(k, t)] for k, b in enumerate(problem.blocks) for t in range(len(b.tasks))]


def _chunks(problem, group):
    n = problem.blocks[group[0][0]].Y.shape[2]
    n_units = sum(problem.blocks[k].channels.shape[1] for k, _ in group)
    step = max(1, CHUNK // (n_units * (problem.layout.n_channels * problem.width + n_units)))
    return [slice(first, min(first + step, n)) for first in range(0, n, step)]


def _leave_out(problem, factor, point, unit, moved, group, rows):
    """Move the scores of the rows of a group of tasks."""
    parts = [_task_parts(problem, factor, point, unit, k, t, rows) for k, t in group]
    counts = [part[0].shape[1] for part in parts]
    U, n = sum(counts), len(parts[0][0])
    V = np.concatenate([part[1] for part in parts], axis=1)
    A, D, g = V @ np.swapaxes(V, 1, 2), np.zeros((n, U, U)), np.zeros((n, U))
    stops = np.cumsum(counts)
    for (own, _, hessian, gradient), stop in zip(parts, stops, strict=True):
        span = slice(stop - own.shape[1], stop)
        A[:, span, span] += own
        D[:, span, span] = hessian
        g[:, span] = gradient
    move = (A @ np.linalg.solve(np.eye(U) - D @ A, g[:, :, None]))[:, :, 0]
    for (k, t), stop, count in zip(group, stops, counts, strict=True):
        moved[k][t, :, rows] += move[:, stop - count : stop].T


def _task_parts(problem, factor, point, unit, k, t, rows):
    """Of the rows of one task: own part of A (n, K, K), roots of the rest (n, K, r), D and g."""
    block, _, inverse, G = factor.blocks[k][:4]
    C, m = factor.shape
    K = block.channels.shape[1]
    X = block.dense[t, rows] if block.dense.ndim == 3 else block.dense[rows]
    inverse = inverse[t].reshape(K, m, K, m)
    own, tip = np.empty((len(X), K, K)), np.zeros((len(X), K, C, m))
    flow = G[t].reshape(K, m, K, m)
    for a in range(K):
        for b in range(K):
            own[:, a, b] = np.sum(X @ inverse[a, :, b, :] * X, axis=1)
            tip[:, a, block.channels[t, b], :] -= X @ flow[a, :, b, :]
        tip[:, a, block.channels[t, a], :] += X
    tip = (tip.reshape(-1, C * m) * factor.shared).T
    V = solve_triangular(factor.tip[0], tip, lower=True).T.reshape(len(X), K, C * m)
    z, Y = point.scores[k][t][:, rows], block.Y[t][:, rows]
    number = block.rows[t, rows]
    unit = np.where(number >= 0, unit[number], 0.0) * problem.omega[block.tasks[t]]
    second = problem.loss.second_order(Y, z)
    D = (unit * problem.loss.hessian_blocks(second[None])[0]).transpose(2, 0, 1)
    return own, V, D, (unit * problem.loss.gradient(Y, z)).T
