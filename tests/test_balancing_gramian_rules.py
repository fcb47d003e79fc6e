"""Rules on the Gramian, each against its definition: fair shares, balls, cones, equal cosines."""

import numpy as np
import pytest
from _jacobians import JACOBIANS, STATIONARY, unit_rows
from scipy.optimize import minimize
from test_balancing_gradients import angle_pair, projection, random_jacobian

from skmtl import MultiTaskRidge
from skmtl.balancing import (
    IMTLG,
    MGDA,
    AlignedMTL,
    CAGrad,
    ConFIG,
    DualProj,
    FairGrad,
    Nash,
    balance,
)

SEEDS = range(40)
ROUNDING = 1e-9  # of NNLS and Newton steps on a few unit vectors
IMPROVABLE = [k for k in JACOBIANS if k not in (*STATIONARY, "zero_row", "one_task")]
INDEPENDENT = ["normal", "small", "large"]


def jacobian(kind, seed=0):
    return JACOBIANS[kind](np.random.default_rng(seed))


def preferences(n_tasks, seed=0):
    """Of mean 1."""
    p = np.random.default_rng(seed).uniform(0.5, 2.0, size=n_tasks)
    return p / p.mean()


def scaled(J, seed, decades):
    """Rows of lengths that differ by up to so many powers of ten on either side."""
    scales = np.random.default_rng(seed).uniform(-decades, decades, size=(len(J), 1))
    return 10.0**scales * J


def cosine(u, v):
    return u @ v / np.linalg.norm(u) / np.linalg.norm(v)


# FairGrad


def fair_residual(J, weights, alpha, p=1.0):
    """Largest |log (w_t^(1/alpha) g_t'd / p_t^(1/alpha))|."""
    return np.abs(np.log(weights / p) / alpha + np.log(J @ (J.T @ weights))).max()


@pytest.mark.parametrize("alpha", [0.05, 0.5, 1.0, 2.0, 10.0])
@pytest.mark.parametrize("kind", [kind for kind in IMPROVABLE if kind != "apart"])
def test_fair_weights_solve_their_equation(kind, alpha):
    J = jacobian(kind)
    result = balance(J, balancer=FairGrad(alpha))
    assert result.status == "ok"
    assert fair_residual(J, result.weights, alpha) < 1e-10


def test_fair_residuals_are_small_wherever_the_status_is_not_stationary():
    solved = 0
    for seed in range(200):
        J = scaled(random_jacobian(seed), seed, decades=2)
        for alpha in (0.3, 3.0):
            result = balance(J, balancer=FairGrad(alpha))
            if result.status == "ok":
                solved += 1
                assert result.weights.min() > 0
                norms, U = unit_rows(J)
                pulls = result.weights * norms
                least = (U @ (pulls @ U)).min() / pulls.max()  # sums of terms of order 1
                assert fair_residual(J, result.weights, alpha) < 1e-14 / least
    assert solved > 200


def test_fair_weights_maximise_the_sum_of_the_utilities():
    J, p, alpha = jacobian("normal"), preferences(4), 3.0

    def value(d):
        gains = J @ d
        fair = p @ gains ** (1 - alpha) / (1 - alpha) if gains.min() > 0 else -np.inf
        return fair - d @ d / 2

    d, rng = balance(J, balancer=FairGrad(alpha, preference=p)).direction, np.random.default_rng(0)
    for size in (1e-3, 1e-1):
        for step in size * rng.normal(size=(20, len(d))):
            assert value(d + step) < value(d)


@pytest.mark.parametrize("kind", IMPROVABLE)
def test_fairness_one_is_the_bargain_of_nash(kind):
    J = jacobian(kind)
    p = preferences(len(J))
    fair, nash = (balance(J, balancer=make(preference=p)) for make in (FairGrad, Nash))
    np.testing.assert_allclose(fair.weights, nash.weights, rtol=1e-10)


def test_fairness_zero_is_the_weighted_sum_and_fairness_without_bound_the_best_of_the_worst():
    p = preferences(4)
    # w_t = p_t (g_t'd)^-alpha
    J = np.abs(jacobian("normal"))
    weights = balance(J, balancer=FairGrad(1e-6, preference=p)).weights
    np.testing.assert_allclose(weights, p, rtol=1e-5)
    for kind in ("normal", "crowded", "rank_deficient", "collinear"):
        J = jacobian(kind)
        fair = balance(J, balancer=FairGrad(1e4)).direction
        # the ratios of progress tend to 1 like T^(1 / alpha)
        assert cosine(fair, balance(J, balancer="mgda").direction) > 1 - 1e-6


@pytest.mark.parametrize("alpha", [0.5, 2.0, 10.0])
def test_fair_weights_of_orthogonal_gradients_have_a_closed_form(alpha):
    norms = np.array([1e-3, 1.0, 50.0])
    weights = balance(np.diag(norms), balancer=FairGrad(alpha)).weights
    np.testing.assert_allclose(weights, norms ** (-2 * alpha / (1 + alpha)), rtol=1e-11)


@pytest.mark.parametrize("alpha", [1e-3, 0.05, 2.0, 100.0, 1e6])
def test_unfair_scales_leave_no_task_behind(alpha):
    # lengths from 1e-150 to 1e150: weights follow, and no task gets worse
    J = jacobian("apart")
    result = balance(J, balancer=FairGrad(alpha))
    norms, U = unit_rows(J)
    pulls = result.weights * norms
    assert result.status == "ok"
    assert (U @ (pulls / pulls.max() @ U)).min() > -ROUNDING


@pytest.mark.parametrize("alpha", [0.05, 1.0, 20.0])
@pytest.mark.parametrize("kind", [kind for kind in STATIONARY if kind != "nothing"])
def test_without_a_fair_direction_the_weights_are_those_of_the_shortest(kind, alpha):
    J = jacobian(kind)
    result = balance(J, balancer=FairGrad(alpha))
    assert result.status == "stationary"
    np.testing.assert_allclose(result.weights, balance(J, balancer="mgda").weights, rtol=1e-12)


# CAGrad


def least_dual(J, c, p):
    """min over the simplex of g_w'g_0 + c ||g_0|| ||g_w||, rows over p, by many starts."""
    H, g0 = J / p[:, None], p @ J / len(J)

    def dual(w):
        return w @ H @ g0 + c * np.linalg.norm(g0) * np.sqrt((w @ H) @ (w @ H) + 1e-18)

    rng = np.random.default_rng(0)
    starts = [*np.eye(len(J)), *rng.dirichlet(np.ones(len(J)), size=5)]
    options = {"constraints": {"type": "eq", "fun": lambda w: w.sum() - 1}, "tol": 1e-12}
    found = [minimize(dual, w, bounds=[(0, 1)] * len(J), **options) for w in starts]
    return min(result.fun for result in found)


@pytest.mark.parametrize("c", [0.1, 0.4, 0.9, 1.0, 3.0])
@pytest.mark.parametrize("seed", range(8))
def test_the_least_gain_in_the_ball_is_the_least_of_the_dual(seed, c):
    J = random_jacobian(seed)
    p = preferences(len(J), seed)
    d = balance(J, balancer=CAGrad(c, rescale=0, preference=p)).direction
    g0 = p @ J / len(J)
    assert np.linalg.norm(d - g0) <= c * np.linalg.norm(g0) * (1 + 1e-10)
    # no less than any value of the dual, and the reference reaches it to 1e-7
    assert (J @ d / p).min() == pytest.approx(least_dual(J, c, p), abs=1e-6)


def in_the_ball(J, c):
    """(pulls added to the mean gradient, mean gradient) in units of the longest gradient."""
    norms, U = unit_rows(J)
    result = balance(J, balancer=CAGrad(c, rescale=0))
    return (result.weights - 1 / len(J)) * (norms / norms.max()), norms / norms.max() @ U / len(J)


@pytest.mark.parametrize("c", [1e-3, 0.4, 1.0, 5.0])
@pytest.mark.parametrize("kind", [kind for kind in IMPROVABLE if kind != "apart"])
def test_the_mean_gradient_is_left_by_exactly_c(kind, c):
    J = jacobian(kind)
    x, e = in_the_ball(J, c)
    distance = np.linalg.norm(x @ unit_rows(J)[1])
    assert distance == pytest.approx(c * np.linalg.norm(e), rel=1e-9)


@pytest.mark.parametrize("c", [0.05, 0.4, 1.0, 5.0])
@pytest.mark.parametrize("decades", [0, 3, 12])
def test_only_the_tasks_that_gain_least_draw_the_direction_from_the_mean(c, decades):
    drawn = 0
    for seed in SEEDS:
        J = scaled(np.random.default_rng(seed).normal(size=(4, 7)), seed, decades)
        norms, U = unit_rows(J)
        x, e = in_the_ball(J, c)
        gains, used = U @ (e + x @ U), x > 1e-9 * x.max()
        assert x.min() > -ROUNDING
        assert np.linalg.norm(x @ U) == pytest.approx(c * np.linalg.norm(e), rel=1e-9)
        # KKT: the gain g_t'd is the same wherever there is weight and no less elsewhere; in units
        # of each task's length, as that of the shortest of them tells it best
        shortest = np.flatnonzero(used)[norms[used].argmin()]
        least = gains[shortest] * norms[shortest] / norms
        np.testing.assert_allclose(gains[used], least[used], rtol=0, atol=ROUNDING * (1 + c))
        assert (gains - least).min() > -ROUNDING * (1 + c)
        drawn += used.sum() > 1
    assert drawn > 2


def test_a_wide_ball_among_gradients_hundreds_of_decades_apart_gives_numbers():
    rng = np.random.default_rng(25)
    J = rng.normal(size=(4, 1)) * 10.0 ** rng.uniform(-160, 150, size=(4, 1))
    result = balance(J, balancer=CAGrad(1e3))
    assert np.isfinite(result.direction).all() and (result.weights >= 0).all()


def test_without_a_ball_it_is_the_mean_gradient():
    J, p = jacobian("normal"), preferences(4)
    result = balance(J, balancer=CAGrad(0.0, preference=p))
    np.testing.assert_allclose(result.direction, p @ J / 4, rtol=1e-14)
    for c in (1e-12, 1e-40, 1e-300):
        near = balance(J, balancer=CAGrad(c, preference=p)).direction
        np.testing.assert_allclose(near, p @ J / 4, rtol=1e-10)


@pytest.mark.parametrize("c", [1e6, 1e40])
@pytest.mark.parametrize("kind", [kind for kind in IMPROVABLE if kind != "apart"])
def test_in_a_wide_ball_it_is_the_direction_of_the_shortest_combination(kind, c):
    J = jacobian(kind)
    p = preferences(len(J))
    wide = balance(J, balancer=CAGrad(c, preference=p, rescale=2))
    norms, U = unit_rows(J)
    steepest = balance(J, balancer=MGDA(preference=p))
    ours, theirs = ((r.weights * norms / (r.weights * norms).max()) @ U for r in (wide, steepest))
    # the mean gradient remains, at most a millionth of the whole
    assert cosine(ours, theirs) > 1 - 1e-9


@pytest.mark.parametrize("c", [0.4, 2.0])
def test_rescaling_divides_the_direction(c):
    J = jacobian("normal")
    plain, second, third = (
        balance(J, balancer=CAGrad(c, rescale=mode)).direction for mode in (0, 1, 2)
    )
    np.testing.assert_allclose(second * (1 + c**2), plain, rtol=1e-14)
    np.testing.assert_allclose(third * (1 + c), plain, rtol=1e-14)


def test_a_pareto_point_is_left_along_the_mean_gradient_only_if_nobody_loses():
    for kind in ("strongly_stationary", "weakly_stationary", "opposed"):
        J = jacobian(kind)
        d = balance(J, balancer=CAGrad(1.5, rescale=0)).direction
        expected = projection(J, J.mean(axis=0))
        np.testing.assert_allclose(d, expected, atol=1e-7)  # the square root of rounding


# DualProj


@pytest.mark.parametrize("seed", SEEDS)
def test_dual_projection_is_the_nearest_direction_without_conflict(seed):
    J = random_jacobian(seed)
    p = preferences(len(J), seed)
    direction = balance(J, balancer=DualProj(preference=p)).direction
    np.testing.assert_allclose(direction, projection(J, p @ J / len(J)), atol=1e-8)


def test_dual_projection_leaves_a_mean_gradient_without_conflict():
    J = np.abs(jacobian("normal"))
    np.testing.assert_allclose(balance(J, balancer="dualproj").weights, 1 / len(J))
    # gradients in conflict with one another, but not with their mean
    J = np.array([[1.0, 0.1], [-0.5, 1.0]])
    assert J[0] @ J[1] < 0 and (J @ J.mean(axis=0) > 0).all()
    np.testing.assert_allclose(balance(J, balancer="dualproj").weights, 0.5)


@pytest.mark.parametrize("cosine", [-0.9, -0.3, 0.4])
def test_dual_projection_of_two_tasks_frees_the_longer_of_the_shorter(cosine):
    J = angle_pair(cosine, 2.0, 0.3)
    mean = J.mean(axis=0)
    g = J[1]
    freed = mean - min(mean @ g, 0) / (g @ g) * g
    np.testing.assert_allclose(balance(J, balancer="dualproj").direction, freed, rtol=1e-12)


# equal cosines: IMTL-G and ConFIG


@pytest.mark.parametrize("make", [IMTLG, ConFIG])
@pytest.mark.parametrize("decades", [0, 6, 100])
def test_cosines_to_all_gradients_are_equal(make, decades):
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        J, p = scaled(rng.normal(size=(5, 9)), seed, decades), preferences(5, seed)
        norms, U = unit_rows(J)
        for preference in (None, p):
            pulls = balance(J, balancer=make(preference=preference)).weights * norms
            cosines = U @ (pulls / np.abs(pulls).max() @ U)
            cosines = cosines / (1 if preference is None else p)
            assert cosines.mean() > 0
            assert np.std(cosines) / cosines.mean() < 1e-10


def test_impartial_weights_solve_their_equations_and_sum_to_one():
    for seed in SEEDS:
        J = np.random.default_rng(seed).normal(size=(4, 7))
        weights = balance(J, balancer="imtl_g").weights
        _, U = unit_rows(J)
        # the published system: g_1 - sum of w_t (g_1 - g_t) has equal projections
        D, V = J[0] - J[1:], U[0] - U[1:]
        rest = np.linalg.solve(V @ D.T, V @ J[0])
        if 1 - rest.sum() > 0 or (rest > 0).all():
            np.testing.assert_allclose(weights, [1 - rest.sum(), *rest], rtol=1e-8)
        assert weights.sum() == pytest.approx(1, rel=1e-12)


def test_impartial_directions_neither_explode_nor_turn_against_all_tasks():
    middle = np.array([[1.0, 0.3, 0.1], [1.0, -0.3, 0.1], [1.0, 0.0, 0.0]])
    reversed_ = 0
    for shortest in 10.0 ** np.linspace(-3, 3, 40):
        J = middle * np.array([1.0, 1.0, shortest])[:, None]
        norms, U = unit_rows(J)
        result = balance(J, balancer="imtl_g")
        assert (U @ result.direction).min() > 0
        assert np.linalg.norm(result.direction) <= norms.max() * (1 + 1e-12)
        reversed_ += (np.linalg.solve(U @ U.T, np.ones(3)) / norms).sum() < 0
    assert reversed_ > 5  # where weights of sum 1 would ascend


def test_conflict_free_directions_follow_the_pseudoinverse_of_the_unit_gradients():
    for kind in ("normal", "crowded", "rank_deficient", "collinear", "identical", "opposed"):
        J = jacobian(kind)
        _, U = unit_rows(J)
        best = np.linalg.pinv(U, rcond=1e-10) @ np.ones(len(J))
        best = best / np.linalg.norm(best)
        direction = balance(J, balancer="config").direction
        np.testing.assert_allclose(direction, (J @ best).sum() * best, rtol=1e-8, atol=1e-12)
        assert J.sum(axis=0) @ direction > 0
        impartial = balance(J, balancer="imtl_g").direction
        np.testing.assert_allclose(impartial / np.linalg.norm(impartial), best, atol=1e-9)


@pytest.mark.parametrize("cosine", [-1 + 1e-9, -0.5, 0.3, 1.0])
def test_equal_cosines_to_two_tasks_have_a_closed_form(cosine):
    J = angle_pair(cosine, 2.0, 0.5)
    # the half-angle direction: weights inverse to the lengths, at any angle
    np.testing.assert_allclose(balance(J, balancer="imtl_g").weights, [0.2, 0.8], rtol=1e-6)
    np.testing.assert_allclose(balance(J, balancer="config").weights, [0.625, 2.5], rtol=1e-6)


def test_opposed_gradients_cancel():
    for name, weights in (("imtl_g", [0.25, 0.75]), ("config", [2 / 3, 2.0])):
        result = balance([[3.0, 0.0], [-1.0, 0.0]], balancer=name)
        np.testing.assert_allclose(result.weights, weights, rtol=1e-12)
        assert np.abs(result.direction).max() < 1e-12


# AlignedMTL


def alignment(J, scale):
    """B with w = B p, from as many preferences as tasks."""
    P = 0.5 + np.eye(len(J))
    P = P / P.mean(axis=1, keepdims=True)
    W = [balance(J, balancer=AlignedMTL(scale, preference=p)).weights for p in P]
    return np.linalg.solve(P, W).T


SIZES = {"min": np.min, "median": np.median, "mean": np.mean}


@pytest.mark.parametrize("scale", SIZES)
@pytest.mark.parametrize("kind", INDEPENDENT)
def test_aligned_gradients_are_orthogonal_and_of_equal_length(kind, scale):
    J = jacobian(kind)
    aligned = alignment(J, scale) @ J
    size = SIZES[scale](np.linalg.eigvalsh(J @ J.T))
    np.testing.assert_allclose(aligned @ aligned.T, size * np.eye(len(J)), atol=1e-11 * size)
    assert np.linalg.cond(aligned) == pytest.approx(1, rel=1e-10)


@pytest.mark.parametrize("scale", SIZES)
@pytest.mark.parametrize("kind", ["rank_deficient", "crowded", "collinear", "opposed"])
def test_aligned_gradients_span_what_the_gradients_span(kind, scale):
    J = jacobian(kind)
    aligned = alignment(J, scale) @ J
    values, W = np.linalg.eigh(J @ J.T)
    kept = values > 1e-10 * values.max()
    projector = W[:, kept] @ W[:, kept].T
    size = SIZES[scale](values[kept])
    np.testing.assert_allclose(aligned @ aligned.T, size * projector, atol=1e-8 * size)


@pytest.mark.parametrize("decades", [1, 3])
def test_alignment_bears_lengths_that_differ(decades):
    for seed in SEEDS:
        J = scaled(np.random.default_rng(seed).normal(size=(4, 8)), seed, decades)
        aligned = alignment(J, "min") @ J
        # rounding of weights, relative to the longest gradient, in units of the shortest
        assert np.linalg.cond(aligned) == pytest.approx(1, abs=1e-8)


def test_aligned_directions_are_the_nearest_orthogonal_gradients():
    J, p = jacobian("normal"), preferences(4)
    W, values, V = np.linalg.svd(J, full_matrices=False)
    direction = balance(J, balancer=AlignedMTL(preference=p)).direction
    np.testing.assert_allclose(direction, values.min() * (p @ W @ V), rtol=1e-10)


def test_alignment_passes_over_gradients_below_rounding():
    J = jacobian("normal") * np.array([1.0, 1e-9, 1.0, 0.5])[:, None]
    weights = balance(J, balancer="aligned_mtl").weights
    assert weights[1] == 0
    rest = balance(J[[0, 2, 3]], balancer="aligned_mtl").weights
    np.testing.assert_allclose(weights[[0, 2, 3]], rest, rtol=1e-10)


# in linear models


def labels(seed=0):
    """Centred rows and labels of three tasks that have a part in common."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(80, 4))
    W = rng.normal(size=(4, 1)) + 0.5 * rng.normal(size=(4, 3))
    Y = X @ W + 0.2 * rng.normal(size=(80, 3))
    return X - X.mean(axis=0), Y - Y.mean(axis=0)


def one_vector(balancer, X, Y):
    """Coefficients of all tasks together; a warning that they have not settled is an error."""
    pooled = {"alpha_shared": 1e-8, "alpha_specific": np.inf, "fit_intercept": False}
    model = MultiTaskRidge(balancer=balancer, **pooled).fit(X, Y)
    return model.coef_[0], model.task_weights_


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "balancer", [AlignedMTL(), CAGrad(2.0), DualProj(), FairGrad(0.5), FairGrad(3.0)], ids=repr
)
def test_descents_end_where_no_direction_improves_all_tasks(balancer):
    X, Y = labels()
    w, weights = one_vector(balancer, X, Y)
    assert weights.min() > 0
    J, first = ((X.T @ (X @ v[:, None] - Y)).T for v in (w, np.zeros(4)))
    least, most = (np.linalg.norm(balance(G, balancer="mgda").direction) for G in (J, first))
    assert least < 1e-3 * most  # Armijo's rule ends within rounding of the losses


@pytest.mark.filterwarnings("error")
def test_a_narrow_ball_leads_to_the_least_mean_loss():
    X, Y = labels()
    w, weights = one_vector("cagrad", X, Y)
    np.testing.assert_allclose(w, np.linalg.lstsq(X, Y.mean(axis=1))[0], rtol=1e-5)  # settled
    np.testing.assert_allclose(weights, 1, rtol=1e-5)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["imtl_g", "config"])
def test_equal_cosines_end_where_a_weighted_sum_of_gradients_vanishes(name):
    X, Y = labels()
    w, weights = one_vector(name, X, Y)
    J = (X.T @ (X @ w[:, None] - Y)).T
    assert np.linalg.norm(weights @ J) < 1e-4 * np.linalg.norm(weights[:, None] * J)


# all of them


@pytest.mark.parametrize("name", ["imtl_g", "config", "dualproj", "cagrad", "fairgrad"])
def test_orthogonal_gradients_of_one_length_are_treated_alike(name):
    weights = balance(3 * np.eye(4), balancer=name).weights
    expected = {"imtl_g": 0.25, "config": 1.0, "dualproj": 0.25, "fairgrad": 1 / 3}
    # the mean gradient is the direction that gains most: the ball is left at 1.4 of it
    expected["cagrad"] = 0.25 * 1.4 / 1.16
    np.testing.assert_allclose(weights, expected[name], rtol=1e-12)


@pytest.mark.parametrize("name", ["imtl_g", "config"])
def test_equal_cosines_that_are_lost_in_rounding_are_said_to_be(name):
    a, b, c = np.random.default_rng(12).normal(size=(3, 6))
    for angle, status in [(1e-5, "ok"), (1e-9, "approximate")]:
        J = np.vstack([a, b, -(a + b) + angle * c])
        result = balance(J, balancer=name)
        assert result.status == status
        if status == "ok":
            cosines = J @ result.direction / np.linalg.norm(J, axis=1)
            np.testing.assert_allclose(cosines, cosines.mean(), rtol=1e-3)  # rounding / angle^2
