"""Gramians of the tasks' gradients, at the representation or in all parameters that tasks share.

R holds the derivatives of each task's mean loss in its scores, H the heads.  At the representation
a gradient is the outer product of a column of R and a row of H, and the Gramian (R'R) o (H H'); a
row of weight 2 has the gradients of two rows there, each half of its own.
The exact one runs back through the trunk with the tasks' derivatives stacked.  In a layer with
fewer rows than inputs it goes through the kernel A A' + 1 of the rows, the gradients A'D_t being
larger than they are; so it does wherever each row has one task, in which case nothing is stacked.
"""

import numpy as np

from .._backend import is_sparse, namespace_of, to_numpy
from ._network import column_sums, product_into

ROW_KERNEL = 400  # rows of one label each up to which their kernel beats a product for each task


def feature_gramian(rows, R, H, unit_tasks, n_tasks):
    """Gramian of the gradients at the representation, (n_tasks, n_tasks) on the host."""
    products = rows.residual_gramian(R, unit_tasks) * to_host(H @ H.T)
    return _by_task(products, unit_tasks, n_tasks)


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
    below = network.deltas(params, layers, rows.pull_tasks(R, H, network.units))
    return sum(_layer_gramian(layers[k], D) for k, D in below)


def trunk_jacobian(network, params, layers, rows, R, H, views):
    """Write the trunk's gradient of each task into its views."""
    if not rows.one_label_per_row:
        for units, view in zip(network.units, views, strict=True):
            network.backward(params, view, layers, rows.pull_task(R, H, units))
        return
    for layer, D in network.deltas(params, layers, rows.pull(R, H)):
        xp = namespace_of(D)
        for t, start, stop in rows.segments:
            product_into(views[t].weights[layer], layers[layer][start:stop, :].T, D[start:stop, :])
            views[t].biases[layer][...] = xp.sum(D[start:stop, :], axis=0)


def _layer_gramian(A, D):
    """Inner products of A'D_t and of the column sums of D_t, for D (n_tasks, n, width)."""
    if A.shape[0] >= A.shape[1]:
        return _products(A.T @ D, column_sums(D))
    return to_host(_flat(D) @ _flat(_kernel(A) @ D).T)


def _segments_gramian(A, D, rows):
    """The same where each row is of one task: D_t are segments of D."""
    xp, G = namespace_of(D), np.zeros((rows.n_tasks, rows.n_tasks))
    segments = list(rows.segments)
    tasks = [t for t, _, _ in segments]
    G[np.ix_(tasks, tasks)] = _products(
        xp.stack([A[start:stop, :].T @ D[start:stop, :] for _, start, stop in segments]),
        xp.stack([column_sums(D[start:stop, :]) for _, start, stop in segments]),
    )
    return G


def _products(J, b):
    """Inner products of gradients J (n_tasks, n_in, n_out) in weights and b in biases."""
    J = _flat(J)
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


def _flat(x):
    """One row for each task."""
    return namespace_of(x).reshape(x, (x.shape[0], -1))


def _dense(layers):
    return [layers[0].toarray() if is_sparse(layers[0]) else layers[0], *layers[1:]]


def _by_task(M, unit_tasks, n_tasks):
    """Sums of the blocks of M (n_units, n_units) that belong to two tasks."""
    if len(unit_tasks) == n_tasks:
        return M
    B = np.equal.outer(np.arange(n_tasks), unit_tasks).astype(float)
    return B @ M @ B.T


def to_host(x):
    """As NumPy floats of double precision."""
    return to_numpy(x).astype(np.float64)
