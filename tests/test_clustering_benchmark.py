"""What the clustering benchmark reports, on cases of which it is known."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from skmtl import MultiTaskRidge

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(
    not (ROOT / "benchmarks").is_dir(), reason="benchmarks/ lies beside the sources only"
)


@pytest.fixture
def clustering(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.clustering")


def test_slopes_are_the_coefficients(clustering, rng):
    Z = np.column_stack([np.arange(40) % 4, rng.normal(size=(40, 3))])
    model = MultiTaskRidge(task_column=0).fit(Z, rng.normal(size=40))
    np.testing.assert_allclose(clustering.slopes(model, (4, 3)), model.coef_, atol=1e-12)


def test_recovery_counts_outliers_and_compares_the_others(clustering):
    cluster = np.array([0, 0, 1, 1, -1, -1])
    assert clustering.recovery(np.array([1, 1, 0, 0, -1, 2]), cluster) == [1.0, 0.5, 0.0]
    assert clustering.recovery(np.array([0, 0, 0, -1, -1, -1]), cluster)[1:] == [1.0, 0.25]
    assert np.isnan(clustering.recovery(None, cluster)).all()


def test_a_task_that_is_predicted_by_its_mean_has_error_one(clustering):
    class Means:
        def predict(self, Z):
            return np.where(Z[:, 0] == 0, 2.0, 5.0)

    Z, y = np.array([[0.0], [0.0], [1.0], [1.0]]), np.array([1.0, 3.0, 5.0, 5.5])
    assert clustering.nmse(Means(), Z[:2], y[:2]) == pytest.approx(1.0)
    assert clustering.nmse(Means(), Z, y) == pytest.approx((1 + 0.25 / 0.125) / 2)


def test_each_model_gives_the_measures(clustering, monkeypatch):
    options = {"n_features": 4, "n_tasks": 6, "n_outliers": 1}
    models = clustering.models()
    kept = {name: models[name] for name in ("ridge for each task", "k-means, 3 clusters")}
    monkeypatch.setattr(clustering, "models", lambda: kept)
    rows = list(clustering.simulate(15, options, range(2)))
    assert [row[0] for row in rows] == list(kept)
    assert rows[0][3] == "-" and rows[1][3] != "-"
    assert {len(row) for row in rows} == {6}
