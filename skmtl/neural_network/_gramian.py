"""Gramians of the tasks' gradients, at the representation or in all parameters that tasks share.

R holds the derivatives of each task's mean loss in its scores, H the heads.  At the representation
a gradient is the outer product of a column of R and a row of H, and the Gramian (R'R) o (H H').
The exact one runs back through the trunk for each task.  In a layer with fewer rows than inputs it
goes through the kernel A A' + 1 of the rows, the gradients A'D_t being larger than they are; so it
does wherever each row has one task, in which case one run back serves all tasks.
"""

import numpy as np
from scipy.sparse import issparse

from .._backend import namespace_of, to_numpy
from ._network import product_into

ROW_KERNEL = 400  # rows of one label each up to which their kernel beats a product for each task


def feature_gramian(rows, R, H, unit_tasks, n_tasks):
    """Gramian of the gradients at the representation, (n_tasks, n_tasks) on the host."""
    return _by_task(rows.residual_gramian(R) * to_host(H @ H.T), unit_tasks, n_tasks)


def head_gramian(incidence, head_gradients, unit_tasks, n_tasks):
    """Gramian of the gradients in h_0, from those in the heads (n_units, width)."""
    products = to_host(incidence @ incidence.T) * to_host(head_gradients @ head_gradients.T)
    return _by_task(products, unit_tasks, n_tasks)


def trunk_gramian(network, params, layers, rows, R, H):
    """Gramian of the gradients in the trunk, (n_tasks, n_tasks) on the host."""
    layers = _dense(layers)
    if rows.one_label_per_row:
        below = network.deltas(params, layers, rows.pull(R, H))
        if len(rows) <= ROW_KERNEL:
            K = sum(_kernel(layers[k]) * (D @ D.T) for k, D in below)
            return to_host(rows.indicators @ K @ rows.indicators.T)
        return sum(_segments_gramian(layers[k], D, rows) for k, D in below)
    passes = [
        network.deltas(params, layers, rows.pull_task(R, H, network.units_of(t)))
        for t in range(network.n_tasks)
    ]
    steps = zip(*passes, strict=True)  # all tasks in the same layer
    return sum(_layer_gramian(layers[step[0][0]], [D for _, D in step]) for step in steps)


def trunk_jacobian(network, params, layers, rows, R, H, views):
    """Write the trunk's gradient of each task into its views."""
    if not rows.one_label_per_row:
        for t, view in enumerate(views):
            network.backward(params, view, layers, rows.pull_task(R, H, network.units_of(t)))
        return
    for layer, D in network.deltas(params, layers, rows.pull(R, H)):
        xp = namespace_of(D)
        for t, start, stop in rows.segments:
            product_into(views[t].weights[layer], layers[layer][start:stop, :].T, D[start:stop, :])
            views[t].biases[layer][...] = xp.sum(D[start:stop, :], axis=0)


def _layer_gramian(A, deltas):
    """Inner products of A'D_t and of the column sums of D_t."""
    if A.shape[0] >= A.shape[1]:
        return _products([(A, D) for D in deltas])
    xp = namespace_of(deltas[0])
    K, flat = _kernel(A), xp.stack([xp.reshape(D, (-1,)) for D in deltas])
    return to_host(flat @ xp.stack([xp.reshape(K @ D, (-1,)) for D in deltas]).T)


def _segments_gramian(A, D, rows):
    """The same where each row is of one task: D_t are segments of D."""
    G = np.zeros((rows.n_tasks, rows.n_tasks))
    segments = list(rows.segments)
    tasks = [t for t, _, _ in segments]
    G[np.ix_(tasks, tasks)] = _products([(A[a:b, :], D[a:b, :]) for _, a, b in segments])
    return G


def _products(pairs):
    """Inner products of the gradients A'D and 1'D of a layer, for pairs (A, D)."""
    xp = namespace_of(pairs[0][1])
    J = xp.stack([xp.reshape(A.T @ D, (-1,)) for A, D in pairs])
    b = xp.stack([xp.sum(D, axis=0) for _, D in pairs])
    return to_host(J @ J.T) + to_host(b @ b.T)


def norms_and_cosines(G):
    """Norms of vectors and the Gramian of the unit vectors, from their Gramian."""
    norms = np.sqrt(G.diagonal())
    length = np.where(norms > 0, norms, 1.0)
    C = np.minimum(np.maximum(G / length / length[:, None], -1), 1)
    C.flat[:: len(G) + 1] = 1.0
    return norms, C


def _kernel(A):
    return A @ A.T + 1  # the 1 is the bias


def _dense(layers):
    return [layers[0].toarray() if issparse(layers[0]) else layers[0], *layers[1:]]


def _by_task(M, unit_tasks, n_tasks):
    """Sums of the blocks of M (n_units, n_units) that belong to two tasks."""
    if len(unit_tasks) == n_tasks:
        return M
    B = np.equal.outer(np.arange(n_tasks), unit_tasks).astype(float)
    return B @ M @ B.T


def to_host(x):
    """As NumPy floats of double precision."""
    return to_numpy(x).astype(np.float64)
