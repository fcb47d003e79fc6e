import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.base import clone

from skmtl._backend import place_of, to_numpy
from skmtl._registry import resolve
from skmtl.losses import LOSSES, SquaredError

every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
STEP = 1e-6  # of central differences, whose error is then about 1e-9


@pytest.fixture
def labels(rng):
    """(y, z): labels and linear predictors."""
    return rng.normal(size=7), rng.normal(size=7)


@every_loss
def test_losses_are_elementwise_and_stay_where_they_are(loss, labels, xp_place):
    y, z = labels
    for name, arguments in {
        "value": (y, z),
        "gradient": (y, z),
        "curvature": (y, z),
        "prox": (z, 0.7, y),
    }.items():
        function = getattr(loss, name)
        there = function(*(xp_place(a) if np.ndim(a) else a for a in arguments))
        assert place_of(there) == xp_place.place
        assert there.shape == y.shape
        each = [function(*(a[i : i + 1] if np.ndim(a) else a for a in arguments)) for i in range(7)]
        np.testing.assert_allclose(to_numpy(there), np.concatenate(each))


@every_loss
def test_the_gradient_is_the_derivative_of_the_value(loss, labels):
    y, z = labels
    slope = (loss.value(y, z + STEP) - loss.value(y, z - STEP)) / (2 * STEP)
    np.testing.assert_allclose(loss.gradient(y, z), slope, atol=1e-8)


@every_loss
def test_the_curvature_is_the_derivative_of_the_gradient(loss, labels):
    y, z = labels
    slope = (loss.gradient(y, z + STEP) - loss.gradient(y, z - STEP)) / (2 * STEP)
    np.testing.assert_allclose(loss.curvature(y, z), slope, atol=1e-8)


@every_loss
@pytest.mark.parametrize("gamma", [0.1, 1.0, 30.0])
def test_prox_minimises(loss, labels, gamma):
    for y, v in zip(*labels, strict=True):
        best = minimize_scalar(lambda z, y=y, v=v: gamma * loss.value(y, z) + (z - v) ** 2 / 2)
        assert loss.prox(v, gamma, y) == pytest.approx(best.x, abs=1e-6)


@every_loss
def test_losses_are_zero_or_more_and_least_at_the_label(loss, labels):
    y, z = labels
    assert (loss.value(y, z) >= loss.value(y, y)).all()


@every_loss
def test_losses_are_parameter_holders(loss):
    assert clone(loss).get_params() == loss.get_params()
    assert resolve(loss, LOSSES, "loss") is loss


def test_squared_error_is_half_the_square():
    np.testing.assert_array_equal(SquaredError().value(np.array([3.0]), np.array([1.0])), [2.0])
    assert SquaredError().is_quadratic


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_found_by_its_name(name):
    assert resolve(name, LOSSES, "loss") is LOSSES[name]


def test_an_unknown_name_is_refused_with_the_names_there_are():
    with pytest.raises(
        ValueError, match=r"loss must be one of \[.*'squared_error'.*\], got 'hing'"
    ):
        resolve("hing", LOSSES, "loss")
