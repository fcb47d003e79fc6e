"""Nash bargaining between losses against its definition, whatever the units of the tasks."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from skmtl import MultiTaskLogisticRegression, MultiTaskRidge
from skmtl._data import wide_data
from skmtl._input import UnitLayout
from skmtl.balancing import NashBargaining
from skmtl.losses import SquaredError
from skmtl.penalties import SharedSpecific
from skmtl.solvers import SmoothProblem, TaskObjectives
from skmtl.solvers._bargaining import bargain, least_combination

SOUND = 1e-8  # of |weight times gain - 1|, promised by a fit without a warning


def silently(model, *arguments, **keywords):
    """The model fitted, which must not warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        return model.fit(*arguments, **keywords)


def conflicting(seed, scales, n=60, p=5):
    """(X, Y) of tasks that conflict, in units of their own; one of three is mostly noise."""
    rng = np.random.default_rng(seed)
    T = len(scales)
    X = rng.normal(size=(n, p))
    W = rng.normal(size=p) + 0.8 * rng.normal(size=(T, p))
    noise = np.resize([0.3, 1.0, 3.0], T)
    return X, (X @ W.T + rng.normal(size=(n, T)) * noise) * np.asarray(scales, dtype=float)


def spread(n_tasks, span, rng):
    """Units from 10^-span to 10^span."""
    return 10.0 ** rng.uniform(-span, span, size=n_tasks)


def squared_terms(X, Y, S):
    """A (T, p, p), b (T, p) of L_t(0) - L_t(v) = 2 b_t'v - v'A_t v, intercepts eliminated.

    With columns centred by the weights of each task no mean is left, so that gains are known
    to rounding however small a part of the loss they are.
    """
    A, b = [], []
    for y, s in zip(Y.T, S.T, strict=True):
        s = np.where(np.isnan(y), 0.0, s)
        share = s / s.sum()
        Z = X - share @ X
        y = np.where(s > 0, y, 0.0)
        A.append((Z * share[:, None]).T @ Z)
        b.append((Z * share[:, None]).T @ (y - share @ y))
    return np.array(A), np.array(b)


def gains_of(A, b, V):
    """Gains of coefficients V (T, p) over those of the weighted mean label."""
    return 2 * (b * V).sum(axis=1) - np.einsum("tp,tpq,tq->t", V, A, V)


def residuals(model, X, Y, S, p, alphas):
    """(largest |w gain / its mean - 1|, gradient relative to its largest part) by definition."""
    A, b = squared_terms(X, Y, S)
    w0, V = model.shared_coef_, model.coef_
    gains = gains_of(A, b, V)
    ratio = model.task_weights_ * gains / p
    c = np.where(np.isnan(Y), 0.0, S).sum() / len(p)
    eps = np.finfo(float).eps
    weights = model.task_weights_
    if model.balancer.penalty_against == "gains":
        weights = p / gains
    pulls = c * weights[:, None] * (np.einsum("tpq,tq->tp", A, V) - b)  # half the gradients
    shared, specific = alphas
    parts = []
    if np.isfinite(shared):
        parts.append(pulls.sum(axis=0) + shared * w0)
    if np.isfinite(specific):
        parts.append(pulls + specific * model.specific_coef_)
    # coefficients are a shared part and a specific one, which may cancel: eps of the larger
    curved = c * np.einsum("t,tpp->tp", weights, A) * np.abs(V - model.specific_coef_).max()
    size = np.abs(pulls).max() + eps / SOUND * curved.max()
    stationary = max(np.abs(g).max() for g in parts) / size
    return np.abs(ratio / ratio.mean() - 1).max(), stationary, gains


def drawn(seed):
    """(X, Y, S, alphas): units, gaps, sample weights, more features than rows or tasks."""
    rng = np.random.default_rng([5, seed])
    T, p = rng.integers(1, 7), rng.integers(2, 9)
    n = rng.choice([p // 2 + 3, 30, 50])
    X, Y = conflicting(rng, spread(T, rng.choice([0, 2, 6]), rng), n, p)
    X = X * 10.0 ** rng.uniform(-2, 2, size=p)
    if rng.random() < 0.5:
        gaps = rng.random(Y.shape) < 0.2
        gaps[:3] = False
        Y[gaps] = np.nan
    S = rng.uniform(0.1, 3, size=Y.shape) if rng.random() < 0.5 else np.ones_like(Y)
    return X, Y, S, (10.0 ** rng.integers(-4, 3), rng.choice([np.inf, 0.1, 10.0]))


@pytest.mark.parametrize("preferring", [False, True])
@pytest.mark.parametrize("against", ["losses", "gains"])
def test_every_task_gains_and_weights_are_inverse_gains_or_the_fit_says_why(against, preferring):
    said = []
    for seed in range(40):
        X, Y, S, alphas = drawn(seed)
        p = np.linspace(0.5, 2, Y.shape[1]) if preferring else np.ones(Y.shape[1])
        p = p / p.mean()
        balancer = NashBargaining(penalty_against=against, preference=p)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            model = MultiTaskRidge(*alphas, balancer=balancer).fit(X, Y, sample_weight=S)
        if caught and "no coefficients are better than none" in str(caught[0].message):
            pulls = model.task_weights_[:, None] * squared_terms(X, Y, S)[1] / X.std(axis=0)
            assert np.abs(pulls.sum(axis=0)).max() <= 1e-7 * np.abs(pulls).max()
            assert not model.coef_.any()
        elif caught:
            said.append(seed)
        else:
            ratio, stationary, gains = residuals(model, X, Y, S, p, alphas)
            assert (gains > 0).all()
            # this measures gains from means in other order, and parts of them may cancel
            assert ratio < 100 * SOUND, seed
            assert stationary < 100 * SOUND, seed
    assert len(said) <= 2  # a handful of rows, and units that are 1e12 apart


@pytest.mark.parametrize("against", ["losses", "gains"])
@pytest.mark.parametrize("seed", range(3))
def test_no_point_of_a_grid_has_a_larger_product_of_gains(against, seed):
    X, Y = conflicting(seed, [1.0, 3.0], n=40, p=2)
    X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    A, b = squared_terms(X, Y, np.ones_like(Y))
    balancer = NashBargaining(penalty_against=against)
    model = silently(MultiTaskRidge(2.0, np.inf, balancer=balancer), X, Y)
    best = model.coef_[0]
    gains = gains_of(A, b, np.stack([best] * 2))
    # weights 1 / gain of mean M are those of mean 1 against a penalty M times as strong
    mu = 1.0 if against == "gains" else np.mean(1 / gains)

    def value(v):
        g = gains_of(A, b, np.stack([v] * 2))
        if not (g > 0).all():
            return -np.inf
        return len(X) * np.log(g).sum() - mu * 2.0 * v @ v * 1.0

    # N / T sum log gains less the penalty, with N / T = n_rows here
    steps = np.linspace(-1, 1, 41)
    for size in (2.0, 0.1, 1e-3):
        others = [value(best + size * np.array([i, j])) for i in steps for j in steps]
        assert max(others) <= value(best) + 1e-9 * abs(value(best))


@pytest.mark.parametrize("seed", range(4))
def test_a_general_optimiser_finds_the_same_bargain(seed):
    X, Y = conflicting(seed, [1.0, 0.5, 2.0], n=50, p=3)
    A, b = squared_terms(X, Y, np.ones_like(Y))
    model = silently(
        MultiTaskRidge(0.5, np.inf, balancer=NashBargaining(penalty_against="gains")), X, Y
    )

    def minus(v):
        g = gains_of(A, b, np.stack([v] * 3))
        return 0.5 * v @ v - len(X) * np.log(g).sum() if (g > 0).all() else np.inf

    start = 0.9 * model.coef_[0]  # gains are concave and 0 at the origin
    found = minimize(minus, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12})
    np.testing.assert_allclose(model.coef_[0], found.x, rtol=1e-5)  # half the digits of a value


@pytest.mark.parametrize("scales", [[1, 1, 1], [1e4, 1, 1e-4], [1e-6, 1e6, 1]])
def test_no_task_is_left_worse_than_without_features(scales):
    for seed in range(20):
        X, Y = conflicting(seed, scales)
        model = silently(MultiTaskRidge(0.1, np.inf, balancer="nash_bargaining"), X, Y)
        A, b = squared_terms(X, Y, np.ones_like(Y))
        gains = gains_of(A, b, model.coef_)
        assert (gains > 0).all()
        product = model.task_weights_ * gains
        np.testing.assert_allclose(product / product.mean(), 1, rtol=10 * SOUND)


def long_table(X, Y, scales):
    """(table, y): each task's rows and labels times a scale, which scales its loss by its square.

    Coefficients keep their meaning: w'(c x) - c y is c times what it was.
    """
    table = [np.column_stack([c * X, np.full(len(X), t)]) for t, c in enumerate(scales)]
    return np.vstack(table), np.concatenate([c * Y[:, t] for t, c in enumerate(scales)])


@pytest.mark.parametrize("alpha", [1e-6, 1.0, 1e3])
@pytest.mark.parametrize("scales", [[2.0**10, 1.0, 2.0**-10], [1e6, 1.0, 1e-6]])
def test_scaling_losses_changes_nothing_where_penalties_are_weighed_against_gains(alpha, scales):
    X, Y = conflicting(0, [1.0, 1.0, 1.0])
    balancer = NashBargaining(penalty_against="gains")
    model = MultiTaskRidge(alpha, np.inf, balancer=balancer, task_column=5, fit_intercept=False)
    plain = silently(model, *long_table(X, Y, np.ones(3))).coef_
    scaled = silently(model, *long_table(X, Y, scales)).coef_
    np.testing.assert_allclose(scaled, plain, rtol=1e-7)  # of gains to 1e-8


def test_scaling_a_loss_changes_the_bargain_where_penalties_are_weighed_against_losses():
    X, Y = conflicting(0, [1.0, 1.0, 1.0])
    model = MultiTaskRidge(
        10.0, np.inf, balancer="nash_bargaining", task_column=5, fit_intercept=False
    )
    plain = silently(model, *long_table(X, Y, np.ones(3))).coef_
    scaled = silently(model, *long_table(X, Y, [1.0, 1.0, 0.1])).coef_
    assert np.abs(scaled - plain).max() > 0.05 * np.abs(plain).max()
    # without a penalty to speak of both normalisations say the same
    model = model.set_params(alpha_shared=1e-9)
    plain = silently(model, *long_table(X, Y, np.ones(3))).coef_
    scaled = silently(model, *long_table(X, Y, [1.0, 1.0, 0.1])).coef_
    np.testing.assert_allclose(scaled, plain, rtol=1e-6)


@pytest.mark.parametrize("factor", [2.0**20, 2.0**-20, 1e6])
def test_the_unit_of_all_labels_is_that_of_the_predictions_against_losses(factor):
    X, Y = conflicting(1, [1.0, 10.0, 0.1])
    model = MultiTaskRidge(3.0, 5.0, balancer="nash_bargaining")
    plain = silently(model, X, Y).predict(X)
    np.testing.assert_allclose(silently(model, X, factor * Y).predict(X), factor * plain, rtol=1e-7)
    # against gains it is not: log gains have no unit, and the penalty has that of the coefficients
    model.set_params(balancer=NashBargaining(penalty_against="gains"))
    plain = silently(model, X, Y).predict(X)
    moved = silently(model, X, factor * Y).predict(X) / factor
    assert np.abs(moved - plain).max() > 0.01 * np.abs(plain).max()


def test_one_task_is_its_own_ridge_against_losses():
    X, Y = conflicting(2, [1.0])
    plain = MultiTaskRidge(3.0, np.inf).fit(X, Y)
    model = silently(MultiTaskRidge(3.0, np.inf, balancer="nash_bargaining"), X, Y)
    np.testing.assert_allclose(model.coef_, plain.coef_, rtol=1e-8)


def test_opposed_tasks_are_told_that_they_do_not_agree_and_with_which_weights():
    X = np.random.default_rng(0).normal(size=(30, 2))
    Y = np.column_stack([X[:, 0], -1e3 * X[:, 0], X[:, 1]])
    model = MultiTaskRidge(0.1, np.inf, fit_intercept=False, balancer="nash_bargaining")
    with pytest.warns(ConvergenceWarning, match=r"no coefficients are better .* \(tasks 0, 1\)"):
        model.fit(X, Y)
    assert not model.coef_.any()
    w = model.task_weights_
    assert w[2] == 0
    assert w[0] / w[1] == pytest.approx(1e3)
    assert w.mean() == pytest.approx(1.0)


@pytest.mark.parametrize("angle", [1e-1, 1e-2, 1e-3, 1e-5])
def test_tasks_that_all_but_oppose_each_other_still_agree(angle):
    X = np.linalg.qr(np.random.default_rng(0).normal(size=(30, 2)))[0]
    Y = np.column_stack([X[:, 0], 1e3 * (angle * X[:, 1] - X[:, 0])])
    model = MultiTaskRidge(1e-9, np.inf, fit_intercept=False, balancer="nash_bargaining")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        model.fit(X, Y)
    v = model.coef_[0]
    # orthonormal columns, D - L = (2 y'X v - v'v) / n: along x2 both gain
    gains = 2 * np.array([v[0], 1e3 * (angle * v[1] - v[0])]) - v @ v
    assert (gains > 0).all()
    # the weights cancel to angle^2 of each other: what rounding leaves of them is said
    if angle > 1e-4:
        assert not caught
    if not caught:
        bound = 1e-7 + 100 * np.finfo(float).eps / angle**2
        assert np.ptp(model.task_weights_ * gains) < bound * (model.task_weights_ * gains).mean()


def test_a_constant_task_has_nothing_to_gain_and_is_named():
    X, Y = conflicting(0, [1.0, 1.0, 1.0])
    Y[:, 1] = 4.0
    with pytest.warns(ConvergenceWarning, match=r"no task can gain .* \(task 1\)"):
        MultiTaskRidge(balancer="nash_bargaining").fit(X, Y)


def test_a_disagreement_of_ones_own_is_measured_from():
    X, Y = conflicting(0, [1.0, 1e3, 1e-3])
    D = Y.var(axis=0) * [1.0, 2.0, 4.0]
    model = silently(MultiTaskRidge(0.1, 1.0, balancer=NashBargaining(D)), X, Y)
    gains = D - np.mean((model.predict(X) - Y) ** 2, axis=0)
    product = model.task_weights_ * gains
    assert (gains > 0).all()
    np.testing.assert_allclose(product / product.mean(), 1, rtol=1e-7)


@pytest.mark.parametrize("against", ["losses", "gains"])
def test_a_disagreement_out_of_reach_is_said(against):
    X, Y = conflicting(0, [1.0, 1.0, 1.0])
    D = 0.01 * Y.var(axis=0)
    balancer = NashBargaining(D, penalty_against=against)
    with pytest.warns(ConvergenceWarning, match="every task gains over its disagreement"):
        MultiTaskRidge(0.1, np.inf, balancer=balancer).fit(X, Y)


def log_losses(model, X, Y):
    P = np.column_stack([p[:, 1] for p in model.predict_proba(X)])
    return -np.nanmean(np.where(Y == 1, np.log(P), np.where(Y == 0, np.log1p(-P), Y)), axis=0)


@pytest.mark.parametrize("against", ["losses", "gains"])
@pytest.mark.parametrize("gaps", [False, True])
def test_logistic_weights_are_inverse_gains_too(against, gaps):
    X, Y = conflicting(0, [1.0, 1.0, 1.0], n=100)
    Y = (Y > 0.5).astype(float)
    if gaps:
        Y[::7, 0] = Y[::5, 2] = np.nan
    balancer = NashBargaining(penalty_against=against)
    model = silently(MultiTaskLogisticRegression(0.1, np.inf, balancer=balancer), X, Y)
    q = np.nanmean(Y, axis=0)
    D = -q * np.log(q) - (1 - q) * np.log1p(-q)
    gains = D - log_losses(model, X, Y)
    product = model.task_weights_ * gains
    np.testing.assert_allclose(product / product.mean(), 1, rtol=1e-6)  # of differences of losses
    weights = (1 / gains) if against == "gains" else model.task_weights_
    P = np.column_stack([p[:, 1] for p in model.predict_proba(X)])
    seen = ~np.isnan(Y)
    share = weights * seen.sum() / 3 / seen.sum(axis=0)
    gradient = X.T @ (np.where(seen, P - Y, 0.0) * share)
    total = gradient.sum(axis=1) + 0.1 * model.shared_coef_
    assert np.abs(total).max() < 1e-6 * np.abs(gradient).max()


def test_long_rows_and_conjugate_gradients_find_the_same_bargain():
    X, Y = conflicting(3, [1.0, 1e3, 1e-3])
    wide = silently(MultiTaskRidge(0.1, 1.0, balancer="nash_bargaining"), X, Y)
    table, y = long_table(X, Y, np.ones(3))
    long = MultiTaskRidge(0.1, 1.0, balancer="nash_bargaining", task_column=5)
    np.testing.assert_allclose(silently(long, table, y).coef_, wide.coef_, rtol=1e-7)
    terms = SimpleNamespace(preference=np.ones(3), disagreement=None, against="losses")
    found = [bargain(objectives(X, Y, solver), terms) for solver in ("irls", "newton-cg")]
    assert not found[0].why and not found[1].why
    np.testing.assert_allclose(found[1].weights, found[0].weights, rtol=1e-7)
    np.testing.assert_allclose(found[0].weights, wide.task_weights_, rtol=1e-7)


def objectives(X, Y, solver, penalty=(0.1, 1.0)):
    data, _ = wide_data(X, Y)
    T = Y.shape[1]
    layout = UnitLayout([np.zeros(1, dtype=int)] * T, None, 1)
    problem = SmoothProblem(
        data, SquaredError(), layout, np.ones(T), fit_intercept=True, free_intercept=True
    )
    limits = {"solver": solver, "tol": 1e-8, "max_iter": 100}
    penalty = SharedSpecific(*penalty, 0.0)
    return TaskObjectives(problem, penalty, data.weight_sums, limits, unit=2.0)


def test_penalised_intercepts_may_leave_no_weights_of_mean_one_and_it_is_said():
    rng = np.random.default_rng(0)
    scales = [1.0, 1.0, 100.0, 1.0, 0.1]
    X, Y = conflicting(0, scales, n=33)
    Y = Y + rng.normal(size=5) * scales
    model = MultiTaskRidge(0.01, np.inf, alpha_intercept=1.0, balancer="nash_bargaining")
    with pytest.warns(ConvergenceWarning, match="choose penalty_against='gains'"):
        model.fit(X, Y)
    model.set_params(balancer=NashBargaining(penalty_against="gains"))
    silently(model, X, Y)
    D = MultiTaskRidge(1e12, np.inf, alpha_intercept=1.0).fit(X, Y).predict(X)
    worst = np.mean((D - Y) ** 2, axis=0)
    assert (np.mean((model.predict(X) - Y) ** 2, axis=0) < worst).all()


def test_the_shortest_combination_does_not_depend_on_the_lengths_of_the_rows():
    J = np.random.default_rng(0).normal(size=(3, 4))
    shares, length = least_combination(J)
    scaled = least_combination(J * [[1e9], [1.0], [1e-9]])
    np.testing.assert_allclose(scaled[0], shares, atol=1e-12)
    assert scaled[1] == pytest.approx(length, rel=1e-12)
    U = J / np.linalg.norm(J, axis=1, keepdims=True)
    corners = np.random.default_rng(1).dirichlet(np.ones(3), size=2000)
    assert length <= np.linalg.norm(corners @ U, axis=1).min() + 1e-12
    assert length == pytest.approx(np.linalg.norm(shares @ U))


def test_opposed_rows_have_a_combination_of_length_zero_and_nearly_opposed_ones_have_not():
    assert least_combination(np.array([[1.0, 0.0], [-1e6, 0.0]]))[1] < 1e-15
    _, length = least_combination(np.array([[1.0, 0.0], [-1.0, 1e-7]]))
    assert length == pytest.approx(0.5e-7, rel=1e-6)
    shares, length = least_combination(np.array([[1.0, 0.0], [0.0, 0.0]]))
    assert length == 0
    assert shares.tolist() == [0, 1]
