"""Clusters and outlier tasks: the simulations of Okazaki and Kawano (2024), and real tables.

Every model chooses its strengths from the training rows alone; k-means is told the true number of
clusters. Outliers of a model are the tasks that it calls so, clusters are compared on the others.
"""

from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.linear_model import LassoCV, LogisticRegression, Ridge, RidgeCV
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV

from skmtl import (
    IndependentTasks,
    MultiTaskLogisticRegressionCV,
    MultiTaskRidgeCV,
    MultiTaskRobustClustering,
    MultiTaskRobustClusteringClassifier,
    MultiTaskRobustClusteringCV,
    PooledTasks,
)
from skmtl.datasets import make_clustered_tasks
from skmtl.metrics import make_multitask_scorer
from skmtl.model_selection import MultiTaskKFold, MultiTaskShuffleSplit

from . import _tables
from ._timing import interleaved, print_table

ALPHAS = np.logspace(-3, 3, 13)
PAPER = {
    "n_features": 100,
    "n_tasks": 150,
    "n_outliers": 30,
    "center_scale": 10.0,
    "spread": 1.0,
    "noise": 5**0.5,
}
PLANTED = {"n_features": 20, "n_tasks": 60, "n_outliers": 9}
CASES = {  # title -> (rows of a task, options, seeds, seeds if quick)
    "planted: 60 tasks, p = 20": (40, PLANTED, 10, 2),
    "planted, unrelated outliers": (40, PLANTED | {"outliers": "unrelated"}, 10, 0),
    "case 1: shifted on all features": (50, PAPER, 10, 0),
    "case 1: shifted on own features": (50, PAPER | {"outlier_features": "own"}, 10, 0),
    "case 2: unrelated": (50, PAPER | {"outliers": "unrelated"}, 10, 0),
    "no outliers": (50, PAPER | {"n_outliers": 0}, 10, 0),
}
TEST_ROWS = 100
MEASURES = ("NMSE", "coef RMSE", "ARI", "outliers found", "false ones")
FIRST_SEED = 5000  # none was looked at when defaults were chosen


def main(quick=False, data=None):
    """Print a table for each simulation, speed, and the real tables in the folder `data`."""
    for title, (n_rows, options, seeds, few) in CASES.items():
        seeds = few if quick else seeds
        if seeds:
            rows = list(simulate(n_rows, options, range(FIRST_SEED, FIRST_SEED + seeds)))
            columns = ["model", *(f"{name} (s.e.)" for name in MEASURES)]
            print_table(f"{title}, {n_rows} rows a task: means over {seeds} seeds", columns, rows)
    print_table(
        "Speed: one fit of MultiTaskRobustClustering over ridge for each task",
        ["T, n, p", "ours ms", "T Ridge fits ms", "ratio", "iterations"],
        [speed(*shape) for shape in ((60, 40, 20), (150, 50, 100), (1000, 40, 20))],
    )
    if data is None:
        print("\nschool and landmine: skipped, no folder given with --data")
        return
    n_splits, columns = 1 if quick else 3, ["clusters", "outliers"]
    print_table(
        "school, 75 % of the rows for training",
        ["model", "NMSE (s.e.)", *columns],
        school(*_tables.school(data), n_splits),
    )
    print_table(
        "landmine, as many negatives as positives, 75 % of the rows for training",
        ["model", "mean AUC (s.e.)", *columns],
        landmine(Path(data), n_splits),
    )


class KMeansRidge:
    """Ridge for each cluster that k-means finds among the ridges of the tasks."""

    def __init__(self, n_clusters):
        self.n_clusters = n_clusters

    def fit(self, Z, y):
        task = Z[:, 0].astype(int)
        own = np.array(
            [RidgeCV(ALPHAS).fit(Z[task == t, 1:], y[task == t]).coef_ for t in set(task)]
        )
        self.labels_ = KMeans(self.n_clusters, n_init=10, random_state=0).fit_predict(own)
        table = np.column_stack([self.labels_[task], Z[:, 1:]])
        self.model_ = IndependentTasks(RidgeCV(ALPHAS), task_column=0).fit(table, y)
        return self

    def predict(self, Z):
        return self.model_.predict(np.column_stack([self.labels_[Z[:, 0].astype(int)], Z[:, 1:]]))


def models():
    """Contenders by name."""
    return {
        "ridge for each task": IndependentTasks(RidgeCV(ALPHAS), task_column=0),
        "lasso for each task": IndependentTasks(LassoCV(cv=5, max_iter=5000), task_column=0),
        "pooled ridge": PooledTasks(RidgeCV(ALPHAS), task_column=0),
        "shared plus specific": MultiTaskRidgeCV(task_column=0),
        "k-means, 3 clusters": KMeansRidge(3),
        "convex clustering": MultiTaskRobustClusteringCV(penalty="none", task_column=0),
        "robust, lasso": MultiTaskRobustClusteringCV(penalty="lasso", task_column=0),
        "robust, MCP": MultiTaskRobustClusteringCV(task_column=0),
    }


def simulate(n_rows, options, seeds):
    """Rows of the table, one a model."""
    runs = [measures_of(n_rows, options, seed) for seed in seeds]
    for name in runs[0]:
        values = np.array([run[name] for run in runs])
        yield [name, *(mean_se(column) for column in values.T)]


def measures_of(n_rows, options, seed):
    """Name -> the MEASURES of a model on one draw."""
    X, y, task, cluster, coef, _ = make_clustered_tasks(
        n_rows + TEST_ROWS, common_design=False, return_coef=True, random_state=seed, **options
    )
    train = np.tile(np.arange(n_rows + TEST_ROWS) < n_rows, len(coef))
    Z = np.column_stack([task, X])
    found = {}
    for name, model in models().items():
        model.fit(Z[train], y[train])
        error = nmse(model, Z[~train], y[~train])
        rmse = np.sqrt(np.mean((slopes(model, coef.shape) - coef) ** 2))
        found[name] = [error, rmse, *recovery(getattr(model, "labels_", None), cluster)]
    return found


def nmse(model, Z, y):
    """Mean over tasks of the squared error over that of the task's mean."""
    error, task = (y - model.predict(Z)) ** 2, Z[:, 0]
    rows = [task == t for t in np.unique(task)]
    return np.mean([error[r].sum() / ((y[r] - y[r].mean()) ** 2).sum() for r in rows])


def slopes(model, shape):
    """Coefficients (n_tasks, n_features) of a linear model, from its predictions."""
    T, p = shape
    steps = np.tile(np.vstack([np.zeros(p), np.eye(p)]), (T, 1))
    values = model.predict(np.column_stack([np.repeat(np.arange(T), p + 1), steps]))
    values = values.reshape(T, p + 1)
    return values[:, 1:] - values[:, :1]


def recovery(labels, cluster):
    """ARI on the tasks in clusters, and the shares of outliers and others that are called so."""
    if labels is None:
        return [np.nan] * 3
    inside, flagged = cluster >= 0, labels < 0
    true = flagged[~inside].mean() if (~inside).any() else np.nan
    return [adjusted_rand_score(cluster[inside], labels[inside]), true, flagged[inside].mean()]


def mean_se(values):
    """Mean and standard error as text, of one value itself."""
    if np.isnan(values).any():
        return "-"
    if len(values) == 1:
        return f"{values[0]:.3f}"
    return f"{values.mean():.3f} ({values.std(ddof=1) / len(values) ** 0.5:.3f})"


def speed(n_tasks, n_rows, n_features):
    """Row of the table of times."""
    X, y, task, _ = make_clustered_tasks(
        n_rows, n_features, n_tasks, n_outliers=n_tasks // 10, common_design=False, random_state=0
    )
    Z, rows = np.column_stack([task, X]), [task == t for t in range(n_tasks)]
    model = MultiTaskRobustClustering(alpha_outlier=4.0, task_column=0)
    ours, ridges = interleaved(
        lambda: model.fit(Z, y), lambda: [Ridge().fit(X[r], y[r]) for r in rows], repeats=3
    )
    name = f"{n_tasks}, {n_rows}, {n_features}"
    return [name, f"{1e3 * ours:.1f}", f"{1e3 * ridges:.1f}", f"{ours / ridges:.2f}", model.n_iter_]


def school(X, y, task, n_splits):
    """Rows of the table: errors of test scores in 139 schools."""
    contenders = {k: m for k, m in models().items() if not k.startswith(("k-means", "lasso"))}
    return real(standardised(X, task), y, contenders, nmse, n_splits)


def landmine(folder, n_splits):
    """Rows of the table: ranks of the mines of 29 fields."""
    with np.load(folder / "landmine.npz", allow_pickle=False) as archive:
        X, y, task = archive["X"].astype(float), archive["y"].astype(int), archive["task"]
    rows, rng = [], np.random.default_rng(0)
    for t in np.unique(task):
        mines, others = (
            np.flatnonzero((task == t) & (y == 1)),
            np.flatnonzero((task == t) & (y < 1)),
        )
        rows += [*mines, *rng.choice(others, min(len(mines), len(others)), replace=False)]
    search = GridSearchCV(
        MultiTaskRobustClusteringClassifier(task_column=0, unknown_task="shared"),
        {"alpha": [0.02, 0.1], "alpha_fuse": [0.002, 0.02], "alpha_outlier": [0.1, 0.5]},
        cv=MultiTaskKFold(5, random_state=0, task_column=0),
        scoring=make_multitask_scorer("roc_auc"),
    )
    alone = GridSearchCV(LogisticRegression(max_iter=1000), {"C": np.logspace(-4, 4, 10)}, cv=3)
    contenders = {
        "logistic for each task": IndependentTasks(alone, task_column=0),
        "pooled logistic": PooledTasks(alone, task_column=0),
        "shared plus specific": MultiTaskLogisticRegressionCV(task_column=0),
        "robust, MCP": search,
    }
    auc = make_multitask_scorer("roc_auc")
    return real(standardised(X, task)[rows], y[rows], contenders, auc, n_splits)


def standardised(X, task):
    """Task ids beside the features that vary, in units of their standard deviations."""
    scale = X.std(axis=0)
    return np.column_stack([task, (X - X.mean(axis=0))[:, scale > 0] / scale[scale > 0]])


def real(Z, y, contenders, measure, n_splits):
    """Rows of the table: a measure on held-out rows, and what was found in the training rows."""
    cv = MultiTaskShuffleSplit(n_splits, test_size=0.25, random_state=0, task_column=0)
    measures, found = {name: [] for name in contenders}, {name: [] for name in contenders}
    for train, test in cv.split(Z, y):
        for name, contender in contenders.items():
            model = clone(contender).fit(Z[train], y[train])
            measures[name].append(measure(model, Z[test], y[test]))
            labels = getattr(getattr(model, "best_estimator_", model), "labels_", np.zeros(0, int))
            found[name].append([labels.max(initial=-1) + 1, (labels < 0).sum()])
    for name in contenders:
        counts = [", ".join(str(n) for n in column) for column in zip(*found[name], strict=True)]
        counts = counts if name.startswith(("convex", "robust")) else ["-", "-"]
        yield [name, mean_se(np.array(measures[name])), *counts]
