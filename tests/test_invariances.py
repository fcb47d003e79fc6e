"""The order of rows, columns and tasks, and the unit of y, change nothing but rounding.

Where they do by definition, the docstring says so: what it has to say stands here.
"""

import inspect
import warnings

import numpy as np
import pytest
from _properties import assert_close
from _samplers import all_instances, depends_on_folds, labels_for, takes, wide, with_holes
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning

from skmtl import MultiTaskRidge
from skmtl.balancing import BALANCERS

COLUMNS, TASKS = np.array([2, 0, 3, 1]), np.array([2, 0, 1])
UNITS = [2.0**-20, 2.0**20]
LENGTHS = ("alpha_fuse", "alpha_outlier", "alphas_fuse", "alphas_outlier")  # in units of y
INSTANCES = all_instances()
FITS = 1e-8  # tolerances inside are 1e-6 of a gradient or a gap at worst, and steps the same
SETTLED = 1e-6  # where a descent ends, of its gradients
CREEP = ("famo", "group_dro")  # a thousand small steps
DRAWN = "in the order of rows and columns"
EXCEPTIONS = {  # (attribute that makes it so, transformation): words of the docstring
    ("random_state", "columns"): DRAWN,
    ("scale_targets", "units"): "step sizes are in units of y",
}


def instance(name):
    """A parameter of the estimator's name; its variants are for the second stage."""
    return pytest.param(name, marks=[pytest.mark.slow] * ("-" in name))


every_instance = pytest.mark.parametrize("name", [instance(name) for name in INSTANCES])
every_regressor = pytest.mark.parametrize(
    "name", [instance(name) for name, e in INSTANCES.items() if not is_classifier(e)]
)
every_balancer = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] * (name in CREEP))
        for name, balancer in BALANCERS.items()
        if balancer.settles and not balancer.owns_direction
    ],
)


@pytest.fixture
def data():
    X, Y = wide()
    return X, with_holes(Y)


def answers(model, X, Y, queries=None):
    """Probabilities of every task, or predictions, of a fit; (n_tasks, ...)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", message="the chosen .* is at the edge of its grid")
        fitted = clone(model).fit(X, Y)
    queries = X if queries is None else queries
    if hasattr(fitted, "predict_proba"):
        return np.array(fitted.predict_proba(queries))
    return fitted.predict(queries).T


def orders(model, X, Y):
    """What a fit answers, and what it does on rows, columns and tasks in another order."""
    rows = np.random.default_rng(5).permutation(len(X))
    plain = answers(model, X, Y)
    yield "rows", plain, answers(model, X[rows], Y[rows], X)
    yield "columns", plain, answers(model, X[:, COLUMNS], Y)
    yield "tasks", plain[TASKS], answers(model, X, Y[:, TASKS])


def expected(model, change):
    """Words by which the docstring says that this changes the model, or None."""
    parameters = model.get_params()
    if change == "columns" and takes(model, "hidden_layer_sizes"):
        return EXCEPTIONS["random_state", change]
    if change == "rows" and depends_on_folds(model):
        return "folds"
    if change == "units" and hasattr(parameters.get("penalty"), "dual_norm"):
        return "Strengths of norms are in units of y"
    if change == "units" and parameters.get("scale_targets") is False:
        return EXCEPTIONS["scale_targets", change]
    return None


def says(model, words):
    return words in " ".join(inspect.getdoc(type(model)).split())


@every_instance
def test_order_changes_predictions_by_rounding_or_the_docstring_says_so(name, data):
    model = INSTANCES[name]
    X, Y = data[0], labels_for(model, data[1])
    for change, plain, other in orders(model, X, Y):
        words = expected(model, change)
        if words is None:
            assert_close(other, plain, rtol=FITS)
        else:
            assert says(model, words)


def in_units(model, unit):
    """The model with the strengths that have the unit of y in the new one."""
    own = {name: value for name, value in model.get_params().items() if name in LENGTHS}
    return clone(model).set_params(
        **{k: None if v is None else (np.asarray(v) * unit).tolist() for k, v in own.items()}
    )


@every_regressor
@pytest.mark.parametrize("unit", UNITS)
def test_powers_of_two_in_y_change_predictions_by_rounding_or_the_docstring_says_so(
    name, unit, data
):
    model, (X, Y) = INSTANCES[name], data
    words = expected(model, "units")
    if words is not None:
        assert says(model, words)
        return
    scaled = answers(in_units(model, unit), X, unit * Y) / unit
    assert_close(scaled, answers(model, X, Y), rtol=FITS)


def test_strengths_in_units_of_y_are_said_to_be():
    for name in ("MultiTaskRobustClustering", "MultiTaskRobustClusteringCV"):
        assert says(INSTANCES[name], "in units of y")


# the ridge under every balancer; all tasks share one vector, so that descents settle


def pooled(balancer):
    return MultiTaskRidge(0.1, np.inf, balancer=balancer)


@every_balancer
def test_order_changes_a_balanced_fit_by_rounding_only(name, data):
    for _, plain, other in orders(pooled(name), *data):
        assert_close(other, plain, rtol=SETTLED)


def balancer_in_units(name, unit):
    """The balancer with the parameters that have the unit of the losses, y's squared."""
    balancer = BALANCERS[name]()
    if name == "stch":
        return balancer.set_params(mu=balancer.mu * unit**2)
    if name == "group_dro":
        return balancer.set_params(step_size=balancer.step_size / unit**2)
    return balancer


@every_balancer
@pytest.mark.parametrize("unit", UNITS)
def test_powers_of_two_in_y_change_a_balanced_fit_by_rounding_only(name, unit, data):
    if name == "task_tension":  # a tension of length 1 whatever the losses' unit
        assert says(BALANCERS[name](), "whatever the unit of the losses")
        return
    X, Y = data
    scaled = answers(pooled(balancer_in_units(name, unit)), X, unit * Y) / unit
    assert_close(scaled, answers(pooled(name), X, Y), rtol=SETTLED)


@pytest.mark.parametrize("name", ["config", "imtl_g", "aligned_mtl"])
@pytest.mark.parametrize("seed", range(4))
def test_order_changes_a_descent_to_dependent_gradients_by_rounding_only(name, seed):
    rng = np.random.default_rng(seed)
    X, W = rng.normal(size=(40, 2)), rng.normal(size=(3, 2))  # and an intercept: three coefficients
    Y = X @ W.T + rng.normal(size=(40, 3))
    model = pooled(name).set_params(alpha_intercept=np.inf)
    plain = answers(model, X, Y)
    rows = rng.permutation(40)
    assert_close(answers(model, X[rows], Y[rows], X), plain, rtol=SETTLED)
    assert_close(answers(model, X[:, ::-1], Y), plain, rtol=SETTLED)
    assert_close(answers(model, X, Y[:, TASKS]), plain[TASKS], rtol=SETTLED)
