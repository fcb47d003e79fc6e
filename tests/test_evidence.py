"""The evidence on each of its routes, its gradients and posteriors, the structures and ascents."""

import numpy as np
import pytest
from _dense_evidence import DensePosterior, covariance_matrix, make_cells, restricted_likelihood

from skmtl._backend import inverse_pd
from skmtl._data import long_data, wide_data
from skmtl.covariance import EvidenceProblem
from skmtl.covariance._arrow import ArrowRoute
from skmtl.covariance._ascent import lbfgs, squarem
from skmtl.covariance._eigen import EigenRoute
from skmtl.covariance._frame import label_units, make_frame
from skmtl.covariance._kernel import KernelRoute
from skmtl.covariance._primal import PrimalRoute
from skmtl.covariance._priors import InverseWishart, PooledVariances
from skmtl.covariance._structures import Diagonal, Full, LowRank, Scaled, Shared

SHAPES = [(12, 4, 3), (10, 20, 4), (14, 3, 4)]  # (rows, coordinates, tasks)
CLOSE = 1e-10  # dense algebra of systems of some 40 unknowns, well conditioned


def setting(shape, holes, intercept, weighted, grouped, diagonal):
    """(cells, K, R) of a case."""
    cells = make_cells(*shape, holes=holes, intercept=intercept, weighted=weighted, grouped=grouped)
    rng, T = np.random.default_rng(1), shape[2]
    K = [covariance_matrix(T, rng) for _ in cells.blocks]
    K += [0.7 * np.eye(T)] if intercept == "shrunk" else []
    R = covariance_matrix(T, rng)
    return cells, np.stack(K), np.diag(R.diagonal()) if diagonal else R


def dense_routes(cells, diagonal):
    """Every route that takes K and R as matrices, by name."""
    routes = {"kernel": KernelRoute(cells), "patterns": PrimalRoute(cells, by_task=False)}
    if diagonal:
        routes["by task"] = PrimalRoute(cells, by_task=True)
    if cells.intercept != "shrunk" and len(cells.blocks) == 1:
        routes["eigen"] = EigenRoute(cells)
    return routes


def factors_of(cells, rng):
    """Loadings and diagonals of the components."""
    T = cells.n_tasks
    factors = [(rng.normal(size=(T, 2)), rng.uniform(0.2, 1, T)) for _ in cells.blocks]
    return factors + [(np.zeros((T, 0)), np.full(T, 0.7))] * (cells.intercept == "shrunk")


every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
every_case = pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
every_holes = pytest.mark.parametrize("holes", [False, True], ids=["complete", "holes"])
every_intercept = pytest.mark.parametrize("intercept", ["free", "shrunk", "none"])
every_group = pytest.mark.parametrize("grouped", [False, True], ids=["one", "groups"])
every_noise = pytest.mark.parametrize("diagonal", [False, True], ids=["full", "diagonal"])


@every_shape
@every_holes
@every_intercept
@every_case
@every_group
@every_noise
def test_every_route_is_the_dense_restricted_likelihood_and_posterior(
    shape, holes, intercept, weighted, grouped, diagonal
):
    cells, K, R = setting(shape, holes, intercept, weighted, grouped, diagonal)
    value, dense = restricted_likelihood(cells, K, R), DensePosterior(cells, K, R)
    gradients, Z = [], np.random.default_rng(2).normal(size=(3, shape[1]))
    for name, route in dense_routes(cells, diagonal).items():
        evaluation, posterior = route.value_grad(K, R), route.posterior(K, R)
        assert evaluation.value == pytest.approx(value, rel=CLOSE), name
        G_R = evaluation.R if not diagonal else np.diag(evaluation.R.diagonal())
        gradients.append((evaluation.K, G_R))
        np.testing.assert_allclose(posterior.W, dense.W, atol=CLOSE)
        np.testing.assert_allclose(posterior.b, dense.b, atol=CLOSE)
        C = np.stack([dense.covariance(z) for z in Z])
        np.testing.assert_allclose(posterior.covariance(Z), C, atol=CLOSE * C.max())
        np.testing.assert_allclose(posterior.variances(Z), np.einsum("ntt->nt", C), rtol=1e-9)
        np.testing.assert_allclose(posterior.variance(Z, 1), C[:, 1, 1], rtol=1e-9)
    for G_K, G_R in gradients[1:]:
        np.testing.assert_allclose(G_K, gradients[0][0], atol=CLOSE * np.abs(G_K).max())
        np.testing.assert_allclose(G_R, gradients[0][1], atol=CLOSE * np.abs(G_R).max())


@every_shape
@every_holes
@every_intercept
@every_case
@every_group
def test_the_arrow_is_the_kernel_route_by_factors(shape, holes, intercept, weighted, grouped):
    cells, *_ = setting(shape, holes, intercept, weighted, grouped, True)
    rng = np.random.default_rng(3)
    factors, R = factors_of(cells, rng), np.diag(rng.uniform(0.3, 1, shape[2]))
    K = np.stack([lam @ lam.T + np.diag(k) for lam, k in factors])
    arrow, kernel = ArrowRoute(cells), KernelRoute(cells)
    found, expected = arrow.value_grad(factors, R), kernel.value_grad(K, R)
    assert found.value == pytest.approx(expected.value, rel=CLOSE)
    for g, (lam, _) in enumerate(factors):
        G = expected.K[g]
        np.testing.assert_allclose(found.loadings[g], 2 * G @ lam, atol=1e-9 * np.abs(G).max())
        np.testing.assert_allclose(found.diagonal[g], G.diagonal(), atol=CLOSE * np.abs(G).max())
    np.testing.assert_allclose(found.R.diagonal(), expected.R.diagonal(), rtol=1e-9)
    first, second = arrow.posterior(factors, R), kernel.posterior(K, R)
    Z = rng.normal(size=(3, shape[1]))
    np.testing.assert_allclose(first.W, second.W, atol=CLOSE)
    np.testing.assert_allclose(first.b, second.b, atol=CLOSE)
    C = second.covariance(Z)
    np.testing.assert_allclose(first.covariance(Z), C, atol=CLOSE * C.max())
    np.testing.assert_allclose(first.variances(Z), second.variances(Z), rtol=1e-8)


@every_intercept
def test_gradients_are_those_of_central_differences(intercept):
    cells, K, R = setting((12, 4, 3), True, intercept, False, False, False)
    rng, h = np.random.default_rng(4), 1e-5
    route = KernelRoute(cells)
    evaluation = route.value_grad(K, R)
    for g in range(len(K)):
        D = np.zeros_like(K)
        D[g] = covariance_matrix(3, rng)
        slope = route.value_grad(K + h * D, R).value - route.value_grad(K - h * D, R).value
        # differences of h^2 and of rounding / h, both 1e-10 of some 10
        assert slope / (2 * h) == pytest.approx((evaluation.K * D).sum(), rel=1e-6)
    D = covariance_matrix(3, rng)
    slope = route.value_grad(K, R + h * D).value - route.value_grad(K, R - h * D).value
    assert slope / (2 * h) == pytest.approx((evaluation.R * D).sum(), rel=1e-6)


@pytest.mark.slow
@every_holes
@pytest.mark.parametrize(
    "kind, intercept",
    [(k, i) for k in ("kernel", "patterns", "arrow") for i in ("free", "shrunk", "none")]
    + [("eigen", "free"), ("eigen", "none")],
)
def test_draws_have_the_mean_and_covariance_of_the_posterior(kind, intercept, holes):
    cells, K, R = setting((9, 3, 2), holes, intercept, False, False, True)
    rng = np.random.default_rng(5)
    if kind == "arrow":
        factors = factors_of(cells, rng)
        K = np.stack([lam @ lam.T + np.diag(k) for lam, k in factors])
        posterior = ArrowRoute(cells).posterior(factors, R)
    else:
        posterior = dense_routes(cells, True)[kind].posterior(K, R)
    z, n = rng.normal(size=3), 4000
    draws = np.array([W @ z + b for W, b in (posterior.draw(rng) for _ in range(n))])
    dense = DensePosterior(cells, K, R)
    C = dense.covariance(z)
    spread = np.sqrt(C.diagonal())
    # five standard errors of a mean and, at most, of a covariance of normal draws
    assert (np.abs(draws.mean(axis=0) - dense.W @ z - dense.b) < 5 * spread / n**0.5).all()
    error = np.abs(np.cov(draws.T) - C) / np.outer(spread, spread)
    assert (error < 5 * np.sqrt(2 / n)).all()


# structures, priors


def structures(T=4):
    rng = np.random.default_rng(6)
    scale = np.diag(rng.uniform(0.5, 1, T))
    return {
        "full": Full(T, InverseWishart(3.0, scale)),
        "diagonal": Diagonal(PooledVariances(6.0)),
        "scaled": Scaled(covariance_matrix(T, rng)),
        "shared": Shared(T),
        "low rank": LowRank(T, 2, PooledVariances(6.0)),
    }


every_structure = pytest.mark.parametrize("name", structures())


@every_structure
def test_a_structure_pulls_gradients_back(name):
    part, rng, h = structures()[name], np.random.default_rng(7), 1e-6
    theta = part.theta(covariance_matrix(4, rng))
    A = covariance_matrix(4, rng)
    step = rng.normal(size=len(theta))
    if name == "full":
        step = (step.reshape(4, 4) + step.reshape(4, 4).T).reshape(-1)

    def value(z):
        return np.sin(part.matrix(z) * A).sum() + part.log_prior(z)[0]

    G = np.cos(part.matrix(theta) * A) * A
    slope = (part.pullback(theta, G) + part.log_prior(theta)[1]) @ step
    assert slope == pytest.approx(
        (value(theta + h * step) - value(theta - h * step)) / (2 * h), rel=1e-6
    )
    if part.rank is not None and hasattr(part, "factors"):
        lam, k = part.factors(theta)
        np.testing.assert_allclose(lam @ lam.T + np.diag(k), part.matrix(theta))
        by_factors = part.pullback_factors(theta, 2 * G @ lam, G.diagonal())
        np.testing.assert_allclose(by_factors, part.pullback(theta, G), rtol=1e-10)
    assert len(part.bounds(theta)) == len(part.units(theta, np.ones(4))) == len(theta)


def test_a_full_covariance_survives_equal_eigenvalues():
    """The gradient of the exponential divides by differences of eigenvalues."""
    part = Full(3, InverseWishart(0.0, np.eye(3)))
    G = covariance_matrix(3, np.random.default_rng(8))
    np.testing.assert_allclose(part.pullback(part.theta(2 * np.eye(3)), G), 2 * G.reshape(-1))


@every_structure
def test_theta_is_the_matrix_again(name):
    part = structures()[name]
    theta = part.theta(covariance_matrix(4, np.random.default_rng(9)))
    if name in ("full", "diagonal", "scaled"):
        np.testing.assert_allclose(part.theta(part.matrix(theta)), theta, atol=1e-12)
    assert np.linalg.eigvalsh(part.matrix(theta))[0] > 0


@pytest.mark.parametrize("count", [0.0, 1.0, 30.0])
def test_pooled_variances_blend_to_the_maximum(count):
    prior, rng = PooledVariances(6.0), np.random.default_rng(10)
    m, logs, counts = rng.uniform(0.1, 4, 5), rng.normal(size=5), np.full(5, count)
    z = prior.blend(m, counts, logs)

    def value(z):
        return (-counts / 2 * (z + m * np.exp(-z)) - 1.5 * (z - logs.mean()) ** 2).sum()

    for step in np.eye(5) * 1e-4:
        assert value(z) >= max(value(z + step), value(z - step))


def test_the_inverse_wishart_blends_to_the_maximum():
    rng = np.random.default_rng(11)
    prior, M = InverseWishart(3.0, covariance_matrix(3, rng)), covariance_matrix(3, rng)
    best = prior.blend(M, 5.0)

    def value(S):
        return prior.value_grad(S)[0] - 2.5 * (
            np.linalg.slogdet(S)[1] + np.trace(np.linalg.solve(S, M))
        )

    for _ in range(5):
        D = rng.normal(size=(3, 3)) * 1e-3
        assert value(best) > value(best + D + D.T)


@pytest.mark.parametrize("noise", ["full", "diagonal", "common"])
@pytest.mark.parametrize("covariance", ["full", "diagonal", "array"])
@pytest.mark.parametrize("strength", [0.0, 1.0])
@every_holes
def test_an_em_step_never_lowers_the_objective(covariance, noise, strength, holes):
    rng = np.random.default_rng(12)
    X, Y = rng.normal(size=(15, 6)), rng.normal(size=(15, 3))
    Y[rng.random(Y.shape) < 0.3 * holes] = np.nan
    word = covariance_matrix(3, rng) if covariance == "array" else covariance
    problem = EvidenceProblem(wide_data(X, Y)[0], word, noise, prior_strength=strength)
    model, theta, values = problem.climb.model, problem.climb.model.start, []
    for _ in range(30):
        evaluation = problem.climb.evaluate(theta)
        values.append(model.penalised(theta, evaluation))
        theta = model.em(theta, evaluation, by_factors=False)
    # values of some 50 are exact to 1e-13
    assert np.diff(values).min() > -1e-11 and values[-1] > values[0] + 1e-3


# ascents


def concave(theta):
    """(value, gradient): a narrow ridge with its top 0 at (1, 2)."""
    r = theta - np.array([1.0, 2.0])
    H = np.array([[1.0, 0.99], [0.99, 1.0]])
    return -r @ H @ r / 2, -H @ r


def test_lbfgs_climbs_to_the_top_and_says_how():
    found = lbfgs(
        np.zeros(2),
        concave,
        bounds=[(None, None)] * 2,
        units=np.array([1.0, 0.3]),
        tol=1e-5,
        max_iter=100,
    )
    np.testing.assert_allclose(found.theta, [1.0, 2.0], atol=1e-7)  # polished
    assert found.converged and (np.diff(found.scores) >= 0).all()
    assert found.scores[0] == concave(np.zeros(2))[0]
    cut = lbfgs(
        np.zeros(2), concave, bounds=[(None, 0.5)] * 2, units=np.ones(2), tol=0.0, max_iter=1
    )
    assert not cut.converged and len(cut.scores) == 2


def test_squarem_overtakes_the_map_it_extrapolates():
    """A slow map, 1 - rate = .02 in one direction, and one that jumps over its top."""

    def evaluate(theta):
        value, gradient = concave(theta)
        return value, theta + gradient / 2

    found = squarem(np.zeros(2), evaluate, tol=1e-9, max_iter=100)
    assert found.converged and (np.diff(found.scores) >= 0).all()
    assert found.scores[-1] > -1e-8
    theta = np.zeros(2)
    for _ in range(2 * len(found.scores)):
        theta = evaluate(theta)[1]
    assert concave(theta)[0] < found.scores[-1]


def test_a_step_into_rounding_is_taken_back():
    def evaluate(theta):
        if theta[0] > 3:
            raise np.linalg.LinAlgError
        value, gradient = concave(theta)
        return value, theta + gradient / 2

    found = squarem(np.array([-30.0, 30.0]), evaluate, tol=1e-6, max_iter=500)
    assert found.converged and (np.diff(found.scores) >= 0).all()

    def value_grad(theta):
        if np.abs(theta).max() > 31:
            raise np.linalg.LinAlgError
        return concave(theta)

    free = {"bounds": [(None, None)] * 2, "units": np.full(2, 100.0)}
    found = lbfgs(np.array([-30.0, 30.0]), value_grad, **free, tol=1e-6, max_iter=500)
    np.testing.assert_allclose(found.theta, [1.0, 2.0], atol=1e-6)
    with pytest.raises(np.linalg.LinAlgError):
        lbfgs(np.array([-40.0, 0.0]), value_grad, **free, tol=1e-6, max_iter=5)


# the frame, the choice of the route, the whole


def test_coordinates_keep_products_and_tell_what_lies_outside():
    rng = np.random.default_rng(13)
    X, groups = rng.normal(size=(6, 30)), np.arange(30) % 2
    X[:, 0] = 4.0
    frame, Z = make_frame(X, np.ones(6), groups, np.zeros(2), np.ones(2), centred=True)
    assert Z.shape == (6, 10)  # five directions of each group, about the mean
    new = rng.normal(size=(4, 30))
    for rows in (X, new):
        coordinates, outside = frame.coordinates(rows)
        for g, block in enumerate(frame.blocks):
            own = (rows - X.mean(axis=0))[:, groups == g] / frame.scales[g]
            squares = (coordinates[:, block] ** 2).sum(axis=1) + outside[:, g]
            np.testing.assert_allclose(squares, (own**2).sum(axis=1), rtol=1e-9)
    # eigen-directions of size zero are cut off at rounding
    np.testing.assert_allclose(frame.coordinates(X)[1], 0, atol=1e-12)
    W = rng.normal(size=(2, 10))
    linear = (X - X.mean(axis=0)) @ frame.coefficients(W).T
    np.testing.assert_allclose(linear, Z @ W.T, atol=1e-10)


def test_units_of_few_or_constant_labels_are_those_of_the_others():
    y = np.array([0.0, 2.0, 4.0, 7.0, 7.0, 7.0, 1.0, 1e6, -1e6])
    indptr = np.array([0, 3, 6, 7, 9])
    centre, scale = label_units(y, np.ones(9), indptr, intercept="free", common=False)
    np.testing.assert_allclose(centre, [2.0, 7.0, 1.0, 0.0])
    usual = np.sqrt(8 / 3)
    np.testing.assert_allclose(scale, [usual, usual, usual, 1e6])
    _, scale = label_units(y[:6], np.ones(6), indptr[:3], intercept="free", common=True)
    np.testing.assert_allclose(scale, np.sqrt(8 / 4))
    for common in (True, False):
        ones = np.ones(3), np.ones(3), np.array([0, 3])
        _, scale = label_units(*ones, intercept="free", common=common)
        np.testing.assert_allclose(scale, 1.0)


def route_of(X, Y, *args, **options):
    return type(EvidenceProblem(wide_data(X, Y)[0], *args, **options).climb.route)


def test_the_cheapest_route_is_taken():
    rng = np.random.default_rng(14)
    X, Y = rng.normal(size=(60, 5)), rng.normal(size=(60, 3))
    half = np.where(rng.random(Y.shape) < 0.5, np.nan, Y)
    assert route_of(X, Y) is EigenRoute
    assert route_of(X, half) is PrimalRoute
    assert route_of(rng.normal(size=(60, 300)), half) is KernelRoute
    few = np.where(rng.random(Y.shape) < 0.03, np.nan, Y)
    assert route_of(rng.normal(size=(60, 300)), few) is EigenRoute
    codes = np.arange(900) % 30
    data, _ = long_data(rng.normal(size=(900, 4)), rng.normal(size=900), codes, 30)
    assert type(EvidenceProblem(data).climb.route) is ArrowRoute


@pytest.mark.parametrize("holes", [0.0, 0.3])
@pytest.mark.parametrize("noise", ["full", "diagonal"])
def test_all_routes_learn_the_same_covariances(noise, holes, monkeypatch):
    """One fit on each route, at a tolerance at which the maximum is all that is left."""
    from skmtl.covariance import _problem, _routes

    rng = np.random.default_rng(15)
    X, Y = rng.normal(size=(25, 6)), rng.normal(size=(25, 3))
    Y += X @ rng.normal(size=(6, 1)) + rng.normal(size=(25, 1))
    Y[rng.random(Y.shape) < holes] = np.nan
    data, _ = wide_data(X, Y)
    fits = []
    for kind in (EigenRoute, KernelRoute, PrimalRoute):

        def only(cells, ranks, *, diagonal, kind=kind):
            makes = (make for _, make in _routes.routes_for(cells, ranks, diagonal=diagonal))
            return 0.0, next(make for make in makes if type(make()) is kind)

        monkeypatch.setattr(_problem, "cheapest_route", only)
        fits.append(EvidenceProblem(data, "full", noise).maximise(tol=1e-13))
    for fitted in fits[1:]:
        assert fitted.log_evidence == pytest.approx(fits[0].log_evidence, rel=1e-9)
        # the evidence is flat at its top: 1e-12 of it is 1e-6 of a covariance
        np.testing.assert_allclose(fitted.K, fits[0].K, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(fitted.W, fits[0].W, atol=1e-5)


def test_many_tasks_with_gaps_get_loadings_where_full_covariances_are_dear(monkeypatch):
    from skmtl.covariance import _problem

    def parts(Y, *words):
        return [
            type(part) for part in EvidenceProblem(wide_data(X, Y)[0], *words).climb.model.parts
        ]

    rng = np.random.default_rng(16)
    X, Y = rng.normal(size=(20, 20)), rng.normal(size=(20, 30))
    gappy = np.where(rng.random(Y.shape) < 0.3, np.nan, Y)
    assert parts(gappy) == [Full, Full]
    monkeypatch.setattr(_problem, "DEAR", 1e3)
    assert parts(gappy) == [LowRank, Diagonal]
    assert parts(gappy, "full") == [Full, Full]
    assert parts(Y) == [Full, Full]  # loadings would take as long, and more steps
    assert parts(gappy, "auto", "full") == [Full, Full]  # and so they would here


def test_structures_that_would_take_hours_are_refused_with_the_way_out(monkeypatch):
    from skmtl.covariance import _routes

    monkeypatch.setattr(_routes, "IMPOSSIBLE", 1.0)
    rng = np.random.default_rng(18)
    data, _ = wide_data(rng.normal(size=(9, 2)), rng.normal(size=(9, 3)))
    with pytest.raises(ValueError, match="27 labels of 3 tasks and 2 features; use MultiTaskRidge"):
        EvidenceProblem(data, "shared", "common")
    with pytest.raises(ValueError, match="use covariance='low_rank' or 'shared'"):
        EvidenceProblem(data)


def test_the_inverse_is_one_and_a_matrix_without_is_refused():
    S = covariance_matrix(5, np.random.default_rng(17))
    before = S.copy()
    inverse, logdet = inverse_pd(S)
    np.testing.assert_allclose(inverse @ S, np.eye(5), atol=1e-12)
    assert logdet == pytest.approx(np.linalg.slogdet(S)[1])
    np.testing.assert_array_equal(S, before)
    with pytest.raises(np.linalg.LinAlgError, match="positive definite"):
        inverse_pd(np.diag([1.0, -1.0]))
