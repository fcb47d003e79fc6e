"""Solvers: what they demand, how "auto" chooses, and conjugate gradients on their own."""

import warnings

import numpy as np
import pytest

from skmtl import MultiTaskRidge
from skmtl._backend import solve_psd, to_numpy, whiten_psd
from skmtl._data import wide_data
from skmtl.losses import SquaredError
from skmtl.penalties import SharedSpecific
from skmtl.solvers import QuadraticProblem, _quadratic, choose_solver
from skmtl.solvers._cg import conjugate_gradients


def test_auto_is_dual_with_fewer_rows_than_features():
    assert choose_solver("auto", 10, 11) == "dual"
    assert choose_solver("auto", 11, 11) == "cholesky"
    assert choose_solver("cg", 10, 11) == "cg"


def test_a_loss_or_penalty_that_does_not_fit_is_refused_in_a_sentence():
    data, labelled = wide_data(np.eye(3), np.ones((3, 2)))
    with pytest.raises(TypeError, match="quadratic loss"):
        QuadraticProblem(data, object(), np.ones(2), fit_intercept=True)
    problem = QuadraticProblem(data, SquaredError(), np.ones(len(labelled)), fit_intercept=True)
    with pytest.raises(TypeError, match="alpha_shared"):
        problem.solve(object())


def test_a_common_design_gives_what_its_blocks_give():
    """The split into mean and deviations against block elimination of the same problem."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(12, 4)), rng.normal(size=(12, 3))
    data, _ = wide_data(X, Y, rng.uniform(0.5, 2, 12))
    problems = [
        QuadraticProblem(data, SquaredError(), np.ones(3), fit_intercept=True) for _ in "ab"
    ]
    problems[1].splits = False
    grid = np.array([np.inf, 1.0, 0.1]), np.array([np.inf, 2.0]), np.array([np.inf, 1.0, 0.0])
    (error, deviance), (error_b, deviance_b) = (problem.scores(*grid) for problem in problems)
    np.testing.assert_allclose(deviance, deviance_b, rtol=1e-11)
    # blocks hold the origin, which matters where intercepts are penalised
    np.testing.assert_allclose(error[:, -1], error_b[:, -1], rtol=1e-11)
    for alphas in ((1.0, 2.0, 0.0), (1.0, 2.0, 0.5), (np.inf, 1.0, np.inf)):
        one, other = (problem.solve(SharedSpecific(*alphas)) for problem in problems)
        for a, b in zip(one[:4], other[:4], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)


def test_conjugate_gradients_solve_and_report():
    rng = np.random.default_rng(0)
    F = rng.normal(size=(30, 8))
    A, r = F.T @ F + np.eye(8), rng.normal(size=8)
    x, n_iter, residual = conjugate_gradients(
        lambda v: A @ v, np.diag(A).copy(), r, tol=1e-13, max_iter=100
    )
    np.testing.assert_allclose(x, np.linalg.solve(A, r), rtol=1e-11)
    assert 1 < n_iter <= 20 and residual <= 1e-13
    assert conjugate_gradients(lambda v: A @ v, np.diag(A), 0 * r, tol=0.0, max_iter=9)[1] == 0
    assert conjugate_gradients(lambda v: A @ v, np.diag(A), r, tol=0.0, max_iter=3)[1] == 3


@pytest.mark.parametrize("n", [3, 80])
@pytest.mark.parametrize("rank", ["full", "deficient"])
def test_positive_definite_solves_agree_with_lstsq(n, rank, xp_place):
    """Right-hand sides in the range of S; deficient S with an alpha below rounding."""
    rng = np.random.default_rng(0)
    k = n if rank == "full" else n // 2 + 1
    F = rng.normal(size=(2 * n, k)) @ rng.normal(size=(k, n))
    S, B = F.T @ F, rng.normal(size=(2, 2 * n)) @ F
    alpha = 1.0 if rank == "full" else 1e-13
    expected = B @ np.linalg.pinv(S + (alpha if rank == "full" else 0) * np.eye(n), rcond=1e-11)
    solution = solve_psd(xp_place(B), xp_place(S), alpha)
    np.testing.assert_allclose(to_numpy(solution), expected, rtol=1e-7, atol=1e-9)


def test_whitening_squares_to_the_inverse():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(5, 9)), rng.normal(size=(5, 1))
    B = np.hstack([X, y])
    expected = B.T @ np.linalg.solve(X @ X.T + 0.7 * np.eye(5), B)
    Z = whiten_psd(B, X @ X.T, 0.7, 9)
    np.testing.assert_allclose(Z.T @ Z, expected, rtol=1e-10)
    twins = np.vstack([B, B])  # singular: every row twice
    K = twins[:, :9] @ twins[:, :9].T
    Z = whiten_psd(twins, K, 1e-14, 9)
    expected = np.linalg.pinv(X) @ y  # X'K^+ y of the minimum-norm interpolation
    np.testing.assert_allclose(Z[:, :9].T @ Z[:, 9:], expected, rtol=1e-6)


def masked_sample(n, p, T, missing, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + 2
    Y = X @ (rng.normal(size=(p, 1)) + rng.normal(size=(p, T))) + rng.normal(size=(n, T))
    Y[rng.random(Y.shape) < missing] = np.nan
    return X, Y


MASKED_ALPHAS = [(1.0, 10.0, 0.0), (0.5, 2.0, 3.0), (np.inf, 5.0, np.inf), (1.0, 10.0, np.inf)]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alphas", MASKED_ALPHAS)
def test_a_common_design_with_gaps_agrees_with_its_blocks(
    alphas, fit_intercept, weighted, monkeypatch
):
    X, Y = masked_sample(160, 70, 6, 0.15)
    s = np.random.default_rng(1).uniform(0.5, 2, Y.shape) if weighted else None
    a0, a1, ai = alphas
    model = MultiTaskRidge(a0, a1, alpha_intercept=ai, fit_intercept=fit_intercept)
    blocks = model.set_params(solver="cholesky").fit(X, Y, s).predict(X)
    found = []
    monkeypatch.setattr(_quadratic, "iterations_worthwhile", lambda data: 200)
    solve = _quadratic.QuadraticProblem._solve_masked
    monkeypatch.setattr(
        _quadratic.QuadraticProblem,
        "_solve_masked",
        lambda *args: found.append(solve(*args)) or found[-1],
    )
    fitted = model.set_params(solver="auto").fit(X, Y, s).predict(X)
    np.testing.assert_allclose(fitted, blocks, rtol=1e-9, atol=1e-9)
    assert found[0] is not None  # the fast path answered, it did not give way


def test_a_common_design_with_gaps_gives_way_where_iterations_are_too_many(monkeypatch):
    X, Y = masked_sample(160, 70, 6, 0.15)
    monkeypatch.setattr(_quadratic, "iterations_worthwhile", lambda data: 5)
    slow, fast = (MultiTaskRidge(1e-6, 1e-6, solver=s).fit(X, Y) for s in ("cholesky", "auto"))
    np.testing.assert_array_equal(slow.coef_, fast.coef_)


@pytest.mark.parametrize("alphas", MASKED_ALPHAS)
def test_small_tasks_of_many_features_go_by_conjugate_gradients_to_the_same_numbers(alphas):
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(60, 1100)), np.repeat(np.arange(6), 10)
    y, Z = X[:, :9].sum(axis=1) + rng.normal(size=60), np.column_stack([task, X])
    a0, a1, ai = alphas
    model = MultiTaskRidge(a0, a1, alpha_intercept=ai, task_column=0)
    direct = model.set_params(solver="dual").fit(Z, y).coef_
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # tol and max_iter are those of solver="cg" alone
        model.set_params(solver="auto", tol=0.0, max_iter=1).fit(Z, y)
    np.testing.assert_allclose(model.coef_, direct, atol=1e-10)
    assert model.n_iter_ == 1


@pytest.mark.parametrize("ai", [0.0, 2.0, np.inf])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_downdated_grams_agree_with_the_rows(ai, offset):
    """Missing rows far from the others: their mean is no longer the task's."""
    X, Y = masked_sample(90, 40, 4, 0.1)
    X[:20, 0] += offset
    Y[:20, 1] = np.nan
    model = MultiTaskRidge(1.0, 2.0, alpha_intercept=ai, solver="cholesky")
    ones = np.ones(Y.shape)
    ones[0, 0] = 1 + 1e-15  # weights that differ: every task by its own rows
    fast, own = model.fit(X, Y).predict(X), model.fit(X, Y, ones).predict(X)
    np.testing.assert_allclose(fast, own, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("alpha", [1e-12, 1e-8, 1e-4, 1.0])
@pytest.mark.parametrize("kind", ["complete", "gaps", "long"])
@pytest.mark.parametrize("shape", [(20, 40), (75, 20)])
def test_conjugate_gradients_reach_their_tolerance_in_the_coefficients(shape, kind, alpha):
    (n, p), rng = shape, np.random.default_rng(0)
    X, Y = rng.normal(size=shape) * np.geomspace(0.1, 10, p), rng.normal(size=(n, 3))
    column = None
    if kind == "gaps":
        Y[::4, 0] = Y[1::5, 2] = np.nan
    if kind == "long":
        X, Y, column = np.column_stack([X, np.arange(n) % 3]), Y[:, 0], p
    direct, iterated = (
        MultiTaskRidge(alpha, alpha, solver=solver, task_column=column).fit(X, Y).coef_
        for solver in ("dual" if n < p else "cholesky", "cg")
    )
    # tol=1e-10 in the norm of the preconditioner, whose roots spread over a factor of 100
    np.testing.assert_allclose(iterated, direct, atol=1e-7 * np.abs(direct).max())


def test_singular_equations_of_moderate_numbers_are_not_called_an_overflow():
    X, Y = np.diag([2e10, 1.0, 1.0]), np.array([[1.0, np.nan], [2.0, 1.0], [np.nan, 3.0]])
    data, _ = wide_data(X, Y)
    problem = QuadraticProblem(data, SquaredError(), np.ones(2), fit_intercept=False)
    assert "singular to rounding" in problem._what_failed()
    data, _ = wide_data(1e100 * X, Y)
    problem = QuadraticProblem(data, SquaredError(), np.ones(2), fit_intercept=False)
    assert "overflow" in problem._what_failed()
