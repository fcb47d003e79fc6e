"""Perceptrons on real tables, with and without balancers, against MLPRegressor, forests and ridge.

Differences are paired over the same splits. Every row is printed: of networks that train until
their objective stands still, are stopped by held-out rows, or have their `alpha` chosen by folds.
"""

import warnings
from time import process_time

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, GroupKFold, GroupShuffleSplit, KFold
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler

from skmtl import (
    MultiTaskLogisticRegressionCV,
    MultiTaskPerceptron,
    MultiTaskPerceptronClassifier,
)
from skmtl.baselines import IndependentTasks, PooledTasks
from skmtl.metrics import make_multitask_scorer, multitask_log_loss, multitask_roc_auc_score
from skmtl.model_selection import MultiTaskKFold

from . import _tables
from ._timing import print_table
from .real import Case, impute, mean_se, run

OURS = "perceptron"
BALANCERS = ("mgda", "excess_risk", "dibs", "uncertainty")
NETWORK = {"hidden_layer_sizes": (64,), "random_state": 0, "max_iter": 500}
ALPHAS = (1e-4, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5)
STOPPED, TUNED = "early stopping", "alpha by CV"
QUICK_SPLITS = 2
COLUMNS = ["contender", "mean", "s.e.", "to plain", "s.e.", "to best peer", "s.e.", "fit seconds"]
EPOCHS, BIT_ALPHAS = 30, (1e-4, 10.0, 30.0, 100.0, 300.0)  # of tox21


def main(quick=False, data=None):
    """Print a table for each case; `data` is the folder of the tables.

    `quick` makes do with two splits of enb and jura.
    """
    warnings.simplefilter("ignore", ConvergenceWarning)
    summary = []
    for case in CASES[:2] if quick else CASES:
        try:
            comparison = run(case, data, QUICK_SPLITS if quick else case.n_splits)
        except FileNotFoundError as error:
            print(f"\n{case.title}: skipped, {error}")
            continue
        title = f"{case.title}: {comparison.scoring}, {comparison.n_splits} splits"
        print_table(title, COLUMNS, rows_of(comparison))
        summary.append(summary_row(case.title, comparison))
    print_table(
        "The best perceptron and the best other model, both chosen with hindsight",
        ["case", "perceptron", "it", "other", "it", "difference", "s.e."],
        summary,
    )
    if not quick:
        try:
            tox21(data)
        except FileNotFoundError as error:
            print(f"\ntox21: skipped, {error}")


# contenders


def networks(make, name):
    """Name and network of `make(**options)`, the second stopped by held-out rows."""
    yield name, make()
    yield f"{name}, {STOPPED}", make(early_stopping=True)


def perceptrons():
    """MultiTaskPerceptron with and without balancers."""
    models = dict(networks(perceptron, OURS))
    models[f"{OURS}, {TUNED}"] = tuned(perceptron(), "alpha")
    for balancer in BALANCERS:
        models |= networks(
            lambda balancer=balancer, **options: perceptron(balancer=balancer, **options),
            f"{OURS}, {balancer}",
        )
    return models


def perceptron(**options):
    return MultiTaskPerceptron(**NETWORK, **options)


def peer(early_stopping=False):
    """MLPRegressor that stops by the same rule: its objective has half the squared error."""
    tol = 1e-4 if early_stopping else 0.5e-4
    return MLPRegressor(**NETWORK, early_stopping=early_stopping, tol=tol)


def tuned(model, parameter):
    """The model with its `alpha` chosen by three folds of the training rows."""
    return GridSearchCV(model, {parameter: ALPHAS}, cv=KFold(3, shuffle=True, random_state=0))


def wide_contenders():
    """Perceptrons, and peers of many outputs; `compare` scales X and the targets."""
    peers = dict(networks(peer, "MLPRegressor"))
    peers[f"MLPRegressor, {TUNED}"] = tuned(peer(), "alpha")
    forest = RandomForestRegressor(100, random_state=0)
    peers |= {
        "random forest": forest,
        "random forest per task": IndependentTasks(forest),
        "pooled": None,
        "pooled + dummies": None,
        "independent, one alpha": None,
    }
    return perceptrons() | peers


def long_contenders():
    """Perceptrons, and peers of one output that see the task as dummies, or one of each task."""

    def pooled_network(**options):
        scaled = TransformedTargetRegressor(peer(**options), transformer=StandardScaler())
        return PooledTasks(scaled)

    peers = dict(networks(pooled_network, "MLPRegressor + dummies"))
    alpha = "estimator__regressor__alpha"
    peers[f"MLPRegressor + dummies, {TUNED}"] = tuned(pooled_network(), alpha)
    forest = RandomForestRegressor(100, min_samples_leaf=5, random_state=0)
    peers |= {
        "random forest + dummies": PooledTasks(forest),
        "random forest per task": IndependentTasks(forest),
        "independent, one alpha": None,
    }
    return perceptrons() | peers


WIDE = {"estimators": wide_contenders()}
CASES = [
    Case("enb, 75 % of the rows", _tables.enb, 5, {"test_size": 0.25}, WIDE),
    Case("jura, 75 % of the rows", _tables.jura, 5, {"test_size": 0.25}, WIDE),
    Case(
        "arabidopsis, 60 training lines",
        _tables.arabidopsis,
        5,
        {"n_per_task": 60},
        WIDE | {"transformer": impute()},
    ),
    Case(
        "school, 30 rows a task",
        _tables.school,
        2,
        {"n_per_task": 30},
        {"estimators": long_contenders()},
    ),
]


# tables


def rows_of(comparison):
    """One row a contender: its paired differences to the plain perceptron and the best peer."""
    scores = comparison.scores
    best = best_of(scores, ours=False)
    rows = []
    for name, values in scores.items():
        mean, se = mean_se(values)
        gaps = [cell for base in (OURS, best) for cell in gap(scores, name, base)]
        rows.append([name, f"{mean:.4f}", se, *gaps, f"{comparison.fit_seconds[name]:.3f}"])
    return rows


def gap(scores, name, base):
    """Mean paired difference to the contender `base` and its s.e., as text."""
    if name == base:
        return ["", ""]
    difference, se = mean_se(scores[name] - scores[base])
    return [f"{difference:+.4f}", se]


def best_of(scores, ours):
    """The contender of the largest mean, among the perceptrons or among the others."""
    names = [name for name in scores if name.startswith(OURS) == ours]
    return max(names, key=lambda name: scores[name].mean())


def summary_row(title, comparison):
    """The best perceptron beside the best other model."""
    scores = comparison.scores
    own, peer = best_of(scores, ours=True), best_of(scores, ours=False)
    means = [f"{scores[name].mean():.4f}" for name in (own, peer)]
    return [title, own, means[0], peer, means[1], *gap(scores, own, peer)]


# classes


def tox21(folder):
    """AUC and log loss of the assays on one split of the molecules; `alpha` by folds of them."""
    X, Y, molecule = _tables.tox21(folder)
    X = X.astype(np.float32)
    train, test = next(GroupShuffleSplit(1, random_state=0).split(X, Y, molecule))
    folds = list(GroupKFold(3).split(X[train], Y[train], molecule[train]))
    found = {}
    for name, model in tox21_models(folds).items():
        start = process_time()
        P = model.fit(X[train], Y[train]).predict_proba(X[test])
        seconds = process_time() - start
        auc = multitask_roc_auc_score(Y[test], P, multioutput="raw_values")
        found[name] = auc, multitask_log_loss(Y[test], P), seconds
    aucs = {name: auc for name, (auc, _, _) in found.items()}
    best = best_of(aucs, ours=False)
    print_table(
        f"tox21, molecules split once: means over {Y.shape[1]} assays, s.e. over assays",
        ["model", "AUC", "log loss", "AUC to plain", "s.e.", "to best peer", "s.e.", "CPU seconds"],
        [
            [
                name,
                f"{auc.mean():.4f}",
                f"{loss:.4f}",
                *gap(aucs, name, OURS),
                *gap(aucs, name, best),
                f"{seconds:.1f}",
            ]
            for name, (auc, loss, seconds) in found.items()
        ],
    )


def tox21_models(folds):
    """Models of bits that are not scaled."""
    scorer = make_multitask_scorer("roc_auc")

    def tuned_bits(model):
        return GridSearchCV(model, {"alpha": BIT_ALPHAS}, scoring=scorer, cv=folds)

    network = NETWORK | {"max_iter": EPOCHS, "standardize": False}
    models = {}
    for balancer in (None, *BALANCERS):
        model = MultiTaskPerceptronClassifier(balancer=balancer, **network)
        name = OURS if balancer is None else f"{OURS}, {balancer}"
        models[name] = model
        models[f"{name}, {TUNED}"] = tuned_bits(model)
    forest = RandomForestClassifier(100, min_samples_leaf=3, random_state=0)
    models["random forest per task"] = IndependentTasks(forest)
    models["MultiTaskLogisticRegressionCV"] = MultiTaskLogisticRegressionCV(
        alphas_shared=[300.0, 30.0],
        alphas_specific=[30.0, 10.0],
        alphas_intercept=[0.1],
        cv=MultiTaskKFold(3, random_state=0),
    )
    return models
