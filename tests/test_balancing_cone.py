"""Cones of gradients that nearly oppose one another, against exact arithmetic."""

from fractions import Fraction

import _exact_cones as exact
import numpy as np
import pytest

from skmtl.balancing import MGDA, CAGrad, DualProj, TaskStats, UPGrad, balance

EPS = np.finfo(np.float64).eps
ANGLES = 10.0 ** np.arange(-11, 0, 2)
SCALES = (0, 2, 6)
BY_DEFINITION = {  # exact weights, and the balancer
    "dualproj": (lambda G: exact.projection(G, _even(G)), DualProj()),
    "upgrad": (lambda G: _mean_projection(G), UPGrad()),
    "mgda": (exact.shortest, MGDA()),
    "cagrad": (lambda G: exact.best_in_ball(G, 0.5), CAGrad(0.5, rescale=0)),
}


def _even(G):
    return [Fraction(1, len(G))] * len(G)


def _mean_projection(G):
    T = len(G)
    each = [exact.projection(G, [Fraction(int(s == t), T) for s in range(T)]) for t in range(T)]
    return [sum(column) for column in zip(*each, strict=True)]


def opposing(rng, angle, scale=0, n_tasks=3, dtype=np.float64):
    """Rows of which each second one is the negative of the last up to the angle, shuffled."""
    d = rng.integers(n_tasks, 9)
    U = rng.normal(size=(n_tasks, d))
    U /= np.linalg.norm(U, axis=1, keepdims=True)
    for t in range(1, n_tasks, 2):
        h = rng.normal(size=d)
        h -= (h @ U[t - 1]) * U[t - 1]
        U[t] = -U[t - 1] + angle * h / np.linalg.norm(h)
    J = U * 10.0 ** rng.uniform(-scale, scale, size=(n_tasks, 1))
    return rng.permutation(J).astype(dtype)


def draws(seed, angles, *, n=4, **shape):
    rng = np.random.default_rng(seed)
    for angle in angles:
        for scale in SCALES:
            for _ in range(n):
                yield angle, opposing(rng, angle, scale, **shape)


def unit_rows(J):
    J = J.astype(np.float64)
    norms = np.linalg.norm(J, axis=1)
    return norms, J / norms[:, None]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", BY_DEFINITION)
def test_directions_are_those_of_exact_arithmetic(name, dtype):
    weights, balancer = BY_DEFINITION[name]
    angles = ANGLES[ANGLES > 10 * np.finfo(dtype).eps]  # below, float32 rounds to another angle
    for angle, J in draws(0, angles, dtype=dtype):
        rows = exact.exact_rows(J)
        wanted = np.array(exact.combined(rows, weights(exact.gramian(rows))))
        result = balance(J, balancer=balancer)
        size = unit_rows(J)[0].max() if name != "mgda" else unit_rows(J)[0].min()
        # a rounding of the rows turns the cone between opposing ones by 1 / angle as much
        bound = 100 * EPS / angle * size + np.finfo(dtype).eps * np.linalg.norm(wanted)
        assert np.linalg.norm(result.direction - wanted) <= bound
        assert result.status == "ok"


@pytest.mark.parametrize("n_tasks", [2, 3, 5, 8])
@pytest.mark.parametrize("balancer", [DualProj(), UPGrad(), CAGrad(1.5, rescale=0)])
def test_no_task_loses_however_small_the_angle(balancer, n_tasks):
    for _, J in draws(1, 10.0 ** np.arange(-16, 0), n=1, n_tasks=n_tasks):
        norms, U = unit_rows(J)
        d = balance(J, balancer=balancer).direction
        assert (U @ d).min() >= -1e-12 * norms.max()  # rows so near to dependent may lose 1e-13


@pytest.mark.parametrize("n_tasks", [3, 5, 8])
def test_projections_are_no_longer_than_what_they_project(n_tasks):
    for _, J in draws(2, 10.0 ** np.arange(-16, 0, 2), n=1, n_tasks=n_tasks):
        norms, mean = unit_rows(J)[0], J.mean(axis=0)
        rounding = 1e-14 * norms.max()
        longest = {"dualproj": np.linalg.norm(mean), "upgrad": norms.mean()}
        for name, length in longest.items():
            d = balance(J, balancer=name).direction
            assert np.linalg.norm(d) <= length + rounding


@pytest.mark.parametrize("n_tasks", [3, 5])
def test_what_projections_add_is_orthogonal_to_them(n_tasks):
    for angle, J in draws(3, ANGLES, n=2, n_tasks=n_tasks):
        norms, U = unit_rows(J)
        result = balance(J, balancer="dualproj")
        added = result.weights * (1 - 1e-12) > 1 / n_tasks
        bound = 100 * EPS / angle * norms.max()
        assert np.abs(U[added] @ result.direction).max(initial=0) <= bound


@pytest.mark.parametrize("c", [0.4, 0.9])
def test_directions_in_the_ball_touch_it_where_gradients_oppose(c):
    for angle, J in draws(4, ANGLES, n=2):
        g = J.mean(axis=0)
        radius = c * np.linalg.norm(g)
        result = balance(J, balancer=CAGrad(c, rescale=0))
        assert np.linalg.norm(result.direction - g) == pytest.approx(radius, rel=1e-13 / angle)


def test_more_tasks_than_parameters_leave_the_projection_exact():
    rng = np.random.default_rng(5)
    for _ in range(10):
        J = np.vstack([opposing(rng, 1e-6, n_tasks=3)[:, :2], rng.normal(size=(3, 2))])
        rows = exact.exact_rows(J)
        G = exact.gramian(rows)
        for name in ("dualproj", "upgrad"):
            wanted = exact.combined(rows, BY_DEFINITION[name][0](G))
            d = balance(J, balancer=name).direction
            np.testing.assert_allclose(d, wanted, atol=1e-8)  # 2e-16 over the angle, and reserve


@pytest.mark.parametrize("balancer", [DualProj(), UPGrad(), CAGrad(0.5, rescale=0)])
def test_a_gramian_alone_is_said_to_be_approximate(balancer):
    statuses = set()
    for _, J in draws(6, 10.0 ** np.arange(-16, 0, 3), n=1, n_tasks=5):
        (norms, U), rows = unit_rows(J), TaskStats(J)
        alone = TaskStats(norms=rows.norms, unit_gramian=rows.unit_gramian)
        w, state = balancer.step(alone, balancer.init(5, np.random.RandomState(0)))
        statuses.add(state.status)
        d = w @ J
        if isinstance(balancer, CAGrad):
            g = J.mean(axis=0)
            farthest = 0.5 * np.linalg.norm(g) + 1e-5 * norms.max()
            assert np.linalg.norm(d - g) <= farthest
        else:  # the ridge lets a task lose its root
            assert (U @ d).min() >= -1e-5 * norms.max()
    assert statuses == {"ok", "approximate"}
