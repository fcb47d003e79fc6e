"""Checks of parameters, and a warning, that several linear models share."""

import warnings

from sklearn.exceptions import ConvergenceWarning

from .._checks import check_count, check_flag, check_option, check_strength
from ..penalties import SharedSpecific


def check_penalty(estimator):
    """The shared-plus-specific penalty of an estimator's three alphas."""
    return SharedSpecific(
        check_strength("alpha_shared", estimator.alpha_shared),
        check_strength("alpha_specific", estimator.alpha_specific),
        check_strength("alpha_intercept", estimator.alpha_intercept, zero=True),
    )


def check_solver(estimator, solvers):
    """Check `fit_intercept`, `solver`, `tol` and `max_iter`."""
    check_flag("fit_intercept", estimator.fit_intercept)
    check_option("solver", estimator.solver, solvers)
    check_strength("tol", estimator.tol, zero=True, infinite=False)
    check_count("max_iter", estimator.max_iter)


def warn_unsolved(solution, tol):
    """One ConvergenceWarning if conjugate gradients stopped above `tol`; called from `fit`."""
    if not solution.converged:
        warnings.warn(
            f"solver='cg' stopped after {solution.n_iter} iterations at a relative error of up to "
            f"{solution.residual:.1e}, above tol={tol}; raise max_iter or tol.",
            ConvergenceWarning,
            stacklevel=3,
        )
