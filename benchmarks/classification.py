"""Real tables with classes: MultiTaskLogisticRegressionCV and simple models on the same splits.

Landmine: long data, about 6 % positive, from 20 rows a task on. Tox21: twelve assays, labels
missing, molecules with the same fingerprint never on both sides of a split.
"""

import warnings
from time import process_time

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GroupShuffleSplit

from skmtl import MultiTaskLogisticRegression, MultiTaskLogisticRegressionCV
from skmtl.baselines import IndependentTasks, PooledTasks
from skmtl.metrics import multitask_log_loss, multitask_roc_auc_score
from skmtl.model_selection import MultiTaskKFold, MultiTaskShuffleSplit, compare

from . import _tables
from ._timing import print_table
from .logistic import bins_of
from .real import mean_se, rows_of

ROWS = (20, 40, 80, 160)
SPLITS, QUICK_SPLITS = 10, 2
LINEAR = ("pooled", "pooled + dummies", "independent", "independent, one alpha")
BINS = ["predicted", "labels", "mean prediction", "observed", "s.e."]


def main(quick=False, data=None):
    """Print the tables; `data` is their folder, `quick` makes do with two splits of landmine."""
    for show in (landmine,) if quick else (landmine, tox21):
        try:
            show(data, QUICK_SPLITS if quick else SPLITS)
        except FileNotFoundError as error:
            print(f"\n{show.__name__}: skipped, {error}")


def landmine(folder, n_splits):
    """AUC and log loss at several numbers of training rows, and how far from the best linear."""
    X, y, task = _tables.landmine(folder)
    forest = RandomForestClassifier(300, min_samples_leaf=5, random_state=0)
    summary = []
    for n in ROWS:
        cv = MultiTaskShuffleSplit(n_splits, n_per_task=n, random_state=0)
        own = {"random forest + dummies": PooledTasks(forest)}
        comparison = compare(X, y, task, cv=cv, estimators=own, classification=True)
        for result in (comparison, comparison.log_loss):
            print_table(
                f"landmine, {n} rows a task: {result.scoring}, {n_splits} splits",
                ["contender", "mean", "s.e.", "to best simple", "s.e.", "fit seconds"],
                rows_of(result),
            )
            print(result.verdict)
        summary.append(_to_best_linear(n, comparison))
    print_table(
        "landmine: mean AUC against the best linear model, chosen with hindsight",
        ["rows a task", "best linear", "it", "shared + specific", "difference", "s.e."],
        summary,
    )


def _to_best_linear(n, comparison):
    scores = comparison.scores
    best = max(LINEAR, key=lambda name: scores[name].mean())
    own = scores[comparison.reference]
    difference, se = mean_se(own - scores[best])
    means = [f"{values.mean():.4f}" for values in (scores[best], own)]
    return [n, best, *means, f"{difference:+.4f}", se]


def tox21(folder, n_splits, n_folds=3):
    """AUC and log loss of the assays; penalties chosen within the training molecules."""
    X, Y, molecule = _tables.tox21(folder)
    results, predicted, observed = {}, [], []
    for train, test in GroupShuffleSplit(min(n_splits, 3), random_state=0).split(X, Y, molecule):
        for name, model in _tox21_models(n_folds).items():
            start = process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                P = model.fit(X[train], Y[train]).predict_proba(X[test])
            seconds = process_time() - start
            auc = multitask_roc_auc_score(Y[test], P, multioutput="raw_values")
            loss = multitask_log_loss(Y[test], P)
            results.setdefault(name, []).append((auc, loss, seconds))
        seen = ~np.isnan(Y[test])  # P is of the last model, shared + specific
        predicted.append(np.stack([p[:, 1] for p in P], axis=1)[seen])
        observed.append(Y[test][seen])
    reference = np.array([auc for auc, _, _ in results["shared + specific"]])
    rows = []
    for name, found in results.items():
        aucs = np.array([auc for auc, _, _ in found])
        gap, se = mean_se((reference - aucs).mean(axis=0))
        losses, seconds = np.mean([each[1:] for each in found], axis=0)
        rows.append(
            [name, f"{aucs.mean():.4f}", f"{losses:.4f}", f"{gap:+.4f}", se, f"{seconds:.0f}"]
        )
    print_table(
        f"tox21, molecules split, {len(reference)} splits: means over 12 assays",
        ["model", "AUC", "log loss", "shared + specific to it", "s.e. over assays", "CPU seconds"],
        rows,
    )
    print_table(
        "tox21, shared + specific: predicted and observed share of active molecules",
        BINS,
        bins_of(np.concatenate(predicted), np.concatenate(observed)),
    )


def _tox21_models(n_folds):
    """Models of bits that are not scaled; the shared-plus-specific one last."""
    cv = MultiTaskKFold(n_folds, random_state=0)
    alphas = [100.0, 30.0, 10.0, 3.0]
    one_alpha = {"alphas_shared": [np.inf], "alphas_intercept": [0.1], "alphas_specific": alphas}
    grid = {"alphas_shared": [np.inf, 300.0, 30.0], "alphas_intercept": [0.1]}
    forest = RandomForestClassifier(200, min_samples_leaf=3, random_state=0)
    return {
        "random forest per task": IndependentTasks(forest),
        "independent, one alpha": MultiTaskLogisticRegressionCV(**one_alpha, cv=cv),
        "pooled slopes": MultiTaskLogisticRegression(30.0, np.inf),
        "shared + specific": MultiTaskLogisticRegressionCV(
            **grid, alphas_specific=[30.0, 10.0], cv=cv
        ),
    }
