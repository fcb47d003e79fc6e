"""The solver of robust task clustering against slow and independent references."""

import numpy as np
import pytest
from scipy.sparse import coo_array, csr_array
from sklearn.linear_model import Ridge

from skmtl._data import long_data, wide_data
from skmtl.clustering import ClusteringProblem, check_graph
from skmtl.clustering._certificate import objective
from skmtl.clustering._graph import nearest_tasks, task_graph
from skmtl.clustering._losses import quadratic_losses
from skmtl.clustering._smooth import SmoothLosses
from skmtl.losses import LogLoss, SquaredError
from skmtl.penalties import PENALTIES, TaskLasso, TaskMCP, TaskSCAD

T, N, P = 6, 12, 4
OUTLIER_PENALTIES = [TaskLasso(0.7), TaskMCP(0.7, 1.5), TaskMCP(0.7, 3.0), TaskSCAD(0.7, 2.5)]
every_penalty = pytest.mark.parametrize("penalty", OUTLIER_PENALTIES, ids=repr)


def two_clusters(*, n=N, p=P, seed=0, far=6.0):
    """X (T, n, p), Y (T, n): three tasks about each of two centres, the last one far from both."""
    rng = np.random.default_rng(seed)
    W = np.repeat(rng.normal(size=(2, p)) * 2, T // 2, axis=0) + 0.1 * rng.normal(size=(T, p))
    W[-1] += far
    X = rng.normal(size=(T, n, p))
    return X, np.einsum("tnp,tp->tn", X, W) + 0.3 * rng.normal(size=(T, n))


def long_of(X, Y, weight=None):
    task = np.repeat(np.arange(len(X)), X.shape[1])
    return long_data(X.reshape(-1, X.shape[2]), Y.reshape(-1), task, len(X), weight)[0]


def problem_of(X, Y, **options):
    options = {"fit_intercept": False, "n_neighbors": 3} | options
    return ClusteringProblem(long_of(X, Y), SquaredError(), np.ones(len(X)), **options)


# the graph


def test_nearest_tasks_weigh_one_where_both_choose_the_other_and_a_half_where_one_does(rng):
    B, k = rng.normal(size=(9, 3)), 2
    distance = np.linalg.norm(B[:, None] - B, axis=2)
    np.fill_diagonal(distance, np.inf)
    chosen = distance <= np.sort(distance, axis=1)[:, k - 1 : k]
    graph = nearest_tasks(B, k)
    assert (graph.i < graph.j).all()
    np.testing.assert_array_equal(graph.adjacency.toarray(), (chosen.astype(float) + chosen.T) / 2)
    np.testing.assert_allclose(graph.degree, graph.adjacency.sum(axis=1))


def test_divergence_is_the_transpose_of_differences(rng):
    graph = nearest_tasks(rng.normal(size=(7, 2)), 3)
    U, F = rng.normal(size=(7, 4)), rng.normal(size=(len(graph.r), 4))
    weighted = (graph.r[:, None] * F * graph.differences(U)).sum()
    assert (graph.divergence(F) * U).sum() == pytest.approx(weighted)


def test_a_part_of_a_graph_keeps_the_edges_between_its_tasks():
    weights = np.array([[0, 1, 2, 0], [1, 0, 0, 3], [2, 0, 0, 4], [0, 3, 4, 0]], dtype=float)
    tasks = np.array([3, 0, 2])
    part = task_graph(weights).select(tasks)
    np.testing.assert_array_equal(part.adjacency.toarray(), weights[np.ix_(tasks, tasks)])


def test_components_are_those_of_the_kept_edges():
    graph = task_graph(np.diag([1.0, 1.0, 1.0], 1))
    assert graph.connected.tolist() == [0, 0, 0, 0]
    assert graph.components(np.array([True, False, True])).tolist() == [0, 0, 1, 1]


def test_flows_have_the_divergence_asked_for_and_no_other_does_it_with_less(rng):
    weights = np.triu(rng.uniform(0.1, 2, size=(7, 7)) * (rng.random((7, 7)) < 0.7), 1)
    weights[:, 2] = weights[2] = 0.0  # alone
    graph = task_graph(weights)
    H = rng.normal(size=(7, 3))
    for k in np.unique(graph.connected):
        H[graph.connected == k] -= H[graph.connected == k].mean(axis=0)
    flows = graph.flows(H)
    np.testing.assert_allclose(graph.divergence(flows), H, atol=1e-12)
    # those without a divergence are orthogonal to them in weights r
    around = rng.normal(size=flows.shape)
    around -= graph.flows(graph.divergence(around))
    np.testing.assert_allclose(graph.divergence(around), 0, atol=1e-12)
    assert abs((graph.r[:, None] * flows * around).sum()) < 1e-10


@pytest.mark.parametrize("kind", [np.array, csr_array, coo_array, np.ndarray.tolist])
def test_weights_of_any_kind_make_the_same_graph(kind):
    weights = np.array([[5.0, 1.0, 0.0], [1.0, 0.0, 2.0], [0.0, 2.0, 0.0]])
    graph = check_graph(kind(weights), 3)
    assert (graph.i.tolist(), graph.j.tolist(), graph.r.tolist()) == ([0, 1], [1, 2], [1.0, 2.0])


@pytest.mark.parametrize(
    "weights, error, message",
    [
        (np.ones((2, 2)), ValueError, r"weights must be of shape .*\(3, 3\), got \(2, 2\)"),
        (np.ones(3), ValueError, r"weights .*\(3,\)"),
        (-np.ones((3, 3)), ValueError, r"weights must be finite and not negative, got -1"),
        (np.full((3, 3), np.nan), ValueError, r"weights must be finite .*nan"),
        (np.triu(np.ones((3, 3))), ValueError, r"weights must be symmetric"),
        ("a", TypeError, r"weights must be a matrix"),
        ([["a"] * 3] * 3, TypeError, r"weights must be a matrix"),
    ],
)
def test_weights_that_make_no_graph_are_refused(weights, error, message):
    with pytest.raises(error, match=message):
        check_graph(weights, 3)


# the losses


def loss_cases():
    rng = np.random.default_rng(1)
    for p, what in ((3, "tall"), (40, "wide")):
        X, Y = rng.normal(size=(9, p)) + 5, rng.normal(size=(9, 4)) + 2
        holes = np.where(rng.random(Y.shape) < 0.3, np.nan, Y)
        weight = rng.uniform(0.5, 2, len(Y))
        for name, labels, s in (
            ("common", Y, None),
            ("weighted", Y, weight),
            ("holes", holes, weight),
        ):
            for fit_intercept in (True, False):
                case = X, labels, s, fit_intercept
                yield pytest.param(*case, id=f"{what}-{name}-{fit_intercept}")


@pytest.fixture(params=[1.0, 2.5], ids=["equal", "unequal"])
def omega(request):
    return np.array([1.0, request.param, 1.0, 0.5])


def direct_losses(X, Y, s, omega, W, fit_intercept):
    """omega_t / (2 n_t) of the weighted squares, with the best intercepts, and those."""
    s = np.ones(len(Y)) if s is None else s
    values, levels = [], []
    for y, w, o in zip(Y.T, W, omega, strict=True):
        seen = ~np.isnan(y)
        rest, share = (y - X @ w)[seen], s[seen] / s[seen].sum()
        level = share @ rest if fit_intercept else 0.0
        values.append(o / 2 * share @ (rest - level) ** 2)
        levels.append(level)
    return np.array(values), np.array(levels)


@pytest.mark.parametrize("X, Y, s, fit_intercept", list(loss_cases()))
def test_losses_and_intercepts_are_those_of_the_rows(X, Y, s, fit_intercept, omega, rng):
    losses = quadratic_losses(wide_data(X, Y, s)[0], omega, fit_intercept=fit_intercept)
    C = rng.normal(size=(4, losses.n_coordinates))
    W = losses.coefficients(C)
    values, levels = direct_losses(X, Y, s, omega, W, fit_intercept)
    np.testing.assert_allclose(losses.values(C), values, rtol=1e-10)
    np.testing.assert_allclose(losses.levels(C) - W @ losses.origin, levels, atol=1e-10)


@pytest.mark.parametrize("X, Y, s, fit_intercept", list(loss_cases()))
def test_gradients_proximal_steps_and_minimisers_fit_the_values(X, Y, s, fit_intercept, omega, rng):
    losses = quadratic_losses(wide_data(X, Y, s)[0], omega, fit_intercept=fit_intercept)
    M, kappa = rng.normal(size=(4, losses.n_coordinates)), np.array([0.1, 1.0, 10.0, 0.0])
    step = 1e-5 * rng.normal(size=M.shape)
    rise = losses.values(M + step) - losses.values(M - step)
    # the losses are quadratic, so a central difference errs by rounding only
    np.testing.assert_allclose(rise, 2 * (losses.gradients(M) * step).sum(axis=1), rtol=1e-5)
    W = losses.prox(M, kappa)
    np.testing.assert_allclose(losses.gradients(W), kappa[:, None] * (M - W), atol=1e-10)
    np.testing.assert_allclose(losses.gradients(losses.minimisers(M)), 0, atol=1e-10)


@pytest.mark.parametrize("X, Y, s, fit_intercept", list(loss_cases()))
def test_least_values_of_a_loss_and_a_linear_term_are_minima(X, Y, s, fit_intercept, omega, rng):
    losses = quadratic_losses(wide_data(X, Y, s)[0], omega, fit_intercept=fit_intercept)
    W = rng.normal(size=(4, losses.n_coordinates))
    H = -losses.gradients(W)  # whose minimum is at W
    least = losses.least_values(H)
    np.testing.assert_allclose(losses.values(W) + (H * W).sum(axis=1), least, atol=1e-9)
    for size in (1e-2, 1.0, 1e3):
        V = W + size * rng.normal(size=W.shape)
        assert (losses.values(V) + (H * V).sum(axis=1) >= least - 1e-9).all()


@pytest.mark.parametrize("X, Y, s, fit_intercept", list(loss_cases()))
def test_feasible_rows_are_in_the_ranges_and_sum_to_zero_and_are_left_alone(
    X, Y, s, fit_intercept, omega, rng
):
    losses = quadratic_losses(wide_data(X, Y, s)[0], omega, fit_intercept=fit_intercept)
    component = np.array([0, 1, 0, 0])
    (H,) = losses.feasible(rng.normal(size=(1, 4, losses.n_coordinates)), component)
    assert (abs(H[1]) < 1e-12).all() and (abs(H.sum(axis=0)) < 1e-12).all()
    assert abs(H).max() > 1e-2
    inside = losses.back(np.where(losses.s > 0, losses.rotated(H), 0.0))
    np.testing.assert_allclose(H, inside, atol=1e-12)
    np.testing.assert_allclose(losses.feasible([H], component)[0], H, atol=1e-12)


@pytest.mark.parametrize("shape", [(30, 3), (6, 10)], ids=["tall", "wide"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_least_values_of_log_losses_bound_them_and_are_attained(shape, fit_intercept, rng):
    X, Y = two_clusters(n=shape[0], p=shape[1])
    data = long_of(X, (Y > np.median(Y)).astype(float))
    losses = SmoothLosses(data, LogLoss(), np.ones(T), fit_intercept=fit_intercept)
    here = losses.start
    H = -0.95 * here.gradients(None)
    least = here.least_values(H)
    assert np.isfinite(least).all()
    for size in (0.0, 1e-2, 1.0, 30.0):
        W = here.W + size * rng.normal(size=here.W.shape)
        there = losses.at(W, here.b + size * rng.normal(size=T) * fit_intercept)
        assert (there.values(W) + (H * W).sum(axis=1) >= least - 1e-12).all()
    for _ in range(20):  # of Newton's method to the minimum of the loss and h'w
        model = here.quadratics()
        pull = model.c - model.rotated(H)
        W = model.back(np.divide(pull, model.s, out=np.zeros_like(pull), where=model.s > 0))
        here = losses.at(W, model.levels(W) * fit_intercept)
    reached = here.values(W) + (H * W).sum(axis=1)
    np.testing.assert_allclose(here.least_values(H), reached, atol=1e-9)
    assert (reached >= least - 1e-12).all()


def test_estimates_are_ridges_of_one_strength_that_minimises_gcv():
    X, Y = two_clusters()
    losses = quadratic_losses(long_of(X, Y), np.ones(T), fit_intercept=True)
    ridges = [Ridge(N * losses.ridge).fit(x, y) for x, y in zip(X, Y, strict=True)]
    np.testing.assert_allclose(losses.estimates(), [r.coef_ for r in ridges], rtol=1e-10)

    def gcv(strength):
        fits = [Ridge(N * strength).fit(x, y) for x, y in zip(X, Y, strict=True)]
        error = sum(((y - f.predict(x)) ** 2).sum() for x, y, f in zip(X, Y, fits, strict=True))
        used = sum(
            1 + np.trace((x - x.mean(0)) @ np.linalg.solve(S + N * strength * np.eye(P), x.T))
            for x in X
            for S in [(x - x.mean(0)).T @ (x - x.mean(0))]
        )
        return error / (T * N - used) ** 2

    for factor in (10**-0.5, 10**0.5):  # the neighbours on its grid
        assert gcv(losses.ridge) < gcv(factor * losses.ridge)


def test_minimisers_go_along_the_centroid_where_labels_say_nothing(rng):
    """As far as they go along it where labels speak: all the way for w = u, not at all for -u."""
    X, u = rng.normal(size=(3, 3, 8)), rng.normal(size=8)
    for sign, way in ((1.0, 1.0), (0.5, 0.5), (-1.0, 0.0)):
        losses = quadratic_losses(long_of(X, X @ (sign * u)), np.ones(3), fit_intercept=False)
        assert losses.basis is None  # nine rows, eight features
        W = losses.minimisers(np.tile(u, (3, 1)))
        for x, w in zip(X, W, strict=True):
            silent = np.eye(8) - np.linalg.pinv(x) @ x
            np.testing.assert_allclose(x @ w, x @ (sign * u), atol=1e-10)
            np.testing.assert_allclose(silent @ w, way * silent @ u, atol=1e-10)


# convex problems


def direct_objective(X, Y, graph, penalty, alpha, alpha_fuse, W, U, O):  # noqa: E741
    value = sum(((y - x @ w) ** 2).sum() / (2 * len(y)) for x, y, w in zip(X, Y, W, strict=True))
    value += alpha / 2 * ((W - U - O) ** 2).sum()
    pairs = zip(graph.i, graph.j, graph.r, strict=True)
    value += alpha_fuse * sum(r * np.linalg.norm(U[i] - U[j]) for i, j, r in pairs)
    return value if penalty is None else value + alpha * penalty.value(O)


def dual_bound(X, Y, graph, c, alpha, alpha_fuse, n_iter=8000):
    """A lower bound of the convex objective, from the duals of Chambolle and Pock's method.

    x = (W, U, O) minimises the smooth part plus ||x - v||^2 / (2 tau), by a dense inverse; the
    duals F of the edges and G of O are projected to their balls. Any F in its balls, scaled until
    the sums H at the tasks are within alpha c, gives a bound: no other part of the method counts.
    """
    T, _, p = X.shape
    D = np.zeros((len(graph.r), T))
    D[np.arange(len(graph.r)), graph.i], D[np.arange(len(graph.r)), graph.j] = 1.0, -1.0
    S = np.array([x.T @ x / len(x) for x in X])
    xy = np.array([x.T @ y / len(y) for x, y in zip(X, Y, strict=True)])
    link = alpha * np.outer([1, -1, -1], [1, -1, -1])
    quadratic = np.array([np.kron(np.diag([1, 0, 0]), s) + np.kron(link, np.eye(p)) for s in S])
    norm = np.linalg.norm(D, 2) ** 2 + 1
    tau = sigma = 0.99 / np.sqrt(norm)
    inverse = np.linalg.inv(np.eye(3 * p) + tau * quadratic)
    linear = np.concatenate([xy, np.zeros((T, 2 * p))], axis=1)

    def project(Z, bound):
        length = np.linalg.norm(Z, axis=1)
        return Z * np.minimum(1, bound / np.maximum(length, 1e-300))[:, None]

    x, F, G = np.zeros((T, 3 * p)), np.zeros((len(D), p)), np.zeros((T, p))
    for _ in range(n_iter):
        back = np.concatenate([np.zeros((T, p)), D.T @ F, G], axis=1)
        new = np.einsum("tij,tj->ti", inverse, x - tau * (back - linear))
        ahead, x = 2 * new - x, new
        F = project(F + sigma * D @ ahead[:, p : 2 * p], alpha_fuse * graph.r)
        G = project(G + sigma * ahead[:, 2 * p :], min(alpha * c, 1e6))
    H = D.T @ F
    H = H * min(1.0, alpha * c / np.linalg.norm(H, axis=1).max())
    conjugate = np.einsum("ti,tij,tj->t", xy - H, np.linalg.inv(S), xy - H)
    value = sum(y @ y / len(y) for y in Y) - conjugate.sum()
    return value / 2 - (H**2).sum() / (2 * alpha)


@pytest.mark.parametrize("alpha_fuse", [0.02, 0.2, 1.0])
@pytest.mark.parametrize("c", [np.inf, 2.0, 0.3])
def test_objective_of_convex_problems_is_within_1e_7_of_an_independent_bound(c, alpha_fuse):
    X, Y = two_clusters()
    problem = problem_of(X, Y)
    penalty = None if np.isinf(c) else TaskLasso(c)
    fit = problem.solve(penalty, alpha=0.5, alpha_fuse=alpha_fuse, tol=1e-9, max_iter=20000)
    point = problem.graph, penalty, 0.5, alpha_fuse, fit.W, fit.U, fit.O
    assert fit.objective == pytest.approx(direct_objective(X, Y, *point), rel=1e-12)
    bound = dual_bound(X, Y, problem.graph, c, 0.5, alpha_fuse)
    assert bound * (1 - 1e-12) <= fit.objective <= bound * (1 + 1e-7)
    assert fit.converged and 0 <= fit.gap <= 1e-9


def test_objective_of_convex_problems_is_that_of_a_conic_solver():
    cvxpy = pytest.importorskip("cvxpy")
    X, Y = two_clusters()
    problem, c = problem_of(X, Y), 2.0
    fit = problem.solve(TaskLasso(c), alpha=0.5, alpha_fuse=0.2, tol=1e-9)
    W, U, O = (cvxpy.Variable((T, P)) for _ in range(3))  # noqa: E741
    value = sum(cvxpy.sum_squares(Y[t] - X[t] @ W[t]) / (2 * N) for t in range(T))
    value += 0.25 * cvxpy.sum_squares(W - U - O) + 0.5 * c * cvxpy.sum(cvxpy.norm(O, axis=1))
    graph = problem.graph
    for i, j, r in zip(graph.i, graph.j, graph.r, strict=True):
        value += 0.2 * r * cvxpy.norm(U[int(i)] - U[int(j)])
    best = cvxpy.Problem(cvxpy.Minimize(value)).solve()
    assert fit.objective == pytest.approx(best, rel=1e-7)


@pytest.mark.parametrize("shape", [(30, 3), (4, 10)], ids=["tall", "wide"])
@pytest.mark.parametrize("c", [np.inf, 1.0])
def test_the_gap_bounds_the_distance_to_the_best_objective(c, shape):
    """Fits that stop early are off by no more than their gap says."""
    problem = problem_of(*two_clusters(n=shape[0], p=shape[1]))
    penalty = None if np.isinf(c) else TaskLasso(c)
    strengths = {"alpha": 0.5, "alpha_fuse": 0.1}
    best = problem.solve(penalty, **strengths, tol=1e-10, max_iter=50000)
    for max_iter in (5, 10, 20, 40):
        fit = problem.solve(penalty, **strengths, tol=1e-10, max_iter=max_iter)
        assert not fit.converged or fit.n_iter < max_iter
        excess = fit.objective - best.objective
        assert -1e-9 * best.objective <= excess <= fit.gap * fit.objective * (1 + 1e-9)


def test_the_start_does_not_change_a_convex_solution():
    problem = problem_of(*two_clusters())
    strengths = {"alpha": 0.5, "alpha_fuse": 0.2, "tol": 1e-11, "max_iter": 20000}
    cold = problem.solve(TaskLasso(1.0), **strengths)
    other = problem.solve(TaskLasso(1.0), alpha=0.5, alpha_fuse=0.05)
    for fit in (
        problem.solve(TaskLasso(1.0), **strengths, state=other.state),
        problem.solve(TaskLasso(1.0), **strengths, init="convex"),
    ):
        # the objective is strongly convex about its solution here, so gaps bound distances
        np.testing.assert_allclose(fit.W, cold.W, atol=1e-5)
        assert fit.objective == pytest.approx(cold.objective, rel=1e-10)


def test_fused_centroids_are_equal_and_zero_outlier_parts_are_zero():
    problem = problem_of(*two_clusters())
    fit = problem.solve(TaskMCP(1.5), alpha=1.0, alpha_fuse=0.3)
    assert len(np.unique(fit.component)) < T
    for k in np.unique(fit.component):
        assert (np.ptp(fit.U[fit.component == k], axis=0) == 0).all()
    assert fit.is_outlier.tolist() == [False] * 5 + [True]


# concave penalties


@every_penalty
@pytest.mark.parametrize("alpha_fuse", [0.01, 0.1, 1.0])
def test_first_order_conditions_hold_block_by_block(penalty, alpha_fuse):
    problem = problem_of(*two_clusters())
    fit = problem.solve(penalty, alpha=1.0, alpha_fuse=alpha_fuse, tol=1e-9, max_iter=20000)
    assert fit.converged and fit.residual <= 1e-7
    losses, (W, U, O) = problem.losses, (fit.W, fit.U, fit.O)  # noqa: E741
    scale = np.abs(W).max()
    # w_t and o_t are the minimisers for the others as they are
    np.testing.assert_allclose(W, losses.prox(U + O, 1.0), atol=1e-6 * scale)
    np.testing.assert_allclose(O, penalty.prox(W - U, 1.0), atol=1e-6 * scale)


@every_penalty
def test_no_small_step_lowers_the_objective(penalty, rng):
    problem = problem_of(*two_clusters())
    fit = problem.solve(penalty, alpha=1.0, alpha_fuse=0.1, tol=1e-9, max_iter=20000)
    point = problem.losses, problem.graph, penalty, 1.0, 0.1
    for size in (1e-2, 1e-3, 1e-4):
        for _ in range(50):
            step = size * rng.normal(size=(3, *fit.W.shape))
            step[2] *= fit.is_outlier[:, None]
            moved = objective(
                *point, *(x + d for x, d in zip((fit.W, fit.U, fit.O), step, strict=True))
            )
            assert moved >= fit.objective * (1 - 1e-10)


def test_a_concave_penalty_has_two_basins_and_init_chooses():
    """Nobody an outlier is stationary where the threshold exceeds the pull of the edges."""
    problem = problem_of(*two_clusters(far=20.0))
    penalty, strengths = TaskMCP(4.0, 3.0), {"alpha": 1.0, "alpha_fuse": 0.5}
    first = problem.solve(penalty, **strengths)
    convex = problem.solve(penalty, **strengths, init="convex")
    assert 4.0 > 0.5 * problem.graph.degree.max()
    assert (first.is_outlier.sum(), convex.is_outlier.sum()) == (1, 0)
    assert max(first.residual, convex.residual) <= 1e-6
    lasso = problem.solve(TaskLasso(4.0), **strengths)
    assert convex.objective <= lasso.objective * (1 + 1e-6)


# limits and degenerate input


def test_alpha_fuse_zero_and_alpha_zero_are_least_squares():
    X, Y = two_clusters()
    problem = problem_of(X, Y)
    W = [np.linalg.lstsq(x, y, rcond=None)[0] for x, y in zip(X, Y, strict=True)]
    for alpha, alpha_fuse in ((1.0, 0.0), (0.0, 1.0), (0.0, 0.0)):
        fit = problem.solve(TaskMCP(1.0), alpha=alpha, alpha_fuse=alpha_fuse)
        np.testing.assert_allclose(fit.W, W, rtol=1e-9)
        assert not fit.is_outlier.any() and fit.converged
        assert len(np.unique(fit.component)) == (1 if alpha_fuse else T)


def test_a_threshold_of_zero_makes_all_tasks_outliers():
    X, Y = two_clusters()
    for penalty in (TaskLasso(0.0), TaskMCP(0.0), TaskSCAD(0.0)):
        fit = problem_of(X, Y).solve(penalty, alpha=1.0, alpha_fuse=1.0)
        assert fit.is_outlier.all() and fit.converged
        np.testing.assert_allclose(
            fit.W, [np.linalg.lstsq(x, y, rcond=None)[0] for x, y in zip(X, Y, strict=True)]
        )


def test_thresholds_beyond_the_pull_of_the_edges_leave_no_outlier():
    problem = problem_of(*two_clusters())
    alpha, alpha_fuse = 0.5, 0.2
    enough = alpha_fuse * problem.graph.degree.max() / alpha
    fit = problem.solve(TaskLasso(enough), alpha=alpha, alpha_fuse=alpha_fuse, tol=1e-10)
    plain = problem.solve(None, alpha=alpha, alpha_fuse=alpha_fuse, tol=1e-10)
    assert not fit.is_outlier.any()
    assert fit.objective == pytest.approx(plain.objective, rel=1e-9)
    few = problem.solve(TaskLasso(enough / 3), alpha=alpha, alpha_fuse=alpha_fuse)
    assert few.is_outlier.any()


def test_no_edges_no_labels_worth_anything_and_one_task_work():
    constant = np.ones((3, 4, 2))
    fit = problem_of(constant, np.ones((3, 4)), fit_intercept=True).solve(
        TaskMCP(1.0), alpha=1.0, alpha_fuse=1.0
    )
    np.testing.assert_array_equal(fit.W, 0)
    X, Y = two_clusters()
    one = problem_of(X[:1], Y[:1]).solve(TaskMCP(1.0), alpha=1.0, alpha_fuse=1.0)
    np.testing.assert_allclose(one.W[0], np.linalg.lstsq(X[0], Y[0], rcond=None)[0], rtol=1e-9)
    graph = task_graph(np.zeros((T, T)))
    alone = problem_of(X, Y, graph=graph).solve(TaskMCP(1.0), alpha=1.0, alpha_fuse=1.0)
    assert len(np.unique(alone.component)) == T


def test_a_loss_that_is_not_quadratic_is_refused():
    with pytest.raises(TypeError, match="quadratic"):
        ClusteringProblem(long_of(*two_clusters()), object(), np.ones(T), fit_intercept=True)


# the penalties of whole tasks


TASK_PENALTIES = ["task_lasso", "task_mcp", "task_scad"]


@pytest.mark.parametrize("name", TASK_PENALTIES)
@pytest.mark.parametrize("step", [0.3, 1.0])
def test_proximal_steps_of_task_penalties_are_least_over_a_fine_grid(name, step):
    penalty = PENALTIES[name](alpha=0.8)
    direction = np.array([0.6, 0.8])
    for length in np.linspace(0, 4, 41):
        W = length * direction[None, :]
        grid = np.linspace(0, 5, 5001)
        values = [step * penalty.value(t * direction[None, :]) for t in grid[::50]]
        V = penalty.prox(W, step)
        reached = step * penalty.value(V) + ((V - W) ** 2).sum() / 2
        assert reached <= min(values + (grid[::50] - length) ** 2 / 2) + 1e-12
        near = np.linalg.norm(V) + 1e-4 * np.array([-1.0, 1.0])
        for t in np.maximum(near, 0):
            moved = t * direction[None, :]
            assert reached <= step * penalty.value(moved) + ((moved - W) ** 2).sum() / 2 + 1e-12


@pytest.mark.parametrize("name", TASK_PENALTIES)
def test_slopes_of_task_penalties_are_their_derivatives(name):
    penalty = PENALTIES[name](alpha=0.8)
    for length in (0.1, 0.79, 0.81, 1.9, 2.39, 2.41, 5.0):
        W, step = np.array([[0.0, length]]), np.array([[0.0, 1e-6]])
        rise = penalty.value(W + step) - penalty.value(W - step)
        assert penalty.slopes(W)[0] == pytest.approx(rise / 2e-6, abs=1e-6)
    assert penalty.slopes(np.zeros((1, 2)))[0] == pytest.approx(0.8)


def test_concave_penalties_with_a_large_gamma_are_the_lasso(rng):
    W = rng.normal(size=(5, 3))
    for penalty in (TaskMCP(0.8, 1e9), TaskSCAD(0.8, 1e9)):
        np.testing.assert_allclose(penalty.prox(W, 1.0), TaskLasso(0.8).prox(W, 1.0), atol=1e-8)
        assert penalty.value(W) == pytest.approx(TaskLasso(0.8).value(W))
