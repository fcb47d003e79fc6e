"""Solvers: what they demand, how "auto" chooses, and conjugate gradients on their own."""

import numpy as np
import pytest

from skmtl._backend import solve_psd, to_numpy, whiten_psd
from skmtl._data import wide_data
from skmtl.losses import SquaredError
from skmtl.penalties import SharedSpecific
from skmtl.solvers import QuadraticProblem, choose_solver
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
    for a, b in zip(*(problem.scores(*grid) for problem in problems), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11)
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
