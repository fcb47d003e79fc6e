import warnings

import array_api_strict
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import HuberRegressor, Lasso, LinearRegression, MultiTaskLasso

from skmtl import MultiTaskLinearRegressor, MultiTaskRidge
from skmtl._backend import to_numpy
from skmtl.losses import Huber, LogLoss, SquaredError
from skmtl.penalties import (
    L21,
    PENALTIES,
    GraphLaplacian,
    Penalty,
    SharedSpecific,
    TaskLasso,
    TaskMCP,
)
from skmtl.solvers import LINEAR_SOLVERS, choose_linear_solver

GRAPH = np.array([[0, 2.0, 0, 0], [2.0, 0, 0.5, 0], [0, 0.5, 0, 0], [0, 0, 0, 0]])
CONVEX = [SharedSpecific(2.0, 0.5, 0.3), GraphLaplacian(GRAPH, 1.5, 0.4), L21(4.0), TaskLasso(3.0)]
every_penalty = pytest.mark.parametrize("penalty", CONVEX, ids=lambda p: type(p).__name__)
FORMS = ["complete", "holes", "one-a-row", "long"]
every_form = pytest.mark.parametrize("form", FORMS)


def table(n=30, p=6, T=4, seed=0, offset=20.0):
    """Features of sizes .1 to 10, and labels of tasks that use three of them."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * np.logspace(-1, 1, p)[rng.permutation(p)] + 3
    W = np.zeros((p, T))
    W[:3] = rng.normal(size=(3, T)) / X.std(axis=0)[:3, None]
    return X, X @ W + 0.3 * rng.normal(size=(n, T)) + offset * np.arange(T)


def in_form(X, Y, form, seed=1):
    """(X, y, task_column, observed) of the same table."""
    rng = np.random.default_rng(seed)
    n, T = Y.shape
    if form == "complete":
        return X, Y, None, np.ones(Y.shape, bool)
    task = rng.permutation(np.arange(n) % T)
    one = task[:, None] == np.arange(T)
    observed = (rng.random(Y.shape) < 0.7) | one if form == "holes" else one
    if form == "long":
        return np.column_stack([X, task]), Y[one], -1, observed
    return X, np.where(observed, Y, np.nan), None, observed


def objective(model, X, Y, observed, penalty, loss, S=1.0):
    """The documented objective at the fitted coefficients."""
    Z = X @ model.coef_.T + model.intercept_
    value = (S * loss.value(Y, Z))[observed].sum() + penalty.value(model.coef_)
    if hasattr(penalty, "intercept_value"):
        b = model.intercept_ + model.coef_ @ model._origin
        value += penalty.intercept_value(b)
    return value


def tight(penalty, loss="squared_error", **options):
    return MultiTaskLinearRegressor(loss, penalty, **{"tol": 1e-10, "max_iter": 50_000} | options)


# equalities with known models


@every_form
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_shared_specific_is_the_ridge_by_any_solver(form, fit_intercept):
    X, Y = table()
    X, y, task_column, _ = in_form(X, Y, form)
    options = {"task_column": task_column, "fit_intercept": fit_intercept}
    ridge = MultiTaskRidge(2.0, 0.5, alpha_intercept=0.3, **options).fit(X, y)
    for solver in ("elimination", "newton-cg"):
        model = tight(CONVEX[0], solver=solver, **options).fit(X, y)
        assert model.solver_ == solver
        np.testing.assert_allclose(model.coef_, ridge.coef_, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(model.predict(X), ridge.predict(X), rtol=1e-8)


@pytest.mark.parametrize("n, p", [(60, 20), (20, 60)])
@pytest.mark.parametrize("solver", ["working-set", "fista"])
@pytest.mark.parametrize("share", [0.5, 0.05])
def test_l21_is_scikit_learns_multi_task_lasso(n, p, solver, share):
    """Regression: features were once rotated into their row space where 2 n < p."""
    X, Y = table(n=n, p=p)
    Xc, Yc = X - X.mean(axis=0), Y - Y.mean(axis=0)
    alpha = share * L21().dual_norm(Yc.T @ Xc)
    lasso = MultiTaskLasso(alpha / n, tol=1e-13, max_iter=200_000).fit(X, Y)
    model = tight(L21(alpha), solver=solver, tol=1e-12).fit(X, Y)
    # a relative gap g bounds squared distances by 2 g / curvature: sqrt(1e-12) of their size
    scale = abs(lasso.coef_).max()
    np.testing.assert_allclose(model.coef_, lasso.coef_, atol=1e-5 * scale)
    np.testing.assert_allclose(model.intercept_, lasso.intercept_, rtol=1e-5)
    np.testing.assert_array_equal(
        (model.coef_ != 0).any(axis=0), abs(lasso.coef_).max(axis=0) > 1e-6 * scale
    )


def test_l21_of_one_task_is_the_lasso():
    X, Y = table()
    lasso = Lasso(0.2, tol=1e-13, max_iter=100_000).fit(X, Y[:, 0])
    model = tight(L21(0.2 * len(X)), tol=1e-12).fit(X, Y[:, 0])
    np.testing.assert_allclose(model.coef_[0], lasso.coef_, atol=1e-5 * abs(lasso.coef_).max())


@every_form
def test_a_complete_graph_is_a_shared_and_specific_ridge(form):
    """Omega = a (T I - 11') + r I has the eigenvalues r, of equal tasks, and a T + r."""
    X, Y = table()
    X, y, task_column, _ = in_form(X, Y, form)
    a, r, T = 0.7, 0.4, Y.shape[1]
    specific = a * T + r
    ridge = MultiTaskRidge(T / (1 / r - 1 / specific), specific, task_column=task_column).fit(X, y)
    model = tight(GraphLaplacian("complete", a, r), task_column=task_column).fit(X, y)
    np.testing.assert_allclose(model.coef_, ridge.coef_, rtol=1e-7, atol=1e-9)


def test_without_penalty_huber_is_scikit_learns_at_its_scale():
    X, Y = table(p=3)
    y = Y[:, 0].copy()
    y[:4] += 50
    model = tight(SharedSpecific(1e-8, 1e-8), Huber(1.35)).fit(X, y)
    loss = Huber(1.35 * model.residual_scale_)
    start = np.append(model.coef_[0], model.intercept_)
    best = minimize(lambda w: loss.value(y, X @ w[:-1] + w[-1]).sum(), start, tol=1e-12)
    assert objective(model, X, y[:, None], np.ones((30, 1), bool), L21(0.0), loss) <= best.fun * (
        1 + 1e-9
    )
    # the scales are defined otherwise; the outliers count as little
    theirs = HuberRegressor(alpha=0).fit(X, y)
    clean = LinearRegression().fit(X[4:], y[4:])
    gap = abs(clean.predict(X[4:]) - model.predict(X[4:])).mean()
    assert gap <= 2 * abs(clean.predict(X[4:]) - theirs.predict(X[4:])).mean() + 0.05


def test_a_large_delta_is_the_squared_error():
    X, Y = table()
    for penalty in CONVEX:
        square, huber = tight(penalty).fit(X, Y), tight(penalty, Huber(1e6)).fit(X, Y)
        scale = abs(square.coef_).max()
        np.testing.assert_allclose(huber.coef_, square.coef_, atol=1e-5 * scale)


# optimality of every loss with every penalty


@pytest.mark.slow
@every_form
@every_penalty
@pytest.mark.parametrize("loss", [SquaredError(), Huber(1.0)], ids=["squared", "huber"])
def test_no_direction_leads_below_the_solution(form, penalty, loss):
    X0, Y = table()
    X, y, task_column, observed = in_form(X0, Y, form)
    model = tight(penalty, loss, task_column=task_column).fit(X, y)
    if hasattr(loss, "delta"):
        loss = Huber(model.residual_scale_)
    best = objective(model, X0, Y, observed, penalty, loss)
    rng = np.random.default_rng(0)
    scale = 1 / X0.std(axis=0)
    for size in (1e-1, 1e-3):
        for _ in range(10):
            other = MultiTaskLinearRegressor()
            step = size * rng.normal(size=model.coef_.shape) * scale
            if rng.random() < 0.5:  # moves that keep zeros
                step = step * (model.coef_ != 0)
            other.coef_, other._origin = model.coef_ + step, model._origin
            # the best intercepts for a step keep the mean scores of each task
            mean = np.array([X0[observed[:, t]].mean(axis=0) for t in range(4)])
            other.intercept_ = model.intercept_ - (mean * step).sum(axis=1)
            assert objective(other, X0, Y, observed, penalty, loss) >= best * (1 - 1e-9)


@every_penalty
def test_weights_are_frequencies_and_zero_leaves_out(penalty):
    X, Y = table()
    Y[2, 1] = np.nan
    weight = np.random.default_rng(0).integers(0, 3, len(X))
    model = tight(penalty).fit(X, Y, sample_weight=weight)
    twice = tight(penalty).fit(np.repeat(X, weight, axis=0), np.repeat(Y, weight, axis=0))
    scale = abs(twice.coef_).max()
    np.testing.assert_allclose(model.coef_, twice.coef_, atol=1e-6 * scale)


@every_penalty
@pytest.mark.parametrize("solver", LINEAR_SOLVERS)
def test_sparse_and_other_arrays_are_fitted_as_dense_ones(penalty, solver):
    X, Y = table()
    Y[3:9, 1] = np.nan
    try:
        choose_linear_solver(solver, SquaredError(), penalty)
    except ValueError:
        pytest.skip("the solver does not suit the penalty")
    dense = tight(penalty, solver=solver).fit(X, Y)
    sparse = tight(penalty, solver=solver).fit(scipy.sparse.csr_array(X), Y)
    there = array_api_strict.asarray(X, device=array_api_strict.Device("device1"))
    strict = tight(penalty, solver=solver).fit(there, Y)
    scale = abs(dense.coef_).max()
    np.testing.assert_allclose(sparse.coef_, dense.coef_, atol=1e-6 * scale)
    np.testing.assert_allclose(to_numpy(strict.coef_), dense.coef_, atol=1e-6 * scale)
    assert strict.coef_.device == there.device


@every_penalty
@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_standardised_fits_do_not_depend_on_the_units_of_the_features(penalty, unit):
    X, Y = table(n=12, p=20)
    units = np.where(np.arange(20) % 2, unit, 1.0)
    model = tight(penalty, standardize=True).fit(X, Y)
    other = tight(penalty, standardize=True).fit(X * units + 7 * units, Y)
    scale = abs(model.coef_ * X.std(axis=0)).max()
    np.testing.assert_allclose(
        other.coef_ * units * X.std(axis=0), model.coef_ * X.std(axis=0), atol=1e-5 * scale
    )


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_weights_of_labels_count_in_the_scale_of_residuals(missing):
    """Regression: medians from which the scale begins took each label once."""
    X, Y = table(n=24, p=3)
    rng = np.random.default_rng(0)
    Y[rng.random(Y.shape) < missing] = np.nan
    weight = rng.integers(0, 4, len(X))
    weight[:2] = 9
    model = tight(SharedSpecific(1.0, 1.0), "huber").fit(X, Y, weight)
    twice = tight(SharedSpecific(1.0, 1.0), "huber").fit(
        np.repeat(X, weight, axis=0), np.repeat(Y, weight, axis=0)
    )
    assert model.residual_scale_ == pytest.approx(twice.residual_scale_, rel=1e-9)
    np.testing.assert_allclose(model.predict(X), twice.predict(X), rtol=1e-8)


def test_huber_forgets_outliers_whatever_their_size():
    """What the loss is for: the error on clean rows."""
    X, Y = table(n=60)
    clean = MultiTaskLinearRegressor("huber", SharedSpecific(0.1, 0.1)).fit(X, Y)
    for size in (1e2, 1e6):
        spoilt = Y.copy()
        spoilt[::10] += size
        robust = MultiTaskLinearRegressor("huber", SharedSpecific(0.1, 0.1)).fit(X, spoilt)
        square = MultiTaskLinearRegressor(penalty=SharedSpecific(0.1, 0.1)).fit(X, spoilt)
        assert abs(robust.predict(X) - clean.predict(X)).max() < 0.5
        assert abs(square.predict(X) - clean.predict(X)).max() > 0.05 * size
        assert robust.residual_scale_ < 1.0


def test_joint_selection_finds_the_features_that_tasks_share():
    """What the penalty is for: the features in use, and the error beside the ridge."""
    rng = np.random.default_rng(0)
    X, W = rng.normal(size=(60, 80)), np.zeros((80, 6))
    W[:4] = rng.normal(size=(4, 6))
    Y = X @ W + 0.5 * rng.normal(size=(60, 6))
    X_test = rng.normal(size=(500, 80))
    lasso = MultiTaskLinearRegressor(penalty=L21(20.0)).fit(X, Y)
    ridge = MultiTaskRidge(1.0, 1.0).fit(X, Y)
    used = (lasso.coef_ != 0).any(axis=0)
    assert used[:4].all() and used.sum() <= 12
    error = [((m.predict(X_test) - X_test @ W) ** 2).mean() for m in (lasso, ridge)]
    assert error[0] < error[1] / 3


# the room for other penalties: what CONTRIBUTING's recipe promises


class Bounded(Penalty):
    """A toy penalty: coefficients may not exceed `alpha` in size."""

    separates_features = True

    def __init__(self, alpha=1.0):
        self.alpha = alpha

    def value(self, W):
        return 0.0 if float(abs(W).max()) <= self.alpha * (1 + 1e-9) else np.inf

    def prox(self, W, step):
        from skmtl._backend import namespace_of

        return namespace_of(W).clip(W, -self.alpha, self.alpha)


@every_form
@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_a_penalty_that_a_user_writes_is_solved(form, loss):
    X, Y = table(p=4)
    X, y, task_column, _ = in_form(X, Y, form)
    model = tight(Bounded(0.05), loss, task_column=task_column).fit(X, y)
    assert model.solver_ == "fista" and model.certificate_ <= 1e-10
    assert abs(model.coef_).max() == pytest.approx(0.05)
    free = tight(Bounded(1e6), loss, task_column=task_column).fit(X, y)
    if form == "complete" and loss == "squared_error":
        expected = LinearRegression().fit(X, y)
        np.testing.assert_allclose(free.coef_, expected.coef_, rtol=1e-5, atol=1e-7)


def test_a_penalty_that_a_user_writes_stays_where_the_data_are():
    X, Y = table(p=4)
    there = array_api_strict.asarray(X, device=array_api_strict.Device("device1"))
    model = tight(Bounded(0.05)).fit(there, Y)
    np.testing.assert_allclose(
        to_numpy(model.coef_), tight(Bounded(0.05)).fit(X, Y).coef_, atol=1e-9
    )


# what is refused, and what is said


@pytest.mark.parametrize(
    "params, error, message",
    [
        ({"loss": "hinge"}, ValueError, "loss must be one of"),
        ({"loss": "absolute"}, ValueError, "loss must be one of"),
        ({"loss": 3}, TypeError, "loss must be a name or an object"),
        ({"loss": SquaredError}, TypeError, "loss must be a name or an object"),
        ({"penalty": "lasso?"}, ValueError, "penalty must be one of"),
        ({"penalty": 3.0}, TypeError, "penalty must be a name or an object"),
        ({"penalty": L21(-1.0)}, ValueError, "alpha must be in"),
        ({"penalty": L21(np.inf)}, ValueError, "alpha must be in"),
        ({"penalty": SharedSpecific(0.0)}, ValueError, "alpha_shared must be in"),
        ({"penalty": GraphLaplacian(alpha_ridge=-1)}, ValueError, "alpha_ridge must be in"),
        ({"penalty": GraphLaplacian("ring")}, ValueError, "graph must be 'complete', 'chain' or"),
        ({"penalty": GraphLaplacian(np.ones((3, 3)))}, ValueError, r"graph must have shape \(4, 4"),
        ({"penalty": GraphLaplacian(-GRAPH)}, ValueError, "graph must be symmetric"),
        ({"penalty": GraphLaplacian(np.triu(GRAPH))}, ValueError, "graph must be symmetric"),
        ({"penalty": TaskMCP()}, ValueError, "needs a convex penalty with a prox, got TaskMCP"),
        ({"solver": "lbfgs"}, ValueError, "solver must be one of"),
        ({"solver": "fista"}, ValueError, "choose solver='elimination'"),
        (
            {"penalty": L21(), "solver": "newton-cg"},
            ValueError,
            "solver='newton-cg' needs a quadratic penalty, got L21.*choose solver='working-set'",
        ),
        (
            {"loss": "huber", "penalty": L21(), "solver": "working-set"},
            ValueError,
            "solver='working-set' needs a quadratic loss, got Huber.*choose solver='fista'",
        ),
        ({"loss": Huber(0.0)}, ValueError, "delta must be in"),
        ({"tol": -1.0}, ValueError, "tol must be in"),
        ({"max_iter": 0}, ValueError, "max_iter must be at least 1"),
        ({"fit_intercept": 1}, TypeError, "fit_intercept must be True or False"),
    ],
)
def test_wrong_parameters_are_named(params, error, message):
    X, Y = table()
    with pytest.raises(error, match=message):
        MultiTaskLinearRegressor(**params).fit(X, Y)


@pytest.mark.parametrize("penalty, solver", [(L21(1.0), "fista"), (L21(1.0), "working-set")])
def test_a_fit_that_does_not_converge_says_so(penalty, solver):
    X, Y = table()
    with pytest.warns(ConvergenceWarning, match=f"solver='{solver}' stopped after 2 iterations"):
        model = MultiTaskLinearRegressor(penalty=penalty, solver=solver, max_iter=2, tol=1e-9).fit(
            X, Y
        )
    assert model.certificate_ > 1e-9 and model.n_iter_ == 2


@every_penalty
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_silence_means_near_the_minimum(penalty, unit):
    """At the default tol, in any units of the labels and of the features."""
    X, Y = table()
    strengths = {n: getattr(penalty, n) * unit for n in penalty.strengths if n == "alpha"}
    if isinstance(penalty, L21 | TaskLasso):
        penalty = type(penalty)(**strengths)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model = MultiTaskLinearRegressor(penalty=penalty).fit(X, Y * unit)
    exact = tight(penalty, tol=1e-12).fit(X, Y * unit)
    observed = np.ones(Y.shape, bool)
    values = [objective(m, X, Y * unit, observed, penalty, SquaredError()) for m in (model, exact)]
    null = 0.5 * unit**2 * ((Y - Y.mean(axis=0)) ** 2).sum()
    assert values[0] <= values[1] + 1e-6 * null


def test_names_of_penalties_make_models_that_fit():
    X, Y = table()
    for name in PENALTIES:
        if PENALTIES[name]().is_convex:
            assert MultiTaskLinearRegressor(penalty=name).fit(X, Y).score(X, Y) > 0.5


def test_a_task_without_labels_and_an_unknown_one_get_the_shared_part():
    X, Y = table()
    Y[:, 2] = np.nan
    with pytest.warns(UserWarning, match="task 2 has no label"):
        model = tight(L21(1.0)).fit(X, Y)
    np.testing.assert_allclose(model.coef_[2], model.coef_[[0, 1, 3]].mean(axis=0), rtol=1e-12)
    frame = pd.DataFrame(X).assign(site=np.resize(["a", "b"], len(X)))
    frame.columns = frame.columns.astype(str)
    model = tight(L21(1.0), task_column="site", unknown_task="shared").fit(frame, Y[:, 0])
    unknown = model.predict(frame.assign(site="c"))
    np.testing.assert_allclose(unknown, X @ model.shared_coef_ + model.shared_intercept_)


def test_a_graph_fills_in_a_task_without_labels():
    """With its coefficients free, the minimum over all tasks is that over the labelled ones."""
    X, Y = table()
    Y[:, 1] = np.nan
    penalty = GraphLaplacian(GRAPH, 2.0, 0.3)
    with pytest.warns(UserWarning, match="task 1 has no label"):
        model = tight(penalty).fit(X, Y)
    omega, W = penalty.precision(4), model.coef_
    np.testing.assert_allclose(omega[1] @ W, 0, atol=1e-9 * abs(W).max())
    # the same as with a label of hardly any weight
    weight = np.ones(Y.shape)
    weight[:, 1] = 0
    weight[0, 1] = 1e-9
    almost = tight(penalty).fit(X, np.nan_to_num(Y), sample_weight=weight)
    np.testing.assert_allclose(W, almost.coef_, atol=1e-6 * abs(W).max())


def test_a_task_without_labels_moves_with_the_origin_of_the_features():
    """Regression: its intercept belonged to other coefficients."""
    X, Y = table()
    Y[:, 1] = np.nan
    for graph in ("chain", GRAPH * (np.arange(4) != 1) * (np.arange(4) != 1)[:, None]):
        penalty = GraphLaplacian(graph, 2.0, 0.3)
        with pytest.warns(UserWarning, match="task 1 has no label"):
            near, far = tight(penalty).fit(X, Y), tight(penalty).fit(X + 1000, Y)
        np.testing.assert_allclose(far.predict(X + 1000), near.predict(X), rtol=1e-7)
        labelled = near.predict(X)[:, [0, 2, 3]]
        assert labelled.min() <= near.predict(X)[:, 1].mean() <= labelled.max()


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
@pytest.mark.parametrize("constant", [0.1, 1e3 / 7, 5.0, 0.0])
def test_constant_and_tiny_columns_leave_the_certificate_its_meaning(loss, constant):
    """Regression: the rounding of a constant column's mean passed for its curvature."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 3)) * [1.0, 1e-6, 1e3]
    Y = 2 * X[:, :1] @ np.ones((1, 3)) + 0.3 * rng.normal(size=(60, 3))
    wide = np.column_stack([X, np.full(60, constant)])
    for penalty in (L21(2.0), Bounded(1.0)):
        plain = tight(penalty, loss).fit(X, Y)
        model = MultiTaskLinearRegressor(loss, penalty).fit(wide, Y)
        assert abs(model.predict(wide) - plain.predict(X)).max() < 0.01 * Y.std()


def test_no_penalty_at_all_is_least_squares_without_a_warning():
    X, Y = table(p=4)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        for penalty in (L21(0.0), TaskLasso(0.0)):
            model = MultiTaskLinearRegressor(penalty=penalty, tol=1e-9).fit(X, Y)
            expected = LinearRegression().fit(X, Y)
            np.testing.assert_allclose(model.predict(X), expected.predict(X), rtol=1e-5)


@pytest.mark.parametrize("share", [0.1, 0.2])
@pytest.mark.parametrize("size", [10.0, 1e4])
def test_huber_bears_a_share_of_outliers_on_one_side(share, size):
    rng = np.random.default_rng(0)
    X, W = rng.normal(size=(100, 5)), rng.normal(size=(5, 3))
    Y = X @ W + 0.3 * rng.normal(size=(100, 3))
    Y[: int(100 * share)] += size
    model = MultiTaskLinearRegressor("huber", GraphLaplacian("chain", 1e-3, 1e-3)).fit(X, Y)
    assert abs(model.coef_ - W.T).max() < 1.0
    assert model.residual_scale_ < 1.5


def test_a_prox_that_is_none_is_refused():
    class Wild(Bounded):
        def prox(self, W, step):
            return -3 * W

    class Short(Bounded):
        def prox(self, W, step):
            return W[:, :1]

    X, Y = table()
    with pytest.raises(ValueError, match="no step lowers the objective"):
        MultiTaskLinearRegressor(penalty=Wild(), max_iter=2000).fit(X, Y)
    with pytest.raises(ValueError, match="must return an array of the shape of W"):
        MultiTaskLinearRegressor(penalty=Short()).fit(X, Y)


def test_losses_of_classes_are_no_losses_of_continuous_labels():
    X, Y = table()
    for loss in ("log_loss", LogLoss()):
        with pytest.raises(ValueError, match="loss must be one of"):
            MultiTaskLinearRegressor(loss).fit(X, Y)
