"""Solvers, one algorithm a file: from TaskData or Moments, a loss and a penalty to a Solution."""

from ._quadratic import SOLVERS, QuadraticProblem, choose_solver
from ._solution import Solution
from ._stream import MomentProblem

__all__ = ["SOLVERS", "MomentProblem", "QuadraticProblem", "Solution", "choose_solver"]
