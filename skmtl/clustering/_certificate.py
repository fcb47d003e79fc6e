"""How good a clustering fit is: its objective, its first-order residual, and what a gap is of."""

import numpy as np
from sklearn.utils.extmath import row_norms

from ._dual import capped

NEGLIGIBLE = 1e-8  # of the gradient at zero, or of the objective there: what is less is no unit


def objective(losses, graph, penalty, alpha, alpha_fuse, W, U, O):  # noqa: E741
    """The objective, of which `penalty` (None: no outlier part) is that of O in units of alpha."""
    lengths = row_norms(graph.differences(U))
    value = losses.values(W).sum() + alpha / 2 * ((W - U - O) ** 2).sum()
    value += alpha_fuse * (graph.r @ lengths)
    return float(value if penalty is None else value + alpha * penalty.value(O))


def first_order_residual(losses, graph, penalty, alpha, alpha_fuse, W, U, O, edge_dual):  # noqa: E741
    """Norm of what is left of the first-order conditions, relative to the gradient at zero.

    Along an edge the dual may be any vector of length b r_e at most, but where its ends differ
    it must point along them: what lacks there is counted relative to the objective's fusion term,
    in which lengths weigh a negligible part of the gradient at zero at least.
    """
    f = capped(edge_dual, alpha_fuse)
    pull = alpha * (W - U - O)
    parts = [losses.gradients(W) + pull, graph.divergence(f) - pull]
    if penalty is not None:
        slope = alpha * penalty.slopes(O)
        norms = row_norms(O)
        out = norms > 0
        direction = O[out] / norms[out, None]
        parts.append(pull[out] - slope[out, None] * direction)
        parts.append(np.maximum(row_norms(pull[~out]) - slope[~out], 0.0))
    residual = np.sqrt(sum((part**2).sum() for part in parts)) / (losses.scale or 1.0)
    D = graph.differences(U)
    lengths = row_norms(D)
    lack = graph.r @ np.abs(alpha_fuse * lengths - (f * D).sum(axis=1))
    whole = alpha_fuse * (graph.r @ lengths) + NEGLIGIBLE * losses.scale * lengths.sum()
    return float(max(residual, lack / (whole or 1.0)))


def relative_gap(losses, excess, value):
    """An excess relative to the objective, or to a negligible part of that without features."""
    return max(excess, 0.0) / (max(value, NEGLIGIBLE * losses.null_value) or 1.0)
