"""Defaults on tables in raw units, as a newcomer calls them, beside scikit-learn's.

R2 of the training and of the test rows, means over the tasks and over random splits, the worst
split, and in how many of the splits a warning was given.
"""

import warnings

import numpy as np
from sklearn.datasets import load_diabetes, load_linnerud
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import ShuffleSplit
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmtl import MultiTaskBayesianRidge, MultiTaskPerceptron, MultiTaskRidgeCV
from skmtl.baselines import PooledTasks
from skmtl.metrics import multitask_r2_score

from . import _tables
from ._timing import print_table

COLUMNS = ["model", "train R2", "test R2", "worst", "warned", "iterations"]
N_SPLITS, QUICK_SPLITS = 5, 1
ALPHAS = np.logspace(-3, 6, 19)


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


def incomes(_):
    """X (400, 3) of an income, an age and a share, y, site: the effects of the three are alike."""
    rng = np.random.default_rng(0)
    Z, site = rng.normal(size=(400, 3)), rng.integers(0, 8, 400)
    y = Z @ [1.0, 0.5, 0.8] + rng.normal(size=8)[site] + 0.4 * rng.normal(size=400)
    return Z * [8000.0, 10.0, 0.1] + [30000.0, 40.0, 0.5], y, site


TABLES = {
    "incomes": incomes,
    "linnerud": linnerud,
    "diabetes": diabetes,
    "grunfeld": _tables.grunfeld,
    "jura": _tables.jura,
    "enb": _tables.enb,
}
MODELS = {
    "MultiTaskRidgeCV(standardize=False)": lambda _: MultiTaskRidgeCV(standardize=False),
    "MultiTaskRidgeCV()": lambda _: MultiTaskRidgeCV(),
    "MultiTaskBayesianRidge(standardize=False)": lambda _: MultiTaskBayesianRidge(
        standardize=False
    ),
    "MultiTaskBayesianRidge()": lambda _: MultiTaskBayesianRidge(),
    "RidgeCV": lambda _: RidgeCV(ALPHAS),
    "StandardScaler, RidgeCV": lambda _: make_pipeline(StandardScaler(), RidgeCV(ALPHAS)),
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
            "" if np.isnan(iterations).any() else f"{iterations.mean():.0f}",
        ]


def one_fit(model, X, y, task, train, test):
    """(R2 of the training rows, of the test rows, whether it warned, iterations)."""
    table = X
    if task is not None:  # peers see the task as dummy variables
        table = np.column_stack([X, task])
        if "task_column" not in model.get_params():
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
    """n_iter_ of a model that iterates, which may be inside other estimators, else NaN."""
    if hasattr(model, "steps"):
        return iterations_of(model.steps[-1][1])
    if hasattr(model, "estimator_"):
        return iterations_of(model.estimator_)
    return getattr(model, "n_iter_", np.nan)
