import warnings
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.exceptions import ConvergenceWarning

from skmtl.asymptotics import (
    AsymptoticProblem,
    _fixed_point,
    double_descent_curve,
    equivalent_single_task,
    from_estimator_alphas,
    interpolation_thresholds,
    optimal_penalty,
    penalty_matrix,
    predict_risk,
    ridgeless_risk,
    task_gram,
    to_estimator_alphas,
)
from skmtl.asymptotics._predict import read_out

SOLVED = 1e-8  # the fixed point stops at 1e-9 in the logarithms of its scalars
EXACT = 1e-10  # Newton's method stops at 1e-12
RESIDUAL = ["squared_error", "huber", "absolute_error"]
MARGIN = ["squared_error", "log_loss", "hinge", "squared_hinge"]
CASES = [
    *(("linear", loss) for loss in RESIDUAL),
    *((teacher, loss) for teacher in ("sign", "logistic") for loss in MARGIN),
]
every_case = pytest.mark.parametrize("teacher, loss", CASES)
SPECTRUM = [0.2, 1.0, 5.0], [0.5, 0.3, 0.2]


def alike(n_tasks, ratio=0.7, *, teacher="linear", similarity=0.8, alphas=(0.1, 1.0), **options):
    """A problem whose tasks are all the same."""
    noise = {"noise_var": 0.3} if teacher == "linear" else {"flip_proba": 0.05}
    return AsymptoticProblem(
        ratio,
        task_gram(n_tasks, similarity),
        teacher=teacher,
        penalty_matrix=penalty_matrix(n_tasks, *alphas),
        **(noise | options),
    )


def unequal(teacher="linear", **options):
    """Three tasks that differ in everything, and a penalty without symmetry."""
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(2, 3, 4))
    noise = (
        {"noise_var": [0.1, 0.5, 1.0]} if teacher == "linear" else {"flip_proba": [0, 0.1, 0.05]}
    )
    settings = {
        "teacher": teacher,
        "hidden_energy": [0.0, 0.2, 0.1],
        "loss_weight": [1.0, 2.0, 0.5],
        "penalty_matrix": B @ B.T / 4 + 0.05 * np.eye(3),
    }
    return AsymptoticProblem([0.5, 1.5, 0.8], A @ A.T / 4, **(settings | noise | options))


def values(risk):
    """The arrays of a prediction, of shape (7, n_tasks)."""
    return np.array(risk[:7])


# properties


@every_case
def test_alike_tasks_have_identical_values(teacher, loss):
    risk = values(predict_risk(alike(4, 1.2, teacher=teacher, loss=loss)))
    # sums in the same order for every task, up to the solve
    np.testing.assert_allclose(risk, risk[:, :1] * np.ones(4), rtol=1e-12)


@every_case
def test_predictions_follow_the_order_of_the_tasks(teacher, loss):
    problem, order = unequal(teacher, loss=loss), np.array([2, 0, 1])
    expected = values(predict_risk(problem))[:, order]
    moved = values(predict_risk(problem.with_tasks(order)))
    np.testing.assert_allclose(moved, expected, rtol=SOLVED, atol=SOLVED)


@every_case
def test_weighing_losses_and_penalty_alike_changes_nothing_but_leverage(teacher, loss):
    problem = unequal(teacher, loss=loss)
    scaled = replace(
        problem,
        loss_weight=7 * problem.loss_weight,
        penalty_matrix=7 * problem.penalty_matrix,
    )
    first, second = values(predict_risk(problem)), values(predict_risk(scaled))
    first[6] /= 7
    np.testing.assert_allclose(second, first, rtol=SOLVED, atol=SOLVED)


@every_case
def test_features_in_other_units_predict_the_same(teacher, loss):
    problem = unequal(teacher, loss=loss)
    scaled = replace(
        problem,
        gram=problem.gram / 9,
        penalty_matrix=9 * problem.penalty_matrix,
        spectrum=([9.0, 9.0], [0.25, 0.75]),
    )
    first, second = values(predict_risk(problem)), values(predict_risk(scaled))
    np.testing.assert_allclose(second, first, rtol=SOLVED, atol=SOLVED)


@every_case
def test_independent_tasks_are_predicted_as_each_alone(teacher, loss):
    problem = replace(unequal(teacher, loss=loss), penalty_matrix=np.diag([0.3, 0.1, 0.5]))
    together = values(predict_risk(problem))
    for t in range(3):
        alone = values(predict_risk(problem.with_tasks([t])))
        np.testing.assert_allclose(together[:, t], alone[:, 0], rtol=SOLVED, atol=SOLVED)


@every_case
def test_training_is_easier_than_testing(teacher, loss):
    risk = predict_risk(unequal(teacher, loss=loss))
    assert (risk.training_error < risk.generalization_error).all()
    assert (risk.training_loss < risk.test_loss).all()
    assert risk.converged and risk.residual <= 1e-9


@pytest.mark.parametrize("loss", RESIDUAL)
def test_hidden_features_of_a_linear_teacher_are_noise(loss):
    hidden = unequal(loss=loss)
    noisy = replace(hidden, noise_var=hidden.noise_var + hidden.hidden_energy, hidden_energy=0.0)
    np.testing.assert_allclose(
        values(predict_risk(hidden)), values(predict_risk(noisy)), rtol=SOLVED
    )


def test_arguments_are_left_alone_and_may_be_read_only():
    gram, ratio = np.eye(2), np.array([0.5, 2.0])
    for array in (gram, ratio):
        array.flags.writeable = False
    problem = AsymptoticProblem(ratio, gram, penalty_matrix=gram)
    predict_risk(problem)
    assert problem.gram is not gram
    with pytest.raises(FrozenInstanceError):
        problem.loss = "huber"
    with pytest.raises(ValueError, match="read-only"):
        problem.gram[0, 0] = 2.0


# matrices and units


def test_the_penalty_matrix_is_the_penalty_with_the_shared_part_minimised_out(rng):
    lam0, lam, W = 0.7, np.array([0.5, 2.0, 1.0]), rng.normal(size=(3, 4))
    w0 = lam @ W / (lam0 + lam.sum())  # where the derivative vanishes
    expected = lam0 * w0 @ w0 + lam @ np.sum((W - w0) ** 2, axis=1)
    Omega = penalty_matrix(3, lam0, lam)
    assert np.trace(W.T @ Omega @ W) == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(np.linalg.inv(Omega), np.diag(1 / lam) + 1 / lam0, rtol=1e-12)


def test_no_shared_part_and_a_free_one_are_limits_of_the_penalty_matrix():
    assert (penalty_matrix(2, np.inf, [1.0, 2.0]) == np.diag([1.0, 2.0])).all()
    np.testing.assert_allclose(penalty_matrix(3, 0.0, 1.0) @ np.ones(3), 0, atol=1e-15)


def test_estimator_alphas_round_trip():
    problem = alike(3, [0.5, 1.0, 1.5], loss_weight=[1.0, 2.0, 0.5])
    alphas = to_estimator_alphas(problem, 200)
    assert alphas[2].mean() == pytest.approx(1)
    matrix, weight = from_estimator_alphas(*alphas[:2], [100, 200, 300], task_weight=alphas[2])
    ratio = weight / problem.loss_weight  # the objective is known up to a factor
    np.testing.assert_allclose(ratio, ratio[0])
    np.testing.assert_allclose(matrix, ratio[0] * problem.penalty_matrix, rtol=1e-9)


def test_an_infinite_shared_alpha_survives_the_conversion():
    shared, specific, _ = to_estimator_alphas(alike(3, 0.5, alphas=(np.inf, 2.0)), 100)
    assert (shared, specific) == (np.inf, 100.0)


@pytest.mark.parametrize(
    "matrix, message",
    [
        (np.diag([1.0, 2.0]), "one alpha_shared and one alpha_specific"),
        ([[1.0, 0.5], [0.5, 1.0]], "one alpha_shared and one alpha_specific"),
        (np.zeros((2, 2)), "one alpha_shared and one alpha_specific"),
        (penalty_matrix(2, 0.0, 1.0), "its common part is free"),
    ],
)
def test_a_penalty_that_no_estimator_has_is_refused(matrix, message):
    with pytest.raises(ValueError, match=message):
        to_estimator_alphas(replace(alike(2, 0.5), penalty_matrix=matrix), 100)


def test_rows_that_are_no_whole_numbers_are_refused():
    with pytest.raises(ValueError, match=r"whole number of rows, got 52\.5 for task 0"):
        to_estimator_alphas(alike(2, 0.7), 75)


# known results for squared loss


def ridge_error(ratio, signal, noise_var, lam):
    """Hastie et al. (2022), theorem 5, for isotropic features: by Marchenko and Pastur's law."""
    c = 1 / ratio

    def stieltjes(lam):
        b = 1 - c + lam
        return (-b + np.sqrt(b**2 + 4 * c * lam)) / (2 * c * lam)

    step = 1e-4 * lam
    slope = (stieltjes(lam - step) - stieltjes(lam + step)) / (2 * step)  # of m(z) at z = -lam
    bias = signal * lam**2 * slope
    return noise_var + bias + noise_var * c * (stieltjes(lam) - lam * slope)


@pytest.mark.parametrize("ratio", [0.3, 0.9, 2.5])
def test_a_single_task_is_the_known_ridge(ratio):
    problem = alike(1, ratio, noise_var=0.3, alphas=(0.4, 0.6))
    expected = ridge_error(ratio, 1.0, 0.3, 1 / (1 / 0.4 + 1 / 0.6))
    # the derivative in the reference is a difference, good to 1e-7
    assert predict_risk(problem).generalization_error[0] == pytest.approx(expected, rel=1e-6)


def test_an_infinite_shared_penalty_is_independent_ridges():
    problem = alike(3, 0.6, alphas=(1e9, 0.5))
    expected = ridge_error(0.6, 1.0, 0.3, 0.5)
    np.testing.assert_allclose(predict_risk(problem).generalization_error, expected, rtol=1e-6)


def test_an_infinite_specific_penalty_is_one_ridge_on_all_rows():
    problem = alike(4, 0.3, similarity=1.0, alphas=(0.5, 1e7))
    # four tasks of the same coefficients: 4 n rows, and a sum of four mean losses
    expected = ridge_error(4 * 0.3, 1.0, 0.3, 0.5 / 4)
    np.testing.assert_allclose(predict_risk(problem).generalization_error, expected, rtol=1e-6)


@pytest.mark.parametrize("spectrum", [None, SPECTRUM])
@pytest.mark.parametrize("teacher", ["linear", "sign", "logistic"])
def test_the_general_fixed_point_equals_the_closed_form_for_squared_loss(teacher, spectrum):
    problem = unequal(teacher, spectrum=spectrum)
    start = _fixed_point._initial(replace(problem, penalty_matrix=5 * problem.penalty_matrix))
    m, q, gamma = _fixed_point._unpack(problem, start)
    blank = np.full(3, np.nan)
    begin = _fixed_point.Solution(m, q, gamma, blank, blank, blank, 0, False, np.inf)
    solution = _fixed_point.solve_fixed_point(problem, begin)
    assert solution.n_iter > 5  # it did not begin at the answer
    expected = predict_risk(problem)
    np.testing.assert_allclose(
        values(read_out(problem, solution)), values(expected), rtol=SOLVED, atol=SOLVED
    )


@pytest.mark.parametrize("spectrum", [None, SPECTRUM])
def test_errors_of_squared_loss_follow_from_overlaps(spectrum):
    problem = unequal(spectrum=spectrum)
    risk = predict_risk(problem)
    expected = problem.teacher_var + problem.noise_var - 2 * risk.overlap + risk.norm2
    np.testing.assert_allclose(risk.generalization_error, expected, rtol=EXACT)
    shrink = 1 / (1 + problem.loss_weight * risk.leverage)
    np.testing.assert_allclose(risk.training_error, expected * shrink**2, rtol=EXACT)
    np.testing.assert_allclose(risk.test_loss, expected / 2, rtol=EXACT)


# ridgeless limits


@pytest.mark.parametrize("spectrum", [None, SPECTRUM])
@pytest.mark.parametrize("teacher", ["linear", "sign"])
@pytest.mark.parametrize("ratio", [0.6, 2.0, [0.5, 1.5, 0.8]])
def test_the_joint_ridgeless_limit_is_a_limit(ratio, teacher, spectrum):
    problem = replace(unequal(teacher), sample_ratio=ratio, spectrum=spectrum)
    tiny = predict_risk(replace(problem, penalty_matrix=1e-7 * problem.penalty_matrix))
    limit = ridgeless_risk(problem)
    for name in ("generalization_error", "training_error", "test_loss", "overlap", "norm2"):
        # what remains is of the order of the penalty, times the square of 1/(1 - alpha)
        np.testing.assert_allclose(getattr(tiny, name), getattr(limit, name), rtol=1e-4, atol=1e-5)
    assert (np.isinf(limit.leverage) == (problem.sample_ratio < 1)).all()


@pytest.mark.parametrize("spectrum", [None, SPECTRUM])
@pytest.mark.parametrize("ratio", [[0.2, 0.3, 0.1], [0.5, 1.5, 0.8]])
def test_the_shared_ridgeless_limit_is_a_limit(ratio, spectrum):
    problem = replace(
        unequal(), sample_ratio=ratio, penalty_matrix=penalty_matrix(3, 0.3, 0.5), spectrum=spectrum
    )
    tiny = predict_risk(replace(problem, penalty_matrix=penalty_matrix(3, 1e-7, 0.5)))
    limit = ridgeless_risk(problem, limit="shared")
    for name in ("generalization_error", "training_error", "test_loss", "overlap", "norm2"):
        np.testing.assert_allclose(getattr(tiny, name), getattr(limit, name), rtol=1e-4, atol=1e-5)


def test_with_more_rows_than_features_the_joint_limit_is_least_squares():
    problem = replace(unequal(), sample_ratio=[2.0, 3.0, 1.2])
    noise, alpha = problem.noise_var + problem.hidden_energy, problem.sample_ratio
    risk = ridgeless_risk(problem)
    np.testing.assert_allclose(risk.generalization_error, noise / (1 - 1 / alpha), rtol=EXACT)
    np.testing.assert_allclose(risk.training_error, noise * (1 - 1 / alpha), rtol=EXACT)


@pytest.mark.parametrize("limit", ["joint", "shared"])
def test_a_single_interpolator_has_the_known_error(limit):
    problem = alike(1, 0.6)
    expected = (1 - 0.6) + 0.3 / (1 - 0.6)  # bias 1 - alpha, variance inflated [Hastie et al.]
    risk = ridgeless_risk(problem, limit=limit)
    assert risk.generalization_error[0] == pytest.approx(expected, rel=EXACT)
    assert risk.training_error[0] == 0


@pytest.mark.parametrize("limit, expected", [("joint", 1), ("shared", 5)])
def test_the_peak_stays_at_n_in_the_joint_limit_and_moves_to_all_rows_in_the_shared_one(
    limit, expected
):
    grid = np.geomspace(0.2, 19, 60)
    curve = double_descent_curve(
        5, 0.05, grid, similarity=0.8, noise_var=0.2, alpha_shared=1.0, limit=limit
    )
    peak = grid[curve.generalization_error.argmax()]
    assert abs(np.log(peak / expected)) < np.log(grid[1] / grid[0])  # a step of the grid
    assert interpolation_thresholds(5)["single_task" if limit == "joint" else "pooled"] == expected


@pytest.mark.parametrize(
    "ratio, limit, message",
    [
        ([0.5, 1.0, 2.0], "joint", "must not be 1 in the joint ridgeless limit, got it for task 1"),
        ([0.5, 0.2, 0.3], "shared", "must not sum to 1 in the shared ridgeless limit"),
    ],
)
def test_a_ratio_at_a_threshold_is_refused(ratio, limit, message):
    with pytest.raises(ValueError, match=message):
        ridgeless_risk(replace(unequal(), sample_ratio=ratio), limit=limit)


def test_ridgeless_limits_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="'squared_error' for a ridgeless limit, got 'huber'"):
        ridgeless_risk(alike(2, loss="huber"))
    with pytest.raises(ValueError, match="limit must be one of"):
        ridgeless_risk(alike(2), limit="specific")
    apart = replace(alike(2, 0.3), penalty_matrix=np.zeros((2, 2)))
    with pytest.raises(ValueError, match="must keep all differences between tasks small"):
        ridgeless_risk(apart, limit="shared")
    with pytest.raises(ValueError, match='take limit="shared"'):
        ridgeless_risk(alike(2, 0.3, alphas=(0.0, 1.0)))


# other losses


def test_logistic_regression_without_penalty_is_that_of_sur_and_candes():
    # Sur and Candes (2019): p/n = 0.2 and logits of variance 5 give the slope 1.4994, the spread
    # 4.7436 of coefficients times sqrt(n), and the leverage 3.0269
    problem = AsymptoticProblem(
        5.0, [[5.0]], teacher="logistic", loss="log_loss", penalty_matrix=[[0.0]]
    )
    risk = predict_risk(problem)
    across = risk.norm2[0] - risk.overlap[0] ** 2 / 5
    assert risk.overlap[0] / 5 == pytest.approx(1.4994, abs=5e-5)
    assert np.sqrt(5 * across) == pytest.approx(4.7436, abs=5e-4)
    assert risk.leverage[0] == pytest.approx(3.0269, abs=5e-5)


@pytest.mark.parametrize("ratio", [1.2, 2.0, 10.0])
def test_least_absolute_deviations_without_penalty_is_that_of_el_karoui_et_al(ratio):
    # El Karoui et al. (2013): with v = p/n and residuals of new rows s Z, the share of rows that
    # are interpolated is v = P(|Z| < a), and v (s^2 - sigma^2) = s^2 E min(Z^2, a^2)
    v = 1 / ratio
    a = norm.ppf((1 + v) / 2)
    clipped = v - 2 * a * norm.pdf(a) + a**2 * (1 - v)
    problem = alike(1, ratio, loss="absolute_error", noise_var=0.3)
    risk = predict_risk(replace(problem, penalty_matrix=[[0.0]]))
    assert risk.generalization_error[0] == pytest.approx(0.3 * v / (v - clipped), rel=SOLVED)


def test_huber_loss_on_small_residuals_is_squared_loss():
    problem = replace(alike(3, noise_var=1e-4), gram=1e-4 * task_gram(3, 0.8))
    expected = predict_risk(problem)
    found = predict_risk(replace(problem, loss="huber"))
    np.testing.assert_allclose(values(found), values(expected), rtol=1e-9)


def test_huber_loss_on_large_residuals_is_absolute_loss():
    delta, big = 1.35, 1e6
    problem = replace(alike(3, noise_var=big), gram=big * task_gram(3, 0.8))
    absolute = replace(problem, loss="absolute_error", loss_weight=delta)
    first = predict_risk(replace(problem, loss="huber")).generalization_error
    # the quadratic middle is a thousandth of a typical residual
    np.testing.assert_allclose(first, predict_risk(absolute).generalization_error, rtol=1e-2)


@pytest.mark.parametrize("loss", MARGIN)
def test_a_logistic_teacher_of_large_signal_is_the_sign(loss):
    sign = alike(2, 1.2, teacher="sign", loss=loss)
    strong = replace(sign, teacher="logistic", gram=1e6 * sign.gram)
    first, second = predict_risk(sign), predict_risk(strong)
    # labels differ where the teacher is of order one, some thousandth of the rows
    np.testing.assert_allclose(first.generalization_error, second.generalization_error, rtol=5e-3)


def test_labels_without_signal_are_guessed():
    problem = alike(2, 1.2, teacher="sign", loss="log_loss", flip_proba=0.5)
    np.testing.assert_allclose(predict_risk(problem).generalization_error, 0.5, rtol=EXACT)


@pytest.mark.parametrize("loss", ["log_loss", "hinge", "squared_hinge"])
@pytest.mark.parametrize("ratio, separable", [(1.9, True), (2.1, False)])
def test_labels_without_signal_are_separable_below_two_rows_a_feature(loss, ratio, separable):
    # Cover (1965)
    problem = AsymptoticProblem(
        ratio, [[1.0]], teacher="sign", loss=loss, flip_proba=0.5, penalty_matrix=[[0.0]]
    )
    if separable:
        with pytest.raises(ValueError, match="may separate the labels"):
            predict_risk(problem)
    else:
        assert predict_risk(problem).converged


def test_a_free_common_part_is_separated_by_few_rows_of_all_tasks():
    problem = alike(4, 0.4, teacher="sign", loss="log_loss", alphas=(0.0, 1.0), flip_proba=0.4)
    with pytest.raises(ValueError, match="may separate the labels"):
        predict_risk(problem)
    assert predict_risk(replace(problem, sample_ratio=1.0)).converged


def test_rows_that_do_not_determine_a_free_direction_are_refused():
    problem = alike(2, [0.3, 0.5], alphas=(0.0, 1.0))
    with pytest.raises(ValueError, match=r"one is free at n/p = 0\.8; .* by ridgeless_risk\."):
        predict_risk(problem)
    with pytest.raises(ValueError, match=r"one is free at n/p = 0\.8; penalise it\."):
        predict_risk(replace(problem, loss="huber"))  # which has no ridgeless_risk
    assert predict_risk(replace(problem, sample_ratio=0.6)).converged


def test_a_prediction_that_did_not_converge_says_so(monkeypatch):
    monkeypatch.setattr(_fixed_point, "ATTEMPTS", [(0.8, 8, 2)] * 3)
    monkeypatch.setattr(_fixed_point, "CONTINUATION", [1.0])
    with pytest.warns(ConvergenceWarning, match="stopped after 8 iterations at a residual"):
        risk = predict_risk(alike(2, teacher="sign", loss="log_loss"))
    assert not risk.converged and risk.residual > 1e-9


def test_every_fallback_reaches_the_same_solution(monkeypatch):
    problem = alike(2, teacher="sign", loss="hinge")
    expected = values(predict_risk(problem))
    for attempts in ([(0.3, 8, 300)] * 3, [(0.1, 0, 1500)] * 3):
        monkeypatch.setattr(_fixed_point, "ATTEMPTS", attempts)
        np.testing.assert_allclose(values(predict_risk(problem)), expected, rtol=1e-7)
    monkeypatch.setattr(_fixed_point, "ATTEMPTS", [(0.8, 8, 1), (0.8, 8, 300), (0.8, 8, 1)])
    x, _, residual = _fixed_point._continue(problem)
    assert residual <= 1e-9
    np.testing.assert_allclose(_fixed_point._unpack(problem, x), expected[4:], rtol=1e-7)


@pytest.mark.slow
def test_predictions_converge_over_a_wide_range(rng):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for k in range(200):
            teacher, loss = CASES[k % len(CASES)]
            T = rng.integers(1, 11)
            A = rng.normal(size=(T, T + 2)) * 10 ** rng.uniform(-0.5, 0.5)
            noise = {"noise_var": 10 ** rng.uniform(-3, 1)} if teacher == "linear" else {}
            problem = AsymptoticProblem(
                10 ** rng.uniform(-1, 1, T),
                A @ A.T / (T + 2),
                teacher=teacher,
                loss=loss,
                penalty_matrix=penalty_matrix(
                    T, 10 ** rng.uniform(-4, 1), 10 ** rng.uniform(-3, 1)
                ),
                loss_weight=10 ** rng.uniform(-0.5, 0.5, T),
                **noise,
            )
            assert predict_risk(problem).converged


# the best penalty


GRAM = [[1.0, 0.7, 0.2], [0.7, 1.0, 0.4], [0.2, 0.4, 1.0]]
OPTIMA = {
    "unequal tasks": AsymptoticProblem(
        [0.5, 1.5, 0.8],
        [[1.0, 0.7, 0.2], [0.7, 2.0, 0.9], [0.2, 0.9, 1.5]],
        noise_var=[0.1, 0.4, 1.0],
        hidden_energy=[0.0, 0.1, 0.0],
        loss_weight=[0.5 / 0.1, 1.5 / 0.5, 0.8 / 1.0],
        penalty_matrix=np.eye(3),
    ),
    "correlated features": AsymptoticProblem(
        0.7, GRAM, noise_var=0.5, spectrum=SPECTRUM, penalty_matrix=np.eye(3)
    ),
    "signs": AsymptoticProblem(
        0.7, GRAM, teacher="sign", flip_proba=0.1, hidden_energy=0.2, penalty_matrix=np.eye(3)
    ),
    "logistic": AsymptoticProblem(1.5, GRAM, teacher="logistic", penalty_matrix=np.eye(3)),
}


@pytest.mark.parametrize("problem", OPTIMA.values(), ids=OPTIMA.keys())
def test_no_penalty_nearby_is_better_than_the_optimal_one(problem, rng):
    best = optimal_penalty(problem).penalty_matrix
    least = predict_risk(replace(problem, penalty_matrix=best)).generalization_error
    for _ in range(10):
        A = rng.normal(size=(3, 3))
        move = 0.3 * np.linalg.eigvalsh(best)[0] * (A + A.T) / np.abs(A + A.T).sum()
        other = predict_risk(replace(problem, penalty_matrix=best + move)).generalization_error
        assert (other > least).all()


@pytest.mark.parametrize("similarity", [0.0, 0.8])
def test_the_optimal_alphas_are_those_of_the_formula(similarity):
    best = optimal_penalty(alike(4, 0.5, similarity=similarity, noise_var=0.3, hidden_energy=0.1))
    shared = 0.4 / (0.5 * similarity) if similarity else np.inf
    assert best.alpha_shared == pytest.approx(shared)
    assert best.alpha_specific == pytest.approx(0.4 / (0.5 * (1 - similarity)))
    np.testing.assert_allclose(
        best.penalty_matrix, penalty_matrix(4, best.alpha_shared, best.alpha_specific), atol=1e-12
    )


def test_the_optimal_alphas_of_a_single_task_and_of_unlike_tasks():
    assert optimal_penalty(alike(1, 0.5))[:2] == (np.inf, pytest.approx(0.6))
    assert optimal_penalty(alike(3, 0.5, similarity=-0.2))[:2] == (None, None)
    assert optimal_penalty(OPTIMA["unequal tasks"])[:2] == (None, None)


@pytest.mark.parametrize("n_tasks", [1, 2, 5])
def test_with_the_optimal_penalty_there_is_no_double_descent(n_tasks):
    whole, errors = alike(n_tasks, 0.05, noise_var=0.2), []
    for p_over_n in np.geomspace(0.05, 20, 50):
        problem = whole.with_features(0.05 * p_over_n)
        best = optimal_penalty(problem).penalty_matrix
        errors.append(predict_risk(replace(problem, penalty_matrix=best)).generalization_error[0])
    assert (np.diff(errors) < 0).all()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"loss": "huber"}, "'squared_error' for the optimal penalty, got 'huber'"),
        ({"gram": np.ones((2, 2))}, "gram must be positive definite"),
        ({"noise_var": 0.0}, "must be positive for task 0: without noise"),
        ({"noise_var": [0.1, 0.2]}, "loss_weight must be proportional to sample_ratio"),
    ],
)
def test_an_optimal_penalty_that_has_no_closed_form_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        optimal_penalty(replace(alike(2), **change))


# implicit regularisation


@pytest.mark.parametrize("teacher, loss", [("linear", "huber"), ("sign", "log_loss")])
def test_the_effective_ridge_is_a_chain_of_springs(teacher, loss):
    lam0, lam = 0.3, np.array([0.5, 2.0, 1.0])
    problem = replace(unequal(teacher, loss=loss), penalty_matrix=penalty_matrix(3, lam0, lam))
    nu = _fixed_point.solve_fixed_point(problem).nu
    springs = lam * nu / (lam + nu)
    k0 = lam0 + springs[1] + springs[2]
    found = equivalent_single_task(problem, 0)
    assert found.effective_ridge == pytest.approx(1 / (1 / lam[0] + 1 / k0))
    kappa = _fixed_point.solve_fixed_point(problem).kappa
    np.testing.assert_allclose(found.center_coef[1:], (springs * kappa / nu)[1:] / k0)
    assert found.center_coef[0] == 0 and found.center_noise > 0


def test_other_tasks_raise_the_ridge_above_that_of_the_task_alone():
    ridges = [equivalent_single_task(alike(T, 1.0), 0).effective_ridge for T in (1, 2, 5, 10)]
    assert ridges[0] == pytest.approx(1 / (1 / 0.1 + 1 / 1.0))
    assert (np.diff(ridges) > 0).all()


def test_the_equivalent_of_a_task_that_is_not_there_or_not_isotropic_is_refused():
    with pytest.raises(ValueError, match="task must be below n_tasks=2, got 2"):
        equivalent_single_task(alike(2), 2)
    with pytest.raises(ValueError, match="spectrum must be None"):
        equivalent_single_task(alike(2, spectrum=SPECTRUM), 0)


# curves


@pytest.mark.parametrize("loss, teacher", [("squared_error", "linear"), ("hinge", "sign")])
def test_a_curve_holds_the_predictions_at_its_points(loss, teacher):
    options = {"loss": loss, "teacher": teacher, "alpha_shared": 0.01, "alpha_specific": 0.1}
    grid = [0.5, 1.5, 4.0]
    curve = double_descent_curve(3, 0.25, grid, similarity=0.8, **options)
    for k, ratio in enumerate(grid):
        seen = 0.25 * ratio
        problem = AsymptoticProblem(
            1 / ratio,
            seen * task_gram(3, 0.8),
            hidden_energy=1 - seen,
            loss=loss,
            teacher=teacher,
            penalty_matrix=penalty_matrix(3, 0.01, 0.1),
        )
        risk = predict_risk(problem)
        assert curve.generalization_error[k] == pytest.approx(
            risk.generalization_error[0], rel=1e-7
        )
        assert curve.training_error[k] == pytest.approx(risk.training_error[0], rel=1e-7)
    assert curve.p_over_n.tolist() == grid


def test_thresholds_of_regression_and_of_separation():
    for loss in RESIDUAL:
        assert interpolation_thresholds(4, loss) == {"single_task": 1.0, "pooled": 4.0}
    for loss in MARGIN[1:]:
        assert interpolation_thresholds(4, loss) == {"single_task": 0.5, "pooled": 2.0}


@pytest.mark.parametrize(
    "grid, options, message",
    [
        ([0.5, 5.0], {}, r"p_over_n must be in \(0, 4\], as p cannot exceed d = n/0.25, got 5"),
        ([0.0], {}, "p_over_n must be in"),
        ([[1.0]], {}, "p_over_n must be a 1-D array-like"),
        ([0.5], {"limit": "own"}, "limit must be one of"),
        ([1.0], {"limit": "joint"}, "sample_ratio must not be 1"),
    ],
)
def test_points_off_the_curve_are_refused(grid, options, message):
    with pytest.raises(ValueError, match=message):
        double_descent_curve(2, 0.25, grid, similarity=0.5, **options)


# bad input


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"gram": [[1.0, 2.0], [2.0, 1.0]]}, ValueError, "gram must be positive semi-definite"),
        ({"gram": [[1.0, 0.5], [0.0, 1.0]]}, ValueError, "gram must be symmetric"),
        ({"gram": np.ones((2, 3))}, ValueError, "gram must have shape"),
        ({"gram": [[np.nan]]}, ValueError, "gram must be finite"),
        ({"gram": "identity"}, TypeError, "gram must be a matrix of numbers"),
        ({"penalty_matrix": -np.eye(2)}, ValueError, "penalty_matrix must be positive semi"),
        ({"penalty_matrix": np.eye(3)}, ValueError, r"= \(2, 2\), got \(3, 3\)"),
        ({"sample_ratio": 0.0}, ValueError, r"sample_ratio must be in \(0, inf\), got 0"),
        ({"sample_ratio": [1.0, np.inf]}, ValueError, "got inf for task 1"),
        ({"sample_ratio": [1.0] * 3}, ValueError, "sample_ratio must be a number or 2 numbers"),
        ({"sample_ratio": "many"}, TypeError, "sample_ratio must be a number or 2 numbers"),
        ({"loss": "cauchy"}, ValueError, "loss must be one of .* got 'cauchy'"),
        ({"loss": "hinge"}, ValueError, "with teacher='linear', got 'hinge'"),
        ({"teacher": "cosine"}, ValueError, "teacher must be one of"),
        ({"noise_var": [0.1, -1.0]}, ValueError, r"noise_var must be in \[0, inf\), got -1"),
        ({"flip_proba": 0.1}, ValueError, "flip_proba must be 0 with teacher='linear'"),
        ({"loss_weight": 0.0}, ValueError, "loss_weight must be in"),
        ({"spectrum": [1.0, 2.0, 3.0]}, ValueError, "spectrum must be None or a pair"),
        ({"spectrum": ([1.0, 2.0], [1.0])}, ValueError, "as many weights as eigenvalues"),
        ({"spectrum": ([1.0, 0.0], [0.5, 0.5])}, ValueError, "eigenvalues of spectrum must be"),
        ({"spectrum": ([1.0, 2.0], [0.5, 0.6])}, ValueError, "sum to 1, got the sum 1.1"),
        ({"gram": np.zeros((2, 2)), "noise_var": 0.0}, ValueError, "its labels tell nothing"),
    ],
)
def test_a_problem_that_makes_no_sense_is_refused(change, error, message):
    with pytest.raises(error, match=message):
        replace(alike(2), **change)


def test_flips_and_losses_go_with_their_teachers():
    with pytest.raises(ValueError, match=r"flip_proba must be in \[0, 0\.5\]"):
        alike(2, teacher="sign", flip_proba=0.6)
    with pytest.raises(ValueError, match="with teacher='sign', got 'huber'"):
        alike(2, teacher="sign", loss="huber")
    with pytest.raises(ValueError, match="noise_var must be 0 with teacher='sign'"):
        alike(2, teacher="sign", noise_var=0.1)


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ((0, 0.5), ValueError, "n_tasks must be at least 1"),
        ((3, -0.6), ValueError, r"similarity must be in \[-0\.5, 1\]"),
        ((3, "alike"), TypeError, "similarity must be a number"),
        ((3, 0.5, np.inf), ValueError, "norm must be in"),
    ],
)
def test_gram_matrices_that_do_not_exist_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        task_gram(*arguments)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((2, -1.0, 1.0), r"alpha_shared must be in \[0, inf\]"),
        ((2, 1.0, np.inf), r"alpha_specific must be in \[0, inf\), got inf for task 0"),
        ((2, 1.0, [1.0, -1.0]), "alpha_specific must be in .* got -1 for task 1"),
    ],
)
def test_penalties_that_do_not_exist_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        penalty_matrix(*arguments)


def test_a_part_of_the_features_leaves_the_teacher_as_it_is():
    whole = unequal()
    part = whole.with_features(0.25)
    np.testing.assert_allclose(part.teacher_var, whole.teacher_var)
    np.testing.assert_allclose(part.sample_ratio, 4 * whole.sample_ratio)
    with pytest.raises(ValueError, match=r"fraction must be in \(0, 1\]"):
        whole.with_features(0.0)
