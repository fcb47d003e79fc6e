"""Smooth convex problems: blocks, derivatives, Newton steps, approximate leave-one-out."""

import numpy as np
import pytest
import scipy.sparse
from _classification import Dense, binary, class_sets, several
from _samplers import as_long, one_label_a_row, with_holes

from skmtl._backend import place_of, to_numpy
from skmtl._data import long_data, wide_data
from skmtl._input._classes import task_classes
from skmtl.losses import LogLoss, MultinomialLogLoss
from skmtl.penalties import SharedSpecific
from skmtl.solvers import (
    HeldOutLoss,
    SmoothProblem,
    _smooth_blocks,
    choose_smooth_solver,
    leave_one_out_losses,
)
from skmtl.solvers._irls import ArrowFactor
from skmtl.solvers._newton import minimise
from skmtl.solvers._newton_cg import arrow_jacobi, newton_cg_step

ALPHAS = {
    "free": (0.5, 2.0, 0.0),
    "shrunk": (0.5, 2.0, 0.7),
    "common": (0.5, 2.0, np.inf),
    "pooled": (0.5, np.inf, np.inf),
    "dummies": (0.5, np.inf, 0.3),
    "independent": (np.inf, 2.0, 0.0),
}
every_alphas = pytest.mark.parametrize("alphas", ALPHAS.values(), ids=ALPHAS)
every_sample = pytest.mark.parametrize("sample", [binary, several])
FORMATS = ("complete", "holes", "one-a-row", "long")
every_format = pytest.mark.parametrize("kind", FORMATS)
LIMITS = {"tol": 1e-10, "max_iter": 100}


def make_problem(X, Y, kind, *, alphas, place=np.asarray, omega=None, weight=None, **options):
    """(SmoothProblem with its penalty set, Y as it was used)."""
    Y = {"holes": with_holes, "one-a-row": one_label_a_row}.get(kind, np.array)(Y)
    T = Y.shape[1]
    if kind == "long":
        table, y = as_long(X, Y)
        codes = table[:, -1].astype(int)
        data, labelled = long_data(place(table[:, :-1]), y, codes, T, weight)
    else:
        data, labelled = wide_data(place(X), Y, weight)
    labels = data.labels
    values = np.arange(int(np.nanmax(Y)) + 1)
    classes = task_classes(values, labels.y, labels.task, T, models_only=True)
    problem = SmoothProblem(
        data,
        LogLoss() if classes.is_binary else MultinomialLogLoss(),
        classes.units(labelled),
        np.ones(T) if omega is None else omega,
        fit_intercept=options.pop("fit_intercept", True),
        free_intercept=alphas[2] == 0,
        **options,
    )
    return problem.set_penalty(SharedSpecific(*alphas)), Y


def random_point(problem, rng, size=0.5):
    shape = problem.zeros().shape
    return problem.at(problem.put(size * rng.normal(size=shape)) * problem.taken)


# value, gradient and curvature


@every_sample
@every_format
@every_alphas
def test_the_gradient_is_the_derivative_of_the_value(sample, kind, alphas, rng):
    X, Y = sample()
    problem, _ = make_problem(X, Y, kind, alphas=alphas, omega=rng.uniform(0.5, 2, Y.shape[1]))
    point = random_point(problem, rng)
    gradient = problem.gradient(point)
    for _ in range(5):
        step = rng.normal(size=gradient.shape) * problem.taken
        # central differences of sums of 100 losses: error 1e-10 of the third derivative
        slope = problem.at(point.P + 1e-5 * step).value - problem.at(point.P - 1e-5 * step).value
        assert slope / 2e-5 == pytest.approx(np.sum(gradient * step), rel=1e-6, abs=1e-6)
    assert not np.any(gradient[problem.taken == 0])


@every_sample
@every_format
@every_alphas
def test_the_product_is_the_derivative_of_the_gradient(sample, kind, alphas, rng):
    X, Y = sample()
    problem, _ = make_problem(X, Y, kind, alphas=alphas, omega=rng.uniform(0.5, 2, Y.shape[1]))
    point = random_point(problem, rng)
    step = rng.normal(size=point.P.shape) * problem.taken
    ahead, behind = (problem.gradient(problem.at(point.P + e * step)) for e in (1e-5, -1e-5))
    product = problem.product(problem.second_order(point.scores), step)
    np.testing.assert_allclose((ahead - behind) / 2e-5, product, rtol=1e-6, atol=1e-5)


@every_sample
@every_format
def test_the_diagonal_is_that_of_the_products(sample, kind, rng):
    X, Y = sample(n=20)
    problem, _ = make_problem(X, Y, kind, alphas=(0.5, 2.0, 0.7))
    second = problem.second_order(random_point(problem, rng).scores)
    D, C = problem.diagonals(second), problem.layout.n_channels
    for index in np.ndindex(D.shape):
        unit = np.zeros(problem.zeros().shape)
        unit[C + index[0], index[1]] = 1.0
        image = problem.product(second, unit)[C + index[0], index[1]]
        assert image - problem.A[C + index[0], index[1]] == pytest.approx(D[index], rel=1e-10)


@every_sample
@every_format
@pytest.mark.parametrize("alphas", [(0.5, 2.0, 0.0), (0.5, 2.0, 0.7)], ids=str)
def test_every_place_computes_the_same(sample, kind, alphas, xp_place, rng):
    X, Y = sample(n=20)
    here, _ = make_problem(X, Y, kind, alphas=alphas)
    there, _ = make_problem(X, Y, kind, alphas=alphas, place=xp_place)
    P = 0.5 * rng.normal(size=here.zeros().shape) * here.taken
    own, other = here.at(P), there.at(there.put(P))
    assert place_of(other.P) == xp_place.place
    assert other.value == pytest.approx(own.value, rel=1e-12)
    np.testing.assert_allclose(to_numpy(there.gradient(other)), here.gradient(own), atol=1e-10)
    # the polishing step squares the error
    solutions = [p.solve(SharedSpecific(*alphas), solver="newton-cg", polish=True, **LIMITS)[0]
                 for p in (here, there)]  # fmt: skip
    np.testing.assert_allclose(to_numpy(solutions[1].W), solutions[0].W, rtol=0, atol=1e-9)
    np.testing.assert_allclose(to_numpy(solutions[1].b), solutions[0].b, rtol=0, atol=1e-9)


# blocks


@every_sample
@pytest.mark.parametrize("sparse", [False, True])
def test_stacks_and_tables_of_single_tasks_are_the_same_problem(sample, sparse, monkeypatch, rng):
    """Padding rows weigh nothing, whatever the sizes of the tasks."""
    X, Y = sample(n=60)
    Y = np.where(rng.random(Y.shape) < np.linspace(0.0, 0.7, Y.shape[1]), np.nan, Y)
    place = scipy.sparse.csr_array if sparse else np.asarray
    for alphas in ((0.5, 2.0, 0.0), (0.5, 2.0, 0.7)):
        found = []
        for large, padding in ((200_000, 1.3), (200_000, 100.0), (0, 1.0)):
            monkeypatch.setattr(_smooth_blocks, "LARGE", large)
            monkeypatch.setattr(_smooth_blocks, "PADDING", padding)
            problem, _ = make_problem(X, Y, "long", alphas=alphas, place=place)
            solution, _ = problem.solve(SharedSpecific(*alphas), solver="irls", **LIMITS)
            found.append((solution, len(problem.blocks)))
        for solution, _ in found[1:]:
            np.testing.assert_allclose(solution.W, found[0][0].W, rtol=0, atol=1e-10)
            np.testing.assert_allclose(solution.b, found[0][0].b, rtol=0, atol=1e-10)
        assert found[2][1] == Y.shape[1]  # each task by itself
        if not sparse:
            assert found[1][1] == len({len(c) for c in class_sets(Y)})  # one stack a size of units


def test_features_are_neither_copied_nor_written_for_tasks_of_their_own_table(rng):
    X = rng.normal(size=(300, 3))
    X.flags.writeable = False
    _, Y = binary(n=300)
    for kind in FORMATS:
        problem, _ = make_problem(X, Y, kind, alphas=(0.5, 2.0, 0.0))
        assert np.isfinite(problem.at(problem.zeros()).value)


# Newton steps


@every_sample
@every_format
@every_alphas
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_elimination_solves_the_newton_equations(sample, kind, alphas, fit_intercept, rng):
    X, Y = sample()
    problem, _ = make_problem(X, Y, kind, alphas=alphas, fit_intercept=fit_intercept)
    point = random_point(problem, rng)
    if sample is several and (fit_intercept and alphas[2] != 0):
        # moving all intercepts alike is free: equations for what any point's gradient may be
        point, _, _ = minimise(problem, newton_cg_step, tol=0.1, max_iter=1)
    gradient, second = problem.gradient(point), problem.second_order(point.scores)
    step = ArrowFactor(problem, second).solve(-gradient)
    residual = problem.product(second, step) + gradient
    assert np.abs(residual).max() < 1e-10 * np.abs(gradient).max()
    assert not np.any(step[problem.taken == 0])


@every_format
@pytest.mark.parametrize("alphas", [ALPHAS[k] for k in ("free", "shrunk", "pooled")], ids=str)
def test_the_preconditioner_is_positive_and_exact_for_a_diagonal_hessian(kind, alphas, rng):
    """One feature, no intercept: the Hessian of each task is its diagonal."""
    X, Y = binary(p=1)
    problem, _ = make_problem(X, Y, kind, alphas=alphas, fit_intercept=False)
    point = random_point(problem, rng)
    second, gradient = problem.second_order(point.scores), problem.gradient(point)
    step = arrow_jacobi(problem, problem.diagonals(second))(-gradient)
    np.testing.assert_allclose(problem.product(second, step), -gradient, atol=1e-11)
    X, Y = several()
    problem, _ = make_problem(X, Y, kind, alphas=alphas)
    precondition = arrow_jacobi(
        problem, problem.diagonals(problem.second_order(problem.at(problem.zeros()).scores))
    )
    a, b = (rng.normal(size=problem.zeros().shape) * problem.taken for _ in "ab")
    assert np.sum(a * precondition(b)) == pytest.approx(np.sum(b * precondition(a)))
    assert np.sum(a * precondition(a)) > 0


@every_sample
@pytest.mark.parametrize("solver", ["irls", "newton-cg"])
def test_a_warm_start_ends_where_a_cold_one_does_in_fewer_steps(sample, solver):
    X, Y = sample()
    problem, _ = make_problem(X, Y, "holes", alphas=(1.0, 2.0, 0.7))
    _, near = problem.solve(SharedSpecific(1.0, 2.0, 0.7), solver=solver, **LIMITS)
    cold, _ = problem.solve(SharedSpecific(0.9, 2.0, 0.7), solver=solver, **LIMITS)
    warm, _ = problem.solve(SharedSpecific(0.9, 2.0, 0.7), solver=solver, start=near, **LIMITS)
    assert warm.n_iter < cold.n_iter
    np.testing.assert_allclose(warm.W, cold.W, rtol=0, atol=1e-8)
    np.testing.assert_allclose(warm.b, cold.b, rtol=0, atol=1e-8)


@pytest.mark.parametrize("solver", ["irls", "newton-cg"])
def test_a_start_is_cut_to_the_coordinates_that_take_part(solver):
    X, Y = binary()
    problem, _ = make_problem(X, Y, "holes", alphas=(1.0, 2.0, 0.7))
    _, start = problem.solve(SharedSpecific(1.0, 2.0, 0.7), solver=solver, **LIMITS)
    for alphas in ((np.inf, 2.0, 0.7), (1.0, np.inf, np.inf)):
        cold, _ = problem.solve(SharedSpecific(*alphas), solver=solver, **LIMITS)
        warm, _ = problem.solve(SharedSpecific(*alphas), solver=solver, start=start, **LIMITS)
        np.testing.assert_allclose(warm.W, cold.W, rtol=0, atol=1e-8)


@every_sample
@pytest.mark.parametrize("unit", [1e-100, 1e-8, 1e8, 1e100])
def test_elimination_does_not_depend_on_the_units_of_the_features(sample, unit, rng):
    """Regression: what was added to diagonals came from features and intercepts alike."""
    X, Y = sample()
    for scales in (np.full(3, unit), np.array([1.0, unit, 1.0])):
        steps = []
        for s in (np.ones(3), scales):
            problem, _ = make_problem(X * s, Y, "holes", alphas=(0.5, 2.0, 0.7))
            column = np.append(s, 1.0)
            problem.A = problem.A * np.where(np.arange(4) < 3, column**2, 1.0)
            gradient = problem.gradient(problem.at(problem.zeros()))
            second = problem.second_order(problem.at(problem.zeros()).scores)
            steps.append(ArrowFactor(problem, second).solve(-gradient) * column)
        np.testing.assert_allclose(steps[1], steps[0], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("alphas", [(1e-12, 1e-12, 0.0), (1e-12, 1e-10, np.inf), (1e-12, 1e3, 0.7)],
                         ids=str)  # fmt: skip
@every_sample
def test_elimination_is_stable_for_penalties_far_below_the_curvature(sample, alphas, rng):
    """Regression: H - H B^-1 H lost its digits, and the tip was not positive."""
    X, Y = sample()
    X = np.column_stack([X, X[:, 0]])  # a direction that penalties alone determine
    problem, _ = make_problem(X, Y, "holes", alphas=alphas)
    solution, _ = problem.solve(SharedSpecific(*alphas), solver="irls", tol=1e-6, max_iter=30)
    assert solution.converged
    np.testing.assert_allclose(solution.W[:, 0], solution.W[:, -1], atol=1e-3)


def test_auto_takes_exact_steps_for_few_coefficients_of_numpy_data(xp_place):
    X, Y = binary()
    layout = make_problem(X, Y, "complete", alphas=(1.0, 1.0, 0.0))[0].layout
    expected = "irls" if xp_place.place.xp is place_of(X).xp else "newton-cg"
    assert choose_smooth_solver("auto", layout, xp_place(X)) == expected
    assert choose_smooth_solver("auto", layout, np.zeros((5, 2000))) == "newton-cg"
    assert choose_smooth_solver("irls", layout, np.zeros((5, 2000))) == "irls"


# solutions


@every_sample
@every_format
@every_alphas
def test_rows_of_a_solution_are_the_units_of_the_tasks_in_turn(sample, kind, alphas):
    X, Y = sample()
    problem, Y = make_problem(X, Y, kind, alphas=alphas)
    solution, _ = problem.solve(SharedSpecific(*alphas), solver="irls", polish=True, **LIMITS)
    dense = Dense(X, Y, alphas)
    np.testing.assert_allclose(solution.W, np.vstack(dense.coefficients), rtol=0, atol=1e-8)
    np.testing.assert_allclose(solution.shared, np.atleast_2d(dense.shared), rtol=0, atol=1e-8)
    scores = X @ solution.W.T + solution.b
    for t, units in enumerate(np.split(np.arange(len(solution.W)), dense.first[1:-1])):
        own, expected = scores[:, units], dense.scores(X, t)
        if sample is several:  # one number for all classes is free
            own, expected = (z - z.mean(axis=1, keepdims=True) for z in (own, expected))
        np.testing.assert_allclose(own, expected, rtol=0, atol=1e-8)


@every_sample
def test_the_largest_losses_are_those_of_observed_labels(sample):
    X, Y = sample()
    problem, Y = make_problem(X, Y, "holes", alphas=(0.5, 2.0, 0.7))
    _, point = problem.solve(SharedSpecific(0.5, 2.0, 0.7), solver="irls", **LIMITS)
    dense = Dense(X, Y, (0.5, 2.0, 0.7))
    losses = dense.losses(dense.theta)
    expected = [losses[dense.task == t].max() for t in range(Y.shape[1])]
    np.testing.assert_allclose(problem.largest_losses(point), expected, rtol=1e-7)


# approximate leave-one-out


def left_out(dense, step, wide):
    """Loss of each label after `step`, of weights without it or, in wide data, without its row."""
    losses = np.empty(len(dense.row))
    for i in range(len(dense.row)):
        out = dense.row == dense.row[i] if wide else np.arange(len(dense.row)) == i
        weights = dense.weights - np.where(out, np.minimum(dense.weights, 1.0), 0.0)
        losses[i] = dense.losses(step(weights))[i]
    return losses


def alo_losses(problem, point, dense, unit):
    """Approximate losses in the order of the reference's labels."""
    losses = leave_one_out_losses(problem, point, unit)
    by_label = np.full(len(problem_labels(problem)), np.nan)
    for block, loss in zip(problem.blocks, losses, strict=True):
        seen = block.rows >= 0
        by_label[block.rows[seen]] = loss[:, 0, :][seen]
    return by_label


def problem_labels(problem):
    return np.concatenate([block.rows[block.rows >= 0] for block in problem.blocks])


def reference_order(problem, dense, X, kind):
    """For each label of the reference, its number in the problem."""
    labels = problem_labels(problem)
    order = np.lexsort((dense.row, dense.task))
    if kind != "long":
        numbers = np.empty(len(labels), dtype=int)
        numbers[order] = np.arange(len(labels))
        return numbers
    table, _ = as_long(X, dense_labels(dense, len(X)))
    position = {(tuple(x[:-1]), int(x[-1])): k for k, x in enumerate(
        table[np.argsort(table[:, -1], kind="stable")])}  # fmt: skip
    return np.array([position[tuple(X[i]), t] for i, t in zip(dense.row, dense.task, strict=True)])


def dense_labels(dense, n):
    Y = np.full((n, len(dense.classes)), np.nan)
    Y[dense.row, dense.task] = 0.0
    return Y


@every_sample
@pytest.mark.parametrize("kind", ["complete", "holes", "long"])
@pytest.mark.parametrize("alphas", [ALPHAS[k] for k in ("free", "shrunk", "common", "pooled")],
                         ids=str)  # fmt: skip
def test_alo_is_one_newton_step_without_the_row_or_the_label(sample, kind, alphas):
    X, Y = sample(n=30)
    problem, Y = make_problem(X, Y, kind, alphas=alphas)
    _, point = problem.solve(SharedSpecific(*alphas), solver="irls", polish=True, **LIMITS)
    dense = Dense(X, Y, alphas)
    expected = left_out(
        dense, lambda weights: dense.theta + dense.step(dense.theta, weights), kind != "long"
    )
    own = alo_losses(problem, point, dense, np.ones(len(expected)))
    order = reference_order(problem, dense, X, kind)
    # one linear system; with free intercepts a class of one label has a leverage near one
    np.testing.assert_allclose(own[order], expected, rtol=1e-6, atol=1e-7)


@pytest.mark.slow
@every_sample
@pytest.mark.parametrize("kind", ["complete", "holes", "long"])
def test_alo_is_close_to_refits_without_the_row_or_the_label(sample, kind):
    alphas = (3.0, 10.0, 3.0)
    X, Y = sample(n=60)
    problem, Y = make_problem(X, Y, kind, alphas=alphas)
    _, point = problem.solve(SharedSpecific(*alphas), solver="irls", **LIMITS)
    dense = Dense(X, Y, alphas)
    expected = left_out(dense, dense.minimise, kind != "long")
    own = alo_losses(problem, point, dense, np.ones(len(expected)))
    own = own[reference_order(problem, dense, X, kind)]
    at_optimum = dense.losses(dense.theta)
    # a twentieth of the rise from the loss at the optimum is of higher order
    assert own.mean() == pytest.approx(expected.mean(), rel=5e-3)
    rise, expected_rise = own.mean() - at_optimum.mean(), expected.mean() - at_optimum.mean()
    assert rise == pytest.approx(expected_rise, rel=0.05)
    assert np.abs(own - expected).max() < 0.1


@every_sample
def test_alo_leaves_out_one_unit_of_a_weight(sample, rng):
    X, Y = sample(n=30)
    weight = rng.choice([0.5, 1.0, 3.0], Y.shape)
    alphas = (0.5, 2.0, 0.7)
    problem, Y = make_problem(X, Y, "holes", alphas=alphas, weight=weight)
    _, point = problem.solve(SharedSpecific(*alphas), solver="irls", polish=True, **LIMITS)
    dense = Dense(X, Y, alphas, weight)
    expected = left_out(dense, lambda weights: dense.theta + dense.step(dense.theta, weights), True)
    order = reference_order(problem, dense, X, "holes")
    unit = np.empty(len(order))
    unit[order] = np.minimum(dense.weights, 1.0)
    own = alo_losses(problem, point, dense, unit)
    np.testing.assert_allclose(own[order], expected, rtol=1e-6, atol=1e-7)


# labels held out


@every_sample
@every_format
def test_losses_held_out_are_sums_of_the_losses_of_each_task(sample, kind, xp_place, rng):
    X, Y = sample()
    weight = None if kind == "long" else rng.uniform(0.5, 2, Y.shape)
    problem, Y = make_problem(X, Y, kind, alphas=(0.5, 2.0, 0.7), weight=weight)
    solution, _ = problem.solve(SharedSpecific(0.5, 2.0, 0.7), solver="irls", **LIMITS)
    Z, G = sample(n=25, seed=1)
    G = {"holes": with_holes, "one-a-row": one_label_a_row}.get(kind, np.array)(G)
    data = long_data(xp_place(as_long(Z, G)[0][:, :-1]), as_long(Z, G)[1],
                     as_long(Z, G)[0][:, -1].astype(int), G.shape[1])[0] if kind == "long" else (
                         wide_data(xp_place(Z), G)[0])  # fmt: skip
    held_out = HeldOutLoss(data, problem.layout, problem.loss)
    dense = Dense(X, Y, (0.5, 2.0, 0.7), weight)
    expected = np.zeros(G.shape[1])
    for t, P in enumerate(dense.probabilities(Z)):
        seen = ~np.isnan(G[:, t])
        place = np.searchsorted(class_sets(Y)[t], G[seen, t])
        expected[t] = -np.log(P[seen, place]).sum()
    # the fit may lie elsewhere than the labels, as where only the larger part is worth a transfer
    np.testing.assert_allclose(held_out(solution.W, solution.b), expected, rtol=1e-7)
