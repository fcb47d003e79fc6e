"""Newton steps by conjugate gradients with the arrow-Jacobi preconditioner.

With the Hessian replaced by its diagonal D in the units' coefficients, each coordinate is an arrow
with the shared vector at its tip, solved exactly: for R = 1/(D + a_own),
    x_0 = (r_0 - sum D R r_k) / (a_0 + sum a_own D R),   x_k = R (r_k - D x_0).
"""

from .._backend import namespace_of
from ._cg import conjugate_gradients

MOST = 200  # iterations a step


def newton_cg_step(problem, second, gradient, accuracy):
    """Approximate Newton step."""
    if problem.reduced:
        precondition = lambda r: r  # noqa: E731
    else:
        precondition = problem.preconditioner(second)
    step, _, _ = conjugate_gradients(
        lambda x: problem.product(second, x),
        precondition,
        -gradient,
        tol=accuracy,
        max_iter=MOST,
    )
    return step


def arrow_jacobi(problem, D):
    """Preconditioner from the diagonal D (n_units, m) of the losses' Hessian."""
    C = problem.layout.n_channels
    xp, sums, A, taken = namespace_of(D), problem.sums, problem.A, problem.taken
    own, shared = taken[C:, :], taken[:C, :]
    total = D + A[C:, :]
    R = own / xp.where(total > 0, total, xp.ones_like(total))
    DR = D * R
    tip = A[:C, :] + sums @ (D - D * DR)
    tip = shared / xp.where(tip > 0, tip, xp.ones_like(tip))
    back = xp.matrix_transpose(sums)

    def precondition(r):
        x0 = tip * (r[:C, :] - sums @ (DR * r[C:, :]))
        return xp.concat([x0, R * (r[C:, :] - D * (back @ x0))], axis=0)

    return precondition
