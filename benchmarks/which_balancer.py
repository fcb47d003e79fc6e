"""Every balancer against equal weights and fixed weights that held-out rows choose: perceptrons.

Each contender is the same network, trained with early stopping on the same rows from the same
start.  An error is the mean squared error of a task, or 1 - AUC, on rows that no fit sees.
    delta_m    mean over tasks of the error saved relative to a network of the task's own, in %
    rank       mean over tasks and seeds of a contender's place among all, 1 being best
Standard errors are those of means over seeds; differences to equal weights are paired by seed.
"""

import warnings
from time import process_time
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import rankdata
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmtl import MultiTaskPerceptron, MultiTaskPerceptronClassifier
from skmtl.balancing import BALANCERS, SharpnessAware
from skmtl.metrics import multitask_mean_squared_error, multitask_roc_auc_score

from . import _tables
from ._timing import print_table
from .real import mean_se

N_SEEDS = 10
DRAWS = 8  # fixed weights that are tried
EQUAL, TUNED = "equal weights", f"fixed weights, best of {DRAWS + 1}"
OWN = "a network for each task"
NETWORK = {  # trained until held-out rows say stop; features are in one unit already
    "standardize": False,
    "learning_rate_init": 0.005,
    "early_stopping": True,
    "validation_fraction": 0.2,
    "n_iter_no_change": 20,
    "max_iter": 1000,
}
TOX21_EPOCHS = 30
COLUMNS = ["contender", "delta_m", "s.e.", "over equal", "s.e.", "rank", "s.e.", "epoch / plain"]


class Problem(NamedTuple):
    """Rows to fit to, rows to be judged by, and the network for them."""

    X: np.ndarray
    Y: np.ndarray
    X_test: np.ndarray
    Y_test: np.ndarray
    model: Any


class Setting(NamedTuple):
    """A title, and make(seed, folder) -> Problem."""

    title: str
    make: Any


def main(quick=False, data=None):
    """Print a table for each setting, and all balancers in all settings by their mean rank.

    `data` is the folder of the real tables; `quick` makes do with two seeds of the simulations.
    """
    warnings.simplefilter("ignore", ConvergenceWarning)
    tables = {}
    for setting in SIMULATED if quick else [*SIMULATED, *REAL]:
        try:
            found = [
                study(setting.make(seed, data), seed) for seed in range(2 if quick else N_SEEDS)
            ]
        except FileNotFoundError as error:
            print(f"\n{setting.title}: skipped, {error}")
            continue
        table = summary(found)
        print_table(f"{setting.title}, {len(found)} seeds", COLUMNS, rows_of(table))
        tables[setting.title.partition(",")[0]] = table
    print_table(
        "delta_m over equal weights (s.e.), and mean rank over settings",
        ["contender", *tables, "mean rank", "epoch / plain"],
        overall(tables),
    )


# what is fitted


def contenders(problem, seed):
    """Name -> unfitted network, first those that weigh by no balancer."""
    model = clone(problem.model).set_params(random_state=seed)
    yield EQUAL, model
    yield TUNED, clone(model).set_params(task_weight=tuned_weights(problem, model, seed))
    for name in sorted(BALANCERS):
        if name != "equal":
            yield name, clone(model).set_params(balancer=name)
    for mode in ("f_mtl", "samo"):
        stage = SharpnessAware(mode=mode)
        yield f"sharpness-aware, {mode}", clone(model).set_params(perturbation=stage)


def tuned_weights(problem, model, seed):
    """Those of equal weights and of draws from the simplex that held-out rows like best."""
    rng = np.random.default_rng(seed)
    T = problem.Y.shape[1]
    draws = np.vstack([np.ones(T), T * rng.dirichlet(np.ones(T), size=DRAWS)])
    train, held = next(ShuffleSplit(1, test_size=0.25, random_state=seed).split(problem.X))
    part = problem._replace(
        X=problem.X[train], Y=problem.Y[train], X_test=problem.X[held], Y_test=problem.Y[held]
    )
    found = np.array([errors(part, clone(model).set_params(task_weight=w)) for w in draws])
    return draws[np.nanmean(found / found[0], axis=1).argmin()]


def errors(problem, model):
    """Error of each task on the rows to be judged by."""
    model.fit(problem.X, problem.Y)
    if hasattr(model, "classes_"):
        P = model.predict_proba(problem.X_test)
        return 1 - multitask_roc_auc_score(problem.Y_test, P, multioutput="raw_values")
    found = model.predict(problem.X_test).reshape(problem.Y_test.shape)
    return multitask_mean_squared_error(problem.Y_test, found, multioutput="raw_values")


def own_errors(problem, seed):
    """Errors of networks that see one task each."""
    found = []
    for t in range(problem.Y.shape[1]):
        column = slice(t, t + 1)
        one = problem._replace(Y=problem.Y[:, column], Y_test=problem.Y_test[:, column])
        found.append(errors(one, clone(problem.model).set_params(random_state=seed))[0])
    return np.array(found)


class Trial(NamedTuple):
    """Errors (n_tasks,) and seconds an epoch of each contender, and errors of own networks."""

    errors: dict
    seconds: dict
    own: np.ndarray


def study(problem, seed):
    """The Trial of one seed."""
    found, seconds = {}, {}
    for name, model in contenders(problem, seed):
        start = process_time()
        found[name] = errors(problem, model)
        seconds[name] = (process_time() - start) / model.n_iter_
    return Trial(found, seconds, own_errors(problem, seed))


# what is printed


class Summary(NamedTuple):
    """Of one contender: a number for each seed."""

    delta: np.ndarray
    rank: np.ndarray
    seconds: np.ndarray


def summary(trials):
    """Name -> Summary."""
    names = list(trials[0].errors)
    E = np.array([[trial.errors[name] for name in names] for trial in trials])
    own = np.array([trial.own for trial in trials])[:, None]
    delta = 100 * np.nanmean((own - E) / own, axis=2)
    ranks = rankdata(E, axis=1, nan_policy="omit")
    rank = np.nanmean(ranks, axis=2)
    seconds = np.array([[trial.seconds[name] for name in names] for trial in trials])
    return {name: Summary(delta[:, k], rank[:, k], seconds[:, k]) for k, name in enumerate(names)}


def rows_of(table):
    """A row for each contender, the best first."""
    equal = table[EQUAL]
    for name, found in sorted(table.items(), key=lambda item: -item[1].delta.mean()):
        cells = [
            cell
            for values in (found.delta, found.delta - equal.delta, found.rank)
            for cell in signed(values)
        ]
        yield [name, *cells, f"{cost_of(table, name):.2f}"]


def cost_of(table, name):
    """CPU time of an epoch, relative to that under equal weights."""
    return np.median(table[name].seconds) / np.median(table[EQUAL].seconds)


def signed(values):
    """Mean and standard error as text."""
    mean, se = mean_se(values)
    return [f"{mean:+.2f}", se]


def overall(tables):
    """Gain over equal weights in each setting (s.e.), mean rank, and median cost of an epoch.

    The best mean rank comes first.
    """
    names = list(next(iter(tables.values())))
    ranks = {
        name: np.mean([table[name].rank.mean() for table in tables.values()]) for name in names
    }
    for name in sorted(names, key=ranks.get):
        gains = [mean_se(table[name].delta - table[EQUAL].delta) for table in tables.values()]
        cells = [f"{mean:+.1f} ({float(se):.1f})" for mean, se in gains]
        cost = np.median([cost_of(table, name) for table in tables.values()])
        yield [name, *cells, f"{ranks[name]:.1f}", f"{cost:.1f}"]


# simulated tasks


def features(rng, n, n_features=10, n_hidden=20):
    """X (n, n_features) and smooth functions of it, (n, n_hidden)."""
    X = rng.normal(size=(n, n_features))
    A = np.random.default_rng(0).normal(size=(n_features, n_hidden)) / np.sqrt(n_features)
    return X, np.tanh(2 * X @ A)


def simulated(seed, W, noise, scale, model, n=300, n_test=2000):
    """Problem of tasks F W: the rows that judge have no noise."""
    rng = np.random.default_rng([seed, len(W)])
    X, F = features(rng, n + n_test)
    signal = F @ W
    signal /= signal.std(axis=0)
    Y = (signal[:n] + noise * rng.normal(size=(n, W.shape[1]))) * scale
    return Problem(X[:n], Y, X[n:], signal[n:] * scale, model)


def related(seed, n_tasks, n_hidden=20):
    """Weights (n_hidden, n_tasks) of tasks that share a part."""
    rng = np.random.default_rng([seed, 1])
    return rng.normal(size=(n_hidden, 1)) + rng.normal(size=(n_hidden, n_tasks))


def label_noise(seed, _):
    noise = np.array([3.0, 0.3, 0.3, 0.3])
    return simulated(seed, related(seed, 4), noise, 1.0, MultiTaskPerceptron((32,), **NETWORK))


def badly_scaled(seed, _):
    scale = 10.0 ** np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    model = MultiTaskPerceptron((32,), scale_targets=False, **NETWORK)
    return simulated(seed, related(seed, 5), 0.3, scale, model)


def conflicting(seed, _):
    """Two groups that want opposite things of a trunk of four units."""
    W = related(seed, 4)
    W[:, 2:] = -W[:, 2:] + np.random.default_rng([seed, 2]).normal(size=(20, 2))
    return simulated(seed, W, 0.3, 1.0, MultiTaskPerceptron((4,), **NETWORK))


# real tables


def split(X, Y, seed, size, transformer, model, groups=None):
    """Problem of a random part of the rows, X transformed by what they teach."""
    splitter = ShuffleSplit if groups is None else GroupShuffleSplit
    train, test = next(splitter(1, train_size=size, random_state=seed).split(X, Y, groups))
    transformer.fit(X[train])
    return Problem(
        transformer.transform(X[train]), Y[train], transformer.transform(X[test]), Y[test], model
    )


def enb(seed, folder):
    X, Y, _ = _tables.enb(folder)
    return split(X, Y, seed, 0.75, StandardScaler(), MultiTaskPerceptron((64,), **NETWORK))


def arabidopsis(seed, folder):
    X, Y, _ = _tables.arabidopsis(folder)
    transformer = make_pipeline(SimpleImputer(), StandardScaler())
    model = MultiTaskPerceptron((32,), alpha=10.0, **NETWORK)
    return split(X, Y, seed, 80, transformer, model)


def tox21(seed, folder):
    """A quarter of the molecules to fit to, for a fixed number of epochs; bits are not scaled.

    Held-out rows say stop by accuracy, which tells little where positive labels are rare.
    """
    X, Y, molecule = _tables.tox21(folder)
    rows = np.random.default_rng(seed).permutation(len(X))[:4000]
    model = MultiTaskPerceptronClassifier(
        (32,), alpha=10.0, max_iter=TOX21_EPOCHS, n_iter_no_change=TOX21_EPOCHS
    )
    X = X[rows].astype(np.float32)
    return split(
        X,
        Y[rows],
        seed,
        0.5,
        StandardScaler(with_mean=False, with_std=False),
        model,
        molecule[rows],
    )


SIMULATED = [
    Setting("label noise, in one task of four", label_noise),
    Setting("unequal units, losses from 1e-2 to 1e2", badly_scaled),
    Setting("conflict, of two groups over four hidden units", conflicting),
]
REAL = [
    Setting("enb, 75 % of the rows", enb),
    Setting("arabidopsis, 80 lines", arabidopsis),
    Setting("tox21, 2000 molecules", tox21),
]
