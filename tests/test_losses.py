import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.base import clone

from skmtl._backend import place_of, to_numpy
from skmtl._registry import resolve
from skmtl.losses import LOSSES, Huber, LogLoss, MultinomialLogLoss, SquaredError

every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
MARGINS = [LOSSES[name] for name in ("log_loss", "hinge", "squared_hinge")]  # of labels 0 and 1
STEP = 1e-6  # of central differences, whose error is then about 1e-9


@pytest.fixture
def labels(loss, rng):
    """(y, z): labels and linear predictors."""
    y, z = rng.normal(size=7), rng.normal(size=7)
    return ((y > 0).astype(float) if loss in MARGINS else y), z


@every_loss
def test_losses_are_elementwise_and_stay_where_they_are(loss, labels, xp_place):
    y, z = labels
    calls = {"value": (y, z), "gradient": (y, z), "curvature": (y, z), "prox": (z, 0.7, y)}
    for name, arguments in calls.items():
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


@pytest.mark.parametrize("y", [0.0, 1.0])
def test_the_conjugate_of_the_log_loss_is_the_supremum_of_lines_above_it(y):
    for slope in (1 - 2 * y) * np.array([1e-9, 0.1, 0.5, 0.99]):
        best = minimize_scalar(
            lambda z, slope=slope: LogLoss().value(y, z) - slope * z,
            bounds=(-30, 30),
            method="bounded",
            options={"xatol": 1e-9},
        )
        assert LogLoss().conjugate(y, slope) == pytest.approx(-best.fun, abs=1e-12)
    ends = (1 - 2 * y) * np.array([0.0, 1.0, -1e-3, 1 + 1e-3])
    np.testing.assert_array_equal(LogLoss().conjugate(y, ends), [0, 0, np.inf, np.inf])


@every_loss
def test_losses_are_zero_or_more_and_least_at_the_label(loss, labels):
    y, z = labels
    best = 100 * (2 * y - 1) if loss in MARGINS else y  # far on the label's side
    assert (loss.value(y, z) >= loss.value(y, best)).all()
    assert (loss.value(y, best) >= 0).all()


@every_loss
def test_losses_are_parameter_holders(loss):
    assert clone(loss).get_params() == loss.get_params()
    assert resolve(loss, LOSSES, "loss") is loss


def test_huber_is_half_the_square_and_then_linear():
    residuals = np.array([0.0, -1.0, 1.35, 3.0])
    expected = [0, 0.5, 1.35**2 / 2, 1.35 * (3 - 1.35 / 2)]
    np.testing.assert_allclose(Huber().value(np.zeros(4), residuals), expected, rtol=1e-15)


def test_squared_error_is_half_the_square():
    np.testing.assert_array_equal(SquaredError().value(np.array([3.0]), np.array([1.0])), [2.0])
    assert SquaredError().is_quadratic


def test_the_squared_hinge_is_the_square_of_the_hinge(rng):
    y, z = rng.integers(0, 2, 9) * 1.0, 2 * rng.normal(size=9)
    expected = LOSSES["hinge"].value(y, z) ** 2
    assert (expected > 0).any() and (expected == 0).any()
    np.testing.assert_array_equal(LOSSES["squared_hinge"].value(y, z), expected)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_found_by_its_name(name):
    assert resolve(name, LOSSES, "loss") is LOSSES[name]


def test_an_unknown_name_is_refused_with_the_names_there_are():
    with pytest.raises(
        ValueError, match=r"loss must be one of \[.*'squared_error'.*\], got 'hing'"
    ):
        resolve("hing", LOSSES, "loss")


# losses of Newton's method: their second derivatives are functions of the mean label

SMOOTH = {
    "squared_error": SquaredError(),
    "log_loss": LogLoss(),
    "multinomial": MultinomialLogLoss(),
}
every_smooth = pytest.mark.parametrize("loss", SMOOTH.values(), ids=SMOOTH)


@pytest.fixture
def scores(loss, rng):
    """(y, z) of shape (2 tasks, K, 5): one-hot labels of three classes, or labels of one unit."""
    z = 2 * rng.normal(size=(2, 3 if loss.is_invariant_to_shifts else 1, 5))
    if loss.is_invariant_to_shifts:
        return np.eye(3)[:, rng.integers(0, 3, (2, 5))].transpose(1, 0, 2), z
    return (rng.normal(size=z.shape) if loss.is_quadratic else rng.integers(0, 2, z.shape) * 1.0), z


@every_smooth
def test_gradients_of_several_scores_are_derivatives(loss, scores, rng):
    y, z = scores
    dz = rng.normal(size=z.shape)
    slope = (loss.value(y, z + STEP * dz) - loss.value(y, z - STEP * dz)) / (2 * STEP)
    gradient = loss.gradient(y, z)
    assert loss.value(y, z).shape == (2, 1, 5)
    np.testing.assert_allclose((gradient * dz).sum(axis=1, keepdims=True), slope, atol=1e-8)
    slope = (loss.gradient(y, z + STEP * dz) - loss.gradient(y, z - STEP * dz)) / (2 * STEP)
    np.testing.assert_allclose(loss.hessian_product(loss.second_order(y, z), dz), slope, atol=1e-8)


@every_smooth
def test_forms_of_the_hessian_agree(loss, scores, rng):
    z = scores[1]
    second, dz = loss.second_order(scores[0], z), rng.normal(size=z.shape)
    blocks = loss.hessian_blocks(second)
    assert blocks.shape == (2, z.shape[1], z.shape[1], 5)
    product = np.einsum("tkjn,tjn->tkn", blocks, dz)
    np.testing.assert_allclose(product, loss.hessian_product(second, dz), atol=1e-15)
    diagonal = np.einsum("tkkn->tkn", blocks)
    np.testing.assert_allclose(loss.hessian_diagonal(second), diagonal, atol=1e-15)
    np.testing.assert_allclose(loss.curvature(scores[0], z), diagonal, atol=1e-15)


@every_smooth
def test_smooth_losses_stay_where_they_are(loss, scores, xp_place):
    y, z = scores
    second = loss.second_order(y, z)
    calls = {
        "value": (y, z),
        "gradient": (y, z),
        "curvature": (y, z),
        "second_order": (y, z),
        "hessian_diagonal": (second,),
        "hessian_product": (second, z),
        "hessian_blocks": (second,),
    }
    for name, arguments in calls.items():
        there = getattr(loss, name)(*map(xp_place, arguments))
        assert place_of(there) == xp_place.place
        np.testing.assert_allclose(to_numpy(there), getattr(loss, name)(*arguments), rtol=1e-14)


@pytest.mark.parametrize("loss", [LogLoss(), MultinomialLogLoss()], ids=["log", "multinomial"])
def test_log_losses_are_minus_the_logarithm_of_the_probability(loss, scores):
    y, z = scores
    p = loss.mean(z)
    if loss.is_invariant_to_shifts:
        np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-15)
        chosen = (y * p).sum(axis=1, keepdims=True)
    else:
        chosen = np.where(y == 1, p, 1 - p)
    np.testing.assert_allclose(loss.value(y, z), -np.log(chosen), rtol=1e-12, atol=1e-15)


def test_two_scores_are_one_logit(rng):
    y, z = rng.integers(0, 2, (1, 1, 9)) * 1.0, 3 * rng.normal(size=(1, 1, 9))
    both, scores = np.concatenate([1 - y, y], axis=1), np.concatenate([0 * z, z], axis=1)
    one, two = LogLoss(), MultinomialLogLoss()
    np.testing.assert_allclose(two.value(both, scores), one.value(y, z), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(two.gradient(both, scores)[:, 1:], one.gradient(y, z), atol=1e-15)


def test_scores_that_move_together_change_nothing_of_the_multinomial_loss(rng):
    y, z = np.eye(3)[:, None, :], rng.normal(size=(3, 1, 3))
    y, z = np.moveaxis(y, 0, 1), np.moveaxis(z, 0, 1)
    loss = MultinomialLogLoss()
    assert loss.is_invariant_to_shifts
    np.testing.assert_allclose(loss.value(y, z + 7), loss.value(y, z), rtol=1e-13)
    np.testing.assert_allclose(loss.gradient(y, z).sum(axis=-2), 0, atol=1e-15)
    product = loss.hessian_product(loss.second_order(y, z), 0 * z + 7)
    np.testing.assert_allclose(product, 0, atol=1e-14)


@pytest.mark.parametrize("size", [40.0, 800.0, 1e5, 1e300])
def test_log_losses_of_huge_scores_are_finite_and_right(size):
    loss, y, z = LogLoss(), np.array([0.0, 1.0, 0.0, 1.0]), size * np.array([1, -1, -1, 1])
    with np.errstate(all="raise", under="ignore"):
        np.testing.assert_allclose(loss.value(y, z)[:2], size, rtol=1e-15)
        np.testing.assert_allclose(loss.value(y, z)[2:], np.exp(-size), rtol=1e-15)
        np.testing.assert_allclose(loss.gradient(y, z), [1, -1, 0, 0], atol=1e-16)
        several = MultinomialLogLoss()
        scores, one_hot = np.array([[[size], [0.0], [-size]]]), np.eye(3)[:, :, None]
        values = [several.value(y, scores)[0, 0, 0] for y in one_hot]
        np.testing.assert_allclose(values, [np.exp(-size), size, 2 * size], atol=1e-15)
        np.testing.assert_allclose(several.mean(scores)[0, :, 0], [1, 0, 0], atol=1e-16)


def test_a_label_that_is_certain_keeps_the_digits_of_its_loss():
    """No difference of nearly equal numbers: e^-50 is 1e-22."""
    z = np.array([50.0, -50.0])
    np.testing.assert_allclose(LogLoss().value(np.array([1.0, 0.0]), z), np.exp(-50), rtol=1e-14)


SMOOTH = {"squared_error": SquaredError(), "log_loss": LogLoss()}


@pytest.mark.parametrize("loss", SMOOTH.values(), ids=SMOOTH.keys())
def test_differences_are_those_of_the_values_where_these_have_digits(loss, rng):
    y, z = np.repeat([0.0, 1.0], 20), 3 * rng.normal(size=40)
    for size in (0.1, 0.9, 1.1, 30.0):
        dz = size * rng.choice([-1.0, 1.0], size=40)
        expected = loss.value(y, z + dz) - loss.value(y, z)
        np.testing.assert_allclose(loss.difference(y, z, dz), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("loss", SMOOTH.values(), ids=SMOOTH.keys())
@pytest.mark.parametrize("size", [1e-5, 1e-8, 1e-12])
def test_small_differences_keep_their_digits(loss, size, rng):
    y, z = np.repeat([0.0, 1.0], 20), 3 * rng.normal(size=40)
    dz = size * rng.choice([-1.0, 1.0], size=40)
    # two terms of Taylor's series; the third is size^3 / 6 at most
    expected = loss.gradient(y, z) * dz + loss.curvature(y, z) * dz**2 / 2
    found = loss.difference(y, z, dz)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=size**3 / 6 + 1e-16 * size)


@pytest.mark.parametrize("size", [1e-12, 1e-6, 0.3, 5.0])
def test_differences_of_many_classes_are_those_of_two(size, rng):
    y, z = rng.integers(0, 2, size=30).astype(float), rng.normal(size=30)
    dz = size * rng.normal(size=30)
    two = [np.stack([1 - y, y]), np.stack([0 * z, z]), np.stack([0 * dz, dz])]
    found = MultinomialLogLoss().difference(*two)[0]
    np.testing.assert_allclose(found, LogLoss().difference(y, z, dz), rtol=1e-12, atol=4e-16 * size)
    # and more of them than have a part in it change nothing
    extra = [np.vstack([a, b * np.ones((1, 30))]) for a, b in zip(two, (0, -800.0, 0), strict=True)]
    np.testing.assert_allclose(
        MultinomialLogLoss().difference(*extra)[0], found, rtol=1e-12, atol=4e-16 * size
    )
