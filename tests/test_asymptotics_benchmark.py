"""The acceptance table covers what it should, and its reference solver minimises the objective."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from skmtl.asymptotics._losses import MARGIN_LOSSES, RESIDUAL_LOSSES

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(
    not (ROOT / "benchmarks").is_dir(), reason="benchmarks/ lies beside the sources only"
)


@pytest.fixture
def module(monkeypatch):
    """Import a module of benchmarks/, which is not installed, by its name."""
    monkeypatch.syspath_prepend(str(ROOT))
    return lambda name: importlib.import_module(f"benchmarks.{name}")


def test_the_settings_cover_every_loss_one_to_ten_tasks_and_both_regimes(module):
    problems = [setting.problem for setting in module("asymptotics").settings()]
    assert len(problems) >= 24
    assert {p.loss for p in problems} == {*RESIDUAL_LOSSES, *MARGIN_LOSSES}
    assert {p.teacher for p in problems} == {"linear", "sign", "logistic"}
    assert {1, 2, 5, 10} <= {p.n_tasks for p in problems}
    ratios = np.concatenate([p.sample_ratio for p in problems])
    assert ratios.min() < 1 < ratios.max()


def test_a_row_holds_prediction_and_simulation_and_its_verdict(module):
    benchmark = module("asymptotics")
    row = dict(
        zip(benchmark.COLUMNS, benchmark.row_of(benchmark.settings()[0], 20, 4), strict=True)
    )
    assert row["T"] == "1" and row["fitted by"] == "MultiTaskRidge"
    assert float(row["predicted"]) == pytest.approx(float(row["simulated"]), rel=0.5)
    assert row[""] == "ok"


@pytest.mark.parametrize(
    "difference, sem, expected", [(0.019, 0.0, "ok"), (0.021, 0.005, "OFF"), (0.021, 0.006, "ok")]
)
def test_agreement_is_two_percent_or_four_standard_errors(module, difference, sem, expected):
    found = module("asymptotics").verdict(np.array([0.0, difference]), np.full(2, sem), np.ones(2))
    assert found == expected


@pytest.mark.parametrize("loss", [*RESIDUAL_LOSSES, *MARGIN_LOSSES])
@pytest.mark.parametrize("offset", [0.0, 0.3])
def test_the_reference_solver_minimises_the_objective(module, loss, offset, rng):
    benchmark = module("asymptotics")
    problem = benchmark.unequal() if loss in RESIDUAL_LOSSES else benchmark.unequal_signs(loss)
    problem = benchmark.replace(problem, loss=loss)
    rows = problem.n_rows(20)
    task = np.repeat(np.arange(3), rows)
    X, y = rng.normal(size=(len(task), 20)), rng.normal(size=len(task))
    y = y if loss in RESIDUAL_LOSSES else np.sign(y)
    fit = module("_reference").fit_reference

    def objective(W):
        z = np.sum(X * W[task], axis=1) + offset
        losses = (
            RESIDUAL_LOSSES[loss].value(y - z)
            if loss in RESIDUAL_LOSSES
            else MARGIN_LOSSES[loss].value(y * z)
        )
        means = np.bincount(task, losses) / rows
        return problem.loss_weight @ means + np.trace(W.T @ problem.penalty_matrix @ W) / 2

    W = fit(problem, X, y, task, offset)
    least = objective(W)
    for _ in range(20):
        # strong convexity: a move of length r costs at least its penalty
        move = 1e-3 * rng.normal(size=W.shape)
        cost = np.trace(move.T @ problem.penalty_matrix @ move) / 2
        assert objective(W + move) > least + 0.5 * cost
