import numpy as np
import pytest
from sklearn.base import clone

from skmtl._backend import place_of, to_numpy
from skmtl._registry import resolve
from skmtl.penalties import PENALTIES, SharedSpecific

every_penalty = pytest.mark.parametrize("make", PENALTIES.values(), ids=PENALTIES.keys())
ALPHAS = [(1.0, 1.0), (0.2, 5.0), (30.0, 0.01)]


@pytest.fixture
def W(rng):
    return rng.normal(size=(4, 3)) + 1


def direct(penalty, W, w0):
    """The penalty as it is written, for any shared part."""
    return (
        penalty.alpha_shared * (w0**2).sum() + penalty.alpha_specific * ((W - w0) ** 2).sum()
    ) / 2


# every penalty


@every_penalty
def test_values_are_finite_numbers_and_zero_at_zero(make, W, xp_place):
    value = make().value(xp_place(W))
    assert isinstance(value, float)
    assert 0 < value < np.inf
    assert make().value(xp_place(0 * W)) == 0.0
    assert value == pytest.approx(make().value(W))


@every_penalty
def test_penalties_are_parameter_holders(make):
    penalty = make()
    assert clone(penalty).get_params() == penalty.get_params()
    assert resolve(penalty, PENALTIES, "penalty") is penalty


@every_penalty
def test_covariance_factors_are_the_inverse_of_the_quadratic_form(make, W):
    penalty = make()
    if not hasattr(penalty, "covariance_factors"):
        pytest.skip("the penalty is not quadratic")
    Lam, k = penalty.covariance_factors(len(W))
    covariance = Lam @ Lam.T + np.diag(k)
    assert penalty.value(W) == pytest.approx(np.trace(W.T @ np.linalg.inv(covariance) @ W) / 2)


def test_an_unknown_name_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match=r"penalty must be one of \[.*'shared_specific'.*\]"):
        resolve("lasso?", PENALTIES, "penalty")


# shared plus specific


@pytest.mark.parametrize("a0, a1", ALPHAS)
def test_the_shared_part_attains_the_value_and_no_other_does_better(a0, a1, W, rng, xp_place):
    penalty = SharedSpecific(a0, a1)
    w0 = penalty.shared(xp_place(W))
    assert place_of(w0) == xp_place.place
    w0 = to_numpy(w0)
    assert penalty.value(W) == pytest.approx(direct(penalty, W, w0))
    for _ in range(5):
        assert direct(penalty, W, w0 + 0.1 * rng.normal(size=3)) > penalty.value(W)


@pytest.mark.parametrize("a0, a1", ALPHAS)
@pytest.mark.parametrize("T", [1, 4])
def test_factors_fit_the_value_at_any_alphas(a0, a1, T, W):
    Lam, k = SharedSpecific(a0, a1).covariance_factors(T)
    precision = np.linalg.inv(Lam @ Lam.T + np.diag(k))
    value = SharedSpecific(a0, a1).value(W[:T])
    assert value == pytest.approx(np.trace(W[:T].T @ precision @ W[:T]) / 2)


def test_one_task_is_a_ridge_with_the_harmonic_strength(W):
    penalty = SharedSpecific(2.0, 3.0)
    assert penalty.value(W[:1]) == pytest.approx(2 * 3 / (2 + 3) * (W[0] ** 2).sum() / 2)


def test_an_infinite_shared_alpha_leaves_no_shared_part(W):
    penalty = SharedSpecific(np.inf, 2.0)
    np.testing.assert_array_equal(penalty.shared(W), 0)
    assert penalty.value(W) == pytest.approx((W**2).sum())
    assert np.all(penalty.covariance_factors(3)[0] == 0)


def test_an_infinite_specific_alpha_forbids_differences(W):
    penalty = SharedSpecific(2.0, np.inf)
    same = np.repeat(W[:1], 3, axis=0)
    assert penalty.value(same) == pytest.approx((W[0] ** 2).sum())
    np.testing.assert_allclose(penalty.shared(same), W[0])
    assert penalty.value(W) == np.inf
    assert np.all(penalty.covariance_factors(3)[1] == 0)


@pytest.mark.parametrize("n_tasks", range(1, 8))
def test_equal_rows_are_equal_whatever_their_number(n_tasks):
    # the mean of equal numbers may differ from them in the last digit
    W = np.full((n_tasks, 2), 0.1)
    assert SharedSpecific(2.0, np.inf).value(W) == pytest.approx(0.02)
    assert SharedSpecific(alpha_intercept=np.inf).intercept_value(W[:, 0]) == 0.0


def test_intercepts_are_penalised_around_their_mean():
    b = np.array([1.0, 2.0, 6.0])
    assert SharedSpecific(alpha_intercept=2.0).intercept_value(b) == pytest.approx(14.0)
    assert SharedSpecific(alpha_intercept=0.0).intercept_value(b) == 0.0
    assert SharedSpecific(alpha_intercept=np.inf).intercept_value(b) == np.inf
