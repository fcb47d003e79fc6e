"""make_clustered_tasks: the truth is what was asked for."""

import numpy as np
import pytest

from skmtl.datasets import make_clustered_tasks


def test_tasks_of_a_cluster_are_near_its_centre_and_outliers_far_from_it():
    *_, cluster, coef, _ = make_clustered_tasks(
        n_tasks=60, n_outliers=9, return_coef=True, random_state=0
    )
    asked = np.arange(60) * 3 // 60
    assert (cluster == -1).sum() == 9
    np.testing.assert_array_equal(cluster[cluster >= 0], asked[cluster >= 0])
    centers = np.array([np.median(coef[cluster == k], axis=0) for k in range(3)])
    distance = np.linalg.norm(coef - centers[asked], axis=1)
    # normal deviations of 0.3 on a third of 20 features; shifts of 3 at least on each
    assert distance[cluster >= 0].max() < 2 < 3 * np.sqrt(20) - 2 < distance[cluster < 0].min()


def test_clusters_have_features_of_their_own():
    *_, cluster, coef, _ = make_clustered_tasks(
        n_features=7, n_tasks=9, return_coef=True, random_state=1
    )
    used = np.array([(coef[cluster == k] != 0).all(axis=0) for k in range(3)])
    np.testing.assert_array_equal(used.sum(axis=0), 1)
    assert sorted(used.sum(axis=1)) == [2, 2, 3]


@pytest.mark.parametrize("features, moved", [("all", 12), ("own", 4)])
def test_shifts_are_no_shorter_than_their_scale_and_unrelated_outliers_are_bounded(features, moved):
    options = {
        "n_samples": 5,
        "n_features": 12,
        "spread": 0.0,
        "center_scale": 0.0,
        "n_outliers": 30,
        "outlier_features": features,
        "return_coef": True,
        "random_state": 2,
    }
    *_, shifted, _ = make_clustered_tasks(outlier_scale=2.0, **options)
    np.testing.assert_array_equal((shifted != 0).sum(axis=1), moved)
    sizes = np.abs(shifted[shifted != 0])
    assert sizes.min() >= 2 and (shifted > 0).any() and (shifted < 0).any()
    *_, unrelated, _ = make_clustered_tasks(outliers="unrelated", **options)
    np.testing.assert_array_equal((unrelated != 0).sum(axis=1), moved)
    assert 9 < np.abs(unrelated).max() <= 10


def test_labels_are_those_of_the_coefficients():
    options = {"noise": 0.0, "intercept_scale": 2.0, "return_coef": True, "random_state": 3}
    X, Y, _, coef, b = make_clustered_tasks(missing=0.2, **options)
    seen = ~np.isnan(Y)
    assert (~seen).sum() == 0.2 * Y.size
    np.testing.assert_allclose(Y[seen], (X @ coef.T + b)[seen])
    X, y, task, _, coef, b = make_clustered_tasks(
        [3, 1, 4], n_tasks=3, common_design=False, **options
    )
    assert task.tolist() == [0, 0, 0, 1, 2, 2, 2, 2]
    np.testing.assert_allclose(y, (X * coef[task]).sum(axis=1) + b[task])


def test_neighbouring_features_have_the_correlation_asked_for():
    X, *_ = make_clustered_tasks(20_000, 4, 4, correlation=-0.6, random_state=0)
    # standard errors of correlations are below 0.01
    distance = np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    np.testing.assert_allclose(np.corrcoef(X.T), (-0.6) ** distance, atol=0.04)


def test_an_integer_seed_gives_the_same_data():
    first, again, other = (make_clustered_tasks(random_state=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first[1], again[1])
    assert (first[1] != other[1]).any()


@pytest.mark.parametrize(
    "params, error, message",
    [
        ({"n_clusters": 0}, ValueError, "n_clusters must be at least 1"),
        ({"n_clusters": 31}, ValueError, "n_clusters must be at most n_tasks=30 and n_features=20"),
        ({"n_outliers": 31}, ValueError, "n_outliers must be at most n_tasks=30, got 31"),
        ({"n_outliers": -1}, ValueError, "n_outliers must be at least 0"),
        ({"n_outliers": 0.1}, TypeError, "n_outliers must be an integer"),
        ({"spread": -1}, ValueError, "spread must be in"),
        ({"center_scale": np.inf}, ValueError, "center_scale must be in"),
        ({"outlier_scale": "a"}, TypeError, "outlier_scale must be a number"),
        ({"outliers": "far"}, ValueError, "outliers must be one of"),
        ({"outlier_features": "some"}, ValueError, "outlier_features must be one of"),
        ({"correlation": 1.0}, ValueError, "correlation must be in"),
        ({"correlation": "a"}, TypeError, "correlation"),
        ({"noise": -1.0}, ValueError, "noise must be"),
        ({"missing": 1.0}, ValueError, "missing must be in"),
        ({"n_samples": [1, 2]}, ValueError, "n_samples must be an int"),
    ],
)
def test_parameters_out_of_range_are_refused(params, error, message):
    with pytest.raises(error, match=message):
        make_clustered_tasks(**params)
