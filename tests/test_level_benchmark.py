"""The verdicts of `compare` have their level: simulated with the designs of the benchmark."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(
    not (ROOT / "benchmarks").is_dir(), reason="benchmarks/ lies beside the sources only"
)


@pytest.fixture
def level(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.level")


def claims(level, design, n, n_train, n_sets):
    found = level.simulate(design, n, n_train, n_sets)
    return sum(comparison.outcome != "no difference shown" for comparison in found)


@pytest.mark.slow
@pytest.mark.parametrize("design", [0, 1, 2])
def test_no_more_verdicts_than_the_level_allows_where_no_model_is_better(level, design):
    # with a true level of 5 % the bound fails once in a thousand times
    n_sets = 100
    found = claims(level, level.null_designs()[design], 96, 72, n_sets)
    assert found <= binom.ppf(0.999, n_sets, 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("design", [0, 1, 2, 3, 4])
def test_few_training_rows_have_no_more_verdicts_either(level, design):
    found = claims(level, level.null_designs()[design], 24, 6, 100)
    assert found <= binom.ppf(0.999, 100, 0.05)


@pytest.mark.slow
def test_two_plain_standard_errors_claim_far_more_and_a_real_gain_is_found(level):
    found = level.simulate(level.null_designs()[0], 96, 72, 50)
    assert sum(map(level.beyond_two_plain_se, found)) >= binom.ppf(1 - 1e-6, 50, 0.05)
    better = level.null_designs()[0]._replace(
        draw=lambda rng, n, _: level.blocks(rng, n, _, [0.5, 0.9])
    )
    gains = [c.outcome for c in level.simulate(better, 96, 72, 20)]
    assert gains.count("a gain") >= 15


def test_pooled_and_independent_least_squares_have_equal_expected_errors(level):
    """Their errors over fresh rows, whose mean is the squared distance of the coefficients."""
    n_train, rng, gaps = 18, np.random.default_rng(1), []
    U = level.deviations(n_train)
    for _ in range(1000):
        X, y, task = level.unlike_tasks(rng, n_train, n_train)
        rows, one = np.arange(len(y)), np.eye(level.WIDTH)
        probes, tasks = np.tile(one, (4, 1)), np.repeat(np.arange(4), level.WIDTH)
        Z, codes = np.vstack([X, probes]), np.append(task, tasks)
        y = np.append(y, np.zeros(len(probes)))
        true = (1 + U).ravel()
        errors = [
            ((model(Z, y, codes, rows)[len(X) :] - true) ** 2).sum()
            for model in (level.pooled, level.independent)
        ]
        gaps.append(errors[0] - errors[1])
    assert abs(np.mean(gaps)) < 5 * np.std(gaps) / np.sqrt(len(gaps))


def test_the_table_says_what_was_simulated(level):
    row = level.level_row(level.null_designs()[0], 24, 18, 5)
    assert len(row) == len(level.COLUMNS)
    assert row[:3] == ["of equal merit", 24, 18]
    assert row[-1] in ("yes", "NO")
    assert len(level.power_row(0.2, 24, 3)) == 5
