"""Real tables: MultiTaskRidgeCV and the simple models on the same splits; every result is printed.

Differences are paired, to the simple model that was best on these splits, chosen with hindsight.
"""

from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LassoCV, MultiTaskLassoCV, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmtl import MultiTaskRidgeCV
from skmtl.baselines import IndependentTasks, PooledTasks
from skmtl.metrics import average_relative_rmse
from skmtl.model_selection import Comparison, MultiTaskShuffleSplit, compare

from . import _tables
from ._shapes import hidden_cells
from ._timing import print_table

ALPHAS = np.logspace(-1, 5, 13)
SHORT = 0.005  # of explained variance
QUICK_SPLITS = 3
HIDDEN = (0.25, 0.5)  # shares of the cells of wheat


def minus_aRRMSE(estimator, X, y):
    """Minus the relative error, averaged over targets: larger is better."""
    return -average_relative_rmse(y, estimator.predict(X))


def impute():
    """Missing features by their mean over the training lines."""
    return make_pipeline(SimpleImputer(), StandardScaler())


def lassos():
    """Contenders for X with many more features than matter."""
    return {
        "lasso per target": IndependentTasks(LassoCV(max_iter=5000)),
        "MultiTaskLassoCV": MultiTaskLassoCV(max_iter=5000),
    }


class Case(NamedTuple):
    """A table, how it is split, and the options of `compare`."""

    title: str
    load: Callable
    n_splits: int
    split: dict
    options: dict = {}  # noqa: RUF012
    in_summary: bool = False


CASES = [
    Case("school, 15 rows a task", _tables.school, 10, {"n_per_task": 15}, {}, True),
    Case("school, 30 rows a task", _tables.school, 10, {"n_per_task": 30}, {}, True),
    Case("school, 75 % of the rows", _tables.school, 10, {"test_size": 0.25}, {}, True),
    Case("grunfeld, 4 rows a firm", _tables.grunfeld, 40, {"n_per_task": 4}, {}, True),
    Case("grunfeld, 6 rows a firm", _tables.grunfeld, 40, {"n_per_task": 6}, {}, True),
    Case("grunfeld, 10 rows a firm", _tables.grunfeld, 40, {"n_per_task": 10}, {}, True),
]
CASES += [
    Case(f"arabidopsis, 60 training lines, {what}", _tables.arabidopsis, 10, {"n_per_task": 60}, o)
    for what, o in [
        ("R2", {"transformer": impute()}),
        ("aRRMSE", {"transformer": impute(), "scoring": minus_aRRMSE, "estimators": lassos()}),
    ]
]
CASES += [
    Case(f"{load.__name__}, 75 % of the rows, {what}", load, 20, {"test_size": 0.25}, options)
    for load in (_tables.jura, _tables.enb)
    for what, options in [("R2", {}), ("aRRMSE", {"scoring": minus_aRRMSE})]
]


def main(quick=False, data=None):
    """Print a table for each case; `data` is the folder of the tables.

    `quick` makes do with three splits and leaves wheat out.
    """
    summary = []
    for case in CASES:
        try:
            comparison = run(case, data, QUICK_SPLITS if quick else case.n_splits)
        except FileNotFoundError as error:
            print(f"\n{case.title}: skipped, {error}")
            continue
        show(case.title, comparison)
        if case.in_summary:
            summary.append(summary_row(case.title, comparison))
    if not quick:
        wheat(data)
    print_table(
        f"Within {SHORT:g} of the best simple model?",
        ["case", "best simple", "it", "MultiTaskRidgeCV", "difference", "s.e.", "splits", "within"],
        summary,
    )


def run(case, folder, n_splits):
    """The Comparison of a case."""
    X, y, task = case.load(folder)
    cv = MultiTaskShuffleSplit(n_splits, random_state=0, **case.split)
    return compare(X, y, task, cv=cv, **case.options)


def show(title, comparison):
    """Print mean scores, paired differences to the best simple model, and the verdict."""
    print_table(
        f"{title}: {comparison.scoring}, {comparison.n_splits} splits",
        ["contender", "mean", "s.e.", "to best simple", "s.e.", "fit seconds"],
        rows_of(comparison),
    )
    print(comparison.verdict)


def rows_of(comparison):
    """One row a contender."""
    rows = []
    for row in comparison.to_dict()["table"]:
        name, own = row["model"], [f"{row[key]:.4f}" for key in ("mean", "se")]
        difference, its_se = difference_to_simple(comparison, name)
        gap = ["best", ""] if name == comparison.best_simple else [f"{difference:+.4f}", its_se]
        rows.append([name, *own, *gap, f"{row['fit_seconds']:.4f}"])
    return rows


def summary_row(title, comparison):
    """Whether the reference falls more than SHORT below the best simple model."""
    best, own = comparison.best_simple, comparison.reference
    difference, se = difference_to_simple(comparison, own)
    means = [f"{comparison.scores[name].mean():.4f}" for name in (best, own)]
    within = "yes" if difference >= -SHORT else "NO"
    return [title, best, *means, f"{difference:+.4f}", se, comparison.n_splits, within]


def difference_to_simple(comparison, name):
    """Mean paired difference of a contender to the best simple model, and its s.e. as text.

    The s.e. is corrected for the rows that splits share.
    """
    difference, se, _ = comparison.difference(name, comparison.best_simple)
    return difference, f"{se:.4f}"


def mean_se(values):
    """Mean of what is independent, and its standard error as text."""
    return values.mean(), f"{values.std(ddof=1) / len(values) ** 0.5:.4f}"


def wheat(folder, seeds=5):
    """Labels hidden at random: every line keeps one, the others are predicted from markers."""
    try:
        X, Y, _ = _tables.wheat(folder)
    except FileNotFoundError as error:
        print(f"\nwheat: skipped, {error}")
        return
    for share in HIDDEN:
        comparison, correlations = compare_hidden(X, Y, share, seeds)
        title = f"wheat, {share:.0%} of the cells hidden"
        show(title, comparison)
        print_table(
            f"{title}: correlation in each environment",
            ["contender", *range(1, Y.shape[1] + 1)],
            [[name, *(f"{r:.3f}" for r in each)] for name, each in correlations.items()],
        )


def compare_hidden(X, Y, share, seeds):
    """Comparison of predictions of hidden cells, and each contender's correlations by column."""
    X, T = StandardScaler().fit_transform(X), Y.shape[1]
    models = {
        "pooled": PooledTasks(RidgeCV(ALPHAS), task_dummies=False),
        "independent": IndependentTasks(RidgeCV(ALPHAS)),
        "MultiTaskRidgeCV": MultiTaskRidgeCV(),
    }
    correlation = {name: np.empty((seeds, T)) for name in models}
    seconds = dict.fromkeys(models, 0.0)
    errors, total = {name: np.zeros(T) for name in models}, np.zeros(T)
    for seed in range(seeds):
        hidden = hidden_cells(Y.shape, share, np.random.default_rng(seed))
        total += np.sum(hidden * (Y - Y.mean(axis=0)) ** 2, axis=0)
        for name, model in models.items():
            start = perf_counter()
            model.fit(X, np.where(hidden, np.nan, Y))
            seconds[name] += (perf_counter() - start) / seeds
            predicted = model.predict(X)
            errors[name] += np.sum(hidden * (Y - predicted) ** 2, axis=0)
            correlation[name][seed] = [
                np.corrcoef(Y[rows, t], predicted[rows, t])[0, 1] for t, rows in enumerate(hidden.T)
            ]
    comparison = Comparison(
        scores={name: each.mean(axis=1) for name, each in correlation.items()},
        fit_seconds=seconds,
        task_scores={name: 1 - sse / total for name, sse in errors.items()},
        tasks=list(range(1, T + 1)),
        n_labels=np.full(T, len(Y)),
        reference="MultiTaskRidgeCV",
        simple=["pooled", "independent"],
        scoring="mean correlation",
        test_train_ratio=share / (1 - share),
    )
    return comparison, {name: each.mean(axis=0) for name, each in correlation.items()}
