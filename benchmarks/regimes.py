"""Shapes of data that need a path of their own: missing labels, wide X, many or unequal tasks."""

import numpy as np
from sklearn.linear_model import Ridge

from skmtl import MultiTaskRidge
from skmtl._moments import long_moments

from ._data import common_rows, own_rows
from ._memory import peak_bytes
from ._peers import independent_ridges
from ._shapes import unequal_rows, with_missing
from ._timing import interleaved, print_table

MISSING = 0.2
MASKED = [(20, 300, 100), (50, 500, 200), (10, 2000, 100)]


def main(quick=False):
    """Print the tables; `quick` leaves out what takes more than seconds."""
    print_table(
        "Common design, 20 % of the labels missing: peers' time over that of MultiTaskRidge.fit",
        ["(T,n,p)", "ours ms", "per-task loop ms", "ratio", "T Ridge fits ms", "ratio"],
        list(missing_labels(quick)),
    )
    print_table(
        "Extreme shapes: a Ridge fit for each task over MultiTaskRidge.fit, and peak memory",
        ["case", "ours ms", "peer ms", "ratio", "ours MB", "peer MB", "data MB"],
        list(extremes(quick)),
    )
    print_table(
        "Streams: time of the peer over that of partial_fit, and peak memory beyond the data",
        ["case", "ours ms", "peer ms", "ratio", "ours MB", "peer MB", "data MB"],
        list(streams(quick)),
    )


def missing_labels(quick):
    """The loop over tasks is MultiTaskRidge on the same labels as long rows."""
    for T, n, p in MASKED[: 1 if quick else None]:
        X, Y = with_missing(*common_rows(T, n, p), MISSING)
        task, row = np.nonzero(~np.isnan(Y.T))
        Z, y = np.column_stack([X[row], task]), Y[row, task]
        model, loop = MultiTaskRidge(1.0, 2.0), MultiTaskRidge(1.0, 2.0, task_column=p)
        assert np.abs(model.fit(X, Y).coef_ - loop.fit(Z, y).coef_).max() < 1e-6
        ours, looped, ridges = interleaved(
            lambda: model.fit(X, Y),
            lambda: loop.fit(Z, y),
            lambda: ridge_per_column(X, Y),
            repeats=5,
        )
        yield [
            f"({T},{n},{p})",
            f"{1e3 * ours:.2f}",
            f"{1e3 * looped:.2f}",
            f"{looped / ours:.1f}",
            f"{1e3 * ridges:.2f}",
            f"{ridges / ours:.1f}",
        ]


def ridge_per_column(X, Y, alpha=1.0):
    """One Ridge for each column of Y, on the rows where it is observed."""
    observed = ~np.isnan(Y)
    return [Ridge(alpha).fit(X[rows], y[rows]) for rows, y in zip(observed.T, Y.T, strict=True)]


def extremes(quick):
    """Rows of the table, the largest cases last."""
    yield _own("T=1000 tasks of 20 rows, p=20", own_rows(1000, 20, 20))
    if quick:
        return
    sizes = np.geomspace(1, 1e5, 12).astype(int)
    yield _own(f"12 tasks of 1 to 1e5 rows, {sizes.sum()} in all, p=30", unequal_rows(sizes, 30))
    X, y, task = own_rows(5, 100, 20_000)
    yield _own("p=20000, 5 tasks of 100 rows", (X, y, task))
    X, Y = common_rows(5, 500, 20_000)
    yield _wide("p=20000, 500 rows, 5 labels each", X, Y)
    X, Y = with_missing(X, Y, MISSING)
    yield _wide("p=20000, 500 rows, 5 labels each, 20 % missing", X, Y)


def streams(quick):
    """Rows of the table: one pass over long data by partial_fit, and by a mask for each task."""
    n, p, T = (100_000 if quick else 1_000_000), 50, 100
    rng = np.random.default_rng(0)
    task, y = rng.integers(0, T, n), rng.normal(size=n)
    Z = np.column_stack([rng.normal(size=(n, p)), task])

    def stream(n_batches):
        model = MultiTaskRidge(task_column=p)
        for rows in np.array_split(np.arange(n), n_batches):
            model.partial_fit(Z[rows[0] : rows[-1] + 1], y[rows[0] : rows[-1] + 1])

    def grams_by_mask():
        for t in range(T):
            rows = task == t
            X = Z[rows, :p]
            yield X.T @ X, X.T @ y[rows]

    what = f"{n} rows, p={p}, {T} tasks"
    X = np.ascontiguousarray(Z[:, :p])
    yield _row(
        f"{what}: the sums alone, Grams by a mask each",
        Z,
        lambda: long_moments(X, y, task, T),
        lambda: list(grams_by_mask()),
    )
    yield _row(
        f"{what}: one batch, Grams by a mask each",
        Z,
        lambda: stream(1),
        lambda: list(grams_by_mask()),
    )
    yield _row(
        f"{what}: ten batches, Grams by a mask each",
        Z,
        lambda: stream(10),
        lambda: list(grams_by_mask()),
    )
    ridges = lambda: independent_ridges(Z[:, :p], y, task)  # noqa: E731
    yield _row(f"{what}: one batch, Ridge by a mask each", Z, lambda: stream(1), ridges)


def _own(what, data):
    X, y, task = data
    Z = np.column_stack([X, task])
    model = MultiTaskRidge(1.0, 2.0, task_column=X.shape[1])
    return _row(what, Z, lambda: model.fit(Z, y), lambda: independent_ridges(X, y, task))


def _wide(what, X, Y):
    model = MultiTaskRidge(1.0, 2.0)
    return _row(what, X, lambda: model.fit(X, Y), lambda: ridge_per_column(X, Y))


def _row(what, X, ours, peer):
    seconds = interleaved(ours, peer, repeats=3)
    peaks = [peak_bytes(function) for function in (ours, peer)]
    return [
        what,
        *(f"{1e3 * time:.1f}" for time in seconds),
        f"{seconds[1] / seconds[0]:.2f}",
        *(f"{size / 1e6:.1f}" for size in (*peaks, X.nbytes)),
    ]
