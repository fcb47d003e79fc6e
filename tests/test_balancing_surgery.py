"""Methods that take gradients apart or track them, each against its definition.

PCGrad, GradVac and TaskTension are repeated on the gradients themselves, where the package has only
their Gramian; GradDrop, DBMTL and MoCo on NumPy.
"""

from itertools import permutations, product

import numpy as np
import pytest
from _jacobians import INDEPENDENT_ROWS, JACOBIANS, unit_rows
from scipy.optimize import minimize

from skmtl import MultiTaskRidge
from skmtl._backend import place_of, to_numpy
from skmtl.balancing import (
    DBMTL,
    MGDA,
    GradDrop,
    GradVac,
    MoCo,
    PCGrad,
    TaskStats,
    TaskTension,
    UPGrad,
    balance,
)
from skmtl.balancing._parameters import drawn

SEEDS = range(20)
P = np.array([1.0, 3.0, 0.5, 2.0])  # preferences of four tasks
ROUNDING = 1e-11  # of a few steps on rows of length about one


def jacobian(kind="normal", seed=0):
    return JACOBIANS[kind](np.random.default_rng(seed))


def random_jacobian(seed, n_tasks=None):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_tasks or rng.integers(2, 6), rng.integers(2, 8)))


def run(balancer, Js, losses=None, **given):
    """Results of consecutive steps."""
    results, state = [], None
    for t, J in enumerate(Js):
        L = None if losses is None else losses[t]
        results.append(balance(J, L, balancer, state, **given))
        state = results[-1].state
    return results


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def orders(n_tasks):
    """Every choice of an order of the others for each task."""
    rest = [[j for j in range(n_tasks) if j != i] for i in range(n_tasks)]
    return product(*[list(permutations(others)) for others in rest])


def among(direction, candidates):
    """Number of the candidate that the direction is."""
    away = np.abs(np.array(candidates) - direction).max(axis=1)
    assert away.min() < ROUNDING
    return int(away.argmin())


# draws


def test_draws_are_the_same_on_every_platform():
    rng, _ = drawn(0)
    assert rng.random() == 0.6369616873214543  # PCG64's, as in the documentation of NumPy


def test_steps_draw_independently_of_each_other():
    J, state, logits = jacobian(), None, []
    for _ in range(2000):
        result = balance(J, balancer="rlw", state=state, random_state=0)
        state, w = result.state, result.weights
        logits.append(np.log(w[1:] / w[0]))
    now, then = np.array(logits[1:]), np.array(logits[:-1])
    for t in range(3):
        # four standard deviations of a correlation between independent numbers
        assert abs(np.corrcoef(now[:, t], then[:, t])[0, 1]) < 4 / np.sqrt(len(now))


# PCGrad


def pcgrad(J, order):
    """The algorithm of the paper on the gradients, for given orders."""
    changed = J.copy()
    for i, others in enumerate(order):
        for j in others:
            changed[i] -= min(changed[i] @ J[j], 0) / (J[j] @ J[j]) * J[j]
    return changed


@pytest.mark.parametrize("kind", ["normal", "opposed", "collinear", "rank_deficient", "apart"])
def test_pcgrad_on_two_tasks_is_upgrad_twice(kind):
    for seed in SEEDS:
        J = jacobian(kind, seed)[:2]
        for p in (None, [1.0, 3.0]):
            expected = 2 * balance(J, balancer=UPGrad(preference=p)).direction
            found = balance(J, balancer=PCGrad(preference=p), random_state=seed).direction
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=ROUNDING * np.abs(J).max())


def test_pcgrad_follows_one_order_of_visits_and_each_comes_up():
    J = np.random.default_rng(3).normal(size=(3, 2))  # in the plane the order matters
    candidates = [pcgrad(J, order).sum(axis=0) for order in orders(3)]
    distinct = np.unique(np.round(candidates, 9), axis=0)
    found = [balance(J, balancer="pcgrad", random_state=seed).direction for seed in range(60)]
    for direction in found:
        among(direction, candidates)
    assert 2 <= len(distinct) == len(np.unique(np.round(found, 9), axis=0))


def test_pcgrad_draws_all_orders_alike():
    J = np.random.default_rng(3).normal(size=(3, 2))
    candidates = [pcgrad(J, order).sum(axis=0) for order in orders(3)]
    results = run(PCGrad(), [J] * 2000, random_state=0)
    mean = np.mean([result.direction for result in results], axis=0)
    error = np.std(candidates, axis=0) / np.sqrt(2000)
    # four standard errors
    assert (np.abs(mean - np.mean(candidates, axis=0)) < 4 * error + ROUNDING).all()


def test_pcgrad_multiplies_freed_gradients_by_preferences():
    J = np.random.default_rng(3).normal(size=(3, 2))
    p = np.array([1.0, 3.0, 0.5])
    candidates = [p / p.mean() @ pcgrad(J, order) for order in orders(3)]
    for seed in SEEDS:
        among(balance(J, balancer=PCGrad(preference=p), random_state=seed).direction, candidates)


def test_without_conflict_pcgrad_is_the_sum():
    J = np.abs(jacobian())
    np.testing.assert_array_equal(balance(J, balancer="pcgrad").weights, np.ones(4))


def test_opposed_gradients_cancel_in_pcgrad():
    direction = balance([[1.0, 2.0], [-3.0, -6.0]], balancer="pcgrad").direction
    np.testing.assert_allclose(direction, 0, atol=1e-14)


# GradVac


def gradvac(J, order, target, beta):
    """(turned gradients, next targets): the paper's algorithm, by the angle in the plane of two."""
    changed, target = J.copy(), target.copy()
    for i, others in enumerate(order):
        for j in others:
            g, h, t = changed[i], J[j], target[i, j]
            c = cosine(g, h)
            if c < t:
                across = g - (g @ h) / (h @ h) * h  # stays; only the part along h changes
                along = np.linalg.norm(across) * t / np.sqrt(1 - t**2)
                changed[i] = across + along * h / np.linalg.norm(h)
            target[i, j] = (1 - beta) * t + beta * c
    return changed, target


@pytest.mark.parametrize("beta", [0.01, 0.5, 0.9])
def test_gradvac_on_two_tasks_is_the_algorithm_step_by_step(beta):
    only = next(orders(2))
    for seed in SEEDS:
        Js = np.random.default_rng(seed).normal(size=(6, 2, 5)) * [[2.0], [0.01]] + 0.5
        target = np.zeros((2, 2))
        for J, result in zip(Js, run(GradVac(beta), Js), strict=True):
            changed, target = gradvac(J, only, target, beta)
            np.testing.assert_allclose(result.direction, changed.sum(axis=0), atol=ROUNDING)
            np.testing.assert_allclose(result.state.own["target"], target, atol=ROUNDING)


def test_gradvac_follows_one_order_of_visits():
    Js = np.random.default_rng(3).normal(size=(4, 3, 2))  # in the plane the order matters
    used = set()
    for seed in SEEDS:
        target = np.zeros((3, 3))
        for J, result in zip(Js, run(GradVac(), Js, random_state=seed), strict=True):
            ways = [gradvac(J, order, target, 0.5) for order in orders(3)]
            number = among(result.direction, [changed.sum(axis=0) for changed, _ in ways])
            own = [np.append(changed.sum(axis=0), t) for changed, t in ways]
            target = result.state.own["target"]
            among(np.append(result.direction, target), own)
            used.add(number)
    assert len(used) > 4


def test_gradvac_turns_a_gradient_to_the_target():
    near, apart = np.array([[1.0, 0.0], [0.9, 0.3]]), np.array([[1.0, 0.0], [-0.6, 2.0]])
    first, second = run(GradVac(), [near, apart])
    target = first.state.own["target"]
    assert target[0, 1] == pytest.approx(0.5 * cosine(*near))
    added = second.weights - 1  # of the first gradient to the second, and the other way round
    turned = apart + added[::-1, None] * apart[::-1]
    for i, j in ((0, 1), (1, 0)):
        assert cosine(turned[i], apart[j]) == pytest.approx(target[i, j], abs=1e-12)


def test_gradvac_with_targets_of_zero_is_pcgrad():
    for seed in SEEDS:
        Js = [random_jacobian(seed + 100 * k, n_tasks=4) for k in range(3)]
        plain = run(PCGrad(preference=P), Js, random_state=seed)
        for other, steps in ((GradVac(0.0, preference=P), 3), (GradVac(preference=P), 1)):
            pairs = zip(run(other, Js, random_state=seed)[:steps], plain, strict=False)
            for turned, freed in pairs:
                np.testing.assert_allclose(turned.weights, freed.weights, rtol=1e-9)


def test_gradvac_stays_finite_where_gradients_that_always_agreed_do_not_anymore():
    same = np.ones((40, 50))
    results = run(GradVac(0.9), [same] * 30 + [np.eye(40, 50), -same, np.eye(40, 50)])
    assert results[29].state.own["target"][0, 1] == pytest.approx(1)
    for result in results:
        assert np.isfinite(result.direction).all() and (result.weights >= 0).all()


# GradDrop


def signs(J, p=1.0):
    """Sums of the positive and of the negative entries in each coordinate."""
    rows = np.broadcast_to(p, len(J))[:, None] * J
    return np.maximum(rows, 0).sum(axis=0), np.minimum(rows, 0).sum(axis=0)


@pytest.mark.parametrize("kind", [kind for kind in JACOBIANS if kind != "apart"])
def test_graddrop_keeps_one_sign_in_each_coordinate(kind):
    J = jacobian(kind)
    up, down = signs(J)
    for seed in SEEDS:
        direction = balance(J, balancer="graddrop", random_state=seed).direction
        either = np.isclose(direction, up, rtol=1e-13) | np.isclose(direction, down, rtol=1e-13)
        assert either.all()
        agreed = (up == 0) | (down == 0)
        np.testing.assert_allclose(direction[agreed], J.sum(axis=0)[agreed], rtol=1e-13)


@pytest.mark.parametrize("p", [None, P])
def test_graddrop_keeps_a_sign_as_often_as_it_weighs_and_is_the_sum_in_the_mean(p):
    n, share = 2000, np.ones(4) if p is None else p / p.mean()
    J = jacobian()
    J = J[:, np.ptp(np.sign(J), axis=0) > 0]  # where tasks disagree
    up, down = signs(J, share)
    results = run(GradDrop(preference=p), [J] * n, random_state=0)
    directions = np.array([result.direction for result in results])
    kept = np.isclose(directions, up, rtol=1e-12)
    expected = (1 + (share @ J) / (share @ np.abs(J))) / 2
    errors = np.sqrt(expected * (1 - expected) / n)
    assert (np.abs(kept.mean(axis=0) - expected) < 4 * errors).all()  # standard errors
    assert (np.abs(directions.mean(axis=0) - share @ J) < 4 * (up - down) * errors).all()
    # neither coordinates nor steps are drawn together
    assert np.abs(np.corrcoef(kept.T) - np.eye(J.shape[1])).max() < 4.5 / np.sqrt(n)
    assert np.abs(np.corrcoef(kept[1:, 0], kept[:-1, 0])[0, 1]) < 4.5 / np.sqrt(n)


def test_graddrop_does_not_depend_on_the_order_of_the_tasks():
    J = jacobian()
    for seed in SEEDS:
        one, other = (
            balance(K, balancer=GradDrop(preference=p), random_state=seed).direction
            for K, p in ((J, P), (J[::-1], P[::-1]))
        )
        np.testing.assert_allclose(one, other, rtol=1e-13)


def test_graddrop_passes_absent_tasks_over():
    J, here = jacobian(), np.array([True, False, True, True])
    balancer = GradDrop()
    whole, part = TaskStats(J, present=here), TaskStats(J[here])
    directions = []
    for stats in (whole, part):
        start = balancer.init(stats.n_tasks, np.random.RandomState(0))
        directions.append(balancer.direction(stats, balancer.step(stats, start)[1]))
    np.testing.assert_allclose(directions[0], directions[1], rtol=1e-13)


# TaskTension


def central(J, p):
    """Least-norm point of the rows u_t / p_t, made a convex combination of the gradients."""
    norms, U = unit_rows(J)
    w = balance(U / p[:, None], balancer="mgda").weights / p
    return (w @ U) / (w / norms).sum()


def nearest_without_conflict(J, d):
    """Projection onto {d: J d >= 0} by a general solver."""
    U = unit_rows(J)[1]
    found = minimize(
        lambda x: ((x - d) ** 2).sum() / 2,
        d,
        jac=lambda x: x - d,
        method="SLSQP",
        constraints={"type": "ineq", "fun": lambda x: U @ x, "jac": lambda x: U},
        options={"ftol": 1e-15, "maxiter": 300},
    )
    return found.x


def tense(Js, losses, p, alpha, window):
    """Directions of the steps, on the gradients."""
    found, norms = [], []
    for J, L in zip(Js, losses, strict=True):
        norms.append(np.linalg.norm(J, axis=1))
        d = central(J, p)
        if len(norms) > window:
            now, before = sum(norms[-window:]), sum(norms[-window - 1 : -1])
            k = now / before + np.log10(L)
            tau = p * (alpha / (1 + np.exp(-np.e * k + np.e)) + 1 - alpha)
            away = J - d
            d = d + tau @ (away / np.linalg.norm(away, axis=1)[:, None])
            d = nearest_without_conflict(J, d)
        found.append(d)
    return found


@pytest.mark.parametrize("alpha, window, p", [(0.3, 10, None), (0.9, 1, P), (0.3, 3, P)])
def test_task_tension_is_its_definition_on_the_gradients(alpha, window, p):
    conflicts = 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        Js = rng.normal(size=(13, 4, 9)) * rng.uniform(0.1, 3, size=(4, 1))
        losses = 10 ** rng.uniform(-2, 1, size=(13, 4))
        share = np.ones(4) if p is None else p / p.mean()
        results = run(TaskTension(alpha, window, preference=p), Js, losses)
        expected = tense(Js, losses, share, alpha, window)
        for J, result, d in zip(Js, results, expected, strict=True):
            np.testing.assert_allclose(result.direction, d, atol=1e-6)  # of SLSQP
            conflicts += (unit_rows(J)[1] @ result.direction < 1e-9).any()
    assert conflicts > 0  # some were projected


def test_task_tension_projects_onto_the_cone_exactly():
    for seed in SEEDS:
        J, losses = 0.01 * random_jacobian(seed), np.full(5, 1e-3)
        balancer = TaskTension(0.9, window=1)
        first, second = run(balancer, [J, J], [losses[: len(J)]] * 2)
        U = unit_rows(J)[1]
        assert (U @ second.direction).min() > -1e-10
        # the first steps are central: equal cosines wherever the weights are not zero
        progress = U @ first.direction
        used = first.weights > 0
        assert np.ptp(progress[used]) < 1e-10 and progress.min() > progress[used].min() - 1e-10
        assert first.weights.sum() == pytest.approx(1)


def test_tension_begins_after_the_window_and_waits_for_late_tasks():
    J, losses = jacobian(), np.array([1.0, 2.0, 0.1, 5.0])
    results = run(TaskTension(), [J] * 12, [losses] * 12)
    plain = [np.allclose(r.weights, results[0].weights, rtol=1e-12) for r in results]
    assert plain == [True] * 10 + [False] * 2
    balancer = TaskTension(window=1)
    state = balancer.init(4, np.random.RandomState(0))
    here = np.array([True, False, True, True])
    _, state = balancer.step(TaskStats(J, losses=losses, present=here), state)
    _, state = balancer.step(TaskStats(J, losses=losses), state)
    assert state.own["norms"].all(axis=1).tolist() == here.tolist()


@pytest.mark.parametrize("alpha", [0.3, 0.8])
def test_on_two_tasks_the_tension_is_the_difference(alpha):
    J, balancer = np.array([[2.0, 0.0], [0.0, 1.0]]), TaskTension(alpha, window=1)
    for losses in ([1.0, 0.01], [0.1, 10.0]):
        d = run(balancer, [J, J], [losses] * 2)[1].direction
        tau = alpha / (1 + np.exp(-np.e * np.log10(losses))) + 1 - alpha  # norms are steady
        expected = np.full(2, 2 / 3) + (tau[0] - tau[1]) * np.array([2, -1]) / np.sqrt(5)
        np.testing.assert_allclose(d, expected, rtol=1e-12)


def test_a_gradient_that_is_the_central_direction_has_no_tension():
    g = np.array([0.0, 0.5])
    J = np.array([[1.0, 0.5], [-1.0, 0.5], g])
    losses = [1.0, 1.0, 100.0]
    first, second = run(TaskTension(window=1), [J, J], [losses] * 2)
    np.testing.assert_allclose(first.direction, g, atol=1e-12)
    np.testing.assert_allclose(second.direction, g, atol=1e-12)  # the other two cancel
    equal = run(TaskTension(window=1), [np.ones((3, 2))] * 2, [losses] * 2)[1]
    np.testing.assert_allclose(equal.weights, 1 / 3, rtol=1e-12)


# DBMTL


def test_db_mtl_is_its_recursion():
    rng = np.random.default_rng(0)
    for beta, sigma, p in ((0.9, 0.0, np.ones(4)), (0.5, 0.5, P / P.mean())):
        Js, losses = rng.normal(size=(5, 4, 6)), rng.uniform(0.1, 3, size=(5, 4))
        b = np.zeros((4, 6))
        results = run(DBMTL(beta, sigma=sigma, preference=p), Js, losses)
        for t, (J, L, result) in enumerate(zip(Js, losses, results, strict=True), start=1):
            h = J / L[:, None]
            share = beta / t**sigma
            b = h + share * (b - h)
            norms = np.linalg.norm(b, axis=1)
            expected = (p * norms.max() / norms) @ b
            np.testing.assert_allclose(result.direction, expected, rtol=1e-11)
            assert result.weights is None


def test_contributions_to_db_mtl_have_the_length_of_the_longest():
    for kind in INDEPENDENT_ROWS:
        J = jacobian(kind)
        state = run(DBMTL(preference=P[: len(J)]), [J, J], np.ones((2, len(J))))[1].state
        norms = unit_rows(state.own["tracked"])[0]
        moving, p = norms > 0, P[: len(J)]
        lengths = (state.weights * norms / norms.max())[moving]
        expected = (p / p.mean())[moving] if len(J) > 1 else 1.0
        np.testing.assert_allclose(lengths, expected, rtol=1e-12)


def test_units_of_losses_do_not_matter_to_db_mtl():
    rng = np.random.default_rng(1)
    Js, losses = rng.normal(size=(4, 3, 5)), rng.uniform(0.1, 3, size=(4, 3))
    c = np.array([1e-3, 1.0, 1e6])
    plain, scaled = run(DBMTL(), Js, losses), run(DBMTL(), c[:, None] * Js, c * losses)
    for one, other in zip(plain, scaled, strict=True):
        np.testing.assert_allclose(other.direction, one.direction, rtol=1e-11)


def test_running_means_begin_at_zero_with_the_first_gradient_of_each_task():
    J, losses, late = jacobian(), np.array([1.0, 2.0, 0.5, 1.0]), np.array([1, 0, 1, 1], bool)
    for balancer, rows in (
        (DBMTL(0.9), 0.1 * J / losses[:, None]),
        (MoCo(0.1, sigma=0.0), 0.1 * unit_rows(J)[1] * losses[:, None]),
    ):
        state = balancer.init(4, np.random.RandomState(0))
        _, state = balancer.step(TaskStats(J, losses=losses, present=late), state)
        np.testing.assert_allclose(state.own["tracked"], rows * late[:, None], rtol=1e-13)
        _, state = balancer.step(TaskStats(J, losses=losses), state)
        seen = np.where(late, 1.9, 1.0)[:, None]  # 1 + .9 of what was there
        np.testing.assert_allclose(state.own["tracked"], seen * rows, rtol=1e-13)
        assert state.own["steps"].tolist() == [2, 1, 2, 2]


def test_absent_tasks_keep_their_means_and_have_no_pull():
    J, losses, here = jacobian(), np.ones(4), np.array([True, False, True, True])
    for balancer in (DBMTL(), MoCo()):
        _, state = balancer.step(
            TaskStats(J, losses=losses), balancer.init(4, np.random.RandomState(0))
        )
        stats = TaskStats(-J, losses=losses, present=here)
        weights, after = balancer.step(stats, state)
        np.testing.assert_array_equal(after.own["tracked"][1], state.own["tracked"][1])
        expected = weights[here] @ after.own["tracked"][here]
        np.testing.assert_allclose(balancer.direction(stats, after), expected, rtol=1e-12)


def test_without_gradients_running_means_rest():
    J, losses = jacobian(), np.ones(4)
    for name in ("db_mtl", "moco"):
        first = balance(J, losses, name)
        still = balance(0 * J, losses, name, first.state)
        assert still.status == "stationary" and not still.direction.any()
        np.testing.assert_array_equal(still.state.own["tracked"], first.state.own["tracked"])


def test_running_means_lie_where_the_jacobian_lies(xp_place):
    J, losses = jacobian(), np.ones(4)
    for name in ("db_mtl", "moco"):
        state = balance(xp_place(J), losses, name).state
        assert place_of(state.own["tracked"]) == xp_place.place
        here = balance(J, losses, name).state
        np.testing.assert_allclose(to_numpy(state.own["tracked"]), here.own["tracked"], rtol=1e-13)


# MoCo


def on_simplex(v):
    """The nearest point of the simplex, by bisection on what is taken from each entry."""
    low, high = v.min() - 1, v.max()
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(v - middle, 0).sum() > 1 else (low, middle)
    return np.maximum(v - high, 0)


def test_moco_is_its_recursion():
    rng = np.random.default_rng(0)
    ended = []
    for beta, gamma, sigma, rho, p in ((0.5, 0.1, 0.5, 0.0, np.ones(4)), (1, 0.7, 0, 0.2, P)):
        p = p / p.mean()
        Js, losses = rng.normal(size=(6, 4, 6)), rng.uniform(0.1, 3, size=(6, 4))
        balancer = MoCo(beta, gamma=gamma, sigma=sigma, rho=rho, preference=p)
        y, w = np.zeros((4, 6)), np.full(4, 0.25)
        results = run(balancer, Js, losses)
        for t, (J, L, result) in enumerate(zip(Js, losses, results, strict=True), start=1):
            h = unit_rows(J)[1] * L[:, None]
            y = y - beta / t**sigma * (y - h)
            Z = y / p[:, None]
            w = on_simplex(w - gamma / t**sigma * (Z @ Z.T @ w + rho * w))
            np.testing.assert_allclose(result.state.weights, w / p / (w / p).sum(), atol=ROUNDING)
            np.testing.assert_allclose(result.direction, result.state.weights @ y, atol=ROUNDING)
        ended.append(w)
    assert (ended[1] == 0).any() and (ended[1] > 0).sum() > 1  # a face of the simplex was met


@pytest.mark.parametrize("p", [None, P])
def test_on_steady_gradients_moco_comes_to_the_shortest_combination(p):
    J, losses = jacobian(), np.array([0.5, 1.0, 1.5, 0.8])
    expected = balance(unit_rows(J)[1] * losses[:, None], balancer=MGDA(preference=p)).weights
    last = run(MoCo(gamma=0.5, sigma=0.25, preference=p), [J] * 800, [losses] * 800)[-1]
    np.testing.assert_allclose(last.state.weights, expected, atol=1e-5)  # 800 steps leave 1e-6


def test_rho_pulls_the_weights_of_moco_towards_equal_ones():
    J, losses = jacobian(), np.array([0.5, 1.0, 1.5, 0.8])
    spread = [
        np.ptp(run(MoCo(rho=rho, sigma=0.0), [J] * 200, [losses] * 200)[-1].state.weights)
        for rho in (0.0, 1.0, 15.0)
    ]
    assert spread[0] > 2 * spread[1] > 4 * spread[2] > 0


def test_moco_averages_noise_out_where_mgda_follows_it():
    rng, J, losses = np.random.default_rng(0), jacobian(), np.ones(4)
    exact = balance(unit_rows(J)[1], balancer="mgda").direction
    noisy = [J + 1.5 * rng.normal(size=J.shape) for _ in range(400)]
    tracked = run(MoCo(gamma=0.3), noisy, [losses] * 400)[-100:]
    plain = run(MGDA(), [unit_rows(K)[1] for K in noisy])[-100:]
    close = [np.mean([cosine(r.direction, exact) for r in results]) for results in (tracked, plain)]
    assert close[0] > 0.9 > close[1] + 0.2


# linear models


@pytest.mark.parametrize("name", ["pcgrad", "gradvac", "graddrop", "db_mtl", "moco"])
def test_linear_models_refuse_what_has_no_fixed_weights(name):
    X, Y = np.eye(4), np.eye(4)[:, :2]
    with pytest.raises(ValueError, match=f"balancer='{name}' leads to no fixed weights"):
        MultiTaskRidge(balancer=name).fit(X, Y)


@pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("balancer", [TaskTension(), TaskTension(window=1)], ids=repr)
def test_descent_under_tension_ends_at_a_pareto_stationary_point(balancer):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(80, 4))
        Y = X @ (rng.normal(size=4) + rng.normal(size=(3, 4))).T + rng.normal(size=(80, 3))
        model = MultiTaskRidge(
            alpha_shared=1e-8, alpha_specific=np.inf, balancer=balancer, fit_intercept=False
        ).fit(X, Y)
        gradients = (X @ model.coef_.T - Y).T @ X
        least, first = (balance(J, balancer="mgda").direction for J in (gradients, -Y.T @ X))
        # the shortest combination of gradients has all but vanished
        assert np.linalg.norm(least) < 1e-3 * np.linalg.norm(first)
