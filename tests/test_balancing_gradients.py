"""Methods on gradients, each against its definition: Nash, MGDA, UPGrad, DiBS."""

from itertools import combinations

import numpy as np
import pytest
from _jacobians import JACOBIANS, STATIONARY, unit_rows
from scipy.optimize import minimize

from skmtl.balancing import MGDA, DiBS, Nash, TaskStats, UPGrad, balance

SEEDS = range(40)
ROUNDING = 1e-10  # of normal problems of at most 5 tasks


def jacobian(kind, seed=0):
    return JACOBIANS[kind](np.random.default_rng(seed))


def random_jacobian(seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rng.integers(2, 6), rng.integers(2, 8)))


def supports(n_tasks, *, empty=False):
    """Index lists of all subsets of the tasks."""
    sizes = range(0 if empty else 1, n_tasks + 1)
    return [list(s) for k in sizes for s in combinations(range(n_tasks), k)]


def angle_pair(cosine, first=2.0, second=0.3):
    """Two gradients in the plane of given lengths and cosine."""
    return np.array([[first, 0.0], [second * cosine, second * np.sqrt(1 - cosine**2)]])


# Nash


def nash_residual(J, weights, p=1.0):
    """Largest |a_t (J J'a)_t - p_t|, from unit rows so that scales do not matter."""
    norms, U = unit_rows(J)
    z = weights * norms
    return np.abs(z * (U @ (U.T @ z)) - p).max()


@pytest.mark.parametrize(
    "kind", [k for k in JACOBIANS if k not in (*STATIONARY, "zero_row", "one_task")]
)
def test_nash_weights_solve_their_equation(kind):
    J = jacobian(kind)
    result = balance(J, balancer="nash")
    assert result.status == "ok"
    assert nash_residual(J, result.weights) < 1e-12
    assert result.direction @ result.direction == pytest.approx(len(J), rel=1e-12)


def test_nash_residuals_are_small_wherever_the_status_is_not_stationary():
    solved = 0
    for seed in range(300):
        result = balance(J := random_jacobian(seed), balancer="nash")
        if result.status == "ok":
            solved += 1
            assert nash_residual(J, result.weights) < 1e-8
            assert result.weights.min() > 0
    assert solved > 150


@pytest.mark.parametrize("angle", [1e-1, 1e-2, 1e-3, 5e-4])
def test_nash_goes_on_close_to_stationarity(angle):
    J = angle_pair(np.cos(np.pi - angle))
    result = balance(J, balancer="nash")
    assert result.status == "ok"
    assert nash_residual(J, result.weights) < 1e-8


def test_nash_weights_follow_the_scales_of_the_rows():
    J = jacobian("normal")
    c = np.array([1e-6, 1.0, 1e3, 1e6])
    plain, scaled = balance(J), balance(c[:, None] * J)
    np.testing.assert_allclose(scaled.weights * c, plain.weights, rtol=1e-12)
    np.testing.assert_allclose(scaled.direction, plain.direction, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("cosine", [-0.9, -0.3, 0.0, 0.5, 0.99])
def test_nash_on_two_tasks_is_the_sum_of_unit_gradients(cosine):
    weights = balance(angle_pair(cosine), balancer="nash").weights
    expected = 1 / (np.array([2.0, 0.3]) * np.sqrt(1 + cosine))
    np.testing.assert_allclose(weights, expected, rtol=1e-12)


def test_nash_on_orthogonal_and_on_equal_gradients():
    norms = np.array([0.1, 1.0, 5.0])
    np.testing.assert_allclose(balance(np.diag(norms)).weights, 1 / norms, rtol=1e-12)
    equal = np.full((4, 9), 2.0)  # of norm 6
    np.testing.assert_allclose(balance(equal).weights, 1 / (np.sqrt(4) * 6), rtol=1e-12)


def test_nash_with_preferences_maximises_the_weighted_product_of_progress():
    J, p = jacobian("normal"), np.array([4.0, 1.0, 2.0, 1.0])
    result = balance(J, balancer=Nash(preference=p))
    assert nash_residual(J, result.weights, p / p.mean()) < 1e-12
    d, rng = result.direction, np.random.default_rng(0)

    def product(d):
        progress = J @ d / np.linalg.norm(d)
        return p @ np.log(progress) if (progress > 0).all() else -np.inf

    for size in (1e-3, 1e-1):
        for _ in range(20):
            assert product(d + size * rng.normal(size=len(d))) < product(d)


def test_nash_weights_are_found_where_lengths_and_preferences_differ_widely():
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        J = 10.0 ** rng.uniform(-6, 6, size=(6, 1)) * rng.normal(size=(6, 8))
        p = 10.0 ** rng.uniform(-4, 4, size=6)
        result = balance(J, balancer=Nash(preference=p))
        p = p / p.mean()
        assert result.status == "ok" and result.weights.min() > 0
        norms, U = unit_rows(J)
        z = result.weights * norms
        np.testing.assert_allclose(z * (U @ (U.T @ z)), p, rtol=1e-6)


@pytest.mark.parametrize("kind", [kind for kind in STATIONARY if kind != "nothing"])
def test_nash_falls_back_to_the_shortest_combination_at_stationarity(kind):
    J = jacobian(kind)
    result = balance(J, balancer="nash")
    assert result.status == "stationary"
    np.testing.assert_allclose(result.weights, balance(J, balancer="mgda").weights, rtol=1e-12)
    assert np.abs(result.direction).max() < 1e-10


def test_nash_between_exactly_opposed_gradients_is_stationary():
    result = balance([[3.0, 0.0], [-1.0, 0.0]], balancer="nash")
    assert result.status == "stationary"
    np.testing.assert_allclose(result.weights, [0.25, 0.75])


# MGDA


def shortest_combination(J):
    """Least ||J'w|| on the simplex, by the equations of every support."""
    best, G = np.inf, J @ J.T
    for S in supports(len(J)):
        K = np.block([[G[np.ix_(S, S)], np.ones((len(S), 1))], [np.ones((1, len(S))), 0]])
        w = np.linalg.lstsq(K, np.append(np.zeros(len(S)), 1.0), rcond=None)[0][:-1]
        if (w >= -1e-12).all() and abs(w.sum() - 1) < 1e-9:
            best = min(best, np.linalg.norm(w @ J[S]))
    return best


@pytest.mark.parametrize("seed", SEEDS)
def test_mgda_finds_the_shortest_combination(seed):
    J = random_jacobian(seed)
    result = balance(J, balancer="mgda")
    assert result.weights.sum() == pytest.approx(1)
    # lengths are compared, as where they are zero the weights need not be unique
    assert np.linalg.norm(result.direction) == pytest.approx(shortest_combination(J), abs=1e-9)


@pytest.mark.parametrize("kind", [kind for kind in JACOBIANS if kind != "nothing"])
def test_mgda_assures_every_task_the_same_progress(kind):
    J = jacobian(kind)
    norms, U = unit_rows(J)
    moving = norms > 0
    shortest = norms[moving].min()
    weights = balance(J, balancer="mgda").weights
    d = (weights * (norms / shortest)) @ U  # in units of the shortest gradient
    slack = (U @ d - d @ d * shortest / np.where(moving, norms, 1.0))[moving]
    assert slack.min() > -ROUNDING  # KKT: no task below ||d||^2
    assert np.abs(slack[weights[moving] > 0]).max() < ROUNDING  # equality where w_t > 0
    if kind == "strongly_stationary":
        assert np.linalg.norm(d) < 1e-10


@pytest.mark.parametrize("cosine", [-1.0, -0.5, 0.0, 0.1, 0.9, 1.0])
@pytest.mark.parametrize("ratio", [1e-3, 0.5, 1.0, 20.0])
def test_mgda_on_two_tasks_has_a_closed_form(cosine, ratio):
    J = angle_pair(cosine, 1.0, ratio)
    g, h = J
    first = 0.5 if (g == h).all() else np.clip((h - g) @ h / ((g - h) @ (g - h)), 0, 1)
    weights = balance(J, balancer="mgda").weights
    np.testing.assert_allclose(weights, [first, 1 - first], atol=1e-12)


def test_mgda_does_not_lose_its_conditions_where_scales_differ():
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        J = random_jacobian(seed)
        c = 10.0 ** rng.uniform(-10, 10, size=len(J))
        norms, U = unit_rows(c[:, None] * J)
        d = (balance(c[:, None] * J, balancer="mgda").weights * norms / norms.min()) @ U
        assert (U @ d - d @ d * norms.min() / norms).min() > -ROUNDING


def test_mgda_assures_progress_in_proportion_to_preferences():
    J, p = jacobian("normal"), np.array([4.0, 1.0, 2.0, 1.0])
    result = balance(J, balancer=MGDA(preference=p))
    progress = J @ result.direction / p
    used = result.weights > 0
    assert used.sum() > 1
    np.testing.assert_allclose(progress[used], progress.min(), rtol=1e-10)


# UPGrad


def projection(J, u):
    """J'v nearest to u with J J'v >= 0, by the equations of every support."""
    best, found = np.inf, None
    for S in supports(len(J), empty=True):
        A = J[S]
        d = u - A.T @ np.linalg.lstsq(A @ A.T, A @ u, rcond=1e-10)[0] if S else u
        if (J @ d >= -1e-10).all() and np.linalg.norm(d - u) < best:
            best, found = np.linalg.norm(d - u), d
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_upgrad_is_the_mean_of_projections_onto_the_cone_without_conflict(seed):
    J = random_jacobian(seed)
    p = np.random.default_rng(seed).uniform(0.5, 2, size=len(J))
    for balancer, share in ((UPGrad(), np.ones(len(J))), (UPGrad(preference=p), p / p.mean())):
        expected = sum(s * projection(J, g) for s, g in zip(share, J, strict=True)) / len(J)
        direction = balance(J, balancer=balancer).direction
        np.testing.assert_allclose(direction, expected, atol=1e-8)


def test_upgrad_without_conflict_is_the_mean_gradient():
    J = np.abs(jacobian("normal"))
    np.testing.assert_allclose(balance(J, balancer="upgrad").weights, 1 / len(J))


def test_upgrad_weights_stay_moderate_where_gradients_cancel():
    # opposed rows could have any weight against each other, and rounding would then choose it
    for seed in range(300):
        J = np.random.default_rng(seed).normal(size=(6, 5))
        J[-1] = -J[0]
        norms, U = unit_rows(J)
        weights = balance(J, balancer="upgrad").weights
        assert (weights * norms).max() < 100 * norms.max()
        assert (U @ (weights @ J)).min() > -ROUNDING


# DiBS


def descend(gradients, optima, balancer, start, step=0.1, n_steps=600):
    """Follow the balanced direction; `gradients(x)` -> Jacobian, `optima` (n_tasks, n_params)."""
    x, state = np.array(start, dtype=float), None
    for _ in range(n_steps):
        distances = np.linalg.norm(x - optima, axis=1)
        result = balance(gradients(x), balancer=balancer, distances=distances, state=state)
        x, state = x - step * result.direction, result.state
    return x


@pytest.mark.parametrize("start", [0.1, 0.9, -3.0, 2.0])
def test_exact_dibs_ends_between_two_parabolas_from_any_start(start):
    optima = np.array([[0.0], [1.0]])
    end = descend(lambda x: 2 * (x - optima), optima, DiBS(), [start])
    assert end[0] == pytest.approx(0.5, abs=1e-12)


@pytest.mark.parametrize("start", [0.1, 0.9])
@pytest.mark.parametrize("mode", ["direction", "multi_step"])
def test_dibs_without_distances_stays_at_any_pareto_point(mode, start):
    optima = np.array([[0.0], [1.0]])
    end = descend(lambda x: 2 * (x - optima), optima, DiBS(mode), [start])
    assert end[0] == pytest.approx(start, abs=1e-12)


def test_exact_dibs_comes_to_the_middle_of_two_distances():
    optima = np.array([[0.0, 1.0], [0.0, -1.0]])
    end = descend(lambda x: 2 * (x - optima), optima, DiBS(), [0.3, 0.9])
    np.testing.assert_allclose(end, 0, atol=1e-12)


def test_with_isotropic_hessians_exact_dibs_is_the_centroid_of_the_optima(rng):
    optima, curvature = rng.normal(size=(5, 3)), rng.uniform(0.1, 50, size=(5, 1))
    end = descend(lambda x: curvature * (x - optima), optima, DiBS(), np.ones(3))
    np.testing.assert_allclose(end, optima.mean(axis=0), atol=1e-12)


TRANSFORMS = {  # increasing, with their derivatives
    "cube": (lambda f: f**3, lambda f: 3 * f**2),
    "log": (np.log, lambda f: 1 / f),
    "exp": (np.exp, np.exp),
    "times 1000": (lambda f: 1000 * f, lambda f: 1000 + 0 * f),
}


class LeastSquaresTasks:
    """f_t(x) = ||X_t x - y_t||^2 / (2 n), tasks with targets of their own."""

    def __init__(self, seed=0, n_tasks=3, n=12, p=4):
        rng = np.random.default_rng(seed)
        X, W = rng.normal(size=(n_tasks, n, p)), rng.normal(size=(n_tasks, p))
        self.X, self.y = X, np.einsum("tnp,tp->tn", X, W) + 0.5 * rng.normal(size=(n_tasks, n))
        self.optima = np.stack(
            [np.linalg.lstsq(A, b, rcond=None)[0] for A, b in zip(self.X, self.y, strict=True)]
        )

    def losses(self, x):
        return ((self.X @ x - self.y) ** 2).mean(axis=1) / 2

    def gradients(self, x):
        return np.einsum("tnp,tn->tp", self.X, self.X @ x - self.y) / self.X.shape[1]


@pytest.mark.parametrize("name", TRANSFORMS)
def test_exact_dibs_does_not_depend_on_the_units_of_losses_where_their_sum_does(name):
    tasks = LeastSquaresTasks()
    transform, slope = TRANSFORMS[name]

    def gradients(x):  # the first task's loss is measured in another way
        factors = np.array([slope(tasks.losses(x)[0]), 1.0, 1.0])
        return factors[:, None] * tasks.gradients(x)

    def total(x, through):
        f = tasks.losses(x)
        return through(f[0]) + f[1] + f[2]

    plain = descend(tasks.gradients, tasks.optima, DiBS(), np.zeros(4))
    changed = descend(gradients, tasks.optima, DiBS(), np.zeros(4))
    np.testing.assert_allclose(changed, plain, rtol=0, atol=1e-10)
    sums = [minimize(total, plain, args=(h,)).x for h in (lambda f: f, transform)]
    assert np.abs(sums[1] - sums[0]).max() > 0.03


def test_exact_dibs_ends_at_a_pareto_point():
    tasks = LeastSquaresTasks()
    x = descend(tasks.gradients, tasks.optima, DiBS(), np.zeros(4))
    distances = np.linalg.norm(x - tasks.optima, axis=1)
    result = balance(tasks.gradients(x), balancer="dibs", distances=distances)
    assert np.linalg.norm(result.direction) / result.weights.sum() < 1e-10
    assert np.abs(x - tasks.optima.mean(axis=0)).max() > 1e-3  # not the centroid here


def test_weights_of_dibs_are_distances_over_norms():
    J, distances = jacobian("normal"), np.array([0.1, 1.0, 2.0, 5.0])
    p = np.array([1.0, 2.0, 3.0, 2.0])
    norms = np.linalg.norm(J, axis=1)
    exact = balance(J, balancer=DiBS(preference=p), distances=distances).weights
    np.testing.assert_allclose(exact, p / 2 * distances / norms, rtol=1e-13)
    unit = balance(J, balancer=DiBS("direction", preference=p), distances=distances).weights
    np.testing.assert_allclose(unit * norms, p / 2 / 4, rtol=1e-13)


def published_inner_loop(J, radius, step_size, n_inner):
    """Weights of the published inner loop, with the displacement itself."""
    norms, U = unit_rows(J)
    displacement, weights = np.zeros(J.shape[1]), np.zeros(len(J))
    for _ in range(n_inner):
        away = np.linalg.norm(displacement + radius * U, axis=1)
        weights = weights + step_size * away / norms
        displacement = displacement - step_size * away @ U
        if np.linalg.norm(displacement) > radius:
            break
    return weights


@pytest.mark.parametrize(
    "radius, step_size, n_inner", [(1e-3, 2e-4, 5), (1.0, 0.2, 5), (3.0, 1.0, 10), (1e3, 0.1, 3)]
)
def test_multi_step_dibs_is_the_published_inner_loop_on_the_gramian(radius, step_size, n_inner):
    for seed in range(5):
        J = jacobian("normal", seed)
        balancer = DiBS("multi_step", radius=radius, step_size=step_size, n_inner=n_inner)
        expected = published_inner_loop(J, radius, step_size, n_inner)
        np.testing.assert_allclose(balance(J, balancer=balancer).weights, expected, rtol=1e-12)


# one Gramian serves them


def test_gradients_are_read_once_and_only_as_their_gramian():
    J = jacobian("normal")
    stats = TaskStats(J)
    first = stats.norms, stats.unit_gramian
    for balancer in (Nash(), MGDA(), UPGrad(), DiBS()):
        balancer.step(stats, balancer.init(4, np.random.RandomState(0)))
        assert stats.norms is first[0] and stats.unit_gramian is first[1]
        assert balancer.needs == {"gramian"}
