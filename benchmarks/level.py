"""How often a comparison claims a difference where there is none, and finds a small real one.

Null designs are such that the models compared have equal expected scores: by symmetry, as
exchangeable features are all that tells them apart, or as the tasks are just so unlike that pooling
costs what it saves.  Splits, scores of halves, standard errors and verdicts are those of `compare`;
the models are closed forms, which makes thousands of comparisons cheap.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest

from skmtl.model_selection import Comparison, MultiTaskShuffleSplit
from skmtl.model_selection._resampled import label_ratio
from skmtl.model_selection._splits import halver, make_splits
from skmtl.model_selection._trial import LongTable

from ._timing import print_table

N_TASKS, WIDTH = 4, 3  # features of each block
N_SPLITS, N_SETS, QUICK_SETS = 40, 200, 20
N_DRAWN = 10  # draws of the splits
SETTINGS = [(24, 18), (96, 72), (24, 6)]  # rows of each task, and how many of them to train on
LEVELS = 0.02, 0.08  # the nominal one is 5 %
COLUMNS = [
    "models",
    "rows a task",
    "to train",
    "two plain s.e.",
    "verdicts",
    "its 95 % interval",
    "gains",
    "losses",
]
COLUMNS += ["s.e. / true", f"{LEVELS[0]:.0%} to {LEVELS[1]:.0%}"]


class Design(NamedTuple):
    """Data and models.

    draw : callable (rng, n, n_train) -> X, y, task
        n are the rows of each task, n_train how many of them are to train on.
    simple, reference : list of callable, callable (X, y, task, train) -> predictions of all rows
    score : callable (y_true, y_pred) -> float, or None for the explained variance
    """

    title: str
    draw: Callable
    simple: list
    reference: Callable
    score: Callable | None = None


def main(quick=False):
    """Print level and power; `quick` makes do with few data sets, which tell little."""
    n_sets = QUICK_SETS if quick else N_SETS
    print_table(
        f"Level: verdicts of a difference where there is none, of {n_sets} data sets",
        COLUMNS,
        [level_row(design, *rows, n_sets) for design in null_designs() for rows in SETTINGS],
    )
    print_table(
        f"Power: verdicts where the reference is better, of {n_sets} data sets, 75 % to train",
        ["mean gain", "rows a task", "gains", "losses", "no difference shown"],
        [power_row(weight, n, n_sets) for weight in (0.1, 0.2, 0.4) for n in (24, 96)],
    )


def level_row(design, n, n_train, n_sets):
    """A row of the table of levels."""
    found = simulate(design, n, n_train, n_sets)
    claims = np.mean([c.outcome != "no difference shown" for c in found])
    low, high = binomtest(round(claims * n_sets), n_sets).proportion_ci(method="exact")
    true = np.std([c.gain for c in found], ddof=1)
    return [
        design.title,
        n,
        n_train,
        f"{np.mean([beyond_two_plain_se(c) for c in found]):.1%}",
        f"{claims:.1%}",
        f"{low:.1%} to {high:.1%}",
        *(f"{np.mean([c.outcome == word for c in found]):.1%}" for word in ("a gain", "a loss")),
        f"{np.sqrt(np.mean([c.gain_se**2 for c in found])) / true:.2f}",
        "yes" if LEVELS[0] <= claims <= LEVELS[1] else "NO",
    ]


def power_row(weight, n, n_sets):
    """A row of the table of powers: the reference sees the features that matter more."""
    draw = partial(blocks, weights=[0.5, 0.5 + weight])
    design = Design("", draw, [ridge(0, 0.0)], ridge(1, 0.0))
    found = simulate(design, n, 3 * n // 4, n_sets)
    words = ("a gain", "a loss", "no difference shown")
    shares = [f"{np.mean([c.outcome == word for c in found]):.1%}" for word in words]
    return [f"{np.mean([c.gain for c in found]):.3f}", n, *shares]


def beyond_two_plain_se(comparison):
    """Whether the gain is more than two standard errors of splits taken for independent."""
    own, best = (comparison.scores[n] for n in (comparison.reference, comparison.best_simple))
    se = (own - best).std(ddof=1) / np.sqrt(comparison.n_splits)
    return abs((own - best).mean()) > 2 * se


def simulate(design, n, n_train, n_sets):
    """The Comparison of each data set."""
    return [compared(design, n, n_train, seed) for seed in range(n_sets)]


def compared(design, n, n_train, seed):
    """The Comparison of the models on one data set."""
    X, y, task = design.draw(np.random.default_rng(seed), n, n_train)
    table = LongTable(X, y, task, list(range(N_TASKS)))
    splits = splits_of(n, n_train, seed % N_DRAWN)
    models = {f"simple {k}": model for k, model in enumerate(design.simple)}
    models |= {"reference": design.reference}
    score = design.score or explained_variance
    found = {name: scores_of(score, model, table, splits) for name, model in models.items()}
    counts = (np.array([table.count(part[k]) for part in splits]) for k in (0, 1))
    return Comparison(
        scores={name: scores[:, 0] for name, scores in found.items()},
        half_scores={name: scores[:, 1:] for name, scores in found.items()},
        fit_seconds=dict.fromkeys(models, np.nan),
        task_scores={name: np.full(N_TASKS, np.nan) for name in models},
        tasks=table.tasks,
        n_labels=table.n_labels,
        reference="reference",
        simple=list(models)[:-1],
        scoring="score",
        test_train_ratio=label_ratio(*counts, by_task=False),
    )


@cache
def splits_of(n, n_train, number):
    """The splits of tasks of n rows: some draws of them serve all data sets in turn."""
    codes = np.repeat(np.arange(N_TASKS), n)
    table = LongTable(codes[:, None], np.zeros(len(codes)), codes, list(range(N_TASKS)))
    cv = MultiTaskShuffleSplit(N_SPLITS, n_per_task=n_train, random_state=number)
    return make_splits(cv, None, None, table.X, table, codes, None)


def scores_of(score, model, table, splits):
    """Scores on the test rows of each split and on two halves of them, of shape (n_splits, 3)."""
    halve, scores = halver(table.codes, None), np.empty((len(splits), 3))
    for k, (train, test) in enumerate(splits):
        predicted = model(table.X, table.y, table.codes, train)
        half = halve(test)
        parts = (test, test[half == 0], test[half == 1])
        scores[k] = [score(table.y[rows], predicted[rows]) for rows in parts]
    return scores


# models


def least_squares(X, y, penalty=0.0):
    """Coefficients of a ridge without intercept."""
    return np.linalg.solve(X.T @ X + penalty * np.eye(X.shape[1]), X.T @ y)


def ridge(k, strength):
    """One ridge for all tasks that sees the k-th block of features alone.

    The penalty is `strength` times the number of rows; 1 shrinks coefficients by half.
    """

    def predict(X, y, task, train):
        X = X[:, k * WIDTH : (k + 1) * WIDTH]
        return X @ least_squares(X[train], y[train], strength * len(train))

    return predict


def pooled(X, y, task, train):
    """One model for all tasks."""
    return X @ least_squares(X[train], y[train])


def independent(X, y, task, train):
    """A model for each task."""
    W = np.empty((N_TASKS, X.shape[1]))
    for t in range(N_TASKS):
        rows = train[task[train] == t]
        W[t] = least_squares(X[rows], y[rows])
    return (X * W[task]).sum(axis=1)


# data


def null_designs():
    """Designs in which no model is better than another."""
    alike, noise = (partial(blocks, weights=[weight] * 2) for weight in (0.5, 0.0))
    of_five, four = partial(blocks, weights=[0.5] * 5), [ridge(k, 0.0) for k in range(4)]
    return [
        Design("of equal merit", alike, [ridge(0, 0.0)], ridge(1, 0.0)),
        Design("unrelated to the truth", noise, [ridge(0, 1.0)], ridge(1, 1.0)),
        Design("pooled, independent", unlike_tasks, [pooled], independent, minus_squared_error),
        Design("best of four, all equal", of_five, four, ridge(4, 0.0)),
        Design("unrelated, no penalty", noise, [ridge(0, 0.0)], ridge(1, 0.0)),
        Design("of equal merit, shrunk by half", alike, [ridge(0, 1.0)], ridge(1, 1.0)),
    ]


def explained_variance(y_true, y_pred):
    """1 - SSE/SST, as `compare` scores long data."""
    return 1 - np.sum((y_true - y_pred) ** 2) / np.sum((y_true - y_true.mean()) ** 2)


def minus_squared_error(y_true, y_pred):
    """Larger is better."""
    return -np.mean((y_true - y_pred) ** 2)


def blocks(rng, n, _, weights):
    """Labels are sums of all features with the weight of their block, and noise."""
    X = rng.normal(size=(N_TASKS * n, WIDTH * len(weights)))
    y = X @ np.repeat(weights, WIDTH) + rng.normal(size=len(X))
    return X, y, np.repeat(np.arange(N_TASKS), n)


def unlike_tasks(rng, n, n_train):
    """Tasks with slopes 1 + U, as unlike as makes pooled and independent least squares equal."""
    X = rng.normal(size=(N_TASKS, n, WIDTH))
    y = np.einsum("tij,tj->ti", X, 1 + deviations(n_train)) + rng.normal(size=X.shape[:2])
    return X.reshape(-1, WIDTH), y.ravel(), np.repeat(np.arange(N_TASKS), n)


@cache
def deviations(n_train, n_draws=4000):
    """Deviations U (N_TASKS, WIDTH) with which both expected excess errors are the same.

    That of independent least squares is WIDTH / (n_train - WIDTH - 1), that of pooled ones is
    a + E tr (X'X)^-1, a being the mean of |u_t - (X'X)^-1 X'X U|^2, which grows with U squared.
    """
    rng = np.random.default_rng(0)
    U = rng.normal(size=(N_TASKS, WIDTH))
    U -= U.mean(axis=0)
    X = rng.normal(size=(n_draws, N_TASKS, n_train, WIDTH))
    grams = np.swapaxes(X, 2, 3) @ X
    inverse = np.linalg.inv(grams.sum(axis=1))
    w = np.einsum("dij,dtjk,tk->di", inverse, grams, U)
    a = ((U - w[:, None]) ** 2).sum(axis=2).mean()
    b = np.trace(inverse, axis1=1, axis2=2).mean()
    return U * np.sqrt((WIDTH / (n_train - WIDTH - 1) - b) / a)
