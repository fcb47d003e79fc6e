"""The volume that points dominate: cells of a grid, inclusion and exclusion, and random points."""

from itertools import chain, combinations, product

import numpy as np
import pytest

from skmtl.model_selection._hypervolume import dominated, hypervolume

every_number_of_tasks = pytest.mark.parametrize("T", range(1, 6))


def on_a_sphere(n, T, rng):
    """Points of which none dominates another, within (0, 1)."""
    return 1 - np.sqrt(rng.dirichlet(np.ones(T), n))


def cells_covered(points, reference):
    """Unit cells below an integer reference that integer points dominate, counted one by one."""
    cells = np.array(list(product(*(range(int(r)) for r in reference))))
    return int((points <= cells[:, None]).all(axis=2).any(axis=1).sum())


def inclusion_exclusion(points, reference):
    """Sum over all sets of points of (-1)^(size + 1) times the box that they share."""
    sets = chain.from_iterable(combinations(points, k) for k in range(1, len(points) + 1))
    return sum((-1) ** (len(s) + 1) * np.prod(reference - np.max(s, axis=0)) for s in sets)


@every_number_of_tasks
@pytest.mark.parametrize("seed", range(5))
def test_integer_points_cover_the_cells_of_a_grid(T, seed):
    """With ties, copies, dominated points and points that are not below the reference."""
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 6, size=(12, T)).astype(float)
    reference = rng.integers(3, 6, size=T).astype(float)
    assert hypervolume(points, reference) == cells_covered(points, reference)


@pytest.mark.parametrize("T", [2, 3, 4, 6, 8])
def test_volumes_are_those_of_inclusion_and_exclusion(T, rng):
    points, reference = on_a_sphere(10, T, rng), np.full(T, 1.1)
    expected = inclusion_exclusion(points, reference)
    # 1023 terms of either sign, none above 1.1^T, each rounded
    assert hypervolume(points, reference) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("T", [3, 5])
def test_volumes_are_shares_of_random_points(T, rng):
    points = on_a_sphere(25, T, rng)
    draws = rng.random((100_000, T))
    share = np.mean([(points <= x).all(axis=1).any() for x in draws])
    # six standard errors of a share of 1e5 draws, at most 0.5 / sqrt(1e5) each
    assert hypervolume(points, np.ones(T)) == pytest.approx(share, abs=0.01)


def test_two_tasks_have_the_area_of_a_staircase(rng):
    points = on_a_sphere(40, 2, rng)
    x, y = points[np.argsort(points[:, 0])].T
    area = ((1 - x) * np.diff(-y, prepend=-1.0)).sum()
    assert hypervolume(points, np.ones(2)) == pytest.approx(area, rel=1e-12)


@every_number_of_tasks
def test_units_order_and_dominated_points_do_not_matter(T, rng):
    points, reference = on_a_sphere(15, T, rng), np.full(T, 1.2)
    volume = hypervolume(points, reference)
    order, tasks, unit = rng.permutation(15), rng.permutation(T), rng.uniform(0.1, 10, T)
    assert hypervolume(points[order], reference) == pytest.approx(volume, rel=1e-12)
    assert hypervolume(points[:, tasks], reference) == pytest.approx(volume, rel=1e-12)
    scaled = hypervolume(points * unit, reference * unit)
    assert scaled == pytest.approx(volume * unit.prod(), rel=1e-12)
    more = np.vstack([points, points + 0.05, points[:3]])
    assert hypervolume(more, reference) == pytest.approx(volume, rel=1e-12)
    better = points.min(axis=0, keepdims=True)
    assert hypervolume(np.vstack([points, better]), reference) >= volume * (1 - 1e-12)


@every_number_of_tasks
def test_one_point_has_its_box_and_none_has_nothing(T, rng):
    point = rng.random(T)
    assert hypervolume(point[None], np.ones(T)) == pytest.approx(np.prod(1 - point))
    assert hypervolume(np.ones((2, T)), np.ones(T)) == 0.0
    assert hypervolume(np.zeros((0, T)), np.ones(T)) == 0.0


def test_the_points_are_left_as_they_are(rng):
    points = on_a_sphere(8, 4, rng)
    points.flags.writeable = False
    assert hypervolume(points, np.ones(4)) > 0
    assert not dominated(points).any()
