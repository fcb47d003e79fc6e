"""The same fits under every OpenBLAS kernel, and with two threads: what changes, by rounding alone.

Coefficients are compared in units of the features' deviations and relative to the largest, at 1e-6
or the bound that the model's tolerance gives, and perceptrons by their losses; a model that warned
that it has not converged, or was refused in every run, passes.
"""

import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge

import skmtl
from skmtl.balancing import BALANCERS
from skmtl.penalties import L21

from ._kernels import environment, usable
from ._timing import print_table

LEAST = 1e-6
ALPHA = 0.1  # of the ridges under a balancer
GRADIENTS = dict.fromkeys(  # left where a descent ends, relative
    "aligned_mtl cagrad config dualproj fairgrad gradnorm imtl_g mgda nash task_tension "
    "upgrad".split(),
    1e-6,
)
VALUES = {  # relative change of the objective that the tolerance leaves
    "excess_risk": 1e-6,
    "MultiTaskBayesianRidge": 1e-5,
    "MultiTaskLinearRegressor l21": 1e-6,
    "MultiTaskRobustClustering": 1e-6,
    "MultiTaskRobustClusteringCV": 1e-6,
    "MultiTaskRobustClusteringClassifier": 1e-6,
}
POOLED = {"alpha_specific": np.inf, "alpha_intercept": np.inf}
# a dozen epochs, after which this tol ends training: over hundreds rounding grows without a bound
SHORT = {"random_state": 0, "hidden_layer_sizes": 8, "batch_size": 20, "tol": 1.0}
PARAMETERS = {
    "IndependentTasks": {"estimator": Ridge()},
    "PooledTasks": {"estimator": Ridge()},
    "TargetScaler": {"regressor": skmtl.MultiTaskRidge()},
    "MultiTaskLogisticRegressionCV": {
        "alphas_shared": [1.0],
        "alphas_specific": [1e-3, 1.0, np.inf],
        "alphas_intercept": [0.0, 1.0, np.inf],
    },
    "MultiTaskRobustClusteringCV": {
        "alphas": [1.0],
        "alphas_fuse": [0.01, 0.3],
        "alphas_outlier": [2.0],
    },
}
FEWER = {  # problems on which what is slow is tried: searches, and balancers of a thousand steps
    "MultiTaskLogisticRegressionCV": 8,
    "MultiTaskRobustClusteringCV": 8,
    "famo": 2,
    "group_dro": 2,
}
BALANCED_NETWORKS = 3  # problems on which every balancer trains a perceptron


class Model(NamedTuple):
    """An estimator, on the first so many problems."""

    name: str
    estimator: object
    n_problems: int | None = None


class Problem(NamedTuple):
    """A table and labels, some of them missing."""

    name: str
    X: np.ndarray
    Y: np.ndarray


def main(quick=False):
    """Print the table and exit with status 1 if a difference is too large to be rounding's."""
    kernels, reasons = usable()
    for name, reason in reasons.items():
        print(f"{name} is skipped: {reason}.")
    runs = [(kernel, 1) for kernel in kernels or [None]] + [(None, 2)]
    results = fits(runs, quick)
    names = [_run_name(*run) for run in runs]
    rows, failures = compare(results)
    print_table(
        f"Largest relative difference in {len(problems(quick))} problems, {', '.join(names)}",
        ["model", "compared", "warned", "refused", "worst", "allowed", "problem", "verdict"],
        rows,
    )
    if failures:
        sys.exit(f"{failures} models differ by more than rounding, without a warning.")


def _run_name(kernel, threads):
    return f"{kernel or 'the default'}{'' if threads == 1 else f' with {threads} threads'}"


# problems


def problems(quick=False):
    """Fixed problems: plain ones, then those in which rounding has been seen to decide."""
    few = slice(None, None, 4 if quick else None)
    return [Problem(name, *make(i)) for i, (name, make) in enumerate(CASES.items())][few]


def _table(seed, n=40, p=4, T=3, noise=1.0, spread=0.5):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    W = rng.normal(size=p) + spread * rng.normal(size=(T, p))
    return X, np.einsum("np,tp->nt", X, W) + noise * rng.normal(size=(n, T))


def _own(seed, **sizes):
    """Coefficients that have nothing in common."""
    return _table(seed, spread=10.0, **sizes)


def _gaps(seed, share=0.4):
    X, Y = _table(seed)
    hidden = np.random.default_rng(seed).random(Y.shape) < share
    hidden[:4] = False
    return X, np.where(hidden, np.nan, Y)


def _one_row(seed):
    X, Y = _table(seed, T=4)
    Y[1:, 3] = np.nan
    return X, Y


def _one_label_each(seed):
    X, Y = _table(seed, n=60)
    return X, np.where(np.arange(60)[:, None] % 3 == np.arange(3), Y, np.nan)


def _dependent(seed):
    X, Y = _table(seed)
    return np.column_stack([X, X[:, 0], X[:, 0] + X[:, 1]]), Y


def _constant(seed):
    X, Y = _table(seed)
    return np.column_stack([X, np.full(len(X), 3.0)]), Y


def _scaled(X_scales=1.0, Y_scales=1.0, **options):
    def make(seed):
        X, Y = _table(seed, **options)
        return X * X_scales, Y * Y_scales

    return make


def _copied(seed):
    X, Y = _table(seed)
    return X, Y[:, [0, 1, 1]]


def _large(seed):
    return _table(seed, n=400, p=40, T=5)


CASES = {
    "plain": _table,
    "noisy": _scaled(noise=5.0),
    "without noise": _scaled(noise=0.0),
    "one task": _scaled(T=1),
    "T=3, p=2": lambda seed: _own(seed, p=2),
    "T=4, p=2": lambda seed: _own(seed, p=2, T=4),
    "T=6, p=3": lambda seed: _own(seed, p=3, T=6),
    "T=p=3": lambda seed: _own(seed, p=3),
    "n < p": _scaled(n=15, p=25),
    "n = p": _scaled(n=12, p=12),
    "gaps": _gaps,
    "a task of one row": _one_row,
    "one label a row": _one_label_each,
    "dependent features": _dependent,
    "constant feature": _constant,
    "features 1e-6..1e6": _scaled(X_scales=[1e-6, 1.0, 1.0, 1e6]),
    "labels of 1e6": _scaled(Y_scales=1e6),
    "labels 1e-3..1e3": _scaled(Y_scales=[1e-3, 1.0, 1e3]),
    "a task twice": _copied,
    "n=400, p=40": _large,
}


# models


def models():
    """Every estimator, and the ridge and the perceptron under every balancer."""
    for name in skmtl.__all__:
        if isinstance(kind := getattr(skmtl, name), type):
            own = SHORT if "Perceptron" in name else PARAMETERS.get(name, {})
            yield Model(name, kind(**own), FEWER.get(name))
    l21 = skmtl.MultiTaskLinearRegressor(penalty=L21(ALPHA))
    yield Model("MultiTaskLinearRegressor l21", l21)
    for name, balancer in BALANCERS.items():
        if balancer.settles and not balancer.owns_direction:
            ridge = skmtl.MultiTaskRidge(ALPHA, balancer=name, **POOLED)
            yield Model(f"MultiTaskRidge {name}", ridge, FEWER.get(name))
        network = skmtl.MultiTaskPerceptron(**SHORT, balancer=name)
        yield Model(f"MultiTaskPerceptron {name}", network, BALANCED_NETWORKS)


def labels_for(estimator, Y):
    """Y, or whether a label is above its task's median."""
    if not is_classifier(estimator):
        return Y
    above = (Y > np.nanmedian(Y, axis=0)).astype(float)
    return np.where(np.isnan(Y), np.nan, above)


def allowed(name, X):
    """Relative difference that the tolerance leaves at the condition of the design, 1e-6 at least.

    A gradient of tol leaves tol k of the coefficients, and an objective, flat at its minimum, the
    root. Above 1 the tolerance does not determine those of the smallest features.
    """
    k = _condition(X)
    name = name.removeprefix("MultiTaskRidge ")
    return max(LEAST, GRADIENTS.get(name, 0.0) * k, np.sqrt(VALUES.get(name, 0.0) * k))


def _condition(X):
    squares = np.linalg.svd(X - X.mean(axis=0), compute_uv=False) ** 2
    smallest = squares[-1] if len(squares) == X.shape[1] else 0.0
    return (squares[0] + ALPHA) / (smallest + ALPHA)


# fits


def fits(runs, quick):
    """For each (kernel, threads) the fits in a process of its own: key -> (numbers, warned)."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{i}.npz" for i in range(len(runs))]
        command = [sys.executable, "-m", "benchmarks.kernels"]
        children = [
            subprocess.Popen([*command, str(path), *["quick"] * quick], env=environment(*run))
            for run, path in zip(runs, paths, strict=True)
        ]
        if any([child.wait() for child in children]):
            sys.exit("A process of the comparison failed.")
        return [dict(np.load(path)) for path in paths]


def fit_all(path, quick):
    """Write the numbers of every fit."""
    numbers = {}
    for number, problem in enumerate(problems(quick)):
        for model in models():
            if model.n_problems is None or number < model.n_problems:
                numbers[f"{model.name}|{problem.name}"] = np.append(*_fit(model, problem))
    np.savez(path, **numbers)


def _fit(model, problem):
    """(numbers, whether it warned that it did not converge); NaN if it is refused."""
    X, Y = problem.X, labels_for(model.estimator, problem.Y)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            fitted = model.estimator.fit(X, Y)
        except ValueError:
            return np.array([np.nan]), 0.0
    warned = any(issubclass(w.category, ConvergenceWarning) for w in caught)
    return _numbers(fitted, X), float(warned)


def _numbers(fitted, X):
    """Losses of a perceptron, coefficients in units of the deviations, or predictions."""
    if hasattr(fitted, "loss_curve_"):
        return np.nansum(fitted.loss_curve_[-1:], axis=1)
    if not hasattr(fitted, "coef_"):
        return np.asarray(fitted.predict(X), dtype=float).ravel()
    deviations = np.where(np.ptp(X, axis=0) > 0, X.std(axis=0), 1.0)
    return np.concatenate([np.ravel(W * deviations) for W in _as_list(fitted.coef_)])


def _as_list(W):
    return W if isinstance(W, list) else [W]


# the comparison


def compare(results):
    """(rows of the table, number of models that fail) for the fits of every run."""
    rows, failures, designs = [], 0, {problem.name: problem.X for problem in problems()}
    for model in models():
        kept = [key for key in results[0] if key.split("|")[0] == model.name]
        fits_of = [[result[key] for result in results] for key in kept]
        warned = [max(fit[-1] for fit in fit_runs) > 0 for fit_runs in fits_of]
        refused = [all(np.isnan(fit[0]) for fit in fit_runs) for fit_runs in fits_of]
        differences = [
            0.0 if out or said else _difference([fit[:-1] for fit in fit_runs])
            for fit_runs, out, said in zip(fits_of, refused, warned, strict=True)
        ]
        bounds = [allowed(model.name, designs[key.split("|")[1]]) for key in kept]
        over = np.greater(differences, bounds)
        worst = max(range(len(kept)), key=lambda i: (over[i], differences[i]))
        ok = differences[worst] <= bounds[worst]
        failures += not ok
        rows.append(
            [
                model.name,
                len(kept) - sum(map(bool, warned)) - sum(refused),
                sum(warned),
                sum(refused),
                f"{differences[worst]:.1e}",
                f"{bounds[worst]:.0e}",
                kept[worst].split("|")[1],
                "ok" if ok else "DIFFERS",
            ]
        )
    return rows, failures


def _difference(fits_of):
    """Largest distance between runs, relative to the largest number; infinite if one is refused."""
    if not all(np.isfinite(fit).all() for fit in fits_of):
        return np.inf
    values = np.array(fits_of)
    scale = np.abs(values).max()
    return float(np.ptp(values, axis=0).max() / scale) if scale > 0 else 0.0


if __name__ == "__main__":
    fit_all(sys.argv[1], "quick" in sys.argv[2:])
