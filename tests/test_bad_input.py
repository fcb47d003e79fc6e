"""Bad input gets one sentence that names what is wrong, and leaves nothing half-fitted."""

from copy import deepcopy
from functools import cache

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from _properties import assert_not_fitted
from _samplers import INNER, estimator_names, make_estimator, takes
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge

from skmtl import _backend
from skmtl.balancing import SharpnessAware

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
N = 12
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(N, 3)), RNG.normal(size=(N, 2))
y = Y[:, 0]
LONG = np.column_stack([X, np.arange(N) % 3])
FRAME = pd.DataFrame(X, columns=list("uvw")).assign(site=list("abc") * 4)
REFUSED = (ValueError, TypeError)


def changed(array, index, value):
    array = np.array(array, dtype=float)
    array[index] = value
    return array


# name -> (arguments of fit, parameters, pattern of the message)
DATA = {
    "X infinite": ((changed(X, (1, 1), np.inf), Y), {}, "X contains infinity"),
    "X minus infinite": ((changed(X, (1, 1), -np.inf), Y), {}, "X contains infinity"),
    "X missing": ((changed(X, (1, 1), np.nan), Y), {}, "X contains NaN"),
    "X 3-D": ((X[:, :, None], Y), {}, "dim 3|3D"),
    "X 3-D, a table for each task": ((np.stack([X, X]), Y), {}, "X: .*(dim 3|3D)|3D.*X"),
    "X 1-D": ((X[:, 0], Y), {}, "2D array"),
    "X empty": ((X[:0], Y[:0]), {}, "0 sample"),
    "X without features": ((X[:, :0], Y), {}, "0 feature"),
    "X with names of two types": (
        (pd.DataFrame(X, columns=["u", 1, 2]), Y),
        {},
        "Feature names are only supported if all input features have string names",
    ),
    "X short": ((X[:5], Y), {}, "inconsistent numbers of samples: X has 5 rows and y 12"),
    "X text": ((np.array([["a", "b"]] * N), Y), {}, r"\bX\b"),
    "X with a text column": ((FRAME, Y), {}, r"\bX\b"),
    "X dates": ((X.astype("datetime64[s]"), Y), {}, "X holds dates"),
    "X masked": ((np.ma.masked_greater(X, 1), Y), {}, "X contains NaN"),
    "X complex": ((X + 1j, Y), {}, "Complex data not supported"),
    "y none": ((X, None), {}, "requires y to be passed"),
    "y none, X a frame": ((FRAME[list("uvw")], None), {}, "requires y to be passed"),
    "y infinite": (
        (X, changed(Y, (2, 0), np.inf)),
        {},
        "in row 2, column 0: drop it, or mark it as missing by NaN|which is no class",
    ),
    "y 1-D infinite": (
        (X, changed(y, 3, np.inf)),
        {},
        "y contains infinity in row 3: drop the row|which is no class",
    ),
    "y 1-D missing": ((X, changed(y, 3, np.nan)), {}, "y contains NaN in row 3: .* drop"),
    "y never observed": ((X, np.full(Y.shape, np.nan)), {}, r"\by\b holds no observed label"),
    "y without columns": ((X, Y[:, :0]), {}, r"\by\b|0 feature"),
    "y 3-D": ((X, Y[None]), {}, "dim 3|must be 1-D or 2-D"),
    "y scalar": ((X, 1.0), {}, r"\by\b|scalar"),
    "y text": ((X, np.array(["a"] * N)), {}, r"\by\b"),
    "y complex": ((X, Y + 1j), {}, "Complex data not supported"),
    "y sparse": ((X, scipy.sparse.csr_array(Y)), {}, "[Ss]parse"),
    "weight negative": ((X, Y, -np.ones(N)), {}, "sample_weight .*negative"),
    "weight negative in a cell": (
        (X, Y, changed(np.ones((N, 2)), (0, 1), -1)),
        {},
        "sample_weight .*negative",
    ),
    "weight zero": ((X, Y, np.zeros(N)), {}, "[Ww]eight.*zero"),
    "weight zero in all cells": ((X, Y, np.zeros((N, 2))), {}, "[Ww]eight.*zero"),
    "weight missing": (
        (X, Y, changed(np.ones(N), 2, np.nan)),
        {},
        "sample_weight contains NaN in row 2: weigh by 0",
    ),
    "weight missing in a cell": (
        (X, Y, changed(np.ones((N, 2)), (2, 1), np.nan)),
        {},
        "sample_weight contains NaN in row 2, column 1: weigh by 0",
    ),
    "weight infinite": ((X, Y, changed(np.ones(N), 2, np.inf)), {}, "sample_weight contains inf"),
    "weight one NaN": ((X, Y, np.nan), {}, "sample_weight must be finite, got nan"),
    "weight short": ((X, Y, np.ones(5)), {}, "sample_weight"),
    "weight too wide": ((X, Y, np.ones((N, 3))), {}, r"sample_weight must have shape .*\(12, 3\)"),
    "weight 2-D, y 1-D": ((X, y, np.ones((N, 2))), {}, "[Ss]ample.weight"),
    "weight text": ((X, Y, ["a"] * N), {}, "sample_weight"),
    "weight zero where observed": (
        (X, changed(Y, slice(1, None), np.nan), changed(np.ones(N), 0, 0)),
        {},
        "weight.*zero",
    ),
    "task_weight negative": ((X, Y), {"task_weight": [-1, 1]}, "task_weight .*negative"),
    "task_weight missing": ((X, Y), {"task_weight": [np.nan, 1]}, "task_weight .*finite"),
    "task_weight infinite": ((X, Y), {"task_weight": [np.inf, 1]}, "task_weight .*finite"),
    "task_weight zero": ((X, Y), {"task_weight": [0, 0]}, "task_weight .*zero"),
    "task_weight long": ((X, Y), {"task_weight": [1, 1, 1]}, r"task_weight .*\(2,\)"),
    "task_weight scalar": ((X, Y), {"task_weight": 2.0}, r"task_weight .*\(2,\)"),
    "task_weight name": ((X, Y), {"task_weight": "equal"}, "task_weight .*balanced"),
    "task_weight text": ((X, Y), {"task_weight": ["a", "b"]}, "task_weight"),
    "task_weight dict": ((X, Y), {"task_weight": {"a": 1}}, "task_weight"),
    "task_weight of no label": (
        (X, changed(Y, (slice(None), 0), np.nan)),
        {"task_weight": [1, 0]},
        "task_weight.*zero",
    ),
    "ids out of range": ((LONG, y), {"task_column": 4}, "task_column=4 is out of range"),
    "ids far below": ((LONG, y), {"task_column": -5}, "task_column=-5 is out of range"),
    "ids not there": ((FRAME, y), {"task_column": "town"}, "task_column='town' is not a column"),
    "ids named in an array": ((LONG, y), {"task_column": "site"}, "task_column='site' is a name"),
    "ids alone": ((FRAME[["site"]], y), {"task_column": "site"}, "task_column='site' is the only"),
    "ids alone in an array": ((LONG[:, 3:], y), {"task_column": 0}, "task_column=0 is the only"),
    "ids missing": ((changed(LONG, (2, 3), np.nan), y), {"task_column": 3}, "missing in row 2"),
    "ids none": (
        (FRAME.assign(site=[None, *"abcabcabcab"]), y),
        {"task_column": "site"},
        "column 'site' is missing in row 0",
    ),
    "ids null": (
        (pl.DataFrame({"u": X[:, 0], "site": [None, *"abcabcabcab"]}), y),
        {"task_column": "site"},
        "column 'site' is missing in row 0",
    ),
    "ids NA": (
        (FRAME.assign(site=pd.array([1, None] * 6, dtype="Int64")), y),
        {"task_column": "site"},
        "column 'site' is missing in row 1",
    ),
    "ids not hashable": (
        (FRAME.assign(site=[[1], [2]] * 6), y),
        {"task_column": "site"},
        "site.*hashable",
    ),
    "ids twice": (
        (pd.concat([FRAME, FRAME[["site"]]], axis=1), y),
        {"task_column": "site"},
        "'site'",
    ),
    "ids out of a sparse table": (
        (scipy.sparse.csr_array(LONG), y),
        {"task_column": 4},
        "task_column=4 is out of range",
    ),
    "ids and wide y": ((LONG, Y), {"task_column": 3}, r"task_column=3 y must be 1-D.*\(12, 2\)"),
    "long X infinite": ((changed(LONG, (1, 1), np.inf), y), {"task_column": 3}, "X contains inf"),
    "long X text": ((FRAME.assign(v="text"), y), {"task_column": "site"}, r"\bX\b"),
    "long X empty": ((LONG[:0], y[:0]), {"task_column": 3}, "0 sample"),
    "long X 1-D": ((X[:, 0], y), {"task_column": 0}, "2D array"),
    "long y missing": (
        (LONG, changed(y, 2, np.nan)),
        {"task_column": 3},
        "y contains NaN in row 2: one label a row .* drop",
    ),
    "long y missing in a column": (
        (LONG, changed(y, 3, np.nan)[:, None]),
        {"task_column": 3},
        "y contains NaN in row 3: one label a row .* drop",
    ),
    "task_column a float": ((LONG, y), {"task_column": 3.0}, "task_column must be .*3.0"),
    "task_column a bool": ((LONG, y), {"task_column": True}, "task_column must be .*True"),
    "task_column a list": ((LONG, y), {"task_column": [3]}, "task_column must be"),
}
STRENGTH = [-1.0, -np.inf, np.nan, "a", None, True, [1.0], 1j]
GRID = [[], [1.0, -1.0], [np.nan], [[1.0]], "a", ["a"], [None], [True], [[1], [1, 2]]]
COUNT = [0, -1, 1.5, "a", None, True]
FLAG = ["yes", 1, None]
VALUES = {  # parameter -> values that no estimator takes
    "alpha_shared": [0, *STRENGTH],
    "alpha_specific": [0, *STRENGTH],
    "alpha_intercept": STRENGTH,
    "alphas_shared": [[0.0], *GRID],
    "alphas_specific": [[0.0], *GRID],
    "alphas_intercept": GRID,
    "fit_intercept": FLAG,
    "task_weight": ["equal", [-1.0, 1.0]],
    "unknown_task": ["ignore", None, 1],
    "solver": ["svd", None, 1],
    "tol": [-1.0, np.nan, np.inf, "a", None],
    "max_iter": COUNT,
    "device": ["gpu", None, 0],
    "criterion": ["aic", None],
    "guard": [-1.0, np.nan, np.inf, "a"],
    "per_task": FLAG,
    "store_cv_results": FLAG,
    "task_dummies": FLAG,
    "with_mean": FLAG,
    "with_std": FLAG,
    "cv": [0, 1, 2.5, "a"],
    "scoring": ["best"],
    "n_jobs": ["a", 1.5],
    "estimator": [None, "ridge", Ridge],
    "regressor": ["ridge", Ridge, LogisticRegression()],
    "task_column": [3.0, True, [3]],
    "alpha_fuse": [np.inf, *STRENGTH],
    "alpha_outlier": [np.inf, *STRENGTH],
    "alphas": [[np.inf], *GRID],
    "alphas_fuse": [[np.inf], *GRID],
    "alphas_outlier": [[np.inf], *GRID],
    "penalty": ["hard", None, 1],
    "gamma": [1, np.inf, *STRENGTH],
    "n_neighbors": COUNT,
    "weights": ["a", np.ones((3, 3)), -np.ones((2, 2)), [[0, 1], [2, 0]], np.full((2, 2), np.nan)],
    "init": ["cold", None, 1],
    "cluster_rule": ["best", None],
    "missing_label": [[0, 1], {0: 1}],
    "class_weight": ["equal", 1.0, {0: -1.0}, {0: np.nan}],
    "hidden_layer_sizes": [0, -1, (5, 0), (5, -1), 1.5, (1.5,), "a", None, [[5]]],
    "activation": ["sine", None, 1],
    "loss": ["absolute", None, 1],
    "alpha": STRENGTH,
    "balancer": ["best", 1, {"a": 1}],
    "gramian": ["full", None, 1],
    "update_every": COUNT,
    "perturbation": ["samo", 0.1, SharpnessAware, SharpnessAware(0), SharpnessAware(mode="sam")],
    "scale_targets": FLAG,
    "standardize": FLAG,
    "batch_size": [*COUNT, "all"],
    "learning_rate_init": [0, *STRENGTH],
    "shuffle": FLAG,
    "early_stopping": FLAG,
    "validation_fraction": [0, 1, 2.0, *STRENGTH],
    "n_iter_no_change": COUNT,
    "warm_start": FLAG,
    "random_state": ["a", -1, 1.5],
    "verbose": [-1, 1.5, "a", None],
    "covariance": ["dense", None, 1.0, [[1.0]], [[1.0, 2.0], [2.0, 1.0]], [[1.0, np.nan]] * 2],
    "noise": ["none", None, 1.0],
    "rank": COUNT,
    "prior_strength": [np.inf, *STRENGTH],
    "shrink_intercept": ["yes", 1, None],
    "groups": ["a", [0, 1], [0, 1, np.nan], 5],
}


def set_anywhere(estimator, /, **params):
    """Set parameters of the estimator or of what it wraps, and return the old ones."""
    own, old = estimator.get_params(), {}
    for name, value in params.items():
        name = name if name in own else f"{INNER[type(estimator).__name__][0]}__{name}"
        old[name] = own[name]
        estimator.set_params(**{name: value})
    return old


def own(name, labels):
    """Labels, or for a classifier the classes 0 and 1 in their place; what is no number stays."""
    if not is_classifier(make_estimator(name)) or not _is_real(labels):
        return labels
    return np.where(np.isfinite(labels), (np.asarray(labels) > 0).astype(float), labels)


def _is_real(labels):
    return isinstance(labels, np.ndarray) and labels.dtype.kind == "f"


def applicable(cases):
    for name in estimator_names():
        for label, (arguments, params, message) in cases.items():
            if label == "y text" and is_classifier(make_estimator(name)):
                continue
            if all(takes(make_estimator(name), parameter) for parameter in params):
                yield pytest.param(name, arguments, params, message, id=f"{name}-{label}")


def bad_values():
    for name in estimator_names():
        for parameter in make_estimator(name).get_params(deep=False):
            for value in VALUES.get(parameter, ()):
                message = rf"\b{parameter}\b"
                yield pytest.param(
                    name, (X, Y), {parameter: value}, message, id=f"{name}-{parameter}={value!r}"
                )


@cache
def fitted(name):
    """(a model of complete data, its predictions), fitted once for all tests."""
    model = make_estimator(name).fit(X, own(name, Y))
    return model, model.predict(X)


@pytest.mark.parametrize("name, arguments, params, message", [*applicable(DATA), *bad_values()])
def test_it_is_refused_and_leaves_nothing_behind(name, arguments, params, message):
    model = make_estimator(name)
    arguments = [arguments[0], own(name, arguments[1]), *arguments[2:]]
    good = set_anywhere(model, **params)
    with pytest.raises(REFUSED, match=message):
        model.fit(*arguments)
    assert_not_fitted(model, X)

    model, prediction = deepcopy(fitted(name))
    before = dict(vars(model))
    set_anywhere(model, **params)
    with pytest.raises(REFUSED, match=message):
        model.fit(*arguments)
    model.set_params(**good)
    attributes = {key: value for key, value in vars(model).items() if key not in model.get_params()}
    assert {key: before[key] is value for key, value in attributes.items()} == dict.fromkeys(
        attributes, True
    )
    np.testing.assert_array_equal(model.predict(X), prediction)


@pytest.mark.parametrize("name", estimator_names())
def test_every_parameter_is_tried(name):
    assert set(make_estimator(name).get_params(deep=False)) <= set(VALUES)


@pytest.mark.parametrize(
    "name", [n for n in estimator_names() if takes(make_estimator(n), "device")]
)
def test_a_gpu_that_is_not_there_is_refused(name):
    if _backend.cuda_is_available():
        pytest.skip("there is a GPU")
    model = make_estimator(name)
    set_anywhere(model, device="cuda")
    with pytest.raises(ValueError, match=r'device="cuda" needs .*device="cpu"'):
        model.fit(X, own(name, Y))
    assert_not_fitted(model, X)


# predict and score

QUERIES = {
    "fewer features": (X[:, :2], "X has 2 features, but .* is expecting 3"),
    "more features": (LONG, "X has 4 features, but .* is expecting 3"),
    "missing": (changed(X, (0, 0), np.nan), "X contains NaN"),
    "infinite": (changed(X, (0, 0), np.inf), "X contains infinity"),
    "text": (np.array([["a", "b", "c"]]), r"\bX\b"),
    "complex": (X + 1j, "Complex data not supported"),
    "1-D": (X[0], "2D array"),
    "3-D": (X[:, :, None], "dim 3|3D"),
    "empty": (X[:0], "0 sample"),
}
LONG_QUERIES = {
    "unseen id": (
        FRAME.assign(site="new"),
        "task 'new' in column 'site' was not seen in fit.*shared",
    ),
    "missing id": (FRAME.assign(site=[None, *"abcabcabcab"]), "'site' is missing in row 0"),
    "no task column": (FRAME[list("uvw")], "feature names should match"),
    "other names": (FRAME.rename(columns={"u": "q"}), "feature names should match"),
    "an array for a frame": (FRAME.to_numpy(), "task_column='site' is a name"),
    "text": (FRAME.assign(u="text"), r"\bX\b"),
}


@pytest.mark.parametrize("name", estimator_names())
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_predict_refuses_it(name, query):
    table, message = query
    with pytest.raises(REFUSED, match=message):
        fitted(name)[0].predict(table)


@pytest.mark.parametrize("name", estimator_names())
@pytest.mark.parametrize("query", LONG_QUERIES.values(), ids=LONG_QUERIES)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_predict_on_long_data_refuses_it(name, query):
    table, message = query
    model = make_estimator(name)
    set_anywhere(model, task_column="site")
    with pytest.raises(REFUSED, match=message):
        model.fit(FRAME, own(name, y)).predict(table)


@pytest.mark.parametrize("name", estimator_names())
@pytest.mark.parametrize("task_column", [None, "site"])
def test_what_is_not_fitted_says_so(name, task_column):
    model = make_estimator(name)
    set_anywhere(model, task_column=task_column)
    for method in (lambda: model.predict(X), lambda: model.score(X, Y)):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            method()


@pytest.mark.parametrize("name", estimator_names())
@pytest.mark.parametrize(
    "labels, weight, message",
    [
        (Y[:, :1], None, r"\(12, 1\)"),
        (Y[:5], None, "12|5"),
        (changed(Y, 0, np.inf), None, "y_true contains infinity|infinity"),
        (Y, -np.ones(N), "sample_weight"),
        (Y, np.ones(3), "sample_weight"),
    ],
    ids=["columns", "rows", "infinite", "negative", "short"],
)
def test_score_refuses_it(name, labels, weight, message):
    with pytest.raises(REFUSED, match=message):
        make_estimator(name).fit(X, own(name, Y)).score(X, own(name, labels), weight)


@pytest.mark.parametrize("name", estimator_names())
def test_arrays_of_two_libraries_do_not_mix(name):
    strict = pytest.importorskip("array_api_strict")
    model = make_estimator(name)
    if not getattr(model.__sklearn_tags__(), "array_api_support", False):
        pytest.skip("the estimator does not claim support of the array API")
    with pytest.raises(ValueError, match="same namespace"):
        model.fit(X, own(name, Y)).predict(strict.asarray(X))
    for bad, message in (
        (strict.asarray(X[:, :, None]), "2D array"),
        (strict.asarray(X * np.nan), "NaN"),
    ):
        with pytest.raises(ValueError, match=message):
            model.fit(bad, own(name, Y))


# classifiers refuse what is no class

CLASSES = (Y > 0).astype(int)
NO_CLASSES = {
    "amounts": (Y, {}, "continuous"),
    "amounts in one column": (y, {}, "continuous"),
    "amounts beside text": (
        pd.DataFrame({"a": y, "b": np.where(y > 0, "yes", "no")}),
        {},
        "continuous",
    ),
    "bytes": (CLASSES.astype("S"), {}, "bytes"),
    "infinity": (changed(CLASSES, (2, 0), np.inf), {}, "y contains infinity"),
    "missing in one column": (
        CLASSES[:, 0],
        {"missing_label": 1},
        "y contains NaN in row .*: one label a row",
    ),
    "all missing": (np.full(Y.shape, "?"), {"missing_label": "?"}, "y holds no observed label"),
    "weights for fewer tasks": (CLASSES, {"class_weight": [None]}, "class_weight .* 2 tasks"),
    "a negative weight": (CLASSES, {"class_weight": [None, {0: -1.0}]}, r"class_weight\[0\]"),
    "a weight of text": (CLASSES, {"class_weight": {0: "a"}}, r"class_weight\[0\]"),
    "two missing labels": (CLASSES, {"missing_label": (0, 1)}, "missing_label must be one label"),
}


@pytest.mark.parametrize("name", [n for n in estimator_names() if is_classifier(make_estimator(n))])
@pytest.mark.parametrize("case", NO_CLASSES.values(), ids=NO_CLASSES)
def test_what_is_no_class_is_refused(name, case):
    labels, params, message = case
    if not all(takes(make_estimator(name), parameter) for parameter in params):
        pytest.skip("no such parameter")
    model = make_estimator(name)
    set_anywhere(model, **params)
    with pytest.raises(REFUSED, match=message):
        model.fit(X, labels)
    assert_not_fitted(model, X)
