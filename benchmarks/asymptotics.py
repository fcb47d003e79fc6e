"""What the theory predicts beside what simulations show, and the time of a prediction."""

import time
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import RidgeCV

from skmtl import IndependentTasks, MultiTaskRidgeCV, PooledTasks
from skmtl.asymptotics import (
    AsymptoticProblem,
    double_descent_curve,
    equivalent_single_task,
    penalty_matrix,
    predict_risk,
    ridgeless_risk,
    task_gram,
)
from skmtl.datasets import make_multitask_regression
from skmtl.simulation import estimate_problem, simulate_risk

from ._reference import fit_centred, fit_reference
from ._timing import print_table

BAR = 0.02  # relative difference that counts as agreement where standard errors are small
STANDARD_ERRORS = 4
FITTED_BY = {
    "squared_error": "MultiTaskRidge",
    "log_loss": "MultiTaskLogisticRegression",
    "huber": "MultiTaskPerceptron",
    "hinge": "MultiTaskPerceptron, rounded",
    "squared_hinge": "MultiTaskPerceptronClassifier",
}
SHAPES = "uniform", "rademacher", "exponential"


class Setting(NamedTuple):
    """A row of the acceptance table."""

    title: str
    problem: AsymptoticProblem
    limit: str | None = None
    reference: bool = False  # where no estimator has the penalty


def main(quick=False):
    """Print the tables; `quick` takes every third setting, fewer features and data sets."""
    size = {"n_features": 120, "n_repeats": 8} if quick else {"n_features": 400, "n_repeats": 40}
    rows = [row_of(setting, **size) for setting in settings()[:: 3 if quick else 1]]
    print_table(
        f"Test error, mean over tasks; p = {size['n_features']}, {size['n_repeats']} data sets; "
        f"ok: every task within {STANDARD_ERRORS} s.e. or {BAR:.0%}",
        COLUMNS,
        rows,
    )
    print(f"\n{sum(row[VERDICT] == 'ok' for row in rows)} of {len(rows)} settings agree.")
    print_table(
        "A task among others, and the single task that is equivalent to it, simulated",
        ["loss", "T", "ridge alone", "effective ridge", "predicted", "simulated", "s.e.", ""],
        [equivalence_row(loss, T, **size) for loss in LOSSES for T in ((5,) if quick else (2, 10))],
    )
    print_table(
        "Features that are not normal: test error, simulated over predicted, with its s.e.",
        ["loss", *SHAPES],
        [shape_row(loss, **size) for loss in ("squared_error", "log_loss")],
    )
    print_table(
        "Gain of sharing as one data set shows it before a fit, and that of fitted models: mean "
        "squared error of the better of independent and pooled ridges less MultiTaskRidgeCV's",
        ["n", "p", "T", "similarity", "noise", "similarity seen", "gain seen", "gain of fits"],
        [gain_row(*case, n_repeats=4 if quick else 10) for case in GAINS],
    )
    print_table("CPU time of a prediction", ["what", "ms"], list(times()))


COLUMNS = [
    *("setting", "T", "n/p", "loss", "fitted by", "predicted", "simulated", "s.e."),
    *("worst task", "in s.e.", "", "training, predicted", "training, simulated"),
]
VERDICT = COLUMNS.index("")


def row_of(setting, n_features, n_repeats):
    """Prediction and simulation of a setting, as strings."""
    problem, limit = setting.problem, setting.limit
    risk = predict_risk(problem) if limit is None else ridgeless_risk(problem, limit=limit)
    with_estimator = problem.loss in FITTED_BY and not setting.reference
    fit = None if with_estimator else fit_reference
    simulated = simulate_risk(problem, n_features, n_repeats, 0, limit=limit, fit=fit)
    predicted, found = risk.generalization_error, simulated.generalization_error
    sem, alpha = simulated.generalization_error_sem, problem.sample_ratio
    difference = np.abs(found - predicted)
    return [
        setting.title,
        str(problem.n_tasks),
        f"{alpha.min():.3g}" + (f" to {alpha.max():.3g}" if np.ptp(alpha) else ""),
        problem.loss,
        FITTED_BY[problem.loss] if with_estimator else "reference",
        *(f"{values.mean():.4f}" for values in (predicted, found, sem)),
        f"{(difference / predicted).max():.1%}",
        f"{(difference / sem).max():.1f}",
        verdict(difference, sem, predicted),
        *(f"{values.mean():.4f}" for values in (risk.training_error, simulated.training_error)),
    ]


def verdict(difference, sem, predicted):
    """Whether all differences are within the bar or the standard errors."""
    return (
        "ok" if (difference <= np.maximum(STANDARD_ERRORS * sem, BAR * predicted)).all() else "OFF"
    )


def settings():
    """Tasks 1 to 10, every loss, fewer and more rows than features, tasks alike and unequal."""
    found = []
    for T, ratio in ((1, 0.5), (1, 2.0), (2, 0.5), (2, 2.0), (5, 0.5), (10, 0.5), (10, 1.5)):
        found.append(Setting("alike tasks", regression(T, ratio)))
    for loss in ("huber", "absolute_error"):
        for T, ratio in ((1, 1.5), (2, 0.6), (5, 1.5)):
            found.append(Setting("alike, noisy", regression(T, ratio, loss=loss, noise_var=2.0)))
    for loss in ("squared_error", *MARGINS):
        for T, ratio in ((1, 2.0), (3, 0.5), (10, 1.0)):
            found.append(Setting("signs, 5 % flipped", signs(T, ratio, loss=loss)))
    for loss in MARGINS:
        logistic = signs(4, 1.0, loss=loss, teacher="logistic", gram=task_gram(4, 0.7, norm=9.0))
        found.append(Setting("logistic teacher, 5 % flipped", logistic))
    for loss in ("squared_error", "huber"):
        found.append(Setting("unequal tasks", replace(unequal(), loss=loss), reference=True))
    for loss in MARGINS:
        found.append(Setting("unequal tasks", unequal_signs(loss), reference=True))
    spectrum = [0.2, 1.0, 5.0], [0.5, 0.3, 0.2]
    for problem in (regression(3, 0.5), regression(3, 2.0), signs(3, 1.0, loss="hinge")):
        found.append(Setting("correlated features", replace(problem, spectrum=spectrum)))
    for limit, T, ratio in (("joint", 3, 0.5), ("joint", 3, 2.0), ("shared", 3, 0.2)):
        found.append(Setting(f"{limit} ridgeless", regression(T, ratio), limit))
    found.append(Setting("shared ridgeless", regression(3, 0.6), "shared"))
    return found


MARGINS = "log_loss", "hinge", "squared_hinge"
LOSSES = "squared_error", "absolute_error", "log_loss", "hinge"


def regression(T, ratio, **options):
    """Alike tasks with a fifth of the signal hidden."""
    options = {"noise_var": 0.2, "hidden_energy": 0.2, **options}
    penalty = penalty_matrix(T, alpha_shared=0.2, alpha_specific=1.0)
    return AsymptoticProblem(ratio, 0.8 * task_gram(T, 0.8), penalty_matrix=penalty, **options)


def signs(T, ratio, *, gram=None, **options):
    """Alike classification tasks."""
    gram = task_gram(T, 0.8) if gram is None else gram
    penalty = penalty_matrix(T, alpha_shared=0.05, alpha_specific=0.3)
    options = {"teacher": "sign", "flip_proba": 0.05, **options}
    return AsymptoticProblem(ratio, gram, penalty_matrix=penalty, **options)


def unequal():
    """Tasks that differ in everything, on a chain: each neighbour pulls at the next."""
    chain = np.array([[1.0, -1.0, 0.0], [-1.0, 2.0, -1.0], [0.0, -1.0, 1.0]])
    return AsymptoticProblem(
        [0.4, 1.5, 0.8],
        [[1.0, 0.7, 0.2], [0.7, 2.0, 0.9], [0.2, 0.9, 1.5]],
        noise_var=[0.1, 0.5, 0.3],
        hidden_energy=[0.0, 0.2, 0.1],
        loss_weight=[1.0, 2.0, 0.5],
        penalty_matrix=0.5 * chain + 0.1 * np.eye(3),
    )


def unequal_signs(loss):
    """The same tasks, of which the signs are seen."""
    return replace(unequal(), teacher="sign", loss=loss, noise_var=0.0, flip_proba=[0.0, 0.1, 0.05])


def equivalence_row(loss, T, n_features, n_repeats):
    """The first of T tasks, and the single task that `equivalent_single_task` gives for it."""
    problem = (regression if loss in ("squared_error", "absolute_error") else signs)(
        T, 1.0, loss=loss
    )
    equivalent = equivalent_single_task(problem, 0)
    alone = replace(problem.with_tasks([0]), penalty_matrix=[[equivalent.effective_ridge]])
    errors = np.array(
        [equivalent_error(problem, equivalent, alone, n_features, k) for k in range(n_repeats)]
    )
    predicted = predict_risk(problem).generalization_error[0]
    sem = errors.std(ddof=1) / np.sqrt(n_repeats)
    return [
        loss,
        str(T),
        f"{1 / np.linalg.inv(problem.penalty_matrix)[0, 0]:.3f}",
        f"{equivalent.effective_ridge:.3f}",
        *(f"{value:.4f}" for value in (predicted, errors.mean(), sem)),
        verdict(np.abs(errors.mean() - predicted), sem, predicted),
    ]


def equivalent_error(problem, equivalent, alone, n_features, seed):
    """Test error of the single task about its centre, on one data set."""
    rng = np.random.RandomState(seed)
    T, (n,) = problem.n_tasks, alone.n_rows(n_features)
    frame = np.linalg.qr(rng.standard_normal((n_features, T)))[0]
    coef = np.linalg.cholesky(problem.gram) @ frame.T
    noise = rng.standard_normal(n_features) * np.sqrt(equivalent.center_noise / n_features)
    X = rng.standard_normal((n, n_features))
    y = alone.sample_labels(X @ coef[0], np.zeros(n, dtype=int), rng)
    w = fit_centred(alone, X, y, equivalent.center_coef @ coef + noise)
    return alone.error_of([w @ coef[0]], [w @ w])[0]


def shape_row(loss, n_features, n_repeats):
    """How far the prediction reaches beyond normal features."""
    problem = regression(3, 0.5) if loss == "squared_error" else signs(3, 1.0, loss=loss)
    predicted = predict_risk(problem).generalization_error.mean()
    cells = [loss]
    for shape in SHAPES:
        found = simulate_risk(problem, n_features, n_repeats, 0, features=shape)
        ratio = found.generalization_error.mean() / predicted
        cells.append(f"{ratio:.3f} ({found.generalization_error_sem.mean() / predicted:.3f})")
    return cells


def gain_row(n, p, T, similarity, noise, n_repeats):
    """Means over data sets, with their standard deviations from one to the next."""
    seen, gains, fits = [], [], []
    for seed in range(n_repeats):
        X, y, task, coef, _ = make_multitask_regression(
            *(n, p, T),
            similarity=similarity,
            noise=noise,
            common_design=False,
            return_coef=True,
            random_state=seed,
        )
        Z = np.column_stack([task, X])
        estimate = estimate_problem(Z, y, task_column=0)
        seen.append(estimate.similarity)
        gains.append(estimate.gain)
        errors = [excess(model, Z, y, coef) for model in MODELS]
        fits.append(min(errors[1:]) - errors[0])
    found = (
        f"{np.mean(values):.3f} ({np.std(values, ddof=1):.3f})" for values in (seen, gains, fits)
    )
    return [str(value) for value in (n, p, T, similarity, noise)] + [*found]


def excess(model, Z, y, coef):
    """Mean over tasks of the squared distance of the coefficients from the true ones."""
    T, p = coef.shape
    model.fit(Z, y)
    rows = np.concatenate([np.zeros((1, p)), np.eye(p)])  # the first gives the intercept
    W = np.stack([model.predict(np.column_stack([np.full(p + 1, t), rows])) for t in range(T)])
    return np.mean(np.sum((W[:, 1:] - W[:, :1] - coef) ** 2, axis=1))


GAINS = [
    *((60, 40, 20, 0.6, 0.5), (60, 40, 20, 0.6, 1.0), (30, 40, 20, 0.6, 1.0)),
    *((60, 40, 20, 0.0, 0.5), (60, 40, 20, 0.95, 1.0), (200, 40, 20, 0.6, 0.5)),
]
ALPHAS = np.logspace(-1, 5, 25)
MODELS = [
    MultiTaskRidgeCV(task_column=0),
    IndependentTasks(RidgeCV(ALPHAS), task_column=0),
    PooledTasks(RidgeCV(ALPHAS), task_column=0),
]


def times():
    """CPU milliseconds of predictions and of a curve."""
    for loss in ("squared_error", "huber", "absolute_error"):
        yield [
            f"predict_risk, {loss}, T = 10",
            milliseconds(predict_risk, regression(10, 1.0, loss=loss)),
        ]
    for teacher in ("sign", "logistic"):
        for loss in MARGINS:
            problem = signs(10, 1.0, loss=loss, teacher=teacher)
            yield [
                f"predict_risk, {loss}, {teacher} teacher, T = 10",
                milliseconds(predict_risk, problem),
            ]
    grid = np.geomspace(0.1, 9.9, 100)
    for loss, teacher in (("squared_error", "linear"), ("log_loss", "sign"), ("hinge", "sign")):
        options = {"similarity": 0.8, "alpha_shared": 1e-3, "alpha_specific": 0.1}
        options |= {"loss": loss, "teacher": teacher}
        took = milliseconds(lambda o=options: double_descent_curve(5, 0.1, grid, **o))
        yield [f"double_descent_curve, {loss}, T = 5, 100 points", took]


def milliseconds(function, *args):
    start = time.process_time()
    function(*args)
    return f"{1e3 * (time.process_time() - start):.1f}"
