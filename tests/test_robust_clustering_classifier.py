"""MultiTaskRobustClusteringClassifier: known limits, its certificate, classes and clusters."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score

from skmtl import MultiTaskLogisticRegression, MultiTaskRobustClusteringClassifier
from skmtl._data import wide_data
from skmtl.clustering import ClusteringProblem
from skmtl.clustering._smooth import SmoothLosses
from skmtl.datasets import make_clustered_tasks
from skmtl.losses import LogLoss
from skmtl.penalties import TaskLasso, TaskMCP

FINE = {"tol": 1e-9, "max_iter": 20000}


def labels_of(X, coef, intercept, rng):
    logit = X @ coef.T + intercept if X.shape[0] != len(coef) else (X * coef).sum(1) + intercept
    return (rng.random(logit.shape) < 1 / (1 + np.exp(-logit))).astype(int)


@pytest.fixture(scope="module")
def data():
    """X (150, 4), Y (150, 7) of 0 and 1, clusters; classes overlap in every task."""
    X, _, cluster, coef, b = make_clustered_tasks(
        150, 4, 7, n_clusters=2, center_scale=1.0, return_coef=True, random_state=1
    )
    return X, labels_of(X, coef, b, np.random.default_rng(0)), cluster


@pytest.fixture
def holes(data):
    X, Y, _ = data
    return X, np.where(np.random.default_rng(1).random(Y.shape) < 0.3, np.nan, Y)


# the losses


def test_log_losses_their_slopes_and_their_quadratics_fit_together(holes, rng):
    X, Y = holes
    weight, omega = rng.uniform(0.5, 2, len(X)), rng.uniform(0.5, 2, 7)
    table, _ = wide_data(X, Y, weight)
    smooth = SmoothLosses(table, LogLoss(), omega, fit_intercept=True)
    W, b = rng.normal(size=(7, 4)), rng.normal(size=7)
    point, losses = smooth.at(W, b), smooth.at(W, b).quadratics()
    for t, y in enumerate(Y.T):
        seen = ~np.isnan(y)
        z = (X[seen] - smooth.origin) @ W[t] + b[t]
        own = np.log1p(np.exp(z)) - y[seen] * z
        expected = omega[t] * np.average(own, weights=weight[seen])
        assert point.values(W)[t] == pytest.approx(expected)
    step, move = 1e-6 * rng.normal(size=W.shape), 1e-6 * rng.normal(size=7)
    rise = smooth.at(W + step, b + move).values(W) - smooth.at(W - step, b - move).values(W)
    G, g = point.slopes
    np.testing.assert_allclose(rise, 2 * ((G * step).sum(axis=1) + g * move), rtol=1e-4, atol=1e-12)
    # the quadratic has the Newton step of the loss: minimise both blocks by a dense Hessian
    for t, y in enumerate(Y.T):
        seen = ~np.isnan(y)
        x = np.column_stack([X[seen] - smooth.origin, np.ones(seen.sum())])
        p = 1 / (1 + np.exp(-(x @ np.append(W[t], b[t]))))
        s = omega[t] * weight[seen] / weight[seen].sum()
        newton = np.linalg.solve((x.T * (s * p * (1 - p))) @ x, x.T @ (s * (p - y[seen])))
        found = losses.minimisers(W)
        np.testing.assert_allclose(found[t], W[t] - newton[:-1], rtol=1e-8, atol=1e-10)
        assert losses.levels(found)[t] == pytest.approx(b[t] - newton[-1])


# limits in which it is a known model


@pytest.mark.parametrize("strengths", [{"alpha_fuse": 0.0}, {"alpha": 0.0}])
def test_a_strength_of_zero_leaves_a_logistic_regression_for_each_task(data, strengths):
    X, Y, _ = data
    model = MultiTaskRobustClusteringClassifier(**strengths, **FINE).fit(X, Y)
    for t, y in enumerate(Y.T):
        alone = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10).fit(X, y)
        np.testing.assert_allclose(model.coef_[t], alone.coef_[0], atol=1e-6)
        assert model.intercept_[t] == pytest.approx(alone.intercept_[0], abs=1e-6)


def test_one_cluster_is_the_shared_plus_specific_model_with_a_free_centre(data):
    X, Y, _ = data
    model = MultiTaskRobustClusteringClassifier(0.1, 100.0, penalty="none", n_neighbors=6, **FINE)
    other = MultiTaskLogisticRegression(1e-9, 0.1 * len(X), tol=1e-10).fit(X, Y)
    model.fit(X, Y)
    assert model.n_clusters_ == 1
    np.testing.assert_allclose(model.coef_, other.coef_, atol=1e-6)
    np.testing.assert_allclose(model.intercept_, other.intercept_, atol=1e-6)
    for ours, theirs in zip(model.predict_proba(X), other.predict_proba(X), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


# convergence


@pytest.mark.parametrize("penalty", [None, TaskLasso(0.4)], ids=["none", "lasso"])
@pytest.mark.parametrize("alpha_fuse", [0.003, 0.03])
def test_convex_objectives_are_not_above_those_of_a_smoothed_problem(penalty, alpha_fuse, holes):
    """L-BFGS on norms sqrt(d^2 + e^2), and the duality gap from the other side."""
    X, Y = holes
    table, _ = wide_data(X, Y)
    problem = ClusteringProblem(table, LogLoss(), np.ones(7), fit_intercept=True, n_neighbors=3)
    fit = problem.solve(penalty, alpha=0.1, alpha_fuse=alpha_fuse, tol=1e-10, max_iter=50000)
    assert fit.converged and 0 <= fit.gap <= 1e-7
    graph, shape, smooth = problem.graph, fit.W.shape, problem.smooth

    def smoothed(x, e):
        W, U, O, b = *x[:-7].reshape(3, *shape), x[-7:]  # noqa: E741
        point, D = smooth.at(W, b), graph.differences(U)
        pull, lengths = 0.1 * (W - U - O), np.sqrt((D**2).sum(axis=1) + e**2)
        norms = np.sqrt((O**2).sum(axis=1) + e**2)
        c = 1e3 if penalty is None else 0.1 * penalty.alpha
        value = point.values(W).sum() + (pull**2).sum() / 0.2 + c * norms.sum()
        value += alpha_fuse * graph.r @ lengths
        G, g = point.slopes
        dU = alpha_fuse * graph.divergence(D / lengths[:, None]) - pull
        dO = c * O / norms[:, None] - pull
        return value, np.concatenate([np.stack([G + pull, dU, dO]).ravel(), g])

    x = np.zeros(3 * fit.W.size + 7)
    for e in (1e-1, 1e-2, 1e-3, 1e-4, 1e-5):
        x = minimize(
            smoothed, x, args=(e,), jac=True, method="L-BFGS-B", options={"maxiter": 5000}
        ).x
    W, U, O, b = *x[:-7].reshape(3, *shape), x[-7:]  # noqa: E741
    own = 0.0 if penalty is None else 0.1 * penalty.value(O)
    O = O if penalty is not None else 0 * O  # noqa: E741
    reached = smooth.at(W, b).values(W).sum() + 0.05 * ((W - U - O) ** 2).sum() + own
    reached += alpha_fuse * graph.r @ np.linalg.norm(graph.differences(U), axis=1)
    assert fit.objective <= reached * (1 + 1e-9)
    assert reached <= fit.objective * (1 + 1e-3)  # it came close: the comparison says something


def test_a_concave_fit_is_stationary(data):
    X, Y, _ = data
    table, _ = wide_data(X, Y.astype(float))
    problem = ClusteringProblem(table, LogLoss(), np.ones(7), fit_intercept=True, n_neighbors=3)
    penalty = TaskMCP(0.5)
    fit = problem.solve(penalty, alpha=0.1, alpha_fuse=0.01, tol=1e-9, max_iter=20000)
    assert fit.converged and fit.residual <= 1e-9
    np.testing.assert_allclose(fit.O, penalty.prox(fit.W - fit.U, 1.0), atol=1e-6)
    G, g = problem.smooth.at(fit.W, fit.b).slopes
    np.testing.assert_allclose(G, 0.1 * (fit.U + fit.O - fit.W), atol=1e-8)
    np.testing.assert_allclose(g, 0, atol=1e-8)


def test_separated_classes_end_with_finite_coefficients(rng):
    X = rng.normal(size=(30, 3))
    Y = (X[:, :1] > 0).astype(int) * np.ones((1, 4), dtype=int)
    model = MultiTaskRobustClusteringClassifier().fit(X, Y)
    assert np.isfinite(model.coef_).all()
    np.testing.assert_array_equal(model.predict(X), Y)


def test_features_that_do_not_vary_say_nothing(data):
    _, Y, _ = data
    model = MultiTaskRobustClusteringClassifier(0.1, 0.02).fit(np.full((150, 3), 1.1), Y)
    np.testing.assert_array_equal(model.coef_, 0)
    np.testing.assert_allclose(model.intercept_, np.log(Y.mean(0) / (1 - Y.mean(0))), atol=1e-6)
    assert model.residual_ <= model.tol


# classes


def test_labels_of_any_type_give_the_same_clusters(data):
    X, Y, _ = data
    model = MultiTaskRobustClusteringClassifier(0.1, 0.02)
    plain = model.fit(X, Y).coef_, model.labels_
    words = np.where(Y == 1, "yes", "no")
    model.fit(X, words)
    np.testing.assert_array_equal(model.coef_, plain[0])
    np.testing.assert_array_equal(model.labels_, plain[1])
    assert [c.tolist() for c in model.classes_] == [["no", "yes"]] * 7
    assert set(model.predict(X).ravel()) == {"no", "yes"}


def test_tasks_with_one_class_are_in_no_cluster_and_predict_it(data):
    X, Y, _ = data
    more = np.column_stack([Y, np.ones(len(Y), dtype=int)])
    with pytest.warns(UserWarning, match="task 7 has labels of one class only"):
        model = MultiTaskRobustClusteringClassifier(0.1, 0.02).fit(X, more)
    plain = MultiTaskRobustClusteringClassifier(0.1, 0.02).fit(X, Y)
    np.testing.assert_array_equal(model.labels_, [*plain.labels_, -1])
    np.testing.assert_array_equal(model.coef_[:7], plain.coef_)
    assert (model.predict(X)[:, 7] == 1).all()
    with pytest.warns(UserWarning, match="one class only"):
        alone = MultiTaskRobustClusteringClassifier().fit(X, more[:, 7:])
    assert alone.n_clusters_ == 0 and alone.labels_.tolist() == [-1]
    with pytest.warns(UserWarning, match="one class only"):
        with pytest.raises(ValueError, match="no task has labels of two classes"):
            alone.cluster_path(X, more[:, 7:])


def test_three_classes_are_refused_by_the_name_of_the_task(data):
    X, Y, _ = data
    Y = Y.copy()
    Y[0, 3] = 2
    with pytest.raises(ValueError, match=r"Only binary .*task 3 has 3 classes"):
        MultiTaskRobustClusteringClassifier().fit(X, Y)


def test_class_weights_are_sample_weights(data):
    X, Y, _ = data
    weighted = MultiTaskRobustClusteringClassifier(0.1, 0.02, class_weight={1: 3.0}, **FINE)
    plain = MultiTaskRobustClusteringClassifier(0.1, 0.02, **FINE)
    plain.fit(X, Y, np.where(Y == 1, 3.0, 1.0))
    np.testing.assert_allclose(weighted.fit(X, Y).coef_, plain.coef_, atol=1e-6)


# clusters


def planted(seed):
    """30 tasks of 150 rows and 6 features in three clusters, four of them outliers."""
    X, _, task, cluster, coef, b = make_clustered_tasks(
        150,
        6,
        30,
        n_outliers=4,
        center_scale=1.5,
        spread=0.1,
        intercept_scale=0.5,
        common_design=False,
        return_coef=True,
        random_state=seed,
    )
    y = labels_of(X, coef[task], b[task], np.random.default_rng(seed))
    return np.column_stack([task, X]), y, cluster


@pytest.mark.parametrize("seed", [3000, 3001, 3002])
def test_planted_clusters_and_outliers_are_found(seed):
    table, y, cluster = planted(seed)
    model = MultiTaskRobustClusteringClassifier(0.1, 0.05, alpha_outlier=0.1, task_column=0)
    labels, inside = model.fit(table, y).labels_, cluster >= 0
    assert adjusted_rand_score(cluster[inside], labels[inside]) >= 0.9
    assert (labels[~inside] == -1).mean() >= 0.75
    assert (labels[inside] == -1).mean() <= 0.05


def test_the_path_is_of_the_log_loss(data):
    X, Y, _ = data
    model = MultiTaskRobustClusteringClassifier(0.1, 0.02).fit(X, Y)
    path = model.cluster_path(X, Y, [0.02, 0.5])
    np.testing.assert_array_equal(path.labels[0], model.labels_)
    np.testing.assert_allclose(path.centroids[0], model.centroids_, atol=1e-5)
    assert path.linkage.shape == (6, 4)
