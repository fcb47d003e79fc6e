"""The exact routes to one evidence, and the choice of the cheapest."""

from ._arrow import ArrowRoute
from ._eigen import EigenRoute
from ._kernel import KernelRoute
from ._primal import PrimalRoute
from ._separate import SeparateRoute

DEAR = 1e10  # flops of an evaluation, of which a fit of full covariances takes some thirty
LONGER = 3.0  # times as many evaluations take loadings
IMPOSSIBLE = 1e12


def routes_for(cells, ranks, *, diagonal):
    """(flops of an evaluation, function that makes the route) of every route that applies.

    Parameters
    ----------
    cells : Cells
    ranks : list of int or None
        Ranks of the loadings of the components, None for one without factors.
    diagonal : bool
        Whether R is.
    """
    one_weight = cells.row_weight is not None
    if len(cells.blocks) == 1 and cells.intercept != "shrunk":
        if one_weight:
            yield EigenRoute.flops(cells), lambda: EigenRoute(cells)
        if diagonal and ranks == [0]:
            yield SeparateRoute.flops(cells), lambda: SeparateRoute(cells)
    if diagonal or one_weight:
        yield KernelRoute.flops(cells), lambda: KernelRoute(cells)
        cost = PrimalRoute.flops(cells, by_task=diagonal)
        yield cost, lambda: PrimalRoute(cells, by_task=diagonal)
    if diagonal and None not in ranks:
        yield ArrowRoute.flops(cells, ranks), lambda: ArrowRoute(cells)


def cheapest_route(cells, ranks, *, diagonal):
    """(flops, function) of the cheapest."""
    return min(routes_for(cells, ranks, diagonal=diagonal), key=lambda pair: pair[0])


def check_affordable(cost, cells, covariance, noise):
    """Refuse a full covariance of many tasks with rows of their own, and what would take hours."""
    T, q = cells.n_tasks, cells.Z.shape[1]
    structured = isinstance(covariance, str) and covariance != "full"
    if cost <= (IMPOSSIBLE if structured or noise == "full" else 2 * DEAR):
        return
    what = f"covariance={covariance!r}" if isinstance(covariance, str) else "an array as covariance"
    if structured and noise != "full":
        raise ValueError(
            f"{what} with noise={noise!r} takes {cost:.0e} operations an iteration for "
            f"{cells.n_cells} labels of {T} tasks and {q} features; use MultiTaskRidgeCV, or fewer "
            "rows or features."
        )
    raise ValueError(
        f"{what} with noise={noise!r} takes a system of {min(cells.n_cells, T * q)} unknowns an "
        f"iteration, and {T * (T + 1) // 2} covariances of {T} tasks would be learned from {q} "
        "features; use covariance='low_rank' or 'shared' with noise='diagonal' or 'common'."
    )
