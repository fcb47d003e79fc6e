"""Inputs built by definition, and an instance of every public estimator."""

import inspect

import numpy as np
from sklearn.base import is_classifier
from sklearn.linear_model import LogisticRegression, Ridge

import skmtl
from skmtl.balancing import SharpnessAware
from skmtl.penalties import L21

INNER = {  # wrappers do not construct without an argument
    "IndependentTasks": ("estimator", Ridge),
    "PooledTasks": ("estimator", Ridge),
    "TargetScaler": ("regressor", skmtl.MultiTaskRidge),
}
VARIANTS = {  # parameters that take other routes through the code than the defaults
    "MultiTaskBayesianRidge": {
        "shared": {"covariance": "shared", "noise": "common", "tol": 1e-12},
        "low-rank": {
            "covariance": "low_rank",
            "noise": "diagonal",
            "rank": 1,
            "max_iter": 20000,
            "tol": 1e-9,
        },
        "independent": {"covariance": "diagonal", "noise": "diagonal"},
    },
    "MultiTaskRidge": {
        "shrunk": {"alpha_shared": 0.5, "alpha_specific": 3.0, "alpha_intercept": 2.0},
        "pooled": {"alpha_specific": np.inf, "alpha_intercept": np.inf},
        "independent": {"alpha_shared": np.inf},
        "no-intercept": {"fit_intercept": False},
        "dual": {"solver": "dual", "alpha_intercept": 0.3},
        "cg": {"solver": "cg", "tol": 1e-13},
        "balanced": {"task_weight": "balanced"},
    },
    "MultiTaskLinearRegressor": {
        "huber": {"loss": "huber", "tol": 1e-12},
        "newton": {"solver": "newton-cg", "tol": 1e-12},  # graphs, which know tasks apart, have
        "l21": {"penalty": L21(2.0), "tol": 1e-12},  # tests of their own
        "no-intercept": {"penalty": L21(2.0), "fit_intercept": False, "tol": 1e-12},
    },
    "MultiTaskLogisticRegression": {
        "shrunk": {"alpha_shared": 0.5, "alpha_specific": 3.0, "alpha_intercept": 2.0},
        "pooled": {"alpha_specific": np.inf, "alpha_intercept": np.inf},
        "independent": {"alpha_shared": np.inf},
        "no-intercept": {"fit_intercept": False},
        "newton-cg": {"solver": "newton-cg", "tol": 1e-12, "alpha_intercept": 0.3},
        "balanced": {"task_weight": "balanced", "class_weight": "balanced"},
    },
    "MultiTaskLogisticRegressionCV": {"alo": {"criterion": "alo"}},
    "MultiTaskRidgeClassifier": {
        "shrunk": {"alpha_shared": 0.5, "alpha_specific": 3.0, "alpha_intercept": 2.0},
        "balanced": {"task_weight": "balanced", "class_weight": "balanced"},
    },
    "MultiTaskRidgeCV": {
        "evidence": {"criterion": "evidence"},
        "per-task": {"per_task": True, "alphas_intercept": [0.0]},
    },
    "MultiTaskPerceptron": {
        "two-layers": {
            "hidden_layer_sizes": (8, 4),
            "activation": "tanh",
            "alpha_shared": np.inf,
            "task_weight": "balanced",
            "scale_targets": False,
        },
        "single-layer": {"hidden_layer_sizes": (), "solver": "sgd", "loss": "huber"},
        "one-head": {"hidden_layer_sizes": 6, "alpha_specific": np.inf},
        "nash": {"balancer": "nash", "gramian": "exact"},
        "uncertainty": {"balancer": "uncertainty", "update_every": 3},
        "f-mtl": {"perturbation": SharpnessAware(0.1), "balancer": "uncertainty"},
        "samo": {
            "perturbation": SharpnessAware(0.1, "samo"),
            "balancer": "mgda",
            "gramian": "exact",
        },
    },
    "MultiTaskRobustClustering": {
        "convex": {"penalty": "lasso", "alpha_fuse": 0.3, "alpha_outlier": 0.5},
        "no-outliers": {"penalty": "none", "alpha": 0.2, "n_neighbors": 1},
        "scad": {"penalty": "scad", "alpha_outlier": 0.6, "init": "convex"},
        "no-intercept": {"fit_intercept": False, "alpha_outlier": 20.0},
        "no-fusion": {"alpha_fuse": 0.0},
        "balanced": {"task_weight": "balanced", "alpha": 0.0},
    },
    "MultiTaskRobustClusteringClassifier": {
        "convex": {"penalty": "lasso", "alpha": 0.2, "alpha_fuse": 0.02, "alpha_outlier": 0.2},
        "balanced": {"alpha": 0.5, "alpha_fuse": 0.1, "class_weight": "balanced"},
    },
    "MultiTaskPerceptronClassifier": {
        "two-layers": {
            "hidden_layer_sizes": (8, 4),
            "activation": "logistic",
            "alpha_shared": np.inf,
            "task_weight": "balanced",
            "class_weight": "balanced",
        },
        "hinge": {"loss": "hinge", "hidden_layer_sizes": ()},
        "nash": {"balancer": "nash", "gramian": "exact"},
        "f-mtl": {"perturbation": SharpnessAware(0.1)},
    },
    "IndependentTasks": {
        "ours": {"estimator": skmtl.MultiTaskRidge(alpha_shared=2.0)},
        "classifier": {"estimator": LogisticRegression(solver="newton-cholesky", tol=1e-12)},
    },
    "PooledTasks": {
        "no-dummies": {"task_dummies": False},
        "ours": {"estimator": skmtl.MultiTaskRidge(alpha_shared=2.0), "task_dummies": False},
        "classifier": {"estimator": LogisticRegression(solver="newton-cholesky", tol=1e-12)},
    },
    "TargetScaler": {"unscaled": {"with_std": False}},
}
SMALL_GRIDS = {  # scikit-learn's checks also search by refits, a second for each 500 points
    "MultiTaskRidgeCV": {
        "alphas_shared": [1e-9, 1.0, np.inf],
        "alphas_specific": [1e-9, 1.0, np.inf],
        "alphas_intercept": [0.0, 1.0, np.inf],
    },
    "MultiTaskLogisticRegressionCV": {
        "alphas_shared": [1.0],
        "alphas_specific": [1e-3, np.inf],
        "alphas_intercept": [0.0, np.inf],
    },
    "MultiTaskRobustClusteringCV": {
        "alphas": [1.0],
        "alphas_fuse": [0.01, 0.3],
        "alphas_outlier": [2.0],
    },
}
# seeded; trained for a dozen epochs on all rows at once: weights are then frequencies, and rounding
# has no time to grow; where a dozen do not suffice, ENDED_EARLY is the warning
SHORT_TRAINING = {"random_state": 0, "tol": 1.0, "batch_size": 1000}
SHORT = dict.fromkeys(["MultiTaskPerceptron", "MultiTaskPerceptronClassifier"], SHORT_TRAINING)
SLOW = (
    "MultiTaskLogisticRegressionCV",
    "MultiTaskRobustClusteringCV",
)  # searched over a small grid in every test
SEARCHES = (
    "MultiTaskBayesianRidge",
    "MultiTaskRidgeCV",
    "MultiTaskLogisticRegressionCV",
    "MultiTaskRobustClusteringCV",
)  # their penalties depend on the data and on its format


def estimator_names():
    """Public estimators, in the order of `skmtl.__all__`."""
    return [name for name in skmtl.__all__ if inspect.isclass(getattr(skmtl, name))]


def make_estimator(name, **params):
    """An instance, wrappers around a ridge."""
    if name in INNER:
        parameter, inner = INNER[name]
        params = {parameter: inner()} | params
    if name in SLOW:
        params = SMALL_GRIDS[name] | params
    return getattr(skmtl, name)(**params)


def small_estimator(name):
    """An instance whose search, if it is one, has few points."""
    return make_estimator(name, **SMALL_GRIDS.get(name, {}))


def all_instances():
    """Instances of every estimator: id -> object, with defaults and in other ways."""
    instances = {name: make_estimator(name, **SHORT.get(name, {})) for name in estimator_names()}
    for name, variants in VARIANTS.items():
        if name in instances:
            for label, params in variants.items():
                params = SHORT.get(name, {}) | params
                instances[f"{name}-{label}"] = make_estimator(name, **params)
    return instances


def is_search(estimator):
    """Whether the fit chooses penalties, so that it may differ between wide and long data."""
    return type(estimator).__name__ in SEARCHES


def depends_on_folds(estimator):
    """Whether the fit draws folds of the rows, so that it depends on their order and number."""
    has_folds = takes(estimator, "cv") and not takes(estimator, "criterion")
    return has_folds or getattr(estimator, "criterion", None) == "cv"


def labels_for(estimator, Y):
    """Y, or classes 0 and 1 for a classifier: whether a label is above its task's median."""
    if not is_classifier(estimator):
        return Y
    return np.where(np.isnan(Y), np.nan, (Y > np.nanmedian(Y, axis=0)).astype(float))


def takes(estimator, parameter):
    """Whether the estimator, or what it wraps, has the parameter."""
    return any(name.split("__")[-1] == parameter for name in estimator.get_params())


def with_task_column(estimator, task_column, **params):
    """The estimator, or what it wraps, set to long data."""
    params = {"task_column": task_column} | params
    own = estimator.get_params()
    names = {
        key: key if key in own else f"{INNER[type(estimator).__name__][0]}__{key}" for key in params
    }
    return estimator.set_params(**{names[key]: value for key, value in params.items()})


def wide(n=40, p=4, n_tasks=3, *, noise=0.3, seed=0):
    """(X, Y): y_t = X (w0 + v_t) + b_t + noise, with v_t half as long as w0, all tasks complete."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * np.linspace(0.5, 2, p) + np.linspace(-1, 3, p)
    W = rng.normal(size=p) + 0.5 * rng.normal(size=(n_tasks, p))
    b = np.arange(n_tasks) * 4.0 - 2
    return X, X @ W.T + b + noise * rng.normal(size=(n, n_tasks))


def with_holes(Y, *, fraction=0.4, least=3, seed=1):
    """A copy of Y that lacks about this fraction, the first `least` rows complete."""
    rng = np.random.default_rng(seed)
    hidden = rng.random(Y.shape) < fraction
    hidden[:least] = False
    return np.where(hidden, np.nan, Y)


def one_label_a_row(Y, *, seed=2):
    """A copy of Y with one observed label in each row, tasks in random order."""
    rng = np.random.default_rng(seed)
    task = rng.permutation(np.arange(len(Y)) % Y.shape[1])
    return np.where(np.arange(Y.shape[1]) == task[:, None], Y, np.nan)


def as_long(X, Y, *, seed=3):
    """(table, y): a row for each label in random order, its task's number in the last column."""
    rng = np.random.default_rng(seed)
    row, task = np.nonzero(~np.isnan(Y))
    order = rng.permutation(len(row))
    row, task = row[order], task[order]
    return np.column_stack([X[row], task]), Y[row, task]


def long_queries(X, n_tasks):
    """Rows that ask for every task at every row of X, in the order of Y.ravel()."""
    return np.column_stack([np.repeat(X, n_tasks, axis=0), np.tile(np.arange(n_tasks), len(X))])


def frequencies(n, *, seed=4):
    """Whole weights, some of them zero, positive where tests need every task labelled."""
    weight = np.random.default_rng(seed).integers(0, 4, size=n)
    weight[:6] = [1, 2, 3, 1, 2, 1]
    return weight
