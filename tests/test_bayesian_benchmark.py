"""benchmarks/bayesian.py: its figures are what their names say."""

import importlib
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(
    not (ROOT / "benchmarks").is_dir(), reason="benchmarks/ lies beside the sources only"
)


@pytest.fixture
def bayesian(monkeypatch):
    """The module, which is not installed."""
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.bayesian")


def test_coverage_is_the_share_inside_the_central_interval(bayesian):
    z = np.array([0.0, 0.5, -0.7, 1.5, -3.0])  # the 50 % interval ends at .67, the 80 % one at 1.28
    assert bayesian.covered(z) == [0.4, 0.6, 0.8, 0.8]


def test_simulated_sets_are_of_the_size_asked_for(bayesian):
    new, seen, filled = bayesian.simulate(20, 3, 4, 0.3, seed=0, n_new=5).values()
    assert new.shape == (2, 20) and 0 < filled.shape[1] < 20 and 10 < seen.shape[1] < 40


def test_t_variates_become_normal_ones(bayesian):
    z, scores = bayesian.both(np.array([-2.0, 0.0, 2.0]), np.array([5.0, 5.0, 1e9]))
    assert -2 < scores[0] < -1.5 and scores[1] == 0  # rarer in a normal distribution
    assert scores[2] == pytest.approx(2, abs=1e-6)  # 1e9 degrees are as good as normal
    assert bayesian.covered(z)[-1] < bayesian.covered(scores)[-1]


def test_correlations_are_of_the_hidden_cells_alone(bayesian):
    Y, hidden = np.arange(12.0).reshape(6, 2), np.zeros((6, 2), dtype=bool)
    hidden[:3] = True
    guess = np.where(hidden, -2 * Y, 100.0)
    np.testing.assert_allclose(bayesian.correlations(Y, guess, hidden), [-1, -1])


def test_a_fit_over_its_limit_is_called_so(bayesian):
    assert bayesian.speed_row("case", 1.0, 0.5, 2.0, "peer")[3:6] == ["OVER", "2.000", "2.0"]
    assert bayesian.speed_row("case", 0.4, 0.5, 2.0, "peer")[3] == "ok"


def test_every_contender_predicts_and_ours_fills_in(bayesian, rng):
    X, w = rng.normal(size=(40, 5)), rng.normal(size=5)
    Y = (X @ w)[:, None] + 0.1 * rng.normal(size=(40, 3))
    hidden = np.zeros(Y.shape, dtype=bool)
    hidden[::4, 0] = hidden[1::4, 1] = hidden[2::4, 2] = True
    found = list(bayesian.predictions(X, Y, hidden))
    assert [name for name, *_ in found][-1] == "MultiTaskBayesianRidge, impute"
    for _, guess, seconds, _ in found:
        assert np.mean(bayesian.correlations(Y, guess, hidden)) > 0.95 and seconds >= 0
    assert len(found[-1][3]) == len(bayesian.LEVELS)
