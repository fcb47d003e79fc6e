"""Rules on losses and norms, each against its definition: log losses, epochs, chance, learning."""

import numpy as np
import pytest
from scipy.stats import kstest

from skmtl import MultiTaskPerceptron, MultiTaskRidge
from skmtl.balancing import (
    DWA,
    FAMO,
    GLS,
    IMTLL,
    LDC,
    RLW,
    GradNorm,
    TaskStats,
    Uncertainty,
    balance,
)

LOSSES, P = np.array([0.1, 1.0, 30.0]), np.array([1.0, 2.0, 3.0])


class Quadratics:
    """Tasks f_t = (x - b_t)'H_t (x - b_t) / 2 + 1 that share x."""

    def __init__(self, seed=0, n_tasks=3, p=5):
        rng = np.random.default_rng(seed)
        A = rng.normal(size=(n_tasks, p, p))
        self.H = A @ A.transpose(0, 2, 1) / p + np.eye(p)
        self.b = rng.normal(size=p) + 0.5 * rng.normal(size=(n_tasks, p))
        self.start = np.zeros(p)

    def losses(self, x):
        return np.einsum("ti,tij,tj->t", x - self.b, self.H, x - self.b) / 2 + 1

    def jacobian(self, x):
        return np.einsum("tij,tj->ti", self.H, x - self.b)

    def fit(self, weights):
        """The minimiser of the weighted sum."""
        H = np.einsum("t,tij->ij", weights, self.H)
        return np.linalg.solve(H, np.einsum("t,tij,tj->i", weights, self.H, self.b))

    def refitted(self, balancer, n_steps=200):
        """(weights, x) after as many weighings, each with an exact fit."""
        x, state = self.start, balancer.init(len(self.b), np.random.RandomState(0))
        for _ in range(n_steps):
            weights, state = balancer.step(TaskStats(losses=self.losses(x)), state)
            x = self.fit(weights)
        return weights, x


def repeated(balancer, losses, n_steps, J=None, first=None):
    """The result of as many calls at the same losses, perhaps after one at others."""
    J, state = np.eye(len(losses)) if J is None else J, None
    if first is not None:
        state = balance(J, first, balancer).state
    for _ in range(n_steps):
        result = balance(J, losses, balancer, state)
        state = result.state
    return result


def differences(value, at, step=1e-6):
    """Central differences of a function of a vector."""
    steps = step * np.eye(len(at))
    return np.array([(value(at + e) - value(at - e)) / (2 * step) for e in steps])


# log losses


@pytest.mark.parametrize("p", [None, P])
def test_gls_weights_are_the_gradient_of_the_geometric_mean(p):
    exponents = np.full(3, 1 / 3) if p is None else p / p.sum()
    weights = balance(np.eye(3), LOSSES, GLS(preference=p)).weights
    expected = differences(lambda losses: np.prod(losses**exponents), LOSSES)
    np.testing.assert_allclose(weights, expected, rtol=1e-8)  # (step / loss)^2 is 1e-10


def test_a_geometric_mean_of_many_small_losses_does_not_vanish():
    losses = np.full(500, 1e-10)  # their product is 1e-5000
    weights = balance(np.ones((500, 2)), losses, "gls").weights
    np.testing.assert_allclose(weights, 1 / 500, rtol=1e-12)


def test_imtl_l_scales_all_losses_to_the_preferences():
    weights = balance(np.eye(3), LOSSES, IMTLL(preference=P)).weights
    np.testing.assert_allclose(weights * LOSSES, P / 2, rtol=1e-13)


def test_the_first_learnt_scales_are_along_the_gradient():
    # s_t = 0 - step (L_t - 1)
    state = balance(np.eye(2), [0.5, 2.0], IMTLL(0.1)).state
    np.testing.assert_allclose(state.own["log_scale"], [0.05, -0.1], rtol=1e-12)


@pytest.mark.parametrize("step_size", [0.1, 1.0, 100.0])
def test_learnt_scales_approach_their_minimum_from_one_side(step_size):
    state, path = None, []
    for _ in range(500):
        state = balance(np.eye(3), LOSSES, IMTLL(step_size), state).state
        path.append(state.own["log_scale"])
    assert (np.diff(path, axis=0) * -np.sign(np.log(LOSSES)) >= -1e-12).all()
    np.testing.assert_allclose(state.weights, 1 / LOSSES, rtol=1e-6)


def test_imtl_l_is_uncertainty_with_twice_the_weights_and_twice_the_pace():
    one, other = (
        repeated(balancer, LOSSES, 5).weights
        for balancer in (IMTLL(0.1, preference=P), Uncertainty(0.2, preference=P))
    )
    np.testing.assert_allclose(one, 2 * other, rtol=1e-13)


@pytest.mark.parametrize("make", [GLS, IMTLL, Uncertainty])
def test_weighted_fits_end_at_a_stationary_point_of_the_sum_of_log_losses(make):
    tasks = Quadratics()
    _, x = tasks.refitted(make(preference=P))
    gradient = differences(lambda x: P @ np.log(tasks.losses(x)), x)
    np.testing.assert_allclose(gradient, 0, atol=1e-8)  # rounding over the step
    _, equal = tasks.refitted(make())
    assert np.abs(x - equal).max() > 1e-3  # preferences move the point


# epochs


def test_dwa_weights_are_the_softmax_of_the_ratios_of_the_last_two_epochs():
    epochs = np.random.default_rng(0).uniform(0.5, 2.0, size=(5, 4, 3))  # epoch, step, task
    balancer, state, mean = DWA(0.5, preference=P), None, epochs.mean(axis=1)
    for k, steps in enumerate(epochs):
        for losses in steps:
            result = balance(np.eye(3), losses, balancer, state, epoch=k)
            state = result.state
            raw = P * np.exp((mean[k - 1] / mean[k - 2] if k >= 2 else np.ones(3)) / 0.5)
            np.testing.assert_allclose(result.weights, 3 * raw / raw.sum(), rtol=1e-12)


def test_without_a_number_every_call_is_an_epoch():
    losses, states = np.random.default_rng(1).uniform(0.5, 2.0, size=(5, 3)), [None, None]
    for k, row in enumerate(losses):
        given = [{}, {"epoch": 7 + k}]
        results = [
            balance(np.eye(3), row, "dwa", state, **values)
            for state, values in zip(states, given, strict=True)
        ]
        np.testing.assert_array_equal(results[0].weights, results[1].weights)
        states = [result.state for result in results]
    assert np.ptp(results[0].weights) > 0.01


def test_hot_weights_are_equal_and_cold_ones_all_with_the_slowest_task():
    J, state = np.eye(3), None
    for losses in ([1.0, 1.0, 1.0], [0.5, 0.9, 0.1]):
        state = balance(J, losses, "dwa", state).state
    hot, cold = (balance(J, LOSSES, DWA(tau), state).weights for tau in (1e9, 1e-9))
    np.testing.assert_allclose(hot, 1, atol=1e-8)
    np.testing.assert_array_equal(cold, [0, 3, 0])


def test_epochs_of_a_task_are_those_in_which_it_was_there():
    balancer, state = DWA(), DWA().init(2, np.random.RandomState(0))
    both, one = np.array([True, True]), np.array([True, False])
    seen = [
        (0, both, [1, 4]),
        (0, one, [3, 0]),
        (1, one, [1, 0]),
        (2, both, [5, 2]),
        (3, one, [1, 0]),
    ]
    for epoch, present, losses in seen:
        stats = TaskStats(losses=losses, epoch=epoch, present=present)
        _, state = balancer.step(stats, state)
    weights, _ = balancer.step(TaskStats(losses=[1.0, 1.0], epoch=4), state)
    # the means are 2, 1, 5, 1 for the first task, whose last ratio is 1/5, and 4, 2 for the other
    raw = np.exp(np.array([1 / 5, 2 / 4]) / 2)
    np.testing.assert_allclose(weights, 2 * raw / raw.sum(), rtol=1e-12)


# chance


def random_weights(n_draws, **params):
    balancer, state, found = RLW(**params), None, []
    for _ in range(n_draws):
        result = balance(np.ones((3, 1)), balancer=balancer, state=state, random_state=0)
        found.append(result.weights)
        state = result.state
    return np.array(found)


def test_random_weights_are_softmaxes_of_independent_normal_numbers():
    weights = random_weights(2000)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-12)
    ratios = np.log(weights[:, 0] / weights[:, 1]) / np.sqrt(2)
    assert kstest(ratios, "norm").pvalue > 0.01  # the seed is fixed
    assert abs(np.corrcoef(ratios[1:], ratios[:-1])[0, 1]) < 4 / np.sqrt(2000)  # standard errors
    np.testing.assert_allclose(weights.mean(axis=0), 1 / 3, atol=4 * 0.22 / np.sqrt(2000))


def test_preferences_multiply_random_weights():
    plain, preferred = random_weights(3), random_weights(3, preference=P)
    expected = P * plain / (plain @ P)[:, None]
    np.testing.assert_allclose(preferred, expected, rtol=1e-12)


def test_random_weights_depend_on_the_seed():
    one, same, other = (
        balance(np.eye(3), balancer="rlw", random_state=seed).weights for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, same)
    assert (one != other).all()


# adaptive optimisation


def published_logits(path, p, step_size, gamma):
    """Logits after each pair of losses (before, after), by the softmax's Jacobian and Adam."""
    q = m = v = np.zeros(len(p))
    for k, (before, after) in enumerate(path, start=1):
        z = p * np.exp(q) / (p @ np.exp(q))
        gradient = (np.diag(z) - np.outer(z, z)) @ np.log(before / after) + gamma * q
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        q = q - step_size * (m / (1 - 0.9**k)) / (np.sqrt(v / (1 - 0.999**k)) + 1e-8)
        yield q


def test_famo_follows_the_published_update():
    rng = np.random.default_rng(0)
    before, after = rng.uniform(0.5, 2.0, size=(2, 30, 3))
    balancer = FAMO(0.1, gamma=0.2, preference=P)
    state = balance(np.eye(3), before[0], balancer).state
    expected = published_logits(zip(before, after, strict=True), P / 2, 0.1, 0.2)
    for losses, post, q in zip(before[1:], after, expected, strict=False):
        result = balance(np.eye(3), losses, balancer, state, post_losses=post)
        state = result.state
        raw = P * np.exp(q) / losses
        np.testing.assert_allclose(result.weights, raw / raw.sum(), rtol=1e-10)


def test_losses_of_the_next_call_stand_for_those_after_the_step():
    first = balance(np.eye(3), LOSSES, "famo").state
    later = LOSSES * [0.5, 0.9, 0.7]
    given = balance(np.eye(3), later, "famo", first, post_losses=later).weights
    np.testing.assert_array_equal(balance(np.eye(3), later, "famo", first).weights, given)
    other = balance(np.eye(3), later, "famo", first, post_losses=LOSSES * [0.9, 0.5, 0.7]).weights
    assert other[0] > given[0] and other[1] < given[1]


def test_scaling_a_loss_leaves_the_logits_of_famo_alone():
    before, after = np.array([1.0, 1.1, 1.2]), np.array([0.5, 1.0, 1.1])
    for c in (np.ones(3), np.array([1e-5, 1.0, 1e5])):
        logits = repeated(FAMO(), c * after, 1, first=c * before).state.own["logits"]
        # Adam's first step has its full length; its offset of 1e-8 is felt in the sixth digit
        np.testing.assert_allclose(logits, [-0.025, 0.025, 0.025], rtol=1e-5)


def test_the_decay_forgets_what_the_logits_have_learnt():
    def spread(gamma, n_steps):
        result = repeated(FAMO(gamma=gamma), [0.5, 1.0], n_steps, first=[1.0, 1.0])
        return np.ptp(result.state.own["logits"])

    assert spread(0.1, 3000) < 1e-3 * spread(0.1, 1)
    assert spread(0.0, 3000) >= spread(0.0, 1)


def log_rates(balancer, n_steps=1000):
    """Decrease of the logarithms of the losses x_t^k_t in the last of many small steps."""
    k, x, state = np.array([1.0, 2.0, 4.0]), np.ones(3), None
    for _ in range(n_steps):
        result = balance(np.diag(k * x ** (k - 1)), x**k, balancer, state)
        before, state = x, result.state
        x = x - 1e-4 * result.direction / result.direction.max()
    return k * np.log(before / x)


def test_famo_brings_the_rates_of_all_tasks_together():
    # equal logits leave rates in proportion to k^2
    equal, learnt = log_rates(FAMO(1e-9)), log_rates(FAMO(gamma=0.0))
    assert equal.max() > 10 * equal.min()
    assert learnt.max() < 1.05 * learnt.min()


# gradient normalisation


@pytest.mark.parametrize("alpha", [0.0, 1.5])
def test_lengths_follow_the_training_rates_at_the_end_of_a_descent(alpha):
    tasks, balancer, state = Quadratics(), GradNorm(alpha), None
    x = tasks.start
    for _ in range(2000):
        result = balance(tasks.jacobian(x), tasks.losses(x), balancer, state)
        assert result.weights.sum() == pytest.approx(3, rel=1e-12)
        x, state = x - 0.02 * result.direction, result.state
    lengths = result.weights * np.linalg.norm(tasks.jacobian(x), axis=1)
    rates = (tasks.losses(x) / tasks.losses(tasks.start)) ** alpha  # ones for alpha = 0
    np.testing.assert_allclose(lengths / lengths.sum(), rates / rates.sum(), rtol=1e-9)
    assert np.linalg.norm(result.direction) < 1e-9 * lengths.sum()


@pytest.mark.parametrize("alpha", [0.0, 1.5])
@pytest.mark.parametrize("step_size", [0.025, 1.0, None])
def test_lengths_settle_in_proportion_to_powers_of_the_training_rates(alpha, step_size):
    norms, rates = np.array([1.0, 5.0, 0.2]), np.array([0.9, 0.5, 0.1])
    balancer = GradNorm(alpha, step_size=step_size, preference=P)
    result = repeated(balancer, rates * LOSSES, 1000, J=np.diag(norms), first=LOSSES)
    lengths = result.weights * norms
    np.testing.assert_allclose(
        lengths / lengths.sum(), P * rates**alpha / (P @ rates**alpha), rtol=1e-10
    )
    once = repeated(balancer, rates * LOSSES, 1, J=np.diag(norms), first=LOSSES)
    assert np.allclose(once.weights, result.weights) == (step_size is None)


def test_the_first_step_descends_the_distance_of_the_lengths_from_their_targets():
    norms, step = np.array([1.0, 5.0, 0.2]), 1e-3
    mean = norms.mean()
    slope = differences(lambda s: np.abs(np.exp(s) * norms - mean).sum() / mean, np.zeros(3))
    weights = balance(np.diag(norms), LOSSES, GradNorm(step_size=step)).weights
    moved = np.exp(-step * slope)
    np.testing.assert_allclose(weights, 3 * moved / moved.sum(), rtol=1e-9)


def test_weights_of_gradients_of_any_scale_are_learnt():
    norms = np.array([1e-60, 1.0, 1e60])
    weights = repeated(GradNorm(0.0, step_size=1.0), np.ones(3), 1000, J=np.diag(norms)).weights
    np.testing.assert_allclose(weights * norms, weights[0] * norms[0], rtol=1e-10)
    assert weights.sum() == pytest.approx(3)


# loss discrepancy


def discrepancy(router, ratios, p):
    """sum_t p_t |s_t l_t / p_t - m| from its definition."""
    shares = p * np.exp(router) / (p @ np.exp(router))
    return p @ np.abs(shares * ratios / p - np.mean(shares * ratios))


@pytest.mark.parametrize("p", [np.ones(3), P / 2])
def test_ldc_weights_are_the_gradient_of_the_shared_loss_and_the_discrepancy(p):
    balancer = LDC(0.3, preference=p)
    first, later = LOSSES, LOSSES * [0.5, 0.8, 0.3]
    state = repeated(balancer, later, 3, first=first).state
    router = state.own["router"]
    shares = p * np.exp(router) / (p @ np.exp(router))

    def value(losses):
        ratios = losses / first
        return 3 * (shares @ ratios + 0.3 * discrepancy(router, ratios, p))

    weights = balance(np.eye(3), later, balancer, state).weights
    np.testing.assert_allclose(weights, differences(value, later), rtol=1e-7)


@pytest.mark.parametrize("p", [np.ones(3), P / 2])
def test_the_router_descends_the_discrepancy_in_units_of_the_mean(p):
    ratios, step = np.array([0.6, 0.8, 0.3]), 1e-3  # none at the mean, where there is a kink
    state = balance(np.eye(3), LOSSES, LDC(step_size=step, preference=p)).state
    after = balance(np.eye(3), LOSSES * ratios, LDC(step_size=step, preference=p), state).state
    m = p @ ratios / p.sum() / 3  # shares are p / 3
    slope = differences(lambda router: discrepancy(router, ratios, p), np.zeros(3)) / m
    np.testing.assert_allclose(after.own["router"], -step * slope, rtol=1e-7)


@pytest.mark.parametrize("step_size", [0.1, 100.0])
def test_the_router_settles_where_all_weighted_losses_are_equal(step_size):
    ratios = np.array([0.5, 0.8, 0.001])
    balancer = LDC(step_size=step_size, preference=P)
    result = repeated(balancer, LOSSES * ratios, 1000, first=LOSSES)
    shares = P / ratios / (P / ratios).sum()
    np.testing.assert_allclose(result.weights, 3 * shares / LOSSES, rtol=1e-9)


def test_for_two_tasks_the_discrepancy_is_that_of_neighbours():
    router, ratios = np.array([0.3, -0.2]), np.array([0.5, 0.8])
    shares = np.exp(router) / np.exp(router).sum()
    neighbours = abs(shares[0] * ratios[0] - shares[1] * ratios[1])
    assert discrepancy(router, ratios, np.ones(2)) == pytest.approx(neighbours)


def test_the_first_ldc_weights_bring_all_losses_to_one():
    weights = balance(np.eye(3), LOSSES, LDC(preference=P)).weights
    np.testing.assert_allclose(weights * LOSSES, P / 2, rtol=1e-12)


def test_no_penalty_makes_a_weight_negative():
    for penalty in (0.0, 0.5):
        weights = repeated(LDC(penalty), [1.0, 0.2, 0.3], 1, first=np.ones(3)).weights
        assert (weights > 0).all()


# in models


def regression(conflict=0.5, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(80, 4))
    W = rng.normal(size=4) + conflict * rng.normal(size=(3, 4))
    return X, X @ W.T + rng.normal(size=(80, 3)) * [0.2, 1.0, 0.5]


def ridge(balancer, **params):
    return MultiTaskRidge(alpha_specific=np.inf, balancer=balancer, **params)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("balancer", ["gls", "imtl_l", IMTLL(0.5), FAMO(gamma=0.1)], ids=repr)
def test_linear_models_settle_where_log_losses_are_stationary(balancer):
    X, Y = regression(conflict=0.2)
    found, expected = (ridge(b).fit(X, Y) for b in (balancer, "uncertainty"))
    # each stops when the weights change by less than 1e-5 in a step, FAMO after smaller ones
    np.testing.assert_allclose(found.task_weights_, expected.task_weights_, atol=2e-3)
    assert np.ptp(found.task_weights_) > 0.5


@pytest.mark.filterwarnings("error")
def test_dwa_leaves_linear_models_at_equal_weights():
    X, Y = regression()
    for p in (None, P):
        model = ridge(DWA(preference=p)).fit(X, Y)
        np.testing.assert_allclose(model.task_weights_, np.ones(3) if p is None else P / 2)


@pytest.mark.filterwarnings("error")
def test_gradnorm_ends_where_unit_gradients_cancel():
    X, Y = regression(conflict=1.0)
    X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    model = ridge(GradNorm(0.0), alpha_shared=1e-8, fit_intercept=False).fit(X, Y)
    J = (X @ model.coef_[0] - Y.T) @ X
    units = J / np.linalg.norm(J, axis=1)[:, None]
    assert np.linalg.norm(units.sum(axis=0)) < 1e-3  # the descent stops at 1e-6 of the first


@pytest.mark.parametrize("balancer", ["rlw", "ldc"])
def test_linear_models_refuse_what_never_rests(balancer):
    with pytest.raises(ValueError, match=f"'{balancer}' leads to no fixed weights"):
        ridge(balancer).fit(*regression())


@pytest.mark.filterwarnings("ignore:training stopped")
@pytest.mark.parametrize("make", [GLS, IMTLL, DWA, RLW, FAMO, LDC, GradNorm])
def test_perceptrons_train_under_every_rule_and_repeat_themselves(make):
    X, Y = regression()
    Y[:20, 1] = np.nan
    one, same = (
        MultiTaskPerceptron((8,), balancer=make(), max_iter=20, tol=0, random_state=0).fit(X, Y)
        for _ in range(2)
    )
    np.testing.assert_array_equal(one.task_weights_path_, same.task_weights_path_)
    assert np.isfinite(one.task_weights_path_).all() and (one.task_weights_path_ >= 0).all()
    assert np.ptp(one.task_weights_path_[-1]) > 1e-6
    assert one.loss_curve_[-1].sum() < one.loss_curve_[0].sum()
