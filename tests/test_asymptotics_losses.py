"""Proximal points of the theory's losses, their integrals, and the labels of the teachers."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from skmtl.asymptotics._losses import MARGIN_LOSSES, RESIDUAL_LOSSES
from skmtl.asymptotics._quadrature import gaussian_rule, standard_rule
from skmtl.asymptotics._teachers import TEACHERS

ALL = {f"residual-{name}": loss for name, loss in RESIDUAL_LOSSES.items()}
ALL |= {f"margin-{name}": loss for name, loss in MARGIN_LOSSES.items()}
every_loss = pytest.mark.parametrize("loss", ALL.values(), ids=ALL.keys())


@every_loss
@pytest.mark.parametrize("g", [0.1, 1.0, 20.0])
def test_the_proximal_point_is_the_minimiser(loss, g):
    for v in (-7.3, -1.2, 0.0, 0.4, 1.1, 5.0):
        least = minimize_scalar(
            lambda u, v=v: g * loss.value(np.array(u)) + (u - v) ** 2 / 2,
            bounds=(-60, 60),
            options={"xatol": 1e-10},
        ).x
        # a minimum is known to half the digits of the function
        assert loss.prox(np.array(v), np.array(g)) == pytest.approx(least, abs=1e-6)


@every_loss
def test_the_slope_of_the_proximal_point_is_its_derivative(loss):
    g, v, step = np.array(0.7), np.linspace(-4, 4, 81) + 0.013, 1e-6
    slope = (loss.prox(v + step, g) - loss.prox(v - step, g)) / (2 * step)
    np.testing.assert_allclose(loss.prox_slope(v, g, loss.prox(v, g)), slope, atol=1e-8)


@every_loss
def test_kinks_hold_every_jump_of_the_slope_and_the_zero_of_margins(loss):
    g = np.array([0.7])
    kinks = np.sort(loss.kinks(g)[0])
    v = np.linspace(-5, 5, 200_001)
    u = loss.prox(v, g)
    slope = loss.prox_slope(v, g, u)
    jumps = v[:-1][np.abs(np.diff(slope)) > 1e-3]
    assert all(np.abs(kinks - jump).min() < 1e-4 for jump in jumps)
    if loss in MARGIN_LOSSES.values():
        crossing = v[np.flatnonzero(np.diff(u > 0))[0]]
        assert np.abs(kinks - crossing).min() < 1e-4


@pytest.mark.parametrize("g", [1e-6, 1.0, 1e3, 1e6, 1e9])
def test_the_logistic_proximal_point_is_exact_at_any_step(g):
    loss, v = (
        MARGIN_LOSSES["log_loss"],
        np.concatenate([-np.logspace(-3, 9, 50), np.linspace(0, 50)]),
    )
    u = loss.prox(v, np.array(g))
    pull = u - v - g / (1 + np.exp(np.clip(u, -700, 700)))
    # rounding of the larger of its terms
    assert (np.abs(pull) <= 1e-13 * (1 + np.abs(u) + np.abs(v) + g)).all()


# quadrature


def test_gaussian_rules_integrate_polynomials_and_kinked_functions():
    sd, kinks = np.array([0.5, 3.0]), np.array([[0.3], [0.3]])
    v, weights = gaussian_rule(sd, kinks)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(np.sum(weights * v**4, axis=1), 3 * sd**4, rtol=1e-12)
    beyond = np.sum(weights * np.maximum(v - 0.3, 0), axis=1)
    expected = sd * norm.pdf(0.3 / sd) - 0.3 * norm.sf(0.3 / sd)
    np.testing.assert_allclose(beyond, expected, rtol=1e-13)
    np.testing.assert_allclose(np.sum(weights * (v > 0.3), axis=1), norm.sf(0.3 / sd), rtol=1e-13)


def test_kinks_out_of_reach_do_no_harm():
    v, weights = gaussian_rule(np.ones(1), np.array([[-np.inf, 1e300, 0.0]]))
    assert np.isfinite(v).all() and weights.sum() == pytest.approx(1, rel=1e-14)


# teachers


@pytest.mark.parametrize("sd", [0.01, 1.0, 30.0])
def test_logistic_responses_are_means_of_the_probability(sd):
    mean = np.array([[-2.0, 0.0, 0.5]])
    likely, slope = TEACHERS["logistic"].response(mean, np.array([[sd**2]]))
    z, weights = standard_rule(400)
    p = TEACHERS["logistic"].probability(mean[..., None] + sd * z)
    np.testing.assert_allclose(likely, p @ weights, rtol=1e-9)
    np.testing.assert_allclose(slope, (p * (1 - p)) @ weights, rtol=1e-9)


def test_sign_responses_are_normal_probabilities():
    likely, slope = TEACHERS["sign"].response(np.array([0.5]), np.array([4.0]))
    assert likely[0] == pytest.approx(norm.cdf(0.25))
    assert slope[0] == pytest.approx(norm.pdf(0.5, scale=2))
