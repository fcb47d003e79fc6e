"""Linear models under a balancer: fixed points by their definitions, descent, and bad input."""

import warnings

import numpy as np
import pytest
from _properties import assert_close
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skmtl import MultiTaskLogisticRegression, MultiTaskRidge
from skmtl.balancing import (
    BALANCERS,
    IMTLG,
    MGDA,
    STCH,
    AlignedMTL,
    ConFIG,
    DiBS,
    ExcessRisk,
    GroupDRO,
    NashBargaining,
    balance,
)
from skmtl.balancing._balancer import Answer, Balancer
from skmtl.model_selection import trace_pareto_front

FIXED = ("dibs", "excess_risk", "nash_bargaining", "stch", "uncertainty", "equal")
SETTLING = [name for name, b in BALANCERS.items() if b.settles and not b.owns_direction]
ONE_VECTOR = {"alpha_shared": 1e-8, "alpha_specific": np.inf, "alpha_intercept": np.inf}


def regression(n=80, p=4, n_tasks=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    W = rng.normal(size=p) + 0.5 * rng.normal(size=(n_tasks, p))
    return X, X @ W.T + 3.0 + 0.2 * rng.normal(size=(n, n_tasks))


def classification(**options):
    X, Y = regression(**options)
    rng = np.random.default_rng(9)
    return X, (Y - 3 + rng.logistic(size=Y.shape) > 0).astype(float)


def models(balancer, **params):
    """(model, X, Y) of both losses."""
    yield MultiTaskRidge(balancer=balancer, **params), *regression()
    yield MultiTaskLogisticRegression(balancer=balancer, **params), *classification()


def quietly(model, X, Y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, Y)


@pytest.mark.parametrize("params", [{}, ONE_VECTOR, {"alpha_intercept": 2.0}])
def test_equal_weights_are_the_plain_model_where_tasks_have_as_many_labels(params):
    for model, X, Y in models("equal", **params):
        plain = clone(model).set_params(balancer=None).fit(X, Y)
        model.fit(X, Y)
        # the inner problems are solved to 1e-8, then polished
        assert_close(model.coef_, plain.coef_, rtol=1e-8)
        assert_close(model.intercept_, plain.intercept_, rtol=1e-8)
        np.testing.assert_array_equal(model.task_weights_, np.ones(3))


def test_a_fit_with_the_weights_found_is_the_fit_under_the_balancer():
    X, Y = regression()
    model = MultiTaskRidge(balancer="uncertainty", alpha_intercept=np.inf).fit(X, Y)
    again = MultiTaskRidge(task_weight=model.task_weights_, alpha_intercept=np.inf).fit(X, Y)
    # the mean of X, about which intercepts are equal, is that of equal weights: the same here
    assert_close(model.coef_, again.coef_, rtol=1e-7)


def mean_squares(model, X, Y):
    return np.mean((model.predict(X) - Y) ** 2, axis=0)


def test_uncertainty_weights_are_inverse_losses():
    X, Y = regression()
    model = MultiTaskRidge(balancer="uncertainty", **ONE_VECTOR).fit(X, Y)
    product = model.task_weights_ * mean_squares(model, X, Y)
    assert_close(product / product.mean(), np.ones(3), rtol=1e-5)  # a fit settles at 1e-6


def test_nash_bargaining_weights_are_inverse_gains_over_the_mean_label():
    X, Y = regression()
    model = MultiTaskRidge(balancer="nash_bargaining", **ONE_VECTOR).fit(X, Y)
    D = np.mean((Y - Y.mean()) ** 2, axis=0)  # one intercept
    product = model.task_weights_ * (D - mean_squares(model, X, Y))
    assert (product > 0).all()
    assert_close(product / product.mean(), np.ones(3), rtol=1e-7)  # 1e-8 of gains
    given = NashBargaining(disagreement=4 * Y.var(axis=0))
    model = MultiTaskRidge(balancer=given, **ONE_VECTOR).fit(X, Y)
    product = model.task_weights_ * (4 * Y.var(axis=0) - mean_squares(model, X, Y))
    assert_close(product / product.mean(), np.ones(3), rtol=1e-7)


def test_a_bargain_is_found_where_equal_weights_leave_a_task_worse_off():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 4))
    Y = X @ rng.normal(size=(4, 3)) + rng.normal(size=(100, 3)) * [0.5, 1, 2]
    equal = MultiTaskRidge(**ONE_VECTOR).fit(X, Y)
    assert (mean_squares(equal, X, Y) > Y.var(axis=0)).any()
    model = MultiTaskRidge(balancer="nash_bargaining", alpha_shared=1e-8, alpha_specific=np.inf)
    gains = Y.var(axis=0) - mean_squares(model.fit(X, Y), X, Y)
    assert (gains > 0).all()

    def minus_log_gains(w):
        errors = (Y - Y.mean(axis=0)) - ((X - X.mean(axis=0)) @ w)[:, None]
        g = Y.var(axis=0) - np.mean(errors**2, axis=0)
        return -np.log(g).sum() if (g > 0).all() else np.inf

    best = minimize(minus_log_gains, model.coef_[0], method="Nelder-Mead")
    assert -np.log(gains).sum() <= best.fun + 1e-6


def one_vector_for_noisy_tasks(seed, scales):
    """(X, Y) of tasks that conflict, one of them mostly noise, in units of their own."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 5))
    W = rng.normal(size=5) + 0.8 * rng.normal(size=(3, 5))
    return X, (X @ W.T + rng.normal(size=(60, 3)) * [0.3, 1, 3]) * scales


@pytest.mark.parametrize("strategy", [IMTLG, ConFIG, AlignedMTL])
def test_a_negative_weight_does_not_reward_what_its_task_loses(strategy):
    X, Y = one_vector_for_noisy_tasks(0, 1.0)
    balancer = strategy(preference=[1, 2, 3])
    model = quietly(MultiTaskRidge(0.1, np.inf, balancer=balancer), X, Y)
    # rewarded for it, the descent left a task between 8 and 10000 times worse off
    assert (mean_squares(model, X, Y) < Y.var(axis=0)).all()


class Against(Balancer):
    """Weights 1 and -3."""

    def weigh(self, stats, p, own):
        return Answer(np.array([1.0, -3.0]), own)


def test_weights_whose_negative_ones_outweigh_the_others_keep_their_signs():
    X, Y = regression(n_tasks=2)
    model = quietly(MultiTaskRidge(balancer=Against(), **ONE_VECTOR), X, Y)
    assert_close(model.task_weights_, [0.5, -1.5])


def test_a_descent_says_why_it_ended():
    X, Y = regression(n_tasks=2)
    # against f_1 - 3 f_2, which has no minimum, f_1 alone does not fall for good
    with pytest.warns(ConvergenceWarning, match="(goes on in|none along) its direction"):
        MultiTaskRidge(balancer=Against(), **ONE_VECTOR).fit(X, Y)


def more_tasks_than_coefficients(seed, *, n_tasks=3, p=2):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(40, p))
    return X, X @ rng.normal(size=(n_tasks, p)).T + rng.normal(size=(40, n_tasks))


@pytest.mark.parametrize("name", ["imtl_g", "config"])
def test_equal_cosines_to_more_gradients_than_coefficients_are_refused(name):
    X, Y = more_tasks_than_coefficients(0)
    model = MultiTaskRidge(balancer=name, fit_intercept=False, **ONE_VECTOR)
    with pytest.raises(ValueError, match="none exists for the gradients of 3 tasks in 2 coeff"):
        model.fit(X, Y)
    # a copy of a task asks for nothing more
    twice = quietly(model, X, Y[:, [0, 1, 1]])
    assert np.isfinite(twice.coef_).all()


@pytest.mark.parametrize("scale", ["min", "median", "mean"])
@pytest.mark.parametrize("seed", range(3))
def test_aligned_gradients_of_more_tasks_than_coefficients_lead_to_the_sum(scale, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 2))
    Y = X @ rng.normal(size=(2, 4)) + rng.normal(size=(60, 4))
    params = {"fit_intercept": False, **ONE_VECTOR}
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)  # steps that swing do not end
        model = MultiTaskRidge(balancer=AlignedMTL(scale), **params).fit(X, Y)
    plain = MultiTaskRidge(**params).fit(X, Y)
    # descent ends at 1e-6 of the first direction
    assert_close(model.coef_, plain.coef_, rtol=1e-4)


@pytest.mark.parametrize("mu", [1.0, 0.1, 0.03])
def test_small_mu_settles(mu):
    X, Y = regression()
    model = MultiTaskRidge(balancer=STCH(mu=mu), **ONE_VECTOR).fit(X, Y)
    losses = mean_squares(model, X, Y)
    softmax = np.exp((losses - losses.max()) / mu)
    assert_close(model.task_weights_, 3 * softmax / softmax.sum(), rtol=1e-3)


def test_stch_weights_are_the_softmax_of_the_losses():
    X, Y = regression()
    model = MultiTaskRidge(balancer=STCH(mu=2.0), **ONE_VECTOR).fit(X, Y)
    softmax = np.exp(mean_squares(model, X, Y) / 2.0)
    assert_close(model.task_weights_, 3 * softmax / softmax.sum(), rtol=1e-5)


def test_excess_risk_equalises_the_relative_excess_of_the_tasks_with_weight():
    X, Y = regression()
    X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    model = MultiTaskRidge(balancer="excess_risk", fit_intercept=False, **ONE_VECTOR).fit(X, Y)
    best = np.mean((X @ np.linalg.lstsq(X, Y, rcond=None)[0] - Y) ** 2, axis=0)
    relative = (mean_squares(model, X, Y) - best) / (np.mean(Y**2, axis=0) - best)
    active = model.task_weights_ > 1e-3
    # the duality gap is below 1e-6 of the largest, and that of a task its share over its weight
    assert_close(relative[active], np.full(active.sum(), relative.max()), rtol=1e-3)
    # no other coefficients have a smaller maximum: brute force around them
    rng = np.random.default_rng(0)
    for step in rng.normal(size=(200, 4)) * np.repeat([0.3, 0.03, 0.003, 0.1], 50)[:, None]:
        losses = np.mean(((X @ (model.coef_[0] + step))[:, None] - Y) ** 2, axis=0)
        assert ((losses - best) / (np.mean(Y**2, axis=0) - best)).max() >= relative.max() - 1e-6


def test_exact_dibs_weighs_unit_gradients_by_the_distances_to_the_own_optima():
    X, Y = regression()
    X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    model = MultiTaskRidge(balancer="dibs", fit_intercept=False, **ONE_VECTOR).fit(X, Y)
    w = model.coef_[0]
    optima = np.linalg.lstsq(X, Y, rcond=None)[0].T
    gradients = (X.T @ (X @ w[:, None] - Y)).T
    units = gradients / np.linalg.norm(gradients, axis=1, keepdims=True)
    distances = np.linalg.norm(w - optima, axis=1)
    # sum of distance times unit gradient vanishes at the fixed point, settled at 1e-6
    assert np.abs(distances @ units).max() < 1e-5 * distances.sum()


def test_isotropic_hessians_bring_dibs_to_the_centroid_of_the_own_optima():
    rng = np.random.default_rng(1)
    X = np.linalg.qr(rng.normal(size=(40, 4)))[0] * np.sqrt(40)
    Y = X @ rng.normal(size=(4, 3))
    model = MultiTaskRidge(balancer="dibs", fit_intercept=False, **ONE_VECTOR).fit(X, Y)
    optima = np.linalg.lstsq(X, Y, rcond=None)[0].T
    assert_close(model.coef_[0], optima.mean(axis=0), rtol=1e-4)


@pytest.mark.parametrize(
    "name", ["cagrad", "dualproj", "fairgrad", "gradnorm", "mgda", "nash", "task_tension", "upgrad"]
)
def test_descent_stops_at_a_pareto_stationary_point(name):
    X, Y = regression()
    X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    model = quietly(MultiTaskRidge(balancer=name, fit_intercept=False, **ONE_VECTOR), X, Y)
    gradients = (X.T @ (X @ model.coef_[0][:, None] - Y)).T / len(X)
    least = balance(gradients, balancer="mgda").direction
    at_zero = balance((X.T @ -Y).T / len(X), balancer="mgda").direction
    # the shortest combination of gradients has all but vanished
    assert np.linalg.norm(least) < 1e-3 * np.linalg.norm(at_zero)


def test_label_noise_draws_group_dro_and_not_excess_risk():
    weights = {"group_dro": [], "excess_risk": []}
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(200, 5))
        W = rng.normal(size=5) + 0.5 * rng.normal(size=(4, 5))
        Y = X @ W.T + rng.normal(size=(200, 4)) * [0.1, 0.1, 0.1, 5.0]
        for name, found in weights.items():
            model = quietly(MultiTaskRidge(balancer=name, **ONE_VECTOR), X, Y)
            found.append(model.task_weights_[3])
    assert np.mean(weights["group_dro"]) > 3.5
    assert np.mean(weights["excess_risk"]) <= 1.5


@pytest.mark.parametrize("name", SETTLING)
def test_every_balancer_that_settles_works_for_both_losses_and_says_its_weights(name):
    for model, X, Y in models(name):
        Y = Y.copy()
        Y[:30, 1] = np.nan
        quietly(model, X, Y)
        assert np.isfinite(model.coef_).all()
        assert model.task_weights_.mean() == pytest.approx(1.0)
        if "nonnegative" in BALANCERS[name]().promises:
            assert (model.task_weights_ >= 0).all()
        assert model.n_iter_ >= 1


@pytest.mark.parametrize("name", [n for n in SETTLING if n not in ("famo", "group_dro")])  # creep
def test_every_balancer_that_settles_does_so_where_tasks_share_one_vector(name):
    for model, X, Y in models(name, **ONE_VECTOR):
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            assert model.fit(X, Y).n_iter_ < 1000


@pytest.mark.parametrize("name", sorted(BALANCERS.keys() - set(SETTLING)))
def test_balancers_without_fixed_weights_are_refused(name):
    for model, X, Y in models(name):
        with pytest.raises(ValueError, match=f"balancer='{name}' leads to no fixed weights"):
            model.fit(X, Y)


def test_long_data_equal_wide_data_under_a_balancer():
    X, Y = regression()
    rows = np.arange(len(X)) % 3
    Y = np.where(np.arange(3) == rows[:, None], Y, np.nan)
    wide = MultiTaskRidge(balancer="nash_bargaining", alpha_intercept=1.0).fit(X, Y)
    table, y = np.column_stack([X, rows]), Y[np.arange(len(X)), rows]
    long = MultiTaskRidge(balancer="nash_bargaining", alpha_intercept=1.0, task_column=4)
    assert_close(long.fit(table, y).coef_, wide.coef_, rtol=1e-7)
    assert_close(long.task_weights_, wide.task_weights_, rtol=1e-7)


def test_preferences_of_unlabelled_tasks_are_passed_over():
    X, Y = regression()
    empty = np.column_stack([Y, np.full(len(X), np.nan)])
    with pytest.warns(UserWarning, match="no label"):
        model = MultiTaskRidge(balancer=STCH(preference=[1, 2, 3, 4])).fit(X, empty)
    same = MultiTaskRidge(balancer=STCH(preference=[1, 2, 3])).fit(X, Y)
    assert_close(model.coef_[:3], same.coef_)
    assert model.task_weights_[3] == 0


def test_a_task_with_few_labels_is_measured_from_its_leave_one_out_risk():
    for model, X, Y in models("excess_risk"):
        Y = Y.copy()
        Y[4:, 2] = np.nan
        Y[:4, 2] = [1.0, 0.0, 1.0, 0.0]
        with pytest.warns(UserWarning, match="task 2 has no more labels than coefficients"):
            model.fit(X, Y)
        assert np.isfinite(model.coef_).all()


@pytest.mark.parametrize(
    "name, warning", [("group_dro", ConvergenceWarning), ("excess_risk", UserWarning)]
)
def test_warnings_point_at_the_line_that_asked_for_the_fit(name, warning):
    X, Y = regression(n=5 if name == "excess_risk" else 80)
    model = MultiTaskRidge(balancer=name)
    with pytest.warns(warning) as direct:
        model.fit(X, Y)
    with pytest.warns(warning) as nested:
        trace_pareto_front(model, [[1, 2, 3]], X, Y)
    assert {w.filename for w in [*direct, *nested]} == {__file__}


def test_the_balancer_is_not_changed():
    X, Y = regression()
    balancer = GroupDRO(step_size=0.1)
    before = balancer.get_params()
    quietly(MultiTaskRidge(balancer=balancer), X, Y)
    assert balancer.get_params() == before


@pytest.mark.parametrize("model", [MultiTaskRidge(), MultiTaskLogisticRegression()])
@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"balancer": "loudest"}, ValueError, "balancer must be one of .*'loudest'"),
        ({"balancer": 3}, TypeError, "balancer must be .*3"),
        ({"balancer": "mgda", "task_weight": "balanced"}, ValueError, "task_weight='balanced' and"),
        ({"balancer": MGDA(preference=[1.0, 2.0])}, ValueError, r"preference .*3 tasks.*\(2,\)"),
        ({"balancer": DiBS(mode="sideways")}, ValueError, "mode .*sideways"),
        ({"balancer": ExcessRisk(step_size=-1)}, ValueError, "step_size .*-1"),
    ],
)
def test_bad_balancers_are_refused(model, params, error, message):
    X, Y = classification()
    with pytest.raises(error, match=message):
        clone(model).set_params(**params).fit(X, Y)


def test_streams_take_no_balancer():
    X, Y = regression()
    with pytest.raises(ValueError, match="partial_fit takes no balancer"):
        MultiTaskRidge(balancer="equal").partial_fit(X, Y)


@pytest.mark.parametrize("name", ["nash_bargaining", "excess_risk", "mgda", "upgrad"])
def test_equal_labels_are_constant_whatever_their_mean_is_rounded_to(name):
    X, Y = regression(n_tasks=2)
    answers = []
    for level in (3.0, 3.3, 0.1):  # sums of forty 3.3 are not forty times 3.3
        table = np.c_[np.full(len(X), level), Y]
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            model = MultiTaskRidge(0.1, np.inf, balancer=name).fit(X, table)
        answers.append((model.predict(X)[:, 1:], len(caught)))
    for predictions, warned in answers[1:]:
        assert_close(predictions, answers[0][0], rtol=1e-6)
        assert warned == answers[0][1]


@pytest.mark.parametrize("name", ["uncertainty", "gls", "imtl_l"])
@pytest.mark.parametrize("alpha_intercept", [0.0, np.inf])
def test_a_loss_that_vanishes_is_named_where_weights_divide_by_it(name, alpha_intercept):
    X, Y = regression(n_tasks=3)
    Y[1:, 2] = np.nan  # its one label can be met exactly
    model = MultiTaskRidge(0.1, np.inf, alpha_intercept=alpha_intercept, balancer=name)
    with pytest.warns(ConvergenceWarning, match=r"losses that vanish .* \(task 2\)"):
        model.fit(X, Y)
    quietly(model, X, Y[:, :2])


@pytest.mark.parametrize("name", ["dibs", "stch"])
def test_losses_may_vanish_where_weights_do_not_divide_by_them(name):
    X, _ = regression(n_tasks=1)
    z = X @ np.arange(1.0, X.shape[1] + 1)
    quietly(MultiTaskRidge(1e-12, np.inf, balancer=name), X, np.c_[z, z + 1, z - 1])
