"""The least largest scaled excess against a general optimiser, its bound from below, and units."""

import numpy as np
import pytest
from scipy.optimize import minimize
from test_bargaining import conflicting, objectives

from skmtl.solvers._least_maximum import GAP, least_maximum


def excess_scales(problem):
    start = problem.problem.at(problem.problem.zeros())
    return 1 / problem.excess(start)


@pytest.mark.parametrize("scales", [[1.0, 1.0], [1.0, 1.0, 1.0], [1e6, 1.0, 1e-6], np.ones(6)])
def test_the_largest_excess_is_within_its_gap_of_a_bound_from_below(scales):
    X, Y = conflicting(0, scales)
    problem = objectives(X, Y, "irls")
    a = excess_scales(problem)
    found = least_maximum(problem, a)
    excess = a * problem.gains(found.point)
    assert found.gap <= 1e-6
    shares = found.weights / a
    shares = shares / shares.sum()
    # the fit minimises the shares' sum, which no largest excess is below: weak duality
    assert excess.max() - shares @ excess == pytest.approx(found.gap * excess.max(), abs=1e-12)
    assert found.weights.mean() == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(3))
def test_a_general_optimiser_finds_no_smaller_one(seed):
    X, Y = conflicting(seed, [1.0, 2.0, 0.5], n=40, p=2)
    X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    problem = objectives(X, Y, "irls", penalty=(1e-6, np.inf))
    a = excess_scales(problem)
    found = least_maximum(problem, a)
    largest = (a * problem.gains(found.point)).max()
    best = np.mean((X @ np.linalg.lstsq(X, Y, rcond=None)[0] - Y) ** 2, axis=0)

    def value(v):
        relative = (np.mean((X @ v[:, None] - Y) ** 2, axis=0) - best) / (Y.var(axis=0) - best)
        return relative.max()

    v = found.point.P[0, :2]
    other = minimize(value, v + 0.1, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-13})
    assert largest <= other.fun + 1e-6  # penalties of 1e-6 count for less
    assert largest == pytest.approx(value(v), abs=1e-6)


def test_a_task_of_scale_zero_takes_no_part():
    X, Y = conflicting(0, [1.0, 1.0, 1.0])
    problem = objectives(X, Y, "irls")
    found = least_maximum(problem, np.array([1.0, 1.0, 0.0]))
    assert found.weights[2] == 0
    assert found.gap <= GAP * 10
