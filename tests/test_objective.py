"""LinearObjective, its Gram form and the certificates: against sums written out."""

import array_api_strict
import numpy as np
import pytest
import scipy.sparse

from skmtl._backend import to_numpy
from skmtl._data import long_data, wide_data
from skmtl._input import UnitLayout
from skmtl.losses import Huber, SquaredError
from skmtl.penalties import L21, GraphLaplacian, TaskLasso
from skmtl.solvers import LinearObjective
from skmtl.solvers._fista import Certificate, Iterate, fista, make_metric
from skmtl.solvers._gram_objective import GramObjective
from skmtl.solvers._penalised import PenalisedObjective
from skmtl.solvers._working_set import solve_working_set

T, P, N = 3, 5, 24
FORMS = ["complete", "holes", "long", "sparse", "strict"]
every_form = pytest.mark.parametrize("form", FORMS)
both = pytest.mark.parametrize("fit_intercept", [True, False])


def table(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, P)) * [1e-2, 1.0, 1.0, 10.0, 3.0] + 2
    Y = X @ rng.normal(size=(P, T)) + rng.normal(size=(N, T))
    weight = rng.uniform(0.5, 2, size=N)
    return X, Y, weight, np.array([0.5, 1.0, 1.5])


def data_of(form, X, Y, weight):
    """(TaskData, weights (N, T) of the labels, 0 where not observed)."""
    S = np.broadcast_to(weight[:, None], Y.shape).copy()
    if form in ("complete", "strict"):
        where = array_api_strict.Device("device1")
        there = array_api_strict.asarray(X, device=where) if form == "strict" else X
        return wide_data(there, Y, weight)[0], S
    if form == "long":
        task = np.resize([2, 0, 1, 1], N)
        S *= task[:, None] == np.arange(T)
        return long_data(X, Y[np.arange(N), task], task, T, weight)[0], S
    S[np.random.default_rng(1).random(Y.shape) < 0.3] = 0
    X = scipy.sparse.csr_array(X) if form == "sparse" else X
    return wide_data(X, np.where(S > 0, Y, np.nan), weight)[0], S


def objective_of(form, fit_intercept, loss=None, kind=LinearObjective):
    X, Y, weight, omega = table()
    data, S = data_of(form, X, Y, weight)
    layout = UnitLayout([np.zeros(1, int)] * T, None, 1)
    own = {"own_centres": True}
    loss = SquaredError() if loss is None else loss
    return kind(data, loss, layout, omega, fit_intercept=fit_intercept, **own), X, Y, S * omega


def random_point(objective, seed=0):
    W = np.random.default_rng(seed).normal(size=(objective.n_units, objective.width))
    return objective.put(W)


@every_form
@both
@pytest.mark.parametrize("loss", [SquaredError(), Huber(0.7)], ids=["squared", "huber"])
def test_values_are_those_of_the_models_in_the_units_of_X(form, fit_intercept, loss):
    objective, X, Y, S = objective_of(form, fit_intercept, loss)
    W = random_point(objective)
    b, p = objective.intercepts(W), objective.n_coordinates
    shared = objective.put(np.zeros((1, p)))
    solution = objective.in_units_of_X(
        W[:, :p], b, shared, objective.put(np.zeros(1)), n_iter=1, residual=0.0, converged=True
    )
    Z = X @ to_numpy(solution.W).T + to_numpy(solution.b)
    expected = (S * loss.value(Y, Z)).sum()
    assert objective.loss_sum(objective.scores(W)) == pytest.approx(expected, rel=1e-11)


@every_form
@both
def test_slopes_and_curvatures_are_derivatives(form, fit_intercept):
    objective, *_ = objective_of(form, fit_intercept)
    W, step = random_point(objective), random_point(objective, seed=1)
    xp, h = objective.place.xp, 1e-5

    def value(length):
        return objective.loss_sum(objective.scores(W + length * step))

    scores = objective.scores(W)
    slope = float(xp.sum(objective.slopes(scores) * step))
    # of a quadratic central differences are exact, but for the rounding of values / h
    rounding = 1e-14 * abs(value(0.0)) / h
    assert slope == pytest.approx((value(h) - value(-h)) / (2 * h), rel=1e-8, abs=rounding)
    curve = float(xp.sum(objective.curve(objective.second_order(scores), step) * step))
    assert curve == pytest.approx(value(1.0) - 2 * value(0.0) + value(-1.0), rel=1e-9)


@every_form
@both
def test_the_gram_form_is_the_same_at_the_best_intercepts(form, fit_intercept):
    objective, *_ = objective_of(form, fit_intercept)
    features = np.array([0, 2, 3])
    gram = GramObjective(objective, features)
    W = random_point(gram)
    whole = np.zeros((T, P))
    whole[:, features] = to_numpy(W)
    whole = objective.with_best_intercepts(objective.put(whole))
    scores = objective.scores(whole)
    assert gram.loss_sum(gram.scores(W)) == pytest.approx(objective.loss_sum(scores), rel=1e-10)
    slopes = to_numpy(objective.slopes(scores))
    scale = abs(slopes).max()
    np.testing.assert_allclose(
        to_numpy(gram.slopes(gram.scores(W))), slopes[:, features], atol=1e-11 * scale
    )
    np.testing.assert_allclose(slopes[:, P:], 0, atol=1e-11 * scale)
    ours, theirs = gram.gap_parts(gram.scores(W)), objective.gap_parts(scores)
    np.testing.assert_allclose(ours[1:], theirs[1:], rtol=1e-10)


@every_form
@both
@pytest.mark.parametrize("alpha", [0.5, 5.0, 50.0, 1e4])
def test_the_duality_gap_bounds_the_distance_from_the_minimum(form, fit_intercept, alpha):
    objective, *_ = objective_of(form, fit_intercept)
    penalty = L21(alpha)
    metric = make_metric(objective, penalty)
    best, *_ = fista(objective, penalty, tol=1e-13, max_iter=50_000)

    def value(W):
        return objective.loss_sum(objective.scores(W)) + penalty.value(W[:, :P])

    *_, null = objective.gap_parts(objective.scores(best))
    for n_steps in (1, 3, 10, 30):
        W, *_ = fista(objective, penalty, tol=0.0, max_iter=n_steps)
        W = objective.with_best_intercepts(W[:, :P])
        now = Iterate(W, objective.scores(W))
        gap = Certificate(objective, penalty)(now, metric)
        assert value(W) - value(best) <= null * (gap + 1e-12)


@pytest.mark.parametrize("form", ["complete", "holes", "long"])
def test_working_sets_give_the_solution_among_all_features(form):
    rng = np.random.default_rng(0)
    X, W = rng.normal(size=(40, 300)), np.zeros((300, T))
    W[:5] = rng.normal(size=(5, T))
    Y = X @ W + 0.1 * rng.normal(size=(40, T))
    if form == "holes":
        Y[rng.random(Y.shape) < 0.3] = np.nan
    if form == "long":
        task = np.arange(40) % T
        data, _ = long_data(X, Y[np.arange(40), task], task, T)
    else:
        data, _ = wide_data(X, Y)
    layout = UnitLayout([np.zeros(1, int)] * T, None, 1)
    objective = LinearObjective(data, SquaredError(), layout, np.ones(T), fit_intercept=True)
    penalty = L21(2.0)
    few, _, certificate = solve_working_set(objective, penalty, tol=1e-12, max_iter=50_000)
    all_, *_ = fista(objective, penalty, tol=1e-12, max_iter=50_000)
    assert certificate <= 1e-12
    assert 0 < (few[:, :-1] != 0).any(axis=0).sum() < 60
    np.testing.assert_allclose(few, all_, atol=1e-5 * abs(all_).max())


def test_one_step_size_for_all_features_where_the_penalty_ties_them():
    objective, *_ = objective_of("complete", True)
    metric = make_metric(objective, TaskLasso(1.0))
    assert len(set(metric.D[:P].tolist())) == 1
    assert len(set(make_metric(objective, L21(1.0)).D[:P].tolist())) == P


@both
def test_the_bound_of_the_curvature_is_one(fit_intercept):
    objective, *_ = objective_of("holes", fit_intercept)
    metric = make_metric(objective, L21(1.0))
    W, rng = objective.zeros(), np.random.default_rng(0)
    second = objective.second_order(objective.scores(W))
    for _ in range(20):
        step = objective.put(rng.normal(size=W.shape))
        curve = (objective.curve(second, step) * step).sum()
        assert curve <= 1.01 * metric.L * (metric.D * step * step).sum()


@every_form
def test_slopes_of_the_penalised_objective_are_derivatives(form):
    objective, *_ = objective_of(form, True, kind=PenalisedObjective)
    graph = np.array([[0, 3.0, 0], [3.0, 0, 0.5], [0, 0.5, 0]])
    objective.set_penalty(GraphLaplacian(graph, 0.8, 0.3))
    W, step, xp = random_point(objective), random_point(objective, seed=1), objective.place.xp
    plus, minus = (objective.at(W + h * step).value for h in (1.0, -1.0))
    point = objective.at(W)
    assert float(xp.sum(objective.gradient(point) * step)) == pytest.approx(
        (plus - minus) / 2, rel=1e-9
    )
    second = objective.second_order(point.scores)
    product = float(xp.sum(objective.product(second, step) * step))
    assert product == pytest.approx(plus - 2 * point.value + minus, rel=1e-9)
    # the preconditioner is the inverse where features do not meet
    r = objective.preconditioner(second)(step)
    assert float(xp.sum(r * step)) > 0
