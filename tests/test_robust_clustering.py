"""MultiTaskRobustClustering and its search: known limits, clusters, outliers, paths and rules."""

import warnings

import numpy as np
import pytest
from _references import least_clustering_objective
from scipy.cluster.hierarchy import dendrogram, fcluster, is_valid_linkage
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import KFold

from skmtl import (
    MultiTaskRidge,
    MultiTaskRobustClustering,
    MultiTaskRobustClusteringClassifier,
    MultiTaskRobustClusteringCV,
)
from skmtl.clustering._model import number_clusters
from skmtl.datasets import make_clustered_tasks
from skmtl.linear_model._cluster_path import merge_tree
from skmtl.linear_model._cluster_rules import choose_clusters, run_lengths, says_something

FINE = {"tol": 1e-11, "max_iter": 20000}
GRID = {"alphas": [1.0], "alphas_fuse": [0.01, 0.3], "alphas_outlier": [4.0]}


@pytest.fixture(scope="module")
def data():
    """X (50, 10), Y (50, 12), clusters with two outliers."""
    return make_clustered_tasks(50, 10, 12, n_outliers=2, intercept_scale=3.0, random_state=0)


def as_long(X, Y):
    row, task = np.nonzero(~np.isnan(Y))
    return np.column_stack([task, X[row]]), Y[row, task]


def ill_conditioned(condition, seed, *, n=12, p=3):
    """Rows and labels of three tasks of close coefficients, whose features have this condition."""
    rng = np.random.default_rng(seed)
    left, right = (np.linalg.qr(rng.normal(size=(p, p)))[0] for _ in range(2))
    mix = left * np.logspace(0, -np.log10(condition), p) @ right
    W = rng.normal(size=p) + 0.3 * rng.normal(size=(3, p))
    Z = rng.normal(size=(3, n, p))
    return Z @ mix, np.einsum("tnp,tp->tn", Z, W) + rng.logistic(size=(3, n))


@pytest.mark.filterwarnings("ignore:the fit stopped")
@pytest.mark.parametrize("binary", [False, True], ids=["squared", "log"])
@pytest.mark.parametrize("penalty", ["none", "lasso"])
@pytest.mark.parametrize("condition", [1.0, 1e3, 1e5, 1e6])
def test_the_duality_gap_is_no_less_than_the_true_one(condition, penalty, binary):
    """However early it stops: the excess over what an independent method reaches."""
    alpha, alpha_fuse, alpha_outlier = 1e-2, 1e-2, 2e-2
    kind = MultiTaskRobustClusteringClassifier if binary else MultiTaskRobustClustering
    weights, strengths = np.ones((3, 3)), {"alpha": alpha, "alpha_fuse": alpha_fuse}
    bound = alpha_outlier if penalty == "lasso" else np.inf
    for seed in range(2):
        X, Y = ill_conditioned(condition, seed)
        Y = (Y > 0).astype(float) if binary else Y
        least = least_clustering_objective(X, Y, weights, alpha, alpha_fuse, bound, binary=binary)
        table = np.column_stack([np.repeat(np.arange(3), 12), X.reshape(36, 3)])
        for max_iter in (20, 200, 2000):
            model = kind(
                **strengths,
                alpha_outlier=alpha_outlier,
                penalty=penalty,
                weights=weights,
                task_column=0,
                max_iter=max_iter,
            ).fit(table, Y.ravel())
            # sums of squares cancel to the rounding of the labels' size, which is one here
            excess = model.objective_ - least
            assert excess <= model.duality_gap_ * model.objective_ + 1e-12
            assert 0 <= model.duality_gap_ <= 1


# limits in which it is a known model


@pytest.mark.parametrize("strengths", [{"alpha_fuse": 0.0}, {"alpha": 0.0}, {"alpha_outlier": 0.0}])
@pytest.mark.filterwarnings("ignore:12 of 12 tasks")
def test_a_strength_of_zero_leaves_least_squares_for_each_task(data, strengths):
    X, Y, _ = data
    model = MultiTaskRobustClustering(**strengths).fit(X, Y)
    alone = LinearRegression().fit(X, Y)
    np.testing.assert_allclose(model.coef_, alone.coef_, atol=1e-9)
    np.testing.assert_allclose(model.intercept_, alone.intercept_, atol=1e-9)


def test_one_task_is_least_squares_of_least_norm(rng):
    X, y = rng.normal(size=(6, 9)), rng.normal(size=6)
    model = MultiTaskRobustClustering().fit(X, y)
    np.testing.assert_allclose(model.coef_[0], LinearRegression().fit(X, y).coef_, atol=1e-9)
    assert model.labels_.tolist() == [0] and model.n_clusters_ == 1


def test_one_cluster_is_ridge_about_free_shared_coefficients(data):
    """alpha n ||v_t||^2 about a common centroid that nothing shrinks."""
    X, Y, _ = data
    model = MultiTaskRobustClustering(0.3, 1e4, penalty="none", n_neighbors=11, **FINE).fit(X, Y)
    ridge = MultiTaskRidge(1e-9, 0.3 * len(X)).fit(X, Y)
    np.testing.assert_allclose(model.coef_, ridge.coef_, atol=1e-6)
    assert model.n_clusters_ == 1
    np.testing.assert_allclose(model.cluster_centers_[0], ridge.shared_coef_, atol=1e-6)


def test_a_large_alpha_ties_tasks_to_their_centroids(data):
    X, Y, _ = data
    model = MultiTaskRobustClustering(1e6, 10.0, penalty="none", **FINE).fit(X, Y)
    np.testing.assert_allclose(model.coef_, model.centroids_, atol=1e-4)


def test_a_convex_model_without_outliers_is_convex_clustering(data):
    """Where alpha_outlier exceeds alpha_fuse times the weights of a task's edges."""
    X, Y, _ = data
    robust = MultiTaskRobustClustering(1.0, 0.2, alpha_outlier=3.0, penalty="lasso", **FINE)
    plain = MultiTaskRobustClustering(1.0, 0.2, penalty="none", **FINE).fit(X, Y)
    np.testing.assert_allclose(robust.fit(X, Y).coef_, plain.coef_, atol=1e-7)
    assert (robust.labels_ >= 0).all() and robust.duality_gap_ <= 1e-11


def test_a_cluster_with_outliers_is_fitted_as_without_them(data):
    """A concave penalty lets go of tasks that are far away."""
    X, Y, cluster = data
    inside = cluster >= 0
    weights = (cluster[:, None] == cluster) & inside
    weights[~inside, 0] = weights[0, ~inside] = True  # outliers hang on to task 0
    strengths = {"alpha": 1.0, "alpha_fuse": 0.5, "alpha_outlier": 2.0} | FINE
    model = MultiTaskRobustClustering(weights=weights.astype(float), **strengths).fit(X, Y)
    pure = MultiTaskRobustClustering(
        weights=weights[np.ix_(inside, inside)].astype(float), penalty="none", **strengths
    ).fit(X, Y[:, inside])
    np.testing.assert_array_equal(model.labels_ == -1, ~inside)
    np.testing.assert_allclose(model.coef_[inside], pure.coef_, atol=1e-6)
    alone = LinearRegression().fit(X, Y[:, ~inside])
    np.testing.assert_allclose(model.coef_[~inside], alone.coef_, atol=1e-9)


def test_a_common_design_gives_what_rows_of_their_own_give(data):
    X, Y, _ = data
    wide = MultiTaskRobustClustering(alpha_outlier=4.0).fit(X, Y)
    long = MultiTaskRobustClustering(alpha_outlier=4.0, task_column=0).fit(*as_long(X, Y))
    np.testing.assert_allclose(long.coef_, wide.coef_, atol=1e-9)
    assert long.objective_ == pytest.approx(wide.objective_)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("classes", [False, True], ids=["squares", "log-loss"])
def test_convex_objectives_are_those_of_a_conic_solver(classes, seed):
    """With weights of labels, tasks and edges, missing labels and intercepts."""
    cvxpy = pytest.importorskip("cvxpy")
    rng = np.random.default_rng(seed)
    T, n, p = 5, 30, 3
    X = rng.normal(size=(n, p)) + 1
    W = np.repeat(rng.normal(size=(2, p)), [2, 3], axis=0)
    Y = X @ W.T + rng.normal(size=(n, T)) + 2
    Y = (Y > np.median(Y, axis=0)) * 1.0 if classes else Y
    Y[rng.random(Y.shape) < 0.2] = np.nan
    s, omega, R = rng.uniform(0.2, 2, Y.shape), rng.uniform(0.5, 2, T), rng.random((T, T))
    R, omega = R + R.T, omega / omega.mean()
    Model = MultiTaskRobustClusteringClassifier if classes else MultiTaskRobustClustering
    a, f, o = rng.uniform(0.05, 1), rng.uniform(0.01, 0.2), rng.uniform(0.02, 0.5)
    penalty = ["lasso", "none"][seed % 2]
    model = Model(a, f, alpha_outlier=o, penalty=penalty, weights=R, task_weight=omega, **FINE)
    model.set_params(tol=1e-9).fit(X, Y, s)

    W, U, O = (cvxpy.Variable((T, p)) for _ in range(3))  # noqa: E741
    b, value = cvxpy.Variable(T), 0
    for t in range(T):
        seen = ~np.isnan(Y[:, t])
        y, z, share = Y[seen, t], X[seen] @ W[t] + b[t], omega[t] * s[seen, t] / s[seen, t].sum()
        if classes:
            value += share @ (cvxpy.logistic(z) - cvxpy.multiply(y, z))
        else:
            value += share @ cvxpy.square(y - z) / 2
    value += a / 2 * cvxpy.sum_squares(W - U - O) + o * cvxpy.sum(cvxpy.norm(O, axis=1))
    value += f * sum(R[i, j] * cvxpy.norm(U[i] - U[j]) for i in range(T) for j in range(i))
    none = [O == 0] if penalty == "none" else []
    exact = {f"tol_{name}": 1e-11 for name in ("gap_abs", "gap_rel", "feas")}
    best = cvxpy.Problem(cvxpy.Minimize(value), none).solve(solver="CLARABEL", **exact)
    assert model.objective_ == pytest.approx(best, rel=1e-7)


# what it says of tasks


def test_attributes_fit_together(data):
    X, Y, cluster = data
    model = MultiTaskRobustClustering(1.0, 0.3, alpha_outlier=4.0).fit(X, Y)
    assert adjusted_rand_score(cluster, model.labels_) == 1.0
    assert model.n_clusters_ == 3 == len(model.cluster_centers_)
    sizes = np.bincount(model.labels_[model.labels_ >= 0])
    assert (np.diff(sizes) <= 0).all()
    inside = model.labels_ >= 0
    np.testing.assert_array_equal(
        model.centroids_[inside], model.cluster_centers_[model.labels_[inside]]
    )
    np.testing.assert_array_equal(model.outlier_score_ > 0, ~inside)
    np.testing.assert_allclose(
        model.outlier_score_, np.linalg.norm(model.outlier_coef_, axis=1), rtol=1e-12
    )
    np.testing.assert_allclose(model.shared_coef_, model.centroids_[inside].mean(axis=0))
    assert np.isnan(model.duality_gap_) and model.residual_ <= model.tol


@pytest.mark.filterwarnings("ignore:task 12 has no label")
def test_a_task_without_labels_is_in_no_cluster_and_has_the_shared_part(data):
    X, Y, _ = data
    plain = MultiTaskRobustClustering(alpha_outlier=4.0).fit(X, Y)
    more = np.column_stack([Y, np.full(len(X), np.nan)])
    model = MultiTaskRobustClustering(alpha_outlier=4.0).fit(X, more)
    assert model.labels_.tolist() == [*plain.labels_.tolist(), -1]
    np.testing.assert_array_equal(model.centroids_[-1], model.shared_coef_)
    assert model.outlier_score_[-1] == 0


def test_given_weights_of_the_nearest_tasks_change_nothing(data):
    X, Y, _ = data
    model = MultiTaskRobustClustering(alpha_outlier=4.0)
    plain = clone(model).fit(X, Y)
    graph = model._problem(model._validate_fit(X, Y)).graph.adjacency
    for weights in (graph.toarray(), csr_array(graph), graph.toarray().tolist()):
        again = clone(model).set_params(weights=weights).fit(X, Y)
        np.testing.assert_allclose(again.coef_, plain.coef_, rtol=1e-12)


def test_two_basins_are_told_apart_by_init():
    X, Y, cluster = make_clustered_tasks(50, 10, 12, n_outliers=2, random_state=3)
    strengths = {"alpha": 1.0, "alpha_fuse": 0.3, "alpha_outlier": 4.0}
    first = MultiTaskRobustClustering(**strengths).fit(X, Y)
    convex = MultiTaskRobustClustering(init="convex", **strengths).fit(X, Y)
    np.testing.assert_array_equal(first.labels_ == -1, cluster == -1)
    assert (convex.labels_ >= 0).all()
    assert max(first.residual_, convex.residual_) <= 1e-6


def test_weighted_rows_do_not_need_to_be_repeated(data, rng):
    X, Y, _ = data
    weight = rng.integers(1, 4, len(X))
    model = MultiTaskRobustClustering(alpha_outlier=4.0)
    weighted = clone(model).fit(X, Y, weight)
    repeated = model.fit(np.repeat(X, weight, axis=0), np.repeat(Y, weight, axis=0))
    np.testing.assert_array_equal(weighted.labels_, repeated.labels_)
    np.testing.assert_allclose(weighted.outlier_coef_, repeated.outlier_coef_, atol=1e-8)


# warnings and errors


def test_more_outliers_than_clusters_can_bear_are_a_warning(data):
    X, Y, _ = data
    with pytest.warns(UserWarning, match=r"12 of 12 tasks are outliers.* raise alpha_outlier"):
        MultiTaskRobustClustering(alpha_outlier=0.01).fit(X, Y)


def test_too_many_neighbours_are_clipped_with_a_word_and_the_default_without(data):
    X, Y, _ = data
    with pytest.warns(UserWarning, match="n_neighbors=12 is clipped to 11"):
        clipped = MultiTaskRobustClustering(alpha_outlier=4.0, n_neighbors=12).fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        full = MultiTaskRobustClustering(alpha_outlier=4.0, n_neighbors=11).fit(X, Y)
        MultiTaskRobustClustering().fit(X, Y[:, :3])
    np.testing.assert_array_equal(clipped.coef_, full.coef_)


def test_the_default_grid_lies_where_clusters_merge(data):
    """Also where one cluster would make outliers of all tasks, which pull at no edge."""
    for seed in (901, 902, 904):
        X, Y, cluster = make_clustered_tasks(
            50, 10, 18, n_outliers=2, spread=0.1, noise=0.3, random_state=seed
        )
        search = MultiTaskRobustClusteringCV(store_cv_results=True).fit(X, Y)
        found = search.cv_results_["n_clusters"].reshape(-1, 8)  # alpha_fuse falls along rows
        assert (found[:, 0] < 3).all() and (found[:, -1] > 3).all()
        np.testing.assert_array_equal(search.labels_ == -1, cluster == -1)
        assert adjusted_rand_score(cluster, search.labels_) >= 0.9


@pytest.mark.parametrize("penalty", ["mcp", "lasso", "none"])
def test_features_that_do_not_vary_say_nothing(penalty, data):
    """Neither those of all rows nor those of a task, whatever their mean leaves by rounding."""
    X, Y, _ = data
    model = MultiTaskRobustClustering(0.5, 0.3, alpha_outlier=4.0, penalty=penalty)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for constant in (1.1, 1e9 / 3):
            model.fit(np.full((50, 3), constant), Y)
            np.testing.assert_array_equal(model.coef_, 0)
            assert model.labels_.tolist() == [0] * 12
            table, y = as_long(X, Y)
            table[table[:, 0] == 3, 1:] = constant
            model.set_params(task_column=0).fit(table, y)
            alone = clone(model).set_params(alpha_fuse=0.0).fit(table, y)
            np.testing.assert_array_equal(alone.coef_[3], 0)
            assert np.abs(model.coef_[3]).max() < 2 * np.abs(model.coef_).max(axis=1)[4]
            model.set_params(task_column=None)


@pytest.mark.parametrize("penalty", ["lasso", "none"])
def test_labels_that_are_met_exactly_leave_a_gap_that_is_not_negative(penalty, rng):
    """One cluster of 15 tasks of 8 rows and 300 features: the objective tends to zero."""
    X, w = rng.normal(size=(120, 300)), rng.normal(size=300)
    table = np.column_stack([np.repeat(np.arange(15), 8), X])
    model = MultiTaskRobustClustering(1.0, 0.3, alpha_outlier=10.0, penalty=penalty, task_column=0)
    model.fit(table, X @ w + rng.normal(size=120))
    assert model.objective_ >= 0 and 0 <= model.duality_gap_ <= model.tol
    assert model.n_clusters_ == 1


@pytest.mark.parametrize("penalty", ["mcp", "scad", "lasso", "none"])
def test_edges_that_weigh_next_to_nothing_are_none(penalty, data):
    X, Y, _ = data
    model = MultiTaskRobustClustering(1.0, 0.3, alpha_outlier=4.0, penalty=penalty, tol=1e-10)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        for tiny in (1e-12, 1e-300):
            model.set_params(weights=np.full((12, 12), tiny)).fit(X, Y)
            inside = model.labels_ >= 0
            alone = LinearRegression().fit(X, Y)
            # a relative gap of 1e-10 of an objective of 4.4, of curvature about 0.5
            np.testing.assert_allclose(model.coef_, alone.coef_, atol=5e-5)
            assert model.n_clusters_ == inside.sum() >= 10


def test_stopping_early_is_a_warning(data):
    X, Y, _ = data
    with pytest.warns(ConvergenceWarning, match=r"stopped after 7 iterations.*raise max_iter"):
        MultiTaskRobustClustering(alpha_outlier=4.0, max_iter=7, tol=1e-12).fit(X, Y)
    with pytest.warns(ConvergenceWarning, match=r"stopped after 7 iterations.*raise max_iter") as w:
        path = MultiTaskRobustClustering(alpha_outlier=4.0, max_iter=7, tol=1e-12).cluster_path
        path(X, Y, [0.3, 1.0])
    assert len(w) == 1


@pytest.mark.parametrize(
    "params, message",
    [
        ({"gamma": 1.0}, r"gamma must be in \(1, inf\) for penalty='mcp', got 1.0"),
        ({"gamma": 2.0, "penalty": "scad"}, r"gamma must be in \(2, inf\) for penalty='scad'"),
        ({"penalty": "hard"}, r"penalty must be one of .*'mcp'"),
        ({"init": "cold"}, r"init must be one of .*'outlier_first'"),
        ({"weights": np.ones((2, 2))}, r"weights must be of shape .*\(12, 12\)"),
        ({"weights": -np.ones((12, 12))}, "weights must be finite and not negative"),
        ({"weights": np.triu(np.ones((12, 12)))}, "weights must be symmetric"),
        ({"n_neighbors": 0}, "n_neighbors must be at least 1"),
    ],
)
@pytest.mark.parametrize("Model", [MultiTaskRobustClustering, MultiTaskRobustClusteringCV])
def test_parameters_out_of_range_are_named(Model, params, message, data):
    with pytest.raises(ValueError, match=message):
        Model(**params).fit(*data[:2])


def test_complex_weights_are_refused(data):
    with pytest.raises(TypeError, match="weights must be real"):
        MultiTaskRobustClustering(weights=1j * np.ones((12, 12))).fit(*data[:2])


# the path


def test_the_path_ends_in_one_cluster_for_connected_tasks_and_its_tree_is_a_linkage(data):
    X, Y, cluster = data
    model = MultiTaskRobustClustering(alpha_outlier=4.0, n_neighbors=11)
    path = model.cluster_path(X, Y)
    assert not hasattr(model, "labels_")
    assert len(path.alphas_fuse) == 20 and (np.diff(path.alphas_fuse) > 0).all()
    assert path.labels.shape == (20, 12) and path.centroids.shape == (20, 12, 10)
    n_clusters = path.labels.max(axis=1) + 1
    assert n_clusters[0] > 3 and 3 in n_clusters and n_clusters[-1] == 1
    assert is_valid_linkage(path.linkage) and (np.diff(path.linkage[:, 2]) >= 0).all()
    at = int(np.flatnonzero(n_clusters == 3)[0])
    cut = fcluster(path.linkage, path.alphas_fuse[at], criterion="distance")
    inside = cluster >= 0
    assert adjusted_rand_score(cluster[inside], cut[inside]) == 1.0


def test_points_of_the_path_are_fits_of_their_own(data):
    X, Y, _ = data
    for penalty in ("mcp", "lasso"):
        model = MultiTaskRobustClustering(alpha_outlier=4.0, penalty=penalty, tol=1e-8)
        path = model.cluster_path(X, Y, alphas_fuse=[0.3, 0.05, 0.0])
        assert path.alphas_fuse.tolist() == [0.0, 0.05, 0.3]
        for k, alpha_fuse in enumerate(path.alphas_fuse):
            one = clone(model).set_params(alpha_fuse=alpha_fuse).fit(X, Y)
            np.testing.assert_array_equal(path.labels[k], one.labels_)
            np.testing.assert_allclose(path.centroids[k], one.centroids_, atol=1e-5)
            np.testing.assert_allclose(path.outlier_score[k], one.outlier_score_, atol=1e-5)


def test_a_path_of_bad_strengths_is_refused(data):
    for alphas_fuse in ([], [-1.0], [np.inf], "a", [[1.0]]):
        with pytest.raises((ValueError, TypeError), match="alphas_fuse"):
            MultiTaskRobustClustering().cluster_path(*data[:2], alphas_fuse)
    with pytest.raises(NotFittedError):
        MultiTaskRobustClusteringCV().cluster_path(*data[:2])


def test_the_merge_tree_keeps_mergers_and_joins_what_never_merged_above():
    labels = np.array([[0, 1, 2, -1], [0, 0, 1, 2], [0, 1, 1, 2]])
    tree = merge_tree(np.array([1.0, 2.0, 3.0]), labels)
    np.testing.assert_array_equal(tree, [[0, 1, 2, 2], [2, 4, 3, 3], [3, 5, 6, 4]])
    assert merge_tree(np.array([1.0]), np.zeros((1, 1), dtype=int)).shape == (0, 4)


def test_the_merge_tree_of_many_tasks_is_not_deep():
    """scipy walks down its branches by recursion."""
    n_tasks = 3000
    labels = np.vstack([np.arange(n_tasks), np.zeros(n_tasks, dtype=int)])
    tree = merge_tree(np.array([1.0, 2.0]), labels)
    assert is_valid_linkage(tree) and (tree[:, 2] == 2.0).all()
    assert sorted(dendrogram(tree, no_plot=True)["leaves"]) == list(range(n_tasks))


def test_clusters_are_numbered_from_the_largest_and_outliers_have_none():
    component = np.array([7, 3, 3, 5, 5, 5, 3])
    outlier = np.array([False, False, True, False, False, False, False])
    assert number_clusters(component, outlier).tolist() == [2, 1, -1, 0, 0, 0, 1]
    assert number_clusters(component, np.ones(7, dtype=bool)).tolist() == [-1] * 7


# rules


def test_clusters_of_few_tasks_or_many_outliers_say_nothing():
    assert says_something(np.array([0, 0, 1, 1, -1]))
    assert says_something(np.array([0, 0, 1, 2]))
    assert not says_something(np.array([0, 0, 1, 2, 3]))
    assert not says_something(np.array([0, 0, -1, -1, -1]))


POINTS = np.array([[1, f, 1] for f in (8.0, 4.0, 2.0, 1.0)])
LABELS = np.array([[0, 0, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1], [0, 1, 2, 3]])


FOLDS = np.array([[4.0, 3.0, 2.0, 1.0]] * 2)  # the folds agree: no standard error


@pytest.mark.parametrize(
    "rule, stability, fold_errors, expected",
    [
        ("prediction", [1, 1, 1, 1], FOLDS, 3),  # the least error fuses nothing
        ("stability", [1, 1, 1, 1], FOLDS, 2),  # of the stable points that of the least error
        ("stability", [1, 0.95, 0.5, 1], FOLDS, 1),
        ("stability", [0.2, 0.1, 0.3, 1], FOLDS, 2),  # the most stable one if none is
        ("stability", [1, 1, 1, 1], np.add(FOLDS, [[0, 0, 2, 0], [0, 0, -2, 0]]), 0),
        ("gap", [0, 0, 0, 0], FOLDS, 2),  # the only clusters that last
    ],
)
def test_rules_choose_the_clusters_they_promise(rule, stability, fold_errors, expected):
    error = np.array([4.0, 3.0, 2.0, 1.0])
    chosen = choose_clusters(rule, POINTS, LABELS, np.array(stability), error, fold_errors)
    assert chosen == expected


def test_a_cluster_called_outliers_is_no_simpler_than_a_cluster():
    """Three clusters beat two and two outliers, though these are fewer clusters."""
    labels = np.array([[0, 0, 0, 1, 1, -1, -1], [0, 0, 0, 1, 1, 2, 2]])
    error, stability = np.array([1.0, 1.1]), np.ones(2)
    folds = np.array([[0.0, 0.1], [2.0, 2.1]])
    assert choose_clusters("stability", POINTS[:2], labels, stability, error, folds) == 1
    labels[0, 5:] = 0, 1
    assert choose_clusters("stability", POINTS[:2], labels, stability, error, folds) == 0


def test_one_fold_alone_has_no_standard_error():
    error, single = np.array([4.0, 3.0, 2.0, 1.0]), FOLDS[:1]
    assert choose_clusters("stability", POINTS, LABELS, np.ones(4), error, single) == 2


def test_runs_are_measured_on_a_logarithmic_scale_and_along_one_path():
    assert run_lengths(POINTS[:, 1], LABELS, np.arange(4)) == pytest.approx(
        [0, np.log(2), np.log(2), 0]
    )
    assert run_lengths(POINTS[:, 1], LABELS, np.array([1])) == pytest.approx([0, 0, 0, 0])


# the search


def test_the_search_predicts_as_the_model_of_its_strengths_and_clusters_as_another(data):
    X, Y, cluster = data
    search = MultiTaskRobustClusteringCV(store_cv_results=True).fit(X, Y)
    model = MultiTaskRobustClustering(
        search.alpha_,
        search.alpha_fuse_,
        alpha_outlier=search.alpha_outlier_,
        standardize=True,
    ).fit(X, Y)
    np.testing.assert_array_equal(search.coef_, model.coef_)
    clusters = MultiTaskRobustClustering(
        search.cluster_alpha_,
        search.cluster_alpha_fuse_,
        alpha_outlier=search.cluster_alpha_outlier_,
        standardize=True,
    ).fit(X, Y)
    np.testing.assert_array_equal(search.labels_, clusters.labels_)
    np.testing.assert_array_equal(search.centroids_, clusters.centroids_)
    np.testing.assert_array_equal(search.labels_ == -1, cluster == -1)
    results = search.cv_results_
    assert search.best_score_ == -results["mean_squared_error"].min()
    assert {len(column) for column in results.values()} == {32}
    assert set(results) == {
        *("param_alpha", "param_alpha_fuse", "param_alpha_outlier"),
        *("mean_squared_error", "stability", "n_clusters", "n_outliers"),
    }


def test_errors_of_the_search_are_those_of_refits(data):
    X, Y, _ = data
    Y = np.where(np.random.default_rng(0).random(Y.shape) < 0.2, np.nan, Y)
    splits = list(KFold(3).split(X))
    options = {"cv": splits, "store_cv_results": True, **GRID}
    search = MultiTaskRobustClusteringCV(penalty="lasso", **options).fit(X, Y)
    for k, alpha_fuse in enumerate(search.cv_results_["param_alpha_fuse"]):
        model = MultiTaskRobustClustering(
            1.0, alpha_fuse, alpha_outlier=4.0, penalty="lasso", standardize=True
        )
        errors = [
            (Y[test] - clone(model).fit(X[train], Y[train]).predict(X[test])) ** 2
            for train, test in splits
        ]
        expected = np.nanmean(np.concatenate(errors))
        # fits that are compared are made to a relative gap of 1e-3
        assert search.cv_results_["mean_squared_error"][k] == pytest.approx(expected, rel=0.02)
    long = MultiTaskRobustClusteringCV(penalty="lasso", task_column=0, **options)
    table, y = as_long(X, Y)
    row = np.nonzero(~np.isnan(Y))[0]
    long.set_params(cv=[(np.isin(row, a).nonzero()[0], np.isin(row, b)) for a, b in splits])
    assert long.fit(table, y).best_score_ == pytest.approx(search.best_score_)


def test_scorers_jobs_and_single_folds_work(data):
    X, Y, _ = data
    plain = MultiTaskRobustClusteringCV(**GRID).fit(X, Y)
    jobs = MultiTaskRobustClusteringCV(n_jobs=2, **GRID).fit(X, Y)
    assert jobs.best_score_ == plain.best_score_
    scored = MultiTaskRobustClusteringCV(
        scoring="neg_mean_squared_error", store_cv_results=True, **GRID
    ).fit(X, Y)
    assert scored.best_score_ == pytest.approx(plain.best_score_)  # folds of equal size
    assert len(scored.cv_results_["std_test_score"]) == 2
    one = MultiTaskRobustClusteringCV(cv=[(np.arange(25), np.arange(25, 50))], **GRID).fit(X, Y)
    assert np.isfinite(one.best_score_)


def test_tasks_of_long_data_that_a_fold_lacks_get_the_shared_part(data, rng):
    """One row of a thirteenth task, with weights and task weights that name all tasks."""
    X, Y, _ = data
    table, y = as_long(X, Y)
    table, y = np.vstack([table, [12, *X[0]]]), np.append(y, 1.0)
    weights = rng.random((13, 13))
    search = MultiTaskRobustClusteringCV(
        task_column=0, weights=weights + weights.T, task_weight=np.linspace(1, 2, 13), **GRID
    )
    assert np.isfinite(search.fit(table, y).best_score_)
    assert search.labels_.shape == (13,)


def test_rows_without_a_label_to_use_take_no_part_in_the_folds(data):
    X, Y, _ = data
    weight = np.ones(len(X))
    weight[::3] = 0
    dropped = MultiTaskRobustClusteringCV(**GRID).fit(X[weight > 0], Y[weight > 0])
    weighted = MultiTaskRobustClusteringCV(**GRID).fit(X, Y, weight)
    assert weighted.best_score_ == pytest.approx(dropped.best_score_, rel=1e-9)
    silent = np.r_[0.0, np.ones(11)]
    search = MultiTaskRobustClusteringCV(task_weight=silent, **GRID)
    with pytest.warns(UserWarning, match="task 0 has no label"):
        search.fit(X, Y)
    other = MultiTaskRobustClusteringCV(**GRID).fit(X, Y[:, 1:])
    assert search.best_score_ == pytest.approx(other.best_score_, rel=1e-9)


def test_a_search_of_folds_without_labels_or_scores_is_refused(data):
    X, Y, _ = data
    with pytest.raises(ValueError, match="cv has no fold with labels"):
        MultiTaskRobustClusteringCV(cv=[(np.arange(50), np.array([], dtype=int))]).fit(X, Y)
    with pytest.raises(ValueError, match="at least 2 samples"):
        MultiTaskRobustClusteringCV().fit(X[:1], Y[:1])
    bad = MultiTaskRobustClusteringCV(scoring=lambda *_: np.nan, **GRID)
    with pytest.raises(ValueError, match="no point of the grid has a finite mean score"):
        bad.fit(X, Y)


def test_the_path_of_a_search_is_at_the_strengths_of_its_clusters(data):
    X, Y, _ = data
    search = MultiTaskRobustClusteringCV(**GRID).fit(X, Y)
    path = search.cluster_path(X, Y, [0.01, 0.3])
    at = path.alphas_fuse.tolist().index(search.cluster_alpha_fuse_)
    np.testing.assert_array_equal(path.labels[at], search.labels_)


# recovery


def planted(seed, **options):
    """60 tasks of 40 rows and 20 features in three clusters, nine of them outliers."""
    X, y, task, cluster, coef, _ = make_clustered_tasks(
        40,
        20,
        60,
        n_outliers=9,
        common_design=False,
        return_coef=True,
        random_state=seed,
        **options,
    )
    return np.column_stack([task, X]), y, cluster, coef


def assert_recovered(labels, cluster):
    inside = cluster >= 0
    assert adjusted_rand_score(cluster[inside], labels[inside]) >= 0.95
    assert (labels[~inside] == -1).mean() >= 0.95
    assert (labels[inside] == -1).mean() <= 0.02


def relative_rmse(table, y, coef, found):
    ridges = [
        RidgeCV(np.logspace(-3, 3, 13)).fit(table[rows, 1:], y[rows]).coef_
        for rows in (table[:, 0] == t for t in range(len(coef)))
    ]
    return np.linalg.norm(found - coef) / np.linalg.norm(ridges - coef)


@pytest.mark.parametrize("penalty", ["mcp", "scad"])
@pytest.mark.parametrize("seed", range(2000, 2003))
def test_planted_clusters_and_outliers_are_found_at_fixed_strengths(seed, penalty):
    table, y, cluster, coef = planted(seed)
    model = MultiTaskRobustClustering(alpha_outlier=4.0, penalty=penalty, task_column=0)
    assert_recovered(model.fit(table, y).labels_, cluster)
    assert relative_rmse(table, y, coef, model.coef_) <= 0.75


@pytest.mark.slow
@pytest.mark.parametrize("outliers", ["shifted", "unrelated"])
@pytest.mark.parametrize("seed", range(2103, 2108))
def test_planted_clusters_and_outliers_are_found_by_the_search(seed, outliers):
    table, y, cluster, coef = planted(seed, outliers=outliers)
    search = MultiTaskRobustClusteringCV(task_column=0).fit(table, y)
    assert_recovered(search.labels_, cluster)
    assert relative_rmse(table, y, coef, search.coef_) <= 0.75


def test_a_thousand_tasks_are_fitted_in_memory_linear_in_their_edges():
    tracemalloc = pytest.importorskip("tracemalloc")
    X, y, task, cluster = make_clustered_tasks(
        20, 10, 1000, n_outliers=50, common_design=False, random_state=0
    )
    model = MultiTaskRobustClustering(alpha_outlier=4.0, task_column=0)
    tracemalloc.start()
    model.fit(np.column_stack([task, X]), y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert_recovered(model.labels_, cluster)
    # far below the 80 MB that differences of all pairs of tasks would take
    assert peak < 30e6
