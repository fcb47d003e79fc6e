"""A new task: what `add_task` makes of few rows, beside the shared part and an own ridge."""

import copy
from pathlib import Path

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.preprocessing import StandardScaler

from skmtl import MultiTaskRidgeCV

from ._timing import print_table

ROWS = (0, 2, 5, 10, 20, 40)
ALPHAS = np.logspace(-1, 5, 13)
NEW, REPEATS = 20, 5


def main(quick=False, data=None):
    """Learning curves of tasks that the model was not fitted to."""
    sources = {"simulated, 60 tasks": simulated}
    if data is not None:
        sources["school, 139 schools"] = lambda: school(Path(data))
    for title, load in sources.items():
        X, y, task = load()
        rows = learning_curve(X, y, task, repeats=2 if quick else REPEATS)
        columns = [
            "rows of the new task",
            "shared part",
            "add_task",
            "own ridge",
            "add_task - best other",
        ]
        print_table(
            f"{title}: explained variance on the other rows of {NEW} new tasks", columns, rows
        )


def simulated(n_tasks=60, n_rows=80, n_features=10):
    """Long data of tasks whose coefficients vary about common ones."""
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(n_tasks), n_rows)
    X = rng.normal(size=(len(task), n_features))
    W = rng.normal(size=n_features) + 0.4 * rng.normal(size=(n_tasks, n_features))
    y = (X * W[task]).sum(axis=1) + rng.normal(size=n_tasks)[task] + 2 * rng.normal(size=len(task))
    return X, y, task


def school(folder):
    table = np.load(folder / "school.npz")
    return table["X"][:, :-1].astype(float), table["y"], table["task"]


def learning_curve(X, y, task, repeats):
    """Rows of the table: means over repeats of 1 - SSE/SST, and the paired difference."""
    scores = np.array([one_repeat(X, y, task, seed) for seed in range(repeats)])
    for k, n_rows in enumerate(ROWS):
        means, best_other = scores[:, k].mean(axis=0), np.nanmax(scores[:, k][:, [0, 2]], axis=1)
        gain = scores[:, k, 1] - best_other
        se = gain.std(ddof=1) / np.sqrt(repeats)
        yield [n_rows, *(f"{m:.3f}" for m in means), f"{gain.mean():+.3f} (s.e. {se:.3f})"]


def one_repeat(X, y, task, seed):
    """Scores (n_sizes, 3) of the shared part, add_task and an own ridge on held-out tasks."""
    rng = np.random.default_rng(seed)
    new = rng.choice(np.unique(task), NEW, replace=False)
    known = ~np.isin(task, new)
    scaler = StandardScaler().fit(X[known])
    Z = np.column_stack([task, scaler.transform(X)])
    model = MultiTaskRidgeCV(task_column=0, unknown_task="shared").fit(Z[known], y[known])
    orders = [rng.permutation(np.flatnonzero(task == t)) for t in new]
    return [_scores(model, Z, y, orders, n_rows) for n_rows in ROWS]


def _scores(model, Z, y, orders, n_rows):
    truth, predictions = [], [[], [], []]
    for order in orders:
        train, test = (
            order[: min(n_rows, len(order) // 2)],
            order[min(max(ROWS), len(order) // 2) :],
        )
        truth.append(y[test])
        predictions[0].append(model.predict(Z[test]))
        predictions[1].append(_adapted(model, Z, y, train, test))
        predictions[2].append(_own_ridge(Z, y, train, test))
    truth = np.concatenate(truth)
    total = ((truth - truth.mean()) ** 2).sum()
    return [1 - ((truth - np.concatenate(p)) ** 2).sum() / total for p in predictions]


def _adapted(model, Z, y, train, test):
    if len(train) == 0:
        return model.predict(Z[test])
    return copy.deepcopy(model).add_task(Z[train], y[train]).predict(Z[test])


def _own_ridge(Z, y, train, test):
    if len(train) < 3:
        return np.full(len(test), np.nan)
    return RidgeCV(ALPHAS).fit(Z[train, 1:], y[train]).predict(Z[test, 1:])
