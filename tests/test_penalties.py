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


@every_penalty
@pytest.mark.parametrize("step", [0.3, np.array([0.1, 0.4, 0.9])], ids=["one", "by-feature"])
def test_prox_is_the_minimiser_that_it_is_said_to_be(make, step, W):
    penalty = make()
    if not hasattr(penalty, "prox") or (np.ndim(step) and not penalty.separates_features):
        pytest.skip("the penalty has no such prox")
    V = penalty.prox(W, step)

    def objective(flat):
        U = flat.reshape(W.shape)
        return penalty.value(U) + ((U - W) ** 2 / (2 * step)).sum()

    best = objective(V.ravel())
    rng = np.random.default_rng(0)
    for size in (1.0, 0.1, 1e-3):
        for _ in range(30):
            other = V + size * rng.normal(size=V.shape)
            assert objective(other.ravel()) >= best - 1e-12
    assert objective(np.zeros(W.size)) >= best - 1e-12


@every_penalty
def test_what_is_said_of_rotations_holds(make, W, rng):
    penalty, (Q, _) = make(), np.linalg.qr(rng.normal(size=(3, 3)))
    same = penalty.value(W @ Q) == pytest.approx(penalty.value(W), rel=1e-12)
    assert same == penalty.rotation_invariant


@every_penalty
def test_what_is_said_of_sums_over_features_holds(make, W):
    penalty = make()
    alone = sum(penalty.value(W * (np.arange(3) == j)) for j in range(3))
    assert (penalty.value(W) == pytest.approx(alone, rel=1e-12)) == penalty.separates_features


@every_penalty
def test_a_dual_norm_is_the_least_strength_that_leaves_nothing(make, W):
    penalty = make()
    if not hasattr(penalty, "dual_norm"):
        pytest.skip("the penalty has no dual norm")
    largest = penalty.dual_norm(W)
    for share, stays in ((0.999, True), (1.001, False)):
        V = penalty.set_params(alpha=share * largest).prox(W, 1.0)
        assert (V != 0).any() == stays


@every_penalty
def test_precision_is_the_matrix_of_the_quadratic_form(make, W):
    penalty = make()
    if not hasattr(penalty, "precision"):
        pytest.skip("the penalty has no precision")
    omega = penalty.precision(len(W))
    np.testing.assert_array_equal(omega, omega.T)
    assert penalty.value(W) == pytest.approx(np.trace(W.T @ omega @ W) / 2, rel=1e-12)


@every_penalty
def test_strengths_are_checked_by_their_names(make):
    penalty = make()
    penalty.check()
    for name in penalty.strengths:
        for value, error in ((-1.0, ValueError), (np.nan, ValueError), ("big", TypeError)):
            with pytest.raises(error, match=f"{name} must be"):
                make().set_params(**{name: value}).check()


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
