"""Methods on losses, each against its definition: excess risk, group DRO, bargains, maxima."""

import numpy as np
import pytest
from scipy.optimize import minimize

from skmtl.balancing import (
    STCH,
    Equal,
    ExcessRisk,
    GroupDRO,
    NashBargaining,
    TaskStats,
    Uncertainty,
    balance,
)

RNG = np.random.RandomState(0)


class LabelNoise:
    """Four least-squares tasks that share x, near to each other; labels of the first are noise.

    Quadratics f_t = k_t - c_t'x + x'H_t x / 2 with the noise 5 in the first task and .1 elsewhere.
    """

    def __init__(self, seed, n=500, p=10):
        rng = np.random.default_rng(seed)
        W = rng.normal(size=p) + 0.5 * rng.normal(size=(4, p))
        X, noise = rng.normal(size=(4, n, p)), np.array([5, 0.1, 0.1, 0.1])
        y = np.einsum("tnp,tp->tn", X, W) + noise[:, None] * rng.normal(size=(4, n))
        self.H = np.einsum("tni,tnj->tij", X, X) / n
        self.c = np.einsum("tni,tn->ti", X, y) / n
        self.k = (y**2).mean(axis=1) / 2
        optima = np.linalg.solve(self.H, self.c[:, :, None])[:, :, 0]
        self.best = np.array([self.losses(x)[t] for t, x in enumerate(optima)])
        self.optima = optima

    def losses(self, x):
        return self.k - self.c @ x + np.einsum("i,tij,j->t", x, self.H, x) / 2

    def excess(self, x):
        return self.losses(x) - self.best

    def fit(self, weights):
        """The minimiser of the weighted sum."""
        H = np.einsum("t,tij->ij", weights, self.H)
        return np.linalg.solve(H, weights @ self.c)

    def train(self, balancer, n_steps=300, **given):
        """(weights, x) after as many weighings, each with an exact fit."""
        x, state = np.zeros(self.c.shape[1]), balancer.init(4, RNG)
        for _ in range(n_steps):
            stats = TaskStats(losses=self.losses(x), excess=self.excess(x), **given)
            weights, state = balancer.step(stats, state)
            x = self.fit(weights)
        return weights, x


# excess risk


def test_a_task_of_label_noise_takes_all_the_weight_of_group_dro_and_little_of_excess_risk():
    tasks = [LabelNoise(seed) for seed in range(10)]
    dro = np.array([task.train(GroupDRO())[0] for task in tasks])
    excess = np.array([task.train(ExcessRisk())[0] for task in tasks])
    np.testing.assert_allclose(excess.sum(axis=1), 4)
    assert dro[:, 0].min() > 3.9
    assert excess[:, 0].mean() <= 1.5


def test_at_the_minimax_active_tasks_have_equal_relative_excess():
    task = LabelNoise(0)
    weights, x = task.train(ExcessRisk(step_size=0.3), n_steps=2000)
    relative = task.excess(x) / task.excess(np.zeros(10))
    active = weights > 1e-3
    assert active.sum() > 1
    np.testing.assert_allclose(relative[active], relative.max(), rtol=1e-3)
    for seed in range(20):  # no other weights have a smaller largest relative excess
        other = np.random.default_rng(seed).dirichlet(np.ones(4))
        worst = (task.excess(task.fit(other)) / task.excess(np.zeros(10))).max()
        assert worst > relative.max() * (1 - 1e-6)


def published_weights(gradients, step_size):
    """The published program, in plain exponentials: yields the weights after each Jacobian."""
    total, weights, baseline = 0.0, np.ones(len(gradients[0])), None
    for g in gradients:
        total = total + g**2
        e = (g**2 / np.sqrt(total + 1e-7)).sum(axis=1)
        if baseline is None:
            baseline = e
        else:
            weights = weights * np.exp(step_size * e / baseline)
            weights = weights / weights.sum() * len(weights)
        yield weights


def shrinking_gradients(n_steps=30):
    """Tasks that converge at different rates."""
    rng = np.random.default_rng(3)
    G = rng.normal(size=(3, 5))
    rates = np.array([0.05, 0.3, 0.6])[:, None]
    return [G * np.exp(-rates * k) for k in range(n_steps)]


@pytest.mark.parametrize("step_size", [1e-2, 1.0])
def test_the_published_update_is_reproduced(step_size):
    balancer, state = ExcessRisk(step_size=step_size, compat="official"), None
    gradients = shrinking_gradients()
    for g, expected in zip(gradients, published_weights(gradients, step_size), strict=True):
        result = balance(g, balancer=balancer, state=state)
        state = result.state
        np.testing.assert_allclose(result.weights, expected, rtol=1e-11)
    assert result.weights[0] > result.weights[1] > result.weights[2]  # slow tasks gain


def test_golden_weights_of_the_published_update():
    # by hand: e = (1, 2), then g = (.5, 2): e = (.25/sqrt(1.25), 4/sqrt(8)), relative to the first
    balancer = ExcessRisk(compat="official")
    first = balance([[1.0], [2.0]], balancer=balancer)
    second = balance([[0.5], [2.0]], balancer=balancer, state=first.state)
    np.testing.assert_array_equal(first.weights, [1, 1])
    # 2 / (1 + exp(.70711 - .22361)), without the 1e-7
    np.testing.assert_allclose(second.weights, [0.762852, 1.237148], atol=1e-6)


def test_scaling_a_loss_leaves_the_diagonal_estimate_alone():
    c, states = np.array([1e-5, 1.0, 1e5])[:, None], [None, None]
    for g in shrinking_gradients():
        results = [
            balance(scale * g, balancer="excess_risk", state=state)
            for scale, state in zip((1.0, c), states, strict=True)
        ]
        states = [result.state for result in results]
        np.testing.assert_allclose(results[1].weights, results[0].weights, rtol=1e-9)


def test_the_first_estimate_is_the_sum_of_absolute_gradients():
    g = np.array([[3.0, -1.0, 0.0], [0.5, 0.5, 0.5]])
    state = balance(g, balancer="excess_risk").state
    np.testing.assert_allclose(state.own["baseline"], [4.0, 1.5])


def test_true_excess_is_used_where_it_is_given():
    task, x = LabelNoise(0), np.ones(10)
    J = np.einsum("tij,j->ti", task.H, x) - task.c
    for g in range(4):  # half g'H^-1 g is the excess of a quadratic
        half = J[g] @ np.linalg.solve(task.H[g], J[g]) / 2
        assert half == pytest.approx(task.excess(x)[g], rel=1e-10)
    given = {"losses": task.losses(x), "excess": task.excess(x)}
    auto = balance(J, balancer="excess_risk", **given).state
    exact = balance(J, balancer=ExcessRisk("exact"), **given).state
    diag = balance(J, balancer=ExcessRisk("diag"), **given).state
    np.testing.assert_array_equal(auto.own["baseline"], exact.own["baseline"])
    np.testing.assert_array_equal(exact.own["baseline"], given["excess"])
    assert "squares" in diag.own and "squares" not in exact.own


def test_a_task_that_starts_at_its_optimum_gets_its_baseline_later():
    balancer, state = ExcessRisk("exact"), None
    for excess in ([0.0, 1.0], [0.5, 1.0], [1.0, 1.0]):
        result = balance(np.eye(2), balancer=balancer, excess=excess, state=state)
        state = result.state
    np.testing.assert_array_equal(state.own["baseline"], [0.5, 1.0])
    assert result.weights[0] > result.weights[1]


def test_an_absolute_excess_is_weighed_in_its_own_units():
    balancer = ExcessRisk("exact", relative=False, step_size=0.5)
    state = balance(np.eye(2), balancer=balancer, excess=[1.0, 1.0]).state
    weights = balance(np.eye(2), balancer=balancer, excess=[1.0, 3.0], state=state).weights
    np.testing.assert_allclose(weights, 2 / (1 + np.exp([1.0, -1.0])), rtol=1e-12)


def test_scales_make_the_first_excesses_alike():
    first = np.array([4.0, 0.5, 0.0])
    p = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(ExcessRisk().scales(first) * first, [1, 1, 0])
    np.testing.assert_allclose(ExcessRisk(preference=p).scales(first) * first, [0.5, 1, 0])
    np.testing.assert_allclose(ExcessRisk(relative=False).scales(first), 1)


# group DRO


def test_group_dro_multiplies_by_exponentials_of_the_losses():
    losses, state = np.array([[1.0, 2.0, 4.0], [3.0, 1.0, 0.0]]), None
    for row in losses:
        result = balance(np.eye(3), row, GroupDRO(0.5), state)
        state = result.state
    expected = np.exp(0.5 * losses.sum(axis=0))
    np.testing.assert_allclose(result.weights, 3 * expected / expected.sum(), rtol=1e-12)


def test_group_dro_may_come_back_from_weights_below_the_smallest_number():
    state = balance(np.eye(2), [0.0, 5e3], GroupDRO(1.0)).state
    assert state.weights[0] == 0
    weights = balance(np.eye(2), [5e3, 0.0], GroupDRO(1.0), state).weights
    np.testing.assert_allclose(weights, 1, rtol=1e-9)


# uncertainty


def test_uncertainty_at_its_minimum_is_half_of_one_over_the_losses():
    losses, p = np.array([0.1, 1.0, 30.0]), np.array([1.0, 2.0, 3.0])
    weights = balance(np.eye(3), losses, Uncertainty(preference=p)).weights
    np.testing.assert_allclose(weights, p / 2 / (2 * losses), rtol=1e-13)


@pytest.mark.parametrize("step_size", [0.1, 1.0, 100.0])
def test_learnt_uncertainty_approaches_its_minimum_from_one_side(step_size):
    losses, state, path = np.array([0.1, 1.0, 30.0]), None, []
    for _ in range(500):
        state = balance(np.eye(3), losses, Uncertainty(step_size), state).state
        path.append(state.own["log_variance"])
    assert (np.diff(path, axis=0) * np.sign(np.log(losses)) >= -1e-12).all()
    np.testing.assert_allclose(state.weights, 1 / (2 * losses), rtol=1e-6)


def test_the_first_learnt_step_is_along_the_gradient():
    # s_t = 0 - step (1 - L_t) / 2
    state = balance(np.eye(2), [0.5, 2.0], Uncertainty(0.1)).state
    np.testing.assert_allclose(state.own["log_variance"], [-0.025, 0.05], rtol=1e-12)


def test_a_weighted_fit_by_uncertainty_is_stationary_for_the_sum_of_logarithms():
    task = LabelNoise(1)
    weights, x = task.train(Uncertainty())
    gradient = (weights @ (np.einsum("tij,j->ti", task.H, x) - task.c)) / weights.sum()
    assert np.abs(gradient).max() < 1e-10
    np.testing.assert_allclose(weights, 1 / (2 * task.losses(x)), rtol=1e-8)


# Nash bargaining between losses


def test_a_fit_at_the_bargain_maximises_the_product_of_gains():
    task = LabelNoise(2)
    D, p = task.losses(np.zeros(10)), np.array([1.0, 2.0, 1.0, 4.0])
    for preference in (None, p):
        share = np.ones(4) if preference is None else p / p.mean()
        weights, x = task.train(NashBargaining(preference=preference), disagreement=D)
        np.testing.assert_allclose(weights, share / (D - task.losses(x)), rtol=1e-8)

        def lost(x, share=share):
            gain = D - task.losses(x)
            return -share @ np.log(gain) if (gain > 0).all() else np.inf

        best = minimize(lost, x + 0.01, method="Nelder-Mead", options={"maxiter": 4000})
        assert lost(x) <= best.fun + 1e-12


def test_disagreement_is_the_parameter_then_the_statistics_then_the_first_losses():
    J, first, later = np.eye(2), [2.0, 3.0], [1.0, 1.0]
    state = balance(J, first, "nash_bargaining").state
    assert state.status == "disagreement" and state.weights.tolist() == [1, 1]
    np.testing.assert_allclose(
        balance(J, later, "nash_bargaining", state).weights, [1, 1 / 2], rtol=1e-12
    )
    told = balance(J, later, "nash_bargaining", disagreement=[5.0, 3.0])
    np.testing.assert_allclose(told.weights, [1 / 4, 1 / 2])
    own = balance(J, later, NashBargaining([3.0, 11.0]), disagreement=[5.0, 3.0])
    np.testing.assert_allclose(own.weights, [1 / 2, 1 / 10])


def test_a_task_that_does_not_gain_gets_a_large_weight_and_the_status_says_so():
    result = balance(np.eye(2), [1.0, 2.0], NashBargaining([2.0, 1.5]))
    assert result.status == "disagreement"
    assert result.weights[0] == 1 and 1e6 < result.weights[1] < 1e9


# smooth maximum


def smooth_maximum(losses, mu, p, z):
    return mu * np.log(np.exp(p * (losses - z) / mu).sum())


@pytest.mark.parametrize("mu", [0.05, 1.0, 30.0])
def test_stch_weights_are_the_gradient_of_the_smooth_maximum(mu):
    losses, z = np.array([0.3, 0.7, 0.65]), np.array([0.1, 0.0, 0.3])
    p = np.array([0.5, 1.5, 1.0])
    weights = balance(np.eye(3), losses, STCH(mu, preference=p, reference=z)).weights
    step = 1e-6
    differences = [
        (smooth_maximum(losses + e, mu, p, z) - smooth_maximum(losses - e, mu, p, z)) / (2 * step)
        for e in step * np.eye(3)
    ]
    np.testing.assert_allclose(weights, differences, atol=1e-8)  # central differences, mu >= .05


def test_stch_at_n_tasks_times_mu_is_the_published_one():
    losses, shares, mu = np.array([0.3, 2.0, 0.7]), np.array([0.5, 0.2, 0.3]), 0.4
    softmax = np.exp(shares * losses / mu) / np.exp(shares * losses / mu).sum()
    weights = balance(np.eye(3), losses, STCH(3 * mu, preference=shares)).weights
    np.testing.assert_allclose(weights, 3 * shares * softmax, rtol=1e-12)


def test_stch_tends_to_the_largest_loss_and_forgets_what_all_have_in_common():
    losses = np.array([1.0, 3.0, 2.9])
    np.testing.assert_allclose(balance(np.eye(3), losses, STCH(1e-4)).weights, [0, 1, 0])
    np.testing.assert_allclose(balance(np.eye(3), losses, STCH(1e6)).weights, 1 / 3, rtol=1e-5)
    shifted = balance(np.eye(3), losses + 10, STCH(0.3)).weights
    np.testing.assert_allclose(shifted, balance(np.eye(3), losses, STCH(0.3)).weights)


def test_stch_from_optima_reads_the_excess():
    losses, best = np.array([1.0, 3.0]), np.array([0.5, 2.9])
    by_optima = balance(np.eye(2), losses, STCH(reference="optima"), excess=losses - best)
    by_reference = balance(np.eye(2), losses, STCH(reference=best))
    np.testing.assert_allclose(by_optima.weights, by_reference.weights)


# equal weights


def test_equal_weights_are_the_preferences():
    result = balance(np.diag([1.0, 5.0]), balancer=Equal(preference=[3.0, 1.0]))
    np.testing.assert_allclose(result.weights, [1.5, 0.5])
    np.testing.assert_allclose(result.direction, [1.5, 2.5])
