"""Perceptrons with their defaults on raw tables, as a newcomer calls them, beside MLPRegressor's.

R2 of the training and of the test rows, means over the tasks and over random splits, the worst
split, and in how many of the splits a warning was given.
"""

import warnings

import numpy as np
from sklearn.datasets import load_diabetes, load_linnerud
from sklearn.model_selection import ShuffleSplit
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmtl import MultiTaskPerceptron
from skmtl.baselines import PooledTasks
from skmtl.metrics import multitask_r2_score

from . import _tables
from ._timing import print_table

COLUMNS = ["model", "train R2", "test R2", "worst", "warned", "iterations"]
N_SPLITS, QUICK_SPLITS = 5, 1


def main(quick=False, data=None):
    """Print a table for each data set; `data` is the folder of jura and enb."""
    for name, read in TABLES.items():
        try:
            X, y, task = read(data)
        except FileNotFoundError as error:
            print(f"\n{name}: skipped, {error}")
            continue
        n_splits = QUICK_SPLITS if quick else N_SPLITS
        title = f"{name}: {X.shape[0]} rows, {X.shape[1]} raw features, {n_splits} random splits"
        print_table(title, COLUMNS, rows_of(X, y, task, n_splits))


def linnerud(_):
    return *load_linnerud(return_X_y=True), None


def diabetes(_):
    return *load_diabetes(return_X_y=True, scaled=False), None


TABLES = {
    "linnerud": linnerud,
    "diabetes": diabetes,
    "grunfeld": _tables.grunfeld,
    "jura": _tables.jura,
    "enb": _tables.enb,
}
MODELS = {
    "MultiTaskPerceptron(standardize=False)": lambda seed: MultiTaskPerceptron(
        standardize=False, random_state=seed
    ),
    "MultiTaskPerceptron()": lambda seed: MultiTaskPerceptron(random_state=seed),
    "MLPRegressor()": lambda seed: MLPRegressor(random_state=seed),
    "StandardScaler, MLPRegressor()": lambda seed: make_pipeline(
        StandardScaler(), MLPRegressor(random_state=seed)
    ),
}


def rows_of(X, y, task, n_splits):
    """One row a model."""
    splits = list(ShuffleSplit(n_splits, test_size=0.25, random_state=0).split(X))
    for name, make in MODELS.items():
        found = [one_fit(make(seed), X, y, task, *rows) for seed, rows in enumerate(splits)]
        train, test, warned, iterations = np.array(found, dtype=float).T
        yield [
            name,
            f"{train.mean():.3f}",
            f"{test.mean():.3f}",
            f"{test.min():.3f}",
            f"{warned.sum():.0f} of {n_splits}",
            f"{iterations.mean():.0f}",
        ]


def one_fit(model, X, y, task, train, test):
    """(R2 of the training rows, of the test rows, whether it warned, iterations)."""
    table = X
    if task is not None:  # peers see the task as dummy variables
        table = np.column_stack([X, task])
        if not isinstance(model, MultiTaskPerceptron):
            model = PooledTasks(model)
        model.set_params(task_column=-1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(table[train], y[train])
    scores = (
        multitask_r2_score(
            y[rows], model.predict(table[rows]), task=None if task is None else task[rows]
        )
        for rows in (train, test)
    )
    return *scores, bool(caught), iterations_of(model)


def iterations_of(model):
    """n_iter_ of the network, which may be inside other estimators."""
    while not hasattr(model, "n_iter_"):
        model = model.steps[-1][1] if hasattr(model, "steps") else model.estimator_
    return model.n_iter_
