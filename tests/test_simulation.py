from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from skmtl import MultiTaskRidge, MultiTaskRidgeCV
from skmtl.asymptotics import (
    AsymptoticProblem,
    equivalent_single_task,
    penalty_matrix,
    predict_risk,
    ridgeless_risk,
    task_gram,
)
from skmtl.datasets import make_multitask_regression
from skmtl.losses import Hinge
from skmtl.simulation import estimate_problem, simulate_risk
from skmtl.simulation._estimators import FITS, WIDTHS, Rounded, estimator_fit
from skmtl.simulation._risk import _draw_truth

SPECTRUM = [0.2, 1.0, 5.0], [0.5, 0.3, 0.2]


def regression(n_tasks=3, ratio=0.5, **options):
    settings = {
        "gram": task_gram(n_tasks, 0.8),
        "noise_var": 0.3,
        "hidden_energy": 0.2,
        "penalty_matrix": penalty_matrix(n_tasks, alpha_shared=0.2, alpha_specific=1.0),
    }
    return AsymptoticProblem(ratio, **(settings | options))


def classification(n_tasks=3, ratio=1.0, **options):
    settings = {
        "gram": task_gram(n_tasks, 0.8),
        "teacher": "sign",
        "flip_proba": 0.05,
        "penalty_matrix": penalty_matrix(n_tasks, alpha_shared=0.05, alpha_specific=0.3),
    }
    return AsymptoticProblem(ratio, **(settings | options))


def assert_agree(risk, simulated, *, relative=0.03):
    """Within 4 standard errors, or 3 %: with 200 features the limit is off by a percent."""
    for name in ("generalization_error", "training_error"):
        predicted, found = getattr(risk, name), getattr(simulated, name)
        sem = getattr(simulated, f"{name}_sem")
        slack = np.maximum(4 * sem, relative * predicted + 1e-3)
        assert (np.abs(found - predicted) <= slack).all(), name


# prediction against simulation


@pytest.mark.parametrize(
    "problem",
    [
        regression(1, 0.5),
        regression(10, 0.5),
        regression(2, 2.0),
        regression(3, [0.3, 1.0, 1.5], noise_var=[0.1, 0.5, 1.0], loss_weight=[1.0, 2.0, 0.5]),
        regression(3, 0.7, spectrum=SPECTRUM),
        classification(3, 1.0),
        classification(3, 1.0, loss="log_loss"),
        classification(2, 0.5, loss="log_loss", teacher="logistic", gram=9 * task_gram(2, 0.8)),
    ],
)
def test_prediction_and_simulation_agree(problem):
    simulated = simulate_risk(problem, 200, 20, random_state=0)
    assert_agree(predict_risk(problem), simulated)


@pytest.mark.slow
@pytest.mark.parametrize(
    "problem",
    [
        regression(3, [0.3, 1.0, 1.5], loss="huber", loss_weight=[1.0, 2.0, 0.5], noise_var=2.0),
        classification(3, 1.0, loss="squared_hinge"),
        classification(2, [0.5, 1.5], loss="hinge", loss_weight=[1.0, 2.0]),
        # weak penalties and separable labels, where the way to the minimiser is long
        classification(2, 0.5, loss="hinge", penalty_matrix=penalty_matrix(2, 0.005, 0.02)),
    ],
)
def test_prediction_and_simulation_by_perceptrons_agree(problem):
    simulated = simulate_risk(problem, 100, 10, random_state=0)
    assert_agree(predict_risk(problem), simulated)


@pytest.mark.parametrize("limit, ratio", [("joint", 0.5), ("joint", 2.0), ("shared", 0.2)])
def test_ridgeless_prediction_and_simulation_agree(limit, ratio):
    problem = regression(3, ratio)
    simulated = simulate_risk(problem, 200, 20, random_state=0, limit=limit)
    assert_agree(ridgeless_risk(problem, limit=limit), simulated)


def test_the_prediction_reaches_beyond_normal_features():
    problem = regression(3, 0.5)
    for features in ("uniform", "rademacher", "exponential"):
        simulated = simulate_risk(problem, 200, 20, random_state=0, features=features)
        assert_agree(predict_risk(problem), simulated, relative=0.05)


def test_the_equivalent_single_task_has_the_risk_of_the_task_among_others():
    problem, p = regression(5, 1.0, hidden_energy=0.0), 200
    equivalent = equivalent_single_task(problem, 0)
    alone = replace(regression(1, 1.0, hidden_energy=0.0))
    errors = []
    for seed in range(20):
        rng = np.random.RandomState(seed)
        coef = np.linalg.cholesky(problem.gram) @ np.linalg.qr(rng.normal(size=(p, 5)))[0].T
        noise = rng.normal(size=p) * np.sqrt(equivalent.center_noise / p)
        centre = equivalent.center_coef @ coef + noise
        X = rng.normal(size=(p, p))
        y = alone.sample_labels(X @ coef[0], np.zeros(p, dtype=int), rng)
        ridge = X.T @ X / p + equivalent.effective_ridge * np.eye(p)
        w = centre + np.linalg.solve(ridge, X.T @ (y - X @ centre) / p)
        errors.append(alone.error_of([w @ coef[0]], [w @ w])[0])
    expected = predict_risk(problem).generalization_error[0]
    sem = np.std(errors, ddof=1) / np.sqrt(len(errors))
    assert abs(np.mean(errors) - expected) < max(4 * sem, 0.03 * expected)
    # what it is not: the task's own ridge without the others
    assert predict_risk(alone).generalization_error[0] > 1.2 * expected


# what is simulated


SLOPES = {  # of the losses in z
    "squared_error": lambda y, z: z - y,
    "huber": lambda y, z: np.clip(z - y, -1.35, 1.35),
    "log_loss": lambda y, z: -y * expit(-y * z),
    "squared_hinge": lambda y, z: -2 * y * np.maximum(0, 1 - y * z),
    "hinge": lambda y, z: -y * np.clip((1 - y * z) / WIDTHS[-1], 0, 1),  # rounded
}


@pytest.mark.parametrize("loss", FITS)
def test_estimators_minimise_the_objective_of_the_theory(loss):
    make = regression if loss in ("squared_error", "huber") else classification
    problem = make(3, [0.5, 1.0, 1.5], loss=loss, loss_weight=[1.0, 2.0, 0.5])
    seen = {}

    def remember(problem, X, y, task):
        seen["data"] = X, y, task
        return np.zeros((3, X.shape[1]))

    simulate_risk(problem, 20, 2, random_state=0, fit=remember)
    X, y, task = seen["data"]
    W = estimator_fit(problem, 20, None)(problem, X, y, task)
    z = np.sum(X * W[task], axis=1)
    slope = SLOPES[loss](y, z)
    weight = problem.loss_weight / problem.n_rows(20)
    gradient = problem.penalty_matrix @ W
    for t in range(3):
        gradient[t] += weight[t] * (slope[task == t] @ X[task == t])
    # the gradient of the data at zero coefficients is of order one; log loss stops at 1e-8 of it,
    # perceptrons at derivatives of 1e-8, the hinge 1e-5, in units of a few and over all rows
    np.testing.assert_allclose(gradient, 0, atol=1e-4 if loss == "hinge" else 1e-7)


def test_a_rounded_hinge_lies_within_half_its_width_below_the_hinge(rng):
    z, width, step = np.linspace(-2, 3, 1001), 0.3, 1e-6
    for y in (np.zeros(1001), np.ones(1001)):
        rounded = Rounded(Hinge(), width)
        below = Hinge().value(y, z) - rounded.value(y, z)
        # up to the rounding of sums of order one
        assert below.min() >= -1e-15 and below.max() == pytest.approx(width / 2, rel=1e-14)
        slope = (rounded.value(y, z + step) - rounded.value(y, z - step)) / (2 * step)
        # at a bend the difference sees the mean of two curvatures, a step off
        np.testing.assert_allclose(rounded.gradient(y, z), slope, atol=2 * step / width)


@pytest.mark.parametrize("spectrum", [None, SPECTRUM])
def test_true_coefficients_have_the_gram_exactly(spectrum, rng):
    problem = regression(3, spectrum=spectrum)
    variance, coef = _draw_truth(problem, 101, np.random.RandomState(0))
    np.testing.assert_allclose(coef @ coef.T, problem.gram, atol=1e-14)
    np.testing.assert_allclose(np.diag((coef * variance) @ coef.T), problem.seen_var, rtol=1e-12)


@pytest.mark.parametrize(
    "problem", [regression(2), classification(2), classification(2, teacher="logistic")]
)
def test_errors_from_overlaps_are_those_of_many_new_rows(problem, rng):
    n, coef = 200_000, np.sqrt([[0.8, 0.2], [0.8, 0.2]])
    problem = replace(problem, gram=coef @ coef.T)
    w = np.array([0.7, -0.2])
    X = rng.normal(size=(n, 2))
    y = problem.sample_labels(X @ coef[0], np.zeros(n, dtype=int), 0)
    wrong = (y - X @ w) ** 2 if problem.teacher == "linear" else y * (X @ w) < 0
    expected = problem.error_of([w @ coef[0]] * 2, [w @ w] * 2)[0]
    assert wrong.mean() == pytest.approx(expected, abs=4 * wrong.std() / np.sqrt(n))


def test_coefficients_of_zero_guess_the_sign():
    np.testing.assert_allclose(classification(2).error_of([0.0, 0.0], [0.0, 0.0]), 0.5)


def test_the_same_seed_gives_the_same_result_in_any_number_of_threads():
    first = simulate_risk(regression(2), 40, 4, random_state=3)
    second = simulate_risk(regression(2), 40, 4, random_state=3, n_jobs=2)
    np.testing.assert_array_equal(first.generalization_error, second.generalization_error)
    assert first.n_repeats == 4 and (first.generalization_error_sem > 0).all()


@pytest.mark.parametrize(
    "problem, options, message",
    [
        (regression(2, loss="absolute_error"), {}, "loss must be one of .* got 'absolute_error'"),
        (
            classification(2, loss="hinge"),
            {"limit": "joint"},
            "limit must be None with loss='hinge'",
        ),
        (
            regression(2, penalty_matrix=np.diag([1.0, 2.0])),
            {},
            "one alpha_shared and one alpha_specific",
        ),
        (regression(2, 0.33), {}, "must be a whole number of rows"),
        (regression(2), {"n_features": 1}, "must be a whole number of rows"),
        (regression(2, 1.0), {"n_features": 1}, "at least n_tasks=2 features, got 1 of 1"),
        (regression(2), {"n_repeats": 1}, "n_repeats must be at least 2"),
        (regression(2), {"features": "cauchy"}, "features must be one of"),
        (regression(2), {"limit": "own"}, "limit must be one of"),
        (regression(2), {"limit": "joint", "fit": min}, "limit must be None where fit is given"),
        (regression(2), {"n_jobs": 0}, "n_jobs must be None or an integer other than 0"),
    ],
)
def test_what_cannot_be_simulated_is_refused(problem, options, message):
    with pytest.raises(ValueError, match=message):
        simulate_risk(problem, **({"n_features": 20} | options))


# from data to theory


def draw(similarity, noise, seed, *, n=40, p=20, T=10):
    X, y, task = make_multitask_regression(
        n, p, T, similarity=similarity, noise=noise, common_design=False, random_state=seed
    )
    return np.column_stack([task, X]), y


@pytest.mark.slow
@pytest.mark.parametrize("similarity, noise", [(0.8, 1.0), (0.2, 1.0), (0.5, 0.5)])
def test_estimates_are_right_on_average_and_their_errors_honest(similarity, noise):
    estimates = [
        estimate_problem(*draw(similarity, noise, seed), task_column=0) for seed in range(16)
    ]
    truth = {"similarity": similarity, "signal_var": 1.0, "noise_var": noise**2}
    for name, value in truth.items():
        found = np.array([getattr(e, name) for e in estimates])
        spread = found.std(ddof=1)
        assert abs(found.mean() - value) < 4 * spread / np.sqrt(16), name
        claimed = np.mean([getattr(e, f"{name}_se") for e in estimates])
        # of 16 draws the spread is known to 18 %, and the jackknife errs on the large side
        assert 0.7 * spread < claimed < 2.5 * spread, name


def test_the_predicted_errors_are_those_of_the_true_problem():
    estimates = [estimate_problem(*draw(0.8, 1.0, seed, T=20), task_column=0) for seed in range(12)]
    truth = AsymptoticProblem(
        39 / 20,
        task_gram(20, 0.8),
        noise_var=1.0,
        penalty_matrix=penalty_matrix(20, 1 / (1.95 * 0.8), 1 / (1.95 * 0.2)),
    )
    expected = predict_risk(truth).generalization_error[0]
    found = np.array([e.predicted_error["sharing"] for e in estimates])
    assert abs(found.mean() - expected) < 4 * found.std(ddof=1) / np.sqrt(12)


def test_the_gain_is_seen_where_tasks_are_alike_but_not_equal():
    half = estimate_problem(*draw(0.6, 0.5, 0, n=60, p=40, T=30), task_column=0)
    assert half.gain > 2 * half.gain_se
    errors = half.predicted_error
    assert half.gain == min(errors["independent"], errors["pooled"]) - errors["sharing"]
    unrelated = estimate_problem(*draw(0.0, 0.5, 0, n=60, p=40, T=30), task_column=0)
    assert abs(unrelated.gain) < half.gain / 4
    assert unrelated.similarity == pytest.approx(0, abs=3 * unrelated.similarity_se)


def test_an_estimator_is_predicted_with_its_own_penalties():
    X, y = draw(0.8, 1.0, 0, n=200, T=5)
    model = MultiTaskRidge(20.0, 40.0, task_column=0)
    predicted = estimate_problem(X, y, model).predicted_error["sharing"]
    errors = []
    for seed in range(5):
        X, y, task, coef, _ = make_multitask_regression(
            200, 20, 5, similarity=0.8, noise=1.0, common_design=False, return_coef=True,
            random_state=seed,
        )  # fmt: skip
        W = model.fit(np.column_stack([task, X]), y).coef_
        errors.append(1 + np.mean(np.sum((W - coef) ** 2, axis=1)))
    # the estimated noise of the one data set is known to some 5 %
    assert predicted == pytest.approx(np.mean(errors), rel=0.15)


def test_a_pooled_estimator_has_an_infinite_penalty():
    X, y = draw(0.8, 1.0, 0)
    pooled = MultiTaskRidge(10.0, np.inf, task_column=0)
    errors = estimate_problem(X, y, pooled).predicted_error
    assert errors["sharing"] > errors["pooled"] * (1 - 1e-6)


def test_an_estimator_that_tunes_its_penalties_is_taken_to_find_the_best():
    X, y = draw(0.8, 1.0, 0)
    tuned = estimate_problem(X, y, MultiTaskRidgeCV(task_column=0))
    assert tuned.predicted_error == estimate_problem(X, y, task_column=0).predicted_error


def test_estimates_do_not_depend_on_units_or_origins():
    X, y = draw(0.8, 1.0, 0)
    first = estimate_problem(X, y, task_column=0)
    moved = X.copy()
    moved[:, 1:] = 1e3 * X[:, 1:] + X[:, :1]  # tasks are measured about means of their own
    second = estimate_problem(moved, 1e-4 * y + X[:, 0], task_column=0)
    assert second.similarity == pytest.approx(first.similarity, rel=1e-6)
    assert second.noise_var == pytest.approx(1e-8 * first.noise_var, rel=1e-6)
    assert second.gain == pytest.approx(1e-8 * first.gain, rel=1e-3)


def test_wide_labels_with_gaps_are_read_too():
    estimates = []
    for seed in range(12):
        X, Y = make_multitask_regression(
            150, 10, 6, similarity=0.7, noise=1.0, missing=0.4, random_state=seed
        )
        estimates.append(estimate_problem(X, Y))
    found = np.array([e.similarity for e in estimates])
    assert abs(found.mean() - 0.7) < 4 * found.std(ddof=1) / np.sqrt(12)
    np.testing.assert_allclose(
        estimates[0].sample_ratio, (np.sum(~np.isnan(Y), axis=0).mean() - 1) / 10, rtol=0.5
    )


def test_correlated_features_are_no_noise(rng):
    mixing = np.diag(np.sqrt(np.repeat([4.0, 0.25], 10)))
    estimates = []
    for seed in range(12):
        X, y, task, coef, _ = make_multitask_regression(
            60, 20, 10, similarity=0.8, common_design=False, return_coef=True, random_state=seed
        )
        Z = X @ mixing
        y = np.sum(Z * coef[task], axis=1) + np.random.default_rng(seed).normal(size=len(y))
        estimates.append(estimate_problem(np.column_stack([task, Z]), y, task_column=0))
    noise = np.array([e.noise_var for e in estimates])
    # the coefficients of a data set lean on one block or the other, by chance
    assert abs(noise.mean() - 1) < 4 * noise.std(ddof=1) / np.sqrt(12)
    values = estimates[0].problem.eigenvalues
    assert values.max() > 2.5 and values.min() < 0.5


def test_tasks_that_a_group_of_rows_takes_away_do_no_harm(rng):
    X, Y = rng.normal(size=(60, 3)), rng.normal(size=(60, 4))
    Y[np.arange(60) % 20 > 0, 3] = np.nan  # three labels, all in one group of the jackknife
    estimate = estimate_problem(X, Y)
    assert np.isfinite([estimate.similarity_se, estimate.noise_var_se, estimate.gain_se]).all()


def test_labels_that_hold_no_estimate_are_refused(rng):
    X = rng.normal(size=(8, 3))
    with pytest.raises(ValueError, match="at least two tasks"):
        estimate_problem(X, rng.normal(size=8))
    Y = rng.normal(size=(8, 2))
    Y[2:, 1] = np.nan
    with pytest.raises(ValueError, match="at least 3 labels for the estimate, got 2 for task 1"):
        estimate_problem(X, Y)
    with pytest.raises(ValueError, match="X must vary"):
        estimate_problem(np.ones((8, 3)), rng.normal(size=(8, 2)))
    with pytest.raises(ValueError, match="y must vary within a task"):
        estimate_problem(X, np.ones((8, 2)))
    with pytest.raises(ValueError, match="task_weight must be None or an array"):
        estimate_problem(X, rng.normal(size=(8, 2)), MultiTaskRidge(task_weight="balanced"))
