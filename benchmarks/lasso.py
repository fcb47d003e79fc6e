"""Joint selection of features against scikit-learn's MultiTaskLasso, at equal duality gap.

Both minimise the same objective; the gap is relative to that of the tasks' means.
"""

import numpy as np
from sklearn.linear_model import MultiTaskLasso

from skmtl import MultiTaskLinearRegressor
from skmtl.penalties import L21

from ._timing import RATIO_COLUMNS, interleaved, print_table, ratio_row

GAP = 1e-6
SIZES = [  # rows, features, tasks
    (100, 20, 5),
    (50, 200, 10),
    (200, 1000, 10),
    (1000, 200, 50),
    (200, 5000, 10),
]
SHARES = (0.5, 0.1, 0.02)  # of the least strength at which nothing is selected


def main(quick=False):
    """Print the table; `quick` leaves out the large cases."""
    columns = [*RATIO_COLUMNS[:-1], "features in use, difference"]
    print_table("One fit of L21", columns, rows(SIZES[:2] if quick else SIZES))


def rows(sizes):
    """Rows of ratios."""
    for n, p, T in sizes:
        rng = np.random.default_rng(0)
        X, W = rng.normal(size=(n, p)), np.zeros((p, T))
        W[:10] = rng.normal(size=(10, T))
        Y = X @ W + rng.normal(size=(n, T))
        centred = Y - Y.mean(axis=0)
        largest = L21().dual_norm(centred.T @ (X - X.mean(axis=0)))
        # theirs is relative to the sum of squares, ours to half of it
        tol = GAP / 2 * (centred**2).sum() / (Y**2).sum()
        for share in SHARES:
            alpha = share * largest
            model = MultiTaskLinearRegressor(penalty=L21(alpha), tol=GAP)
            peer = MultiTaskLasso(alpha / n, tol=tol, max_iter=100_000)
            times = interleaved(
                lambda m=model, X=X, Y=Y: m.fit(X, Y),
                lambda m=peer, X=X, Y=Y: m.fit(X, Y),
                repeats=3,
            )
            used = int((model.coef_ != 0).any(axis=0).sum())
            apart = abs(model.coef_ - peer.coef_).max() / abs(peer.coef_).max()
            note = f"{used}, {apart:.0e}"
            yield ratio_row(f"({n},{p},{T}) at {share:g}", *times, None, note)
