"""Weights under which a fit has these weights: residuals of the definitions, units and transforms.

The definitions are written out here from predictions and coefficients, not from the solver.
"""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from test_bargaining import conflicting, long_table, spread

from skmtl import MultiTaskRidge
from skmtl.balancing import GLS, IMTLL, STCH, DiBS, Uncertainty, balance
from skmtl.solvers._fixed_point_weights import SETTLED, fixed_point_weights

SOUND = 1e-6  # of the logarithms of weights, promised by a fit without a warning
LOGS = {"uncertainty": Uncertainty(), "gls": GLS(), "imtl_l": IMTLL()}
ALPHA = 1e-10


def fitted(balancer, X, Y, **params):
    """(model, whether it warned) of one vector for all tasks without intercept."""
    model = MultiTaskRidge(ALPHA, np.inf, fit_intercept=False, balancer=balancer, **params)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        model.fit(X, Y)
    return model, bool(caught)


def away(weights, definition):
    """Largest difference of the logarithms of two sets of weights, each up to a factor."""
    logs = np.log(weights) - np.log(definition)
    return np.abs(logs - logs.mean()).max()


def losses_of(model, X, Y):
    return np.mean((X @ model.coef_[0][:, None] - Y) ** 2, axis=0)


def distances_over_lengths(model, X, Y):
    """||w - w_t*|| / ||g_t||, at penalties that do not count."""
    w, optima = model.coef_[0], np.linalg.lstsq(X, Y, rcond=None)[0].T
    # X'X (w - w_t*): residuals of labels in a large unit would round what is left of them
    pulls = (w - optima) @ (X.T @ X) / len(X)
    return np.linalg.norm(w - optima, axis=1) / np.linalg.norm(pulls, axis=1)


def checked(n_tasks, span, balancer, definition, seeds):
    """How many of the fits warned; the others have the weights of the definition."""
    said = 0
    for seed in seeds:
        rng = np.random.default_rng([seed, n_tasks])
        X, Y = conflicting(rng, spread(n_tasks, span, rng))
        model, warned = fitted(balancer, X, Y)
        said += warned
        if not warned:
            assert away(model.task_weights_, definition(model, X, Y)) < 10 * SOUND, seed
    return said


@pytest.mark.parametrize("span", [0, 6])
@pytest.mark.parametrize("n_tasks", [2, 3, 5, 10])
def test_exact_dibs_has_the_weights_of_its_definition(n_tasks, span):
    assert checked(n_tasks, span, DiBS(), distances_over_lengths, range(5)) == 0


@pytest.mark.parametrize("span", [0, 6])
@pytest.mark.parametrize("n_tasks", [2, 3, 5, 10])
@pytest.mark.parametrize("name", LOGS)
def test_methods_of_log_losses_have_inverse_losses_as_weights(name, n_tasks, span):
    def inverse(model, X, Y):
        return 1 / losses_of(model, X, Y)

    assert checked(n_tasks, span, LOGS[name], inverse, range(3)) == 0


@pytest.mark.parametrize("n_tasks", [2, 3, 5, 10])
def test_stch_has_the_softmax_of_the_losses_as_weights_or_says_so(n_tasks):
    def softmax(model, X, Y):
        losses = losses_of(model, X, Y)
        return np.exp(losses - losses.max())

    assert checked(n_tasks, 0, STCH(mu=1.0), softmax, range(4)) == 0
    # in units of 1e6 mu = 1 is far below the rounding of the losses
    rng = np.random.default_rng(0)
    X, Y = conflicting(rng, np.resize([1e6, 2e6], n_tasks))
    model, warned = fitted(STCH(mu=1.0), X, Y)
    assert warned or away(model.task_weights_, softmax(model, X, Y)) < 10 * SOUND


@pytest.mark.slow
@pytest.mark.parametrize("span", [0, 6])
@pytest.mark.parametrize("n_tasks", [2, 3, 5, 10])
def test_definitions_hold_for_a_hundred_seeds(n_tasks, span):
    def inverse(model, X, Y):
        return 1 / losses_of(model, X, Y)

    few = 5  # of the fits may warn
    assert checked(n_tasks, span, DiBS(), distances_over_lengths, range(100)) <= few
    for balancer in LOGS.values():
        assert checked(n_tasks, span, balancer, inverse, range(100)) <= few


@pytest.mark.parametrize("name", ["dibs", *LOGS])
@pytest.mark.parametrize("factor", [1e3, 2.0**-10])
@pytest.mark.parametrize("n_tasks", [2, 3, 5])
def test_scaling_a_loss_leaves_the_fit_where_it_is(name, factor, n_tasks):
    X, Y = conflicting(0, np.ones(n_tasks))
    scales = np.ones(n_tasks)
    scales[0] = np.sqrt(factor)  # of rows and labels: the square of it scales the loss
    plain, _ = fitted(name, *long_table(X, Y, np.ones(n_tasks)), task_column=5)
    scaled, warned = fitted(name, *long_table(X, Y, scales), task_column=5)
    assert not warned
    np.testing.assert_allclose(scaled.coef_, plain.coef_, rtol=1e-5)


def test_scaling_a_loss_moves_a_method_that_does_not_promise_it():
    X, Y = conflicting(0, np.ones(3))
    plain, _ = fitted(STCH(), *long_table(X, Y, np.ones(3)), task_column=5)
    scaled, _ = fitted(STCH(), *long_table(X, Y, [10.0, 1.0, 1.0]), task_column=5)
    assert np.abs(scaled.coef_ - plain.coef_).max() > 0.01 * np.abs(plain.coef_).max()


@pytest.mark.parametrize("name", ["dibs", "nash"])
@pytest.mark.parametrize(
    "slope",
    [lambda f: 1e3 + 0 * f, lambda f: 3 * f**2, lambda f: 1 / f],
    ids=["x1000", "f3", "log"],
)
def test_increasing_functions_of_the_losses_leave_a_step_as_it_is(name, slope):
    rng = np.random.default_rng(0)
    for n_tasks in (2, 5, 10):
        J, losses = rng.normal(size=(n_tasks, 30)), 10.0 ** rng.uniform(-6, 6, size=n_tasks)
        distances = rng.uniform(0.1, 10, size=n_tasks)
        plain = balance(J, losses, name, distances=distances).direction
        other = balance(slope(losses)[:, None] * J, losses, name, distances=distances).direction
        np.testing.assert_allclose(other, plain, rtol=0, atol=1e-8 * np.abs(plain).max())


def test_distances_do_not_count_intercepts_of_other_tasks():
    X, Y = conflicting(0, np.ones(3))
    model = MultiTaskRidge(1e-3, np.inf, balancer="dibs")
    plain = model.fit(X, Y).coef_.copy()
    moved = model.fit(X, Y + np.array([0.0, 100.0, -5.0])).coef_
    np.testing.assert_allclose(moved, plain, rtol=1e-5)


def solve(change, start, max_fits=1000):
    """The fixed point of x + change(x) in x = log w, where the point of a fit is its weights."""
    return fixed_point_weights(
        lambda w, _: np.log(w) - np.log(w).mean(),
        lambda x: np.exp(np.clip(x + change(x), -300, 300)),
        np.exp(start),
        max_fits=max_fits,
    )


def test_linear_changes_of_any_stiffness_find_their_zero():
    rng = np.random.default_rng(0)
    M, target = rng.normal(size=(4, 4)), rng.normal(size=4)
    target = target - target.mean()
    for stiffness in (0.1, 10.0, 50.0):
        A = stiffness * M @ M.T + np.eye(4)
        found = solve(lambda x, A=A: A @ (target - x), np.zeros(4))
        assert found.residual <= SETTLED * max(stiffness, 1)
        np.testing.assert_allclose(found.point, target, atol=1e-6)


def test_the_search_does_not_end_where_the_change_is_least_but_not_zero():
    def change(x):  # has a least value near 1 and its zero at 4
        t = x[0]
        rate = (4 - t) * (0.05 + (t - 1) ** 2)
        return np.array([rate, -rate])

    found = solve(change, np.array([0.0, 0.0]))
    assert found.residual <= SETTLED
    assert found.point[0] == pytest.approx(4.0, abs=1e-6)


def test_without_a_fixed_point_the_residual_says_so():
    found = solve(lambda x: np.array([1.0, -1.0]), np.zeros(2), max_fits=200)
    assert found.residual == pytest.approx(1.0)
    assert found.n_fits <= 210
