"""Solvers, one algorithm a file: from TaskData or Moments, a loss and a penalty to a Solution."""

from ._alo import leave_one_out_losses, leave_one_out_sums
from ._choose import LINEAR_SOLVERS, choose_linear_solver, solve_linear
from ._design import feature_variance
from ._held_out import HeldOutLoss
from ._objective import LinearObjective
from ._quadratic import SOLVERS, QuadraticProblem, choose_solver
from ._reweight import balance_fit
from ._smooth import SMOOTH_SOLVERS, SmoothProblem, choose_smooth_solver
from ._solution import Solution
from ._stream import MomentProblem
from ._task_objectives import TaskObjectives

__all__ = [
    "LINEAR_SOLVERS",
    "SMOOTH_SOLVERS",
    "SOLVERS",
    "HeldOutLoss",
    "LinearObjective",
    "MomentProblem",
    "QuadraticProblem",
    "SmoothProblem",
    "Solution",
    "TaskObjectives",
    "balance_fit",
    "choose_linear_solver",
    "choose_smooth_solver",
    "choose_solver",
    "feature_variance",
    "leave_one_out_losses",
    "leave_one_out_sums",
    "solve_linear",
]
